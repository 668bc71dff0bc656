use std::path::Path;

use placet_core::{Digest, Frame, Layout, Rotation, Size};
use placet_vision::models::{CENTERFACE, ModelDir, RUNTIME, YUNET};
use placet_vision::{CenterFace, Effort, FaceDetector, Runtime, Scan, VisionError, YuNet};

/// The runtime and the two detectors' files, ready to make sessions of.
pub struct Models {
    runtime: Runtime,
    dir: ModelDir,
}

impl Models {
    /// Opens the folder `dir`.
    ///
    /// # Errors
    /// [`VisionError`] where the runtime is missing or is not the pinned one.
    pub fn open(dir: &Path) -> Result<Self, VisionError> {
        let dir = ModelDir::new(dir);
        dir.read(&RUNTIME).map_err(|source| VisionError::Model { file: RUNTIME.file, source })?;
        let runtime = Runtime::load(&dir.runtime())?;
        Ok(Self { runtime, dir })
    }

    /// Both detectors with the digests they are pinned to and checked against when loaded.
    pub fn digests(&self) -> [(&'static str, Digest); 2] {
        [(FINDER, YUNET.digest), (CHECKER, CENTERFACE.digest)]
    }

    /// Loads both detectors and lets each judge a picture.
    ///
    /// # Errors
    /// [`VisionError`] where one cannot.
    pub fn self_test(&self) -> Result<(), VisionError> {
        let size = Size { width: 320, height: 192 };
        let grey = Frame::new(size, Layout::Gray);
        let scan = Scan::new(size, Rotation::None, Effort::Fast);
        for mut detector in [self.finder()?, self.checker()?] {
            scan.look(&mut *detector, &grey, 0, 0.5, &mut Vec::new())?;
        }
        Ok(())
    }

    /// A session of the detector that finds the faces.
    pub(crate) fn finder(&self) -> Result<Box<dyn FaceDetector>, VisionError> {
        Ok(Box::new(YuNet::load(&self.runtime, &self.dir)?))
    }

    /// A session of the detector that checks the result.
    pub(crate) fn checker(&self) -> Result<Box<dyn FaceDetector>, VisionError> {
        Ok(Box::new(CenterFace::load(&self.runtime, &self.dir)?))
    }
}

/// Name of the detector that finds the faces, as manifests have it.
pub(crate) const FINDER: &str = "YuNet 2023mar";
/// Name of the detector that checks the result, as manifests have it.
pub(crate) const CHECKER: &str = "CenterFace";
