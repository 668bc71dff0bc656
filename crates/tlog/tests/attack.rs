//! Proofs, policies and witnesses attacked: nothing changed is believed, and every refusal says why.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests are free to unwrap and index")]

use placet_tlog::checkpoint::Checkpoint;
use placet_tlog::cosignature::{MAX_TIME, cosign};
use placet_tlog::merkle::{self, Frontier, Hash, Nodes};
use placet_tlog::note::{Note, SignerKey, WitnessSecret};
use placet_tlog::policy::{Policy, PolicyError};
use placet_tlog::proof::{Proof, ProofFileError};
use placet_tlog::witness::{AddCheckpoint, Refusal, judge, parse_answer, with_lines};

const ORIGIN: &str = "log.example/2026";

fn log() -> SignerKey {
    SignerKey::generate(ORIGIN, [1; 32]).unwrap()
}

fn witness(n: u8) -> WitnessSecret {
    WitnessSecret::generate(&format!("witness.example/w{n}"), [10 + n; 32]).unwrap()
}

/// Two of three witnesses, of which the first two are one organisation's.
fn policy() -> Policy {
    let lines: String = (1..=3).map(|n| format!("witness w{n} {}\n", witness(n).verifier_key())).collect();
    let text = format!(
        "log {}\n{lines}group one any w1 w2\ngroup both all one w3\nquorum both\n",
        log().verifier_key()
    );
    Policy::parse(text.as_bytes()).unwrap()
}

/// Every perfect subtree of a tree, by level.
#[derive(Default)]
struct Memory(Vec<Vec<Hash>>);

impl Nodes for Memory {
    type Error = std::convert::Infallible;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        Ok(self.0[usize::from(level)][usize::try_from(index).unwrap()])
    }
}

fn entry(n: u64, history: &str) -> Vec<u8> {
    format!("{history} entry {n}").into_bytes()
}

/// A tree of `size` entries; histories with other names have other entries from `fork` on.
fn tree(size: u64, fork: u64, history: &str) -> (Memory, Checkpoint) {
    let (mut tree, mut nodes) = (Frontier::default(), Memory::default());
    for n in 0..size {
        let entry = entry(n, if n < fork { "the" } else { history });
        tree.push(Hash::of_leaf(&entry), |level, _, hash| {
            let level = usize::from(level);
            nodes.0.resize_with(nodes.0.len().max(level + 1), Vec::new);
            nodes.0[level].push(hash);
        });
    }
    (nodes, Checkpoint { origin: ORIGIN.parse().unwrap(), size, root: tree.root() })
}

fn cosigned(checkpoint: &Checkpoint, witnesses: &[(u8, u64)]) -> String {
    let note = Note::parse(checkpoint.sign(&log()).unwrap().as_bytes()).unwrap();
    let text = note.unverified_text().to_owned();
    let lines = witnesses.iter().map(|(n, time)| cosign(&text, *time, &witness(*n)).unwrap());
    lines.fold(note, |note, line| note.with(line).unwrap()).to_string()
}

fn proof(index: u64, size: u64, witnesses: &[(u8, u64)]) -> Proof {
    let (mut nodes, checkpoint) = tree(size, size, "the");
    let hashes = merkle::inclusion_proof(&mut nodes, index, size).unwrap();
    Proof { extra: None, index, hashes, checkpoint: cosigned(&checkpoint, witnesses) }
}

#[test]
fn a_proof_is_believed_once_enough_organisations_have_seen_it() {
    let verify = |witnesses: &[(u8, u64)]| proof(5, 11, witnesses).verify(&entry(5, "the"), &policy());
    for few in [&[][..], &[(1, 100)], &[(1, 100), (2, 101)], &[(3, 100)]] {
        let refused = verify(few).unwrap_err();
        assert!(matches!(refused, ProofFileError::Policy(PolicyError::Quorum { .. })), "{few:?}: {refused}");
    }
    // The time is that of the last witness that was needed, by the witnesses' own clocks.
    assert_eq!(verify(&[(1, 300), (3, 100)]).unwrap().witnessed_at(), Some(300));
    assert_eq!(verify(&[(1, 300), (3, 100), (2, 200)]).unwrap().witnessed_at(), Some(200));
    assert!(proof(5, 11, &[(1, 1), (3, 1)]).verify(&entry(6, "the"), &policy()).is_err());
}

#[test]
fn attack_every_bit_of_a_proof_file() {
    let text = proof(5, 11, &[(1, 1_795_348_800), (3, 1_795_348_801)]).to_string();
    let whole = Proof::parse(text.as_bytes()).unwrap();
    assert_eq!(whole.to_string(), text);
    whole.verify(&entry(5, "the"), &policy()).unwrap();
    let (mut unread, mut disbelieved) = (0, 0);
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            match Proof::parse(&bytes) {
                Err(_) => unread += 1,
                Ok(read) => {
                    let answer = read.verify(&entry(5, "the"), &policy());
                    assert!(answer.is_err(), "byte {at}, bit {bit}: {:?}", String::from_utf8_lossy(&bytes));
                    disbelieved += 1;
                }
            }
        }
    }
    for end in 0..text.len() {
        let cut = Proof::parse(&text.as_bytes()[..end]).ok();
        assert!(cut.is_none_or(|p| p.verify(&entry(5, "the"), &policy()).is_err()), "cut at {end}");
    }
    println!(
        "{} flipped bits: {unread} unread, {disbelieved} disbelieved; {} cuts refused",
        text.len() * 8,
        text.len()
    );
}

#[test]
fn attack_a_witness_with_forks_and_rollbacks() {
    let keys = [log().verifier_key()];
    let ask = |old: u64, last: &Checkpoint, new: &Checkpoint, nodes: &mut Memory| {
        let proof = merkle::consistency_proof(nodes, old, new.size).unwrap();
        let request = AddCheckpoint { old, proof, checkpoint: new.sign(&log()).unwrap() };
        judge(&AddCheckpoint::parse(request.to_string().as_bytes()).unwrap(), &keys, |_| Some(last.clone()))
    };
    let (mut extended, mut forks, mut rollbacks) = (0, 0, 0);
    for size in 1..40 {
        let (_, last) = tree(size, size, "the");
        for new_size in size..40 {
            let (mut nodes, new) = tree(new_size, new_size, "the");
            assert_eq!(ask(size, &last, &new, &mut nodes).unwrap().checkpoint(), &new);
            extended += 1;
            // Another history from any entry the witness has seen.
            for fork in 0..size {
                let (mut nodes, new) = tree(new_size, fork, "another");
                match ask(size, &last, &new, &mut nodes).unwrap_err() {
                    Refusal::Inconsistent { checkpoint } if new_size > size => {
                        assert!(!checkpoint.is_empty())
                    }
                    Refusal::OtherRoot { checkpoint, .. } if new_size == size => {
                        assert!(!checkpoint.is_empty())
                    }
                    other => panic!("{fork} of {size} in {new_size}: {other}"),
                }
                forks += 1;
            }
        }
        for older in 0..size {
            let (mut nodes, new) = tree(older, older, "the");
            let refusal = ask(older, &last, &new, &mut nodes).unwrap_err();
            assert_eq!(refusal, Refusal::OtherSize { size });
            assert_eq!(refusal.status(), 409);
            rollbacks += 1;
        }
    }
    println!("{extended} extensions cosigned; {forks} forks and {rollbacks} rollbacks refused");
}

#[test]
fn cosignatures_are_bound_to_text_time_and_key() {
    let (_, checkpoint) = tree(7, 7, "the");
    let note = Note::parse(cosigned(&checkpoint, &[(1, 50), (3, 60)]).as_bytes()).unwrap();
    assert!(policy().accept(note.to_string().as_bytes()).is_ok());
    // Under another checkpoint, under another witness's name, from a far future.
    let (_, other) = tree(8, 8, "the");
    let moved = note.to_string().replace(&checkpoint.to_string(), &other.to_string());
    assert!(policy().accept(moved.as_bytes()).is_err());
    let renamed = note.to_string().replace("witness.example/w1", "witness.example/w2");
    assert!(policy().accept(renamed.as_bytes()).is_err());
    assert!(cosign("text\n", MAX_TIME + 1, &witness(1)).is_err());
    // A witness's answer is taken line by line; lines that stand there already are not doubled.
    let line = cosign(note.unverified_text(), 70, &witness(2)).unwrap().to_string();
    let lines = parse_answer(line.as_bytes()).unwrap();
    let more = with_lines(with_lines(note.clone(), lines.clone()).unwrap(), lines).unwrap();
    assert_eq!(more.signatures().len(), note.signatures().len() + 1);
    for bad in ["", "\n", "— w1\n", "no line\n", &line[..line.len() - 1]] {
        assert!(parse_answer(bad.as_bytes()).is_err(), "{bad:?}");
    }
}

#[test]
fn a_policy_says_what_is_wrong_and_where() {
    let (l, w) = (log().verifier_key(), witness(1).verifier_key());
    for (text, words) in [
        ("", "no `quorum`"),
        ("quorum none", "line 1 of the policy: the last line lacks its newline"),
        ("quorum none\nquorum none\n", "line 2 of the policy: a policy has one"),
        ("quorum w1\n", "no line above defines `w1`"),
        ("quorum none\u{7}\n", "control character stands at column 12"),
        ("quorum none\r\n", "control character stands at column 12"),
        ("logs x\n", "line 1 of the policy: it is not"),
        (&format!("log {w}\nquorum none\n"), "line 1 of the policy"),
        (&format!("witness w1 {l}\nquorum none\n"), "line 1 of the policy"),
        (&format!("log {l}\nlog {l}\nquorum none\n"), "line 2 of the policy: another line names a log"),
        (
            &format!("witness a {w}\nwitness b {w}\nquorum a\n"),
            "line 2 of the policy: another line names a witness",
        ),
        (&format!("witness none {w}\nquorum none\n"), "`none` is no name"),
        (&format!("witness a {w}\ngroup a any a\nquorum a\n"), "`a` is defined twice"),
        (&format!("witness a {w}\ngroup g 2 a\nquorum g\n"), "from 1 to 1"),
        (&format!("witness a {w}\ngroup g 0 a\nquorum g\n"), "from 1 to 1"),
        (&format!("witness a {w}\ngroup g 01 a\nquorum g\n"), "from 1 to 1"),
        (&format!("witness a {w}\ngroup g any\nquorum g\n"), "at least one member"),
        (&format!("witness a {w}\ngroup g any a a\nquorum g\n"), "`a` is a member already"),
        (&format!("witness a {w}\ngroup g any a\ngroup h any a\nquorum h\n"), "`a` is a member already"),
        (&format!("witness a {w}\ngroup g any none\nquorum g\n"), "no line above defines `none`"),
    ] {
        let error = Policy::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(words), "{text:?}: {error}");
    }
    let odd = format!(
        "  # whom we trust\n\n\tlog  {l} https://log.example/ \n witness \u{df}\u{df} {w}\nquorum \u{df}\u{df}"
    );
    assert!(Policy::parse(format!("{odd}\n").as_bytes()).is_ok());
    assert!(!Policy::parse(b"quorum none\n").unwrap().asks_for_witnesses());
}
