//! Adapter: video files and pictures become frames, redacted frames become files.
//!
//! Videos are parsed by ffmpeg and ffprobe (5.1 or later), as child processes locked in by
//! [`placet_sys::sandbox`]: no network, one file to read, at most one to write. Raw frames pass through pipes in
//! [`nut`], so that each carries its presentation time. Pictures are parsed here, by decoders in Rust.
//!
//! What goes out are [`placet_redaction::RedactedFrame`]s and [`placet_redaction::ObscuredFrame`]s; a raw frame has no
//! way to a file.
//!
//! Cameras bring coded pictures, which [`live`] decodes and encodes in the same kind of children.
//!
//! Left out: choosing what to hide, and how cameras are reached.

mod child;
pub mod live;
pub mod nut;
pub mod picture;

mod tools;
pub mod video;

pub use child::ChildError;
pub use tools::{ToolError, Tools};
