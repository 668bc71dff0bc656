//! Which decoded pictures may be damaged: those behind one that did not come, up to the next that decodes alone.

use std::collections::VecDeque;

use placet_core::Pts;

/// Coded pictures a decoder may hold at a time; a camera that sends more in between has lost its way.
const MOST: usize = 256;

#[derive(Clone, Copy)]
struct Fed {
    pts: Pts,
    key: bool,
    /// What it depends on was lost on the way here.
    behind_loss: bool,
    at: Pts,
}

/// What went into the decoder and has not come out.
#[derive(Default)]
pub(crate) struct Damage {
    fed: VecDeque<Fed>,
    /// The next picture comes behind a loss.
    lost: bool,
    /// No picture that decodes alone came out since the last damage.
    broken: bool,
}

/// What is known of a picture that came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Origin {
    pub(crate) damaged: bool,
    /// How long the decoder held it, in ticks.
    pub(crate) held: i64,
}

impl Damage {
    pub(crate) fn lost(&mut self) {
        self.lost = true;
    }

    pub(crate) fn fed(&mut self, pts: Pts, key: bool, at: Pts) {
        let behind_loss = std::mem::take(&mut self.lost) && !key;
        if self.fed.len() >= MOST {
            self.fed.pop_front();
            self.broken = true;
        }
        self.fed.push_back(Fed { pts, key, behind_loss, at });
    }

    /// How long the first of those that are in there has been, in ticks.
    pub(crate) fn behind(&self, now: Pts) -> i64 {
        self.fed.front().map_or(0, |fed| now.0.saturating_sub(fed.at.0))
    }

    /// A picture came out. One that never went in is as damaged as can be.
    pub(crate) fn came(&mut self, pts: Pts, now: Pts) -> Origin {
        let mut known = None;
        while self.fed.front().is_some_and(|fed| fed.pts <= pts) {
            let Some(fed) = self.fed.pop_front() else { break };
            if fed.key {
                self.broken = false;
            }
            // A picture that went in before and did not come out was not whole.
            self.broken |= fed.behind_loss || fed.pts < pts;
            if fed.pts == pts {
                known = Some(fed.at);
            }
        }
        self.broken |= known.is_none();
        let held = known.map_or(0, |at| now.0.saturating_sub(at.0));
        Origin { damaged: self.broken, held }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn damaged(fed: &[(i64, bool)], lost_before: &[i64], came: &[i64]) -> Vec<i64> {
        let mut damage = Damage::default();
        for (pts, key) in fed {
            if lost_before.contains(pts) {
                damage.lost();
            }
            damage.fed(Pts(*pts), *key, Pts(*pts));
        }
        came.iter().copied().filter(|pts| damage.came(Pts(*pts), Pts(*pts)).damaged).collect()
    }

    #[test]
    fn what_follows_a_hole_is_damaged_until_a_picture_decodes_alone() {
        let fed = [(0, true), (1, false), (2, false), (3, false), (4, true), (5, false)];
        assert_eq!(damaged(&fed, &[], &[0, 1, 2, 3, 4, 5]), []);
        assert_eq!(damaged(&fed, &[], &[0, 2, 3, 4, 5]), [2, 3]);
        assert_eq!(damaged(&fed, &[], &[1, 2, 3, 4, 5]), [1, 2, 3]);
        assert_eq!(damaged(&fed, &[], &[0, 1, 2, 3, 5]), [5]);
        assert_eq!(damaged(&fed, &[2], &[0, 1, 2, 3, 4, 5]), [2, 3]);
        assert_eq!(damaged(&fed, &[4], &[0, 1, 2, 3, 4, 5]), []);
        assert_eq!(damaged(&fed, &[], &[0, 1, 7, 4, 5]), [7, 4, 5]);
    }
}
