//! A [`Sequence`] as lines, for whoever follows a long log and does not want to read all of it again. Not for strangers: who
//! writes these lines can make the next entry right or wrong.
//!
//! ```text
//! placet-sequence-v1
//! leaves 41300
//! genesis {…}             the entry
//! tick {…}                the last one
//! cameras HEX             digest of the newest roster
//! key {…}                 the last change
//! retired KEY             one line each
//! sealed 41200 1795326000 number and start of a tick that is not opened, one line each
//! event HEX               one line each
//! ```

use std::fmt::Write as _;

use placet_core::Digest;

use super::super::leaf::{Leaf, Tick};
use super::super::value::{EventId, Moment};
use super::Sequence;

const FIRST_LINE: &str = "placet-sequence-v1";

/// A line that is none of a kept sequence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line} of the kept state of a log cannot be read: remove the file, and the log is read from its start"
)]
pub struct KeptError {
    /// Which, from 1.
    pub line: usize,
}

impl Sequence {
    /// All it knows, as lines.
    pub fn to_lines(&self) -> String {
        let mut out = format!("{FIRST_LINE}\nleaves {}\n", self.leaves);
        let mut leaf = |word: &str, leaf: Option<Leaf>| {
            // Whatever was taken was read from bytes, so it can be written.
            if let Some(bytes) = leaf.and_then(|leaf| leaf.to_bytes().ok()) {
                out.extend([word, " ", &String::from_utf8_lossy(&bytes), "\n"]);
            }
        };
        leaf("genesis", self.genesis.clone().map(Leaf::Genesis));
        leaf("tick", self.last_tick.clone().map(Leaf::Tick));
        leaf("key", self.key.clone().map(|key| Leaf::Key(Box::new(key))));
        let mut line = |text: std::fmt::Arguments<'_>| out.write_fmt(text).unwrap_or_default();
        if let Some(digest) = self.cameras {
            line(format_args!("cameras {}\n", hex(&digest.0)));
        }
        self.retired.iter().for_each(|key| line(format_args!("retired {key}\n")));
        self.sealed.iter().for_each(|(n, start)| line(format_args!("sealed {n} {}\n", start.unix_seconds())));
        self.events.iter().for_each(|id| line(format_args!("event {}\n", hex(&id.0))));
        out
    }

    /// Reads what [`Sequence::to_lines`] wrote.
    ///
    /// # Errors
    /// At the first line that it did not write.
    pub fn from_lines(text: &str) -> Result<Self, KeptError> {
        let mut out = Self::new();
        let mut lines = text.lines().enumerate();
        if lines.next().is_none_or(|(_, first)| first != FIRST_LINE) {
            return Err(KeptError { line: 1 });
        }
        for (at, line) in lines {
            out.take_line(line).ok_or(KeptError { line: at + 1 })?;
        }
        let whole = text.ends_with('\n') && (out.leaves == 0 || out.genesis.is_some());
        whole.then_some(out).ok_or(KeptError { line: 1 })
    }

    fn take_line(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            // No log has more, and what is counted on from here must not run over.
            "leaves" => self.leaves = rest.parse().ok().filter(|leaves| *leaves < 1 << 63)?,
            "genesis" | "tick" | "key" => match (word, Leaf::parse(rest.as_bytes()).ok()?) {
                ("genesis", Leaf::Genesis(genesis)) => self.genesis = Some(genesis),
                ("tick", Leaf::Tick(tick)) => self.last_tick = Some::<Tick>(tick),
                ("key", Leaf::Key(key)) => self.key = Some(*key),
                _ => return None,
            },
            "cameras" => self.cameras = Some(Digest(unhex(rest)?)),
            "retired" => self.retired.push(rest.parse().ok()?),
            "sealed" => {
                let (n, start) = rest.split_once(' ')?;
                let start = Moment::from_unix_seconds(start.parse().ok()?)?;
                self.sealed.insert(n.parse().ok()?, start);
            }
            "event" => drop(self.events.insert(EventId(unhex(rest)?))),
            _ => return None,
        }
        Some(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap_or_default();
        out
    })
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}
