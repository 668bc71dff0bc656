use std::io;
use std::path::PathBuf;

use placet_record::entry::slot::SlotError;
use placet_record::entry::{FormError, Misbehaviour, Moment, RosterError};
use placet_store::StoreError;
use placet_tlog::note::VerifierKey;

/// Why a log was not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The log on the disk.
    #[error("the log cannot be read or written")]
    Store(#[from] StoreError),
    /// A file beside it.
    #[error("cannot {what} `{}`", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A file beside it that cannot be read.
    #[error("line {line} of `{}` cannot be read: put the file back from a copy", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// What a tick was sealed with is not there.
    #[error("what tick {tick} was sealed with is not in `{}`: put that file back from the newest copy", path.display())]
    Seed {
        /// The tick's number.
        tick: u64,
        /// The file of keys.
        path: PathBuf,
    },
    /// The private half of the key in force was not given.
    #[error("the log is signed with `{0}` now, and that key was not given")]
    NoKey(Box<VerifierKey>),
    /// What was to be written does not follow what is there.
    #[error("that cannot follow what the log holds")]
    Rule(#[from] Misbehaviour),
    /// An entry cannot be written as it is.
    #[error("the entry cannot be written")]
    Form(#[from] FormError),
    /// The slots cannot be sealed.
    #[error("the slots of a tick cannot be sealed")]
    Slots(#[from] SlotError),
    /// The roster is not one.
    #[error("that is no roster of this log")]
    Roster(#[from] RosterError),
    /// More cameras than slots.
    #[error("{cameras} cameras do not fit into the {slots} slots of each tick, which a log is made with")]
    Cameras {
        /// How many cameras.
        cameras: usize,
        /// How many slots.
        slots: u32,
    },
    /// The log was made for something else.
    #[error("the log does not begin with a genesis that this program wrote")]
    Genesis,
    /// A time that no log has.
    #[error("the clock stands before the log's own time, {0}: set it right")]
    Clock(Moment),
    /// The calendar ends.
    #[error("no log goes beyond the year 2199")]
    Calendar,
    /// An event about one that is not there.
    #[error("the entry that an event is about is not in the log")]
    About,
    /// No random numbers.
    #[error("the system gives no random numbers")]
    Random(#[from] getrandom::Error),
}
