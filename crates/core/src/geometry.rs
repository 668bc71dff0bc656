/// Width and height in luma pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// Number of pixels.
    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The rectangle from the origin that covers all of it.
    pub fn rect(self) -> Rect {
        Rect { x: 0.0, y: 0.0, w: self.width as f32, h: self.height as f32 }
    }
}

/// A rectangle in fractional luma pixels; may reach outside the frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width, not negative.
    pub w: f32,
    /// Height, not negative.
    pub h: f32,
}

impl Rect {
    /// Right edge.
    pub fn right(&self) -> f32 {
        self.x + self.w
    }

    /// Lower edge.
    pub fn bottom(&self) -> f32 {
        self.y + self.h
    }

    /// Centre as `(x, y)`.
    pub fn center(&self) -> (f32, f32) {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// Area in square pixels.
    pub fn area(&self) -> f32 {
        self.w.max(0.0) * self.h.max(0.0)
    }

    /// Area shared with `other`.
    pub fn overlap(&self, other: &Self) -> f32 {
        let w = self.right().min(other.right()) - self.x.max(other.x);
        let h = self.bottom().min(other.bottom()) - self.y.max(other.y);
        w.max(0.0) * h.max(0.0)
    }

    /// Intersection over union, 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.overlap(other);
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// Grown (or shrunk) about its centre: `scaled(1.3)` is 1.3 times as wide and as high.
    pub fn scaled(&self, factor: f32) -> Self {
        let (cx, cy) = self.center();
        let (w, h) = (self.w * factor, self.h * factor);
        Self { x: cx - w / 2.0, y: cy - h / 2.0, w, h }
    }

    /// The smallest rectangle that covers both.
    pub fn union(&self, other: &Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self { x, y, w: self.right().max(other.right()) - x, h: self.bottom().max(other.bottom()) - y }
    }

    /// Between `self` (at 0) and `other` (at 1).
    pub fn lerp(&self, other: &Self, t: f32) -> Self {
        let mix = |a: f32, b: f32| a + (b - a) * t;
        Self {
            x: mix(self.x, other.x),
            y: mix(self.y, other.y),
            w: mix(self.w, other.w),
            h: mix(self.h, other.h),
        }
    }

    /// Every pixel the rectangle touches, cut to the frame; none where they do not meet, or where an edge is not a
    /// number.
    pub fn pixels(&self, frame: Size) -> Option<PixelRect> {
        let x0 = self.x.floor().max(0.0);
        let y0 = self.y.floor().max(0.0);
        let x1 = self.right().ceil().min(frame.width as f32);
        let y1 = self.bottom().ceil().min(frame.height as f32);
        (x1 > x0 && y1 > y0).then_some(PixelRect {
            x: x0 as u32,
            y: y0 as u32,
            w: (x1 - x0) as u32,
            h: (y1 - y0) as u32,
        })
    }
}

/// A rectangle of whole pixels inside a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PixelRect {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns.
    pub w: u32,
    /// Rows.
    pub h: u32,
}

impl PixelRect {
    /// The same in fractional pixels.
    pub fn rect(self) -> Rect {
        Rect { x: self.x as f32, y: self.y as f32, w: self.w as f32, h: self.h as f32 }
    }
}

/// A face a detector found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Box around the face, forehead to chin.
    pub rect: Rect,
    /// The detector's own score, 0 to 1. Scores of different detectors do not compare.
    pub score: f32,
    /// Right eye, left eye, nose tip, right and left corner of the mouth (the person's right), `[x, y]`, where the
    /// detector gives them.
    pub landmarks: Option<[[f32; 2]; 5]>,
}

/// How far a player turns the stored frame clockwise to show it upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Rotation {
    /// Stored upright.
    #[default]
    None,
    /// 90 degrees clockwise.
    Cw90,
    /// Upside down.
    Half,
    /// 270 degrees clockwise.
    Cw270,
}

impl Rotation {
    /// From degrees clockwise; none where they are no multiple of 90.
    pub fn from_degrees_cw(degrees: i32) -> Option<Self> {
        match degrees.rem_euclid(360) {
            0 => Some(Self::None),
            90 => Some(Self::Cw90),
            180 => Some(Self::Half),
            270 => Some(Self::Cw270),
            _ => None,
        }
    }

    /// Degrees clockwise: 0, 90, 180 or 270.
    pub fn degrees_cw(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Cw90 => 90,
            Self::Half => 180,
            Self::Cw270 => 270,
        }
    }

    /// Size of the upright picture, given the stored one's.
    pub fn upright(self, stored: Size) -> Size {
        match self {
            Self::None | Self::Half => stored,
            Self::Cw90 | Self::Cw270 => Size { width: stored.height, height: stored.width },
        }
    }

    /// Takes a rectangle of the upright picture back to the stored frame of size `stored`.
    pub fn to_stored(self, upright: Rect, stored: Size) -> Rect {
        let (w, h) = (stored.width as f32, stored.height as f32);
        let r = upright;
        match self {
            Self::None => r,
            Self::Cw90 => Rect { x: r.y, y: h - r.right(), w: r.h, h: r.w },
            Self::Half => Rect { x: w - r.right(), y: h - r.bottom(), w: r.w, h: r.h },
            Self::Cw270 => Rect { x: w - r.bottom(), y: r.x, w: r.h, h: r.w },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Size = Size { width: 100, height: 50 };

    #[test]
    fn pixels_cover_what_the_rectangle_touches_and_stay_inside() {
        let r = Rect { x: -3.5, y: 10.2, w: 10.0, h: 100.0 };
        assert_eq!(r.pixels(FRAME), Some(PixelRect { x: 0, y: 10, w: 7, h: 40 }));
        assert_eq!(Rect { x: 100.0, y: 0.0, w: 5.0, h: 5.0 }.pixels(FRAME), None);
        assert_eq!(
            Rect { x: f32::NAN, y: 0.0, w: 5.0, h: 5.0 }.pixels(FRAME),
            Some(PixelRect { x: 0, y: 0, w: 100, h: 5 })
        );
    }

    #[test]
    fn rotation_maps_the_upright_corner_back() {
        // A pixel in the upright picture's upper left corner.
        let corner = Rect { x: 0.0, y: 0.0, w: 1.0, h: 1.0 };
        let at = |r: Rotation| r.to_stored(corner, FRAME);
        assert_eq!(at(Rotation::None), corner);
        assert_eq!(at(Rotation::Cw90), Rect { x: 0.0, y: 49.0, w: 1.0, h: 1.0 });
        assert_eq!(at(Rotation::Half), Rect { x: 99.0, y: 49.0, w: 1.0, h: 1.0 });
        assert_eq!(at(Rotation::Cw270), Rect { x: 99.0, y: 0.0, w: 1.0, h: 1.0 });
    }

    #[test]
    fn iou_of_equal_boxes_is_one_and_of_apart_boxes_zero() {
        let a = Rect { x: 0.0, y: 0.0, w: 4.0, h: 4.0 };
        assert_eq!(a.iou(&a), 1.0);
        assert_eq!(a.iou(&Rect { x: 4.0, ..a }), 0.0);
        assert_eq!(a.scaled(2.0), Rect { x: -2.0, y: -2.0, w: 8.0, h: 8.0 });
    }
}
