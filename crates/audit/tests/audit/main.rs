//! Published logs through the public API: read, proved, audited, attacked.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests are free to unwrap and index"
)]

mod corrupt;
mod maker;
mod whole;
