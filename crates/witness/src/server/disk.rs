//! What a witness asks of a disk. A trait, so that tests can let each step fail.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// The longest file a witness reads back.
const MAX_FILE: u64 = 1 << 20;

/// A place for files.
pub trait Disk: Send + Sync + 'static {
    /// A file's content; none if there is no such file.
    ///
    /// # Errors
    /// If it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// An empty file, whatever stood there.
    ///
    /// # Errors
    /// If it cannot be made.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Puts `from` in the place of `to`.
    ///
    /// # Errors
    /// If it did not happen, or nobody knows.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes the names in a folder last.
    ///
    /// # Errors
    /// If they may not.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// The names of the files in a folder.
    ///
    /// # Errors
    /// If it cannot be listed.
    fn names(&self, folder: &Path) -> io::Result<Vec<String>>;
}

/// A file that is being written.
pub trait DiskFile {
    /// Adds bytes.
    ///
    /// # Errors
    /// If not all of them were taken.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written last.
    ///
    /// # Errors
    /// If it may not.
    fn sync(&mut self) -> io::Result<()>;
}

/// The file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileSystem;

impl Disk for FileSystem {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than 1 MiB"));
        }
        Ok(Some(bytes))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::create(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }
}

impl DiskFile for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// A file that was not replaced, or nobody knows.
#[derive(Debug)]
pub(super) struct ReplaceError {
    /// What could not be done.
    pub(super) what: &'static str,
    /// Whether the disk may have either content now.
    pub(super) unsure: bool,
    pub(super) source: io::Error,
}

/// Puts `bytes` in the place of `folder/name`, whole or not at all. Once it returns well, they last.
pub(super) fn replace(disk: &dyn Disk, folder: &Path, name: &str, bytes: &[u8]) -> Result<(), ReplaceError> {
    let failed = |what, unsure| move |source| ReplaceError { what, unsure, source };
    let beside = folder.join(format!("{name}.new"));
    let mut file = disk.create(&beside).map_err(failed("write", false))?;
    file.write(bytes).map_err(failed("write", false))?;
    file.sync().map_err(failed("sync", true))?;
    drop(file);
    disk.rename(&beside, &folder.join(name)).map_err(failed("put in place", true))?;
    disk.sync_folder(folder).map_err(failed("sync", true))
}
