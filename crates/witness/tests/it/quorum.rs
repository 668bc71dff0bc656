//! Three witnesses and a log that grows, forks, goes back and shows different faces.

use std::time::Duration;

use placet_tlog::note::Note;
use placet_witness::client::{Alarm, Failure, Outcome, Settings, Witnesses};

use crate::world::{Log, NOW, Served, policy, witness_line};

/// Three witnesses, of which the first two are one organisation's.
const BY_ORGANISATION: &str = "group ours any w1 w2\ngroup quorum all ours w3\nquorum quorum\n";

fn settings() -> Settings {
    Settings { grace: Duration::from_millis(300), deadline: Duration::from_secs(5), ..Settings::default() }
}

async fn three() -> [Served; 3] {
    [Served::new(1).await, Served::new(2).await, Served::new(3).await]
}

fn asking(witnesses: &[&Served], rest: &str) -> Witnesses {
    let lines: Vec<String> = witnesses.iter().map(|w| w.line()).collect();
    Witnesses::new(policy(&lines, rest), settings()).unwrap()
}

#[tokio::test]
async fn a_log_that_grows_is_cosigned_by_all_at_every_size() {
    let [a, b, c] = three().await;
    let witnesses = asking(&[&a, &b, &c], BY_ORGANISATION);
    let mut cosigned = 0;
    for size in [0, 1, 2, 3, 7, 8, 9, 255, 256, 257, 1000] {
        let log = Log::of(size);
        let round = witnesses.cosign(&log.signed(), NOW, log.history()).await.unwrap();
        assert!(round.met, "{size}: {round:?}");
        assert_eq!(round.witnessed_at, Some(NOW));
        assert_eq!(Note::parse(round.checkpoint.as_bytes()).unwrap().signatures().len(), 4);
        cosigned += round.outcomes.iter().filter(|o| matches!(o.outcome, Outcome::Cosigned { .. })).count();
    }
    println!("{cosigned} cosignatures over 11 sizes");
    assert_eq!(cosigned, 33);
}

#[tokio::test]
async fn two_witnesses_of_one_organisation_are_not_enough() {
    let [a, b, c] = three().await;
    let nobody = witness_line(3, "http://127.0.0.1:1");
    let lines = [a.line(), b.line(), nobody];
    let witnesses = Witnesses::new(policy(&lines, BY_ORGANISATION), settings()).unwrap();
    let log = Log::of(5);
    let round = witnesses.cosign(&log.signed(), NOW, log.history()).await.unwrap();
    assert!(!round.met, "{round:?}");
    assert!(matches!(round.outcomes[2].outcome, Outcome::Failed(Failure::Http(_))), "{round:?}");
    // One of them and the other organisation are.
    let lines = [witness_line(1, "http://127.0.0.1:1"), b.line(), c.line()];
    let witnesses = Witnesses::new(policy(&lines, BY_ORGANISATION), settings()).unwrap();
    let round = witnesses.cosign(&log.signed(), NOW, log.history()).await.unwrap();
    assert!(round.met, "{round:?}");
}

#[tokio::test]
async fn a_client_that_knows_nothing_learns_sizes_and_goes_on() {
    let [a, b, c] = three().await;
    let log = Log::of(5);
    asking(&[&a, &b, &c], "quorum w1\n").cosign(&log.signed(), NOW, log.history()).await.unwrap();
    // As after a restart: nothing is remembered.
    let witnesses = asking(&[&a, &b, &c], BY_ORGANISATION);
    let sizes = witnesses.sizes(&log.signed(), NOW).await.unwrap();
    assert!(sizes.iter().all(|s| matches!(s.size, Ok(5)) && s.alarm(5).is_none()), "{sizes:?}");
    let grown = log.grown(9, "entry");
    let round = asking(&[&a, &b, &c], BY_ORGANISATION);
    let round = round.cosign(&grown.signed(), NOW, grown.history()).await.unwrap();
    assert!(round.met && round.alarms().next().is_none(), "{round:?}");
}

#[tokio::test]
async fn a_log_that_lost_entries_is_told_before_it_signs_and_when_it_does() {
    let [a, b, c] = three().await;
    let log = Log::of(9);
    let witnesses = asking(&[&a, &b, &c], BY_ORGANISATION);
    assert!(witnesses.cosign(&log.signed(), NOW, log.history()).await.unwrap().met);
    let lost = Log::of(6);
    let witnesses = asking(&[&a, &b, &c], BY_ORGANISATION);
    let sizes = witnesses.sizes(&lost.signed(), NOW).await.unwrap();
    let alarms: Vec<Alarm> = sizes.iter().filter_map(|s| s.alarm(6)).collect();
    assert!(alarms.len() == 3 && alarms.iter().all(|a| matches!(a, Alarm::AheadOfUs { size: 9, .. })));
    let round = witnesses.cosign(&lost.signed(), NOW, lost.history()).await.unwrap();
    assert!(!round.met);
    assert_eq!(round.alarms().filter(|a| matches!(a, Alarm::AheadOfUs { size: 9, .. })).count(), 3);
    let kept = std::fs::read_dir(a.folder.path().join("evidence")).unwrap().count();
    assert_eq!(kept, 1, "the smaller tree is kept once");
}

#[tokio::test]
async fn a_log_that_shows_two_faces_has_a_quorum_for_one_at_most() {
    let [a, b, c] = three().await;
    let base = Log::of(4);
    let (one, other) = (base.grown(8, "one"), base.grown(8, "other"));
    let all = asking(&[&a, &b, &c], BY_ORGANISATION);
    assert!(all.cosign(&base.signed(), NOW, base.history()).await.unwrap().met);
    // The first face to one organisation, the second to the other.
    let first = asking(&[&a, &b], "group two 2 w1 w2\nquorum two\n");
    assert!(first.cosign(&one.signed(), NOW, one.history()).await.unwrap().met);
    let second = asking(&[&c], "quorum w3\n");
    assert!(second.cosign(&other.signed(), NOW, other.history()).await.unwrap().met);
    // Neither face gets the quorum of both, and the log is told why.
    for (face, refusing) in [(&one, 1), (&other, 2)] {
        let all = asking(&[&a, &b, &c], BY_ORGANISATION);
        let round = all.cosign(&face.signed(), NOW, face.history()).await.unwrap();
        assert!(!round.met, "{round:?}");
        assert_eq!(
            round.alarms().filter(|a| matches!(a, Alarm::OtherRoot { size: 8, .. })).count(),
            refusing
        );
    }
    // And both witnesses of the first face hold the second as evidence, signed by the log.
    let mut pieces = 0;
    for witness in [&a, &b] {
        for file in std::fs::read_dir(witness.folder.path().join("evidence")).unwrap() {
            let piece = std::fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(
                piece.contains("\"fork\"") && piece.contains(&other.checkpoint().root.to_string()),
                "{piece}"
            );
            assert!(piece.contains(&one.checkpoint().root.to_string()), "{piece}");
            pieces += 1;
        }
    }
    println!("{pieces} pieces of evidence of one fork");
    assert_eq!(pieces, 2);
}

#[tokio::test]
async fn a_fork_beyond_the_known_size_is_refused_whatever_the_proof() {
    let a = Served::new(1).await;
    let witnesses = asking(&[&a], "quorum w1\n");
    let base = Log::of(8);
    assert!(witnesses.cosign(&base.signed(), NOW, base.history()).await.unwrap().met);
    let fork = Log::of(4).grown(12, "other");
    let round = witnesses.cosign(&fork.signed(), NOW, fork.history()).await.unwrap();
    assert!(!round.met);
    assert!(round.alarms().any(|a| matches!(a, Alarm::DoesNotExtend { size: 8, .. })), "{round:?}");
    let none = std::sync::Arc::new(|_: u64, _: u64| Err("the store is closed".into()));
    let round = witnesses.cosign(&fork.signed(), NOW, none).await.unwrap();
    assert!(round.alarms().any(|a| matches!(a, Alarm::NoProof { size: 8, .. })), "{round:?}");
}

#[tokio::test]
async fn what_no_log_of_the_policy_signed_is_never_sent() {
    let a = Served::new(1).await;
    let witnesses = asking(&[&a], "quorum w1\n");
    let log = Log::of(3);
    let changed = log.signed().replacen("\n3\n", "\n4\n", 1);
    assert!(witnesses.cosign(&changed, NOW, log.history()).await.is_err());
    assert!(witnesses.sizes("nonsense", NOW).await.is_err());
}
