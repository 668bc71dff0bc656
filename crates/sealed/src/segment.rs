//! One segment as bytes: a header in clear, then one chunk for each coded picture, each sealed in its place.

use std::io::{self, Read};

use placet_core::{AccessUnit, Codec, Pts};
use placet_hpke::{ContextError, ENCAPSULATED, Opening, Sealing, TAG};
use placet_record::entry::CameraId;
use zeroize::Zeroizing;

use crate::{CustodyKey, CustodySecret, UtcMs};

/// What a segment starts with.
pub const FIRST_LINE: &[u8; 17] = b"placet-sealed-v1\n";

/// Bytes of what sealing is bound to: all of the header but the encapsulated key.
const BOUND: usize = FIRST_LINE.len() + 1 + NAME + 1 + 8 + 8 + 8 + 8;
/// Bytes before the first chunk.
pub const HEADER: usize = BOUND + ENCAPSULATED;
/// Room for a camera's name.
const NAME: usize = 64;

/// Bytes of the largest coded picture.
pub const MAX_UNIT: usize = 16 << 20;
/// Before a picture's own bytes: whether it decodes alone, and its time.
const UNIT_HEAD: usize = 9;
/// In a chunk's length: it is the last one.
const LAST: u32 = 1 << 31;

/// How a segment starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Whose pictures it holds.
    pub camera: CameraId,
    /// How all of them are coded.
    pub codec: Codec,
    /// Its number, which counts the segments of its camera.
    pub number: u64,
    /// Civil time of `pts`, by the gateway's clock.
    pub utc: UtcMs,
    /// Time of the first picture, in ticks of [`placet_core::TimeBase::LIVE`].
    pub pts: Pts,
}

/// What anybody can read of a segment. Nothing of it is known to be true before the first picture opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// How it starts.
    pub start: Start,
    /// The id of the custody key that opens it.
    pub key_id: [u8; 8],
    encapsulated: [u8; ENCAPSULATED],
}

impl Start {
    fn bound(&self, key_id: [u8; 8]) -> [u8; BOUND] {
        let mut name = [0; NAME];
        name.iter_mut().zip(self.camera.as_str().bytes()).for_each(|(to, from)| *to = from);
        let length = u8::try_from(self.camera.as_str().len()).unwrap_or(u8::MAX);
        let mut out = [0; BOUND];
        let parts = [
            FIRST_LINE.as_slice(),
            &[length],
            &name,
            &[code(self.codec)],
            &self.number.to_be_bytes(),
            &self.utc.0.to_be_bytes(),
            &self.pts.0.to_be_bytes(),
            &key_id,
        ];
        out.iter_mut().zip(parts.concat()).for_each(|(to, from)| *to = from);
        out
    }
}

fn code(codec: Codec) -> u8 {
    match codec {
        Codec::H264 => 1,
        Codec::H265 => 2,
        Codec::Jpeg => 3,
    }
}

/// What HPKE binds: label and the header before the encapsulated key, all of one length.
fn info(bound: &[u8; BOUND]) -> Vec<u8> {
    [b"placet/v1/sealed-original\0".as_slice(), bound].concat()
}

impl Header {
    fn parse(bytes: &[u8; HEADER]) -> Result<Self, SegmentError> {
        let bad = |what| SegmentError::Header { what };
        let mut rest = bytes.strip_prefix(FIRST_LINE.as_slice()).ok_or(SegmentError::FirstLine)?;
        let [length] = take(&mut rest).ok_or(bad("length"))?;
        let name: [u8; NAME] = take(&mut rest).ok_or(bad("camera's name"))?;
        let (name, zeros) = name.split_at_checked(length.into()).ok_or(bad("camera's name"))?;
        let camera = std::str::from_utf8(name).ok().filter(|_| zeros.iter().all(|byte| *byte == 0));
        let camera = camera.and_then(|name| name.parse().ok()).ok_or(bad("camera's name"))?;
        let codec = match take(&mut rest) {
            Some([1]) => Codec::H264,
            Some([2]) => Codec::H265,
            Some([3]) => Codec::Jpeg,
            _ => return Err(bad("codec")),
        };
        let number = u64::from_be_bytes(take(&mut rest).ok_or(bad("number"))?);
        let utc = UtcMs(u64::from_be_bytes(take(&mut rest).ok_or(bad("civil time"))?));
        let pts = Pts(i64::from_be_bytes(take(&mut rest).ok_or(bad("time"))?));
        let key_id = take(&mut rest).ok_or(bad("key id"))?;
        let encapsulated = rest.try_into().map_err(|_| bad("encapsulated key"))?;
        Ok(Self { start: Start { camera, codec, number, utc, pts }, key_id, encapsulated })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

/// Reads what stands in clear, without a key.
///
/// # Errors
/// If it is no segment of this version, or cannot be read.
pub fn read_header(source: &mut impl Read) -> Result<Header, SegmentError> {
    let mut bytes = [0; HEADER];
    let got = fill(source, &mut bytes)?;
    if got < HEADER {
        return Err(SegmentError::Short { bytes: got });
    }
    Header::parse(&bytes)
}

/// Makes the bytes of a segment, piece by piece. What it gave out it cannot read again.
pub struct SegmentWriter {
    sealing: Sealing,
    codec: Codec,
    units: u64,
    plain: Zeroizing<Vec<u8>>,
}

impl SegmentWriter {
    /// A new segment and the bytes it starts with. `seed` must be 32 fresh random bytes, and is wiped here.
    ///
    /// # Errors
    /// None for a key that was read.
    pub fn begin(key: &CustodyKey, start: &Start, seed: [u8; 32]) -> Result<(Self, Vec<u8>), SealError> {
        let bound = start.bound(key.id());
        let (encapsulated, sealing) = key.seal(&info(&bound), seed)?;
        let writer = Self { sealing, codec: start.codec, units: 0, plain: Zeroizing::default() };
        Ok((writer, [bound.as_slice(), &encapsulated].concat()))
    }

    /// The chunk of the next coded picture. The first one must decode alone.
    ///
    /// # Errors
    /// If it is not of the segment's kind, or empty, or larger than [`MAX_UNIT`].
    pub fn unit(&mut self, unit: &AccessUnit) -> Result<Vec<u8>, SealError> {
        if unit.codec != self.codec || (self.units == 0 && !unit.key) {
            return Err(SealError::Unit);
        }
        if !(1..=MAX_UNIT).contains(&unit.data.len()) {
            return Err(SealError::Size { bytes: unit.data.len() });
        }
        let size = UNIT_HEAD + unit.data.len();
        if self.plain.capacity() < size {
            // Grown here and not by extending, which would leave a copy behind.
            self.plain = Zeroizing::new(Vec::with_capacity(size.next_power_of_two()));
        }
        self.plain.clear();
        self.plain.push(unit.key.into());
        self.plain.extend_from_slice(&unit.pts.0.to_be_bytes());
        self.plain.extend_from_slice(&unit.data);
        self.units += 1;
        chunk(&mut self.sealing, &self.plain, 0)
    }

    /// The last chunk, which says that nothing is missing before it.
    ///
    /// # Errors
    /// None.
    pub fn end(mut self) -> Result<Vec<u8>, SealError> {
        chunk(&mut self.sealing, &self.units.to_be_bytes(), LAST)
    }
}

fn chunk(sealing: &mut Sealing, plain: &[u8], last: u32) -> Result<Vec<u8>, SealError> {
    let length = u32::try_from(plain.len() + TAG).map_err(|_| SealError::Unit)?;
    let word = (length | last).to_be_bytes();
    let sealed = sealing.seal(plain, &word)?;
    Ok([word.as_slice(), &sealed].concat())
}

/// A coded picture out of a segment. Its bytes are wiped from memory when it is dropped.
pub struct Unit {
    // INVARIANT: at least `UNIT_HEAD + 1` bytes.
    plain: Zeroizing<Vec<u8>>,
    /// When it is to be shown, on the clock of the gateway that sealed it.
    pub pts: Pts,
    /// Whether it decodes alone.
    pub key: bool,
}

impl Unit {
    /// What the camera sent.
    pub fn data(&self) -> &[u8] {
        self.plain.get(UNIT_HEAD..).unwrap_or_default()
    }
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = if self.key { ", key" } else { "" };
        write!(f, "Unit({} bytes at {}{key})", self.data().len(), self.pts.0)
    }
}

/// Takes a segment apart, picture by picture. What it gives is what was sealed, from the first one on, whatever became
/// of the rest.
pub struct SegmentReader<R> {
    source: R,
    header: Header,
    opening: Opening,
    units: u64,
    over: bool,
    sealed: Vec<u8>,
}

impl<R: Read> SegmentReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// If it is no segment of this version, is sealed to another key, or cannot be read.
    pub fn open(mut source: R, secret: &CustodySecret) -> Result<Self, SegmentError> {
        let header = read_header(&mut source)?;
        if header.key_id != secret.public_key().id() {
            return Err(SegmentError::Key);
        }
        let bound = header.start.bound(header.key_id);
        let opening = secret.open(&header.encapsulated, &info(&bound));
        let opening = opening.map_err(|_| SegmentError::Damaged { unit: 0 })?;
        Ok(Self { source, header, opening, units: 0, over: false, sealed: Vec::new() })
    }

    /// What stands in clear; true once a picture has opened.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next picture; none where the segment was ended in order and all of it was given.
    ///
    /// # Errors
    /// If the rest is missing, was changed, or stood elsewhere. Nothing comes after an error.
    pub fn next_unit(&mut self) -> Result<Option<Unit>, SegmentError> {
        if self.over {
            return Ok(None);
        }
        self.over = true;
        let unit = self.units;
        let mut word = [0; 4];
        if fill(&mut self.source, &mut word)? < word.len() {
            return Err(SegmentError::Torn { unit });
        }
        let length = u32::from_be_bytes(word);
        let last = length & LAST != 0;
        let bytes = (length & !LAST) as usize;
        let fits = if last {
            bytes == 8 + TAG
        } else {
            (1..=MAX_UNIT).contains(&bytes.saturating_sub(UNIT_HEAD + TAG))
        };
        if !fits {
            return Err(SegmentError::Damaged { unit });
        }
        // Not more than there is: the length is not proved yet.
        self.sealed.clear();
        let limit = u64::try_from(bytes).unwrap_or(u64::MAX);
        let read = self.source.by_ref().take(limit).read_to_end(&mut self.sealed);
        if read.map_err(SegmentError::Read)? < bytes {
            return Err(SegmentError::Torn { unit });
        }
        let plain = self.opening.open(&self.sealed, &word).map_err(|_| SegmentError::Damaged { unit })?;
        if last {
            return self.end(&plain).map(|()| None);
        }
        let mut rest = plain.as_slice();
        let key = match take(&mut rest) {
            Some([0]) if unit > 0 => false,
            Some([1]) => true,
            _ => return Err(SegmentError::Form { unit }),
        };
        let pts = Pts(i64::from_be_bytes(take(&mut rest).ok_or(SegmentError::Form { unit })?));
        self.units += 1;
        self.over = false;
        Ok(Some(Unit { plain, pts, key }))
    }

    fn end(&mut self, plain: &[u8]) -> Result<(), SegmentError> {
        if self.units == 0 || plain != self.units.to_be_bytes() {
            return Err(SegmentError::Form { unit: self.units });
        }
        match fill(&mut self.source, &mut [0])? {
            0 => Ok(()),
            _ => Err(SegmentError::Trailing),
        }
    }
}

/// Reads until `bytes` is full or there is no more; how many came.
fn fill(source: &mut impl Read, bytes: &mut [u8]) -> Result<usize, SegmentError> {
    let mut got = 0;
    while let Some(rest) = bytes.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(SegmentError::Read(e)),
        }
    }
    Ok(got)
}

/// Why a picture was not sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// HPKE.
    #[error("cannot seal it")]
    Context(#[from] ContextError),
    /// Of another codec than the segment, or a first one that does not decode alone.
    #[error("the picture does not belong into this segment")]
    Unit,
    /// Empty or too large.
    #[error("a coded picture of {bytes} bytes is none of 1 byte to 16 MiB")]
    Size {
        /// How large it is.
        bytes: usize,
    },
}

/// Why a segment, or its rest, was not read.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// The disk.
    #[error("the segment cannot be read")]
    Read(#[source] io::Error),
    /// Another kind of file, or a later version.
    #[error("the first line is not `placet-sealed-v1`")]
    FirstLine,
    /// Shorter than a header.
    #[error("a segment has a header of 147 bytes, and this file has {bytes}")]
    Short {
        /// How many bytes there are.
        bytes: usize,
    },
    /// A header that nobody wrote.
    #[error("the header's {what} cannot be read")]
    Header {
        /// Which part.
        what: &'static str,
    },
    /// Sealed to another key.
    #[error("the segment is sealed to another custody key")]
    Key,
    /// Cut off, as by a crash of what wrote it.
    #[error("the segment ends after {unit} pictures without its last mark")]
    Torn {
        /// How many pictures came before.
        unit: u64,
    },
    /// Changed, moved, or not the next.
    #[error("picture {unit} of the segment was changed, moved or sealed elsewhere")]
    Damaged {
        /// Which, from 0.
        unit: u64,
    },
    /// Sealed so, but nothing that we write.
    #[error("picture {unit} of the segment was sealed in another form than segments have")]
    Form {
        /// Which, from 0.
        unit: u64,
    },
    /// Something after the last mark.
    #[error("something stands after the segment's end")]
    Trailing,
}
