//! The first pass: every frame is judged before anything is written, and the groups without a face are found.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use placet_core::{Detection, Frame, Pts, Rect};
use placet_redaction::{Sighting, Tracker, TrackerConfig};
use placet_vision::Scan;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::clean_groups::{Group, Groups};
use crate::clean_inspect::{Inspector, Verdict};
use crate::clean_still::{Blocks, Steady, Still};
use crate::video::{Item, Source, UNJUDGED_LIMIT, boxes_at, pump};
use crate::{JobError, Models, OnFound, Settings, Verify, Watch};

/// Groups passed over at most after one that cost too much to check.
const MOST_PASSED_OVER: u32 = 16;

/// What every frame shows.
pub(crate) struct Survey {
    tracking: TrackerConfig,
    seconds: Vec<f64>,
    /// Time of each frame, and whether it was judged.
    pub(crate) frames: Vec<(Pts, bool)>,
    cuts: BTreeSet<u64>,
    found: BTreeMap<u64, Vec<Detection>>,
    /// What only the second detector found.
    pub(crate) finds: Vec<(u64, Rect)>,
    reach: u32,
    pub(crate) seed: u64,
    /// Digests of the frames that both detectors judged clean.
    digests: BTreeMap<u64, u128>,
    /// What became of each group.
    pub(crate) fates: Vec<Fate>,
}

/// Whether a group is copied, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// Nothing stands against it.
    Clean,
    /// Checking it would cost more than encoding it.
    TooDear,
    /// A face is hidden in it, or something else.
    Faces,
    /// The second detector alone found a face.
    Found,
    /// A frame could not be judged.
    Unjudged,
    /// It is not closed.
    Open,
}

/// A frame with what the first detector found in it.
struct Judged {
    item: Item,
    blocks: Arc<Blocks>,
    found: Option<Vec<Detection>>,
    error: Option<String>,
}

/// A frame for the second detector.
struct Candidate {
    idx: u64,
    group: usize,
    fresh: bool,
    frame: Arc<Frame>,
    blocks: Arc<Blocks>,
}

/// What the second detector did.
#[derive(Default)]
struct Inspected {
    digests: BTreeMap<u64, u128>,
    fates: BTreeMap<usize, Fate>,
    finds: Vec<(u64, Rect)>,
    notes: Vec<String>,
}

impl Survey {
    /// Judges all frames.
    ///
    /// # Errors
    /// As the ordinary pipeline.
    pub(crate) fn make(
        source: &Source<'_>,
        models: &Models,
        settings: &Settings,
        groups: &Groups,
        scan: &Scan,
        watch: &dyn Watch,
    ) -> Result<Self, JobError> {
        let size = source.info.video.size;
        let seed = std::hash::RandomState::new().build_hasher().finish();
        let (item_tx, item_rx) = bounded::<(Item, Arc<Blocks>)>(1);
        let (compare_tx, compare_rx) = bounded::<Item>(1);
        // Bounded, so that frames do not pile up while the second detector judges one that moved.
        let (judged_tx, judged_rx) = bounded::<Judged>(4);
        let (look_tx, look_rx) = bounded::<Candidate>(4);
        let (spare_tx, spare_rx) = unbounded::<Frame>();
        let inspector =
            Inspector::new(models.checker()?, size, source.info.video.rotation, settings.scores.check);
        let finders = (0..settings.threads.max(1)).map(|_| models.finder()).collect::<Result<Vec<_>, _>>()?;
        thread::scope(|scope| {
            let reader = scope
                .spawn(move || pump(source, None, Some(&spare_rx), 2, |item| compare_tx.send(item).is_ok()));
            scope.spawn(move || {
                let mut still = Still::new(size);
                for item in compare_rx {
                    let blocks = match &item.frame {
                        Some(frame) => still.push(frame),
                        None => Arc::new(Blocks { now: 0, columns: 0, versions: Vec::new() }),
                    };
                    if item_tx.send((item, blocks)).is_err() {
                        return;
                    }
                }
            });
            for finder in finders {
                let (rx, tx) = (item_rx.clone(), judged_tx.clone());
                scope.spawn(move || find(Steady::new(finder), scan, settings.scores.weak, &rx, &tx));
            }
            drop((item_rx, judged_tx));
            let spare = spare_tx.clone();
            let second = scope.spawn(move || inspect(inspector, seed, &look_rx, &spare));
            let survey = Self {
                tracking: crate::video::tracking(source, settings, scan),
                seconds: Vec::new(),
                frames: Vec::new(),
                cuts: BTreeSet::new(),
                found: BTreeMap::new(),
                finds: Vec::new(),
                reach: ((source.frame_rate / 2.0).round() as u32).clamp(4, 16),
                seed,
                digests: BTreeMap::new(),
                fates: groups.list.iter().map(|g| if g.closed { Fate::Clean } else { Fate::Open }).collect(),
            };
            let collected = Collector { source, settings, groups, watch, look: look_tx, spare: spare_tx }
                .run(survey, judged_rx);
            let read = reader.join().unwrap_or(Err(JobError::Bug("a pipeline thread panicked")));
            let inspected = second.join().map_err(|_| JobError::Bug("a pipeline thread panicked"));
            let mut survey = match (collected, read) {
                (Err(JobError::Stopped), Err(e)) | (Ok(_), Err(e)) | (Err(e), _) => return Err(e),
                (Ok(survey), Ok(())) => survey,
            };
            survey.settle(inspected?, settings, groups, watch)?;
            Ok(survey)
        })
    }

    /// A tracker that knows every frame.
    pub(crate) fn tracker(&self) -> Result<Tracker, JobError> {
        let mut tracker = Tracker::new(self.tracking);
        for (idx, time_s) in (0..).zip(&self.seconds) {
            let detections = self.found.get(&idx).map(Vec::as_slice).unwrap_or_default();
            tracker.push(Sighting { time_s: *time_s, cut: self.cuts.contains(&idx), detections });
        }
        for (idx, rect) in &self.finds {
            tracker
                .insert_found(*idx, *rect, self.reach)
                .map_err(|_| JobError::Bug("a surveyed frame is unknown"))?;
        }
        Ok(tracker)
    }

    /// Seconds hidden before a first sighting, after a last, and over a gap: nothing limits how far ahead is known.
    pub(crate) fn margins_s(&self) -> (f64, f64, f64) {
        (self.tracking.margin_s, self.tracking.margin_s, self.tracking.max_gap_s)
    }

    /// Whether `frame` is frame `idx` as it was judged, bit for bit.
    pub(crate) fn digest_is(&self, idx: u64, frame: &Frame) -> bool {
        self.digests.get(&idx) == Some(&digest(self.seed, frame))
    }

    /// Brings together what both detectors said.
    fn settle(
        &mut self,
        inspected: Inspected,
        settings: &Settings,
        groups: &Groups,
        watch: &dyn Watch,
    ) -> Result<(), JobError> {
        for note in &inspected.notes {
            watch.note(note);
        }
        for (group, fate) in inspected.fates {
            if let Some(known) = self.fates.get_mut(group) {
                *known = (*known).max(fate);
            }
        }
        if let (Some((frame, _)), OnFound::Withhold, true) =
            (inspected.finds.first(), settings.on_found, settings.verify != Verify::None)
        {
            return Err(JobError::FaceRemains { frame: *frame, rounds: 1 });
        }
        self.digests = inspected.digests;
        self.finds = inspected.finds;
        // Only now is it known what is hidden before a first sighting and in gaps.
        let mut tracker = self.tracker()?;
        let mut boxes = Vec::new();
        for (group, fate) in groups.list.iter().zip(&mut self.fates) {
            for idx in group.first..group.first + group.frames {
                boxes_at(&tracker, idx, &mut boxes)?;
                if !boxes.is_empty() {
                    *fate = (*fate).max(Fate::Faces);
                } else if *fate == Fate::Clean && !self.digests.contains_key(&idx) {
                    *fate = Fate::Unjudged;
                }
            }
            tracker.forget_before(group.first + group.frames);
            tracker.take_finished();
        }
        Ok(())
    }
}

/// Puts the first detector's answers in order and sends frames on to the second while their group may yet be clean.
struct Collector<'a> {
    source: &'a Source<'a>,
    settings: &'a Settings,
    groups: &'a Groups,
    watch: &'a dyn Watch,
    look: Sender<Candidate>,
    spare: Sender<Frame>,
}

impl Collector<'_> {
    fn run(self, mut survey: Survey, judged: Receiver<Judged>) -> Result<Survey, JobError> {
        let mut tracker = Tracker::new(survey.tracking);
        let mut waiting: BTreeMap<u64, Judged> = BTreeMap::new();
        let mut list: VecDeque<(usize, Group)> = self.groups.list.iter().copied().enumerate().collect();
        let (mut head, mut unjudged, mut tracks) = (0, 0, BTreeSet::new());
        let mut boxes = Vec::new();
        for next in judged {
            waiting.insert(next.item.idx, next);
            while let Some(j) = waiting.remove(&head) {
                if self.watch.cancelled() {
                    return Err(JobError::Cancelled);
                }
                if let Some(e) = &j.error {
                    self.watch.note(&format!("frame {head} could not be judged and is covered whole: {e}"));
                }
                unjudged = if j.found.is_some() { 0 } else { unjudged + 1 };
                if unjudged > UNJUDGED_LIMIT {
                    return Err(JobError::NothingJudged { frames: UNJUDGED_LIMIT, at: head });
                }
                while list.front().is_some_and(|(_, g)| head >= g.first + g.frames) {
                    list.pop_front();
                }
                let group = list.front().copied();
                // The frame must be the one the group was cut by.
                if group.map(|(n, _)| n) != self.groups.of.get(&j.item.pts).copied() {
                    return Err(JobError::Mismatch { shown: j.item.pts.0, judged: None });
                }
                let time_s = self.source.seconds(j.item.pts);
                let detections = j.found.as_deref().unwrap_or_default();
                tracker.push(Sighting { time_s, cut: j.item.cut, detections });
                boxes_at(&tracker, head, &mut boxes)?;
                tracks.extend(boxes.iter().map(|b| b.track));
                survey.seconds.push(time_s);
                survey.frames.push((j.item.pts, j.found.is_some()));
                if j.item.cut {
                    survey.cuts.insert(head);
                }
                let hidden = !boxes.is_empty() || self.settings.manual.iter().any(|m| m.holds_at(time_s));
                let fate = match (&j.found, hidden) {
                    (None, _) => Fate::Unjudged,
                    (_, true) => Fate::Faces,
                    _ => Fate::Clean,
                };
                if let Some(found) = j.found.filter(|f| !f.is_empty()) {
                    survey.found.insert(head, found);
                }
                self.pass_on(&mut survey, group, fate, j.item, j.blocks)?;
                head += 1;
                if head % 64 == 0 {
                    tracker.forget_before(head - 1);
                    tracker.take_finished();
                }
                if head % 8 == 0 {
                    self.watch.progress(head, Some(self.source.total), tracks.len());
                }
            }
        }
        if head as usize != self.groups.of.len() || !waiting.is_empty() {
            return Err(JobError::Stopped);
        }
        Ok(survey)
    }

    fn pass_on(
        &self,
        survey: &mut Survey,
        group: Option<(usize, Group)>,
        fate: Fate,
        item: Item,
        blocks: Arc<Blocks>,
    ) -> Result<(), JobError> {
        let known = group.and_then(|(n, _)| survey.fates.get_mut(n));
        let open = known.map(|known| {
            *known = (*known).max(fate);
            *known == Fate::Clean
        });
        let Some(frame) = item.frame else { return Ok(()) };
        match group.filter(|_| open == Some(true)) {
            Some((group, g)) => {
                let candidate = Candidate { idx: item.idx, group, fresh: item.idx == g.first, frame, blocks };
                self.look.send(candidate).map_err(|_| JobError::Stopped)
            }
            None => {
                give_back(&self.spare, frame);
                Ok(())
            }
        }
    }
}

fn give_back(spare: &Sender<Frame>, frame: Arc<Frame>) {
    if let Some(buffer) = Arc::into_inner(frame) {
        // The reader may have ended; then nobody wants the buffer.
        let _ = spare.send(buffer);
    }
}

fn find(mut finder: Steady, scan: &Scan, weak: f32, rx: &Receiver<(Item, Arc<Blocks>)>, tx: &Sender<Judged>) {
    for (item, blocks) in rx {
        let mut found = Vec::new();
        let (found, error) = match &item.frame {
            None => (None, None),
            Some(frame) => {
                finder.expect(Arc::clone(&blocks));
                match scan.look(&mut finder, frame, item.idx, weak, &mut found) {
                    Ok(()) => (Some(found), None),
                    Err(e) => (None, Some(crate::chain(&e))),
                }
            }
        };
        if tx.send(Judged { item, blocks, found, error }).is_err() {
            return;
        }
    }
}

fn inspect(
    mut inspector: Inspector,
    seed: u64,
    rx: &Receiver<Candidate>,
    spare: &Sender<Frame>,
) -> Inspected {
    let mut all = Inspected::default();
    // Groups to pass over next time one costs too much, and those still to be passed over.
    let (mut patience, mut pass_over, mut current) = (0, 0, None);
    for c in rx {
        if current != Some(c.group) {
            let dear = current.is_some_and(|g| all.fates.get(&g) == Some(&Fate::TooDear));
            if pass_over > 0 {
                pass_over -= 1;
                all.fates.insert(c.group, Fate::TooDear);
            } else if dear {
                inspector.lend();
            } else {
                patience = 0;
            }
            current = Some(c.group);
        }
        if !all.fates.contains_key(&c.group) {
            match inspector.look(&c.frame, &c.blocks, c.fresh) {
                Ok(Verdict::Clean) => {
                    all.digests.insert(c.idx, digest(seed, &c.frame));
                }
                Ok(Verdict::Faces(faces)) => {
                    all.finds.extend(faces.into_iter().map(|f| (c.idx, f)));
                    all.fates.insert(c.group, Fate::Found);
                }
                Ok(Verdict::TooDear) => {
                    all.fates.insert(c.group, Fate::TooDear);
                    patience = (2 * patience + 1).min(MOST_PASSED_OVER);
                    pass_over = patience;
                }
                Err(e) => {
                    all.notes.push(format!(
                        "frame {} could not be checked, so its group is encoded: {}",
                        c.idx,
                        crate::chain(&e)
                    ));
                    all.fates.insert(c.group, Fate::Unjudged);
                }
            }
        }
        give_back(spare, c.frame);
    }
    all
}

/// The seed is secret, so that no file can be made whose frames only seem to be the same.
fn digest(seed: u64, frame: &Frame) -> u128 {
    xxh3_128_with_seed(frame.bytes(), seed)
}
