use placet_export::{Exported, File, FolderTarget, Found, Target, TargetError, export};
use placet_publish::Folder;

use crate::log::Log;

/// Sizes at which a log is published in turn: over the ends of bundles, and of slots after 256 ticks.
const SIZES: [u64; 16] = [1, 2, 3, 4, 10, 255, 256, 257, 300, 390, 391, 392, 511, 512, 900, 1_000];

#[test]
fn a_log_that_grows_is_exported_round_by_round_and_always_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(1_000, 0);
    let mut target = FolderTarget::open(folder.path()).unwrap();
    let mut before = None;
    for size in SIZES {
        let done = export(&log.at(size), &mut target, &log.keys()).unwrap();
        assert_eq!((done.before, done.size), (before, size));
        assert_eq!(log.verify(&mut target), Some(size));
        // Whoever has just read the checkpoint of before finds all of its files, and nothing older is left.
        let before_size = before.unwrap_or(size);
        for path in log.files(before_size).keys() {
            assert!(folder.path().join(path).exists(), "{path} of {before_size} at {size}");
        }
        assert_eq!(log.strays(folder.path(), [before_size, size]), Vec::<String>::new(), "at {size}");
        before = Some(size);
    }
    let again = export(&log.at(1_000), &mut target, &log.keys()).unwrap();
    assert_eq!(again, Exported { before, size: 1_000, files: 0, bytes: 0, dropped: 0 });
}

#[test]
fn a_folder_is_a_shelf_from_which_the_next_folder_is_exported() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = Log::new(700, 0);
    export(&log.at(700), &mut FolderTarget::open(one.path()).unwrap(), &log.keys()).unwrap();
    let mut target = FolderTarget::open(two.path()).unwrap();
    export(&Folder::open(one.path()).unwrap(), &mut target, &log.keys()).unwrap();
    assert_eq!(log.verify(&mut target), Some(700));
}

#[test]
fn one_process_exports_to_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _first = FolderTarget::open(folder.path()).unwrap();
    let second = FolderTarget::open(folder.path()).unwrap_err();
    assert_eq!(second.source.to_string(), "another process exports to it");
}

/// A target that can fail at each of its steps, and is looked at as a reader would after each.
struct Watched<'l> {
    inner: FolderTarget,
    log: &'l Log,
    left: u32,
    seen: Vec<u64>,
}

impl Watched<'_> {
    fn step(&mut self, path: &str) -> Result<(), TargetError> {
        self.seen.extend(self.log.verify(&mut self.inner));
        let failed = TargetError { doing: "reach", path: path.to_owned(), source: "no more".into() };
        self.left = self.left.checked_sub(1).ok_or(failed)?;
        Ok(())
    }
}

impl Target for Watched<'_> {
    fn read(&mut self, path: &str) -> Result<Option<Found>, TargetError> {
        self.step(path)?;
        self.inner.read(path)
    }

    fn write(&mut self, mut files: Vec<File>) -> Result<(), TargetError> {
        // Some of a batch may be there when it fails.
        let rest = files.split_off(files.len() / 2);
        self.inner.write(files)?;
        self.step("half")?;
        self.inner.write(rest)
    }

    fn publish(&mut self, checkpoint: File, before: Option<&Found>) -> Result<(), TargetError> {
        self.step("checkpoint")?;
        self.inner.publish(checkpoint, before)
    }

    fn remove(&mut self, paths: &[String]) -> Result<(), TargetError> {
        self.step("remove")?;
        self.inner.remove(paths)
    }
}

#[test]
fn a_round_that_fails_at_any_step_leaves_the_log_that_was_and_the_next_makes_it_good() {
    let log = Log::new(700, 0);
    let mut failures = 0;
    for left in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let mut plain = FolderTarget::open(folder.path()).unwrap();
        export(&log.at(250), &mut plain, &log.keys()).unwrap();
        export(&log.at(300), &mut plain, &log.keys()).unwrap();
        let mut target = Watched { inner: plain, log: &log, left, seen: Vec::new() };
        let first = export(&log.at(600), &mut target, &log.keys());
        assert!(target.seen.iter().all(|size| *size == 300));
        target.left = u32::MAX;
        export(&log.at(601), &mut target, &log.keys()).unwrap();
        assert_eq!(log.verify(&mut target.inner), Some(601));
        let before = if first.is_ok() { 600 } else { 300 };
        assert_eq!(log.strays(folder.path(), [before, 601]), Vec::<String>::new());
        if first.is_ok() {
            break;
        }
        failures += 1;
    }
    eprintln!("a round failed at each of {failures} steps");
    assert!(failures >= 7);
}
