use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use placet_core::{Frame, Layout, Pts, Size, TimeBase};

use super::probe::{INPUT_OPTIONS, input_args, url};
use super::timeline::{Key, Timeline};
use super::{ColorRange, FileStamp, MediaInfo, Packet};
use crate::Tools;
use crate::child::{Child, ChildError, Job, Patient, Program, memory_for};
use crate::nut::{NutError, Reader};

/// How to decode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecodeOptions {
    /// Threads of the decoder; 0 lets it choose.
    pub threads: u32,
    /// Only frames from the first to the last of these times, both included.
    pub range_of_pts: Option<(Pts, Pts)>,
    /// Scale down to this many columns (made even), keeping the proportions.
    pub max_width: Option<u32>,
    /// How long the decoder may take for one frame before it is stopped.
    pub patience: Duration,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self { threads: 0, range_of_pts: None, max_width: None, patience: Duration::from_secs(60) }
    }
}

/// Why decoding stopped.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// ffmpeg failed other than by damage in the file.
    #[error("cannot decode `{path}`")]
    Child {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ChildError,
    },
    /// What ffmpeg wrote is not what it should write.
    #[error("cannot decode `{path}`")]
    Stream {
        /// The file.
        path: PathBuf,
        /// Why.
        source: NutError,
    },
    /// Its picture has another shape than at the beginning: what is made of it would be squeezed, and so would faces, which
    /// are then not found.
    #[error("the shape of the picture changes within `{path}`; cut it where it changes, and take the parts")]
    Shape {
        /// The file.
        path: PathBuf,
    },
    /// Somebody wrote to the file or replaced it.
    #[error("`{path}` changed while it was read; run again when nothing writes to it")]
    InputChanged {
        /// The file.
        path: PathBuf,
    },
}

/// Frames of a video, in the order they are shown.
///
/// A frame comes out only when ffmpeg decoded it, and everything decoded before it since the last key frame, without an
/// error. At the first error the decoder stops and starts again at the next key frame; what lay between is in
/// [`Self::lost`]. Nothing that a decoder made up to conceal damage comes out, see [`Self::strict`] for the exception.
/// Damage that happens to be valid code is not seen: then the picture is what every player shows.
pub struct Decoder {
    tools: Tools,
    path: PathBuf,
    stamp: FileStamp,
    options: DecodeOptions,
    stream: StreamOptions,
    timeline: Timeline,
    run: Option<Run>,
    /// Frames decoded without error that may depend on one that is shown later and not yet decoded.
    held: VecDeque<Frame>,
    ready: VecDeque<Item>,
    lost: Vec<Pts>,
    spare: Vec<Frame>,
    /// The first position not yet read or given up.
    next: usize,
    resumed_at: Option<Key>,
    /// Starts since the last frame.
    failed_starts: u32,
    brought_any: bool,
    strict: bool,
}

enum Item {
    Frame(Frame),
    Lost(Pts),
}

/// One ffmpeg.
struct Run {
    child: Child,
    reader: Reader<Patient>,
    /// Frames shown earlier are of an earlier group, whose references are missing.
    from: Pts,
    /// No frame came yet.
    fresh: bool,
}

/// What ffmpeg is told of the stream.
struct StreamOptions {
    index: u32,
    time_base: TimeBase,
    stored: Size,
    size: Size,
    full_range: bool,
    interlaced: bool,
    /// Whether the container has an index of key frames; others are searched by decoding time.
    indexed: bool,
    reordered: bool,
    /// Added to all times, since NUT knows none before zero.
    shift: i64,
}

impl Decoder {
    /// Starts decoding. `packets` are those of [`super::packets`], from the same file.
    ///
    /// # Errors
    /// Where ffmpeg cannot be started, or the file is not the one that was probed.
    pub fn open(
        tools: &Tools,
        info: &MediaInfo,
        packets: &[Packet],
        options: DecodeOptions,
    ) -> Result<Self, DecodeError> {
        let timeline = Timeline::new(packets);
        let video = &info.video;
        let mut decoder = Self {
            tools: tools.clone(),
            path: info.path.clone(),
            stamp: info.stamp,
            stream: StreamOptions {
                index: video.index,
                time_base: video.time_base,
                stored: video.size,
                size: scaled(video.size, options.max_width),
                full_range: video.color.range == ColorRange::Full,
                interlaced: video.fields.interlaced(),
                reordered: video.reordered,
                indexed: !matches!(info.format.as_str(), "mpegts" | "mpeg"),
                shift: timeline.first().map_or(0, |first| first.0.saturating_neg().max(0)),
            },
            next: options.range_of_pts.map_or(0, |(first, _)| timeline.position(first)),
            options,
            timeline,
            run: None,
            held: VecDeque::new(),
            ready: VecDeque::new(),
            lost: Vec::new(),
            spare: Vec::new(),
            resumed_at: None,
            failed_starts: 0,
            brought_any: false,
            strict: true,
        };
        let start = options.range_of_pts.and_then(|(first, _)| decoder.timeline.key_before(first));
        decoder.check_unchanged()?;
        decoder.start(start)?;
        Ok(decoder)
    }

    /// Size of the frames that come out.
    pub fn size(&self) -> Size {
        self.stream.size
    }

    /// The next frame, in [`Layout::Yuv420`] of [`Self::size`], with its time in the stream's own time base; none at the
    /// end. What `frame` held before is given up: its buffer is used for a later frame.
    ///
    /// # Errors
    /// Where decoding cannot go on. Damage is no error, see [`Self::lost`].
    pub fn read_into(&mut self, frame: &mut Frame) -> Result<Option<Pts>, DecodeError> {
        self.lost.clear();
        loop {
            match self.ready.pop_front() {
                Some(Item::Lost(pts)) => self.lost.push(pts),
                Some(Item::Frame(mut next)) => {
                    std::mem::swap(frame, &mut next);
                    self.recycle(next);
                    return Ok(Some(frame.pts));
                }
                None if self.run.is_none() => return Ok(None),
                None => self.advance()?,
            }
        }
    }

    /// Times of the frames that are due between the last two answers of [`Self::read_into`] (the end counts as one) and
    /// could not be judged, for damage to them or to what they depend on. Ascending.
    pub fn lost(&self) -> &[Pts] {
        &self.lost
    }

    /// Whether every error a decoder can notice stops it. Not so in a video that gives errors from its very first frame
    /// on, such as a broadcast recording cut between two groups of pictures that refer to each other: there only frames
    /// that the decoder itself marks as damaged are held back.
    pub fn strict(&self) -> bool {
        self.strict
    }

    /// Reads one frame, or reacts to the end of a run.
    fn advance(&mut self) -> Result<(), DecodeError> {
        let Some(run) = &mut self.run else { return Ok(()) };
        let mut frame = self.spare.pop().unwrap_or_else(|| Frame::new(self.stream.size, Layout::Yuv420));
        let read = match run.reader.next_frame() {
            Ok(Some(head)) => run.reader.fill(frame.bytes_mut()).map(|()| Some(head.pts)),
            Ok(None) => Ok(None),
            Err(e) => Err(e),
        };
        match read {
            Ok(Some(pts)) => {
                frame.pts = self.stream.source_pts(pts, run.reader.header().time_base).ok_or_else(|| {
                    let source =
                        NutError::Malformed { at: 0, what: "a time that is no whole number of ticks" };
                    DecodeError::Stream { path: self.path.clone(), source }
                })?;
                self.take(frame);
                Ok(())
            }
            Ok(None) => self.run_ended(),
            Err(error) => self.run_broke(error),
        }
    }

    /// A frame came without an error.
    fn take(&mut self, frame: Frame) {
        let pts = frame.pts;
        let from = self.run.as_ref().map_or(pts, |run| run.from);
        let (first, last) = self.options.range_of_pts.unwrap_or((Pts(i64::MIN), Pts(i64::MAX)));
        if pts > last {
            return self.end();
        }
        if pts < from || pts < first {
            return self.recycle(frame);
        }
        let position = self.timeline.position(pts);
        // A start that did not hit its key frame exactly leaves a gap too.
        if self.resumed_at.is_some() && self.run.as_mut().is_some_and(|run| std::mem::take(&mut run.fresh)) {
            self.ready.extend(self.timeline.times(self.next..position).map(Item::Lost));
        }
        self.failed_starts = 0;
        self.brought_any = true;
        self.held.push_back(frame);
        self.next = position + 1;
        while self.held.front().is_some_and(|f| self.timeline.settled_at(f.pts) <= position) {
            self.ready.extend(self.held.pop_front().map(Item::Frame));
        }
    }

    /// ffmpeg closed its output: all went well, or not.
    fn run_ended(&mut self) -> Result<(), DecodeError> {
        let Some(run) = self.run.take() else { return Ok(()) };
        match run.child.finish() {
            Ok(()) => {
                self.end();
                self.check_unchanged()
            }
            Err(error) => self.resume(error),
        }
    }

    /// The stream broke off: ffmpeg's own words tell why, if it ended.
    fn run_broke(&mut self, error: NutError) -> Result<(), DecodeError> {
        let Some(mut run) = self.run.take() else { return Ok(()) };
        match error {
            NutError::Io { source, .. } => {
                let error = run.child.broken(source, self.options.patience);
                self.resume(error)
            }
            NutError::Size { .. } => Err(DecodeError::Shape { path: self.path.clone() }),
            source => Err(DecodeError::Stream { path: self.path.clone(), source }),
        }
    }

    /// Everything that came is settled, nothing more comes.
    fn end(&mut self) {
        self.run = None;
        self.ready.extend(self.held.drain(..).map(Item::Frame));
    }

    /// Gives up the damaged part and starts again behind it.
    fn resume(&mut self, error: ChildError) -> Result<(), DecodeError> {
        self.check_unchanged()?;
        let hopeless =
            error.silent() || error.sandbox_refused() || error.said().contains("Cannot allocate memory");
        // Where starts fail in a row, ever more key frames are skipped, so that their number stays small.
        let skip = (1usize << self.failed_starts.saturating_sub(1).min(20)) - 1;
        let key = self.timeline.key_after(self.next, self.resumed_at, skip);
        if hopeless || (key.is_none() && !self.brought_any && !self.strict) {
            return Err(DecodeError::Child { path: self.path.clone(), source: error });
        }
        if !self.brought_any && self.strict {
            self.strict = false;
            self.failed_starts = 0;
            return self.start(self.resumed_at);
        }
        // What is held may depend on the damaged frame.
        while let Some(frame) = self.held.pop_front() {
            self.ready.push_back(Item::Lost(frame.pts));
            self.recycle(frame);
        }
        let last = self
            .options
            .range_of_pts
            .map_or(self.timeline.len(), |(_, last)| self.timeline.position(Pts(last.0.saturating_add(1))));
        let until = key.map_or(last, |k| self.timeline.position(k.pts).min(last));
        if self.next < until {
            self.ready.extend(self.timeline.times(self.next..until).map(Item::Lost));
            self.next = until;
        }
        match key {
            Some(key) if until < last => self.start(Some(key)),
            _ => Ok(()),
        }
    }

    fn start(&mut self, at: Option<Key>) -> Result<(), DecodeError> {
        if at.is_some() {
            self.resumed_at = at;
        }
        self.failed_starts += 1;
        let failed = |path: &PathBuf, source| DecodeError::Child { path: path.clone(), source };
        let seek = at.map(|key| self.stream.seek(key, self.timeline.next_key(key)));
        let job = Job {
            program: Program::Ffmpeg,
            args: self.stream.args(&self.path, self.options.threads, self.strict, seek),
            read: vec![self.path.clone()],
            // Some forty frames at 16 bits a sample: references, and one or two for each thread.
            memory_bytes: memory_for(self.stream.stored.area() * 256),
            ..Job::default()
        };
        let mut child = Child::spawn(&self.tools, job).map_err(|e| failed(&self.path, e))?;
        let output = child.take_output(self.options.patience).map_err(|e| failed(&self.path, e))?;
        let from = at.map_or(Pts(i64::MIN), |key| key.pts);
        match Reader::open(output, Layout::Yuv420.bytes(self.stream.size)) {
            Ok(reader) => {
                self.run = Some(Run { child, reader, from, fresh: true });
                Ok(())
            }
            // It ended before its first frame.
            Err(NutError::Io { source, .. }) => {
                let error = child.broken(source, self.options.patience);
                self.resume(error)
            }
            Err(source) => Err(DecodeError::Stream { path: self.path.clone(), source }),
        }
    }

    fn check_unchanged(&self) -> Result<(), DecodeError> {
        match FileStamp::of(&self.path) {
            Ok(stamp) if stamp == self.stamp => Ok(()),
            _ => Err(DecodeError::InputChanged { path: self.path.clone() }),
        }
    }

    fn recycle(&mut self, frame: Frame) {
        if frame.size() == self.stream.size && frame.layout() == Layout::Yuv420 {
            self.spare.push(frame);
        }
    }
}

/// The scaler's columns and rows, so that a picture of another shape than `size` comes out as two by two pixels, which its
/// reader refuses: squeezed, faces would not be found. ffmpeg's own way is to squeeze whatever comes into the first size
/// (switched off by `-autoscale 0`).
pub(crate) fn unless_squeezed(size: Size) -> [String; 2] {
    let Size { width, height } = size;
    // Two pixels are what rounding may take.
    let alike = format!("lte(abs(iw*{height}-ih*{width}),2*max(max(iw,ih),max({width},{height})))");
    [width, height].map(|side| format!("'if({alike},{side},2)'"))
}

impl StreamOptions {
    fn args(&self, path: &Path, threads: u32, strict: bool, seek: Option<OsString>) -> Vec<OsString> {
        let mut args = input_args(INPUT_OPTIONS);
        // Stop at the first error; do not show what the decoder guessed. Without "explode", H.264 conceals and says no more.
        let errors = if strict { "crccheck+explode" } else { "crccheck" };
        args.extend(
            ["-nostdin", "-xerror", "-err_detect", errors, "-flags", "-output_corrupt"].map(Into::into),
        );
        args.extend(["-threads".into(), threads.to_string().into(), "-noautorotate".into()]);
        if let Some(seconds) = seek {
            args.extend([
                "-seek_timestamp".into(),
                "1".into(),
                "-noaccurate_seek".into(),
                "-ss".into(),
                seconds,
            ]);
        }
        args.extend(["-i".into(), url(path)]);
        args.extend(["-map".into(), format!("0:{}", self.index).into()]);
        args.extend(["-an", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1"].map(Into::into));
        // Times as they are, in the stream's own ticks.
        args.extend(
            ["-copyts", "-fps_mode", "passthrough", "-avoid_negative_ts", "disabled"].map(Into::into),
        );
        args.extend(["-enc_time_base".into(), self.time_base.to_string().into()]);
        args.extend(["-autoscale".into(), "0".into(), "-vf".into(), self.filters().into()]);
        // A "yuvj420p" is what full range is called where nothing may be converted to limited.
        let format = if self.full_range { "yuvj420p" } else { "yuv420p" };
        args.extend(
            ["-pix_fmt", format, "-c:v", "rawvideo", "-fflags", "+bitexact", "-f", "nut", "pipe:1"]
                .map(Into::into),
        );
        args
    }

    /// The scaler does nothing where size and format are right already.
    fn filters(&self) -> String {
        let Size { width, height } = self.size;
        let interlaced = if self.interlaced { ":interl=1" } else { "" };
        let shift = if self.shift == 0 { String::new() } else { format!(",setpts=PTS+{}", self.shift) };
        let [columns, rows] = unless_squeezed(Size { width, height });
        format!("scale={columns}:{rows}{interlaced}{shift}")
    }

    /// Time to seek to, so that `key` is where decoding starts. Where frames are reordered, ffmpeg seeks to 3/23 s
    /// before in formats that are sought by decoding time. With an index that much is added unless it reaches the next
    /// key frame; without one it must be hit exactly.
    fn seek(&self, key: Key, next: Option<Pts>) -> OsString {
        const EARLIER: i128 = 3_000_000 / 23;
        let micros = |ticks: i64| {
            let micros = i128::from(ticks) * i128::from(self.time_base.num()) * 1_000_000;
            let den = i128::from(self.time_base.den());
            // Rounded up: a microsecond too early is the key frame before.
            micros.div_euclid(den) + i128::from(micros.rem_euclid(den) > 0)
        };
        let at = micros(key.pts.0);
        let room = next.map_or(i128::MAX, |next| (micros(next.0) - at) / 2);
        let at = match key.dts {
            Some(dts) if !self.indexed => micros(dts) + if self.reordered { EARLIER } else { 0 },
            _ => at + room.clamp(0, EARLIER + 1),
        };
        format!("{at}us").into()
    }

    /// A time of ffmpeg's output in the stream's ticks; none where it falls between two.
    fn source_pts(&self, pts: Pts, from: TimeBase) -> Option<Pts> {
        let ticks = i128::from(pts.0) * i128::from(from.num()) * i128::from(self.time_base.den());
        let per = i128::from(from.den()) * i128::from(self.time_base.num());
        (ticks % per == 0).then(|| i64::try_from(ticks / per).ok()).flatten().map(|t| Pts(t - self.shift))
    }
}

fn scaled(size: Size, max_width: Option<u32>) -> Size {
    match max_width {
        Some(max) if max < size.width => {
            let even = |n: u64| (n.max(2) & !1) as u32;
            let height = u64::from(size.height) * u64::from(max) / u64::from(size.width);
            Size { width: even(max.into()), height: even(height) }
        }
        _ => size,
    }
}
