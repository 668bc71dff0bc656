//! Cameras as they are and as they should not be: GStreamer's RTSP server, an RTSP server of our own that does what it
//! likes, and one for MJPEG.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod attacks;
mod clips;
mod gst;
mod mjpeg;
mod peer;
mod real;
mod times;
mod watch;
