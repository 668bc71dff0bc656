//! Small files that are replaced whole, or grow by a line, and are durable before anybody relies on them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::error::KeeperError;

/// Replaces a file, so that there is always the old or the new one, and no other user may read it.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), KeeperError> {
    let temporary = path.with_extension("new");
    let write = || {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_folder(path)
    };
    write().map_err(failed("write", path))
}

/// Appends to a file, durably.
pub fn append(path: &Path, bytes: &[u8]) -> Result<(), KeeperError> {
    let write = || {
        let is_new = !path.exists();
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        if is_new { sync_folder(path) } else { Ok(()) }
    };
    write().map_err(failed("write", path))
}

/// A text file; none if there is none.
pub fn read(path: &Path) -> Result<Option<String>, KeeperError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

pub fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeeperError {
    let path = path.to_owned();
    move |source| KeeperError::File { what, path, source }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
