use placet_core::{Rect, Size};

/// Which part of its rectangle a region hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Shape {
    /// The ellipse inscribed in the rectangle.
    #[default]
    Ellipse,
    /// All of the rectangle.
    Box,
}

/// A part of a frame to hide. May reach outside the frame; every pixel it touches is hidden whole.
///
/// Where a number of the rectangle is not finite the region widens to the frame's edges rather than vanish.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Where, in luma pixels of the stored frame.
    pub rect: Rect,
    /// Which part of it.
    pub shape: Shape,
}

/// What takes a hidden region's place. Neither keeps anything of what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Fill {
    /// Colors of the picture around the regions, smoothly continued into them.
    #[default]
    Surround,
    /// One color: red, green, blue, full range.
    Solid([u8; 3]),
}

impl Fill {
    /// Solid black.
    pub const BLACK: Self = Self::Solid([0, 0, 0]);
}

impl Region {
    /// The whole frame.
    pub fn whole(size: Size) -> Self {
        Self { rect: size.rect(), shape: Shape::Box }
    }

    /// First and one-past-last column touched in pixel row `y` of a frame; none where the region does not meet it.
    pub(crate) fn row_span(&self, y: u32, frame: Size) -> Option<(u32, u32)> {
        let px = self.rect.pixels(frame)?;
        if y < px.y || y >= px.y + px.h {
            return None;
        }
        let r = self.rect;
        let finite = [r.x, r.y, r.w, r.h, r.right(), r.bottom()].iter().all(|v| v.is_finite());
        if self.shape == Shape::Box || !finite {
            return Some((px.x, px.x + px.w));
        }
        let (a, b) = (f64::from(r.w) / 2.0, f64::from(r.h) / 2.0);
        let (cx, cy) = (f64::from(r.x) + a, f64::from(r.y) + b);
        // Widest chord of the ellipse within the row, so that no touched pixel is missed.
        let off = (f64::from(y) - cy).max(cy - f64::from(y + 1)).max(0.0);
        let ratio = if b > 0.0 { off / b } else { 0.0 };
        if ratio > 1.0 {
            return None;
        }
        let half = a * (1.0 - ratio * ratio).sqrt();
        let x0 = (cx - half).floor().max(f64::from(px.x)) as u32;
        let x1 = (cx + half).ceil().min(f64::from(px.x + px.w)).max(0.0) as u32;
        (x1 > x0).then_some((x0, x1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Size = Size { width: 40, height: 30 };

    #[test]
    fn an_ellipse_touches_its_axes_ends_and_not_the_corners() {
        let r = Region { rect: Rect { x: 10.0, y: 5.0, w: 20.0, h: 10.0 }, shape: Shape::Ellipse };
        assert_eq!(r.row_span(4, FRAME), None);
        assert_eq!(r.row_span(15, FRAME), None);
        assert_eq!(r.row_span(9, FRAME), Some((10, 30)));
        let (x0, x1) = r.row_span(5, FRAME).unwrap();
        assert!(x0 > 12 && x1 < 28, "{x0}..{x1}");
        assert_eq!(x0 - 10, 30 - x1);
    }

    #[test]
    fn what_is_not_a_number_hides_more_not_less() {
        let r = Region { rect: Rect { x: f32::NAN, y: 5.0, w: 20.0, h: 10.0 }, shape: Shape::Ellipse };
        assert_eq!(r.row_span(7, FRAME), Some((0, 40)));
    }

    #[test]
    fn a_region_off_the_frame_touches_nothing() {
        let r = Region { rect: Rect { x: 41.0, y: 5.0, w: 20.0, h: 10.0 }, shape: Shape::Box };
        assert!((0..30).all(|y| r.row_span(y, FRAME).is_none()));
    }
}
