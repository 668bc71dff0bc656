//! What a frame's first byte stands for.

use std::io::Read;

use super::NutError;
use super::bytes::Source;

pub(super) const KEY: u64 = 1;
pub(super) const END_OF_RELEVANCE: u64 = 2;
pub(super) const CODED_PTS: u64 = 8;
pub(super) const STREAM_ID: u64 = 16;
pub(super) const SIZE_MSB: u64 = 32;
pub(super) const CHECKSUM: u64 = 64;
pub(super) const RESERVED: u64 = 128;
/// Side data inside the frame (version 4); not written for raw video.
pub(super) const SIDE_DATA: u64 = 256;
pub(super) const HEADER_IDX: u64 = 1024;
pub(super) const MATCH_TIME: u64 = 2048;
pub(super) const CODED: u64 = 4096;
pub(super) const INVALID: u64 = 8192;

/// What is known of a frame from its first byte.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameCode {
    pub(super) flags: u64,
    pub(super) stream: u64,
    pub(super) size_mul: u64,
    pub(super) size_lsb: u64,
    pub(super) pts_delta: i64,
    pub(super) reserved: u64,
    pub(super) header_idx: u64,
}

const NONE: FrameCode = FrameCode {
    flags: INVALID,
    stream: 0,
    size_mul: 1,
    size_lsb: 0,
    pts_delta: 0,
    reserved: 0,
    header_idx: 0,
};

/// The 256 of them.
pub(super) struct Table([FrameCode; 256]);

impl Table {
    pub(super) fn get(&self, code: u8) -> FrameCode {
        self.0.get(usize::from(code)).copied().unwrap_or(NONE)
    }

    /// The run-length coded table of the main header.
    pub(super) fn read<R: Read>(from: &mut Source<R>) -> Result<Self, NutError> {
        const SMALL: u64 = 16_384;
        // ffmpeg writes the time of one frame there, in a signed word: 18,000 for five frames a second of 90 kHz.
        const STEP: u64 = 1 << 15;
        let mut table = [NONE; 256];
        let mut run = FrameCode { flags: 0, ..NONE };
        let mut codes = table.iter_mut().enumerate().filter(|(idx, _)| *idx != usize::from(b'N'));
        let mut left = 255u64;
        while left > 0 {
            run.flags = from.v()?;
            let fields = from.below(32, "too many fields in the frame table")?;
            if fields > 0 {
                run.pts_delta = from.s()?;
                if run.pts_delta.unsigned_abs() > STEP {
                    return Err(from.malformed("time step in the frame table"));
                }
            }
            if fields > 1 {
                run.size_mul = from.below(SMALL, "size factor in the frame table")?;
            }
            if fields > 2 {
                run.stream = from.below(250, "stream in the frame table")?;
            }
            run.size_lsb = if fields > 3 { from.below(SMALL, "size in the frame table")? } else { 0 };
            run.reserved =
                if fields > 4 { from.below(256, "reserved fields in the frame table")? } else { 0 };
            let count = if fields > 5 { from.v()? } else { run.size_mul.saturating_sub(run.size_lsb) };
            if fields > 6 {
                from.s()?;
            }
            if fields > 7 {
                run.header_idx = from.below(128, "header number in the frame table")?;
            }
            for _ in 8..fields {
                from.v()?;
            }
            if count == 0 || count > left {
                return Err(from.malformed("length of a run in the frame table"));
            }
            left -= count;
            for (n, (_, code)) in (0..count).zip(&mut codes) {
                *code = FrameCode { size_lsb: run.size_lsb + n, ..run };
            }
        }
        Ok(Self(table))
    }
}
