//! Power cuts and refusals at every request.

use placet_store::{Log, MIN_SPAN, StoreError};

use super::faulty::{Dice, Faulty};
use super::{batch, batches, disks, key, open, rounds};

/// Appends until the disk refuses; how many batches were acknowledged, and how many attempted.
fn append(log: &mut Log<placet_tlog::note::SignerKey>, from: u64, until: u64) -> (u64, u64) {
    for n in from..until {
        if log.append(&batch(n)).is_err() {
            // Whatever failed, it does not go on.
            assert!(matches!(log.append(&batch(n)), Err(StoreError::Stopped { .. })));
            return (n, n + 1);
        }
    }
    (until, until)
}

#[test]
fn attack_power_cuts_lose_nothing_that_was_acknowledged() {
    let (mut cuts, mut torn, mut unasked, mut while_opening) = (0, 0, 0, 0);
    for seed in 0..rounds(300, 5_000) {
        let mut dice = Dice(seed);
        let mut disk = Faulty::default();
        drop(Log::create(disks(&disk), key(), MIN_SPAN).unwrap());
        let (mut acknowledged, mut attempted) = (0, 0);
        for _ in 0..12 {
            disk.fail(dice.below(150), true);
            if let Ok((mut log, recovered)) = open(&disk) {
                torn += u64::from(recovered.torn);
                let there = batches(&log, attempted);
                assert!(there >= acknowledged, "seed {seed}: {there} of {acknowledged}");
                unasked += there - acknowledged;
                (acknowledged, attempted) = append(&mut log, there, there + 40);
            } else {
                while_opening += 1;
            }
            disk.heal();
            disk = disk.after_power_cut(&mut dice);
            cuts += 1;
        }
        let (log, _) = open(&disk).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert!(batches(&log, attempted) >= acknowledged, "seed {seed}");
    }
    println!(
        "{cuts} power cuts, {while_opening} of them while opening: 0 acknowledged batches lost; {torn} torn frames cut, {unasked} batches kept of which nobody had been told"
    );
}

#[test]
fn attack_a_refusal_at_any_request_stops_the_log_and_loses_nothing() {
    let batches_each = 60;
    let whole = Faulty::default();
    whole.fail(u64::MAX, false);
    let mut log = Log::create(disks(&whole), key(), MIN_SPAN).unwrap();
    append(&mut log, 0, batches_each);
    drop(log);
    let requests = whole.requests();
    for at in 0..requests {
        let disk = Faulty::default();
        disk.fail(at, false);
        let Ok(mut log) = Log::create(disks(&disk), key(), MIN_SPAN) else {
            disk.heal();
            // A log that was half made is made or opened the next time, and never both.
            assert!(
                open(&disk).is_ok() != Log::create(disks(&disk), key(), MIN_SPAN).is_ok(),
                "request {at}"
            );
            continue;
        };
        let (acknowledged, attempted) = append(&mut log, 0, batches_each);
        drop(log);
        disk.heal();
        for disk in [disk.copy(), disk.after_power_cut(&mut Dice(at))] {
            let (mut log, _) = open(&disk).unwrap_or_else(|e| panic!("request {at}: {e}"));
            let there = batches(&log, attempted);
            assert!(there >= acknowledged, "request {at}: {there} of {acknowledged}");
            append(&mut log, there, there + 3);
            assert_eq!(batches(&log, there + 3), there + 3);
        }
    }
    println!(
        "{requests} requests to the disk, each refused once (writes half done): 0 acknowledged batches lost"
    );
}

#[test]
fn attack_a_full_disk_is_a_refusal_like_any_other() {
    // Every request from some point on is refused, and then the disk has room again.
    for at in 0..rounds(60, 500) {
        let disk = Faulty::default();
        let mut log = Log::create(disks(&disk), key(), MIN_SPAN).unwrap();
        disk.fail(at, true);
        let (acknowledged, attempted) = append(&mut log, 0, 60);
        drop(log);
        disk.heal();
        let (log, _) = open(&disk).unwrap();
        assert!(batches(&log, attempted) >= acknowledged);
    }
}
