//! A log's tree as far as its tiles were read, every hash of it checked against the signed root.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use placet_tlog::checkpoint::Checkpoint;
use placet_tlog::merkle::{Frontier, Hash, Nodes};
use placet_tlog::tile::{Content, Tile, WIDTH};

use crate::layout::Wanted;
use crate::reader::ReadError;
use crate::source::Source;

/// The levels of a tree that one tile level spans.
const HEIGHT: u8 = 8;

/// The most tiles kept in memory: 8 KiB each.
const MAX_TILES: usize = 1_024;

type Key = (u8, u64);

/// The hashes of a tile, leaf hashes or those of full tiles below.
type Hashes = Rc<Vec<Hash>>;

#[derive(Debug)]
pub(crate) struct Tree<S> {
    source: S,
    size: u64,
    /// The partial tiles on the right, from which the root was computed.
    edge: BTreeMap<Key, Hashes>,
    full: RefCell<BTreeMap<Key, Hashes>>,
}

impl<S: Source> Tree<S> {
    /// The tree of a checkpoint. All tiles that are not full are read and lead to its root.
    pub(crate) fn open(source: S, checkpoint: &Checkpoint) -> Result<Self, ReadError> {
        let size = checkpoint.size;
        let mut tree = Self { source, size, edge: BTreeMap::new(), full: RefCell::default() };
        for level in 0..HEIGHT {
            let index = (size >> (level * HEIGHT)) / WIDTH;
            if let Some(tile) = Tile::of(Content::Hashes(level), index, size) {
                let hashes = tree.fetch(tile)?;
                tree.edge.insert((level, index), Rc::new(hashes));
            }
        }
        let edge = Frontier::at(&mut Edge(&tree), size)?;
        if edge.root() == checkpoint.root { Ok(tree) } else { Err(ReadError::Root) }
    }

    pub(crate) fn source(&self) -> &S {
        &self.source
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    fn fetch(&self, tile: Tile) -> Result<Vec<Hash>, ReadError> {
        let wanted = Wanted::tile(tile);
        let missing = || ReadError::Missing { path: wanted.path.clone() };
        let (bytes, longer) = wanted.get(&self.source, 32 * WIDTH)?.ok_or_else(missing)?;
        let width = usize::from(wanted.width);
        let (hashes, rest) = bytes.as_chunks::<32>();
        let fits = rest.is_empty() && (hashes.len() == width || longer && hashes.len() > width);
        if !fits {
            return Err(ReadError::Tile { path: wanted.path });
        }
        Ok(hashes.iter().take(width).map(|hash| Hash(*hash)).collect())
    }

    /// A tile whose hashes were checked: it is at the edge, or full and the one whose hash stands in the tile above it.
    fn tile(&self, level: u8, index: u64) -> Result<Hashes, ReadError> {
        if let Some(hashes) = self.edge.get(&(level, index)) {
            return Ok(Rc::clone(hashes));
        }
        if let Some(hashes) = self.full.borrow().get(&(level, index)) {
            return Ok(Rc::clone(hashes));
        }
        let tile = Tile::new(Content::Hashes(level), index, 256).ok_or(ReadError::NoSuchEntry { index })?;
        let hashes = self.fetch(tile)?;
        let above = self.tile(level + 1, index / WIDTH)?;
        let stated = usize::try_from(index % WIDTH).ok().and_then(|at| above.get(at));
        if stated != Some(&perfect_root(&hashes)) {
            return Err(ReadError::Tile { path: tile.to_string() });
        }
        let hashes = Rc::new(hashes);
        let mut kept = self.full.borrow_mut();
        if kept.len() >= MAX_TILES {
            kept.clear();
        }
        kept.insert((level, index), Rc::clone(&hashes));
        Ok(hashes)
    }

    /// The hashes of the entries of bundle `index`.
    pub(crate) fn leaf_hashes(&self, bundle: u64) -> Result<Hashes, ReadError> {
        self.tile(0, bundle)
    }
}

/// The tree's nodes, each out of a checked tile.
impl<S: Source> Nodes for &Tree<S> {
    type Error = ReadError;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, ReadError> {
        let (tile_level, below) = (level / HEIGHT, level % HEIGHT);
        let first = index << below;
        let hashes = self.tile(tile_level, first / WIDTH)?;
        within(&hashes, first % WIDTH, below).ok_or(ReadError::NoSuchEntry { index: first })
    }
}

/// The nodes that only the edge has, before it was checked.
struct Edge<'t, S>(&'t Tree<S>);

impl<S: Source> Nodes for Edge<'_, S> {
    type Error = ReadError;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, ReadError> {
        let (tile_level, below) = (level / HEIGHT, level % HEIGHT);
        let first = index << below;
        let hashes = self.0.edge.get(&(tile_level, first / WIDTH));
        let hash = hashes.and_then(|hashes| within(hashes, first % WIDTH, below));
        hash.ok_or(ReadError::NoSuchEntry { index: first })
    }
}

/// The root over `2^levels` of a tile's hashes.
fn within(hashes: &[Hash], from: u64, levels: u8) -> Option<Hash> {
    let from = usize::try_from(from).ok()?;
    Some(perfect_root(hashes.get(from..)?.get(..1 << levels)?))
}

/// The root over a power of two of hashes.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => Hash::of_nothing(),
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            Hash::of_children(perfect_root(left), perfect_root(right))
        }
    }
}
