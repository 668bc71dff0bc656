use placet_core::{Detection, Frame, PixelRect, Rect, Rotation, Size};

use crate::merge::{mark_cut, unmark};
use crate::{FaceDetector, Scale, View, VisionError, merge};

/// Pixels of the network's input that neighbouring tiles share: a face up to this size is whole in one of them.
const OVERLAP: u32 = 96;

/// A tile's longer and shorter side at most, in pixels of the network's input.
const TILE: (u32, u32) = (768, 448);

/// A box closer to its view's edge than this share of its own width or height may be cut by it: a network that sees
/// half a face puts a box around the half, near the edge but not always on it.
const EDGE: f32 = 0.15;

/// Pixels of the network's input from which no finer view is needed to see a face.
const WELL_SEEN: f32 = 32.0;

/// How thoroughly a frame is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effort {
    /// One view a frame: twice the whole picture, reduced to about 640 pixels on its longer side, then a finer view of
    /// it (of 1080p: the whole at 960 pixels; of 720p: quarters at full size, one after another).
    Fast,
    /// The whole picture at up to 960 pixels, and tiles of it at full resolution; of pictures with more than 1920
    /// pixels on their longer side, at the whole fraction of it that has at most 1920.
    Thorough {
        /// How many of the tiles are looked at in each frame, in turn; all where there are no more.
        tiles_per_frame: u32,
    },
    /// The whole as `Fast` has it and all tiles of `Thorough`, in every frame: for the second detector. A face too large
    /// to be whole in a tile is 32 pixels and more in the reduced picture.
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
    ///
    /// A tag may say that a frame is turned which is not: where there is one, the frame is looked at as it is stored too,
    /// reduced, in its turn.
    pub fn new(size: Size, rotation: Rotation, effort: Effort) -> Self {
        let mut scan = Self::as_tagged(size, rotation, effort);
        if rotation != Rotation::None {
            let stored = Grid { size, rotation: Rotation::None }.reduced();
            if scan.tiles_per_frame == 0 {
                scan.every_frame.push(stored);
            } else {
                scan.in_turn.push(stored);
            }
        }
        scan
    }

    fn as_tagged(size: Size, rotation: Rotation, effort: Effort) -> Self {
        let grid = Grid { size, rotation };
        match effort {
            Effort::Fast => Self { every_frame: Vec::new(), in_turn: grid.in_haste(), tiles_per_frame: 1 },
            Effort::Thorough { tiles_per_frame } => {
                let (whole, tiles) = grid.whole_and_tiles(1920);
                Self { every_frame: vec![whole], in_turn: tiles, tiles_per_frame: tiles_per_frame as usize }
            }
            Effort::Check => {
                let (_, tiles) = grid.whole_and_tiles(1920);
                Self::fixed(std::iter::once(grid.reduced()).chain(tiles).collect())
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

    /// One view of the whole picture, reduced by the whole number that comes closest to showing it at `wanted`.
    pub fn whole(size: Size, rotation: Rotation, wanted: Size) -> Self {
        let seen = rotation.upright(size);
        let ratio = (seen.width as f32 / wanted.width.max(1) as f32)
            .max(seen.height as f32 / wanted.height.max(1) as f32);
        let source = PixelRect { x: 0, y: 0, w: size.width, h: size.height };
        Self::fixed(vec![View { source, scale: Scale::down((ratio.round() as u32).max(1)), rotation }])
    }

    /// Size at which the whole picture is seen, before rotation.
    pub fn whole_size(&self) -> Size {
        let first = self.every_frame.first().or(self.in_turn.first());
        first.map_or(Size { width: 0, height: 0 }, |v| {
            v.scale.apply(Size { width: v.source.w, height: v.source.h })
        })
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
    /// A box close to an edge of its view that is not one of the frame ranks behind the others: it may show half of a
    /// face that another view shows whole.
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
        self.look_where(detector, frame, frame_idx, min_score, |_| true, out)
    }

    /// [`Scan::look`], but of the views that show only a part of the frame those that touch one of `places`.
    ///
    /// # Errors
    /// As [`Scan::look`].
    pub fn look_at(
        &self,
        detector: &mut dyn FaceDetector,
        frame: &Frame,
        frame_idx: u64,
        min_score: f32,
        places: &[Rect],
        out: &mut Vec<Detection>,
    ) -> Result<(), VisionError> {
        let wanted = |view: &View| shows_any(view, frame.size(), places);
        self.look_where(detector, frame, frame_idx, min_score, wanted, out)
    }

    /// How many of the views of a frame of `size` [`Scan::look_at`] takes, as a share of all.
    pub fn share_at(&self, size: Size, frame_idx: u64, places: &[Rect]) -> f32 {
        let all = self.views(frame_idx).count();
        let taken = self.views(frame_idx).filter(|view| shows_any(view, size, places)).count();
        taken as f32 / all.max(1) as f32
    }

    /// Where [`Scan::look_at`] is to look for faces near `faces` that the whole picture may be too small for: three
    /// times the width and height around each, but for those that are seen in it with at least 32 pixels.
    pub fn around(&self, faces: &[Rect]) -> Vec<Rect> {
        let coarse = self.every_frame.first().or(self.in_turn.first()).map_or(1.0, |v| v.scale.factor());
        let small = faces.iter().filter(|face| face.w.min(face.h) < WELL_SEEN * coarse);
        small.map(|face| face.scaled(3.0)).collect()
    }

    fn look_where(
        &self,
        detector: &mut dyn FaceDetector,
        frame: &Frame,
        frame_idx: u64,
        min_score: f32,
        wanted: impl Fn(&View) -> bool,
        out: &mut Vec<Detection>,
    ) -> Result<(), VisionError> {
        out.clear();
        for view in self.views(frame_idx).filter(|view| wanted(view)) {
            let before = out.len();
            detector.find(frame, view, min_score, out)?;
            for detection in out.iter_mut().skip(before).filter(|d| is_cut(d, view, frame.size())) {
                mark_cut(detection);
            }
        }
        merge(out);
        unmark(out);
        Ok(())
    }
}

/// Whether the view shows all of a frame of `size`, or a part of one of `places`.
fn shows_any(view: &View, size: Size, places: &[Rect]) -> bool {
    let PixelRect { x, y, w, h } = view.source;
    let seen = Rect { x: x as f32, y: y as f32, w: w as f32, h: h as f32 };
    (w, h) == (size.width, size.height) || places.iter().any(|place| seen.overlap(place) > 0.0)
}

/// Whether the box comes close to an edge of the view that is not one of the frame.
fn is_cut(detection: &Detection, view: &View, frame: Size) -> bool {
    let (face, seen) = (detection.rect, view.source);
    let (right, bottom) = (seen.x + seen.w, seen.y + seen.h);
    let (across, down) = (EDGE * face.w, EDGE * face.h);
    (seen.x > 0 && face.x < seen.x as f32 + across)
        || (seen.y > 0 && face.y < seen.y as f32 + down)
        || (right < frame.width && face.right() > right as f32 - across)
        || (bottom < frame.height && face.bottom() > bottom as f32 - down)
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

    /// The whole frame at 600 to 900 pixels; a smaller one as it is.
    fn reduced(&self) -> View {
        self.whole((self.long() / 600).max(1), 1024 * 608)
    }

    /// The reduced whole and, in every third frame, a finer view: of the whole where it stays small, else of one tile after another.
    fn in_haste(&self) -> Vec<View> {
        let whole = self.reduced();
        let factor = whole.scale.factor() as u32;
        if factor < 2 {
            return vec![whole];
        }
        let finer = Scale::down(factor - (factor / 3).max(1));
        let views = if finer.apply(self.size).area() <= 960 * 544 {
            vec![View { scale: finer, ..whole }]
        } else {
            self.tiles(finer)
        };
        views.into_iter().flat_map(|view| [whole, whole, view]).collect()
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
/// are several, that share at least `overlap` with their neighbours; the last is moved back to end at `len`.
fn spans(len: u32, longest: u32, overlap: u32, step: u32) -> Vec<(u32, u32)> {
    if len <= longest {
        return vec![(0, len)];
    }
    let count = (len - overlap).div_ceil(longest - overlap);
    let span = (len + (count - 1) * overlap).div_ceil(count).next_multiple_of(step).min(longest);
    (0..count).map(|i| ((i * (span - overlap)).min(len - span), span)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HD: Size = Size { width: 1920, height: 1080 };

    /// What the views of one frame are, in short: count of each scale, and the largest view after scaling.
    fn summary(size: Size, effort: Effort) -> (Vec<Scale>, Size) {
        let scan = Scan::new(size, Rotation::None, effort);
        let mut scales: Vec<Scale> = scan.views(0).map(|v| v.scale).collect();
        scales.dedup();
        let largest = scan.views(0).map(View::scaled).max_by_key(|s| s.area()).unwrap();
        (scales, largest)
    }

    #[test]
    fn usual_sizes_are_looked_at_as_documented() {
        let size = |width, height| Size { width, height };
        let thorough = Effort::Thorough { tiles_per_frame: u32::MAX };
        let rows = [
            (HD, Effort::Fast, vec![Scale::Down(3)], size(640, 360)),
            (size(1280, 720), Effort::Fast, vec![Scale::Down(2)], size(640, 360)),
            (size(1080, 1920), Effort::Fast, vec![Scale::Down(3)], size(360, 640)),
            (size(3840, 2160), Effort::Fast, vec![Scale::Down(6)], size(640, 360)),
            (size(640, 480), Effort::Fast, vec![Scale::Same], size(640, 480)),
            (HD, thorough, vec![Scale::Down(2), Scale::Same], size(960, 540)),
            (size(1280, 720), thorough, vec![Scale::Down(2), Scale::Same], size(704, 416)),
            (size(3840, 2160), thorough, vec![Scale::Down(4), Scale::Down(2)], size(960, 540)),
            (size(640, 480), thorough, vec![Scale::Same], size(640, 480)),
            (HD, Effort::Check, vec![Scale::Down(3), Scale::Same], size(704, 448)),
            (size(640, 480), Effort::Picture, vec![Scale::Same, Scale::Up2], size(768, 448)),
            (
                size(6000, 4000),
                Effort::Picture,
                vec![Scale::Down(7), Scale::Same, Scale::Down(4)],
                size(858, 572),
            ),
        ];
        for (frame, effort, scales, largest) in rows {
            let (got, got_largest) = summary(frame, effort);
            assert_eq!(got, scales, "{frame:?} {effort:?}");
            assert!(
                got_largest.area() <= largest.area().max(768 * 448),
                "{frame:?} {effort:?} {got_largest:?}"
            );
        }
    }

    #[test]
    fn tiles_take_turns_and_every_one_has_its_turn() {
        let all: Vec<View> = Scan::new(HD, Rotation::None, Effort::Thorough { tiles_per_frame: 99 })
            .views(0)
            .copied()
            .collect();
        for tiles_per_frame in [1, 2, 4, 9] {
            let scan = Scan::new(HD, Rotation::None, Effort::Thorough { tiles_per_frame });
            let mut seen: Vec<View> = Vec::new();
            for frame_idx in u64::MAX - scan.period()..u64::MAX {
                assert_eq!(scan.views(frame_idx).count(), 1 + tiles_per_frame as usize);
                seen.extend(scan.views(frame_idx).skip(1));
            }
            assert!(all.iter().skip(1).all(|view| seen.contains(view)), "{tiles_per_frame} a frame");
        }
        assert_eq!(Scan::new(HD, Rotation::None, Effort::Thorough { tiles_per_frame: 2 }).period(), 5);
    }

    #[test]
    fn a_tag_that_lies_does_not_blind() {
        for effort in [Effort::Fast, Effort::Thorough { tiles_per_frame: 2 }, Effort::Check] {
            for rotation in [Rotation::Half, Rotation::Cw90, Rotation::Cw270] {
                let scan = Scan::new(HD, rotation, effort);
                let all = || (0..scan.period()).flat_map(|n| scan.views(n).copied().collect::<Vec<_>>());
                assert!(all().any(|v| v.rotation == Rotation::None && v.source.w == HD.width), "{effort:?}");
                assert!(all().any(|v| v.rotation == rotation && v.source.w == HD.width), "{effort:?}");
            }
        }
    }

    #[test]
    fn half_a_face_at_a_tiles_edge_does_not_stand_for_the_whole() {
        let tile = View {
            source: PixelRect { x: 0, y: 352, w: 704, h: 448 },
            scale: Scale::Same,
            rotation: Rotation::None,
        };
        let at = |y: f32, h: f32| Detection {
            rect: Rect { x: 20.0, y, w: 260.0, h },
            score: 0.9,
            landmarks: None,
        };
        assert!(is_cut(&at(357.0, 253.0), &tile, HD), "five pixels below the edge, a fiftieth of its height");
        assert!(!is_cut(&at(420.0, 253.0), &tile, HD));
        assert!(is_cut(&at(600.0, 190.0), &tile, HD), "the lower edge");
        let low = View { source: PixelRect { y: 632, ..tile.source }, ..tile };
        assert!(!is_cut(&at(900.0, 180.0), &low, HD), "the lower edge of the frame cuts nothing");
    }

    fn any_size() -> impl Strategy<Value = Size> {
        (1_u32..8000, 1_u32..8000).prop_map(|(width, height)| Size { width, height })
    }

    fn any_effort() -> impl Strategy<Value = Effort> {
        prop_oneof![
            Just(Effort::Fast),
            Just(Effort::Thorough { tiles_per_frame: u32::MAX }),
            Just(Effort::Check),
            Just(Effort::Picture)
        ]
    }

    proptest! {
        /// Tiles of one scale cover every pixel, and neighbours share 96 pixels of the network's input.
        #[test]
        fn tiles_cover_the_frame_and_overlap(size in any_size(), effort in any_effort()) {
            let scan = Scan::new(size, Rotation::None, effort);
            for view in scan.views(0) {
                prop_assert_eq!(view.check(size), Ok(()));
            }
            let mut scales: Vec<Scale> = scan.views(0).map(|v| v.scale).collect();
            scales.dedup();
            for scale in scales {
                let overlap = (96.0 * scale.factor()) as u32;
                let of = |pick: fn(PixelRect) -> (u32, u32)| {
                    let mut spans: Vec<_> = scan.views(0).filter(|v| v.scale == scale).map(|v| pick(v.source)).collect();
                    spans.sort_unstable();
                    spans.dedup();
                    spans
                };
                let (columns, rows) = (of(|r| (r.x, r.w)), of(|r| (r.y, r.h)));
                // A grid: as many views as columns times rows, so covering each way covers the plane.
                prop_assert_eq!(
                    scan.views(0).filter(|v| v.scale == scale).count(),
                    columns.len() * rows.len()
                );
                for (spans, len) in [(columns, size.width), (rows, size.height)] {
                    prop_assert_eq!(spans[0].0, 0);
                    prop_assert_eq!(spans.last().map(|(start, span)| start + span), Some(len));
                    for pair in spans.windows(2) {
                        prop_assert!(pair[1].0 + overlap <= pair[0].0 + pair[0].1, "{:?}", pair);
                    }
                }
            }
        }

        /// Whatever the frame, no view needs more memory than the ones measured.
        #[test]
        fn views_stay_small(size in any_size(), effort in any_effort()) {
            for view in Scan::new(size, Rotation::None, effort).views(0) {
                prop_assert!(view.scaled().area() <= 960 * 752, "{:?}", view);
            }
        }
    }
}
