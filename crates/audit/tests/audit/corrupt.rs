//! Published logs and statement proofs with one thing changed: the audit notices, and no proof gives another answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use placet_audit::{
    Answer, AuditError, Memory, Reader, Report, Statement, StatementProof, Witnessed, audit, prove,
};
use placet_record::entry::Moment;
use placet_tlog::policy::Policy;

use crate::maker::{Maker, at, log, now, policy};

struct Attacked {
    policy: Policy,
    files: Memory,
    now: Moment,
}

impl Attacked {
    fn new(maker: &Maker) -> Self {
        let attacked =
            Self { policy: policy(), files: maker.publish(60 * maker.ticks() - 40), now: now(maker) };
        assert!(!attacked.notices(&attacked.files), "the log is sound before it is attacked");
        attacked
    }

    /// Whether an audit refuses these files or has anything to say about them.
    fn notices(&self, files: &Memory) -> bool {
        match audit(files, &self.policy, self.now, None) {
            Ok(report) => !report.is_sound() || !report.notices.is_empty(),
            Err(AuditError::Checkpoint { .. } | AuditError::NoCheckpoint) => true,
            Err(other) => panic!("{other}"),
        }
    }

    /// Flips a bit in every `step`th byte of the files whose path `chosen` likes; another one in each.
    fn flip(&self, step: usize, chosen: impl Fn(&str) -> bool + Sync) -> u32 {
        let tried = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for half in 0..2 {
                let (tried, chosen) = (&tried, &chosen);
                scope.spawn(move || {
                    let mut files = self.files.clone();
                    for path in self.files.0.keys().filter(|path| chosen(path)) {
                        for idx in (half * step..self.files.0[path].len()).step_by(2 * step) {
                            let mask = 1 << (idx / step / 2 % 8);
                            files.0.get_mut(path).unwrap()[idx] ^= mask;
                            assert!(self.notices(&files), "byte {idx} of {path}, bit {mask:#x}");
                            files.0.get_mut(path).unwrap()[idx] ^= mask;
                            tried.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        tried.into_inner()
    }
}

#[test]
fn attack_every_byte_of_a_short_log() {
    let attacked = Attacked::new(&log(40, 4));
    let tried = attacked.flip(1, |_| true);
    println!("flipped bytes of a log of 40 entries: tried {tried}, accepted 0");
    assert!(tried > 10_000);
}

#[test]
fn attack_every_byte_of_a_longer_log_beside_its_bundles() {
    // Two bundles and tiles on two levels, each of which costs an audit of 300 entries: of the bundles, every ninth byte.
    let attacked = Attacked::new(&log(300, 4));
    let tried = attacked.flip(1, |path| !path.starts_with("tile/entries/"));
    let bundled = attacked.flip(9, |path| path.starts_with("tile/entries/"));
    println!(
        "flipped bytes of a log of 300 entries: tried {tried}, and {bundled} of its bundles, accepted 0"
    );
    assert!(tried > 12_000 && bundled > 4_500);
}

#[test]
fn attack_whole_files_of_a_published_log() {
    let maker = log(300, 5);
    let attacked = Attacked::new(&maker);
    let mut tried: BTreeMap<&str, u32> = BTreeMap::new();
    let mut attack = |kind: &'static str, path: &str, files: &Memory| {
        assert!(attacked.notices(files), "{kind}: {path}");
        *tried.entry(kind).or_default() += 1;
    };
    for (path, bytes) in &attacked.files.0 {
        let with = |bytes: Option<Vec<u8>>| {
            let mut files = attacked.files.clone();
            files.0.remove(path);
            files.0.extend(bytes.map(|bytes| (path.clone(), bytes)));
            files
        };
        attack("deleted", path, &with(None));
        attack("emptied", path, &with(Some(Vec::new())));
        for cut in (1..bytes.len()).step_by(bytes.len() / 40 + 1).chain([bytes.len() - 1]) {
            attack("cut", path, &with(Some(bytes[..cut].to_vec())));
        }
        for extra in [&b"\0"[..], b"\n", &[0; 512], &bytes.clone()] {
            attack("lengthened", path, &with(Some([bytes, extra].concat())));
        }
        for (other, bytes) in &attacked.files.0 {
            let kind =
                |path: &str| path.strip_prefix("tile/").unwrap_or(path).split('/').next().map(str::to_owned);
            if other != path && kind(other) == kind(path) {
                attack("swapped", path, &with(Some(bytes.clone())));
            }
        }
    }
    older_copies(&maker, &mut attack);
    println!("tried {tried:?}, accepted 0");
    assert!(tried.values().sum::<u32>() > 300, "{tried:?}");
}

/// Each file as it was when the log was shorter, under the name it has now or beside the newer ones.
fn older_copies(maker: &Maker, attack: &mut impl FnMut(&'static str, &str, &Memory)) {
    let new = maker.publish(60 * maker.ticks() - 40);
    let folder = |path: &str| path.rsplit_once(".p/").map_or(path, |(path, _)| path).to_owned();
    for (entries, ticks) in [(290, 5), (240, 4), (130, 3)] {
        let old = log(entries, ticks).publish(60 * ticks - 40);
        for (path, bytes) in &new.0 {
            let older = old.0.iter().find(|(other, _)| folder(other) == folder(path));
            if let Some((_, older)) = older.filter(|(_, older)| *older != bytes) {
                let mut files = new.clone();
                files.0.insert(path.clone(), older.clone());
                attack("older", path, &files);
            }
        }
    }
}

#[test]
fn attack_every_byte_of_statement_proofs() {
    let maker = log(300, 5);
    let files = maker.publish(290);
    let (policy, now) = (policy(), at(280));
    let reader = Reader::open(&files, &policy).unwrap();
    let (mut tried, mut read, mut answered) = (0, 0, 0);
    for (camera, second) in [
        ("hall-north", 30),
        ("hall-north", 61),
        ("gate.2", 130),
        ("nowhere", 0),
        ("gate.2", 250),
        ("gate.2", 999),
    ] {
        let proof = prove(&reader, &camera.parse().unwrap(), at(second)).unwrap();
        let bytes = proof.to_bytes().unwrap();
        let statement = proof.verify(&policy, now).unwrap();
        for idx in 0..bytes.len() {
            let mut other = bytes.clone();
            other[idx] ^= 1 << (idx % 8);
            tried += 1;
            let Ok(other) = StatementProof::parse(&other) else { continue };
            assert_ne!(other, proof, "byte {idx} of the proof has two spellings");
            read += 1;
            let Ok(other) = other.verify(&policy, now) else { continue };
            answered += 1;
            if (&other.camera, other.at) == (&statement.camera, statement.at) {
                // A witness's line that is no longer known to be one shows less than it did, and nothing else.
                assert_eq!(other.answer, statement.answer, "byte {idx}: {other}");
                assert!(matches!(other.witnessed, Witnessed::NowOnly { .. }), "byte {idx}: {other}");
            } else {
                // Another question out of the same evidence, such as a second later, is answered as asked.
                assert_eq!(other.answer, honest(&reader, &other), "byte {idx}: {other}");
            }
        }
        for cut in 0..bytes.len() {
            assert!(StatementProof::parse(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
    println!(
        "flipped bytes of proofs: tried {tried}, read {read}, believed with the same answer or as another question {answered}, other answers 0"
    );
    assert!(tried > 15_000 && read > 1_000);
}

/// What the log itself answers to the question of a statement.
fn honest(reader: &Reader<&Memory>, statement: &Statement) -> Answer {
    let proof = prove(reader, &statement.camera, statement.at).unwrap();
    proof.verify(reader.policy(), at(280)).unwrap().answer
}

#[test]
fn parts_of_one_proof_do_not_fit_into_another() {
    let maker = log(300, 5);
    let files = maker.publish(290);
    let policy = policy();
    let reader = Reader::open(&files, &policy).unwrap();
    let questions = [
        ("hall-north", 30),
        ("hall-north", 61),
        ("gate.2", 61),
        ("gate.2", 130),
        ("gate.2", 250),
        ("gate.2", 999),
    ];
    let proofs =
        questions.map(|(camera, second)| prove(&reader, &camera.parse().unwrap(), at(second)).unwrap());
    let mut tried = 0;
    for one in &proofs {
        for other in &proofs {
            let parts: [fn(&mut StatementProof, &StatementProof); 9] = [
                |to, from| to.tick.clone_from(&from.tick),
                |to, from| to.next.clone_from(&from.next),
                |to, from| to.roster.clone_from(&from.roster),
                |to, from| to.slot.clone_from(&from.slot),
                |to, from| to.reveal.clone_from(&from.reveal),
                |to, from| to.order.clone_from(&from.order),
                |to, from| to.cosigned.clone_from(&from.cosigned),
                |to, from| to.camera.clone_from(&from.camera),
                |to, from| to.at = from.at,
            ];
            for exchange in parts {
                let mut mixed = one.clone();
                exchange(&mut mixed, other);
                tried += 1;
                // What is only left out may leave less to be known; it never turns into another statement.
                let Ok(found) = mixed.verify(&policy, at(280)) else { continue };
                let stated = matches!(found.answer, Answer::Off | Answer::On { .. });
                if stated {
                    let asked = prove(&reader, &found.camera, found.at).unwrap();
                    let honest = asked.verify(&policy, at(280)).unwrap();
                    let same = match (&found.answer, &honest.answer) {
                        (Answer::On { order: a, .. }, Answer::On { order: b, .. }) => a == b,
                        (a, b) => a == b,
                    };
                    assert!(same, "{found}\n{honest}");
                }
            }
        }
    }
    println!("exchanged parts: tried {tried}, other statements 0");
}

#[test]
fn a_report_of_a_corrupted_copy_blames_the_copy_and_not_the_log() {
    let maker = log(300, 5);
    let mut files = maker.publish(260);
    files.0.get_mut("tile/entries/000").unwrap()[4_000] ^= 1;
    let report: Report = audit(&files, &policy(), now(&maker), None).unwrap();
    assert!(!report.is_sound() && !report.is_covered && !report.has_misbehaved(), "{:?}", report.invalid);
    files.0.remove("tile/entries/000");
    let report = audit(&files, &policy(), now(&maker), None).unwrap();
    assert!(!report.is_sound() && report.is_covered && !report.has_misbehaved(), "{:?}", report.invalid);
}
