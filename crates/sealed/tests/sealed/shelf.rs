//! A folder of segments over hours, by clocks that are set.

use std::path::Path;
use std::time::Duration;

use placet_sealed::{Clock as _, Notice, Retention, Shelf, ShelfError};

use crate::rig::{Clocks, Gateway, HOUR, files, limits, seconds};

/// One short segment, ended.
fn once(folder: &Path, clocks: &Clocks, hours: u64, name: &str) {
    let gateway = Gateway::start(folder, limits(hours, 1 << 30), clocks);
    gateway.seal(name, &seconds(0, 1, 40));
    gateway.sealers.finish();
}

fn left(folder: &Path, clocks: &Clocks, hours: u64) -> usize {
    Shelf::open(folder, limits(hours, 1 << 30), clocks.now()).unwrap().0.segments()
}

#[test]
fn nothing_is_kept_longer_than_the_floor_allows() {
    assert_eq!(Retention::hours(72), Some(Retention::LONGEST));
    assert_eq!(Retention::LONGEST.duration(), 72 * HOUR);
    for hours in [0, 73, 96, 256, 257 + 72, u64::MAX] {
        assert_eq!(Retention::hours(hours), None, "{hours}");
    }
}

#[test]
fn a_segment_goes_when_its_hours_are_over_and_not_before() {
    for restarted in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let clocks = Clocks::new();
        once(dir.path(), &clocks, 2, "hall");
        let (mut shelf, _) = Shelf::open(dir.path(), limits(2, 1 << 30), clocks.now()).unwrap();
        clocks.pass(2 * HOUR - Duration::from_millis(1));
        if restarted {
            drop(shelf);
            clocks.reboot();
            shelf = Shelf::open(dir.path(), limits(2, 1 << 30), clocks.now()).unwrap().0;
        }
        assert_eq!((shelf.sweep(clocks.now()).expired, files(dir.path()).len()), (0, 1));
        clocks.pass(Duration::from_millis(1));
        assert_eq!((shelf.sweep(clocks.now()).expired, files(dir.path()).len()), (1, 0));
        assert_eq!((shelf.bytes(), shelf.segments()), (0, 0));
    }
}

#[test]
fn at_the_start_of_a_run_what_is_over_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    let clocks = Clocks::new();
    once(dir.path(), &clocks, 72, "hall");
    clocks.pass(73 * HOUR);
    clocks.reboot();
    let (_, swept) = Gateway::start_swept(dir.path(), limits(72, 1 << 30), &clocks);
    assert_eq!((swept.expired, files(dir.path()).len()), (1, 0));
}

#[test]
fn fewer_hours_in_force_hold_for_what_is_there_already() {
    let dir = tempfile::tempdir().unwrap();
    let clocks = Clocks::new();
    once(dir.path(), &clocks, 72, "hall");
    clocks.pass(3 * HOUR);
    assert_eq!(left(dir.path(), &clocks, 4), 1);
    assert_eq!(left(dir.path(), &clocks, 3), 0);
}

#[test]
fn a_clock_that_is_set_changes_nothing_while_the_program_runs() {
    for day in [-86_400_000, 86_400_000, 400 * 86_400_000] {
        let dir = tempfile::tempdir().unwrap();
        let clocks = Clocks::new();
        once(dir.path(), &clocks, 2, "hall");
        let (mut shelf, _) = Shelf::open(dir.path(), limits(2, 1 << 30), clocks.now()).unwrap();
        clocks.set(day);
        clocks.pass(2 * HOUR - Duration::from_secs(1));
        assert_eq!(shelf.sweep(clocks.now()).expired, 0, "{day}");
        clocks.pass(Duration::from_secs(1));
        assert_eq!(shelf.sweep(clocks.now()).expired, 1, "{day}");
    }
}

#[test]
fn a_segment_from_the_future_goes_when_its_hours_are_over_since_it_was_seen() {
    let dir = tempfile::tempdir().unwrap();
    let clocks = Clocks::new();
    clocks.set(30 * 86_400_000);
    once(dir.path(), &clocks, 2, "hall");
    // The file's own time is the system's; it is made to lie in the future too.
    let file = files(dir.path()).remove(0);
    let future = std::time::UNIX_EPOCH + Duration::from_millis(clocks.now().utc.0);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(future).unwrap();
    clocks.set(-30 * 86_400_000);
    // However often it is started, the hours count from the first time.
    for _ in 0..4 {
        clocks.reboot();
        assert_eq!(left(dir.path(), &clocks, 2), 1);
        clocks.pass(HOUR / 2 - Duration::from_secs(1));
    }
    clocks.pass(Duration::from_secs(4));
    clocks.reboot();
    assert_eq!(left(dir.path(), &clocks, 2), 0);
}

#[test]
fn a_clock_that_stood_in_1970_keeps_what_was_sealed_then_for_no_longer() {
    let dir = tempfile::tempdir().unwrap();
    let clocks = Clocks::new();
    clocks.set(-1_795_326_000_000);
    let gateway = Gateway::start(dir.path(), limits(2, 1 << 30), &clocks);
    gateway.seal("hall", &seconds(0, 1, 40));
    clocks.set(1_795_326_000_000);
    gateway.sealers.sweep();
    gateway.sealers.finish();
    assert_eq!(files(dir.path()).len(), 1);
    assert_eq!(left(dir.path(), &clocks, 2), 0);
}

#[test]
fn the_oldest_goes_first_whoevers_it_is_and_it_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let clocks = Clocks::new();
    // A segment of a minute has about 48 kB.
    let gateway = Gateway::start(dir.path(), limits(24, 200_000), &clocks);
    for minute in 0..8 {
        let name = ["hall", "gate"][minute as usize % 2];
        gateway.seal(name, &seconds(minute * 60, 60, 40));
        clocks.pass(Duration::from_secs(60));
    }
    // Both are being written; of the ended ones the newest are there.
    let names: Vec<String> =
        files(dir.path()).iter().map(|f| f.file_name().unwrap().to_str().unwrap()[..13].to_owned()).collect();
    let minute = |n: u64| (crate::rig::START.0 + n * 60_000).to_string();
    assert_eq!(names, [minute(5), minute(7), minute(4), minute(6)], "{names:?}");
    let told = gateway.told();
    assert!(matches!(told.as_slice(), [Notice::Full(full)] if full.segments == 1), "{told:?}");
    assert!(told[0].to_string().contains("dropped before their time"), "{}", told[0]);
    // The others are said together, ten minutes after the first.
    clocks.pass(Duration::from_secs(600));
    gateway.sealers.sweep();
    let told = gateway.told();
    assert!(matches!(told.as_slice(), [Notice::Full(full)] if full.segments == 3), "{told:?}");
    let shelf = gateway.sealers.finish().unwrap();
    assert!(shelf.bytes() <= 200_000 + 100, "{}", shelf.bytes());
}

#[test]
fn what_lies_beside_the_segments_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let clocks = Clocks::new();
    let precious = dir.path().join("precious.sealed");
    std::fs::write(&precious, "x").unwrap();
    std::fs::create_dir_all(dir.path().join("sealed/hall")).unwrap();
    let sealed = dir.path().join("sealed");
    std::fs::write(sealed.join("hall/notes.txt"), "x").unwrap();
    std::os::unix::fs::symlink(&precious, sealed.join("hall/0000000000001-0000000000.sealed")).unwrap();
    std::os::unix::fs::symlink(dir.path(), sealed.join("gate")).unwrap();
    let (mut shelf, swept) = Shelf::open(&sealed, limits(1, 0), clocks.now()).unwrap();
    assert_eq!((swept.expired, shelf.sweep(clocks.now()).full.segments), (0, 0));
    assert!(precious.exists() && sealed.join("hall/notes.txt").exists());
    // A link in the place of a camera's folder is not written through.
    drop(shelf);
    let gateway = Gateway::start(&sealed, limits(1, 1 << 20), &clocks);
    gateway.seal("gate", &seconds(0, 1, 40));
    assert!(matches!(gateway.told().as_slice(), [Notice::Cannot { .. }]));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let clocks = Clocks::new();
    let first = Shelf::open(dir.path(), limits(1, 1), clocks.now()).unwrap();
    assert!(matches!(Shelf::open(dir.path(), limits(1, 1), clocks.now()), Err(ShelfError::Busy { .. })));
    drop(first);
    assert!(Shelf::open(dir.path(), limits(1, 1), clocks.now()).is_ok());
}
