use placet_core::{Detection, Frame, PixelRect, Rotation, Size};

use crate::merge::{mark_cut, unmark};
use crate::{FaceDetector, Scale, View, VisionError, merge};

/// Boxes sharing more of their union than this show one face. Both networks' authors use it.
const SAME_FACE: f32 = 0.3;

/// Pixels of the network's input that neighbouring tiles share: a face up to this size is whole in one of them.
const OVERLAP: u32 = 96;

/// A tile's longer and shorter side at most, in pixels of the network's input.
const TILE: (u32, u32) = (1024, 608);

/// A box this close to its view's edge, in pixels of the network's input, may be cut by it.
const EDGE: f32 = 2.0;

/// How thoroughly a frame is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effort {
    /// The whole picture, reduced to about 640 pixels on its longer side.
    Fast,
    /// The whole picture at up to 960 pixels, and tiles of it at full resolution; of pictures with more than 1920
    /// pixels on their longer side, at the whole fraction of it that has at most 1920.
    Thorough {
        /// How many of the tiles are looked at in each frame, in turn; all where there are no more.
        tiles_per_frame: u32,
    },
    /// As `Thorough` with all tiles in every frame: for the second detector.
    Check,
    /// For pictures: the whole, tiles at full resolution up to 6144 pixels, coarser tiles between the two where they
    /// are more than four times apart, and tiles at twice the size of pictures of at most 1280 pixels.
    Picture,
}

/// Which views of the frames of one stream a detector looks at.
///
/// Together the tiles of one resolution cover every pixel, and neighbours share at least 96 pixels of the network's
/// input, so that a face of up to that size is whole in one of them; larger ones are seen in the next coarser view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    every_frame: Vec<View>,
    in_turn: Vec<View>,
    tiles_per_frame: usize,
}

impl Scan {
    /// The views for frames of `size` as stored, to be turned by `rotation` to be upright.
    pub fn new(size: Size, rotation: Rotation, effort: Effort) -> Self {
        let grid = Grid { size, rotation };
        match effort {
            Effort::Fast => Self::fixed(vec![grid.whole((grid.long() / 600).max(1), TILE.0 * TILE.1)]),
            Effort::Thorough { tiles_per_frame } => {
                let (whole, tiles) = grid.whole_and_tiles(1920);
                Self { every_frame: vec![whole], in_turn: tiles, tiles_per_frame: tiles_per_frame as usize }
            }
            Effort::Check => {
                let (whole, tiles) = grid.whole_and_tiles(1920);
                Self::fixed(std::iter::once(whole).chain(tiles).collect())
            }
            Effort::Picture => {
                let (whole, tiles) = grid.whole_and_tiles(6144);
                let mut views: Vec<View> = std::iter::once(whole).chain(tiles).collect();
                let (coarsest, mut factor) =
                    (whole.scale.factor() as u32, grid.long().div_ceil(6144).max(1) * 4);
                while factor < coarsest {
                    views.extend(grid.tiles(Scale::down(factor)));
                    factor *= 4;
                }
                if grid.long() <= 1280 {
                    views.extend(grid.tiles(Scale::Up2));
                }
                Self::fixed(views)
            }
        }
    }

    fn fixed(views: Vec<View>) -> Self {
        Self { every_frame: views, in_turn: Vec::new(), tiles_per_frame: 0 }
    }

    /// The views of frame `frame_idx`.
    pub fn views(&self, frame_idx: u64) -> impl Iterator<Item = &View> {
        let n = self.in_turn.len();
        let take = self.tiles_per_frame.min(n);
        let first = (frame_idx % n.max(1) as u64) as usize * take % n.max(1);
        self.every_frame.iter().chain(self.in_turn.iter().cycle().skip(first).take(take))
    }

    /// After how many frames every view had its turn.
    pub fn period(&self) -> u64 {
        self.in_turn.len().div_ceil(self.tiles_per_frame.max(1)).max(1) as u64
    }

    /// Lets `detector` look at all views of the frame and leaves in `out` (emptied first) one box for each face.
    ///
    /// A box that reaches the edge of its view inside the frame ranks behind the others: it may show half of a face
    /// that another view shows whole.
    ///
    /// # Errors
    /// Where one of the views could not be judged; the frame was then not judged, whatever `out` holds.
    pub fn look(
        &self,
        detector: &mut dyn FaceDetector,
        frame: &Frame,
        frame_idx: u64,
        min_score: f32,
        out: &mut Vec<Detection>,
    ) -> Result<(), VisionError> {
        out.clear();
        for view in self.views(frame_idx) {
            let before = out.len();
            detector.find(frame, view, min_score, out)?;
            for detection in out.iter_mut().skip(before).filter(|d| is_cut(d, view, frame.size())) {
                mark_cut(detection);
            }
        }
        merge(out, SAME_FACE);
        unmark(out);
        Ok(())
    }
}

/// Whether the box reaches an edge of the view that is not one of the frame.
fn is_cut(detection: &Detection, view: &View, frame: Size) -> bool {
    let (face, seen) = (detection.rect, view.source);
    let edge = EDGE * view.scale.factor();
    let inner = |at: u32, end: u32| at > 0 && at < end;
    (inner(seen.x, frame.width) && face.x < seen.x as f32 + edge)
        || (inner(seen.y, frame.height) && face.y < seen.y as f32 + edge)
        || (inner(seen.x + seen.w, frame.width) && face.right() > (seen.x + seen.w) as f32 - edge)
        || (inner(seen.y + seen.h, frame.height) && face.bottom() > (seen.y + seen.h) as f32 - edge)
}

/// Cuts frames of one size into views.
struct Grid {
    size: Size,
    rotation: Rotation,
}

impl Grid {
    fn long(&self) -> u32 {
        self.size.width.max(self.size.height)
    }

    /// The whole frame, reduced at least by `factor` and until it has no more than `area` pixels.
    fn whole(&self, mut factor: u32, area: u32) -> View {
        let fits = |n: u32| Scale::down(n).apply(self.size).area() <= u64::from(area);
        while !fits(factor) && factor < Scale::MAX_DOWN {
            factor += 1;
        }
        let source = PixelRect { x: 0, y: 0, w: self.size.width, h: self.size.height };
        View { source, scale: Scale::down(factor), rotation: self.rotation }
    }

    /// The whole at up to 960 pixels, and tiles where they show more than it does: at the whole fraction of the
    /// frame's resolution that has at most `longest` pixels.
    fn whole_and_tiles(&self, longest: u32) -> (View, Vec<View>) {
        let whole = self.whole(self.long().div_ceil(960).max(1), 960 * 752);
        let scale = Scale::down(self.long().div_ceil(longest).max(1));
        let tiles = if scale.factor() < whole.scale.factor() { self.tiles(scale) } else { Vec::new() };
        (whole, tiles)
    }

    /// Tiles that cover the frame, in reading order.
    fn tiles(&self, scale: Scale) -> Vec<View> {
        let stored = |seen: u32| (seen as f32 * scale.factor()) as u32;
        let (long, short) = TILE;
        let (w, h) = if self.size.width >= self.size.height { (long, short) } else { (short, long) };
        let columns = spans(self.size.width, stored(w), stored(OVERLAP), stored(32));
        let rows = spans(self.size.height, stored(h), stored(OVERLAP), stored(32));
        let at = |(y, h): (u32, u32), (x, w): (u32, u32)| View {
            source: PixelRect { x, y, w, h },
            scale,
            rotation: self.rotation,
        };
        rows.iter().flat_map(|row| columns.iter().map(move |column| at(*row, *column))).collect()
    }
}

/// Cuts `len` into the fewest spans `(start, length)` of one length up to `longest`, a multiple of `step` where there
/// are several, that share at least `overlap` with their neighbours. Starts are even, except where the last must end
/// at an odd `len`.
fn spans(len: u32, longest: u32, overlap: u32, step: u32) -> Vec<(u32, u32)> {
    if len <= longest {
        return vec![(0, len)];
    }
    // Starts are rounded down to even ones, which may cost one pixel of overlap.
    let overlap = overlap + 1;
    let count = (len - overlap).div_ceil(longest - overlap);
    let span = (len + (count - 1) * overlap).div_ceil(count).next_multiple_of(step).min(longest);
    let start = |i: u32| {
        let exact = (u64::from(len - span) * u64::from(i) / u64::from(count - 1)) as u32;
        if i + 1 == count { exact } else { exact & !1 }
    };
    (0..count).map(|i| (start(i), span)).collect()
}
