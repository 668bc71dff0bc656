//! The files of ticks: slots, and what each had of cosignatures.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use placet_audit::{ReadError, Reader, Source};
use placet_record::entry::{Leaf, Tick};
use placet_tlog::checkpoint::SignedCheckpoint;
use placet_tlog::note::VerifierKey;
use placet_tlog::tile::{Content, Tile, WIDTH, bundle};

use super::MirrorError;
use crate::files;

/// Where the ticks of a file begin.
pub(super) struct Start {
    /// The entry of its first tick.
    pub(super) index: u64,
    /// The number of that tick.
    pub(super) tick: u64,
}

/// The last tick among the first `size` entries, and where it stands.
fn last_tick_before<S: Source>(reader: &Reader<S>, size: u64) -> Result<Option<(u64, Tick)>, ReadError> {
    for index in (0..size).rev() {
        match reader.leaf(index) {
            Ok(Leaf::Tick(tick)) => return Ok(Some((index, tick))),
            Ok(_) | Err(ReadError::Entry { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The first tick of the file that has the last tick among the first `size` entries.
pub(super) fn first_of_chunk<S: Source>(reader: &Reader<S>, size: u64) -> Result<Start, ReadError> {
    let Some((mut index, mut tick)) = last_tick_before(reader, size)? else {
        return Ok(Start { index: 0, tick: 0 });
    };
    let wanted = tick.n / WIDTH * WIDTH;
    while tick.n > wanted {
        let Some(found) = last_tick_before(reader, index)? else { return Ok(Start { index: 0, tick: 0 }) };
        (index, tick) = found;
    }
    Ok(Start { index, tick: tick.n })
}

/// Writes the files of ticks as the ticks come.
pub(super) struct Ticks<'t> {
    folder: &'t Path,
    keys: &'t [VerifierKey],
    /// The number of the next tick.
    next: u64,
    /// The slots of the file that is being filled. They may be too many for memory.
    slots: Option<File>,
    /// What the settled ticks of its file had.
    items: Vec<Vec<u8>>,
}

impl<'t> Ticks<'t> {
    /// From tick `first` on, which begins a file.
    pub(super) fn new(folder: &'t Path, keys: &'t [VerifierKey], first: u64) -> Self {
        Self { folder, keys, next: first, slots: None, items: Vec::new() }
    }

    /// Takes a tick; how many files were written.
    pub(super) fn take<S: Source>(&mut self, reader: &Reader<S>, tick: &Tick) -> Result<u64, MirrorError> {
        if tick.n != self.next {
            return Err(MirrorError::TickNumber { expected: self.next, stated: tick.n });
        }
        let mut written = 0;
        // A tick settles the one before it, which may be the last one of a file.
        if self.items.len() as u64 == WIDTH {
            written += self.finish_items(self.next, self.items.len())?;
            self.items.clear();
        }
        let slots = reader.slots(tick)?;
        if self.slots.is_none() {
            self.slots = Some(File::create(self.part()).map_err(|e| self.disk(self.part(), e))?);
        }
        if let Some(file) = &mut self.slots {
            let wrote = file.write_all(slots.as_bytes());
            wrote.map_err(|e| self.disk(self.part(), e))?;
        }
        self.next += 1;
        if self.next.is_multiple_of(WIDTH) {
            written += self.finish_slots()?;
        }
        self.items.push(self.item(reader, tick.n)?);
        Ok(written)
    }

    /// Writes what is not full.
    pub(super) fn end(mut self) -> Result<u64, MirrorError> {
        let mut written = 0;
        if !self.next.is_multiple_of(WIDTH) {
            written += self.finish_slots()?;
        }
        // The last tick is not settled yet.
        let settled = self.items.len().saturating_sub(1);
        if settled > 0 {
            written += self.finish_items(self.next - 1, settled)?;
        }
        Ok(written)
    }

    /// What a tick had of cosignatures when its interval was over; nothing for the last tick.
    fn item<S: Source>(&self, reader: &Reader<S>, tick: u64) -> Result<Vec<u8>, MirrorError> {
        let item = reader.cosigned(tick)?.unwrap_or_default();
        if !item.is_empty() {
            SignedCheckpoint::open(&item, self.keys)
                .map_err(|source| MirrorError::Cosigned { tick, source })?;
        }
        Ok(item)
    }

    fn finish_slots(&mut self) -> Result<u64, MirrorError> {
        let Some(file) = self.slots.take() else { return Ok(0) };
        let place = self.folder.join(path("slots", self.next));
        let put = || {
            file.sync_all()?;
            let folder = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
            fs::create_dir_all(folder)?;
            fs::rename(self.part(), &place)?;
            File::open(folder)?.sync_all()
        };
        put().map_err(|e| self.disk(place.clone(), e))?;
        drop_older(&place, self.next).map_err(|e| self.disk(place.clone(), e))?;
        Ok(1)
    }

    /// The first `count` items of the file that ends before tick `ticks`.
    fn finish_items(&self, ticks: u64, count: usize) -> Result<u64, MirrorError> {
        let place = self.folder.join(path("cosigned", ticks));
        let bytes = bundle(self.items.iter().take(count).map(Vec::as_slice))?;
        files::replace(&place, &bytes).map_err(|e| self.disk(place.clone(), e))?;
        drop_older(&place, ticks).map_err(|e| self.disk(place.clone(), e))?;
        Ok(1)
    }

    fn part(&self) -> PathBuf {
        self.folder.join("slots.part")
    }

    fn disk(&self, path: PathBuf, source: io::Error) -> MirrorError {
        MirrorError::Folder { path, source }
    }
}

/// The file of `folder` that ends before tick `ticks`, of which there is at least one.
fn path(folder: &str, ticks: u64) -> String {
    let tile = Tile::of(Content::Entries, ticks.saturating_sub(1) / WIDTH, ticks);
    tile.map(|tile| tile.to_string().replace("tile/entries", folder)).unwrap_or_default()
}

/// Drops the partial files beside the one just written at `place`, for the first `ticks` ticks, save the widest: the checkpoint
/// that is served still names it.
fn drop_older(place: &Path, ticks: u64) -> io::Result<()> {
    if ticks.is_multiple_of(WIDTH) {
        // Whoever asks for a partial file and finds none takes the full one.
        return drop_widths(&place.with_extension("p"), 0, 256);
    }
    let width = u16::try_from(ticks % WIDTH).unwrap_or(0);
    let Some(folder) = place.parent() else { return Ok(()) };
    let widest = widths(folder)?.into_iter().filter(|w| *w < width).max().unwrap_or(0);
    drop_widths(folder, widest, width)
}

fn widths(folder: &Path) -> io::Result<Vec<u16>> {
    let mut widths = Vec::new();
    for file in fs::read_dir(folder)? {
        widths.extend(file?.file_name().to_str().and_then(|name| name.parse::<u16>().ok()));
    }
    Ok(widths)
}

/// Drops the partial files in `folder`: all where the full one is there (`now` is 256), else those but `old` and `now` wide.
pub(super) fn drop_widths(folder: &Path, old: u16, now: u16) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    if now == 256 {
        return fs::remove_dir_all(folder);
    }
    let beyond = widths(folder)?.into_iter().filter(|width| ![old, now].contains(width));
    beyond.into_iter().try_for_each(|width| fs::remove_file(folder.join(width.to_string())))
}
