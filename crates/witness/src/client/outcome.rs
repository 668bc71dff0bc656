use std::time::Duration;

use placet_http::client::HttpError;
use placet_tlog::checkpoint::CheckpointError;
use placet_tlog::cosignature::{CosignatureError, Seconds};
use placet_tlog::policy::Name;
use placet_tlog::witness::RequestError;

/// What became of one checkpoint.
#[derive(Debug)]
pub struct Round {
    /// Whether the policy accepts the checkpoint as it is now. Where it does not, what needs witnesses must not happen.
    pub met: bool,
    /// When enough witnesses had cosigned, by their clocks; none where the policy asks for none.
    pub witnessed_at: Option<Seconds>,
    /// The checkpoint with every cosignature that verified.
    pub checkpoint: String,
    /// One for each witness of the policy, in its order.
    pub outcomes: Vec<WitnessOutcome>,
}

impl Round {
    /// What must reach whoever runs the log.
    pub fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.outcomes.iter().filter_map(|o| match &o.outcome {
            Outcome::Alarm(alarm) => Some(alarm),
            Outcome::Cosigned { .. } | Outcome::Failed(_) | Outcome::NotAsked => None,
        })
    }
}

/// What one witness did.
#[derive(Debug)]
pub struct WitnessOutcome {
    /// What the policy calls it.
    pub witness: Name,
    /// What it did.
    pub outcome: Outcome,
    /// How long it took.
    pub after: Duration,
}

/// What a witness can do.
#[derive(Debug)]
pub enum Outcome {
    /// It cosigned.
    Cosigned {
        /// When, by its clock.
        time: Seconds,
    },
    /// It has seen something of this log that the log does not know.
    Alarm(Alarm),
    /// It did not cosign, and nothing follows from that.
    Failed(Failure),
    /// The policy has no URL for it.
    NotAsked,
}

/// What a witness says of another past than ours. Either it lies or we have lost, changed or forked entries; until a person
/// knows which, nothing should be signed.
#[derive(Debug, thiserror::Error)]
pub enum Alarm {
    /// It has cosigned a larger tree.
    #[error(
        "the witness `{witness}` has seen {size} entries of this log, more than there are: either it lies, or entries were lost"
    )]
    AheadOfUs {
        /// Who says so.
        witness: Name,
        /// How many it has seen.
        size: u64,
    },
    /// It has cosigned another tree of our size.
    #[error(
        "the witness `{witness}` has seen another tree of {size} entries: either it lies, or this log has forked"
    )]
    OtherRoot {
        /// Who says so.
        witness: Name,
        /// The size of both.
        size: u64,
    },
    /// It does not find that our tree extends the one it has seen.
    #[error(
        "the witness `{witness}` finds that the tree does not extend the {size} entries it has seen: either it lies, or entries were changed"
    )]
    DoesNotExtend {
        /// Who says so.
        witness: Name,
        /// What it has seen.
        size: u64,
    },
    /// We cannot prove to it that our tree extends the one it has seen.
    #[error("no proof can be made for the {size} entries that the witness `{witness}` has seen")]
    NoProof {
        /// Who has seen them.
        witness: Name,
        /// How many.
        size: u64,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a witness did not cosign.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No answer was there when the others' were enough, or at the deadline.
    #[error("it had not answered when the waiting was over")]
    Late,
    /// The policy has no URL for it.
    #[error("the policy has no URL for it")]
    NoUrl,
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An answer that says no.
    #[error("it answers with status {status}: {words}")]
    Declined {
        /// The HTTP status.
        status: u16,
        /// What it says, cut short.
        words: String,
    },
    /// A 409 without a size.
    #[error("it answers with status 409 and no size")]
    NoSize,
    /// Two sizes, one after the other.
    #[error("it named another size each time it was asked; somebody else asks it at the same time")]
    Unsettled,
    /// A 200 that is no signature lines.
    #[error("its answer is no cosignature")]
    Answer(#[source] RequestError),
    /// A 200 without a line by the key that the policy pins.
    #[error("its answer has no cosignature by the key that the policy has for it")]
    OtherKey,
    /// A line that is not of this checkpoint, or not by that key.
    #[error("its cosignature is not of this checkpoint")]
    BadCosignature(#[source] CosignatureError),
    /// A clock that is not to be believed.
    #[error(
        "its cosignature states {stated}, and it is {now}, in seconds since 1970: one of two clocks is wrong"
    )]
    Clock {
        /// What it states.
        stated: Seconds,
        /// Our time.
        now: Seconds,
    },
}

/// What a witness says it has seen.
#[derive(Debug)]
pub struct SizeAnswer {
    /// What the policy calls it.
    pub witness: Name,
    /// How many entries it has seen.
    pub size: Result<u64, Failure>,
}

impl SizeAnswer {
    /// The alarm, if it has seen more than `ours`.
    pub fn alarm(&self, ours: u64) -> Option<Alarm> {
        let size = *self.size.as_ref().ok().filter(|size| **size > ours)?;
        Some(Alarm::AheadOfUs { witness: self.witness.clone(), size })
    }
}

/// Why no witness was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignError {
    /// It is not one of the policy's logs that signed it.
    #[error("the checkpoint is not one that witnesses can be asked about")]
    Checkpoint(#[from] CheckpointError),
}
