//! Redaction of files: probe, find faces, follow them, hide them, check the result, put it in place.
//!
//! One entry for each kind of input: [`redact_video`] and [`redact_picture`]. Both take the world as arguments (the
//! models, the tools, a [`Watch`] to report to) and leave either a whole, checked result under a hidden name, for the caller to commit, or nothing. Live cameras are
//! not here; knowledge of orders and searches is not here either.

mod clean;
mod clean_groups;
mod clean_inspect;
mod clean_join;
mod clean_still;
mod clean_survey;
mod error;
mod fields;
mod ledger;
mod manifest;
mod masks;
mod models;
mod output;
mod picture;
mod sampling;
mod settings;
mod video;
mod video_file;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use placet_core::{Digest, Hasher, Rotation, Size};
use placet_record::manifest::FrameRate;

pub use error::{JobError, Kind, chain};
pub use ledger::{Ledger, Span, TrackRecord};
pub use manifest::{Names, manifest_of, same_work, timeline_of};
pub use models::Models;
pub use output::{OutputError, Pending};
pub use picture::redact_picture;
pub use settings::{Audio, Mode, OnFound, Scores, Settings, Style, Verify};
pub use video_file::redact_video;

/// Who follows a job: a progress bar, a log, a test.
pub trait Watch: Sync {
    /// `done` frames of `total` (where known) are through; `tracks` faces have been seen so far.
    fn progress(&self, done: u64, total: Option<u64>, tracks: usize);
    /// A line the user should read.
    fn note(&self, line: &str);
    /// Whether to stop. Asked at every frame.
    fn cancelled(&self) -> bool;
}

/// A file by its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// Length.
    pub bytes: u64,
    /// SHA-256 of the content.
    pub digest: Digest,
}

/// What a job did.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The input as it was read.
    pub input: FileFacts,
    /// The output as it stands.
    pub output: FileFacts,
    /// Frame size as stored.
    pub size: Size,
    /// How far a player turns it.
    pub rotation: Rotation,
    /// Frames in the output; 1 for a picture.
    pub frames: u64,
    /// Length; zero for a picture.
    pub duration_ms: u64,
    /// Average rate; none for a picture.
    pub frame_rate: Option<FrameRate>,
    /// Size at which the detector saw the whole picture.
    pub detector_input: Size,
    /// Seconds a face stays hidden before its first sighting, after its last, and over a gap.
    pub margins_s: (f64, f64, f64),
    /// Container of the output.
    pub container: String,
    /// Video codec or picture format of the output.
    pub codec: String,
    /// Milliseconds from the first frame to each frame; empty for a picture.
    pub times_ms: Vec<u32>,
    /// Which face was hidden when, and what was checked.
    pub ledger: Ledger,
    /// The output has sound.
    pub has_sound: bool,
}

impl FileFacts {
    /// Reads `path` through.
    fn read(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; 1 << 18];
        let mut bytes = 0;
        loop {
            let n = file.read(&mut buffer)?;
            if n == 0 {
                return Ok(Self { bytes, digest: hasher.finish() });
            }
            bytes += n as u64;
            hasher.update(buffer.get(..n).unwrap_or_default());
        }
    }
}

/// Length and digest of the file `path`.
///
/// # Errors
/// What the system says.
pub fn digest_of(path: &Path) -> io::Result<FileFacts> {
    FileFacts::read(path)
}
