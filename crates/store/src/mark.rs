//! The high-water mark: how far the log had come when it last signed, in a file of its own, on another disk if there is one.
//! Two slots of 512 bytes, written in turn, so that a torn write leaves the other. Each, little-endian:
//!
//! | bytes | content |
//! | --- | --- |
//! | 16 | `placet-log-mark1` |
//! | 8 | generation; the higher of the two counts |
//! | 8 | size |
//! | 32 | root |
//! | 16 | checksum: XXH3-128 of all that |
//!
//! It is written after the frame is durable and before anybody is told, and made durable once a second: it is there
//! for files that rot or are put back, which takes longer. A power cut can lose neither frame nor acknowledgement.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use placet_tlog::merkle::Hash;
use xxhash_rust::xxh3::xxh3_128;

use crate::disk::{Disk, DiskFile};

/// The file's name.
pub const NAME: &str = "mark";

const MAGIC: &[u8; 16] = b"placet-log-mark1";
const SLOT: usize = 512;
const BODY: usize = 16 + 8 + 8 + 32;
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// How far a log had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// The open file.
pub struct MarkFile {
    file: Arc<dyn DiskFile>,
    generation: u64,
    synced: Instant,
}

impl MarkFile {
    /// Opens the file and reads the mark: none if there is none that can be read.
    pub fn open(disk: &dyn Disk) -> io::Result<(Self, Option<Mark>)> {
        let file = match disk.open(NAME) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Self::create(disk)?, None)),
            other => other?,
        };
        let found = read(file.as_ref())?;
        let generation = found.map_or(0, |(generation, _)| generation);
        Ok((Self { file, generation, synced: Instant::now() }, found.map(|(_, mark)| mark)))
    }

    /// Reads the mark without opening it for writing.
    pub fn look(disk: &dyn Disk) -> io::Result<Option<Mark>> {
        match disk.open(NAME) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => Ok(read(other?.as_ref())?.map(|(_, mark)| mark)),
        }
    }

    fn create(disk: &dyn Disk) -> io::Result<Self> {
        let file = disk.create(NAME)?;
        file.write(&[0; 2 * SLOT], 0)?;
        file.sync()?;
        disk.sync_names()?;
        Ok(Self { file, generation: 0, synced: Instant::now() })
    }

    /// Moves the mark.
    pub fn write(&mut self, mark: Mark) -> io::Result<()> {
        self.generation += 1;
        let mut out = Vec::with_capacity(BODY + 16);
        out.extend(MAGIC);
        out.extend(self.generation.to_le_bytes());
        out.extend(mark.size.to_le_bytes());
        out.extend(mark.root.0);
        let checksum = xxh3_128(&out).to_le_bytes();
        out.extend(checksum);
        self.file.write(&out, self.generation % 2 * SLOT as u64)?;
        if self.synced.elapsed() >= SYNC_EVERY {
            self.sync()?;
        }
        Ok(())
    }

    /// Makes it durable.
    pub fn sync(&mut self) -> io::Result<()> {
        self.synced = Instant::now();
        self.file.sync()
    }
}

fn read(file: &dyn DiskFile) -> io::Result<Option<(u64, Mark)>> {
    let mut bytes = [0; 2 * SLOT];
    match file.read(&mut bytes, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let (slots, _) = bytes.as_chunks::<SLOT>();
    Ok(slots.iter().filter_map(parse).max_by_key(|(generation, _)| *generation))
}

fn parse(slot: &[u8; SLOT]) -> Option<(u64, Mark)> {
    let (body, checksum) = slot.get(..BODY + 16)?.split_last_chunk::<16>()?;
    if xxh3_128(body).to_le_bytes() != *checksum || !body.starts_with(MAGIC) {
        return None;
    }
    let number = |at: usize| Some(u64::from_le_bytes(*body.get(at..)?.first_chunk()?));
    let root = Hash(*body.get(32..)?.first_chunk()?);
    Some((number(16)?, Mark { size: number(24)?, root }))
}
