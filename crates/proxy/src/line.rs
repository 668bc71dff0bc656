use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, never, select, tick, unbounded};
use placet_camera::units::Units;
use placet_core::{AccessUnit, Codec, Frame, Layout, Pts, Size};
use placet_feed::{FeedWriter, State};
use placet_gateway::{How, Leaving, Line, Reason, Settings};
use placet_ingest::Tools;
use placet_ingest::live::{DecodeSpec, LiveSpec, RedactedPicture};
use placet_redaction::{Coding, Fill, RedactedFrame, Region, Scratch, Shape, Target, TrackBox, plan, redact};

use crate::decoder::{Decoded, Decoder, Fed};
use crate::encoder::Encoder;
use crate::finders::{Answer, Question, Scans};
use crate::status::{chain, place};
use crate::{Clock, Finders, RawFrame, Status};

/// How a camera's faces are hidden. Defaults are those of files.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxySettings {
    /// What stands where a face was.
    pub fill: Fill,
    /// Face or whole head.
    pub target: Target,
    /// By how much a face's box is stretched. Default 1.3.
    pub mask_scale: f32,
    /// Form of what is painted.
    pub shape: Shape,
    /// How long frames wait to learn more, in milliseconds. Default 150.
    pub look_ahead_ms: u32,
    /// How long a face is hidden after it was last seen, in milliseconds. Default 1500.
    pub hold_ms: u32,
    /// Pictures are scaled down to at most this many columns. Default 1920.
    pub max_width: u32,
    /// Frames a second that are expected, for rate control. Default 15.
    pub frame_rate: u32,
    /// Kilobits a second of the redacted stream at most. Default 4000.
    pub max_kbit: u32,
}

impl Default for ProxySettings {
    fn default() -> Self {
        Self {
            fill: Fill::Surround,
            target: Target::Face,
            mask_scale: 1.3,
            shape: Shape::Ellipse,
            look_ahead_ms: 150,
            hold_ms: 1500,
            max_width: 1920,
            frame_rate: 15,
            max_kbit: 4000,
        }
    }
}

/// What a camera's reader tells its line.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A coded picture.
    Unit(AccessUnit),
    /// Packets before the next picture were lost.
    Lost,
    /// The camera is away, and why: in words for viewers, without addresses or credentials.
    Away(String),
}

/// Coded pictures that may wait for the decoder: a second and a half at 15 a second.
const WAITING: usize = 24;
/// A decoder that holds a picture for longer gets no more, in ticks: a second.
const BEHIND: i64 = 90_000;
/// How often it is looked whether a frame's time has come.
const BEAT: Duration = Duration::from_millis(10);
/// Nobody watched for this long: the encoder ends.
const UNWATCHED: Duration = Duration::from_secs(5);
/// A camera that is away shows a covered picture this often, so that recorders stay.
const AWAY_BEAT: Duration = Duration::from_secs(1);
/// A child that failed is started again after this, doubling up to the longest.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Redacted frames whose memory waits to be used again.
const SPARE: usize = 4;
/// JPEG quality of single pictures.
const QUALITY: u8 = 80;

/// One camera's line at work, from coded pictures to the feed. Dropping it ends it with its children.
pub struct Channel {
    input: Option<Sender<Input>>,
    status: Arc<Status>,
    thread: Option<JoinHandle<()>>,
}

impl Channel {
    /// Starts the line of the camera `name`, which is the thread's name.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(
        name: &str,
        tools: &Tools,
        finders: &Finders,
        settings: ProxySettings,
        feed: FeedWriter,
        clock: Clock,
    ) -> std::io::Result<Self> {
        let status = Arc::new(Status::default());
        let (input, inbox) = bounded(WAITING);
        let (spare_in, spare) = bounded(SPARE);
        let work = Work {
            tools: tools.clone(),
            desk: finders.desk(),
            settings,
            feed: Arc::new(feed),
            status: Arc::clone(&status),
            clock,
            decoder: None,
            retry: Retry::default(),
            session: None,
            gap: false,
            encoder: None,
            encoder_retry: Retry::default(),
            wanted: Instant::now(),
            last_out: Pts(-1),
            away: None,
            shown: Instant::now(),
            spare,
            spare_in,
            scratch: Scratch::new(),
        };
        let thread = std::thread::Builder::new()
            .name(name.chars().take(15).collect())
            .spawn(move || work.run(&inbox))?;
        Ok(Self { input: Some(input), status, thread: Some(thread) })
    }

    /// Where the camera's reader puts what comes. A full channel means that decoding does not keep up: drop pictures up
    /// to the next that decodes alone, and say [`Input::Lost`].
    pub fn input(&self) -> Option<&Sender<Input>> {
        self.input.as_ref()
    }

    /// What it did and does.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.input = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// When something that failed may be tried again.
struct Retry {
    next: Instant,
    wait: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { next: Instant::now(), wait: BACK_OFF.0 }
    }
}

impl Retry {
    fn due(&self) -> bool {
        Instant::now() >= self.next
    }

    fn failed(&mut self) {
        self.next = Instant::now() + self.wait;
        self.wait = (self.wait * 2).min(BACK_OFF.1);
    }

    /// Whether it had failed before.
    fn worked(&mut self) -> bool {
        let failed = self.wait > BACK_OFF.0;
        self.wait = BACK_OFF.0;
        failed
    }
}

/// Frames of one size, from one decoder.
struct Session {
    size: Size,
    settings: Settings,
    line: Line,
    scans: Arc<Scans>,
    frames: VecDeque<(u64, Arc<RawFrame>)>,
    turn: u64,
    /// Its own: an answer to a session that is over must not be taken for one about a frame of this one.
    answer: Sender<Answer>,
    answers: Receiver<Answer>,
}

struct Work {
    tools: Tools,
    desk: Sender<Question>,
    settings: ProxySettings,
    feed: Arc<FeedWriter>,
    status: Arc<Status>,
    clock: Clock,
    decoder: Option<Decoder>,
    retry: Retry,
    session: Option<Session>,
    /// A coded picture could not be taken: what refers to it is skipped.
    gap: bool,
    encoder: Option<Encoder>,
    encoder_retry: Retry,
    /// When somebody last watched.
    wanted: Instant,
    last_out: Pts,
    /// Why no pictures come, where none do.
    away: Option<String>,
    /// When a covered picture was last shown for a camera that is away.
    shown: Instant,
    spare: Receiver<Frame>,
    spare_in: Sender<Frame>,
    scratch: Scratch,
}

impl Work {
    fn run(mut self, input: &Receiver<Input>) {
        let beat = tick(BEAT);
        let (no_frames, no_answers) = (never(), never());
        loop {
            let frames = self.decoder.as_ref().map_or(&no_frames, |decoder| &decoder.frames).clone();
            let answers = self.session.as_ref().map_or(&no_answers, |session| &session.answers).clone();
            select! {
                recv(input) -> told => match told {
                    Ok(told) => self.take(told),
                    Err(_) => return,
                },
                recv(frames) -> decoded => match decoded {
                    Ok(Decoded::Frame(frame, at)) => self.frame(frame, at),
                    Ok(Decoded::End(trouble)) => self.decoder_ended(trouble.as_ref().map(|e| chain(e))),
                    Err(_) => self.decoder_ended(None),
                },
                recv(answers) -> answer => if let Ok(answer) = answer {
                    self.answered(&answer);
                },
                recv(beat) -> _ => self.keep_watch(),
            }
            self.let_leave();
        }
    }

    fn take(&mut self, told: Input) {
        match told {
            Input::Unit(unit) => self.unit(unit),
            Input::Lost => {
                if let Some(session) = &mut self.session {
                    session.line.lost();
                }
            }
            Input::Away(why) => {
                self.end_session();
                self.decoder = None;
                self.feed.set_note(State::away(&why));
                self.status.note(|report| report.state = State::away(&why));
                self.away = Some(why);
            }
        }
    }

    fn unit(&mut self, unit: AccessUnit) {
        self.status.note(|report| report.units += 1);
        // What decodes alone says its size. A decoder is for one: another's picture would be squeezed into it.
        let said = unit.key.then(|| said_size(&unit)).flatten();
        let other = |decoder: &Decoder| {
            decoder.codec() != unit.codec || said.is_some_and(|size| decoder.said_size() != size)
        };
        if self.decoder.as_ref().is_some_and(other) {
            self.end_session();
            self.decoder = None;
        }
        if self.decoder.is_none() {
            let Some(size) = said.filter(|_| self.retry.due()) else { return };
            self.start_decoder(unit.codec, size);
        }
        // Behind a gap only a picture that decodes alone is of any use.
        if std::mem::take(&mut self.gap) && !unit.key {
            self.gap = true;
            return;
        }
        let (pts, key) = (unit.pts, unit.key);
        let Some(decoder) = &self.decoder else { return };
        // Its pipe holds many coded pictures, and each would only come later.
        let now = self.clock.now();
        let late = self.session.as_ref().is_some_and(|session| session.line.behind(now) > BEHIND);
        match if late { Fed::Full } else { decoder.feed(unit) } {
            Fed::Taken => {
                if let Some(session) = &mut self.session {
                    session.line.fed(pts, key, now);
                }
            }
            Fed::Full => {
                self.gap = true;
                if let Some(session) = &mut self.session {
                    session.line.lost();
                }
                self.status.note(|report| report.skipped += 1);
            }
            Fed::Gone => {}
        }
    }

    fn start_decoder(&mut self, codec: Codec, size: Size) {
        let spec = DecodeSpec { max_width: self.settings.max_width, ..DecodeSpec::new(codec, size) };
        self.status.note(|report| report.starts.0 += 1);
        match Decoder::start(&self.tools, spec, self.spare.clone(), self.clock) {
            Ok(decoder) => {
                // The line is begun here and not at the first frame, so that it knows what went in.
                let size = Size { width: 0, height: 0 };
                self.session = Some(self.new_session(size));
                self.decoder = Some(decoder);
            }
            Err(error) => self.decoder_failed(&chain(&error)),
        }
    }

    fn new_session(&self, size: Size) -> Session {
        let scans = Scans::new(size);
        let settings = Settings {
            look_ahead: i64::from(self.settings.look_ahead_ms) * 90,
            hold_s: f64::from(self.settings.hold_ms) / 1000.0,
            period: scans.periods(),
            ..Settings::new(size)
        };
        let line = Line::new(settings);
        let (answer, answers) = unbounded();
        let frames = VecDeque::new();
        Session { size, settings, line, scans: Arc::new(scans), frames, turn: 0, answer, answers }
    }

    fn decoder_failed(&mut self, why: &str) {
        self.retry.failed();
        self.status.note(|report| report.trouble = Some(why.to_owned()));
    }

    fn decoder_ended(&mut self, why: Option<String>) {
        self.end_session();
        self.decoder = None;
        let state = State::away("the camera's pictures cannot be decoded at present");
        self.feed.set_note(state.clone());
        self.status.note(|report| report.state = state);
        self.decoder_failed(why.as_deref().unwrap_or("the decoder ended"));
    }

    /// What waited is given up: nothing of it leaves.
    fn end_session(&mut self) {
        self.session = None;
    }

    fn frame(&mut self, frame: RawFrame, at: Pts) {
        let Some(picture) = frame.frame() else { return };
        let (size, pts) = (picture.size(), picture.pts);
        self.retry.worked();
        self.away = None;
        self.status.note(|report| {
            report.decoded += 1;
            report.size = Some(size);
        });
        if self.session.as_ref().is_none_or(|session| session.size != size) {
            let before = self.session.take();
            let mut session = self.new_session(size);
            if let Some(before) = before.filter(|s| s.size.area() == 0) {
                session.line = before.line.with(session.settings);
            }
            self.session = Some(session);
        }
        let Some(session) = &mut self.session else { return };
        let Some(asked) = session.line.arrived(pts, at) else { return };
        let frame = Arc::new(frame);
        session.frames.push_back((asked.id, Arc::clone(&frame)));
        if let Some(effort) = asked.look {
            session.turn += 1;
            let question = Question {
                frame,
                id: asked.id,
                turn: session.turn,
                effort,
                scans: Arc::clone(&session.scans),
                until: Instant::now() + Duration::from_secs(1),
                answer: session.answer.clone(),
            };
            self.status.note(|report| report.looked += 1);
            // Where no finder is left the frame is never judged, and leaves covered.
            let _ = self.desk.send(question);
        }
        let level = session.line.level();
        self.status.note(|report| report.level = level);
    }

    fn answered(&mut self, answer: &Answer) {
        let now = self.clock.now();
        if let Some(session) = &mut self.session {
            session.line.judged(answer.id, answer.found.as_deref(), now);
        }
    }

    fn let_leave(&mut self) {
        loop {
            let now = self.clock.now();
            let Some(session) = &mut self.session else { return };
            let Some(leaving) = session.line.leave(now) else { return };
            let frame = match session.frames.front() {
                Some((id, _)) if *id == leaving.id => session.frames.pop_front().map(|(_, frame)| frame),
                _ => None,
            };
            let size = session.size;
            self.release(leaving, frame, size);
        }
    }

    fn release(&mut self, leaving: Leaving, frame: Option<Arc<RawFrame>>, size: Size) {
        let Leaving { pts, how, fine, .. } = leaving;
        // Whoever still looks at it keeps it; then there is nothing of it to show.
        let frame = frame.and_then(Arc::into_inner).and_then(RawFrame::into_frame);
        let (redacted, reason) = match (how, frame) {
            (How::Drop, frame) => {
                self.status.note(|report| report.dropped += 1);
                drop(frame.map(RawFrame::new));
                return;
            }
            (How::Hide(boxes), Some(frame)) => (self.hide(frame, &boxes, fine), None),
            (How::Hide(_), None) => (blank(size, pts), Some(Reason::Late)),
            (How::Cover(reason), Some(frame)) => (RedactedFrame::whole(frame), Some(reason)),
            (How::Cover(reason), None) => (blank(size, pts), Some(reason)),
        };
        let state = match reason {
            None => State::Live,
            Some(Reason::Damaged) => State::covered("the camera's pictures came damaged"),
            Some(Reason::Unjudged) => State::covered("the face detector could not judge the picture"),
            Some(Reason::Late) => State::covered("the face detector did not answer in time"),
            Some(Reason::Overload) => State::covered("there is too much to do for this machine"),
        };
        self.status.note(|report| {
            match reason {
                None => report.left += 1,
                Some(reason) => {
                    if let Some(count) = report.covered.get_mut(place(reason)) {
                        *count += 1;
                    }
                }
            }
            // What it was is over.
            if state == State::Live && report.state != State::Live {
                report.trouble = None;
            }
            report.state = state.clone();
            report.last = Some(pts);
        });
        self.feed.set_note(state);
        self.show(redacted);
    }

    fn hide(&mut self, frame: Frame, boxes: &[TrackBox], fine: bool) -> RedactedFrame {
        let ProxySettings { fill, target, mask_scale, shape, .. } = &self.settings;
        let regions: Vec<Region> =
            boxes.iter().map(|b| plan::mask_region(b.rect, *target, *mask_scale, *shape)).collect();
        let mut redacted = redact(frame, &regions, fill, Coding::default(), &mut self.scratch);
        if let Some(session) = self.session.as_ref().filter(|_| !fine) {
            redacted.coarsen(session.scans.grain());
        }
        redacted
    }

    /// To the encoder, where somebody watches, and as a picture, where somebody waits for one.
    fn show(&mut self, frame: RedactedFrame) {
        if self.feed.snapshot_wanted()
            && let Ok(picture) = RedactedPicture::of(&frame, QUALITY)
        {
            self.feed.put_snapshot(picture);
        }
        let pts = frame.as_frame().pts;
        if self.feed.wanted() && pts > self.last_out {
            self.last_out = pts;
            self.encode(&frame);
        }
        // Redacted by now, so its memory may be used again.
        let _ = self.spare_in.try_send(frame.recycle());
    }

    fn encode(&mut self, frame: &RedactedFrame) {
        let size = frame.as_frame().size();
        if self.encoder.as_ref().is_some_and(|encoder| encoder.size() != size) {
            self.encoder = None;
        }
        if self.encoder.is_none() && self.encoder_retry.due() {
            let rate = self.settings.frame_rate;
            let spec = LiveSpec { max_kbit: self.settings.max_kbit, ..LiveSpec::new(size, rate) };
            match Encoder::start(&self.tools, spec, &self.feed, &self.status, self.clock) {
                Ok(encoder) => self.encoder = Some(encoder),
                Err(error) => self.encoder_failed(Some(&chain(&error))),
            }
        }
        let Some(encoder) = &mut self.encoder else { return };
        if encoder.write(frame) {
            if self.encoder_retry.worked() {
                self.status.note(|report| report.trouble = None);
            }
        } else {
            self.encoder = None;
            self.encoder_failed(None);
        }
    }

    fn encoder_failed(&mut self, why: Option<&str>) {
        self.encoder_retry.failed();
        if let Some(why) = why {
            self.status.note(|report| report.trouble = Some(why.to_owned()));
        }
    }

    /// What is done when nothing happens.
    fn keep_watch(&mut self) {
        if self.feed.wanted() {
            self.wanted = Instant::now();
        } else if self.encoder.is_some() && self.wanted.elapsed() > UNWATCHED {
            self.encoder = None;
        }
        if self.away.is_some() && self.shown.elapsed() > AWAY_BEAT {
            self.shown = Instant::now();
            let size = self.encoder.as_ref().map(Encoder::size);
            if let Some(size) = size {
                let now = self.clock.now();
                self.show(blank(size, now));
            }
        }
    }
}

/// The size that a coded picture says it has.
fn said_size(unit: &AccessUnit) -> Option<Size> {
    Units::default().take(unit.codec, &unit.data).ok().flatten().and_then(|seen| seen.size)
}

/// A covered picture of which nothing but size and time was ever known.
fn blank(size: Size, pts: Pts) -> RedactedFrame {
    let mut frame = Frame::new(size, Layout::Yuv420);
    frame.pts = pts;
    RedactedFrame::whole(frame)
}
