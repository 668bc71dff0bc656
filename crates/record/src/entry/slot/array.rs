//! All slots of one tick: a side file, bound to the log by its root.

use std::convert::Infallible;

use placet_tlog::merkle::{Frontier, Hash, Nodes, ProofError, inclusion_proof, verify_inclusion};

use super::super::leaf::MAX_SLOTS;
use super::{SEALED_SLOT, Salt, Seed, SlotError, SlotState, open_slot, seal_slot};

/// All slots of one tick. Its bytes are the slots one after the other and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotArray {
    slots: Vec<[u8; SEALED_SLOT]>,
}

impl SlotArray {
    /// Seals `states`, the first one into slot 0, and [`SlotState::Unused`] into the slots that are left of `capacity`.
    ///
    /// # Errors
    /// If there are more states than slots, or if `capacity` is not 1 to [`MAX_SLOTS`].
    pub fn seal(seed: &Seed, tick: u64, states: &[SlotState], capacity: u32) -> Result<Self, SlotError> {
        let fits = (1..=MAX_SLOTS).contains(&capacity) && states.len() <= capacity as usize;
        if !fits {
            return Err(SlotError::Capacity { states: states.len(), slots: capacity });
        }
        let states = states.iter().copied().chain(std::iter::repeat(SlotState::Unused));
        let slots = (0..capacity).zip(states);
        Ok(Self {
            slots: slots.map(|(slot, state)| seal_slot(&seed.salt(slot), tick, slot, state)).collect(),
        })
    }

    /// Reads the slots of a tick of a log with `capacity` slots; nothing is verified.
    ///
    /// # Errors
    /// If there are more or fewer.
    pub fn parse(bytes: &[u8], capacity: u32) -> Result<Self, SlotError> {
        let (slots, rest) = bytes.as_chunks::<SEALED_SLOT>();
        if !rest.is_empty() || slots.len() != capacity as usize {
            return Err(SlotError::Length { bytes: bytes.len(), slots: capacity });
        }
        Ok(Self { slots: slots.to_vec() })
    }

    /// The side file.
    pub fn as_bytes(&self) -> &[u8] {
        self.slots.as_flattened()
    }

    /// The slots in order.
    pub fn slots(&self) -> &[[u8; SEALED_SLOT]] {
        &self.slots
    }

    /// What the tick commits to: the RFC 6962 root with the slots as its leaves.
    pub fn root(&self) -> Hash {
        root(&self.slots)
    }

    /// Opens all slots with the seed of tick number `tick`.
    ///
    /// # Errors
    /// That of the first slot which does not open.
    pub fn open(&self, seed: &Seed, tick: u64) -> Result<Vec<SlotState>, SlotError> {
        let slots = (0..).zip(&self.slots);
        slots.map(|(slot, sealed)| open_slot(&seed.salt(slot), tick, slot, sealed)).collect()
    }

    /// What shows one slot alone: the slot, its salt and its path; none where there is no such slot.
    pub fn prove(&self, seed: &Seed, slot: u32) -> Option<SlotProof> {
        let sealed = *self.slots.get(slot as usize)?;
        Some(SlotProof { slot, salt: seed.salt(slot), sealed, path: self.path(slot) })
    }

    /// The path from a slot towards the root, for whoever has no seed; empty where there is no such slot.
    pub fn path(&self, slot: u32) -> Vec<Hash> {
        let Ok(path) = inclusion_proof(&mut Leaves(&self.slots), slot.into(), self.slots.len() as u64);
        path
    }
}

/// The root over some slots.
fn root(slots: &[[u8; SEALED_SLOT]]) -> Hash {
    let mut tree = Frontier::default();
    slots.iter().for_each(|slot| tree.push(Hash::of_leaf(slot), |_, _, _| ()));
    tree.root()
}

/// The slots as the leaves of their tree.
struct Leaves<'s>(&'s [[u8; SEALED_SLOT]]);

impl Nodes for Leaves<'_> {
    type Error = Infallible;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Infallible> {
        let (from, until) = (index << level, (index + 1) << level);
        Ok(root(self.0.get(from as usize..until as usize).unwrap_or_default()))
    }
}

/// What shows one slot of a tick and nothing of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotProof {
    /// The slot's number.
    pub slot: u32,
    /// What opens it.
    pub salt: Salt,
    /// The slot.
    pub sealed: [u8; SEALED_SLOT],
    /// Its RFC 6962 inclusion path.
    pub path: Vec<Hash>,
}

impl SlotProof {
    /// What the slot says, if it stands under `root`, the root in tick number `tick` of a log with `capacity` slots.
    ///
    /// # Errors
    /// If it does not stand there, or cannot be opened.
    pub fn verify(&self, root: Hash, tick: u64, capacity: u32) -> Result<SlotState, SlotProofError> {
        let (slot, leaf) = (self.slot, Hash::of_leaf(&self.sealed));
        verify_inclusion(leaf, slot.into(), capacity.into(), &self.path, root)
            .map_err(|source| SlotProofError::Path { tick, slot, source })?;
        Ok(open_slot(&self.salt, tick, self.slot, &self.sealed)?)
    }
}

/// Why a slot's proof is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlotProofError {
    /// Slot and path do not lead to the tick's root.
    #[error("slot {slot} is not in tick {tick} as the proof says")]
    Path {
        /// The tick's number.
        tick: u64,
        /// The slot's number.
        slot: u32,
        /// Why not.
        source: ProofError,
    },
    /// It is there, but does not open.
    #[error("the proved slot cannot be opened")]
    Slot {
        /// Why not.
        #[from]
        source: SlotError,
    },
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use placet_core::Digest;
    use proptest::prelude::*;

    use super::super::state::tests::any_state;
    use super::super::{Counts, SearchSlot};
    use super::*;
    use crate::entry::value::Purpose;

    fn on() -> SlotState {
        SlotState::On(SearchSlot {
            order: Digest([9; 32]),
            purpose: Purpose::MissingPerson,
            counts: Counts { frames_compared: 1_500, candidates: 3, confirmed: 1, rejected: 2 },
        })
    }

    /// A seed for each number; real ones are random.
    fn seed(n: u64) -> Seed {
        Seed::from_bytes(Digest::of(&n.to_be_bytes()).0)
    }

    #[test]
    fn an_idle_and_a_busy_tick_look_alike() {
        let idle = SlotArray::seal(&seed(0), 0, &[SlotState::Off; 12], 16).unwrap();
        let busy = SlotArray::seal(&seed(1), 1, &[on(); 16], 16).unwrap();
        let none = SlotArray::seal(&seed(2), 2, &[], 16).unwrap();
        for array in [&idle, &busy, &none] {
            assert_eq!((array.as_bytes().len(), array.slots().len()), (16 * 128, 16));
            // Were the stream to repeat or be left out, bits would not be balanced: 16,384 of them, 8 deviations away.
            let ones: u32 = array.as_bytes().iter().map(|byte| byte.count_ones()).sum();
            assert!((7_680..=8_704).contains(&ones), "{ones} of 16384 bits are set");
        }
    }

    #[test]
    fn no_slot_ever_looks_like_another() {
        let mut seen = BTreeSet::new();
        let mut blocks: BTreeSet<[u8; 16]> = BTreeSet::new();
        for tick in 0..250 {
            let states = [SlotState::Off, on(), SlotState::Off, SlotState::Unknown];
            for slot in SlotArray::seal(&seed(tick), tick, &states, 16).unwrap().slots() {
                seen.insert(*slot);
                blocks.extend(slot.as_chunks::<16>().0);
            }
        }
        assert_eq!((seen.len(), blocks.len()), (250 * 16, 250 * 16 * 8));
    }

    #[test]
    fn a_seed_used_twice_still_hides() {
        // A gateway restored from a copy seals other ticks, and the same tick otherwise, with a seed it had used before.
        let first = SlotArray::seal(&seed(0), 7, &[SlotState::Off], 1).unwrap();
        for (tick, state) in [(8, SlotState::Off), (7, on())] {
            let again = SlotArray::seal(&seed(0), tick, &[state], 1).unwrap();
            let same = first.as_bytes().iter().zip(again.as_bytes()).filter(|(a, b)| a == b).count();
            assert!(same < 8, "{same} of 128 bytes are the same");
        }
    }

    #[test]
    fn a_capacity_that_does_not_fit_is_refused() {
        let seal = |states: usize, slots| SlotArray::seal(&seed(0), 0, &vec![SlotState::Off; states], slots);
        for (states, slots) in [(0, 0), (2, 1), (0, MAX_SLOTS + 1)] {
            assert_eq!(seal(states, slots), Err(SlotError::Capacity { states, slots }));
        }
        let array = seal(2, 3).unwrap();
        assert_eq!(SlotArray::parse(array.as_bytes(), 3), Ok(array.clone()));
        for (bytes, slots) in [(383, 3), (384, 2), (384, 4), (0, 3)] {
            let cut = &array.as_bytes()[..bytes];
            assert_eq!(SlotArray::parse(cut, slots), Err(SlotError::Length { bytes, slots }));
        }
        assert_eq!(array.open(&seed(1), 0), Err(SlotError::Tag { tick: 0, slot: 0 }));
        assert_eq!(array.prove(&seed(0), 3), None);
    }

    #[test]
    fn a_slot_swapped_for_another_is_caught() {
        let array = SlotArray::seal(&seed(0), 0, &[on(), SlotState::Off], 2).unwrap();
        let proof = array.prove(&seed(0), 0).unwrap();
        assert_eq!(proof.verify(array.root(), 0, 2), Ok(on()));
        let other = SlotArray::seal(&seed(0), 0, &[SlotState::Off, SlotState::Off], 2).unwrap();
        let forged = other.prove(&seed(0), 0).unwrap();
        assert_eq!(
            forged.verify(array.root(), 0, 2),
            Err(SlotProofError::Path { tick: 0, slot: 0, source: ProofError::Root })
        );
        assert!(matches!(proof.verify(array.root(), 1, 2), Err(SlotProofError::Slot { .. })));
    }

    proptest! {
        #[test]
        fn each_slot_is_proved_alone(states in prop::collection::vec(any_state(), 0..9), more in 1_u32..5, tick: u64) {
            let capacity = states.len() as u32 + more;
            let array = SlotArray::seal(&seed(tick), tick, &states, capacity).unwrap();
            let opened = array.open(&seed(tick), tick).unwrap();
            prop_assert_eq!(&opened[..states.len()], states.as_slice());
            for (slot, state) in (0..).zip(opened) {
                let proof = array.prove(&seed(tick), slot).unwrap();
                prop_assert_eq!(proof.verify(array.root(), tick, capacity), Ok(state));
            }
        }
    }
}
