use placet_core::{Detection, Frame, Rect};

use crate::models::{ModelDir, YUNET};
use crate::runtime::Net;
use crate::{Channels, FaceDetector, Input, Runtime, View, VisionError};

/// YuNet 2023mar: finds faces of about 10 to 300 pixels height in its input, with five landmarks.
///
/// Input `[1, 3, H, W]`, `f32`, BGR, 0 to 255, H and W multiples of 32. Score and boxes are read as OpenCV's
/// `FaceDetectorYN` reads them.
#[derive(Debug)]
pub struct YuNet {
    net: Net,
    input: Input,
}

/// Pixels between neighbouring places where the network looks for a face, for each of its three outputs.
const STRIDES: [u32; 3] = [8, 16, 32];

/// What the network calls its outputs: for each stride class, objectness, box and landmarks.
const OUTPUTS: [&str; 12] = [
    "cls_8", "obj_8", "bbox_8", "kps_8", "cls_16", "obj_16", "bbox_16", "kps_16", "cls_32", "obj_32",
    "bbox_32", "kps_32",
];

impl YuNet {
    /// Loads the network from `dir`, for one thread.
    ///
    /// # Errors
    /// Where the model is missing, is not the pinned one, or is refused by the runtime.
    pub fn load(runtime: &Runtime, dir: &ModelDir) -> Result<Self, VisionError> {
        Ok(Self { net: Net::load(runtime, dir, &YUNET)?, input: Input::new(Channels::Bgr) })
    }
}

impl FaceDetector for YuNet {
    fn name(&self) -> &'static str {
        "yunet-2023mar"
    }

    fn find(
        &mut self,
        frame: &Frame,
        view: &View,
        min_score: f32,
        found: &mut Vec<Detection>,
    ) -> Result<(), VisionError> {
        self.input.pack(frame, view)?;
        let width = self.input.shape().width;
        self.net.run(&self.input, OUTPUTS, |lists| {
            let (strides, _) = lists.as_chunks::<4>();
            for (stride, lists) in STRIDES.into_iter().zip(strides) {
                decode(*lists, stride, width / stride, view, min_score, found)?;
            }
            Ok(())
        })
    }

    fn forget(&mut self) {
        self.input.forget();
    }
}

/// Reads one stride's outputs; `columns` places lie side by side.
fn decode(
    [classes, objects, boxes, points]: [&[f32]; 4],
    stride: u32,
    columns: u32,
    view: &View,
    min_score: f32,
    found: &mut Vec<Detection>,
) -> Result<(), &'static str> {
    let (boxes, points) = (boxes.as_chunks::<4>().0, points.as_chunks::<10>().0);
    if classes.len() != objects.len() || classes.len() != boxes.len() || classes.len() != points.len() {
        return Err("the outputs differ in length");
    }
    let size = stride as f32;
    // The score is the root of a product; comparing squares spares the root where there is no face.
    let floor = min_score.max(0.0).powi(2);
    let scores = classes.iter().zip(objects).map(|(c, o)| c.clamp(0.0, 1.0) * o.clamp(0.0, 1.0));
    for (idx, ((square, shape), points)) in scores.zip(boxes).zip(points).enumerate() {
        if square < floor {
            continue;
        }
        let (column, row) = ((idx as u32 % columns) as f32, (idx as u32 / columns) as f32);
        let [dx, dy, log_w, log_h] = *shape;
        let (w, h) = (log_w.exp() * size, log_h.exp() * size);
        let rect = Rect { x: (column + dx) * size - w / 2.0, y: (row + dy) * size - h / 2.0, w, h };
        if ![square, rect.x, rect.y, w, h].iter().all(|v| v.is_finite()) {
            return Err("a box is not finite");
        }
        let mut landmarks = [[0.0; 2]; 5];
        for (landmark, point) in landmarks.iter_mut().zip(points.as_chunks::<2>().0) {
            let [x, y] = *point;
            *landmark = view.point_to_frame([(x + column) * size, (y + row) * size]);
        }
        found.push(Detection { rect: view.to_frame(rect), score: square.sqrt(), landmarks: Some(landmarks) });
    }
    Ok(())
}
