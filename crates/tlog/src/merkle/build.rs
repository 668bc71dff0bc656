use super::{Hash, split};

/// Where the hashes of perfect subtrees come from: memory, tiles on disk, tiles of a stranger's log.
pub trait Nodes {
    /// Why a hash cannot be had.
    type Error;

    /// The hash over leaves `index * 2^level` up to, not including, `(index + 1) * 2^level`, all of which exist.
    ///
    /// # Errors
    /// If it cannot be had.
    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// The hash over leaves `from` up to, not including, `until`, where `from` is a multiple of a power of two that is at
/// least as large as the range, as RFC 6962 cuts them.
///
/// # Errors
/// If a node cannot be had.
pub fn range_hash<N: Nodes>(nodes: &mut N, from: u64, until: u64) -> Result<Hash, N::Error> {
    // Perfect subtrees from the left, each smaller than the one before it.
    let mut parts = Vec::with_capacity(8);
    let mut at = from;
    while at < until {
        let level = (until - at).ilog2();
        parts.push(nodes.node(u8::try_from(level).unwrap_or(63), at >> level)?);
        at += 1 << level;
    }
    let mut parts = parts.into_iter().rev();
    let Some(last) = parts.next() else { return Ok(Hash::of_nothing()) };
    Ok(parts.fold(last, |right, left| Hash::of_children(left, right)))
}

/// The root of the tree of the first `size` leaves.
///
/// # Errors
/// If a node cannot be had.
pub fn root<N: Nodes>(nodes: &mut N, size: u64) -> Result<Hash, N::Error> {
    range_hash(nodes, 0, size)
}

/// The hashes that prove leaf `index` in the tree of the first `size` leaves (RFC 6962, 2.1.1), for `index < size`; none
/// otherwise.
///
/// # Errors
/// If a node cannot be had.
pub fn inclusion_proof<N: Nodes>(nodes: &mut N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let mut out = Vec::new();
    let (mut from, mut until) = (0, size);
    if index >= size {
        return Ok(out);
    }
    while until - from > 1 {
        let middle = from + split(until - from);
        if index < middle {
            out.push(range_hash(nodes, middle, until)?);
            until = middle;
        } else {
            out.push(range_hash(nodes, from, middle)?);
            from = middle;
        }
    }
    out.reverse();
    Ok(out)
}

/// The hashes that prove that the tree of the first `old` leaves is the beginning of that of the first `size`
/// (RFC 6962, 2.1.2), for `0 < old < size`; none otherwise.
///
/// # Errors
/// If a node cannot be had.
pub fn consistency_proof<N: Nodes>(nodes: &mut N, old: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let mut out = Vec::new();
    if old == 0 || old >= size {
        return Ok(out);
    }
    let (mut from, mut until) = (0, size);
    // Down to the subtree that ends where the old tree ends.
    while until != old {
        let middle = from + split(until - from);
        if old <= middle {
            out.push(range_hash(nodes, middle, until)?);
            until = middle;
        } else {
            out.push(range_hash(nodes, from, middle)?);
            from = middle;
        }
    }
    // The old tree's own root is known to whoever asks.
    if from != 0 {
        out.push(range_hash(nodes, from, until)?);
    }
    out.reverse();
    Ok(out)
}

/// The right edge of a growing tree: the roots of its perfect subtrees, largest first. Enough to append to it and to tell
/// its root, in at most 63 hashes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The edge of the tree of the first `size` leaves.
    ///
    /// # Errors
    /// If a node cannot be had.
    pub fn at<N: Nodes>(nodes: &mut N, size: u64) -> Result<Self, N::Error> {
        let mut peaks = Vec::new();
        let mut at = 0;
        while at < size {
            let level = (size - at).ilog2();
            peaks.push(nodes.node(u8::try_from(level).unwrap_or(63), at >> level)?);
            at += 1 << level;
        }
        Ok(Self { size, peaks })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev().copied();
        let Some(last) = peaks.next() else { return Hash::of_nothing() };
        peaks.fold(last, |right, left| Hash::of_children(left, right))
    }

    /// Appends a leaf. `done` is told every perfect subtree that the leaf completes, itself first: level, index, hash.
    pub fn push(&mut self, leaf: Hash, mut done: impl FnMut(u8, u64, Hash)) {
        let (mut hash, mut index, mut level) = (leaf, self.size, 0);
        done(level, index, hash);
        while index & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = Hash::of_children(left, hash);
            index >>= 1;
            level += 1;
            done(level, index, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }
}
