//! The small values a manifest is made of. Each has exactly one spelling.

use std::fmt;
use std::str::FromStr;

/// An enum whose variants each have one spelling in a manifest.
macro_rules! spelt {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $key:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every variant.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The variant as manifests spell it.
            pub fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)+ }
            }

            /// The variant that manifests spell `key`.
            pub fn from_key(key: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|variant| variant.key() == key)
            }
        }
    };
}

spelt! {
    /// How hard the detector looked at each frame.
    Mode {
        /// At the whole picture, made small.
        Fast = "fast",
        /// At the whole picture, and at its parts at full size.
        Thorough = "thorough",
    }
}

spelt! {
    /// What each detected face stands for.
    Target {
        /// The face.
        Face = "face",
        /// The head with hair, ears and chin.
        Head = "head",
    }
}

spelt! {
    /// Outline of what hides a face.
    Shape {
        /// An ellipse in its rectangle.
        Ellipse = "ellipse",
        /// The whole rectangle.
        Box = "box",
    }
}

spelt! {
    /// What hides a face.
    Fill {
        /// Colors from outside the face. Cannot be undone.
        Surround = "surround",
        /// One color. Cannot be undone.
        Solid = "solid",
        /// A blur. Published attacks undo it in part.
        Blur = "blur",
        /// Coarse squares. Published attacks undo them in part.
        Mosaic = "mosaic",
    }
}

impl Fill {
    /// Whether something of the face is still in the output.
    pub fn is_reversible(self) -> bool {
        match self {
            Self::Surround | Self::Solid => false,
            Self::Blur | Self::Mosaic => true,
        }
    }
}

spelt! {
    /// How much of the output the second detector looked at.
    Verify {
        /// Nothing.
        None = "none",
        /// Some frames, most of them where tracks begin, end and bridge gaps.
        Sample = "sample",
        /// Every frame.
        Full = "full",
    }
}

spelt! {
    /// What a face found by the second detector leads to.
    OnFound {
        /// It is covered and checked again; the output is withheld if one remains.
        Cover = "cover",
        /// The output is withheld.
        Withhold = "withhold",
    }
}

spelt! {
    /// Fate of the sound.
    Audio {
        /// Copied untouched.
        Keep = "keep",
        /// Left out.
        Drop = "drop",
    }
}

spelt! {
    /// Fate of place, device, title and thumbnail metadata.
    Metadata {
        /// Left out.
        Stripped = "stripped",
        /// Copied.
        Kept = "kept",
    }
}

/// A color, spelt `rrggbb` in lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Color(pub [u8; 3]);

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "{r:02x}{g:02x}{b:02x}")
    }
}

impl FromStr for Color {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let hex = text.len() == 6 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let value = u32::from_str_radix(text, 16).ok().filter(|_| hex);
        let [_, r, g, b] = value.ok_or(ValueError("is not six lower-case hex digits"))?.to_be_bytes();
        Ok(Self([r, g, b]))
    }
}

/// A short text of Placet's own choosing, such as a model's or a codec's name: 1 to 255 bytes, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(String);

impl Label {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let fits = (1..=255).contains(&text.len()) && !text.contains(char::is_control);
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(ValueError("is not 1 to 255 bytes without control characters"))
        }
    }
}

/// The name of a file without its folders: folders tell of people and places. 1 to 1,024 bytes, no `/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileName(String);

impl FileName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FileName {
    type Err = ValueError;

    fn from_str(name: &str) -> Result<Self, ValueError> {
        let fits =
            (1..=1024).contains(&name.len()) && !name.contains(['/', '\0']) && name != "." && name != "..";
        if fits {
            Ok(Self(name.to_owned()))
        } else {
            Err(ValueError("is not a file name of 1 to 1024 bytes without `/`"))
        }
    }
}

/// Frames per second as a fraction: `30000/1001`. Not reduced, and never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameRate {
    num: u32,
    den: u32,
}

impl FrameRate {
    /// `num/den` frames per second; none where either is zero.
    pub fn new(num: u32, den: u32) -> Option<Self> {
        (num > 0 && den > 0).then_some(Self { num, den })
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

impl FromStr for FrameRate {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let bad = ValueError("is not a fraction of two whole numbers above zero, such as `30000/1001`");
        let (num, den) = text.split_once('/').ok_or(bad)?;
        let rate =
            num.parse().ok().zip(den.parse().ok()).and_then(|(num, den)| Self::new(num, den)).ok_or(bad)?;
        if rate.to_string() == text { Ok(rate) } else { Err(bad) }
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
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let number = |range| text.get(range).and_then(|digits: &str| digits.parse::<u64>().ok());
        let read = || {
            let days = days(number(0..4)?, number(5..7)?, number(8..10)?)?;
            let seconds = number(11..13)? * 3_600 + number(14..16)? * 60 + number(17..19)?;
            Self::from_unix_seconds(days * 86_400 + seconds)
        };
        // Whatever is no calendar date or no such spelling prints differently: 30 February, 24:00, a lower-case `z`.
        read()
            .filter(|time| time.to_string() == text)
            .ok_or(ValueError("is not a time in UTC such as `2026-11-22T12:00:00Z`"))
    }
}

/// What is wrong with a value: a sentence that follows the value's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(pub(crate) &'static str);

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

    #[test]
    fn a_frame_rate_has_one_spelling() {
        for text in ["25/1", "30000/1001", "50/2"] {
            assert_eq!(text.parse::<FrameRate>().unwrap().to_string(), text);
        }
        for text in ["", "25", "25/0", "0/1", "025/1", "+25/1", "25/1/1", "25.0/1", "-25/1", "4294967296/1"] {
            assert!(text.parse::<FrameRate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_name_has_no_folders() {
        for name in ["", ".", "..", "a/b", "/a", "a\0b"] {
            assert!(name.parse::<FileName>().is_err(), "{name}");
        }
        for name in ["clip.mp4", "-", "strandvägen 3.mov", "...", "a\\b"] {
            assert!(name.parse::<FileName>().is_ok(), "{name}");
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
