//! Which parts of the picture are still what they were, so that what was judged of them holds.
//!
//! The picture is summed up in cells of 4 by 4 pixels of luma and of chroma. A block of 16 by 16 pixels keeps its
//! *version* while every cell stays close to the picture that began the version; nothing is compared with the frame
//! before, so slow change adds up until it counts. Detectors see nothing finer: the smallest face they find is three
//! cells wide. A cell's sum is at most 4080, so that none of the sums and differences below leaves 16 bits.
#![expect(clippy::indexing_slicing, reason = "a pixel kernel: indices come from the plane's own size")]

use std::collections::HashMap;
use std::sync::Arc;

use placet_core::{Detection, Frame, PixelRect, Plane, Size};
use placet_vision::{FaceDetector, View, VisionError};

/// Pixels a side of a block.
pub(crate) const BLOCK: u32 = 16;
/// Pixels a side of a cell.
const CELL: usize = 4;
/// Sixteenths of a level of 256 that the mean of a cell of luma may move within a version where all is flat: there
/// detectors find faces of a few levels' contrast.
const FLAT: i16 = 40;
/// Where cells of the block differ, a sixth of by how much is added, up to this in all: there noise is larger, and a face
/// must stand out further to be found.
const MOST: i16 = 96;
const OF_RANGE: i16 = 6;
/// The mean of four cells in a square may move three fifths as far.
const SQUARE: (i32, i32) = (3, 5);
/// Levels that the mean of a cell of chroma may move.
const CHROMA: i16 = 4;
/// A view is judged again after as many frames, whatever it shows.
const LONGEST: u32 = 125;
/// Frames between the second judgements of two views.
const APART: u32 = 12;

/// The version of each block in one frame.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    /// Number of the frame among those compared, from 1. A version is the number of the frame that began it.
    pub(crate) now: u32,
    pub(crate) columns: usize,
    pub(crate) versions: Vec<u32>,
}

impl Blocks {
    /// The newest version within `part`.
    fn newest(&self, part: PixelRect) -> u32 {
        let (x0, x1) = ((part.x / BLOCK) as usize, (part.x + part.w).div_ceil(BLOCK) as usize);
        let (y0, y1) = ((part.y / BLOCK) as usize, (part.y + part.h).div_ceil(BLOCK) as usize);
        let row =
            |y: usize| self.versions.get(y * self.columns + x0..y * self.columns + x1.min(self.columns));
        (y0..y1).filter_map(row).flatten().copied().max().unwrap_or(self.now)
    }
}

/// Compares frame after frame.
pub(crate) struct Still {
    size: Size,
    luma: Cells,
    chroma: [Cells; 2],
    /// How far the mean of a cell of luma may move, in sixteenths of a level, for each block.
    may: Vec<i16>,
    moved: Vec<bool>,
    blocks: Blocks,
}

impl Still {
    pub(crate) fn new(size: Size) -> Self {
        let columns = size.width.div_ceil(BLOCK) as usize;
        let rows = size.height.div_ceil(BLOCK) as usize;
        let blocks = Blocks { now: 0, columns, versions: vec![0; columns * rows] };
        // Cells of four pixels; of two halved ones in chroma, four times two a block.
        Self {
            size,
            luma: Cells::new(columns * 4, rows * 4),
            chroma: [0, 1].map(|_| Cells::new(columns * 2, rows * 2)),
            may: vec![0; columns * rows],
            moved: vec![false; columns],
            blocks,
        }
    }

    /// Takes the next frame.
    pub(crate) fn push(&mut self, frame: &Frame) -> Arc<Blocks> {
        let Self { size, luma, chroma, may, moved, blocks } = self;
        blocks.now += 1;
        if frame.size() == *size {
            let [first, second] = &mut *chroma;
            for (plane, cells) in frame.planes().zip([&mut *luma, first, second]) {
                cells.sum(&plane);
            }
            let rows = blocks.versions.chunks_mut(blocks.columns).zip(may.chunks_mut(blocks.columns));
            for (y, (versions, may)) in rows.enumerate() {
                moved.fill(blocks.now == 1);
                moved_luma(luma.now.four(y), luma.then.four(y), may, moved);
                for cells in &*chroma {
                    moved_chroma(cells.now.two(y), cells.then.two(y), moved);
                }
                for (x, _) in moved.iter().enumerate().filter(|(_, moved)| **moved) {
                    versions[x] = blocks.now;
                    chroma.iter_mut().for_each(|c| c.begin(x, y, 2));
                    luma.begin(x, y, 4);
                    may[x] = may_move(luma.then.four(y).map(|row| row[x]));
                }
            }
        } else {
            blocks.versions.fill(blocks.now);
        }
        Arc::new(blocks.clone())
    }
}

/// Sums of the cells of one plane, row after row.
struct Sums {
    columns: usize,
    sums: Vec<i16>,
}

impl Sums {
    fn row(&self, y: usize) -> &[i16] {
        &self.sums[y * self.columns..(y + 1) * self.columns]
    }

    /// The four rows of cells of the blocks of row `y`, cut into blocks.
    fn four(&self, y: usize) -> [&[[i16; 4]]; 4] {
        [0, 1, 2, 3].map(|dy| self.row(y * 4 + dy).as_chunks().0)
    }

    /// The same where a block has two rows of two cells.
    fn two(&self, y: usize) -> [&[[i16; 2]]; 2] {
        [0, 1].map(|dy| self.row(y * 2 + dy).as_chunks().0)
    }
}

/// Sums of the cells of one plane, now and when their block's version began.
struct Cells {
    now: Sums,
    then: Sums,
    line: Vec<u16>,
}

impl Cells {
    fn new(columns: usize, rows: usize) -> Self {
        let sums = || Sums { columns, sums: vec![0; columns * rows] };
        Self { now: sums(), then: sums(), line: vec![0; columns * CELL] }
    }

    fn sum(&mut self, plane: &Plane<'_>) {
        let width = plane.size.width as usize;
        let outs = self.now.sums.chunks_mut(self.now.columns);
        for (rows, out) in plane.data.chunks(width * CELL).zip(outs) {
            self.line.fill(0);
            for row in rows.chunks(width) {
                for (sum, v) in self.line.iter_mut().zip(row) {
                    *sum = sum.wrapping_add(u16::from(*v));
                }
            }
            for (cell, four) in out.iter_mut().zip(self.line.as_chunks::<CELL>().0) {
                // At most 16 times 255.
                *cell = four.iter().fold(0_u16, |a, v| a.wrapping_add(*v)) as i16;
            }
        }
    }

    fn begin(&mut self, x: usize, y: usize, side: usize) {
        for dy in 0..side {
            let at = (y * side + dy) * self.now.columns + x * side;
            self.then.sums[at..at + side].copy_from_slice(&self.now.sums[at..at + side]);
        }
    }
}

/// How far a block's cells may move that was like this when its version began.
fn may_move(then: [[i16; 4]; 4]) -> i16 {
    let all = || then.iter().flatten().copied();
    let range = all().max().unwrap_or(0) - all().min().unwrap_or(0);
    (FLAT + range / OF_RANGE).min(MOST)
}

/// Marks the blocks of which a cell, or four in a square, moved further than they may.
fn moved_luma(now: [&[[i16; 4]]; 4], then: [&[[i16; 4]]; 4], may: &[i16], moved: &mut [bool]) {
    let n = moved.len();
    let (now, then, may) = (now.map(|row| &row[..n]), then.map(|row| &row[..n]), &may[..n]);
    for x in 0..n {
        let diff: [[i16; 4]; 4] =
            std::array::from_fn(|y| std::array::from_fn(|c| now[y][x][c].wrapping_sub(then[y][x][c])));
        let cell = diff.iter().flatten().fold(0, |worst: i16, d| worst.max(d.wrapping_abs()));
        let pairs =
            [0, 2].map(|y| -> [i16; 4] { std::array::from_fn(|c| diff[y][c].wrapping_add(diff[y + 1][c])) });
        let square = pairs.iter().flat_map(|p| [p[0].wrapping_add(p[1]), p[2].wrapping_add(p[3])]);
        let square = square.fold(0, |worst: i16, d| worst.max(d.wrapping_abs()));
        let (num, den) = SQUARE;
        moved[x] |= cell > may[x] || i32::from(square) * den > 4 * num * i32::from(may[x]);
    }
}

/// Marks the blocks of which a cell moved by more than [`CHROMA`].
fn moved_chroma(now: [&[[i16; 2]]; 2], then: [&[[i16; 2]]; 2], moved: &mut [bool]) {
    const LEAST: i16 = CHROMA * (CELL * CELL) as i16;
    let n = moved.len();
    let (now, then) = (now.map(|row| &row[..n]), then.map(|row| &row[..n]));
    for x in 0..n {
        let diff = [0, 1].map(|y| [0, 1].map(|c| now[y][x][c].wrapping_sub(then[y][x][c]).wrapping_abs()));
        moved[x] |= diff.iter().flatten().any(|d| *d > LEAST);
    }
}

/// A detector that answers from memory for a view in which nothing moved since it judged it.
pub(crate) struct Steady {
    inner: Box<dyn FaceDetector>,
    blocks: Option<Arc<Blocks>>,
    known: HashMap<View, Known>,
}

/// What was found in a view.
struct Known {
    /// In which frame.
    judged: u32,
    /// The frame from which on it is judged again.
    until: u32,
    found: Vec<Detection>,
}

impl Steady {
    pub(crate) fn new(inner: Box<dyn FaceDetector>) -> Self {
        Self { inner, blocks: None, known: HashMap::new() }
    }

    /// Says what moved, for the frame that is looked at next.
    pub(crate) fn expect(&mut self, blocks: Arc<Blocks>) {
        self.blocks = Some(blocks);
    }
}

impl FaceDetector for Steady {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn find(
        &mut self,
        frame: &Frame,
        view: &View,
        min_score: f32,
        found: &mut Vec<Detection>,
    ) -> Result<(), VisionError> {
        let Some(blocks) = &self.blocks else { return self.inner.find(frame, view, min_score, found) };
        let newest = blocks.newest(view.source);
        if let Some(known) = self.known.get(view)
            && newest <= known.judged
            && blocks.now < known.until
        {
            found.extend_from_slice(&known.found);
            return Ok(());
        }
        let before = found.len();
        self.inner.find(frame, view, min_score, found)?;
        // All are first judged in one frame; their next times are spread, lest that frame's turn holds everything up.
        let sooner =
            if self.known.contains_key(view) { 0 } else { self.known.len() as u32 * APART % LONGEST };
        let known = Known {
            judged: blocks.now,
            until: blocks.now + LONGEST - sooner,
            found: found[before..].to_vec(),
        };
        self.known.insert(*view, known);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use placet_core::{Layout, Rect, Rotation};
    use placet_vision::Scale;

    use super::*;

    const SIZE: Size = Size { width: 70, height: 50 };

    fn grey(level: u8) -> Frame {
        let mut f = Frame::new(SIZE, Layout::Yuv420);
        f.bytes_mut().fill(level);
        f
    }

    fn paint(frame: &mut Frame, at: PixelRect, by: i16) {
        let luma = frame.planes_mut().next().unwrap();
        for y in at.y..at.y + at.h {
            for x in at.x..at.x + at.w {
                let v = &mut luma.data[(y * SIZE.width + x) as usize];
                *v = (i16::from(*v) + by) as u8;
            }
        }
    }

    #[test]
    fn a_block_that_moved_has_a_new_version_and_no_other_has() {
        let mut still = Still::new(SIZE);
        assert!(still.push(&grey(90)).versions.iter().all(|v| *v == 1));
        let mut other = grey(90);
        paint(&mut other, PixelRect { x: 33, y: 17, w: 4, h: 4 }, 9);
        let blocks = still.push(&other);
        let new: Vec<usize> = (0..blocks.versions.len()).filter(|i| blocks.versions[*i] == 2).collect();
        assert_eq!(new, [7], "column 2 of row 1, five columns");
        assert_eq!(blocks.newest(PixelRect { x: 0, y: 0, w: 32, h: 50 }), 1);
        assert_eq!(blocks.newest(PixelRect { x: 0, y: 0, w: 33, h: 50 }), 2);
    }

    #[test]
    fn slow_change_adds_up() {
        let mut still = Still::new(SIZE);
        let new: Vec<bool> = (0..7)
            .map(|i| {
                let b = still.push(&grey(90 + i));
                b.versions[0] == b.now
            })
            .collect();
        assert_eq!(new, [true, false, true, false, true, false, true]);
    }

    #[test]
    fn where_the_picture_is_rich_more_must_change() {
        let changed = |rich: bool| {
            let mut still = Still::new(SIZE);
            let mut frame = grey(90);
            if rich {
                paint(&mut frame, PixelRect { x: 0, y: 0, w: 8, h: 16 }, 80);
            }
            still.push(&frame);
            paint(&mut frame, PixelRect { x: 12, y: 4, w: 4, h: 4 }, 4);
            still.push(&frame).versions[0] == 2
        };
        assert!(changed(false));
        assert!(!changed(true));
    }

    #[test]
    fn change_of_color_alone_counts() {
        let mut still = Still::new(SIZE);
        still.push(&grey(90));
        let mut other = grey(90);
        other.planes_mut().nth(2).unwrap().data[..8].fill(130);
        let blocks = still.push(&other);
        assert_eq!(blocks.versions[0], 2);
        assert_eq!(blocks.versions[3], 1);
    }

    #[test]
    fn noise_of_a_level_or_two_does_not_count() {
        let mut still = Still::new(SIZE);
        still.push(&grey(90));
        let mut noisy = grey(90);
        noisy
            .bytes_mut()
            .iter_mut()
            .enumerate()
            .for_each(|(i, v)| *v = (*v + 3) - ((i * 7919 / 13) % 7) as u8);
        assert!(still.push(&noisy).versions.iter().all(|v| *v == 1));
    }

    struct Counting(u32);

    impl FaceDetector for Counting {
        fn name(&self) -> &'static str {
            "counting"
        }
        fn find(
            &mut self,
            _: &Frame,
            _: &View,
            _: f32,
            found: &mut Vec<Detection>,
        ) -> Result<(), VisionError> {
            self.0 += 1;
            found.push(Detection {
                rect: Rect { x: self.0 as f32, y: 0.0, w: 1.0, h: 1.0 },
                score: 1.0,
                landmarks: None,
            });
            Ok(())
        }
    }

    #[test]
    fn a_view_is_judged_again_only_when_something_in_it_moved_or_long_after() {
        let (mut still, mut steady) = (Still::new(SIZE), Steady::new(Box::new(Counting(0))));
        let left = View {
            source: PixelRect { x: 0, y: 0, w: 32, h: 48 },
            scale: Scale::Same,
            rotation: Rotation::None,
        };
        let right = View { source: PixelRect { x: 32, ..left.source }, ..left };
        let mut look = |frame: &Frame, view: &View| {
            steady.expect(still.push(frame));
            let mut found = Vec::new();
            steady.find(frame, view, 0.5, &mut found).unwrap();
            found[0].rect.x as u32
        };
        let mut other = grey(90);
        paint(&mut other, PixelRect { x: 40, y: 20, w: 8, h: 8 }, 40);
        assert_eq!(look(&grey(90), &left), 1);
        assert_eq!(look(&other, &left), 1, "the change lies to the right");
        assert_eq!(look(&other, &right), 2);
        assert_eq!(look(&other, &right), 2);
        assert_eq!(look(&grey(90), &right), 3, "it went away again");
        let later: Vec<u32> = (0..LONGEST).map(|_| look(&grey(90), &left)).collect();
        assert_eq!((later[0], *later.last().unwrap()), (1, 4));
    }
}
