//! Real media, made by ffmpeg, through the public API.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed step of a test is a failed test")]

mod decoding;
mod encoding;
mod joining;
mod live;
mod making;
mod probing;
