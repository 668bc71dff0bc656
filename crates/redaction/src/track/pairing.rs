//! Which detection belongs to which track.
//!
//! Two thresholds as in ByteTrack (Zhang et al., ECCV 2022): strong detections are paired first, weak ones only with
//! tracks left over. The price of a pair adds distance of centres in sizes, lack of overlap, difference in size and
//! time unseen; pairs are taken cheapest first.

use placet_core::{Detection, Rect, Size};

/// Sides of a pair's boxes differ by no more than this factor.
const SIZE_FACTOR: f32 = 2.0;

/// Boxes that overlap by this much pair at any distance.
const ENOUGH_IOU: f32 = 0.3;

/// Faces of which a common motion can be told.
const COMPANY: usize = 3;

/// Side of the square of a box's area.
pub(super) fn side(rect: &Rect) -> f32 {
    rect.area().sqrt()
}

/// Where a track is expected in the present frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outlook {
    /// Index of the track.
    pub track: usize,
    /// Had it gone on straight.
    pub straight: Rect,
    /// Had it slowed down.
    pub damped: Rect,
    /// It may be as far from there, in pixels.
    pub reach: f32,
    /// Time unseen, in longest gaps.
    pub age: f32,
    /// Seen within the last quarter second.
    pub fresh: bool,
}

impl Outlook {
    /// The price of pairing with `rect`; none where it cannot be.
    pub fn cost(&self, rect: &Rect) -> Option<f32> {
        let (own, other) = (side(&self.straight), side(rect));
        let ratio = own.max(other) / own.min(other).max(1e-3);
        if ratio > SIZE_FACTOR {
            return None;
        }
        let distance = distance(&self.straight, rect).min(distance(&self.damped, rect));
        if distance > self.reach + own + other {
            return None;
        }
        let iou = self.straight.iou(rect).max(self.damped.iou(rect));
        if distance > self.reach && iou < ENOUGH_IOU {
            return None;
        }
        let size = ((own + other) / 2.0).max(1.0);
        Some(distance / size + (1.0 - iou) + 0.5 * (ratio - 1.0) + 0.5 * self.age)
    }

    fn shifted(&self, (dx, dy): (f32, f32)) -> Self {
        let moved = |r: Rect| Rect { x: r.x + dx, y: r.y + dy, ..r };
        Self { straight: moved(self.straight), damped: moved(self.damped), ..*self }
    }
}

fn distance(a: &Rect, b: &Rect) -> f32 {
    let ((ax, ay), (bx, by)) = (a.center(), b.center());
    ((ax - bx) * (ax - bx) + (ay - by) * (ay - by)).sqrt()
}

/// The pairs of one frame; keeps its memory from frame to frame.
#[derive(Default)]
pub(super) struct Pairing {
    costs: Vec<(f32, usize, usize)>,
    /// Track and detection, by index, of the last pass.
    pairs: Vec<(usize, usize)>,
    /// Per outlook: it has its detection.
    served: Vec<bool>,
    strong: Vec<bool>,
    weak: Vec<bool>,
    moves: Vec<(f32, f32)>,
}

impl Pairing {
    /// Pairs strong detections. Where the picture as a whole has moved, so that many tracks find nothing or find it all
    /// to one side, the outlooks are moved along and the rest is paired again.
    pub fn strong(&mut self, outlooks: &mut [Outlook], detections: &[Detection], frame: Size) {
        self.begin(outlooks.len(), detections.len());
        self.pair(outlooks, detections, true, 1.0);
        let fresh = outlooks.iter().filter(|o| o.fresh).count();
        if fresh >= COMPANY && self.pairs.len() * 2 < fresh {
            let Some(shift) = self.common_shift(outlooks, detections, frame) else { return };
            outlooks.iter_mut().for_each(|o| *o = o.shifted(shift));
            self.begin(outlooks.len(), detections.len());
            self.pair(outlooks, detections, true, 1.0);
        } else if let Some(shift) = self.median(|(track, det)| {
            let outlook = outlooks.iter().find(|o| o.track == *track && o.fresh)?;
            let ((x0, y0), (x1, y1)) = (outlook.straight.center(), detections.get(*det)?.rect.center());
            Some((x1 - x0, y1 - y0))
        }) {
            let late = outlooks.iter_mut().zip(&self.served).filter(|(_, served)| !**served);
            late.for_each(|(o, _)| *o = o.shifted(shift));
            self.pair(outlooks, detections, true, 1.0);
        }
    }

    /// Pairs weak detections with the tracks left over, which must be nearer.
    pub fn weak(&mut self, outlooks: &[Outlook], detections: &[Detection]) {
        self.pairs.clear();
        self.weak.clear();
        self.weak.resize(detections.len(), false);
        self.pair(outlooks, detections, false, 0.6);
    }

    /// Track and detection, by index, of the last pass.
    pub fn pairs(&self) -> &[(usize, usize)] {
        &self.pairs
    }

    pub fn strong_is_taken(&self, idx: usize) -> bool {
        self.strong.get(idx).copied().unwrap_or(false)
    }

    pub fn weak_is_taken(&self, idx: usize) -> bool {
        self.weak.get(idx).copied().unwrap_or(false)
    }

    /// Median of what `measure` says of the last pass's pairs, if there are enough of them.
    pub fn median(&mut self, measure: impl Fn(&(usize, usize)) -> Option<(f32, f32)>) -> Option<(f32, f32)> {
        self.moves.clear();
        self.moves.extend(self.pairs.iter().filter_map(measure));
        if self.moves.len() < COMPANY {
            return None;
        }
        let middle = self.moves.len() / 2;
        let (_, x, _) = self.moves.select_nth_unstable_by(middle, |a, b| a.0.total_cmp(&b.0));
        let x = x.0;
        let (_, y, _) = self.moves.select_nth_unstable_by(middle, |a, b| a.1.total_cmp(&b.1));
        Some((x, y.1))
    }

    fn begin(&mut self, tracks: usize, detections: usize) {
        self.pairs.clear();
        self.served.clear();
        self.served.resize(tracks, false);
        self.strong.clear();
        self.strong.resize(detections, false);
    }

    /// Pairs what is free on both sides, cheapest first; equal prices in order of track and detection.
    fn pair(&mut self, outlooks: &[Outlook], detections: &[Detection], strong: bool, reach: f32) {
        let Self { costs, pairs, served, .. } = self;
        let taken = if strong { &mut self.strong } else { &mut self.weak };
        costs.clear();
        for (o, outlook) in outlooks.iter().enumerate().filter(|(o, _)| served.get(*o) == Some(&false)) {
            let outlook = Outlook { reach: outlook.reach * reach, ..*outlook };
            for (d, det) in detections.iter().enumerate().filter(|(d, _)| taken.get(*d) == Some(&false)) {
                costs.extend(outlook.cost(&det.rect).map(|cost| (cost, o, d)));
            }
        }
        costs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        for (_, o, d) in costs.iter() {
            let (Some(served), Some(taken)) = (served.get_mut(*o), taken.get_mut(*d)) else { continue };
            if !*served && !*taken {
                (*served, *taken) = (true, true);
                pairs.extend(outlooks.get(*o).map(|outlook| (outlook.track, *d)));
            }
        }
    }

    /// The one shift that brings most fresh tracks onto a detection, if that is two thirds of them. Candidates are the
    /// ways from the first few tracks to every detection in reach.
    fn common_shift(
        &self,
        outlooks: &[Outlook],
        detections: &[Detection],
        frame: Size,
    ) -> Option<(f32, f32)> {
        const ANCHORS: usize = 6;
        const WITNESSES: usize = 32;
        let far = 0.15 * frame.width.max(frame.height) as f32;
        let fresh = || outlooks.iter().filter(|o| o.fresh).take(WITNESSES);
        let alike = |a: &Rect, b: &Rect| {
            let (a, b) = (side(a), side(b));
            a.max(b) <= 1.5 * a.min(b)
        };
        let mut best: Option<(usize, f32, (f32, f32))> = None;
        for anchor in fresh().take(ANCHORS) {
            for det in detections.iter().filter(|d| alike(&d.rect, &anchor.straight)) {
                let ((x0, y0), (x1, y1)) = (anchor.straight.center(), det.rect.center());
                let (shift, way) = ((x1 - x0, y1 - y0), distance(&anchor.straight, &det.rect));
                if way > far {
                    continue;
                }
                let hits = fresh().map(|o| o.shifted(shift)).filter(|o| {
                    let near = |d: &Detection| distance(&o.straight, &d.rect) < 0.35 * side(&d.rect);
                    detections.iter().any(|d| near(d) && alike(&d.rect, &o.straight))
                });
                let hits = hits.count();
                if best.is_none_or(|(most, shortest, _)| hits > most || (hits == most && way < shortest)) {
                    best = Some((hits, way, shift));
                }
            }
        }
        best.filter(|(hits, ..)| *hits >= COMPANY && hits * 3 >= fresh().count() * 2).map(|(.., shift)| shift)
    }
}
