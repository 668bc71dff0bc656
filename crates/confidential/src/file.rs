//! Small files that are replaced as a whole, and files that are overwritten before they go.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

/// The steps at which a disk can fail us. Tests let each of them fail.
pub trait Disk: Send {
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()>;
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Lets two names change places at once.
    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()>;
    /// Names a file anew where no file is.
    fn name(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn sync_folder(&self, inside: &Path) -> io::Result<()>;
    fn unlink(&self, path: &Path) -> io::Result<()>;
}

/// The disk as it is.
pub struct RealDisk;

impl Disk for RealDisk {
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
    }

    fn name(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
    }

    fn sync_folder(&self, inside: &Path) -> io::Result<()> {
        sync_folder(inside)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

/// Makes the names in the folder of `inside` durable.
pub fn sync_folder(inside: &Path) -> io::Result<()> {
    let folder = inside.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The name under which the next content of a file is written, and its last content is overwritten.
pub fn spare(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".spare");
    name.into()
}

/// Writes a new file, durable under its name when this returns. No file may have the name.
pub fn create(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let spare = spare(path);
    write_spare(disk, &spare, bytes)?;
    disk.name(&spare, path)?;
    disk.sync_folder(path)
}

/// Replaces a file's content: old or new, never a mixture, and new when this returns. The old content is then overwritten
/// and unlinked. It changes places with the new one, so that a crash leaves it under a name where [`discard`] finds it.
pub fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let spare = spare(path);
    write_spare(disk, &spare, bytes)?;
    disk.exchange(&spare, path)?;
    disk.sync_folder(path)?;
    discard(disk, &spare)
}

fn write_spare(disk: &dyn Disk, spare: &Path, bytes: &[u8]) -> io::Result<()> {
    discard(disk, spare)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(spare)?;
    disk.write(&mut file, bytes)?;
    disk.sync(&file)
}

/// Overwrites a file with zeros where it stands, then unlinks it. That there is none is no error.
pub fn discard(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    file.seek(SeekFrom::Start(0))?;
    disk.write(&mut file, &vec![0; length])?;
    disk.sync(&file)?;
    disk.unlink(path)?;
    disk.sync_folder(path)
}
