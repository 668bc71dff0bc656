//! Slots: what each camera does in one interval, sealed so that all look alike until the tick is opened.
//!
//! Every tick has as many slots as the log's genesis says, taken or not. A slot's plain form is 96 bytes:
//!
//! | offset | bytes | content |
//! | --- | --- | --- |
//! | 0 | 1 | version, 1 |
//! | 1 | 1 | state: 0 no camera has this slot, 1 off, 2 on, 3 unknown |
//! | 2 | 1 | purpose, 1 to 6 ([`Purpose::code`]) |
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

pub use array::{SlotArray, SlotProof, SlotProofError};

use std::fmt;

use placet_core::Digest;

use super::mac::{expand, mac};
use super::value::Purpose;

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

/// What one slot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// No camera has this slot.
    Unused,
    /// No search runs on this camera at any instant of the interval.
    Off,
    /// A search runs, or may.
    On(SearchSlot),
    /// The camera's gateway did not answer, and nothing is stated.
    Unknown,
}

/// What a slot says of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchSlot {
    /// SHA-256 of the order as it was signed.
    pub order: Digest,
    /// What the order is for.
    pub purpose: Purpose,
    /// What came of the interval before this one.
    pub counts: Counts,
}

/// What came of one interval of a search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames in which faces were compared.
    pub frames_compared: u32,
    /// References above the threshold.
    pub candidates: u16,
    /// Candidates that a person confirmed.
    pub confirmed: u16,
    /// Candidates that a person rejected.
    pub rejected: u16,
}

impl SlotState {
    fn code(&self) -> u8 {
        match self {
            Self::Unused => 0,
            Self::Off => 1,
            Self::On(_) => 2,
            Self::Unknown => 3,
        }
    }

    /// The plain form.
    fn to_plain(self) -> [u8; PLAIN_SLOT] {
        let mut plain = [0; PLAIN_SLOT];
        let head = match &self {
            Self::On(SearchSlot { order, purpose, counts }) => [
                [1, self.code(), purpose.code(), 0].as_slice(),
                &order.0,
                &counts.frames_compared.to_be_bytes(),
                &counts.candidates.to_be_bytes(),
                &counts.confirmed.to_be_bytes(),
                &counts.rejected.to_be_bytes(),
            ]
            .concat(),
            Self::Unused | Self::Off | Self::Unknown => vec![1, self.code()],
        };
        plain.iter_mut().zip(head).for_each(|(to, from)| *to = from);
        plain
    }

    /// Reads the plain form; an error is the offset of the first byte that cannot stand where it does.
    fn from_plain(plain: &[u8; PLAIN_SLOT]) -> Result<Self, usize> {
        let [version, state, purpose, _, rest @ ..] = plain;
        if *version != 1 {
            return Err(0);
        }
        let read = match state {
            0 => Self::Unused,
            1 => Self::Off,
            2 => {
                let purpose = Purpose::from_code(*purpose).ok_or(2_usize)?;
                Self::on(purpose, rest).ok_or(4_usize)?
            }
            3 => Self::Unknown,
            _ => return Err(1),
        };
        // Whatever was not read has to be zero, as it is written.
        match read.to_plain().iter().zip(plain).position(|(written, given)| written != given) {
            Some(offset) => Err(offset),
            None => Ok(read),
        }
    }

    fn on(purpose: Purpose, bytes: &[u8]) -> Option<Self> {
        let (order, bytes) = bytes.split_first_chunk::<32>()?;
        let (frames, bytes) = bytes.split_first_chunk::<4>()?;
        let (candidates, bytes) = bytes.split_first_chunk::<2>()?;
        let (confirmed, bytes) = bytes.split_first_chunk::<2>()?;
        let (rejected, _) = bytes.split_first_chunk::<2>()?;
        Some(Self::On(SearchSlot {
            order: Digest(*order),
            purpose,
            counts: Counts {
                frames_compared: u32::from_be_bytes(*frames),
                candidates: u16::from_be_bytes(*candidates),
                confirmed: u16::from_be_bytes(*confirmed),
                rejected: u16::from_be_bytes(*rejected),
            },
        }))
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
    use proptest::prelude::*;

    use super::*;

    pub(super) fn any_state() -> impl Strategy<Value = SlotState> {
        let on = (any::<[u8; 32]>(), 1_u8..=6, any::<(u32, u16, u16, u16)>()).prop_map(|(order, code, n)| {
            SlotState::On(SearchSlot {
                order: Digest(order),
                purpose: Purpose::from_code(code).unwrap(),
                counts: Counts { frames_compared: n.0, candidates: n.1, confirmed: n.2, rejected: n.3 },
            })
        });
        prop_oneof![Just(SlotState::Unused), Just(SlotState::Off), Just(SlotState::Unknown), on]
    }

    #[test]
    fn the_plain_form_is_as_the_table_says() {
        let on = SlotState::On(SearchSlot {
            order: Digest([0xaa; 32]),
            purpose: Purpose::Threat,
            counts: Counts { frames_compared: 0x0102_0304, candidates: 5, confirmed: 6, rejected: 0x0708 },
        });
        let plain = on.to_plain();
        assert_eq!(plain[..4], [1, 2, 3, 0]);
        assert_eq!(plain[4..36], [0xaa; 32]);
        assert_eq!(plain[36..46], [1, 2, 3, 4, 0, 5, 0, 6, 7, 8]);
        assert_eq!(plain[46..], [0; 50]);
        for (state, code) in [(SlotState::Unused, 0), (SlotState::Off, 1), (SlotState::Unknown, 3)] {
            let plain = state.to_plain();
            assert_eq!((plain[0], plain[1]), (1, code));
            assert_eq!(plain[2..], [0; 94]);
        }
    }

    #[test]
    fn a_plain_form_with_anything_more_is_refused() {
        let mut refused = 0;
        for state in [SlotState::Unused, SlotState::Off, SlotState::Unknown] {
            for at in 2..PLAIN_SLOT {
                let mut plain = state.to_plain();
                plain[at] = 1;
                assert_eq!(SlotState::from_plain(&plain), Err(at), "{state:?}");
                refused += 1;
            }
        }
        for (at, value) in [(0, 0), (0, 2), (1, 4), (1, 255), (2, 1)] {
            let mut plain = SlotState::Off.to_plain();
            plain[at] = value;
            assert_eq!(SlotState::from_plain(&plain), Err(at));
        }
        let mut no_purpose = [0; PLAIN_SLOT];
        (no_purpose[0], no_purpose[1]) = (1, 2);
        assert_eq!(SlotState::from_plain(&no_purpose), Err(2));
        (no_purpose[2], no_purpose[3]) = (6, 1);
        assert_eq!(SlotState::from_plain(&no_purpose), Err(3));
        assert_eq!(refused, 282);
    }

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

        #[test]
        fn plain_forms_read_back_or_are_refused(bytes: [u8; 46], state in 0_u8..5) {
            let mut plain = [0; PLAIN_SLOT];
            plain[..46].copy_from_slice(&bytes);
            (plain[0], plain[1], plain[2], plain[3]) = (1, state, bytes[2] % 8, 0);
            if let Ok(read) = SlotState::from_plain(&plain) {
                prop_assert_eq!(read.to_plain(), plain);
            }
        }
    }
}
