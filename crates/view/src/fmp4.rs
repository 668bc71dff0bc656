//! Fragmented MP4 with one H.264 track: an initialisation segment, then one fragment for each picture (ISO/IEC 14496-12,
//! boxes named below; ISO/IEC 14496-15, 5.3, for H.264 in it).
//!
//! Written by hand: a dozen boxes of one shape, all sizes known; the published writers bring a dozen crates each.

use placet_core::{Pts, TimeBase};
use placet_feed::{ParameterSets, RedactedUnit};

/// The one track.
const TRACK: u32 = 1;
/// How long a picture lasts that is the first, until the next tells: a fifteenth of a second.
const FIRST_TICKS: u32 = 6_000;
/// No picture is said to last longer, however long none came: two seconds.
const LONGEST_TICKS: i64 = 180_000;
/// Sample flags (8.8.3.1): depends on no other; depends on others and is no sync sample.
const KEY: u32 = 0x0200_0000;
const DELTA: u32 = 0x0101_0000;
/// NAL units that the initialisation segment has (7, 8) or nobody needs in a file (9).
const LEFT_OUT: [u8; 3] = [7, 8, 9];

/// What a decoder must know before the first fragment, as `avcC` (ISO/IEC 14496-15, 5.3.3.1).
pub fn decoder_configuration(sets: &ParameterSets) -> Vec<u8> {
    let [profile, constraints, level] = sets.profile();
    // Lengths of four bytes; one set of each kind.
    let mut out = vec![1, profile, constraints, level, 0xff, 0xe1];
    out.extend((sets.sequence().len() as u16).to_be_bytes());
    out.extend(sets.sequence());
    out.push(1);
    out.extend((sets.picture().len() as u16).to_be_bytes());
    out.extend(sets.picture());
    if matches!(profile, 100 | 110 | 122 | 144) {
        // 4:2:0, eight bits, no extensions: what our encoder writes.
        out.extend([0xfd, 0xf8, 0xf8, 0]);
    }
    out
}

/// The initialisation segment: `ftyp` and `moov`.
pub fn initialisation(sets: &ParameterSets) -> Vec<u8> {
    let size = sets.size();
    let (width, height) = (size.width as u16, size.height as u16);
    let mut out = boxed(b"ftyp", &[b"iso6", &[0; 4], b"iso6", b"avc1", b"mp41"]);
    let entry = [
        &[0; 6][..],
        &[0, 1],
        &[0; 16],
        &width.to_be_bytes(),
        &height.to_be_bytes(),
        // 72 pixels an inch; one frame a sample; no name; 24 bits.
        &[0, 0x48, 0, 0, 0, 0x48, 0, 0, 0, 0, 0, 0, 0, 1],
        &[0; 32],
        &[0, 24, 0xff, 0xff],
        &boxed(b"avcC", &[&decoder_configuration(sets)]),
    ];
    let stsd = full(b"stsd", 0, &[&[0, 0, 0, 1], &boxed(b"avc1", &entry)]);
    let none = [0; 4];
    let stbl = boxed(
        b"stbl",
        &[
            &stsd,
            &full(b"stts", 0, &[&none]),
            &full(b"stsc", 0, &[&none]),
            &full(b"stsz", 0, &[&none, &none]),
            &full(b"stco", 0, &[&none]),
        ],
    );
    let dinf = boxed(b"dinf", &[&full(b"dref", 0, &[&[0, 0, 0, 1], &full(b"url ", 1, &[])])]);
    let minf = boxed(b"minf", &[&full(b"vmhd", 1, &[&[0; 8]]), &dinf, &stbl]);
    let ticks = TimeBase::LIVE.den().to_be_bytes();
    let mdhd = full(b"mdhd", 0, &[&[0; 8], &ticks, &[0; 4], &[0x55, 0xc4, 0, 0]]);
    let hdlr = full(b"hdlr", 0, &[&[0; 4], b"vide", &[0; 12], b"placet\0"]);
    let mdia = boxed(b"mdia", &[&mdhd, &hdlr, &minf]);
    let tkhd = full(
        b"tkhd",
        3,
        &[
            &[0; 8],
            &TRACK.to_be_bytes(),
            &[0; 24],
            &UNITY,
            &(u32::from(width) << 16).to_be_bytes(),
            &(u32::from(height) << 16).to_be_bytes(),
        ],
    );
    let mvhd = full(
        b"mvhd",
        0,
        &[
            &[0; 8],
            &ticks,
            &[0; 4],
            // Rate and volume of one.
            &[0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &UNITY,
            &[0; 24],
            &(TRACK + 1).to_be_bytes(),
        ],
    );
    let trex = full(b"trex", 0, &[&TRACK.to_be_bytes(), &[0, 0, 0, 1], &[0; 12]]);
    out.extend(boxed(b"moov", &[&mvhd, &boxed(b"trak", &[&tkhd, &mdia]), &boxed(b"mvex", &[&trex])]));
    out
}

/// Nothing turned or scaled (6.2.2).
const UNITY: [u8; 36] = [
    0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0,
    0, 0,
];

/// Makes fragments, one for each unit, numbered and timed from the first one on.
#[derive(Debug, Default)]
pub struct Fragments {
    number: u32,
    first: Option<Pts>,
    last: Option<Pts>,
    step: Option<u32>,
}

impl Fragments {
    /// A stream that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// The fragment of the next unit: `moof` and `mdat`. Its time is counted from the first unit; how long it lasts is
    /// what the one before it lasted, which the next fragment's time corrects.
    pub fn next(&mut self, unit: &RedactedUnit) -> Vec<u8> {
        let first = *self.first.get_or_insert(unit.pts());
        let since = self.last.map(|last| unit.pts().0.saturating_sub(last.0));
        self.step = since.map_or(self.step, |since| Some(since.clamp(1, LONGEST_TICKS) as u32));
        self.last = Some(unit.pts());
        self.number = self.number.wrapping_add(1);
        let time = u64::try_from(unit.pts().0.saturating_sub(first.0)).unwrap_or(0);
        let mut data = Vec::with_capacity(unit.data().len() + 8);
        for nal in
            unit.nals().filter(|nal| nal.first().is_some_and(|head| !LEFT_OUT.contains(&(head & 0x1f))))
        {
            data.extend((nal.len() as u32).to_be_bytes());
            data.extend_from_slice(nal);
        }
        fragment(self.number, time, self.step.unwrap_or(FIRST_TICKS), unit.key(), &data)
    }
}

fn fragment(number: u32, time: u64, ticks: u32, key: bool, data: &[u8]) -> Vec<u8> {
    let flags = if key { KEY } else { DELTA };
    let moof = |offset: u32| {
        // 0x020000: offsets count from this box.
        let tfhd = full(b"tfhd", 0x02_0000, &[&TRACK.to_be_bytes()]);
        let tfdt = full_version(b"tfdt", 1, 0, &[&time.to_be_bytes()]);
        // Offset, duration, size and flags are there.
        let trun = full(
            b"trun",
            0x701,
            &[
                &[0, 0, 0, 1],
                &offset.to_be_bytes(),
                &ticks.to_be_bytes(),
                &(data.len() as u32).to_be_bytes(),
                &flags.to_be_bytes(),
            ],
        );
        let traf = boxed(b"traf", &[&tfhd, &tfdt, &trun]);
        boxed(b"moof", &[&full(b"mfhd", 0, &[&number.to_be_bytes()]), &traf])
    };
    // The samples start behind the head of `mdat`.
    let mut out = moof(moof(0).len() as u32 + 8);
    out.extend(boxed(b"mdat", &[data]));
    out
}

/// A box: size, kind, content (4.2).
fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = 8 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut out = Vec::with_capacity(len);
    out.extend((len as u32).to_be_bytes());
    out.extend(kind);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// A box with flags, of version 0.
fn full(kind: &[u8; 4], flags: u32, parts: &[&[u8]]) -> Vec<u8> {
    full_version(kind, 0, flags, parts)
}

fn full_version(kind: &[u8; 4], version: u8, flags: u32, parts: &[&[u8]]) -> Vec<u8> {
    let head = (u32::from(version) << 24 | flags).to_be_bytes();
    let all: Vec<&[u8]> = std::iter::once(&head[..]).chain(parts.iter().copied()).collect();
    boxed(kind, &all)
}
