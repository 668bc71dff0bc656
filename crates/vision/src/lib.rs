//! Pixels in, faces out: two face detectors, the views of a frame they look at, and how their models get here.
//!
//! [`YuNet`] looks at every frame; [`CenterFace`], a network of another family, checks what is left afterwards. Both
//! run on ONNX Runtime, loaded from a shared library ([`Runtime::load`]). [`Scan`] decides at which resolutions and in
//! which tiles a frame is looked at. There is no recogniser here.
//!
//! ```no_run
//! use placet_core::{Frame, Layout, Rotation, Size};
//! use placet_vision::{Effort, Runtime, Scan, YuNet, models::ModelDir};
//!
//! let dir = ModelDir::new("models");
//! let runtime = Runtime::load(&dir.runtime())?;
//! let mut detector = YuNet::load(&runtime, &dir)?;
//! let frame = Frame::new(Size { width: 1920, height: 1080 }, Layout::Yuv420);
//! let scan = Scan::new(frame.size(), Rotation::None, Effort::Fast);
//! let mut faces = Vec::new();
//! scan.look(&mut detector, &frame, 0, 0.6, &mut faces)?;
//! # Ok::<(), placet_vision::VisionError>(())
//! ```
//!
//! What the networks find: a face of 12 to 16 pixels height in their input at score 0.6, of 10 at 0.4.

mod centerface;
pub mod convert;
mod detector;
mod merge;
pub mod models;
mod onnx;
mod pack;
mod runtime;
mod scan;
mod view;
mod yunet;

pub use centerface::CenterFace;
pub use detector::FaceDetector;
pub use merge::merge;
pub use pack::{Channels, Input};
pub use runtime::{Runtime, VisionError};
pub use scan::{Effort, Scan};
pub use view::{Scale, View, ViewError};
pub use yunet::YuNet;
