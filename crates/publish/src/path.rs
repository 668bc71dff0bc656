use std::fmt;
use std::str::FromStr;

use placet_core::Digest;
use placet_tlog::tile::{Content, Tile};

/// The longest path there can be, with room.
const MAX_PATH: usize = 128;

/// A file of a published log. One file has one spelling; whatever is spelt otherwise is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogPath {
    /// The newest checkpoint.
    Checkpoint,
    /// Hashes, or a bundle of entries.
    Tile(Tile),
    /// Slots of up to 256 ticks.
    Slots(Chunk),
    /// What up to 256 ticks had of cosignatures when their interval was over.
    Cosigned(Chunk),
    /// The side file of a roster, by its digest.
    Roster(Digest),
}

/// Which 256 ticks, and how many of them are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chunk(Tile);

impl Chunk {
    /// The ticks from 256 `index` on, `width` of 1 to 256.
    pub fn new(index: u64, width: u16) -> Option<Self> {
        Tile::new(Content::Entries, index, width).map(Self)
    }

    /// Chunk `index` of a log with `ticks` of them; none if there is nothing in it.
    pub fn of(index: u64, ticks: u64) -> Option<Self> {
        Tile::of(Content::Entries, index, ticks).map(Self)
    }

    /// Its number.
    pub fn index(&self) -> u64 {
        self.0.index()
    }

    /// How many ticks it has.
    pub fn width(&self) -> u16 {
        self.0.width()
    }

    /// Whether it will not change any more.
    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }

    /// Numbers are written as those of tiles, so that one parser knows them.
    fn parse(text: &str) -> Option<Self> {
        format!("tile/entries/{text}").parse().ok().map(Self)
    }
}

impl fmt::Display for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_string().strip_prefix("tile/entries/").unwrap_or_default())
    }
}

impl LogPath {
    /// Whether its content may change.
    pub fn may_change(&self) -> bool {
        matches!(self, Self::Checkpoint)
    }
}

impl fmt::Display for LogPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Tile(tile) => tile.fmt(f),
            Self::Slots(chunk) => write!(f, "slots/{chunk}"),
            Self::Cosigned(chunk) => write!(f, "cosigned/{chunk}"),
            Self::Roster(digest) => write!(f, "roster/{}", digest.hex()),
        }
    }
}

/// A path that is none of a published log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the path of a file of a log")]
pub struct LogPathError;

impl FromStr for LogPath {
    type Err = LogPathError;

    fn from_str(path: &str) -> Result<Self, LogPathError> {
        let read = || {
            Some(match path.split_once('/') {
                None if path == "checkpoint" => Self::Checkpoint,
                Some(("tile", _)) => Self::Tile(path.parse().ok()?),
                Some(("slots", rest)) => Self::Slots(Chunk::parse(rest)?),
                Some(("cosigned", rest)) => Self::Cosigned(Chunk::parse(rest)?),
                Some(("roster", hex)) => Self::Roster(format!("sha256:{hex}").parse().ok()?),
                _ => return None,
            })
        };
        let parsed = if path.len() <= MAX_PATH { read() } else { None };
        // Whatever has another spelling prints differently.
        parsed.filter(|p: &Self| p.to_string() == path).ok_or(LogPathError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "98ca0a0972 6b26b30cf13f22953237dbecbcdbdcf936a8f8e4d6cc87dad5a159";

    #[test]
    fn paths_print_and_parse_back() {
        let roster = format!("roster/{}", HEX.replace(' ', ""));
        for path in [
            "checkpoint",
            "tile/0/000",
            "tile/2/x001/x234/067.p/17",
            "tile/entries/x001/000",
            "slots/000.p/1",
            "slots/x001/234",
            "cosigned/999.p/255",
            roster.as_str(),
        ] {
            let parsed: LogPath = path.parse().expect(path);
            assert_eq!(parsed.to_string(), path);
            assert_eq!(parsed.may_change(), path == "checkpoint");
        }
        assert_eq!(Chunk::of(1, 300).map(|c| (c.index(), c.width(), c.is_full())), Some((1, 44, false)));
        assert_eq!(Chunk::of(2, 300), None);
    }

    #[test]
    fn whatever_is_spelt_otherwise_is_no_path() {
        let roster = format!("roster/{}", HEX.replace(' ', "").to_uppercase());
        for path in [
            "",
            "/checkpoint",
            "checkpoint/",
            "Checkpoint",
            "checkpoint.new",
            "tile",
            "tile/0",
            "tile/00/000",
            "tile/0/000.p/256",
            "tile/0/000.p/0",
            "tile/entries/../../secret",
            "slots",
            "slots/",
            "slots/1",
            "slots/../checkpoint",
            "slots/x000/001",
            "slots/000.p/",
            "slots//000",
            "cosigned/000%2f001",
            "cosigned/./000",
            "roster/",
            "roster/../checkpoint",
            "roster/abc",
            roster.as_str(),
            "etc/passwd",
            "../checkpoint",
            "tile/0/\u{0}000",
        ] {
            assert_eq!(path.parse::<LogPath>(), Err(LogPathError), "{path}");
        }
    }
}
