//! The device before real clients, the client before a real camera, and both before hostile input.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed step of a test is a failed test")]

mod attack;
mod client;
mod device;
mod peers;
mod recorder;
mod stage;
mod street;
mod town;
