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

    /// The seed of a tick. Where its key is not there yet, one is made; `fresh` is told which.
    pub fn of(&mut self, tick: u64, mut fresh: impl FnMut(u64, &[u8; 32])) -> Result<Seed, KeeperError> {
        let number = usize::try_from(tick / TICKS_PER_KEY).unwrap_or(usize::MAX);
        while self.keys.len() <= number {
            let mut key = Zeroizing::new([0; 32]);
            getrandom::fill(key.as_mut())?;
            self.keys.push(key);
            let made = self.keys.len() - 1;
            if let Some(key) = self.keys.last() {
                files::append(&self.path, Zeroizing::new(line(made, key)).as_bytes())?;
                fresh(made as u64, key);
            }
        }
        Ok(self.keys.get(number).map(|key| derive(key, tick)).expect("the key was made above"))
    }
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
        let mut seeds = Seeds::open(&path).unwrap();
        let mut told = Vec::new();
        let first = [0, 1, 1439, 1440, 3000].map(|n| seeds.of(n, |number, _| told.push(number)).unwrap());
        assert_eq!(told, [0, 1, 2]);
        std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "3 00ab").unwrap();
        let mut again = Seeds::open(&path).unwrap();
        let second = [0, 1, 1439, 1440, 3000].map(|n| again.of(n, |_, _| panic!()).unwrap());
        assert_eq!(first, second);
        again.of(5000, |number, _| assert_eq!(number, 3)).unwrap();
        assert_eq!(Seeds::open(&path).unwrap().keys.len(), 4);
        std::fs::write(&path, "0 zz\n").unwrap();
        assert!(matches!(Seeds::open(&path), Err(KeeperError::Line { line: 1, .. })));
    }
}
