//! What a log shows, and what no log may do.

use std::fmt;

use super::super::value::{EventId, Moment};

/// A rule that an entry breaks. No failure of power, disk or network leads to one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misbehaviour {
    /// The first entry is no genesis.
    #[error("entry {index} stands in a log without a genesis")]
    NoGenesis {
        /// Which entry.
        index: u64,
    },
    /// A genesis that is not the first entry.
    #[error("entry {index} is a second genesis, or comes after other entries")]
    SecondGenesis {
        /// Which entry.
        index: u64,
    },
    /// A tick left out, repeated or out of order.
    #[error("a tick is numbered {stated} where {expected} is due")]
    TickNumber {
        /// The number that is due.
        expected: u64,
        /// The number it has.
        stated: u64,
    },
    /// A tick that begins before the one before it is over, or before its log.
    #[error("tick {tick} begins in a time that was spoken of before")]
    TickTime {
        /// Its number.
        tick: u64,
    },
    /// A date other than the one that the genesis fixes.
    #[error("tick {tick} names another date for its reveal than the log's genesis fixes")]
    RevealDate {
        /// Its number.
        tick: u64,
    },
    /// A tick without a roster to say which camera has which slot.
    #[error("tick {tick} comes before any roster of cameras")]
    NoRoster {
        /// Its number.
        tick: u64,
    },
    /// A tick that gives its slots to other cameras than were announced.
    #[error("tick {tick} names another roster than the newest one of cameras before it")]
    OtherRoster {
        /// Its number.
        tick: u64,
    },
    /// A reveal of a tick that is not there.
    #[error("entry {index} reveals tick {tick}, which there is not")]
    RevealOfNothing {
        /// Which entry.
        index: u64,
        /// The number it names.
        tick: u64,
    },
    /// A reveal of a tick that was opened before.
    #[error("entry {index} reveals tick {tick} a second time")]
    RevealTwice {
        /// Which entry.
        index: u64,
        /// The tick's number.
        tick: u64,
    },
    /// A reveal that would tell what goes on while it goes on.
    #[error("entry {index} reveals tick {tick} before its interval is over")]
    RevealTooSoon {
        /// Which entry.
        index: u64,
        /// The tick's number.
        tick: u64,
    },
    /// A key that does not bear the log's origin as its name.
    #[error("entry {index} changes to or from a key that is not named after the log")]
    KeyName {
        /// Which entry.
        index: u64,
    },
    /// A change that no tree signed by the old key would show.
    #[error("entry {index} lets the new key sign alone before the old one has signed this entry")]
    KeyUnannounced {
        /// Which entry.
        index: u64,
    },
    /// A change from a key that was not the last one.
    #[error("entry {index} does not change the key that was named last")]
    KeyChain {
        /// Which entry.
        index: u64,
    },
    /// A change before the last one is in force.
    #[error("entry {index} changes a key that does not sign alone yet")]
    KeyNotInForce {
        /// Which entry.
        index: u64,
    },
    /// A change to a key that was replaced before.
    #[error("entry {index} goes back to a key that was replaced")]
    KeyAgain {
        /// Which entry.
        index: u64,
    },
    /// More cameras than slots.
    #[error("entry {index} lists more cameras than each tick has slots")]
    RosterTooLong {
        /// Which entry.
        index: u64,
    },
    /// An event about an entry that is not there yet.
    #[error("entry {index} is about entry {about}, which is not before it")]
    AboutForward {
        /// Which entry.
        index: u64,
        /// What it points to.
        about: u64,
    },
    /// Two events under one id.
    #[error("entry {index} has the id `{id}` of an earlier event")]
    EventTwice {
        /// Which entry.
        index: u64,
        /// The id.
        id: EventId,
    },
}

/// What a log shows or lacks without breaking a rule of form. Its `Display` is a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A time no tick speaks of: nothing is stated, least of all "off".
    Gap {
        /// The tick after it.
        before: u64,
        /// Its first second.
        from: Moment,
        /// The second after its last.
        until: Moment,
    },
    /// A tick that should have been opened and is not.
    Overdue {
        /// Its number.
        tick: u64,
        /// The date it named.
        since: Moment,
    },
    /// A tick that was opened after its date.
    Late {
        /// Its number.
        tick: u64,
        /// The date it named.
        by: Moment,
        /// When it was opened.
        at: Moment,
    },
    /// A tick of a sealed log that was opened before its date: that some are, tells those from the others.
    Early {
        /// Its number.
        tick: u64,
        /// The date it named.
        by: Moment,
        /// When it was opened.
        at: Moment,
    },
    /// No tick speaks of the time since then.
    Silent {
        /// Where the next tick was due.
        since: Moment,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { before, from, until } => {
                write!(f, "nothing is stated from {from} until {until}, before tick {before}")
            }
            Self::Overdue { tick, since } => write!(f, "tick {tick} should have been opened by {since}"),
            Self::Late { tick, by, at } => write!(f, "tick {tick} was due by {by} and was opened at {at}"),
            Self::Early { tick, by, at } => {
                write!(f, "tick {tick} of a sealed log was due by {by} and was opened already at {at}")
            }
            Self::Silent { since } => write!(f, "the log has been silent since {since}"),
        }
    }
}
