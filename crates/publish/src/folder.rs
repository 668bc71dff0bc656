use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

use crate::Shelf;

/// A published log in a folder. Links are followed as long as they stay inside, which the kernel sees to.
#[derive(Debug)]
pub struct Folder {
    root: OwnedFd,
}

impl Folder {
    /// The folder at `path`, held open: what is put in its place later is another one.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { root: rustix::fs::open(path, flags, Mode::empty())? })
    }

    /// A regular file below; none if there is none, or it leads elsewhere.
    fn file(&self, path: &str) -> io::Result<Option<File>> {
        // A pipe under the name would otherwise wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let inside = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let opened = openat2(&self.root, path, flags, Mode::empty(), inside).map_err(io::Error::from);
        let file = match opened {
            Ok(fd) => File::from(fd),
            Err(e) if is_absence(&e) => return Ok(None),
            Err(e) => return Err(e),
        };
        Ok(if file.metadata()?.is_file() { Some(file) } else { None })
    }
}

/// Not there, a file where a folder should be, or a link that leads out.
fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | CrossesDevices)
        || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

impl Shelf for Folder {
    fn length(&self, path: &str) -> io::Result<Option<u64>> {
        self.file(path)?.map(|file| Ok(file.metadata()?.len())).transpose()
    }

    fn read(&self, path: &str, from: u64, len: u64) -> io::Result<Vec<u8>> {
        let file = self.file(path)?.ok_or(io::ErrorKind::NotFound)?;
        let mut bytes = Vec::new();
        At { file: &file, from }.take(len).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// A file from a place on.
struct At<'f> {
    file: &'f File,
    from: u64,
}

impl io::Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_read = self.file.read_at(buffer, self.from)?;
        self.from = self.from.saturating_add(n_read as u64);
        Ok(n_read)
    }
}
