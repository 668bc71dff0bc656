//! Which samples are inside, for each plane resolution, and in which parts of the frame to look.
#![expect(
    clippy::indexing_slicing,
    reason = "pixel kernel: rows and columns are cut to the frame beforehand"
)]

use placet_core::{Layout, PixelRect, Size};

use crate::Region;

/// Sample is inside a region.
pub(crate) const INSIDE: u8 = 0xFF;

/// A part of the frame that holds covered pixels. Parts do not overlap each other, in any plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    /// Luma pixels; edges even where the layout has half-size planes (or at the frame's edge).
    pub px: PixelRect,
    /// Longer side of the largest region in it, in luma pixels.
    pub grain: u32,
}

/// Masks of one frame: a byte per sample, [`INSIDE`] or 0. All zero between uses.
#[derive(Default)]
pub(crate) struct Masks {
    luma: Vec<u8>,
    chroma: Vec<u8>,
    areas: Vec<Area>,
}

impl Masks {
    /// Draws the union of `regions` and returns how many luma pixels it covers. [`Masks::clear`] must follow.
    pub fn draw<'a>(
        &mut self,
        regions: impl Iterator<Item = &'a Region> + Clone,
        size: Size,
        layout: Layout,
    ) -> u64 {
        let halved = (0..layout.planes()).any(|idx| layout.shift(idx) > 0);
        self.areas.clear();
        for region in regions.clone() {
            if let Some(px) = region.rect.pixels(size) {
                let px = if halved { even(px, size) } else { px };
                self.areas.push(Area { px, grain: px.w.max(px.h) });
            }
        }
        merge(&mut self.areas);

        let width = size.width as usize;
        self.luma.resize(size.area() as usize, 0);
        for region in regions {
            let Some(px) = region.rect.pixels(size) else { continue };
            for y in px.y..px.y + px.h {
                if let Some((x0, x1)) = region.row_span(y, size) {
                    let row = y as usize * width;
                    self.luma[row + x0 as usize..row + x1 as usize].fill(INSIDE);
                }
            }
        }
        if halved {
            self.draw_chroma(size, layout);
        }
        self.areas.iter().map(|a| rows(&self.luma, width, a.px).map(count).sum::<u64>()).sum()
    }

    fn draw_chroma(&mut self, size: Size, layout: Layout) {
        let (luma_w, half) = (size.width as usize, layout.plane_size(size, 1));
        self.chroma.resize(half.area() as usize, 0);
        for area in &self.areas {
            let px = at_shift(area.px, 1);
            let luma_x = area.px.x as usize..(area.px.x + area.px.w) as usize;
            for y in px.y..px.y + px.h {
                let top = y as usize * 2 * luma_w;
                let under = if y * 2 + 1 < size.height { top + luma_w } else { top };
                let upper = &self.luma[top..][luma_x.clone()];
                let lower = &self.luma[under..][luma_x.clone()];
                let row = y as usize * half.width as usize;
                let out = &mut self.chroma[row + px.x as usize..][..px.w as usize];
                let ((pairs, odd), (below, odd_below)) = (upper.as_chunks::<2>(), lower.as_chunks::<2>());
                let both = pairs.iter().zip(below).map(|([a, b], [c, d])| a | b | c | d);
                let last = odd.iter().zip(odd_below).map(|(a, b)| a | b);
                out.iter_mut().zip(both.chain(last)).for_each(|(o, m)| *o = m);
            }
        }
    }

    /// The parts of the frame that hold something covered.
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// The mask of planes at `shift` (0 or 1).
    pub fn plane(&self, shift: u32) -> &[u8] {
        if shift == 0 { &self.luma } else { &self.chroma }
    }

    /// Wipes what [`Masks::draw`] drew on a frame of that size and layout.
    pub fn clear(&mut self, size: Size, layout: Layout) {
        let half = layout.plane_size(size, layout.planes() - 1);
        for area in self.areas.drain(..) {
            wipe(&mut self.luma, size.width, area.px);
            if half != size {
                wipe(&mut self.chroma, half.width, at_shift(area.px, 1));
            }
        }
    }
}

/// The same rectangle in samples of a plane at `shift`, every touched sample counted.
pub(crate) fn at_shift(px: PixelRect, shift: u32) -> PixelRect {
    let (x, y) = (px.x >> shift, px.y >> shift);
    let end = |v: u32| v.div_ceil(1 << shift);
    PixelRect { x, y, w: end(px.x + px.w) - x, h: end(px.y + px.h) - y }
}

/// The rows of `px` in a plane `width` samples wide.
pub(crate) fn rows(plane: &[u8], width: usize, px: PixelRect) -> impl Iterator<Item = &[u8]> {
    let (x, w) = (px.x as usize, px.w as usize);
    (px.y as usize..(px.y + px.h) as usize).map(move |y| &plane[y * width + x..][..w])
}

fn wipe(mask: &mut [u8], width: u32, px: PixelRect) {
    for y in px.y..px.y + px.h {
        let start = y as usize * width as usize + px.x as usize;
        mask[start..start + px.w as usize].fill(0);
    }
}

fn count(row: &[u8]) -> u64 {
    u64::from(row.iter().fold(0u32, |n, m| n.wrapping_add(u32::from(m & 1))))
}

fn even(px: PixelRect, size: Size) -> PixelRect {
    let (x, y) = (px.x & !1, px.y & !1);
    let right = (px.x + px.w).next_multiple_of(2).min(size.width);
    let bottom = (px.y + px.h).next_multiple_of(2).min(size.height);
    PixelRect { x, y, w: right - x, h: bottom - y }
}

/// Joins overlapping areas until none overlap.
fn merge(areas: &mut Vec<Area>) {
    let mut idx = 0;
    while idx < areas.len() {
        let mut other = idx + 1;
        let mut grew = false;
        while other < areas.len() {
            if overlap(areas[idx].px, areas[other].px) {
                let gone = areas.swap_remove(other);
                let a = &mut areas[idx];
                a.px = union(a.px, gone.px);
                a.grain = a.grain.max(gone.grain);
                grew = true;
            } else {
                other += 1;
            }
        }
        // A grown area may now meet one that was passed over, before or after it.
        idx = if grew { 0 } else { idx + 1 };
    }
}

fn overlap(a: PixelRect, b: PixelRect) -> bool {
    a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}

fn union(a: PixelRect, b: PixelRect) -> PixelRect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    PixelRect { x, y, w: (a.x + a.w).max(b.x + b.w) - x, h: (a.y + a.h).max(b.y + b.h) - y }
}

#[cfg(test)]
mod tests {
    use placet_core::Rect;

    use super::*;
    use crate::Shape;

    fn square(x: f32, y: f32, side: f32) -> Region {
        Region { rect: Rect { x, y, w: side, h: side }, shape: Shape::Box }
    }

    #[test]
    fn a_chroma_sample_is_inside_when_one_of_its_pixels_is() {
        let size = Size { width: 7, height: 5 };
        let mut masks = Masks::default();
        let covered = masks.draw([square(1.0, 1.0, 1.0), square(6.0, 4.0, 1.0)].iter(), size, Layout::Yuv420);
        assert_eq!(covered, 2);
        let chroma: Vec<_> = masks.plane(1).iter().map(|m| m & 1).collect();
        assert_eq!(chroma, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        masks.clear(size, Layout::Yuv420);
        assert!(masks.plane(0).iter().chain(masks.plane(1)).all(|m| *m == 0));
    }

    #[test]
    fn the_union_is_counted_once() {
        let size = Size { width: 30, height: 30 };
        let mut masks = Masks::default();
        let regions =
            [square(0.0, 0.0, 10.0), square(20.0, 20.0, 4.0), square(5.0, 0.0, 10.0), square(5.0, 0.0, 1.0)];
        assert_eq!(masks.draw(regions.iter(), size, Layout::Gray), 150 + 16);
        assert_eq!(masks.areas().len(), 2);
    }

    #[test]
    fn areas_that_meet_through_a_third_become_one() {
        let area = |x, w| Area { px: PixelRect { x, y: 0, w, h: 4 }, grain: w };
        let mut areas = vec![area(0, 4), area(10, 4), area(20, 4), area(3, 8), area(13, 8)];
        merge(&mut areas);
        assert_eq!(areas.len(), 1);
        assert_eq!(areas[0].px, PixelRect { x: 0, y: 0, w: 24, h: 4 });
    }
}
