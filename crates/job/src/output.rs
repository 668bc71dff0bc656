//! Where results go: nothing stands under the final name before it is whole, checked and on disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Why a result could not be put in place.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The name is taken.
    #[error("`{0}` exists; choose another name with -o, or overwrite it with -y")]
    Exists(PathBuf),
    /// Input and output are one file.
    #[error("`{0}` is the input; the output must be another file")]
    IsInput(PathBuf),
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
/// Dropping it removes the hidden file. A run that was killed leaves it behind, holding redacted pictures only; the
/// next run on the same name takes it over.
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
            if there.is_dir() {
                return Err(write(io::Error::from(io::ErrorKind::IsADirectory)));
            }
        }
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".placet-part");
        let part = target.with_file_name(hidden);
        let open = || {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&part)
                .map_err(write)
        };
        let mut file = open()?;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(OutputError::Busy(target.to_owned())),
                Err(e) => return Err(write(e.into())),
            }
            // The holder before us may have renamed or removed the file between our open and our lock.
            if same_file(&file, &part).unwrap_or(false) {
                break;
            }
            file = open()?;
        }
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

    /// Makes the result durable and gives it its name.
    ///
    /// # Errors
    /// [`OutputError`]; then nothing stands under the name that was not there before.
    pub fn commit(mut self) -> Result<(), OutputError> {
        let write = |source| OutputError::Write { path: self.target.clone(), source };
        self.file.sync_all().map_err(write)?;
        use std::os::unix::fs::PermissionsExt as _;
        self.file.set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(write)?;
        if self.overwrite {
            std::fs::rename(&self.part, &self.target).map_err(write)?;
        } else {
            // A link fails where a rename would silently replace a file that appeared meanwhile.
            match std::fs::hard_link(&self.part, &self.target) {
                Ok(()) => std::fs::remove_file(&self.part).map_err(write)?,
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(OutputError::Exists(self.target.clone()));
                }
                // Some file systems know no links.
                Err(_) => std::fs::rename(&self.part, &self.target).map_err(write)?,
            }
        }
        self.done = true;
        let dir = match self.target.parent() {
            Some(d) if !d.as_os_str().is_empty() => d.to_owned(),
            _ => PathBuf::from("."),
        };
        File::open(dir).and_then(|d| d.sync_all()).map_err(write)
    }
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
    let (a, b) = (file.metadata()?, std::fs::metadata(path)?);
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
