//! Where results go: nothing stands under the final name before it is whole, checked and on disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FlockOperation, OFlags, flock, linkat};
use rustix::io::Errno;

/// Why a result could not be put in place.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The name is taken.
    #[error("`{0}` exists; choose another name with -o, or overwrite it with -y")]
    Exists(PathBuf),
    /// Input and output are one file.
    #[error("`{0}` is the input; the output must be another file")]
    IsInput(PathBuf),
    /// A device, a pipe, a socket.
    #[error("`{0}` is a device or a pipe, which would be replaced; name a file, or - for standard output")]
    NotAFile(PathBuf),
    /// Somebody else put another file in the place of ours.
    #[error("somebody changed the files beside `{0}` while it was written; nothing was put in place")]
    Replaced(PathBuf),
    /// Somebody else is at it.
    #[error("another run is writing `{0}`; wait for it or choose another name with -o")]
    Busy(PathBuf),
    /// The name has no file part.
    #[error("`{0}` names no file")]
    NoName(PathBuf),
    /// The file system said no.
    #[error("cannot write `{path}`; check that the folder exists, may be written and has space")]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A result in the making: a hidden file beside the final name, locked while it is written.
///
/// Dropping it removes the hidden file. A run that was killed leaves it behind, readable for its owner alone: redacted
/// pictures, or a half comparison. The next run on the same name takes it over.
#[derive(Debug)]
pub struct Pending {
    part: PathBuf,
    target: PathBuf,
    overwrite: bool,
    file: File,
    done: bool,
}

impl Pending {
    /// Claims `target`.
    ///
    /// # Errors
    /// [`OutputError`], before anything else has been done.
    pub fn claim(target: &Path, inputs: &[&Path], overwrite: bool) -> Result<Self, OutputError> {
        let name = target.file_name().ok_or_else(|| OutputError::NoName(target.to_owned()))?;
        let write = |source| OutputError::Write { path: target.to_owned(), source };
        if let Ok(there) = target.canonicalize() {
            if inputs.iter().any(|i| i.canonicalize().is_ok_and(|i| i == there)) {
                return Err(OutputError::IsInput(target.to_owned()));
            }
            if !overwrite {
                return Err(OutputError::Exists(target.to_owned()));
            }
            let kind = there.metadata().map_err(write)?.file_type();
            if kind.is_dir() {
                return Err(write(io::Error::from(io::ErrorKind::IsADirectory)));
            }
            if !kind.is_file() {
                return Err(OutputError::NotAFile(target.to_owned()));
            }
        }
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".placet-part");
        let part = target.with_file_name(hidden);
        let mut tries = 0;
        let file = loop {
            tries += 1;
            if let Some(file) = open_part(&part, inputs).map_err(write)? {
                match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                    Ok(()) => {}
                    Err(rustix::io::Errno::WOULDBLOCK) => return Err(OutputError::Busy(target.to_owned())),
                    Err(e) => return Err(write(e.into())),
                }
                // The holder before us may have renamed or removed the file between our open and our lock.
                if same_file(&file, &part).unwrap_or(false) {
                    break file;
                }
            }
            if tries > 100 {
                return Err(OutputError::Busy(target.to_owned()));
            }
        };
        file.set_len(0).map_err(write)?;
        Ok(Self { part, target: target.to_owned(), overwrite, file, done: false })
    }

    /// The hidden file, to write into.
    pub fn path(&self) -> &Path {
        &self.part
    }

    /// The final name.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The open hidden file.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Length and digest of what was written, read through our own descriptor and not by name.
    ///
    /// # Errors
    /// What the system says.
    pub fn facts(&self) -> io::Result<crate::FileFacts> {
        crate::FileFacts::read(Path::new(&own_path(&self.file)))
    }

    /// Whether [`Self::commit`] would find the name taken.
    pub fn is_taken(&self) -> bool {
        !self.overwrite && self.target.symlink_metadata().is_ok()
    }

    /// Makes the result durable and gives it its name; others may read it as far as the process's umask lets them.
    ///
    /// # Errors
    /// [`OutputError`]; then nothing stands under the name that was not there before.
    pub fn commit(self) -> Result<(), OutputError> {
        let mode = 0o666 & !umask();
        self.commit_as(mode)
    }

    /// As [`Self::commit`], for the owner's eyes alone.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn commit_private(self) -> Result<(), OutputError> {
        self.commit_as(0o600)
    }

    fn commit_as(mut self, mode: u32) -> Result<(), OutputError> {
        let write = |source| OutputError::Write { path: self.target.clone(), source };
        self.file.sync_all().map_err(write)?;
        use std::os::unix::fs::PermissionsExt as _;
        if !same_file(&self.file, &self.part).unwrap_or(false) {
            return Err(OutputError::Replaced(self.target.clone()));
        }
        self.file.set_permissions(std::fs::Permissions::from_mode(mode)).map_err(write)?;
        if self.overwrite {
            std::fs::rename(&self.part, &self.target).map_err(write)?;
        } else {
            // A link fails where a rename would silently replace a file that appeared meanwhile.
            let own = own_path(&self.file);
            match linkat(CWD, &own, CWD, &self.target, AtFlags::SYMLINK_FOLLOW) {
                Ok(()) => std::fs::remove_file(&self.part).map_err(write)?,
                Err(Errno::EXIST) => return Err(OutputError::Exists(self.target.clone())),
                // Some file systems know no links.
                Err(_) => std::fs::rename(&self.part, &self.target).map_err(write)?,
            }
        }
        self.done = true;
        if !same_file(&self.file, &self.target).unwrap_or(false) {
            return Err(OutputError::Replaced(self.target.clone()));
        }
        let dir = match self.target.parent() {
            Some(d) if !d.as_os_str().is_empty() => d.to_owned(),
            _ => PathBuf::from("."),
        };
        File::open(dir).and_then(|d| d.sync_all()).map_err(write)
    }
}

/// Opens the hidden file: one of ours that a killed run left, or a new one. None where another was in the way and has
/// been taken away, or came in between.
fn open_part(part: &Path, inputs: &[&Path]) -> io::Result<Option<File>> {
    use std::os::unix::fs::MetadataExt as _;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(OFlags::NOFOLLOW.bits() as i32);
    match options.clone().create_new(true).open(part) {
        Ok(file) => return Ok(Some(file)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(e),
    }
    // Whatever lies there is opened as the file it is, and used only where nobody else can reach it.
    if let Ok(file) = options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32).open(part) {
        let meta = file.metadata()?;
        let input = inputs
            .iter()
            .filter_map(|i| std::fs::metadata(i).ok())
            .any(|i| (i.dev(), i.ino()) == (meta.dev(), meta.ino()));
        let own = meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o077 == 0;
        if meta.is_file() && meta.nlink() == 1 && own && !input {
            return Ok(Some(file));
        }
    }
    // A link, a device, somebody else's: the name goes, what it led to stays as it is.
    match std::fs::remove_file(part) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(None),
    }
}

/// A name of the file behind a descriptor, whatever happened to its own.
fn own_path(file: &File) -> String {
    use std::os::fd::AsRawFd as _;
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// The process's umask, which the kernel tells without it being changed; the strictest where it does not.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let octal = status.lines().find_map(|l| l.strip_prefix("Umask:")).map(str::trim);
    octal.and_then(|o| u32::from_str_radix(o, 8).ok()).unwrap_or(0o077)
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.done && same_file(&self.file, &self.part).unwrap_or(false) {
            // Best effort: what stays is a redacted fragment under a hidden name.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

fn same_file(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (a, b) = (file.metadata()?, std::fs::symlink_metadata(path)?);
    Ok(a.dev() == b.dev() && a.ino() == b.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn nothing_stands_under_the_name_before_commit() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.mp4");
        let mut p = Pending::claim(&target, &[], false).unwrap();
        p.file().write_all(b"x").unwrap();
        assert!(!target.exists());
        p.commit().unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"x");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_dropped_result_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        drop(Pending::claim(&dir.path().join("a.mp4"), &[], false).unwrap());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn two_runs_on_one_output_do_not_mix() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.mp4");
        let first = Pending::claim(&target, &[], false).unwrap();
        assert!(matches!(Pending::claim(&target, &[], true), Err(OutputError::Busy(_))));
        drop(first);
        assert!(Pending::claim(&target, &[], true).is_ok());
    }

    #[test]
    fn what_a_killed_run_left_is_taken_over_and_emptied() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.mp4");
        std::fs::write(dir.path().join(".a.mp4.placet-part"), b"half").unwrap();
        Pending::claim(&target, &[], false).unwrap().commit().unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"");
    }

    #[test]
    fn what_lies_under_the_hidden_name_is_never_written_through() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let (target, part) = (at("a.mp4"), at(".a.mp4.placet-part"));
        std::fs::write(at("in.mp4"), b"clear").unwrap();
        std::fs::write(at("precious"), b"precious").unwrap();
        let plant: [&dyn Fn(); 5] = [
            &|| std::os::unix::fs::symlink("in.mp4", &part).unwrap(),
            &|| std::os::unix::fs::symlink("precious", &part).unwrap(),
            &|| std::fs::hard_link(at("in.mp4"), &part).unwrap(),
            &|| std::fs::hard_link(at("precious"), &part).unwrap(),
            &|| {
                use std::os::unix::fs::PermissionsExt as _;
                std::fs::write(&part, b"anybody's").unwrap();
                std::fs::set_permissions(&part, std::fs::Permissions::from_mode(0o666)).unwrap();
            },
        ];
        for (n, plant) in plant.iter().enumerate() {
            plant();
            let mut p = Pending::claim(&target, &[&at("in.mp4")], true).unwrap();
            p.file().write_all(b"ours").unwrap();
            p.commit().unwrap();
            assert_eq!(std::fs::read(&target).unwrap(), b"ours", "{n}");
            assert!(target.symlink_metadata().unwrap().is_file(), "{n}");
            assert_eq!(std::fs::read(at("in.mp4")).unwrap(), b"clear", "{n}");
            assert_eq!(std::fs::read(at("precious")).unwrap(), b"precious", "{n}");
        }
    }

    #[test]
    fn a_file_put_in_the_place_of_ours_is_not_taken_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.mp4");
        for overwrite in [false, true] {
            let mut p = Pending::claim(&target, &[], overwrite).unwrap();
            p.file().write_all(b"redacted").unwrap();
            std::fs::write(dir.path().join("theirs"), b"clear").unwrap();
            std::fs::rename(dir.path().join("theirs"), p.path()).unwrap();
            assert_eq!(p.facts().unwrap().digest, placet_core::Digest::of(b"redacted"));
            assert!(matches!(p.commit(), Err(OutputError::Replaced(_))));
            assert!(!target.exists());
        }
    }

    #[test]
    fn a_device_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        assert!(matches!(Pending::claim(&link, &[], true), Err(OutputError::NotAFile(_))));
        assert!(matches!(Pending::claim(Path::new("/dev/null"), &[], true), Err(OutputError::NotAFile(_))));
    }

    #[test]
    fn the_input_and_existing_files_are_safe() {
        let dir = tempfile::tempdir().unwrap();
        let input = dir.path().join("in.mp4");
        std::fs::write(&input, b"clear").unwrap();
        assert!(matches!(Pending::claim(&input, &[&input], true), Err(OutputError::IsInput(_))));
        assert!(matches!(Pending::claim(&input, &[], false), Err(OutputError::Exists(_))));
        let late = dir.path().join("late.mp4");
        let p = Pending::claim(&late, &[&input], false).unwrap();
        std::fs::write(&late, b"somebody else's").unwrap();
        assert!(matches!(p.commit(), Err(OutputError::Exists(_))));
        assert_eq!(std::fs::read(&late).unwrap(), b"somebody else's");
        assert_eq!(std::fs::read(&input).unwrap(), b"clear");
    }
}
