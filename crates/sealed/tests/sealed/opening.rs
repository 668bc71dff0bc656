//! What the custodian gets of a time, and what is told of the rest.

use std::fs;
use std::time::Duration;

use placet_sealed::{SegmentError, Span, UtcMs, find};

use crate::rig::{Clocks, Gateway, START, camera, custodian, files, limits, opened, read, seconds};

/// Five minutes of a camera, sealed.
fn five_minutes() -> (tempfile::TempDir, Vec<std::path::PathBuf>) {
    let dir = tempfile::tempdir().unwrap();
    let clocks = Clocks::new();
    let gateway = Gateway::start(dir.path(), limits(24, 1 << 30), &clocks);
    gateway.seal("hall", &seconds(0, 300, 40));
    gateway.sealers.finish();
    let files = files(dir.path());
    assert_eq!(files.len(), 5);
    (dir, files)
}

fn times(units: &[(i64, Vec<u8>)]) -> Vec<i64> {
    units.iter().map(|(at, _)| *at).collect()
}

#[test]
fn exactly_what_was_asked_for_comes() {
    let (dir, _) = five_minutes();
    for (from, to) in [(0, 300_000), (60_000, 120_000), (59_000, 61_000), (130_000, 131_000)] {
        let (units, gaps) = opened(dir.path(), "hall", from, to);
        assert_eq!(times(&units), (0..(to - from) as i64).step_by(100).collect::<Vec<i64>>(), "{from} {to}");
        assert_eq!(gaps, [""; 0]);
    }
    // Nothing from before, even where that costs the pictures up to the next key frame.
    let (units, gaps) = opened(dir.path(), "hall", 60_100, 62_000);
    assert_eq!((times(&units)[0], gaps.len()), (900, 0));
    // What lies outside is told.
    let (units, gaps) = opened(dir.path(), "hall", 290_000, 310_000);
    assert_eq!((units.len(), gaps), (100, vec!["9900..20000 NotThere".to_owned()]));
    let (units, gaps) = opened(dir.path(), "hall", 900_000, 960_000);
    assert_eq!((units.len(), gaps), (0, vec!["0..60000 NotThere".to_owned()]));
}

#[test]
fn what_is_gone_or_damaged_is_a_gap_and_the_rest_comes() {
    let (dir, files) = five_minutes();
    fs::remove_file(&files[1]).unwrap();
    let bytes = fs::read(&files[3]).unwrap();
    fs::write(&files[3], &bytes[..bytes.len() / 2]).unwrap();
    let (units, gaps) = opened(dir.path(), "hall", 0, 300_000);
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert_eq!(gaps[0], "59900..120000 NotThere");
    assert!(gaps[1].ends_with("..240000 Torn"), "{gaps:?}");
    assert!(units.len() > 2_000 && units.len() < 2_200, "{}", units.len());
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    fs::write(&files[3], flipped).unwrap();
    let (_, gaps) = opened(dir.path(), "hall", 0, 300_000);
    assert!(gaps[1].contains("Damaged") && gaps[1].contains("was changed, moved"), "{gaps:?}");
}

#[test]
fn attack_segments_in_other_places_give_nothing() {
    let (dir, files) = five_minutes();
    let all = |camera: &str| opened(dir.path(), camera, 0, 600_000).0.len();
    assert_eq!(all("hall"), 3_000);
    // Another camera's folder, another time, another number, one of the names exchanged.
    let gate = dir.path().join("gate");
    fs::create_dir(&gate).unwrap();
    let mut tried = 0;
    for file in &files {
        fs::copy(file, gate.join(file.file_name().unwrap())).unwrap();
        tried += 1;
    }
    assert_eq!(all("gate"), 0);
    let span = Span { from: START, to: UtcMs(START.0 + 600_000) };
    let listing = find(dir.path(), &camera("gate"), span).unwrap();
    assert_eq!((listing.found.len(), listing.unreadable.len()), (0, 5));
    assert!(matches!(listing.unreadable[0].1, SegmentError::Header { what: "place" }));
    for (start, number) in [(301_000, 5), (0, 9), (60_000, 0)] {
        let name = format!("{:013}-{number:010}.sealed", START.0 + start);
        fs::copy(&files[0], dir.path().join("hall").join(name)).unwrap();
        tried += 1;
    }
    assert_eq!(all("hall"), 3_000);
    // With the header made to fit its new place it is found, and does not open.
    let mut bytes = fs::read(&files[0]).unwrap();
    bytes[17..22].copy_from_slice(b"\x04gate");
    fs::write(gate.join(files[0].file_name().unwrap()), &bytes).unwrap();
    assert_eq!(find(dir.path(), &camera("gate"), span).unwrap().found.len(), 1);
    let (units, gaps) = opened(dir.path(), "gate", 0, 600_000);
    assert!(units.is_empty() && gaps[0].contains("Damaged"), "{gaps:?}");
    println!("{} segments in places that are not theirs: 0 pictures given", tried + 1);
}

#[test]
fn a_clock_set_back_between_two_segments_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let clocks = Clocks::new();
    let gateway = Gateway::start(dir.path(), limits(24, 1 << 30), &clocks);
    gateway.seal("hall", &seconds(0, 60, 40));
    clocks.set(-30_000);
    clocks.pass(Duration::from_secs(60));
    gateway.seal("hall", &seconds(60, 60, 40));
    gateway.sealers.finish();
    let (units, gaps) = opened(dir.path(), "hall", 0, 120_000);
    assert_eq!((units.len(), gaps), (1_200, vec!["89900..120000 NotThere".to_owned()]));
    // In the order in which they were taken, though the second minute says it began earlier.
    assert_eq!((units[599].0, units[600].0), (59_900, 30_000));
}

#[test]
fn nothing_opens_without_the_private_half() {
    let (_dir, files) = five_minutes();
    let other = placet_sealed::CustodySecret::from_seed([9; 32]);
    for file in &files {
        let bytes = fs::read(file).unwrap();
        assert_eq!(
            read(&bytes, &other),
            (vec![], Err("the segment is sealed to another custody key".to_owned()))
        );
        assert_eq!(read(&bytes, &custodian()).1, Ok(()));
    }
}
