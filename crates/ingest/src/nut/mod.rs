//! Raw frames with their presentation times in a pipe: the part of the NUT container that one stream of raw video needs.
//!
//! Follows "NUT Open Container Format 20061104" (`DOCS/tech/nut.txt` of mpv, `nut.txt` of FFmpeg's nut project), with
//! the elision headers that FFmpeg writes. [`Reader`] takes what FFmpeg writes to a pipe, [`Writer`] writes what FFmpeg
//! reads from one. Both check or make every checksum.
//!
//! ```
//! use placet_core::{Pts, Size, TimeBase};
//! use placet_ingest::nut::{Header, Reader, Writer};
//!
//! let header = Header {
//!     fourcc: *b"I420",
//!     size: Size { width: 2, height: 2 },
//!     time_base: TimeBase::new(1, 25).ok_or("time base")?,
//!     sample_aspect: None,
//!     frame_rate: None,
//! };
//! let mut pipe = Vec::new();
//! let mut writer = Writer::create(&mut pipe, header)?;
//! writer.write(Pts(3), &[16, 16, 16, 16, 128, 128])?;
//!
//! let mut reader = Reader::open(pipe.as_slice(), 6)?;
//! let head = reader.next_frame()?.ok_or("a frame")?;
//! let mut frame = [0; 6];
//! reader.fill(&mut frame)?;
//! assert_eq!((head.pts, frame), (Pts(3), [16, 16, 16, 16, 128, 128]));
//! assert!(reader.next_frame()?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bytes;
mod read;
mod table;
mod write;

use placet_core::{Size, TimeBase};

pub use read::{FrameHead, Reader};
pub use write::Writer;

use crate::video::Ratio;

const FILE_ID: &[u8; 25] = b"nut/multimedia container\0";
const MAIN: u64 = 0x4E4D_7A56_1F5F_04AD;
const STREAM: u64 = 0x4E53_1140_5BF2_F9DB;
const SYNCPOINT: u64 = 0x4E4B_E4AD_EECA_4569;
const INFO: u64 = 0x4E49_AB68_B596_BA78;
/// No packet but a frame is longer; FFmpeg's headers take a few hundred bytes.
const LONGEST_PACKET: u64 = 1 << 20;

/// The one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Layout of the samples, as AVI names them: `I420` for [`placet_core::Layout::Yuv420`].
    pub fourcc: [u8; 4],
    /// Columns and rows.
    pub size: Size,
    /// Unit of presentation times.
    pub time_base: TimeBase,
    /// Width of a sample over its height, where known.
    pub sample_aspect: Option<Ratio>,
    /// Frames over time, as a hint to encoders. Written, not read back.
    pub frame_rate: Option<Ratio>,
}

/// Why a stream cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum NutError {
    /// The pipe.
    #[error("raw video stream broke at byte {at}")]
    Io {
        /// Bytes from the start.
        at: u64,
        /// Why.
        source: std::io::Error,
    },
    /// Not what the specification says.
    #[error("raw video stream is malformed at byte {at}: {what}")]
    Malformed {
        /// Bytes from the start.
        at: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A frame of another size than the buffer for it.
    #[error("a frame of {got} bytes came where {wanted} were expected")]
    Size {
        /// Bytes of the frame.
        got: u64,
        /// Bytes of the buffer, or the most that were allowed.
        wanted: u64,
    },
    /// NUT cannot write times before zero.
    #[error("presentation time {0} is negative")]
    Negative(i64),
}

#[cfg(test)]
mod tests;
