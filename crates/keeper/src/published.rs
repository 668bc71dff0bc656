//! The log as it is published: files of `docs/formats/published-log.md`, made as they are asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use placet_core::Digest;
use placet_store::{Reader, StoreError};
use placet_tlog::tile::{Content, Tile, WIDTH};

/// The side files of ticks.
pub const SLOTS: u8 = 0;
/// What each tick had of cosignatures when its interval was over.
pub const COSIGNED: u8 = 1;
/// The side files of rosters.
pub const ROSTERS: u8 = 2;

/// What a path of a published log names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// `checkpoint`
    Checkpoint,
    /// `tile/…`
    Tile(Tile),
    /// `slots/…`: the same numbering as bundles have.
    Slots(Tile),
    /// `cosigned/…`
    Cosigned(Tile),
    /// `roster/HEX`
    Roster(Digest),
}

impl Name {
    /// Reads a path below the log's prefix; none if it names nothing.
    pub fn parse(path: &str) -> Option<Self> {
        if path == "checkpoint" {
            return Some(Self::Checkpoint);
        }
        let (first, rest) = path.split_once('/')?;
        let numbered = || format!("tile/entries/{rest}").parse::<Tile>().ok();
        match first {
            "tile" => path.parse().ok().map(Self::Tile),
            "slots" => numbered().map(Self::Slots),
            "cosigned" => numbered().map(Self::Cosigned),
            "roster" => format!("sha256:{rest}").parse().ok().map(Self::Roster),
            _ => None,
        }
    }
}

/// What readers see. Cheap to clone.
#[derive(Clone)]
pub struct Published {
    reader: Reader,
    slots: u32,
    shown: Arc<RwLock<Shown>>,
}

#[derive(Default)]
struct Shown {
    checkpoint: Option<Arc<str>>,
    rosters: BTreeMap<[u8; 32], u64>,
}

impl Published {
    pub(crate) fn new(reader: Reader, slots: u32) -> Result<Self, StoreError> {
        let mut rosters = BTreeMap::new();
        for number in 0..reader.blobs(ROSTERS) {
            if let Some(bytes) = reader.blob(ROSTERS, number)? {
                rosters.insert(Digest::of(&bytes).0, number);
            }
        }
        let shown = Shown { checkpoint: None, rosters };
        Ok(Self { reader, slots, shown: Arc::new(RwLock::new(shown)) })
    }

    /// The log underneath.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The checkpoint that is shown: the newest that was published.
    pub fn checkpoint(&self) -> Option<Arc<str>> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).checkpoint.clone()
    }

    pub(crate) fn show(&self, checkpoint: Arc<str>) {
        self.shown.write().unwrap_or_else(PoisonError::into_inner).checkpoint = Some(checkpoint);
    }

    pub(crate) fn add_roster(&self, digest: Digest, number: u64) {
        self.shown.write().unwrap_or_else(PoisonError::into_inner).rosters.insert(digest.0, number);
    }

    /// How long a file is; none if there is none.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn length(&self, path: &str) -> Result<Option<u64>, StoreError> {
        match Name::parse(path) {
            Some(Name::Slots(tile)) if self.has(SLOTS, tile) => {
                Ok(Some(u64::from(tile.width()) * self.array()))
            }
            Some(name) => Ok(self.whole(name)?.map(|bytes| bytes.len() as u64)),
            None => Ok(None),
        }
    }

    /// `length` bytes of a file from `from`, or as many as there are; none if there is no such file.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn read(&self, path: &str, from: u64, length: u64) -> Result<Option<Vec<u8>>, StoreError> {
        match Name::parse(path) {
            Some(Name::Slots(tile)) if self.has(SLOTS, tile) => self.slots(tile, from, length).map(Some),
            Some(name) => Ok(self.whole(name)?.map(|bytes| {
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
                let until =
                    from.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(bytes.len());
                bytes.get(from..until).unwrap_or_default().to_vec()
            })),
            None => Ok(None),
        }
    }

    /// Bytes of one tick's side file.
    fn array(&self) -> u64 {
        128 * u64::from(self.slots)
    }

    fn has(&self, channel: u8, tile: Tile) -> bool {
        let there = Tile::of(Content::Entries, tile.index(), self.reader.blobs(channel));
        there.is_some_and(|there| there.width() >= tile.width())
    }

    fn slots(&self, tile: Tile, from: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        let array = self.array();
        let end = from.saturating_add(length).min(u64::from(tile.width()) * array);
        let mut out = Vec::with_capacity(usize::try_from(end.saturating_sub(from)).unwrap_or(0));
        let mut at = from;
        while at < end {
            let (tick, offset) = (at / array, at % array);
            let part = (array - offset).min(end - at);
            let bytes = self.reader.blob_part(SLOTS, tile.index() * WIDTH + tick, offset, part)?;
            out.extend(bytes.unwrap_or_default());
            at += part;
        }
        Ok(out)
    }

    fn whole(&self, name: Name) -> Result<Option<Vec<u8>>, StoreError> {
        match name {
            Name::Checkpoint => Ok(self.checkpoint().map(|c| c.as_bytes().to_vec())),
            Name::Tile(tile) => self.reader.tile(tile),
            Name::Slots(_) => Ok(None),
            Name::Cosigned(tile) if self.has(COSIGNED, tile) => self.cosigned(tile).map(Some),
            Name::Cosigned(_) => Ok(None),
            Name::Roster(digest) => {
                let number = {
                    let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
                    shown.rosters.get(&digest.0).copied()
                };
                number.map_or(Ok(None), |number| self.reader.blob(ROSTERS, number))
            }
        }
    }

    fn cosigned(&self, tile: Tile) -> Result<Vec<u8>, StoreError> {
        let mut out = Vec::new();
        for number in (tile.index() * WIDTH..).take(tile.width().into()) {
            let item = self.reader.blob(COSIGNED, number)?.unwrap_or_default();
            // None is longer: it was a note when it was written.
            out.extend(u16::try_from(item.len()).unwrap_or(0).to_be_bytes());
            out.extend(item);
        }
        Ok(out)
    }
}
