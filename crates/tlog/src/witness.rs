//! The request a log sends to a witness, after [C2SP tlog-witness](https://c2sp.org/tlog-witness): the size the witness
//! knows, a consistency proof, and the new checkpoint. HTTP is somebody else's affair; the statuses are named here.

use std::fmt;

use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::merkle::{self, Hash, MAX_PROOF, MAX_SIZE, ProofError};
use crate::note::{Note, NoteError, Signature, VerifierKey};
use crate::tile::decimal;

/// The longest request read, in bytes.
pub const MAX_REQUEST: usize = 64 << 10;

/// The media type of the answer that tells another size.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// `add-checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the last checkpoint the witness cosigned, as the log believes; zero if none.
    pub old: u64,
    /// From that tree to the checkpoint's.
    pub proof: Vec<Hash>,
    /// The checkpoint's note as the log signed it.
    pub checkpoint: String,
}

impl AddCheckpoint {
    /// Reads a request. The checkpoint in it is not looked at.
    ///
    /// # Errors
    /// Any departure from the format, by its line: status 400.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > MAX_REQUEST {
            return Err(RequestError::TooLong);
        }
        let text =
            std::str::from_utf8(bytes).map_err(|e| RequestError::NotUtf8 { offset: e.valid_up_to() })?;
        let bad = |line, why| RequestError::Line { line, why };
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(bad(1, "no empty line stands before the checkpoint"))?;
        let mut lines = head.split('\n').enumerate().map(|(at, line)| (at + 1, line));
        let old = lines.next().and_then(|(_, line)| decimal(line.strip_prefix("old ")?));
        let old = old.filter(|o| *o <= MAX_SIZE);
        let old = old.ok_or(bad(1, "it is not `old` and a size below 2^63 without leading zeroes"))?;
        let mut proof = Vec::new();
        for (line, text) in lines {
            if proof.len() == MAX_PROOF {
                return Err(bad(line, "a proof has at most 63 hashes"));
            }
            proof.push(text.parse().map_err(|_| bad(line, "it is not a hash: 32 bytes in strict base64"))?);
        }
        Ok(Self { old, proof, checkpoint: checkpoint.to_owned() })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// What a witness that last cosigned `last` of the log thinks of a request. `keys` are those of the logs it knows. What it
/// returns may be cosigned once it has been stored in place of `last`, in one step.
///
/// # Errors
/// Why it must not be cosigned.
pub fn judge(
    request: &AddCheckpoint,
    keys: &[VerifierKey],
    last: impl FnOnce(&Checkpoint) -> Option<Checkpoint>,
) -> Result<SignedCheckpoint, Refusal> {
    let signed = SignedCheckpoint::open(request.checkpoint.as_bytes(), keys).map_err(|e| match e {
        CheckpointError::UnknownLog { .. } => Refusal::UnknownLog,
        CheckpointError::Note(
            NoteError::NoKnownSigner
            | NoteError::BadSignature { .. }
            | NoteError::SignedTwice { .. }
            | NoteError::SignatureLine { .. },
        ) => Refusal::Signature,
        other => Refusal::Request(other.to_string()),
    })?;
    let new = signed.checkpoint();
    if request.old > new.size {
        return Err(Refusal::Request(format!(
            "the old size {} is above the checkpoint's {}",
            request.old, new.size
        )));
    }
    let last = last(new);
    let (size, root) = last.map_or((0, Hash::of_nothing()), |c| (c.size, c.root));
    if request.old != size {
        return Err(Refusal::OtherSize { size });
    }
    match merkle::verify_consistency(size, root, new.size, new.root, &request.proof) {
        Ok(()) => Ok(signed),
        Err(ProofError::OldRoot) if size == new.size => {
            Err(Refusal::OtherRoot { size, checkpoint: signed.to_string() })
        }
        Err(_) => Err(Refusal::Inconsistent { checkpoint: signed.to_string() }),
    }
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request cannot be read.
    #[error("{0}")]
    Request(String),
    /// No key of the log is known.
    #[error("the log is not one that this witness follows")]
    UnknownLog,
    /// None of the log's keys signed.
    #[error("no key of the log signed the checkpoint")]
    Signature,
    /// The last checkpoint cosigned has another size.
    #[error("the last checkpoint cosigned is of size {size}")]
    OtherSize {
        /// The size the witness knows.
        size: u64,
    },
    /// The log signed two trees of one size: a fork.
    #[error("the log has signed another root for size {size}")]
    OtherRoot {
        /// The size of both.
        size: u64,
        /// What the log signed, to be kept as evidence.
        checkpoint: String,
    },
    /// The proof does not lead from the tree the witness knows to the one in the checkpoint.
    #[error("the proof does not show that the checkpoint extends the tree that was cosigned last")]
    Inconsistent {
        /// What the log signed, to be kept: a clumsy request or a fork, and only the log can tell.
        checkpoint: String,
    },
}

impl Refusal {
    /// The HTTP status of the specification.
    pub fn status(&self) -> u16 {
        match self {
            Self::Request(_) => 400,
            Self::UnknownLog => 404,
            Self::Signature => 403,
            Self::OtherSize { .. } | Self::OtherRoot { .. } => 409,
            Self::Inconsistent { .. } => 422,
        }
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        Self::Request(error.to_string())
    }
}

/// The signature lines of a witness's answer.
///
/// # Errors
/// If there is none, or one cannot be read.
pub fn parse_answer(bytes: &[u8]) -> Result<Vec<Signature>, RequestError> {
    if bytes.len() > MAX_REQUEST {
        return Err(RequestError::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|e| RequestError::NotUtf8 { offset: e.valid_up_to() })?;
    let lines = text.strip_suffix('\n').ok_or(RequestError::Line { line: 1, why: "no final newline" })?;
    Ok(lines
        .split('\n')
        .enumerate()
        .map(|(at, line)| Signature::parse(line, at + 1))
        .collect::<Result<_, _>>()?)
}

/// A checkpoint's note with the lines of a witness added; lines that stand there already are left out.
///
/// # Errors
/// If it cannot take more signatures.
pub fn with_lines(note: Note, lines: Vec<Signature>) -> Result<Note, NoteError> {
    lines.into_iter().try_fold(note, |note, line| {
        let known = note.signatures().iter().any(|s| s.name() == line.name() && s.id() == line.id());
        if known { Ok(note) } else { note.with(line) }
    })
}

/// The size that a witness's answer with status 409 tells.
pub fn parse_size(bytes: &[u8]) -> Option<u64> {
    decimal(std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?).filter(|size| *size <= MAX_SIZE)
}

/// Why a request or an answer was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Longer than [`MAX_REQUEST`].
    #[error("longer than the 64 KiB that are read")]
    TooLong,
    /// Not UTF-8.
    #[error("not UTF-8 at byte {offset}")]
    NotUtf8 {
        /// The first byte that does not belong.
        offset: usize,
    },
    /// A line that is not what stands there.
    #[error("line {line} cannot be read: {why}")]
    Line {
        /// Counted from one.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A signature line that cannot be read.
    #[error(transparent)]
    Note(#[from] NoteError),
}
