//! A tree as static files after [C2SP tlog-tiles](https://c2sp.org/tlog-tiles): hashes in tiles of 256, entries in bundles
//! of 256, each under a path that any web server can serve.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use crate::merkle::{Hash, Nodes};

/// How many hashes a full tile has, and entries a full bundle.
pub const WIDTH: u64 = 256;

/// The levels of a tree that one tile level spans.
const HEIGHT: u8 = 8;

/// The longest entry, in bytes: its length is written in 16 bits.
pub const MAX_ENTRY: usize = u16::MAX as usize;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Content {
    /// Hashes of subtrees of 256^level leaves each; level 0 holds leaf hashes. At most 63.
    Hashes(u8),
    /// Entries.
    Entries,
}

/// Which tile or bundle, and how much of it. Written as its path below the log's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    content: Content,
    index: u64,
    width: u16,
}

impl Tile {
    /// Tile `index` of a level, or bundle `index`, with `width` of 1 to 256 items.
    pub fn new(content: Content, index: u64, width: u16) -> Option<Self> {
        let level_exists = !matches!(content, Content::Hashes(level) if level > 63);
        (level_exists && (1..=256).contains(&width)).then_some(Self { content, index, width })
    }

    /// Tile `index` as a tree of `size` leaves has it; none if that tree has nothing there.
    pub fn of(content: Content, index: u64, size: u64) -> Option<Self> {
        let items = match content {
            Content::Hashes(level) => size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0),
            Content::Entries => size,
        };
        let width = items.saturating_sub(index.checked_mul(WIDTH)?).min(WIDTH);
        Self::new(content, index, u16::try_from(width).ok()?)
    }

    /// Every tile and bundle of a tree of `size` leaves that one of `before` leaves does not have, lowest level first. The
    /// partial ones a larger tree no longer needs are not among them.
    pub fn added(before: u64, size: u64) -> impl Iterator<Item = Self> {
        let levels = (0..8).map(Content::Hashes).chain([Content::Entries]);
        levels.flat_map(move |content| {
            let shift = match content {
                Content::Hashes(level) => u32::from(level) * u32::from(HEIGHT),
                Content::Entries => 0,
            };
            let changed = before >> shift != size >> shift;
            let first = (before >> shift) / WIDTH;
            let end = if changed { (size >> shift).div_ceil(WIDTH) } else { 0 };
            (first..end).filter_map(move |index| Self::of(content, index, size))
        })
    }

    /// What it holds.
    pub fn content(&self) -> Content {
        self.content
    }

    /// Its number within its level.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it has, 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether it will not change any more.
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == WIDTH
    }

    /// The full tile that a partial one grows into.
    #[must_use]
    pub fn filled(&self) -> Self {
        Self { width: 256, ..*self }
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes(level) => write!(f, "tile/{level}/")?,
            Content::Entries => f.write_str("tile/entries/")?,
        }
        let mut groups = [0; 7];
        let mut rest = self.index;
        let mut n_groups = 0;
        for group in &mut groups {
            (*group, rest) = (rest % 1000, rest / 1000);
            n_groups += 1;
            if rest == 0 {
                break;
            }
        }
        for (left, group) in groups.iter().take(n_groups).enumerate().rev() {
            if left > 0 { write!(f, "x{group:03}/")? } else { write!(f, "{group:03}")? }
        }
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// A path that is not one of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the path of a tile: `tile/LEVEL/x001/234` or `tile/entries/x001/234`, with `.p/WIDTH` where it is partial"
)]
pub struct PathError;

impl FromStr for Tile {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        let rest = path.strip_prefix("tile/").ok_or(PathError)?;
        let (level, rest) = rest.split_once('/').ok_or(PathError)?;
        let content = match level {
            "entries" => Content::Entries,
            number => {
                Content::Hashes(u8::try_from(decimal(number).ok_or(PathError)?).map_err(|_| PathError)?)
            }
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => {
                let width = decimal(width).filter(|w| (1..WIDTH).contains(w)).ok_or(PathError)?;
                (index, u16::try_from(width).map_err(|_| PathError)?)
            }
            None => (rest, 256),
        };
        let tile = Self::new(content, parse_index(index).ok_or(PathError)?, width).ok_or(PathError)?;
        Ok(tile)
    }
}

/// A decimal number without leading zeroes.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if canonical && digits { text.parse().ok() } else { None }
}

/// `x001/x234/067` as 1234067; the first group is zero only where it stands alone.
fn parse_index(text: &str) -> Option<u64> {
    let groups: Vec<&str> = text.split('/').collect();
    let (last, higher) = groups.split_last()?;
    let group = |text: &str| -> Option<u64> {
        (text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let mut index: u64 = 0;
    for (at, text) in higher.iter().enumerate() {
        let value = group(text.strip_prefix('x')?)?;
        if at == 0 && value == 0 {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(value)?;
    }
    index.checked_mul(1000)?.checked_add(group(last)?)
}

/// Entries as a bundle: each after its length in two bytes, big-endian.
///
/// # Errors
/// If an entry is longer than [`MAX_ENTRY`].
pub fn bundle<'e>(entries: impl IntoIterator<Item = &'e [u8]>) -> Result<Vec<u8>, BundleError> {
    let mut out = Vec::new();
    for (number, entry) in entries.into_iter().enumerate() {
        let length = u16::try_from(entry.len()).map_err(|_| BundleError::EntryTooLong { number })?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(entry);
    }
    Ok(out)
}

/// The entries of a bundle that must have `width` of them.
///
/// # Errors
/// If it has another number, or ends within one.
pub fn unbundle(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
    let mut out = Vec::with_capacity(usize::from(width));
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or(BundleError::Cut { number: out.len() })?;
        if out.len() == usize::from(width) {
            return Err(BundleError::Count { expected: width });
        }
        out.push(entry);
        rest = after;
    }
    match (rest.is_empty(), out.len() == usize::from(width)) {
        (true, true) => Ok(out),
        (true, false) => Err(BundleError::Count { expected: width }),
        (false, _) => Err(BundleError::Cut { number: out.len() }),
    }
}

/// Why a bundle cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Longer than 16 bits can say.
    #[error("entry {number} of the bundle is longer than 65,535 bytes")]
    EntryTooLong {
        /// Counted from zero within the bundle.
        number: usize,
    },
    /// The bytes end within an entry.
    #[error("the bundle ends within entry {number}")]
    Cut {
        /// Counted from zero within the bundle.
        number: usize,
    },
    /// More or fewer entries than the path says.
    #[error("the bundle does not have the {expected} entries it must have")]
    Count {
        /// How many it must have.
        expected: u16,
    },
}

/// A tree read through its tiles, each fetched once. What is fetched is believed: whoever uses a proof made of it checks
/// that proof against a signed root.
#[derive(Debug)]
pub struct TileNodes<F> {
    size: u64,
    fetch: F,
    tiles: HashMap<Tile, Vec<u8>>,
}

impl<F, E> TileNodes<F>
where
    F: FnMut(Tile) -> Result<Vec<u8>, E>,
    E: From<ShortTile>,
{
    /// The tree of `size` leaves whose tiles `fetch` gets.
    pub fn new(size: u64, fetch: F) -> Self {
        Self { size, fetch, tiles: HashMap::new() }
    }
}

/// A tile without the hash asked for, or of another length than its width says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{tile}` does not have the {expected} bytes it must have")]
pub struct ShortTile {
    /// Which.
    pub tile: Tile,
    /// Its length by its width; zero if the tree has no such tile.
    pub expected: usize,
}

impl<F, E> Nodes for TileNodes<F>
where
    F: FnMut(Tile) -> Result<Vec<u8>, E>,
    E: From<ShortTile>,
{
    type Error = E;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, E> {
        let (tile_level, below) = (level / HEIGHT, level % HEIGHT);
        let first = index << below;
        let content = Content::Hashes(tile_level);
        let missing = ShortTile { tile: Tile { content, index: first / WIDTH, width: 256 }, expected: 0 };
        let tile = Tile::of(content, first / WIDTH, self.size).ok_or(missing)?;
        if !self.tiles.contains_key(&tile) {
            let bytes = (self.fetch)(tile)?;
            let expected = 32 * usize::from(tile.width());
            if bytes.len() != expected {
                return Err(ShortTile { tile, expected }.into());
            }
            self.tiles.insert(tile, bytes);
        }
        let from = usize::try_from(first % WIDTH).unwrap_or(usize::MAX);
        let hashes = self.tiles.get(&tile).map_or(&[][..], |bytes| bytes.as_chunks::<32>().0);
        let wanted = hashes.get(from..).and_then(|h| h.get(..1 << below)).ok_or(missing)?;
        Ok(perfect_root(wanted))
    }
}

/// The root over a power of two of hashes.
fn perfect_root(hashes: &[[u8; 32]]) -> Hash {
    match hashes {
        [] => Hash::of_nothing(),
        [one] => Hash(*one),
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            Hash::of_children(perfect_root(left), perfect_root(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        for (tile, path) in [
            (Tile::new(Content::Hashes(0), 1_234_067, 256), "tile/0/x001/x234/067"),
            (Tile::new(Content::Hashes(1), 0, 17), "tile/1/000.p/17"),
            (Tile::new(Content::Entries, 273, 112), "tile/entries/273.p/112"),
            (Tile::new(Content::Entries, 1000, 256), "tile/entries/x001/000"),
            (Tile::new(Content::Hashes(63), u64::MAX, 1), "tile/63/x018/x446/x744/x073/x709/x551/615.p/1"),
        ] {
            let tile = tile.unwrap();
            assert_eq!(tile.to_string(), path);
            assert_eq!(path.parse(), Ok(tile));
        }
    }

    #[test]
    fn other_spellings_are_no_paths() {
        for bad in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "tile/00/000",
            "tile/64/000",
            "tile/256/000",
            "tile/0/001/002",
            "tile/0/x000/002",
            "tile/0/x001/x002",
            "tile/0/x1/002",
            "tile/0/X001/002",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/",
            "tile/0/000.p",
            "tile/0/000/",
            "/tile/0/000",
            "tile/data/000",
            "tile/8/0/000/",
            "tile/-1/000",
            "tile/0/+01",
            "tile/0/x001/../002",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/entries/000.p/1.p/1",
            "tile/0/000 ",
            "tile/0/０００",
        ] {
            assert_eq!(bad.parse::<Tile>(), Err(PathError), "{bad}");
        }
    }

    #[test]
    fn a_tree_of_70000_has_the_tiles_of_the_specification() {
        let all: Vec<Tile> = Tile::added(0, 70_000).collect();
        let of = |content| all.iter().filter(move |t| t.content == content);
        assert_eq!(of(Content::Hashes(0)).filter(|t| t.is_full()).count(), 273);
        assert_eq!(of(Content::Hashes(0)).map(|t| t.width).next_back(), Some(112));
        assert_eq!(of(Content::Hashes(1)).map(|t| t.width).collect::<Vec<_>>(), [256, 17]);
        assert_eq!(of(Content::Hashes(2)).map(|t| t.width).collect::<Vec<_>>(), [1]);
        assert_eq!(of(Content::Hashes(3)).count(), 0);
        assert_eq!(of(Content::Entries).count(), 274);
        assert_eq!(
            Tile::added(0, 256).map(|t| t.to_string()).collect::<Vec<_>>(),
            ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]
        );
        assert_eq!(
            Tile::added(256, 257).map(|t| t.to_string()).collect::<Vec<_>>(),
            ["tile/0/001.p/1", "tile/entries/001.p/1"]
        );
        assert_eq!(Tile::added(7, 7).count(), 0);
    }

    #[test]
    fn bundles_are_read_as_written_and_not_otherwise() {
        let entries: [&[u8]; 3] = [b"one", b"", b"three"];
        let bytes = bundle(entries).unwrap();
        assert_eq!(bytes, b"\0\x03one\0\0\0\x05three");
        assert_eq!(unbundle(&bytes, 3).unwrap(), entries);
        for end in 0..bytes.len() {
            assert!(unbundle(&bytes[..end], 3).is_err(), "{end}");
        }
        assert_eq!(unbundle(&bytes, 2), Err(BundleError::Count { expected: 2 }));
        assert_eq!(unbundle(&bytes, 4), Err(BundleError::Count { expected: 4 }));
        let long = vec![0; MAX_ENTRY + 1];
        assert_eq!(bundle([&long[..]]), Err(BundleError::EntryTooLong { number: 0 }));
        assert_eq!(bundle([&long[1..]]).unwrap().len(), MAX_ENTRY + 2);
    }
}
