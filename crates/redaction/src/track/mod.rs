//! Faces followed over frames, so that a face is hidden for the whole of its stay and not only where it was found.

mod face_track;
mod keep;
mod pairing;
mod summary;

use std::collections::VecDeque;

use placet_core::{Detection, Rect, Size};

use face_track::{FaceTrack, Seen};
pub use keep::KeepTrack;
use pairing::{Outlook, Pairing};
pub use summary::TrackSummary;

/// One face's track within one input. Counts from 1 in order of discovery, so that one input and one detector give the
/// same numbers in every run; what only the check found counts from [`FOUND`], since the check answers when it can. A
/// number says nothing about who it is, and a person who comes back is a new track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub u64);

/// The first number of a track that only the check found.
pub const FOUND: u64 = 1_000_001;

/// Why a box is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// A detection that could start a track.
    Detected,
    /// A detection too weak to start one, where a track leads one to expect it.
    Weak,
    /// Between two sightings.
    Bridged,
    /// Before the first sighting.
    Before,
    /// After the last sighting.
    After,
    /// Named by the check of the output.
    Found,
}

/// A face box to hide in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackBox {
    /// Whose.
    pub track: TrackId,
    /// The face box, in luma pixels of the stored frame; [`crate::plan::mask_region`] makes a region of it.
    pub rect: Rect,
    /// Why.
    pub why: Why,
}

/// How faces are followed. [`TrackerConfig::new`] gives the defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackerConfig {
    /// Size of the frames, for faces that leave at an edge.
    pub frame: Size,
    /// A detection of this score or above starts a track. Default 0.5.
    pub score: f32,
    /// A detection of this score or above extends one. Default 0.25.
    pub weak_score: f32,
    /// Hidden before the first and after the last sighting, in seconds. Default 0.5.
    pub margin_s: f64,
    /// Share of the margin for a face seen fewer than three times. Default 0.4.
    pub brief_share: f64,
    /// A face unseen for longer is a new track, in seconds. Default 1.5.
    pub max_gap_s: f64,
    /// Each side of an unseen face's box moves outwards by this share of its size each second. Default 0.5.
    pub growth_per_s: f32,
    /// A small face may be looked for in every so many-th frame only. Default 1.
    pub revisit: u32,
}

impl TrackerConfig {
    /// Defaults for frames of that size.
    pub fn new(frame: Size) -> Self {
        Self {
            frame,
            score: 0.5,
            weak_score: 0.25,
            margin_s: 0.5,
            brief_share: 0.4,
            max_gap_s: 1.5,
            growth_per_s: 0.5,
            revisit: 1,
        }
    }
}

/// What a detector saw in one frame.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// Media time of the frame in seconds, not before the previous frame's.
    pub time_s: f64,
    /// Whether a new scene begins with this frame.
    pub cut: bool,
    /// All detections of [`TrackerConfig::weak_score`] or above; weaker ones are ignored.
    pub detections: &'a [Detection],
}

/// The tracker does not know that frame: not pushed yet, or forgotten. Whoever asked must hide all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "frame {frame_idx} is unknown to the tracker, which holds frames {from} to {to} (exclusive); cover it whole"
)]
pub struct UnknownFrame {
    /// The frame asked for.
    pub frame_idx: u64,
    /// First frame held.
    pub from: u64,
    /// One past the last frame held.
    pub to: u64,
}

/// Unmatched weak detections are kept this long for a track that may yet explain them.
const LOOSE_S: f64 = 3.0;

/// A weak detection no track explains so far.
struct Loose {
    frame: u64,
    rect: Rect,
    score: f32,
    taken: bool,
}

/// A face the check of the output named.
struct Found {
    track: TrackId,
    frame: u64,
    rect: Rect,
    reach: u64,
}

/// Follows faces over the frames of one video or camera.
///
/// [`push`](Self::push) every frame in order; ask [`regions`](Self::regions) for frames some way behind, as far as the
/// caller can wait: a later sighting moves boxes of earlier frames and adds some. Then
/// [`forget_before`](Self::forget_before).
///
/// ```
/// use placet_core::{Detection, Rect, Size};
/// use placet_redaction::{Sighting, Tracker, TrackerConfig, Why};
///
/// let mut tracker = Tracker::new(TrackerConfig::new(Size { width: 640, height: 360 }));
/// let face = Detection { rect: Rect { x: 50.0, y: 40.0, w: 30.0, h: 40.0 }, score: 0.9, landmarks: None };
/// for frame in 0..40u32 {
///     let seen = frame == 10 || frame == 20; // missed on all other frames
///     let detections = if seen { &[face][..] } else { &[] };
///     tracker.push(Sighting { time_s: f64::from(frame) / 25.0, cut: false, detections });
/// }
/// let mut boxes = Vec::new();
/// tracker.regions(15, &mut boxes)?;
/// assert_eq!(boxes[0].why, Why::Bridged);
/// # Ok::<(), placet_redaction::UnknownFrame>(())
/// ```
pub struct Tracker {
    config: TrackerConfig,
    /// Index of `times[0]`.
    base: u64,
    times: VecDeque<f64>,
    /// First frames of the scenes the held frames belong to.
    cuts: VecDeque<u64>,
    tracks: Vec<FaceTrack>,
    finished: Vec<TrackSummary>,
    loose: VecDeque<Loose>,
    found: Vec<Found>,
    next_id: u64,
    next_found: u64,
    /// Motion shared by the faces of late, as of a turning camera, in pixels a second.
    drift: (f32, f32),
    pairing: Pairing,
    outlooks: Vec<Outlook>,
    strong: Vec<Detection>,
    weak: Vec<Detection>,
}

impl Tracker {
    /// One that has seen nothing.
    pub fn new(config: TrackerConfig) -> Self {
        Self {
            config,
            base: 0,
            times: VecDeque::new(),
            cuts: VecDeque::new(),
            tracks: Vec::new(),
            finished: Vec::new(),
            loose: VecDeque::new(),
            found: Vec::new(),
            next_id: 1,
            next_found: FOUND,
            drift: (0.0, 0.0),
            pairing: Pairing::default(),
            outlooks: Vec::new(),
            strong: Vec::new(),
            weak: Vec::new(),
        }
    }

    /// From now on follows and hides faces by `config`, those it follows already too. Its frame size must stay what it was.
    pub fn set_config(&mut self, config: TrackerConfig) {
        self.config = TrackerConfig { frame: self.config.frame, ..config };
    }

    /// Takes the next frame, counted from 0.
    ///
    /// A box that is not finite counts as the whole frame; a time that is not, or that runs backwards, as the previous
    /// one's.
    pub fn push(&mut self, sighting: Sighting<'_>) {
        let frame = self.head();
        let last = self.times.back().copied().unwrap_or(f64::NEG_INFINITY);
        let time = if sighting.time_s >= last { sighting.time_s } else { last.max(0.0) };
        self.times.push_back(time);
        if sighting.cut {
            self.cut(frame);
        }
        for track in &mut self.tracks {
            track.open &= time - track.last().time <= self.config.max_gap_s;
        }
        self.sort_by_strength(sighting.detections);

        self.look_out(time);
        self.pairing.strong(&mut self.outlooks, &self.strong, self.config.frame);
        self.learn_drift(time);
        self.extend_paired(frame, time, true);
        self.pairing.weak(&self.outlooks, &self.weak);
        self.extend_paired(frame, time, false);

        self.start_tracks(frame, time);
        self.keep_loose(frame, time);
    }

    /// Appends the boxes to hide in frame `frame_idx` to `out`, in order of track.
    ///
    /// # Errors
    /// The frame was not pushed yet or is forgotten; the caller must cover it whole.
    pub fn regions(&self, frame_idx: u64, out: &mut Vec<TrackBox>) -> Result<(), UnknownFrame> {
        let time = self.time_of(frame_idx)?;
        let shown = |rect: &Rect| rect.pixels(self.config.frame).is_some();
        for track in &self.tracks {
            if let Some((rect, why)) = track.at(frame_idx, time, &self.config).filter(|(rect, _)| shown(rect))
            {
                out.push(TrackBox { track: track.id, rect, why });
            }
        }
        let (start, end) = self.scene_of(frame_idx);
        for found in &self.found {
            let near = frame_idx.abs_diff(found.frame) <= found.reach;
            if near && (start..end).contains(&found.frame) {
                let rect = self.carried(found, frame_idx, time);
                out.push(TrackBox { track: found.track, rect, why: Why::Found });
            }
        }
        Ok(())
    }

    /// Hides `rect` from `reach_frames` before to `reach_frames` after frame `frame_idx`, within its scene, since the
    /// check found a face there. Where a track is near, the box belongs to it and moves along; otherwise it is a track
    /// of its own.
    ///
    /// # Errors
    /// The frame was not pushed yet or is forgotten.
    pub fn insert_found(
        &mut self,
        frame_idx: u64,
        rect: Rect,
        reach_frames: u32,
    ) -> Result<TrackId, UnknownFrame> {
        let time = self.time_of(frame_idx)?;
        let rect = self.finite(rect);
        let reach = u64::from(reach_frames);
        let (start, end) = self.scene_of(frame_idx);
        let hidden =
            frame_idx.saturating_sub(reach).max(start)..(frame_idx + reach + 1).min(end).min(self.head());
        let near = |t: &&mut FaceTrack| {
            t.at(frame_idx, time, &self.config).is_some_and(|(r, _)| r.overlap(&rect) > 0.0)
        };
        let id = match self.tracks.iter_mut().find(near) {
            Some(track) => {
                track.totals.found += 1;
                track.note(hidden.start);
                track.note(hidden.end - 1);
                track.id
            }
            None => self.start_found(frame_idx, rect, reach),
        };
        self.found.push(Found { track: id, frame: frame_idx, rect, reach });
        Ok(id)
    }

    /// Frees what only frames before `frame_idx` need. Their regions can no longer be asked for.
    pub fn forget_before(&mut self, frame_idx: u64) {
        let frame_idx = frame_idx.min(self.head());
        for track in &mut self.tracks {
            track.note_margins(self.base, &self.times, &self.config);
        }
        let Self { tracks, finished, found, config, times, base, .. } = self;
        let time_now = times.get((frame_idx - *base) as usize).or(times.back()).copied().unwrap_or(0.0);
        tracks.retain_mut(|track| {
            let gone = !track.open && track.is_past(frame_idx, time_now, config);
            if gone {
                finished.push(track.summary());
            } else {
                track.forget_before(frame_idx);
            }
            !gone
        });
        found.retain(|f| f.frame + f.reach >= frame_idx);
        times.drain(..(frame_idx - *base) as usize);
        *base = frame_idx;
        while self.cuts.get(1).is_some_and(|next| *next <= frame_idx) {
            self.cuts.pop_front();
        }
        while self.loose.front().is_some_and(|l| l.frame < frame_idx) {
            self.loose.pop_front();
        }
    }

    /// Tracks that ended and whose frames are forgotten, each told once.
    pub fn take_finished(&mut self) -> Vec<TrackSummary> {
        std::mem::take(&mut self.finished)
    }

    /// All tracks known: those finished and not taken, and those still held, in order of their ids.
    pub fn summaries(&self) -> Vec<TrackSummary> {
        let held = self.tracks.iter().map(|track| {
            let mut track = track.clone();
            track.note_margins(self.base, &self.times, &self.config);
            track.summary()
        });
        let mut all: Vec<_> = self.finished.iter().cloned().chain(held).collect();
        all.sort_by_key(|s| s.id);
        all
    }
}

impl Tracker {
    /// One past the last frame pushed.
    fn head(&self) -> u64 {
        self.base + self.times.len() as u64
    }

    fn time_of(&self, frame_idx: u64) -> Result<f64, UnknownFrame> {
        let unknown = UnknownFrame { frame_idx, from: self.base, to: self.head() };
        let held = frame_idx.checked_sub(self.base).ok_or(unknown)?;
        self.times.get(held as usize).copied().ok_or(unknown)
    }

    /// First and one-past-last frame of a frame's scene, as far as known.
    fn scene_of(&self, frame_idx: u64) -> (u64, u64) {
        let start = self.cuts.iter().rev().find(|cut| **cut <= frame_idx).copied().unwrap_or(0);
        let end = self.cuts.iter().find(|cut| **cut > frame_idx).copied().unwrap_or(u64::MAX);
        (start, end)
    }

    fn cut(&mut self, frame: u64) {
        for track in self.tracks.iter_mut().filter(|t| t.scene.1 == u64::MAX) {
            track.open = false;
            track.scene.1 = frame;
        }
        self.loose.clear();
        self.cuts.push_back(frame);
        self.drift = (0.0, 0.0);
    }

    fn finite(&self, rect: Rect) -> Rect {
        let all = [rect.x, rect.y, rect.w, rect.h, rect.right(), rect.bottom()];
        if all.iter().all(|v| v.is_finite()) { rect } else { self.config.frame.rect() }
    }

    fn sort_by_strength(&mut self, detections: &[Detection]) {
        self.strong.clear();
        self.weak.clear();
        for d in detections {
            let d = Detection { rect: self.finite(d.rect), ..*d };
            if d.score >= self.config.score {
                self.strong.push(d);
            } else if d.score >= self.config.weak_score {
                self.weak.push(d);
            }
        }
    }

    /// Where each open track is expected now.
    fn look_out(&mut self, time: f64) {
        self.outlooks.clear();
        for (idx, track) in self.tracks.iter().enumerate().filter(|(_, t)| t.open) {
            self.outlooks.push(track.outlook(idx, time, &self.config));
        }
    }

    /// Median motion of the faces matched by strong detections, if there are enough to speak of one.
    fn learn_drift(&mut self, time: f64) {
        let Self { pairing, tracks, strong, drift, .. } = self;
        let speed = |(track, det): &(usize, usize)| {
            let (from, to) = (tracks.get(*track)?.last(), strong.get(*det)?.rect.center());
            let dt = (time - from.time) as f32;
            let (x, y) = from.rect.center();
            (dt > 0.0 && dt < 0.25).then(|| ((to.0 - x) / dt, (to.1 - y) / dt))
        };
        *drift = pairing.median(speed).unwrap_or((drift.0 * 0.8, drift.1 * 0.8));
    }

    fn extend_paired(&mut self, frame: u64, time: f64, strong: bool) {
        let detections = if strong { &self.strong } else { &self.weak };
        for (track, det) in self.pairing.pairs() {
            let (Some(track), Some(det)) = (self.tracks.get_mut(*track), detections.get(*det)) else {
                continue;
            };
            let from = track.last().frame;
            track.push(Seen::new(frame, time, det, strong));
            if frame - from > 1 {
                relink(track, from, &mut self.loose, &self.times, self.base, &self.config);
            }
        }
    }

    /// Strong detections that no track claimed: a second box on a face just seen widens that one, any other starts a
    /// track, which then looks back for weak sightings.
    fn start_tracks(&mut self, frame: u64, time: f64) {
        let scene = self.scene_of(frame);
        for idx in 0..self.strong.len() {
            if self.pairing.strong_is_taken(idx) {
                continue;
            }
            let Some(det) = self.strong.get(idx).copied() else { continue };
            let same = |t: &&mut FaceTrack| t.last().frame == frame && same_face(&t.last().rect, &det.rect);
            if let Some(track) = self.tracks.iter_mut().find(same) {
                track.widen_last(&det.rect);
                continue;
            }
            let id = TrackId(self.next_id);
            self.next_id += 1;
            let mut track = FaceTrack::new(id, scene, Seen::new(frame, time, &det, true), self.drift);
            look_back(&mut track, &mut self.loose, &self.times, self.base, &self.config);
            self.tracks.push(track);
        }
        // With a second and third sighting the motion is known better: look back once more.
        for track in
            self.tracks.iter_mut().filter(|t| t.open && t.last().frame == frame && t.totals.detections == 3)
        {
            look_back(track, &mut self.loose, &self.times, self.base, &self.config);
        }
    }

    fn keep_loose(&mut self, frame: u64, time: f64) {
        while self.loose.front().is_some_and(|l| {
            let age = l.frame.checked_sub(self.base).and_then(|held| self.times.get(held as usize));
            age.is_none_or(|t| time - t > LOOSE_S)
        }) {
            self.loose.pop_front();
        }
        for (idx, det) in self.weak.iter().enumerate() {
            let known = |t: &FaceTrack| t.last().frame == frame && same_face(&t.last().rect, &det.rect);
            if !self.pairing.weak_is_taken(idx) && !self.tracks.iter().any(known) {
                self.loose.push_back(Loose { frame, rect: det.rect, score: det.score, taken: false });
            }
        }
    }

    fn start_found(&mut self, frame_idx: u64, rect: Rect, reach: u64) -> TrackId {
        let id = TrackId(self.next_found);
        self.next_found += 1;
        let time = self.time_of(frame_idx).unwrap_or_default();
        let track = FaceTrack::found(id, self.scene_of(frame_idx), Seen::found(frame_idx, time, rect), reach);
        self.tracks.push(track);
        id
    }

    /// A found box, moved as its track moved meanwhile.
    fn carried(&self, found: &Found, frame_idx: u64, time: f64) -> Rect {
        let track = self.tracks.iter().find(|t| t.id == found.track);
        let then = self.time_of(found.frame).ok();
        let moved = track.zip(then).and_then(|(track, then)| {
            let (from, _) = track.at(found.frame, then, &self.config)?;
            let (to, _) = track.at(frame_idx, time, &self.config)?;
            let ((x0, y0), (x1, y1)) = (from.center(), to.center());
            Some(Rect { x: found.rect.x + x1 - x0, y: found.rect.y + y1 - y0, ..found.rect })
        });
        moved.unwrap_or(found.rect)
    }
}

/// Whether two boxes of one frame are boxes of one face: most of the smaller lies in the larger, at about its size.
fn same_face(a: &Rect, b: &Rect) -> bool {
    let (small, large) = (a.area().min(b.area()), a.area().max(b.area()));
    a.overlap(b) > 0.7 * small && small > 0.4 * large
}

/// Time of a held frame.
fn held_time(times: &VecDeque<f64>, base: u64, frame: u64) -> Option<f64> {
    times.get(frame.checked_sub(base)? as usize).copied()
}

/// Extends a track into the past by weak sightings, frame by frame, as long as they come.
fn look_back(
    track: &mut FaceTrack,
    loose: &mut VecDeque<Loose>,
    times: &VecDeque<f64>,
    base: u64,
    config: &TrackerConfig,
) {
    let patience = u64::from(config.revisit.max(2)) * 2;
    let Some(mut frame) = track.first().frame.checked_sub(1) else { return };
    while frame >= track.scene.0 && track.first().frame - frame <= patience {
        let Some(time) = held_time(times, base, frame) else { return };
        let outlook = track.outlook(0, time, config);
        if let Some(weak) = best_loose(loose, frame, |rect| outlook.cost(rect)) {
            track.push_front(Seen::weak(frame, time, weak.rect, weak.score));
        }
        let Some(before) = frame.checked_sub(1) else { return };
        frame = before;
    }
}

/// Fills the gap before a track's newest sighting with weak ones near the straight way through it.
fn relink(
    track: &mut FaceTrack,
    from: u64,
    loose: &mut VecDeque<Loose>,
    times: &VecDeque<f64>,
    base: u64,
    config: &TrackerConfig,
) {
    let to = track.last().frame;
    for frame in from + 1..to {
        let Some(time) = held_time(times, base, frame) else { continue };
        let Some((expected, _)) = track.at(frame, time, config) else { continue };
        let cost = |rect: &Rect| same_face(&expected, rect).then(|| -expected.iou(rect));
        if let Some(weak) = best_loose(loose, frame, cost) {
            track.insert(Seen::weak(frame, time, weak.rect, weak.score));
        }
    }
}

/// Takes the loose detection of `frame` that costs least.
fn best_loose(
    loose: &mut VecDeque<Loose>,
    frame: u64,
    cost: impl Fn(&Rect) -> Option<f32>,
) -> Option<&Loose> {
    let (start, end) =
        (loose.partition_point(|l| l.frame < frame), loose.partition_point(|l| l.frame <= frame));
    let free = loose.range_mut(start..end).filter(|l| !l.taken);
    let (_, best) = free.filter_map(|l| Some((cost(&l.rect)?, l))).min_by(|a, b| a.0.total_cmp(&b.0))?;
    best.taken = true;
    Some(best)
}
