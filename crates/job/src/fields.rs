//! Frames of two fields: players show one after the other, and a face that moves fast, or that a cut left in one of them
//! alone, is not itself in the two woven together.

use placet_core::{Detection, Frame, Rect, Size};
use placet_vision::{FaceDetector, Scan, VisionError, merge};

/// One detector's way to look at the frames of a stream.
pub(crate) struct Viewer<'a> {
    scan: &'a Scan,
    /// Where a field is drawn at full height; none where frames are whole.
    field: Option<Frame>,
    more: Vec<Detection>,
}

impl<'a> Viewer<'a> {
    pub(crate) fn new(scan: &'a Scan, interlaced: bool) -> Self {
        let nothing = Size { width: 0, height: 0 };
        let field = interlaced.then(|| Frame::new(nothing, placet_core::Layout::Yuv420));
        Self { scan, field, more: Vec::new() }
    }

    /// Looks at the frame, all of it or as much as `places` asks for ([`Scan::look_at`]), and, where it is made of two
    /// fields, at each of them.
    ///
    /// # Errors
    /// Where it could not be judged.
    pub(crate) fn at(
        &mut self,
        detector: &mut dyn FaceDetector,
        frame: &Frame,
        frame_idx: u64,
        min_score: f32,
        places: Option<&[Rect]>,
        found: &mut Vec<Detection>,
    ) -> Result<(), VisionError> {
        let scan = self.scan;
        let mut look = |frame: &Frame, found: &mut Vec<Detection>| match places {
            None => scan.look(detector, frame, frame_idx, min_score, found),
            Some(places) => scan.look_at(detector, frame, frame_idx, min_score, places, found),
        };
        look(frame, found)?;
        let Some(field) = &mut self.field else { return Ok(()) };
        if (field.size(), field.layout()) != (frame.size(), frame.layout()) {
            *field = Frame::new(frame.size(), frame.layout());
        }
        for parity in [0, 1] {
            draw(field, frame, parity);
            look(field, &mut self.more)?;
            found.append(&mut self.more);
        }
        merge(found);
        Ok(())
    }
}

/// Draws one field, each of its rows twice.
fn draw(field: &mut Frame, frame: &Frame, parity: usize) {
    for (to, from) in field.planes_mut().zip(frame.planes()) {
        let width = from.size.width.max(1) as usize;
        for (idx, row) in to.data.chunks_exact_mut(width).enumerate() {
            // The last row of an odd number has no partner.
            let wanted = (idx & !1) + parity;
            let source = from.data.chunks_exact(width).nth(wanted).or(from.data.chunks_exact(width).nth(idx));
            if let Some(source) = source {
                row.copy_from_slice(source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use placet_core::{Layout, Rotation};
    use placet_vision::View;

    use super::*;

    /// Finds a face where two rows below each other are white.
    struct Pairs(u32);

    impl FaceDetector for Pairs {
        fn name(&self) -> &'static str {
            "pairs"
        }

        fn find(
            &mut self,
            frame: &Frame,
            _: &View,
            _: f32,
            found: &mut Vec<Detection>,
        ) -> Result<(), VisionError> {
            self.0 += 1;
            let luma = frame.planes().next().unwrap();
            let rows: Vec<&[u8]> = luma.data.chunks(luma.size.width as usize).collect();
            for (y, pair) in rows.windows(2).enumerate().step_by(2) {
                if pair.iter().all(|row| row[0] == 255) {
                    let rect = Rect { x: 0.0, y: y as f32, w: 20.0, h: 20.0 };
                    found.push(Detection { rect, score: 0.9, landmarks: None });
                    return Ok(());
                }
            }
            Ok(())
        }
    }

    /// White in the rows that `white` names.
    fn frame(height: u32, white: impl Fn(usize) -> bool) -> Frame {
        let mut frame = Frame::new(Size { width: 32, height }, Layout::Yuv420);
        let luma = frame.planes_mut().next().unwrap();
        for (y, row) in luma.data.chunks_exact_mut(32).enumerate() {
            row.fill(if white(y) { 255 } else { 0 });
        }
        frame
    }

    #[test]
    fn a_face_in_one_field_alone_is_found_once() {
        for height in [40, 41] {
            for (name, interlaced, picture, faces, looks) in [
                ("woven in the first", true, frame(height, |y| y % 2 == 0), 1, 3),
                ("woven in the second", true, frame(height, |y| y % 2 == 1), 1, 3),
                ("in both", true, frame(height, |_| true), 1, 3),
                ("none", true, frame(height, |_| false), 0, 3),
                ("whole frames are looked at once", false, frame(height, |y| y % 2 == 0), 0, 1),
            ] {
                let scan = Scan::whole(picture.size(), Rotation::None, picture.size());
                let (mut detector, mut found) = (Pairs(0), Vec::new());
                let mut viewer = Viewer::new(&scan, interlaced);
                viewer.at(&mut detector, &picture, 0, 0.5, None, &mut found).unwrap();
                assert_eq!((found.len(), detector.0), (faces, looks), "{name}, {height} rows");
            }
        }
    }
}
