//! From entry to entry.

use std::collections::BTreeMap;
use std::rc::Rc;

use placet_core::Digest;
use placet_record::entry::slot::{SlotState, open_slot};
use placet_record::entry::{CameraRoster, KeyChange, Leaf, Moment, Reveal, Roster, RosterOf, Sequence, Tick};
use placet_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use placet_tlog::cosignature::Seconds;
use placet_tlog::merkle::Hash;
use placet_tlog::note::VerifierKey;
use placet_tlog::policy::{Policy, PolicyError};
use placet_tlog::tile::{Content, Tile, WIDTH, unbundle};

use super::AuditError;
use super::report::{Invalid, MAX_LISTED, Notice, Report};
use super::side::{CosignedFiles, SlotFiles, refused};
use super::tiles::{Tiles, compare};
use crate::layout::{self, MAX_BUNDLE, MAX_ROSTER, Wanted, first_items};
use crate::source::Source;

/// A tick that is not opened yet.
struct Sealed {
    roster: Option<Rc<CameraRoster>>,
    /// Whether its slots are those that it commits to.
    sound: bool,
}

/// A tree that has to be met on the way.
struct Expected {
    root: Hash,
    signer: VerifierKey,
    /// The tick in whose `cosigned` item it stands.
    tick: Option<u64>,
}

/// An item of `cosigned` until the next tick is met.
struct Settling {
    tick: u64,
    index: u64,
    size: u64,
}

pub(super) struct Walk<'s, S> {
    source: &'s S,
    policy: &'s Policy,
    ticks: u64,
    report: Report,
    tiles: Tiles,
    rules: Sequence,
    /// Whether entries are still judged: not behind a bundle that cannot be read.
    judging: bool,
    slots: Option<SlotFiles<'s, S>>,
    cosigned: CosignedFiles<'s, S>,
    roster: Option<(Digest, Rc<CameraRoster>)>,
    sealed: BTreeMap<u64, Sealed>,
    settling: Option<Settling>,
    expected: BTreeMap<u64, Vec<Expected>>,
    /// Trees that were not met as expected: their sizes, and the ticks in whose items they stand.
    forks: Vec<(u64, Option<u64>)>,
    keys: Vec<KeyChange>,
}

impl<'s, S: Source> Walk<'s, S> {
    pub(super) fn new(source: &'s S, policy: &'s Policy, ticks: u64, report: Report) -> Self {
        let checkpoint = report.accepted.checkpoint();
        let (size, root) = (checkpoint.size, checkpoint.root);
        let signer = report.accepted.signed().signer().clone();
        let mut walk = Self {
            source,
            policy,
            ticks,
            report,
            tiles: Tiles::default(),
            rules: Sequence::new(),
            judging: true,
            slots: None,
            cosigned: CosignedFiles::new(source, ticks.saturating_sub(1)),
            roster: None,
            sealed: BTreeMap::new(),
            settling: None,
            expected: BTreeMap::new(),
            forks: Vec::new(),
            keys: Vec::new(),
        };
        // Its root is compared at the end, with words of its own; here it is about its key.
        walk.expected.entry(size).or_default().push(Expected { root, signer, tick: None });
        walk
    }

    /// An older checkpoint, which this log has to have been.
    pub(super) fn expect_since(&mut self, since: &SignedCheckpoint) {
        let Checkpoint { size, root, .. } = *since.checkpoint();
        if size > self.report.accepted.checkpoint().size {
            self.report.refuse(None, Invalid::Shrunk { size });
        } else if size == 0 {
            // Every log began without entries.
        } else {
            let signer = since.signer().clone();
            self.expected.entry(size).or_default().push(Expected { root, signer, tick: None });
        }
    }

    /// Reads the next bundle.
    pub(super) fn bundle(&mut self, number: u64) -> Result<(), AuditError> {
        let size = self.report.accepted.checkpoint().size;
        let Some(tile) = Tile::of(Content::Entries, number, size) else { return Ok(()) };
        let file = Wanted::tile(tile);
        let (bytes, longer) = match file.get(self.source, MAX_BUNDLE) {
            Ok(Some(found)) => found,
            Ok(None) => return self.without(number, Invalid::Missing { path: file.path }),
            Err(error) => match refused::<()>(error)? {
                Ok(()) => return Ok(()),
                Err(invalid) => return self.without(number, invalid),
            },
        };
        let bytes = if longer { first_items(&bytes, file.width) } else { &bytes };
        let entries = match unbundle(bytes, file.width) {
            Ok(entries) => entries,
            Err(source) => return self.without(number, Invalid::Bundle { path: file.path, source }),
        };
        self.report.counted.bundles += 1;
        for entry in entries {
            self.entry(entry)?;
        }
        self.compare_tiles()
    }

    /// Goes on without the entries of a bundle: with their hashes, if the tile has them.
    fn without(&mut self, number: u64, invalid: Invalid) -> Result<(), AuditError> {
        self.report.refuse(None, invalid);
        self.judging = false;
        let size = self.report.accepted.checkpoint().size;
        let Some(tile) = Tile::of(Content::Hashes(0), number, size) else { return Ok(()) };
        let file = Wanted::tile(tile);
        let bytes = match file.get(self.source, 32 * WIDTH) {
            Ok(found) => found.map(|(bytes, _)| bytes).unwrap_or_default(),
            Err(error) => refused(error)?.unwrap_or_default(),
        };
        let hashes = bytes.as_chunks::<32>().0.iter().map(|hash| Hash(*hash));
        let hashes = hashes.chain(std::iter::repeat(Hash::of_nothing()));
        for hash in hashes.take(usize::from(file.width)) {
            self.push(hash);
        }
        self.compare_tiles()
    }

    fn push(&mut self, leaf: Hash) {
        self.tiles.push(leaf);
        let size = self.tiles.size();
        let Some(expected) = self.expected.remove(&size) else { return };
        for Expected { root, signer, tick } in expected {
            if !self.may_sign(&signer, size) {
                self.report.refuse(None, Invalid::Key { size });
            }
            if root != self.tiles.root() && self.forks.len() < MAX_LISTED {
                self.forks.push((size, tick));
            }
        }
    }

    /// Whether a key may sign a tree of `size` entries, by the changes of key among them.
    fn may_sign(&self, key: &VerifierKey, size: u64) -> bool {
        let in_force = self.keys.iter().rev().find(|change| change.from_size <= size);
        match (in_force, self.keys.first()) {
            (Some(change), _) => change.new == *key,
            (None, Some(first)) => first.old == *key,
            (None, None) => true,
        }
    }

    fn entry(&mut self, bytes: &[u8]) -> Result<(), AuditError> {
        let index = self.tiles.size();
        self.report.counted.entries += 1;
        if !self.judging {
            self.push(Hash::of_leaf(bytes));
            return Ok(());
        }
        match Leaf::parse(bytes) {
            Ok(leaf) => self.leaf(index, leaf)?,
            Err(source) => {
                self.rules.pass_over();
                self.report.refuse(Some(index), Invalid::Entry { source });
            }
        }
        self.push(Hash::of_leaf(bytes));
        Ok(())
    }

    fn leaf(&mut self, index: u64, leaf: Leaf) -> Result<(), AuditError> {
        match self.rules.push(&leaf) {
            Ok(found) => {
                if let Some(finding) = found {
                    self.report.note(Some(index), Notice::Of(finding));
                }
            }
            Err(source) => {
                self.report.refuse(Some(index), Invalid::Misbehaviour { source });
                return Ok(());
            }
        }
        match leaf {
            Leaf::Genesis(genesis) => {
                if genesis.origin != self.report.accepted.checkpoint().origin {
                    self.report.refuse(Some(index), Invalid::Origin);
                }
                self.slots = Some(SlotFiles::new(self.source, self.ticks, genesis.slots));
                self.report.genesis = Some(genesis);
                Ok(())
            }
            Leaf::Tick(tick) => self.tick(index, tick),
            Leaf::Reveal(reveal) => self.reveal(index, &reveal),
            Leaf::Roster(roster) => self.roster(index, &roster),
            Leaf::Key(change) => {
                self.keys.push(*change);
                Ok(())
            }
            Leaf::Event(_) => {
                self.report.counted.events += 1;
                Ok(())
            }
        }
    }

    fn tick(&mut self, index: u64, tick: Tick) -> Result<(), AuditError> {
        self.report.counted.ticks += 1;
        self.settle(Some(index));
        if tick.n < self.ticks.saturating_sub(1) {
            self.cosigned_item(&tick, index)?;
        }
        let Some(slots) = &mut self.slots else { return Ok(()) };
        let invalid = match slots.of(tick.n)? {
            Ok(array) if array.root() == tick.slots_root => None,
            Ok(_) => Some(slots.other(tick.n)),
            Err(invalid) => Some(invalid),
        };
        let beyond = slots.goes_on_behind(tick.n)?;
        let sound = invalid.is_none();
        for what in invalid.into_iter().chain(beyond) {
            self.report.refuse(Some(index), what);
        }
        let roster = self.roster.as_ref().filter(|(digest, _)| *digest == tick.roster);
        let roster = roster.map(|(_, roster)| Rc::clone(roster));
        self.sealed.insert(tick.n, Sealed { roster, sound });
        Ok(())
    }

    /// Takes note of what a tick had when its interval was over; its root is compared when the tree is of its size.
    fn cosigned_item(&mut self, tick: &Tick, index: u64) -> Result<(), AuditError> {
        let item = match self.cosigned.of(tick.n)? {
            Ok(item) => item.filter(|item| !item.is_empty()),
            Err(invalid) => {
                self.report.refuse(Some(index), invalid);
                None
            }
        };
        let Some(item) = item else {
            self.report.counted.unwitnessed += 1;
            return Ok(());
        };
        match self.accept_item(tick.n, index, &item) {
            Ok((signed, at)) => {
                self.count_cosigned(tick, at);
                let Checkpoint { size, root, .. } = *signed.checkpoint();
                let signer = signed.signer().clone();
                self.expected.entry(size).or_default().push(Expected { root, signer, tick: Some(tick.n) });
                self.settling = Some(Settling { tick: tick.n, index, size });
            }
            Err(invalid) => self.report.refuse(Some(index), invalid),
        }
        Ok(())
    }

    /// The item, and when witnesses had cosigned it, if enough of them did.
    fn accept_item(
        &mut self,
        tick: u64,
        index: u64,
        item: &[u8],
    ) -> Result<(SignedCheckpoint, Option<Seconds>), Invalid> {
        let refuse = |source| Invalid::Cosigned { tick, source };
        let (signed, at) = match self.policy.accept(item) {
            Ok(accepted) => (accepted.signed().clone(), accepted.witnessed_at()),
            Err(PolicyError::Quorum { .. }) => {
                let keys: Vec<VerifierKey> = self.policy.logs().iter().map(|log| log.key.clone()).collect();
                let signed = SignedCheckpoint::open(item, &keys).map_err(|source| refuse(source.into()))?;
                self.report.note(Some(index), Notice::TooFewWitnesses { tick });
                (signed, None)
            }
            Err(source) => return Err(refuse(source)),
        };
        let Checkpoint { origin, size, .. } = signed.checkpoint();
        if *origin != self.report.accepted.checkpoint().origin {
            return Err(Invalid::Origin);
        }
        if *size <= index {
            return Err(Invalid::CosignedSize { tick, size: *size });
        }
        Ok((signed, at))
    }

    fn count_cosigned(&mut self, tick: &Tick, at: Option<Seconds>) {
        match at {
            Some(at) => {
                self.report.counted.cosigned += 1;
                self.report.counted.in_time += u64::from(at <= tick.start.unix_seconds());
            }
            None => self.report.counted.unwitnessed += 1,
        }
    }

    /// What the last tick had must have been made before the next one was written: entry `next`, if there is one.
    fn settle(&mut self, next: Option<u64>) {
        let Some(Settling { tick, index, size }) = self.settling.take() else { return };
        if next.is_none_or(|next| size > next) {
            self.report.refuse(Some(index), Invalid::CosignedSize { tick, size });
        }
    }

    fn reveal(&mut self, index: u64, reveal: &Reveal) -> Result<(), AuditError> {
        let Some(Sealed { roster, sound: true, .. }) = self.sealed.remove(&reveal.tick) else {
            return Ok(());
        };
        let Some(slots) = &mut self.slots else { return Ok(()) };
        let array = match slots.of(reveal.tick)? {
            Ok(array) => array,
            Err(invalid) => {
                self.report.refuse(Some(index), invalid);
                return Ok(());
            }
        };
        self.report.counted.opened += 1;
        let tick = reveal.tick;
        for (slot, sealed) in (0..).zip(array.slots()) {
            self.report.counted.slots += 1;
            let camera = roster.as_ref().and_then(|roster| roster.camera_at(slot));
            match (open_slot(&reveal.seed.salt(slot), tick, slot, sealed), camera) {
                (Err(source), _) => self.report.refuse(Some(index), Invalid::Slot { source }),
                (Ok(SlotState::Unused), Some(camera)) => {
                    let camera = camera.clone();
                    self.report.refuse(Some(index), Invalid::SlotUnused { tick, slot, camera });
                }
                (Ok(SlotState::Unused), None) | (Ok(_), Some(_)) => (),
                (Ok(_), None) if roster.is_none() => (),
                (Ok(_), None) => self.report.note(Some(index), Notice::SlotOfNoCamera { tick, slot }),
            }
        }
        Ok(())
    }

    fn roster(&mut self, index: u64, roster: &Roster) -> Result<(), AuditError> {
        let path = layout::roster(&roster.digest);
        let found = match self.source.get(&path, MAX_ROSTER) {
            Ok(found) => found.ok_or(Invalid::Missing { path: path.clone() }),
            Err(error) => refused(error)?,
        };
        let found = found.and_then(|bytes| {
            let same = Digest::of(&bytes) == roster.digest;
            if same { Ok(bytes) } else { Err(Invalid::RosterFile { path: path.clone() }) }
        });
        let listed = found.and_then(|bytes| self.list(index, roster, &path, &bytes));
        match listed {
            Ok(count) if count == roster.count => self.report.counted.rosters += 1,
            Ok(_) => self.report.refuse(Some(index), Invalid::RosterFile { path }),
            Err(invalid) => self.report.refuse(Some(index), invalid),
        }
        Ok(())
    }

    /// How many a roster lists. Those of cameras are kept for the ticks to come.
    fn list(&mut self, index: u64, roster: &Roster, path: &str, bytes: &[u8]) -> Result<u64, Invalid> {
        let path = || path.to_owned();
        if roster.of == RosterOf::Witnesses {
            let policy =
                Policy::parse(bytes).map_err(|source| Invalid::Witnesses { path: path(), source })?;
            return Ok(policy.witnesses().len() as u64);
        }
        let cameras =
            CameraRoster::parse(bytes).map_err(|source| Invalid::Roster { path: path(), source })?;
        let slots = self.report.genesis.as_ref().map_or(0, |genesis| genesis.slots);
        if let Some((slot, camera)) = cameras.iter().find(|(slot, _)| *slot >= slots) {
            let camera = camera.clone();
            self.report.refuse(Some(index), Invalid::RosterSlot { camera, slot });
        }
        let count = cameras.iter().count() as u64;
        self.roster = Some((roster.digest, Rc::new(cameras)));
        Ok(count)
    }

    fn compare_tiles(&mut self) -> Result<(), AuditError> {
        for (tile, hashes) in self.tiles.take_full() {
            self.compare(tile, &hashes)?;
        }
        Ok(())
    }

    fn compare(&mut self, tile: Tile, hashes: &[Hash]) -> Result<(), AuditError> {
        match compare(self.source, tile, hashes)? {
            Some(invalid) => self.report.refuse(None, invalid),
            None => self.report.counted.tiles += 1,
        }
        Ok(())
    }

    /// What is left when all entries are read.
    pub(super) fn end(mut self, now: Moment) -> Result<Report, AuditError> {
        for (tile, hashes) in self.tiles.take_open() {
            self.compare(tile, &hashes)?;
        }
        if self.judging {
            self.settle(None);
        }
        let checkpoint = self.report.accepted.checkpoint();
        self.report.is_covered = self.tiles.root() == checkpoint.root && self.tiles.size() == checkpoint.size;
        if self.report.is_covered {
            for (size, tick) in std::mem::take(&mut self.forks) {
                self.report.refuse(None, Invalid::Fork { size, tick });
            }
        } else {
            // Entries that are not the log's show no fork of it, and break no rule of its own.
            self.report.forget_rules();
            self.report.refuse(None, Invalid::Root);
        }
        if self.judging && self.report.is_covered {
            for finding in self.rules.missing(now) {
                self.report.note(None, Notice::Of(finding));
            }
        }
        Ok(self.report)
    }
}
