//! Witnesses over real HTTP on loopback, killed witnesses, and disks that fail.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod faults;
mod hostile;
mod killed;
mod quorum;
mod statuses;
mod world;
