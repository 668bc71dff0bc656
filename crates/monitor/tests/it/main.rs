//! A log on loopback that is honest, goes back, stalls, lies and is cut off.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod follows;
mod hooks;
mod maker;
mod mirrors;
