//! Is what was written what was meant?

use std::fmt;
use std::path::Path;

use placet_core::{Pts, Rotation, Size, TimeBase};

use super::{ColorRange, Fields, MediaInfo, Packet, ProbeError, Ratio, expected_pts, probe_with_packets};
use crate::Tools;

/// What a written file must be.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// Times of its frames, ascending.
    pub times: &'a [Pts],
    /// Their unit.
    pub time_base: TimeBase,
    /// Columns and rows.
    pub size: Size,
    /// How players turn it.
    pub rotation: Rotation,
    /// Range of luma.
    pub range: ColorRange,
    /// Width of a sample over its height; none and 1 are the same.
    pub sample_aspect: Option<Ratio>,
    /// Progressive or interlaced; "not said" is taken as progressive.
    pub fields: Fields,
    /// Number of sound streams.
    pub audio: usize,
}

impl<'a> Expected<'a> {
    /// As `info`, with these frames and so many sound streams.
    pub fn like(info: &MediaInfo, times: &'a [Pts], audio: usize) -> Self {
        let v = &info.video;
        Self {
            times,
            time_base: v.time_base,
            size: v.size,
            rotation: v.rotation,
            range: v.color.range,
            sample_aspect: v.sample_aspect,
            fields: v.fields,
            audio,
        }
    }
}

/// One way in which a file is not what was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    what: &'static str,
    wanted: String,
    got: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {} instead of {}", self.what, self.got, self.wanted)
    }
}

/// Why a written file is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum WrittenError {
    /// It cannot even be read.
    #[error("the written file cannot be read back")]
    Probe(#[from] ProbeError),
    /// It differs.
    #[error("the written file differs from its input: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Differs(Vec<Mismatch>),
}

/// Reads the file back and compares: number of frames, the time of each to within a tick of the coarser of both time
/// bases (a millisecond in Matroska), size, rotation, range, sound. Gives what was read.
///
/// # Errors
/// All differences together.
pub fn check_written(
    tools: &Tools,
    path: &Path,
    expected: &Expected<'_>,
) -> Result<(MediaInfo, Vec<Packet>), WrittenError> {
    let (info, packets) = probe_with_packets(tools, path)?;
    let times = expected_pts(&packets);
    let mut wrong = Vec::new();
    let mut differ = |what, wanted: String, got: String| {
        if wanted != got {
            wrong.push(Mismatch { what, wanted, got });
        }
    };
    let size = |s: Size| format!("{}x{}", s.width, s.height);
    differ("number of frames", expected.times.len().to_string(), times.len().to_string());
    differ("size", size(expected.size), size(info.video.size));
    differ(
        "rotation",
        expected.rotation.degrees_cw().to_string(),
        info.video.rotation.degrees_cw().to_string(),
    );
    differ("number of sound streams", expected.audio.to_string(), info.audio.len().to_string());
    differ("sample aspect ratio", aspect(expected.sample_aspect), aspect(info.video.sample_aspect));
    if expected.fields.interlaced() || info.video.fields.interlaced() {
        differ("order of fields", format!("{:?}", expected.fields), format!("{:?}", info.video.fields));
    }
    if expected.range == ColorRange::Full || info.video.color.range == ColorRange::Full {
        differ("color range", format!("{:?}", expected.range), format!("{:?}", info.video.color.range));
    }
    if expected.times.len() == times.len()
        && let Some((wanted, got)) = first_late(expected, &times, info.video.time_base)
    {
        differ("time of a frame", format!("{wanted:.4} s"), format!("{got:.4} s"));
    }
    if wrong.is_empty() { Ok((info, packets)) } else { Err(WrittenError::Differs(wrong)) }
}

/// In lowest terms, since containers shorten.
fn aspect(ratio: Option<Ratio>) -> String {
    let Ratio { num, den } = ratio.unwrap_or(Ratio { num: 1, den: 1 });
    let (mut a, mut b) = (num, den);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    format!("{}:{}", num / a.max(1), den / a.max(1))
}

/// The first frame whose distance from the first one is not kept.
fn first_late(expected: &Expected<'_>, times: &[Pts], base: TimeBase) -> Option<(f64, f64)> {
    let tick = |b: TimeBase| b.seconds(Pts(1));
    let tolerance = 1.01 * tick(base).max(tick(expected.time_base));
    let (first, start) = (*expected.times.first()?, *times.first()?);
    let wanted =
        expected.times.iter().map(|t| expected.time_base.seconds(*t) - expected.time_base.seconds(first));
    let got = times.iter().map(|t| base.seconds(*t) - base.seconds(start));
    wanted.zip(got).find(|(w, g)| (w - g).abs() > tolerance)
}
