//! What appears where and when: clips, scenes and the paths of faces. Pure and repeatable.

use placet_core::Rect;

use crate::cutout::Cutout;
use crate::rng::Rng;
use crate::shape::{Occluder, Oval};
use crate::truth;

/// Face heights in pixels.
pub const CLASSES: [u32; 11] = [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];

/// Frames a second of every clip.
pub const RATE: (u32, u32) = (30, 1);

/// What makes a clip or an appearance hard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing: people stand and sway.
    Still,
    /// The camera pans; scene and people move together.
    Pan,
    /// People move fast, without blur (short exposure).
    Fast,
    /// People move fast with an exposure of 0.7 of the frame interval.
    Blur,
    /// Heads turn in the picture plane, up to 35 degrees either way.
    Turn,
    /// A pole or a hand passes over the face.
    Occlusion,
    /// People enter and leave at the frame's edge.
    Edge,
    /// Exposure flickers and jumps.
    Flicker,
    /// A fifth of the light, with noise.
    Dark,
    /// x264 at crf 35.
    Crf35,
    /// A scene cut every ten frames.
    Cut,
    /// Faces appear and vanish from one frame to the next.
    Pop,
    /// Each person has a condition of their own (1920x1088).
    Mixed,
}

impl Condition {
    /// As truth files and tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Still => "still",
            Self::Pan => "pan",
            Self::Fast => "fast",
            Self::Blur => "motion blur",
            Self::Turn => "turn",
            Self::Occlusion => "occlusion",
            Self::Edge => "frame edge",
            Self::Flicker => "flicker",
            Self::Dark => "dark, noise",
            Self::Crf35 => "crf 35",
            Self::Cut => "scene cuts",
            Self::Pop => "sudden",
            Self::Mixed => "mixed",
        }
    }
}

/// One clip to make.
#[derive(Clone, Debug)]
pub struct ClipPlan {
    /// File name without extension.
    pub name: String,
    /// Columns and rows.
    pub size: (u32, u32),
    /// Constant rate factor of x264.
    pub crf: u32,
    /// What makes it hard.
    pub condition: Condition,
    /// One scene after another, with a cut between.
    pub segments: Vec<Segment>,
}

/// One scene.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its first frame in the clip.
    pub first: u32,
    /// How many frames it lasts.
    pub frames: u32,
    /// Which of the renderer's scenes, modulo their number.
    pub scene: usize,
    /// Where the view starts, 0 to 1 of the room left and above.
    pub view: (f32, f32),
    /// How many pixels a frame the picture moves, right and down.
    pub pan: (f32, f32),
    /// People, the ones behind first.
    pub actors: Vec<Actor>,
}

/// One appearance of one person.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Unique over all clips.
    pub track: String,
    /// Index of the cut-out.
    pub cutout: usize,
    /// Left and right swapped.
    pub mirrored: bool,
    /// Face height in pixels.
    pub class: u32,
    /// What makes it hard.
    pub condition: Condition,
    /// First frame of the segment it is on.
    pub from: u32,
    /// First frame it is no longer on.
    pub until: u32,
    /// Where its centre goes.
    pub path: Path,
    /// Largest turn in degrees, period in frames and phase in radians.
    pub turn: (f32, f32, f32),
    /// Exposure as a share of the frame interval.
    pub exposure: f32,
    /// Brightness of the head against its picture.
    pub gain: f32,
    /// What passes in front.
    pub occluder: Option<Passing>,
}

/// The way of a face's centre, in pixels, over the frames `t` of its segment.
#[derive(Clone, Copy, Debug)]
pub enum Path {
    /// Back and forth on a line: from `(x, y)` along the unit vector `(ux, uy)`, `speed` pixels a frame, `reach` far.
    Sweep {
        /// Start.
        x: f32,
        /// Start.
        y: f32,
        /// Direction.
        ux: f32,
        /// Direction.
        uy: f32,
        /// Pixels a frame.
        speed: f32,
        /// Length of the way.
        reach: f32,
    },
    /// Straight on: at `(x, y)` on frame 0, `(vx, vy)` pixels a frame.
    Line {
        /// On frame 0.
        x: f32,
        /// On frame 0.
        y: f32,
        /// Pixels a frame.
        vx: f32,
        /// Pixels a frame.
        vy: f32,
    },
}

impl Path {
    /// Position at frame `t`.
    pub fn at(&self, t: f32) -> (f32, f32) {
        match *self {
            Self::Sweep { x, y, ux, uy, speed, reach } => {
                let p = (t * speed).rem_euclid(2.0 * reach);
                let d = if p < reach { p } else { 2.0 * reach - p };
                (x + ux * d, y + uy * d)
            }
            Self::Line { x, y, vx, vy } => (x + vx * t, y + vy * t),
        }
    }
}

/// Something that passes in front of one face, in units of that face.
#[derive(Clone, Copy, Debug)]
pub enum Passing {
    /// A pole from one side to the other.
    Bar {
        /// In face widths.
        width: f32,
        /// Degrees from upright.
        lean: f32,
        /// Frame on which it is in the middle.
        middle: f32,
        /// Face widths a frame, signed.
        speed: f32,
    },
    /// A hand comes up over the mouth, stays, and goes.
    Hand {
        /// Degrees.
        lean: f32,
        /// Frame of the middle of its stay.
        middle: f32,
        /// Frames it stays.
        stay: f32,
    },
}

impl Passing {
    /// Where it is on frame `t`, given the face.
    pub fn at(&self, face: &Oval, t: f32) -> Occluder {
        match *self {
            Self::Bar { width, lean, middle, speed } => Occluder::Bar(Oval {
                cx: face.cx + (t - middle) * speed * face.w,
                cy: face.cy,
                w: width * face.w,
                h: 2.2 * face.h,
                angle: lean,
            }),
            Self::Hand { lean, middle, stay } => {
                let away = (((t - middle).abs() - stay / 2.0) / 5.0).clamp(0.0, 1.0);
                Occluder::Hand(Oval {
                    cx: face.cx + 0.1 * face.w,
                    cy: face.cy + (0.22 + 1.1 * away) * face.h,
                    w: 0.95 * face.w,
                    h: 0.62 * face.h,
                    angle: lean,
                })
            }
        }
    }
}

impl Actor {
    /// The face on frame `t` of the segment.
    pub fn face(&self, cutouts: &[Cutout], t: f32) -> Option<Oval> {
        let cutout = cutouts.get(self.cutout)?;
        let (cx, cy) = self.path.at(t);
        Some(cutout.placed(cx, cy, self.class as f32, self.turn_at(t), self.mirrored))
    }

    /// Degrees it is turned by on frame `t`, beyond its own tilt.
    pub fn turn_at(&self, t: f32) -> f32 {
        let (most, period, phase) = self.turn;
        most * (std::f32::consts::TAU * t / period + phase).sin()
    }
}

/// How much is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// For figures: at least 40 tracks of each size class.
    Full,
    /// For trying out: a few tracks of each.
    Quick,
}

impl Amount {
    /// Tracks of each class below which the set is refused.
    pub fn least_tracks(self) -> usize {
        match self {
            Self::Full => 40,
            Self::Quick => 3,
        }
    }
}

/// Every clip of the set.
pub fn clips(cutouts: &[Cutout], amount: Amount) -> Vec<ClipPlan> {
    use Condition::{Blur, Crf35, Cut, Dark, Edge, Fast, Flicker, Mixed, Occlusion, Pan, Pop, Still, Turn};
    let small = (1280, 720);
    let large = (1920, 1088);
    // Name, size, condition, scenes, frames of each.
    let full = [
        ("still", small, Still, 4, 30),
        ("pan", small, Pan, 4, 30),
        ("fast", small, Fast, 4, 30),
        ("blur", small, Blur, 4, 30),
        ("turn", small, Turn, 4, 30),
        ("occlusion", small, Occlusion, 5, 30),
        ("edge", small, Edge, 4, 30),
        ("flicker", small, Flicker, 4, 30),
        ("dark", small, Dark, 4, 30),
        ("crf35", small, Crf35, 4, 30),
        ("cut", small, Cut, 12, 10),
        ("pop", small, Pop, 4, 30),
        ("hd-mixed", large, Mixed, 5, 30),
        ("hd-pan", large, Pan, 4, 30),
    ];
    let quick = [
        ("quick-mixed", small, Mixed, 3, 16),
        ("quick-edge", small, Edge, 1, 16),
        ("quick-cut", small, Cut, 3, 8),
    ];
    let rows: &[_] = match amount {
        Amount::Full => &full,
        Amount::Quick => &quick,
    };
    rows.iter()
        .enumerate()
        .map(|(idx, &(name, size, condition, scenes, frames))| {
            let mut director =
                Director { cutouts, rng: Rng::new(0x9EAC_E700 + idx as u64), size, next: idx * 5 };
            let segments = (0..scenes).map(|s| director.segment(name, condition, s, frames)).collect();
            let crf = if condition == Crf35 { 35 } else { 23 };
            ClipPlan { name: name.into(), size, crf, condition, segments }
        })
        .collect()
}

/// Places people so that no face is hidden by another person.
struct Director<'a> {
    cutouts: &'a [Cutout],
    rng: Rng,
    size: (u32, u32),
    next: usize,
}

impl Director<'_> {
    fn segment(&mut self, clip: &str, condition: Condition, idx: u32, frames: u32) -> Segment {
        let pan = match condition {
            Condition::Pan => {
                let speed = self.rng.range(2.5, 7.0) * self.size.0 as f32 / 1280.0;
                (speed * self.rng.sign(), self.rng.range(-0.8, 0.8))
            }
            _ => (0.0, 0.0),
        };
        let mut seg = Segment {
            first: idx * frames,
            frames,
            scene: self.rng.below(1000),
            view: (self.rng.unit(), self.rng.unit()),
            pan,
            actors: Vec::new(),
        };
        let again = CLASSES.iter().rev().filter(|&&c| c <= 64);
        let room = if self.size.0 > 1280 { 2 } else { 1 };
        let wanted = CLASSES.iter().rev().chain(std::iter::repeat_n(again, room).flatten());
        let mut wanted: Vec<u32> = wanted.copied().collect();
        wanted.sort_by_key(|c| std::cmp::Reverse(*c));
        for (number, class) in wanted.into_iter().enumerate() {
            let track = format!("{clip}.{idx}.{number}");
            if let Some(actor) = (0..400).find_map(|_| {
                let actor = self.candidate(&track, class, condition, &seg);
                self.fits(&actor, &seg).then_some(actor)
            }) {
                self.next += 1;
                seg.actors.push(actor);
            }
        }
        seg
    }

    fn candidate(&mut self, track: &str, class: u32, clip: Condition, seg: &Segment) -> Actor {
        let condition = match clip {
            Condition::Mixed => {
                let kinds = [
                    Condition::Fast,
                    Condition::Turn,
                    Condition::Occlusion,
                    Condition::Blur,
                    Condition::Still,
                    Condition::Pop,
                ];
                kinds.get(self.next % kinds.len()).copied().unwrap_or(Condition::Still)
            }
            other => other,
        };
        let h = class as f32;
        let frames = seg.frames as f32;
        let (from, until) = match condition {
            Condition::Pop => {
                let len = 4 + self.rng.below((seg.frames as usize * 2 / 3).saturating_sub(4)) as u32;
                let from = self.rng.below((seg.frames - len + 1) as usize) as u32;
                (from, from + len)
            }
            _ => (0, seg.frames),
        };
        let turn = match condition {
            Condition::Turn => (self.rng.range(20.0, 35.0) * self.rng.sign(), self.rng.range(24.0, 60.0)),
            _ => (self.rng.range(-6.0, 6.0), self.rng.range(40.0, 90.0)),
        };
        let occluder = (condition == Condition::Occlusion).then(|| self.passing(frames));
        Actor {
            track: track.into(),
            // A stride prime to the table's length, so that people and sizes mix.
            cutout: self.next * 7 % self.cutouts.len().max(1),
            mirrored: self.rng.sign() < 0.0,
            class,
            condition,
            from,
            until,
            path: self.path(condition, h, seg),
            turn: (turn.0, turn.1, self.rng.range(0.0, std::f32::consts::TAU)),
            exposure: if condition == Condition::Blur { 0.7 } else { 0.0 },
            gain: self.rng.range(0.8, 1.1),
            occluder,
        }
    }

    fn path(&mut self, condition: Condition, h: f32, seg: &Segment) -> Path {
        let (w, ht) = (self.size.0 as f32, self.size.1 as f32);
        let frames = seg.frames as f32;
        let (x, y) = (self.rng.range(0.0, w), self.rng.range(0.0, ht));
        let angle = self.rng.range(0.0, std::f32::consts::TAU);
        let (uy, ux) = angle.sin_cos();
        match condition {
            Condition::Pan => Path::Line { x, y, vx: seg.pan.0, vy: seg.pan.1 },
            Condition::Fast | Condition::Blur => {
                let share = if condition == Condition::Fast { (0.2, 0.5) } else { (0.12, 0.3) };
                let speed = (h * self.rng.range(share.0, share.1)).clamp(2.5, 22.0);
                let reach = (speed * self.rng.range(8.0, 24.0)).max(20.0);
                Path::Sweep { x, y, ux, uy: uy * 0.35, speed, reach }
            }
            Condition::Edge => {
                // Half a face outside at one end of the way, a face inside at the other; half of them go backwards.
                let travel = h * self.rng.range(1.3, 1.9);
                let side = self.rng.below(3);
                let (x0, y0, ux, uy) = match side {
                    0 => (-0.5 * h, y, 1.0, 0.0),
                    1 => (w + 0.5 * h, y, -1.0, 0.0),
                    _ => (x, -0.6 * h, 0.0, 1.0),
                };
                let v = travel / frames;
                if self.rng.sign() < 0.0 {
                    Path::Line { x: x0, y: y0, vx: ux * v, vy: uy * v }
                } else {
                    Path::Line { x: x0 + ux * travel, y: y0 + uy * travel, vx: -ux * v, vy: -uy * v }
                }
            }
            _ => Path::Sweep {
                x,
                y,
                ux,
                uy,
                speed: self.rng.range(0.1, 0.7),
                reach: self.rng.range(2.0, 12.0),
            },
        }
    }

    fn passing(&mut self, frames: f32) -> Passing {
        let middle = self.rng.range(0.3, 0.7) * frames;
        let lean = self.rng.range(-18.0, 18.0);
        if self.rng.sign() < 0.0 {
            let speed = self.rng.range(0.06, 0.16) * self.rng.sign();
            Passing::Bar { width: self.rng.range(0.3, 0.7), lean, middle, speed }
        } else {
            Passing::Hand { lean, middle, stay: self.rng.range(4.0, 10.0) }
        }
    }

    /// Inside the frame as far as its condition wants, and on no other face.
    fn fits(&self, actor: &Actor, seg: &Segment) -> bool {
        let Some(cutout) = self.cutouts.get(actor.cutout) else { return false };
        let frame = Rect { x: 0.0, y: 0.0, w: self.size.0 as f32, h: self.size.1 as f32 };
        (actor.from..actor.until).step_by(2).chain([actor.until.saturating_sub(1)]).all(|t| {
            let t = t as f32;
            let Some(face) = actor.face(self.cutouts, t) else { return false };
            let head = Cutout::head(&face);
            let inside = (head.overlap(&frame) - head.area()).abs() < 1.0;
            let (_, cy) = face.bounds().center();
            let placed = inside || actor.condition == Condition::Edge && cy < frame.h - 0.9 * face.h;
            let drawn = self.drawn(actor, cutout, &face, t);
            placed
                && seg.actors.iter().filter(|o| o.from as f32 <= t && t < o.until as f32).all(|other| {
                    other.face(self.cutouts, t).is_none_or(|theirs| {
                        drawn.overlap(&theirs.bounds().scaled(1.15)) == 0.0
                            && head.overlap(&Cutout::head(&theirs)) == 0.0
                    })
                })
        })
    }

    fn drawn(&self, actor: &Actor, cutout: &Cutout, face: &Oval, t: f32) -> Rect {
        let all = cutout.drawn(face, actor.turn_at(t), actor.mirrored);
        match actor.occluder {
            Some(passing) => all.union(&passing.at(face, t).oval().bounds()),
            None => all,
        }
    }
}

/// The faces of one clip, frame by frame, as its truth file lists them.
pub fn truth_of(plan: &ClipPlan, cutouts: &[Cutout]) -> truth::Truth {
    let (width, height) = plan.size;
    let mut faces = Vec::new();
    for seg in &plan.segments {
        for t in 0..seg.frames {
            for actor in seg.actors.iter().filter(|a| (a.from..a.until).contains(&t)) {
                let when = t as f32 + actor.exposure / 2.0;
                let (Some(face), Some(cutout)) = (actor.face(cutouts, when), cutouts.get(actor.cutout))
                else {
                    continue;
                };
                let occluders: Vec<Occluder> = actor.occluder.iter().map(|p| p.at(&face, t as f32)).collect();
                let visible = truth::visible_share(&face, &occluders, width, height);
                let b = face.ellipse_bounds();
                let frame = Rect { x: 0.0, y: 0.0, w: width as f32, h: height as f32 };
                if b.overlap(&frame) <= 0.0 {
                    continue;
                }
                faces.push(truth::Face {
                    frame: seg.first + t,
                    track: actor.track.clone(),
                    person: cutout.person.clone(),
                    class: actor.class,
                    condition: actor.condition.name().into(),
                    face,
                    bounds: [b.x, b.y, b.w, b.h],
                    visible,
                    occluders,
                });
            }
        }
    }
    let frames = plan.segments.iter().map(|s| s.frames).sum();
    truth::Truth { clip: truth::Clip { clip: plan.name.clone(), width, height, rate: RATE, frames }, faces }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cutout::stills;
    use crate::picture::Picture;

    fn cutouts() -> Vec<Cutout> {
        let blank = Picture::from_rgb(2400, 2400, &vec![128; 3 * 2400 * 2400]);
        stills().unwrap().iter().map(|s| Cutout::new(s, &blank)).collect()
    }

    #[test]
    fn the_full_set_has_enough_tracks_of_every_class_and_stays_affordable() {
        let cutouts = cutouts();
        let plans = clips(&cutouts, Amount::Full);
        for class in CLASSES {
            let n = plans
                .iter()
                .flat_map(|p| &p.segments)
                .flat_map(|s| &s.actors)
                .filter(|a| a.class == class)
                .count();
            assert!(n >= Amount::Full.least_tracks(), "{n} tracks of {class} px");
        }
        let frames = |width| -> u32 {
            plans.iter().filter(|p| p.size.0 == width).flat_map(|p| &p.segments).map(|s| s.frames).sum()
        };
        assert!(frames(1280) <= 1500 && frames(1920) <= 300, "{} and {}", frames(1280), frames(1920));
    }

    #[test]
    fn faces_never_meet_and_are_where_their_condition_wants_them() {
        let cutouts = cutouts();
        for plan in clips(&cutouts, Amount::Quick) {
            let truth = truth_of(&plan, &cutouts);
            for t in 0..truth.clip.frames {
                let on: Vec<_> = truth.faces.iter().filter(|f| f.frame == t).collect();
                for (i, a) in on.iter().enumerate() {
                    let clear = a.condition == "frame edge" || a.condition == "occlusion";
                    assert!(clear || a.visible > 0.99, "{} on {t}: {}", a.track, a.visible);
                    for b in on.iter().skip(i + 1) {
                        let near = a.face.ellipse_bounds().overlap(&b.face.ellipse_bounds());
                        assert_eq!(near, 0.0, "{} and {} on frame {t}", a.track, b.track);
                    }
                }
            }
        }
    }

    #[test]
    fn plans_repeat() {
        let cutouts = cutouts();
        let once = clips(&cutouts, Amount::Quick);
        let again = clips(&cutouts, Amount::Quick);
        let truths = |plans: &[ClipPlan]| plans.iter().map(|p| truth_of(p, &cutouts)).collect::<Vec<_>>();
        assert_eq!(truths(&once), truths(&again));
    }
}
