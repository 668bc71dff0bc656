//! Which files a log has, by how many entries and ticks it has.

use placet_core::Digest;
use placet_tlog::tile::{Content, Tile};

/// How far a log has got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Extent {
    /// Entries.
    pub size: u64,
    /// Ticks among them.
    pub ticks: u64,
}

/// A published file beside the checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// Hashes or entries.
    Tile(Tile),
    /// Slots of as many ticks as the bundle of that number has entries.
    Slots(Tile),
    /// What ticks had when their interval was over.
    Cosigned(Tile),
    /// The side file of a roster.
    Roster(Digest),
}

impl Item {
    pub fn path(&self) -> String {
        let numbered = |folder: &str, tile: &Tile| tile.to_string().replacen("tile/entries", folder, 1);
        match self {
            Self::Tile(tile) => tile.to_string(),
            Self::Slots(tile) => numbered("slots", tile),
            Self::Cosigned(tile) => numbered("cosigned", tile),
            Self::Roster(digest) => format!("roster/{}", digest.hex()),
        }
    }

    fn is_partial(&self) -> bool {
        match self {
            Self::Tile(tile) | Self::Slots(tile) | Self::Cosigned(tile) => !tile.is_full(),
            Self::Roster(_) => false,
        }
    }
}

impl Extent {
    /// Files that a log of this extent has and one of `before` has not, side files first. Rosters are not among them.
    pub fn added(self, before: Self) -> Vec<Item> {
        let numbered =
            |before, now| Tile::added(before, now).filter(|tile| tile.content() == Content::Entries);
        let cosigned = |extent: Self| extent.ticks.saturating_sub(1);
        let slots = numbered(before.ticks, self.ticks).map(Item::Slots);
        let cosigned = numbered(cosigned(before), cosigned(self)).map(Item::Cosigned);
        slots.chain(cosigned).chain(Tile::added(before.size, self.size).map(Item::Tile)).collect()
    }

    /// The paths of its partial files.
    pub fn partial(self) -> Vec<String> {
        let tiles = (0..8).map(Content::Hashes).chain([Content::Entries]).filter_map(|content| {
            let shift = match content {
                Content::Hashes(level) => 8 * u32::from(level),
                Content::Entries => 0,
            };
            Tile::of(content, (self.size >> shift) / 256, self.size).map(Item::Tile)
        });
        let numbered = |count: u64| Tile::of(Content::Entries, count / 256, count);
        let sides = [
            numbered(self.ticks).map(Item::Slots),
            numbered(self.ticks.saturating_sub(1)).map(Item::Cosigned),
        ];
        let all = tiles.chain(sides.into_iter().flatten());
        all.filter(Item::is_partial).map(|item| item.path()).collect()
    }

    /// Reads lines of `size ticks`; what is no such line is not ours.
    pub fn read_all(text: &[u8]) -> Vec<Self> {
        let line = |line: &str| {
            let (size, ticks) = line.split_once(' ')?;
            Some(Self { size: size.parse().ok()?, ticks: ticks.parse().ok()? })
        };
        String::from_utf8_lossy(text).lines().filter_map(line).collect()
    }

    /// Writes such lines.
    pub fn write_all(all: &[Self]) -> Vec<u8> {
        all.iter()
            .map(|extent| format!("{} {}\n", extent.size, extent.ticks))
            .collect::<String>()
            .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_the_files_that_its_format_says() {
        let extent = Extent { size: 70_000, ticks: 514 };
        assert_eq!(
            extent.partial(),
            [
                "tile/0/273.p/112",
                "tile/1/001.p/17",
                "tile/2/000.p/1",
                "tile/entries/273.p/112",
                "slots/002.p/2",
                "cosigned/002.p/1"
            ]
        );
        let paths: Vec<String> = extent.added(Extent::default()).iter().map(Item::path).collect();
        assert_eq!(paths[..4], ["slots/000", "slots/001", "slots/002.p/2", "cosigned/000"]);
        assert_eq!(paths.len(), 6 + 274 + 2 + 1 + 274);
        assert_eq!(Extent { size: 65_536, ticks: 257 }.partial(), ["tile/2/000.p/1", "slots/001.p/1"]);
        assert_eq!(Extent { size: 65_536, ticks: 256 }.partial(), ["tile/2/000.p/1", "cosigned/000.p/255"]);
        assert_eq!(Extent::default().partial(), Vec::<String>::new());
    }

    #[test]
    fn what_is_partial_is_among_what_was_added() {
        for size in [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537] {
            for ticks in [0, 1, 2, 255, 256, 257, 258] {
                let extent = Extent { size, ticks };
                let added: Vec<String> = extent
                    .added(Extent::default())
                    .iter()
                    .filter(|item| item.is_partial())
                    .map(Item::path)
                    .collect();
                let mut partial = extent.partial();
                assert!(partial.iter().all(|path| added.contains(path)), "{extent:?}");
                partial.retain(|path| !added.contains(path));
                assert_eq!((partial.len(), extent.partial().len()), (0, added.len()), "{extent:?}");
            }
        }
    }

    #[test]
    fn extents_are_read_as_they_are_written() {
        let all = [Extent { size: 3, ticks: 1 }, Extent { size: 4, ticks: 2 }];
        assert_eq!(Extent::read_all(&Extent::write_all(&all)), all);
        assert_eq!(Extent::read_all(b"\xff\n1\n1 2 3\n-1 2\n"), []);
    }
}
