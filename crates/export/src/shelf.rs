//! Where a log's published files are read.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// The published files of a log, by their paths below its prefix.
pub trait Shelf: Send + Sync {
    /// The length of a file; none if it is not there.
    ///
    /// # Errors
    /// If that cannot be told.
    fn length(&self, path: &str) -> io::Result<Option<u64>>;

    /// `len` bytes of a file from `from` on.
    ///
    /// # Errors
    /// If it has fewer, is not there, or cannot be read.
    fn read(&self, path: &str, from: u64, len: u64) -> io::Result<Vec<u8>>;
}

/// A published log in a folder.
#[derive(Clone, Debug)]
pub struct FolderShelf {
    root: PathBuf,
}

impl FolderShelf {
    /// The log in `root`.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }
}

impl Shelf for FolderShelf {
    fn length(&self, path: &str) -> io::Result<Option<u64>> {
        match fs::metadata(self.root.join(path)) {
            Ok(meta) if meta.is_file() => Ok(Some(meta.len())),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read(&self, path: &str, from: u64, len: u64) -> io::Result<Vec<u8>> {
        let file = File::open(self.root.join(path))?;
        let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, from)?;
        Ok(bytes)
    }
}
