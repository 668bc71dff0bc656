//! What a camera sent for one picture, looked at before a decoder sees it. Pure.
//!
//! Nothing is rewritten: a unit either is what it must be, within its bounds, or it is refused. H.264 and H.265 come as
//! byte streams (Annex B), one picture each, with their parameter sets in front of each picture that decodes alone.

use placet_core::{Codec, Size};

use crate::bits::Bits;
use crate::sps::{self, MAX_SIDE, Sps, SpsError};
use crate::trouble::Trouble;

/// The longest H.264 or H.265 picture, bytes.
pub const MAX_UNIT: usize = 8 << 20;

/// The longest JPEG file, bytes.
pub const MAX_JPEG: usize = 16 << 20;

/// The most NAL units of one picture.
pub const MAX_NALS: usize = 4096;

/// The longest parameter set, bytes.
pub const MAX_SET: usize = 4096;

/// The most parameter sets of one picture.
pub const MAX_SETS: usize = 64;

/// Follows one stream from unit to unit.
#[derive(Debug, Default)]
pub struct Units {
    codec: Option<Codec>,
    /// The parameter sets of the last picture that decodes alone, one after the other.
    sets: Vec<u8>,
    size: Option<Size>,
    reordered: bool,
}

/// What a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// It decodes alone: an instantaneous or random access point with its parameter sets, or a JPEG file.
    pub key: bool,
    /// Codec, size or parameter sets are others than before; always so for the first.
    pub changed: bool,
    /// The size that is shown; none before the first picture that decodes alone.
    pub size: Option<Size>,
    /// Pictures may come in another order than they are shown in.
    pub reordered: bool,
}

impl Units {
    /// Looks at the next unit. None if there is no picture in it.
    ///
    /// # Errors
    /// If it is malformed or beyond a bound. The stream must be given up then.
    pub fn take(&mut self, codec: Codec, data: &[u8]) -> Result<Option<Seen>, UnitError> {
        match codec {
            Codec::Jpeg => self.take_jpeg(data).map(Some),
            Codec::H264 => self.take_nals(data, H264),
            Codec::H265 => self.take_nals(data, H265),
        }
    }

    fn take_jpeg(&mut self, data: &[u8]) -> Result<Seen, UnitError> {
        let size = jpeg_size(data)?;
        let changed = self.codec != Some(Codec::Jpeg) || self.size != Some(size);
        *self = Self { codec: Some(Codec::Jpeg), sets: Vec::new(), size: Some(size), reordered: false };
        Ok(Seen { key: true, changed, size: self.size, reordered: false })
    }

    fn take_nals(&mut self, data: &[u8], syntax: Syntax) -> Result<Option<Seen>, UnitError> {
        let unit = Unit::read(data, syntax)?;
        if self.codec.is_some_and(|codec| codec != syntax.codec) {
            *self = Self::default();
        }
        self.reordered |= unit.has_b;
        if unit.pictures == 0 {
            return Ok(None);
        }
        let mut changed = false;
        let key = unit.key && unit.has_sets;
        if key && let Some(sps) = unit.sps {
            changed = self.codec.is_none() || self.sets != unit.sets;
            if changed {
                self.reordered = unit.has_b;
            }
            self.reordered |= sps.reordered;
            (self.codec, self.sets, self.size) = (Some(syntax.codec), unit.sets, Some(sps.size));
        }
        Ok(Some(Seen { key, changed, size: self.size, reordered: self.reordered }))
    }
}

/// A unit with `sets`, a byte stream of parameter sets, in front of its picture if that could decode alone; otherwise as
/// it is. An access unit delimiter stays first (ITU-T H.264, 7.4.1.2.3).
pub fn with_sets(codec: Codec, data: Vec<u8>, sets: &[u8]) -> Vec<u8> {
    match place_of_sets(codec, &data).map(|at| data.split_at(at)) {
        Some((head, rest)) => [head, sets, rest].concat(),
        None => data,
    }
}

/// Where sets belong in a unit that could decode alone.
fn place_of_sets(codec: Codec, data: &[u8]) -> Option<usize> {
    let syntax = match codec {
        Codec::H264 => H264,
        Codec::H265 => H265,
        Codec::Jpeg => return None,
    };
    let mut at = 0;
    for (idx, nal) in nals(data).ok()?.enumerate() {
        match (syntax.kind)(nal)? {
            Nal::Slice { alone, .. } => return alone.then_some(at),
            Nal::Delimiter if idx == 0 => at = start_of(data)? + nal.len(),
            Nal::Delimiter | Nal::Set(_) | Nal::Other => {}
        }
    }
    None
}

/// Why a unit is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Longer than any picture.
    #[error("a picture longer than {0} bytes")]
    TooLong(usize),
    /// More NAL units than any picture has.
    #[error("a picture of more than {MAX_NALS} NAL units")]
    TooManyNals,
    /// Parameter sets that are too long or too many.
    #[error("parameter sets longer than {MAX_SET} bytes or more than {MAX_SETS}")]
    TooManySets,
    /// A picture that no camera makes.
    #[error("a picture wider or higher than {MAX_SIDE} pixels")]
    TooLarge,
    /// No byte stream of NAL units.
    #[error("NAL units that are none")]
    Nal,
    /// A sequence parameter set that cannot be read.
    #[error("a sequence parameter set that cannot be read")]
    Sps,
    /// More than one picture in one unit.
    #[error("more than one picture under one time")]
    Pictures,
    /// No JPEG file, or half of one.
    #[error("a JPEG file that is none or not whole")]
    Jpeg,
}

impl From<UnitError> for Trouble {
    fn from(error: UnitError) -> Self {
        let much = |what, most| Self::TooMuch { what, most };
        match error {
            UnitError::TooLong(most) => much("bytes in one picture", most as u64),
            UnitError::TooManyNals => much("NAL units in one picture", MAX_NALS as u64),
            UnitError::TooManySets => much("bytes in one parameter set, or many sets", MAX_SET as u64),
            UnitError::TooLarge => much("pixels in width or height", u64::from(MAX_SIDE)),
            UnitError::Nal => Self::Malformed { what: "NAL units" },
            UnitError::Sps => Self::Malformed { what: "the sequence parameter set" },
            UnitError::Pictures => Self::Malformed { what: "several pictures under one time" },
            UnitError::Jpeg => Self::Malformed { what: "a JPEG picture" },
        }
    }
}

/// What the two codecs spell differently.
#[derive(Clone, Copy)]
struct Syntax {
    codec: Codec,
    kind: fn(&[u8]) -> Option<Nal>,
    sps: fn(&[u8]) -> Result<Sps, SpsError>,
    /// Bytes of a NAL unit's header.
    header: usize,
    /// Parameter sets that a picture needs, one bit each in the order of [`Set`].
    needs: u8,
}

const H264: Syntax = Syntax {
    codec: Codec::H264,
    kind: h264_nal,
    sps: sps::h264,
    header: 1,
    needs: Set::Sps.bit() | Set::Pps.bit(),
};
const H265: Syntax = Syntax {
    codec: Codec::H265,
    kind: h265_nal,
    sps: sps::h265,
    header: 2,
    needs: Set::Vps.bit() | Set::Sps.bit() | Set::Pps.bit(),
};

/// A kind of parameter set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Vps = 1,
    Sps = 2,
    Pps = 4,
}

impl Set {
    const fn bit(self) -> u8 {
        self as u8
    }
}

/// What a NAL unit is to us.
#[derive(Clone, Copy)]
enum Nal {
    Set(Set),
    Slice { alone: bool, first: bool, b: bool },
    Delimiter,
    Other,
}

/// What is gathered from one unit.
struct Unit {
    key: bool,
    has_sets: bool,
    has_b: bool,
    pictures: usize,
    sps: Option<Sps>,
    sets: Vec<u8>,
}

impl Unit {
    fn read(data: &[u8], syntax: Syntax) -> Result<Self, UnitError> {
        if data.len() > MAX_UNIT {
            return Err(UnitError::TooLong(MAX_UNIT));
        }
        let mut unit =
            Self { key: true, has_sets: false, has_b: false, pictures: 0, sps: None, sets: Vec::new() };
        let (mut seen, mut n_sets) = (0, 0);
        for (idx, nal) in nals(data)?.enumerate() {
            if idx == MAX_NALS {
                return Err(UnitError::TooManyNals);
            }
            match (syntax.kind)(nal).ok_or(UnitError::Nal)? {
                Nal::Set(set) => {
                    n_sets += 1;
                    if nal.len() > MAX_SET || n_sets > MAX_SETS {
                        return Err(UnitError::TooManySets);
                    }
                    if set == Set::Sps {
                        // Each is looked at: a decoder may come to use any of them.
                        let sps = (syntax.sps)(nal.get(syntax.header..).unwrap_or_default());
                        unit.sps = Some(sps.map_err(|error| match error {
                            SpsError::Unreadable => UnitError::Sps,
                            SpsError::TooLarge => UnitError::TooLarge,
                        })?);
                    }
                    seen |= set.bit();
                    unit.sets.extend_from_slice(&[0, 0, 1]);
                    unit.sets.extend_from_slice(nal);
                }
                Nal::Slice { alone, first, b } => {
                    if unit.pictures == 0 {
                        unit.has_sets = seen & syntax.needs == syntax.needs;
                    }
                    // A picture whose first slice was lost is a picture still.
                    unit.pictures = (unit.pictures + usize::from(first)).max(1);
                    unit.key &= alone;
                    unit.has_b |= b;
                }
                Nal::Delimiter | Nal::Other => {}
            }
        }
        // Two fields may be coded one by one, the second of which need not decode alone. Where no set tells, two pass.
        let most = if unit.sps.is_some_and(|sps| !sps.interlaced) { 1 } else { 2 };
        if unit.pictures > most {
            return Err(UnitError::Pictures);
        }
        Ok(unit)
    }
}

/// Where the first NAL unit begins: behind two zeros at least, and a one (Annex B).
fn start_of(data: &[u8]) -> Option<usize> {
    let one = data.iter().position(|byte| *byte != 0).filter(|at| *at >= 2)?;
    (data.get(one) == Some(&1)).then_some(one + 1)
}

/// The NAL units between start codes, without the zeros that may stand around them.
fn nals(data: &[u8]) -> Result<impl Iterator<Item = &[u8]>, UnitError> {
    let mut rest = Some(start_of(data).and_then(|start| data.get(start..)).ok_or(UnitError::Nal)?);
    Ok(std::iter::from_fn(move || {
        let here = rest.take()?;
        let end = here.windows(3).position(|three| three == [0, 0, 1]);
        let nal = here.get(..end.unwrap_or(here.len()))?;
        rest = end.and_then(|end| here.get(end + 3..));
        let len = nal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        nal.get(..len)
    }))
}

/// ITU-T H.264, 7.3.1 and 7.4.1; the head of a slice, 7.3.3.
fn h264_nal(nal: &[u8]) -> Option<Nal> {
    let header = *nal.first().filter(|byte| **byte & 0x80 == 0)?;
    Some(match header & 0x1f {
        kind @ 1..=5 => {
            // Slice data partitions B and C have no head of this form.
            let has_head = !matches!(kind, 3 | 4);
            let mut bits = Bits::new(nal.get(1..nal.len().min(16))?);
            let (first_mb, slice) = if has_head { (bits.ue()?, bits.ue()?) } else { (1, 0) };
            Nal::Slice { alone: kind == 5, first: first_mb == 0, b: slice % 5 == 1 }
        }
        7 => Nal::Set(Set::Sps),
        8 => Nal::Set(Set::Pps),
        9 => Nal::Delimiter,
        _ => Nal::Other,
    })
}

/// ITU-T H.265, 7.3.1.2 and table 7-1. Layers above the first are passed on unread; no decoder of ours uses them.
fn h265_nal(nal: &[u8]) -> Option<Nal> {
    let [high, low, ..] = *nal else { return None };
    if high & 0x80 != 0 || low & 7 == 0 {
        return None;
    }
    if high & 1 != 0 || low >> 3 != 0 {
        return Some(Nal::Other);
    }
    Some(match high >> 1 {
        kind @ 0..=31 => {
            let first = nal.get(2)? & 0x80 != 0;
            // B slices say nothing here: cameras use them without reordering. The sequence parameter set tells.
            Nal::Slice { alone: (16..=23).contains(&kind), first, b: false }
        }
        32 => Nal::Set(Set::Vps),
        33 => Nal::Set(Set::Sps),
        34 => Nal::Set(Set::Pps),
        35 => Nal::Delimiter,
        _ => Nal::Other,
    })
}

/// The size in the frame header of a whole JPEG file (ITU-T T.81, B.2.2).
fn jpeg_size(data: &[u8]) -> Result<Size, UnitError> {
    if data.len() > MAX_JPEG {
        return Err(UnitError::TooLong(MAX_JPEG));
    }
    let mut rest = data.strip_prefix(&[0xff, 0xd8]).ok_or(UnitError::Jpeg)?;
    let mut size = None;
    loop {
        let [0xff, marker, after @ ..] = rest else { return Err(UnitError::Jpeg) };
        // Any number of fill bytes may stand before a marker (B.1.1.2).
        if *marker == 0xff {
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let [high, low, ..] = *after else { return Err(UnitError::Jpeg) };
        let len = usize::from(u16::from_be_bytes([high, low]));
        let segment = after.get(2..len).ok_or(UnitError::Jpeg)?;
        match marker {
            // Frame headers, all but DHT, JPG and DAC, which share their range.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let [_, h1, h2, w1, w2, ..] = *segment else { return Err(UnitError::Jpeg) };
                let (width, height) = (u16::from_be_bytes([w1, w2]), u16::from_be_bytes([h1, h2]));
                if size.is_some() || width == 0 || height == 0 {
                    return Err(UnitError::Jpeg);
                }
                size = Some(Size { width: width.into(), height: height.into() });
            }
            0xda => break,
            0xc4 | 0xcc | 0xdb..=0xdf | 0xe0..=0xef | 0xfe => {}
            _ => return Err(UnitError::Jpeg),
        }
        rest = after.get(len..).unwrap_or_default();
    }
    let size = size.ok_or(UnitError::Jpeg)?;
    if size.width > MAX_SIDE || size.height > MAX_SIDE {
        return Err(UnitError::TooLarge);
    }
    // Some cameras fill the end with zeros.
    let end = data.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    data.get(..end).filter(|data| data.ends_with(&[0xff, 0xd9])).map(|_| size).ok_or(UnitError::Jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sets of `ffmpeg -f lavfi -i testsrc2=s=320x240:r=25 -c:v libx264 -preset ultrafast -f h264` (5.1).
    const SPS: [u8; 22] = [
        0x67, 0x42, 0xc0, 0x0d, 0xda, 0x05, 0x07, 0xec, 0x04, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40, 0x00, 0x00,
        0x0c, 0xa3, 0xc5, 0x0a, 0xa8,
    ];
    const PPS: [u8; 4] = [0x68, 0xce, 0x0f, 0xc8];
    const IDR: [u8; 4] = [0x65, 0x88, 0x84, 0x3f];
    const P: [u8; 4] = [0x41, 0x9a, 0x21, 0x10];

    fn unit(nals: &[&[u8]]) -> Vec<u8> {
        nals.iter().flat_map(|nal| [&[0, 0, 0, 1], *nal].concat()).collect()
    }

    fn h264(units: &mut Units, nals: &[&[u8]]) -> Result<Option<Seen>, UnitError> {
        units.take(Codec::H264, &unit(nals))
    }

    #[test]
    fn a_key_picture_has_its_sets_in_front() {
        let mut units = Units::default();
        let first = h264(&mut units, &[&SPS, &PPS, &IDR]).unwrap().unwrap();
        assert!(first.key && first.changed && !first.reordered, "{first:?}");
        assert_eq!(first.size, Some(Size { width: 320, height: 240 }));
        let again = h264(&mut units, &[&SPS, &PPS, &IDR]).unwrap().unwrap();
        assert!(again.key && !again.changed, "{again:?}");
        for nals in [&[&IDR[..]][..], &[&SPS, &IDR], &[&IDR, &SPS, &PPS], &[&SPS, &PPS, &P], &[&P]] {
            assert!(!h264(&mut units, nals).unwrap().unwrap().key, "{nals:?}");
        }
        assert_eq!(h264(&mut units, &[&SPS, &PPS]).unwrap(), None);
    }

    #[test]
    fn sets_are_put_in_front_of_what_decodes_alone_behind_its_delimiter() {
        let sets = unit(&[&SPS, &PPS]);
        let put = |nals: &[&[u8]]| with_sets(Codec::H264, unit(nals), &sets);
        assert_eq!(put(&[&[9, 0x10], &IDR]), unit(&[&[9, 0x10], &SPS, &PPS, &IDR]));
        assert_eq!(put(&[&[6, 1], &IDR, &IDR]), unit(&[&SPS, &PPS, &[6, 1], &IDR, &IDR]));
        for nals in [&[&P[..]][..], &[&P, &IDR], &[&[9, 0x10]]] {
            assert_eq!(put(nals), unit(nals));
        }
        assert_eq!(
            with_sets(Codec::H265, unit(&[&[42, 1, 0x80]]), b"s"),
            [&b"s"[..], &unit(&[&[42, 1, 0x80]])].concat()
        );
    }

    #[test]
    fn another_set_is_a_change() {
        let mut units = Units::default();
        h264(&mut units, &[&SPS, &PPS, &IDR]).unwrap();
        let other = [0x68, 0xce, 0x0f, 0xc9];
        assert!(h264(&mut units, &[&SPS, &other, &IDR]).unwrap().unwrap().changed);
    }

    #[test]
    fn what_is_no_unit_is_refused() {
        let mut units = Units::default();
        let many: Vec<&[u8]> = vec![&P; MAX_NALS + 1];
        let sets: Vec<&[u8]> = vec![&PPS; MAX_SETS + 1];
        let long = [&PPS[..], &[1; MAX_SET]].concat();
        let refused: [(Vec<u8>, UnitError); 10] = [
            (vec![], UnitError::Nal),
            (vec![0, 0, 0], UnitError::Nal),
            (vec![0, 1, 0x65], UnitError::Nal),
            (unit(&[&[]]), UnitError::Nal),
            (unit(&[&[0xe5, 0x88]]), UnitError::Nal),
            (unit(&many), UnitError::TooManyNals),
            (unit(&sets), UnitError::TooManySets),
            (unit(&[&long]), UnitError::TooManySets),
            (unit(&[&SPS[..6]]), UnitError::Sps),
            (unit(&[&SPS, &PPS, &IDR, &IDR]), UnitError::Pictures),
        ];
        for (data, error) in refused {
            assert_eq!(units.take(Codec::H264, &data), Err(error), "{:x?}", &data[..data.len().min(16)]);
        }
        assert_eq!(units.take(Codec::H264, &vec![0; MAX_UNIT + 1]), Err(UnitError::TooLong(MAX_UNIT)));
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let (w, h) = (width.to_be_bytes(), height.to_be_bytes());
        let frame = [0xff, 0xc0, 0, 8, 8, h[0], h[1], w[0], w[1], 1];
        [&[0xff, 0xd8][..], &frame, &[0xff, 0xda, 0, 2, 1, 2, 3, 0xff, 0xd9]].concat()
    }

    #[test]
    fn a_jpeg_file_has_a_size_an_end_and_bounds() {
        let mut units = Units::default();
        let seen = units.take(Codec::Jpeg, &jpeg(640, 480)).unwrap().unwrap();
        assert_eq!(seen.size, Some(Size { width: 640, height: 480 }));
        assert!(seen.key && seen.changed);
        assert!(!units.take(Codec::Jpeg, &jpeg(640, 480)).unwrap().unwrap().changed);
        assert!(units.take(Codec::Jpeg, &jpeg(320, 240)).unwrap().unwrap().changed);
        assert_eq!(units.take(Codec::Jpeg, &jpeg(8193, 1)), Err(UnitError::TooLarge));
        assert_eq!(units.take(Codec::Jpeg, &jpeg(0, 9)), Err(UnitError::Jpeg));
        let whole = jpeg(640, 480);
        for len in 0..whole.len() {
            assert_eq!(units.take(Codec::Jpeg, &whole[..len]), Err(UnitError::Jpeg), "{len}");
        }
    }

    #[test]
    fn a_change_of_codec_is_a_change() {
        let mut units = Units::default();
        h264(&mut units, &[&SPS, &PPS, &IDR]).unwrap();
        assert!(units.take(Codec::Jpeg, &jpeg(64, 36)).unwrap().unwrap().changed);
        assert!(h264(&mut units, &[&SPS, &PPS, &IDR]).unwrap().unwrap().changed);
    }
}
