//! Checkpoints after [C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint): the size and root of a log's tree, in a
//! signed note.

use std::fmt;
use std::str::FromStr;

use crate::merkle::{Hash, MAX_SIZE};
use crate::note::{self, KeyName, Note, NoteError, SignerKey, VerifierKey};
use crate::tile::decimal;

/// A log's name, which its checkpoints, its keys and whoever trusts it agree on. What a key name may be, an origin may.
pub type Origin = KeyName;

/// What a log says of its tree. It has no lines of its own beyond the three of the specification: a reader who did not
/// know them could not check them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: Origin,
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The note that the log's key makes of it. The key's name must be the origin.
    ///
    /// # Errors
    /// If the key is another log's.
    pub fn sign(&self, key: &SignerKey) -> Result<String, CheckpointError> {
        if *key.name() != self.origin {
            return Err(CheckpointError::ForeignKey { origin: self.origin.clone(), key: key.name().clone() });
        }
        Ok(note::sign(&self.to_string(), &[key])?)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<&str> = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?.split('\n').collect();
        let [origin, size, root] = lines[..] else { return Err(CheckpointError::Lines) };
        let origin = origin.parse().map_err(|_| CheckpointError::Origin)?;
        let size = decimal(size).filter(|s| *s <= MAX_SIZE).ok_or(CheckpointError::Size)?;
        let root = root.parse().map_err(|_| CheckpointError::Root)?;
        if size == 0 && root != Hash::of_nothing() {
            return Err(CheckpointError::Root);
        }
        Ok(Self { origin, size, root })
    }
}

/// A checkpoint with the signature of its log, and with whatever other signatures stood beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
    signer: VerifierKey,
}

impl SignedCheckpoint {
    /// Reads a checkpoint that one of `keys` signed, each of which stands for the log of its name.
    ///
    /// # Errors
    /// If it is no checkpoint, or no key of the log it names signed it.
    pub fn open(bytes: &[u8], keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        let checkpoint: Checkpoint = note.unverified_text().parse()?;
        let of_log: Vec<VerifierKey> =
            keys.iter().filter(|k| *k.name() == checkpoint.origin).cloned().collect();
        if of_log.is_empty() {
            return Err(CheckpointError::UnknownLog { origin: checkpoint.origin });
        }
        let verified = note.clone().verify(&of_log)?;
        let signer = verified.signers().first().cloned().ok_or(NoteError::NoKnownSigner)?;
        Ok(Self { checkpoint, note, signer })
    }

    /// What the log says.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The key of the log that signed it.
    pub fn signer(&self) -> &VerifierKey {
        &self.signer
    }

    /// The note, with signatures nobody has verified yet beside the log's.
    pub fn note(&self) -> &Note {
        &self.note
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

/// Why a checkpoint was not read, not believed or not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a note, or not signed by the log.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not three lines.
    #[error("a checkpoint is three lines: origin, size, root; lines beyond them are not read")]
    Lines,
    /// The first line.
    #[error(
        "the checkpoint's first line is no origin: 1 to 255 bytes without spaces, control characters or `+`"
    )]
    Origin,
    /// The second line.
    #[error("the checkpoint's second line is no size: a decimal number below 2^63 without leading zeroes")]
    Size,
    /// The third line.
    #[error("the checkpoint's third line is no root of a tree of that size: 32 bytes in strict base64")]
    Root,
    /// Signed by nobody we know for that log.
    #[error("the checkpoint is of the log `{origin}`, and no key for that log is known")]
    UnknownLog {
        /// The log it names.
        origin: Origin,
    },
    /// One log's key for another log's checkpoint.
    #[error("the key `{key}` cannot sign for the log `{origin}`")]
    ForeignKey {
        /// The log.
        origin: Origin,
        /// The key's name.
        key: KeyName,
    },
}
