//! Segments: files of frames, zero-filled ahead. The first 512 bytes are the header, little-endian:
//!
//! | bytes | content |
//! | --- | --- |
//! | 16 | `placet-segment-1` |
//! | 8 | its number, from 0 |
//! | 8 | its span: how long a segment of this log can be |
//! | 8 | how many entries came before it |
//! | 32 | the root over them |
//! | 16 | checksum of the frame before it |
//! | 4 × 8 | how many blobs each channel had |
//! | 16 | checksum: XXH3-128 of all that |
//!
//! Frames follow without a gap from byte 512 on; after the last, zeros.

use std::io;
use std::sync::Arc;

use placet_tlog::merkle::Hash;
use xxhash_rust::xxh3::xxh3_128;

use crate::disk::{Disk, DiskFile};
use crate::error::{Damage, StoreError};
use crate::frame::{self, Checksum, Frame, MAX_FRAME};

/// How many lists of blobs a log has.
pub const CHANNELS: usize = 4;

/// Where a segment's frames begin.
pub const DATA: u64 = 512;

const MAGIC: &[u8; 16] = b"placet-segment-1";
const BODY: usize = 16 + 8 + 8 + 8 + 32 + 16 + 8 * CHANNELS;

/// The share of a segment that is filled with zeros ahead of its frames, in one go: 4 MiB of the usual 64.
const PARTS: u64 = 16;

/// What zeros are written from.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The name of segment `number`.
pub fn name(number: u64) -> String {
    format!("segment-{number:06}")
}

/// The numbers of the segments among `names`, in order.
///
/// # Errors
/// If one between others is missing.
pub fn numbers(names: &[String]) -> Result<u64, StoreError> {
    let mut found: Vec<u64> = names
        .iter()
        .filter_map(|n| {
            let number = n.strip_prefix("segment-")?.parse().ok()?;
            (name(number) == *n).then_some(number)
        })
        .collect();
    found.sort_unstable();
    for (expected, number) in (0..).zip(&found) {
        if expected != *number {
            return Err(Damage::Missing { number: expected }.into());
        }
    }
    Ok(found.len() as u64)
}

/// What a segment starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub number: u64,
    pub span: u64,
    pub first: u64,
    pub root: Hash,
    pub before: Checksum,
    pub blobs: [u64; CHANNELS],
}

impl Header {
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(BODY + 16);
        out.extend(MAGIC);
        for n in [self.number, self.span, self.first] {
            out.extend(n.to_le_bytes());
        }
        out.extend(self.root.0);
        out.extend(self.before);
        for n in self.blobs {
            out.extend(n.to_le_bytes());
        }
        let checksum = xxh3_128(&out).to_le_bytes();
        out.extend(checksum);
        out
    }

    /// Reads the header of segment `number`.
    pub fn load(disk: &dyn Disk, number: u64) -> Result<Self, StoreError> {
        let name = name(number);
        let mut bytes = [0; BODY + 16];
        let file = disk.open(&name).map_err(StoreError::io("open", name.clone()))?;
        match file.read(&mut bytes, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            other => other.map_err(StoreError::io("read", name))?,
        }
        Self::parse(&bytes).filter(|h| h.number == number).ok_or_else(|| Damage::Header { number }.into())
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.get(..BODY + 16)?.split_last_chunk::<16>()?;
        if xxh3_128(body).to_le_bytes() != *checksum {
            return None;
        }
        let number = |at: usize| Some(u64::from_le_bytes(*body.get(at..)?.first_chunk()?));
        body.starts_with(MAGIC).then_some(())?;
        let mut blobs = [0; CHANNELS];
        for (at, blob) in (88..).step_by(8).zip(&mut blobs) {
            *blob = number(at)?;
        }
        Some(Self {
            number: number(16)?,
            span: number(24)?,
            first: number(32)?,
            root: Hash(*body.get(40..)?.first_chunk()?),
            before: *body.get(72..)?.first_chunk()?,
            blobs,
        })
    }
}

/// The segment that is being written.
pub struct Segment {
    pub header: Header,
    file: Arc<dyn DiskFile>,
    /// Where the next frame goes.
    end: u64,
    /// Up to where there are zeros.
    zeroed: u64,
}

impl Segment {
    /// Makes a segment, durably, under its name.
    pub fn create(disk: &dyn Disk, header: Header) -> Result<Self, StoreError> {
        let name = name(header.number);
        let temporary = format!("{name}.new");
        let failed = StoreError::io("make", name.clone());
        let make = || {
            let file = disk.create(&temporary)?;
            let zeroed = header.span / PARTS;
            zero(file.as_ref(), 0, zeroed)?;
            file.write(&header.to_bytes(), 0)?;
            file.sync()?;
            disk.rename(&temporary, &name)?;
            disk.sync_names()?;
            Ok((file, zeroed))
        };
        let (file, zeroed) = make().map_err(failed)?;
        Ok(Self { header, file, end: DATA, zeroed })
    }

    /// The file, to read from.
    pub fn file(&self) -> &Arc<dyn DiskFile> {
        &self.file
    }

    /// Where the next frame goes, in the log's own counting.
    pub fn position(&self) -> u64 {
        self.header.number * self.header.span + self.end
    }

    /// Whether a frame of `length` bytes fits.
    pub fn fits(&self, length: usize) -> bool {
        self.end + length as u64 <= self.header.span
    }

    /// Writes a frame behind the others, durably.
    ///
    /// Where no zeros are yet, they are written behind it, and one sync is for both: what a power cut leaves of them is the
    /// frame, or a torn one with zeros or nothing behind it.
    pub fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        let end = self.end + frame.len() as u64;
        if end > self.zeroed {
            let until = (end + self.header.span / PARTS).min(self.header.span);
            zero(self.file.as_ref(), end, until)?;
            self.zeroed = until;
        }
        self.file.write(frame, self.end)?;
        self.file.sync()?;
        self.end = end;
        Ok(())
    }
}

/// Writes zeros.
fn zero(file: &dyn DiskFile, mut from: u64, until: u64) -> io::Result<()> {
    while from < until {
        let length = usize::try_from(until - from).map_or(ZEROS.len(), |rest| rest.min(ZEROS.len()));
        file.write(ZEROS.get(..length).unwrap_or_default(), from)?;
        from += length as u64;
    }
    Ok(())
}

/// What lies in a segment's file.
pub struct Content {
    number: u64,
    bytes: Vec<u8>,
    pub header: Header,
}

/// How a segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Where the next frame would begin.
    pub at: u64,
    /// Whether a frame was begun there and never finished.
    pub torn: bool,
}

impl Content {
    /// Reads segment `number` into memory.
    pub fn load(disk: &dyn Disk, number: u64) -> Result<(Self, Arc<dyn DiskFile>), StoreError> {
        let name = name(number);
        let file = disk.open(&name).map_err(StoreError::io("open", name.clone()))?;
        let read = || {
            let length = file.length()?;
            let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
            file.read(&mut bytes, 0)?;
            Ok(bytes)
        };
        let bytes: Vec<u8> = read().map_err(StoreError::io("read", name))?;
        let header = Header::parse(&bytes)
            .filter(|h| h.number == number && bytes.len() as u64 <= h.span)
            .ok_or(Damage::Header { number })?;
        Ok((Self { number, bytes, header }, file))
    }

    /// The frame at `offset`, which must follow `first` entries and the frame of checksum `before`; none at the end of the
    /// segment's frames.
    pub fn frame(&self, offset: u64, first: u64, before: Checksum) -> Result<Option<Frame<'_>>, Damage> {
        let rest = usize::try_from(offset).ok().and_then(|o| self.bytes.get(o..)).unwrap_or_default();
        let Some(frame) = frame::read(rest) else { return Ok(None) };
        if frame.first != first || frame.before != before {
            return Err(Damage::Order { number: self.number, offset });
        }
        Ok(Some(frame))
    }

    /// Judges what lies behind the last frame, at `offset`: nothing, a frame that was never finished, or damage.
    ///
    /// One frame at most is ever on its way to the disk. So garbage that is no longer than a frame, with no whole frame in
    /// it or behind it, was never acknowledged; all else was.
    pub fn end(&self, offset: u64) -> Result<End, Damage> {
        let rest = usize::try_from(offset).ok().and_then(|o| self.bytes.get(o..)).unwrap_or_default();
        let Some(last) = rest.iter().rposition(|b| *b != 0) else {
            return Ok(End { at: offset, torn: false });
        };
        let reach = frame::stated_length(rest).unwrap_or(MAX_FRAME);
        if last >= reach || (1..=last).any(|at| frame::read(rest.get(at..).unwrap_or_default()).is_some()) {
            return Err(Damage::Unreadable { number: self.number, offset });
        }
        Ok(End { at: offset, torn: true })
    }

    /// Makes the segment ready to be written behind `end`: what was torn becomes zeros, durably.
    pub fn reopen(self, file: Arc<dyn DiskFile>, end: End) -> Result<Segment, StoreError> {
        let zeroed = self.bytes.len() as u64;
        if end.torn {
            let clean = || {
                zero(file.as_ref(), end.at, zeroed)?;
                file.sync()
            };
            clean().map_err(StoreError::io("clean the end of", name(self.number)))?;
        }
        Ok(Segment { header: self.header, file, end: end.at, zeroed })
    }
}
