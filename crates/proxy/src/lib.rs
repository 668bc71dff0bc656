//! Live cameras, hidden: coded pictures in, a redacted stream out.
//!
//! ```text
//! camera ─► feeder ─► decoder (child) ─► reader ─► line ─► redact ─► encoder (child) ─► feed
//!                                          └─► finders (shared threads) ─┘
//! ```
//! What leaves, when, and what of it is hidden is `placet-gateway`'s to say; this crate has the threads, the children
//! and the pixels. A raw frame lives in a [`RawFrame`], which is written over when it is given up; what is encoded and
//! shown are redacted frames alone. A child that dies is started anew at the next picture that decodes alone.
//!
//! [`follow`] joins a camera that `placet-camera` reads to its line. Left out: who watches.

mod clock;
mod decoder;
mod device;
mod encoder;
mod film;
mod finders;
mod follow;
mod line;
mod raw;
mod status;

pub use clock::Clock;
pub use device::DeviceSource;
pub use film::FilmSource;
pub use finders::{Finders, FindersError};
pub use follow::follow;
pub use line::{Channel, Input, ProxySettings};
pub use raw::RawFrame;
pub use status::{Report, Status};
