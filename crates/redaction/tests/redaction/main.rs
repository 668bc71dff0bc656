//! Tests through the public API.

mod allocations;
mod fills;
mod forgets;
mod tracks;
