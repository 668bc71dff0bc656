//! The server before real clients and before clients that lie.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod attacks;
mod camera;
mod clients;
mod crowds;
mod raw;
#[path = "../../../feed/tests/feed/studio.rs"]
mod studio;
mod talk;
