//! One video file: frames are read, faces found, followed and hidden, the result is checked, encoded and put in place.
//!
//! ```text
//! decoder ─► finders (threads) ─► tracker, `lead` frames ahead
//!    └─────► frames in order ─► redact ─► held while neighbours are checked ─► encoder
//! ```
//! In fast mode one decoder serves both paths and the frames of the lead wait in memory. Otherwise a second decoder
//! runs ahead for the finders, so that the lead costs time but no memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use placet_core::{Detection, Frame, Layout, Pts, Rotation, Size};
use placet_ingest::Tools;
use placet_ingest::video::{DecodeOptions, Decoder, Encoder, MediaInfo, Packet};
use placet_redaction::{
    CutDetector, ObscuredFrame, RedactedFrame, Region, Scratch, Sighting, TrackBox, Tracker, TrackerConfig,
};
use placet_vision::{Effort, FaceDetector, Scan};

use crate::fields::Viewer;
use crate::ledger::{Ledger, exposed};
use crate::masks::{Masks, coding_of};
use crate::sampling::{Look, Sampler};
use crate::{JobError, Mode, Models, OnFound, Settings, Verify, Watch};

/// Frames that wait in memory may take this much; beyond it a second decoder runs ahead instead.
const RING_BYTES: usize = 96 << 20;
/// Redacted frames that wait for their neighbours' check may take about this much.
const HELD_BYTES: usize = 48 << 20;
/// Full-size tiles looked at in each frame, in turn.
const TILES_PER_FRAME: u32 = 2;
/// Frames in a row that no detector could judge before the job gives up.
pub(crate) const UNJUDGED_LIMIT: u64 = 250;

/// What the pipeline needs to know about its input.
pub(crate) struct Source<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) info: &'a MediaInfo,
    pub(crate) packets: &'a [Packet],
    /// Time of the first frame.
    pub(crate) first: Pts,
    /// How many frames there should be.
    pub(crate) total: u64,
    pub(crate) frame_rate: f64,
}

impl Source<'_> {
    /// Seconds from the first frame: a transport stream's clock starts anywhere.
    pub(crate) fn seconds(&self, pts: Pts) -> f64 {
        self.info.video.time_base.seconds(Pts(pts.0.saturating_sub(self.first.0)))
    }
}

/// Where redacted frames go.
pub(crate) trait Sink: Send {
    fn write(&mut self, frame: &Hidden) -> Result<(), JobError>;
    fn finish(self: Box<Self>) -> Result<(), JobError>;
}

impl Sink for Encoder {
    fn write(&mut self, frame: &Hidden) -> Result<(), JobError> {
        match frame {
            Hidden::Redacted(f) => Encoder::write(self, f)?,
            Hidden::Obscured(f) => self.write_obscured(f)?,
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), JobError> {
        Ok(Encoder::finish(*self)?)
    }
}

/// A run of frames whose faces an earlier pass over the whole file found.
pub(crate) struct Known {
    /// It was pushed every frame of the file.
    pub(crate) tracker: Tracker,
    /// The first frame's number.
    pub(crate) first: u64,
    /// Time of each frame, and whether it was judged.
    pub(crate) frames: VecDeque<(Pts, bool)>,
    /// What was done to the frames before.
    pub(crate) ledger: Ledger,
}

/// One frame in presentation order, or the place of one that could not be decoded.
pub(crate) struct Item {
    pub(crate) idx: u64,
    pub(crate) pts: Pts,
    pub(crate) frame: Option<Arc<Frame>>,
    pub(crate) cut: bool,
}

/// What the pipeline did.
pub(crate) struct Done {
    pub(crate) ledger: Ledger,
    pub(crate) tracker: Tracker,
    /// Size at which the detector saw the whole picture.
    pub(crate) detector_input: Size,
    /// Seconds hidden before a first sighting, after a last, and over a gap.
    pub(crate) margins_s: (f64, f64, f64),
    /// The written file was compared with what was meant.
    pub(crate) read_back: bool,
}

struct Judged {
    idx: u64,
    pts: Pts,
    cut: bool,
    /// None: the frame could not be judged.
    found: Option<Vec<Detection>>,
    error: Option<String>,
}

/// A frame after redaction, in whichever of the two kinds the settings ask for.
pub(crate) enum Hidden {
    Redacted(RedactedFrame),
    Obscured(ObscuredFrame),
}

impl Hidden {
    pub(crate) fn as_frame(&self) -> &Frame {
        match self {
            Self::Redacted(f) => f.as_frame(),
            Self::Obscured(f) => f.as_frame(),
        }
    }

    pub(crate) fn covered_share(&self) -> f32 {
        match self {
            Self::Redacted(f) => f.covered_share(),
            Self::Obscured(f) => f.covered_share(),
        }
    }

    fn recycle(self) -> Frame {
        match self {
            Self::Redacted(f) => f.recycle(),
            Self::Obscured(f) => f.recycle(),
        }
    }
}

/// A redacted frame that waits until the frames around it have been checked.
struct Held {
    idx: u64,
    frame: Arc<Hidden>,
    regions: Vec<Region>,
    boxes: Vec<TrackBox>,
    /// Regions to hide before it is checked or released: a checker may still be reading the frame.
    todo: Vec<Region>,
    rounds: u32,
    pending: bool,
    remains: bool,
}

/// A frame for a second detector.
struct Question {
    idx: u64,
    frame: Arc<Hidden>,
    look: Look,
}

struct Check {
    idx: u64,
    result: Result<Vec<Detection>, String>,
}

/// Runs the pipeline into `sink`: over the whole file, or over the run of frames that is `known`.
///
/// # Errors
/// [`JobError`]; the encoder's output is then to be thrown away.
pub(crate) fn run(
    source: &Source<'_>,
    models: &Models,
    settings: &Settings,
    sink: Box<dyn Sink>,
    known: Option<Known>,
    watch: &dyn Watch,
) -> Result<Done, JobError> {
    let size = source.info.video.size;
    let frame_bytes = Layout::Yuv420.bytes(size);
    let fps = source.frame_rate.clamp(1.0, 240.0);
    let single_lead = ((0.8 * fps).ceil() as usize).min(RING_BYTES / frame_bytes.max(1));
    let single = settings.mode == Mode::Fast && single_lead as f64 >= 0.3 * fps;
    let lead = if single { single_lead.max(4) } else { (2.0 * fps).ceil() as usize };

    let scan = finder_scan(source, settings);
    let tracking = tracking(source, settings, &scan);
    let margins_s = (
        tracking.margin_s.min(lead as f64 / fps),
        tracking.margin_s,
        tracking.max_gap_s.min(lead as f64 / fps),
    );
    let (judge_tx, judge_rx) = bounded::<Item>(usize::from(single));
    let (judged_tx, judged_rx) = unbounded::<Judged>();
    let (render_tx, render_rx) = bounded::<Item>(if single { lead + settings.threads + 2 } else { 0 });
    let (spare_tx, spare_rx) = unbounded::<Frame>();
    let (judged_spare_tx, judged_spare_rx) = unbounded::<Frame>();
    let (check_tx, check_rx) = bounded::<Question>(64);
    let (checked_tx, checked_rx) = unbounded::<Check>();
    let (write_tx, write_rx) = bounded::<Arc<Hidden>>(1);

    thread::scope(|scope| {
        let part = known.as_ref().and_then(Part::of);
        let readers = if let Some(part) = part {
            drop(judge_tx);
            vec![scope.spawn(move || {
                pump(source, Some(&part), Some(&spare_rx), 2, |item| render_tx.send(item).is_ok())
            })]
        } else if single {
            vec![scope.spawn(move || {
                pump(source, None, Some(&spare_rx), 1, |item| {
                    let copy =
                        Item { idx: item.idx, pts: item.pts, frame: item.frame.clone(), cut: item.cut };
                    judge_tx.send(item).is_ok() && render_tx.send(copy).is_ok()
                })
            })]
        } else {
            let ahead = scope.spawn(move || {
                pump(source, None, Some(&judged_spare_rx), 1, |item| judge_tx.send(item).is_ok())
            });
            let behind = scope
                .spawn(move || pump(source, None, Some(&spare_rx), 1, |item| render_tx.send(item).is_ok()));
            vec![ahead, behind]
        };
        let finders = if known.is_some() { 0 } else { settings.threads.max(1) };
        for _ in 0..finders {
            let finder = models.finder()?;
            let (rx, tx, spare) = (judge_rx.clone(), judged_tx.clone(), judged_spare_tx.clone());
            let viewer = Viewer::new(&scan, source.info.video.fields.interlaced());
            scope.spawn(move || find_faces(finder, viewer, settings, &rx, &tx, &spare));
        }
        drop((judge_rx, judged_tx, judged_spare_tx));
        let check_scan = Arc::new(Scan::new(size, source.info.video.rotation, Effort::Check));
        if settings.verify != Verify::None {
            let n = if settings.verify == Verify::Full { settings.threads.max(1) } else { 1 };
            for _ in 0..n {
                let checker = models.checker()?;
                let (rx, tx, scan) = (check_rx.clone(), checked_tx.clone(), Arc::clone(&check_scan));
                let interlaced = source.info.video.fields.interlaced();
                scope.spawn(move || {
                    let viewer = Viewer::new(&scan, interlaced);
                    check_frames(checker, viewer, settings.scores.check, &rx, &tx);
                });
            }
        }
        drop((check_rx, checked_tx));
        let writer = scope.spawn(move || write_frames(sink, &write_rx, &spare_tx));

        let line = Line {
            source,
            settings,
            watch,
            masks: Masks::new(settings, coding_of(&source.info.video), size, source.info.video.rotation),
            judged: judged_rx,
            render: render_rx,
            check: check_tx,
            checked: checked_rx,
            check_scan,
            write: write_tx,
            lead: lead as u64,
        };
        let outcome = line.run(
            known.unwrap_or_else(|| Known {
                tracker: Tracker::new(tracking),
                first: 0,
                frames: VecDeque::new(),
                ledger: Ledger::default(),
            }),
            part.is_some(),
        );
        // The line's ends are closed now, so every thread comes to its own.
        let written = join(writer);
        let mut read = Ok(());
        for r in readers {
            let one = join(r);
            if read.is_ok() {
                read = one;
            }
        }
        match (outcome, written, read) {
            (Ok((ledger, tracker)), Ok(()), Ok(())) => {
                Ok(Done { ledger, tracker, detector_input: scan.whole_size(), margins_s, read_back: false })
            }
            // A closed channel is a consequence; the thread that closed it has the cause.
            // Where reading broke off, the encoder may complain too, that nothing came.
            (Err(JobError::Stopped) | Ok(_), _, Err(e)) => Err(e),
            (Err(JobError::Stopped) | Ok(_), Err(e), Ok(())) => Err(e),
            (Err(e), _, _) => Err(e),
        }
    })
}

fn join<T>(handle: thread::ScopedJoinHandle<'_, Result<T, JobError>>) -> Result<T, JobError> {
    handle.join().unwrap_or(Err(JobError::Bug("a pipeline thread panicked")))
}

/// How faces are followed.
pub(crate) fn tracking(source: &Source<'_>, settings: &Settings, scan: &Scan) -> TrackerConfig {
    TrackerConfig {
        score: settings.scores.strong,
        weak_score: settings.scores.weak,
        revisit: scan.period() as u32,
        ..TrackerConfig::new(source.info.video.size)
    }
}

/// Which views of a frame the first detector looks at.
pub(crate) fn finder_scan(source: &Source<'_>, settings: &Settings) -> Scan {
    scan_of(source.info.video.size, source.info.video.rotation, settings)
}

/// The same, for frames of that size.
pub(crate) fn scan_of(size: Size, rotation: Rotation, settings: &Settings) -> Scan {
    match (settings.detector_size, settings.mode) {
        (Some(wanted), _) => Scan::whole(size, rotation, wanted),
        (None, Mode::Fast) => Scan::new(size, rotation, Effort::Fast),
        (None, Mode::Thorough) => {
            Scan::new(size, rotation, Effort::Thorough { tiles_per_frame: TILES_PER_FRAME })
        }
    }
}

/// A run of frames of a file.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    first: u64,
    range: (Pts, Pts),
}

impl Part {
    fn of(known: &Known) -> Option<Self> {
        let (first, last) = (known.frames.front()?.0, known.frames.back()?.0);
        Some(Self { first: known.first, range: (first, last) })
    }
}

/// Reads the frames of a part, or all, in order, with a place for each that did not decode.
pub(crate) fn pump(
    source: &Source<'_>,
    part: Option<&Part>,
    spare: Option<&Receiver<Frame>>,
    threads: u32,
    mut emit: impl FnMut(Item) -> bool,
) -> Result<(), JobError> {
    let size = source.info.video.size;
    let options = DecodeOptions { threads, range_of_pts: part.map(|p| p.range), ..DecodeOptions::default() };
    let mut decoder = Decoder::open(source.tools, source.info, source.packets, options)?;
    let mut cuts = CutDetector::new();
    let mut idx = part.map_or(0, |p| p.first);
    loop {
        // The buffer handed over is used for a later frame.
        let mut frame = spare
            .and_then(|s| s.try_recv().ok())
            .filter(|f| f.size() == size && f.layout() == Layout::Yuv420)
            .unwrap_or_else(|| Frame::new(size, Layout::Yuv420));
        let read = decoder.read_into(&mut frame)?;
        for &pts in decoder.lost() {
            if !emit(Item { idx, pts, frame: None, cut: false }) {
                return Ok(());
            }
            idx += 1;
        }
        let Some(pts) = read else { return Ok(()) };
        let cut = cuts.push(&frame);
        if !emit(Item { idx, pts, frame: Some(Arc::new(frame)), cut }) {
            return Ok(());
        }
        idx += 1;
    }
}

fn find_faces(
    mut finder: Box<dyn FaceDetector>,
    mut viewer: Viewer<'_>,
    settings: &Settings,
    rx: &Receiver<Item>,
    tx: &Sender<Judged>,
    spare: &Sender<Frame>,
) {
    for item in rx {
        let mut found = Vec::new();
        let (found, error) = match &item.frame {
            None => (None, None),
            Some(frame) => {
                match viewer.at(&mut *finder, frame, item.idx, settings.scores.weak, None, &mut found) {
                    Ok(()) => (Some(found), None),
                    Err(e) => (None, Some(crate::chain(&e))),
                }
            }
        };
        let Item { idx, pts, frame, cut } = item;
        // Released before the answer is sent, so that the frame has one owner when it is redacted. Where it is not
        // redacted from this reading, the reader takes the buffer again, if it still reads.
        if let Some(buffer) = frame.and_then(Arc::into_inner) {
            let _ = spare.send(buffer);
        }
        if tx.send(Judged { idx, pts, cut, found, error }).is_err() {
            return;
        }
    }
}

fn check_frames(
    mut checker: Box<dyn FaceDetector>,
    mut viewer: Viewer<'_>,
    min_score: f32,
    rx: &Receiver<Question>,
    tx: &Sender<Check>,
) {
    for Question { idx, frame, look } in rx {
        let mut found = Vec::new();
        let places = match &look {
            Look::Whole => None,
            Look::At(places) => Some(places.as_slice()),
        };
        let result = viewer.at(&mut *checker, frame.as_frame(), idx, min_score, places, &mut found);
        drop(frame);
        let result = result.map(|()| found).map_err(|e| crate::chain(&e));
        if tx.send(Check { idx, result }).is_err() {
            return;
        }
    }
}

fn write_frames(
    mut sink: Box<dyn Sink>,
    rx: &Receiver<Arc<Hidden>>,
    spare: &Sender<Frame>,
) -> Result<(), JobError> {
    for frame in rx {
        sink.write(&frame)?;
        if let Some(buffer) = Arc::into_inner(frame).map(Hidden::recycle) {
            // The reader may have ended; then nobody wants the buffer.
            let _ = spare.send(buffer);
        }
    }
    sink.finish()
}

/// The middle of the pipeline, on one thread: tracker, redaction, holding, release.
struct Line<'a> {
    source: &'a Source<'a>,
    settings: &'a Settings,
    watch: &'a dyn Watch,
    masks: Masks,
    judged: Receiver<Judged>,
    render: Receiver<Item>,
    check: Sender<Question>,
    checked: Receiver<Check>,
    check_scan: Arc<Scan>,
    write: Sender<Arc<Hidden>>,
    lead: u64,
}

/// What the tracker side knows, ahead of the frame being redacted.
struct Ahead {
    tracker: Tracker,
    waiting: BTreeMap<u64, Judged>,
    /// Per pushed frame not yet redacted: its time, and whether it was judged.
    known: VecDeque<(Pts, bool)>,
    head: u64,
    ended: bool,
    unjudged_run: u64,
}

impl Line<'_> {
    /// `whole`: nothing is found any more, the tracker knows all.
    fn run(self, known: Known, whole: bool) -> Result<(Ledger, Tracker), JobError> {
        let fps = self.source.frame_rate;
        let Known { tracker, first, frames, mut ledger } = known;
        let head = first + frames.len() as u64;
        let mut ahead =
            Ahead { tracker, waiting: BTreeMap::new(), known: frames, head, ended: whole, unjudged_run: 0 };
        let room = (HELD_BYTES / Layout::Yuv420.bytes(self.source.info.video.size).max(1)) as u64;
        let interval = ((fps / 2.0).round() as u64).clamp(4, room.saturating_sub(3).clamp(4, 16));
        let mut sampler = Sampler::new(self.settings.verify, interval);
        let reach = sampler.reach();
        let slack = match self.settings.verify {
            Verify::None => 0,
            Verify::Sample => room.saturating_sub(interval).min(1),
            Verify::Full => self.settings.threads.max(1) as u64,
        };
        let mut scratch = Scratch::new();
        let mut held: VecDeque<Held> = VecDeque::new();
        let (mut before, mut now, mut after) = (Vec::new(), Vec::new(), Vec::new());
        let total = Some(self.source.total);
        for idx in first.. {
            if self.watch.cancelled() {
                return Err(JobError::Cancelled);
            }
            self.look_ahead(&mut ahead, idx)?;
            let Ok(item) = self.render.recv() else { break };
            let Some((pts, judged)) = ahead.known.pop_front() else {
                // More frames to show than were judged: the two readings differ.
                return Err(if ahead.ended { self.mismatch(item.pts, None) } else { JobError::Stopped });
            };
            if pts != item.pts || item.idx != idx {
                return Err(self.mismatch(item.pts, Some(pts)));
            }
            boxes_at(&ahead.tracker, idx, &mut now)?;
            if ahead.known.is_empty() {
                after.clear();
            } else {
                boxes_at(&ahead.tracker, idx + 1, &mut after)?;
            }
            ledger.times.push(item.pts);
            let seconds = self.source.seconds(item.pts);
            let regions = self.masks.regions(&now, seconds);
            let hidden = match item.frame.filter(|_| judged) {
                None => {
                    ledger.covered_whole(idx);
                    let mut blank = Frame::new(self.source.info.video.size, Layout::Yuv420);
                    blank.pts = item.pts;
                    Hidden::Redacted(RedactedFrame::whole(blank))
                }
                Some(frame) => {
                    ledger.judged += 1;
                    let frame = Arc::try_unwrap(frame).unwrap_or_else(|shared| (*shared).clone());
                    self.masks.hide(frame, &regions, &now, &mut scratch)
                }
            };
            let last = ahead.ended && ahead.known.is_empty();
            let size = self.source.info.video.size;
            let around = [&before[..], &now, &after];
            let due = if judged { sampler.due(idx, last, around, &self.check_scan, size) } else { None };
            held.push_back(Held {
                idx,
                frame: Arc::new(hidden),
                regions,
                boxes: now.clone(),
                todo: Vec::new(),
                rounds: 0,
                pending: false,
                remains: false,
            });
            if let Some(look) = due {
                self.submit(held.back_mut(), look)?;
            }
            std::mem::swap(&mut before, &mut now);
            while let Ok(result) = self.checked.try_recv() {
                self.absorb(result, &mut held, &mut ahead.tracker, &mut ledger, &mut scratch, reach)?;
            }
            // A few more wait than must, so that the checkers work while the line goes on.
            while held.len() as u64 > reach + slack {
                self.release(&mut held, &mut ahead.tracker, &mut ledger, &mut scratch, reach)?;
            }
            if idx % 8 == 0 {
                self.watch.progress(idx + 1, total, ledger.tracks.len());
            }
        }
        while !held.is_empty() {
            self.release(&mut held, &mut ahead.tracker, &mut ledger, &mut scratch, reach)?;
        }
        if !ahead.known.is_empty() || !ahead.ended {
            return Err(JobError::Stopped);
        }
        Ok((ledger, ahead.tracker))
    }

    /// Brings the tracker `lead` frames past `idx`, or to the end.
    fn look_ahead(&self, ahead: &mut Ahead, idx: u64) -> Result<(), JobError> {
        while !ahead.ended && ahead.head <= idx + self.lead {
            if let Some(j) = ahead.waiting.remove(&ahead.head) {
                if let Some(e) = j.error {
                    self.watch
                        .note(&format!("frame {} could not be judged and is covered whole: {e}", j.idx));
                }
                ahead.unjudged_run = if j.found.is_some() { 0 } else { ahead.unjudged_run + 1 };
                if ahead.unjudged_run > UNJUDGED_LIMIT {
                    return Err(JobError::NothingJudged { frames: UNJUDGED_LIMIT, at: j.idx });
                }
                ahead.tracker.push(Sighting {
                    time_s: self.source.seconds(j.pts),
                    cut: j.cut,
                    detections: j.found.as_deref().unwrap_or_default(),
                });
                ahead.known.push_back((j.pts, j.found.is_some()));
                ahead.head += 1;
                continue;
            }
            match self.judged.recv() {
                Ok(j) => {
                    ahead.waiting.insert(j.idx, j);
                }
                Err(_) => {
                    if !ahead.waiting.is_empty() {
                        return Err(JobError::Stopped);
                    }
                    ahead.ended = true;
                }
            }
        }
        Ok(())
    }

    fn submit(&self, held: Option<&mut Held>, look: Look) -> Result<(), JobError> {
        if let Some(h) = held {
            h.pending = true;
            let question = Question { idx: h.idx, frame: Arc::clone(&h.frame), look };
            self.check.send(question).map_err(|_| JobError::Stopped)?;
        }
        Ok(())
    }

    /// Takes one answer of the second detector: covers what it found, here and in the frames around, and asks again.
    fn absorb(
        &self,
        check: Check,
        held: &mut VecDeque<Held>,
        tracker: &mut Tracker,
        ledger: &mut Ledger,
        scratch: &mut Scratch,
        reach: u64,
    ) -> Result<(), JobError> {
        let Some(front) = held.front().map(|h| h.idx) else { return Ok(()) };
        let at = (check.idx - front) as usize;
        let Some(h) = held.get_mut(at) else { return Ok(()) };
        h.pending = false;
        if ledger.checked.last() != Some(&check.idx) {
            ledger.checked.push(check.idx);
        }
        let found = check.result.map_err(|cause| JobError::Check { frame: check.idx, cause })?;
        let kept = self.masks.kept_boxes(&h.boxes);
        let open: Vec<Detection> = found
            .into_iter()
            .filter(|d| exposed(d, &h.regions) && !kept.iter().any(|k| k.iou(&d.rect) > 0.2))
            .collect();
        if open.is_empty() {
            h.remains = false;
            return Ok(());
        }
        ledger.check_found += open.len() as u64;
        h.rounds += 1;
        ledger.check_rounds = ledger.check_rounds.max(h.rounds);
        h.remains = true;
        if self.settings.on_found == OnFound::Withhold || h.rounds > 3 {
            return Ok(());
        }
        for d in &open {
            tracker
                .insert_found(check.idx, d.rect, reach.max(1) as u32)
                .map_err(|_| JobError::Bug("a held frame is forgotten"))?;
        }
        for h in held.iter_mut() {
            let mut boxes = Vec::new();
            boxes_at(tracker, h.idx, &mut boxes)?;
            let seconds = self.source.seconds(h.frame.as_frame().pts);
            let regions = self.masks.regions(&boxes, seconds);
            if regions == h.regions {
                continue;
            }
            for region in regions {
                if !h.regions.contains(&region) {
                    h.todo.push(region);
                    h.regions.push(region);
                }
            }
            h.boxes = boxes;
        }
        // What lies elsewhere is as it was judged.
        let mut changed = Vec::new();
        if let Some(h) = held.get_mut(at) {
            changed.extend(h.todo.iter().map(|r| r.rect).chain(open.iter().map(|d| d.rect)));
            self.settle(h, scratch)?;
        }
        self.submit(held.get_mut(at), Look::At(changed))
    }

    /// Hides what was found after the frame had been redacted. No checker may be looking at it.
    fn settle(&self, h: &mut Held, scratch: &mut Scratch) -> Result<(), JobError> {
        if h.todo.is_empty() {
            return Ok(());
        }
        let frame = Arc::get_mut(&mut h.frame).ok_or(JobError::Bug("a checked frame still has a reader"))?;
        self.masks.hide_more(frame, &h.todo, &h.boxes, scratch);
        h.todo.clear();
        Ok(())
    }

    /// Sends the oldest held frame to the encoder once no check around it is under way.
    fn release(
        &self,
        held: &mut VecDeque<Held>,
        tracker: &mut Tracker,
        ledger: &mut Ledger,
        scratch: &mut Scratch,
        reach: u64,
    ) -> Result<(), JobError> {
        // A frame is touched by what is found up to `reach` frames after it.
        while held.iter().take(reach as usize + 1).any(|h| h.pending) {
            let result = self.checked.recv().map_err(|_| JobError::Stopped)?;
            self.absorb(result, held, tracker, ledger, scratch, reach)?;
        }
        let Some(mut h) = held.pop_front() else { return Ok(()) };
        self.settle(&mut h, scratch)?;
        if h.remains {
            return Err(JobError::FaceRemains { frame: h.idx, rounds: h.rounds });
        }
        ledger.saw(h.idx, &h.boxes, |t| self.settings.keep_tracks.contains(&t));
        ledger.covered.push((h.frame.covered_share().clamp(0.0, 1.0) * 65535.0) as u16);
        tracker.forget_before(h.idx);
        tracker.take_finished();
        self.write.send(h.frame).map_err(|_| JobError::Stopped)
    }

    fn mismatch(&self, shown: Pts, judged: Option<Pts>) -> JobError {
        JobError::Mismatch { shown: shown.0, judged: judged.map(|p| p.0) }
    }
}

/// The boxes of a frame that the tracker must know.
pub(crate) fn boxes_at(tracker: &Tracker, idx: u64, boxes: &mut Vec<TrackBox>) -> Result<(), JobError> {
    boxes.clear();
    tracker.regions(idx, boxes).map_err(|_| JobError::Bug("the tracker lost a frame"))
}
