//! Keeps a log: writes its ticks, reveals, events, rosters and keys, each by the rules that bind them, and gives what readers
//! see.
//!
//! In an open log an event is published as it happens. In a sealed one nothing is written but ticks, and reveals on the date
//! that each tick bears; events are held back until then, so that neither their number nor their time tells anything. What
//! cameras do stands in the slots of the tick *before* it may happen: an interval is stated before it begins or not at all.
//!
//! The time is an argument. Witnesses are the caller's: what they sign comes back through [`Keeper::publish`]. The folder of
//! a log holds `log/` (see `placet-store`), `keys` (which key signs from which size), `seeds` (secret: what opens ticks),
//! `pending` (secret: events held back), `cosigned` and `state`.

mod error;
mod files;
mod keeper;
mod pending;
mod published;
mod seeds;
mod signer;

pub use error::KeeperError;
pub use keeper::{Keeper, NewEvent, Opened, Settings, Written, fresh_id};
pub use pending::About;
pub use published::{Name, Published};
pub use signer::LogSigner;
