use std::path::PathBuf;
use std::time::SystemTime;

use placet_core::{Pts, Rotation, Size, TimeBase};

use super::Codec;

/// What a media file says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaInfo {
    /// The file.
    pub path: PathBuf,
    /// How the file looked when it was probed.
    pub stamp: FileStamp,
    /// Container, as ffprobe names it: `mov,mp4,m4a,3gp,3g2,mj2`, `matroska,webm`, `mpegts`, …
    pub format: String,
    /// When the first of its streams starts, in seconds, where it says. Broadcasts start at any time of their clock.
    pub start_seconds: Option<f64>,
    /// Length of the file in seconds, where it says.
    pub duration_seconds: Option<f64>,
    /// Bits per second over all streams, where known.
    pub bit_rate: Option<u64>,
    /// The video stream that is redacted: the first that is no cover picture.
    pub video: VideoStream,
    /// Further video streams that are no cover pictures. They are not written.
    pub other_videos: usize,
    /// Sound.
    pub audio: Vec<AudioStream>,
    /// Subtitle streams. They are not written.
    pub subtitles: usize,
    /// Cover pictures and thumbnails. They are never written.
    pub attached_pictures: usize,
    /// Data streams and attachments (timed metadata, fonts). They are not written.
    pub data: usize,
    /// Chapter marks.
    pub chapters: usize,
    /// Names of tags that may tell place, device, time or person: `location`, `com.apple.quicktime.model`, … Sorted,
    /// each once, without their values.
    pub identifying_tags: Vec<String>,
    /// Names of the file's tags that may hold a picture, as ffprobe spells them. They are never written.
    pub picture_tags: Vec<String>,
    /// Whether a tag of a chapter may hold a picture. Then no chapter is written.
    pub picture_in_chapters: bool,
}

/// Enough of a file's state to notice that it was changed or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    /// Bytes.
    pub len: u64,
    /// Last change, as its owner may set it.
    pub modified: SystemTime,
    /// Last change of anything, as only the kernel sets it: seconds and nanoseconds.
    pub changed: (i64, i64),
    /// Device and inode.
    pub inode: (u64, u64),
}

/// A fraction, as frame rates and aspect ratios are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    /// Numerator.
    pub num: u32,
    /// Denominator, not 0.
    pub den: u32,
}

impl Ratio {
    /// Its value.
    pub fn value(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }
}

/// The video stream.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoStream {
    /// Its number in the file.
    pub index: u32,
    /// Codec as ffprobe names it.
    pub codec_name: String,
    /// The same, where it is one we can write.
    pub codec: Option<Codec>,
    /// Profile as ffprobe names it.
    pub profile: Option<String>,
    /// Pixel format as ffmpeg names it.
    pub pixel_format: String,
    /// Bits per sample.
    pub bit_depth: u8,
    /// Columns and rows as stored, before rotation.
    pub size: Size,
    /// Width of a sample over its height; none where unknown, which players take as 1.
    pub sample_aspect: Option<Ratio>,
    /// How far players turn the stored frame.
    pub rotation: Rotation,
    /// Range and meaning of the sample values.
    pub color: Color,
    /// Progressive or interlaced.
    pub fields: Fields,
    /// Frames are stored in another order than they are shown.
    pub reordered: bool,
    /// Frames over time, where known.
    pub average_rate: Option<Ratio>,
    /// The rate of which all frame times are multiples, as far as ffprobe could tell. Equal to `average_rate` in a
    /// video of constant rate.
    pub base_rate: Option<Ratio>,
    /// Unit of presentation times.
    pub time_base: TimeBase,
    /// Presentation time of the first frame, where the file says.
    pub start: Option<Pts>,
    /// Length in seconds, where known.
    pub duration_seconds: Option<f64>,
    /// Bits per second, where known.
    pub bit_rate: Option<u64>,
}

impl VideoStream {
    /// Whether frames come at one constant rate, as far as the headers say.
    pub fn constant_rate(&self) -> bool {
        self.average_rate.is_some() && self.average_rate == self.base_rate
    }
}

/// Range and meaning of sample values, as ffmpeg names them; none where the file does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Color {
    /// Whether luma uses 0..=255 rather than 16..=235.
    pub range: ColorRange,
    /// Matrix: `bt709`, `smpte170m`, …
    pub space: Option<String>,
    /// Primaries.
    pub primaries: Option<String>,
    /// Transfer function.
    pub transfer: Option<String>,
}

/// Range of luma.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColorRange {
    /// Not said; players take it as limited.
    #[default]
    Unknown,
    /// 16..=235.
    Limited,
    /// 0..=255.
    Full,
}

/// Progressive or interlaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fields {
    /// Not said.
    #[default]
    Unknown,
    /// Whole pictures.
    Progressive,
    /// Two fields, the top one shown first.
    TopFirst,
    /// Two fields, the bottom one shown first.
    BottomFirst,
}

impl Fields {
    /// Two fields a frame.
    pub fn interlaced(self) -> bool {
        matches!(self, Self::TopFirst | Self::BottomFirst)
    }
}

/// A sound stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioStream {
    /// Its number in the file.
    pub index: u32,
    /// Codec as ffprobe names it.
    pub codec_name: String,
    /// Channels.
    pub channels: u32,
    /// Language as the file gives it (ISO 639-2), where it does.
    pub language: Option<String>,
    /// Dispositions that are on: `default`, `dub`, `comment`, `visual_impaired`, …
    pub dispositions: Vec<String>,
    /// Names of its tags that may hold a picture, as ffprobe spells them. They are never written.
    pub picture_tags: Vec<String>,
}

/// One packet of the video stream, in decoding order: usually one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Presentation time; none in formats that store none.
    pub pts: Option<Pts>,
    /// Decoding time in the same unit, where stored.
    pub dts: Option<i64>,
    /// A decoder can start here.
    pub key: bool,
    /// Decoded but not shown (before the start of an edit list).
    pub discard: bool,
    /// Marked as damaged by the container, where ffprobe tells (6.0 and later).
    pub corrupt: bool,
    /// Bytes.
    pub size: u32,
}

/// Presentation times of the packets that are shown, ascending, each once.
pub fn expected_pts(packets: &[Packet]) -> Vec<Pts> {
    let mut pts: Vec<Pts> = packets.iter().filter(|p| !p.discard).filter_map(|p| p.pts).collect();
    pts.sort_unstable();
    pts.dedup();
    pts
}
