//! Where what was opened lies while it is redacted: a file in memory, wiped whatever becomes of this program.
//!
//! ffmpeg runs locked in, without a descriptor of ours and with one named file to read, so the file has a name: in a folder
//! of its own (mode 0700), in a file system that is memory. A second process waits for this one's end and wipes it then,
//! however that came about.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Failure;

/// What our folders start with.
const PREFIX: &str = "placet-unsealed-";
/// File systems that are memory: tmpfs and ramfs, by what `statfs` calls them.
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];
/// Bytes left free besides, for others.
const LEAVE: u64 = 32 << 20;

/// A file in memory.
pub struct Memory {
    folder: PathBuf,
    file: File,
    guard: Option<Child>,
}

impl Memory {
    /// Makes one, with room for so many bytes. What killed runs left is wiped first.
    pub fn claim(bytes: u64) -> Result<Self, Failure> {
        let place = place()?;
        sweep(&place);
        let free = rustix::fs::statvfs(&place)
            .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))
            .map_err(|e| Failure::Io(place.display().to_string(), e.into()))?;
        if free < bytes.saturating_add(LEAVE) {
            return Err(Failure::Unavailable(format!(
                "what the order names has {} MB, and `{}`, which is memory, has room for {}: order fewer minutes, or use a \
                 machine with more memory; nothing was opened",
                bytes.div_ceil(1_000_000),
                place.display(),
                free.saturating_sub(LEAVE) / 1_000_000
            )));
        }
        let mut tag = [0; 8];
        getrandom::fill(&mut tag).map_err(crate::keys::KeyError::Random)?;
        let folder = place.join(format!("{PREFIX}{:016x}", u64::from_be_bytes(tag)));
        let failed = |e| Failure::Io(folder.display().to_string(), e);
        fs::DirBuilder::new().mode(0o700).create(&folder).map_err(failed)?;
        // From here on the guard's life or ours ends with the folder.
        let guard = start_guard(&folder).inspect_err(|_| wipe(&folder)).map_err(failed)?;
        // It gets its name when it is locked: another run wipes what has the name and no lock.
        let (new, named) = (folder.join("new"), folder.join("clear.nut"));
        let made = File::options().read(true).write(true).create_new(true).mode(0o600).open(&new);
        let locked = made.and_then(|file| file.lock().and_then(|()| fs::rename(&new, &named)).map(|()| file));
        match locked {
            Ok(file) => Ok(Self { folder, file, guard: Some(guard) }),
            Err(e) => {
                wipe(&folder);
                Err(Failure::Io(folder.display().to_string(), e))
            }
        }
    }

    /// Its name, for as long as this is there.
    pub fn path(&self) -> PathBuf {
        self.folder.join("clear.nut")
    }

    /// To write to.
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        wipe(&self.folder);
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            // It finds nothing to do and ends.
            let _ = guard.wait();
        }
    }
}

/// Whether what lies in memory may be written to a disk all the same.
pub fn swaps() -> bool {
    fs::read_to_string("/proc/swaps").is_ok_and(|list| list.lines().nth(1).is_some())
}

/// A folder that is memory and that we may write to.
fn place() -> Result<PathBuf, Failure> {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let is_memory = |path: &PathBuf| {
        rustix::fs::statfs(path).is_ok_and(|disk| IN_MEMORY.contains(&disk.f_type))
            && rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
    };
    [Some(PathBuf::from("/dev/shm")), own].into_iter().flatten().find(is_memory).ok_or_else(|| {
        Failure::Unavailable(
            "there is no folder in memory: what is opened must not reach a disk; mount a tmpfs at /dev/shm"
                .to_owned(),
        )
    })
}

/// Wipes what runs left that were killed together with their guards.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX));
        let own = entry.file_type().is_ok_and(|kind| kind.is_dir());
        // One that is in use is locked.
        let file = File::open(entry.path().join("clear.nut"));
        if ours && own && file.is_ok_and(|file| file.try_lock().is_ok()) {
            wipe(&entry.path());
        }
    }
}

/// Writes zeros over every file of a folder of ours, and removes it.
fn wipe(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        // Best effort each: where one step cannot be taken the next still can.
        let _ = zero(&entry.path());
        let _ = fs::remove_file(entry.path());
    }
    let _ = fs::remove_dir(folder);
}

fn zero(path: &Path) -> io::Result<()> {
    let file = File::options().write(true).custom_flags(libc_nofollow()).open(path)?;
    let zeros = vec![0; 1 << 20];
    let (mut at, length) = (0, file.metadata()?.len());
    while at < length {
        let step = (length - at).min(zeros.len() as u64);
        file.write_all_at(zeros.get(..usize::try_from(step).unwrap_or(0)).unwrap_or_default(), at)?;
        at += step;
    }
    file.set_len(0)
}

fn libc_nofollow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0)
}

fn start_guard(folder: &Path) -> io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .arg("unsealed-guard")
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// The hidden verb: waits until whoever started it is gone, then wipes the folder.
pub fn guard(folder: &Path) {
    // Away from the terminal's signals; already so where it fails.
    let _ = rustix::process::setsid();
    let mut byte = [0];
    let mut ended = false;
    while !ended {
        ended = match io::stdin().read(&mut byte) {
            Ok(n) => n == 0,
            Err(e) => e.kind() != io::ErrorKind::Interrupted,
        };
    }
    if folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX)) {
        wipe(folder);
    }
}
