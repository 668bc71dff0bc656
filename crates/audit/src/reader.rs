//! One log at one checkpoint, read piece by piece; nothing is handed out that does not lead to the checkpoint's root.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use placet_core::Digest;
use placet_record::entry::slot::{SEALED_SLOT, SearchSlot, SlotArray, SlotError};
use placet_record::entry::{
    CameraId, CameraRoster, Event, FormError, Genesis, Leaf, LogMode, Moment, PublicPart, Reveal,
    RosterError, Tick,
};
use placet_tlog::merkle::{self, Hash, ProofError};
use placet_tlog::policy::{Accepted, Policy, PolicyError};
use placet_tlog::tile::{BundleError, Content, Tile, WIDTH, unbundle};

use crate::layout::{
    self, CHECKPOINT, MAX_BUNDLE, MAX_CHECKPOINT, MAX_ROSTER, TickFile, Wanted, first_items,
};
use crate::source::{Source, SourceError};
use crate::tree::Tree;

/// The most bundles kept in memory.
const MAX_BUNDLES: usize = 32;

/// How many bundles before and after a tick are searched for the public event of an order: some 16,000 entries each way.
const ORDER_REACH: u64 = 64;

type Bundle = Rc<Vec<Vec<u8>>>;

/// An entry by its index, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// Its index.
    pub index: u64,
    /// What it says.
    pub what: T,
}

/// The ticks on both sides of an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// The last tick that starts at or before it.
    pub before: Option<Found<Tick>>,
    /// The first tick after that.
    pub after: Option<Found<Tick>>,
}

/// A published log at the checkpoint it serves.
#[derive(Debug)]
pub struct Reader<S> {
    tree: Tree<S>,
    policy: Policy,
    served: Vec<u8>,
    accepted: Accepted,
    genesis: Genesis,
    bundles: RefCell<BTreeMap<u64, Bundle>>,
}

impl<S: Source> Reader<S> {
    /// The log as `source` has it now, if `policy` accepts its checkpoint.
    ///
    /// # Errors
    /// If it does not, or the right edge of its tree does not lead to the checkpoint's root, or its first entry is not the
    /// genesis of a log of that origin.
    pub fn open(source: S, policy: &Policy) -> Result<Self, ReadError> {
        let missing = ReadError::Missing { path: CHECKPOINT.to_owned() };
        let served = source.get(CHECKPOINT, MAX_CHECKPOINT)?.ok_or(missing)?;
        let accepted = policy.accept(&served)?;
        let tree = Tree::open(source, accepted.checkpoint())?;
        let bundles = RefCell::default();
        let policy = policy.clone();
        let first = read_bundle(&tree, 0)?;
        let genesis = match first.first().map(|entry| Leaf::parse(entry)) {
            Some(Ok(Leaf::Genesis(genesis))) => genesis,
            Some(Err(source)) => return Err(ReadError::Entry { index: 0, source }),
            Some(Ok(_)) | None => return Err(ReadError::NoGenesis),
        };
        if genesis.origin != accepted.checkpoint().origin {
            return Err(ReadError::NoGenesis);
        }
        Ok(Self { tree, policy, served, accepted, genesis, bundles })
    }

    /// The checkpoint under which everything is read.
    pub fn accepted(&self) -> &Accepted {
        &self.accepted
    }

    /// The policy that accepted it.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The checkpoint's file as it was served.
    pub fn served(&self) -> &[u8] {
        &self.served
    }

    /// The first entry.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// How many entries there are.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The bytes of an entry.
    ///
    /// # Errors
    /// If there is none, or it cannot be had as the checkpoint covers it.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, ReadError> {
        if index >= self.size() {
            return Err(ReadError::NoSuchEntry { index });
        }
        let bundle = self.bundle(index / WIDTH)?;
        let entry = usize::try_from(index % WIDTH).ok().and_then(|at| bundle.get(at));
        entry.cloned().ok_or(ReadError::NoSuchEntry { index })
    }

    /// What an entry says.
    ///
    /// # Errors
    /// As [`Reader::entry`], and if its bytes are no entry.
    pub fn leaf(&self, index: u64) -> Result<Leaf, ReadError> {
        Leaf::parse(&self.entry(index)?).map_err(|source| ReadError::Entry { index, source })
    }

    /// The hashes that prove an entry under the checkpoint.
    ///
    /// # Errors
    /// If there is no such entry, or a tile cannot be had.
    pub fn inclusion_proof(&self, index: u64) -> Result<Vec<Hash>, ReadError> {
        self.inclusion_proof_at(index, self.size())
    }

    /// The hashes that prove an entry in the tree of the first `size` entries.
    ///
    /// # Errors
    /// If there is no such entry, or a tile cannot be had.
    pub fn inclusion_proof_at(&self, index: u64, size: u64) -> Result<Vec<Hash>, ReadError> {
        if index >= size || size > self.size() {
            return Err(ReadError::NoSuchEntry { index });
        }
        merkle::inclusion_proof(&mut &self.tree, index, size)
    }

    /// Checks that an older checkpoint's tree, of `size` entries with `root`, is the beginning of this one.
    ///
    /// # Errors
    /// If it is not: the log showed two histories.
    pub fn check_consistent(&self, size: u64, root: Hash) -> Result<(), ReadError> {
        let checkpoint = self.accepted.checkpoint();
        let proof = merkle::consistency_proof(&mut &self.tree, size, checkpoint.size)?;
        merkle::verify_consistency(size, root, checkpoint.size, checkpoint.root, &proof)
            .map_err(|source| ReadError::Fork { size, source })
    }

    /// The last tick that starts at or before `at`, and the first one after that.
    ///
    /// Ticks ascend in number and time, so it takes a number of bundles that grows with the logarithm of the log's length; stretches
    /// without a tick are stepped over.
    ///
    /// # Errors
    /// If a bundle cannot be had or read.
    pub fn ticks_around(&self, at: Moment) -> Result<Around, ReadError> {
        // The first bundle such that no tick from it on starts at or before `at`.
        let (mut low, mut high) = (0, self.size().div_ceil(WIDTH));
        while low < high {
            let middle = low + (high - low) / 2;
            match self.first_tick_from(middle * WIDTH)? {
                Some(tick) if tick.what.start <= at => low = middle + 1,
                Some(_) | None => high = middle,
            }
        }
        let mut before = None;
        let mut index = low.saturating_sub(1) * WIDTH;
        while let Some(tick) = self.first_tick_from(index)? {
            if tick.what.start > at {
                return Ok(Around { before, after: Some(tick) });
            }
            index = tick.index + 1;
            before = Some(tick);
        }
        Ok(Around { before, after: None })
    }

    /// The first tick at or after an index.
    fn first_tick_from(&self, index: u64) -> Result<Option<Found<Tick>>, ReadError> {
        self.first_from(index, self.size(), |leaf| match leaf {
            Leaf::Tick(tick) => Some(tick),
            _ => None,
        })
    }

    /// The last tick.
    ///
    /// # Errors
    /// If a bundle cannot be had or read.
    pub fn last_tick(&self) -> Result<Option<Found<Tick>>, ReadError> {
        for index in (0..self.size()).rev() {
            if let Leaf::Tick(what) = self.leaf(index)? {
                return Ok(Some(Found { index, what }));
            }
        }
        Ok(None)
    }

    /// The first entry from `from` up to, not including, `until` of which `choose` makes something.
    fn first_from<T>(
        &self,
        from: u64,
        until: u64,
        mut choose: impl FnMut(Leaf) -> Option<T>,
    ) -> Result<Option<Found<T>>, ReadError> {
        for index in from..until.min(self.size()) {
            if let Some(what) = choose(self.leaf(index)?) {
                return Ok(Some(Found { index, what }));
            }
        }
        Ok(None)
    }

    /// The entry that reveals a tick, if there is one.
    ///
    /// A sealed log opens a tick when its date has come, which is where the search begins; only if it is past that date without
    /// having opened it is the stretch before searched too.
    ///
    /// # Errors
    /// If a bundle cannot be had or read.
    pub fn reveal_of(&self, tick: &Found<Tick>) -> Result<Option<Found<Reveal>>, ReadError> {
        let reveals = |leaf| match leaf {
            Leaf::Reveal(reveal) if reveal.tick == tick.what.n => Some(reveal),
            _ => None,
        };
        let from = match self.genesis.mode {
            LogMode::Open => tick.index,
            LogMode::Sealed => {
                // The newest tick that was there when the date came. It starts an interval after it was written.
                let written = tick.what.reveal_by;
                self.ticks_around(written)?.before.map_or(tick.index, |tick| tick.index)
            }
        };
        // The tick of the very date may have been written ahead of the reveal or after it.
        let from = from.saturating_sub(WIDTH).max(tick.index);
        if let Some(found) = self.first_from(from, self.size(), reveals)? {
            return Ok(Some(found));
        }
        let overdue = self.last_tick()?.is_some_and(|last| last.what.start > tick.what.reveal_by);
        if overdue { self.first_from(tick.index, from, reveals) } else { Ok(None) }
    }

    /// The event with a public part for the order, the purpose and the camera of a search that is nearest to entry `near`: the
    /// last one before it, else the first one after it. Some 16,000 entries each way are searched.
    ///
    /// # Errors
    /// If a bundle cannot be had or read.
    pub fn public_event(
        &self,
        search: &SearchSlot,
        camera: &CameraId,
        near: u64,
    ) -> Result<Option<Found<Event>>, ReadError> {
        let fits = |public: &PublicPart| {
            public.order == search.order
                && public.purpose == search.purpose.into()
                && public.cameras.contains(camera)
        };
        let names = |leaf| match leaf {
            Leaf::Event(event) if event.public.as_ref().is_some_and(fits) => Some(event),
            _ => None,
        };
        let reach = ORDER_REACH * WIDTH;
        for index in (near.saturating_sub(reach)..near).rev() {
            if let Some(what) = names(self.leaf(index)?) {
                return Ok(Some(Found { index, what }));
            }
        }
        self.first_from(near, near.saturating_add(reach), names)
    }

    /// The roster of a digest.
    ///
    /// # Errors
    /// If its side file is not there, is another one or is no roster of cameras.
    pub fn roster(&self, digest: &Digest) -> Result<CameraRoster, ReadError> {
        let path = layout::roster(digest);
        let bytes = self.source().get(&path, MAX_ROSTER)?;
        let bytes = bytes.ok_or_else(|| ReadError::Missing { path: path.clone() })?;
        if Digest::of(&bytes) != *digest {
            return Err(ReadError::SideFile { path });
        }
        CameraRoster::parse(&bytes).map_err(|source| ReadError::Roster { path, source })
    }

    /// The slots of a tick.
    ///
    /// # Errors
    /// If they are not there or are not those that the tick commits to.
    pub fn slots(&self, tick: &Tick) -> Result<SlotArray, ReadError> {
        let ticks = self.last_tick()?.map_or(0, |last| last.what.n.saturating_add(1));
        let no_file = ReadError::Missing { path: "slots".to_owned() };
        let file = Wanted::of_ticks(TickFile::Slots, tick.n / WIDTH, ticks).ok_or(no_file)?;
        let length = SEALED_SLOT as u64 * u64::from(self.genesis.slots);
        let found = file.get_range(self.source(), tick.n % WIDTH * length, length)?;
        let (bytes, _) = found.ok_or_else(|| ReadError::Missing { path: file.path.clone() })?;
        let slots = SlotArray::parse(&bytes, self.genesis.slots)
            .map_err(|source| ReadError::Slots { path: file.path.clone(), source })?;
        if slots.root() == tick.slots_root { Ok(slots) } else { Err(ReadError::SideFile { path: file.path }) }
    }

    /// What a tick had when its interval was over: the checkpoint that witnesses cosigned in time. None if there was none, or if it
    /// is not settled or not served.
    ///
    /// # Errors
    /// If its file cannot be taken apart.
    pub fn cosigned(&self, tick: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let settled = self.last_tick()?.map_or(0, |last| last.what.n);
        if tick >= settled {
            return Ok(None);
        }
        let Some(file) = Wanted::of_ticks(TickFile::Cosigned, tick / WIDTH, settled) else { return Ok(None) };
        let Some((bytes, _)) = file.get(self.source(), MAX_BUNDLE)? else { return Ok(None) };
        let items = unbundle(first_items(&bytes, file.width), file.width)
            .map_err(|source| ReadError::Bundle { path: file.path, source })?;
        let item = usize::try_from(tick % WIDTH).ok().and_then(|at| items.get(at)).copied();
        Ok(item.filter(|item| !item.is_empty()).map(<[u8]>::to_vec))
    }

    fn source(&self) -> &S {
        self.tree.source()
    }

    fn bundle(&self, number: u64) -> Result<Bundle, ReadError> {
        if let Some(bundle) = self.bundles.borrow().get(&number) {
            return Ok(Rc::clone(bundle));
        }
        let bundle = Rc::new(read_bundle(&self.tree, number)?);
        let mut kept = self.bundles.borrow_mut();
        if kept.len() >= MAX_BUNDLES {
            kept.clear();
        }
        kept.insert(number, Rc::clone(&bundle));
        Ok(bundle)
    }
}

/// The entries of a bundle, each the one whose hash the tree has.
fn read_bundle<S: Source>(tree: &Tree<S>, number: u64) -> Result<Vec<Vec<u8>>, ReadError> {
    let first = number.saturating_mul(WIDTH);
    let tile =
        Tile::of(Content::Entries, number, tree.size()).ok_or(ReadError::NoSuchEntry { index: first })?;
    let file = Wanted::tile(tile);
    let found = file.get(tree.source(), MAX_BUNDLE)?;
    let (bytes, longer) = found.ok_or_else(|| ReadError::Missing { path: file.path.clone() })?;
    let bytes = if longer { first_items(&bytes, file.width) } else { &bytes };
    let entries =
        unbundle(bytes, file.width).map_err(|source| ReadError::Bundle { path: file.path, source })?;
    let hashes = tree.leaf_hashes(number)?;
    for ((index, entry), hash) in (first..).zip(&entries).zip(hashes.iter()) {
        if Hash::of_leaf(entry) != *hash {
            return Err(ReadError::OtherEntry { index });
        }
    }
    Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
}

/// Why a log was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file cannot be got.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file that has to be there.
    #[error("the log has no file `{path}`")]
    Missing {
        /// Which.
        path: String,
    },
    /// The checkpoint is not one to trust.
    #[error("the log's checkpoint is not accepted")]
    Checkpoint {
        /// Why not.
        #[from]
        source: PolicyError,
    },
    /// The tiles of the tree's edge are not those of the checkpoint.
    #[error("the log's tiles do not lead to the root of its checkpoint")]
    Root,
    /// A tile that is not the one the tree has.
    #[error("`{path}` is not the tile that the checkpoint covers")]
    Tile {
        /// Which.
        path: String,
    },
    /// A bundle that cannot be taken apart.
    #[error("`{path}` cannot be taken apart")]
    Bundle {
        /// Which.
        path: String,
        /// Why not.
        source: BundleError,
    },
    /// An entry with another hash than the tree has for it.
    #[error("entry {index} is not the one that the checkpoint covers")]
    OtherEntry {
        /// Which.
        index: u64,
    },
    /// An entry beyond the end.
    #[error("there is no entry {index} at this checkpoint")]
    NoSuchEntry {
        /// Which.
        index: u64,
    },
    /// Bytes that are no entry.
    #[error("entry {index} cannot be read")]
    Entry {
        /// Which.
        index: u64,
        /// What is wrong with it.
        source: FormError,
    },
    /// A log that does not begin as one.
    #[error("the log's first entry is no genesis of a log of its origin")]
    NoGenesis,
    /// Two histories.
    #[error("the tree of {size} entries that was known before is not the beginning of this one")]
    Fork {
        /// Its size.
        size: u64,
        /// Why not.
        source: ProofError,
    },
    /// A side file with another digest or root.
    #[error("`{path}` is not what the log's entries commit to")]
    SideFile {
        /// Which.
        path: String,
    },
    /// A side file that is no roster.
    #[error("`{path}` cannot be read")]
    Roster {
        /// Which.
        path: String,
        /// Why not.
        source: RosterError,
    },
    /// A file that ends within a tick's slots.
    #[error("`{path}` cannot be read")]
    Slots {
        /// Which.
        path: String,
        /// Why not.
        source: SlotError,
    },
}

impl ReadError {
    /// Whether the log may be sound and only could not be got.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Source(SourceError::Read { .. }))
    }
}
