//! Reading: entries, tiles, side files and proofs of everything that is durable, beside the writer.

use std::sync::{Arc, PoisonError, RwLock};

use placet_tlog::merkle::{Hash, consistency_proof, inclusion_proof, root};
use placet_tlog::tile::{self, Content, ShortTile, Tile, TileNodes, WIDTH};
use xxhash_rust::xxh3::xxh3_64;

use crate::derived::{BLOB_PLACE, Derived, Which};
use crate::disk::{Disk, DiskFile};
use crate::error::{Damage, StoreError};
use crate::segment::{self, CHANNELS};

/// Entries further apart than this are read one by one: between them lie side files.
const NEAR: u64 = 128 << 10;

/// What the writer shows to readers.
pub struct View {
    pub size: u64,
    pub note: Option<Arc<str>>,
    pub blobs: [u64; CHANNELS],
    pub newest: (u64, Arc<dyn DiskFile>),
}

pub struct Shared {
    pub disk: Arc<dyn Disk>,
    pub derived: Arc<Derived>,
    pub span: u64,
    pub view: RwLock<View>,
}

/// A reader of a log. Cheap to clone; what it has shown once never changes.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn view<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.shared.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many entries are durable.
    pub fn size(&self) -> u64 {
        self.view(|v| v.size)
    }

    /// The newest signed checkpoint, without cosignatures; none for a log without entries.
    pub fn note(&self) -> Option<Arc<str>> {
        self.view(|v| v.note.clone())
    }

    /// How many blobs a channel has.
    pub fn blobs(&self, channel: u8) -> u64 {
        self.view(|v| v.blobs.get(usize::from(channel)).copied().unwrap_or(0))
    }

    /// The entry at `index`; none if there is none yet.
    ///
    /// # Errors
    /// If the disk refuses, as everywhere here.
    pub fn entry(&self, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.entries(index, 1)?.pop())
    }

    /// The entries from `from`, `count` of them, or as many as there are.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub fn entries(&self, from: u64, count: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let count = self.size().saturating_sub(from).min(count);
        let length = usize::try_from(count * 8).unwrap_or(usize::MAX);
        let positions = self.shared.derived.read(Which::Entries, from * 8, length)?;
        let positions: Vec<u64> = positions.as_chunks().0.iter().map(|p| u64::from_le_bytes(*p)).collect();
        let mut out = Vec::with_capacity(positions.len());
        let near =
            |a: &u64, b: &u64| b.saturating_sub(*a) <= NEAR && a / self.shared.span == b / self.shared.span;
        for run in positions.chunk_by(near) {
            self.read_run(run, &mut out)?;
        }
        self.check(from, &out)?;
        Ok(out)
    }

    /// Compares entries with their hashes, which lie elsewhere: what has rotted is not served.
    fn check(&self, from: u64, entries: &[Vec<u8>]) -> Result<(), StoreError> {
        let hashes = self.shared.derived.read(Which::Hashes(0), from * 32, entries.len() * 32)?;
        for (index, (entry, hash)) in (from..).zip(entries.iter().zip(hashes.as_chunks::<32>().0)) {
            if Hash::of_leaf(entry).0 != *hash {
                return Err(Damage::Entry { index }.into());
            }
        }
        Ok(())
    }

    /// Reads entries that lie near each other, all in one segment.
    fn read_run(&self, run: &[u64], out: &mut Vec<Vec<u8>>) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(()) };
        let mut bytes = self.at(*first, usize::try_from(last - first).unwrap_or(usize::MAX) + 2)?;
        let length = bytes.last_chunk::<2>().map_or(0, |l| u16::from_be_bytes(*l));
        bytes.extend(self.at(last + 2, usize::from(length))?);
        for position in run {
            let at = usize::try_from(position - first).unwrap_or(usize::MAX);
            let entry = || {
                let length = u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
                bytes.get(at + 2..at + 2 + usize::from(length))
            };
            let (number, offset) = (position / self.shared.span, position % self.shared.span);
            out.push(entry().ok_or(Damage::Unreadable { number, offset })?.to_vec());
        }
        Ok(())
    }

    /// A tile or bundle as it is published; none if the log is not that large. A partial one can be had as long as the log lives.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
        let fits =
            Tile::of(tile.content(), tile.index(), self.size()).is_some_and(|t| t.width() >= tile.width());
        if !fits {
            return Ok(None);
        }
        match tile.content() {
            Content::Hashes(_) => hashes(&self.shared.derived, tile).map(Some),
            Content::Entries => {
                let entries = self.entries(tile.index() * WIDTH, u64::from(tile.width()))?;
                let bundle = tile::bundle(entries.iter().map(Vec::as_slice));
                Ok(Some(bundle.map_err(|_| StoreError::Batch("an entry has at most 65,535 bytes"))?))
            }
        }
    }

    /// The length of a blob; none if there is none yet.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub fn blob_length(&self, channel: u8, number: u64) -> Result<Option<u64>, StoreError> {
        Ok(self.blob_place(channel, number)?.map(|(_, length, _)| length))
    }

    /// `length` bytes of a blob from `from`; none if there is no such blob or it ends before that.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub fn blob_part(
        &self,
        channel: u8,
        number: u64,
        from: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((position, whole, _)) = self.blob_place(channel, number)? else { return Ok(None) };
        if from.checked_add(length).is_none_or(|end| end > whole) {
            return Ok(None);
        }
        self.at(position + from, usize::try_from(length).unwrap_or(usize::MAX)).map(Some)
    }

    /// A whole blob, compared with its checksum, which parts are not; none if there is none yet.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub fn blob(&self, channel: u8, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((position, length, checksum)) = self.blob_place(channel, number)? else { return Ok(None) };
        let blob = self.at(position, usize::try_from(length).unwrap_or(usize::MAX))?;
        if xxh3_64(&blob) != checksum {
            return Err(Damage::Blob { channel, number }.into());
        }
        Ok(Some(blob))
    }

    fn blob_place(&self, channel: u8, number: u64) -> Result<Option<(u64, u64, u64)>, StoreError> {
        if number >= self.blobs(channel) {
            return Ok(None);
        }
        let place = self.shared.derived.read(Which::Blobs(channel), number * BLOB_PLACE, 24)?;
        let numbers: Vec<u64> = place.as_chunks().0.iter().map(|n| u64::from_le_bytes(*n)).collect();
        let [position, length, checksum] = numbers[..] else { return Ok(None) };
        Ok(Some((position, length, checksum)))
    }

    /// Bytes of a segment, by their position in the log's own counting.
    fn at(&self, position: u64, length: usize) -> Result<Vec<u8>, StoreError> {
        let (number, offset) = (position / self.shared.span, position % self.shared.span);
        let newest = self.view(|v| (v.newest.0 == number).then(|| Arc::clone(&v.newest.1)));
        let name = segment::name(number);
        let file = match newest {
            Some(file) => file,
            None => self.shared.disk.open(&name).map_err(StoreError::io("open", name.clone()))?,
        };
        let mut out = vec![0; length];
        file.read(&mut out, offset).map_err(StoreError::io("read", name))?;
        Ok(out)
    }

    /// The hashes of the tree of the first `size` entries.
    pub fn nodes(&self, size: u64) -> impl placet_tlog::merkle::Nodes<Error = StoreError> + use<'_> {
        nodes(&self.shared.derived, size)
    }

    /// The root of the first `size` entries, of which there are as many.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub fn root(&self, size: u64) -> Result<Hash, StoreError> {
        root(&mut self.nodes(size), size)
    }

    /// The proof that entry `index` is in the tree of the first `size` entries.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
        inclusion_proof(&mut self.nodes(size), index, size)
    }

    /// The proof that the first `old` entries are the beginning of the first `size`.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub fn consistency(&self, old: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
        consistency_proof(&mut self.nodes(size), old, size)
    }
}

/// A tree read from the derived files.
pub fn nodes(
    derived: &Derived,
    size: u64,
) -> TileNodes<impl FnMut(Tile) -> Result<Vec<u8>, StoreError> + use<'_>> {
    TileNodes::new(size, |tile| hashes(derived, tile))
}

fn hashes(derived: &Derived, tile: Tile) -> Result<Vec<u8>, StoreError> {
    let Content::Hashes(level) = tile.content() else {
        return Err(StoreError::Batch("a bundle is no tile of hashes"));
    };
    if level >= 8 {
        return Err(StoreError::Batch("no log has that many levels"));
    }
    derived.read(Which::Hashes(level), tile.index() * WIDTH * 32, usize::from(tile.width()) * 32)
}

impl From<ShortTile> for StoreError {
    fn from(short: ShortTile) -> Self {
        Damage::Derived { name: short.tile.to_string(), offset: 0 }.into()
    }
}
