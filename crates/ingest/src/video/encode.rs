use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use placet_core::{Frame, Pts, Rotation, Size, TimeBase};
use placet_redaction::{ObscuredFrame, RedactedFrame};

use super::probe::{INPUT_OPTIONS, input_args, url};
use super::{AudioStream, Codec, Color, ColorRange, Container, Fields, MediaInfo, Ratio};
use crate::Tools;
use crate::child::{Child, ChildError, Job, Patient, Program};
use crate::nut::{Header, NutError, Writer};

/// How long the encoder may take to accept a frame. Slow presets of slow codecs on large frames stay below it.
const PATIENCE: Duration = Duration::from_secs(300);

/// A file to be written.
#[derive(Clone, Debug)]
pub struct EncodeSpec {
    /// An existing file; it is overwritten. The encoder can create none.
    pub output: PathBuf,
    /// Its container.
    pub container: Container,
    /// Codec of its video.
    pub codec: Codec,
    /// The encoder's speed, in x264's names.
    pub preset: String,
    /// Constant rate factor on x264's scale; other encoders get the nearest of theirs.
    pub crf: u8,
    /// Columns and rows.
    pub size: Size,
    /// Width of a sample over its height.
    pub sample_aspect: Option<Ratio>,
    /// How players turn the frame.
    pub rotation: Rotation,
    /// Range and meaning of the samples.
    pub color: Color,
    /// Progressive or interlaced.
    pub fields: Fields,
    /// Average frames over time, a hint for rate control and for headers.
    pub frame_rate: Option<Ratio>,
    /// Unit of the frames' times.
    pub time_base: TimeBase,
    /// The least time of a frame, where it is below zero.
    pub first: Pts,
    /// Where sound comes from, copied as it is.
    pub sound: Option<(PathBuf, Vec<AudioStream>)>,
    /// Copy titles, places and chapters from this file.
    pub metadata_from: Option<PathBuf>,
}

impl EncodeSpec {
    /// A file with the properties of `info`, its sound and, where `keep_metadata` says so, its metadata; x264's
    /// `veryfast` at 23.
    pub fn like(
        info: &MediaInfo,
        output: &Path,
        container: Container,
        codec: Codec,
        audio: Vec<AudioStream>,
        keep_metadata: bool,
    ) -> Self {
        let video = &info.video;
        Self {
            output: output.to_owned(),
            container,
            codec,
            preset: "veryfast".to_owned(),
            crf: 23,
            size: video.size,
            sample_aspect: video.sample_aspect,
            rotation: video.rotation,
            color: video.color.clone(),
            fields: video.fields,
            frame_rate: video.average_rate,
            time_base: video.time_base,
            first: video.start.unwrap_or(Pts(0)),
            sound: (!audio.is_empty()).then(|| (info.path.clone(), audio)),
            metadata_from: keep_metadata.then(|| info.path.clone()),
        }
    }
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// ffmpeg failed.
    #[error("cannot encode to `{path}`")]
    Child {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ChildError,
    },
    /// No room.
    #[error("no space is left for `{path}`; free some, or choose another place with -o")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// A frame cannot be handed over.
    #[error("cannot hand a frame at time stamp {pts} to the encoder of `{path}`")]
    Frame {
        /// The file.
        path: PathBuf,
        /// Its time.
        pts: i64,
        /// Why.
        source: NutError,
    },
}

/// Writes redacted frames, and only those, to a file.
pub struct Encoder {
    child: Child,
    writer: Option<Writer<Patient>>,
    path: PathBuf,
    shift: i64,
}

impl Encoder {
    /// Starts the encoder.
    ///
    /// # Errors
    /// Where ffmpeg cannot be started.
    pub fn create(tools: &Tools, spec: EncodeSpec) -> Result<Self, EncodeError> {
        let shift = spec.first.0.min(0).saturating_neg();
        let sources: Vec<PathBuf> =
            spec.sound.iter().map(|(p, _)| p).chain(&spec.metadata_from).map(PathBuf::clone).collect();
        let job = Job {
            program: Program::Ffmpeg,
            args: spec.args(tools, shift),
            read: sources.into_iter().take(1).collect(),
            write: vec![spec.output.clone()],
            // x264 keeps some 60 frames, SVT-AV1 more; threads and libraries come on top.
            memory_bytes: (3 << 30) + spec.size.area() * 1024,
            stdin: true,
        };
        let path = spec.output.clone();
        let failed = |source| EncodeError::Child { path: path.clone(), source };
        let mut child = Child::spawn(tools, job).map_err(failed)?;
        let input = child.take_input(PATIENCE).map_err(failed)?;
        let header = Header {
            fourcc: *b"I420",
            size: spec.size,
            time_base: spec.time_base,
            sample_aspect: spec.sample_aspect,
            frame_rate: spec.frame_rate,
        };
        match Writer::create(input, header) {
            Ok(writer) => Ok(Self { child, writer: Some(writer), path, shift }),
            Err(NutError::Io { source, .. }) => Err(full_or(path.clone(), child.broken(source, PATIENCE))),
            Err(source) => Err(EncodeError::Frame { path, pts: 0, source }),
        }
    }

    /// Hands over a frame. Times must grow.
    ///
    /// # Errors
    /// Where the encoder gave up.
    pub fn write(&mut self, frame: &RedactedFrame) -> Result<(), EncodeError> {
        self.put(frame.as_frame())
    }

    /// Hands over a frame whose faces are obscured by a reversible style. Files take such frames, live streams do not.
    ///
    /// # Errors
    /// Where the encoder gave up.
    pub fn write_obscured(&mut self, frame: &ObscuredFrame) -> Result<(), EncodeError> {
        self.put(frame.as_frame())
    }

    fn put(&mut self, frame: &Frame) -> Result<(), EncodeError> {
        let pts = Pts(frame.pts.0.saturating_add(self.shift));
        let Some(writer) = &mut self.writer else { return Ok(()) };
        match writer.write(pts, frame.bytes()) {
            Ok(()) => Ok(()),
            Err(NutError::Io { source, .. }) => {
                Err(full_or(self.path.clone(), self.child.broken(source, PATIENCE)))
            }
            Err(source) => Err(EncodeError::Frame { path: self.path.clone(), pts: frame.pts.0, source }),
        }
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// Where the encoder failed; the file is then not whole.
    pub fn finish(mut self) -> Result<(), EncodeError> {
        // Closes the pipe.
        self.writer = None;
        let path = self.path;
        self.child.finish().map_err(|source| full_or(path, source))
    }
}

fn full_or(path: PathBuf, source: ChildError) -> EncodeError {
    let full = ["No space left on device", "Disk quota exceeded", "File too large"];
    if full.iter().any(|words| source.said().contains(words)) {
        EncodeError::Full { path }
    } else {
        EncodeError::Child { path, source }
    }
}

impl EncodeSpec {
    fn args(&self, tools: &Tools, shift: i64) -> Vec<OsString> {
        let mut args: Vec<OsString> = ["-v", "error", "-nostdin", "-y", "-copyts"].map(Into::into).into();
        let mut add = |words: &[&str]| args.extend(words.iter().map(OsString::from));
        if tools.major() >= 6 && self.rotation != Rotation::None {
            // Counter-clockwise there.
            add(&["-display_rotation:v:0", &format!("-{}", self.rotation.degrees_cw())]);
        }
        if shift > 0 {
            add(&["-itsoffset", &format!("-{:.9}", self.time_base.seconds(Pts(shift)))]);
        }
        add(&["-thread_queue_size", "4", "-f", "nut", "-i", "pipe:0"]);
        if let Some(path) = self.sound.as_ref().map(|(p, _)| p).or(self.metadata_from.as_ref()) {
            args.extend(input_args(INPUT_OPTIONS).into_iter().skip_while(|a| a == "-v" || a == "error"));
            args.extend(["-i".into(), url(path)]);
        }
        let mut add = |words: &[&str]| args.extend(words.iter().map(OsString::from));
        add(&["-map", "0:v:0"]);
        for (idx, stream) in self.sound.iter().flat_map(|(_, streams)| streams).enumerate() {
            add(&["-map", &format!("1:{}", stream.index)]);
            if let Some(language) = &stream.language {
                add(&[&format!("-metadata:s:a:{idx}"), &format!("language={language}")]);
            }
            let dispositions =
                if stream.dispositions.is_empty() { "0".to_owned() } else { stream.dispositions.join("+") };
            add(&[&format!("-disposition:a:{idx}"), &dispositions]);
        }
        add(&["-c:a", "copy"]);
        let source = if self.metadata_from.is_some() { "1" } else { "-1" };
        add(&["-map_metadata", source, "-map_chapters", source]);
        self.video_args(&mut add);
        if tools.major() < 6 && self.rotation != Rotation::None {
            add(&["-metadata:s:v:0", &format!("rotate={}", self.rotation.degrees_cw())]);
        }
        self.container_args(&mut add);
        args.extend(["-f".into(), self.container.muxer().into(), url(&self.output)]);
        args
    }

    fn video_args(&self, add: &mut dyn FnMut(&[&str])) {
        let range = match self.color.range {
            ColorRange::Full => "pc",
            ColorRange::Limited => "tv",
            ColorRange::Unknown => "unknown",
        };
        // Frames are marked, so that nothing is converted, and so is the stream.
        let mut marks = format!("setparams=range={range}");
        for (name, option, value) in [
            ("colorspace", "-colorspace", &self.color.space),
            ("color_primaries", "-color_primaries", &self.color.primaries),
            ("color_trc", "-color_trc", &self.color.transfer),
        ] {
            if let Some(value) = value {
                marks.push_str(&format!(":{name}={value}"));
                add(&[option, value]);
            }
        }
        let (field_mode, top) = match self.fields {
            Fields::TopFirst => (":field_mode=tff", Some("1")),
            Fields::BottomFirst => (":field_mode=bff", Some("0")),
            Fields::Progressive | Fields::Unknown => ("", None),
        };
        marks.push_str(field_mode);
        add(&["-vf", &marks]);
        if self.color.range != ColorRange::Unknown {
            add(&["-color_range", range]);
        }
        let format = if self.color.range == ColorRange::Full && self.codec != Codec::Av1 {
            "yuvj420p"
        } else {
            "yuv420p"
        };
        add(&["-pix_fmt", format, "-c:v", self.codec.encoder()]);
        self.quality_args(add);
        let bitexact = if top.is_some() { "+bitexact+ilme+ildct" } else { "+bitexact" };
        add(&["-flags:v", bitexact]);
        if let Some(top) = top {
            add(&["-top", top]);
        }
        add(&["-fps_mode", "passthrough", "-enc_time_base", &self.time_base.to_string()]);
    }

    fn quality_args(&self, add: &mut dyn FnMut(&[&str])) {
        // From x264's ten names to the other encoders' numbers.
        const NAMES: [&str; 10] = [
            "placebo",
            "veryslow",
            "slower",
            "slow",
            "medium",
            "fast",
            "faster",
            "veryfast",
            "superfast",
            "ultrafast",
        ];
        let speed = NAMES.iter().position(|n| *n == self.preset).unwrap_or(7);
        let crf = self.crf.to_string();
        // The same words mean the same look at about these distances (ffmpeg wiki, encode/H.265, VP9, AV1).
        match self.codec {
            Codec::H264 => add(&["-preset", &self.preset, "-crf", &crf]),
            Codec::H265 => {
                add(&["-preset", &self.preset, "-crf", &(self.crf + 3).to_string()]);
                add(&["-x265-params", "log-level=error:info=0"]);
                if matches!(self.container, Container::Mp4 | Container::Mov) {
                    add(&["-tag:v", "hvc1"]);
                }
            }
            Codec::Vp9 => {
                let cpu = speed.saturating_sub(1).clamp(0, 8).to_string();
                add(&["-b:v", "0", "-crf", &(self.crf + 8).to_string(), "-deadline", "realtime"]);
                add(&["-cpu-used", &cpu, "-row-mt", "1"]);
            }
            Codec::Av1 => {
                let preset = (speed + 3).clamp(2, 12).to_string();
                add(&["-preset", &preset, "-crf", &(self.crf + 12).min(63).to_string()]);
            }
        }
    }

    fn container_args(&self, add: &mut dyn FnMut(&[&str])) {
        add(&["-fflags", "+bitexact", "-avoid_negative_ts", "disabled", "-max_muxing_queue_size", "4096"]);
        match self.container {
            Container::Mp4 | Container::Mov => {
                if self.time_base.num() == 1 {
                    add(&["-video_track_timescale", &self.time_base.den().to_string()]);
                }
                add(&["-movflags", "+faststart", "-write_tmcd", "0"]);
            }
            Container::MpegTs => add(&["-muxdelay", "0", "-muxpreload", "0", "-mpegts_copyts", "1"]),
            Container::Mkv | Container::WebM => {}
        }
    }
}
