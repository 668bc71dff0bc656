use std::io;

use placet_record::entry::FormError;
use placet_tlog::checkpoint::CheckpointError;
use placet_tlog::merkle::ProofError;
use placet_tlog::tile::{BundleError, ShortTile};

/// Why a target did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} `{path}` at the target")]
pub struct TargetError {
    /// What was tried.
    pub doing: &'static str,
    /// Which file.
    pub path: String,
    /// Why not.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Why a log was not exported. Nothing of what was there before is harmed, and the next round may succeed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file of the log could not be read.
    #[error("cannot read `{path}` of the log")]
    Read {
        /// Which.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// A file that the checkpoint needs is not there.
    #[error("the log's checkpoint needs `{path}`, which is missing")]
    Missing {
        /// Which.
        path: String,
    },
    /// A file of the log is not what the checkpoint says.
    #[error("`{path}` of the log {what}; it is not exported")]
    Wrong {
        /// Which.
        path: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A tile is too short.
    #[error(transparent)]
    Short(#[from] ShortTile),
    /// A bundle cannot be read.
    #[error("cannot read the bundle `{path}` of the log")]
    Bundle {
        /// Which.
        path: String,
        /// Why not.
        source: BundleError,
    },
    /// An entry cannot be read, so that its side files are not known.
    #[error("cannot read entry {index} of the log")]
    Entry {
        /// Which.
        index: u64,
        /// Why not.
        source: FormError,
    },
    /// The log's own checkpoint is not accepted.
    #[error("the log's checkpoint is not accepted")]
    Checkpoint {
        /// Why not.
        source: CheckpointError,
    },
    /// What stands at the target is no checkpoint of this log.
    #[error(
        "the target holds the checkpoint of another log, or a damaged one: export to another place, or remove it there"
    )]
    Foreign {
        /// Why it was not accepted.
        source: CheckpointError,
    },
    /// The target knows more than the log.
    #[error(
        "the target has {target} entries and the log {log}: the log was set back, or another exporter is ahead; do not go on with this log before that is known"
    )]
    Ahead {
        /// How many the target has.
        target: u64,
        /// How many the log has.
        log: u64,
    },
    /// Both are signed, and they contradict each other.
    #[error(
        "the checkpoint of {target} entries at the target and the log's of {log} contradict each other: the log has two histories; keep both as evidence"
    )]
    Fork {
        /// How many entries the target has.
        target: u64,
        /// How many the log has.
        log: u64,
        /// What the proof said.
        source: ProofError,
    },
    /// The target did not do it.
    #[error(transparent)]
    Target(#[from] TargetError),
}
