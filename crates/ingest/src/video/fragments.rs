//! Compressed frames with both their times in a pipe: the part of fragmented MP4 that one stream of H.264 needs.
//!
//! Follows ISO/IEC 14496-12:2015 (boxes, movie fragments) and 14496-15:2017 (`avc1`, `avcC`). NUT, which carries raw
//! frames here, stores no decoding times, and a reader's guess goes wrong where parts with and without reordering meet.

use std::io::{self, Write};

use placet_core::{Size, TimeBase};

use super::Ratio;

/// What a stream is.
pub(super) struct Header<'a> {
    pub(super) size: Size,
    pub(super) time_base: TimeBase,
    pub(super) sample_aspect: Option<Ratio>,
    /// Parameter sets: sequences, pictures.
    pub(super) sets: (Vec<&'a [u8]>, Vec<&'a [u8]>),
}

/// A frame's place in time, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// When it is decoded.
    pub(super) decoded: u64,
    /// How long until the next one is.
    pub(super) lasts: u32,
    /// How much later it is shown.
    pub(super) shown_after: u32,
}

/// Writes fragments of one frame each.
pub(super) struct Fragments<W> {
    sink: W,
    written: u32,
}

impl<W: Write> Fragments<W> {
    pub(super) fn create(mut sink: W, header: &Header<'_>) -> io::Result<Self> {
        let mut out = Vec::with_capacity(1024);
        bx(&mut out, b"ftyp", |o| {
            o.extend(b"iso5");
            u32s(o, &[512]);
            o.extend(b"iso5iso6");
        });
        bx(&mut out, b"moov", |o| moov(o, header));
        sink.write_all(&out)?;
        Ok(Self { sink, written: 0 })
    }

    /// `units` lie behind start codes of four bytes.
    pub(super) fn write(&mut self, times: Times, key: bool, units: &[u8]) -> io::Result<()> {
        self.written = self.written.wrapping_add(1);
        let len = units.len() as u32;
        let mut out = Vec::with_capacity(128);
        let mut offset_at = 0;
        bx(&mut out, b"moof", |o| {
            full(o, b"mfhd", 0, 0, |o| u32s(o, &[self.written]));
            bx(o, b"traf", |o| {
                // Offsets count from the fragment's begin.
                full(o, b"tfhd", 0, 0x02_0000, |o| u32s(o, &[1]));
                full(o, b"tfdt", 1, 0, |o| o.extend(times.decoded.to_be_bytes()));
                // Offset of the data; duration, size, flags and composition offset of each sample.
                full(o, b"trun", 0, 0xF01, |o| {
                    u32s(o, &[1]);
                    offset_at = o.len();
                    let flags = if key { 0x0200_0000 } else { 0x0101_0000 };
                    u32s(o, &[0, times.lasts, len, flags, times.shown_after]);
                });
            });
        });
        let offset = (out.len() as u32 + 8).to_be_bytes();
        if let Some(place) = out.get_mut(offset_at..offset_at + 4) {
            place.copy_from_slice(&offset);
        }
        u32s(&mut out, &[len + 8]);
        out.extend(b"mdat");
        self.sink.write_all(&out)?;
        self.sink.write_all(&measured(units))
    }
}

/// Start codes of four bytes become lengths of four bytes.
fn measured(units: &[u8]) -> Vec<u8> {
    let mut out = units.to_vec();
    let starts: Vec<usize> =
        units.windows(4).enumerate().filter(|(_, w)| *w == [0, 0, 0, 1]).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([units.len()]);
    for (start, end) in starts.iter().copied().zip(ends) {
        let len = (end - start - 4) as u32;
        if let Some(place) = out.get_mut(start..start + 4) {
            place.copy_from_slice(&len.to_be_bytes());
        }
    }
    out
}

fn moov(out: &mut Vec<u8>, header: &Header<'_>) {
    let scale = header.time_base.den();
    full(out, b"mvhd", 0, 0, |o| {
        u32s(o, &[0, 0, scale, 0, 0x0001_0000]);
        o.extend([1, 0, 0, 0]);
        u32s(o, &[0, 0]);
        matrix(o);
        u32s(o, &[0, 0, 0, 0, 0, 0, 2]);
    });
    bx(out, b"trak", |o| {
        full(o, b"tkhd", 0, 3, |o| {
            u32s(o, &[0, 0, 1, 0, 0, 0, 0, 0, 0]);
            matrix(o);
            u32s(o, &[header.size.width << 16, header.size.height << 16]);
        });
        bx(o, b"mdia", |o| {
            // Language "und".
            full(o, b"mdhd", 0, 0, |o| u32s(o, &[0, 0, scale, 0, 0x55C4_0000]));
            full(o, b"hdlr", 0, 0, |o| {
                u32s(o, &[0]);
                o.extend(b"vide");
                u32s(o, &[0, 0, 0]);
                o.push(0);
            });
            bx(o, b"minf", |o| {
                full(o, b"vmhd", 0, 1, |o| u32s(o, &[0, 0]));
                bx(o, b"dinf", |o| {
                    full(o, b"dref", 0, 0, |o| {
                        u32s(o, &[1]);
                        full(o, b"url ", 0, 1, |_| ());
                    });
                });
                bx(o, b"stbl", |o| {
                    full(o, b"stsd", 0, 0, |o| {
                        u32s(o, &[1]);
                        bx(o, b"avc1", |o| avc1(o, header));
                    });
                    full(o, b"stts", 0, 0, |o| u32s(o, &[0]));
                    full(o, b"stsc", 0, 0, |o| u32s(o, &[0]));
                    full(o, b"stsz", 0, 0, |o| u32s(o, &[0, 0]));
                    full(o, b"stco", 0, 0, |o| u32s(o, &[0]));
                });
            });
        });
    });
    bx(out, b"mvex", |o| full(o, b"trex", 0, 0, |o| u32s(o, &[1, 1, 0, 0, 0])));
}

fn avc1(out: &mut Vec<u8>, header: &Header<'_>) {
    // Reserved, data reference 1, and 16 bytes that are zero.
    u32s(out, &[0, 1, 0, 0, 0, 0]);
    u32s(out, &[header.size.width << 16 | header.size.height & 0xFFFF, 0x0048_0000, 0x0048_0000, 0]);
    // One frame a sample, no name, depth 24.
    out.extend([0, 1]);
    out.extend([0; 32]);
    out.extend([0, 24, 0xFF, 0xFF]);
    bx(out, b"avcC", |o| avcc(o, &header.sets));
    if let Some(Ratio { num, den }) = header.sample_aspect {
        bx(out, b"pasp", |o| u32s(o, &[num, den]));
    }
}

/// 14496-15, 5.3.3.1; 8-bit 4:2:0.
fn avcc(out: &mut Vec<u8>, (sequences, pictures): &(Vec<&[u8]>, Vec<&[u8]>)) {
    let first = sequences.first().copied().unwrap_or_default();
    let profile = first.get(1..4).unwrap_or(&[100, 0, 40]);
    out.push(1);
    out.extend_from_slice(profile);
    // Lengths of four bytes.
    out.push(0xFF);
    out.push(0xE0 | sequences.len() as u8 & 31);
    sequences.iter().for_each(|set| measured_16(out, set));
    out.push(pictures.len() as u8);
    pictures.iter().for_each(|set| measured_16(out, set));
    if !matches!(profile.first(), Some(66 | 77 | 88)) {
        // 4:2:0, 8 bits of luma and of chroma, no extensions.
        out.extend([0xFD, 0xF8, 0xF8, 0]);
    }
}

fn measured_16(out: &mut Vec<u8>, set: &[u8]) {
    out.extend((set.len() as u16).to_be_bytes());
    out.extend_from_slice(set);
}

fn matrix(out: &mut Vec<u8>) {
    u32s(out, &[0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000]);
}

fn u32s(out: &mut Vec<u8>, numbers: &[u32]) {
    out.extend(numbers.iter().flat_map(|n| n.to_be_bytes()));
}

/// A box with version and flags.
fn full(out: &mut Vec<u8>, kind: &[u8; 4], version: u8, flags: u32, body: impl FnOnce(&mut Vec<u8>)) {
    bx(out, kind, |o| {
        u32s(o, &[u32::from(version) << 24 | flags]);
        body(o);
    });
}

fn bx(out: &mut Vec<u8>, kind: &[u8; 4], body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    u32s(out, &[0]);
    out.extend(kind);
    body(out);
    let len = ((out.len() - start) as u32).to_be_bytes();
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_codes_become_lengths() {
        assert_eq!(
            measured(&[0, 0, 0, 1, 0x65, 7, 8, 0, 0, 0, 1, 0x65]),
            [0, 0, 0, 3, 0x65, 7, 8, 0, 0, 0, 1, 0x65]
        );
        assert!(measured(&[]).is_empty());
    }

    #[test]
    fn a_fragment_tells_where_its_bytes_lie() {
        let set: &[u8] = &[0x67, 100, 0, 31];
        let header = Header {
            size: Size { width: 16, height: 16 },
            time_base: TimeBase::new(1, 25).unwrap(),
            sample_aspect: None,
            sets: (vec![set], vec![]),
        };
        let mut out = Vec::new();
        let mut fragments = Fragments::create(&mut out, &header).unwrap();
        fragments
            .write(Times { decoded: 5, lasts: 1, shown_after: 2 }, true, &[0, 0, 0, 1, 0x65, 9])
            .unwrap();
        let moof = out.windows(4).position(|w| w == b"moof").unwrap() - 4;
        let trun = out.windows(4).position(|w| w == b"trun").unwrap();
        let offset = u32::from_be_bytes(out[trun + 12..trun + 16].try_into().unwrap()) as usize;
        assert_eq!(&out[moof + offset..], [0, 0, 0, 2, 0x65, 9]);
        assert!(out.windows(set.len()).any(|w| w == set));
    }
}
