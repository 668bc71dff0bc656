use placet_core::Detection;

/// Share of a box that must lie in a better one for it to say nothing new.
const INSIDE: f32 = 0.8;

/// Boxes sharing more of their union than this show one face. Both networks' authors use it.
const SAME_FACE: f32 = 0.3;

/// Leaves one box for each face: non-maximum suppression, best score first.
///
/// A box goes where a better one shares more than three tenths of their union with it, or where at least four fifths of it
/// lie inside a better one, as happens when a tile or a coarser view shows only a part of a face. A larger box around
/// a better, smaller one stays: dropping it could uncover a face.
///
/// Scores are compared as they are, so all boxes must come from one detector. The result is sorted by score, highest
/// first.
pub fn merge(found: &mut Vec<Detection>) {
    found.sort_unstable_by(|a, b| rank(b).0.cmp(&rank(a).0).then(rank(b).1.total_cmp(&rank(a).1)));
    let mut kept = 0;
    for idx in 0..found.len() {
        let Some(next) = found.get(idx).copied() else { break };
        let (better, _) = found.split_at(kept);
        if !better.iter().any(|b| says_the_same(b, &next)) {
            found.swap(kept, idx);
            kept += 1;
        }
    }
    found.truncate(kept);
}

/// Marks a box that its view's edge may cut, so that it ranks behind all others until [`unmark`]: it may show half a
/// face with a higher score than the whole face has elsewhere.
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

fn says_the_same(better: &Detection, other: &Detection) -> bool {
    let shared = better.rect.overlap(&other.rect);
    let area = other.rect.area();
    shared > SAME_FACE * (better.rect.area() + area - shared) || (area > 0.0 && shared >= INSIDE * area)
}

#[cfg(test)]
mod tests {
    use placet_core::Rect;
    use proptest::prelude::*;

    use super::*;

    fn face(x: f32, y: f32, w: f32, h: f32, score: f32) -> Detection {
        Detection { rect: Rect { x, y, w, h }, score, landmarks: None }
    }

    fn merged(faces: &[Detection]) -> Vec<f32> {
        let mut found = faces.to_vec();
        merge(&mut found);
        found.iter().map(|d| d.score).collect()
    }

    #[test]
    fn one_box_is_left_for_each_face_best_first() {
        let (a, b) = (face(0.0, 0.0, 10.0, 10.0, 0.7), face(1.0, 0.0, 10.0, 10.0, 0.8));
        let other = face(50.0, 0.0, 10.0, 10.0, 0.75);
        assert_eq!(merged(&[a, b, other]), [0.8, 0.75]);
        assert_eq!(merged(&[]), [0.0; 0]);
    }

    #[test]
    fn a_part_of_a_better_box_goes_but_a_larger_box_stays() {
        let whole = face(0.0, 0.0, 100.0, 100.0, 0.8);
        let part = |score| face(10.0, 10.0, 40.0, 40.0, score);
        assert_eq!(merged(&[whole, part(0.7)]), [0.8]);
        assert_eq!(merged(&[whole, part(0.9)]), [0.9, 0.8], "the better part does not stand for the whole");
    }

    #[test]
    fn a_marked_box_ranks_last_whatever_its_score() {
        let whole = face(0.0, 0.0, 10.0, 20.0, 0.6);
        let mut half = face(0.0, 10.0, 10.0, 10.0, 0.9);
        mark_cut(&mut half);
        let mut found = vec![half, whole];
        merge(&mut found);
        unmark(&mut found);
        assert_eq!(found, [whole]);
    }

    proptest! {
        /// Every box that goes has a better one in its place that shares with it what `merge` promises.
        #[test]
        fn nothing_goes_without_one_in_its_place(
            boxes in prop::collection::vec((0_u16..200, 0_u16..200, 1_u16..80, 1_u16..80, 0_u16..1000), 0..60)
        ) {
            let all: Vec<_> = boxes.iter().map(|&(x, y, w, h, s)| {
                face(f32::from(x), f32::from(y), f32::from(w), f32::from(h), f32::from(s) / 1000.0)
            }).collect();
            let mut kept = all.clone();
            merge(&mut kept);
            prop_assert!(kept.is_sorted_by(|a, b| a.score >= b.score));
            for one in &all {
                let stands_for_it = |k: &Detection| {
                    k.score >= one.score
                        && (k.rect.iou(&one.rect) > 0.299 || k.rect.overlap(&one.rect) >= 0.799 * one.rect.area())
                };
                let answered = kept.contains(one) || kept.iter().any(stands_for_it);
                prop_assert!(answered, "{:?} went", one);
            }
            for (idx, a) in kept.iter().enumerate() {
                prop_assert!(kept.iter().skip(idx + 1).all(|b| a.rect.iou(&b.rect) <= 0.301));
            }
        }
    }
}
