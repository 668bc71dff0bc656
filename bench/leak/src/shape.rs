//! Turned ellipses and rectangles: where a face is, and what stands in front of it.

use placet_core::Rect;
use serde::{Deserialize, Serialize};

/// A box turned about its centre.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Oval {
    /// Centre, columns from the left edge of the frame.
    pub cx: f32,
    /// Centre, rows from the upper edge.
    pub cy: f32,
    /// Width before turning.
    pub w: f32,
    /// Height before turning; for a face, upper forehead to chin.
    pub h: f32,
    /// Degrees clockwise.
    pub angle: f32,
}

impl Oval {
    /// A point of the frame in the box's own coordinates: `(-1, -1)` is its upper left corner, `(1, 1)` the lower
    /// right.
    pub fn local(&self, x: f32, y: f32) -> (f32, f32) {
        let (sin, cos) = self.angle.to_radians().sin_cos();
        let (dx, dy) = (x - self.cx, y - self.cy);
        ((dx * cos + dy * sin) / (self.w / 2.0), (dy * cos - dx * sin) / (self.h / 2.0))
    }

    /// Smallest upright rectangle around the ellipse.
    pub fn ellipse_bounds(&self) -> Rect {
        let (sin, cos) = self.angle.to_radians().sin_cos();
        let (a, b) = (self.w / 2.0, self.h / 2.0);
        let hx = (a * cos).hypot(b * sin);
        let hy = (a * sin).hypot(b * cos);
        Rect { x: self.cx - hx, y: self.cy - hy, w: 2.0 * hx, h: 2.0 * hy }
    }

    /// Smallest upright rectangle around the whole turned box.
    pub fn bounds(&self) -> Rect {
        let (sin, cos) = self.angle.to_radians().sin_cos();
        let (a, b) = (self.w / 2.0, self.h / 2.0);
        let hx = (a * cos).abs() + (b * sin).abs();
        let hy = (a * sin).abs() + (b * cos).abs();
        Rect { x: self.cx - hx, y: self.cy - hy, w: 2.0 * hx, h: 2.0 * hy }
    }

    /// How much a pixel at this point counts for recognising the face: 0 outside the ellipse, 2 from the eyes to the
    /// mouth, 1 in the rest of it.
    pub fn face_weight(&self, x: f32, y: f32) -> f32 {
        let (u, v) = self.local(x, y);
        if u * u + v * v > 1.0 {
            0.0
        } else if (-0.35..=0.65).contains(&v) {
            2.0
        } else {
            1.0
        }
    }
}

/// Something in front of a face.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "lowercase")]
pub enum Occluder {
    /// A pole or bar: the whole turned box hides what is behind it.
    Bar(Oval),
    /// A hand: the ellipse hides what is behind it.
    Hand(Oval),
}

impl Occluder {
    /// The box it is drawn in.
    pub fn oval(&self) -> Oval {
        match self {
            Self::Bar(o) | Self::Hand(o) => *o,
        }
    }

    /// Whether it hides this point.
    pub fn hides(&self, x: f32, y: f32) -> bool {
        match self {
            Self::Bar(o) => {
                let (u, v) = o.local(x, y);
                u.abs() <= 1.0 && v.abs() <= 1.0
            }
            Self::Hand(o) => {
                let (u, v) = o.local(x, y);
                u * u + v * v <= 1.0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACE: Oval = Oval { cx: 50.0, cy: 40.0, w: 20.0, h: 30.0, angle: 0.0 };

    #[test]
    fn a_quarter_turn_swaps_width_and_height() {
        let turned = Oval { angle: 90.0, ..FACE };
        let b = turned.ellipse_bounds();
        assert!((b.w - 30.0).abs() < 1e-3 && (b.h - 20.0).abs() < 1e-3, "{b:?}");
        // The forehead of a face turned clockwise by 90 degrees points right.
        let (u, v) = turned.local(65.0, 40.0);
        assert!(u.abs() < 1e-3 && (v + 1.0).abs() < 1e-3, "{u} {v}");
    }

    #[test]
    fn eyes_and_mouth_weigh_twice_the_forehead_and_corners_nothing() {
        assert_eq!(FACE.face_weight(50.0, 40.0), 2.0);
        assert_eq!(FACE.face_weight(50.0, 27.0), 1.0);
        assert_eq!(FACE.face_weight(41.0, 26.0), 0.0);
    }

    #[test]
    fn a_bar_hides_its_corners_and_a_hand_does_not() {
        let corner = (59.0, 54.0);
        assert!(Occluder::Bar(FACE).hides(corner.0, corner.1));
        assert!(!Occluder::Hand(FACE).hides(corner.0, corner.1));
    }
}
