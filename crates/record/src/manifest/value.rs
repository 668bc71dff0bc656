//! The small values a manifest is made of. Each has exactly one spelling.

use std::fmt;
use std::str::FromStr;

use crate::spelt::spelt;

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

/// What is wrong with a value: a sentence that follows the value's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(pub(crate) &'static str);

#[cfg(test)]
mod tests {
    use super::*;

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
}
