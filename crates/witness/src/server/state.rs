//! What a witness has last cosigned of a log, as its file has it: a heading, a digest of the rest, the time, a blank
//! line, and the checkpoint as the log signed it.

use placet_core::Digest;
use placet_tlog::checkpoint::{Checkpoint, Origin};
use placet_tlog::cosignature::Seconds;
use placet_tlog::note::Note;

/// Where the files stand.
pub(super) const FOLDER: &str = "state";

const HEADING: &str = "placet-witness-state/v1\n";

/// The file for a log. Origins have slashes and dots, digests have none.
pub(super) fn file_name(origin: &Origin) -> String {
    Digest::of(origin.as_str().as_bytes()).hex()
}

/// The last cosigned checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cosigned {
    pub(super) time: Seconds,
    /// With the log's signature.
    pub(super) note: String,
    pub(super) checkpoint: Checkpoint,
}

impl Cosigned {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let rest = format!("time {}\n\n{}", self.time, self.note);
        format!("{HEADING}{}\n{rest}", Digest::of(rest.as_bytes())).into_bytes()
    }

    /// The log's signature is not verified again: its key may have been replaced since, and the digest tells damage.
    pub(super) fn parse(bytes: &[u8], origin: &Origin) -> Result<Self, StateError> {
        let text = std::str::from_utf8(bytes).map_err(|_| StateError::Form)?;
        let rest = text.strip_prefix(HEADING).ok_or(StateError::Form)?;
        let (digest, rest) = rest.split_once('\n').ok_or(StateError::Form)?;
        if digest != Digest::of(rest.as_bytes()).to_string() {
            return Err(StateError::Digest);
        }
        let (time, note) = rest.split_once("\n\n").ok_or(StateError::Form)?;
        let time = time.strip_prefix("time ").and_then(|t| t.parse().ok()).ok_or(StateError::Form)?;
        let parsed = Note::parse(note.as_bytes()).map_err(|_| StateError::Form)?;
        let checkpoint: Checkpoint = parsed.unverified_text().parse().map_err(|_| StateError::Form)?;
        if checkpoint.origin != *origin {
            return Err(StateError::Origin { found: checkpoint.origin });
        }
        Ok(Self { time, note: note.to_owned(), checkpoint })
    }
}

/// Why a state file is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Not what such a file looks like.
    #[error("it is no state of a witness")]
    Form,
    /// Not as it was written.
    #[error("its digest is not that of its content")]
    Digest,
    /// Another log's.
    #[error("it is about the log `{found}`")]
    Origin {
        /// Which.
        found: Origin,
    },
}
