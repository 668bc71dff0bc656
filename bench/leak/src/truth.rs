//! Truth files: JSON lines beside a clip. The first line describes the clip, each further one a face on a frame.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::shape::{Occluder, Oval};

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    /// Name, also of the video file without its extension.
    pub clip: String,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Frames a second, numerator and denominator.
    pub rate: (u32, u32),
    /// Number of frames.
    pub frames: u32,
}

/// One face on one frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Counted from 0.
    pub frame: u32,
    /// One appearance of one person: unbroken, unique over all clips.
    pub track: String,
    /// Whose face it is, by the number in the table of cut-outs.
    pub person: String,
    /// Size class: face height in pixels.
    pub class: u32,
    /// What makes this appearance hard.
    pub condition: String,
    /// The face, forehead to chin, turned.
    pub face: Oval,
    /// Upright box around the face's ellipse: `[x, y, width, height]`, may reach outside the frame.
    #[serde(rename = "box")]
    pub bounds: [f32; 4],
    /// Share of the face (by weight, see [`Oval::face_weight`]) inside the frame and behind nothing, 0 to 1.
    pub visible: f32,
    /// What stands in front of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub occluders: Vec<Occluder>,
}

/// A whole truth file.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// What it describes.
    pub clip: Clip,
    /// In the order of frames.
    pub faces: Vec<Face>,
}

impl Truth {
    /// Writes JSON lines.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let mut out = BufWriter::new(File::create(path).map_err(Error::file(path))?);
        let mut line = |value: serde_json::Result<String>| -> std::io::Result<()> {
            writeln!(out, "{}", value.map_err(std::io::Error::other)?)
        };
        line(serde_json::to_string(&self.clip)).map_err(Error::file(path))?;
        for face in &self.faces {
            line(serde_json::to_string(face)).map_err(Error::file(path))?;
        }
        out.flush().map_err(Error::file(path))
    }

    /// Reads what [`Truth::write`] wrote.
    ///
    /// # Errors
    /// When the file cannot be read, a line does not parse, or a face is on a frame the clip does not have.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = BufReader::new(File::open(path).map_err(Error::file(path))?);
        let parse_err = |line| move |source| Error::Json { path: path.into(), line, source };
        let mut clip: Option<Clip> = None;
        let mut faces = Vec::new();
        for (idx, text) in file.lines().enumerate() {
            let text = text.map_err(Error::file(path))?;
            if clip.is_none() {
                clip = Some(serde_json::from_str(&text).map_err(parse_err(idx + 1))?);
            } else {
                faces.push(serde_json::from_str::<Face>(&text).map_err(parse_err(idx + 1))?);
            }
        }
        let unusable = |what: String| Error::Truth { path: path.into(), what };
        let clip = clip.ok_or_else(|| unusable("it is empty".into()))?;
        if let Some(face) = faces.iter().find(|f| f.frame >= clip.frames) {
            return Err(unusable(format!("a face on frame {} of {}", face.frame, clip.frames)));
        }
        Ok(Self { clip, faces })
    }
}

/// The weighted share of `face` inside the frame and behind none of `occluders`, 0 to 1.
pub fn visible_share(face: &Oval, occluders: &[Occluder], width: u32, height: u32) -> f32 {
    const STEPS: u32 = 24;
    let (mut seen, mut all) = (0.0f64, 0.0f64);
    let bounds = face.ellipse_bounds();
    for iy in 0..STEPS {
        for ix in 0..STEPS {
            let at = |i: u32, from: f32, len: f32| from + (i as f32 + 0.5) / STEPS as f32 * len;
            let (x, y) = (at(ix, bounds.x, bounds.w), at(iy, bounds.y, bounds.h));
            let weight = f64::from(face.face_weight(x, y));
            all += weight;
            let inside = x >= 0.0 && y >= 0.0 && x < width as f32 && y < height as f32;
            if inside && !occluders.iter().any(|o| o.hides(x, y)) {
                seen += weight;
            }
        }
    }
    if all > 0.0 { (seen / all) as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face() -> Face {
        let oval = Oval { cx: 10.0, cy: 10.0, w: 6.0, h: 8.0, angle: 12.5 };
        let b = oval.ellipse_bounds();
        Face {
            frame: 1,
            track: "still.0.1".into(),
            person: "p01".into(),
            class: 8,
            condition: "still".into(),
            face: oval,
            bounds: [b.x, b.y, b.w, b.h],
            visible: 1.0,
            occluders: vec![Occluder::Bar(oval), Occluder::Hand(oval)],
        }
    }

    #[test]
    fn write_then_read_is_identity_and_a_frame_past_the_end_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        let clip = Clip { clip: "a".into(), width: 32, height: 16, rate: (30, 1), frames: 2 };
        let truth = Truth { clip, faces: vec![face()] };
        truth.write(&path).unwrap();
        assert_eq!(Truth::read(&path).unwrap(), truth);

        let late = Truth { faces: vec![Face { frame: 2, ..face() }], ..truth };
        late.write(&path).unwrap();
        assert!(matches!(Truth::read(&path), Err(Error::Truth { .. })));
    }

    #[test]
    fn half_a_face_outside_the_frame_is_half_visible() {
        let face = Oval { cx: 0.0, cy: 50.0, w: 20.0, h: 30.0, angle: 0.0 };
        let share = visible_share(&face, &[], 100, 100);
        assert!((share - 0.5).abs() < 0.01, "{share}");
        let bar = Occluder::Bar(Oval { cx: 5.0, cy: 50.0, w: 10.0, h: 40.0, angle: 0.0 });
        assert_eq!(visible_share(&face, &[bar], 100, 100), 0.0);
    }
}
