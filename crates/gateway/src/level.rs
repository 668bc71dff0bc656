//! What is given up when there is too much to do.

use placet_core::Pts;

/// How closely a frame is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effort {
    /// The whole picture, and a part of it at full resolution, in turn.
    Close,
    /// The whole picture, reduced.
    Quick,
}

/// What a line still does, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Every frame is looked at closely.
    Close,
    /// Every frame is looked at quickly.
    Quick,
    /// Every second frame is; faces are hidden longer and wider.
    Half,
    /// Every fourth is; faces are hidden longer and wider still.
    Quarter,
    /// Besides, every second frame stays away.
    Thinned,
    /// Every frame leaves covered.
    Covered,
}

impl Level {
    /// All, in order.
    pub const ALL: [Self; 6] =
        [Self::Close, Self::Quick, Self::Half, Self::Quarter, Self::Thinned, Self::Covered];

    /// Of how many frames one is looked at; none at all where they are covered.
    pub(crate) fn stride(self) -> Option<u64> {
        match self {
            Self::Close | Self::Quick => Some(1),
            Self::Half => Some(2),
            Self::Quarter | Self::Thinned => Some(4),
            Self::Covered => None,
        }
    }

    pub(crate) fn effort(self) -> Effort {
        if self == Self::Close { Effort::Close } else { Effort::Quick }
    }

    /// By how much longer a face is hidden after it was last seen, and how much faster its box grows.
    pub(crate) fn care(self) -> f64 {
        match self {
            Self::Close => 1.0,
            Self::Quick => 1.25,
            Self::Half => 1.5,
            Self::Quarter | Self::Thinned | Self::Covered => 2.0,
        }
    }

    fn less(self) -> Self {
        Self::ALL.into_iter().find(|level| *level > self).unwrap_or(Self::Covered)
    }

    fn more(self) -> Self {
        Self::ALL.into_iter().rev().find(|level| *level < self).unwrap_or(Self::Close)
    }
}

const SECOND: i64 = 90_000;
/// Answers that take longer mean that there is too much to do.
const SLOW: i64 = SECOND / 5;
/// Answers this quick leave room for more.
const FAST: i64 = SECOND / 12;
/// A level is given at least this long to help before the next.
const STEP: i64 = SECOND / 2;
/// All answers were quick for this long before more is tried, and ever longer where that failed.
const CALM: i64 = 5 * SECOND;
const LONGEST_CALM: i64 = 120 * SECOND;
/// So long frames are covered before the detector is tried again.
const REST: i64 = 2 * SECOND;

/// Follows how long answers take.
pub(crate) struct Ladder {
    level: Level,
    /// When the level changed.
    since: Pts,
    /// The last moment at which it was not calm.
    stirred: Pts,
    calm: i64,
}

impl Ladder {
    pub(crate) fn new(least: Level) -> Self {
        Self { level: least, since: Pts(i64::MIN / 2), stirred: Pts(i64::MIN / 2), calm: CALM }
    }

    pub(crate) fn level(&self) -> Level {
        self.level
    }

    /// Something took `ticks`, from being asked for to now. Whether the level changed.
    pub(crate) fn took(&mut self, ticks: i64, now: Pts, least: Level) -> bool {
        let here = now.0.saturating_sub(self.since.0);
        if ticks > FAST {
            self.stirred = self.stirred.max(now);
        }
        if ticks > SLOW && here > STEP && self.level != Level::Covered {
            // What was tried last was too much.
            let back = here < 2 * CALM;
            self.calm = if back { (self.calm * 2).min(LONGEST_CALM) } else { CALM };
            return self.go(self.level.less(), now);
        }
        let quiet = now.0.saturating_sub(self.stirred.0.max(self.since.0));
        if self.level > least && self.level != Level::Covered && quiet > self.calm {
            return self.go(self.level.more().max(least), now);
        }
        false
    }

    /// Time passes. Whether the level changed.
    pub(crate) fn rested(&mut self, now: Pts) -> bool {
        let rested = self.level == Level::Covered && now.0.saturating_sub(self.since.0) > REST;
        rested && self.go(self.level.more(), now)
    }

    fn go(&mut self, level: Level, now: Pts) -> bool {
        self.level = level;
        self.since = now;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_goes_down_step_by_step_and_comes_back_when_calm() {
        let mut ladder = Ladder::new(Level::Close);
        let mut now = Pts(0);
        let mut run = |ladder: &mut Ladder, took: i64, seconds: i64| {
            let mut seen = vec![ladder.level()];
            for _ in 0..seconds * 15 {
                now.0 += SECOND / 15;
                if ladder.took(took, now, Level::Close) {
                    seen.push(ladder.level());
                }
            }
            seen
        };
        assert_eq!(run(&mut ladder, SECOND / 50, 10), [Level::Close]);
        assert_eq!(run(&mut ladder, SECOND / 3, 10), Level::ALL);
        let later = Pts(SECOND * 1000);
        assert!(ladder.rested(later));
        assert_eq!(ladder.level(), Level::Thinned);
        now = later;
        let mut up = Level::ALL;
        up.reverse();
        let mut run = |ladder: &mut Ladder, took: i64, seconds: i64| {
            let mut seen = vec![ladder.level()];
            for _ in 0..seconds * 15 {
                now.0 += SECOND / 15;
                if ladder.took(took, now, Level::Close) {
                    seen.push(ladder.level());
                }
            }
            seen
        };
        assert_eq!(run(&mut ladder, SECOND / 50, 600), up[1..]);
    }
}
