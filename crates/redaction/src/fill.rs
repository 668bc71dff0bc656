//! What takes a region's place, one plane and one area at a time.
//!
//! `surround` looks at the picture through a coarse grid: each cell's mean over its samples *outside* the mask, the
//! cells without any filled by a membrane stretched between the others, and the grid drawn back smoothly, bilinear
//! between cell centres, onto the samples inside. Cells are 1/12 of a region or more, so no line of the surroundings
//! goes on inside; they lie at fixed places of the frame, so a resting background gives a resting fill.
#![expect(clippy::indexing_slicing, reason = "pixel kernel: areas are cut to the plane beforehand")]

use std::ops::Range;

use placet_core::{PixelRect, PlaneMut};

use crate::mask::{INSIDE, rows};

/// Fractional bits of a cell's value.
const FRACTION: u32 = 6;

/// Pull of a cell full of outside samples, against 1 for each neighbour.
const FULL_WEIGHT: u32 = 32;

/// A cell is at least a region's longer side over this.
const CELLS_PER_SIDE: u32 = 12;

/// No grid has more cells than this; a larger area gets larger cells.
const MAX_CELLS: usize = 1 << 14;

/// Rounds of relaxation on each level of the pyramid.
const ROUNDS: usize = 3;

/// Writes `value` on every sample of `area` inside `mask`.
pub(crate) fn constant(plane: &mut PlaneMut<'_>, mask: &[u8], area: PixelRect, value: u8) {
    let width = plane.size.width as usize;
    for y in area.y as usize..(area.y + area.h) as usize {
        let at = y * width + area.x as usize..y * width + (area.x + area.w) as usize;
        for (d, m) in plane.data[at.clone()].iter_mut().zip(&mask[at]) {
            *d = (*d & !m) | (value & m);
        }
    }
}

/// Every square of `grain` columns and rows becomes its mean.
pub(crate) fn coarsen(plane: &mut PlaneMut<'_>, grain: usize) {
    let width = plane.size.width as usize;
    if grain < 2 || width == 0 {
        return;
    }
    for band in plane.data.chunks_mut(grain * width) {
        for left in (0..width).step_by(grain) {
            let columns = left..(left + grain).min(width);
            let (mut sum, mut count) = (0, 0);
            for row in band.chunks_exact(width) {
                sum += row[columns.clone()].iter().map(|sample| u32::from(*sample)).sum::<u32>();
                count += columns.len() as u32;
            }
            let mean = ((sum + count / 2) / count.max(1)) as u8;
            band.chunks_exact_mut(width).for_each(|row| row[columns.clone()].fill(mean));
        }
    }
}

/// Continues the samples around the mask into it. `grain` is the longer side of the largest region, in samples of
/// this plane. Where nothing outside is in reach, `otherwise`.
pub(crate) fn surround(
    plane: &mut PlaneMut<'_>,
    mask: &[u8],
    area: PixelRect,
    grain: u32,
    otherwise: u8,
    grid: &mut Grid,
) {
    grid.lay(plane, area, grain);
    grid.measure(plane, mask);
    if !grid.relax() {
        return constant(plane, mask, area, otherwise);
    }
    grid.draw(plane, mask, area);
}

/// A coarse view of one area of one plane, and its pyramid.
#[derive(Default)]
pub(crate) struct Grid {
    /// log2 of a cell's side in samples.
    cell_log2: u32,
    /// First cell, counted from the plane's origin.
    origin: (usize, usize),
    levels: Vec<Level>,
    /// Levels in use; the others are kept for their memory.
    depth: usize,
    sums: Vec<u32>,
    counts: Vec<u32>,
    knots: Vec<i32>,
    line: Vec<u8>,
}

/// One level of the pyramid; each has half the cells of the one before in each direction, rounded up.
#[derive(Default)]
struct Level {
    cols: usize,
    rows: usize,
    /// Mean of the outside samples, with [`FRACTION`] bits.
    mean: Vec<u32>,
    /// How strongly a cell is tied to its mean; 0 where it has none.
    weight: Vec<u32>,
    value: Vec<u32>,
}

impl Level {
    fn set(&mut self, cols: usize, rows: usize) {
        (self.cols, self.rows) = (cols, rows);
        for cells in [&mut self.mean, &mut self.weight, &mut self.value] {
            cells.clear();
            cells.resize(cols * rows, 0);
        }
    }

    fn row(&self, y: usize) -> Range<usize> {
        y * self.cols..(y + 1) * self.cols
    }
}

impl Grid {
    /// Chooses cells that reach one cell beyond the area where the plane does.
    fn lay(&mut self, plane: &PlaneMut<'_>, area: PixelRect, grain: u32) {
        self.cell_log2 = grain.div_ceil(CELLS_PER_SIDE).max(2).next_power_of_two().trailing_zeros();
        loop {
            let cols = cells(area.x, area.w, plane.size.width, self.cell_log2);
            let rows = cells(area.y, area.h, plane.size.height, self.cell_log2);
            if cols.len() * rows.len() <= MAX_CELLS {
                self.origin = (cols.start, rows.start);
                return self.set_levels(cols.len(), rows.len());
            }
            self.cell_log2 += 1;
        }
    }

    fn set_levels(&mut self, mut cols: usize, mut rows: usize) {
        self.depth = 0;
        loop {
            if self.levels.len() == self.depth {
                self.levels.push(Level::default());
            }
            self.levels[self.depth].set(cols, rows);
            self.depth += 1;
            if cols * rows == 1 {
                return;
            }
            (cols, rows) = (cols.div_ceil(2), rows.div_ceil(2));
        }
    }

    /// Means and weights of the finest cells from the samples outside the mask.
    fn measure(&mut self, plane: &PlaneMut<'_>, mask: &[u8]) {
        let k = self.cell_log2;
        let (width, height) = (plane.size.width as usize, plane.size.height as usize);
        let Self { levels, sums, counts, origin, .. } = self;
        let level = &mut levels[0];
        let x0 = origin.0 << k;
        let w = (level.cols << k).min(width - x0);
        for row in 0..level.rows {
            sums.clear();
            sums.resize(level.cols, 0);
            counts.clear();
            counts.resize(level.cols, 0);
            let y0 = (origin.1 + row) << k;
            for y in y0..(y0 + (1 << k)).min(height) {
                let at = y * width + x0..y * width + x0 + w;
                let cells = plane.data[at.clone()].chunks(1 << k).zip(mask[at].chunks(1 << k));
                for ((data, mask), (sum, count)) in cells.zip(sums.iter_mut().zip(counts.iter_mut())) {
                    let (s, n) = outside(data, mask);
                    *sum += s;
                    *count += n;
                }
            }
            for (col, at) in level.row(row).enumerate() {
                let (sum, count) = (u64::from(sums[col]), u64::from(counts[col]));
                if let Some(mean) = (sum << FRACTION).checked_div(count) {
                    level.mean[at] = mean as u32;
                    level.weight[at] = ((u64::from(FULL_WEIGHT) * count) >> (2 * k)).max(1) as u32;
                }
            }
        }
    }

    /// Gives every cell a value: tied ones near their mean, the others smoothly between. False where no cell has one.
    fn relax(&mut self) -> bool {
        let levels = &mut self.levels[..self.depth];
        for idx in 1..levels.len() {
            let (fine, coarse) = levels.split_at_mut(idx);
            pull(&fine[idx - 1], &mut coarse[0]);
        }
        let Some(top) = levels.last_mut() else { return false };
        if top.weight[0] == 0 {
            return false;
        }
        top.value[0] = top.mean[0];
        for idx in (1..levels.len()).rev() {
            let (fine, coarse) = levels.split_at_mut(idx);
            push(&coarse[0], &mut fine[idx - 1]);
            for _ in 0..ROUNDS {
                smooth(&mut fine[idx - 1]);
            }
        }
        true
    }

    /// Draws the cells' values, bilinear between their centres, onto the samples of `area` inside the mask.
    fn draw(&mut self, plane: &mut PlaneMut<'_>, mask: &[u8], area: PixelRect) {
        let k = self.cell_log2;
        let Self { levels, knots, line, origin, .. } = self;
        let level = &levels[0];
        let width = plane.size.width as usize;
        line.resize((level.cols + 1) << k, 0);
        knots.resize(level.cols, 0);
        for (y, mask) in (area.y as usize..).zip(rows(mask, width, area)) {
            let Some(first) = mask.iter().position(|m| *m == INSIDE) else { continue };
            let last = mask.iter().rposition(|m| *m == INSIDE).map_or(first, |x| x + 1);
            let (upper, lower, part) = between(y - (origin.1 << k), k, level.rows);
            let (upper, lower) = (&level.value[level.row(upper)], &level.value[level.row(lower)]);
            for ((knot, u), l) in knots.iter_mut().zip(upper).zip(lower) {
                let (u, l) = (*u as i32, *l as i32);
                *knot = u + (((l - u) * part) >> (k + 1));
            }
            let x0 = area.x as usize + first;
            let from = x0 - (origin.0 << k);
            interpolate(knots, k, from, from + last - first, line);
            let at = y * width + x0;
            let half = 1 << (k - 1);
            let drawn = &line[from + half..][..last - first];
            for ((d, m), v) in plane.data[at..at + last - first].iter_mut().zip(&mask[first..last]).zip(drawn)
            {
                *d = (*d & !m) | (v & m);
            }
        }
    }
}

/// The cells that `len` samples from `start` lie in, and one more on each side where the plane goes on.
fn cells(start: u32, len: u32, plane: u32, cell_log2: u32) -> Range<usize> {
    let first = (start >> cell_log2).saturating_sub(1);
    let last = ((start + len - 1) >> cell_log2) + 1;
    first as usize..last.min((plane - 1) >> cell_log2) as usize + 1
}

/// Sum and number of the samples outside the mask.
fn outside(data: &[u8], mask: &[u8]) -> (u32, u32) {
    // 16 bits hold 128 samples of a chunk; cells are at most that wide for areas up to 16384 samples.
    data.chunks(128).zip(mask.chunks(128)).fold((0, 0), |(sum, count), (data, mask)| {
        let (mut s, mut n) = (0u16, 0u16);
        for (d, m) in data.iter().zip(mask) {
            // Wrapping, here and below, so that no check stands in the way of vectors; the sums fit.
            s = s.wrapping_add(u16::from(d & !m));
            n = n.wrapping_add(u16::from(!m & 1));
        }
        (sum + u32::from(s), count + u32::from(n))
    })
}

fn pull(fine: &Level, coarse: &mut Level) {
    for y in 0..coarse.rows {
        for x in 0..coarse.cols {
            let (mut sum, mut weight) = (0u64, 0u64);
            for fy in 2 * y..(2 * y + 2).min(fine.rows) {
                for at in fy * fine.cols + 2 * x..fy * fine.cols + (2 * x + 2).min(fine.cols) {
                    sum += u64::from(fine.mean[at]) * u64::from(fine.weight[at]);
                    weight += u64::from(fine.weight[at]);
                }
            }
            let at = y * coarse.cols + x;
            if let Some(mean) = sum.checked_div(weight) {
                coarse.mean[at] = mean as u32;
                coarse.weight[at] = weight.div_ceil(4) as u32;
            }
        }
    }
}

fn push(coarse: &Level, fine: &mut Level) {
    for y in 0..fine.rows {
        let from = &coarse.value[coarse.row(y / 2)];
        let row = fine.row(y);
        for (x, value) in fine.value[row].iter_mut().enumerate() {
            *value = from[x / 2];
        }
    }
}

/// One Gauss-Seidel round there and back, so that no direction is favoured.
fn smooth(level: &mut Level) {
    let n = level.cols * level.rows;
    for at in (0..n).chain((0..n).rev()) {
        let (x, y) = (at % level.cols, at / level.cols);
        let v = &level.value;
        let left = v[if x > 0 { at - 1 } else { at }];
        let right = v[if x + 1 < level.cols { at + 1 } else { at }];
        let above = v[if y > 0 { at - level.cols } else { at }];
        let below = v[if y + 1 < level.rows { at + level.cols } else { at }];
        let w = level.weight[at];
        level.value[at] = (w * level.mean[at] + left + right + above + below) / (w + 4);
    }
}

/// The two cells a sample lies between, and how far from the first to the second in units of 1/2^(k+1).
fn between(sample: usize, k: u32, cells: usize) -> (usize, usize, i32) {
    let side = 1usize << k;
    let Some(from) = (2 * sample + 1).checked_sub(side) else { return (0, 0, 0) };
    let cell = (from >> (k + 1)).min(cells - 1);
    (cell, (cell + 1).min(cells - 1), (from & (2 * side - 1)) as i32)
}

/// Draws `knots` as a line of bytes shifted by half a cell: sample `x` lands at `line[x + half]`, so that each stretch
/// between two cell centres begins at a multiple of the cell's side.
fn interpolate(knots: &[i32], k: u32, from: usize, to: usize, line: &mut [u8]) {
    let side = 1usize << k;
    let half = side / 2;
    let shift = FRACTION + k + 1;
    let stretches = (from + half) / side..(to + half).div_ceil(side);
    for (stretch, out) in line.chunks_exact_mut(side).enumerate().take(stretches.end).skip(stretches.start) {
        let a = knots[stretch.saturating_sub(1).min(knots.len() - 1)];
        let b = knots[stretch.min(knots.len() - 1)];
        let base = (a << (k + 1)) + (1 << (shift - 1));
        let (mut value, step) = (base.wrapping_add(b - a), (b - a).wrapping_mul(2));
        for o in out {
            *o = (value >> shift) as u8;
            value = value.wrapping_add(step);
        }
    }
}
