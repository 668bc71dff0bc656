//! Real pictures with a real face through real children to a viewer who looks for the face.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed step of a test is a failed test")]

mod attack;
mod films;
mod line;
mod rig;
