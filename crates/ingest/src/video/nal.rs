//! H.264 in units: what of a frame may be copied, and which parameter sets it needs.
//!
//! Follows ITU-T H.264 (08/2021): 7.3.1 and Annex B for units, 7.3.2.1 and 7.3.2.2 for the numbers of parameter sets.

use std::collections::BTreeMap;

/// Unit types of table 7-1.
const SLICE: u8 = 1;
const IDR_SLICE: u8 = 5;
const SEQUENCE: u8 = 7;
const PICTURE: u8 = 8;
/// Supplemental information, access unit delimiter, ends of sequence and stream, filler: no picture needs them. The
/// first is where cameras leave places and device names, the last may hold anything.
const LEFT_OUT: [u8; 5] = [6, 9, 10, 11, 12];

const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Why a stream is not copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NalRefusal {
    /// Layers, views, auxiliary pictures, data partitions or something unknown: no picture of theirs was judged.
    #[error("it holds units of type {0}, which no decoder here shows")]
    Type(u8),
    /// Two different ones of one number: a file's header can tell players only one.
    #[error("its parameter sets change on the way")]
    SetsChange,
    /// A set whose number cannot be read.
    #[error("a parameter set is damaged")]
    Set,
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

/// The parameter sets of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParameterSets(BTreeMap<(u8, u32), Vec<u8>>);

impl ParameterSets {
    /// A number from 0 to 31 that neither a sequence's nor a picture's set has.
    ///
    /// # Errors
    /// Where there is none.
    pub fn free_id(&self) -> Result<u8, NalRefusal> {
        let free =
            |id: &u8| [SEQUENCE, PICTURE].iter().all(|kind| !self.0.contains_key(&(*kind, u32::from(*id))));
        (0..32).rev().find(free).ok_or(NalRefusal::SetsFull)
    }

    /// Both streams' sets.
    ///
    /// # Errors
    /// Where they differ under one number.
    pub fn join(&mut self, other: &Self) -> Result<(), NalRefusal> {
        other.0.iter().try_for_each(|(key, set)| self.insert(*key, set))
    }

    /// Sequences' sets and pictures' sets. The first is the one of the highest profile and level, since files are
    /// labelled by the first.
    pub(super) fn by_kind(&self) -> (Vec<&[u8]>, Vec<&[u8]>) {
        let of = |kind| self.0.iter().filter(move |((k, _), _)| *k == kind).map(|(_, set)| set.as_slice());
        let mut sequences: Vec<&[u8]> = of(SEQUENCE).collect();
        // Bytes 1 and 3 are profile and level.
        sequences.sort_by_key(|set| std::cmp::Reverse((set.get(1).copied(), set.get(3).copied())));
        (sequences, of(PICTURE).collect())
    }

    fn insert(&mut self, key: (u8, u32), set: &[u8]) -> Result<(), NalRefusal> {
        match self.0.get(&key) {
            Some(known) if known == set => Ok(()),
            Some(_) => Err(NalRefusal::SetsChange),
            None => {
                self.0.insert(key, set.to_vec());
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
                    picture.idr &= kind == IDR_SLICE;
                    picture.data.extend(START_CODE);
                    picture.data.extend_from_slice(unit);
                }
                Some(kind @ (SEQUENCE | PICTURE)) => {
                    let skip = if kind == SEQUENCE { 4 } else { 1 };
                    let id = number(unit.get(skip..).unwrap_or_default()).ok_or(NalRefusal::Set)?;
                    self.insert((kind, id), unit)?;
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

/// The units between start codes, without the zeros that may follow them.
fn units(annex_b: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts: Vec<usize> =
        annex_b.windows(3).enumerate().filter(|(_, w)| *w == [0, 0, 1]).map(|(at, _)| at).collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([annex_b.len()]).collect();
    starts.into_iter().zip(ends).filter_map(move |(start, end)| {
        let unit = annex_b.get(start + 3..end)?;
        let len = unit.iter().rposition(|byte| *byte != 0)? + 1;
        unit.get(..len)
    })
}

/// The first unsigned Exp-Golomb number (9.1) of at most 16 bits; the bytes before it held no two zeros in a row.
fn number(bytes: &[u8]) -> Option<u32> {
    let mut bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1));
    let zeros = bits.by_ref().take(16).take_while(|bit| *bit == 0).count();
    if zeros > 15 {
        return None;
    }
    let mut value = 1u32;
    for _ in 0..zeros {
        value = value << 1 | u32::from(bits.next()?);
    }
    // An empty rest reads as the number zero otherwise.
    (!bytes.is_empty()).then(|| value - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPS: [u8; 6] = [0x67, 100, 0, 31, 0b1010_0000, 1];
    const PPS: [u8; 3] = [0x68, 0b1110_0000, 1];

    fn stream(units: &[&[u8]]) -> Vec<u8> {
        units.iter().flat_map(|u| [0, 0, 1].into_iter().chain(u.iter().copied()).chain([0])).collect()
    }

    #[test]
    fn numbers_are_read_as_the_standard_writes_them() {
        for (bits, value) in
            [(0b1000_0000, 0), (0b0100_0000, 1), (0b0110_0000, 2), (0b0010_0000, 3), (0b0001_0100, 9)]
        {
            assert_eq!(number(&[bits, 0xFF]), Some(value));
        }
        assert_eq!(number(&[0, 0, 0]), None);
        assert_eq!(number(&[]), None);
    }

    #[test]
    fn slices_stay_and_what_may_tell_of_people_goes() {
        let mut sets = ParameterSets::default();
        let frame = stream(&[
            &[9, 0xF0],
            &SPS,
            &PPS,
            &[6, 5, 4, b'h', b'o', b'm', b'e'],
            &[0x65, 0x88, 7],
            &[0x65, 0x42, 8],
        ]);
        let picture = sets.take(&frame).unwrap();
        assert_eq!(picture.data, [0, 0, 0, 1, 0x65, 0x88, 7, 0, 0, 0, 1, 0x65, 0x42, 8]);
        assert!(picture.idr);
        assert!(!sets.take(&stream(&[&[0x41, 3]])).unwrap().idr);
        assert!(!sets.take(&stream(&[&SPS])).unwrap().idr, "sets alone are no picture");
        assert_eq!(sets.by_kind(), (vec![&SPS[..]], vec![&PPS[..]]));
    }

    #[test]
    fn units_nobody_judged_are_refused() {
        for kind in [2, 3, 4, 14, 15, 19, 20, 21, 24, 31] {
            assert_eq!(ParameterSets::default().take(&stream(&[&[kind, 1]])), Err(NalRefusal::Type(kind)));
        }
    }

    #[test]
    fn sets_may_repeat_but_not_change() {
        let mut sets = ParameterSets::default();
        sets.take(&stream(&[&SPS, &PPS])).unwrap();
        sets.take(&stream(&[&SPS, &PPS])).unwrap();
        let mut other = SPS;
        other[3] = 40;
        assert_eq!(sets.take(&stream(&[&other])), Err(NalRefusal::SetsChange));
        let mut foreign = ParameterSets::default();
        foreign.take(&stream(&[&other])).unwrap();
        assert_eq!(sets.join(&foreign), Err(NalRefusal::SetsChange));
    }

    #[test]
    fn a_free_number_is_free_of_both_kinds_and_the_higher_level_comes_first() {
        let mut sets = ParameterSets::default();
        sets.take(&stream(&[&SPS, &PPS])).unwrap();
        assert_eq!(sets.free_id(), Ok(31));
        // Sequence 2 (ue 011), level 40; picture 31 (ue 000010 0000).
        let mut encoder = ParameterSets::default();
        encoder
            .take(&stream(&[&[0x67, 100, 0, 40, 0b0110_0000, 1], &[0x68, 0b0000_0100, 0b0001_0000]]))
            .unwrap();
        sets.join(&encoder).unwrap();
        assert_eq!(sets.free_id(), Ok(30));
        assert_eq!(sets.by_kind().0[0][3], 40);
    }
}
