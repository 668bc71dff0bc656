use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use placet_record::entry::CameraId;

/// What whoever runs the gateway should know. None of it stops the redaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The oldest segments were dropped before their time. Said at the first one and then every ten minutes.
    Full(Full),
    /// Nothing of a camera is sealed for now.
    Cannot {
        /// Which camera.
        camera: CameraId,
        /// What the system said.
        why: String,
        /// When it is tried again.
        again_in: Duration,
    },
    /// A camera's pictures are sealed again.
    Again {
        /// Which camera.
        camera: CameraId,
    },
    /// Pictures that came faster than they could be written; those up to the next key frame are not sealed either.
    Behind {
        /// Which camera.
        camera: CameraId,
        /// How many.
        units: u64,
    },
    /// A coded picture beyond all bounds; those up to the next key frame are not sealed either.
    TooLarge {
        /// Which camera.
        camera: CameraId,
        /// How large.
        bytes: usize,
    },
    /// A segment's time is over and it cannot be removed.
    Stays {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
}

/// How much was dropped before its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Full {
    /// Segments.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(Full { segments, bytes }) => write!(
                f,
                "sealed originals: no room left, the {segments} oldest segments ({} MB) were dropped before their time; give \
                 them more room, or fewer hours",
                bytes.div_ceil(1_000_000)
            ),
            Self::Cannot { camera, why, again_in } => write!(
                f,
                "sealed originals: nothing of `{camera}` can be written ({why}); it is tried again in {} s, redaction goes on",
                again_in.as_secs()
            ),
            Self::Again { camera } => write!(f, "sealed originals: `{camera}` is sealed again"),
            Self::Behind { camera, units } => write!(
                f,
                "sealed originals: the disk is too slow, {units} pictures of `{camera}` were not sealed"
            ),
            Self::TooLarge { camera, bytes } => write!(
                f,
                "sealed originals: a picture of `{camera}` has {bytes} bytes and was not sealed; 16 MiB are the most"
            ),
            Self::Stays { path, why } => write!(
                f,
                "sealed originals: `{}` is past its time and cannot be removed ({why}); remove it by hand",
                path.display()
            ),
        }
    }
}
