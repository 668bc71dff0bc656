//! The read side of a log: the files of `docs/formats/published-log.md` over HTTP, and pages beside them.
//!
//! Nothing here knows a log's insides. A [`Shelf`] gives files by their relative path; [`router`] serves those whose path
//! the grammar of [`LogPath`] has, and no others, whatever else stands on the shelf.

mod answer;
mod folder;
mod path;
mod pieces;
mod range;

pub use answer::{PAGE_POLICY, Page, router};
pub use folder::Folder;
pub use path::{Chunk, LogPath, LogPathError};

use std::io;

/// Published files by their path below the log's prefix, such as `tile/0/x001/067`. Called on threads where waiting is
/// allowed, with paths that [`LogPath`] has written.
pub trait Shelf: Send + Sync + 'static {
    /// How long a file is; none if there is no such file.
    ///
    /// # Errors
    /// If that cannot be told.
    fn length(&self, path: &str) -> io::Result<Option<u64>>;

    /// At most `len` bytes of a file from `from` on; fewer only where the file ends.
    ///
    /// # Errors
    /// If they cannot be read, or there is no such file.
    fn read(&self, path: &str, from: u64, len: u64) -> io::Result<Vec<u8>>;
}
