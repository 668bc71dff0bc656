use std::io;

use placet_tlog::checkpoint::CheckpointError;

/// Why the log was not opened, not written or not read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system said no.
    #[error("cannot {what} `{name}` of the log")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Which file.
        name: String,
        /// Its words.
        source: io::Error,
    },
    /// Somebody else writes to it.
    #[error("the log is open elsewhere: stop that program first, since two writers would make two histories")]
    Locked,
    /// There is no log.
    #[error("there is no log in this folder: a new one is made by `create` alone, never by opening")]
    NotALog,
    /// There is one already.
    #[error("there is a log in this folder already; a new one takes an empty folder")]
    Exists,
    /// What is on the disk is not what was written.
    #[error(
        "the log is damaged: {0}; nothing was changed: restore its files from a copy, or run fsck to see all of it"
    )]
    Damage(#[from] Damage),
    /// The log could not be signed, or what it holds was signed by nobody known.
    #[error("the log's checkpoint is not signed as it should be")]
    Signature(#[from] CheckpointError),
    /// Something before this failed in a way that leaves open what is on the disk.
    #[error(
        "the log stopped when it could not {what} `{name}`: open it again, which finds out what is on the disk"
    )]
    Stopped {
        /// What failed.
        what: &'static str,
        /// At which file.
        name: String,
    },
    /// The batch cannot be written as it is. The log goes on.
    #[error("{0}")]
    Batch(&'static str),
    /// Whoever admits entries said no. The log goes on.
    #[error("{0}")]
    Refused(String),
}

impl StoreError {
    pub(crate) fn io(what: &'static str, name: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let name = name.into();
        move |source| Self::Io { what, name, source }
    }
}

/// What is wrong with the files of a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// A segment between others is not there.
    #[error("segment {number} is missing")]
    Missing {
        /// Its number.
        number: u64,
    },
    /// The start of a segment is not as it was written.
    #[error("the header of segment {number} cannot be read or does not follow the segment before it")]
    Header {
        /// Its number.
        number: u64,
    },
    /// Something unreadable, with more behind it.
    #[error("segment {number} cannot be read at byte {offset}, and more stands behind it")]
    Unreadable {
        /// Its number.
        number: u64,
        /// Where the first unreadable byte is.
        offset: u64,
    },
    /// A frame that reads well, but does not follow the one before it.
    #[error("the frame at byte {offset} of segment {number} does not follow the one before it")]
    Order {
        /// The segment's number.
        number: u64,
        /// Where the frame starts.
        offset: u64,
    },
    /// An entry that is not what was written.
    #[error("entry {index} is not what was written")]
    Entry {
        /// Its index.
        index: u64,
    },
    /// A side file that is not what was written.
    #[error("side file {number} of channel {channel} is not what was written")]
    Blob {
        /// Its channel.
        channel: u8,
        /// Its number there.
        number: u64,
    },
    /// The entries do not make the tree that was signed.
    #[error("the entries up to index {size} do not make the tree that the log signed")]
    Tree {
        /// How many entries.
        size: u64,
    },
    /// A file that is made from the frames is not what the frames make.
    #[error("`{name}` is not what the entries make at byte {offset}; opening the log makes it anew")]
    Derived {
        /// Which file.
        name: String,
        /// Where it first differs.
        offset: u64,
    },
    /// Entries that were acknowledged are gone.
    #[error("the log has {size} entries, and it had signed {mark}: acknowledged entries are lost")]
    Rollback {
        /// How many there are.
        size: u64,
        /// The high-water mark.
        mark: u64,
    },
    /// The same size, another tree.
    #[error("the log's first {size} entries are not those it had signed")]
    Fork {
        /// The high-water mark.
        size: u64,
    },
    /// Nobody can say how far the log had come.
    #[error(
        "the high-water mark is missing or unreadable: ask the witnesses how many entries they saw, and set it again if it is {size}"
    )]
    MarkLost {
        /// How many entries there are.
        size: u64,
    },
    /// A checkpoint in a frame that none of the log's keys signed.
    #[error("the checkpoint of {size} entries is not signed by a key of this log")]
    Signature {
        /// Its size.
        size: u64,
    },
}
