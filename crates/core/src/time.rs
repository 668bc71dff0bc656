use std::fmt;
use std::str::FromStr;

/// Presentation time of a frame, in ticks of its stream's [`TimeBase`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pts(pub i64);

/// Seconds per tick, as a fraction: 1/90000 for a 90 kHz stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeBase {
    num: u32,
    den: u32,
}

impl TimeBase {
    /// The clock of everything live: 90 kHz, as RTP counts video.
    pub const LIVE: Self = Self { num: 1, den: 90_000 };

    /// `num/den` seconds per tick; none where either is zero.
    pub fn new(num: u32, den: u32) -> Option<Self> {
        (num > 0 && den > 0).then_some(Self { num, den })
    }

    /// Numerator.
    pub fn num(self) -> u32 {
        self.num
    }

    /// Denominator.
    pub fn den(self) -> u32 {
        self.den
    }

    /// Seconds from zero to `pts`.
    pub fn seconds(self, pts: Pts) -> f64 {
        pts.0 as f64 * f64::from(self.num) / f64::from(self.den)
    }
}

impl fmt::Display for TimeBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

/// A second of civil time in UTC, 1970 to 9999. Written as RFC 3339 with a `Z`: `2026-11-22T12:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UtcTime {
    unix_seconds: u64,
}

/// The last second of 9999.
const LAST_SECOND: u64 = 253_402_300_799;

impl UtcTime {
    /// The second that starts `seconds` after 1970-01-01T00:00:00Z; none after 9999.
    pub fn from_unix_seconds(seconds: u64) -> Option<Self> {
        (seconds <= LAST_SECOND).then_some(Self { unix_seconds: seconds })
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix_seconds(self) -> u64 {
        self.unix_seconds
    }
}

/// Days from 0000-03-01 to 1970-01-01. Years that begin in March have their leap day last, and 400 of them always have
/// 146,097 days (proleptic Gregorian calendar).
const DAYS_TO_1970: u64 = 719_468;
const DAYS_IN_400_YEARS: u64 = 146_097;

/// Year, month and day of the day `days` after 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_TO_1970;
    let (cycle, day) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // 0 is March: from there months have 153 days in five
    let day = day - (153 * month + 2) / 5 + 1;
    let year = 400 * cycle + year;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

/// Days from 1970-01-01 to a day, which may lie outside its month; none where it is earlier.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    days.checked_sub(DAYS_TO_1970 + 1)
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.unix_seconds / 86_400);
        let second = self.unix_seconds % 86_400;
        let (h, m, s) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}Z")
    }
}

impl FromStr for UtcTime {
    type Err = UtcTimeError;

    fn from_str(text: &str) -> Result<Self, UtcTimeError> {
        let number = |range| text.get(range).and_then(|digits: &str| digits.parse::<u64>().ok());
        let read = || {
            let days = days(number(0..4)?, number(5..7)?, number(8..10)?)?;
            let seconds = number(11..13)? * 3_600 + number(14..16)? * 60 + number(17..19)?;
            Self::from_unix_seconds(days * 86_400 + seconds)
        };
        // Whatever is no calendar date or no such spelling prints differently: 30 February, 24:00, a lower-case `z`.
        read().filter(|time| time.to_string() == text).ok_or(UtcTimeError)
    }
}

/// A text that is no [`UtcTime`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a time in UTC such as `2026-11-22T12:00:00Z`")]
pub struct UtcTimeError;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_read_as_the_calendar_has_them() {
        // Checked against GNU date.
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2026-11-22T12:00:00Z", 1_795_348_800),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("9999-12-31T23:59:59Z", LAST_SECOND),
        ] {
            assert_eq!(text.parse::<UtcTime>().map(UtcTime::unix_seconds), Ok(seconds), "{text}");
            assert_eq!(UtcTime::from_unix_seconds(seconds).unwrap().to_string(), text);
        }
        assert_eq!(UtcTime::from_unix_seconds(LAST_SECOND + 1), None);
    }

    #[test]
    fn other_spellings_of_a_time_are_refused() {
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T12:00:00",
            "2026-11-22t12:00:00z",
            "2026-11-22 12:00:00Z",
            "2026-11-22T12:00:00.0Z",
            "2026-11-22T12:00:00+00:00",
            "2026-11-22T24:00:00Z",
            "2026-11-22T12:60:00Z",
            "2026-12-31T23:59:60Z",
            "2026-02-29T12:00:00Z",
            "2026-00-10T12:00:00Z",
            "2026-13-10T12:00:00Z",
            "1969-12-31T23:59:59Z",
            "0000-01-01T00:00:00Z",
            "+026-11-22T12:00:00Z",
            "2026-11-22T12:00:00Zé",
        ] {
            assert!(text.parse::<UtcTime>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn times_print_and_parse_back(seconds in 0..=LAST_SECOND) {
            let time = UtcTime::from_unix_seconds(seconds).unwrap();
            prop_assert_eq!(time.to_string().parse::<UtcTime>(), Ok(time));
        }
    }
}
