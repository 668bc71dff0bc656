//! Which frames of the result the second detector looks at.

use placet_core::{Rect, Size};
use placet_redaction::{TrackBox, TrackId, Why};

use placet_vision::Scan;

use crate::Verify;

/// How much of a frame is looked at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Look {
    /// All of it, at full resolution.
    Whole,
    /// The whole of it reduced, and these places at full resolution.
    At(Vec<Rect>),
}

/// Chooses frames: whole ones at a steady interval, and places where a miss is likeliest: around a track just before it
/// is first hidden, just after it was last hidden, and where a gap begins to be bridged.
pub(crate) struct Sampler {
    verify: Verify,
    interval: u64,
    last_whole: Option<u64>,
    /// Whole frames' worth of looks that may still be spent on likely places; grows with time so that the cost stays
    /// bounded.
    credit: f32,
}

/// On the average at most one whole frame's worth in this many is spent on likely places.
const PLACES: f32 = 1.0 / 24.0;

impl Sampler {
    /// At least one whole frame in `interval`.
    pub(crate) fn new(verify: Verify, interval: u64) -> Self {
        Self { verify, interval: interval.max(1), last_whole: None, credit: 0.5 }
    }

    /// So many frames before and after one in which a face is found hide it too: as many as lie between two whole looks,
    /// and no fewer where each frame is looked at, for then a face is missed in some of them.
    pub(crate) fn reach(&self) -> u64 {
        if self.verify == Verify::None { 0 } else { self.interval }
    }

    /// How much of `frame` is checked, if any. `before`, `now` and `after` are the boxes hidden in the frames around
    /// it; `scan` is how a frame of `size` is looked at.
    pub(crate) fn due(
        &mut self,
        frame: u64,
        is_last: bool,
        [before, now, after]: [&[TrackBox]; 3],
        scan: &Scan,
        size: Size,
    ) -> Option<Look> {
        self.credit = (self.credit + PLACES).min(1.0);
        let whole = match self.verify {
            Verify::None => return None,
            Verify::Full => true,
            Verify::Sample => is_last || self.last_whole.is_none_or(|l| frame - l >= self.interval),
        };
        if whole {
            self.last_whole = Some(frame);
            return Some(Look::Whole);
        }
        let faces = likely(before, now, after);
        if faces.is_empty() {
            return None;
        }
        // What full resolution costs too much for is still looked at reduced.
        [scan.around(&faces), Vec::new()].into_iter().find_map(|places| {
            let cost = scan.share_at(size, frame, &places);
            (cost <= self.credit).then(|| {
                self.credit -= cost;
                Look::At(places)
            })
        })
    }
}

/// Where a track begins in the next frame, ended in the last one, or begins to be bridged.
fn likely(before: &[TrackBox], now: &[TrackBox], after: &[TrackBox]) -> Vec<Rect> {
    let has = |boxes: &[TrackBox], t: TrackId| boxes.iter().any(|b| b.track == t);
    let begins = after.iter().filter(|b| !has(now, b.track));
    let ended = before.iter().filter(|b| !has(now, b.track));
    let bridged = now.iter().filter(|b| {
        b.why == Why::Bridged && before.iter().any(|p| p.track == b.track && p.why != Why::Bridged)
    });
    begins.chain(ended).chain(bridged).map(|b| b.rect).collect()
}

#[cfg(test)]
mod tests {
    use placet_core::Rotation;
    use placet_vision::Effort;

    use super::*;

    const HD: Size = Size { width: 1920, height: 1080 };

    /// Faces of that height.
    fn boxes(ids: &[u64], h: f32) -> Vec<TrackBox> {
        let rect = Rect { x: 100.0, y: 100.0, w: h, h };
        ids.iter().map(|&i| TrackBox { track: TrackId(i), rect, why: Why::Detected }).collect()
    }

    /// What is due in each of `n` frames that all have these boxes around them.
    fn due(verify: Verify, n: u64, around: [&[TrackBox]; 3]) -> Vec<Option<Look>> {
        let scan = Scan::new(HD, Rotation::None, Effort::Check);
        let mut s = Sampler::new(verify, 10);
        (0..n).map(|f| s.due(f, f + 1 == n, around, &scan, HD)).collect()
    }

    fn whole(due: &[Option<Look>]) -> Vec<usize> {
        (0..due.len()).filter(|&f| due[f] == Some(Look::Whole)).collect()
    }

    #[test]
    fn a_quiet_video_is_checked_at_the_interval_and_at_its_end() {
        let due = due(Verify::Sample, 25, [&[], &[], &[]]);
        assert_eq!(whole(&due), [0, 10, 20, 24]);
        assert_eq!(due.iter().flatten().count(), 4);
    }

    #[test]
    fn places_are_checked_where_a_track_begins_ends_or_is_bridged() {
        let scan = Scan::new(HD, Rotation::None, Effort::Check);
        let (none, one) = (boxes(&[], 30.0), boxes(&[1], 30.0));
        let bridged = vec![TrackBox { why: Why::Bridged, ..one[0] }];
        let near = Some(Look::At(vec![Rect { x: 70.0, y: 70.0, w: 90.0, h: 90.0 }]));
        for (around, want) in [
            ([&none[..], &none, &one], near.clone()),
            ([&none, &one, &one], None),
            ([&one, &one, &none], None),
            ([&one, &none, &none], near.clone()),
            ([&one, &bridged, &one], near),
        ] {
            let mut s = Sampler::new(Verify::Sample, 100);
            assert_eq!(s.due(0, false, around, &scan, HD), Some(Look::Whole));
            assert_eq!(s.due(1, false, around, &scan, HD), want, "{around:?}");
        }
    }

    #[test]
    fn a_large_face_is_looked_for_in_the_reduced_picture() {
        let (none, one) = (boxes(&[], 200.0), boxes(&[1], 200.0));
        let due = due(Verify::Sample, 5, [&none, &none, &one]);
        assert_eq!(due.get(1), Some(&Some(Look::At(Vec::new()))));
    }

    #[test]
    fn places_do_not_put_off_whole_frames_and_cannot_spend_more_than_their_share() {
        let scan = Scan::new(HD, Rotation::None, Effort::Check);
        for h in [30.0, 200.0] {
            let (none, one) = (boxes(&[], h), boxes(&[1], h));
            let due = due(Verify::Sample, 2400, [&none, &none, &one]);
            assert_eq!(whole(&due).len(), 241);
            let spent: f32 = (0..)
                .zip(&due)
                .filter_map(|(f, look)| match look {
                    Some(Look::At(places)) => Some(scan.share_at(HD, f, places)),
                    _ => None,
                })
                .sum();
            assert!((95.0..=101.0).contains(&spent), "{spent}");
        }
    }

    #[test]
    fn full_takes_every_frame_and_none_takes_none() {
        assert_eq!(whole(&due(Verify::Full, 9, [&[], &[], &[]])).len(), 9);
        assert!(due(Verify::None, 9, [&[], &[], &[]]).iter().all(Option::is_none));
    }
}
