//! Paths of tiles, and bundles of entries.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_tlog::tile::{Tile, bundle, unbundle};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(path) = std::str::from_utf8(bytes)
        && let Ok(tile) = path.parse::<Tile>()
    {
        assert_eq!(tile.to_string(), path, "a tile has one path");
    }
    let Some((width, bytes)) = bytes.split_first() else { return };
    if let Ok(entries) = unbundle(bytes, u16::from(*width)) {
        assert_eq!(entries.len(), usize::from(*width));
        assert_eq!(bundle(entries).as_deref(), Ok(bytes), "entries make one bundle");
    }
});
