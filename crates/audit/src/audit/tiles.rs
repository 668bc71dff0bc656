//! The tree computed from the entries, and its tiles as they have to be.

use placet_tlog::merkle::{Frontier, Hash};
use placet_tlog::tile::{Content, Tile, WIDTH};

use super::AuditError;
use super::report::Invalid;
use crate::layout::Wanted;
use crate::source::{Source, SourceError};

/// The levels of a tree that one tile level spans.
const HEIGHT: u8 = 8;

/// The tree of the entries so far, with the hashes of the tiles that are not full yet.
#[derive(Default)]
pub(super) struct Tiles {
    tree: Frontier,
    open: Vec<Vec<Hash>>,
    full: Vec<(Tile, Vec<Hash>)>,
}

impl Tiles {
    pub(super) fn size(&self) -> u64 {
        self.tree.size()
    }

    pub(super) fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Appends an entry's hash.
    pub(super) fn push(&mut self, leaf: Hash) {
        let Self { tree, open, full } = self;
        tree.push(leaf, |level, index, hash| {
            if level % HEIGHT != 0 {
                return;
            }
            let tile_level = level / HEIGHT;
            let at = usize::from(tile_level);
            if open.len() <= at {
                open.resize_with(at + 1, Vec::new);
            }
            let Some(hashes) = open.get_mut(at) else { return };
            hashes.push(hash);
            if hashes.len() as u64 == WIDTH
                && let Some(tile) = Tile::new(Content::Hashes(tile_level), index / WIDTH, 256)
            {
                full.push((tile, std::mem::take(hashes)));
            }
        });
    }

    /// The tiles that have become full since it was asked last.
    pub(super) fn take_full(&mut self) -> Vec<(Tile, Vec<Hash>)> {
        std::mem::take(&mut self.full)
    }

    /// The tiles that are not full.
    pub(super) fn take_open(&mut self) -> Vec<(Tile, Vec<Hash>)> {
        let size = self.size();
        let open = std::mem::take(&mut self.open);
        let tile = |level: u8, hashes: Vec<Hash>| {
            let index = (size >> (level * HEIGHT)) / WIDTH;
            Some((Tile::of(Content::Hashes(level), index, size)?, hashes))
        };
        (0..)
            .zip(open)
            .filter(|(_, hashes)| !hashes.is_empty())
            .filter_map(|(l, hashes)| tile(l, hashes))
            .collect()
    }
}

/// What is wrong with a tile's file, if anything.
pub(super) fn compare<S: Source>(
    source: &S,
    tile: Tile,
    hashes: &[Hash],
) -> Result<Option<Invalid>, AuditError> {
    let file = Wanted::tile(tile);
    let (bytes, longer) = match file.get(source, 32 * WIDTH) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(Some(Invalid::Missing { path: file.path })),
        Err(SourceError::TooLong { path, .. }) => return Ok(Some(Invalid::TooLong { path })),
        Err(error) => return Err(error.into()),
    };
    let computed: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
    let same = if longer { bytes.starts_with(&computed) } else { bytes == computed };
    Ok((!same).then_some(Invalid::Tile { path: file.path }))
}
