use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use placet_core::{Codec, Pts, Size, TimeBase};

use crate::Tools;
use crate::child::{Child, ChildError, Job, Patient, Program, memory_for};
use crate::nut::{NutError, Reader};
use crate::video::{INPUT_OPTIONS, ProbeError, file_url, input_args, probe};

/// No coded picture of a film is larger.
const LARGEST: usize = 16 << 20;
/// A film that waits to be read stays open this long.
const PATIENCE: Duration = Duration::from_secs(30);
/// A device that gives nothing for so long is let go.
const DEVICE_PATIENCE: Duration = Duration::from_secs(5);
/// Pixels of the largest picture that a device is asked for.
const LARGEST_DEVICE: u64 = 4096 * 2304;

/// A video file, read as a camera would send it: coded pictures in the order in which they are decoded, none shown before
/// one that is decoded earlier. A file of another kind is encoded anew on the way.
pub struct Film {
    child: Child,
    start: Option<Patient>,
    reader: Option<Reader<Patient>>,
    codec: Codec,
    path: PathBuf,
    patience: Duration,
}

/// How a camera at this machine (V4L2) is asked for pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceSpec {
    /// Frames a second; the device takes the nearest it has.
    pub frame_rate: u32,
    /// Columns and rows; none: what it is set to.
    pub size: Option<Size>,
    /// What it gives: JPEG, or raw pictures that are made into JPEG.
    pub raw: bool,
}

/// A coded picture of a film.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilmPicture {
    /// As [`placet_core::AccessUnit::data`] wants it.
    pub data: Vec<u8>,
    /// From the beginning of the film, in ticks of [`TimeBase::LIVE`].
    pub pts: Pts,
    /// Whether it decodes alone.
    pub key: bool,
}

/// Why a film cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum FilmError {
    /// It is no video that can be read.
    #[error("this file cannot be shown as a camera")]
    Probe(#[source] ProbeError),
    /// ffmpeg failed.
    #[error("cannot read `{path}`")]
    Child {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ChildError,
    },
    /// What it gives is not what it should give.
    #[error("cannot read `{path}`")]
    Stream {
        /// The file.
        path: PathBuf,
        /// Why.
        source: NutError,
    },
}

impl Film {
    /// Opens a file, in a locked-in child that reads it and nothing else.
    ///
    /// # Errors
    /// Where it is not a video.
    pub fn open(tools: &Tools, path: &Path) -> Result<Self, FilmError> {
        let info = probe(tools, path).map_err(FilmError::Probe)?;
        let codec = match info.video.codec_name.as_str() {
            _ if info.video.reordered => None,
            "h264" => Some(Codec::H264),
            "hevc" => Some(Codec::H265),
            "mjpeg" => Some(Codec::Jpeg),
            _ => None,
        };
        let job = Job {
            program: Program::Ffmpeg,
            args: args(&info.path, codec),
            read: vec![info.path.clone()],
            memory_bytes: memory_for(info.video.size.area() * 256),
            ..Job::default()
        };
        let path = info.path;
        let failed = |source| FilmError::Child { path: path.clone(), source };
        let mut child = Child::spawn(tools, job).map_err(failed)?;
        let output = child.take_output(PATIENCE).map_err(failed)?;
        let (start, codec) = (Some(output), codec.unwrap_or(Codec::H264));
        Ok(Self { child, start, reader: None, codec, path, patience: PATIENCE })
    }

    /// Opens a camera at this machine, such as `/dev/video0`, in a locked-in child that reads it and nothing else.
    ///
    /// # Errors
    /// Where the child cannot be started. What is wrong with the device is told by [`Self::next_picture`].
    pub fn device(tools: &Tools, path: &Path, spec: DeviceSpec) -> Result<Self, FilmError> {
        let job = Job {
            program: Program::Ffmpeg,
            args: device_args(path, spec),
            device: Some(path.to_owned()),
            memory_bytes: memory_for(LARGEST_DEVICE * 64),
            ..Job::default()
        };
        let path = path.to_owned();
        let failed = |source| FilmError::Child { path: path.clone(), source };
        let mut child = Child::spawn(tools, job).map_err(failed)?;
        let output = child.take_output(DEVICE_PATIENCE).map_err(failed)?;
        let (start, codec, patience) = (Some(output), Codec::Jpeg, DEVICE_PATIENCE);
        Ok(Self { child, start, reader: None, codec, path, patience })
    }

    /// How its pictures are coded as they come out.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The next picture; none at the end.
    ///
    /// # Errors
    /// Where the file is damaged or not read on for half a minute, or the device is gone or silent for five seconds.
    pub fn next_picture(&mut self) -> Result<Option<FilmPicture>, FilmError> {
        match self.try_next() {
            Ok(picture) => Ok(picture),
            Err(NutError::Io { source, .. }) => {
                let source = self.child.broken(source, self.patience);
                Err(FilmError::Child { path: self.path.clone(), source })
            }
            Err(source) => Err(FilmError::Stream { path: self.path.clone(), source }),
        }
    }

    fn try_next(&mut self) -> Result<Option<FilmPicture>, NutError> {
        if let Some(output) = self.start.take() {
            self.reader = Some(Reader::open(output, LARGEST)?);
        }
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let Some(head) = reader.next_frame()? else { return Ok(None) };
        let mut data = vec![0; head.len];
        reader.fill(&mut data)?;
        let base = reader.header().time_base;
        let ticks = i128::from(head.pts.0) * i128::from(base.num()) * i128::from(TimeBase::LIVE.den());
        let pts = Pts((ticks / i128::from(base.den())) as i64);
        Ok(Some(FilmPicture { data, pts, key: head.key }))
    }
}

/// `codec` where the pictures can be passed on as they are.
fn args(path: &Path, codec: Option<Codec>) -> Vec<OsString> {
    let coding: &[&str] = match codec {
        Some(Codec::H264) => &["copy", "-bsf:v", "h264_mp4toannexb,dump_extra=freq=keyframe"],
        Some(Codec::H265) => &["copy", "-bsf:v", "hevc_mp4toannexb,dump_extra=freq=keyframe"],
        Some(Codec::Jpeg) => &["copy"],
        None => &[
            "libx264",
            "-preset",
            "superfast",
            "-tune",
            "zerolatency",
            "-crf",
            "20",
            "-threads",
            "1",
            "-g",
            "25",
            "-pix_fmt",
            "yuv420p",
            "-x264-params",
            "repeat-headers=1",
        ],
    };
    let mut args = input_args(INPUT_OPTIONS);
    args.push("-nostdin".into());
    args.extend(["-i".into(), file_url(path)]);
    args.extend(["-map", "0:v:0", "-an", "-sn", "-dn", "-map_metadata", "-1", "-c:v"].map(OsString::from));
    args.extend(coding.iter().map(OsString::from));
    args.extend(["-fps_mode", "passthrough", "-avoid_negative_ts", "make_zero"].map(OsString::from));
    args.extend(["-fflags", "+bitexact", "-f", "nut", "pipe:1"].map(OsString::from));
    args
}

fn device_args(path: &Path, spec: DeviceSpec) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["-v", "error", "-hide_banner", "-nostdin"].map(Into::into).into();
    args.extend(["-f", "v4l2", "-fflags", "nobuffer", "-framerate"].map(OsString::from));
    args.push(spec.frame_rate.to_string().into());
    if let Some(Size { width, height }) = spec.size {
        args.extend(["-video_size".into(), format!("{width}x{height}").into()]);
    }
    if !spec.raw {
        args.extend(["-input_format", "mjpeg"].map(OsString::from));
    }
    args.extend(["-i".into(), path.into()]);
    args.extend(["-map", "0:v:0", "-map_metadata", "-1", "-c:v"].map(OsString::from));
    let coding: &[&str] = match spec.raw {
        true => &["mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", "-threads", "1"],
        false => &["copy"],
    };
    args.extend(coding.iter().map(OsString::from));
    args.extend(
        ["-fps_mode", "passthrough", "-avoid_negative_ts", "make_zero", "-flush_packets", "1"]
            .map(OsString::from),
    );
    args.extend(["-fflags", "+bitexact", "-f", "nut", "pipe:1"].map(OsString::from));
    args
}
