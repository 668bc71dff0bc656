//! The side files of ticks, read in step with them.

use std::collections::VecDeque;
use std::rc::Rc;

use placet_record::entry::slot::{SEALED_SLOT, SlotArray};
use placet_tlog::tile::{WIDTH, unbundle};

use super::AuditError;
use super::report::Invalid;
use crate::layout::{MAX_BUNDLE, TickFile, Wanted, first_items};
use crate::source::{Source, SourceError};

/// How many bytes of slots are read at once, at least those of one tick.
const CHUNK: u64 = 4 << 20;

/// How many chunks are kept: ticks and their reveals walk through the slots at some distance.
const KEPT: usize = 2;

/// A part of a file of slots.
struct Chunk {
    first: u64,
    ticks: u64,
    path: String,
    bytes: Rc<Vec<u8>>,
}

/// The slots of all ticks.
pub(super) struct SlotFiles<'s, S> {
    source: &'s S,
    /// How many ticks the log has.
    ticks: u64,
    /// How many slots each tick has.
    slots: u32,
    kept: VecDeque<Chunk>,
}

impl<'s, S: Source> SlotFiles<'s, S> {
    pub(super) fn new(source: &'s S, ticks: u64, slots: u32) -> Self {
        Self { source, ticks, slots, kept: VecDeque::new() }
    }

    fn length(&self) -> u64 {
        SEALED_SLOT as u64 * u64::from(self.slots)
    }

    /// The slots of a tick.
    pub(super) fn of(&mut self, tick: u64) -> Result<Result<SlotArray, Invalid>, AuditError> {
        if !self.kept.iter().any(|chunk| (chunk.first..chunk.first + chunk.ticks).contains(&tick)) {
            match self.read(tick)? {
                Ok(chunk) => self.kept.push_back(chunk),
                Err(invalid) => return Ok(Err(invalid)),
            }
            if self.kept.len() > KEPT {
                self.kept.pop_front();
            }
        }
        let chunk = self.kept.iter().find(|chunk| (chunk.first..chunk.first + chunk.ticks).contains(&tick));
        let array = chunk.and_then(|chunk| {
            let from = usize::try_from((tick - chunk.first) * self.length()).ok()?;
            let until = from + usize::try_from(self.length()).ok()?;
            SlotArray::parse(chunk.bytes.get(from..until)?, self.slots).ok()
        });
        let path = chunk.map_or_else(String::new, |chunk| chunk.path.clone());
        Ok(array.ok_or(Invalid::Slots { path, tick }))
    }

    fn read(&self, tick: u64) -> Result<Result<Chunk, Invalid>, AuditError> {
        let missing = || Invalid::Missing { path: "slots".to_owned() };
        let Some(file) = Wanted::of_ticks(TickFile::Slots, tick / WIDTH, self.ticks) else {
            return Ok(Err(missing()));
        };
        let together = (CHUNK / self.length()).clamp(1, WIDTH);
        let within = tick % WIDTH / together * together;
        let ticks = together.min(u64::from(file.width) - within.min(u64::from(file.width)));
        let bytes = match file.get_range(self.source, within * self.length(), ticks * self.length()) {
            Ok(Some((bytes, _))) => bytes,
            Ok(None) => return Ok(Err(Invalid::Missing { path: file.path })),
            Err(error) => return refused(error),
        };
        let first = tick / WIDTH * WIDTH + within;
        Ok(Ok(Chunk { first, ticks, path: file.path, bytes: Rc::new(bytes) }))
    }

    /// That the slots of a tick are others than it commits to.
    pub(super) fn other(&self, tick: u64) -> Invalid {
        let file = Wanted::of_ticks(TickFile::Slots, tick / WIDTH, self.ticks);
        Invalid::Slots { path: file.map_or_else(String::new, |file| file.path), tick }
    }

    /// Whether the file that ends with a tick has bytes behind it.
    pub(super) fn goes_on_behind(&self, tick: u64) -> Result<Option<Invalid>, AuditError> {
        let Some(file) = Wanted::of_ticks(TickFile::Slots, tick / WIDTH, self.ticks) else { return Ok(None) };
        if tick % WIDTH + 1 != u64::from(file.width) {
            return Ok(None);
        }
        let found = match file.get_range(self.source, u64::from(file.width) * self.length(), 1) {
            Ok(found) => found,
            Err(SourceError::TooLong { path, .. }) => return Ok(Some(Invalid::TooLong { path })),
            Err(error) => return Err(error.into()),
        };
        // A full file stands in for one that was dropped, and goes on with ticks that come after this checkpoint.
        let goes_on = found.is_some_and(|(bytes, longer)| !longer && !bytes.is_empty());
        Ok(goes_on.then_some(Invalid::TooManyTicks { path: file.path }))
    }
}

/// What each settled tick had when its interval was over.
pub(super) struct CosignedFiles<'s, S> {
    source: &'s S,
    /// How many ticks are settled.
    ticks: u64,
    file: Option<u64>,
    items: Vec<Vec<u8>>,
}

impl<'s, S: Source> CosignedFiles<'s, S> {
    pub(super) fn new(source: &'s S, ticks: u64) -> Self {
        Self { source, ticks, file: None, items: Vec::new() }
    }

    /// The item of a settled tick; none if it has none to show, be it because its file cannot be read, which is told once.
    pub(super) fn of(&mut self, tick: u64) -> Result<Result<Option<Vec<u8>>, Invalid>, AuditError> {
        if self.file != Some(tick / WIDTH) {
            self.file = Some(tick / WIDTH);
            self.items.clear();
            match self.read(tick / WIDTH)? {
                Ok(items) => self.items = items,
                Err(invalid) => return Ok(Err(invalid)),
            }
        }
        let item = usize::try_from(tick % WIDTH).ok().and_then(|at| self.items.get(at));
        Ok(Ok(item.cloned()))
    }

    fn read(&self, index: u64) -> Result<Result<Vec<Vec<u8>>, Invalid>, AuditError> {
        let missing = |path: &str| Invalid::Missing { path: path.to_owned() };
        let Some(file) = Wanted::of_ticks(TickFile::Cosigned, index, self.ticks) else {
            return Ok(Err(missing("cosigned")));
        };
        let (bytes, longer) = match file.get(self.source, MAX_BUNDLE) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Err(missing(&file.path))),
            Err(error) => return refused(error),
        };
        let bytes = if longer { first_items(&bytes, file.width) } else { &bytes };
        Ok(match unbundle(bytes, file.width) {
            Ok(items) => Ok(items.into_iter().map(<[u8]>::to_vec).collect()),
            Err(source) => Err(Invalid::CosignedFile { path: file.path, source }),
        })
    }
}

/// A file that is too long is the log's fault; one that cannot be read may not be.
pub(super) fn refused<T>(error: SourceError) -> Result<Result<T, Invalid>, AuditError> {
    match error {
        SourceError::TooLong { path, .. } => Ok(Err(Invalid::TooLong { path })),
        error @ SourceError::Read { .. } => Err(error.into()),
    }
}
