use std::io;
use std::path::PathBuf;

use placet_core::Digest;
use placet_record::entry::{DisclosureError, EventId, FormError, Moment};

/// Why the store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {doing} `{}`", path.display())]
    Disk {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// SQLite did not do it.
    #[error("cannot {doing} the confidential store's database")]
    Database {
        /// What was tried.
        doing: &'static str,
        /// Why not.
        source: rusqlite::Error,
    },
    /// The key of the store could not be had.
    #[error("cannot get the key of the confidential store")]
    Key {
        /// Why not.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("`{}` is open in another process", folder.display())]
    Locked {
        /// The store.
        folder: PathBuf,
    },
    /// A store would be made where one is, or part of one.
    #[error("`{}` is there already: open the store, or remove what is left of one that was never finished", path.display())]
    AlreadyThere {
        /// What is there.
        path: PathBuf,
    },
    /// A file of the store is gone.
    #[error("`{}` is missing: bring back all files of the store together, or make a new store", path.display())]
    Missing {
        /// Which.
        path: PathBuf,
    },
    /// The files do not belong together, or are damaged.
    #[error("`{}` {reason}", path.display())]
    Refused {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: Reason,
    },
    /// A record is there and does not open.
    #[error("the record of event `{event}` is damaged")]
    Damaged {
        /// Whose record.
        event: EventId,
    },
    /// A record is there and does not open, and nothing but its data tells whose it was.
    #[error("a record of {at} is damaged")]
    DamagedAt {
        /// When its event happened.
        at: Moment,
    },
    /// A deposit is not what its name says.
    #[error("the deposit `{}` is damaged", digest.hex())]
    DamagedDeposit {
        /// Its name.
        digest: Digest,
    },
    /// The id of the event was used before.
    #[error("event `{event}` has or had a record")]
    EventUsed {
        /// Which event.
        event: EventId,
    },
    /// Nothing is put where something was erased.
    #[error("the order or group was erased, and takes no records any more")]
    GroupErased,
    /// The event has no record here.
    #[error("event `{event}` has no record here: there was none, or it was erased")]
    NoRecord {
        /// Which event.
        event: EventId,
    },
    /// A deposit of this digest is there.
    #[error("a deposit `{}` is here already", digest.hex())]
    DepositThere {
        /// Which.
        digest: Digest,
    },
    /// No such deposit.
    #[error("no deposit `{}` is here", digest.hex())]
    NoDeposit {
        /// Which.
        digest: Digest,
    },
    /// It was said to be handed over, and was not.
    #[error("the deposit `{}` has not been handed over: say that it has, or that its period is over", digest.hex())]
    NotHandedOver {
        /// Which.
        digest: Digest,
    },
    /// The record cannot be written down.
    #[error("cannot write down the record")]
    Record {
        /// Why not.
        #[from]
        source: FormError,
    },
    /// The fields cannot be shown.
    #[error("cannot disclose the record's fields")]
    Disclosure {
        /// Why not.
        #[from]
        source: DisclosureError,
    },
    /// No random bytes, without which nothing can be sealed.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// A write failed before.
    #[error("the confidential store is shut since a write failed: open it again")]
    Shut,
}

/// What is wrong with a file of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The seal does not hold.
    #[error(
        "does not open under this key: it is another store's key, or the file is damaged and must be brought back"
    )]
    Seal,
    /// Of another store.
    #[error("belongs to another store: bring back all files of one store together")]
    Foreign,
    /// Older than what the mark has seen.
    #[error(
        "is older than the mark says: it was restored from a copy, and lacks records or holds erased keys; bring back the newest, or make a new store"
    )]
    Old,
    /// The mark itself is older than what stands beside it.
    #[error("is older than the files beside it: it was restored from a copy; bring back the newest")]
    OldMark,
    /// Its content is not what was last written.
    #[error("is damaged: bring back all files of the store together")]
    Damaged,
}
