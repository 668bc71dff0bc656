//! The high-water mark: how far the database and the file of keys had got when something was last acknowledged.

use std::path::Path;

use crate::error::{Error, Reason};
use crate::file::{self, Disk};
use crate::sealed::{self, Purpose};

/// The first bytes of the file.
const FIRST_LINE: &[u8] = b"placet-confidential-mark-v1\n";

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which store.
    pub store: [u8; 16],
    /// How many transactions its database had.
    pub database: u64,
    /// How often its file of keys had been replaced.
    pub keys: u64,
}

impl Mark {
    /// The file's bytes.
    pub fn seal(&self, key: &[u8; 32]) -> Result<Vec<u8>, Error> {
        let plain = [&self.store[..], &self.database.to_be_bytes(), &self.keys.to_be_bytes()].concat();
        let sealed = sealed::seal(key, Purpose::Mark, b"", &plain).ok_or(Error::NoRandomness)?;
        Ok([FIRST_LINE, &sealed].concat())
    }

    /// Reads the file.
    pub fn read(path: &Path, key: &[u8; 32]) -> Result<Self, Error> {
        let bytes = read(path)?;
        let refused = |reason| Error::Refused { path: path.to_owned(), reason };
        let sealed = bytes.strip_prefix(FIRST_LINE).ok_or(refused(Reason::Damaged))?;
        let plain = sealed::open(key, Purpose::Mark, b"", sealed).ok_or(refused(Reason::Seal))?;
        let parts = plain.split_first_chunk().and_then(|(store, rest)| {
            let (database, rest) = rest.split_first_chunk()?;
            Some((store, database, <&[u8; 8]>::try_from(rest).ok()?))
        });
        let (store, database, keys) = parts.ok_or(refused(Reason::Damaged))?;
        Ok(Self { store: *store, database: u64::from_be_bytes(*database), keys: u64::from_be_bytes(*keys) })
    }

    /// Replaces the file.
    pub fn write(&self, disk: &dyn Disk, path: &Path, key: &[u8; 32]) -> Result<(), Error> {
        file::replace(disk, path, &self.seal(key)?).map_err(|source| Error::Disk {
            doing: "write",
            path: path.to_owned(),
            source,
        })
    }
}

/// A file of the store as a whole; that it is missing is told apart from that it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => Error::Missing { path: path.to_owned() },
        _ => Error::Disk { doing: "read", path: path.to_owned(), source },
    })
}
