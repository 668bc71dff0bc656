//! The RFC 6962 tree over a tick's slots.

use placet_core::{Digest, Hasher};

/// The root over `leaves`, which are the leaves' hashes; SHA-256 of nothing where there is none.
pub(super) fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => *leaf,
        [..] => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The inclusion path of leaf `idx`, from its sibling upwards; none where there is no such leaf.
pub(super) fn path(leaves: &[Digest], idx: usize) -> Option<Vec<Digest>> {
    match leaves {
        [] => None,
        [_] => (idx == 0).then(Vec::new),
        [..] => {
            let at = split(leaves.len());
            let (left, right) = leaves.split_at(at);
            let (mut path, sibling) =
                if idx < at { (path(left, idx)?, root(right)) } else { (path(right, idx - at)?, root(left)) };
            path.push(sibling);
            Some(path)
        }
    }
}

/// The root that `leaf` at `idx` of `size` leaves and its path lead to; none where the path has another length.
pub(super) fn climb(leaf: Digest, idx: u64, size: u64, path: &[Digest]) -> Option<Digest> {
    if idx >= size {
        return None;
    }
    if size == 1 {
        return path.is_empty().then_some(leaf);
    }
    let (top, below) = path.split_last()?;
    let at = 1 << (size - 1).ilog2();
    Some(if idx < at {
        node(&climb(leaf, idx, at, below)?, top)
    } else {
        node(top, &climb(leaf, idx - at, size - at, below)?)
    })
}

/// A leaf's hash.
pub(super) fn leaf(bytes: &[u8]) -> Digest {
    hash(&[&[0], bytes])
}

fn node(left: &Digest, right: &Digest) -> Digest {
    hash(&[&[1], &left.0, &right.0])
}

fn hash(parts: &[&[u8]]) -> Digest {
    let mut hasher = Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finish()
}

/// The greatest power of two below `len`, which is 2 or more.
fn split(len: usize) -> usize {
    1 << (len - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn unhex(text: &Value) -> Vec<u8> {
        let text = text.as_str().unwrap();
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_reference_tree_has_its_roots() {
        let file = include_str!("../../../../../vectors/tlog/rfc6962-reference-tree.json");
        let tree: Value = serde_json::from_str(file).unwrap();
        let hashes: Vec<Digest> =
            tree["leaves_hex"].as_array().unwrap().iter().map(|bytes| leaf(&unhex(bytes))).collect();
        assert_eq!(root(&[]).0.as_slice(), unhex(&tree["empty_root"]));
        for (idx, expected) in tree["roots_hex_by_size"].as_array().unwrap().iter().enumerate() {
            assert_eq!(root(&hashes[..=idx]).0.as_slice(), unhex(expected), "{} leaves", idx + 1);
        }
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proved() {
        let hashes: Vec<Digest> = (0..40_u8).map(|n| leaf(&[n])).collect();
        let mut proved = 0;
        for size in 1..=hashes.len() {
            let tree = &hashes[..size];
            for idx in 0..size {
                let path = path(tree, idx).unwrap();
                let climbed = |leaf, idx: usize, path: &[Digest]| climb(leaf, idx as u64, size as u64, path);
                assert_eq!(climbed(tree[idx], idx, &path), Some(root(tree)), "{idx} of {size}");
                assert_ne!(climbed(Digest([0; 32]), idx, &path), Some(root(tree)));
                assert_ne!(climbed(tree[idx], idx + 1, &path), Some(root(tree)), "{idx} of {size}");
                let longer = [path.as_slice(), &[Digest([0; 32])]].concat();
                assert_eq!(climbed(tree[idx], idx, &longer), None);
                proved += 1;
            }
            assert_eq!(path(tree, size), None);
        }
        assert_eq!(proved, 820);
    }
}
