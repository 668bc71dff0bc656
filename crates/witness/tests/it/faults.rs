//! A disk on which one step fails, before or after it took effect. Whatever the step: no two cosignatures contradict, and a
//! witness that opens again goes on.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use placet_witness::server::{Disk, DiskFile, FileSystem, Witness};

use crate::world::{Log, NOW, TestClock, follows, secret};

/// How the step fails.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// Nothing happens.
    Lost,
    /// Half of a write happens; of anything else, nothing.
    Torn,
    /// It happens, and is reported as failed.
    Done,
}

#[derive(Clone)]
struct Faulty {
    steps: Arc<AtomicUsize>,
    names: Arc<Mutex<Vec<&'static str>>>,
    at: usize,
    fault: Fault,
}

struct FaultyFile {
    file: Box<dyn DiskFile>,
    disk: Faulty,
}

impl Faulty {
    fn new(at: usize, fault: Fault) -> Self {
        Self { steps: Arc::default(), names: Arc::default(), at, fault }
    }

    /// Runs a step, unless it is the one that fails.
    fn step<T>(
        &self,
        name: &'static str,
        run: impl FnOnce() -> io::Result<T>,
        torn: impl FnOnce(),
    ) -> io::Result<T> {
        self.names.lock().unwrap().push(name);
        if self.steps.fetch_add(1, Ordering::SeqCst) != self.at {
            return run();
        }
        match self.fault {
            Fault::Lost => {}
            Fault::Torn => torn(),
            Fault::Done => drop(run()),
        }
        Err(io::Error::other("the disk failed here"))
    }
}

impl Disk for Faulty {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        FileSystem.read(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.step("create", || FileSystem.create(path), || {})?;
        Ok(Box::new(FaultyFile { file, disk: self.clone() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("rename", || FileSystem.rename(from, to), || {})
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.step("sync the folder", || FileSystem.sync_folder(path), || {})
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        FileSystem.names(folder)
    }
}

impl DiskFile for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = std::cell::RefCell::new(&mut self.file);
        let half = || drop(file.borrow_mut().write(&bytes[..bytes.len() / 2]));
        self.disk.step("write", || file.borrow_mut().write(bytes), half)
    }

    fn sync(&mut self) -> io::Result<()> {
        let file = &mut self.file;
        self.disk.step("sync", || file.sync(), || {})
    }
}

/// A witness is offered two histories in turn, opened anew for each; `cosigned` learns what it cosigned.
fn run(folder: &Path, disk: &Faulty, cosigned: &mut Vec<(u64, &'static str)>) {
    let clock = TestClock::at(NOW);
    let base = Log::of(2);
    let forms = [("base", 2), ("left", 5), ("right", 5), ("left", 8), ("right", 8)];
    for (turn, (word, size)) in forms.into_iter().enumerate() {
        clock.turn(NOW + turn as u64);
        let (disk, clock) = (Box::new(disk.clone()), Box::new(clock.clone()));
        let Ok(witness) = Witness::open(folder, secret(1), &follows(), disk, clock) else { continue };
        let log = base.grown(size, word);
        for old in [0, 2, 5, 8].into_iter().filter(|old| *old <= size) {
            if witness.add_checkpoint(log.request(old).as_bytes()).is_ok() {
                cosigned.push((size, word));
            }
        }
    }
}

#[test]
fn whichever_step_of_the_disk_fails_no_two_cosignatures_contradict() {
    let mut runs = 0;
    for fault in [Fault::Lost, Fault::Torn, Fault::Done] {
        for at in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let mut cosigned = Vec::new();
            let disk = Faulty::new(at, fault);
            run(folder.path(), &disk, &mut cosigned);
            let reached = disk.steps.load(Ordering::SeqCst) > at;
            // Opened again on a sound disk, it goes on from what lasted.
            let sound = Faulty::new(usize::MAX, fault);
            run(folder.path(), &sound, &mut cosigned);
            runs += 1;
            assert!(cosigned.iter().any(|(size, _)| *size == 8), "{fault:?} at {at}: it never got on");
            let left = cosigned.iter().any(|(_, word)| *word == "left");
            let right = cosigned.iter().any(|(_, word)| *word == "right");
            assert!(!(left && right), "{fault:?} at step {at}: {cosigned:?}");
            if !reached {
                break;
            }
        }
    }
    println!("{runs} runs with one failed step each");
    assert!(runs > 30, "{runs}");
}

#[test]
fn a_cosignature_leaves_after_its_state_was_written_synced_renamed_and_the_folder_synced() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOW));
    let disk = Faulty::new(usize::MAX, Fault::Lost);
    let boxed = Box::new(disk.clone());
    let witness = Witness::open(folder.path(), secret(1), &follows(), boxed, Box::new(clock)).unwrap();
    let steps = || std::mem::take(&mut *disk.names.lock().unwrap());
    steps();
    witness.add_checkpoint(Log::of(5).request(0).as_bytes()).unwrap();
    assert_eq!(steps(), ["create", "write", "sync", "rename", "sync the folder"]);
    // The same again within the second is said again and costs no disk: nobody can wear it out with a replay.
    witness.add_checkpoint(Log::of(5).request(5).as_bytes()).unwrap();
    assert!(steps().is_empty());
}
