//! What was hidden, frame by frame, kept as spans: the source of the manifest and of `--explain`.

use std::collections::BTreeMap;

use placet_core::{Detection, Pts, Rect};
use placet_redaction::{Region, Shape, TrackBox, TrackId, Why};

/// A run of frames in which a track was hidden for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First frame.
    pub first: u64,
    /// Last frame, included.
    pub last: u64,
    /// Why.
    pub why: Why,
}

/// One track as it was hidden.
#[derive(Clone, Debug)]
pub struct TrackRecord {
    /// Its number in this file.
    pub id: TrackId,
    /// Spans in order.
    pub spans: Vec<Span>,
    /// Least height of the face box, pixels.
    pub min_height: f32,
    /// Greatest height of the face box, pixels.
    pub max_height: f32,
    /// Sum over frames of the face box's area, square pixels.
    pub area: f64,
    /// Left visible on the user's word.
    pub kept: bool,
}

impl TrackRecord {
    /// Frames of the given kind.
    pub fn frames(&self, kind: impl Fn(Why) -> bool) -> u64 {
        self.spans.iter().filter(|s| kind(s.why)).map(|s| s.last - s.first + 1).sum()
    }
}

/// Everything a job did to one file's frames.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Tracks by number.
    pub tracks: BTreeMap<TrackId, TrackRecord>,
    /// Runs of frames that could not be judged and were covered whole.
    pub whole: Vec<(u64, u64)>,
    /// Frames that were judged.
    pub judged: u64,
    /// Frames copied without encoding.
    pub copied: u64,
    /// Covered share of each frame, in 1/65535.
    pub covered: Vec<u16>,
    /// Runs of frames copied without encoding.
    pub copied_runs: Vec<(u64, u64)>,
    /// Frames the second detector looked at, in the order of its answers.
    pub checked: Vec<u64>,
    /// Faces it found that were not hidden yet.
    pub check_found: u64,
    /// Most rounds any frame took.
    pub check_rounds: u32,
    /// Presentation time of each frame.
    pub times: Vec<Pts>,
}

impl Ledger {
    pub(crate) fn saw(&mut self, frame: u64, boxes: &[TrackBox], kept: impl Fn(TrackId) -> bool) {
        for b in boxes {
            let t = self.tracks.entry(b.track).or_insert_with(|| TrackRecord {
                id: b.track,
                spans: Vec::new(),
                min_height: b.rect.h,
                max_height: b.rect.h,
                area: 0.0,
                kept: kept(b.track),
            });
            t.min_height = t.min_height.min(b.rect.h);
            t.max_height = t.max_height.max(b.rect.h);
            t.area += f64::from(b.rect.area());
            match t.spans.last_mut() {
                Some(s) if s.why == b.why && s.last + 1 == frame => s.last = frame,
                Some(s) if s.last >= frame => {}
                _ => t.spans.push(Span { first: frame, last: frame, why: b.why }),
            }
        }
    }

    pub(crate) fn covered_whole(&mut self, frame: u64) {
        match self.whole.last_mut() {
            Some((_, last)) if *last + 1 == frame => *last = frame,
            _ => self.whole.push((frame, frame)),
        }
    }

    /// Frames covered whole.
    pub fn whole_frames(&self) -> u64 {
        self.whole.iter().map(|(a, b)| b - a + 1).sum()
    }

    /// How many frames the second detector looked at.
    pub fn checked_frames(&self) -> u64 {
        let mut frames = self.checked.clone();
        frames.sort_unstable();
        frames.dedup();
        frames.len() as u64
    }

    /// Mean and greatest covered share of a frame, 0 to 1.
    pub fn covered_mean_max(&self) -> (f64, f64) {
        let n = self.covered.len().max(1) as f64;
        let mean = self.covered.iter().map(|&c| f64::from(c)).sum::<f64>() / n / 65535.0;
        let max = self.covered.iter().copied().max().unwrap_or(0);
        (mean, f64::from(max) / 65535.0)
    }
}

/// Whether a face found in the result is not hidden there: less than half of the ellipse from eyes to mouth lies in
/// regions.
pub(crate) fn exposed(found: &Detection, regions: &[Region]) -> bool {
    const GRID: usize = 12;
    let inner = found.rect.scaled(0.8);
    let (cx, cy) = inner.center();
    let (mut inside, mut hidden) = (0u32, 0u32);
    for i in 0..GRID * GRID {
        let u = ((i % GRID) as f32 + 0.5) / GRID as f32 - 0.5;
        let v = ((i / GRID) as f32 + 0.5) / GRID as f32 - 0.5;
        if u * u + v * v > 0.25 {
            continue;
        }
        let (x, y) = (cx + u * inner.w, cy + v * inner.h);
        inside += 1;
        hidden += u32::from(regions.iter().any(|r| holds(r, x, y)));
    }
    hidden * 2 < inside
}

fn holds(region: &Region, x: f32, y: f32) -> bool {
    let r: &Rect = &region.rect;
    match region.shape {
        Shape::Box => x >= r.x && x < r.right() && y >= r.y && y < r.bottom(),
        Shape::Ellipse => {
            let (cx, cy) = r.center();
            let (u, v) = ((x - cx) / (r.w / 2.0).max(0.5), (y - cy) / (r.h / 2.0).max(0.5));
            u * u + v * v <= 1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32) -> Detection {
        Detection { rect: Rect { x, y: 0.0, w: 40.0, h: 50.0 }, score: 0.9, landmarks: None }
    }

    #[test]
    fn a_face_under_its_mask_is_hidden_and_one_beside_it_is_not() {
        let mask = Region { rect: face(0.0).rect.scaled(1.3), shape: Shape::Ellipse };
        assert!(!exposed(&face(0.0), &[mask]));
        assert!(!exposed(&face(8.0), &[mask]));
        assert!(exposed(&face(30.0), &[mask]));
        assert!(exposed(&face(60.0), &[mask]));
        assert!(exposed(&face(0.0), &[]));
    }

    #[test]
    fn spans_join_while_the_reason_lasts() {
        let mut l = Ledger::default();
        let at = |why| TrackBox { track: TrackId(3), rect: face(0.0).rect, why };
        for (f, why) in [(5, Why::Before), (6, Why::Detected), (7, Why::Detected), (8, Why::After)] {
            l.saw(f, &[at(why)], |_| false);
        }
        let t = &l.tracks[&TrackId(3)];
        assert_eq!(t.spans.len(), 3);
        assert_eq!(t.spans[1], Span { first: 6, last: 7, why: Why::Detected });
        assert_eq!(t.frames(|w| w == Why::Detected), 2);
        l.covered_whole(1);
        l.covered_whole(2);
        l.covered_whole(9);
        assert_eq!((l.whole.len(), l.whole_frames()), (2, 3));
    }
}
