use placet_core::{Detection, Frame};

use crate::{View, VisionError};

/// Something that finds faces in one view of a frame.
pub trait FaceDetector: Send {
    /// Its name, as reports give it.
    fn name(&self) -> &'static str;

    /// Appends to `found` every box it scores at least `min_score` in `view`, in coordinates of the stored frame.
    ///
    /// One face usually gives several boxes; [`crate::merge`] leaves one.
    ///
    /// # Errors
    /// Where the view is no part of the frame or the network fails; the view was then not judged.
    fn find(
        &mut self,
        frame: &Frame,
        view: &View,
        min_score: f32,
        found: &mut Vec<Detection>,
    ) -> Result<(), VisionError>;

    /// Writes over what is kept of the last view, where any is. What the network's runtime keeps inside is not reached.
    fn forget(&mut self) {}
}
