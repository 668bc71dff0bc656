//! A published log, made from the crates that write one, and served from memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use placet_core::Digest;
use placet_http::server::{Limits, serve};
use placet_monitor::HttpSource;
use placet_publish::{Shelf, router};
use placet_record::entry::slot::{Counts, SearchSlot, Seed, SlotArray, SlotState};
use placet_record::entry::{
    CameraRoster, Commitment, Event, EventId, EventKind, Genesis, Leaf, LogMode, Moment, Purpose, Reveal,
    Tick,
};
use placet_tlog::checkpoint::Checkpoint;
use placet_tlog::cosignature::cosign;
use placet_tlog::merkle::{Frontier, Hash};
use placet_tlog::note::{Note, SignerKey, WitnessSecret};
use placet_tlog::policy::Policy;
use placet_tlog::tile::{Content, Tile, bundle};
use tokio::runtime::Runtime;

pub const ORIGIN: &str = "log.example.org/placet";

/// 2026-11-22T05:40:00Z.
pub const START: u64 = 1_795_326_000;

/// Seconds from tick to tick, and from the end of one to its reveal.
pub const INTERVAL: u64 = 60;
pub const DELAY: u64 = 600;

pub fn at(seconds: u64) -> Moment {
    Moment::from_unix_seconds(START + seconds).unwrap()
}

pub fn log_key() -> SignerKey {
    SignerKey::generate(ORIGIN, [1; 32]).unwrap()
}

pub fn witness() -> WitnessSecret {
    WitnessSecret::generate("witness.example/w1", [101; 32]).unwrap()
}

pub fn policy() -> Policy {
    let (log, witness) = (log_key().verifier_key(), witness().verifier_key());
    Policy::parse(format!("log {log}\nwitness w1 {witness}\nquorum w1\n").as_bytes()).unwrap()
}

pub fn on() -> SlotState {
    let counts = Counts { frames_compared: 1_500, candidates: 3, confirmed: 1, rejected: 2 };
    SlotState::On(SearchSlot { order: Digest::of(b"an order"), purpose: Purpose::MissingPerson, counts })
}

pub type Files = BTreeMap<String, Vec<u8>>;

#[derive(Clone)]
pub struct Maker {
    pub entries: Vec<Vec<u8>>,
    pub tree: Frontier,
    hashes: Vec<Vec<Hash>>,
    roster: Digest,
    rosters: Vec<Vec<u8>>,
    slots: Vec<Vec<u8>>,
    items: Vec<Vec<u8>>,
}

impl Maker {
    pub fn new() -> Self {
        let (hashes, rosters, slots, items) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (entries, tree, roster) = (Vec::new(), Frontier::default(), Digest([0; 32]));
        let mut maker = Self { entries, tree, hashes, roster, rosters, slots, items };
        let (origin, mode) = (ORIGIN.parse().unwrap(), LogMode::Open);
        let genesis = Genesis { at: at(0), origin, interval: INTERVAL, mode, reveal_delay: DELAY, slots: 4 };
        maker.push(&Leaf::Genesis(genesis));
        let cameras = [("hall-north", 0), ("gate.2", 3)].map(|(name, slot)| (name.parse().unwrap(), slot));
        let roster = CameraRoster::new(cameras).unwrap();
        maker.roster = roster.digest();
        maker.rosters.push(roster.to_bytes());
        maker.push(&Leaf::Roster(roster.leaf(at(0))));
        maker
    }

    pub fn push(&mut self, leaf: &Leaf) -> u64 {
        self.push_bytes(leaf.to_bytes().unwrap())
    }

    pub fn push_bytes(&mut self, bytes: Vec<u8>) -> u64 {
        let hashes = &mut self.hashes;
        self.tree.push(Hash::of_leaf(&bytes), |level, _, hash| {
            if level % 8 == 0 {
                hashes.resize_with(hashes.len().max(usize::from(level / 8) + 1), Vec::new);
                hashes[usize::from(level / 8)].push(hash);
            }
        });
        self.entries.push(bytes);
        self.entries.len() as u64 - 1
    }

    pub fn note(&mut self, id: u64) {
        let (id, commitment) = (EventId(u128::from(id).to_be_bytes()), Commitment([7; 32]));
        let (kind, about, deposit, public) = (EventKind::Note, None, None, None);
        self.push(&Leaf::Event(Event { at: at(0), kind, id, commitment, about, deposit, public }));
    }

    pub fn seed(n: u64) -> Seed {
        Seed::from_bytes(Digest::of(&n.to_be_bytes()).0)
    }

    /// The next tick, at its time or `late` seconds after; the first camera is in `state`.
    pub fn tick(&mut self, state: SlotState, late: u64) -> u64 {
        let n = self.slots.len() as u64;
        let states = [state, SlotState::Unused, SlotState::Unused, SlotState::Off];
        let slots = SlotArray::seal(&Self::seed(n), n, &states, 4).unwrap();
        let start = n * INTERVAL + late;
        let (reveal_by, start) = (at(start + INTERVAL + DELAY), at(start));
        let tick = Tick { n, start, roster: self.roster, slots_root: slots.root(), reveal_by };
        let index = self.push(&Leaf::Tick(tick));
        self.slots.push(slots.as_bytes().to_vec());
        let item = self.checkpoint().into_bytes();
        self.items.push(if n % 3 == 2 { Vec::new() } else { item });
        index
    }

    pub fn reveal(&mut self, tick: u64, when: u64) -> u64 {
        self.push(&Leaf::Reveal(Reveal { at: at(when), tick, seed: Self::seed(tick) }))
    }

    pub fn ticks(&self) -> u64 {
        self.slots.len() as u64
    }

    /// The checkpoint of what is there, with its cosignature.
    pub fn checkpoint(&self) -> String {
        let (origin, size, root) = (ORIGIN.parse().unwrap(), self.tree.size(), self.tree.root());
        let signed = Checkpoint { origin, size, root }.sign(&log_key()).unwrap();
        let note = Note::parse(signed.as_bytes()).unwrap();
        let line = cosign(note.unverified_text(), START, &witness()).unwrap();
        note.with(line).unwrap().to_string()
    }

    /// The log's files.
    pub fn files(&self) -> Files {
        let mut files = Files::new();
        let part =
            |tile: Tile| tile.index() as usize * 256..tile.index() as usize * 256 + tile.width() as usize;
        for tile in Tile::added(0, self.tree.size()) {
            let bytes = match tile.content() {
                Content::Hashes(level) => {
                    self.hashes[usize::from(level)][part(tile)].iter().flat_map(|hash| hash.0).collect()
                }
                Content::Entries => bundle(self.entries[part(tile)].iter().map(Vec::as_slice)).unwrap(),
            };
            files.insert(tile.to_string(), bytes);
        }
        let named = |folder: &str, tile: Tile| tile.to_string().replace("tile/entries", folder);
        let tiles = |count: usize| (0..).map_while(move |n| Tile::of(Content::Entries, n, count as u64));
        for tile in tiles(self.slots.len()) {
            files.insert(named("slots", tile), self.slots[part(tile)].concat());
        }
        for tile in tiles(self.items.len().saturating_sub(1)) {
            let items = bundle(self.items[part(tile)].iter().map(Vec::as_slice)).unwrap();
            files.insert(named("cosigned", tile), items);
        }
        for roster in &self.rosters {
            files.insert(format!("roster/{}", Digest::of(roster).hex()), roster.clone());
        }
        files.insert("checkpoint".to_owned(), self.checkpoint().into_bytes());
        files
    }
}

/// An honest log of `ticks` ticks, each opened when its time has come, with `notes` events after each.
pub fn honest(ticks: u64, notes: u64) -> Maker {
    let mut log = Maker::new();
    grow(&mut log, ticks, notes);
    log
}

/// Goes on until there are `ticks` ticks.
pub fn grow(log: &mut Maker, ticks: u64, notes: u64) {
    while log.ticks() < ticks {
        let n = log.ticks();
        log.tick(if n % 4 == 1 { on() } else { SlotState::Off }, 0);
        if let Some(due) = n.checked_sub(1 + DELAY / INTERVAL) {
            log.reveal(due, n * INTERVAL);
        }
        (0..notes).for_each(|k| log.note(n * 1_000 + k));
    }
}

/// A time at which nothing of an honest log is missing.
pub fn now(log: &Maker) -> Moment {
    at(log.ticks() * INTERVAL - 1)
}

/// Files that tests change while they are served.
#[derive(Clone, Default)]
pub struct Shown(pub Arc<Mutex<Files>>);

impl Shelf for Shown {
    fn length(&self, path: &str) -> io::Result<Option<u64>> {
        Ok(self.0.lock().unwrap().get(path).map(|bytes| bytes.len() as u64))
    }

    fn read(&self, path: &str, from: u64, len: u64) -> io::Result<Vec<u8>> {
        let files = self.0.lock().unwrap();
        let bytes = files.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(bytes.iter().skip(from as usize).take(len as usize).copied().collect())
    }
}

/// A log on loopback.
pub struct Host {
    pub shown: Shown,
    pub source: HttpSource,
    _runtime: Runtime,
}

impl Host {
    pub fn of(log: &Maker) -> Self {
        let runtime = Runtime::new().unwrap();
        let shown = Shown::default();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shelf = Arc::new(shown.clone());
        runtime.spawn(serve(listener, router(shelf, Vec::new()), Limits::default(), std::future::pending()));
        let source = HttpSource::new(url.parse().unwrap(), Duration::from_secs(5)).unwrap();
        let host = Self { shown, source, _runtime: runtime };
        host.show(log);
        host
    }

    pub fn show(&self, log: &Maker) {
        *self.shown.0.lock().unwrap() = log.files();
    }

    pub fn change(&self, change: impl FnOnce(&mut Files)) {
        change(&mut self.shown.0.lock().unwrap());
    }
}
