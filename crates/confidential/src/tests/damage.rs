//! A flipped bit in any file is noticed, or changes nothing.

use std::fs;

use super::{KEY, committed, deposit_bytes, event, files, filled, order, put_back};
use crate::{Error, Once, Store, Use};

/// What a store with one flipped bit says: an error, or exactly the truth.
fn noticed() -> impl Fn(&std::path::Path) -> Result<(), Error> {
    |path| {
        let mut store = Store::open(path, &KEY)?;
        store.check()?;
        for n in 0..12 {
            assert_eq!(store.get(event(n))?, Some(committed(n)));
        }
        assert_eq!(store.group(order(1))?.len(), 3);
        for n in 0..2 {
            let digest = placet_core::Digest::of(&deposit_bytes(n));
            assert_eq!(store.deposit(&digest)?, deposit_bytes(n));
        }
        assert_eq!(store.spend(Once::Event(event(3)))?, Use::Again);
        Ok(())
    }
}

fn full() -> bool {
    std::env::var_os("PLACET_ATTACK").is_some()
}

#[test]
fn attack_a_flipped_bit_is_noticed_or_changes_nothing() {
    let (_folder, path) = filled();
    let kept = files(&path);
    for (file, bytes) in &kept {
        let step = if full() || bytes.len() < 400 { 1 } else { bytes.len() / 400 };
        let (mut seen, mut harmless) = (0, 0);
        for (round, at) in (0..bytes.len()).step_by(step).enumerate() {
            put_back(&path, &kept);
            let mut flipped = bytes.clone();
            // A different place within the step and a different bit each time, the same in each run.
            let at = (at + round * 7 % step).min(bytes.len() - 1);
            flipped[at] ^= 1 << (round % 8);
            fs::write(file, &flipped).unwrap();
            if noticed()(&path).is_err() { seen += 1 } else { harmless += 1 }
        }
        let name = file.file_name().unwrap().to_str().unwrap();
        eprintln!("{name}: {seen} flipped bits noticed, {harmless} without effect, of {} bytes", bytes.len());
        // Only the database has bytes that mean nothing: free space and counters of SQLite's own.
        assert!(harmless == 0 || name == "records.sqlite", "{name}");
        assert!(seen > 0 || bytes.is_empty(), "{name}");
    }
}

#[test]
fn attack_a_file_that_is_cut_short_is_noticed() {
    let (_folder, path) = filled();
    let kept = files(&path);
    let mut cuts = 0;
    for (file, bytes) in kept.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let step = if full() { 1 } else { (bytes.len() / 40).max(1) };
        for length in (0..bytes.len()).step_by(step) {
            put_back(&path, &kept);
            fs::write(file, &bytes[..length]).unwrap();
            // The last page of the database may end with bytes that mean nothing.
            let slack = file.ends_with("records.sqlite") && length + 4_096 > bytes.len();
            assert!(noticed()(&path).is_err() || slack, "{} cut to {length}", file.display());
            cuts += 1;
        }
    }
    eprintln!("{cuts} files cut short, all noticed where anything was lost");
}

#[test]
fn a_damaged_record_can_still_be_erased() {
    let (_folder, path) = filled();
    let store = Store::open(&path, &KEY).unwrap();
    let row = store.database.record(&store.keys.once_tag(Once::Event(event(5)))).unwrap().unwrap();
    drop(store);
    let file = path.join("records.sqlite");
    let mut bytes = fs::read(&file).unwrap();
    // Within the ciphertext: what tells the row apart, its nonce and tag, is as it was.
    let start = bytes.windows(40).position(|window| *window == row.sealed[24..64]).unwrap();
    bytes[start + 3] ^= 1;
    fs::write(&file, bytes).unwrap();
    let mut store = Store::open(&path, &KEY).unwrap();
    assert!(matches!(store.get(event(5)), Err(Error::Damaged { .. })));
    assert!(matches!(store.check(), Err(Error::DamagedAt { .. })));
    let erased = store.erase(order(1)).unwrap();
    assert_eq!((erased.events, erased.unreadable), (vec![event(1), event(9)], 1));
    assert_eq!(store.check().unwrap(), 9);
}
