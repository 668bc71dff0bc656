//! Where the key that seals the file of data keys comes from.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::file::sync_folder;

/// Gives the 32 bytes that seal the file of data keys and the mark. They must be random and the same each time.
///
/// A TPM or a security module is asked here, once for each time the store is opened. Whoever destroys the key has erased
/// the whole store.
pub trait KeySource {
    /// The key.
    ///
    /// # Errors
    /// If it cannot be had now.
    fn key(&self) -> io::Result<Zeroizing<[u8; 32]>>;
}

/// A key in a file of 32 bytes that only its owner may read. Best on another device than the store, or handed in by the
/// service manager from where the TPM protects it.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// The key in the file `path`.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Writes a new random key to `path`, where no file may be.
    ///
    /// # Errors
    /// If there is one, or it cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key).map_err(|_| io::Error::other("the system gives no random bytes"))?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&*key)?;
        file.sync_all()?;
        sync_folder(path)?;
        Ok(Self::at(path))
    }
}

impl KeySource for KeyFile {
    fn key(&self) -> io::Result<Zeroizing<[u8; 32]>> {
        let mut file = File::open(&self.path)?;
        let meta = file.metadata()?;
        if meta.mode() & 0o077 != 0 {
            let why =
                format!("others than its owner may read `{}`: set its mode to 0600", self.path.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        let mut key = Zeroizing::new([0; 32]);
        if meta.len() != 32 {
            let why = format!("`{}` does not have the 32 bytes of a key", self.path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        file.read_exact(&mut *key)?;
        Ok(key)
    }
}
