//! Draws what a plan says: scene, heads, light, sensor noise; RGB in, yuv420p out.

#![expect(clippy::indexing_slicing, reason = "pixel kernel; every index is cut to the frame first")]

use std::path::Path;

use placet_core::{Rect, Size};

use crate::Error;
use crate::cutout::Cutout;
use crate::picture::{Picture, Pixel, Pyramid};
use crate::plan::{Actor, ClipPlan, Condition, Segment};
use crate::rng::Rng;
use crate::shape::{Occluder, Oval};
use crate::video;

/// Lowest luma of a scene (limited range, 16 to 235), so that a black fill at 16 stands out.
pub const LEAST_LUMA: f32 = 40.0;

/// Still pictures without a face, human or other, that serve as scenes; `true` where a texture is to be repeated.
const SCENES: [(&str, bool); 6] = [
    ("motorcycle_left.png", false),
    ("brick.png", true),
    ("coffee.png", false),
    ("rocket.jpg", false),
    ("gravel.png", true),
    ("grass.png", true),
];

/// Frames of street footage without a visible face, by second.
const STREET: [(&str, f64); 4] =
    [("bikes.mp4", 0.4), ("bikes.mp4", 6.4), ("bikes.mp4", 2.2), ("bikes.mp4", 9.4)];

/// Scenes and cut-outs, loaded.
pub struct Stage {
    scenes: Vec<(Picture, bool)>,
    /// Heads.
    pub cutouts: Vec<Cutout>,
}

impl Stage {
    /// Loads everything from the folder `bench/fetch` filled.
    ///
    /// # Errors
    /// When a file is missing or broken.
    pub fn open(data: &Path) -> Result<Self, Error> {
        let pictures = data.join("pictures");
        let mut scenes = Vec::new();
        for (name, tiled) in SCENES {
            scenes.push((Picture::open(&pictures.join(name))?, tiled));
        }
        for (name, seconds) in STREET {
            let (w, h, rgb) = video::still(&data.join("video").join(name), seconds)?;
            scenes.push((Picture::from_rgb(w as usize, h as usize, &rgb), false));
        }
        Ok(Self { scenes, cutouts: Cutout::all(&pictures)? })
    }

    /// Draws every frame of a clip in order and hands it over as yuv420p.
    ///
    /// # Errors
    /// When `each` does.
    pub fn render(
        &self,
        plan: &ClipPlan,
        mut each: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let seed = plan.name.bytes().fold(17u64, |a, b| a.wrapping_mul(31).wrapping_add(b.into()));
        let mut rng = Rng::new(seed);
        let mut canvas = Canvas::new(plan.size.0 as usize, plan.size.1 as usize);
        let mut yuv = vec![0; video::frame_bytes(plan.size.0, plan.size.1)];
        for seg in &plan.segments {
            let backdrop = self.backdrop(seg, plan.size);
            for t in 0..seg.frames {
                canvas.backdrop(&backdrop, seg, t as f32);
                for actor in seg.actors.iter().filter(|a| (a.from..a.until).contains(&t)) {
                    canvas.actor(actor, &self.cutouts, t as f32);
                }
                let light = Light::of(plan.condition, t, seg.first);
                canvas.develop(light, &mut rng, &mut yuv);
                each(&yuv)?;
            }
        }
        Ok(())
    }

    /// The scene scaled with room to pan over.
    fn backdrop(&self, seg: &Segment, size: (u32, u32)) -> Picture {
        let (picture, tiled) = &self.scenes[seg.scene % self.scenes.len()];
        let (w, h) = (size.0 as usize, size.1 as usize);
        let (width, height) = (w + (seg.pan.0.abs() * seg.frames as f32) as usize + 160, h + 160);
        let cover = (width as f32 / picture.width as f32).max(height as f32 / picture.height as f32);
        let k = if *tiled { 1.5 } else { cover };
        let mirror = |v: f32, n: usize| {
            let m = v.rem_euclid(2.0 * n as f32);
            if m < n as f32 { m } else { 2.0 * n as f32 - m }
        };
        let pyramid = Pyramid::new(picture.clone());
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let (u, v) = ((x as f32 + 0.5) / k, (y as f32 + 0.5) / k);
                pixels.push(pyramid.sample(mirror(u, picture.width), mirror(v, picture.height), 1.0 / k));
            }
        }
        Picture { width, height, pixels }
    }
}

/// How a frame is exposed.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Light {
    gain: f32,
    gamma: f32,
    noise: f32,
}

impl Light {
    fn of(condition: Condition, t: u32, scene: u32) -> Self {
        match condition {
            Condition::Flicker => {
                let mut jump = Rng::new(u64::from(scene * 100 + t / 5));
                let wave = 0.3 * (std::f32::consts::TAU * t as f32 / 7.0).sin();
                Self { gain: 1.0 + wave + jump.range(-0.35, 0.35), gamma: jump.range(0.7, 1.5), noise: 2.0 }
            }
            Condition::Dark => Self { gain: 0.2, gamma: 1.0, noise: 6.0 },
            _ => Self { gain: 1.0, gamma: 1.0, noise: 2.0 },
        }
    }
}

/// One frame being drawn, RGB 0 to 255.
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 3]>,
    patch: Vec<Pixel>,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![[0.0; 3]; width * height], patch: Vec::new() }
    }

    fn size(&self) -> Size {
        Size { width: self.width as u32, height: self.height as u32 }
    }

    /// Lays the scene down as it is seen on frame `t`; whole pixels where it does not move.
    fn backdrop(&mut self, backdrop: &Picture, seg: &Segment, t: f32) {
        // A picture that moves right shows more of its left.
        let room = ((backdrop.width - self.width) as f32, (backdrop.height - self.height) as f32);
        let travel = (seg.pan.0 * seg.frames as f32, seg.pan.1 * seg.frames as f32);
        let from =
            |room: f32, travel: f32, view: f32| travel.max(0.0) + view * (room - travel.abs()).max(0.0);
        let (x0, y0) = (from(room.0, travel.0, seg.view.0), from(room.1, travel.1, seg.view.1));
        if seg.pan == (0.0, 0.0) {
            for y in 0..self.height {
                let start = (y0 as usize + y) * backdrop.width + x0 as usize;
                let row = &backdrop.pixels[start..start + self.width];
                for (to, p) in self.pixels[y * self.width..].iter_mut().zip(row) {
                    *to = [p[0], p[1], p[2]];
                }
            }
            return;
        }
        let (x0, y0) = (x0 - seg.pan.0 * t, y0 - seg.pan.1 * t);
        for y in 0..self.height {
            for x in 0..self.width {
                let p = backdrop.sample(x0 + x as f32 + 0.5, y0 + y as f32 + 0.5);
                self.pixels[y * self.width + x] = [p[0], p[1], p[2]];
            }
        }
    }

    fn actor(&mut self, actor: &Actor, cutouts: &[Cutout], t: f32) {
        let cutout = &cutouts[actor.cutout];
        // A moving head is the mean of where it was while the shutter was open.
        let moved = {
            let (a, b) = (actor.path.at(t), actor.path.at(t + actor.exposure));
            (a.0 - b.0).hypot(a.1 - b.1)
        };
        let steps = if actor.exposure > 0.0 { (moved.ceil() as usize).clamp(2, 8) } else { 1 };
        let when = |i: usize| t + actor.exposure * (i as f32 + 0.5) / steps as f32;
        let spans: Vec<(Oval, f32)> = (0..steps)
            .filter_map(|i| Some((actor.face(cutouts, when(i))?, actor.turn_at(when(i)))))
            .collect();
        let around =
            spans.iter().map(|(f, turn)| cutout.drawn(f, *turn, actor.mirrored)).reduce(|a, b| a.union(&b));
        let Some(area) = around.and_then(|r: Rect| r.pixels(self.size())) else { return };
        let (w, h) = (area.w as usize, area.h as usize);
        self.patch.clear();
        self.patch.resize(w * h, [0.0; 4]);
        let share = 1.0 / spans.len() as f32;
        for (face, turn) in &spans {
            let drawing = Drawing::new(cutout, face, *turn, actor.mirrored);
            for j in 0..h {
                for i in 0..w {
                    let p = drawing.at(area.x as f32 + i as f32, area.y as f32 + j as f32);
                    let sum = &mut self.patch[j * w + i];
                    for k in 0..4 {
                        sum[k] += p[k] * share;
                    }
                }
            }
        }
        for j in 0..h {
            let row = (area.y as usize + j) * self.width + area.x as usize;
            for i in 0..w {
                let p = self.patch[j * w + i];
                let under = &mut self.pixels[row + i];
                for k in 0..3 {
                    under[k] = under[k] * (1.0 - p[3]) + p[k] * actor.gain;
                }
            }
        }
        if let (Some(passing), Some(face)) = (actor.occluder, actor.face(cutouts, t)) {
            self.occluder(&passing.at(&face, t), cutout, actor);
        }
    }

    fn occluder(&mut self, occluder: &Occluder, cutout: &Cutout, actor: &Actor) {
        let oval = occluder.oval();
        let Some(area) = oval.bounds().pixels(self.size()) else { return };
        let full = cutout.pyramid.full();
        let skin = cutout.pyramid.sample(
            cutout.face.cx,
            cutout.face.cy + 0.1 * cutout.face.h,
            full.width as f32 / 8.0,
        );
        let grey = 90.0 + 30.0 * (actor.class % 5) as f32;
        for y in area.y..area.y + area.h {
            for x in area.x..area.x + area.w {
                let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
                if !occluder.hides(px, py) {
                    continue;
                }
                let (u, v) = oval.local(px, py);
                let color = match occluder {
                    // A round pole: lighter in the middle, darker at its sides.
                    Occluder::Bar(_) => {
                        let shade = 1.0 - 0.5 * u * u;
                        [grey * shade, grey * 0.95 * shade, grey * 0.88 * shade]
                    }
                    // The back of a hand: four fingers with shadows between.
                    Occluder::Hand(_) => {
                        let finger = (v * 2.0 + 2.0).fract() - 0.5;
                        let shade = (1.0 - 1.6 * finger.abs().powi(3) * 2.0) * (1.0 - 0.25 * u.abs());
                        [skin[0] * shade, skin[1] * shade, skin[2] * shade]
                    }
                };
                self.pixels[y as usize * self.width + x as usize] = color;
            }
        }
    }

    /// Applies light and sensor noise and converts to BT.601 limited range with lifted blacks.
    fn develop(&mut self, light: Light, rng: &mut Rng, yuv: &mut [u8]) {
        let (w, h) = (self.width, self.height);
        let (luma, chroma) = yuv.split_at_mut(w * h);
        let (cb, cr) = chroma.split_at_mut(w * h / 4);
        let table: Vec<f32> = (0..1024)
            .map(|i| 255.0 * ((i as f32 / 4.0 / 255.0).powf(light.gamma) * light.gain).clamp(0.0, 1.0))
            .collect();
        for y in 0..h {
            for x in 0..w {
                let p = &mut self.pixels[y * w + x];
                *p = p.map(|v| table[(v * 4.0).clamp(0.0, 1023.0) as usize]);
                let full = 16.0 + (65.481 * p[0] + 128.553 * p[1] + 24.966 * p[2]) / 255.0;
                let lifted = 42.0 + (full - 16.0) * (235.0 - 42.0) / 219.0;
                let noisy = lifted + light.noise * rng.normal();
                luma[y * w + x] = noisy.clamp(LEAST_LUMA, 235.0).round() as u8;
            }
        }
        for y in 0..h / 2 {
            for x in 0..w / 2 {
                let four =
                    [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| self.pixels[(2 * y + j) * w + 2 * x + i]);
                let [r, g, b] = [0, 1, 2].map(|k| four.iter().map(|p| p[k]).sum::<f32>() / 4.0 / 255.0);
                let noise = light.noise * 0.4;
                let b_diff = 128.0 - 37.797 * r - 74.203 * g + 112.0 * b + noise * rng.normal();
                let r_diff = 128.0 + 112.0 * r - 93.786 * g - 18.214 * b + noise * rng.normal();
                cb[y * (w / 2) + x] = b_diff.clamp(16.0, 240.0).round() as u8;
                cr[y * (w / 2) + x] = r_diff.clamp(16.0, 240.0).round() as u8;
            }
        }
    }
}

/// Maps pixels of the frame to pixels of a cut-out.
struct Drawing<'a> {
    cutout: &'a Cutout,
    center: (f32, f32),
    /// Cut-out pixels per frame pixel.
    scale: f32,
    sin: f32,
    cos: f32,
    mirror: f32,
}

impl<'a> Drawing<'a> {
    fn new(cutout: &'a Cutout, face: &Oval, turn: f32, mirrored: bool) -> Self {
        let (sin, cos) = turn.to_radians().sin_cos();
        let mirror = if mirrored { -1.0 } else { 1.0 };
        Self { cutout, center: (face.cx, face.cy), scale: cutout.face.h / face.h, sin, cos, mirror }
    }

    /// Mean over the frame pixel whose upper left corner is `(x, y)`; clear outside the cut-out.
    fn at(&self, x: f32, y: f32) -> Pixel {
        let full = self.cutout.pyramid.full();
        let (dx, dy) = (x + 0.5 - self.center.0, y + 0.5 - self.center.1);
        let u = self.mirror * (dx * self.cos + dy * self.sin) * self.scale + self.cutout.face.cx;
        let v = (dy * self.cos - dx * self.sin) * self.scale + self.cutout.face.cy;
        if u < 0.0 || v < 0.0 || u > full.width as f32 || v > full.height as f32 {
            return [0.0; 4];
        }
        self.cutout.pyramid.sample(u, v, self.scale * 0.8)
    }
}
