//! What belongs together, and what is told of it.

use placet_core::Digest;
use placet_record::entry::{CommittedRecord, EventId, Moment};

/// What is erased at once and has one data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// All that belongs to an order, by the SHA-256 of the order as it was signed.
    Order(Digest),
    /// What belongs to no order, such as a request that was refused, by 16 random bytes.
    Apart([u8; 16]),
}

impl Group {
    /// A tag and 32 bytes, so that no order is taken for another kind of group.
    pub(crate) fn to_bytes(self) -> [u8; 33] {
        let mut out = [0; 33];
        let (tag, id) = out.split_at_mut(1);
        match self {
            Self::Order(digest) => id.copy_from_slice(&digest.0),
            Self::Apart(bytes) => {
                tag.fill(1);
                id.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
            }
        }
        out
    }

    pub(crate) fn from_bytes(bytes: &[u8; 33]) -> Option<Self> {
        let (tag, id) = bytes.split_first()?;
        match tag {
            0 => Some(Self::Order(Digest(id.try_into().ok()?))),
            1 => {
                let (id, zeros) = id.split_first_chunk()?;
                zeros.iter().all(|byte| *byte == 0).then_some(Self::Apart(*id))
            }
            _ => None,
        }
    }
}

/// What may be used once and never again, even after all about it is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    /// An order, by the SHA-256 of it as it was signed.
    Order(Digest),
    /// An event. [`crate::Store::put`] uses its event's id by itself.
    Event(EventId),
}

/// Whether an id was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an id that was used before must not be used again"]
pub enum Use {
    /// It is used now.
    First,
    /// It was used already.
    Again,
}

/// What was erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The events whose records are gone, by ascending id. Empty if the group had none, or was erased before.
    pub events: Vec<EventId>,
    /// Deposits of these events that are still here: an oversight body may ask for them.
    /// [`crate::Store::erase_deposit`] erases each.
    pub deposits_kept: Vec<Digest>,
    /// How many of its records were damaged before. They are gone too; whose they were cannot be told.
    pub unreadable: u64,
}

/// A record as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// When its event happened.
    pub at: Moment,
    /// Its event.
    pub event: EventId,
    /// The record with its secret.
    pub committed: CommittedRecord,
}

/// A group that is held, for whoever looks after retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// When its newest event happened.
    pub newest: Moment,
    /// Which group.
    pub group: Group,
    /// How many records it has.
    pub records: u64,
}

/// Why a deposit goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepositEnd {
    /// The oversight body has it: [`crate::Store::deposit_handed_over`] was told so.
    HandedOver,
    /// The time in which the body could ask for it is over.
    PeriodOver,
}
