//! Which frames of the result the second detector looks at.

use placet_redaction::{TrackBox, TrackId, Why};

use crate::Verify;

/// Chooses frames: at a steady interval, and where a miss is likeliest: just before a track is first hidden, just
/// after it was last hidden, and where a gap begins to be bridged.
pub(crate) struct Sampler {
    verify: Verify,
    interval: u64,
    last: Option<u64>,
    /// Checks that may still be spent on likely places; grows with time so that the cost stays bounded.
    credit: f32,
    credit_per_frame: f32,
}

impl Sampler {
    /// At least one frame in `interval`, and on the average at most one in `densest` more.
    pub(crate) fn new(verify: Verify, interval: u64, densest: u64) -> Self {
        Self {
            verify,
            interval: interval.max(1),
            last: None,
            credit: 2.0,
            credit_per_frame: 1.0 / densest.max(1) as f32,
        }
    }

    /// Most frames between two that are checked.
    pub(crate) fn reach(&self) -> u64 {
        match self.verify {
            Verify::None => 0,
            Verify::Sample => self.interval,
            Verify::Full => 1,
        }
    }

    /// Whether `frame` is checked. `before`, `now` and `after` are the boxes hidden in the frames around it.
    pub(crate) fn due(
        &mut self,
        frame: u64,
        is_last: bool,
        before: &[TrackBox],
        now: &[TrackBox],
        after: &[TrackBox],
    ) -> bool {
        self.credit = (self.credit + self.credit_per_frame).min(4.0);
        let due = match self.verify {
            Verify::None => false,
            Verify::Full => true,
            Verify::Sample => {
                is_last
                    || self.last.is_none_or(|l| frame - l >= self.interval)
                    || (self.credit >= 1.0 && likely(before, now, after))
            }
        };
        if due {
            if self.last.is_some_and(|l| frame - l < self.interval) {
                self.credit -= 1.0;
            }
            self.last = Some(frame);
        }
        due
    }
}

fn likely(before: &[TrackBox], now: &[TrackBox], after: &[TrackBox]) -> bool {
    let has = |boxes: &[TrackBox], t: TrackId| boxes.iter().any(|b| b.track == t);
    let begins = after.iter().any(|b| !has(now, b.track));
    let ended = before.iter().any(|b| !has(now, b.track));
    let bridged = now
        .iter()
        .any(|b| b.why == Why::Bridged && before.iter().any(|p| p.track == b.track && p.why != Why::Bridged));
    begins || ended || bridged
}

#[cfg(test)]
mod tests {
    use super::*;
    use placet_core::Rect;

    fn boxes(ids: &[u64]) -> Vec<TrackBox> {
        let rect = Rect { x: 0.0, y: 0.0, w: 1.0, h: 1.0 };
        ids.iter().map(|&i| TrackBox { track: TrackId(i), rect, why: Why::Detected }).collect()
    }

    #[test]
    fn a_quiet_video_is_checked_at_the_interval_and_at_its_end() {
        let mut s = Sampler::new(Verify::Sample, 10, 8);
        let due: Vec<u64> = (0..25).filter(|&f| s.due(f, f == 24, &[], &[], &[])).collect();
        assert_eq!(due, [0, 10, 20, 24]);
    }

    #[test]
    fn the_frames_beside_a_track_are_checked() {
        let mut s = Sampler::new(Verify::Sample, 100, 8);
        let none = boxes(&[]);
        let one = boxes(&[1]);
        assert!(s.due(0, false, &none, &none, &none));
        assert!(s.due(1, false, &none, &none, &one), "the frame before it is first hidden");
        assert!(!s.due(2, false, &none, &one, &one));
        assert!(s.due(3, false, &one, &none, &none), "the frame after it was last hidden");
    }

    #[test]
    fn likely_places_cannot_spend_more_than_the_budget() {
        let mut s = Sampler::new(Verify::Sample, 1000, 5);
        let (none, one) = (boxes(&[]), boxes(&[1]));
        let n = (0..1000).filter(|&f| s.due(f, false, &none, &none, &one)).count();
        assert!((190..=205).contains(&n), "{n}");
    }

    #[test]
    fn full_takes_every_frame_and_none_takes_none() {
        assert!((0..9).all(|f| Sampler::new(Verify::Full, 10, 8).due(f, false, &[], &[], &[])));
        assert!((0..9).all(|f| !Sampler::new(Verify::None, 10, 8).due(f, true, &[], &[], &[])));
    }
}
