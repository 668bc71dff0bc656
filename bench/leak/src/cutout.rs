//! Heads cut out of still pictures along a feathered edge.

use std::path::Path;

use placet_core::Rect;
use serde::Deserialize;

use crate::Error;
use crate::picture::{Picture, Pyramid};
use crate::shape::Oval;

/// Half the head's width in face widths: hair and ears, not the neighbour.
const HEAD_HALF_WIDTH: f32 = 0.85;
/// Half the head's height in face heights.
const HEAD_HALF_HEIGHT: f32 = 0.80;
/// How far the head's centre lies above the face's, in face heights.
const HEAD_RISE: f32 = 0.06;
/// How far below the face's centre the shoulders have theirs, in face heights.
const SHOULDERS_DROP: f32 = 1.15;
/// How far below the face's centre the neck has its own, in face heights.
const NECK_DROP: f32 = 0.65;
/// Half the shoulders' height in face heights.
const SHOULDERS_HALF_HEIGHT: f32 = 0.62;

/// A row of `truth/stills.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Still {
    /// File name under `pictures/`.
    pub picture: String,
    /// Number of the person.
    pub person: String,
    /// `[x, y, width, height]`, upper forehead to chin, before turning.
    #[serde(rename = "box")]
    pub bounds: [f32; 4],
    /// How far the head is tilted clockwise in the picture.
    #[serde(default)]
    pub tilt_degrees: f32,
    /// Half the width of what is kept below the chin, in face heights.
    pub shoulders: Option<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stills {
    face: Vec<Still>,
}

/// Boxes of the faces in still pictures, checked by eye.
const STILLS: &str = include_str!("../truth/stills.toml");

/// The rows of `truth/stills.toml`.
///
/// # Errors
/// When the table does not parse.
pub fn stills() -> Result<Vec<Still>, Error> {
    toml::from_str::<Stills>(STILLS)
        .map(|t| t.face)
        .map_err(|source| Error::Toml { path: "truth/stills.toml".into(), source })
}

impl Still {
    /// The face in the picture.
    pub fn face(&self) -> Oval {
        let [x, y, w, h] = self.bounds;
        Oval { cx: x + w / 2.0, cy: y + h / 2.0, w, h, angle: self.tilt_degrees }
    }

    /// How much of the pixel at `(x, y)` of the picture belongs to the cut-out, 0 to 1.
    fn alpha(&self, x: f32, y: f32) -> f32 {
        let face = self.face();
        let (u, v) = face.local(x, y);
        let head = (u / 2.0 / HEAD_HALF_WIDTH).hypot((v / 2.0 + HEAD_RISE) / HEAD_HALF_HEIGHT);
        let below = self.shoulders.map_or(f32::MAX, |half_width| {
            let (dx, dy) = ((x - face.cx) / face.h, (y - face.cy) / face.h);
            let shoulders = (dx / half_width).hypot((dy - SHOULDERS_DROP) / SHOULDERS_HALF_HEIGHT);
            let neck = (dx * face.h / face.w / 0.7).hypot((dy - NECK_DROP) / 0.5);
            shoulders.min(neck)
        });
        let feather = |r: f32, soft: f32| {
            let t = ((1.0 - r) / soft).clamp(0.0, 1.0);
            t * t * (3.0 - 2.0 * t)
        };
        feather(head, 0.16).max(feather(below, 0.3))
    }

    /// What the cut-out takes of the picture.
    fn extent(&self) -> Rect {
        let face = self.face();
        let head = Oval {
            w: face.w * HEAD_HALF_WIDTH * 2.0,
            h: face.h * (HEAD_HALF_HEIGHT + HEAD_RISE) * 2.0,
            ..face
        };
        let head = head.ellipse_bounds();
        let Some(half_width) = self.shoulders else { return head };
        head.union(&Rect {
            x: face.cx - half_width * face.h,
            y: face.cy + (SHOULDERS_DROP - SHOULDERS_HALF_HEIGHT) * face.h,
            w: 2.0 * half_width * face.h,
            h: 2.0 * SHOULDERS_HALF_HEIGHT * face.h,
        })
    }
}

/// A head with transparent surroundings.
#[derive(Clone, Debug)]
pub struct Cutout {
    /// Number of the person.
    pub person: String,
    /// The face in the cut-out's own pixels.
    pub face: Oval,
    /// The pixels.
    pub pyramid: Pyramid,
    /// Half extents in face heights, left, up, right, down of the face's centre.
    pub reach: [f32; 4],
}

impl Cutout {
    /// Cuts one head out of its picture.
    pub fn new(still: &Still, picture: &Picture) -> Self {
        let size = placet_core::Size { width: picture.width as u32, height: picture.height as u32 };
        let take = still.extent();
        let take = take.pixels(size).map_or(take, |p| p.rect());
        let (width, height) = (take.w as usize, take.h as usize);
        let mut pixels = Vec::with_capacity(width * height);
        for j in 0..height {
            for i in 0..width {
                let (x, y) = (take.x + i as f32, take.y + j as f32);
                let alpha = still.alpha(x + 0.5, y + 0.5);
                pixels.push(picture.at(x as isize, y as isize).map(|v| v * alpha));
            }
        }
        let face = still.face();
        let local = Oval { cx: face.cx - take.x, cy: face.cy - take.y, ..face };
        Self {
            person: still.person.clone(),
            face: local,
            pyramid: Pyramid::new(Picture { width, height, pixels }),
            reach: [local.cx, local.cy, take.w - local.cx, take.h - local.cy].map(|v| v / face.h),
        }
    }

    /// Cuts out every row of the table.
    ///
    /// # Errors
    /// When a picture is missing or broken.
    pub fn all(pictures: &Path) -> Result<Vec<Self>, Error> {
        let mut open: Option<(String, Picture)> = None;
        let mut all = Vec::new();
        for still in stills()? {
            let picture = match open.take().filter(|(name, _)| *name == still.picture) {
                Some((_, picture)) => picture,
                None => Picture::open(&pictures.join(&still.picture))?,
            };
            all.push(Self::new(&still, &picture));
            open = Some((still.picture, picture));
        }
        Ok(all)
    }

    /// The face when drawn `height` pixels high with its centre at `(cx, cy)`, turned by `turn` degrees, mirrored or
    /// not.
    pub fn placed(&self, cx: f32, cy: f32, height: f32, turn: f32, mirrored: bool) -> Oval {
        let tilt = if mirrored { -self.face.angle } else { self.face.angle };
        Oval { cx, cy, w: self.face.w / self.face.h * height, h: height, angle: tilt + turn }
    }

    /// The rectangle around everything drawn for a face placed there, turned by at most `turn` degrees.
    pub fn drawn(&self, face: &Oval, turn: f32, mirrored: bool) -> Rect {
        let [l, t, r, b] = self.reach.map(|v| v * face.h);
        let (l, r) = if mirrored { (r, l) } else { (l, r) };
        let (l, r) = (l.max(r), l.max(r));
        let around = Oval { cx: face.cx, cy: face.cy, w: l + r, h: 2.0 * t.max(b), angle: turn };
        if turn == 0.0 {
            Rect { x: face.cx - l, y: face.cy - t, w: l + r, h: t + b }
        } else {
            around.bounds()
        }
    }

    /// The rectangle around the head alone, whatever its turn.
    pub fn head(face: &Oval) -> Rect {
        let head = Oval {
            w: face.w * HEAD_HALF_WIDTH * 2.0,
            h: face.h * (HEAD_HALF_HEIGHT + HEAD_RISE) * 2.0,
            ..*face
        };
        head.ellipse_bounds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_a_plausible_face() {
        let rows = stills().unwrap();
        assert!(rows.len() >= 25);
        for row in rows {
            let [_, _, w, h] = row.bounds;
            assert!((0.6..1.0).contains(&(w / h)), "{}: {w} by {h}", row.person);
            assert!(row.tilt_degrees.abs() < 45.0);
        }
    }

    #[test]
    fn a_cut_out_is_opaque_on_the_face_and_clear_at_its_corners() {
        let still = Still {
            picture: String::new(),
            person: "p".into(),
            bounds: [80.0, 80.0, 40.0, 50.0],
            tilt_degrees: 0.0,
            shoulders: None,
        };
        let cutout = Cutout::new(&still, &Picture::from_rgb(200, 200, &[200; 120_000]));
        let full = cutout.pyramid.full();
        let at = |x: f32, y: f32| full.at(x as isize, y as isize)[3];
        assert_eq!(at(cutout.face.cx, cutout.face.cy), 1.0);
        assert_eq!(at(cutout.face.cx - 20.0, cutout.face.cy), 1.0);
        assert_eq!(at(0.0, 0.0), 0.0);
    }
}
