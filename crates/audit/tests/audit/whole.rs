//! Whole logs: sound ones have nothing to report, misbehaving ones are told on.

use placet_audit::{Answer, AuditError, Counted, Invalid, Reader, Report, Unknown, audit, prove};
use placet_record::entry::slot::SlotState;
use placet_record::entry::{Leaf, LogMode, Reveal};
use placet_tlog::checkpoint::SignedCheckpoint;

use crate::maker::{Maker, Shape, at, log, log_key, note, now, policy};

#[test]
fn a_sound_log_has_nothing_to_report() {
    let maker = log(300, 12);
    let files = maker.publish(680);
    let report = audit(&files, &policy(), now(&maker), None).unwrap();
    assert!(report.is_sound() && report.is_covered, "{:?}", report.invalid);
    assert_eq!(report.notices, []);
    let expected = Counted {
        entries: 300,
        bundles: 2,
        tiles: 3,
        ticks: 12,
        opened: 11,
        slots: 44,
        events: 273,
        rosters: 2,
        cosigned: 9,
        in_time: 9,
        unwitnessed: 2,
    };
    assert_eq!(report.counted, expected);
}

#[test]
fn a_proof_out_of_a_sound_log_answers() {
    let maker = log(300, 12);
    let files = maker.publish(700);
    let reader = Reader::open(&files, &policy()).unwrap();
    let ask = |camera: &str, second: u64| {
        let proof = prove(&reader, &camera.parse().unwrap(), at(second)).unwrap();
        let bytes = proof.to_bytes().unwrap();
        let read = placet_audit::StatementProof::parse(&bytes).unwrap();
        assert_eq!(read, proof);
        read.verify(&policy(), at(700)).unwrap()
    };
    let off = ask("hall-north", 30);
    assert_eq!(off.answer, Answer::Off);
    assert!(
        off.to_string().starts_with(
            "STATED OFF: the log states that no search ran on `hall-north` at 2026-11-22T05:40:30Z"
        ),
        "{off}"
    );
    assert!(off.to_string().contains("Witnessed in time"), "{off}");
    let on = ask("hall-north", 61);
    assert!(on.to_string().starts_with("STATED ON: ") && on.to_string().contains("Rechtbank Gent"), "{on}");
    assert_eq!(ask("gate.2", 0).answer, Answer::Unknown(Unknown::NoAnswer));
    assert_eq!(ask("nowhere", 0).answer, Answer::Unknown(Unknown::NotACamera));
    assert_eq!(ask("gate.2", 10_000).answer, Answer::Unknown(Unknown::NotYet));
    assert_eq!(ask("gate.2", 719).answer, Answer::WillBeShown { by: at(1_320) });
}

/// What makes a log invalid, and what is noted beside it, in words.
fn words(report: &Report) -> Vec<String> {
    let invalid = report.invalid.iter().map(|noted| match &noted.what {
        Invalid::Misbehaviour { source } => format!("{noted}: {source}"),
        _ => noted.to_string(),
    });
    invalid.chain(report.notices.iter().map(ToString::to_string)).collect()
}

fn small() -> Maker {
    let mut maker = Maker::new(Shape { mode: LogMode::Open, interval: 60, reveal_delay: 600, slots: 2 });
    maker.roster(&[("hall-north", 0)]);
    maker
}

fn audited(maker: &Maker, seconds: u64) -> Report {
    audit(&maker.publish(seconds), &policy(), at(seconds), None).unwrap()
}

#[test]
fn a_gap_a_late_reveal_and_a_silence_are_told_and_break_no_rule() {
    let mut maker = small();
    maker.tick(0, &[SlotState::Off], None);
    maker.tick(180, &[SlotState::Off], None);
    maker.reveal(0, 700);
    let report = audited(&maker, 900);
    assert!(report.is_sound() && !report.has_misbehaved());
    assert_eq!(
        words(&report),
        [
            "entry 3: nothing is stated from 2026-11-22T05:41:00Z until 2026-11-22T05:43:00Z, before tick 1",
            "entry 4: tick 0 was due by 2026-11-22T05:51:00Z and was opened at 2026-11-22T05:51:40Z",
            "tick 1 should have been opened by 2026-11-22T05:54:00Z",
            "the log has been silent since 2026-11-22T05:44:00Z",
        ]
    );
}

#[test]
fn a_log_that_signs_what_it_must_not_has_misbehaved() {
    let mut maker = small();
    maker.tick(0, &[SlotState::Off], None);
    maker.reveal(0, 59);
    maker.push(&note(1));
    maker.push(&note(1));
    maker.push_bytes(b"{}".to_vec());
    let report = audited(&maker, 30);
    assert!(report.is_covered && report.has_misbehaved());
    assert_eq!(
        words(&report),
        [
            "entry 3: misbehaviour: entry 3 reveals tick 0 before its interval is over",
            "entry 5: misbehaviour: entry 5 has the id `00000000000000000000000000000001` of an earlier event",
            "entry 6: it cannot be read",
        ]
    );
}

#[test]
fn slots_that_do_not_open_or_say_no_camera_are_misbehaviour() {
    let mut maker = small();
    maker.tick(0, &[SlotState::Unused, SlotState::Off], None);
    maker.tick(60, &[SlotState::Off], None);
    maker.reveal(0, 60);
    let Leaf::Reveal(wrong) = Leaf::parse(&maker.entries[4]).unwrap() else { unreachable!() };
    maker.push(&Leaf::Reveal(Reveal { tick: 1, at: at(120), ..wrong }));
    let report = audited(&maker, 100);
    assert!(report.has_misbehaved());
    assert_eq!(
        words(&report),
        [
            "entry 4: misbehaviour: slot 0 of tick 0 says that no camera has it, and the roster gives it to `hall-north`",
            "entry 5: misbehaviour: its own reveal does not open it",
            "entry 5: misbehaviour: its own reveal does not open it",
            "entry 4: slot 1 of tick 0 is in use, and no camera of the roster has it",
        ]
    );
}

#[test]
fn two_histories_are_told_whichever_checkpoint_shows_them() {
    let mut common = small();
    common.tick(0, &[SlotState::Off], Some(0));
    let (mut one, mut other) = (common.clone(), common);
    one.push(&note(1));
    other.push(&note(2));
    other.push(&note(3));
    let kept = |maker: &Maker| {
        let keys = [log_key(1).verifier_key()];
        SignedCheckpoint::open(maker.checkpoint(30).as_bytes(), &keys).unwrap()
    };
    let audit = |maker: &Maker, since: &SignedCheckpoint| {
        audit(&maker.publish(30), &policy(), at(30), Some(since)).unwrap()
    };
    assert!(audit(&one, &kept(&one)).is_sound());
    let fork = audit(&other, &kept(&one));
    assert!(fork.has_misbehaved() && fork.is_covered);
    assert_eq!(
        words(&fork),
        ["misbehaviour: the log signed another history: a tree of 4 entries with another root"]
    );
    let shrunk = audit(&one, &kept(&other));
    assert_eq!(words(&shrunk), ["misbehaviour: the log had 5 entries before and has fewer now"]);

    // A `cosigned` item of the other history: the log showed it to the witnesses, and another tick to the reader.
    let mut forked = small();
    forked.tick(0, &[SlotState::Unknown], Some(0));
    forked.tick(60, &[SlotState::Off], None);
    let mut files = forked.publish(30);
    let item = one_item(&small_with(SlotState::Off));
    files.0.insert("cosigned/000.p/1".to_owned(), item);
    let report = placet_audit::audit(&files, &policy(), at(30), None).unwrap();
    assert!(report.has_misbehaved());
    assert!(
        words(&report)[0].contains("another root (the `cosigned` item of tick 0)"),
        "{:?}",
        words(&report)
    );
}

fn small_with(state: SlotState) -> Maker {
    let mut maker = small();
    maker.tick(0, &[state], Some(0));
    maker.tick(60, &[state], None);
    maker
}

fn one_item(maker: &Maker) -> Vec<u8> {
    maker.publish(30).0["cosigned/000.p/1"].clone()
}

#[test]
fn a_replaced_key_signs_no_more() {
    let mut maker = small();
    maker.change_key();
    let mut files = maker.publish(0);
    assert!(audit(&files, &policy(), at(0), None).unwrap().is_sound());
    maker.signer = 1;
    files.0.insert("checkpoint".to_owned(), maker.checkpoint(0).into_bytes());
    let report = audit(&files, &policy(), at(0), None).unwrap();
    assert!(report.has_misbehaved());
    assert!(words(&report)[0].contains("signed by a key"), "{:?}", words(&report));
}

#[test]
fn a_checkpoint_that_the_policy_does_not_accept_is_an_error() {
    let maker = small();
    let mut files = maker.publish(0);
    let alone = maker.checkpoint(0).lines().take(5).collect::<Vec<_>>().join("\n") + "\n";
    files.0.insert("checkpoint".to_owned(), alone.into_bytes());
    assert!(matches!(audit(&files, &policy(), at(0), None), Err(AuditError::Checkpoint { .. })));
    files.0.remove("checkpoint");
    assert!(matches!(audit(&files, &policy(), at(0), None), Err(AuditError::NoCheckpoint)));
}

#[test]
fn a_log_that_goes_on_while_it_is_read_is_sound() {
    // The partial files of the checkpoint are dropped as soon as the full ones are there.
    let maker = log(250, 5);
    let mut later = maker.clone();
    for id in 250..600 {
        later.push(&note(id));
    }
    let mut files = later.publish(300);
    files.0.insert("checkpoint".to_owned(), maker.checkpoint(300).into_bytes());
    for path in ["slots/000.p/5", "cosigned/000.p/4"] {
        assert!(files.0.contains_key(path));
    }
    let report = audit(&files, &policy(), at(299), None).unwrap();
    assert!(report.is_sound(), "{:?}", words(&report));
    let reader = Reader::open(&files, &policy()).unwrap();
    assert_eq!((reader.size(), reader.entry(249).unwrap()), (250, maker.entries[249].clone()));
    reader.check_consistent(250, files_root(&maker)).unwrap();
}

fn files_root(maker: &Maker) -> placet_tlog::merkle::Hash {
    let keys = [log_key(1).verifier_key(), log_key(2).verifier_key()];
    SignedCheckpoint::open(maker.checkpoint(0).as_bytes(), &keys).unwrap().checkpoint().root
}
