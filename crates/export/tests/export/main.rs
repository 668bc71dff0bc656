//! Logs exported to folders and to a real S3 server on loopback.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failed step of a test is a failed test"
)]

mod bucket;
mod folder;
mod kill;
mod log;
mod refusals;
