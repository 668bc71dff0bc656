use std::collections::VecDeque;

use placet_core::{Detection, Rect};

use super::pairing::{Outlook, side};
use super::{TrackId, TrackSummary, TrackerConfig, Why};

/// Sightings before a forgotten frame that are kept to know the motion by.
const TAIL: usize = 8;

/// Motion is measured over as many sightings, and
const MOTION_SIGHTINGS: usize = 6;
/// over as many seconds (but over two sightings at least).
const MOTION_S: f64 = 0.3;

/// An unseen face that went straight on for ever would get this many seconds' way at most.
const DAMPING_S: f32 = 0.25;

/// Boxes are smoothed over as many sightings to each side, and
const SMOOTH_SIGHTINGS: usize = 3;
/// over as many seconds to each side.
const SMOOTH_S: f64 = 0.15;
/// A smoothed box is at most that much larger than the sighting's.
const SMOOTH_GROWTH: f32 = 1.25;

/// An unseen box grows by that share of how far it was moved without being seen.
const DOUBT_OF_WAY: f32 = 0.25;
/// A bridged box's sides move outwards by that share of its size at least.
const BRIDGE_PAD: f32 = 0.04;
/// No unseen box's sides move outwards by more than that share of its size (its way's share comes on top).
const MAX_GROWTH: f32 = 0.4;

/// One sighting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub frame: u64,
    pub time: f64,
    /// The box that motion is measured by.
    pub rect: Rect,
    /// What to hide at least: `rect` and other boxes on the same face.
    cover: Rect,
    score: f32,
    why: Why,
}

impl Seen {
    pub fn new(frame: u64, time: f64, det: &Detection, strong: bool) -> Self {
        let why = if strong { Why::Detected } else { Why::Weak };
        Self { frame, time, rect: det.rect, cover: det.rect, score: det.score, why }
    }

    pub fn weak(frame: u64, time: f64, rect: Rect, score: f32) -> Self {
        Self { frame, time, rect, cover: rect, score, why: Why::Weak }
    }

    pub fn found(frame: u64, time: f64, rect: Rect) -> Self {
        Self { frame, time, rect, cover: rect, score: 0.0, why: Why::Found }
    }
}

/// Counts for the report; they outlive the sightings.
#[derive(Clone, Debug)]
pub(super) struct Totals {
    pub detections: u64,
    pub found: u64,
    weak: u64,
    bridged: u64,
    first_seen: u64,
    last_seen: u64,
    first_frame: u64,
    last_frame: u64,
    min_height: f32,
    max_height: f32,
    best_score: f32,
}

/// A face followed over frames.
// INVARIANT: `seen` is never empty and ascends strictly by frame; all of it lies within `scene`.
#[derive(Clone, Debug)]
pub(super) struct FaceTrack {
    pub id: TrackId,
    /// Whether a new sighting may still extend it.
    pub open: bool,
    /// First and one-past-last frame of its scene.
    pub scene: (u64, u64),
    pub totals: Totals,
    seen: VecDeque<Seen>,
    /// Hidden that many frames around its sightings, without motion: a track of the check's.
    reach: Option<u64>,
    /// Motion to assume until its own is known.
    prior: (f32, f32),
}

impl FaceTrack {
    pub fn new(id: TrackId, scene: (u64, u64), seen: Seen, prior: (f32, f32)) -> Self {
        let totals = Totals {
            detections: 0,
            found: 0,
            weak: 0,
            bridged: 0,
            first_seen: seen.frame,
            last_seen: seen.frame,
            first_frame: seen.frame,
            last_frame: seen.frame,
            min_height: seen.rect.h,
            max_height: seen.rect.h,
            best_score: 0.0,
        };
        let mut track =
            Self { id, open: true, scene, totals, seen: VecDeque::from([seen]), reach: None, prior };
        track.count(&seen);
        track
    }

    pub fn found(id: TrackId, scene: (u64, u64), seen: Seen, reach: u64) -> Self {
        Self { open: false, reach: Some(reach), ..Self::new(id, scene, seen, (0.0, 0.0)) }
    }

    pub fn first(&self) -> &Seen {
        self.seen.front().expect("a track has a sighting")
    }

    pub fn last(&self) -> &Seen {
        self.seen.back().expect("a track has a sighting")
    }

    pub fn push(&mut self, seen: Seen) {
        self.totals.bridged += seen.frame - self.last().frame - 1;
        self.seen.push_back(seen);
        self.count(&seen);
    }

    pub fn push_front(&mut self, seen: Seen) {
        self.totals.bridged += self.first().frame - seen.frame - 1;
        self.seen.push_front(seen);
        self.count(&seen);
    }

    /// A sighting in a frame so far bridged.
    pub fn insert(&mut self, seen: Seen) {
        let at = self.seen.partition_point(|s| s.frame < seen.frame);
        self.totals.bridged -= 1;
        self.seen.insert(at, seen);
        self.count(&seen);
    }

    /// A second box on the face in the newest frame.
    pub fn widen_last(&mut self, rect: &Rect) {
        if let Some(last) = self.seen.back_mut() {
            last.cover = last.cover.union(rect);
        }
    }

    fn count(&mut self, seen: &Seen) {
        let t = &mut self.totals;
        match seen.why {
            Why::Detected => t.detections += 1,
            Why::Found => t.found += 1,
            Why::Weak | Why::Bridged | Why::Before | Why::After => t.weak += 1,
        }
        t.first_seen = t.first_seen.min(seen.frame);
        t.last_seen = t.last_seen.max(seen.frame);
        t.min_height = t.min_height.min(seen.rect.h);
        t.max_height = t.max_height.max(seen.rect.h);
        t.best_score = t.best_score.max(seen.score);
        self.note(seen.frame);
    }

    /// Notes that a frame is hidden.
    pub fn note(&mut self, hidden: u64) {
        self.totals.first_frame = self.totals.first_frame.min(hidden);
        self.totals.last_frame = self.totals.last_frame.max(hidden);
    }

    /// What to hide in frame `frame`, and why.
    pub fn at(&self, frame: u64, time: f64, config: &TrackerConfig) -> Option<(Rect, Why)> {
        if !(self.scene.0..self.scene.1).contains(&frame) {
            return None;
        }
        let next = self.seen.partition_point(|s| s.frame < frame);
        match (next.checked_sub(1).and_then(|i| self.seen.get(i)), self.seen.get(next)) {
            (_, Some(now)) if now.frame == frame => Some((self.smoothed(next), now.why)),
            (Some(_), Some(_)) => Some((self.bridged(next, time, config), Why::Bridged)),
            (None, Some(first)) => self.beyond(first, frame, time, Why::Before, config),
            (Some(last), None) => self.beyond(last, frame, time, Why::After, config),
            (None, None) => None,
        }
    }

    /// A sighting's box, joined with the mean place and the largest size of its neighbours in time.
    fn smoothed(&self, idx: usize) -> Rect {
        let Some(own) = self.seen.get(idx) else { return self.last().cover };
        let near = |s: &&Seen| (s.time - own.time).abs() <= SMOOTH_S;
        let ((mut x, mut y), mut n) = (own.rect.center(), 1.0);
        let (mut w, mut h) = (own.rect.w, own.rect.h);
        for step in 1..=SMOOTH_SIGHTINGS {
            let before = idx.checked_sub(step).and_then(|i| self.seen.get(i)).filter(near);
            let after = self.seen.get(idx + step).filter(near);
            for s in before.into_iter().chain(after) {
                w = w.max(s.rect.w.min(own.rect.w * SMOOTH_GROWTH));
                h = h.max(s.rect.h.min(own.rect.h * SMOOTH_GROWTH));
            }
            // Both or none: one alone would pull the box to its side.
            if let (Some(b), Some(a)) = (before, after) {
                let ((bx, by), (ax, ay)) = (b.rect.center(), a.rect.center());
                (x, y, n) = (x + bx + ax, y + by + ay, n + 2.0);
            }
        }
        own.cover.union(&Rect { x: x / n - w / 2.0, y: y / n - h / 2.0, w, h })
    }

    /// Between sightings `next - 1` and `next`.
    fn bridged(&self, next: usize, time: f64, config: &TrackerConfig) -> Rect {
        let (Some(from), Some(to)) = (self.seen.get(next - 1), self.seen.get(next)) else {
            return config.frame.rect();
        };
        let span = (to.time - from.time).max(1e-6);
        let share = ((time - from.time) / span).clamp(0.0, 1.0);
        let rect = self.smoothed(next - 1).lerp(&self.smoothed(next), share as f32);
        let away = (time - from.time).min(to.time - time).max(0.0) as f32;
        let pad = (BRIDGE_PAD + config.growth_per_s * away).min(MAX_GROWTH);
        grown(rect, pad * rect.w, pad * rect.h)
    }

    /// Before the first or after the last sighting.
    fn beyond(
        &self,
        end: &Seen,
        frame: u64,
        time: f64,
        why: Why,
        config: &TrackerConfig,
    ) -> Option<(Rect, Why)> {
        if !self.reaches(end, frame, time, config) {
            return None;
        }
        if self.reach.is_some() {
            return Some((end.cover, Why::Found));
        }
        let away = (time - end.time).abs();
        let (vx, vy) = self.motion(why, config);
        let (vx, vy) = if why == Why::Before { (-vx, -vy) } else { (vx, vy) };
        let dt = away as f32;
        let rect = self.smoothed(if why == Why::Before { 0 } else { self.seen.len() - 1 });
        let (rect, way) = if leaves(&rect, (vx, vy), config) {
            // At the picture's edge and on its way out: straight on, until it is out.
            let out = moved(rect, vx * dt, vy * dt);
            out.pixels(config.frame)?;
            (to_edge(out, (vx, vy), config), (vx * dt, vy * dt))
        } else {
            let t = dt / (1.0 + dt / DAMPING_S);
            (moved(rect, vx * t, vy * t), (vx * t, vy * t))
        };
        let pad = (config.growth_per_s * dt).min(MAX_GROWTH);
        let doubt = |size: f32, way: f32| pad * size + DOUBT_OF_WAY * way.abs();
        Some((grown(rect, doubt(rect.w, way.0), doubt(rect.h, way.1)), why))
    }

    /// Whether a frame lies within the margin around its first or last sighting.
    fn reaches(&self, end: &Seen, frame: u64, time: f64, config: &TrackerConfig) -> bool {
        let frames = end.frame.abs_diff(frame);
        match self.reach {
            Some(reach) => frames <= reach,
            None => frames <= u64::from(config.revisit) || (time - end.time).abs() <= self.margin(config),
        }
    }

    fn margin(&self, config: &TrackerConfig) -> f64 {
        let brief = self.totals.detections + self.totals.weak < 3;
        if brief { config.margin_s * config.brief_share } else { config.margin_s }
    }

    /// Motion at the track's start ([`Why::Before`]) or end, in pixels a second forward in time: least squares over the
    /// nearest sightings.
    fn motion(&self, end: Why, config: &TrackerConfig) -> (f32, f32) {
        let front = end == Why::Before;
        let pick = |i: usize| {
            if front { self.seen.get(i) } else { self.seen.get(self.seen.len().checked_sub(i + 1)?) }
        };
        let origin = if front { self.first().time } else { self.last().time };
        let used = |i: &usize| *i < 2 || pick(*i).is_some_and(|s| (s.time - origin).abs() <= MOTION_S);
        let (mut n, mut st, mut stt) = (0.0f32, 0.0f32, 0.0f32);
        let (mut sx, mut sy, mut stx, mut sty) = (0.0f32, 0.0f32, 0.0f32, 0.0f32);
        for s in (0..MOTION_SIGHTINGS).filter(used).map_while(pick) {
            let t = (s.time - origin) as f32;
            let (x, y) = s.rect.center();
            (n, st, stt) = (n + 1.0, st + t, stt + t * t);
            (sx, sy, stx, sty) = (sx + x, sy + y, stx + t * x, sty + t * y);
        }
        let det = n * stt - st * st;
        if n < 2.0 || det < 1e-9 {
            return self.prior;
        }
        let (vx, vy) = ((n * stx - st * sx) / det, (n * sty - st * sy) / det);
        let most = 1.5 * top_speed(side(&self.last().rect), config);
        (vx.clamp(-most, most), vy.clamp(-most, most))
    }

    /// Where the face is expected at `time`, which may lie before the first sighting.
    pub fn outlook(&self, idx: usize, time: f64, config: &TrackerConfig) -> Outlook {
        let back = time < self.first().time;
        let end = if back { self.first() } else { self.last() };
        let dt = (time - end.time) as f32;
        let (vx, vy) = self.motion(if back { Why::Before } else { Why::After }, config);
        let damped = dt / (1.0 + dt.abs() / DAMPING_S);
        let size = side(&end.rect);
        // A face whose motion is known is looked for nearer; after a while nearness is all there is to go by.
        let doubt = if self.seen.len() > 1 { 0.4 } else { 1.0 };
        let reach = 0.5 * size + doubt * top_speed(size, config) * dt.abs().min(0.12);
        Outlook {
            track: idx,
            straight: moved(end.rect, vx * dt, vy * dt),
            damped: moved(end.rect, vx * damped, vy * damped),
            reach,
            age: (f64::from(dt.abs()) / config.max_gap_s.max(1e-3)) as f32,
            fresh: dt.abs() < 0.25,
        }
    }

    /// Whether nothing from frame `frame_idx` on is hidden for this track, given that it is closed.
    pub fn is_past(&self, frame_idx: u64, time: f64, config: &TrackerConfig) -> bool {
        let frames = self.reach.unwrap_or(u64::from(config.revisit));
        let margin = if self.reach.is_some() { 0.0 } else { self.margin(config) };
        frame_idx >= self.scene.1
            || (self.last().frame + frames < frame_idx && time - self.last().time > margin)
    }

    /// Drops sightings no held frame needs.
    pub fn forget_before(&mut self, frame_idx: u64) {
        while self.seen.get(TAIL).is_some_and(|s| s.frame < frame_idx) {
            self.seen.pop_front();
        }
    }

    /// Notes which held frames before the first and after the last sighting are hidden.
    pub fn note_margins(&mut self, base: u64, times: &VecDeque<f64>, config: &TrackerConfig) {
        let (first, last) = (self.totals.first_seen, self.totals.last_seen);
        let head = base + times.len() as u64;
        let time = |frame: u64| times.get(frame.checked_sub(base)? as usize).copied();
        let near =
            |end: &'_ Seen, frame: u64| time(frame).is_some_and(|t| self.reaches(end, frame, t, config));
        // A box that has left the picture may come back within the margin.
        let hidden = |frame: &u64| time(*frame).is_some_and(|t| self.at(*frame, t, config).is_some());
        let lead = (base..first.max(base)).rev().take_while(|f| near(self.first(), *f)).filter(hidden).last();
        let tail = (last + 1..head).take_while(|f| near(self.last(), *f)).filter(hidden).last();
        for frame in lead.into_iter().chain(tail) {
            self.note(frame);
        }
    }

    pub fn summary(&self) -> TrackSummary {
        let t = &self.totals;
        TrackSummary {
            id: self.id,
            first_frame: t.first_frame,
            last_frame: t.last_frame,
            first_seen: t.first_seen,
            last_seen: t.last_seen,
            detections: t.detections,
            weak: t.weak,
            bridged: t.bridged,
            found: t.found,
            min_height: t.min_height,
            max_height: t.max_height,
            best_score: t.best_score,
        }
    }
}

/// The fastest a face of that size is believed to cross the picture, in pixels a second.
fn top_speed(size: f32, config: &TrackerConfig) -> f32 {
    0.25 * config.frame.width.max(config.frame.height) as f32 + 4.0 * size
}

fn moved(rect: Rect, dx: f32, dy: f32) -> Rect {
    Rect { x: rect.x + dx, y: rect.y + dy, ..rect }
}

fn grown(rect: Rect, dx: f32, dy: f32) -> Rect {
    Rect { x: rect.x - dx, y: rect.y - dy, w: rect.w + 2.0 * dx, h: rect.h + 2.0 * dy }
}

/// Whether a box at an edge of the picture moves out over it, at a third of its size a second or more.
fn leaves(rect: &Rect, (vx, vy): (f32, f32), config: &TrackerConfig) -> bool {
    let edges = outward(rect, (vx, vy), config);
    edges.iter().any(|out| *out)
}

/// Left, right, upper, lower: the box touches that edge and moves outwards.
fn outward(rect: &Rect, (vx, vy): (f32, f32), config: &TrackerConfig) -> [bool; 4] {
    let (slack_x, slack_y) = (rect.w * 0.05, rect.h * 0.05);
    let (slow_x, slow_y) = (rect.w / 3.0, rect.h / 3.0);
    let (right, bottom) = (config.frame.width as f32, config.frame.height as f32);
    [
        rect.x <= slack_x && vx < -slow_x,
        rect.right() >= right - slack_x && vx > slow_x,
        rect.y <= slack_y && vy < -slow_y,
        rect.bottom() >= bottom - slack_y && vy > slow_y,
    ]
}

/// Widens a box to the edges it leaves over.
fn to_edge(rect: Rect, velocity: (f32, f32), config: &TrackerConfig) -> Rect {
    let [left, right, top, bottom] = outward(&rect, velocity, config);
    let edge = config.frame.rect();
    let x0 = if left { rect.x.min(0.0) } else { rect.x };
    let y0 = if top { rect.y.min(0.0) } else { rect.y };
    let x1 = if right { rect.right().max(edge.w) } else { rect.right() };
    let y1 = if bottom { rect.bottom().max(edge.h) } else { rect.bottom() };
    Rect { x: x0, y: y0, w: x1 - x0, h: y1 - y0 }
}
