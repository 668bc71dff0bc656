//! What is stated of a camera at an instant, in words.

use std::fmt;

use placet_core::{Digest, UtcTime};
use placet_record::entry::slot::Counts;
use placet_record::entry::{Authority, CameraId, Moment, Purpose};
use placet_tlog::checkpoint::Origin;
use placet_tlog::cosignature::Seconds;

/// What a log states of one camera at one instant, as [`StatementProof::verify`](crate::StatementProof::verify) found it.
/// Its `Display` is plain sentences that begin with STATED OFF, STATED ON, WILL BE SHOWN ON or UNKNOWN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Of which camera.
    pub camera: CameraId,
    /// At which second.
    pub at: Moment,
    /// The tick that speaks of that second.
    pub tick: Option<TickSpan>,
    /// What is stated.
    pub answer: Answer,
    /// Since when it can be shown to have been stated.
    pub witnessed: Witnessed,
    /// The log.
    pub origin: Origin,
    /// How many entries it had at the checkpoint under which this is proved.
    pub size: u64,
}

/// A tick and the time it speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TickSpan {
    /// Its number.
    pub n: u64,
    /// The first second of its interval.
    pub from: Moment,
    /// The second after its last; none after 2199.
    pub until: Option<Moment>,
}

/// What is stated. Only a slot that was opened and says so gives `Off`; everything else that is not `On` is not "off".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A search ran, or might have, at any instant of the interval.
    On {
        /// What for.
        purpose: Purpose,
        /// SHA-256 of the order as it was signed.
        order: Digest,
        /// The authority that the log's own public event names for that order, this purpose and this camera.
        authority: Option<Authority>,
        /// What came of the interval before.
        counts: Counts,
    },
    /// No search ran at any instant of the interval.
    Off,
    /// It is sealed and will be opened.
    WillBeShown {
        /// When at the latest.
        by: Moment,
    },
    /// Nothing can be said.
    Unknown(Unknown),
}

/// Why nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// No tick speaks of that time, and later ones are there.
    Gap,
    /// No tick speaks of that time, and no later one is shown.
    NotYet,
    /// The log's first tick came later.
    BeforeTheLog,
    /// The log did not speak of such a camera at that time.
    NotACamera,
    /// The camera's gateway did not answer.
    NoAnswer,
    /// The tick should have been opened and was not.
    Overdue {
        /// Since when.
        since: Moment,
    },
}

/// Since when witnesses knew what is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witnessed {
    /// Before the instant was over: nobody knew then what would be asked.
    InTime {
        /// When enough witnesses had cosigned.
        at: Seconds,
    },
    /// When its interval was over, but after the instant.
    Late {
        /// When enough witnesses had cosigned.
        at: Seconds,
    },
    /// Only under the checkpoint at hand.
    NowOnly {
        /// When enough witnesses had cosigned.
        at: Seconds,
    },
    /// The reader's policy asks for no witness: only the log's own key speaks.
    Unwitnessed,
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { camera, at, .. } = self;
        match &self.answer {
            Answer::Off => write!(
                f,
                "STATED OFF: the log states that no search ran on `{camera}` at {at}, nor at any instant of "
            )
            .and_then(|()| self.interval(f)),
            Answer::On { purpose, order, authority, counts } => {
                write!(
                    f,
                    "STATED ON: the log states that a search was on at `{camera}` at {at} and all through "
                )?;
                self.interval(f)?;
                write!(f, " Its purpose is `{}`, its order {order}.", purpose.key())?;
                show_order(f, authority.as_ref())?;
                show_counts(f, counts)
            }
            Answer::WillBeShown { by } => {
                write!(
                    f,
                    "WILL BE SHOWN ON {by} AT THE LATEST: what is stated of `{camera}` at {at} is sealed in "
                )?;
                self.interval(f)
            }
            Answer::Unknown(why) => self.unknown(f, *why),
        }?;
        self.show_witnessed(f)
    }
}

impl Statement {
    fn interval(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tick {
            Some(TickSpan { n, from, until: Some(until) }) => {
                write!(f, "tick {n}, from {from} until {until}.")
            }
            Some(TickSpan { n, from, until: None }) => write!(f, "tick {n}, from {from}."),
            None => write!(f, "no tick."),
        }
    }

    fn unknown(&self, f: &mut fmt::Formatter<'_>, why: Unknown) -> fmt::Result {
        let Self { camera, at, origin, .. } = self;
        write!(f, "UNKNOWN: ")?;
        match why {
            Unknown::Gap => write!(
                f,
                "the log states nothing of {at}; ticks before and after it are there. A gap is not \"off\"."
            ),
            Unknown::NotYet => write!(f, "no tick is shown that speaks of {at}, nor a later one."),
            Unknown::BeforeTheLog => write!(f, "{at} is before the log's first tick."),
            Unknown::NotACamera => {
                write!(
                    f,
                    "`{camera}` was no camera of the log `{origin}` at {at}. Nothing is stated of it in "
                )?;
                self.interval(f)
            }
            Unknown::NoAnswer => {
                write!(f, "the gateway of `{camera}` did not answer, and nothing is stated of it in ")?;
                self.interval(f)
            }
            Unknown::Overdue { since } => {
                write!(f, "no reveal is shown, and it was due by {since}. It is overdue for ")?;
                self.interval(f)
            }
        }
    }

    fn show_witnessed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, size, .. } = self;
        let stated = self.tick.is_some();
        match self.witnessed {
            Witnessed::InTime { at } => write!(f, " Witnessed in time, at {}.", Time(at)),
            Witnessed::Late { at } => write!(f, " Witnessed late, at {}: after that instant.", Time(at)),
            Witnessed::NowOnly { at } if stated => {
                write!(f, " That it was stated in time is not shown: witnessed only now, at {}.", Time(at))
            }
            Witnessed::NowOnly { at } => write!(f, " Witnessed at {}.", Time(at)),
            Witnessed::Unwitnessed => write!(f, " Unwitnessed: only the log's own key says so."),
        }?;
        write!(f, " Log `{origin}` at {size} entries.")
    }
}

fn show_order(f: &mut fmt::Formatter<'_>, authority: Option<&Authority>) -> fmt::Result {
    match authority {
        Some(authority) => write!(f, " The log names its authority: {authority}."),
        None => write!(f, " Its authority is not shown."),
    }
}

fn show_counts(f: &mut fmt::Formatter<'_>, counts: &Counts) -> fmt::Result {
    let Counts { frames_compared, candidates, confirmed, rejected } = counts;
    write!(f, " In the interval before: {frames_compared} frames compared, {candidates} candidates, ")?;
    write!(f, "{confirmed} of them confirmed and {rejected} rejected by a person.")
}

/// A witness's time; beyond the calendar, as its number.
pub(crate) struct Time(pub Seconds);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UtcTime::from_unix_seconds(self.0) {
            Some(time) => time.fmt(f),
            None => write!(f, "second {} since 1970", self.0),
        }
    }
}
