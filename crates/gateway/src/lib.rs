//! The live line of one camera as a state machine: events in, decisions out.
//!
//! Frames arrive, a detector answers about some of them, time passes; [`Line`] says which frame is to be looked at, and
//! which leaves now: with these faces hidden, covered whole, or not at all. It holds no pixels, and pure it is: the time
//! is told to it, on the gateway's own clock in ticks of [`placet_core::TimeBase::LIVE`].
//!
//! What is too much to do is given up in a fixed order ([`Level`]): first the detector looks less closely, then less
//! often while faces are hidden longer and wider, then fewer frames leave, then every frame leaves covered. At no level
//! does a frame leave that was neither looked at nor stands between two that were.
//!
//! ```
//! use placet_core::{Pts, Size};
//! use placet_gateway::{How, Line, Settings};
//!
//! let mut line = Line::new(Settings::new(Size { width: 1280, height: 720 }));
//! line.fed(Pts(0), true, Pts(0));
//! let asked = line.arrived(Pts(0), Pts(900)).ok_or("in order")?;
//! line.judged(asked.id, Some(&[]), Pts(1_800));
//! // No later frame tells more: after a while this one leaves.
//! assert!(line.leave(Pts(1_800)).is_none());
//! let leaving = line.leave(Pts(60_000)).ok_or("due")?;
//! assert!(matches!(leaving.how, How::Hide(boxes) if boxes.is_empty()));
//! # Ok::<(), &str>(())
//! ```
//!
//! Left out: pixels, threads, cameras; `placet-proxy` brings those.

mod damage;
mod level;
mod line;

pub use level::{Effort, Level};
pub use line::{Asked, How, Leaving, Line, Reason, Settings};
