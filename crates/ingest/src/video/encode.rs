use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use placet_core::{Frame, Layout, Pts, Rotation, Size, TimeBase};
use placet_redaction::{ObscuredFrame, RedactedFrame};

use super::sound::strip_headers;
use super::turn::turn;
use super::{AudioStream, Codec, CodecRefusal, Color, Container, Fields, FileStamp, MediaInfo, Ratio};
use crate::Tools;
use crate::child::{Child, ChildError, Job, Patient, Program, memory_for};
use crate::nut::{Header, NutError, Writer};

/// How long the encoder may take to accept a frame, or to write anything when it finishes. Slow presets on large frames
/// stay below it.
const PATIENCE: Duration = Duration::from_secs(300);

/// A file to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodeSpec {
    /// An existing file; it is overwritten. The encoder can create none.
    pub output: PathBuf,
    /// Its container.
    pub container: Container,
    /// Codec of its video.
    pub codec: Codec,
    /// The encoder's speed, in x264's ten names, `ultrafast` to `placebo`.
    pub preset: String,
    /// Constant rate factor on x264's scale, 0 to 51; other encoders get what looks alike on theirs.
    pub crf: u8,
    /// Threads of the encoder; 0 lets it choose.
    pub threads: u32,
    /// Search motion less finely than the preset says, in whole blocks: two fifths less work and 3 % more bytes with
    /// x264's `veryfast`; no other encoder takes it.
    pub hasty: bool,
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
    /// The least time of a frame.
    pub first: Pts,
    /// When the first stream of the source starts, in seconds of the same clock. Every container but the transport
    /// stream starts at zero, so this much is taken from all times, the sound's too.
    pub start_seconds: f64,
    /// Where sound comes from, copied as it is.
    pub sound: Option<(PathBuf, Vec<AudioStream>)>,
    /// Copy titles, places and chapters from this file; cover pictures never. Where there is sound, from the same file.
    pub metadata_from: Option<PathBuf>,
    /// Tags of that file that are left out all the same.
    pub left_out_tags: Vec<String>,
    /// Leave out its chapters too.
    pub left_out_chapters: bool,
}

impl EncodeSpec {
    /// A file with the properties of `info`, the sound named, and, where `keep_metadata` says so, its metadata; x264's
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
        let first = video.start.unwrap_or(Pts(0));
        Self {
            output: output.to_owned(),
            container,
            codec,
            preset: "veryfast".to_owned(),
            crf: 23,
            hasty: false,
            threads: 0,
            size: video.size,
            sample_aspect: video.sample_aspect,
            rotation: video.rotation,
            color: video.color.clone(),
            fields: video.fields,
            frame_rate: video.average_rate,
            time_base: video.time_base,
            first,
            start_seconds: info.start_seconds.unwrap_or(0.0).min(video.time_base.seconds(first)),
            sound: (!audio.is_empty()).then(|| (info.path.clone(), audio)),
            metadata_from: keep_metadata.then(|| info.path.clone()),
            left_out_tags: info.picture_tags.clone(),
            left_out_chapters: info.picture_in_chapters,
        }
    }

    /// Added to every frame's time: so that the file starts at zero, and none is negative. Whole ticks, so that nothing
    /// is rounded.
    pub(super) fn shift(&self) -> i64 {
        let ticks =
            (self.start_seconds * f64::from(self.time_base.den()) / f64::from(self.time_base.num())).round();
        let start = (ticks as i64).min(self.first.0);
        if self.container == Container::MpegTs && start >= 0 { 0 } else { start.saturating_neg() }
    }

    /// The other file that is read.
    pub(super) fn source(&self) -> Option<&PathBuf> {
        self.sound.as_ref().map(|(path, _)| path).or(self.metadata_from.as_ref())
    }
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// Container, codec and picture do not go together.
    #[error(transparent)]
    Refused(#[from] CodecRefusal),
    /// The container cannot hold the sound.
    #[error("{} does not hold {codec_name} sound; use --audio drop, or an output ending in .mkv", container.muxer())]
    Audio {
        /// Where.
        container: Container,
        /// What, as ffmpeg names it.
        codec_name: String,
    },
    /// The container cannot say how the picture is turned, as far as ffmpeg writes it.
    #[error("a turned picture cannot be marked as such in {}; use an output ending in .mp4 or .mov", container.muxer())]
    Rotation {
        /// Where.
        container: Container,
    },
    /// The rotation could not be marked.
    #[error("cannot mark the picture in `{path}` as turned")]
    Turn {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The sound's headers could not be cleaned.
    #[error("cannot take names out of the sound's headers in `{path}`; --audio drop leaves the sound out")]
    Sound {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The sound and the metadata are to come from two files.
    #[error("sound and metadata must come from one file")]
    Sources,
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
    /// A frame of another size or kind.
    #[error("a frame of {got:?} was handed to the encoder of `{path}`, which writes {wanted:?}")]
    Size {
        /// The file.
        path: PathBuf,
        /// What it writes.
        wanted: Size,
        /// What came.
        got: Size,
    },
    /// A frame cannot be handed over.
    #[error("cannot hand a frame of time {pts} to the encoder of `{path}`")]
    Frame {
        /// The file.
        path: PathBuf,
        /// Its time.
        pts: i64,
        /// Why.
        source: NutError,
    },
}

/// Writes redacted frames, and only those, to a file. Dropping it stops the encoder; the file is then not whole.
pub struct Encoder {
    child: Child,
    writer: Writer<Patient>,
    path: PathBuf,
    size: Size,
    rotation: Rotation,
    container: Container,
    shift: i64,
}

impl Encoder {
    /// Starts the encoder.
    ///
    /// # Errors
    /// Where the container cannot hold what is asked for, or ffmpeg cannot be started.
    pub fn create(tools: &Tools, spec: EncodeSpec) -> Result<Self, EncodeError> {
        let container = spec.container;
        if let Some(refusal) = container.refuse(spec.codec, spec.size, spec.fields.interlaced()) {
            return Err(refusal.into());
        }
        let streams = spec.sound.iter().flat_map(|(_, streams)| streams);
        if let Some(stream) = container.first_refused_audio(streams) {
            return Err(EncodeError::Audio { container, codec_name: stream.codec_name.clone() });
        }
        if spec.metadata_from.as_ref().is_some_and(|from| spec.source() != Some(from)) {
            return Err(EncodeError::Sources);
        }
        if spec.rotation != Rotation::None && !matches!(container, Container::Mp4 | Container::Mov) {
            return Err(EncodeError::Rotation { container });
        }
        let shift = spec.shift();
        let job = Job {
            program: Program::Ffmpeg,
            args: spec.args(shift),
            read: spec.source().cloned().into_iter().collect(),
            write: vec![spec.output.clone()],
            // x264 looks some 60 frames ahead, SVT-AV1 further.
            memory_bytes: memory_for(spec.size.area() * 1024),
            stdin: true,
            ..Job::default()
        };
        let path = spec.output;
        let failed = |source| EncodeError::Child { path: path.clone(), source };
        let mut child = Child::spawn(tools, job).map_err(failed)?;
        let input = child.take_input(PATIENCE).map_err(failed)?;
        let header = Header {
            fourcc: *b"I420",
            size: spec.size,
            time_base: spec.time_base,
            sample_aspect: spec.sample_aspect,
            // Without a hint ffmpeg takes the time base for the rate, which encoders refuse or waste bits on.
            frame_rate: spec.frame_rate.or(Some(Ratio { num: 25, den: 1 })),
        };
        match Writer::create(input, header) {
            Ok(writer) => {
                Ok(Self { child, writer, path, size: spec.size, rotation: spec.rotation, container, shift })
            }
            Err(NutError::Io { source, .. }) => Err(full_or(path, child.broken(source, PATIENCE))),
            Err(source) => Err(EncodeError::Frame { path, pts: 0, source }),
        }
    }

    /// Hands over a frame. Times must grow.
    ///
    /// # Errors
    /// Where the frame is not of the size announced, or the encoder gave up.
    pub fn write(&mut self, frame: &RedactedFrame) -> Result<(), EncodeError> {
        self.put(frame.as_frame())
    }

    /// Hands over a frame whose faces are obscured by a reversible style. Files take such frames, live streams do not.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_obscured(&mut self, frame: &ObscuredFrame) -> Result<(), EncodeError> {
        self.put(frame.as_frame())
    }

    fn put(&mut self, frame: &Frame) -> Result<(), EncodeError> {
        if frame.size() != self.size || frame.layout() != Layout::Yuv420 {
            return Err(EncodeError::Size { path: self.path.clone(), wanted: self.size, got: frame.size() });
        }
        let pts = Pts(frame.pts.0.saturating_add(self.shift));
        match self.writer.write(pts, frame.bytes()) {
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
    pub fn finish(self) -> Result<(), EncodeError> {
        let Self { mut child, writer, path, size, rotation, container, .. } = self;
        // Closes the pipe, which tells the encoder that this was all.
        drop(writer);
        if let Err(source) = wait_while_it_writes(&mut child, &path).and_then(|()| child.finish_writing()) {
            return Err(full_or(path, source));
        }
        finished(path, container, rotation, size)
    }
}

/// What is done to a file once ffmpeg has written it.
pub(super) fn finished(
    path: PathBuf,
    container: Container,
    rotation: Rotation,
    size: Size,
) -> Result<(), EncodeError> {
    if let Err(source) = strip_headers(&path, container) {
        return Err(EncodeError::Sound { path, source });
    }
    match rotation {
        Rotation::None => Ok(()),
        _ => turn(&path, rotation, size).map_err(|source| EncodeError::Turn { path, source }),
    }
}

/// Waits for the child's end, as long as the file changes: moving the index to the front of a long file takes time.
pub(super) fn wait_while_it_writes(child: &mut Child, path: &Path) -> Result<(), ChildError> {
    let mut output = child.take_output(PATIENCE)?;
    let mut seen = FileStamp::of(path).ok();
    let mut nothing = [0; 256];
    loop {
        match output.read(&mut nothing) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                let now = FileStamp::of(path).ok();
                if now == seen {
                    return Err(child.broken(e, PATIENCE));
                }
                seen = now;
            }
            Err(e) => return Err(child.broken(e, PATIENCE)),
        }
    }
}

pub(super) fn full_or(path: PathBuf, source: ChildError) -> EncodeError {
    if source.disk_full() { EncodeError::Full { path } } else { EncodeError::Child { path, source } }
}
