use std::collections::VecDeque;

use placet_core::{Detection, Pts, Size, TimeBase};
use placet_redaction::{Sighting, TrackBox, Tracker, TrackerConfig};

use crate::damage::Damage;
use crate::level::Ladder;
use crate::{Effort, Level};

/// How a line works. [`Settings::new`] gives the defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Columns and rows of the frames.
    pub size: Size,
    /// A frame waits until frames this much later were looked at, in ticks. Default 150 ms.
    pub look_ahead: i64,
    /// A frame leaves so long after it came at the latest, covered if need be, in ticks. Default 1 s.
    pub deadline: i64,
    /// A face is hidden this long after it was last seen, in seconds. Default 1.5.
    pub hold_s: f64,
    /// After how many frames every part of the picture was looked at closely: at each effort. Default 4 and 1.
    pub period: (u32, u32),
    /// Score from which a detection starts a track, and from which it extends one. Default 0.5, 0.25.
    pub scores: (f32, f32),
    /// The closest look this line takes. Default [`Level::Close`].
    pub least: Level,
}

impl Settings {
    /// Defaults for frames of that size.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            look_ahead: 13_500,
            deadline: 90_000,
            hold_s: 1.5,
            period: (4, 1),
            scores: (0.5, 0.25),
            least: Level::Close,
        }
    }
}

/// A frame that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its number.
    pub id: u64,
    /// How closely the detector is to look at it; none: not at all.
    pub look: Option<Effort>,
}

/// Why a frame leaves covered whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It, or what it depends on, came damaged.
    Damaged,
    /// The detector failed.
    Unjudged,
    /// The detector did not answer in time.
    Late,
    /// There is too much to do.
    Overload,
}

/// What is done with a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// These boxes are hidden.
    Hide(Vec<TrackBox>),
    /// All of it is.
    Cover(Reason),
    /// It does not leave.
    Drop,
}

/// A frame whose time has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaving {
    /// Its number.
    pub id: u64,
    /// Its time.
    pub pts: Pts,
    /// What is done with it.
    pub how: How,
    /// Whether all of the picture was looked at closely of late. Where not, no more of it may be shown than a quick look
    /// sees: what is too small for that is judged by nobody.
    pub fine: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    /// The detector was asked.
    Asked,
    Judged(Vec<Detection>),
    /// It stands between frames that are looked at.
    Between,
    Covered(Reason),
    Dropped,
}

struct Slot {
    id: u64,
    pts: Pts,
    arrived: Pts,
    state: State,
    fine: bool,
}

/// The line of one camera's frames, all of one size. A camera that comes back, or changes its picture, begins a new one.
pub struct Line {
    settings: Settings,
    damage: Damage,
    ladder: Ladder,
    tracker: Tracker,
    slots: VecDeque<Slot>,
    /// Number of the next frame.
    next: u64,
    /// Number of the first frame the tracker does not know.
    pushed: u64,
    /// Time of the last frame the tracker knows; and of the last that was looked at.
    through: Pts,
    looked: Pts,
    /// Frames since the last one that was looked at.
    since_look: u64,
    /// Frames in a row that the detector was asked to look at closely.
    close: u32,
    thin: bool,
    last: Option<Pts>,
}

impl Line {
    /// A line that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        let never = Pts(i64::MIN / 2);
        Self {
            settings,
            damage: Damage::default(),
            ladder: Ladder::new(settings.least),
            tracker: Tracker::new(tracking(&settings, settings.least)),
            slots: VecDeque::new(),
            next: 0,
            pushed: 0,
            through: never,
            looked: never,
            since_look: u64::MAX / 2,
            close: 0,
            thin: false,
            last: None,
        }
    }

    /// A new line for frames of which only now the size is known: what went into the decoder is remembered.
    #[must_use]
    pub fn with(self, settings: Settings) -> Self {
        Self { damage: self.damage, ..Self::new(settings) }
    }

    /// How much the line still does.
    pub fn level(&self) -> Level {
        self.ladder.level()
    }

    /// Frames that have come and not left.
    pub fn waiting(&self) -> usize {
        self.slots.len()
    }

    /// Packets of the camera were lost on the way here: what comes next depends on what is missing.
    pub fn lost(&mut self) {
        self.damage.lost();
    }

    /// How long the decoder has been holding a picture, in ticks. Where it is long, more would only wait: drop what comes
    /// up to the next that decodes alone, and say [`Self::lost`].
    pub fn behind(&self, now: Pts) -> i64 {
        self.damage.behind(now)
    }

    /// A coded picture went into the decoder; `key` where it decodes alone.
    pub fn fed(&mut self, pts: Pts, key: bool, now: Pts) {
        self.damage.fed(pts, key, now);
    }

    /// A frame came out of it. None where its time is not after the last one's: it is then to be thrown away.
    pub fn arrived(&mut self, pts: Pts, now: Pts) -> Option<Asked> {
        let origin = self.damage.came(pts, now);
        if self.last.is_some_and(|last| pts <= last) {
            return None;
        }
        self.last = Some(pts);
        let changed = self.ladder.rested(now);
        let changed = self.ladder.took(origin.held, now, self.settings.least) || changed;
        self.adapt(changed);
        let level = self.level();
        self.thin = level == Level::Thinned && !self.thin;
        let (state, look) = match level.stride() {
            _ if origin.damaged => (State::Covered(Reason::Damaged), None),
            None => (State::Covered(Reason::Overload), None),
            Some(_) if self.thin => (State::Dropped, None),
            Some(stride) if self.since_look + 1 < stride => (State::Between, None),
            Some(_) => (State::Asked, Some(level.effort())),
        };
        self.since_look = if look.is_some() { 0 } else { self.since_look.saturating_add(1) };
        self.close = if look == Some(Effort::Close) { self.close.saturating_add(1) } else { 0 };
        let fine = self.close >= self.settings.period.0;
        let id = self.next;
        self.next += 1;
        self.slots.push_back(Slot { id, pts, arrived: now, state, fine });
        self.advance();
        Some(Asked { id, look })
    }

    /// The detector's answer about a frame; none where it could not judge it. An answer that comes too late is ignored.
    pub fn judged(&mut self, id: u64, found: Option<&[Detection]>, now: Pts) {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.id == id && slot.state == State::Asked)
        else {
            return;
        };
        slot.state = match found {
            Some(found) => State::Judged(found.to_vec()),
            None => {
                self.close = 0;
                State::Covered(Reason::Unjudged)
            }
        };
        let took = now.0.saturating_sub(slot.arrived.0);
        let changed = self.ladder.took(took, now, self.settings.least);
        self.adapt(changed);
        self.advance();
    }

    /// The next frame whose time has come, in order. Ask until there is none.
    pub fn leave(&mut self, now: Pts) -> Option<Leaving> {
        let (id, pts, age, fine) = {
            let slot = self.slots.front_mut()?;
            let age = now.0.saturating_sub(slot.arrived.0);
            if slot.state == State::Asked && age >= self.settings.deadline {
                slot.state = State::Covered(Reason::Late);
                self.close = 0;
                let changed = self.ladder.took(age, now, self.settings.least);
                self.adapt(changed);
                self.advance();
            }
            let slot = self.slots.front()?;
            (slot.id, slot.pts, age, slot.fine)
        };
        if id >= self.pushed {
            return None;
        }
        let slot = self.slots.front()?;
        let how = match slot.state {
            State::Asked => return None,
            State::Covered(reason) => How::Cover(reason),
            State::Dropped => How::Drop,
            State::Judged(_) | State::Between => {
                let between = slot.state == State::Between;
                let known = self.through.0 >= pts.0.saturating_add(self.settings.look_ahead)
                    && (!between || self.looked > pts);
                // One that stands between two needs the second; others learn little more from waiting.
                let soon = if between { self.settings.deadline } else { 3 * self.settings.look_ahead };
                if !known && age < self.settings.deadline.min(soon) {
                    return None;
                }
                let mut boxes = Vec::new();
                // A frame that nobody looked at, and none after it, is no frame between two.
                match self.tracker.regions(id, &mut boxes) {
                    Ok(()) if !between || self.looked > pts => How::Hide(boxes),
                    Ok(()) => How::Cover(Reason::Late),
                    Err(_) => How::Cover(Reason::Unjudged),
                }
            }
        };
        self.slots.pop_front();
        self.tracker.forget_before(id + 1);
        // Summaries are for files; a live line keeps nothing of a face that is gone.
        drop(self.tracker.take_finished());
        Some(Leaving { id, pts, how, fine })
    }

    /// Tells the tracker what is known, in order.
    fn advance(&mut self) {
        let first = self.slots.front().map_or(self.pushed, |slot| slot.id);
        let known = (self.pushed.saturating_sub(first)) as usize;
        for slot in self.slots.iter().skip(known) {
            let found: &[Detection] = match &slot.state {
                State::Asked => break,
                State::Judged(found) => found,
                State::Between | State::Covered(_) | State::Dropped => &[],
            };
            let time_s = TimeBase::LIVE.seconds(slot.pts);
            // A camera that is turned quickly looks like a cut; to forget its faces then would be wrong.
            self.tracker.push(Sighting { time_s, cut: false, detections: found });
            self.pushed = slot.id + 1;
            self.through = slot.pts;
            if matches!(slot.state, State::Judged(_)) {
                self.looked = slot.pts;
            }
        }
    }

    fn adapt(&mut self, changed: bool) {
        if changed {
            self.tracker.set_config(tracking(&self.settings, self.level()));
        }
    }
}

fn tracking(settings: &Settings, level: Level) -> TrackerConfig {
    let (close, quick) = settings.period;
    let period = if level.effort() == Effort::Close { close } else { quick };
    let stride = level.stride().unwrap_or(1) as u32;
    let defaults = TrackerConfig::new(settings.size);
    TrackerConfig {
        score: settings.scores.0,
        weak_score: settings.scores.1,
        margin_s: settings.hold_s * level.care(),
        max_gap_s: defaults.max_gap_s.max(settings.hold_s * level.care()),
        growth_per_s: defaults.growth_per_s * level.care() as f32,
        revisit: period * stride,
        ..defaults
    }
}
