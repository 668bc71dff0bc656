//! The small values an entry is made of. Each has exactly one spelling.

use std::fmt;
use std::str::FromStr;

use placet_core::{UtcTime, is_unseen};

use crate::spelt::spelt;

/// A second of civil time as log entries state it: UTC, 2000 to 2199, written `2026-11-22T05:43:00Z`.
///
/// It is what the log's own clock said. That an entry existed *by* a time is what witnesses' cosignatures show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(UtcTime);

/// 2000-01-01T00:00:00Z and 2199-12-31T23:59:59Z.
const FIRST_SECOND: u64 = 946_684_800;
const LAST_SECOND: u64 = 7_258_118_399;

impl Moment {
    /// The second that starts `seconds` after 1970-01-01T00:00:00Z; none before 2000 and after 2199.
    pub fn from_unix_seconds(seconds: u64) -> Option<Self> {
        let time = UtcTime::from_unix_seconds(seconds)?;
        (FIRST_SECOND..=LAST_SECOND).contains(&seconds).then_some(Self(time))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix_seconds(self) -> u64 {
        self.0.unix_seconds()
    }

    /// The moment `seconds` later; none after 2199.
    pub fn plus(self, seconds: u64) -> Option<Self> {
        Self::from_unix_seconds(self.unix_seconds().checked_add(seconds)?)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Moment {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let time: Option<UtcTime> = text.parse().ok();
        time.and_then(|time| Self::from_unix_seconds(time.unix_seconds())).ok_or(ValueError(Self::WHY))
    }
}

impl Moment {
    pub(crate) const WHY: &str = "is not a second in UTC from 2000 to 2199 such as `2026-11-22T05:43:00Z`";
}

/// A camera as console and log call it: 1 to 64 of `a` to `z`, `0` to `9`, `.`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CameraId(String);

impl CameraId {
    pub(crate) const WHY: &str = "is not a camera's name: 1 to 64 of `a-z0-9._-`";

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CameraId {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
        if fits { Ok(Self(text.to_owned())) } else { Err(ValueError(Self::WHY)) }
    }
}

impl fmt::Display for CameraId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An authority by the name of its office, never of a person: 1 to 120 characters (code points), none of them unseen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authority(String);

impl Authority {
    pub(crate) const WHY: &str = "is not a name of 1 to 120 characters that can all be seen";

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Authority {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let fits =
            (1..=120).contains(&text.chars().count()) && !text.contains(is_unseen) && text.trim() == text;
        if fits { Ok(Self(text.to_owned())) } else { Err(ValueError(Self::WHY)) }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What tells one event from all others: 16 random bytes, fresh for each, so that nothing joins two events but `about`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub [u8; 16]);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

spelt! {
    /// What a search is for, in the rulebook's words (its fact `objective`).
    Purpose {
        /// Particular victims of crime.
        VictimSearch = "victim_search",
        /// A missing person.
        MissingPerson = "missing_person",
        /// To stop a threat to life.
        Threat = "threat",
        /// To stop a terrorist attack.
        TerroristThreat = "terrorist_threat",
        /// A person suspected of an offence.
        Suspect = "suspect",
        /// A convicted person, to carry out a sentence.
        Convict = "convict",
    }
}

impl Purpose {
    /// Its number in a slot: 1 to 6.
    pub fn code(self) -> u8 {
        match self {
            Self::VictimSearch => 1,
            Self::MissingPerson => 2,
            Self::Threat => 3,
            Self::TerroristThreat => 4,
            Self::Suspect => 5,
            Self::Convict => 6,
        }
    }

    /// The purpose of that number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|purpose| purpose.code() == code)
    }
}

spelt! {
    /// Why a sealed original is opened.
    Ground {
        /// A crime was committed before the camera.
        Crime = "crime",
        /// An accident happened before it.
        Accident = "accident",
        /// Somebody asks for the footage of himself (Regulation (EU) 2016/679, Art. 15).
        OwnRequest = "own_request",
    }
}

/// What the public part of an event says that something is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aim {
    /// A search.
    Search(Purpose),
    /// The opening of a sealed original.
    Unsealing(Ground),
}

impl Aim {
    /// As it is spelt. No purpose is spelt as a ground.
    pub fn key(self) -> &'static str {
        match self {
            Self::Search(purpose) => purpose.key(),
            Self::Unsealing(ground) => ground.key(),
        }
    }

    /// The one that is spelt `key`.
    pub fn from_key(key: &str) -> Option<Self> {
        let search = Purpose::from_key(key).map(Self::Search);
        search.or_else(|| Ground::from_key(key).map(Self::Unsealing))
    }
}

impl From<Purpose> for Aim {
    fn from(purpose: Purpose) -> Self {
        Self::Search(purpose)
    }
}

impl From<Ground> for Aim {
    fn from(ground: Ground) -> Self {
        Self::Unsealing(ground)
    }
}

/// What is wrong with a value: a sentence that follows the value's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(pub(crate) &'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_lie_in_two_centuries() {
        for (text, seconds) in [
            ("2000-01-01T00:00:00Z", FIRST_SECOND),
            ("2026-11-22T05:43:00Z", 1_795_326_180),
            ("2199-12-31T23:59:59Z", LAST_SECOND),
        ] {
            assert_eq!(text.parse::<Moment>().map(Moment::unix_seconds), Ok(seconds), "{text}");
            assert_eq!(Moment::from_unix_seconds(seconds).unwrap().to_string(), text);
        }
        for text in
            ["1999-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-22T05:43:00z"]
        {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
        let last = Moment::from_unix_seconds(LAST_SECOND).unwrap();
        assert_eq!((last.plus(0), last.plus(1), last.plus(u64::MAX)), (Some(last), None, None));
    }

    #[test]
    fn names_are_plain() {
        for good in ["hall-north", "a", "0.1_b-", &"x".repeat(64)] {
            assert_eq!(good.parse::<CameraId>().unwrap().as_str(), good);
        }
        for bad in ["", "Hall", "hall north", "hall/1", "hå", &"x".repeat(65)] {
            assert!(bad.parse::<CameraId>().is_err(), "{bad}");
        }
        for good in ["Rechtbank Gent", "Ελεγκτικό Συνέδριο", &"é".repeat(120)] {
            assert_eq!(good.parse::<Authority>().unwrap().as_str(), good);
        }
        for bad in ["", " ", "a\u{202e}b", "a\nb", "a ", &"é".repeat(121)] {
            assert!(bad.parse::<Authority>().is_err(), "{bad}");
        }
    }

    #[test]
    fn no_ground_is_spelt_as_a_purpose() {
        for ground in Ground::ALL {
            assert_eq!(Purpose::from_key(ground.key()), None);
            assert_eq!(Aim::from_key(ground.key()), Some(Aim::Unsealing(*ground)));
        }
        for purpose in Purpose::ALL {
            assert_eq!(Aim::from_key(purpose.key()), Some(Aim::Search(*purpose)));
        }
    }

    #[test]
    fn purposes_have_a_number_each() {
        let codes: Vec<u8> = Purpose::ALL.iter().map(|purpose| purpose.code()).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6]);
        assert!(Purpose::ALL.iter().all(|purpose| Purpose::from_code(purpose.code()) == Some(*purpose)));
        assert_eq!((Purpose::from_code(0), Purpose::from_code(7)), (None, None));
    }
}
