use std::io::{BufReader, Read};

use placet_core::{Pts, Size, TimeBase};

use super::bytes::{Source, crc};
use super::table::{self, Table};
use super::{FILE_ID, Header, LONGEST_PACKET, MAIN, NutError, STREAM, SYNCPOINT};
use crate::video::Ratio;

/// What comes before a frame's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    /// Presentation time.
    pub pts: Pts,
    /// Bytes of the frame.
    pub len: usize,
    /// Whether it decodes alone; raw frames all do.
    pub key: bool,
}

/// Reads one stream of raw video, frame by frame, straight into the caller's buffers.
pub struct Reader<R> {
    source: Source<BufReader<R>>,
    header: Header,
    main: Main,
    stream: Stream,
    last_pts: i64,
    /// The frame whose head was read and whose bytes were not.
    pending: Option<Pending>,
    most: u64,
}

/// Bytes still in the pipe, after a prefix that the stream left out.
#[derive(Clone, Copy)]
struct Pending {
    prefix: usize,
    len: u64,
}

struct Main {
    time_bases: Vec<TimeBase>,
    table: Table,
    /// Beginnings of frames that are numbered instead of repeated; number 0 is empty.
    prefixes: Vec<Vec<u8>>,
    max_distance: u64,
}

struct Stream {
    time_base: TimeBase,
    time_base_id: u64,
    msb_pts_shift: u32,
    max_pts_distance: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the headers. Frames of more than `max_frame_bytes` will be refused.
    ///
    /// # Errors
    /// Where it is no NUT stream with exactly one stream, of raw video.
    pub fn open(source: R, max_frame_bytes: usize) -> Result<Self, NutError> {
        // Small, since what it reads ahead of a frame's bytes is copied once more.
        let mut source = Source::new(BufReader::with_capacity(1 << 12, source));
        let mut id = [0; FILE_ID.len()];
        source.exact(&mut id)?;
        if &id != FILE_ID {
            return Err(source.malformed("not a NUT stream"));
        }
        let main = Main::read(&packet(&mut source, MAIN)?)?;
        let (stream, header) = Stream::read(&packet(&mut source, STREAM)?, &main)?;
        Ok(Self { source, header, main, stream, last_pts: 0, pending: None, most: max_frame_bytes as u64 })
    }

    /// What the stream says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next frame's head; none at the end. Bytes of the frame before that were not fetched are skipped.
    ///
    /// # Errors
    /// Where the stream is malformed or ends inside a frame.
    pub fn next_frame(&mut self) -> Result<Option<FrameHead>, NutError> {
        if let Some(pending) = self.pending.take() {
            self.source.skip(pending.len)?;
        }
        loop {
            self.source.crc = 0;
            match self.source.byte_or_end()? {
                None => return Ok(None),
                Some(b'N') => self.packet_between_frames()?,
                Some(code) => match self.frame_head(code)? {
                    None => {}
                    head => return Ok(head),
                },
            }
        }
    }

    /// The bytes of the frame whose head was read last.
    ///
    /// # Errors
    /// Where `buf` is not as long as the frame, or the stream ends before.
    pub fn fill(&mut self, buf: &mut [u8]) -> Result<(), NutError> {
        let pending = self.pending.take().ok_or_else(|| self.source.malformed("no frame is waiting"))?;
        let prefix = self.main.prefixes.get(pending.prefix).map(Vec::as_slice).unwrap_or_default();
        let got = prefix.len() as u64 + pending.len;
        let wanted = buf.len() as u64;
        match buf.split_at_mut_checked(prefix.len()) {
            Some((start, rest)) if got == wanted => {
                start.copy_from_slice(prefix);
                self.source.exact(rest)
            }
            _ => Err(NutError::Size { got, wanted }),
        }
    }

    fn frame_head(&mut self, code: u8) -> Result<Option<FrameHead>, NutError> {
        let known = self.main.table.get(code);
        let source = &mut self.source;
        let mut flags = known.flags;
        if flags & table::INVALID != 0 {
            return Err(source.malformed("invalid frame code"));
        }
        if flags & table::CODED != 0 {
            flags ^= source.v()?;
        }
        let stream = if flags & table::STREAM_ID != 0 { source.v()? } else { known.stream };
        if stream != 0 {
            return Err(source.malformed("a frame of another stream"));
        }
        let coded_pts = if flags & table::CODED_PTS != 0 { Some(source.v()?) } else { None };
        let msb = if flags & table::SIZE_MSB != 0 { source.v()? } else { 0 };
        if flags & table::MATCH_TIME != 0 {
            source.s()?;
        }
        let header_idx = if flags & table::HEADER_IDX != 0 { source.v()? } else { known.header_idx };
        let reserved = if flags & table::RESERVED != 0 {
            source.below(256, "too many reserved fields")?
        } else {
            known.reserved
        };
        for _ in 0..reserved {
            source.v()?;
        }
        let too_large = |source: &Source<_>| source.malformed("number out of range");
        let len = msb
            .checked_mul(known.size_mul)
            .and_then(|n| n.checked_add(known.size_lsb))
            .ok_or_else(|| too_large(source))?;
        let pts = match coded_pts {
            None => self.last_pts.checked_add(known.pts_delta),
            Some(coded) => self.stream.full_pts(coded, self.last_pts),
        };
        let pts = pts.ok_or_else(|| too_large(source))?;
        self.check_head(flags, len, pts)?;
        self.last_pts = pts;
        if flags & table::SIDE_DATA != 0 {
            return Err(self.source.malformed("side data in a frame"));
        }
        if flags & table::END_OF_RELEVANCE != 0 && len == 0 {
            return Ok(None);
        }
        // A prefix is left out of short frames only.
        let prefix = if len > 4096 { 0 } else { usize::try_from(header_idx).unwrap_or(usize::MAX) };
        let left_out = self.main.prefixes.get(prefix).map(Vec::len);
        let rest = left_out.and_then(|n| len.checked_sub(n as u64));
        let rest = rest.ok_or_else(|| self.source.malformed("header number of a frame"))?;
        if len > self.most {
            return Err(NutError::Size { got: len, wanted: self.most });
        }
        self.pending = Some(Pending { prefix, len: rest });
        let key = flags & table::KEY != 0;
        Ok(Some(FrameHead { pts: Pts(pts), len: len as usize, key }))
    }

    /// Long frames and jumps in time must carry a checksum, and every checksum must be right.
    fn check_head(&mut self, flags: u64, len: u64, pts: i64) -> Result<(), NutError> {
        let sum = self.source.crc;
        let jump = pts.abs_diff(self.last_pts) > self.stream.max_pts_distance;
        if flags & table::CHECKSUM != 0 {
            if self.source.u32()? != sum {
                return Err(self.source.malformed("checksum of a frame head"));
            }
        } else if len > 2 * self.main.max_distance || jump {
            return Err(self.source.malformed("a frame head without the checksum it needs"));
        }
        Ok(())
    }

    /// The first byte of a startcode was read.
    fn packet_between_frames(&mut self) -> Result<(), NutError> {
        let mut code = [b'N'; 8];
        let [_, rest @ ..] = &mut code;
        self.source.exact(rest)?;
        let code = u64::from_be_bytes(code);
        let body = body(&mut self.source, code)?;
        // Repeated headers must be identical to those we know; infos and indexes do not concern us.
        if code == SYNCPOINT {
            let mut from = Source::new(body.as_slice());
            let time = from.v()?;
            self.last_pts =
                self.main.time(time, self.stream.time_base).ok_or_else(|| from.malformed("syncpoint"))?;
        }
        Ok(())
    }
}

/// The body of a packet whose startcode must be `code`.
fn packet<R: Read>(source: &mut Source<R>, code: u64) -> Result<Vec<u8>, NutError> {
    let mut start = [0; 8];
    source.exact(&mut start)?;
    if u64::from_be_bytes(start) != code {
        return Err(source.malformed("another header was expected here"));
    }
    body(source, code)
}

/// The body of a packet whose startcode was read, its checksum checked.
fn body<R: Read>(source: &mut Source<R>, code: u64) -> Result<Vec<u8>, NutError> {
    source.crc = crc(0, &code.to_be_bytes());
    let len = source.below(LONGEST_PACKET, "length of a packet")?;
    let sum = source.crc;
    if len > 4096 && source.u32()? != sum {
        return Err(source.malformed("checksum of a packet's length"));
    }
    let len = len.checked_sub(4).ok_or_else(|| source.malformed("length of a packet"))?;
    let mut body = vec![0; len as usize];
    source.exact(&mut body)?;
    if source.u32()? != crc(0, &body) {
        return Err(source.malformed("checksum of a packet"));
    }
    Ok(body)
}

impl Main {
    fn read(body: &[u8]) -> Result<Self, NutError> {
        let mut from = Source::new(body);
        if from.v()? != 3 {
            return Err(from.malformed("version other than 3"));
        }
        if from.v()? != 1 {
            return Err(from.malformed("number of streams other than 1"));
        }
        let max_distance = from.v()?.min(65_536);
        let count = from.below(17, "number of time bases")?;
        let mut time_bases = Vec::new();
        for _ in 0..count {
            let mut part = || from.below(1 << 31, "time base").map(|n| n as u32);
            let (num, den) = (part()?, part()?);
            time_bases.push(TimeBase::new(num, den).ok_or_else(|| from.malformed("time base"))?);
        }
        let table = Table::read(&mut from)?;
        let mut prefixes = vec![Vec::new()];
        if from.at < body.len() as u64 {
            for _ in 0..from.below(128, "number of frame prefixes")? {
                let mut prefix = vec![0; from.below(256, "length of a frame prefix")? as usize];
                from.exact(&mut prefix)?;
                prefixes.push(prefix);
            }
        }
        Ok(Self { time_bases, table, prefixes, max_distance })
    }

    /// A universal timestamp in ticks of `to`, as the specification rounds it.
    fn time(&self, coded: u64, to: TimeBase) -> Option<i64> {
        let count = self.time_bases.len() as u64;
        let from = self.time_bases.get(usize::try_from(coded.checked_rem(count)?).ok()?)?;
        let ticks = u128::from(coded / count) * u128::from(from.num()) * u128::from(to.den());
        i64::try_from(ticks / (u128::from(from.den()) * u128::from(to.num()))).ok()
    }
}

impl Stream {
    fn read(body: &[u8], main: &Main) -> Result<(Self, Header), NutError> {
        let mut from = Source::new(body);
        if from.v()? != 0 {
            return Err(from.malformed("stream number other than 0"));
        }
        if from.v()? != 0 {
            return Err(from.malformed("not a video stream"));
        }
        if from.v()? != 4 {
            return Err(from.malformed("fourcc of other than four bytes"));
        }
        let mut fourcc = [0; 4];
        from.exact(&mut fourcc)?;
        let time_base_id = from.v()?;
        let time_base = usize::try_from(time_base_id).ok().and_then(|id| main.time_bases.get(id)).copied();
        let time_base = time_base.ok_or_else(|| from.malformed("number of the time base"))?;
        let msb_pts_shift = from.below(16, "width of short times")? as u32;
        let max_pts_distance = from.v()?;
        let (_decode_delay, _flags) = (from.v()?, from.v()?);
        let extra = from.v()?;
        if extra > body.len() as u64 {
            return Err(from.malformed("length of codec data"));
        }
        from.skip(extra)?;
        let mut dimension = || from.below(1 << 31, "picture size").map(|n| n as u32);
        let size = Size { width: dimension()?, height: dimension()? };
        let (num, den) = (dimension()?, dimension()?);
        let sample_aspect = (num > 0 && den > 0).then_some(Ratio { num, den });
        let stream = Self { time_base, time_base_id, msb_pts_shift, max_pts_distance };
        if stream.time_base_id >= main.time_bases.len() as u64 {
            return Err(from.malformed("number of the time base"));
        }
        Ok((stream, Header { fourcc, size, time_base, sample_aspect, frame_rate: None }))
    }

    /// A time written in full, or its lowest bits only: then the one closest to the last.
    fn full_pts(&self, coded: u64, last: i64) -> Option<i64> {
        let whole = 1u64 << self.msb_pts_shift;
        if coded >= whole {
            return i64::try_from(coded - whole).ok();
        }
        let mask = whole as i64 - 1;
        let delta = last.checked_sub(mask / 2)?;
        ((coded as i64).wrapping_sub(delta) & mask).checked_add(delta)
    }
}
