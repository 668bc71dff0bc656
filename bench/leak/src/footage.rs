//! Real footage with boxes found by eye on key frames and interpolated between.

use std::path::Path;

use serde::Deserialize;

use crate::plan::CLASSES;
use crate::shape::Oval;
use crate::truth::{self, Truth};
use crate::{Error, video};

/// The tables shipped with the crate.
const TABLES: [(&str, &str); 2] = [
    ("truth/carphone.toml", include_str!("../truth/carphone.toml")),
    ("truth/bikes.toml", include_str!("../truth/bikes.toml")),
];

/// A table of `truth/`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footage {
    /// Name of the clip made from it.
    pub clip: String,
    /// File under `video/`.
    pub video: String,
    /// Frames a second, numerator and denominator.
    pub rate: (u32, u32),
    /// Columns and rows of the file.
    pub size: (u32, u32),
    /// How many times larger the clip is.
    pub scale: u32,
    /// Frames taken from the start.
    pub frames: u32,
    /// Faces.
    #[serde(default)]
    pub track: Vec<Track>,
}

/// One appearance of a face.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Track {
    /// Unique in the table.
    pub name: String,
    /// `[frame, left, top, width, height, tilt in degrees clockwise]`, in pixels of the file; between two keys
    /// everything changes evenly.
    pub keys: Vec<[f32; 6]>,
}

impl Track {
    /// The face on `frame`, in pixels of the file; none before the first key and after the last.
    pub fn face(&self, frame: u32) -> Option<Oval> {
        let t = frame as f32;
        let pair = self.keys.windows(2).find_map(|w| match w {
            [a, b] if a[0] <= t && t <= b[0] => Some((a, b)),
            _ => None,
        })?;
        let ([ta, a @ ..], [tb, b @ ..]) = pair;
        let k = (t - ta) / (tb - ta).max(1.0);
        let mix = |i: usize| a.get(i).zip(b.get(i)).map_or(0.0, |(a, b)| a + (b - a) * k);
        let [x, y, w, h, angle] = [mix(0), mix(1), mix(2), mix(3), mix(4)];
        Some(Oval { cx: x + w / 2.0, cy: y + h / 2.0, w, h, angle })
    }
}

/// Every table.
///
/// # Errors
/// When one does not parse.
pub fn tables() -> Result<Vec<Footage>, Error> {
    TABLES
        .iter()
        .map(|(path, text)| toml::from_str(text).map_err(|source| Error::Toml { path: path.into(), source }))
        .collect()
}

impl Footage {
    /// Columns and rows of the clip.
    pub fn enlarged(&self) -> (u32, u32) {
        (self.size.0 * self.scale, self.size.1 * self.scale)
    }

    /// What its truth file says.
    pub fn truth(&self) -> Truth {
        let (width, height) = self.enlarged();
        let k = self.scale as f32;
        let mut faces = Vec::new();
        for frame in 0..self.frames {
            for track in &self.track {
                let Some(face) = track.face(frame) else { continue };
                let face = Oval { cx: face.cx * k, cy: face.cy * k, w: face.w * k, h: face.h * k, ..face };
                let b = face.ellipse_bounds();
                let apart = |c: &&u32| (face.h / **c as f32).ln().abs().to_bits();
                faces.push(truth::Face {
                    frame,
                    track: format!("{}.{}", self.clip, track.name),
                    person: track.name.clone(),
                    class: CLASSES.iter().min_by_key(apart).copied().unwrap_or_default(),
                    condition: "real footage".into(),
                    face,
                    bounds: [b.x, b.y, b.w, b.h],
                    visible: truth::visible_share(&face, &[], width, height),
                    occluders: Vec::new(),
                });
            }
        }
        // A track belongs to one size class: that of its middle.
        for track in &self.track {
            let name = format!("{}.{}", self.clip, track.name);
            let classes: Vec<u32> = faces.iter().filter(|f| f.track == name).map(|f| f.class).collect();
            if let Some(&class) = classes.get(classes.len() / 2) {
                faces.iter_mut().filter(|f| f.track == name).for_each(|f| f.class = class);
            }
        }
        let clip =
            truth::Clip { clip: self.clip.clone(), width, height, rate: self.rate, frames: self.frames };
        Truth { clip, faces }
    }

    /// Makes the clip.
    ///
    /// # Errors
    /// When the file is missing or ffmpeg fails.
    pub fn make(&self, data: &Path, to: &Path) -> Result<(), Error> {
        video::enlarge(&data.join("video").join(&self.video), to, self.enlarged(), self.frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_keys_a_face_moves_evenly_and_outside_them_it_is_not_there() {
        let track = Track {
            name: "a".into(),
            keys: vec![[2.0, 10.0, 20.0, 8.0, 10.0, 0.0], [6.0, 18.0, 20.0, 8.0, 10.0, 40.0]],
        };
        let mid = track.face(4).unwrap();
        assert_eq!((mid.cx, mid.cy, mid.angle), (18.0, 25.0, 20.0));
        assert!(track.face(1).is_none() && track.face(7).is_none());
    }

    #[test]
    fn every_table_parses_and_its_clip_has_sides_the_peer_does_not_change() {
        for table in tables().unwrap() {
            let (w, h) = table.enlarged();
            assert_eq!((w % 16, h % 16), (0, 0), "{}", table.clip);
            assert!(
                table.track.iter().all(|t| t.keys.windows(2).all(|w| w[0][0] < w[1][0])),
                "{}",
                table.clip
            );
        }
    }
}
