//! The pages before browsers, tools and strangers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod browser;
mod camera;
mod segments;
mod strangers;
#[path = "../../../feed/tests/feed/studio.rs"]
mod studio;
mod watching;
