//! Checks everything: every frame, every signature, every derived file, the high-water mark. Changes nothing.

use placet_tlog::checkpoint::SignedCheckpoint;
use placet_tlog::merkle::{Frontier, Hash};
use placet_tlog::note::VerifierKey;

use crate::derived::{Additions, Derived};
use crate::error::{Damage, StoreError};
use crate::log::{Disks, replay};
use crate::mark::{Mark, MarkFile};
use crate::segment::{self, CHANNELS, Content, End};

/// What was found.
#[derive(Debug, Default)]
pub struct Checked {
    /// How many segments were read.
    pub segments: u64,
    /// How many frames.
    pub frames: u64,
    /// How many entries.
    pub entries: u64,
    /// How many side files.
    pub blobs: u64,
    /// Whether a batch had been begun that nobody was told of. Opening removes it.
    pub torn: bool,
    /// What is wrong. Nothing behind the first damage of the segments could be judged.
    pub problems: Vec<Damage>,
}

/// Checks a log that nobody writes. `progress` is told after each segment how many are done and how many there are.
///
/// # Errors
/// If the disk refuses, somebody writes the log, or there is none. Damage is no error: it is what was asked for.
pub fn check(
    disks: &Disks,
    keys: &[VerifierKey],
    mut progress: impl FnMut(u64, u64),
) -> Result<Checked, StoreError> {
    let _lock = disks.log.lock("lock").map_err(StoreError::io("lock", "lock"))?.ok_or(StoreError::Locked)?;
    let names = disks.log.list().map_err(StoreError::io("list", "the folder"))?;
    let mark = MarkFile::look(disks.mark.as_ref()).map_err(StoreError::io("read", "mark"))?;
    let state = Additions::after(Frontier::default(), [0; CHANNELS]);
    let mut check = Check { disks, keys, mark, state, at_mark: None, out: Checked::default() };
    match segment::numbers(&names) {
        Ok(0) => return Err(StoreError::NotALog),
        Ok(segments) => check.damage(|check| check.segments(segments, &mut progress))?,
        Err(error) => check.damage(|_| Err(error))?,
    }
    Ok(check.finish())
}

struct Check<'a> {
    disks: &'a Disks,
    keys: &'a [VerifierKey],
    mark: Option<Mark>,
    state: Additions,
    /// The root at the mark's size, once the frame that ends there was seen.
    at_mark: Option<Hash>,
    out: Checked,
}

impl Check<'_> {
    /// Does something; damage is put down, other errors end the check.
    fn damage(&mut self, act: impl FnOnce(&mut Self) -> Result<(), StoreError>) -> Result<(), StoreError> {
        match act(self) {
            Err(StoreError::Damage(damage)) => {
                self.out.problems.push(damage);
                Ok(())
            }
            other => other,
        }
    }

    fn segments(&mut self, segments: u64, progress: &mut impl FnMut(u64, u64)) -> Result<(), StoreError> {
        for number in 0..segments {
            let torn = self.frames(number)?;
            if torn.torn && number + 1 < segments {
                return Err(Damage::Unreadable { number, offset: torn.at }.into());
            }
            self.out.torn = torn.torn;
            let disk = self.disks.log.as_ref();
            self.damage(|check| check.state.compare(|which| Derived::look(disk, which)))?;
            self.state.written();
            progress(number + 1, segments);
        }
        Ok(())
    }

    fn frames(&mut self, number: u64) -> Result<End, StoreError> {
        let (content, _) = Content::load(self.disks.log.as_ref(), number)?;
        let Self { keys, mark, at_mark, out, .. } = self;
        out.segments += 1;
        let end = replay(&content, &mut self.state, |frame, frontier| {
            out.frames += 1;
            if mark.is_some_and(|m| m.size == frontier.size()) {
                *at_mark = Some(frontier.root());
            }
            out.problems.extend(judge_note(frame.note, frontier, keys).err());
            Ok(())
        })?;
        Ok(content.end(end)?)
    }

    fn finish(self) -> Checked {
        let Self { state, mark, at_mark, mut out, .. } = self;
        let size = state.frontier.size();
        (out.entries, out.blobs) = (size, state.blobs.iter().sum());
        out.problems.extend(match mark {
            None => Some(Damage::MarkLost { size }),
            Some(mark) if mark.size > size => Some(Damage::Rollback { size, mark: mark.size }),
            // A mark always stands where a frame ends.
            Some(mark) if mark.size > 0 && at_mark != Some(mark.root) => {
                Some(Damage::Fork { size: mark.size })
            }
            Some(_) => None,
        });
        out
    }
}

/// Whether the checkpoint of `frontier` is signed by one of `keys` and says what the entries make.
pub(crate) fn judge_note(note: &str, frontier: &Frontier, keys: &[VerifierKey]) -> Result<(), Damage> {
    let size = frontier.size();
    let signed = SignedCheckpoint::open(note.as_bytes(), keys).map_err(|_| Damage::Signature { size })?;
    let checkpoint = signed.checkpoint();
    if checkpoint.size != size || checkpoint.root != frontier.root() {
        return Err(Damage::Tree { size });
    }
    Ok(())
}
