//! Slots: what each camera does in one interval, sealed so that all look alike until the tick is opened.
//!
//! Every tick has as many slots as the log's genesis says, taken or not. A slot's plain form is 96 bytes:
//!
//! | offset | bytes | content |
//! | --- | --- | --- |
//! | 0 | 1 | version, 1 |
//! | 1 | 1 | state: 0 no camera has this slot, 1 off, 2 on, 3 unknown |
//! | 2 | 1 | purpose, 1 to 6 ([`Purpose::code`](super::Purpose::code)) |
//! | 3 | 1 | zero |
//! | 4 | 32 | SHA-256 of the order as it was signed |
//! | 36 | 4 | frames compared, big-endian like all numbers here |
//! | 40 | 2 | candidates |
//! | 42 | 2 | candidates that a person confirmed |
//! | 44 | 2 | candidates that a person rejected |
//! | 46 | 50 | zero |
//!
//! Everything from byte 2 on is zero unless the state is 2. The counts are of the interval *before* the tick's, since a slot
//! is sealed before its interval begins; what follows the last tick of a search is in the record of its `closing` event.
//! A count that does not fit stands at its greatest value.
//!
//! Sealed, a slot is 128 bytes, all of them without pattern to whoever lacks its salt:
//!
//! ```text
//! salt   = HMAC-SHA-256(seed, "placet/v1/slot-salt" || 00 || slot number, 4 bytes)
//! tag    = HMAC-SHA-256(salt, "placet/v1/slot" || 00 || tick number, 8 bytes || slot number, 4 bytes || plain)
//! stream = HKDF-Expand(salt, "placet/v1/slot-pad" || 00 || tag, 96)
//! slot   = tag || (plain XOR stream)
//! ```
//!
//! The stream hangs on the tag, so that a seed that was used twice by mistake gives two unrelated streams. The salt opens its slot
//! and no other; the seed opens all. The tag commits: a slot has one plain form and one salt.

mod array;
mod state;

pub use array::{SlotArray, SlotProof, SlotProofError};
pub use state::{Counts, SearchSlot, SlotState};

use std::fmt;

use super::mac::{expand, mac};

/// Length of a slot's plain form.
pub const PLAIN_SLOT: usize = 96;

/// Length of a slot.
pub const SEALED_SLOT: usize = 128;

const TAG: usize = SEALED_SLOT - PLAIN_SLOT;

/// What a tick is sealed with: 32 random bytes, fresh for each tick, secret until its `reveal`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The seed of these bytes, which must come from the system's random source.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be kept until they are published.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What opens slot number `slot` and no other.
    pub fn salt(&self, slot: u32) -> Salt {
        Salt(mac(&self.0, &[b"placet/v1/slot-salt\0", &slot.to_be_bytes()]))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(hidden)")
    }
}

/// What opens one slot of one tick.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// The salt of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to show one slot to someone.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(hidden)")
    }
}

fn tag(salt: &Salt, tick: u64, slot: u32, plain: &[u8; PLAIN_SLOT]) -> [u8; TAG] {
    mac(&salt.0, &[b"placet/v1/slot\0", &tick.to_be_bytes(), &slot.to_be_bytes(), plain])
}

/// `bytes` XOR the stream that belongs to `tag`.
fn mask(salt: &Salt, tag: &[u8; TAG], mut bytes: [u8; PLAIN_SLOT]) -> [u8; PLAIN_SLOT] {
    let stream: [u8; PLAIN_SLOT] = expand(&salt.0, &[b"placet/v1/slot-pad\0", tag]);
    bytes.iter_mut().zip(stream).for_each(|(byte, key)| *byte ^= key);
    bytes
}

/// Seals one slot.
fn seal_slot(salt: &Salt, tick: u64, slot: u32, state: SlotState) -> [u8; SEALED_SLOT] {
    let plain = state.to_plain();
    let tag = tag(salt, tick, slot, &plain);
    let masked = mask(salt, &tag, plain);
    let mut sealed = [0; SEALED_SLOT];
    sealed.iter_mut().zip(tag.into_iter().chain(masked)).for_each(|(to, from)| *to = from);
    sealed
}

/// Opens slot number `slot` of tick number `tick`.
///
/// # Errors
/// If salt, tick, number and slot do not belong together, or if what was sealed is no slot.
pub fn open_slot(
    salt: &Salt,
    tick: u64,
    slot: u32,
    sealed: &[u8; SEALED_SLOT],
) -> Result<SlotState, SlotError> {
    let stated = sealed.first_chunk::<TAG>().expect("a slot is longer than its tag");
    let masked = sealed.last_chunk::<PLAIN_SLOT>().expect("a slot is longer than its plain form");
    let plain = mask(salt, stated, *masked);
    if tag(salt, tick, slot, &plain) != *stated {
        return Err(SlotError::Tag { tick, slot });
    }
    SlotState::from_plain(&plain).map_err(|offset| SlotError::Layout { tick, slot, offset })
}

/// Why slots were not sealed, not read or not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// The slot was not sealed with this salt under these numbers. Given the seed that the log published, it is the log's
    /// misbehaviour.
    #[error("slot {slot} of tick {tick} was not sealed with what should open it")]
    Tag {
        /// The tick's number.
        tick: u64,
        /// The slot's number.
        slot: u32,
    },
    /// The slot was sealed so, but what is in it is no slot of version 1.
    #[error("slot {slot} of tick {tick} holds what no slot can hold, from byte {offset}")]
    Layout {
        /// The tick's number.
        tick: u64,
        /// The slot's number.
        slot: u32,
        /// The first byte of the plain form that cannot stand there.
        offset: usize,
    },
    /// A side file of another length.
    #[error("a slot array has {bytes} bytes where {slots} slots of 128 were expected")]
    Length {
        /// How long it is.
        bytes: usize,
        /// How many slots each tick of the log has.
        slots: u32,
    },
    /// More cameras than slots, or a number of slots that no log has.
    #[error("{states} states do not fit into {slots} slots")]
    Capacity {
        /// How many were given.
        states: usize,
        /// How many slots there are.
        slots: u32,
    },
}

#[cfg(test)]
mod tests {
    use placet_core::Digest;
    use proptest::prelude::*;

    use super::state::tests::any_state;
    use super::*;
    use crate::entry::value::Purpose;

    #[test]
    fn what_was_sealed_wrongly_is_told_from_what_was_changed() {
        // A log that seals nonsense: the tag is right, the layout is not.
        let salt = Seed::from_bytes([1; 32]).salt(3);
        let mut plain = SlotState::Off.to_plain();
        plain[95] = 1;
        let tag = tag(&salt, 7, 3, &plain);
        let sealed: [u8; SEALED_SLOT] =
            [tag.as_slice(), &mask(&salt, &tag, plain)].concat().try_into().unwrap();
        assert_eq!(open_slot(&salt, 7, 3, &sealed), Err(SlotError::Layout { tick: 7, slot: 3, offset: 95 }));
        assert_eq!(open_slot(&salt, 8, 3, &sealed), Err(SlotError::Tag { tick: 8, slot: 3 }));
    }

    #[test]
    fn attack_every_flipped_bit_of_a_slot() {
        let on = SlotState::On(SearchSlot {
            order: Digest([9; 32]),
            purpose: Purpose::Convict,
            counts: Counts { frames_compared: 1_500, candidates: 2, confirmed: 1, rejected: 1 },
        });
        let flip = |bytes: &mut [u8], bit: usize| bytes[bit / 8] ^= 1 << (bit % 8);
        let mut tried = 0;
        for state in [SlotState::Unused, SlotState::Off, on, SlotState::Unknown] {
            let (tick, slot) = (41_237_u64, 5_u32);
            let salt = Seed::from_bytes([2; 32]).salt(slot);
            let sealed = seal_slot(&salt, tick, slot, state);
            assert_eq!(open_slot(&salt, tick, slot, &sealed), Ok(state));
            let mut refused = |salt: &Salt, tick: u64, slot: u32, sealed: &[u8; SEALED_SLOT]| {
                assert_eq!(open_slot(salt, tick, slot, sealed), Err(SlotError::Tag { tick, slot }));
                tried += 1;
            };
            for bit in 0..8 * SEALED_SLOT {
                let mut other = sealed;
                flip(&mut other, bit);
                refused(&salt, tick, slot, &other);
            }
            for bit in 0..256 {
                let mut other = salt;
                flip(&mut other.0, bit);
                refused(&other, tick, slot, &sealed);
            }
            (0..64).for_each(|bit| refused(&salt, tick ^ (1 << bit), slot, &sealed));
            (0..32).for_each(|bit| refused(&salt, tick, slot ^ (1 << bit), &sealed));
        }
        println!("{tried} flipped bits of slots, salts, tick and slot numbers: all refused");
        assert_eq!(tried, 4 * (1_024 + 256 + 64 + 32));
    }

    proptest! {
        #[test]
        fn a_slot_opens_to_what_was_sealed(seed: [u8; 32], tick: u64, slot: u32, state in any_state()) {
            let salt = Seed::from_bytes(seed).salt(slot);
            prop_assert_eq!(open_slot(&salt, tick, slot, &seal_slot(&salt, tick, slot, state)), Ok(state));
        }
    }
}
