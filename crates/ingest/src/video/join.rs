//! Frames that need no encoding: read compressed, and written between encoded ones.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use placet_core::{Frame, Layout, Pts, Rotation, Size, TimeBase};
use placet_redaction::{ObscuredFrame, RedactedFrame};

use super::encode::{EncodeError, finished, full_or, wait_while_it_writes};
use super::fragments::{self, Fragments};
use super::nal::{NalRefusal, ParameterSets};
use super::probe::{INPUT_OPTIONS, input_args, url};
use super::{Codec, Container, EncodeSpec, FileStamp, MediaInfo, Packet, Ratio};
use crate::Tools;
use crate::child::{Child, ChildError, Job, Patient, Program, memory_for};
use crate::nut::{Header, NutError, Reader, Writer};

/// How long a child may take for its next packet.
const PATIENCE: Duration = Duration::from_secs(300);
/// No packet of a stream we decode is larger.
const LARGEST_PACKET: usize = 256 << 20;
/// x264 stores up to two frames before one that is shown before them, whatever its preset.
const ENCODER_DELAY: u32 = 2;

/// Seconds, times the time base's numerator, by which times in a pipe are later than ours: longer than the frames last
/// that are decoded before the first is shown.
const EARLIER: i64 = 10_000;

/// A compressed frame: its slices, and nothing that no decoder needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodedFrame {
    /// Presentation time.
    pub pts: Pts,
    /// Decoding can start here, and nothing later refers to anything earlier (an IDR picture).
    pub idr: bool,
    data: Vec<u8>,
}

impl CodedFrame {
    /// Its slices, each behind a start code.
    pub fn slices(&self) -> &[u8] {
        &self.data
    }
}

/// Why compressed frames cannot be read, or joined to a file.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// ffmpeg failed.
    #[error("cannot copy frames of `{path}`")]
    Child {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ChildError,
    },
    /// What it wrote is not what it should write.
    #[error("cannot copy frames of `{path}`")]
    Stream {
        /// The file.
        path: PathBuf,
        /// Why.
        source: NutError,
    },
    /// Something in the stream that is not copied.
    #[error("`{path}` cannot be copied: {refusal}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What.
        refusal: NalRefusal,
    },
    /// More frames are stored before it than are shown before it, beyond what was announced.
    #[error("frame of time {pts} of `{path}` is shown before it can be decoded")]
    Order {
        /// The file.
        path: PathBuf,
        /// Its time.
        pts: i64,
    },
    /// The file changed since it was probed.
    #[error("`{path}` changed while it was read; run again when nothing writes to it")]
    InputChanged {
        /// The file.
        path: PathBuf,
    },
    /// The result could not be written.
    #[error(transparent)]
    Write(#[from] EncodeError),
}

/// Reads the compressed frames of an H.264 file in decoding order.
pub struct CodedReader {
    /// None once it ended well.
    child: Option<Child>,
    reader: Reader<Patient>,
    sets: ParameterSets,
    path: PathBuf,
    stamp: FileStamp,
    time_base: TimeBase,
    shift: i64,
}

impl CodedReader {
    /// Starts reading. `packets` are those of [`super::packets`], from the same file.
    ///
    /// # Errors
    /// Where ffmpeg cannot be started.
    pub fn open(tools: &Tools, info: &MediaInfo, packets: &[Packet]) -> Result<Self, JoinError> {
        // NUT knows no time before zero, and formats that store no decoding times let ffmpeg guess earlier ones. In whole
        // seconds that are whole ticks too, so that nothing is rounded.
        let least = packets.iter().filter_map(|p| p.pts).min().map_or(0, |p| p.0.min(0));
        let (num, den) = (i64::from(info.video.time_base.num()), i64::from(info.video.time_base.den()));
        let times = (least / den).saturating_neg().saturating_add(EARLIER);
        let shift = times.saturating_mul(den);
        let mut args = input_args(INPUT_OPTIONS);
        args.extend(["-nostdin", "-xerror", "-copyts", "-itsoffset"].map(Into::into));
        args.extend([times.saturating_mul(num).to_string().into(), "-i".into()]);
        args.extend([url(&info.path), "-map".into(), format!("0:{}", info.video.index).into()]);
        args.extend(["-c", "copy", "-map_metadata", "-1", "-map_chapters", "-1"].map(Into::into));
        args.extend(["-bsf:v", "h264_mp4toannexb"].map(Into::into));
        args.extend(
            ["-avoid_negative_ts", "disabled", "-fflags", "+bitexact", "-f", "nut", "pipe:1"].map(Into::into),
        );
        let job = Job { program: Program::Ffmpeg, args, read: vec![info.path.clone()], ..Job::default() };
        let path = info.path.clone();
        let failed = |source| JoinError::Child { path: path.clone(), source };
        let mut child = Child::spawn(tools, job).map_err(failed)?;
        let output = child.take_output(PATIENCE).map_err(failed)?;
        let reader = Reader::open(output, LARGEST_PACKET).map_err(|e| broken(&mut child, &path, e))?;
        let (stamp, time_base) = (info.stamp, info.video.time_base);
        Ok(Self { child: Some(child), reader, sets: ParameterSets::default(), path, stamp, time_base, shift })
    }

    /// The next frame; none at the end.
    ///
    /// # Errors
    /// Where reading fails, or what was read cannot be copied.
    pub fn next_frame(&mut self) -> Result<Option<CodedFrame>, JoinError> {
        let Some(mut child) = self.child.take() else { return Ok(None) };
        let next = read_frame(&mut self.reader, &mut self.sets, self.time_base);
        match next.map_err(|e| e.told(&mut child, &self.path))? {
            Some(frame) => {
                self.child = Some(child);
                Ok(Some(CodedFrame { pts: Pts(frame.pts.0.saturating_sub(self.shift)), ..frame }))
            }
            None => {
                child.finish().map_err(|source| JoinError::Child { path: self.path.clone(), source })?;
                match FileStamp::of(&self.path) {
                    Ok(stamp) if stamp == self.stamp => Ok(None),
                    _ => Err(JoinError::InputChanged { path: self.path.clone() }),
                }
            }
        }
    }

    /// The parameter sets met so far.
    pub fn parameter_sets(&self) -> &ParameterSets {
        &self.sets
    }
}

/// Takes compressed frames as they come.
pub type CodedSink = Box<dyn FnMut(CodedFrame) -> Result<(), JoinError> + Send>;

/// Encodes redacted frames to compressed ones.
pub struct PieceEncoder {
    child: Child,
    writer: Writer<Patient>,
    path: PathBuf,
    size: Size,
    shift: i64,
    drain: JoinHandle<Result<ParameterSets, PieceError>>,
}

enum PieceError {
    Read(ReadError),
    Sink(JoinError),
}

impl PieceEncoder {
    /// Starts an encoder as `spec` describes it whose parameter sets are numbered `sets_id`. Its frames go to `sink`, in
    /// decoding order, with the times the raw ones had.
    ///
    /// # Errors
    /// Where ffmpeg cannot be started, or the codec is not H.264.
    pub fn create(
        tools: &Tools,
        spec: &EncodeSpec,
        sets_id: u8,
        mut sink: CodedSink,
    ) -> Result<Self, JoinError> {
        let path = spec.output.clone();
        if let Some(refusal) = spec.container.refuse(Codec::H264, spec.size, spec.fields.interlaced()) {
            return Err(EncodeError::from(refusal).into());
        }
        // NUT knows no time before zero, and the first frames are decoded before they are shown.
        let shift = spec.shift().saturating_add(EARLIER.saturating_mul(spec.time_base.den().into()));
        let job = Job {
            program: Program::Ffmpeg,
            args: spec.piece_args(sets_id),
            memory_bytes: memory_for(spec.size.area() * 1024),
            stdin: true,
            ..Job::default()
        };
        let failed = |source| EncodeError::Child { path: path.clone(), source };
        let mut child = Child::spawn(tools, job).map_err(failed)?;
        let input = child.take_input(PATIENCE).map_err(failed)?;
        let output = child.take_output(PATIENCE).map_err(failed)?;
        let time_base = spec.time_base;
        let drain = std::thread::spawn(move || {
            let mut sets = ParameterSets::default();
            let mut reader =
                Reader::open(output, LARGEST_PACKET).map_err(|e| PieceError::Read(ReadError::Nut(e)))?;
            while let Some(frame) = read_frame(&mut reader, &mut sets, time_base).map_err(PieceError::Read)? {
                let frame = CodedFrame { pts: Pts(frame.pts.0.saturating_sub(shift)), ..frame };
                sink(frame).map_err(PieceError::Sink)?;
            }
            Ok(sets)
        });
        let header = raw_header(spec);
        match Writer::create(input, header) {
            Ok(writer) => Ok(Self { child, writer, path, size: spec.size, shift, drain }),
            Err(source) => Err(broken(&mut child, &path, source)),
        }
    }

    /// Hands over a frame. Times must grow.
    ///
    /// # Errors
    /// As [`super::Encoder::write`].
    pub fn write(&mut self, frame: &RedactedFrame) -> Result<(), EncodeError> {
        self.put(frame.as_frame())
    }

    /// Hands over a frame obscured by a reversible style.
    ///
    /// # Errors
    /// As [`super::Encoder::write_obscured`].
    pub fn write_obscured(&mut self, frame: &ObscuredFrame) -> Result<(), EncodeError> {
        self.put(frame.as_frame())
    }

    /// The file it encodes for.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    fn put(&mut self, frame: &Frame) -> Result<(), EncodeError> {
        let path = || self.path.clone();
        if frame.size() != self.size || frame.layout() != Layout::Yuv420 {
            return Err(EncodeError::Size { path: path(), wanted: self.size, got: frame.size() });
        }
        match self.writer.write(Pts(frame.pts.0.saturating_add(self.shift)), frame.bytes()) {
            Ok(()) => Ok(()),
            Err(NutError::Io { source, .. }) => Err(full_or(path(), self.child.broken(source, PATIENCE))),
            Err(source) => Err(EncodeError::Frame { path: path(), pts: frame.pts.0, source }),
        }
    }

    /// Waits until every frame has gone to the sink; the parameter sets they need.
    ///
    /// # Errors
    /// Where the encoder or the sink failed.
    pub fn finish(self) -> Result<ParameterSets, JoinError> {
        let Self { mut child, writer, path, drain, .. } = self;
        // Closes the pipe, which tells the encoder that this was all.
        drop(writer);
        let drained = drain.join();
        match drained {
            Ok(Ok(sets)) => {
                child.finish_writing().map_err(|source| full_or(path, source))?;
                Ok(sets)
            }
            Ok(Err(PieceError::Sink(error))) => Err(error),
            Ok(Err(PieceError::Read(error))) => Err(error.told(&mut child, &path)),
            Err(_) => {
                let source = std::io::Error::other("the thread that reads the encoder's frames panicked");
                Err(broken(&mut child, &path, NutError::Io { at: 0, source }))
            }
        }
    }
}

/// Writes compressed frames from several sources to one file, with sound and all else as an [`EncodeSpec`] has it.
///
/// Dropping it stops the writer; the file is then not whole.
pub struct Joiner {
    child: Child,
    writer: Fragments<Patient>,
    path: PathBuf,
    size: Size,
    rotation: Rotation,
    container: Container,
    clock: Clock,
}

/// When frames are decoded: as late as the order they are stored in allows.
struct Clock {
    /// Times of all frames, ascending.
    times: Vec<Pts>,
    delay: usize,
    /// Added to all times in the pipe.
    shift: i64,
    written: usize,
}

impl Clock {
    /// Decoding time of frame `n` in the order they are stored.
    fn decoded(&self, n: usize) -> Option<i64> {
        let first = self.times.first()?.0;
        let step = self.times.get(1).map_or(1, |second| second.0 - first).max(1);
        match n.checked_sub(self.delay) {
            Some(at) => match self.times.get(at) {
                Some(time) => Some(time.0),
                None => self.times.last().map(|last| last.0.saturating_add(step)),
            },
            None => Some(first.saturating_sub(step.saturating_mul((self.delay - n) as i64))),
        }
    }

    /// Times of the next frame; none where it would be shown before it is decoded.
    fn next(&mut self, shown: Pts) -> Option<fragments::Times> {
        let (decoded, after) = (self.decoded(self.written)?, self.decoded(self.written + 1)?);
        self.written += 1;
        Some(fragments::Times {
            decoded: u64::try_from(decoded.checked_add(self.shift)?).ok()?,
            lasts: u32::try_from(after.checked_sub(decoded)?).ok()?,
            shown_after: u32::try_from(shown.0.checked_sub(decoded)?).ok()?,
        })
    }
}

impl Joiner {
    /// Starts the file. `sets` are all its frames' parameter sets, `times` those of all its frames, ascending; `delay`
    /// is how many frames its copied frames store before one that is shown before them, see [`decode_delay`].
    ///
    /// # Errors
    /// Where ffmpeg cannot be started.
    pub fn create(
        tools: &Tools,
        spec: &EncodeSpec,
        sets: &ParameterSets,
        times: Vec<Pts>,
        delay: u32,
    ) -> Result<Self, JoinError> {
        let path = spec.output.clone();
        // Frames are decoded some time before the first is shown, and the pipe knows no time before zero; ffmpeg takes
        // these whole seconds off again.
        let earlier = EARLIER.saturating_mul(spec.time_base.den().into());
        let clock = Clock {
            times,
            delay: delay.max(ENCODER_DELAY) as usize,
            shift: spec.shift().saturating_add(earlier),
            written: 0,
        };
        let seconds = EARLIER.saturating_mul(spec.time_base.num().into());
        let job = Job {
            program: Program::Ffmpeg,
            args: spec.join_args(spec.shift(), seconds),
            read: spec.source().cloned().into_iter().collect(),
            write: vec![spec.output.clone()],
            memory_bytes: memory_for(spec.size.area() * 64),
            stdin: true,
            ..Job::default()
        };
        let failed = |source| EncodeError::Child { path: path.clone(), source };
        let mut child = Child::spawn(tools, job).map_err(failed)?;
        let input = child.take_input(PATIENCE).map_err(failed)?;
        let header = fragments::Header {
            size: spec.size,
            time_base: spec.time_base,
            sample_aspect: spec.sample_aspect,
            sets: sets.by_kind(),
        };
        match Fragments::create(input, &header) {
            Ok(writer) => Ok(Self {
                child,
                writer,
                path,
                size: spec.size,
                rotation: spec.rotation,
                container: spec.container,
                clock,
            }),
            Err(source) => Err(full_or(path, child.broken(source, PATIENCE)).into()),
        }
    }

    /// Writes a frame. They come in decoding order, and each source's part starts with an IDR picture.
    ///
    /// # Errors
    /// Where the writer gave up, or the frame is shown before it could be decoded.
    pub fn write(&mut self, frame: &CodedFrame) -> Result<(), JoinError> {
        let path = || self.path.clone();
        let Some(times) = self.clock.next(frame.pts) else {
            return Err(JoinError::Order { path: path(), pts: frame.pts.0 });
        };
        match self.writer.write(times, frame.idr, &frame.data) {
            Ok(()) => Ok(()),
            Err(source) => Err(full_or(path(), self.child.broken(source, PATIENCE)).into()),
        }
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// Where the writer failed; the file is then not whole.
    pub fn finish(self) -> Result<(), JoinError> {
        let Self { mut child, writer, path, size, rotation, container, .. } = self;
        drop(writer);
        if let Err(source) = wait_while_it_writes(&mut child, &path).and_then(|()| child.finish_writing()) {
            return Err(full_or(path, source).into());
        }
        Ok(finished(path, container, rotation, size)?)
    }
}

/// How many frames at most are stored before one that is shown before them. `packets` in decoding order.
pub fn decode_delay(packets: &[Packet]) -> u32 {
    let mut order: Vec<(Pts, usize)> =
        packets.iter().filter_map(|p| p.pts).enumerate().map(|(at, pts)| (pts, at)).collect();
    order.sort_unstable();
    let ahead = order.iter().enumerate().map(|(shown, (_, stored))| stored.saturating_sub(shown)).max();
    u32::try_from(ahead.unwrap_or(0)).unwrap_or(u32::MAX)
}

fn raw_header(spec: &EncodeSpec) -> Header {
    Header {
        fourcc: *b"I420",
        size: spec.size,
        time_base: spec.time_base,
        sample_aspect: spec.sample_aspect,
        frame_rate: spec.frame_rate.or(Some(Ratio { num: 25, den: 1 })),
    }
}

enum ReadError {
    Nut(NutError),
    Refused(NalRefusal),
}

impl ReadError {
    fn told(self, child: &mut Child, path: &std::path::Path) -> JoinError {
        match self {
            Self::Nut(error) => broken(child, path, error),
            Self::Refused(refusal) => JoinError::Refused { path: path.to_owned(), refusal },
        }
    }
}

/// One frame, its time in ticks of `time_base`.
fn read_frame(
    reader: &mut Reader<Patient>,
    sets: &mut ParameterSets,
    time_base: TimeBase,
) -> Result<Option<CodedFrame>, ReadError> {
    let Some(head) = reader.next_frame().map_err(ReadError::Nut)? else { return Ok(None) };
    let mut bytes = vec![0; head.len];
    reader.fill(&mut bytes).map_err(ReadError::Nut)?;
    let pts = in_ticks(head.pts, reader.header().time_base, time_base).ok_or(ReadError::Nut(
        NutError::Malformed { at: 0, what: "a time that is no whole number of ticks" },
    ))?;
    let picture = sets.take(&bytes).map_err(ReadError::Refused)?;
    Ok(Some(CodedFrame { pts, idr: picture.idr, data: picture.data }))
}

/// None where it falls between two ticks.
fn in_ticks(pts: Pts, from: TimeBase, to: TimeBase) -> Option<Pts> {
    let ticks = i128::from(pts.0) * i128::from(from.num()) * i128::from(to.den());
    let per = i128::from(from.den()) * i128::from(to.num());
    (ticks % per == 0).then(|| i64::try_from(ticks / per).ok().map(Pts)).flatten()
}

/// ffmpeg's own words say more than a broken pipe.
fn broken(child: &mut Child, path: &std::path::Path, error: NutError) -> JoinError {
    let path = path.to_owned();
    match error {
        NutError::Io { source, .. } => JoinError::Child { path, source: child.broken(source, PATIENCE) },
        source => JoinError::Stream { path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_is_that_of_the_deepest_reordering() {
        let packet = |pts| Packet {
            pts: Some(Pts(pts)),
            dts: None,
            key: false,
            discard: false,
            corrupt: false,
            size: 1,
        };
        let delay = |times: &[i64]| decode_delay(&times.iter().copied().map(packet).collect::<Vec<_>>());
        assert_eq!(delay(&[0, 1, 2, 3]), 0);
        assert_eq!(delay(&[0, 3, 1, 2]), 1);
        assert_eq!(delay(&[0, 4, 2, 1, 3]), 2);
        assert_eq!(delay(&[]), 0);
    }

    #[test]
    fn frames_are_decoded_in_even_steps_and_before_they_are_shown() {
        // Shown at 0, 1, 2, 10, 11; stored as 0, 10, 1, 2, 11.
        let times = [0, 1, 2, 10, 11].map(Pts).to_vec();
        let mut clock = Clock { times, delay: 2, shift: 100, written: 0 };
        let said: Vec<_> = [0, 10, 1, 2, 11]
            .map(|t| clock.next(Pts(t)).unwrap())
            .map(|t| (t.decoded, t.lasts, t.shown_after))
            .into();
        assert_eq!(said, [(98, 1, 2), (99, 1, 11), (100, 1, 1), (101, 1, 1), (102, 8, 9)]);
        let mut hasty = Clock { times: [0, 1, 2].map(Pts).to_vec(), delay: 0, shift: 0, written: 0 };
        assert_eq!([0, 2, 1].map(|t| hasty.next(Pts(t)).is_some()), [true, true, false]);
    }

    #[test]
    fn times_are_taken_over_exactly_or_not_at_all() {
        let base = |den| TimeBase::new(1, den).unwrap();
        assert_eq!(in_ticks(Pts(400), base(61_440), base(15_360)), Some(Pts(100)));
        assert_eq!(in_ticks(Pts(401), base(61_440), base(15_360)), None);
    }
}
