//! A published log, made from the crates that write one, with seeds that repeat.

use placet_audit::{Memory, roster as roster_path};
use placet_core::Digest;
use placet_record::entry::slot::{Counts, SearchSlot, Seed, SlotArray, SlotState};
use placet_record::entry::{
    CameraRoster, Commitment, Event, EventId, EventKind, Genesis, KeyChange, Leaf, LogMode, Moment,
    PublicPart, Purpose, Reveal, Tick,
};
use placet_tlog::checkpoint::Checkpoint;
use placet_tlog::cosignature::cosign;
use placet_tlog::merkle::{Frontier, Hash};
use placet_tlog::note::{Note, SignerKey, WitnessSecret};
use placet_tlog::policy::Policy;
use placet_tlog::tile::{Content, Tile, bundle};

pub const ORIGIN: &str = "log.example.org/placet";

/// 2026-11-22T05:40:00Z.
pub const START: u64 = 1_795_326_000;

pub fn at(seconds: u64) -> Moment {
    Moment::from_unix_seconds(START + seconds).unwrap()
}

pub fn log_key(n: u8) -> SignerKey {
    SignerKey::generate(ORIGIN, [n; 32]).unwrap()
}

pub fn witness(n: u8) -> WitnessSecret {
    WitnessSecret::generate(&format!("witness.example/w{n}"), [100 + n; 32]).unwrap()
}

/// The text of a policy that trusts both keys of the log and asks for both witnesses.
pub fn policy_text() -> String {
    let logs = [1, 2].map(|n| format!("log {}\n", log_key(n).verifier_key())).concat();
    let witnesses = [1, 2].map(|n| format!("witness w{n} {}\n", witness(n).verifier_key())).concat();
    format!("{logs}{witnesses}group both all w1 w2\nquorum both\n")
}

pub fn policy() -> Policy {
    Policy::parse(policy_text().as_bytes()).unwrap()
}

pub fn order() -> Digest {
    Digest::of(b"an order")
}

pub fn on() -> SlotState {
    SlotState::On(SearchSlot {
        order: order(),
        purpose: Purpose::MissingPerson,
        counts: Counts { frames_compared: 1_500, candidates: 3, confirmed: 1, rejected: 2 },
    })
}

pub fn note(id: u64) -> Leaf {
    Leaf::Event(Event {
        at: at(0),
        kind: EventKind::Note,
        id: EventId(u128::from(id).to_be_bytes()),
        commitment: Commitment([7; 32]),
        about: None,
        deposit: None,
        public: None,
    })
}

pub fn opening(id: u64, camera: &str) -> Leaf {
    let Leaf::Event(event) = note(id) else { unreachable!() };
    let public = PublicPart {
        order: order(),
        purpose: Purpose::MissingPerson.into(),
        authority: "Rechtbank Gent".parse().unwrap(),
        cameras: vec![camera.parse().unwrap()],
        from: at(0),
        until: at(100_000),
    };
    Leaf::Event(Event { kind: EventKind::Opening, public: Some(public), ..event })
}

/// What a log is made with.
#[derive(Clone, Copy)]
pub struct Shape {
    pub mode: LogMode,
    pub interval: u64,
    pub reveal_delay: u64,
    pub slots: u32,
}

#[derive(Clone)]
pub struct Maker {
    pub shape: Shape,
    pub entries: Vec<Vec<u8>>,
    tree: Frontier,
    hashes: Vec<Vec<Hash>>,
    roster: Digest,
    rosters: Vec<Vec<u8>>,
    slots: Vec<Vec<u8>>,
    items: Vec<Vec<u8>>,
    pub signer: u8,
}

impl Maker {
    pub fn new(shape: Shape) -> Self {
        let mut maker = Self {
            shape,
            entries: Vec::new(),
            tree: Frontier::default(),
            hashes: Vec::new(),
            roster: Digest([0; 32]),
            rosters: Vec::new(),
            slots: Vec::new(),
            items: Vec::new(),
            signer: 1,
        };
        let Shape { mode, interval, reveal_delay, slots } = shape;
        let origin = ORIGIN.parse().unwrap();
        maker.push(&Leaf::Genesis(Genesis { at: at(0), origin, interval, mode, reveal_delay, slots }));
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

    pub fn roster(&mut self, cameras: &[(&str, u32)]) {
        let pairs = cameras.iter().map(|(name, slot)| (name.parse().unwrap(), *slot));
        let roster = CameraRoster::new(pairs).unwrap();
        self.roster = roster.digest();
        self.rosters.push(roster.to_bytes());
        self.push(&Leaf::Roster(roster.leaf(at(0))));
    }

    pub fn change_key(&mut self) {
        let (old, new) = (log_key(1).verifier_key(), log_key(2).verifier_key());
        let from_size = self.entries.len() as u64 + 2;
        self.push(&Leaf::Key(Box::new(KeyChange { at: at(0), old, new, from_size })));
        self.push(&note(u64::MAX));
        self.signer = 2;
    }

    pub fn seed(n: u64) -> Seed {
        Seed::from_bytes(Digest::of(&n.to_be_bytes()).0)
    }

    /// A tick that starts `start` seconds after the log, and its item in `cosigned` if witnesses saw it at `seen`.
    pub fn tick(&mut self, start: u64, states: &[SlotState], seen: Option<u64>) -> u64 {
        let n = self.slots.len() as u64;
        let slots = SlotArray::seal(&Self::seed(n), n, states, self.shape.slots).unwrap();
        let reveal_by = at(start + self.shape.interval + self.shape.reveal_delay);
        let (start, roster) = (at(start), self.roster);
        let index = self.push(&Leaf::Tick(Tick { n, start, roster, slots_root: slots.root(), reveal_by }));
        self.slots.push(slots.as_bytes().to_vec());
        self.items.push(seen.map_or_else(Vec::new, |seen| self.checkpoint(seen).into_bytes()));
        index
    }

    pub fn reveal(&mut self, tick: u64, when: u64) -> u64 {
        self.push(&Leaf::Reveal(Reveal { at: at(when), tick, seed: Self::seed(tick) }))
    }

    pub fn ticks(&self) -> u64 {
        self.slots.len() as u64
    }

    /// The checkpoint of what is there, cosigned by both witnesses at `seen`.
    pub fn checkpoint(&self, seen: u64) -> String {
        let (origin, size, root) = (ORIGIN.parse().unwrap(), self.tree.size(), self.tree.root());
        let signed = Checkpoint { origin, size, root }.sign(&log_key(self.signer)).unwrap();
        let note = Note::parse(signed.as_bytes()).unwrap();
        let lines = [1, 2].map(|n| cosign(note.unverified_text(), START + seen, &witness(n)).unwrap());
        lines.into_iter().fold(note, |note, line| note.with(line).unwrap()).to_string()
    }

    /// The log's files, its checkpoint cosigned at `seen`.
    pub fn publish(&self, seen: u64) -> Memory {
        let mut files = Memory::default();
        let size = self.tree.size();
        for tile in Tile::added(0, size) {
            let from = tile.index() as usize * 256;
            let until = from + usize::from(tile.width());
            let bytes = match tile.content() {
                Content::Hashes(level) => {
                    self.hashes[usize::from(level)][from..until].iter().flat_map(|hash| hash.0).collect()
                }
                Content::Entries => bundle(self.entries[from..until].iter().map(Vec::as_slice)).unwrap(),
            };
            files.0.insert(tile.to_string(), bytes);
        }
        for (number, slots) in self.slots.chunks(256).enumerate() {
            files.0.insert(tick_path("slots", number, slots.len()), slots.concat());
        }
        let settled = &self.items[..self.items.len().saturating_sub(1)];
        for (number, items) in settled.chunks(256).enumerate() {
            let items = bundle(items.iter().map(Vec::as_slice)).unwrap();
            files.0.insert(tick_path("cosigned", number, settled[number * 256..].len().min(256)), items);
        }
        for roster in &self.rosters {
            files.0.insert(roster_path(&Digest::of(roster)), roster.clone());
        }
        files.0.insert("checkpoint".to_owned(), self.checkpoint(seen).into_bytes());
        files
    }
}

fn tick_path(folder: &str, number: usize, width: usize) -> String {
    let tile = Tile::new(Content::Entries, number as u64, width as u16).unwrap().to_string();
    tile.replace("tile/entries", folder)
}

/// A sound log of `entries` entries and about `ticks` ticks: both keys, two rosters, a camera that is on now and then,
/// a gateway that did not answer, reveals on time.
pub fn log(entries: u64, ticks: u64) -> Maker {
    let mut log = Maker::new(Shape { mode: LogMode::Open, interval: 60, reveal_delay: 600, slots: 4 });
    log.change_key();
    log.roster(&[("hall-north", 0), ("gate.2", 3)]);
    let every = (entries / ticks).max(3);
    for n in 0..ticks {
        if n == ticks / 2 {
            log.roster(&[("gate.2", 0), ("hall-north", 1)]);
        }
        let first = if n % 3 == 1 { on() } else { SlotState::Off };
        let states = match n < ticks / 2 {
            true => [first, SlotState::Unused, SlotState::Unused, SlotState::Unknown],
            false => [SlotState::Unknown, first, SlotState::Unused, SlotState::Unused],
        };
        log.tick(60 * n, &states, (n % 4 != 3).then_some(60 * n - n.min(5)));
        if n == 0 {
            log.push(&opening(1_000_000, "hall-north"));
        } else {
            log.reveal(n - 1, 60 * n + 1);
        }
        while (log.entries.len() as u64) < (n + 1) * every && (log.entries.len() as u64) < entries {
            log.push(&note(log.entries.len() as u64));
        }
    }
    while (log.entries.len() as u64) < entries {
        log.push(&note(log.entries.len() as u64));
    }
    log
}

/// A time by which nothing of [`log`] is overdue.
pub fn now(log: &Maker) -> Moment {
    at(60 * log.ticks() - 30)
}
