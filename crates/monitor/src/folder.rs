use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use placet_audit::{Source, SourceError};

/// A published log in a folder of our own.
#[derive(Debug, Clone)]
pub struct FolderSource {
    root: PathBuf,
}

impl FolderSource {
    /// The log in `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn open(&self, path: &str) -> io::Result<Option<File>> {
        let path = self.root.join(path);
        match fs::metadata(&path) {
            Ok(found) if found.is_file() => File::open(path).map(Some),
            // A pipe or a device would never end.
            Ok(_) => Err(io::Error::other("it is no file")),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn read(&self, path: &str, from: u64, len: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(mut file) = self.open(path)? else { return Ok(None) };
        file.seek(io::SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(len).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}

impl Source for FolderSource {
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let read = self.read(path, 0, limit.saturating_add(1)).map_err(failed(path))?;
        match read {
            Some(bytes) if bytes.len() as u64 > limit => {
                Err(SourceError::TooLong { path: path.to_owned(), limit })
            }
            found => Ok(found),
        }
    }

    fn get_range(&self, path: &str, from: u64, len: u64) -> Result<Option<Vec<u8>>, SourceError> {
        self.read(path, from, len).map_err(failed(path))
    }
}

fn failed(path: &str) -> impl FnOnce(io::Error) -> SourceError {
    move |source| SourceError::Read { path: path.to_owned(), source: source.into() }
}
