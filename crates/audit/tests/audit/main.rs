//! Published logs through the public API: read, proved, audited, attacked.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests are free to unwrap and index; vectors are files"
)]

mod corrupt;
mod maker;
mod timeline;
mod vectors;
mod whole;
