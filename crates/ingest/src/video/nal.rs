//! H.264 in units: what of a frame may be copied, and which parameter sets it needs.
//!
//! Follows ITU-T H.264 (08/2021): 7.3.1 and Annex B for units, 7.3.2.1.1, 7.3.2.2 and E.1 for parameter sets, 7.3.3
//! for the set a slice refers to.

use std::collections::{BTreeMap, BTreeSet};

/// Unit types of table 7-1.
const SLICE: u8 = 1;
const IDR_SLICE: u8 = 5;
const SEQUENCE: u8 = 7;
const PICTURE: u8 = 8;
/// Supplemental information, access unit delimiter, ends of sequence and stream, filler: no picture needs them. The
/// first is where cameras leave places and device names, the last may hold anything.
const LEFT_OUT: [u8; 5] = [6, 9, 10, 11, 12];

const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// Bytes of a parameter set: encoders need a few dozen, and the rest could hold anything.
const LARGEST_SET: usize = 512;
/// Bytes of a slice that are read: three numbers of at most 63 bits lie in them.
const SLICE_HEAD: usize = 40;
/// `profile_idc` of the sequence parameter sets that tell their sampling (7.3.2.1.1).
const HIGH_PROFILES: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// Why a stream is not copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NalRefusal {
    /// Layers, views, auxiliary pictures, data partitions or something unknown: no picture of theirs was judged.
    #[error("it holds units of type {0}, which no decoder here shows")]
    Type(u8),
    /// Two different ones of one number: a file's header can tell players only one.
    #[error("its parameter sets change on the way")]
    SetsChange,
    /// A set that cannot be read.
    #[error("a parameter set is damaged")]
    Set,
    /// A set that goes on behind its last setting: what follows no decoder reads, and it may say anything.
    #[error("a parameter set goes on behind its end")]
    SetGoesOn,
    /// A set with room for what is no setting.
    #[error("a parameter set is larger than {LARGEST_SET} bytes")]
    SetLarge,
    /// More of the coded picture is hidden than filling up its last blocks takes: nobody judged what is there.
    #[error(
        "its frames are cropped by {across} columns and {down} rows, and what was cropped away would come along"
    )]
    Cropped {
        /// Luma samples cut off on the left and right.
        across: u32,
        /// Luma samples cut off above and below.
        down: u32,
    },
    /// A slice that does not tell which set it needs.
    #[error("a slice's head is damaged")]
    Slice,
    /// No number is left for the encoder's.
    #[error("it uses all numbers of parameter sets")]
    SetsFull,
}

/// A frame as it may be copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodedPicture {
    /// Its slices, each behind a start code, and nothing else.
    pub data: Vec<u8>,
    /// All slices are of an IDR picture: decoding starts here, and nothing later refers to anything earlier.
    pub idr: bool,
}

/// The parameter sets of a stream, and which of them its slices refer to.
///
/// Two are equal where they hold the same sets, whoever refers to them.
#[derive(Clone, Debug, Default)]
pub struct ParameterSets {
    sets: BTreeMap<(u8, u32), Vec<u8>>,
    /// Numbers of the pictures' sets that slices refer to.
    used: BTreeSet<u32>,
}

impl PartialEq for ParameterSets {
    fn eq(&self, other: &Self) -> bool {
        self.sets == other.sets
    }
}

impl Eq for ParameterSets {}

impl ParameterSets {
    /// A number from 0 to 31 that neither a sequence's nor a picture's set has, and that no slice refers to.
    ///
    /// # Errors
    /// Where there is none.
    pub fn free_id(&self) -> Result<u8, NalRefusal> {
        let free = |id: &u8| {
            let id = u32::from(*id);
            !self.used.contains(&id)
                && [SEQUENCE, PICTURE].iter().all(|kind| !self.sets.contains_key(&(*kind, id)))
        };
        (0..32).rev().find(free).ok_or(NalRefusal::SetsFull)
    }

    /// Adds another stream's sets, as far as its slices refer to them.
    ///
    /// # Errors
    /// Where any of the two streams' sets differ under one number.
    pub fn join(&mut self, other: &Self) -> Result<(), NalRefusal> {
        let differs = |(key, set): (&_, &_)| self.sets.get(key).is_some_and(|known| known != set);
        if other.sets.iter().any(differs) {
            return Err(NalRefusal::SetsChange);
        }
        self.sets.extend(other.needed().map(|(key, set)| (*key, set.clone())));
        self.used.extend(&other.used);
        Ok(())
    }

    /// Sequences' sets and pictures' sets that slices refer to. The first is the one of the highest profile and level,
    /// since files are labelled by the first.
    pub(super) fn by_kind(&self) -> (Vec<&[u8]>, Vec<&[u8]>) {
        let of = |kind| self.needed().filter(move |((k, _), _)| *k == kind).map(|(_, set)| set.as_slice());
        let mut sequences: Vec<&[u8]> = of(SEQUENCE).collect();
        // Bytes 1 and 3 are profile and level.
        sequences.sort_by_key(|set| std::cmp::Reverse((set.get(1).copied(), set.get(3).copied())));
        (sequences, of(PICTURE).collect())
    }

    /// The pictures' sets that slices refer to, and the sequences' sets these refer to.
    fn needed(&self) -> impl Iterator<Item = (&(u8, u32), &Vec<u8>)> {
        let pictures = self.used.iter().filter_map(|id| self.sets.get(&(PICTURE, *id)));
        let sequences: BTreeSet<u32> =
            pictures.filter_map(|set| picture_ids(set)).map(|(_, sequence)| sequence).collect();
        self.sets.iter().filter(move |((kind, id), _)| match *kind {
            SEQUENCE => sequences.contains(id),
            _ => self.used.contains(id),
        })
    }

    fn insert(&mut self, key: (u8, u32), set: &[u8]) -> Result<(), NalRefusal> {
        match self.sets.get(&key) {
            Some(known) if known == set => Ok(()),
            Some(_) => Err(NalRefusal::SetsChange),
            None => {
                self.sets.insert(key, set.to_vec());
                Ok(())
            }
        }
    }

    /// Takes a frame apart: sets are kept here, slices in the picture, what no picture needs is left out.
    ///
    /// # Errors
    /// Where it holds what may not be copied.
    pub fn take(&mut self, annex_b: &[u8]) -> Result<CodedPicture, NalRefusal> {
        let mut picture = CodedPicture { data: Vec::with_capacity(annex_b.len()), idr: true };
        for unit in units(annex_b) {
            match unit.first().map(|head| head & 0x1F) {
                Some(kind @ (SLICE | IDR_SLICE)) => {
                    self.used.insert(slice_set(unit).ok_or(NalRefusal::Slice)?);
                    picture.idr &= kind == IDR_SLICE;
                    picture.data.extend(START_CODE);
                    picture.data.extend_from_slice(unit);
                }
                Some(SEQUENCE | PICTURE) if unit.len() > LARGEST_SET => return Err(NalRefusal::SetLarge),
                Some(SEQUENCE) => {
                    let sequence = Sequence::read(unit).ok_or(NalRefusal::Set)?;
                    sequence.check()?;
                    if !sequence.ends {
                        return Err(NalRefusal::SetGoesOn);
                    }
                    self.insert((SEQUENCE, sequence.id), unit)?;
                }
                Some(PICTURE) => {
                    let (id, _) = picture_ids(unit).ok_or(NalRefusal::Set)?;
                    // How many scaling lists there are depends on the sequence, whose set may come later.
                    let ends = [2, 6].map(|lists| picture_ends(unit, lists));
                    match ends {
                        [None, None] => return Err(NalRefusal::Set),
                        _ if ends.contains(&Some(true)) => {}
                        _ => return Err(NalRefusal::SetGoesOn),
                    }
                    self.insert((PICTURE, id), unit)?;
                }
                Some(kind) if LEFT_OUT.contains(&kind) => {}
                Some(kind) => return Err(NalRefusal::Type(kind)),
                None => {}
            }
        }
        picture.idr &= !picture.data.is_empty();
        Ok(picture)
    }
}

/// Number of the picture parameter set a slice refers to: `first_mb_in_slice` and `slice_type` come before it.
fn slice_set(unit: &[u8]) -> Option<u32> {
    let mut bits = Bits::of_unit(unit.get(..SLICE_HEAD).unwrap_or(unit));
    bits.unsigned()?;
    bits.unsigned()?;
    bits.at_most(255)
}

/// Numbers of a picture parameter set and of the sequence parameter set it refers to.
fn picture_ids(unit: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::of_unit(unit);
    Some((bits.at_most(255)?, bits.at_most(31)?))
}

/// Whether a picture parameter set ends where its settings do, if there are so many scaling lists for blocks of 8 by 8
/// samples. None where it ends before, or groups its slices, which no encoder in use does.
fn picture_ends(unit: &[u8], lists: u32) -> Option<bool> {
    let mut bits = Bits::of_unit(unit);
    bits.at_most(255)?;
    bits.at_most(31)?;
    bits.number(2)?;
    bits.at_most(0)?;
    // Reference frames; weights; quantisation.
    bits.at_most(31)?;
    bits.at_most(31)?;
    bits.number(3)?;
    (0..3).try_for_each(|_| bits.signed().map(|_| ()))?;
    bits.number(3)?;
    Some(bits.ended() || bits.skip_high_settings(lists).is_some_and(|()| bits.ended()))
}

/// What is read of a sequence parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sequence {
    id: u32,
    /// Luma samples that are cropped away: left and right, above and below.
    cropped: (u32, u32),
    /// Pictures may be fields.
    fields: bool,
    /// Nothing follows its last setting.
    ends: bool,
}

impl Sequence {
    fn read(unit: &[u8]) -> Option<Self> {
        let mut bits = Bits::of_unit(unit);
        let profile = bits.number(8)?;
        // Constraints and level.
        bits.number(16)?;
        let id = bits.at_most(31)?;
        let mut chroma = 1;
        if HIGH_PROFILES.contains(&profile) {
            chroma = bits.at_most(3)?;
            let separate = chroma == 3 && bits.flag()?;
            // Bit depths.
            bits.at_most(6)?;
            bits.at_most(6)?;
            bits.flag()?;
            if bits.flag()? {
                let lists = if chroma == 3 { 12 } else { 8 };
                (0..lists).try_for_each(|n| bits.skip_scaling_list(if n < 6 { 16 } else { 64 }))?;
            }
            chroma = if separate { 0 } else { chroma };
        }
        bits.at_most(12)?;
        match bits.at_most(2)? {
            0 => {
                bits.at_most(12)?;
            }
            1 => {
                bits.flag()?;
                bits.signed()?;
                bits.signed()?;
                let cycle = bits.at_most(255)?;
                (0..cycle).try_for_each(|_| bits.signed().map(|_| ()))?;
            }
            _ => {}
        }
        // Reference frames, gaps between them, and the size in macroblocks.
        bits.unsigned()?;
        bits.flag()?;
        bits.unsigned()?;
        bits.unsigned()?;
        let fields = !bits.flag()?;
        if fields {
            bits.flag()?;
        }
        bits.flag()?;
        let (across, down) = if bits.flag()? {
            let mut pair = || bits.unsigned()?.checked_add(bits.unsigned()?);
            (pair()?, pair()?)
        } else {
            (0, 0)
        };
        // Equations 7-19 to 7-22.
        let unit_x = if chroma == 1 || chroma == 2 { 2 } else { 1 };
        let unit_y = if chroma == 1 { 2 } else { 1 } * if fields { 2 } else { 1 };
        let cropped = (across.checked_mul(unit_x)?, down.checked_mul(unit_y)?);
        if bits.flag()? {
            bits.skip_usability()?;
        }
        Some(Self { id, cropped, fields, ends: bits.ended() })
    }

    /// Cropping hides the rest of the last blocks of 16 rows and columns (32 rows where pictures may be fields).
    fn check(self) -> Result<(), NalRefusal> {
        let (across, down) = self.cropped;
        if across >= 16 || down >= if self.fields { 32 } else { 16 } {
            return Err(NalRefusal::Cropped { across, down });
        }
        Ok(())
    }
}

/// The units between start codes, without the zeros that may follow them.
pub(crate) fn units(annex_b: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts: Vec<usize> =
        annex_b.windows(3).enumerate().filter(|(_, w)| *w == [0, 0, 1]).map(|(at, _)| at).collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([annex_b.len()]).collect();
    starts.into_iter().zip(ends).filter_map(move |(start, end)| {
        let unit = annex_b.get(start + 3..end)?;
        let len = unit.iter().rposition(|byte| *byte != 0)? + 1;
        unit.get(..len)
    })
}

/// The bits of a unit behind its first byte, without the bytes that only keep start codes out (7.3.1).
struct Bits {
    bytes: Vec<u8>,
    /// In bits.
    at: usize,
}

impl Bits {
    fn of_unit(unit: &[u8]) -> Self {
        let mut zeros = 0;
        let mut bytes = Vec::with_capacity(unit.len());
        for byte in unit.iter().skip(1) {
            if zeros >= 2 && *byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if *byte == 0 { zeros + 1 } else { 0 };
            bytes.push(*byte);
        }
        Self { bytes, at: 0 }
    }

    fn flag(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// A number of `len` bits, at most 32.
    fn number(&mut self, len: u32) -> Option<u32> {
        (0..len).try_fold(0, |value: u32, _| Some(value << 1 | u32::from(self.flag()?)))
    }

    /// An unsigned Exp-Golomb number (9.1).
    fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
        }
        // More than 32 bits are not allowed (7.2); 2^32 - 1 is of no use here.
        (zeros < 32).then_some(())?;
        Some((1 << zeros) - 1 + self.number(zeros)?)
    }

    fn at_most(&mut self, most: u32) -> Option<u32> {
        self.unsigned().filter(|value| *value <= most)
    }

    /// A signed one (9.1.1).
    fn signed(&mut self) -> Option<i64> {
        let code = i64::from(self.unsigned()?);
        Some(if code % 2 == 1 { code / 2 + 1 } else { -(code / 2) })
    }

    /// Whether only the bit that ends a set and zeros follow (7.3.2.11).
    fn ended(&self) -> bool {
        let last = self.bytes.iter().rposition(|byte| *byte != 0);
        let place = last.and_then(|at| Some(at * 8 + 7 - self.bytes.get(at)?.trailing_zeros() as usize));
        place == Some(self.at)
    }

    /// What the high profiles add to a picture parameter set.
    fn skip_high_settings(&mut self, lists: u32) -> Option<()> {
        let more = if self.flag()? { lists } else { 0 };
        if self.flag()? {
            (0..6 + more).try_for_each(|n| self.skip_scaling_list(if n < 6 { 16 } else { 64 }))?;
        }
        self.signed().map(|_| ())
    }

    /// What a sequence says of how to show it (E.1.1).
    fn skip_usability(&mut self) -> Option<()> {
        const OTHER_ASPECT: u32 = 255;
        if self.flag()? && self.number(8)? == OTHER_ASPECT {
            self.number(32)?;
        }
        if self.flag()? {
            self.flag()?;
        }
        if self.flag()? {
            self.number(4)?;
            if self.flag()? {
                self.number(24)?;
            }
        }
        if self.flag()? {
            self.unsigned()?;
            self.unsigned()?;
        }
        if self.flag()? {
            self.number(32)?;
            self.number(32)?;
            self.flag()?;
        }
        let mut buffered = false;
        for _ in 0..2 {
            if self.flag()? {
                buffered = true;
                self.skip_buffer()?;
            }
        }
        if buffered {
            self.flag()?;
        }
        self.flag()?;
        if self.flag()? {
            self.flag()?;
            (0..6).try_for_each(|_| self.unsigned().map(|_| ()))?;
        }
        Some(())
    }

    /// Parameters of a buffer model (E.1.2).
    fn skip_buffer(&mut self) -> Option<()> {
        let count = self.at_most(31)?;
        self.number(8)?;
        for _ in 0..=count {
            self.unsigned()?;
            self.unsigned()?;
            self.flag()?;
        }
        self.number(20).map(|_| ())
    }

    /// A scaling list of `len` numbers, where there is one (7.3.2.1.1.1).
    fn skip_scaling_list(&mut self, len: u32) -> Option<()> {
        if !self.flag()? {
            return Some(());
        }
        let mut last = 8;
        for _ in 0..len {
            last = (last + self.signed()?).rem_euclid(256);
            if last == 0 {
                // The rest is as the last one.
                break;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits as a standard's table writes them, into a unit.
    #[derive(Clone, Default)]
    struct Spelt(Vec<bool>);

    impl Spelt {
        fn n(mut self, len: u32, value: u32) -> Self {
            self.0.extend((0..len).rev().map(|n| value >> n & 1 == 1));
            self
        }

        fn ue(self, values: &[u32]) -> Self {
            values.iter().fold(self, |s, v| {
                let len = (v + 1).ilog2();
                s.n(len, 0).n(len + 1, v + 1)
            })
        }

        /// Behind `head`, ended, and with the bytes that keep start codes out.
        fn unit(self, head: u8) -> Vec<u8> {
            let mut bits = self.n(1, 1).0;
            bits.resize(bits.len().next_multiple_of(8), false);
            let mut out = vec![head];
            for byte in bits.chunks(8).map(|c| c.iter().fold(0, |b, bit| b << 1 | u8::from(*bit))) {
                if byte <= 3 && out.ends_with(&[0, 0]) {
                    out.push(3);
                }
                out.push(byte);
            }
            out
        }
    }

    /// A 4:2:0 sequence of frames.
    fn sps(id: u32, level: u32, crop: Option<[u32; 4]>) -> Vec<u8> {
        let high = Spelt::default().n(8, 100).n(16, level).ue(&[id, 1, 0, 0]).n(2, 0);
        rest(high, true, crop).unit(0x67)
    }

    /// From `log2_max_frame_num_minus4` on: 1280x720.
    fn rest(head: Spelt, frames: bool, crop: Option<[u32; 4]>) -> Spelt {
        let s = head.ue(&[0, 2, 4]).n(1, 0).ue(&[79, 44]).n(1, frames.into());
        let s = if frames { s } else { s.n(1, 0) }.n(1, 1).n(1, crop.is_some().into());
        crop.map_or(s.clone(), |crop| s.ue(&crop)).n(1, 0)
    }

    fn pps(id: u32, sequence: u32) -> Vec<u8> {
        settings(id, sequence).unit(0x68)
    }

    /// Those every picture parameter set has.
    fn settings(id: u32, sequence: u32) -> Spelt {
        Spelt::default().ue(&[id, sequence]).n(2, 3).ue(&[0, 2, 0]).n(3, 4).ue(&[5, 0, 4]).n(3, 4)
    }

    fn slice(head: u8, set: u32) -> Vec<u8> {
        Spelt::default().ue(&[0, 7, set]).n(16, 0xABCD).unit(head)
    }

    fn stream(units: &[&[u8]]) -> Vec<u8> {
        units.iter().flat_map(|u| [0, 0, 1].into_iter().chain(u.iter().copied()).chain([0])).collect()
    }

    fn taken(units: &[&[u8]]) -> ParameterSets {
        let mut sets = ParameterSets::default();
        sets.take(&stream(units)).unwrap();
        sets
    }

    #[test]
    fn numbers_are_read_as_the_standard_writes_them() {
        for (bits, value) in
            [(0b1000_0000, 0), (0b0100_0000, 1), (0b0110_0000, 2), (0b0010_0000, 3), (0b0001_0100, 9)]
        {
            assert_eq!(Bits::of_unit(&[0, bits, 0xFF]).unsigned(), Some(value));
        }
        assert_eq!(Bits::of_unit(&[9, 0, 0, 3, 0, 0x80]).unsigned(), None, "cut short");
        assert_eq!(Bits::of_unit(&[0; 9]).unsigned(), None);
        assert_eq!(Bits::of_unit(&[9, 0, 0, 3, 1, 0x80, 0, 0]).number(32), Some(0x180));
        let signed: Vec<_> =
            (0..5).map(|v| Bits::of_unit(&Spelt::default().ue(&[v]).unit(0)).signed()).collect();
        assert_eq!(signed, [0, 1, -1, 2, -2].map(Some));
    }

    #[test]
    fn slices_stay_and_what_may_tell_of_people_goes() {
        let mut sets = ParameterSets::default();
        let (sequence, set, first) = (sps(0, 31, None), pps(0, 0), slice(0x65, 0));
        let frame =
            stream(&[&[9, 0xF0], &sequence, &set, &[6, 5, 4, b'h', b'o', b'm', b'e'], &first, &first]);
        let picture = sets.take(&frame).unwrap();
        let start: &[u8] = &START_CODE;
        assert_eq!(picture.data, [start, &first, start, &first].concat());
        assert!(picture.idr);
        assert!(!sets.take(&stream(&[&slice(0x41, 0)])).unwrap().idr);
        assert!(!sets.take(&stream(&[&sequence])).unwrap().idr, "sets alone are no picture");
        assert_eq!(sets.by_kind(), (vec![&sequence[..]], vec![&set[..]]));
    }

    #[test]
    fn units_nobody_judged_are_refused() {
        for kind in [2, 3, 4, 13, 14, 15, 19, 20, 21, 24, 31] {
            assert_eq!(ParameterSets::default().take(&stream(&[&[kind, 1]])), Err(NalRefusal::Type(kind)));
        }
        assert_eq!(ParameterSets::default().take(&stream(&[&[0x65, 0x88]])), Err(NalRefusal::Slice));
    }

    #[test]
    fn a_sequence_that_hides_more_than_its_last_blocks_rest_is_refused() {
        let plain = |profile| Spelt::default().n(8, profile).n(16, 31).ue(&[0]);
        // Profile 244 with a sampling; `lists` are flags and numbers of scaling lists.
        let high = |chroma: u32, separate: u32| {
            let s = Spelt::default().n(8, 244).n(16, 31).ue(&[0, chroma]);
            if chroma == 3 { s.n(1, separate) } else { s }.ue(&[2, 2]).n(1, 0)
        };
        let listless = |chroma, separate| high(chroma, separate).n(1, 0);
        // Of eight lists the second is one number and an end (8 - 8 = 0), the last is whole.
        let lists = high(1, 0).n(1, 1).n(1, 0).n(1, 1).ue(&[16]).n(5, 0).n(1, 1).ue(&[0; 64]);
        type Row = (&'static str, Spelt, bool, [u32; 4], Option<(u32, u32)>);
        let rows: &[Row] = &[
            ("1080p", plain(77), true, [0, 0, 0, 4], None),
            ("15 are not reached, 14 are", plain(77), true, [3, 4, 4, 3], None),
            ("columns", plain(77), true, [4, 4, 0, 0], Some((16, 0))),
            ("rows", plain(66), true, [0, 0, 0, 8], Some((0, 16))),
            ("half the picture", plain(77), true, [320, 0, 0, 180], Some((640, 360))),
            ("fields: 28 rows", plain(77), false, [0, 0, 0, 7], None),
            ("fields: 32 rows", plain(77), false, [0, 0, 4, 4], Some((0, 32))),
            ("fields: columns", plain(77), false, [8, 0, 0, 0], Some((16, 0))),
            ("4:0:0", listless(0, 0), true, [0, 15, 15, 0], None),
            ("4:0:0, rows", listless(0, 0), true, [0, 0, 0, 16], Some((0, 16))),
            ("4:2:2", listless(2, 0), true, [0, 7, 0, 15], None),
            ("4:2:2, columns", listless(2, 0), true, [0, 8, 0, 0], Some((16, 0))),
            ("4:4:4", listless(3, 0), true, [0, 15, 0, 16], Some((15, 16))),
            ("three planes", listless(3, 1), true, [8, 8, 0, 0], Some((16, 0))),
            ("scaling lists", lists.clone(), true, [0, 0, 0, 7], None),
            ("scaling lists, rows", lists, true, [0, 0, 0, 8], Some((0, 16))),
        ];
        for (name, head, frames, crop, refused) in rows {
            let unit = rest(head.clone(), *frames, Some(*crop)).unit(0x67);
            let taken = ParameterSets::default().take(&stream(&[&unit])).map(|_| ());
            let wanted = refused.map_or(Ok(()), |(across, down)| Err(NalRefusal::Cropped { across, down }));
            assert_eq!(taken, wanted, "{name}");
        }
        // Pictures ordered by a cycle: numbers so large that their zeros are kept from making a start code.
        let cycle = plain(66).ue(&[0, 1]).n(1, 0).ue(&[(1 << 30) - 1, 0, 3, (1 << 30) - 1, 5, 6, 4]).n(1, 0);
        let unit = cycle.ue(&[79, 44]).n(3, 0b111).ue(&[0, 0, 0, 90]).n(1, 0).unit(0x67);
        assert!(unit.windows(3).any(|w| w == [0, 0, 3]));
        let refused = NalRefusal::Cropped { across: 0, down: 180 };
        assert_eq!(ParameterSets::default().take(&stream(&[&unit])), Err(refused));
    }

    #[test]
    fn a_sequence_cut_anywhere_before_its_cropping_is_refused() {
        let whole = sps(0, 31, Some([0, 0, 0, 4]));
        for cut in 1..whole.len() - 2 {
            let taken = ParameterSets::default().take(&stream(&[&whole[..cut]]));
            assert_eq!(taken, Err(NalRefusal::Set), "{cut}");
        }
    }

    #[test]
    fn a_set_with_room_for_a_picture_is_refused() {
        for set in [sps(0, 31, None), pps(0, 0)] {
            let mut padded = set;
            padded.resize(LARGEST_SET + 1, 0x55);
            assert_eq!(ParameterSets::default().take(&stream(&[&padded])), Err(NalRefusal::SetLarge));
        }
    }

    #[test]
    fn a_set_that_goes_on_behind_its_last_setting_is_refused() {
        let high = |s: Spelt| s.n(1, 1);
        let lists = |n: u32| high(settings(0, 0)).n(1, 1).n(n, 0).ue(&[1]);
        let listed = high(settings(0, 0)).n(2, 0b11).ue(&[16]).n(7, 0).ue(&[1]);
        let shown = |s: Spelt| {
            // Aspect, overscan, signal with colors, chroma places, timing, two buffers, restrictions.
            let s = s.n(1, 1).n(8, 255).n(32, 0x0001_0001).n(2, 0b11).n(1, 1).n(5, 0b01011).n(24, 0x01_0101);
            let buffer =
                |s: Spelt| s.n(1, 1).ue(&[1]).n(8, 0x11).ue(&[9, 9]).n(1, 0).ue(&[7, 7]).n(1, 1).n(20, 3);
            buffer(buffer(s.n(1, 1).ue(&[0, 0]).n(1, 1).n(32, 1).n(32, 50).n(1, 1)))
                .n(1, 0)
                .n(1, 1)
                .n(2, 0b11)
                .ue(&[0, 0, 11, 11, 2, 4])
        };
        let plain =
            || Spelt::default().n(8, 77).n(16, 31).ue(&[0, 0, 2, 4]).n(1, 0).ue(&[79, 44]).n(3, 0b110);
        for (name, unit) in [
            ("sequence", sps(0, 31, None)),
            ("sequence, cropped", sps(0, 31, Some([0, 0, 0, 4]))),
            ("sequence, nothing said of how to show it", plain().n(1, 0).unit(0x67)),
            ("sequence, all said", shown(plain().n(1, 1)).unit(0x67)),
            ("sequence, next to nothing said", plain().n(1, 1).n(9, 0).unit(0x67)),
            ("picture", pps(0, 0)),
            ("picture, high", high(settings(0, 0)).n(1, 0).ue(&[0]).unit(0x68)),
            ("picture, eight lists", lists(8).unit(0x68)),
            ("picture, twelve lists", lists(12).unit(0x68)),
            ("picture, a list", listed.unit(0x68)),
        ] {
            let taken = |unit: &[u8]| ParameterSets::default().take(&stream(&[unit])).map(|_| ());
            assert_eq!(taken(&unit), Ok(()), "{name}");
            for more in [&b"Somebody"[..], &[0x80], &[0, 0, 3, 1]] {
                assert_eq!(taken(&[&unit, more].concat()), Err(NalRefusal::SetGoesOn), "{name}, {more:?}");
            }
        }
        let grouped = Spelt::default().ue(&[0, 0]).n(2, 3).ue(&[1, 0, 4]).unit(0x68);
        assert_eq!(ParameterSets::default().take(&stream(&[&grouped])), Err(NalRefusal::Set));
    }

    #[test]
    fn sets_no_slice_refers_to_are_not_handed_on() {
        let (used, set, other, stray) = (sps(1, 31, None), pps(3, 1), sps(2, 40, None), pps(4, 2));
        let mut sets = taken(&[&used, &set, &other, &stray]);
        assert_eq!(sets.by_kind(), (vec![], vec![]));
        sets.take(&stream(&[&slice(0x65, 3), &slice(0x65, 200)])).unwrap();
        assert_eq!(sets.by_kind(), (vec![&used[..]], vec![&set[..]]));
        // Nor are they joined, but their numbers stay compared.
        let mut joined = ParameterSets::default();
        joined.join(&sets).unwrap();
        assert_eq!(joined, taken(&[&used, &set]));
        assert_eq!(joined.by_kind(), sets.by_kind());
        assert_eq!(taken(&[&sps(2, 31, None)]).join(&sets), Err(NalRefusal::SetsChange));
        // As a file that was written is compared with its source.
        let mut written = taken(&[&used, &set, &slice(0x65, 3)]);
        written.join(&sets).unwrap();
        assert_eq!(written, taken(&[&used, &set]));
        let mut lacking = taken(&[&used]);
        lacking.join(&sets).unwrap();
        assert_ne!(lacking, taken(&[&used]));
    }

    #[test]
    fn sets_may_repeat_but_not_change() {
        let mut sets = ParameterSets::default();
        sets.take(&stream(&[&sps(0, 31, None), &pps(0, 0)])).unwrap();
        sets.take(&stream(&[&sps(0, 31, None), &pps(0, 0)])).unwrap();
        let other = sps(0, 40, None);
        assert_eq!(sets.take(&stream(&[&other])), Err(NalRefusal::SetsChange));
        assert_eq!(sets.join(&taken(&[&other])), Err(NalRefusal::SetsChange));
    }

    #[test]
    fn a_free_number_is_free_of_both_kinds_and_the_higher_level_comes_first() {
        let mut sets = taken(&[&sps(0, 31, None), &pps(0, 0), &slice(0x65, 0)]);
        assert_eq!(sets.free_id(), Ok(31));
        sets.join(&taken(&[&sps(2, 40, None), &pps(31, 2), &slice(0x65, 31)])).unwrap();
        assert_eq!(sets.free_id(), Ok(30));
        assert_eq!(sets.by_kind().0[0][3], 40);
        sets.take(&stream(&[&slice(0x65, 30)])).unwrap();
        assert_eq!(sets.free_id(), Ok(29), "a slice refers to it");
    }
}
