//! Where a log is exported to.

use crate::error::TargetError;

/// The checkpoint's path.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// The path of our own file: which sizes may have partial files at the target.
pub(crate) const EXPORTED: &str = "exported";

/// A file to be written, with its path below the target's prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl File {
    /// Whether the path always has this content, so that caches may keep it for good.
    pub fn is_fixed(&self) -> bool {
        self.path != CHECKPOINT && self.path != EXPORTED
    }

    /// Its media type: what people can read is text.
    pub fn content_type(&self) -> &'static str {
        if self.is_fixed() && !self.path.starts_with("roster/") {
            "application/octet-stream"
        } else {
            "text/plain; charset=utf-8"
        }
    }

    /// How long caches may keep it.
    pub fn cache_control(&self) -> &'static str {
        if self.is_fixed() { "public, max-age=31536000, immutable" } else { "no-cache" }
    }
}

/// A file that is at the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its content.
    pub bytes: Vec<u8>,
    /// What tells this version of it from others, where the target has such a thing.
    pub version: Option<String>,
}

/// A place to which a log is exported.
pub trait Target {
    /// A file that is there.
    ///
    /// # Errors
    /// If that cannot be told, or it is longer than a file of ours can be.
    fn read(&mut self, path: &str) -> Result<Option<Found>, TargetError>;

    /// Writes files, in any order. All are durable when this returns.
    ///
    /// # Errors
    /// If one cannot be written; others may be.
    fn write(&mut self, files: Vec<File>) -> Result<(), TargetError>;

    /// Replaces the checkpoint at once by another, if it is still `before`.
    ///
    /// # Errors
    /// If it is not, or cannot be written.
    fn publish(&mut self, checkpoint: File, before: Option<&Found>) -> Result<(), TargetError>;

    /// Removes files. That one is not there is no error.
    ///
    /// # Errors
    /// If one cannot be removed.
    fn remove(&mut self, paths: &[String]) -> Result<(), TargetError>;
}
