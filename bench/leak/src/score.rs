//! What an output video still shows, from its pixels alone.

#![expect(clippy::indexing_slicing, reason = "pixel kernel; rectangles are cut to the frame first")]

use std::collections::BTreeMap;
use std::path::Path;

use placet_core::{PixelRect, Rect, Size};
use serde::{Deserialize, Serialize};

use crate::truth::{Face, Truth};
use crate::{Error, video};

/// Luma up to this is fill: a black fill has 16, the clips nothing below 40.
pub const FILL_LUMA: u8 = 28;
/// A face counts where more than this share of it is in sight.
pub const LEAST_VISIBLE: f32 = 0.4;
/// A face in sight is exposed where less than this share of what is in sight is covered.
pub const LEAST_COVERED: f32 = 0.6;
/// Around each face, this many times its box may be covered without being counted as too much.
pub const ALLOWED_SCALE: f32 = 1.6;

/// One track in one output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackScore {
    /// As in the truth file.
    pub track: String,
    /// Face height in pixels.
    pub class: u32,
    /// What makes it hard.
    pub condition: String,
    /// Frames on which the face counts.
    pub frames: u32,
    /// Of these, frames on which it is exposed.
    pub exposed: u32,
}

/// One clip's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipScore {
    /// Name.
    pub clip: String,
    /// Frames compared; 0 where the tool withheld its output.
    pub frames: u32,
    /// The tool refused to hand over a result it could not vouch for.
    pub withheld: bool,
    /// Every track with at least one frame that counts.
    pub tracks: Vec<TrackScore>,
    /// Covered pixels outside all boxes scaled by [`ALLOWED_SCALE`].
    pub over_pixels: u64,
    /// All pixels outside them.
    pub outside_pixels: u64,
    /// All covered pixels.
    pub covered_pixels: u64,
    /// Pixels inside the faces' upright boxes.
    pub needed_pixels: u64,
}

/// Share of `face` in sight that is covered, 0 to 1; none where no pixel of it is in sight.
pub fn covered_share(face: &Face, luma: &[u8], size: Size) -> Option<f32> {
    let area = face.face.ellipse_bounds().pixels(size)?;
    let (mut covered, mut all) = (0.0f32, 0.0f32);
    for y in area.y..area.y + area.h {
        for x in area.x..area.x + area.w {
            let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
            let weight = face.face.face_weight(px, py);
            if weight == 0.0 || face.occluders.iter().any(|o| o.hides(px, py)) {
                continue;
            }
            all += weight;
            if luma[y as usize * size.width as usize + x as usize] <= FILL_LUMA {
                covered += weight;
            }
        }
    }
    (all > 0.0).then(|| covered / all)
}

/// Judges the frames of one output as they come.
struct Judge<'a> {
    truth: &'a Truth,
    size: Size,
    /// Index of the first face not yet judged.
    next: usize,
    tracks: BTreeMap<&'a str, TrackScore>,
    allowed: Vec<bool>,
    needed: Vec<bool>,
    score: ClipScore,
}

impl<'a> Judge<'a> {
    fn new(truth: &'a Truth) -> Self {
        let size = Size { width: truth.clip.width, height: truth.clip.height };
        let pixels = size.area() as usize;
        let score = ClipScore {
            clip: truth.clip.clip.clone(),
            frames: 0,
            withheld: false,
            tracks: Vec::new(),
            over_pixels: 0,
            outside_pixels: 0,
            covered_pixels: 0,
            needed_pixels: 0,
        };
        let (allowed, needed) = (vec![false; pixels], vec![false; pixels]);
        Self { truth, size, next: 0, tracks: BTreeMap::new(), allowed, needed, score }
    }

    fn frame(&mut self, idx: u32, luma: &[u8]) {
        let truth = self.truth;
        let upcoming = &truth.faces[self.next..];
        let on = &upcoming[..upcoming.partition_point(|f| f.frame <= idx)];
        self.next += on.len();
        self.allowed.fill(false);
        self.needed.fill(false);
        for face in on {
            let [x, y, w, h] = face.bounds;
            let bounds = Rect { x, y, w, h };
            mark(&mut self.allowed, bounds.scaled(ALLOWED_SCALE).pixels(self.size), self.size);
            mark(&mut self.needed, bounds.pixels(self.size), self.size);
            if face.visible <= LEAST_VISIBLE {
                continue;
            }
            let Some(share) = covered_share(face, luma, self.size) else { continue };
            let track = self.tracks.entry(&face.track).or_insert_with(|| TrackScore {
                track: face.track.clone(),
                class: face.class,
                condition: face.condition.clone(),
                frames: 0,
                exposed: 0,
            });
            track.frames += 1;
            track.exposed += u32::from(share < LEAST_COVERED);
        }
        for ((&value, &allowed), &needed) in luma.iter().zip(&self.allowed).zip(&self.needed) {
            let covered = value <= FILL_LUMA;
            self.score.covered_pixels += u64::from(covered);
            self.score.needed_pixels += u64::from(needed);
            if !allowed {
                self.score.outside_pixels += 1;
                self.score.over_pixels += u64::from(covered);
            }
        }
        self.score.frames += 1;
    }

    fn finish(mut self) -> ClipScore {
        self.score.tracks = self.tracks.into_values().collect();
        self.score
    }
}

fn mark(map: &mut [bool], area: Option<PixelRect>, size: Size) {
    let Some(r) = area else { return };
    for y in r.y..r.y + r.h {
        let start = y as usize * size.width as usize + r.x as usize;
        map[start..start + r.w as usize].fill(true);
    }
}

/// Judges one output against its clip's truth.
///
/// # Errors
/// When the output cannot be decoded, or its size, number of frames or timing is not the clip's.
pub fn score(truth: &Truth, output: &Path) -> Result<ClipScore, Error> {
    let mismatch = |what: String| Error::Mismatch { path: output.into(), what };
    let clip = &truth.clip;
    let probe = video::probe(output)?;
    if (probe.width, probe.height) != (clip.width, clip.height) {
        let (w, h) = (probe.width, probe.height);
        return Err(mismatch(format!("{w}x{h} instead of {}x{}", clip.width, clip.height)));
    }
    if probe.times.len() != clip.frames as usize {
        return Err(mismatch(format!("{} frames instead of {}", probe.times.len(), clip.frames)));
    }
    let step = f64::from(clip.rate.1) / f64::from(clip.rate.0);
    let start = probe.times.first().copied().unwrap_or_default();
    for (idx, time) in probe.times.iter().enumerate() {
        let off = time - start - idx as f64 * step;
        if off.abs() > step / 2.0 {
            return Err(mismatch(format!("frame {idx} is {off:+.3} s from where it belongs")));
        }
    }
    let mut judge = Judge::new(truth);
    let pixels = judge.size.area() as usize;
    let count = video::decode(output, (clip.width, clip.height), |idx, yuv| {
        if idx < clip.frames {
            judge.frame(idx, &yuv[..pixels]);
        }
        Ok(())
    })?;
    if count != clip.frames {
        return Err(mismatch(format!("{count} frames decode instead of {}", clip.frames)));
    }
    Ok(judge.finish())
}

/// A clip whose output the tool withheld: nothing is shown, nothing is compared.
pub fn withheld(truth: &Truth) -> ClipScore {
    ClipScore { withheld: true, ..Judge::new(truth).finish() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Occluder, Oval};
    use crate::truth::Clip;

    const SIZE: Size = Size { width: 64, height: 64 };

    fn truth(faces: Vec<Face>) -> Truth {
        let clip = Clip { clip: "c".into(), width: 64, height: 64, rate: (30, 1), frames: 2 };
        Truth { clip, faces }
    }

    fn face(frame: u32, cx: f32, h: f32) -> Face {
        let oval = Oval { cx, cy: 32.0, w: h * 0.75, h, angle: 0.0 };
        let b = oval.ellipse_bounds();
        Face {
            frame,
            track: "t".into(),
            person: "p".into(),
            class: 16,
            condition: "still".into(),
            face: oval,
            bounds: [b.x, b.y, b.w, b.h],
            visible: 1.0,
            occluders: Vec::new(),
        }
    }

    fn blacken(luma: &mut [u8], r: (usize, usize, usize, usize)) {
        for y in r.1..r.1 + r.3 {
            luma[y * 64 + r.0..y * 64 + r.0 + r.2].fill(16);
        }
    }

    fn judge(truth: &Truth, frames: &[Vec<u8>]) -> ClipScore {
        let mut judge = Judge::new(truth);
        frames.iter().enumerate().for_each(|(i, f)| judge.frame(i as u32, f));
        judge.finish()
    }

    #[test]
    fn an_untouched_face_is_exposed_and_a_black_frame_is_all_over_cover() {
        let truth = truth(vec![face(0, 32.0, 16.0), face(1, 32.0, 16.0)]);
        let score = judge(&truth, &[vec![90; 4096], vec![16; 4096]]);
        let track = &score.tracks[0];
        assert_eq!((track.frames, track.exposed), (2, 1));
        // The second frame alone is covered: everything outside on it, nothing on the first.
        assert_eq!(score.over_pixels * 2, score.outside_pixels);
    }

    #[test]
    fn a_mask_on_the_face_alone_leaks_nothing_and_covers_nothing_else() {
        let truth = truth(vec![face(0, 32.0, 16.0)]);
        let mut luma = vec![90; 4096];
        blacken(&mut luma, (26, 24, 12, 16));
        let score = judge(&truth, &[luma]);
        assert_eq!((score.tracks[0].exposed, score.over_pixels), (0, 0));
        assert_eq!((score.covered_pixels, score.needed_pixels), (192, 192));
    }

    #[test]
    fn covering_the_forehead_alone_is_exposed() {
        let mut luma = vec![90; 4096];
        blacken(&mut luma, (26, 24, 12, 8));
        let share = covered_share(&face(0, 32.0, 16.0), &luma, SIZE).unwrap();
        assert!(share < LEAST_COVERED, "{share}");
    }

    #[test]
    fn what_a_pole_hides_need_not_be_covered() {
        let mut hidden = face(0, 32.0, 16.0);
        hidden.occluders = vec![Occluder::Bar(Oval { cx: 27.0, cy: 32.0, w: 10.0, h: 40.0, angle: 0.0 })];
        let mut luma = vec![90; 4096];
        blacken(&mut luma, (32, 24, 6, 16));
        assert_eq!(covered_share(&hidden, &luma, SIZE), Some(1.0));
    }

    #[test]
    fn a_face_hardly_in_sight_does_not_count() {
        let gone = Face { visible: 0.4, ..face(0, 32.0, 16.0) };
        assert!(judge(&truth(vec![gone]), &[vec![90; 4096]]).tracks.is_empty());
    }
}
