use std::io::Write;

use placet_core::Pts;

use super::bytes::{crc, put_packet, put_s, put_v, put_vb};
use super::table::{CHECKSUM, CODED, CODED_PTS, INVALID, KEY, SIZE_MSB};
use super::{FILE_ID, Header, INFO, MAIN, NutError, STREAM, SYNCPOINT};

/// The one frame code in use.
const FRAME: u8 = 1;
/// Times are always written in full.
const MSB_PTS_SHIFT: u32 = 7;

/// Writes one stream of video, each frame behind a syncpoint, its bytes passed on without a copy.
pub struct Writer<W> {
    sink: W,
    at: u64,
    head: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Writes the headers.
    ///
    /// # Errors
    /// Where the sink fails.
    pub fn create(sink: W, header: Header) -> Result<Self, NutError> {
        let mut writer = Self { sink, at: 0, head: Vec::with_capacity(512) };
        writer.head.extend_from_slice(FILE_ID);
        put_packet(&mut writer.head, MAIN, &main_header(&header));
        put_packet(&mut writer.head, STREAM, &stream_header(&header));
        if let Some(rate) = header.frame_rate {
            let mut info = Vec::new();
            // Of stream 0, of no chapter, from 0, of no length, one entry.
            for number in [1, 0, 0, 0, 1] {
                put_v(&mut info, number);
            }
            put_vb(&mut info, b"r_frame_rate");
            put_s(&mut info, -1);
            put_vb(&mut info, format!("{}/{}", rate.num, rate.den).as_bytes());
            put_packet(&mut writer.head, INFO, &info);
        }
        writer.put_head()?;
        Ok(writer)
    }

    /// Writes a frame that decodes alone, as raw ones do.
    ///
    /// # Errors
    /// Where the sink fails, or `pts` is negative, which NUT cannot say.
    pub fn write(&mut self, pts: Pts, data: &[u8]) -> Result<(), NutError> {
        self.write_coded(pts, true, data)
    }

    /// Writes a frame; `key` where it decodes alone.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_coded(&mut self, pts: Pts, key: bool, data: &[u8]) -> Result<(), NutError> {
        let time = u64::try_from(pts.0).map_err(|_| NutError::Negative(pts.0))?;
        let mut syncpoint = Vec::with_capacity(16);
        // There is one time base, so a universal time is the time itself; no earlier syncpoint is pointed back to.
        put_v(&mut syncpoint, time);
        put_v(&mut syncpoint, 0);
        put_packet(&mut self.head, SYNCPOINT, &syncpoint);

        let start = self.head.len();
        self.head.push(FRAME);
        let key = if key { KEY } else { 0 };
        put_v(&mut self.head, key | CODED_PTS | SIZE_MSB | CHECKSUM);
        put_v(&mut self.head, time.saturating_add(1 << MSB_PTS_SHIFT));
        put_v(&mut self.head, data.len() as u64);
        let sum = crc(0, self.head.get(start..).unwrap_or_default());
        self.head.extend(sum.to_be_bytes());
        self.put_head()?;
        self.put(data)
    }

    /// The sink, for whoever wants it back.
    pub fn into_inner(self) -> W {
        self.sink
    }

    fn put_head(&mut self) -> Result<(), NutError> {
        let mut head = std::mem::take(&mut self.head);
        let done = self.put(&head);
        head.clear();
        self.head = head;
        done
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), NutError> {
        self.sink.write_all(bytes).map_err(|source| NutError::Io { at: self.at, source })?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

fn main_header(header: &Header) -> Vec<u8> {
    let mut out = Vec::new();
    // Version, streams, longest distance between startcodes, time bases.
    for number in [3, 1, 32_768, 1, header.time_base.num().into(), header.time_base.den().into()] {
        put_v(&mut out, number);
    }
    // Code 0 is invalid, code 1 is every frame, the rest is invalid; 'N' is left out of the count.
    for (flags, count) in [(INVALID, 1), (CODED, 1), (INVALID, 253)] {
        put_v(&mut out, flags);
        put_v(&mut out, 6);
        put_s(&mut out, 0);
        for number in [1, 0, 0, 0, count] {
            put_v(&mut out, number);
        }
    }
    // No beginnings of frames are left out. FFmpeg refuses every frame of a stream that does not say so.
    put_v(&mut out, 0);
    out
}

fn stream_header(header: &Header) -> Vec<u8> {
    let mut out = Vec::new();
    // Stream 0, of class video.
    put_v(&mut out, 0);
    put_v(&mut out, 0);
    put_vb(&mut out, &header.fourcc);
    // Time base 0; jumps of more than a tick carry a checksum, as every frame here does; no delay, no flags, no data.
    for number in [0, MSB_PTS_SHIFT.into(), 1, 0, 0, 0] {
        put_v(&mut out, number);
    }
    put_v(&mut out, header.size.width.into());
    put_v(&mut out, header.size.height.into());
    let (num, den) = header.sample_aspect.map_or((0, 0), |r| (r.num, r.den));
    put_v(&mut out, num.into());
    put_v(&mut out, den.into());
    put_v(&mut out, 0);
    out
}
