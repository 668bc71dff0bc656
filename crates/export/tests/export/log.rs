//! A log made in memory, with all of its published files at every size it ever had.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use placet_core::Digest;
use placet_export::Target;
use placet_publish::Shelf;
use placet_record::entry::slot::{Seed, SlotArray, SlotState};
use placet_record::entry::{Genesis, Leaf, LogMode, Moment, Reveal, Roster, RosterOf, Tick};
use placet_tlog::checkpoint::Checkpoint;
use placet_tlog::merkle::{Frontier, Hash};
use placet_tlog::note::{SignerKey, VerifierKey};
use placet_tlog::tile::{Content, Tile, bundle};

const SLOTS: u32 = 3;

pub struct Log {
    pub key: SignerKey,
    entries: Vec<Vec<u8>>,
    /// How many ticks the first n entries have.
    ticks: Vec<u64>,
    /// How many rosters they have.
    rosters: Vec<usize>,
    roots: Vec<Hash>,
    hashes: Vec<Vec<Hash>>,
    slots: Vec<Vec<u8>>,
    roster_files: Vec<Vec<u8>>,
}

fn at(n: u64) -> Moment {
    Moment::from_unix_seconds(1_800_000_000 + n).unwrap()
}

fn tick(n: u64, roster: Digest, slots: &SlotArray) -> Leaf {
    let (start, reveal_by) = (at(60 * n), at(60 * n + 60));
    Leaf::Tick(Tick { n, start, roster, slots_root: slots.root(), reveal_by })
}

impl Log {
    /// A log of `size` entries: two ticks of three entries, a roster now and then. `seed` makes one unlike another.
    pub fn new(size: usize, seed: u8) -> Arc<Self> {
        let key = SignerKey::generate("log.example/export", [9; 32]).unwrap();
        let mut log = Self {
            entries: Vec::new(),
            ticks: vec![0],
            rosters: vec![0],
            roots: vec![Hash::of_nothing()],
            hashes: vec![Vec::new(); 8],
            slots: Vec::new(),
            roster_files: Vec::new(),
            key,
        };
        let mut tree = Frontier::default();
        for index in 0..size {
            let entry = log.next(index, seed).to_bytes().unwrap();
            tree.push(Hash::of_leaf(&entry), |level, _, hash| {
                if level % 8 == 0 {
                    log.hashes[usize::from(level / 8)].push(hash);
                }
            });
            log.entries.push(entry);
            log.ticks.push(log.slots.len() as u64);
            log.rosters.push(log.roster_files.len());
            log.roots.push(tree.root());
        }
        Arc::new(log)
    }

    fn next(&mut self, index: usize, seed: u8) -> Leaf {
        if index == 0 {
            let origin = self.key.name().clone();
            return Leaf::Genesis(Genesis {
                at: at(0),
                origin,
                interval: 60,
                mode: LogMode::Open,
                reveal_delay: 0,
                slots: SLOTS,
            });
        }
        if index % 100 == 1 {
            let file = format!("{{\"camera\":\"hall-{index}\",\"slot\":0}}\n").into_bytes();
            let digest = Digest::of(&file);
            self.roster_files.push(file);
            return Leaf::Roster(Roster { at: at(0), of: RosterOf::Cameras, count: 1, digest });
        }
        let n = self.slots.len() as u64;
        let tick_seed = Seed::from_bytes(Digest::of(&[&[seed][..], &n.to_be_bytes()].concat()).0);
        if index.is_multiple_of(3) {
            return Leaf::Reveal(Reveal { at: at(60 * n + 61), tick: n.saturating_sub(1), seed: tick_seed });
        }
        let slots = SlotArray::seal(&tick_seed, n, &[SlotState::Off], SLOTS).unwrap();
        self.slots.push(slots.as_bytes().to_vec());
        tick(n, Digest::of(self.roster_files.last().unwrap()), &slots)
    }

    pub fn keys(&self) -> Vec<VerifierKey> {
        vec![self.key.verifier_key()]
    }

    pub fn checkpoint(&self, size: u64) -> Vec<u8> {
        let root = self.roots[size as usize];
        Checkpoint { origin: self.key.name().clone(), size, root }.sign(&self.key).unwrap().into_bytes()
    }

    pub fn at(self: &Arc<Self>, size: u64) -> Published {
        Published { log: Arc::clone(self), size, instead: BTreeMap::new() }
    }

    fn tile(&self, tile: &Tile) -> Vec<u8> {
        let (from, width) = (tile.index() as usize * 256, usize::from(tile.width()));
        match tile.content() {
            Content::Entries => bundle(self.entries[from..from + width].iter().map(Vec::as_slice)).unwrap(),
            Content::Hashes(level) => {
                self.hashes[usize::from(level)][from..from + width].iter().flat_map(|hash| hash.0).collect()
            }
        }
    }

    fn cosigned(&self, tick: u64) -> Vec<u8> {
        if tick.is_multiple_of(2) { Vec::new() } else { self.checkpoint(tick + 2) }
    }

    /// Every file that belongs to the log of `size` entries, as `docs/formats/published-log.md` has it.
    pub fn files(&self, size: u64) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::from([("checkpoint".to_owned(), self.checkpoint(size))]);
        files.extend(Tile::added(0, size).map(|tile| (tile.to_string(), self.tile(&tile))));
        let ticks = self.ticks[size as usize];
        let numbered = |folder: &str, count: u64, item: &dyn Fn(u64) -> Vec<u8>| {
            let files = (0..count.div_ceil(256)).map(|number| {
                let tile = Tile::of(Content::Entries, number, count).unwrap();
                let path = tile.to_string().replace("tile/entries", folder);
                (path, (number * 256..count.min(number * 256 + 256)).flat_map(item).collect())
            });
            files.collect::<Vec<(String, Vec<u8>)>>()
        };
        files.extend(numbered("slots", ticks, &|n| self.slots[n as usize].clone()));
        files.extend(numbered("cosigned", ticks.saturating_sub(1), &|n| {
            bundle([self.cosigned(n).as_slice()]).unwrap()
        }));
        for roster in &self.roster_files[..self.rosters[size as usize]] {
            files.insert(format!("roster/{}", Digest::of(roster).hex()), roster.clone());
        }
        files
    }

    /// The size of the log that stands at a target, all files of which are there and are what they have to be.
    pub fn verify(&self, target: &mut dyn Target) -> Option<u64> {
        let checkpoint = target.read("checkpoint").unwrap()?;
        let text = String::from_utf8(checkpoint.bytes).unwrap();
        let size: u64 = text.lines().nth(1).unwrap().parse().unwrap();
        for (path, bytes) in self.files(size) {
            let found = target.read(&path).unwrap().unwrap_or_else(|| panic!("{path} of {size} is missing"));
            assert!(found.bytes == bytes, "{path} of {size} is another");
        }
        Some(size)
    }

    /// Partial files of a folder that neither of two sizes needs.
    pub fn strays(&self, root: &Path, sizes: [u64; 2]) -> Vec<String> {
        let needed: Vec<String> = sizes.into_iter().flat_map(|size| self.files(size).into_keys()).collect();
        let mut all = Vec::new();
        walk(root, root, &mut all);
        all.retain(|path| path != "exported" && !needed.contains(path));
        all
    }
}

fn walk(root: &Path, folder: &Path, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, into);
        } else {
            into.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
}

/// The log as it was published at one size.
pub struct Published {
    log: Arc<Log>,
    size: u64,
    /// Files that are other than they should be; none for one that is missing.
    pub instead: BTreeMap<String, Option<Vec<u8>>>,
}

impl Published {
    fn file(&self, path: &str) -> Option<Vec<u8>> {
        if let Some(instead) = self.instead.get(path) {
            return instead.clone();
        }
        // One at a time: making all files for each question would take long.
        match path.parse::<Tile>() {
            Ok(tile) => (Tile::of(tile.content(), tile.index(), self.size) == Some(tile))
                .then(|| self.log.tile(&tile)),
            Err(_) => self.sides(path),
        }
    }

    fn sides(&self, path: &str) -> Option<Vec<u8>> {
        if path == "checkpoint" {
            return Some(self.log.checkpoint(self.size));
        }
        let (folder, rest) = path.split_once('/')?;
        let ticks = self.log.ticks[self.size as usize];
        let items = |count: u64, item: &dyn Fn(u64) -> Vec<u8>| {
            let tile: Tile = format!("tile/entries/{rest}").parse().ok()?;
            let range = tile.index() * 256..tile.index() * 256 + u64::from(tile.width());
            (Tile::of(Content::Entries, tile.index(), count) == Some(tile))
                .then(|| range.flat_map(item).collect())
        };
        match folder {
            "slots" => items(ticks, &|n| self.log.slots[n as usize].clone()),
            "cosigned" => {
                items(ticks.saturating_sub(1), &|n| bundle([self.log.cosigned(n).as_slice()]).unwrap())
            }
            _ => {
                let rosters = &self.log.roster_files[..self.log.rosters[self.size as usize]];
                rosters.iter().find(|roster| Digest::of(roster).hex() == rest).cloned()
            }
        }
    }
}

impl Shelf for Published {
    fn length(&self, path: &str) -> io::Result<Option<u64>> {
        Ok(self.file(path).map(|bytes| bytes.len() as u64))
    }

    fn read(&self, path: &str, from: u64, len: u64) -> io::Result<Vec<u8>> {
        let bytes = self.file(path).ok_or(io::ErrorKind::NotFound)?;
        let range = usize::try_from(from).unwrap()..usize::try_from(from + len).unwrap();
        Ok(bytes.get(range).ok_or(io::ErrorKind::UnexpectedEof)?.to_vec())
    }
}
