//! Small files that are replaced whole, or grow by a line, and are durable before anybody relies on them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
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

/// Appends a line to a file, durably: all of it, or nothing of it. What a full disk left of an earlier one is cut off first.
pub fn append(path: &Path, line: &[u8]) -> Result<(), KeeperError> {
    let write = || {
        let is_new = !path.exists();
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        let end = end_of_lines(&file)?;
        file.set_len(end)?;
        let written = file.write_all(line).and_then(|()| file.sync_all());
        if written.is_err() {
            // Should this fail too, what is left is no line, or one that stands there once more after the next try.
            drop(file.set_len(end));
        }
        written?;
        if is_new { sync_folder(path) } else { Ok(()) }
    };
    write().map_err(failed("write", path))
}

/// Where the last whole line ends.
fn end_of_lines(file: &File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut byte = [0];
    while end > 0 {
        file.read_exact_at(&mut byte, end - 1)?;
        if byte == *b"\n" {
            break;
        }
        end -= 1;
    }
    Ok(end)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_what_a_full_disk_left_of_a_line_does_not_spoil_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        append(&path, b"0 one\n").unwrap();
        for left in ["", "1 t", "no line ends here"] {
            fs::write(&path, format!("0 one\n{left}")).unwrap();
            append(&path, b"1 two\n").unwrap();
            assert_eq!(read(&path).unwrap().unwrap(), "0 one\n1 two\n");
        }
    }
}
