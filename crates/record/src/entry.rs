//! What a log entry says, and what stands beside it: slots, committed records, rosters.
//!
//! An entry is one line of canonical JSON ([`Leaf`]), hashed as it is served. None holds a face, a template, a name or a
//! pseudonym: what an event says of somebody is a record that the entry commits to ([`CommittedRecord`]) and that can be erased
//! without touching the log. What cameras do stands in every tick, in slots that look alike until they are opened
//! ([`slot`]). [`Sequence`] holds the entries of one log to their rules.
//!
//! Pure, and small enough for an auditor to read: nothing here knows a tree of the log's own, a checkpoint or a witness.
//! `docs/formats/log-entries.md` tells a stranger how to read all of it; [C2SP](https://c2sp.org/tlog-tiles) how a log
//! serves it.
//!
//! ```
//! use placet_record::entry::slot::{Seed, SlotArray, SlotState};
//! use placet_record::entry::{CameraRoster, Leaf, Moment, Tick};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let seed = Seed::from_bytes([7; 32]); // a real one is random, and secret until its reveal
//! let slots = SlotArray::seal(&seed, 41_237, &[SlotState::Off, SlotState::Unknown], 64)?;
//! let start: Moment = "2026-11-22T05:43:00Z".parse()?;
//! let reveal_by = start.plus(60 + 86_400).ok_or("after 2199")?;
//! let cameras = [("hall-north".parse()?, 0), ("gate.2".parse()?, 1)];
//! let roster = CameraRoster::new(cameras)?.digest();
//! let tick = Leaf::Tick(Tick { n: 41_237, start, roster, slots_root: slots.root(), reveal_by });
//!
//! let line = tick.to_bytes()?;
//! assert_eq!(Leaf::parse(&line)?, tick);
//! assert_eq!(slots.open(&seed, 41_237)?[0], SlotState::Off);
//! # Ok(())
//! # }
//! ```

mod commitment;
mod disclosure;
mod event;
mod form;
mod json;
mod leaf;
mod mac;
mod record;
mod roster;
mod sequence;
pub mod slot;
mod value;

pub use commitment::{Commitment, CommittedRecord, RecordSecret};
pub use disclosure::{Disclosure, DisclosureError, MAX_DISCLOSURE};
pub use event::{Event, EventKind, MAX_PUBLIC_CAMERAS, PublicPart};
pub use form::{Fields, FormError, bytes as bytes_of_base64url};
pub use json::{Json, demand_canonical};
pub use leaf::{
    Genesis, KeyChange, Leaf, LogMode, MAX_INTERVAL, MAX_LEAF, MAX_REVEAL_DELAY, MAX_SLOTS, Reveal, Roster,
    RosterOf, Tick,
};
pub use record::{FieldName, FieldValue, MAX_FIELDS, MAX_RECORD, Record};
pub use roster::{CameraRoster, RosterError};
pub use sequence::{Finding, KeptError, Misbehaviour, Sequence};
pub use value::{Aim, Authority, CameraId, EventId, Ground, Moment, Purpose, ValueError};
