//! Frame and regions in, [`RedactedFrame`] out; detections per frame in, regions to hide per frame out.
//!
//! Pure: no files, no clock, no randomness, no threads; the same input gives the same output on every machine.
//! Finding faces is `placet-vision`'s part, reading and writing frames `placet-ingest`'s.
//!
//! This crate is the only maker of a [`RedactedFrame`]; a sink that takes nothing else cannot be given a raw frame.
//!
//! ```
//! use placet_core::{Frame, Layout, Rect, Size};
//! use placet_redaction::{Coding, Fill, Region, Scratch, Shape, redact};
//!
//! let frame = Frame::new(Size { width: 64, height: 48 }, Layout::Yuv420);
//! let face = Region { rect: Rect { x: 20.0, y: 10.0, w: 16.0, h: 20.0 }, shape: Shape::Ellipse };
//! let redacted = redact(frame, &[face], &Fill::Surround, Coding::default(), &mut Scratch::new());
//! assert!(redacted.covered_share() > 0.08);
//! ```
//!
//! Nothing else makes one:
//!
//! ```compile_fail,E0451
//! use placet_core::{Frame, Layout, Size};
//! let frame = Frame::new(Size { width: 64, height: 48 }, Layout::Yuv420);
//! let smuggled = placet_redaction::RedactedFrame { frame, ..todo!() };
//! ```
//!
//! ```compile_fail,E0451
//! use placet_core::{Frame, Layout, Size};
//! let frame = Frame::new(Size { width: 64, height: 48 }, Layout::Yuv420);
//! let smuggled = placet_redaction::ObscuredFrame { frame };
//! ```

mod coding;
mod cut;
mod fill;
mod label;
mod manual;
mod mask;
mod obscure;
pub mod plan;
mod redacted;
mod region;
mod track;

pub use coding::{Coding, Matrix, Range};
pub use cut::CutDetector;
pub use manual::{ManualRegion, ManualRegionError};
pub use obscure::{Obscure, ObscuredFrame, obscure};
pub use plan::Target;
pub use redacted::{RedactedFrame, Scratch, redact};
pub use region::{Fill, Region, Shape};
pub use track::{
    FOUND, KeepTrack, Sighting, TrackBox, TrackId, TrackSummary, Tracker, TrackerConfig, UnknownFrame, Why,
};
