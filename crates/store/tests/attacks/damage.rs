//! Files cut, flipped, swapped, lost and put back from older copies.

use placet_store::fsck;
use placet_store::{Damage, Disk as _, Log, MIN_SPAN, StoreError};

use super::faulty::Faulty;
use super::{batch, batches, disks, expected, full, key, open};

const BATCHES: u64 = 60;

fn log() -> Faulty {
    let disk = Faulty::default();
    let mut log = Log::create(disks(&disk), key(), MIN_SPAN).unwrap();
    (0..BATCHES).for_each(|n| drop(log.append(&batch(n)).unwrap()));
    drop(log);
    disk
}

/// Whether a changed log stays shut; if it opens, it must have its length, and whatever it gives is what was written.
fn shut(disk: &Faulty) -> Result<bool, String> {
    let (log, recovered) = match open(disk) {
        Err(StoreError::Damage(_)) => return Ok(true),
        Err(error) => return Err(format!("{error:?}")),
        Ok(opened) => opened,
    };
    let (entries, blobs) = expected(BATCHES);
    if log.size() != entries.len() as u64 {
        return Err(format!("opened with {} entries: {recovered:?}", log.size()));
    }
    let reader = log.reader();
    for (index, entry) in (0..).zip(entries) {
        if reader.entry(index).is_ok_and(|e| e != Some(entry)) {
            return Err(format!("gives another entry {index}"));
        }
    }
    for (channel, blobs) in (0..).zip(blobs) {
        for (number, blob) in (0..).zip(blobs) {
            if reader.blob(channel, number).is_ok_and(|b| b != Some(blob)) {
                return Err(format!("gives another side file {channel}/{number}"));
            }
        }
    }
    Ok(false)
}

fn segments(disk: &Faulty) -> Vec<String> {
    disk.list().unwrap().into_iter().filter(|n| n.starts_with("segment-")).collect()
}

#[test]
fn attack_no_cut_of_a_segment_rolls_the_log_back() {
    let disk = log();
    let (mut tried, mut n_shut) = (0, 0);
    for name in segments(&disk) {
        let whole = disk.bytes(&name);
        let step = if full() { 1 } else { 7 };
        for length in (0..whole.len()).step_by(step) {
            let mut zeroed = whole.clone();
            zeroed[length..].fill(0);
            for bytes in [whole[..length].to_vec(), zeroed] {
                let copy = disk.copy();
                copy.set(&name, bytes);
                let stays = shut(&copy).unwrap_or_else(|e| panic!("{name} cut at {length}: {e}"));
                tried += 1;
                n_shut += u64::from(stays);
            }
        }
    }
    println!(
        "{tried} cuts, plain and with zeros behind: {n_shut} kept the log shut, 0 rolled it back or gave anything else than what was written"
    );
}

#[test]
fn attack_no_flipped_bit_rolls_the_log_back_and_fsck_sees_each() {
    let disk = log();
    let (mut tried, mut n_shut) = (0, 0);
    for name in segments(&disk) {
        let whole = disk.bytes(&name);
        let used = whole.iter().rposition(|b| *b != 0).unwrap() + 1;
        let step = if full() { 1 } else { 23 };
        for at in (0..used).step_by(step) {
            // The rest of the header's sector is never read.
            if (136..512).contains(&at) {
                continue;
            }
            let copy = disk.copy();
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            copy.set(&name, bytes);
            let found = fsck::check(&disks(&copy), &[key().verifier_key()], |_, _| {}).unwrap();
            assert!(!found.problems.is_empty(), "{name}: bit {} of byte {at} went unseen by fsck", at % 8);
            let stays = shut(&copy).unwrap_or_else(|e| panic!("{name} byte {at}: {e}"));
            tried += 1;
            n_shut += u64::from(stays);
        }
    }
    println!(
        "{tried} flipped bits: fsck saw all, {n_shut} kept the log shut, 0 rolled it back or gave anything else than what was written"
    );
}

#[test]
fn attack_derived_files_are_checked_and_can_be_lost() {
    let disk = log();
    let (mut tried, mut lost) = (0, 0);
    let derived = disk
        .list()
        .unwrap()
        .into_iter()
        .filter(|n| n.starts_with("hashes-") || n == "entries" || n.starts_with("blobs-"));
    for name in derived {
        let whole = disk.bytes(&name);
        for at in (0..whole.len()).step_by(3) {
            let copy = disk.copy();
            let mut bytes = whole.clone();
            bytes[at] ^= 0x40;
            copy.set(&name, bytes);
            let found = fsck::check(&disks(&copy), &[key().verifier_key()], |_, _| {}).unwrap();
            let offset = at as u64;
            assert_eq!(found.problems, [Damage::Derived { name: name.clone(), offset }], "{name} byte {at}");
            tried += 1;
        }
        let copy = disk.copy();
        copy.lose(&name);
        assert_eq!(batches(&open(&copy).unwrap().0, BATCHES), BATCHES, "without {name}");
        lost += 1;
    }
    println!("{tried} flipped bytes of derived files: fsck named each; {lost} files lost: made anew");
}

#[test]
fn attack_an_older_copy_stays_shut() {
    let disk = Faulty::default();
    let mut log = Log::create(disks(&disk), key(), MIN_SPAN).unwrap();
    let mut older = Vec::new();
    for n in 0..BATCHES {
        older.push(disk.copy());
        log.append(&batch(n)).unwrap();
    }
    drop(log);
    for copy in &older {
        // Everything put back but the mark, which lies elsewhere.
        copy.set("mark", disk.bytes("mark"));
        let error = open(copy).err().expect("a log below its mark stays shut");
        assert!(matches!(error, StoreError::Damage(Damage::Rollback { .. })), "{error}");
    }
    println!("{} older copies put back: all stayed shut", older.len());
}

#[test]
fn attack_another_history_of_the_same_length_stays_shut() {
    let disk = log();
    let other = Faulty::default();
    let mut forked = Log::create(disks(&other), key(), MIN_SPAN).unwrap();
    for n in 0..BATCHES {
        let mut batch = batch(n);
        if n == 30 {
            batch.entries[0][0] ^= 1;
        }
        forked.append(&batch).unwrap();
    }
    drop(forked);
    other.set("mark", disk.bytes("mark"));
    assert!(matches!(open(&other), Err(StoreError::Damage(Damage::Fork { .. }))));
}

#[test]
fn a_lost_mark_keeps_the_log_shut_until_an_operator_speaks() {
    let disk = log();
    disk.lose("mark");
    for _ in 0..2 {
        assert!(matches!(open(&disk), Err(StoreError::Damage(Damage::MarkLost { .. }))));
    }
    drop(Log::set_mark(disks(&disk), key()).unwrap());
    assert_eq!(batches(&open(&disk).unwrap().0, BATCHES), BATCHES);
}

#[test]
fn attack_segments_lost_or_swapped_keep_the_log_shut() {
    let disk = log();
    let names = segments(&disk);
    assert!(names.len() > 1);
    for name in &names {
        let copy = disk.copy();
        copy.lose(name);
        assert!(matches!(open(&copy), Err(StoreError::Damage(_))), "without {name}");
        for other in names.iter().filter(|o| *o != name) {
            let copy = disk.copy();
            copy.set(name, disk.bytes(other));
            assert!(matches!(open(&copy), Err(StoreError::Damage(_))), "{other} as {name}");
        }
    }
}
