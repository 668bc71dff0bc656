//! A statement proof: all that it takes to answer for one camera and one instant, in one file.

mod form;
mod invalid;
mod verify;

pub use form::MAX_PROOF_FILE;
pub use invalid::ProofInvalid;

use placet_record::entry::slot::SEALED_SLOT;
use placet_record::entry::{CameraId, Moment};
use placet_tlog::merkle::Hash;

/// A statement proof as its file has it (`docs/formats/published-log.md`). It holds evidence and no answer; nothing in it is
/// verified but by [`StatementProof::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementProof {
    /// Of which camera.
    pub camera: CameraId,
    /// At which second.
    pub at: Moment,
    /// The checkpoint under which all entries are proved.
    pub checkpoint: String,
    /// Entry 0.
    pub genesis: ProvedEntry,
    /// The last tick that starts at or before `at`.
    pub tick: Option<ProvedEntry>,
    /// The tick after it.
    pub next: Option<ProvedEntry>,
    /// The side file of the tick's roster.
    pub roster: Option<String>,
    /// The camera's slot.
    pub slot: Option<ProvedSlot>,
    /// What opens the tick.
    pub reveal: Option<ProvedEntry>,
    /// An event with a public part for the slot's order.
    pub order: Option<ProvedEntry>,
    /// What the tick had when its interval was over.
    pub cosigned: Option<ProvedCheckpoint>,
}

/// An entry with the hashes that lead to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedEntry {
    /// Its index.
    pub index: u64,
    /// Its bytes, as text.
    pub entry: String,
    /// From its sibling to the root's child.
    pub path: Vec<Hash>,
}

/// A slot with the hashes that lead to the tick's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedSlot {
    /// As it was sealed.
    pub bytes: [u8; SEALED_SLOT],
    /// From its sibling to the root's child.
    pub path: Vec<Hash>,
}

/// A checkpoint with the hashes that lead from the tick to its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedCheckpoint {
    /// With its signatures.
    pub checkpoint: String,
    /// From the tick's sibling to the root's child.
    pub path: Vec<Hash>,
}
