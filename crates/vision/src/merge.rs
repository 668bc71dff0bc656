use placet_core::Detection;

/// Share of a box that must lie in a better one for it to say nothing new.
const INSIDE: f32 = 0.8;

/// Leaves one box for each face: non-maximum suppression, best score first.
///
/// A box goes where a better one shares more than `iou` of their union with it, or where at least four fifths of it
/// lie inside a better one, as happens when a tile or a coarser view shows only a part of a face. A larger box around
/// a better, smaller one stays: dropping it could uncover a face.
///
/// Scores are compared as they are, so all boxes must come from one detector. The result is sorted by score, highest
/// first.
pub fn merge(found: &mut Vec<Detection>, iou: f32) {
    found.sort_unstable_by(|a, b| rank(b).0.cmp(&rank(a).0).then(rank(b).1.total_cmp(&rank(a).1)));
    let mut kept = 0;
    for idx in 0..found.len() {
        let Some(next) = found.get(idx).copied() else { break };
        let (better, _) = found.split_at(kept);
        if !better.iter().any(|b| says_the_same(b, &next, iou)) {
            found.swap(kept, idx);
            kept += 1;
        }
    }
    found.truncate(kept);
}

/// Marks a box that reaches the edge of its view inside the frame, so that it ranks behind all others until
/// [`unmark`]: it may show half a face with a higher score than the whole face has elsewhere.
pub(crate) fn mark_cut(detection: &mut Detection) {
    detection.score = -detection.score.abs();
}

/// Takes the marks off again.
pub(crate) fn unmark(found: &mut [Detection]) {
    found.iter_mut().for_each(|d| d.score = d.score.abs());
}

fn rank(detection: &Detection) -> (bool, f32) {
    (detection.score.is_sign_positive(), detection.score.abs())
}

fn says_the_same(better: &Detection, other: &Detection, iou: f32) -> bool {
    let shared = better.rect.overlap(&other.rect);
    let area = other.rect.area();
    shared > iou * (better.rect.area() + area - shared) || (area > 0.0 && shared >= INSIDE * area)
}
