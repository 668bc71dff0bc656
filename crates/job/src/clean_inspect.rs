//! The second detector over every frame of a group that may be copied, as cheaply as its promise allows: a part of the
//! picture that is still what it was when last judged (see [`crate::clean_still`]) is not judged again.

use placet_core::{Detection, Frame, PixelRect, Rect, Rotation, Size};
use placet_vision::{Effort, FaceDetector, Scale, Scan, View, VisionError};

use crate::clean_still::{BLOCK, Blocks};

/// Pixels of the network's input that are looked at around what moved.
const MARGIN: u32 = 64;
/// Frame pixels a side of the squares that are looked at together.
const SQUARE: u32 = 64;
/// The whole picture is judged again with the first group after as many frames.
const WHOLE_AGAIN: u32 = 300;
/// Input pixels of this detector that cost as much as one frame pixel costs to decode again and to encode: measured
/// about eight, and a third is kept back for the gain.
const WORTH: i64 = 12;
/// More parts than this are looked at as the whole.
const MOST_PARTS: usize = 48;

/// What the second detector says of a frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// No face.
    Clean,
    /// Faces, where.
    Faces(Vec<Rect>),
    /// Looking would cost more than encoding.
    TooDear,
}

/// How much may be spent on looking, in pixels of the network's input.
struct Purse {
    left: i64,
    income: i64,
    most: i64,
}

impl Purse {
    fn pay(&mut self, cost: u64) -> bool {
        let cost = i64::try_from(cost).unwrap_or(i64::MAX);
        let enough = cost <= self.left;
        self.left -= if enough { cost } else { 0 };
        enough
    }
}

/// Judges frames one after another.
pub(crate) struct Inspector {
    checker: Box<dyn FaceDetector>,
    scan: Scan,
    size: Size,
    rotation: Rotation,
    min_score: f32,
    /// Version of each block when the whole picture was last known to show no face; empty where it was not, or did.
    seen: Vec<u32>,
    whole_cost: u64,
    whole_at: Option<u32>,
    purse: Purse,
}

impl Inspector {
    pub(crate) fn new(
        checker: Box<dyn FaceDetector>,
        size: Size,
        rotation: Rotation,
        min_score: f32,
    ) -> Self {
        let scan = Scan::new(size, rotation, Effort::Check);
        let whole_cost = scan.views(0).map(cost).sum::<u64>();
        let whole = i64::try_from(whole_cost).unwrap_or(i64::MAX / 8);
        let purse = Purse { left: 2 * whole, income: size.area() as i64 / WORTH, most: 3 * whole };
        Self { checker, scan, size, rotation, min_score, seen: Vec::new(), whole_cost, whole_at: None, purse }
    }

    /// Allows one more look at the whole picture, for another try after [`Verdict::TooDear`].
    pub(crate) fn lend(&mut self) {
        self.purse.left = self.purse.left.max(self.whole_cost as i64 + self.purse.income);
    }

    /// Judges a frame; `fresh` where it is the first of its group.
    ///
    /// # Errors
    /// Where the network fails; the frame is then not judged.
    pub(crate) fn look(
        &mut self,
        frame: &Frame,
        blocks: &Blocks,
        fresh: bool,
    ) -> Result<Verdict, VisionError> {
        self.purse.left = (self.purse.left + self.purse.income).min(self.purse.most);
        let old = self.whole_at.is_none_or(|at| blocks.now - at >= WHOLE_AGAIN);
        let parts = if self.seen.len() != blocks.versions.len() || (fresh && old) {
            None
        } else {
            self.parts(blocks)
        };
        let views = parts.map(|parts| self.views(&parts));
        let mut found = Vec::new();
        match views {
            Some(views) if views.iter().map(cost).sum::<u64>() < self.whole_cost * 3 / 4 => {
                if !self.purse.pay(views.iter().map(cost).sum()) {
                    return Ok(Verdict::TooDear);
                }
                for view in &views {
                    self.checker.find(frame, view, self.min_score, &mut found)?;
                }
                placet_vision::merge(&mut found);
            }
            _ => {
                if !self.purse.pay(self.whole_cost) {
                    return Ok(Verdict::TooDear);
                }
                self.scan.look(&mut *self.checker, frame, 0, self.min_score, &mut found)?;
                self.whole_at = Some(blocks.now);
            }
        }
        if found.is_empty() {
            self.seen.clone_from(&blocks.versions);
            Ok(Verdict::Clean)
        } else {
            // A face may stay where it is: whatever comes next is judged whole.
            self.seen.clear();
            Ok(Verdict::Faces(rects(&found)))
        }
    }

    /// Rectangles around what moved since it was judged, some way apart from each other; none where they are many.
    fn parts(&self, blocks: &Blocks) -> Option<Vec<PixelRect>> {
        let per = (SQUARE / BLOCK) as usize;
        let mut squares: Vec<(u32, u32)> = blocks
            .versions
            .iter()
            .zip(&self.seen)
            .enumerate()
            .filter(|(_, (now, seen))| now != seen)
            .map(|(at, _)| ((at % blocks.columns / per) as u32, (at / blocks.columns / per) as u32))
            .collect();
        squares.sort_unstable();
        squares.dedup();
        let mut parts: Vec<(u32, u32, u32, u32)> = Vec::new();
        for (x, y) in squares {
            let mut part = (x, y, x + 1, y + 1);
            // Whatever lies within a square's distance belongs together.
            let near = |p: &(u32, u32, u32, u32), q: &(u32, u32, u32, u32)| {
                p.0 <= q.2 + 1 && q.0 <= p.2 + 1 && p.1 <= q.3 + 1 && q.1 <= p.3 + 1
            };
            while let Some(at) = parts.iter().position(|p| near(p, &part)) {
                let p = parts.swap_remove(at);
                part = (part.0.min(p.0), part.1.min(p.1), part.2.max(p.2), part.3.max(p.3));
            }
            parts.push(part);
            if parts.len() > MOST_PARTS {
                return None;
            }
        }
        let pixels = |(x0, y0, x1, y1): (u32, u32, u32, u32)| PixelRect {
            x: x0 * SQUARE,
            y: y0 * SQUARE,
            w: (x1 - x0) * SQUARE,
            h: (y1 - y0) * SQUARE,
        };
        Some(parts.into_iter().map(pixels).collect())
    }

    /// The parts as [`Effort::Check`] sees the picture: at full size, where a face of up to 64 pixels beside what moved
    /// is whole, reduced for larger ones, and the whole picture once more at half that for the largest.
    fn views(&self, parts: &[PixelRect]) -> Vec<View> {
        let long = self.size.width.max(self.size.height);
        let (fine, coarse) = (long.div_ceil(1920).max(1), (long / 600).max(1));
        let around = |part: &PixelRect, factor: u32, margin: u32| View {
            source: grown(*part, factor * margin, self.size),
            scale: scale(factor),
            rotation: self.rotation,
        };
        let mut views = Vec::new();
        for part in parts {
            if fine < coarse {
                views.push(around(part, fine, MARGIN));
                views.push(around(part, coarse, MARGIN));
            } else {
                views.push(around(part, fine, 2 * MARGIN));
            }
        }
        if !parts.is_empty() {
            let source = PixelRect { x: 0, y: 0, w: self.size.width, h: self.size.height };
            views.push(View { source, scale: scale(2 * coarse), rotation: self.rotation });
        }
        views
    }
}

fn scale(factor: u32) -> Scale {
    if factor <= 1 { Scale::Same } else { Scale::Down(factor.min(Scale::MAX_DOWN)) }
}

fn grown(part: PixelRect, by: u32, frame: Size) -> PixelRect {
    let (x, y) = (part.x.saturating_sub(by), part.y.saturating_sub(by));
    let (right, bottom) = ((part.x + part.w + by).min(frame.width), (part.y + part.h + by).min(frame.height));
    PixelRect { x, y, w: right.saturating_sub(x), h: bottom.saturating_sub(y) }
}

/// Pixels of the network's input.
fn cost(view: &View) -> u64 {
    view.scale.apply(Size { width: view.source.w, height: view.source.h }).area()
}

fn rects(found: &[Detection]) -> Vec<Rect> {
    found.iter().map(|d| d.rect).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use placet_core::Layout;

    use super::*;
    use crate::clean_still::Still;

    const SIZE: Size = Size { width: 1280, height: 720 };

    /// Notes the views it is shown; finds a face where a bright patch is.
    struct Noting(Arc<Mutex<Vec<View>>>);

    impl FaceDetector for Noting {
        fn name(&self) -> &'static str {
            "noting"
        }
        fn find(
            &mut self,
            frame: &Frame,
            view: &View,
            _: f32,
            found: &mut Vec<Detection>,
        ) -> Result<(), VisionError> {
            self.0.lock().unwrap().push(*view);
            let s = view.source;
            let bright = (s.y..s.y + s.h)
                .flat_map(|y| (s.x..s.x + s.w).map(move |x| (x, y)))
                .find(|(x, y)| frame.bytes()[(y * SIZE.width + x) as usize] == 255);
            found.extend(bright.map(|(x, y)| Detection {
                rect: Rect { x: x as f32, y: y as f32, w: 20.0, h: 20.0 },
                score: 0.9,
                landmarks: None,
            }));
            Ok(())
        }
    }

    struct World {
        still: Still,
        inspector: Inspector,
        views: Arc<Mutex<Vec<View>>>,
    }

    impl World {
        fn new() -> Self {
            let views = Arc::new(Mutex::new(Vec::new()));
            let inspector = Inspector::new(Box::new(Noting(Arc::clone(&views))), SIZE, Rotation::None, 0.35);
            Self { still: Still::new(SIZE), inspector, views }
        }

        fn look(&mut self, frame: &Frame, fresh: bool) -> (Verdict, Vec<View>) {
            self.views.lock().unwrap().clear();
            let blocks = self.still.push(frame);
            let verdict = self.inspector.look(frame, &blocks, fresh).unwrap();
            (verdict, self.views.lock().unwrap().clone())
        }
    }

    fn with_patch(x: u32, y: u32, side: u32, level: u8) -> Frame {
        let mut frame = Frame::new(SIZE, Layout::Yuv420);
        frame.bytes_mut().fill(80);
        let luma = frame.planes_mut().next().unwrap();
        for row in y..y + side {
            luma.data[(row * SIZE.width + x) as usize..][..side as usize].fill(level);
        }
        frame
    }

    #[test]
    fn a_still_picture_is_judged_once() {
        let mut w = World::new();
        let plain = with_patch(0, 0, 0, 0);
        let (verdict, views) = w.look(&plain, true);
        assert_eq!(verdict, Verdict::Clean);
        assert!(views.len() > 4, "the whole and its tiles");
        for n in 0..WHOLE_AGAIN - 1 {
            assert_eq!(w.look(&plain, n % 12 == 0), (Verdict::Clean, vec![]));
        }
        assert!(w.look(&plain, true).1.len() > 4, "and again after a while");
    }

    #[test]
    fn what_moves_is_judged_with_its_surroundings_and_a_face_there_is_found() {
        let mut w = World::new();
        w.look(&with_patch(0, 0, 0, 0), true);
        let (verdict, views) = w.look(&with_patch(600, 300, 40, 255), false);
        let Verdict::Faces(faces) = verdict else { panic!("{verdict:?}") };
        assert!(faces.iter().any(|f| (f.x, f.y) == (600.0, 300.0)));
        assert_eq!(views.len(), 3);
        let fine = views[0];
        assert_eq!(fine.scale, Scale::Same);
        assert!(fine.source.x <= 600 - 64 && fine.source.x + fine.source.w >= 640 + 64, "{fine:?}");
        assert!(views.iter().map(cost).sum::<u64>() < w.inspector.whole_cost / 4);
    }

    #[test]
    fn a_face_that_stays_is_found_again_whatever_led_to_it() {
        let mut w = World::new();
        let (plain, face) = (with_patch(0, 0, 0, 0), with_patch(600, 300, 40, 255));
        w.look(&plain, true);
        for n in 0..40 {
            let (verdict, _) = w.look(&face, n % 4 == 0);
            assert!(matches!(verdict, Verdict::Faces(_) | Verdict::TooDear), "look {n}: {verdict:?}");
            w.inspector.lend();
        }
        assert_eq!(w.look(&plain, true).0, Verdict::Clean, "it went away");
        assert_eq!(w.look(&plain, false), (Verdict::Clean, vec![]));
    }

    #[test]
    fn what_was_not_judged_for_want_of_means_stays_to_be_judged() {
        let mut w = World::new();
        // Another picture at each frame: every one costs a look at the whole.
        let verdicts: Vec<Verdict> =
            (0..12).map(|n| w.look(&with_patch(0, 0, 720, 20 + 10 * n), false).0).collect();
        assert_eq!(verdicts[0], Verdict::Clean);
        assert!(verdicts[2..].contains(&Verdict::TooDear), "{verdicts:?}");
        w.inspector.purse.left = 0;
        assert_eq!(w.look(&with_patch(300, 0, 720, 255), true).0, Verdict::TooDear);
        w.inspector.lend();
        assert!(matches!(w.look(&with_patch(300, 0, 720, 255), true).0, Verdict::Faces(_)));
    }

    #[test]
    fn parts_apart_are_looked_at_apart_and_near_ones_together() {
        let mut w = World::new();
        w.look(&with_patch(0, 0, 0, 0), true);
        let mut frame = with_patch(64, 64, 16, 120);
        let far = with_patch(1000, 500, 16, 120);
        frame.bytes_mut().iter_mut().zip(far.bytes()).for_each(|(a, b)| *a = (*a).max(*b));
        let blocks = w.still.push(&frame);
        assert_eq!(w.inspector.parts(&blocks).unwrap().len(), 2);
        let mut frame = with_patch(64, 64, 16, 120);
        let near = with_patch(150, 64, 16, 120);
        frame.bytes_mut().iter_mut().zip(near.bytes()).for_each(|(a, b)| *a = (*a).max(*b));
        let blocks = w.still.push(&frame);
        let parts = w.inspector.parts(&blocks).unwrap();
        assert!(parts.iter().any(|p| p.x <= 64 && p.x + p.w >= 166), "{parts:?}");
    }
}
