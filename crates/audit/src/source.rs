//! Where a published log is read from.

use std::collections::BTreeMap;
use std::error::Error;

/// The files of a published log (`docs/formats/published-log.md`), by their paths below its prefix.
///
/// Nothing that comes out of it is believed before it was checked; it may be a folder, a web server or memory.
pub trait Source {
    /// The whole file, or none if there is no such file.
    ///
    /// # Errors
    /// If it has more than `limit` bytes or cannot be read.
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError>;

    /// The bytes of a file from `from`, at most `len` of them and fewer only where it ends; none if there is no such file.
    ///
    /// # Errors
    /// If it cannot be read.
    fn get_range(&self, path: &str, from: u64, len: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let whole = self.get(path, MAX_FILE)?;
        Ok(whole.map(|bytes| slice(&bytes, from, len).to_vec()))
    }

    /// Says which files will be asked for next, with their limits, to a source that gets many at once faster than one by
    /// one. What it cannot get is not its concern here.
    fn expect(&self, files: &[(String, u64)]) {
        let _ = files;
    }
}

impl<S: Source + ?Sized> Source for &S {
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        (**self).get(path, limit)
    }

    fn get_range(&self, path: &str, from: u64, len: u64) -> Result<Option<Vec<u8>>, SourceError> {
        (**self).get_range(path, from, len)
    }

    fn expect(&self, files: &[(String, u64)]) {
        (**self).expect(files);
    }
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        (**self).get(path, limit)
    }

    fn get_range(&self, path: &str, from: u64, len: u64) -> Result<Option<Vec<u8>>, SourceError> {
        (**self).get_range(path, from, len)
    }

    fn expect(&self, files: &[(String, u64)]) {
        (**self).expect(files);
    }
}

/// The largest file there can be: the slots of 256 ticks of 65,536 slots.
pub const MAX_FILE: u64 = 1 << 31;

/// The part of `bytes` from `from`, at most `len` bytes.
fn slice(bytes: &[u8], from: u64, len: u64) -> &[u8] {
    let rest = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
    usize::try_from(len).ok().and_then(|len| rest.get(..len)).unwrap_or(rest)
}

/// Why a file was not got.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Longer than anything of its kind.
    #[error("`{path}` has more than the {limit} bytes it may have")]
    TooLong {
        /// Which file.
        path: String,
        /// How many it may have.
        limit: u64,
    },
    /// It may be there, but could not be read.
    #[error("cannot read `{path}`")]
    Read {
        /// Which file.
        path: String,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A log in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory(pub BTreeMap<String, Vec<u8>>);

impl Source for Memory {
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        match self.0.get(path) {
            Some(bytes) if bytes.len() as u64 > limit => {
                Err(SourceError::TooLong { path: path.to_owned(), limit })
            }
            found => Ok(found.cloned()),
        }
    }

    fn get_range(&self, path: &str, from: u64, len: u64) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.0.get(path).map(|bytes| slice(bytes, from, len).to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source that cannot seek.
    struct Whole(Memory);

    impl Source for Whole {
        fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
            self.0.get(path, limit)
        }
    }

    #[test]
    fn a_range_ends_where_its_file_does() {
        let memory = Memory(BTreeMap::from([("a".to_owned(), b"0123456789".to_vec())]));
        let sources: [&dyn Source; 2] = [&memory, &Whole(memory.clone())];
        for source in sources {
            let range = |from, len| source.get_range("a", from, len).unwrap();
            assert_eq!(range(2, 3).as_deref(), Some(&b"234"[..]));
            assert_eq!(range(8, 30).as_deref(), Some(&b"89"[..]));
            assert_eq!(range(10, 1).as_deref(), Some(&b""[..]));
            assert_eq!(range(u64::MAX, u64::MAX).as_deref(), Some(&b""[..]));
            assert_eq!(source.get_range("b", 0, 1).unwrap(), None);
            assert!(matches!(source.get("a", 9), Err(SourceError::TooLong { limit: 9, .. })));
            assert_eq!(source.get("a", 10).unwrap().map(|bytes| bytes.len()), Some(10));
        }
    }
}
