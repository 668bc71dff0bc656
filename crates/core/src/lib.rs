//! The vocabulary every other crate speaks: rectangles, frames, detections, instants of media time and of civil time,
//! digests.
//!
//! Opens nothing: no files, no clock, no randomness. Coordinates have their origin in the upper left corner of the
//! frame as it is stored (before any rotation flag), x to the right, y down, in luma pixels.

mod digest;
mod frame;
mod geometry;
mod media;
mod text;
mod time;

pub use digest::{Digest, DigestParseError, Hasher};
pub use frame::{Frame, Layout, Plane, PlaneMut};
pub use geometry::{Detection, PixelRect, Rect, Rotation, Size};
pub use media::{AccessUnit, Codec};
pub use text::is_unseen;
pub use time::{Pts, TimeBase, UtcTime, UtcTimeError};
