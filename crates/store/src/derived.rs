//! Files that follow from the frames and can be made again from them: what tiles and bundles are slices of.
//!
//! | file | content |
//! | --- | --- |
//! | `hashes-L` | the hashes of tile level L, 32 bytes each: tile N is the slice from 8192 N |
//! | `entries` | where each entry's length stands, 8 bytes each, little-endian: segment number × span + offset |
//! | `blobs-C` | where each blob of channel C stands: position, length, XXH3-64, 8 bytes each |

use std::io;
use std::sync::Arc;

use placet_tlog::merkle::{Frontier, Hash};
use xxhash_rust::xxh3::xxh3_64;

use crate::disk::{Disk, DiskFile};
use crate::error::{Damage, StoreError};
use crate::frame::{Batch, Frame};
use crate::segment::CHANNELS;

/// How many bytes tell where a blob is.
pub const BLOB_PLACE: u64 = 24;

/// Tile levels a tree of 2^63 leaves can have.
const LEVELS: usize = 8;

/// One of the derived files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Hashes(u8),
    Entries,
    Blobs(u8),
}

impl Which {
    pub fn all() -> impl Iterator<Item = Self> {
        let levels = (0..8).map(Self::Hashes);
        levels.chain([Self::Entries]).chain((0..4).map(Self::Blobs))
    }

    pub fn name(self) -> String {
        match self {
            Self::Hashes(level) => format!("hashes-{level}"),
            Self::Entries => "entries".to_owned(),
            Self::Blobs(channel) => format!("blobs-{channel}"),
        }
    }

    fn at(self) -> usize {
        match self {
            Self::Hashes(level) => usize::from(level),
            Self::Entries => LEVELS,
            Self::Blobs(channel) => LEVELS + 1 + usize::from(channel),
        }
    }
}

/// The derived files, open.
pub struct Derived {
    files: Vec<Arc<dyn DiskFile>>,
}

impl Derived {
    /// Opens them; a missing one is made.
    pub fn open(disk: &dyn Disk) -> Result<Self, StoreError> {
        let open = |which: Which| {
            let name = which.name();
            let file = match disk.open(&name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => disk.create(&name),
                other => other,
            };
            file.map_err(StoreError::io("open", name))
        };
        Ok(Self { files: Which::all().map(open).collect::<Result<_, _>>()? })
    }

    /// Opens them without making any; a missing one is none.
    pub fn look(disk: &dyn Disk, which: Which) -> Result<Option<Arc<dyn DiskFile>>, StoreError> {
        match disk.open(&which.name()) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("open", which.name())(error)),
        }
    }

    /// `length` bytes of a file.
    pub fn read(&self, which: Which, offset: u64, length: usize) -> Result<Vec<u8>, StoreError> {
        let mut out = vec![0; length];
        self.file(which).read(&mut out, offset).map_err(StoreError::io("read", which.name()))?;
        Ok(out)
    }

    /// Writes what was added.
    pub fn write(&self, additions: &Additions) -> Result<(), StoreError> {
        additions.each(|which, offset, bytes| {
            self.file(which).write(bytes, offset).map_err(StoreError::io("write", which.name()))
        })
    }

    /// Whether the files are as long as they are when `size` entries and these blobs are in them.
    pub fn reach(&self, size: u64, blobs: &[u64; CHANNELS]) -> bool {
        let long = |which| self.file(which).length().is_ok_and(|l| l >= offset(which, size, blobs));
        Which::all().all(long)
    }

    /// Makes all of them durable.
    pub fn sync(&self) -> Result<(), StoreError> {
        Which::all()
            .try_for_each(|which| self.file(which).sync().map_err(StoreError::io("sync", which.name())))
    }

    fn file(&self, which: Which) -> &Arc<dyn DiskFile> {
        self.files.get(which.at()).expect("there is a file for each")
    }
}

/// The state of a log after some of its frames, and what they add to the derived files.
#[derive(Debug, Clone)]
pub struct Additions {
    pub frontier: Frontier,
    pub blobs: [u64; CHANNELS],
    /// For each file where the bytes go, and the bytes.
    parts: Vec<(u64, Vec<u8>)>,
}

impl Additions {
    /// After these entries and blobs, with nothing added yet.
    pub fn after(frontier: Frontier, blobs: [u64; CHANNELS]) -> Self {
        let parts = Which::all().map(|which| (offset(which, frontier.size(), &blobs), Vec::new())).collect();
        Self { frontier, blobs, parts }
    }

    /// Forgets what was written, and goes on from there.
    pub fn written(&mut self) {
        for (offset, bytes) in &mut self.parts {
            *offset += bytes.len() as u64;
            bytes.clear();
        }
    }

    /// Adds an entry whose length stands at `position`.
    pub fn entry(&mut self, entry: &[u8], position: u64) {
        self.part(Which::Entries).extend(position.to_le_bytes());
        let mut complete: [Option<Hash>; LEVELS] = [None; LEVELS];
        self.frontier.push(Hash::of_leaf(entry), |level, _, hash| {
            if level.is_multiple_of(8)
                && let Some(slot) = complete.get_mut(usize::from(level / 8))
            {
                *slot = Some(hash);
            }
        });
        for (level, hash) in (0..).zip(complete) {
            let Some(hash) = hash else { break };
            self.part(Which::Hashes(level)).extend(hash.0);
        }
    }

    /// Adds a blob.
    pub fn blob(&mut self, channel: u8, blob: &[u8], position: u64) {
        let Some(count) = self.blobs.get_mut(usize::from(channel)) else { return };
        *count += 1;
        let part = self.part(Which::Blobs(channel));
        for n in [position, blob.len() as u64, xxh3_64(blob)] {
            part.extend(n.to_le_bytes());
        }
    }

    /// Adds all of a frame that starts at `position`.
    pub fn frame(&mut self, frame: &Frame<'_>, position: u64) {
        self.add(frame.entries.iter().copied(), frame.blobs.iter().copied(), position);
    }

    /// Adds all of a batch whose frame is to start at `position`.
    pub fn batch(&mut self, batch: &Batch, position: u64) {
        self.add(batch.placed_entries(), batch.placed_blobs(), position);
    }

    fn add<'b>(
        &mut self,
        entries: impl Iterator<Item = (usize, &'b [u8])>,
        blobs: impl Iterator<Item = (u8, usize, &'b [u8])>,
        position: u64,
    ) {
        for (at, entry) in entries {
            self.entry(entry, position + at as u64);
        }
        for (channel, at, blob) in blobs {
            self.blob(channel, blob, position + at as u64);
        }
    }

    /// Compares with the files as they are: the first difference.
    pub fn compare(
        &self,
        file: impl Fn(Which) -> Result<Option<Arc<dyn DiskFile>>, StoreError>,
    ) -> Result<(), StoreError> {
        self.each(|which, offset, bytes| {
            let name = which.name();
            let missing = |at| Damage::Derived { name: name.clone(), offset: at };
            let Some(file) = file(which)? else { return Err(missing(0).into()) };
            let mut found = vec![0; bytes.len()];
            match file.read(&mut found, offset) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                    let length = file.length().map_err(StoreError::io("measure", name.clone()))?;
                    return Err(missing(length).into());
                }
                Err(e) => return Err(StoreError::io("read", name)(e)),
            }
            match bytes.iter().zip(&found).position(|(a, b)| a != b) {
                Some(at) => Err(missing(offset + at as u64).into()),
                None => Ok(()),
            }
        })
    }

    fn each(
        &self,
        mut tell: impl FnMut(Which, u64, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        Which::all()
            .zip(&self.parts)
            .filter(|(_, (_, bytes))| !bytes.is_empty())
            .try_for_each(|(which, (offset, bytes))| tell(which, *offset, bytes))
    }

    fn part(&mut self, which: Which) -> &mut Vec<u8> {
        &mut self.parts.get_mut(which.at()).expect("there is a part for each").1
    }
}

/// Where a file ends when it holds what `size` entries and these blobs make.
fn offset(which: Which, size: u64, blobs: &[u64; CHANNELS]) -> u64 {
    match which {
        Which::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0) * 32,
        Which::Entries => size * 8,
        Which::Blobs(channel) => blobs.get(usize::from(channel)).copied().unwrap_or(0) * BLOB_PLACE,
    }
}
