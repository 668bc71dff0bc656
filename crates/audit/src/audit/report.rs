//! What an audit found.

use std::fmt;

use placet_core::UtcTime;
use placet_record::entry::slot::SlotError;
use placet_record::entry::{CameraId, Finding, FormError, Genesis, Misbehaviour, RosterError};
use placet_tlog::policy::{Accepted, PolicyError, PolicyFileError};
use placet_tlog::tile::BundleError;

/// The most of a kind that a report lists; the rest is counted.
pub const MAX_LISTED: usize = 1_000;

/// What was found in a log at one checkpoint that a policy accepts.
#[derive(Debug, Clone)]
pub struct Report {
    /// The checkpoint.
    pub accepted: Accepted,
    /// The first entry, if it is one.
    pub genesis: Option<Genesis>,
    /// What was checked.
    pub counted: Counted,
    /// Whether the entries are those that the checkpoint covers, so that the log answers for them.
    pub is_covered: bool,
    /// What makes the log unfit to be believed: files that are not what the checkpoint covers, rules broken. In the order
    /// in which it was met, at most [`MAX_LISTED`].
    pub invalid: Vec<Noted<Invalid>>,
    /// How many more there were.
    pub invalid_beyond: u64,
    /// What is worth knowing and breaks no rule of form, at most [`MAX_LISTED`].
    pub notices: Vec<Noted<Notice>>,
    /// How many more there were.
    pub notices_beyond: u64,
}

impl Report {
    pub(super) fn new(accepted: Accepted) -> Self {
        Self {
            accepted,
            genesis: None,
            counted: Counted::default(),
            is_covered: false,
            invalid: Vec::new(),
            invalid_beyond: 0,
            notices: Vec::new(),
            notices_beyond: 0,
        }
    }

    /// Whether nothing is wrong with the log, gaps and the like aside.
    pub fn is_sound(&self) -> bool {
        self.invalid.is_empty()
    }

    /// Whether the log broke its own rules, and its signature says so: no failure of power, disk, network or host explains it.
    pub fn has_misbehaved(&self) -> bool {
        let broken = |noted: &Noted<Invalid>| match noted.what {
            // These rest on a signature of their own.
            Invalid::Fork { .. } | Invalid::Shrunk { .. } => true,
            ref what => self.is_covered && what.is_misbehaviour(),
        };
        self.invalid.iter().any(broken)
    }

    /// Drops what was held against the log's rules: the entries turned out not to be the log's.
    pub(super) fn forget_rules(&mut self) {
        self.invalid.retain(|noted| !noted.what.is_misbehaviour());
        self.notices.clear();
        (self.invalid_beyond, self.notices_beyond) = (0, 0);
    }

    pub(super) fn refuse(&mut self, index: Option<u64>, what: Invalid) {
        if self.invalid.len() < MAX_LISTED {
            self.invalid.push(Noted { index, what });
        } else {
            self.invalid_beyond += 1;
        }
    }

    pub(super) fn note(&mut self, index: Option<u64>, what: Notice) {
        if self.notices.len() < MAX_LISTED {
            self.notices.push(Noted { index, what });
        } else {
            self.notices_beyond += 1;
        }
    }
}

/// Something found, with the index of the entry it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted<T> {
    /// The entry's index; none where it is about a file or about what is not there.
    pub index: Option<u64>,
    /// What was found.
    pub what: T,
}

impl<T: fmt::Display> fmt::Display for Noted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "entry {index}: {}", self.what),
            None => self.what.fmt(f),
        }
    }
}

/// How much was checked, so that a report of nothing found says how much it means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Entries read and hashed.
    pub entries: u64,
    /// Bundles.
    pub bundles: u64,
    /// Tiles compared with what the entries give.
    pub tiles: u64,
    /// Ticks.
    pub ticks: u64,
    /// Ticks that were opened, each slot of them.
    pub opened: u64,
    /// Slots opened.
    pub slots: u64,
    /// Events.
    pub events: u64,
    /// Rosters compared with their digests.
    pub rosters: u64,
    /// Checkpoints in `cosigned` that meet the policy and belong to this history.
    pub cosigned: u64,
    /// Those of them that witnesses had cosigned before the tick's interval began.
    pub in_time: u64,
    /// Settled ticks for which there was no such checkpoint.
    pub unwitnessed: u64,
}

/// Why a log is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A file that has to be there.
    #[error("`{path}` is missing")]
    Missing {
        /// Which.
        path: String,
    },
    /// A file with more bytes than anything of its kind.
    #[error("`{path}` is longer than it may be")]
    TooLong {
        /// Which.
        path: String,
    },
    /// A bundle that cannot be taken apart. Entries from there on are not judged.
    #[error("`{path}` cannot be taken apart")]
    Bundle {
        /// Which.
        path: String,
        /// Why not.
        source: BundleError,
    },
    /// Bytes that are no entry.
    #[error("it cannot be read")]
    Entry {
        /// What is wrong with it.
        source: FormError,
    },
    /// A log under another name.
    #[error("the genesis is of another log than the checkpoint")]
    Origin,
    /// A rule that an entry breaks.
    #[error("misbehaviour")]
    Misbehaviour {
        /// Which.
        source: Misbehaviour,
    },
    /// A tile that is not what the entries give.
    #[error("`{path}` is not what the entries give")]
    Tile {
        /// Which.
        path: String,
    },
    /// The entries are not those that the checkpoint covers.
    #[error("the entries do not give the root of the checkpoint")]
    Root,
    /// A checkpoint signed by a key that was not the log's at that size.
    #[error("a checkpoint of {size} entries is signed by a key that the log's entries do not let sign it")]
    Key {
        /// Its size.
        size: u64,
    },
    /// A side file with another digest than its entry, or with another count.
    #[error("`{path}` is not the side file that the roster speaks of")]
    RosterFile {
        /// Which.
        path: String,
    },
    /// A side file that is no roster.
    #[error("`{path}` is no roster of cameras")]
    Roster {
        /// Which.
        path: String,
        /// Why not.
        source: RosterError,
    },
    /// A side file that is no policy.
    #[error("`{path}` is no witness policy")]
    Witnesses {
        /// Which.
        path: String,
        /// Why not.
        source: PolicyFileError,
    },
    /// A camera with a slot that no tick has.
    #[error("the roster gives `{camera}` the slot {slot}, which no tick has")]
    RosterSlot {
        /// The camera.
        camera: CameraId,
        /// Its slot.
        slot: u32,
    },
    /// Slots that are cut off, or not those that their tick commits to.
    #[error("`{path}` has other slots for tick {tick} than it commits to")]
    Slots {
        /// The file.
        path: String,
        /// The tick's number.
        tick: u64,
    },
    /// A file of ticks that goes on behind its last tick.
    #[error("`{path}` goes on behind its last tick")]
    TooManyTicks {
        /// Which.
        path: String,
    },
    /// A slot that the log's own seed does not open, or that holds what no slot holds.
    #[error("misbehaviour: its own reveal does not open it")]
    Slot {
        /// Which, and why not.
        source: SlotError,
    },
    /// A slot without a camera, although the roster gives it one.
    #[error(
        "misbehaviour: slot {slot} of tick {tick} says that no camera has it, and the roster gives it to `{camera}`"
    )]
    SlotUnused {
        /// The tick's number.
        tick: u64,
        /// The slot's number.
        slot: u32,
        /// The camera.
        camera: CameraId,
    },
    /// A file of `cosigned` that cannot be taken apart.
    #[error("`{path}` cannot be taken apart")]
    CosignedFile {
        /// Which.
        path: String,
        /// Why not.
        source: BundleError,
    },
    /// What stands in `cosigned` is no checkpoint of the log.
    #[error("the `cosigned` item of tick {tick} is not accepted")]
    Cosigned {
        /// The tick's number.
        tick: u64,
        /// Why not.
        source: PolicyError,
    },
    /// A checkpoint in `cosigned` that does not cover its tick, or was made after the next one.
    #[error(
        "the `cosigned` item of tick {tick} has {size} entries, which is not between its tick and the next one"
    )]
    CosignedSize {
        /// The tick's number.
        tick: u64,
        /// Its size.
        size: u64,
    },
    /// A checkpoint of another history.
    #[error("misbehaviour: the log signed another history: a tree of {size} entries with another root{}", of_tick(.tick.as_ref()))]
    Fork {
        /// How many entries that history had.
        size: u64,
        /// The tick in whose `cosigned` item it stands; none for the older checkpoint that was given.
        tick: Option<u64>,
    },
    /// A checkpoint smaller than one that was given.
    #[error("misbehaviour: the log had {size} entries before and has fewer now")]
    Shrunk {
        /// How many it had.
        size: u64,
    },
}

fn of_tick(tick: Option<&u64>) -> String {
    tick.map_or_else(String::new, |tick| format!(" (the `cosigned` item of tick {tick})"))
}

impl Invalid {
    /// Whether no failure of power, disk or network explains it: the log broke its own rules, and its signature says so.
    pub fn is_misbehaviour(&self) -> bool {
        matches!(
            self,
            Self::Misbehaviour { .. }
                | Self::Slot { .. }
                | Self::SlotUnused { .. }
                | Self::Fork { .. }
                | Self::Shrunk { .. }
                | Self::Key { .. }
        )
    }
}

/// What is worth knowing of a log that keeps its rules. Its `Display` is a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A gap, a silence, a reveal that is late, early or overdue.
    Of(Finding),
    /// A checkpoint in `cosigned` with too few witnesses for the reader's policy.
    TooFewWitnesses {
        /// The tick's number.
        tick: u64,
    },
    /// A slot in use that no camera of the roster has.
    SlotOfNoCamera {
        /// The tick's number.
        tick: u64,
        /// The slot's number.
        slot: u32,
    },
    /// A checkpoint that witnesses cosigned later than now.
    WitnessAhead {
        /// When they say.
        at: UtcTime,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(finding) => finding.fmt(f),
            Self::TooFewWitnesses { tick } => {
                write!(f, "the `cosigned` item of tick {tick} has too few witnesses for this policy")
            }
            Self::SlotOfNoCamera { tick, slot } => {
                write!(f, "slot {slot} of tick {tick} is in use, and no camera of the roster has it")
            }
            Self::WitnessAhead { at } => {
                write!(
                    f,
                    "witnesses say that they saw the checkpoint at {at}, which is yet to come: a clock is wrong"
                )
            }
        }
    }
}
