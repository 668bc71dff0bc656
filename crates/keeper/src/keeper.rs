//! The one who writes: every entry of a log goes through here, is held to the rules, and is durable when a call returns.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use placet_core::Digest;
use placet_record::entry::slot::{SEALED_SLOT, Seed, SlotArray, SlotState, open_slot};
use placet_record::entry::{
    CameraId, CameraRoster, Commitment, Event, EventId, EventKind, Genesis, KeyChange, Leaf, LogMode,
    Misbehaviour, Moment, PublicPart, Reveal, Roster, RosterOf, Sequence, Tick,
};
use placet_store::{Batch, Damage, Disks, Folder, Log, Recovered, SPAN, Signer as _, StoreError};
use placet_tlog::checkpoint::Checkpoint;
use placet_tlog::merkle::Hash;
use placet_tlog::note::{Note, SignerKey, VerifierKey};
use placet_tlog::tile::MAX_ENTRY;
use zeroize::Zeroizing;

use crate::error::KeeperError;
use crate::files;
use crate::pending::{About, Pending, Waiting};
use crate::published::{COSIGNED, Published, ROSTERS, SLOTS};
use crate::seeds::{Seeds, TICKS_PER_KEY};
use crate::signer::LogSigner;

/// After how many entries the state is kept anew, so that the next start reads no more than these.
const KEEP_EVERY: u64 = 8_192;

/// How many ticks are opened in one go.
const REVEALS_AT_ONCE: usize = 1_024;

/// How many held back events are published in one go: 8 MiB of the longest.
const EVENTS_AT_ONCE: usize = 4_096;

/// What a log is made with, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Seconds from tick to tick.
    pub interval: u64,
    /// Whether events are published as they happen.
    pub mode: LogMode,
    /// Seconds from the end of an interval to its reveal at the latest.
    pub reveal_delay: u64,
    /// Slots of every tick.
    pub slots: u32,
}

/// What opening a log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// On the disk.
    pub recovered: Recovered,
    /// How many entries were read to know the state.
    pub replayed: u64,
}

/// An event to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// What happened.
    pub kind: EventKind,
    /// Its id; see [`fresh_id`].
    pub id: EventId,
    /// The commitment to its record, which is stored already.
    pub commitment: Commitment,
    /// The deposit that was made of the record.
    pub deposit: Option<Digest>,
    /// What it is about.
    pub about: Option<About>,
    /// What everyone may read.
    pub public: Option<PublicPart>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The index of the first entry.
    pub index: u64,
    /// How many entries.
    pub count: u64,
    /// The signed checkpoint that covers them, for witnesses.
    pub note: Arc<str>,
}

/// A fresh event id.
///
/// # Errors
/// If the system gives no random numbers.
pub fn fresh_id() -> Result<EventId, KeeperError> {
    let mut id = [0; 16];
    getrandom::fill(&mut id)?;
    Ok(EventId(id))
}

/// A log that is being kept. Whatever a call of it acknowledges is on the disk.
pub struct Keeper {
    home: PathBuf,
    log: Log<LogSigner>,
    genesis: Genesis,
    sequence: Sequence,
    cameras: CameraRoster,
    seeds: Seeds,
    pending: Pending,
    published: Published,
    /// What the last tick has of cosignatures.
    cosigned: Option<(u64, String)>,
    kept: u64,
}

impl Keeper {
    /// Makes a log named after `key` in the folder `home`, which is made if it is missing: its genesis and its first roster.
    ///
    /// # Errors
    /// If there is a log, the cameras do not fit, or the disk refuses.
    pub fn create(
        home: &Path,
        key: SignerKey,
        settings: Settings,
        cameras: &CameraRoster,
        now: Moment,
    ) -> Result<Self, KeeperError> {
        let folder = home.join("log");
        fs::create_dir_all(&folder).map_err(files::failed("make", &folder))?;
        fits(cameras, settings.slots)?;
        let disks = disks(&folder)?;
        if disks.log.list().map_err(files::failed("list", &folder))?.iter().any(|n| n.starts_with("segment-"))
        {
            return Err(StoreError::Exists.into());
        }
        let Settings { interval, mode, reveal_delay, slots } = settings;
        let origin = key.name().clone();
        let genesis = Genesis { at: now, origin, interval, mode, reveal_delay, slots };
        // What no log may say is found before anything is made.
        let first = Leaf::Genesis(genesis.clone()).to_bytes()?;
        Leaf::parse(&first)?;
        let signer = LogSigner::create(&home.join("keys"), key)?;
        let mut log = Log::create(disks, signer, span(slots))?;
        let roster = cameras.to_bytes();
        let leaves = [first, Leaf::Roster(cameras.leaf(now)).to_bytes()?];
        log.append(&Batch { entries: leaves.to_vec(), blobs: vec![(ROSTERS, roster)] })?;
        Self::assemble(home, log, Sequence::new()).map(|(keeper, _)| keeper)
    }

    /// Opens a log that is there. `keys` hold at least the key in force.
    ///
    /// # Errors
    /// If the log is damaged, somebody else has it, or a file beside it cannot be read.
    pub fn open(home: &Path, keys: Vec<SignerKey>) -> Result<(Self, Opened), KeeperError> {
        let signer = LogSigner::open(&home.join("keys"), keys)?;
        let folder = home.join("log");
        let (log, recovered) = Log::open(disks(&folder)?, signer)?;
        let kept = read_state(&home.join("state"), &log)?.unwrap_or_default();
        let (keeper, replayed) = Self::assemble(home, log, kept)?;
        Ok((keeper, Opened { recovered, replayed }))
    }

    fn assemble(
        home: &Path,
        mut log: Log<LogSigner>,
        mut sequence: Sequence,
    ) -> Result<(Self, u64), KeeperError> {
        let kept = sequence.leaves();
        replay(&log, &mut sequence)?;
        let genesis = sequence.genesis().cloned().ok_or(KeeperError::Genesis)?;
        if let Some(change) = sequence.last_key_change() {
            // Written to the log, and perhaps not yet to the file of keys.
            log.signer().change(change.from_size, &change.new)?;
        }
        let next = log.size() + 1;
        log.signer().can_sign(next)?;
        let published = Published::new(log.reader(), genesis.slots)?;
        if let Some(note) = shown(home, &log)? {
            published.show(note);
        }
        let cameras = newest_roster(&log, &sequence)?;
        let mut pending = Pending::open(&home.join("pending"))?;
        pending.published(published_already(&log, &sequence, &pending)?)?;
        let keeper = Self {
            home: home.to_owned(),
            seeds: Seeds::open(&home.join("seeds"))?,
            pending,
            cosigned: read_cosigned(home, &log)?,
            log,
            genesis,
            sequence,
            cameras,
            published,
            kept,
        };
        let replayed = keeper.sequence.leaves() - kept;
        Ok((keeper, replayed))
    }

    /// The folder it is kept in.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Whether `key` signs the next checkpoint.
    pub fn signs_with(&mut self, key: &VerifierKey) -> bool {
        let next = self.log.size() + 1;
        self.log.signer().at(next) == key
    }

    /// Every key that signed the log at some time.
    pub fn keys(&mut self) -> Vec<VerifierKey> {
        self.log.signer().keys()
    }

    /// What the log is.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The cameras that ticks speak of.
    pub fn cameras(&self) -> &CameraRoster {
        &self.cameras
    }

    /// The state of its entries.
    pub fn sequence(&self) -> &Sequence {
        &self.sequence
    }

    /// The log as readers see it, for any thread.
    pub fn published(&self) -> Published {
        self.published.clone()
    }

    /// The start of the first interval that is not stated yet and is not over: where [`Keeper::tick`] goes on.
    ///
    /// # Errors
    /// If the calendar ends there.
    pub fn next_start(&self, now: Moment) -> Result<Moment, KeeperError> {
        let Genesis { at, interval, .. } = self.genesis;
        let next = match self.sequence.last_tick() {
            Some(last) => last.start.plus(interval).ok_or(KeeperError::Calendar)?,
            None => at,
        };
        if next >= now {
            return Ok(next);
        }
        // Late: the interval that runs now was not stated before it began, so it is a gap.
        let passed = now.unix_seconds() - next.unix_seconds();
        next.plus(passed.div_ceil(interval) * interval).ok_or(KeeperError::Calendar)
    }

    /// Makes what the next tick is sealed with, if it is not there: the number of a key that covers [`TICKS_PER_KEY`] ticks,
    /// and the key, for whoever deposits it.
    ///
    /// # Errors
    /// If it cannot be made or kept.
    pub fn seed_key(&mut self) -> Result<(u64, Zeroizing<[u8; 32]>), KeeperError> {
        let next = self.next_number();
        Ok((next / TICKS_PER_KEY, self.seeds.key_for_next(next)?))
    }

    /// States what every camera does in the next interval: seals the slots and writes the tick. `state` is asked once for each
    /// camera; a slot without a camera is unused.
    ///
    /// # Errors
    /// If the log cannot be written. Nothing is stated then.
    pub fn tick(
        &mut self,
        now: Moment,
        mut state: impl FnMut(&CameraId) -> SlotState,
    ) -> Result<(Tick, Written), KeeperError> {
        let start = self.next_start(now)?;
        let n = self.next_number();
        let mut states = vec![SlotState::Unused; usize::try_from(self.genesis.slots).unwrap_or(usize::MAX)];
        for (slot, camera) in self.cameras.iter() {
            if let Some(place) = usize::try_from(slot).ok().and_then(|slot| states.get_mut(slot)) {
                *place = state(camera);
            }
        }
        self.seeds.key_for_next(n)?;
        let seed = self.seeds.of(n)?;
        let array = SlotArray::seal(&seed, n, &states, self.genesis.slots)?;
        let roster = Digest::of(&self.cameras.to_bytes());
        let reveal_by = self.genesis.reveal_by(start).ok_or(KeeperError::Calendar)?;
        let tick = Tick { n, start, roster, slots_root: array.root(), reveal_by };
        let mut blobs = vec![(SLOTS, array.as_bytes().to_vec())];
        if let Some(before) = n.checked_sub(1) {
            let item = self.cosigned.as_ref().filter(|(of, _)| *of == before).map(|(_, note)| note.clone());
            blobs.push((COSIGNED, item.unwrap_or_default().into_bytes()));
        }
        let written = self.write(&[Leaf::Tick(tick.clone())], blobs)?;
        self.cosigned = None;
        Ok((tick, written))
    }

    /// Opens the ticks whose time has come: in an open log when their interval is over, in a sealed one on the date they
    /// bear, and with them the events that were held back. None if there is nothing to open.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub fn reveal(&mut self, now: Moment) -> Result<Option<Written>, KeeperError> {
        let mut first: Option<Written> = None;
        loop {
            let some = self.reveal_some(now)?.map_or_else(|| self.publish_some(), |w| Ok(Some(w)))?;
            let Some(written) = some else { return Ok(first) };
            first = Some(match first {
                None => written,
                Some(before) => {
                    Written { index: before.index, count: before.count + written.count, note: written.note }
                }
            });
        }
    }

    fn reveal_some(&mut self, now: Moment) -> Result<Option<Written>, KeeperError> {
        let genesis = &self.genesis;
        let due = |start: Moment| match genesis.mode {
            LogMode::Open => start.plus(genesis.interval),
            LogMode::Sealed => genesis.reveal_by(start),
        };
        let ticks =
            self.sequence.unopened().take_while(|(_, start)| due(*start).is_some_and(|due| due <= now));
        let ticks: Vec<u64> = ticks.map(|(n, _)| n).take(REVEALS_AT_ONCE).collect();
        if ticks.is_empty() {
            return Ok(None);
        }
        let mut leaves = Vec::with_capacity(ticks.len());
        for tick in ticks {
            leaves.push(Leaf::Reveal(Reveal { at: now, tick, seed: self.seed_of(tick)? }));
        }
        self.write(&leaves, Vec::new()).map(Some)
    }

    /// What opens a tick. The log says for ever what it once said, so the seed is tried first: a file that was put back from
    /// another time, or is another log's, would make it misbehave.
    fn seed_of(&self, tick: u64) -> Result<Seed, KeeperError> {
        let seed = self.seeds.of(tick)?;
        let slot = self.log.reader().blob_part(SLOTS, tick, 0, SEALED_SLOT as u64)?.unwrap_or_default();
        let opens = slot.first_chunk().is_some_and(|slot| open_slot(&seed.salt(0), tick, 0, slot).is_ok());
        if opens { Ok(seed) } else { Err(self.seeds.missing(tick)) }
    }

    /// Publishes events that were held back for ticks that are open now, as many as surely fit into one batch.
    fn publish_some(&mut self) -> Result<Option<Written>, KeeperError> {
        let events = self.held_back(self.log.size());
        if events.is_empty() {
            return Ok(None);
        }
        let leaves: Vec<Leaf> = events.iter().map(|(event, _)| Leaf::Event(event.clone())).collect();
        let written = self.write(&leaves, Vec::new())?;
        self.pending.published(events.into_iter().map(|(event, index)| (event.id, index)).collect())?;
        Ok(Some(written))
    }

    /// The next events held back for ticks that are open, with the indices they get from `first` on.
    fn held_back(&self, first: u64) -> Vec<(Event, u64)> {
        let (mut out, mut indices) = (Vec::new(), BTreeMap::new());
        for (waiting, index) in self.pending.below(self.first_unopened()).take(EVENTS_AT_ONCE).zip(first..) {
            let mut event = waiting.event.clone();
            if let Some(id) = waiting.about {
                event.about = indices.get(&id).copied();
            }
            indices.insert(event.id, index);
            out.push((event, index));
        }
        out
    }

    /// The first tick that is not open, or that is still to come.
    fn first_unopened(&self) -> u64 {
        self.sequence.unopened().next().map_or_else(|| self.next_number(), |(n, _)| n)
    }

    /// The number of the next tick.
    fn next_number(&self) -> u64 {
        self.sequence.last_tick().map_or(0, |last| last.n + 1)
    }

    /// Records an event: in an open log it is in the tree when this returns; in a sealed one it is held back, durably, and
    /// there is no entry until its tick is opened.
    ///
    /// # Errors
    /// If it cannot be written, or is about something that is not there.
    pub fn event(&mut self, now: Moment, new: NewEvent) -> Result<Option<Written>, KeeperError> {
        let NewEvent { kind, id, commitment, deposit, about, public } = new;
        let (about, waits_for) = match about {
            None => (None, None),
            Some(About::Entry(index)) if index < self.log.size() => (Some(index), None),
            Some(About::Event(id)) if self.pending.has(id) => (None, Some(id)),
            Some(_) => return Err(KeeperError::About),
        };
        let event = Event { at: now, kind, id, commitment, about, deposit, public };
        // What cannot be written must not be held back until its date, when nobody can mend it.
        Leaf::parse(&Leaf::Event(event.clone()).to_bytes()?)?;
        if self.sequence.has_event(id) || self.pending.has(id) {
            return Err(Misbehaviour::EventTwice { index: self.log.size(), id }.into());
        }
        match self.genesis.mode {
            LogMode::Open => self.write(&[Leaf::Event(event)], Vec::new()).map(Some),
            LogMode::Sealed => {
                // Not before what it is about, whose index it needs.
                let tick = waits_for.and_then(|id| self.pending.tick_of(id));
                let tick = self.tick_of(now).max(tick.unwrap_or(0));
                self.pending.push(Waiting { tick, about: waits_for, event })?;
                Ok(None)
            }
        }
    }

    /// The number of the tick that speaks of `now`, or of the first one after it; never of one that is open already.
    fn tick_of(&self, now: Moment) -> u64 {
        let is_over = |last: &Tick| last.start.plus(self.genesis.interval).is_none_or(|end| now >= end);
        let tick = match self.sequence.last_tick() {
            Some(last) if !is_over(last) => last.n,
            _ => self.next_number(),
        };
        tick.max(self.first_unopened())
    }

    /// Puts another list of cameras in force, from the next tick on.
    ///
    /// # Errors
    /// If they do not fit, or the log cannot be written.
    pub fn set_cameras(&mut self, now: Moment, cameras: &CameraRoster) -> Result<Written, KeeperError> {
        fits(cameras, self.genesis.slots)?;
        let written = self.write(&[Leaf::Roster(cameras.leaf(now))], vec![(ROSTERS, cameras.to_bytes())])?;
        self.show_roster(&cameras.to_bytes());
        self.cameras = cameras.clone();
        Ok(written)
    }

    /// Publishes the policy by which the log's witnesses count.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub fn set_witnesses(&mut self, now: Moment, policy: &[u8], count: u64) -> Result<Written, KeeperError> {
        let roster = Roster { at: now, of: RosterOf::Witnesses, count, digest: Digest::of(policy) };
        let written = self.write(&[Leaf::Roster(roster)], vec![(ROSTERS, policy.to_vec())])?;
        self.show_roster(policy);
        Ok(written)
    }

    /// Changes the key that signs the log: an entry says so, signed by the old key, and all after it is signed by the new.
    ///
    /// # Errors
    /// If the key is not one for this log, or the log cannot be written.
    pub fn change_key(&mut self, now: Moment, key: SignerKey) -> Result<Written, KeeperError> {
        let index = self.log.size();
        let old = self.log.signer().at(index + 1).clone();
        let change = KeyChange { at: now, old, new: key.verifier_key(), from_size: index + 2 };
        let new = change.new.clone();
        // The rules are asked first: a key that may not follow must not be learnt.
        self.sequence.clone().push(&Leaf::Key(Box::new(change.clone())))?;
        let written = self.write(&[Leaf::Key(Box::new(change))], Vec::new())?;
        self.log.signer().learn(key);
        self.log.signer().change(index + 2, &new)?;
        Ok(written)
    }

    /// Shows a checkpoint to readers, with the cosignatures that were had for it. If they meet the log's own policy and the last tick is
    /// covered, they are kept as what that tick had.
    ///
    /// # Errors
    /// If they cannot be kept.
    pub fn publish(&mut self, note: &str, size: u64, meets_policy: bool) -> Result<(), KeeperError> {
        let last = self.sequence.last_tick().map(|tick| tick.n);
        if let Some(n) = last
            && meets_policy
            && note.len() <= MAX_ENTRY
            && self.cosigned.as_ref().is_none_or(|(of, _)| *of != n)
            && size > self.index_of_last_tick()?.unwrap_or(u64::MAX)
        {
            files::replace(&self.home.join("cosigned"), format!("{n}\n{note}").as_bytes())?;
            self.cosigned = Some((n, note.to_owned()));
        }
        files::replace(&self.home.join("shown"), note.as_bytes())?;
        self.published.show(note.into());
        Ok(())
    }

    fn index_of_last_tick(&self) -> Result<Option<u64>, KeeperError> {
        let reader = self.log.reader();
        for index in (0..self.log.size()).rev() {
            let entry = reader.entry(index)?.unwrap_or_default();
            if let Leaf::Tick(_) = Leaf::parse(&entry)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Holds entries to the rules and writes them.
    fn write(&mut self, leaves: &[Leaf], blobs: Vec<(u8, Vec<u8>)>) -> Result<Written, KeeperError> {
        let entries = leaves.iter().map(Leaf::to_bytes).collect::<Result<Vec<_>, _>>()?;
        let batch = Batch { entries, blobs };
        self.log.fits(&batch)?;
        if let Err(broken) = leaves.iter().try_for_each(|leaf| self.sequence.push(leaf).map(drop)) {
            // It has counted what is not in the log: what it knows is read from there again.
            self.sequence = Sequence::new();
            replay(&self.log, &mut self.sequence)?;
            return Err(broken.into());
        }
        let receipt = self.log.append(&batch)?;
        if self.log.size() >= self.kept + KEEP_EVERY {
            self.keep()?;
        }
        Ok(Written { index: receipt.first, count: leaves.len() as u64, note: receipt.note })
    }

    /// Keeps the state, so that the next start need not read the log.
    fn keep(&mut self) -> Result<(), KeeperError> {
        let (lines, reader) = (self.sequence.to_lines(), self.log.reader());
        if self.sequence.leaves() != reader.size() {
            // The disk refused the last of it, and the log has stopped.
            return Ok(());
        }
        let root = reader.root(reader.size())?;
        let text = format!("{}\n{lines}", digest_of_state(&lines, root));
        files::replace(&self.home.join("state"), text.as_bytes())?;
        self.kept = self.sequence.leaves();
        Ok(())
    }

    fn show_roster(&self, bytes: &[u8]) {
        let number = self.log.blobs(ROSTERS).saturating_sub(1);
        self.published.add_roster(Digest::of(bytes), number);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The state is a convenience: without it the next start reads the log.
        drop(self.keep());
    }
}

fn disks(folder: &Path) -> Result<Disks, KeeperError> {
    let disk = Folder::open(folder).map_err(files::failed("open", folder))?;
    Ok(Disks::one(Arc::new(disk)))
}

/// How long segments are: some dozens of ticks at least.
fn span(slots: u32) -> u64 {
    SPAN.max(u64::from(slots) * 128 * 16)
}

fn fits(cameras: &CameraRoster, slots: u32) -> Result<(), KeeperError> {
    let n = cameras.iter().count();
    let beyond = cameras.iter().any(|(slot, _)| slot >= slots);
    if beyond { Err(KeeperError::Cameras { cameras: n, slots }) } else { Ok(()) }
}

fn replay(log: &Log<LogSigner>, sequence: &mut Sequence) -> Result<(), KeeperError> {
    let reader = log.reader();
    while sequence.leaves() < log.size() {
        for entry in reader.entries(sequence.leaves(), 1_024)? {
            sequence.push(&Leaf::parse(&entry)?)?;
        }
    }
    Ok(())
}

/// What readers were shown last, with its cosignatures, if it is of this log's tree; else the newest checkpoint without any.
fn shown(home: &Path, log: &Log<LogSigner>) -> Result<Option<Arc<str>>, KeeperError> {
    if let Some(text) = files::read(&home.join("shown"))?
        && is_of(&text, log)?
    {
        return Ok(Some(text.into()));
    }
    Ok(log.reader().note())
}

/// The events that wait although they are in the log: the power went between the two.
fn published_already(
    log: &Log<LogSigner>,
    sequence: &Sequence,
    pending: &Pending,
) -> Result<BTreeMap<EventId, u64>, KeeperError> {
    let mut missing: BTreeSet<EventId> = pending.ids().filter(|id| sequence.has_event(*id)).collect();
    let (reader, mut found) = (log.reader(), BTreeMap::new());
    for index in (0..log.size()).rev() {
        if missing.is_empty() {
            break;
        }
        let entry = reader.entry(index)?.unwrap_or_default();
        if let Leaf::Event(event) = Leaf::parse(&entry)?
            && missing.remove(&event.id)
        {
            found.insert(event.id, index);
        }
    }
    Ok(found)
}

fn newest_roster(log: &Log<LogSigner>, sequence: &Sequence) -> Result<CameraRoster, KeeperError> {
    let wanted = sequence.cameras().ok_or(KeeperError::Genesis)?;
    let reader = log.reader();
    for number in (0..reader.blobs(ROSTERS)).rev() {
        let bytes = reader.blob(ROSTERS, number)?.unwrap_or_default();
        if Digest::of(&bytes) == wanted {
            return Ok(CameraRoster::parse(&bytes)?);
        }
    }
    Err(StoreError::from(Damage::Blob { channel: ROSTERS, number: 0 }).into())
}

/// The state that was kept; none if there is none that can be read, or it is of another history than the log's.
fn read_state(path: &Path, log: &Log<LogSigner>) -> Result<Option<Sequence>, KeeperError> {
    let Some(text) = files::read(path)? else { return Ok(None) };
    let Some((digest, lines)) = text.split_once('\n') else { return Ok(None) };
    let Ok(kept) = Sequence::from_lines(lines) else { return Ok(None) };
    if kept.leaves() > log.size() {
        return Ok(None);
    }
    let root = log.reader().root(kept.leaves())?;
    Ok((digest == digest_of_state(lines, root).to_string()).then_some(kept))
}

/// The state and the tree that it is of.
fn digest_of_state(lines: &str, root: Hash) -> Digest {
    Digest::of(&[root.0.as_slice(), lines.as_bytes()].concat())
}

/// What the last tick has of cosignatures; none if it is of another history than the log's.
fn read_cosigned(home: &Path, log: &Log<LogSigner>) -> Result<Option<(u64, String)>, KeeperError> {
    let Some(text) = files::read(&home.join("cosigned"))? else { return Ok(None) };
    let Some((n, note)) = text.split_once('\n') else { return Ok(None) };
    let (Ok(n), true) = (n.parse(), note.len() <= MAX_ENTRY && is_of(note, log)?) else { return Ok(None) };
    Ok(Some((n, note.to_owned())))
}

/// Whether a checkpoint is one of the log's tree.
fn is_of(note: &str, log: &Log<LogSigner>) -> Result<bool, KeeperError> {
    let Ok(note) = Note::parse(note.as_bytes()) else { return Ok(false) };
    let Ok(checkpoint) = note.unverified_text().parse::<Checkpoint>() else { return Ok(false) };
    let reader = log.reader();
    Ok(checkpoint.size <= reader.size() && reader.root(checkpoint.size)? == checkpoint.root)
}
