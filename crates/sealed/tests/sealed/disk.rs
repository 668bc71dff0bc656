//! A real disk that is full: a small one in memory, mounted for the test.

use std::path::{Path, PathBuf};

use placet_sealed::{Limits, Notice};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::rig::{Clocks, Gateway, custodian, files, limits, read, seconds};

/// A file system of so many bytes; gone with this value.
struct Disk(tempfile::TempDir);

impl Disk {
    /// None where this user may not mount, which is said, and must not be so where CI runs.
    fn new(bytes: u64) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let options = std::ffi::CString::new(format!("size={bytes}")).unwrap();
        match mount("tmpfs", dir.path(), "tmpfs", MountFlags::empty(), Some(options.as_c_str())) {
            Ok(()) => Some(Self(dir)),
            Err(e) => {
                assert!(std::env::var_os("CI").is_none(), "cannot mount a disk in memory: {e}");
                println!(
                    "SKIPPED: this user may not mount a disk in memory ({e}); run as root to try a full disk"
                );
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(self.path(), UnmountFlags::DETACH).unwrap();
    }
}

fn newest(folder: &Path) -> Vec<PathBuf> {
    let mut all = files(folder);
    all.sort_by_key(|file| file.file_name().map(std::ffi::OsStr::to_owned));
    all
}

#[test]
fn a_full_disk_drops_the_oldest_and_keeps_the_newest() {
    let Some(disk) = Disk::new(4 << 20) else { return };
    let sealed = disk.path().join("sealed");
    // The quota is far beyond the disk: only writing finds out that it is full.
    let gateway = Gateway::start(&sealed, limits(72, 1 << 40), &Clocks::new());
    let all = seconds(0, 20 * 60, 1_000);
    for minute in all.chunks(600) {
        gateway.seal("hall", minute);
    }
    let told = gateway.told();
    assert!(matches!(told.first(), Some(Notice::Full(_))), "{told:?}");
    assert!(!told.iter().any(|notice| matches!(notice, Notice::Cannot { .. })), "{told:?}");
    gateway.sealers.finish();
    let left = newest(&sealed);
    assert!((3..8).contains(&left.len()), "{}", left.len());
    let units: Vec<_> = left.iter().map(|file| read(&std::fs::read(file).unwrap(), &custodian())).collect();
    assert!(units.iter().all(|(_, end)| end.is_ok()), "what is left is whole");
    let got: Vec<_> = units.into_iter().flat_map(|(units, _)| units).collect();
    let sealed = crate::rig::plain(&all);
    assert_eq!(got, sealed[sealed.len() - got.len()..], "the newest, without a hole");
    println!("20 minutes on a disk for six: {} segments left, {} pictures, none torn", left.len(), got.len());
}

#[test]
fn a_disk_that_others_filled_stops_sealing_in_words_and_it_goes_on_when_there_is_room() {
    let Some(disk) = Disk::new(2 << 20) else { return };
    let sealed = disk.path().join("sealed");
    let clocks = Clocks::new();
    let gateway = Gateway::start(&sealed, limits(72, 1 << 40), &clocks);
    gateway.seal("hall", &seconds(0, 60, 100));
    // Somebody else takes all there is.
    let others = disk.path().join("others");
    let mut bytes = 4 << 20;
    while bytes > 4_096 {
        let mut all = std::fs::read(&others).unwrap_or_default();
        all.resize(all.len() + bytes, 1);
        if std::fs::write(&others, &all).is_err() {
            all.truncate(all.len() - bytes);
            std::fs::write(&others, &all).unwrap();
            bytes /= 2;
        }
    }
    gateway.seal("hall", &seconds(60, 60, 4_000));
    let told = gateway.told();
    assert!(matches!(told.last(), Some(Notice::Cannot { .. })), "{told:?}");
    assert!(told.last().unwrap().to_string().contains("redaction goes on"), "{told:?}");
    std::fs::remove_file(&others).unwrap();
    clocks.pass(std::time::Duration::from_secs(60));
    gateway.seal("hall", &seconds(120, 2, 4_000));
    let told = gateway.told();
    assert!(matches!(told.as_slice(), [Notice::Again { .. }]), "{told:?}");
    gateway.sealers.finish();
    let last = newest(&sealed).pop().unwrap();
    assert_eq!(
        read(&std::fs::read(last).unwrap(), &custodian()),
        (crate::rig::plain(&seconds(120, 2, 4_000)), Ok(()))
    );
}

#[test]
fn so_much_is_left_free_for_others() {
    let Some(disk) = Disk::new(4 << 20) else { return };
    let sealed = disk.path().join("sealed");
    let free = 2 << 20;
    let gateway = Gateway::start(&sealed, Limits { free, ..limits(72, 1 << 40) }, &Clocks::new());
    for minute in seconds(0, 10 * 60, 1_000).chunks(600) {
        gateway.seal("hall", minute);
        let stat = rustix::fs::statvfs(disk.path()).unwrap();
        assert!(stat.f_bavail * stat.f_frsize >= free, "{}", stat.f_bavail * stat.f_frsize);
    }
    assert!(matches!(gateway.told().first(), Some(Notice::Full(_))));
    gateway.sealers.finish();
    assert!(!newest(&sealed).is_empty());
}
