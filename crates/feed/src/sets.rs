use std::fmt;
use std::sync::Arc;

use placet_core::Size;

/// Unit types of table 7-1.
const SEQUENCE: u8 = 7;
const PICTURE: u8 = 8;
/// A sequence parameter set starts with its type, profile, constraints and level.
const HEAD: usize = 4;
/// Parameter sets are a few dozen bytes.
const LONGEST: usize = 1 << 10;

/// What a decoder must know before the first picture: one sequence and one picture parameter set of a key frame
/// (ITU-T H.264, 7.3.2.1 and 7.3.2.2). Clones share the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct ParameterSets {
    // INVARIANT: `sequence` has at least `HEAD` bytes.
    sequence: Arc<[u8]>,
    picture: Arc<[u8]>,
    size: Size,
}

impl ParameterSets {
    /// The first of each kind among the units of a key frame of that size; none where one is missing.
    pub fn of<'n>(units: impl Iterator<Item = &'n [u8]>, size: Size) -> Option<Self> {
        let (mut sequence, mut picture) = (None, None);
        for unit in units.filter(|unit| (HEAD..=LONGEST).contains(&unit.len())) {
            match unit.first().map(|head| head & 0x1f) {
                Some(SEQUENCE) => sequence = sequence.or(Some(unit)),
                Some(PICTURE) => picture = picture.or(Some(unit)),
                _ => {}
            }
        }
        let (sequence, picture) = (sequence?, picture?);
        Some(Self { sequence: sequence.into(), picture: picture.into(), size })
    }

    /// The sequence parameter set, without a start code.
    pub fn sequence(&self) -> &[u8] {
        &self.sequence
    }

    /// The picture parameter set, without a start code.
    pub fn picture(&self) -> &[u8] {
        &self.picture
    }

    /// Profile, constraints and level, as the sequence parameter set starts.
    pub fn profile(&self) -> [u8; 3] {
        match *self.sequence {
            [_, profile, constraints, level, ..] => [profile, constraints, level],
            _ => [0; 3],
        }
    }

    /// Width and height as shown, in luma pixels.
    pub fn size(&self) -> Size {
        self.size
    }

    /// As browsers name it: `avc1.42c01f` (RFC 6381, 3.3).
    pub fn codec(&self) -> String {
        let [profile, constraints, level] = self.profile();
        format!("avc1.{profile:02x}{constraints:02x}{level:02x}")
    }
}

impl fmt::Debug for ParameterSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}x{}", self.codec(), self.size.width, self.size.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1920x1080 as x264 writes it in baseline (ffmpeg 5.1).
    const FULL: [u8; 25] = [
        0x67, 0x42, 0xc0, 0x28, 0xda, 0x01, 0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3,
        0x20, 0xf1, 0x83, 0x2a,
    ];
    const SET: [u8; 4] = [0x68, 0xce, 0x0f, 0xc8];

    const SIZE: Size = Size { width: 1920, height: 1080 };

    #[test]
    fn sets_tell_size_and_codec() {
        let sets = ParameterSets::of([&[9, 0xf0][..], &FULL, &SET, &[0x65, 0x88]].into_iter(), SIZE).unwrap();
        assert_eq!((sets.size(), sets.codec().as_str()), (SIZE, "avc1.42c028"));
        assert_eq!((sets.sequence(), sets.picture()), (&FULL[..], &SET[..]));
    }

    #[test]
    fn a_key_frame_without_sets_is_no_place_to_start() {
        let of = |units: &[&[u8]]| ParameterSets::of(units.iter().copied(), SIZE);
        assert_eq!(of(&[&[0x65, 0x88]]), None);
        assert_eq!(of(&[&FULL]), None);
        assert_eq!(of(&[&SET]), None);
        assert_eq!(of(&[&FULL[..3], &SET]), None);
        let long = [&FULL[..], &[0x55; LONGEST]].concat();
        assert_eq!(of(&[&long, &SET]), None);
    }
}
