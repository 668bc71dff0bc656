//! A folder that a web server hosts.

use std::collections::BTreeSet;
use std::fs::{self, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::error::TargetError;
use crate::target::{File, Found, Target};

/// Where files are written before they get their names.
const INCOMING: &str = ".incoming";

/// The longest file that is read back: a checkpoint, or our own note.
const LONGEST: u64 = 2 << 20;

/// A folder as a target. One process has it at a time.
#[derive(Debug)]
pub struct FolderTarget {
    root: PathBuf,
    _lock: fs::File,
}

impl FolderTarget {
    /// The folder `root`, which is made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made, or another process exports to it.
    pub fn open(root: &Path) -> Result<Self, TargetError> {
        let failed = failed("open", &root.display().to_string());
        let incoming = root.join(INCOMING);
        fs::create_dir_all(&incoming).map_err(&failed)?;
        let lock = fs::File::open(root).map_err(&failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => failed(io::Error::other("another process exports to it")),
            TryLockError::Error(error) => failed(error),
        })?;
        // What a crash left there never had a name.
        for entry in fs::read_dir(&incoming).map_err(&failed)? {
            fs::remove_file(entry.map_err(&failed)?.path()).map_err(&failed)?;
        }
        Ok(Self { root: root.to_owned(), _lock: lock })
    }

    /// Writes a file so that it stands under its name as a whole or not at all; its folder has to be synced.
    fn put(&self, number: usize, file: &File) -> io::Result<PathBuf> {
        let incoming = self.root.join(INCOMING).join(number.to_string());
        let path = self.root.join(&file.path);
        let folder = path.parent().unwrap_or(&self.root).to_owned();
        fs::create_dir_all(&folder)?;
        let mut writing = fs::File::create(&incoming)?;
        writing.write_all(&file.bytes)?;
        writing.sync_all()?;
        fs::rename(&incoming, &path)?;
        Ok(folder)
    }

    /// Syncs folders and those they are in, up to the root: some of them may be new.
    fn sync(&self, folders: &BTreeSet<PathBuf>) -> io::Result<()> {
        let above = folders.iter().flat_map(|folder| folder.ancestors());
        let all: BTreeSet<&Path> = above.filter(|folder| folder.starts_with(&self.root)).collect();
        all.iter().rev().try_for_each(|folder| fs::File::open(folder)?.sync_all())
    }
}

impl Target for FolderTarget {
    fn read(&mut self, path: &str) -> Result<Option<Found>, TargetError> {
        let failed = failed("read", path);
        let full = self.root.join(path);
        match fs::metadata(&full) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
            Ok(meta) if meta.len() > LONGEST => return Err(failed(io::Error::other("it is too long"))),
            Ok(_) => {}
        }
        Ok(Some(Found { bytes: fs::read(full).map_err(failed)?, version: None }))
    }

    fn write(&mut self, files: Vec<File>) -> Result<(), TargetError> {
        let mut folders = BTreeSet::new();
        for (number, file) in files.iter().enumerate() {
            folders.insert(self.put(number, file).map_err(failed("write", &file.path))?);
        }
        self.sync(&folders).map_err(failed("make durable", "."))
    }

    fn publish(&mut self, checkpoint: File, _before: Option<&Found>) -> Result<(), TargetError> {
        // Nobody else writes here: the folder is locked.
        self.write(vec![checkpoint])
    }

    fn remove(&mut self, paths: &[String]) -> Result<(), TargetError> {
        for path in paths {
            let full = self.root.join(path);
            match fs::remove_file(&full) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("remove", path)(error));
                }
                _ => {}
            }
            // The folder of partial files goes with its last file; where others are left it stays.
            if let Some(folder) = full.parent() {
                let _ = fs::remove_dir(folder);
            }
        }
        Ok(())
    }
}

fn failed(doing: &'static str, path: &str) -> impl Fn(io::Error) -> TargetError + use<> {
    let path = path.to_owned();
    move |source| TargetError { doing, path: path.clone(), source: source.into() }
}
