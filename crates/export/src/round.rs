//! One round of exporting.

use std::collections::BTreeSet;

use placet_tlog::checkpoint::SignedCheckpoint;
use placet_tlog::note::VerifierKey;

use crate::check::{Source, read};
use crate::error::ExportError;
use crate::extent::{Extent, Item};
use crate::target::{CHECKPOINT, EXPORTED, File, Target};
use placet_publish::Shelf;

/// How many files, and how many bytes of them, are held in memory at once.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 16 << 20;

/// What a round did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// How many entries the target had; none if it had no checkpoint.
    pub before: Option<u64>,
    /// How many it has now.
    pub size: u64,
    /// How many files were written, the checkpoint among them.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many partial files were dropped, as far as they were there.
    pub dropped: u64,
}

/// Copies what is new on `shelf` to `target`. `keys` are the log's own.
///
/// # Errors
/// If the log's files do not belong to its checkpoint, the target holds a newer or another log, or it cannot be written.
/// The target then still is the log that it was.
pub fn export(
    shelf: &dyn Shelf,
    target: &mut dyn Target,
    keys: &[VerifierKey],
) -> Result<Exported, ExportError> {
    let bytes = read(shelf, CHECKPOINT)?;
    let new = SignedCheckpoint::open(&bytes, keys).map_err(|source| ExportError::Checkpoint { source })?;
    let new = new.checkpoint().clone();
    let found = target.read(CHECKPOINT)?;
    let old = found.as_ref().map(|found| SignedCheckpoint::open(&found.bytes, keys)).transpose();
    let old = old.map_err(|source| ExportError::Foreign { source })?;
    let before = old.as_ref().map(|old| old.checkpoint().size);
    let mut done = Exported { before, size: new.size, files: 0, bytes: 0, dropped: 0 };
    if found.as_ref().is_some_and(|found| found.bytes == bytes) {
        return Ok(done);
    }

    let source = Source::open(shelf, keys, new)?;
    if let Some(old) = &old {
        source.demand_beginning(old.checkpoint())?;
    }
    let told = source.told(before.unwrap_or(0))?;
    let (was, now) = (Extent { size: before.unwrap_or(0), ticks: told.ticks_before }, source.extent(&told));
    let there = note(target, &[was, now])?;
    let items: Vec<Item> = told.rosters.iter().copied().map(Item::Roster).chain(now.added(was)).collect();
    let mut items = items.iter().peekable();
    while items.peek().is_some() {
        let mut batch = Vec::new();
        let mut size = 0;
        while batch.len() < BATCH
            && size < BATCH_BYTES
            && let Some(item) = items.next()
        {
            let file = File { path: item.path(), bytes: source.load(item, &told)? };
            size += file.bytes.len();
            batch.push(file);
        }
        done.files += batch.len() as u64;
        done.bytes += size as u64;
        target.write(batch)?;
    }
    done.dropped = drop_partial(target, &there, &[was, now])?;
    done.files += 1;
    done.bytes += bytes.len() as u64;
    target.publish(File { path: CHECKPOINT.to_owned(), bytes }, found.as_ref())?;
    Ok(done)
}

/// Notes which sizes may have partial files at the target from now on, and tells which others may have some already.
fn note(target: &mut dyn Target, new: &[Extent]) -> Result<Vec<Extent>, ExportError> {
    let found = target.read(EXPORTED)?.map(|found| found.bytes).unwrap_or_default();
    let all: BTreeSet<Extent> = Extent::read_all(&found).into_iter().chain(new.iter().copied()).collect();
    let all: Vec<Extent> = all.into_iter().collect();
    write_note(target, &all, &found)?;
    Ok(all)
}

fn write_note(target: &mut dyn Target, all: &[Extent], found: &[u8]) -> Result<(), ExportError> {
    let bytes = Extent::write_all(all);
    if bytes != found {
        target.write(vec![File { path: EXPORTED.to_owned(), bytes }])?;
    }
    Ok(())
}

/// Drops partial files that neither the checkpoint at the target nor the one to come needs.
fn drop_partial(target: &mut dyn Target, there: &[Extent], needed: &[Extent]) -> Result<u64, ExportError> {
    let paths =
        |extents: &[Extent]| extents.iter().flat_map(|extent| extent.partial()).collect::<BTreeSet<_>>();
    let gone: Vec<String> = paths(there).difference(&paths(needed)).cloned().collect();
    target.remove(&gone)?;
    write_note(target, needed, &Extent::write_all(there))?;
    Ok(gone.len() as u64)
}
