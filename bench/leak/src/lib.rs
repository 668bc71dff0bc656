//! Clips with known truth, and a scorer that reads a redactor's output video and says what it still shows.
//!
//! Real faces are cut out of still pictures, moved over real scenes and encoded; where each face is on each frame is
//! known exactly and written beside the clip ([`truth`]). Any tool that fills faces with black is then judged by the
//! pixels of its output alone ([`score`]), never by what it reports about itself. Nothing here depends on the
//! product's code; ffmpeg runs as a child process.
//!
//! What the figures do not say: how a tool fares on people, places and cameras that are not in the clips.

pub mod cutout;
pub mod error;
pub mod footage;
pub mod picture;
pub mod plan;
pub mod render;
pub mod report;
pub mod rng;
pub mod score;
pub mod shape;
pub mod truth;
pub mod video;

pub use error::Error;
