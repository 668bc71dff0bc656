//! What ticks are sealed with. One random key for each day of ticks, and from it a seed for each tick, so that a seed
//! tells nothing of the next and a deposit of one key covers a day:
//!
//! ```text
//! seed of tick n = HMAC-SHA-256(key of n / 1440, "placet/v1/tick-seed" || 00 || n, 8 bytes)
//! ```
//!
//! The keys are lines `NUMBER HEX` of a file that no other user may read. A key is durable before anything is sealed with it: a tick
//! that nobody can open would stay unknown for ever.

use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use placet_record::entry::slot::Seed;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::KeeperError;
use crate::files;

/// How many ticks one key covers.
pub const TICKS_PER_KEY: u64 = 1440;

/// The keys that seeds come from.
pub struct Seeds {
    path: PathBuf,
    keys: Vec<Zeroizing<[u8; 32]>>,
}

impl Seeds {
    /// Reads the keys.
    pub fn open(path: &Path) -> Result<Self, KeeperError> {
        let mut keys = Vec::new();
        let text = Zeroizing::new(files::read(path)?.unwrap_or_default());
        // A line without its end was being written when the power went; nothing was sealed with it yet.
        let whole = text.rfind('\n').map_or("", |end| text.get(..=end).unwrap_or(""));
        for (at, line) in whole.lines().enumerate() {
            let key =
                line.split_once(' ').filter(|(n, _)| *n == at.to_string()).and_then(|(_, hex)| unhex(hex));
            keys.push(key.ok_or_else(|| KeeperError::Line { path: path.to_owned(), line: at + 1 })?);
        }
        if whole.len() < text.len() {
            files::replace(path, whole.as_bytes())?;
        }
        Ok(Self { path: path.to_owned(), keys })
    }

    /// The seed of a tick, whose key is there.
    pub fn of(&self, tick: u64) -> Result<Seed, KeeperError> {
        let key = self.keys.get(number(tick)).ok_or_else(|| self.missing(tick))?;
        Ok(derive(key, tick))
    }

    /// The key of the tick that is sealed next. It is made for the first tick that it covers and for no other: where it is gone
    /// later, another in its place would have to be lost again when the right one is put back.
    pub fn key_for_next(&mut self, tick: u64) -> Result<Zeroizing<[u8; 32]>, KeeperError> {
        let number = number(tick);
        if self.keys.len() == number && tick.is_multiple_of(TICKS_PER_KEY) {
            let mut key = Zeroizing::new([0; 32]);
            getrandom::fill(key.as_mut())?;
            files::append(&self.path, Zeroizing::new(line(number, &key)).as_bytes())?;
            self.keys.push(key);
        }
        self.keys.get(number).cloned().ok_or_else(|| self.missing(tick))
    }

    /// What opens `tick` is not there.
    pub fn missing(&self, tick: u64) -> KeeperError {
        KeeperError::Seed { tick, path: self.path.clone() }
    }
}

/// The number of the key that covers a tick.
fn number(tick: u64) -> usize {
    usize::try_from(tick / TICKS_PER_KEY).unwrap_or(usize::MAX)
}

fn derive(key: &[u8; 32], tick: u64) -> Seed {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(b"placet/v1/tick-seed\0");
    mac.update(&tick.to_be_bytes());
    Seed::from_bytes(mac.finalize().into_bytes().into())
}

fn line(number: usize, key: &[u8; 32]) -> String {
    let hex: String = key.iter().map(|b| format!("{b:02x}")).collect();
    format!("{number} {hex}\n")
}

fn unhex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut out = Zeroizing::new([0; 32]);
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_the_same_after_a_start_and_torn_lines_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seeds");
        let ticks = [0, 1, 1439, 1440, 3000];
        let mut seeds = Seeds::open(&path).unwrap();
        (0..=3000).for_each(|n| drop(seeds.key_for_next(n).unwrap()));
        let first = ticks.map(|n| seeds.of(n).unwrap());
        assert_eq!(seeds.keys.len(), 3);
        std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "3 00ab").unwrap();
        let mut again = Seeds::open(&path).unwrap();
        assert_eq!(first, ticks.map(|n| again.of(n).unwrap()));
        assert!(matches!(again.key_for_next(5760), Err(KeeperError::Seed { tick: 5760, .. })));
        again.key_for_next(4320).unwrap();
        assert_eq!(Seeds::open(&path).unwrap().keys.len(), 4);
        std::fs::write(&path, "0 zz\n").unwrap();
        assert!(matches!(Seeds::open(&path), Err(KeeperError::Line { line: 1, .. })));
    }
}
