//! Tests through the public API.

#[cfg(test)]
mod allocations;
#[cfg(test)]
mod fills;
#[cfg(test)]
mod forgets;
#[cfg(test)]
mod tracks;
