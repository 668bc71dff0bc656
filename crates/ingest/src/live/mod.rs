//! Cameras: coded pictures become frames, redacted frames become a stream.
//!
//! A child decodes and another encodes, both locked in with nothing but their pipes: no file, no network. Every picture
//! carries its time on [`placet_core::TimeBase::LIVE`] through both, so that nothing is matched by counting.
//!
//! What leaves is a [`RedactedUnit`] or a [`RedactedPicture`]. Both are made here, of redacted frames alone.

mod decode;
mod encode;
mod film;
mod unit;

pub use decode::{DecodeSpec, DecodeTrouble, Feeder, Frames, decode};
pub use encode::{EncodeTrouble, LiveEncoder, LiveReader, LiveSpec};
pub use film::{DeviceSpec, Film, FilmError, FilmPicture};
pub use unit::{RedactedPicture, RedactedUnit};
