//! One camera's redacted stream, fanned out to any number of viewers.
//!
//! What goes in is a [`RedactedUnit`], which the live encoder of `placet-ingest` alone makes of redacted frames: a sink
//! that reads a [`Feed`] has nothing raw to send. The newest units are kept once, from a key frame on, within bounds;
//! a viewer is a place among them, so memory does not grow with viewers or with how slow they are. One that falls
//! behind goes on at the next key frame and is told how many units it missed.
//!
//! No sockets, no encoder: whoever has one asks [`FeedWriter::wanted`] and encodes only while somebody watches.
//!
//! ```no_run
//! use placet_feed::{Feed, Item};
//!
//! # async fn show(feed: Feed) {
//! let mut viewer = feed.watch();
//! while let Some(item) = viewer.next().await {
//!     match item {
//!         Item::State(state) => println!("{state}"),
//!         Item::Restart(sets) => println!("{} from here on", sets.codec()),
//!         Item::Missed(units) => println!("{units} units are gone"),
//!         Item::Unit(unit) => println!("{} bytes", unit.data().len()),
//!     }
//! }
//! # }
//! ```

mod feed;
mod feeds;
mod ring;
mod sets;
mod state;

pub use feed::{Feed, FeedWriter, Item, Viewer};
pub use feeds::{Feeds, NameError};
pub use placet_ingest::live::{RedactedPicture, RedactedUnit};
pub use sets::ParameterSets;
pub use state::{Reason, State};
