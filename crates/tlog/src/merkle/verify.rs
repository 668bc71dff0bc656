use super::{Hash, MAX_PROOF, MAX_SIZE};

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index is not below the size.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    NoSuchLeaf {
        /// The leaf asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// A size above [`MAX_SIZE`].
    #[error("a tree of {size} leaves is larger than any log's")]
    TooLarge {
        /// The size stated.
        size: u64,
    },
    /// The first tree is larger than the second.
    #[error("a tree of {old} leaves cannot be the beginning of one of {new}")]
    Shrinks {
        /// The size of the first tree.
        old: u64,
        /// The size of the second.
        new: u64,
    },
    /// Too many hashes, or too few.
    #[error("the proof has {found} hashes, which is not the length it must have")]
    Length {
        /// How many there are.
        found: usize,
    },
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
    /// The hashes lead to another root of the first tree.
    #[error("the proof leads to another root of the earlier tree")]
    OldRoot,
}

/// Checks that the leaf with `leaf_hash` is leaf `index` of the tree of `size` leaves with `root`.
///
/// # Errors
/// If it is not proved.
pub fn verify_inclusion(
    leaf_hash: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: Hash,
) -> Result<(), ProofError> {
    check_size(size)?;
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    check_length(proof)?;
    let bad_length = ProofError::Length { found: proof.len() };
    let (mut at, mut last) = (index, size - 1);
    let mut hash = leaf_hash;
    for sibling in proof {
        if last == 0 {
            return Err(bad_length);
        }
        if at & 1 == 1 || at == last {
            hash = Hash::of_children(*sibling, hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = Hash::of_children(hash, *sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    match (last, hash == root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(bad_length),
    }
}

/// Checks that the tree of `old_size` leaves with `old_root` is the beginning of the tree of `size` leaves with `root`.
///
/// An empty tree is the beginning of every tree; its proof has no hashes.
///
/// # Errors
/// If it is not proved.
pub fn verify_consistency(
    old_size: u64,
    old_root: Hash,
    size: u64,
    root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    check_size(size)?;
    if old_size > size {
        return Err(ProofError::Shrinks { old: old_size, new: size });
    }
    check_length(proof)?;
    let bad_length = ProofError::Length { found: proof.len() };
    if old_size == size || old_size == 0 {
        let same = old_size == 0 && old_root == Hash::of_nothing() || old_size == size && old_root == root;
        return match (proof.is_empty(), same) {
            (true, true) => Ok(()),
            (true, false) => Err(ProofError::OldRoot),
            (false, _) => Err(bad_length),
        };
    }
    let (mut at, mut last) = (old_size - 1, size - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    // Where the old tree is perfect, its root is itself the first hash, and is left out.
    let whole = [old_root];
    let mut hashes = whole.iter().filter(|_| old_size.is_power_of_two()).chain(proof);
    let first = *hashes.next().ok_or(bad_length)?;
    let (mut old, mut new) = (first, first);
    for sibling in hashes {
        if last == 0 {
            return Err(bad_length);
        }
        if at & 1 == 1 || at == last {
            old = Hash::of_children(*sibling, old);
            new = Hash::of_children(*sibling, new);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            new = Hash::of_children(new, *sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        return Err(bad_length);
    }
    match (old == old_root, new == root) {
        (true, true) => Ok(()),
        (false, _) => Err(ProofError::OldRoot),
        (true, false) => Err(ProofError::Root),
    }
}

fn check_size(size: u64) -> Result<(), ProofError> {
    if size > MAX_SIZE { Err(ProofError::TooLarge { size }) } else { Ok(()) }
}

fn check_length(proof: &[Hash]) -> Result<(), ProofError> {
    if proof.len() > MAX_PROOF { Err(ProofError::Length { found: proof.len() }) } else { Ok(()) }
}
