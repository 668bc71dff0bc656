//! Sealed originals through their public API: bytes, folders, disks, crashes.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod disk;
mod opening;
mod rig;
mod sealing;
mod segment;
mod shelf;
