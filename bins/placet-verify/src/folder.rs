//! A log in a folder.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use placet_audit::{Source, SourceError};

/// A folder with a published log.
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn open(&self, path: &str) -> Result<Option<File>, SourceError> {
        let read = |source: io::Error| SourceError::Read { path: path.to_owned(), source: source.into() };
        let full = self.root.join(path);
        // A pipe or a device would never end.
        match fs::metadata(&full) {
            Ok(found) if found.is_file() => File::open(full).map(Some).map_err(read),
            Ok(_) => Err(read(io::Error::other("it is no file"))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(read(error)),
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

impl Source for Folder {
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let Some(file) = self.open(path)? else { return Ok(None) };
        let read = |source: io::Error| SourceError::Read { path: path.to_owned(), source: source.into() };
        match read_up_to(file, limit).map_err(read)? {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(SourceError::TooLong { path: path.to_owned(), limit }),
        }
    }

    fn get_range(&self, path: &str, from: u64, len: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let Some(mut file) = self.open(path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(from)).and_then(|_| file.take(len).read_to_end(&mut bytes));
        read.map_err(|source| SourceError::Read { path: path.to_owned(), source: source.into() })?;
        Ok(Some(bytes))
    }
}

/// All that is there, unless it has more than `limit` bytes.
pub fn read_up_to(from: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    from.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}
