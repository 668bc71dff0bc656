//! Styles that keep a trace of what they hide. For files alone, on explicit demand.
#![expect(clippy::indexing_slicing, reason = "pixel kernel: areas are cut to the plane beforehand")]

use placet_core::{Frame, PixelRect, PlaneMut};

use smallvec::SmallVec;

use crate::mask::at_shift;
use crate::redacted::FEW;
use crate::{Region, Scratch};

/// How to make a face hard to recognise without removing it. Both can be undone in part; see `docs/THREATS.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Obscure {
    /// Mean over a window half as wide and high as the region, edges mirrored: deface's `blur`.
    Blur,
    /// Squares of one color, the mean of theirs, laid from the region's upper left corner: as deface's `mosaic`, which
    /// takes the color of a square's first pixel instead.
    Mosaic {
        /// Side of a square in luma pixels; 0 counts as 1.
        size: u32,
    },
}

/// A frame whose regions are blurred or pixelated: what was there can in part be won back. Not a `RedactedFrame`, and
/// no live sink takes it. Made by [`obscure`] alone.
pub struct ObscuredFrame {
    frame: Frame,
    regions: SmallVec<[Region; FEW]>,
    covered: u64,
}

impl ObscuredFrame {
    /// The pixels, to encode or to check.
    pub fn as_frame(&self) -> &Frame {
        &self.frame
    }

    /// Covered pixels over all pixels, 0 to 1; overlaps counted once.
    pub fn covered_share(&self) -> f32 {
        let area = self.frame.size().area();
        if area == 0 { 0.0 } else { (self.covered as f64 / area as f64) as f32 }
    }

    /// Obscures more, as when the check found another face. Regions that are obscured already are left as they are.
    pub fn obscure_more(&mut self, regions: &[Region], how: Obscure, scratch: &mut Scratch) {
        for region in regions {
            if !self.regions.contains(region) {
                paint(&mut self.frame, region, how, scratch);
                self.regions.push(*region);
            }
        }
        let (size, layout) = (self.frame.size(), self.frame.layout());
        self.covered = scratch.masks.draw(self.regions.iter(), size, layout);
        scratch.masks.clear(size, layout);
    }

    /// The buffer, to be written over by the next frame. Its pixels are the obscured ones.
    pub fn recycle(self) -> Frame {
        self.frame
    }
}

impl std::fmt::Debug for ObscuredFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Obscured{:?}", self.frame)
    }
}

/// Blurs or pixelates `regions`, one after another. Outside them nothing changes.
pub fn obscure(frame: Frame, regions: &[Region], how: Obscure, scratch: &mut Scratch) -> ObscuredFrame {
    let mut obscured = ObscuredFrame { frame, regions: SmallVec::new(), covered: 0 };
    obscured.obscure_more(regions, how, scratch);
    obscured
}

fn paint(frame: &mut Frame, region: &Region, how: Obscure, scratch: &mut Scratch) {
    let (size, layout) = (frame.size(), frame.layout());
    let Scratch { masks, sums, bytes, .. } = scratch;
    masks.draw(std::iter::once(region), size, layout);
    for mut plane in frame.planes_mut() {
        let mask = masks.plane(plane.shift);
        for area in masks.areas() {
            let px = at_shift(area.px, plane.shift);
            match how {
                Obscure::Blur => blur(&plane, px, sums, bytes),
                Obscure::Mosaic { size } => mosaic(&plane, px, (size >> plane.shift).max(1), bytes),
            }
            put(&mut plane, mask, px, bytes);
        }
    }
    masks.clear(size, layout);
}

/// Writes the area's new samples where the mask is set.
fn put(plane: &mut PlaneMut<'_>, mask: &[u8], px: PixelRect, new: &[u8]) {
    let width = plane.size.width as usize;
    for (y, new) in (px.y as usize..).zip(new.chunks_exact(px.w as usize)) {
        let at = y * width + px.x as usize..y * width + (px.x + px.w) as usize;
        for ((d, m), n) in plane.data[at.clone()].iter_mut().zip(&mask[at]).zip(new) {
            *d = (*d & !m) | (n & m);
        }
    }
}

fn blur(plane: &PlaneMut<'_>, px: PixelRect, sums: &mut Vec<u32>, out: &mut Vec<u8>) {
    let (w, h) = (px.w as usize, px.h as usize);
    let (kw, kh) = ((w / 2).max(1), (h / 2).max(1));
    // Sums along rows, then running sums of those down the columns.
    sums.clear();
    sums.resize(w * h + w, 0);
    let (columns, sums) = sums.split_at_mut(w);
    for (row, sums) in
        crate::mask::rows(plane.data, plane.size.width as usize, px).zip(sums.chunks_exact_mut(w))
    {
        let at = |x: isize| u32::from(row[mirror(x, w)]);
        let left = (kw / 2) as isize;
        let mut sum: u32 = (-left..kw as isize - left).map(at).sum();
        for (x, s) in sums.iter_mut().enumerate() {
            *s = sum;
            let x = x as isize - left;
            sum = sum + at(x + kw as isize) - at(x);
        }
    }
    let row = |y: isize| &sums[mirror(y, h) * w..][..w];
    let above = (kh / 2) as isize;
    for y in -above..kh as isize - above {
        columns.iter_mut().zip(row(y)).for_each(|(c, s)| *c += s);
    }
    out.clear();
    let n = (kw * kh) as u32;
    for y in 0..h as isize {
        out.extend(columns.iter().map(|c| ((c + n / 2) / n) as u8));
        let (gone, next) = (row(y - above), row(y - above + kh as isize));
        for ((c, gone), next) in columns.iter_mut().zip(gone).zip(next) {
            *c = *c + next - gone;
        }
    }
}

/// Index within `0..len`, mirrored at the first and last element (which are not doubled).
fn mirror(at: isize, len: usize) -> usize {
    let last = len as isize - 1;
    if last == 0 {
        return 0;
    }
    let at = at.rem_euclid(2 * last);
    at.min(2 * last - at) as usize
}

fn mosaic(plane: &PlaneMut<'_>, px: PixelRect, size: u32, out: &mut Vec<u8>) {
    let (w, h, size) = (px.w as usize, px.h as usize, size as usize);
    let row = |y: usize| &plane.data[(px.y as usize + y) * plane.size.width as usize + px.x as usize..][..w];
    out.clear();
    out.resize(w * h, 0);
    for y in (0..h).step_by(size) {
        let below = (y + size).min(h);
        for x in (0..w).step_by(size) {
            let right = (x + size).min(w);
            let sum: u64 = (y..below).flat_map(|y| &row(y)[x..right]).map(|v| u64::from(*v)).sum();
            let n = ((below - y) * (right - x)) as u64;
            let mean = ((sum + n / 2) / n) as u8;
            for y in y..below {
                out[y * w + x..y * w + right].fill(mean);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use placet_core::{Layout, Pts, Rect, Size};

    use super::*;
    use crate::Shape;

    fn gray(w: u32, h: u32, at: impl Fn(u32, u32) -> u8) -> Frame {
        let data = (0..h).flat_map(|y| (0..w).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect();
        Frame::from_bytes(Size { width: w, height: h }, Layout::Gray, Pts(0), data).unwrap()
    }

    fn hide(frame: &Frame, rect: Rect, how: Obscure) -> Frame {
        let region = Region { rect, shape: Shape::Box };
        obscure(frame.clone(), &[region], how, &mut Scratch::new()).recycle()
    }

    #[test]
    fn a_mosaic_square_has_its_mean() {
        let frame = gray(6, 4, |x, y| (x * 10 + y) as u8);
        let out = hide(&frame, Rect { x: 1.0, y: 0.0, w: 3.0, h: 2.0 }, Obscure::Mosaic { size: 2 });
        // Columns 1 and 2 are one square, column 3 is what is left of the next.
        assert_eq!(out.bytes()[..6], [0, 16, 16, 31, 40, 50]);
        assert_eq!(out.bytes()[6..12], [1, 16, 16, 31, 41, 51]);
        assert_eq!(out.bytes()[12..], frame.bytes()[12..]);
    }

    #[test]
    fn blur_is_the_mean_of_the_window() {
        let frame = gray(24, 18, |x, y| (x * x * 7 + y * 31 + x * y) as u8);
        let (x0, y0, w, h) = (3, 2, 17, 12);
        let out = hide(&frame, Rect { x: 3.0, y: 2.0, w: 17.0, h: 12.0 }, Obscure::Blur);
        let (kw, kh) = (w / 2, h / 2);
        for y in 0..h {
            for x in 0..w {
                let mut sum = 0;
                for dy in 0..kh {
                    for dx in 0..kw {
                        let sx = mirror((x + dx) as isize - (kw / 2) as isize, w);
                        let sy = mirror((y + dy) as isize - (kh / 2) as isize, h);
                        sum += u32::from(frame.bytes()[(y0 + sy) * 24 + x0 + sx]);
                    }
                }
                let n = (kw * kh) as u32;
                assert_eq!(u32::from(out.bytes()[(y0 + y) * 24 + x0 + x]), (sum + n / 2) / n, "{x},{y}");
            }
        }
    }

    #[test]
    fn one_pixel_and_whole_frames_survive() {
        for (w, h) in [(1, 1), (2, 1), (5, 3)] {
            let frame = gray(w, h, |x, y| (x + y) as u8);
            for how in [Obscure::Blur, Obscure::Mosaic { size: 0 }, Obscure::Mosaic { size: 100 }] {
                hide(&frame, Rect { x: -9.0, y: -9.0, w: 30.0, h: 30.0 }, how);
            }
        }
    }
}
