//! From a face box to the region that hides it.

use placet_core::Rect;

use crate::{Region, Shape};

/// What of a person to hide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Target {
    /// The face.
    #[default]
    Face,
    /// The head with hair, ears and chin: the face box by [`HEAD`].
    Head,
}

/// How far a head reaches beyond the detector's face box (forehead to chin).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeadFactors {
    /// Width of the head in widths of the box, about its centre.
    pub width: f32,
    /// Reach above the box, in heights of the box.
    pub up: f32,
    /// Reach below the box, in heights of the box.
    pub down: f32,
}

/// Head from face: 1.6 widths, 0.7 heights above, 0.35 below.
pub const HEAD: HeadFactors = HeadFactors { width: 1.6, up: 0.7, down: 0.35 };

/// deface's default `--mask-scale`. At this scale the inscribed ellipse still covers all of the box it was made from
/// (true from 1.2072 on).
pub const MASK_SCALE: f32 = 1.3;

/// The region that hides the face in box `rect`.
///
/// `mask_scale` means what deface's `--mask-scale` means: *each* side moves outwards by `mask_scale - 1` box widths
/// (heights), so 1.3 gives a box 1.6 times as wide. A head is enlarged by [`HEAD`] first.
pub fn mask_region(rect: Rect, target: Target, mask_scale: f32, shape: Shape) -> Region {
    let base = match target {
        Target::Face => rect,
        Target::Head => head(rect),
    };
    let factor = (1.0 + 2.0 * (mask_scale - 1.0)).max(0.0);
    Region { rect: base.scaled(factor), shape }
}

fn head(face: Rect) -> Rect {
    let wide = Rect { w: face.w * HEAD.width, x: face.center().0 - face.w * HEAD.width / 2.0, ..face };
    Rect { y: face.y - face.h * HEAD.up, h: face.h * (1.0 + HEAD.up + HEAD.down), ..wide }
}

#[cfg(test)]
mod tests {
    use placet_core::Size;

    use super::*;

    const FACE: Rect = Rect { x: 100.0, y: 100.0, w: 50.0, h: 60.0 };

    #[test]
    fn a_face_at_1_3_moves_each_side_by_three_tenths() {
        let r = mask_region(FACE, Target::Face, 1.3, Shape::Box).rect;
        for (is, want) in [(r.x, 85.0), (r.right(), 165.0), (r.y, 82.0), (r.bottom(), 178.0)] {
            assert!((is - want).abs() < 1e-3, "{is} {want}");
        }
    }

    #[test]
    fn the_default_ellipse_covers_the_box_it_was_made_from() {
        let frame = Size { width: 300, height: 300 };
        let region = mask_region(FACE, Target::Face, MASK_SCALE, Shape::Ellipse);
        for y in 100..160 {
            let (x0, x1) = region.row_span(y, frame).unwrap();
            assert!(x0 <= 100 && x1 >= 150, "row {y}: {x0}..{x1}");
        }
    }

    #[test]
    fn a_head_holds_the_face_and_more_above_than_below() {
        let r = mask_region(FACE, Target::Head, 1.0, Shape::Box).rect;
        assert!((r.w - 80.0).abs() < 1e-3 && (r.x - 85.0).abs() < 1e-3);
        assert!((r.y - 58.0).abs() < 1e-3 && (r.bottom() - 181.0).abs() < 1e-3);
    }
}
