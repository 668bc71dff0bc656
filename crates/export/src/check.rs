//! A log's files as they are read and checked: none is exported that does not belong to the checkpoint.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use placet_core::Digest;
use placet_record::entry::slot::SlotArray;
use placet_record::entry::{Genesis, Leaf};
use placet_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use placet_tlog::merkle::{self, Hash};
use placet_tlog::note::VerifierKey;
use placet_tlog::tile::{self, Content, Tile, TileNodes};

use crate::error::ExportError;
use crate::extent::{Extent, Item};
use placet_publish::Shelf;

/// The longest file that a log can have: 256 entries, or 256 ticks of 65,536 slots.
const LONGEST: u64 = 1 << 31;

/// A log at one checkpoint.
pub struct Source<'s> {
    shelf: &'s dyn Shelf,
    keys: &'s [VerifierKey],
    checkpoint: Checkpoint,
    /// The tiles at the right edge, which the root covers.
    edge: HashMap<Tile, Vec<u8>>,
}

/// What entries say of side files.
#[derive(Debug, Default)]
pub struct Told {
    /// How many slots a tick has.
    slots: u32,
    /// The root over the slots of each tick whose slots are exported, by its number.
    roots: BTreeMap<u64, Hash>,
    /// How many ticks there are.
    pub ticks: u64,
    /// How many ticks the target has.
    pub ticks_before: u64,
    /// The rosters that are new.
    pub rosters: BTreeSet<Digest>,
}

impl<'s> Source<'s> {
    /// The log on `shelf` at `checkpoint`; its tiles have to give the checkpoint's root.
    pub fn open(
        shelf: &'s dyn Shelf,
        keys: &'s [VerifierKey],
        checkpoint: Checkpoint,
    ) -> Result<Self, ExportError> {
        let mut edge = HashMap::new();
        let fetch = |tile: Tile| {
            let bytes = read(shelf, &tile.to_string())?;
            edge.insert(tile, bytes.clone());
            Ok::<_, ExportError>(bytes)
        };
        let root = merkle::root(&mut TileNodes::new(checkpoint.size, fetch), checkpoint.size)?;
        if root != checkpoint.root {
            let what = "has another root than the tiles beside it";
            return Err(ExportError::Wrong { path: "checkpoint".to_owned(), what });
        }
        Ok(Self { shelf, keys, checkpoint, edge })
    }

    /// Checks that `old` is the beginning of this log.
    pub fn demand_beginning(&self, old: &Checkpoint) -> Result<(), ExportError> {
        let (target, log) = (old.size, self.checkpoint.size);
        if target > log {
            return Err(ExportError::Ahead { target, log });
        }
        let mut nodes = TileNodes::new(log, |tile: Tile| read(self.shelf, &tile.to_string()));
        let proof = merkle::consistency_proof(&mut nodes, target, log)?;
        merkle::verify_consistency(target, old.root, log, self.checkpoint.root, &proof)
            .map_err(|source| ExportError::Fork { target, log, source })
    }

    /// What the entries say of side files, as far as those are new from `before` on.
    pub fn told(&self, before: u64) -> Result<Told, ExportError> {
        let mut told = Told::default();
        let Some(Leaf::Genesis(Genesis { slots, .. })) = self.entries(0)?.into_iter().next() else {
            return Ok(told);
        };
        told.slots = slots;
        for number in before / 256..self.checkpoint.size.div_ceil(256) {
            for (index, leaf) in (number * 256..).zip(self.entries(number)?) {
                match leaf {
                    Leaf::Tick(tick) if index >= before => drop(told.roots.insert(tick.n, tick.slots_root)),
                    Leaf::Roster(roster) if index >= before => drop(told.rosters.insert(roster.digest)),
                    _ => {}
                }
            }
        }
        told.ticks_before = self.earlier_ticks(before, &mut told.roots)?;
        told.ticks = told.roots.last_key_value().map_or(0, |(n, _)| n + 1);
        Ok(told)
    }

    /// Goes back from entry `before` to the tick at which the last partial file of slots begins, since that file is
    /// written anew, and tells how many ticks there were.
    fn earlier_ticks(&self, before: u64, roots: &mut BTreeMap<u64, Hash>) -> Result<u64, ExportError> {
        let mut ticks = 0;
        for number in (0..before.div_ceil(256)).rev() {
            let mut leaves: Vec<(u64, Leaf)> = (number * 256..before).zip(self.entries(number)?).collect();
            while let Some((_, leaf)) = leaves.pop() {
                let Leaf::Tick(tick) = leaf else { continue };
                ticks = ticks.max(tick.n + 1);
                roots.insert(tick.n, tick.slots_root);
                if tick.n % 256 == 0 {
                    return Ok(ticks);
                }
            }
        }
        Ok(ticks)
    }

    /// The entries of a bundle, empty if the log has no such bundle.
    fn entries(&self, number: u64) -> Result<Vec<Leaf>, ExportError> {
        let Some(tile) = Tile::of(Content::Entries, number, self.checkpoint.size) else {
            return Ok(Vec::new());
        };
        let bytes = read(self.shelf, &tile.to_string())?;
        let parse = |(index, entry): (u64, &[u8])| {
            Leaf::parse(entry).map_err(|source| ExportError::Entry { index, source })
        };
        (number * 256..).zip(unbundle(&tile.to_string(), &bytes, tile.width())?).map(parse).collect()
    }

    /// Reads a file and checks it.
    pub fn load(&self, item: &Item, told: &Told) -> Result<Vec<u8>, ExportError> {
        let path = item.path();
        let wrong = |what| ExportError::Wrong { path: path.clone(), what };
        if let Item::Tile(tile) = item
            && let Some(bytes) = self.edge.get(tile)
        {
            return Ok(bytes.clone());
        }
        let bytes = read(self.shelf, &path)?;
        match item {
            Item::Tile(tile) => match tile.content() {
                Content::Hashes(level) => self.check_hashes(tile, level, &bytes)?,
                Content::Entries => self.check_entries(tile, &bytes)?,
            },
            Item::Slots(tile) => check_slots(tile, &bytes, told).map_err(wrong)?,
            Item::Cosigned(tile) => {
                for item in unbundle(&path, &bytes, tile.width())?.into_iter().filter(|item| !item.is_empty())
                {
                    SignedCheckpoint::open(item, self.keys)
                        .map_err(|_| wrong("holds what is no checkpoint of the log"))?;
                }
            }
            Item::Roster(digest) if Digest::of(&bytes) != *digest => {
                return Err(wrong("is not what its name says"));
            }
            Item::Roster(_) => {}
        }
        Ok(bytes)
    }

    /// A full tile's root stands in the tile above it. Partial ones are at the edge, or empty of anything new.
    fn check_hashes(&self, tile: &Tile, level: u8, bytes: &[u8]) -> Result<(), ExportError> {
        let wrong = |what| ExportError::Wrong { path: tile.to_string(), what };
        let (hashes, rest) = bytes.as_chunks::<32>();
        if hashes.len() != usize::from(tile.width()) || !rest.is_empty() {
            return Err(wrong("has another length than its path says"));
        }
        let hashes: Vec<Hash> = hashes.iter().map(|bytes| Hash(*bytes)).collect();
        let above = Tile::of(Content::Hashes(level + 1), tile.index() / 256, self.checkpoint.size);
        let above = above.filter(|_| tile.is_full()).ok_or(wrong("is not under the checkpoint's root"))?;
        let parents = self.tile(&above)?;
        let place = usize::try_from(tile.index() % 256).unwrap_or(usize::MAX);
        let parent = parents.as_chunks::<32>().0.get(place);
        let told = parent.is_some_and(|parent| Hash(*parent) == perfect_root(hashes));
        if told { Ok(()) } else { Err(wrong("is not under the checkpoint's root")) }
    }

    /// Entries hash to what stands in the tile of leaf hashes.
    fn check_entries(&self, bundle: &Tile, bytes: &[u8]) -> Result<(), ExportError> {
        let path = bundle.to_string();
        let entries = unbundle(&path, bytes, bundle.width())?;
        let leaves = Tile::of(Content::Hashes(0), bundle.index(), self.checkpoint.size);
        let leaves = leaves.ok_or_else(|| ExportError::Missing { path: path.clone() })?;
        let hashes: Vec<[u8; 32]> = entries.iter().map(|entry| Hash::of_leaf(entry).0).collect();
        if hashes.as_flattened() == self.tile(&leaves)?.as_slice() {
            Ok(())
        } else {
            Err(ExportError::Wrong { path, what: "holds other entries than the tree" })
        }
    }

    fn tile(&self, tile: &Tile) -> Result<Vec<u8>, ExportError> {
        self.edge.get(tile).map_or_else(|| read(self.shelf, &tile.to_string()), |bytes| Ok(bytes.clone()))
    }

    /// How far it has got.
    pub fn extent(&self, told: &Told) -> Extent {
        Extent { size: self.checkpoint.size, ticks: told.ticks }
    }
}

/// The slots of each tick have the root that the tick says.
fn check_slots(tile: &Tile, bytes: &[u8], told: &Told) -> Result<(), &'static str> {
    let each = usize::try_from(told.slots).unwrap_or(usize::MAX).saturating_mul(128).max(1);
    if bytes.len() != each.saturating_mul(tile.width().into()) {
        return Err("has another length than its path says");
    }
    for (n, slots) in (tile.index() * 256..).zip(bytes.chunks_exact(each)) {
        let array = SlotArray::parse(slots, told.slots).map_err(|_| "holds no slots")?;
        if told.roots.get(&n) != Some(&array.root()) {
            return Err("holds other slots than its ticks say");
        }
    }
    Ok(())
}

/// The root over a full tile.
fn perfect_root(mut hashes: Vec<Hash>) -> Hash {
    while hashes.len() > 1 {
        hashes =
            hashes.as_chunks::<2>().0.iter().map(|[left, right]| Hash::of_children(*left, *right)).collect();
    }
    hashes.first().copied().unwrap_or_else(Hash::of_nothing)
}

fn unbundle<'b>(path: &str, bytes: &'b [u8], width: u16) -> Result<Vec<&'b [u8]>, ExportError> {
    tile::unbundle(bytes, width).map_err(|source| ExportError::Bundle { path: path.to_owned(), source })
}

/// A whole file of the log.
pub fn read(shelf: &dyn Shelf, path: &str) -> Result<Vec<u8>, ExportError> {
    let failed = |source| ExportError::Read { path: path.to_owned(), source };
    match shelf.length(path).map_err(failed)? {
        None => Err(ExportError::Missing { path: path.to_owned() }),
        Some(length) if length > LONGEST => {
            Err(ExportError::Wrong { path: path.to_owned(), what: "is longer than any file of a log" })
        }
        Some(length) => {
            let bytes = shelf.read(path, 0, length).map_err(failed)?;
            let whole = u64::try_from(bytes.len()).is_ok_and(|found| found == length);
            if whole { Ok(bytes) } else { Err(failed(std::io::ErrorKind::UnexpectedEof.into())) }
        }
    }
}
