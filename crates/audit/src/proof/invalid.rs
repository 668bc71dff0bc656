//! Why a statement proof proves nothing.

use placet_record::entry::slot::SlotError;
use placet_record::entry::{FormError, RosterError};
use placet_tlog::merkle::ProofError;
use placet_tlog::policy::PolicyError;

/// Why a statement proof proves nothing, or proves that its log misbehaved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofInvalid {
    /// The checkpoint is not one to trust.
    #[error("the proof's checkpoint is not accepted")]
    Checkpoint {
        /// Why not.
        source: PolicyError,
    },
    /// The tick's own checkpoint is none of the log's.
    #[error("the proof's `cosigned` checkpoint is not accepted")]
    Cosigned {
        /// Why not.
        source: PolicyError,
    },
    /// A checkpoint of another log than the genesis names.
    #[error("`{part}` is of another log than `checkpoint`")]
    Origin {
        /// Which part.
        part: &'static str,
    },
    /// An entry, slot or tick that does not stand where the proof says.
    #[error("`{part}` does not stand where its path says")]
    Path {
        /// Which part.
        part: &'static str,
        /// Why not.
        source: ProofError,
    },
    /// Bytes that are no entry.
    #[error("`{part}` is no entry of a log")]
    Entry {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        source: FormError,
    },
    /// An entry of another type than its place wants.
    #[error("`{part}` is an entry of another type")]
    Type {
        /// Which part.
        part: &'static str,
    },
    /// A part without which nothing follows.
    #[error("`{part}` is missing")]
    Missing {
        /// Which part.
        part: &'static str,
    },
    /// A part that the answer does not need.
    #[error("`{part}` has no bearing on the answer and must not be there")]
    NotNeeded {
        /// Which part.
        part: &'static str,
    },
    /// Parts that do not belong together.
    #[error("`{part}` {why}")]
    Contradiction {
        /// Which part.
        part: &'static str,
        /// What is wrong with it: a sentence that follows its name.
        why: &'static str,
    },
    /// A side file that is no roster.
    #[error("`roster` is no roster of cameras")]
    Roster {
        /// What is wrong with it.
        source: RosterError,
    },
    /// A slot that the log's own seed does not open, or that holds what no slot holds.
    #[error("the log misbehaved: its own reveal does not open the slot")]
    Slot {
        /// What is wrong with it.
        source: SlotError,
    },
    /// A rule of the log that the entries shown break.
    #[error("the log misbehaved: {why}")]
    Misbehaviour {
        /// Which.
        why: &'static str,
    },
}

impl ProofInvalid {
    /// Whether the proof is sound and shows that the log broke its own rules.
    pub fn is_misbehaviour(&self) -> bool {
        matches!(self, Self::Slot { .. } | Self::Misbehaviour { .. })
    }
}
