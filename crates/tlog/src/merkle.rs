//! Merkle trees and their proofs after [RFC 6962](https://www.rfc-editor.org/rfc/rfc6962#section-2.1), section 2.1, with
//! SHA-256. Checking follows the loops of [RFC 9162](https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3), 2.1.3.2 and
//! 2.1.4.2.
//!
//! A proof is a list of hashes, from the leaf towards the root. Sizes count leaves, indices count from zero.

mod build;
mod verify;

pub use build::{Frontier, Nodes, consistency_proof, inclusion_proof, range_hash, root};
pub use verify::{ProofError, verify_consistency, verify_inclusion};

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The most hashes a proof can have: one for each level below the root of a tree of 2^63 leaves.
pub const MAX_PROOF: usize = 63;

/// The most leaves a tree can have here, 2^63 - 1: sizes fit a signed 64-bit integer in every language.
pub const MAX_SIZE: u64 = i64::MAX as u64;

/// A SHA-256 hash of a tree. Written as strict base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The root of a tree without leaves: SHA-256 of nothing.
    pub fn of_nothing() -> Self {
        Self(Sha256::digest(b"").into())
    }

    /// The hash of a leaf: SHA-256 over 0x00 and the entry.
    pub fn of_leaf(entry: &[u8]) -> Self {
        Self(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
    }

    /// The hash over two subtrees: SHA-256 over 0x01, left and right.
    pub fn of_children(left: Self, right: Self) -> Self {
        Self(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 32 bytes in strict base64")]
pub struct HashError;

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let bytes = STANDARD.decode(text).map_err(|_| HashError)?;
        bytes.try_into().map(Self).map_err(|_| HashError)
    }
}

/// The largest power of two below `size`, which is at least two: where RFC 6962 splits a tree.
fn split(size: u64) -> u64 {
    debug_assert!(size >= 2, "a leaf is not split");
    1 << (63 - (size - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_splits_at_the_largest_power_of_two_below_its_size() {
        for (size, expected) in [(2, 1), (3, 2), (4, 2), (5, 4), (8, 4), (9, 8), (MAX_SIZE, 1 << 62)] {
            assert_eq!(split(size), expected, "{size}");
        }
    }

    #[test]
    fn a_hash_has_one_spelling() {
        let hash = Hash::of_leaf(b"entry");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        let text = hash.to_string();
        for bad in [&text[..43], "", "AA==", &text.replace('=', "")] {
            assert_eq!(bad.parse::<Hash>(), Err(HashError), "{bad}");
        }
        // The last letter before the padding has two bits that no byte takes.
        let padded = Hash([0; 32]).to_string();
        assert!(padded.replace("A=", "B=").parse::<Hash>().is_err());
    }
}
