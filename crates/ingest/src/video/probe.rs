use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use placet_core::{Pts, Rotation, Size, TimeBase};
use serde::Deserialize;

use super::{AudioStream, Codec, Color, ColorRange, Fields, FileStamp, MediaInfo, Ratio, VideoStream};
use crate::Tools;
use crate::child::{Child, ChildError, Job, Program};

/// Longest side, and most pixels, that are read: beyond lie decompression bombs.
const LONGEST_SIDE: u32 = 16_384;
const MOST_PIXELS: u64 = 134_217_728;
/// Most that a sample may be wider than high, or higher than wide. Beyond, the detectors miss faces of any size.
const WIDEST: f64 = 2.0;
/// Longest answer of ffprobe.
const LONGEST_ANSWER: usize = 16 << 20;
const PATIENCE: Duration = Duration::from_secs(60);

/// Only local files, and only formats that are one file: playlists and picture sequences would lead elsewhere, and raw
/// streams carry no presentation times.
pub(crate) const INPUT_OPTIONS: [&str; 4] = [
    "-protocol_whitelist",
    "file",
    "-format_whitelist",
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,flv,asf,mxf,ogg,nut,ivf,wtv,gxf",
];

/// Why a file is not taken as a video.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Cannot be opened.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A directory, a device, a pipe.
    #[error("`{path}` is not a file")]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// Nothing in it.
    #[error("`{path}` is empty")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// ffmpeg recognises no format.
    #[error("`{path}` is not a video file, whatever its name says, or in a format that is not read")]
    NotMedia {
        /// The file.
        path: PathBuf,
        /// What ffprobe said, in its own words: not for the user, who is told by the sentence above.
        said: ChildError,
    },
    /// The end is missing.
    #[error(
        "`{path}` is cut off: its index (`moov`) is missing, as when a recording or a copy was interrupted; copy it again"
    )]
    Truncated {
        /// The file.
        path: PathBuf,
    },
    /// Encrypted.
    #[error("`{path}` is encrypted ({what}); decrypt it first")]
    Encrypted {
        /// The file.
        path: PathBuf,
        /// By what sign.
        what: &'static str,
    },
    /// Only sound, say.
    #[error("`{path}` holds no video stream")]
    NoVideo {
        /// The file.
        path: PathBuf,
    },
    /// High dynamic range.
    #[error(
        "`{path}` is HDR video ({what}), whose brightness 8-bit output would distort; convert it to SDR first, for \
         instance with ffmpeg's `zscale` and `tonemap` filters"
    )]
    Hdr {
        /// The file.
        path: PathBuf,
        /// By what sign.
        what: String,
    },
    /// Unreasonable dimensions.
    #[error(
        "`{path}` says that it is {width}x{height} pixels; more than 16384 on a side or 134 million in all are not read"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Columns.
        width: u64,
        /// Rows.
        height: u64,
    },
    /// Samples that 8-bit 4:2:0 cannot stand for.
    #[error(
        "`{path}` has pixels of the kind `{pixel_format}` ({why}), which are not read; convert it to yuv420p first"
    )]
    PixelFormat {
        /// The file.
        path: PathBuf,
        /// As ffmpeg names it.
        pixel_format: String,
        /// What stands in the way.
        why: &'static str,
    },
    /// Samples far from square.
    #[error(
        "`{path}` has pixels of {num}:{den}, in which faces are too narrow or too flat to be found; re-encode it with \
         square ones first (ffmpeg -i FILE -vf scale=iw*sar:ih,setsar=1 OUT)"
    )]
    Aspect {
        /// The file.
        path: PathBuf,
        /// Width of a sample,
        num: u32,
        /// over its height.
        den: u32,
    },
    /// A display matrix other than a quarter turn.
    #[error(
        "`{path}` is to be shown mirrored or turned by other than a quarter turn; re-encode it upright first"
    )]
    Turned {
        /// The file.
        path: PathBuf,
    },
    /// ffprobe failed.
    #[error("`{path}` cannot be probed")]
    Child {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ChildError,
    },
    /// ffprobe's answer is not what is expected.
    #[error("ffprobe's answer on `{path}` is not understood: {what}")]
    Answer {
        /// The file.
        path: PathBuf,
        /// What part.
        what: String,
    },
}

/// Reads the headers of a video file, and a few packets.
///
/// # Errors
/// Where it is not a video that can be redacted; each reason has its own error.
pub fn probe(tools: &Tools, path: &Path) -> Result<MediaInfo, ProbeError> {
    let (path, stamp) = file_at(path)?;
    let mut args = input_args(INPUT_OPTIONS);
    args.extend(["-of", "json", "-show_format", "-show_streams", "-show_chapters"].map(Into::into));
    // The first packets show by their side data whether they are encrypted.
    args.extend(["-show_packets", "-read_intervals", "%+#8"].map(Into::into));
    args.push(url(&path));
    let job = Job { program: Program::Ffprobe, args, read: vec![path.clone()], ..Job::default() };
    let answer = Child::spawn(tools, job)
        .and_then(|child| child.output(LONGEST_ANSWER, PATIENCE))
        .map_err(|e| unopened(&path, e))?;
    MediaInfo::of_answer(path, stamp, &answer)
}

/// The file's path without links, and how it looks; it must be one with something in it.
pub(super) fn file_at(path: &Path) -> Result<(PathBuf, FileStamp), ProbeError> {
    let unreadable = |source| ProbeError::Read { path: path.into(), source };
    let path = path.canonicalize().map_err(unreadable)?;
    let stamp = FileStamp::of(&path).map_err(unreadable)?;
    if !path.is_file() {
        return Err(ProbeError::NotAFile { path });
    }
    if stamp.len == 0 {
        return Err(ProbeError::Empty { path });
    }
    Ok((path, stamp))
}

impl MediaInfo {
    /// From what ffprobe answered (its JSON), which is foreign: a file under its control may make it say anything.
    ///
    /// # Errors
    /// [`ProbeError`], as [`probe`].
    pub fn of_answer(path: PathBuf, stamp: FileStamp, answer: &[u8]) -> Result<Self, ProbeError> {
        let raw: Raw = serde_json::from_slice(answer)
            .map_err(|e| ProbeError::Answer { path: path.clone(), what: e.to_string() })?;
        media(path, stamp, raw)
    }
}

impl FileStamp {
    /// How the file looks now.
    ///
    /// # Errors
    /// Where it cannot be looked at.
    pub fn of(path: &Path) -> io::Result<Self> {
        let meta = path.metadata()?;
        Ok(Self {
            len: meta.len(),
            modified: meta.modified()?,
            changed: (meta.ctime(), meta.ctime_nsec()),
            inode: (meta.dev(), meta.ino()),
        })
    }
}

pub(crate) fn input_args(options: [&str; 4]) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["-v", "error", "-hide_banner"].map(Into::into).into();
    args.extend(options.map(Into::into));
    args
}

/// An absolute path as ffmpeg takes it literally, whatever signs it contains.
pub(crate) fn url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

/// What ffprobe's refusal to open means.
fn unopened(path: &Path, source: ChildError) -> ProbeError {
    let path = path.to_owned();
    if source.sandbox_refused() || source.silent() {
        ProbeError::Child { path, source }
    } else if starts_as_mp4(&path) && source.said().contains("moov atom not found") {
        ProbeError::Truncated { path }
    } else if source.said().contains("Invalid data found") || source.said().contains("not on whitelist") {
        ProbeError::NotMedia { path, said: source }
    } else {
        ProbeError::Child { path, source }
    }
}

/// Whether the file begins with a box of ISO/IEC 14496-12 or QuickTime.
fn starts_as_mp4(path: &Path) -> bool {
    let mut head = [0; 8];
    let read = File::open(path).and_then(|mut f| f.read_exact(&mut head));
    let kind = head.get(4..).unwrap_or_default();
    read.is_ok()
        && [b"ftyp", b"mdat", b"wide", b"free", b"skip", b"moov", b"pnot"]
            .iter()
            .any(|k| k.as_slice() == kind)
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    packets: Vec<RawPacket>,
    #[serde(default)]
    streams: Vec<RawStream>,
    #[serde(default)]
    chapters: Vec<RawChapter>,
    format: RawFormat,
}

#[derive(Deserialize)]
struct RawPacket {
    #[serde(default)]
    side_data_list: Vec<RawSideData>,
}

#[derive(Deserialize)]
struct RawChapter {
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct RawFormat {
    format_name: String,
    start_time: Option<String>,
    duration: Option<String>,
    bit_rate: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct RawSideData {
    side_data_type: Option<String>,
    rotation: Option<i32>,
    displaymatrix: Option<String>,
}

#[derive(Deserialize)]
struct RawStream {
    index: u32,
    codec_name: Option<String>,
    codec_type: Option<String>,
    #[serde(default)]
    codec_tag_string: String,
    profile: Option<String>,
    width: Option<i64>,
    height: Option<i64>,
    pix_fmt: Option<String>,
    bits_per_raw_sample: Option<String>,
    has_b_frames: Option<u32>,
    sample_aspect_ratio: Option<String>,
    color_range: Option<String>,
    color_space: Option<String>,
    color_primaries: Option<String>,
    color_transfer: Option<String>,
    field_order: Option<String>,
    r_frame_rate: Option<String>,
    avg_frame_rate: Option<String>,
    time_base: Option<String>,
    start_pts: Option<i64>,
    duration: Option<String>,
    bit_rate: Option<String>,
    channels: Option<u32>,
    #[serde(default)]
    disposition: BTreeMap<String, u8>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    side_data_list: Vec<RawSideData>,
}

impl RawStream {
    fn is(&self, kind: &str) -> bool {
        self.codec_type.as_deref() == Some(kind)
    }

    fn picture(&self) -> bool {
        ["attached_pic", "timed_thumbnails", "still_image"]
            .iter()
            .any(|d| self.disposition.get(*d).is_some_and(|v| *v > 0))
    }

    fn side_data(&self, kind: &str) -> Option<&RawSideData> {
        self.side_data_list.iter().find(|s| s.side_data_type.as_deref() == Some(kind))
    }
}

fn media(path: PathBuf, stamp: FileStamp, raw: Raw) -> Result<MediaInfo, ProbeError> {
    if let Some(what) = encrypted(&raw) {
        return Err(ProbeError::Encrypted { path, what });
    }
    let videos: Vec<&RawStream> = raw.streams.iter().filter(|s| s.is("video") && !s.picture()).collect();
    let Some(first) = videos.first() else { return Err(ProbeError::NoVideo { path }) };
    let video = video(&path, first)?;
    let count = |wanted: &dyn Fn(&RawStream) -> bool| raw.streams.iter().filter(|s| wanted(s)).count();
    Ok(MediaInfo {
        stamp,
        start_seconds: parsed(&raw.format.start_time),
        duration_seconds: parsed(&raw.format.duration),
        bit_rate: parsed(&raw.format.bit_rate),
        video,
        other_videos: videos.len() - 1,
        audio: raw.streams.iter().filter(|s| s.is("audio")).map(audio).collect(),
        subtitles: count(&|s| s.is("subtitle")),
        attached_pictures: count(&|s| s.is("video") && s.picture()),
        data: count(&|s| !s.is("video") && !s.is("audio") && !s.is("subtitle")),
        chapters: raw.chapters.len(),
        identifying_tags: identifying_tags(&raw),
        picture_tags: picture_tags(&raw.format.tags),
        picture_in_chapters: raw.chapters.iter().flat_map(|c| &c.tags).any(|t| may_hold_picture(&t)),
        format: raw.format.format_name,
        path,
    })
}

/// Two or three letters (ISO 639), perhaps with a region: anything else is free text that may say anything.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let letters = |part: &str, most: usize| {
        (2..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic())
    };
    parts.next().is_some_and(|l| letters(l, 3))
        && parts.next().is_none_or(|r| letters(r, 2))
        && parts.next().is_none()
}

fn encrypted(raw: &Raw) -> Option<&'static str> {
    let tagged = |tags: &[&str]| raw.streams.iter().any(|s| tags.contains(&s.codec_tag_string.as_str()));
    let sealed = raw
        .packets
        .iter()
        .flat_map(|p| &p.side_data_list)
        .chain(raw.streams.iter().flat_map(|s| &s.side_data_list))
        .any(|s| s.side_data_type.as_deref().is_some_and(|t| t.starts_with("Encryption")));
    if tagged(&["encv", "enca", "drmi", "drms"]) {
        Some("its streams are marked as protected")
    } else if sealed {
        Some("common encryption, as DRM uses it")
    } else if raw.streams.iter().any(|s| s.tags.contains_key("enc_key_id")) {
        Some("Matroska content encryption")
    } else {
        None
    }
}

fn video(path: &Path, s: &RawStream) -> Result<VideoStream, ProbeError> {
    let answer =
        |what: &str| ProbeError::Answer { path: path.into(), what: format!("{what} of stream {}", s.index) };
    let dimension = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok());
    let (Some(width), Some(height)) = (dimension(s.width), dimension(s.height)) else {
        return Err(answer("size"));
    };
    let size = match (u32::try_from(width), u32::try_from(height)) {
        (Ok(0), _) | (_, Ok(0)) => return Err(answer("size 0")),
        (Ok(w @ ..=LONGEST_SIDE), Ok(h @ ..=LONGEST_SIDE)) if width * height <= MOST_PIXELS => {
            Size { width: w, height: h }
        }
        _ => return Err(ProbeError::TooLarge { path: path.into(), width, height }),
    };
    if let Some(what) = hdr(s) {
        return Err(ProbeError::Hdr { path: path.into(), what });
    }
    let pixel_format = s.pix_fmt.clone().ok_or_else(|| answer("pixel format"))?;
    if let Some(why) = unreadable_pixels(s, &pixel_format) {
        return Err(ProbeError::PixelFormat { path: path.into(), pixel_format, why });
    }
    let sample_aspect = s.sample_aspect_ratio.as_deref().and_then(|t| ratio(t, ':'));
    if let Some(Ratio { num, den }) = sample_aspect.filter(|r| !(1.0 / WIDEST..=WIDEST).contains(&r.value()))
    {
        return Err(ProbeError::Aspect { path: path.into(), num, den });
    }
    let codec_name = s.codec_name.clone().ok_or_else(|| answer("codec"))?;
    Ok(VideoStream {
        index: s.index,
        codec: Codec::from_name(&codec_name),
        codec_name,
        profile: s.profile.clone(),
        bit_depth: bit_depth(s, &pixel_format),
        size,
        sample_aspect,
        rotation: rotation(s).ok_or_else(|| ProbeError::Turned { path: path.into() })?,
        color: Color {
            range: match s.color_range.as_deref() {
                // All values of red, green and blue become luma and chroma of the limited range when they are read.
                _ if is_rgb(&pixel_format) => ColorRange::Limited,
                Some("pc") => ColorRange::Full,
                Some("tv") => ColorRange::Limited,
                _ if pixel_format.starts_with("yuvj") => ColorRange::Full,
                _ => ColorRange::Unknown,
            },
            space: named(&s.color_space),
            primaries: named(&s.color_primaries),
            transfer: named(&s.color_transfer),
        },
        pixel_format,
        fields: match s.field_order.as_deref() {
            Some("progressive") => Fields::Progressive,
            // The second letter names the field shown first.
            Some("tt" | "bt") => Fields::TopFirst,
            Some("bb" | "tb") => Fields::BottomFirst,
            _ => Fields::Unknown,
        },
        reordered: s.has_b_frames.is_some_and(|n| n > 0),
        average_rate: s.avg_frame_rate.as_deref().and_then(|t| ratio(t, '/')),
        base_rate: s.r_frame_rate.as_deref().and_then(|t| ratio(t, '/')),
        time_base: s
            .time_base
            .as_deref()
            .and_then(|t| ratio(t, '/'))
            .and_then(|r| TimeBase::new(r.num, r.den))
            .ok_or_else(|| answer("time base"))?,
        start: s.start_pts.map(Pts),
        duration_seconds: parsed(&s.duration),
        bit_rate: parsed(&s.bit_rate),
    })
}

fn audio(s: &RawStream) -> AudioStream {
    AudioStream {
        index: s.index,
        codec_name: s.codec_name.clone().unwrap_or_else(|| "unknown".to_owned()),
        channels: s.channels.unwrap_or(0),
        language: s.tags.get("language").filter(|l| *l != "und" && is_language(l)).cloned(),
        dispositions: s.disposition.iter().filter(|(_, on)| **on > 0).map(|(name, _)| name.clone()).collect(),
        picture_tags: picture_tags(&s.tags),
    }
}

fn hdr(s: &RawStream) -> Option<String> {
    let transfer = s.color_transfer.as_deref().filter(|t| matches!(*t, "smpte2084" | "arib-std-b67"));
    let dolby = s.side_data("DOVI configuration record").is_some()
        || matches!(s.codec_tag_string.as_str(), "dvh1" | "dvhe" | "dva1" | "dvav" | "dav1");
    match transfer {
        Some("smpte2084") => Some("PQ transfer, smpte2084".to_owned()),
        Some(_) => Some("HLG transfer, arib-std-b67".to_owned()),
        None => dolby.then(|| "Dolby Vision".to_owned()),
    }
}

fn is_rgb(pixel_format: &str) -> bool {
    ["gbr", "rgb", "bgr", "0rgb", "0bgr"].iter().any(|n| pixel_format.starts_with(n))
}

/// Formats whose conversion to 8-bit 4:2:0 would lose more than fineness.
fn unreadable_pixels(s: &RawStream, pixel_format: &str) -> Option<&'static str> {
    let starts = |names: &[&str]| names.iter().any(|n| pixel_format.starts_with(n));
    if starts(&["yuva", "rgba", "argb", "bgra", "abgr", "gbrap", "ya8", "ya16", "ayuv", "vuya"])
        || s.tags.get("alpha_mode").is_some_and(|m| m == "1")
    {
        Some("transparency")
    } else if starts(&["pal8", "monow", "monob"]) {
        Some("a palette")
    } else if starts(&["bayer", "xyz"]) || pixel_format.contains("f32") {
        Some("camera raw or cinema samples")
    } else if starts(&[
        "yuv", "nv", "p0", "p2", "p4", "y2", "gray", "gbr", "rgb", "bgr", "0rgb", "0bgr", "uyv", "yvyu",
        "uyyv",
    ]) {
        None
    } else {
        Some("unknown samples")
    }
}

/// From the stream, else from the format's name: `yuv420p10le` has 10.
fn bit_depth(s: &RawStream, pixel_format: &str) -> u8 {
    let digits: String = pixel_format
        .trim_end_matches("le")
        .trim_end_matches("be")
        .rsplit(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap_or_default()
        .to_owned();
    match digits.parse() {
        Ok(bits @ 9..=16) => bits,
        _ => s
            .bits_per_raw_sample
            .as_deref()
            .and_then(|b| b.parse().ok())
            .filter(|b| (8..=16).contains(b))
            .unwrap_or(8),
    }
}

/// ffprobe counts counter-clockwise. None where the display matrix does more than a quarter turn.
fn rotation(s: &RawStream) -> Option<Rotation> {
    let Some(side) = s.side_data("Display Matrix") else { return Some(Rotation::None) };
    let rotation = Rotation::from_degrees_cw(side.rotation?.checked_neg()?)?;
    let numbers: Vec<i64> = side
        .displaymatrix
        .as_deref()?
        .lines()
        .flat_map(|line| line.split(':').nth(1).unwrap_or_default().split_whitespace())
        .filter_map(|n| n.parse().ok())
        .collect();
    let [a, b, _, c, d, _, _, _, _] = numbers.as_slice() else { return None };
    // A mirror has a negative determinant.
    (a * d - b * c > 0).then_some(rotation)
}

/// Tags that tell where, when, with what or by whom: all but those that only describe the container.
fn identifying_tags(raw: &Raw) -> Vec<String> {
    const HARMLESS: [&str; 13] = [
        "major_brand",
        "minor_version",
        "compatible_brands",
        "encoder",
        "language",
        "handler_name",
        "vendor_id",
        "duration",
        "bps",
        "number_of_frames",
        "number_of_bytes",
        "variant_bitrate",
        "alpha_mode",
    ];
    let all = raw
        .streams
        .iter()
        .map(|s| &s.tags)
        .chain([&raw.format.tags])
        .chain(raw.chapters.iter().map(|c| &c.tags));
    let mut names: Vec<String> = all
        .flat_map(BTreeMap::keys)
        .map(|name| name.to_ascii_lowercase())
        .filter(|name| {
            let bare = name.split('-').next().unwrap_or_default();
            !HARMLESS.contains(&bare) && !name.starts_with("_statistics") && bare != "rotate"
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn picture_tags(tags: &BTreeMap<String, String>) -> Vec<String> {
    tags.iter().filter(may_hold_picture).map(|(name, _)| name.clone()).collect()
}

/// Whether a tag may hold a picture: by its name, as players of music keep covers in texts, or because it is no text
/// that people write.
fn may_hold_picture((name, value): &(&String, &String)) -> bool {
    const LONGEST: usize = 2_000;
    const LONGEST_WORD: usize = 200;
    const PICTURES: [&str; 8] =
        ["picture", "cover", "covr", "apic", "artwork", "thumbnail", "albumart", "image"];
    let name = name.to_ascii_lowercase();
    PICTURES.iter().any(|p| name.contains(p))
        || value.len() > LONGEST
        || value.split_whitespace().any(|word| word.len() > LONGEST_WORD)
        || value.chars().any(|c| c.is_control() && !c.is_whitespace())
}

fn named(name: &Option<String>) -> Option<String> {
    // `gbr`: no matrix, since the samples are red, green and blue. The frames we read are luma and chroma.
    name.clone().filter(|n| !matches!(n.as_str(), "unknown" | "reserved" | "unspecified" | "gbr"))
}

fn parsed<T: FromStr>(text: &Option<String>) -> Option<T> {
    text.as_deref().and_then(|t| t.parse().ok())
}

/// `30000/1001` or `4:3`; none where a part is 0.
fn ratio(text: &str, between: char) -> Option<Ratio> {
    let (num, den) = text.split_once(between)?;
    let (num, den) = (num.parse().ok()?, den.parse().ok()?);
    (num > 0 && den > 0).then_some(Ratio { num, den })
}
