//! Live pictures on their way out.
//!
//! What leaves for viewers are [`RedactedUnit`]s and [`RedactedPicture`]s. Only this module makes them, so that a sink
//! which takes them takes nothing raw.

mod unit;

pub use unit::{RedactedPicture, RedactedUnit};
