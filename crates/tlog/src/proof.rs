//! Proofs that a stranger can check offline, after [C2SP tlog-proof](https://c2sp.org/tlog-proof): an entry's place, the
//! hashes that lead from it to the root, and the checkpoint with its cosignatures.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::merkle::{self, Hash, MAX_PROOF, ProofError};
use crate::note::MAX_TEXT;
use crate::policy::{Accepted, Policy, PolicyError};
use crate::tile::decimal;

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The longest extra data, in bytes.
pub const MAX_EXTRA: usize = 64 << 10;

/// A proof as its file has it; nothing in it is verified but by [`Proof::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Data of the application beside the proof, which the proof does not vouch for.
    pub extra: Option<Vec<u8>>,
    /// The entry's number in the log, from zero.
    pub index: u64,
    /// From the leaf's sibling to the root's child.
    pub hashes: Vec<Hash>,
    /// The checkpoint's note with its signatures, as it was served.
    pub checkpoint: String,
}

impl Proof {
    /// Reads a proof.
    ///
    /// # Errors
    /// Any departure from the format, by its line.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofFileError> {
        let text =
            std::str::from_utf8(bytes).map_err(|e| ProofFileError::NotUtf8 { offset: e.valid_up_to() })?;
        let bad = |line, why| ProofFileError::Line { line, why };
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(bad(1, "no blank line stands before the checkpoint"))?;
        let mut lines = head.split('\n').enumerate().map(|(at, line)| (at + 1, line)).peekable();
        if lines.next() != Some((1, HEADER)) {
            return Err(bad(1, "it is not `c2sp.org/tlog-proof@v1`"));
        }
        let mut extra = None;
        if let Some((_, encoded)) =
            lines.peek().and_then(|(n, line)| Some((*n, line.strip_prefix("extra ")?)))
        {
            let decoded = STANDARD.decode(encoded).ok().filter(|d| d.len() <= MAX_EXTRA);
            extra = Some(decoded.ok_or(bad(2, "extra data is not strict base64 of at most 64 KiB"))?);
            lines.next();
        }
        let at_index = 2 + usize::from(extra.is_some());
        let index = lines.next().and_then(|(_, line)| decimal(line.strip_prefix("index ")?));
        let index =
            index.ok_or(bad(at_index, "it is not `index` and a decimal number without leading zeroes"))?;
        let mut hashes = Vec::new();
        for (line, text) in lines {
            if hashes.len() == MAX_PROOF {
                return Err(bad(line, "a proof has at most 63 hashes"));
            }
            hashes.push(text.parse().map_err(|_| bad(line, "it is not a hash: 32 bytes in strict base64"))?);
        }
        if checkpoint.len() > 2 * MAX_TEXT {
            return Err(bad(at_index + 2 + hashes.len(), "the checkpoint is too long"));
        }
        Ok(Self { extra, index, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// Checks that `entry` stands in a log of `policy`, at the index stated, in a tree that enough witnesses have seen.
    ///
    /// # Errors
    /// If the policy does not accept the checkpoint, or the hashes do not lead to its root.
    pub fn verify(&self, entry: &[u8], policy: &Policy) -> Result<Accepted, ProofFileError> {
        let accepted = policy.accept(self.checkpoint.as_bytes())?;
        let tree = accepted.checkpoint();
        merkle::verify_inclusion(Hash::of_leaf(entry), self.index, tree.size, &self.hashes, tree.root)?;
        Ok(accepted)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Why a proof was not read or proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// Not UTF-8.
    #[error("the proof is not UTF-8 at byte {offset}")]
    NotUtf8 {
        /// The first byte that does not belong.
        offset: usize,
    },
    /// A line that is not what stands there.
    #[error("line {line} of the proof cannot be read: {why}")]
    Line {
        /// Counted from one.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The checkpoint is not one to trust.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The hashes do not lead to the root.
    #[error(transparent)]
    Proof(#[from] ProofError),
}
