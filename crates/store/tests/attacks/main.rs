//! Attacks on a log's disk. Each prints what was tried; nothing that was acknowledged may be lost or changed, and a log that
//! cannot say so stays shut.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed step of a test is a failed test")]

mod crashes;
mod damage;
mod faulty;
mod joined;
mod killed;

use std::sync::Arc;

use faulty::{Dice, Faulty};
use placet_store::{Batch, Disk, Disks, Log, MIN_SPAN, Recovered, Signer, StoreError};
use placet_tlog::checkpoint::{Checkpoint, CheckpointError, Origin};
use placet_tlog::note::{SignerKey, VerifierKey};

/// Whether full counts are asked for.
fn full() -> bool {
    std::env::var("PLACET_ATTACK").is_ok_and(|counts| counts == "full")
}

fn rounds(usual: u64, all: u64) -> u64 {
    if full() { all } else { usual }
}

fn key() -> SignerKey {
    SignerKey::generate("log.example/attacked", [7; 32]).unwrap()
}

fn disks(disk: &(impl Disk + Clone + 'static)) -> Disks {
    Disks::one(Arc::new(disk.clone()))
}

fn open(disk: &Faulty) -> Result<(Log<SignerKey>, Recovered), StoreError> {
    Log::open(disks(disk), key())
}

/// A batch of some entries and side files that all hang on `n`.
fn batch(n: u64) -> Batch {
    let mut dice = Dice(n);
    let entries =
        (0..=dice.below(4)).map(|i| format!("entry {n}.{i} {}", "x".repeat(dice.below(700) as usize)));
    let entries = entries.map(String::into_bytes).collect();
    let blobs = (0..dice.below(3)).map(|i| (i as u8, vec![n as u8; dice.below(900) as usize])).collect();
    Batch { entries, blobs }
}

/// What a log must hold after batches 0 to `n` - 1.
fn expected(n: u64) -> (Vec<Vec<u8>>, [Vec<Vec<u8>>; 4]) {
    let mut entries = Vec::new();
    let mut blobs: [Vec<Vec<u8>>; 4] = Default::default();
    for i in 0..n {
        let batch = batch(i);
        entries.extend(batch.entries);
        batch.blobs.into_iter().for_each(|(channel, blob)| blobs[channel as usize].push(blob));
    }
    (entries, blobs)
}

/// How many whole batches a log holds, all of it compared with what was sent. `attempted` is how many were.
fn batches(log: &Log<SignerKey>, attempted: u64) -> u64 {
    let reader = log.reader();
    let n = (0..=attempted).find(|n| expected(*n).0.len() as u64 == log.size());
    let n = n.expect("a log holds whole batches");
    let (entries, blobs) = expected(n);
    assert_eq!(reader.entries(0, u64::MAX).unwrap(), entries);
    for (channel, blobs) in (0..).zip(blobs) {
        assert_eq!(reader.blobs(channel), blobs.len() as u64);
        for (number, blob) in (0..).zip(blobs) {
            assert_eq!(reader.blob(channel, number).unwrap(), Some(blob));
        }
    }
    n
}

#[test]
fn a_log_of_many_segments_reads_as_it_was_written_and_is_sound() {
    let disk = Faulty::default();
    let mut log = Log::create(disks(&disk), key(), MIN_SPAN).unwrap();
    (0..300).for_each(|n| drop(log.append(&batch(n)).unwrap()));
    assert_eq!(batches(&log, 300), 300);
    let size = log.size();
    drop(log);
    assert!(disk.list().unwrap().iter().filter(|n| n.starts_with("segment-")).count() > 3);
    let checked = placet_store::fsck::check(&disks(&disk), &[key().verifier_key()], |_, _| {}).unwrap();
    assert_eq!((checked.frames, checked.entries, checked.torn), (300, size, false));
    assert_eq!(checked.problems, []);
    let (log, recovered) = open(&disk).unwrap();
    assert_eq!(recovered, Recovered { size, torn: false, rebuilt: false });
    assert_eq!(batches(&log, 300), 300);
}

#[test]
fn two_writers_are_one_too_many() {
    let disk = Faulty::default();
    let log = Log::create(disks(&disk), key(), MIN_SPAN).unwrap();
    assert!(matches!(open(&disk), Err(StoreError::Locked)));
    drop(log);
    open(&disk).unwrap();
}

#[test]
fn a_log_is_made_once_and_by_nobody_who_only_opens() {
    let disk = Faulty::default();
    assert!(matches!(open(&disk), Err(StoreError::NotALog)));
    drop(Log::create(disks(&disk), key(), MIN_SPAN).unwrap());
    assert!(matches!(Log::create(disks(&disk), key(), MIN_SPAN), Err(StoreError::Exists)));
}

/// A signer whose key is gone from some size on.
struct Forgetful(SignerKey, u64);

impl Signer for Forgetful {
    fn origin(&self) -> &Origin {
        self.0.name()
    }

    fn sign(&self, checkpoint: &Checkpoint) -> Result<String, CheckpointError> {
        let key = if checkpoint.size < self.1 { &self.0 } else { &other_key() };
        checkpoint.sign(key)
    }

    fn keys(&self) -> Vec<VerifierKey> {
        vec![self.0.verifier_key()]
    }
}

fn other_key() -> SignerKey {
    SignerKey::generate("other.example/log", [9; 32]).unwrap()
}

#[test]
fn a_batch_that_cannot_be_signed_leaves_the_log_as_it_was() {
    let disk = Faulty::default();
    let mut log = Log::create(disks(&disk), Forgetful(key(), 20), MIN_SPAN).unwrap();
    let acknowledged = (0..).take_while(|n| log.append(&batch(*n)).is_ok()).count() as u64;
    assert!(acknowledged > 1);
    let size = expected(acknowledged).0.len() as u64;
    assert_eq!((log.size(), log.reader().size()), (size, size));
    assert!(matches!(log.append(&batch(acknowledged)), Err(StoreError::Stopped { .. })));
    drop(log);
    assert_eq!(batches(&open(&disk).unwrap().0, acknowledged), acknowledged);
}

#[test]
fn another_key_opens_no_log() {
    let disk = Faulty::default();
    let mut log = Log::create(disks(&disk), key(), MIN_SPAN).unwrap();
    log.append(&batch(0)).unwrap();
    drop(log);
    let other = SignerKey::generate("log.example/attacked", [8; 32]).unwrap();
    assert!(Log::open(disks(&disk), other).is_err());
}
