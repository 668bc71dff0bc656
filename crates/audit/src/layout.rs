//! Which files a published log has beside those of C2SP tlog-tiles.

use placet_core::Digest;
use placet_tlog::tile::{Content, MAX_ENTRY, Tile, WIDTH};

use crate::source::{Source, SourceError};

/// The longest checkpoint file: a note of the greatest length.
pub const MAX_CHECKPOINT: u64 = 3 << 20;

/// The longest side file of a roster: 65,536 lines of 128 bytes; a witness policy has 1 MiB.
pub const MAX_ROSTER: u64 = 8 << 20;

/// The most bytes of a bundle, of entries or of items of `cosigned`.
pub(crate) const MAX_BUNDLE: u64 = WIDTH * (2 + MAX_ENTRY as u64);

/// The file of the newest checkpoint.
pub const CHECKPOINT: &str = "checkpoint";

/// The side file of a roster.
pub fn roster(digest: &Digest) -> String {
    format!("roster/{}", digest.hex())
}

/// Files of ticks, 256 in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TickFile {
    /// The slots, one tick's side file after the other.
    Slots,
    /// What each tick had when its interval was over.
    Cosigned,
}

impl TickFile {
    /// The file number `index` of a log that has `ticks` such ticks; none if it has no such file.
    fn tile(index: u64, ticks: u64) -> Option<Tile> {
        Tile::of(Content::Entries, index, ticks)
    }

    fn path(self, tile: Tile) -> String {
        let folder = match self {
            Self::Slots => "slots",
            Self::Cosigned => "cosigned",
        };
        let path = tile.to_string();
        format!("{folder}/{}", path.strip_prefix("tile/entries/").unwrap_or(&path))
    }
}

/// A file as a log of some size has it, and the full one that it grows into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub path: String,
    /// How many items it has.
    pub width: u16,
    full: Option<String>,
}

impl Wanted {
    pub(crate) fn tile(tile: Tile) -> Self {
        let full = (!tile.is_full()).then(|| tile.filled().to_string());
        Self { path: tile.to_string(), width: tile.width(), full }
    }

    /// The file number `index` of `kind` in a log with `ticks` ticks in such files.
    pub(crate) fn of_ticks(kind: TickFile, index: u64, ticks: u64) -> Option<Self> {
        let tile = TickFile::tile(index, ticks)?;
        let full = (!tile.is_full()).then(|| kind.path(tile.filled()));
        Some(Self { path: kind.path(tile), width: tile.width(), full })
    }

    /// The file's bytes, or those of the full one: partial files are dropped some time after it is there. The flag says
    /// whether the bytes may go on beyond `width` items.
    pub(crate) fn get<S: Source>(
        &self,
        source: &S,
        limit: u64,
    ) -> Result<Option<(Vec<u8>, bool)>, SourceError> {
        if let Some(bytes) = source.get(&self.path, limit)? {
            return Ok(Some((bytes, false)));
        }
        let Some(full) = &self.full else { return Ok(None) };
        Ok(source.get(full, limit)?.map(|bytes| (bytes, true)))
    }

    /// Part of the file, as [`Wanted::get`].
    pub(crate) fn get_range<S: Source>(
        &self,
        source: &S,
        from: u64,
        len: u64,
    ) -> Result<Option<(Vec<u8>, bool)>, SourceError> {
        if let Some(bytes) = source.get_range(&self.path, from, len)? {
            return Ok(Some((bytes, false)));
        }
        let Some(full) = &self.full else { return Ok(None) };
        Ok(source.get_range(full, from, len)?.map(|bytes| (bytes, true)))
    }
}

/// The first `width` items of a bundle that may go on: its beginning up to there.
pub(crate) fn first_items(bytes: &[u8], width: u16) -> &[u8] {
    let mut at = 0_usize;
    for _ in 0..width {
        let Some(length) = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>()) else { break };
        at += 2 + usize::from(u16::from_be_bytes(*length));
    }
    bytes.get(..at).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_ticks_are_named_as_bundles_are() {
        let path =
            |kind, index, ticks| Wanted::of_ticks(kind, index, ticks).map(|file| (file.path, file.full));
        assert_eq!(path(TickFile::Slots, 0, 7), Some(("slots/000.p/7".into(), Some("slots/000".into()))));
        assert_eq!(path(TickFile::Slots, 0, 256), Some(("slots/000".into(), None)));
        assert_eq!(path(TickFile::Slots, 1, 256), None);
        let far = Some(("cosigned/x001/234".into(), None));
        assert_eq!(path(TickFile::Cosigned, 1_234, 1 << 30), far);
        assert_eq!(roster(&Digest([0xab; 32])), format!("roster/{}", "ab".repeat(32)));
    }

    #[test]
    fn the_first_items_of_a_bundle_are_its_beginning() {
        let bytes = b"\0\x03one\0\0\0\x05three";
        for (width, length) in [(0, 0), (1, 5), (2, 7), (3, 14), (4, 14)] {
            assert_eq!(first_items(bytes, width), &bytes[..length]);
        }
        assert_eq!(first_items(b"\0\x09cut", 1), b"\0\x09cut");
    }
}
