//! What events of the log say of people, kept so that it can be erased.
//!
//! The log holds a salted commitment to each record (`docs/formats/log-entries.md`, "Committed records"); the record and
//! its secret are here. Every record is encrypted under a data key of its order, and the data keys stand in one small file
//! that is written anew whenever one comes or goes. To erase an order is to write that file without its key, and then to
//! delete what the key opened. The log is not touched and still verifies; what it committed to means nothing any more.
//!
//! | file | what |
//! | --- | --- |
//! | `keys` | the data keys, sealed under the key of a [`KeySource`] |
//! | `records.sqlite` | sealed records; keyed digests of the ids they belong to and of the ids used once |
//! | `mark` | how far both had got: an older copy of either is refused |
//! | `deposits/HEX` | deposit files by their digest, which stay until they are erased by a call of their own |
//! | `lock` | held by the one process that has the store open |
//!
//! The time is an argument. What is acknowledged is on disk, and so is an erasure. A write that fails leaves the store
//! shut until it is opened again, since nobody knows what the disk holds then.
//!
//! It cannot erase what is no longer in these files: blocks that a solid-state disk has mapped away, snapshots, backups made
//! before. Of the old key file each byte is overwritten before it is unlinked; on such media that is an attempt and no more.
//! What holds there is the [`KeySource`]: a copy of `keys` without its key opens nothing.
//!
//! ```
//! use placet_confidential::{Group, KeyFile, Store};
//! use placet_record::entry::{CommittedRecord, EventId, EventKind, Record, RecordSecret};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let key = KeyFile::create(&folder.join("store.key"))?; // better on another device
//! let mut store = Store::create(&folder.join("confidential"), &key)?;
//! let committed = CommittedRecord {
//!     kind: EventKind::Request,
//!     record: Record::parse(br#"{"case_number":"2026/117","officer":"Bo"}"#)?,
//!     secret: RecordSecret::from_bytes([2; 32]), // a real one is random
//! };
//! let (order, event) = (Group::Order(placet_core::Digest::of(b"the order as signed")), EventId([3; 16]));
//! store.put(order, event, "2026-11-22T05:43:00Z".parse()?, &committed, None)?;
//! assert_eq!(store.get(event)?, Some(committed));
//!
//! store.erase(order)?;
//! assert_eq!(store.get(event)?, None);
//! # Ok(())
//! # }
//! ```

mod database;
mod error;
mod file;
mod group;
mod keys;
mod mark;
mod row;
mod sealed;
mod settle;
mod source;
mod store;

pub use error::{Error, Reason};
pub use group::{DepositEnd, Erased, Group, Held, Kept, Once, Use};
pub use source::{KeyFile, KeySource};
pub use store::Store;

#[cfg(test)]
mod tests;
