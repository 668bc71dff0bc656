//! Scene cuts, told from a coarse view of luma.

use placet_core::{Frame, Layout, Plane};

/// Columns of the coarse view.
const COLS: usize = 32;
/// Rows of the coarse view.
const ROWS: usize = 18;
/// A block is looked at in as many places across and down, where it has them.
const PLACES: usize = 8;
/// Shades the histogram tells apart.
const SHADES: usize = 32;

/// Blocks the second picture may have moved, for a turning camera.
const SHIFT_X: isize = 3;
const SHIFT_Y: isize = 2;

/// Correlation from which on no other shift is tried.
const STILL: f32 = 0.95;

/// Structure differs by more than this at a cut (0: same up to contrast and brightness, 1: unrelated, 2: negative).
const STRUCTURE: f32 = 0.3;
/// and by more than so many times what it did of late.
const ABOVE_USUAL: f32 = 3.0;
/// Blocks differ by more than so many shades of 256 on average at a cut,
const LEVEL: f32 = 8.0;
/// or the histograms by more than this share of the pixels.
const HISTOGRAM: f32 = 0.35;
/// Mean deviation of blocks below which a view has no structure to compare.
const FLAT: f32 = 2.0;
/// Frames that a flash may last, within which the scene must come back.
const FLASH_FRAMES: u32 = 3;
/// A flash brightens by so many shades at least
const FLASH_LEVEL: f32 = 30.0;
/// and washes out that share of the pixels.
const FLASH_WHITE: f32 = 0.4;
/// Shades of the histogram that count as washed out.
const WHITE_SHADES: usize = 3;

/// Tells where a new scene begins.
///
/// Compares each frame's block means and histogram with the previous frame's. Brightness and contrast may change (a
/// flash, a lamp) and the picture may move; the structure must be another. In doubt it says no: a missed cut hides a
/// little too much around it, a false one would end tracks early.
#[derive(Default)]
pub struct CutDetector {
    view: View,
    last: Option<View>,
    /// Mean difference of structure of late.
    usual: f32,
    /// Frames since a flash began, while it lasts.
    flash: u32,
}

impl CutDetector {
    /// One that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a new scene begins with this frame. Never with the first one.
    pub fn push(&mut self, frame: &Frame) -> bool {
        self.view.look(frame);
        let Some(last) = &mut self.last else {
            self.last = Some(self.view.clone());
            return false;
        };
        let brighter = self.view.mean() - last.mean();
        let structure = self.view.structure_against(last);
        let (level, histogram) = (self.view.level_against(last), self.view.histogram_against(last));

        let other = structure > STRUCTURE.max(ABOVE_USUAL * self.usual);
        let far = level > LEVEL || histogram > HISTOGRAM;
        let flash = brighter > FLASH_LEVEL && self.view.white() > FLASH_WHITE;
        if other && far && flash && self.flash < FLASH_FRAMES {
            // Wait for the scene to come back, comparing with what was before the flash.
            self.flash += 1;
            return false;
        }
        self.flash = 0;
        let cut = other && far;
        self.usual = if cut { 0.0 } else { 0.8 * self.usual + 0.2 * structure };
        std::mem::swap(last, &mut self.view);
        cut
    }
}

/// A frame as block means and histogram.
#[derive(Clone)]
struct View {
    blocks: [f32; COLS * ROWS],
    shades: [f32; SHADES],
}

impl Default for View {
    fn default() -> Self {
        Self { blocks: [0.0; COLS * ROWS], shades: [0.0; SHADES] }
    }
}

impl View {
    fn look(&mut self, frame: &Frame) {
        let mut sums = [0u32; COLS * ROWS];
        let mut counts = [0u32; COLS * ROWS];
        let mut shades = [0u32; SHADES];
        let size = frame.size();
        each_luma(frame, |x, y, v| {
            let at = block(x, COLS, size.width) + COLS * block(y, ROWS, size.height);
            if let (Some(sum), Some(count)) = (sums.get_mut(at), counts.get_mut(at)) {
                *sum += u32::from(v);
                *count += 1;
            }
            if let Some(shade) = shades.get_mut(usize::from(v) * SHADES / 256) {
                *shade += 1;
            }
        });
        for ((block, sum), count) in self.blocks.iter_mut().zip(sums).zip(counts) {
            *block = sum as f32 / count.max(1) as f32;
        }
        let all: u32 = shades.iter().sum();
        for (share, n) in self.shades.iter_mut().zip(shades) {
            *share = n as f32 / all.max(1) as f32;
        }
    }

    fn mean(&self) -> f32 {
        self.blocks.iter().sum::<f32>() / self.blocks.len() as f32
    }

    fn white(&self) -> f32 {
        self.shades.iter().rev().take(WHITE_SHADES).sum()
    }

    /// One less the best normalised cross-correlation of the blocks over small shifts.
    fn structure_against(&self, other: &Self) -> f32 {
        let still = self.correlation(other, (0, 0));
        if still > STILL {
            return 1.0 - still;
        }
        let shifts = (-SHIFT_Y..=SHIFT_Y).flat_map(|dy| (-SHIFT_X..=SHIFT_X).map(move |dx| (dx, dy)));
        1.0 - shifts.map(|shift| self.correlation(other, shift)).fold(-1.0, f32::max)
    }

    fn correlation(&self, other: &Self, (dx, dy): (isize, isize)) -> f32 {
        let (mut n, mut sa, mut sb) = (0.0f32, 0.0f32, 0.0f32);
        let (mut saa, mut sbb, mut sab) = (0.0f32, 0.0f32, 0.0f32);
        for (a, b) in overlapping(ROWS, dy).flat_map(|(ya, yb)| {
            let (ra, rb) = (self.row(ya), other.row(yb));
            overlapping(COLS, dx).filter_map(move |(xa, xb)| Some((*ra.get(xa)?, *rb.get(xb)?)))
        }) {
            (n, sa, sb) = (n + 1.0, sa + a, sb + b);
            (saa, sbb, sab) = (saa + a * a, sbb + b * b, sab + a * b);
        }
        let var_a = (saa - sa * sa / n).max(0.0);
        let var_b = (sbb - sb * sb / n).max(0.0);
        let flat = FLAT * FLAT * n;
        match (var_a < flat, var_b < flat) {
            (true, true) => 1.0,
            (false, false) => (sab - sa * sb / n) / (var_a * var_b).sqrt(),
            _ => 0.0,
        }
    }

    fn row(&self, y: usize) -> &[f32] {
        self.blocks.get(y * COLS..(y + 1) * COLS).unwrap_or_default()
    }

    fn level_against(&self, other: &Self) -> f32 {
        let total: f32 = self.blocks.iter().zip(&other.blocks).map(|(a, b)| (a - b).abs()).sum();
        total / self.blocks.len() as f32
    }

    fn histogram_against(&self, other: &Self) -> f32 {
        self.shades.iter().zip(&other.shades).map(|(a, b)| (a - b).abs()).sum::<f32>() / 2.0
    }
}

/// Pairs of indices below `len` that lie `shift` apart.
fn overlapping(len: usize, shift: isize) -> impl Iterator<Item = (usize, usize)> {
    (0..len).filter_map(move |a| Some((a, a.checked_add_signed(shift).filter(|b| *b < len)?)))
}

fn block(at: usize, blocks: usize, len: u32) -> usize {
    at * blocks / (len as usize).max(1)
}

/// Calls `see` with column, row and luma of a grid of the frame's pixels.
fn each_luma(frame: &Frame, mut see: impl FnMut(usize, usize, u8)) {
    let mut planes = frame.planes();
    let (Some(first), second, third) = (planes.next(), planes.next(), planes.next()) else { return };
    let colors = match (frame.layout(), second, third) {
        (Layout::Rgb | Layout::Rgba, Some(green), Some(blue)) => Some((green, blue)),
        _ => None,
    };
    let (width, height) = (first.size.width as usize, first.size.height as usize);
    let (across, down) = ((width / (COLS * PLACES)).max(1), (height / (ROWS * PLACES)).max(1));
    for y in (0..height).step_by(down) {
        let row = |plane| row_of(plane, y).iter().copied().step_by(across);
        match &colors {
            None => row(&first).enumerate().for_each(|(i, v)| see(i * across, y, v)),
            Some((green, blue)) => {
                for (i, ((r, g), b)) in row(&first).zip(row(green)).zip(row(blue)).enumerate() {
                    see(i * across, y, ((u16::from(r) + 2 * u16::from(g) + u16::from(b)) / 4) as u8);
                }
            }
        }
    }
}

fn row_of<'a>(plane: &'a Plane<'_>, y: usize) -> &'a [u8] {
    let width = plane.size.width as usize;
    plane.data.get(y * width..(y + 1) * width).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use placet_core::{Pts, Size};

    use super::*;

    const SIZE: Size = Size { width: 320, height: 180 };

    /// A picture of soft blobs, different for each seed, seen from `(dx, dy)`.
    fn scene(seed: u32, dx: f32, dy: f32, light: impl Fn(f32) -> f32) -> Frame {
        let at = |x: u32, y: u32| {
            let (x, y) = (x as f32 + dx, y as f32 + dy);
            let waves = (1..6).map(|k| {
                let a = (seed * 7 + k * 13) as f32;
                (x * (0.004 + 0.006 * (a * 0.37).sin().abs()) * k as f32 + a).sin()
                    * (y * (0.005 + 0.009 * (a * 0.73).cos().abs()) * k as f32 + 2.0 * a).cos()
            });
            light(110.0 + 60.0 * waves.sum::<f32>()).clamp(0.0, 255.0) as u8
        };
        let data = (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| (x, y))).map(|(x, y)| at(x, y));
        Frame::from_bytes(SIZE, Layout::Gray, Pts(0), data.collect()).unwrap()
    }

    fn cuts(frames: impl IntoIterator<Item = Frame>) -> Vec<usize> {
        let mut detector = CutDetector::new();
        frames.into_iter().enumerate().filter_map(|(i, f)| detector.push(&f).then_some(i)).collect()
    }

    fn plain(v: f32) -> f32 {
        v
    }

    #[test]
    fn another_scene_is_a_cut_each_time() {
        let frames = (0..40).map(|i| scene(1 + i / 10, (i % 10) as f32, 0.0, plain));
        assert_eq!(cuts(frames), [10, 20, 30]);
    }

    #[test]
    fn a_turning_camera_is_none() {
        assert_eq!(cuts((0..30).map(|i| scene(3, 12.0 * i as f32, 3.0 * i as f32, plain))), []);
    }

    #[test]
    fn a_sudden_jolt_is_none() {
        let jolt = |i: u32| if i >= 10 { 25.0 } else { 0.0 };
        assert_eq!(cuts((0..20).map(|i| scene(3, jolt(i), jolt(i) / 2.0, plain))), []);
    }

    #[test]
    fn light_and_flashes_are_none() {
        assert_eq!(cuts((0..20).map(|i| scene(2, 0.0, 0.0, move |v| if i == 8 { v + 90.0 } else { v }))), []);
        assert_eq!(
            cuts((0..20).map(|i| scene(2, 0.0, 0.0, move |v| if i / 2 == 4 { 250.0 } else { v }))),
            []
        );
        assert_eq!(cuts((0..20).map(|i| scene(2, 0.0, 0.0, move |v| if i >= 8 { v * 0.5 } else { v }))), []);
    }

    #[test]
    fn a_fade_is_none_and_a_cut_from_black_is_seen() {
        assert_eq!(cuts((0..30).map(|i| scene(2, 0.0, 0.0, move |v| v * (30 - i) as f32 / 30.0))), []);
        let frames = (0..20).map(|i| scene(2, 0.0, 0.0, move |v| if i < 10 { 16.0 } else { v * 0.5 }));
        assert_eq!(cuts(frames).len(), 1);
    }

    #[test]
    fn one_moving_object_is_none() {
        let frames = (0..30).map(|i| {
            let mut frame = scene(5, 0.0, 0.0, plain);
            for y in 40..140usize {
                frame.bytes_mut()[y * 320 + 8 * i..][..60].fill(20);
            }
            frame
        });
        assert_eq!(cuts(frames), []);
    }

    #[test]
    fn color_pictures_and_tiny_ones_are_looked_at() {
        let mut detector = CutDetector::new();
        for layout in [Layout::Rgb, Layout::Yuv420, Layout::Rgba, Layout::Gray] {
            for size in
                [Size { width: 1, height: 1 }, Size { width: 7, height: 3 }, Size { width: 100, height: 99 }]
            {
                assert!(!detector.push(&Frame::new(size, layout)));
            }
        }
    }
}
