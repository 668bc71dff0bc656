//! A copy that is the log, or what it was before.

use std::collections::BTreeMap;
use std::path::Path;

use placet_audit::Source as _;
use placet_monitor::{FolderSource, MirrorError, Mirrored, mirror};

use crate::maker::{Files, Host, at, grow, honest, now, on, policy};

fn copy(host: &Host, folder: &Path) -> Result<Mirrored, MirrorError> {
    mirror(&host.source, &policy(), folder, at(0))
}

/// The files of a folder, save the lock.
fn files(folder: &Path) -> Files {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for file in std::fs::read_dir(next).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found.remove("lock");
    found
}

/// That the copy has every file that the log has, byte for byte, and that an audit of the copy finds nothing.
fn check(folder: &Path, log: &crate::maker::Maker) -> usize {
    let copied = files(folder);
    for (path, bytes) in log.files() {
        assert_eq!(copied.get(&path), Some(&bytes), "{path}");
    }
    let audited = placet_audit::audit(&FolderSource::new(folder), &policy(), now(log), None).unwrap();
    assert!(audited.is_sound(), "{audited:?}");
    log.files().len()
}

#[test]
fn a_copy_grows_with_its_log_file_by_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = honest(1, 0);
    let host = Host::of(&log);
    let mut compared = 0;
    for (ticks, notes) in
        [(2, 0), (3, 300), (255, 0), (256, 0), (257, 1), (258, 0), (300, 3), (512, 0), (513, 2)]
    {
        grow(&mut log, ticks, notes);
        host.show(&log);
        let done = copy(&host, folder.path()).unwrap();
        assert_eq!(done.size, log.tree.size(), "{ticks}");
        compared += check(folder.path(), &log);
    }
    println!("{compared} files compared over 9 sizes");
    let again = copy(&host, folder.path()).unwrap();
    assert_eq!((again.before, again.size), (log.tree.size(), log.tree.size()));
    // Of partial files the last two of each are left at most.
    let partial = files(folder.path()).into_keys().filter(|path| path.contains(".p/")).count();
    assert!(partial <= 12, "{partial}");
}

#[test]
fn a_copy_that_was_broken_off_anywhere_goes_on() {
    let log = honest(270, 1);
    let mut runs = 0;
    for gone in log.files().into_keys().step_by(3) {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::of(&log);
        host.change(|files| drop(files.remove(&gone)));
        assert!(copy(&host, folder.path()).is_err() || gone.starts_with("cosigned/"), "{gone}");
        if !gone.starts_with("cosigned/") {
            assert!(!folder.path().join("checkpoint").exists(), "{gone}");
        }
        host.show(&log);
        copy(&host, folder.path()).unwrap();
        check(folder.path(), &log);
        runs += 1;
    }
    println!("{runs} copies broken off and taken up again");
    assert!(runs >= 4);
}

#[test]
fn what_a_source_changed_is_never_copied() {
    let log = honest(12, 0);
    let host = Host::of(&log);
    let mut refused = 0;
    for (path, bytes) in log.files() {
        // What ticks had of cosignatures is signed but not covered by the tree: a changed line may be one of another key.
        for at in (0..bytes.len())
            .step_by(bytes.len().div_ceil(12).max(1))
            .filter(|_| !path.starts_with("cosigned/"))
        {
            let folder = tempfile::tempdir().unwrap();
            host.show(&log);
            host.change(|files| files.get_mut(&path).unwrap()[at] ^= 4);
            let done = copy(&host, folder.path());
            assert!(done.is_err() || check(folder.path(), &log) > 0, "{path} at {at}");
            refused += usize::from(done.is_err());
        }
    }
    println!("{refused} changed files refused");
    assert!(refused > 50, "{refused}");
}

#[test]
fn a_copy_never_goes_back_and_follows_no_fork() {
    let folder = tempfile::tempdir().unwrap();
    let base = honest(20, 1);
    let mut log = base.clone();
    grow(&mut log, 30, 1);
    let host = Host::of(&log);
    copy(&host, folder.path()).unwrap();
    let before = files(folder.path());
    host.show(&base);
    assert!(matches!(copy(&host, folder.path()), Err(MirrorError::WentBack { .. })));
    assert_eq!(files(folder.path()), before);
    let mut fork = base;
    fork.tick(on(), 0);
    grow(&mut fork, 40, 2);
    host.show(&fork);
    let Err(MirrorError::Fork { evidence: Some(evidence), .. }) = copy(&host, folder.path()) else {
        panic!()
    };
    let piece = std::fs::read_to_string(&evidence).unwrap();
    assert!(piece.contains(&log.tree.root().to_string()) && piece.contains(&fork.tree.root().to_string()));
    let mut after = files(folder.path());
    after.retain(|path, _| !path.starts_with("evidence/"));
    assert_eq!(after, before);
    host.show(&log);
    copy(&host, folder.path()).unwrap();
}

#[test]
fn a_pipe_in_the_place_of_a_file_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("checkpoint")).status().unwrap();
    assert!(made.success());
    let (tell, told) = std::sync::mpsc::channel();
    let source = FolderSource::new(folder.path());
    std::thread::spawn(move || tell.send(source.get("checkpoint", 9).is_err()));
    assert_eq!(told.recv_timeout(std::time::Duration::from_secs(20)), Ok(true));
}
