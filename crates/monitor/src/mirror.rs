//! A copy of a log that believes nothing: every file is verified before it is written, and the checkpoint is written last.

mod layered;
mod ticks;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use placet_audit::{CHECKPOINT, ReadError, Reader, Source, SourceError, roster};
use placet_core::Digest;
use placet_record::entry::{Leaf, Moment};
use placet_tlog::checkpoint::{CheckpointError, SignedCheckpoint};
use placet_tlog::merkle::{Frontier, Hash};
use placet_tlog::note::VerifierKey;
use placet_tlog::policy::Policy;
use placet_tlog::tile::{BundleError, Content, ShortTile, Tile, TileNodes, WIDTH, bundle};

use crate::folder::FolderSource;
use crate::{evidence, files};
use layered::Layered;
use ticks::{Ticks, first_of_chunk};

/// What a run has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mirrored {
    /// Entries in the copy before.
    pub before: u64,
    /// Entries in the copy now.
    pub size: u64,
    /// Files written.
    pub written: u64,
}

/// Brings the copy in `folder` to what `source` shows. What was begun and broken off goes on where it stopped. The copy never
/// gets smaller, and never follows a fork: of one, both checkpoints are kept in the folder `evidence` of it.
///
/// # Errors
/// If the log cannot be got, is not one to believe, goes back or forks, or the folder cannot be written; then the copy is what it was.
pub fn mirror<S: Source>(
    source: &S,
    policy: &Policy,
    folder: &Path,
    now: Moment,
) -> Result<Mirrored, MirrorError> {
    let disk = |source| MirrorError::Folder { path: folder.to_owned(), source };
    let _lock =
        files::lock(folder).map_err(disk)?.ok_or_else(|| MirrorError::InUse { folder: folder.to_owned() })?;
    let here = FolderSource::new(folder);
    let keys: Vec<VerifierKey> = policy.logs().iter().map(|log| log.key.clone()).collect();
    let known = files::read(&folder.join(CHECKPOINT)).map_err(disk)?;
    let known = known.map(|bytes| SignedCheckpoint::open(&bytes, &keys)).transpose();
    let known = known.map_err(|source| MirrorError::Known { folder: folder.to_owned(), source })?;
    let run = |source: &Layered<'_, S>| {
        Run { folder, keys: &keys, known: known.as_ref(), now, written: 0 }.run(source, policy)
    };
    match run(&Layered::new(Some(&here), source)) {
        // Perhaps a file of the copy is damaged: the log's own files decide.
        Err(MirrorError::Read(error)) if !error.is_unavailable() => run(&Layered::new(None, source)),
        done => done,
    }
}

/// One attempt.
struct Run<'r> {
    folder: &'r Path,
    keys: &'r [VerifierKey],
    known: Option<&'r SignedCheckpoint>,
    now: Moment,
    written: u64,
}

type Log<'r, 's, S> = Reader<&'r Layered<'s, S>>;

impl Run<'_> {
    fn run<S: Source>(mut self, source: &Layered<'_, S>, policy: &Policy) -> Result<Mirrored, MirrorError> {
        let reader = Reader::open(source, policy)?;
        let before = self.known.map_or(0, |known| known.checkpoint().size);
        self.check_goes_on(&reader)?;
        let first = before / WIDTH * WIDTH;
        self.bundles(&reader, first)?;
        self.upper_tiles(before, reader.size())?;
        self.side_files(source, &reader, first)?;
        self.check_copy(&reader)?;
        self.put(CHECKPOINT, reader.served())?;
        self.drop_partial(before, reader.size())?;
        Ok(Mirrored { before, size: reader.size(), written: self.written })
    }

    fn check_goes_on<S: Source>(&self, reader: &Log<'_, '_, S>) -> Result<(), MirrorError> {
        let Some(known) = self.known else { return Ok(()) };
        let (old, shown) = (known.checkpoint(), reader.accepted().signed());
        let new = shown.checkpoint();
        if old.origin != new.origin {
            return Err(MirrorError::OtherLog {
                folder: self.folder.to_owned(),
                here: old.origin.to_string(),
            });
        }
        if new.size < old.size {
            return Err(MirrorError::WentBack { size: new.size, known: old.size });
        }
        match reader.check_consistent(old.size, old.root) {
            Err(ReadError::Fork { .. }) => {
                let says =
                    format!("the tree of {} entries is not the beginning of that of {}", old.size, new.size);
                let (one, other) = (known.to_string(), shown.to_string());
                let kept = evidence::keep(&self.folder.join("evidence"), &says, &one, &other, self.now);
                let evidence = kept.map_err(|source| self.disk("evidence", source))?;
                Err(MirrorError::Fork { size: new.size, known: old.size, evidence })
            }
            other => Ok(other?),
        }
    }

    /// Bundles and the tiles of leaf hashes, from entry `first` on. The reader hands out no entry that does not lead to the
    /// checkpoint's root.
    fn bundles<S: Source>(&mut self, reader: &Log<'_, '_, S>, first: u64) -> Result<(), MirrorError> {
        let size = reader.size();
        for number in first / WIDTH..size.div_ceil(WIDTH) {
            let indices = number * WIDTH..size.min((number + 1) * WIDTH);
            let entries = indices.map(|index| reader.entry(index)).collect::<Result<Vec<_>, _>>()?;
            let hashes: Vec<u8> = entries.iter().flat_map(|entry| Hash::of_leaf(entry).0).collect();
            let bytes = bundle(entries.iter().map(Vec::as_slice))?;
            for (content, bytes) in [(Content::Entries, bytes), (Content::Hashes(0), hashes)] {
                if let Some(tile) = Tile::of(content, number, size) {
                    self.put(&tile.to_string(), &bytes)?;
                }
            }
        }
        Ok(())
    }

    /// The tiles above, each out of the full ones below it.
    fn upper_tiles(&mut self, before: u64, size: u64) -> Result<(), MirrorError> {
        for tile in Tile::added(before, size) {
            let Content::Hashes(level @ 1..) = tile.content() else { continue };
            let first = tile.index() * WIDTH;
            let mut bytes = Vec::new();
            for index in first..first + u64::from(tile.width()) {
                let below = Tile::new(Content::Hashes(level - 1), index, 256).map(|t| t.to_string());
                let below = self.get(&below.unwrap_or_default())?;
                let mut root = Frontier::default();
                below.as_chunks::<32>().0.iter().for_each(|hash| root.push(Hash(*hash), |_, _, _| {}));
                bytes.extend_from_slice(&root.root().0);
            }
            self.put(&tile.to_string(), &bytes)?;
        }
        Ok(())
    }

    /// Rosters, slots and what ticks had of cosignatures, for the entries from `first` on.
    fn side_files<S: Source>(
        &mut self,
        source: &Layered<'_, S>,
        reader: &Log<'_, '_, S>,
        first: u64,
    ) -> Result<(), MirrorError> {
        // Files of ticks hold 256 of them: the one that is being filled is made anew from its first.
        let start = first_of_chunk(reader, first)?;
        let mut ticks = Ticks::new(self.folder, self.keys, start.tick);
        for index in start.index..reader.size() {
            match reader.leaf(index) {
                Ok(Leaf::Roster(named)) if index >= first => self.roster(source, &named.digest)?,
                Ok(Leaf::Tick(tick)) => self.written += ticks.take(reader, &tick)?,
                // Whether entries are well formed is a monitor's affair.
                Ok(_) | Err(ReadError::Entry { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.written += ticks.end()?;
        Ok(())
    }

    fn roster<S: Source>(&mut self, source: &Layered<'_, S>, digest: &Digest) -> Result<(), MirrorError> {
        let path = roster(digest);
        let bytes = source.get(&path, placet_audit::MAX_ROSTER).map_err(ReadError::from)?;
        let bytes = bytes.ok_or_else(|| ReadError::Missing { path: path.clone() })?;
        if Digest::of(&bytes) != *digest {
            return Err(ReadError::SideFile { path }.into());
        }
        self.put(&path, &bytes)
    }

    /// That the tiles as written lead to the checkpoint's root.
    fn check_copy<S: Source>(&self, reader: &Log<'_, '_, S>) -> Result<(), MirrorError> {
        let size = reader.size();
        let mut nodes = TileNodes::new(size, |tile: Tile| self.get(&tile.to_string()));
        let root = Frontier::at(&mut nodes, size)?.root();
        if root == reader.accepted().checkpoint().root { Ok(()) } else { Err(ReadError::Root.into()) }
    }

    /// Partial files of which the full one is there, and those of sizes before the last.
    fn drop_partial(&self, before: u64, size: u64) -> Result<(), MirrorError> {
        let mut contents: Vec<Content> = (0..8).map(Content::Hashes).collect();
        contents.push(Content::Entries);
        for content in contents {
            let shift = if let Content::Hashes(level) = content { u32::from(level) * 8 } else { 0 };
            let old = Tile::of(content, (before >> shift) / WIDTH, before);
            if let Some(old) = old.filter(|old| !old.is_full()) {
                let now = Tile::of(content, old.index(), size).map_or(0, |now| now.width());
                let folder = self.folder.join(format!("{}.p", old.filled()));
                ticks::drop_widths(&folder, old.width(), now).map_err(|e| self.disk(&old.to_string(), e))?;
            }
        }
        Ok(())
    }

    /// Writes a file, unless it is there as it should be.
    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), MirrorError> {
        let place = self.folder.join(path);
        let is_there = files::read(&place).is_ok_and(|there| there.as_deref() == Some(bytes));
        if !is_there {
            files::replace(&place, bytes).map_err(|source| self.disk(path, source))?;
            self.written += 1;
        }
        Ok(())
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, MirrorError> {
        fs::read(self.folder.join(path)).map_err(|source| self.disk(path, source))
    }

    fn disk(&self, path: &str, source: io::Error) -> MirrorError {
        MirrorError::Folder { path: self.folder.join(path), source }
    }
}

/// Why a copy is what it was.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The log cannot be got, or is not what its checkpoint covers.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The folder.
    #[error("cannot use `{}`", path.display())]
    Folder {
        /// Which part.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Two mirrors into one folder.
    #[error("another mirror is writing to `{}`", folder.display())]
    InUse {
        /// Which.
        folder: PathBuf,
    },
    /// The copy's own checkpoint.
    #[error("the checkpoint in `{}` is none of the policy's logs", folder.display())]
    Known {
        /// Where.
        folder: PathBuf,
        /// What is wrong with it.
        source: CheckpointError,
    },
    /// Another log's copy.
    #[error("`{}` is a copy of another log, `{here}`", folder.display())]
    OtherLog {
        /// Where.
        folder: PathBuf,
        /// Whose copy it is.
        here: String,
    },
    /// Fewer entries than before.
    #[error(
        "the log shows {size} entries, and {known} are copied already: it went back, or an old copy is served"
    )]
    WentBack {
        /// What it shows.
        size: u64,
        /// What is copied.
        known: u64,
    },
    /// Two histories.
    #[error(
        "the log forked: the {known} entries that are copied are not the beginning of the {size} it shows"
    )]
    Fork {
        /// What it shows.
        size: u64,
        /// What is copied.
        known: u64,
        /// Where both signed checkpoints are kept; none where there is enough evidence already.
        evidence: Option<PathBuf>,
    },
    /// A tick that no file has a place for.
    #[error("tick {stated} stands where {expected} is due, so that its files have no name")]
    TickNumber {
        /// The number that is due.
        expected: u64,
        /// The number it has.
        stated: u64,
    },
    /// An item of `cosigned` that no key of the log signed.
    #[error("what tick {tick} had of cosignatures is no checkpoint of this log")]
    Cosigned {
        /// Which tick.
        tick: u64,
        /// What is wrong with it.
        source: CheckpointError,
    },
    /// An entry that no bundle holds.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A tile of the copy.
    #[error(transparent)]
    Tile(#[from] ShortTile),
}

impl From<SourceError> for MirrorError {
    fn from(error: SourceError) -> Self {
        Self::Read(error.into())
    }
}
