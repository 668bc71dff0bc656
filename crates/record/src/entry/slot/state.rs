//! What a slot says, and its plain form.

use placet_core::Digest;

use super::super::value::Purpose;
use super::PLAIN_SLOT;

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
    pub(super) fn to_plain(self) -> [u8; PLAIN_SLOT] {
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
    pub(super) fn from_plain(plain: &[u8; PLAIN_SLOT]) -> Result<Self, usize> {
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

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(in super::super) fn any_state() -> impl Strategy<Value = SlotState> {
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

    proptest! {
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
