use std::error::Error;
use std::path::PathBuf;

use placet_ingest::picture::PictureError;
use placet_ingest::video::{CodecRefusal, DecodeError, EncodeError, JoinError, ProbeError, WrittenError};
use placet_vision::VisionError;

use crate::OutputError;

/// Why a job left no result.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The input is not what it should be.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The picture is not what it should be.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The input could not be read through.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The result could not be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Copied and encoded frames could not be joined.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// A detector could not be used.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// The result could not be put in place.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The input could not be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No container of that ending is written.
    #[error(
        "`{0}` names no container that is written; use -o with a name ending in .mp4, .mov, .mkv, .webm or .ts"
    )]
    Container(PathBuf),
    /// The codec does not go there.
    #[error(transparent)]
    Codec(#[from] CodecRefusal),
    /// The sound does not go there.
    #[error("{container} does not hold {codec} sound; use --audio drop, or -o with a name ending in .mkv")]
    Audio {
        /// The sound's codec.
        codec: String,
        /// The container.
        container: &'static str,
    },
    /// Tags stand between the sound's frames, which are copied as they are.
    #[error(
        "the {codec} sound has {kind} tags between its frames, which may name people and places; --audio drop leaves \
         the sound out, or convert it first (ffmpeg -i FILE -c:v copy -c:a aac OUT)"
    )]
    SoundTag {
        /// The sound's codec.
        codec: String,
        /// What they are.
        kind: &'static str,
    },
    /// The second detector still finds a face.
    #[error(
        "the check still finds a face in frame {frame} after {rounds} rounds, so the output is withheld; \
         try a lower --thresh or hide the place with --region"
    )]
    FaceRemains {
        /// Frame, from 0.
        frame: u64,
        /// How often it was covered and checked.
        rounds: u32,
    },
    /// The second detector failed.
    #[error(
        "frame {frame} could not be checked ({cause}), so the output is withheld; `placet doctor` tests the models"
    )]
    Check {
        /// Frame, from 0.
        frame: u64,
        /// The detector's words.
        cause: String,
    },
    /// Too long a run of frames that nothing could judge.
    #[error(
        "{frames} frames in a row up to frame {at} could not be judged; the input is damaged or the detector fails"
    )]
    NothingJudged {
        /// How many.
        frames: u64,
        /// The last of them, from 0.
        at: u64,
    },
    /// Two readings of one file gave different frames.
    #[error("two readings of the input differ (time stamp {shown} against {judged:?}); nothing was written")]
    Mismatch {
        /// Time stamp of the frame to be shown.
        shown: i64,
        /// Time stamp of the frame that was judged.
        judged: Option<i64>,
    },
    /// The input changed under our hands.
    #[error("`{0}` changed while it was read; nothing was written. Run again when nobody writes to it")]
    InputChanged(PathBuf),
    /// A region that hides nothing.
    #[error(
        "region {at} never meets a frame: the picture as it is shown is {width}x{height}, and {seconds:.1} s long"
    )]
    Region {
        /// Which of them, from 1.
        at: usize,
        /// Columns as shown.
        width: u32,
        /// Rows as shown.
        height: u32,
        /// Length.
        seconds: f64,
    },
    /// What was written is not what was meant.
    #[error(transparent)]
    Written(#[from] WrittenError),
    /// The user stopped it.
    #[error("stopped; nothing was written")]
    Cancelled,
    /// Another part of the pipeline ended first and has the cause.
    #[error("the pipeline stopped early")]
    Stopped,
    /// Ours.
    #[error("internal error: {0}; please report it")]
    Bug(&'static str),
}

/// Families of errors, as exit codes tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It was tried and failed.
    Failed,
    /// The input or the command is wrong.
    BadInput,
    /// Something needed is missing.
    Unavailable,
    /// The check withheld the output.
    Withheld,
    /// Ours.
    Bug,
}

impl JobError {
    /// The family it belongs to.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Probe(_)
            | Self::Picture(_)
            | Self::Read { .. }
            | Self::Container(_)
            | Self::Codec(_)
            | Self::Audio { .. }
            | Self::SoundTag { .. }
            | Self::Region { .. } => Kind::BadInput,
            Self::Output(OutputError::Write { .. } | OutputError::Busy(_)) => Kind::Failed,
            Self::Output(_) => Kind::BadInput,
            Self::Vision(_) => Kind::Unavailable,
            Self::FaceRemains { .. } | Self::Check { .. } => Kind::Withheld,
            Self::Bug(_) => Kind::Bug,
            Self::Decode(_)
            | Self::Encode(_)
            | Self::Join(_)
            | Self::NothingJudged { .. }
            | Self::Mismatch { .. }
            | Self::InputChanged(_)
            | Self::Written(_)
            | Self::Cancelled
            | Self::Stopped => Kind::Failed,
        }
    }
}

/// An error and its causes, joined by colons.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        // Transparent wrappers repeat their cause.
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    text
}
