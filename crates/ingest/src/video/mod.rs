//! Videos: what is in a file, its frames, and a file made of redacted frames.

mod container;
mod media;
mod packets;
mod probe;

pub use container::{Codec, CodecRefusal, Container};
pub use media::{
    AudioStream, Color, ColorRange, Fields, FileStamp, MediaInfo, Packet, Ratio, VideoStream, expected_pts,
};
pub use packets::packets;
pub use probe::{ProbeError, probe};
