//! What is due, done: reveals on their date, ticks before their interval, witnesses after each, and an opening only when
//! enough of them have seen it.

use placet_record::entry::slot::SlotState;
use placet_record::entry::{CameraId, LogMode, Moment, Tick};

use crate::KeeperError;
use crate::archive::{Archive, ArchiveError, NewRecord, Recorded};
use crate::keeper::Written;
use crate::published::Published;

/// What witnesses did with a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cosigned {
    /// The checkpoint with every cosignature that was had.
    pub note: String,
    /// Whether they meet the log's policy.
    pub met: bool,
    /// What should be told: witnesses that did not answer, and why.
    pub words: Vec<String>,
    /// A witness has seen another past of this log. Nothing may be signed until a person knows why.
    pub alarm: Option<String>,
}

/// Who is asked to cosign.
pub trait Cosigner {
    /// Has a checkpoint cosigned. `log` gives the consistency proofs.
    fn cosign(&mut self, note: &str, now: Moment, log: &Published) -> Cosigned;
}

/// Why nothing more is written.
#[derive(Debug, thiserror::Error)]
pub enum Halted {
    /// A witness has seen another past.
    #[error("{0}; nothing is signed until an operator has found out which, in public")]
    Alarm(String),
    /// It was written, and not enough witnesses have seen it: whatever waited for it must not happen.
    #[error("not enough witnesses have seen it, so it must not be acted upon: {}", .0.join("; "))]
    Unwitnessed(Vec<String>),
    /// It cannot be written.
    #[error("the log was not written")]
    Archive(#[from] ArchiveError),
    /// In a sealed log an opening stands in the tick that carries it.
    #[error("this log is sealed: what happens is stated by the next tick, and by nothing before it")]
    Sealed,
}

impl From<crate::KeeperError> for Halted {
    fn from(error: crate::KeeperError) -> Self {
        Self::Archive(error.into())
    }
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The tick that was written.
    pub tick: Option<Tick>,
    /// How many entries opened ticks or were held back until now.
    pub opened: u64,
    /// Whether witnesses have seen what was written; true if nothing was.
    pub witnessed: bool,
    /// What should be told.
    pub words: Vec<String>,
    /// When there is something to do again.
    pub next: Moment,
}

/// A log and its witnesses.
pub struct Rounds<W> {
    archive: Archive,
    witnesses: W,
    lead: u64,
    alarm: Option<String>,
}

impl<W: Cosigner> Rounds<W> {
    /// `lead` is how many seconds before an interval its tick is written, so that witnesses have seen it when it begins. It is
    /// an interval at most: what is stated further ahead could not be meant.
    pub fn new(mut archive: Archive, witnesses: W, lead: u64) -> Self {
        let lead = lead.min(archive.keeper().genesis().interval);
        Self { archive, witnesses, lead, alarm: None }
    }

    /// The log.
    pub fn archive(&mut self) -> &mut Archive {
        &mut self.archive
    }

    /// The witnesses.
    pub fn witnesses(&mut self) -> &mut W {
        &mut self.witnesses
    }

    /// Does what is due: opens ticks, states the next interval if it begins within the lead, and has witnesses cosign. `state`
    /// says what each camera does in that interval.
    ///
    /// # Errors
    /// If the log cannot be written, or a witness has seen another past.
    pub fn step(&mut self, now: Moment, state: impl FnMut(&CameraId) -> SlotState) -> Result<Step, Halted> {
        self.go_on()?;
        // Ticks that nobody can open any more stay shut, which is overdue for all to see; the others are stated all the same.
        let (opened, lost) = match self.archive.keeper().reveal(now) {
            Err(error @ KeeperError::Seed { .. }) => (None, Some(error.to_string())),
            other => (other?, None),
        };
        let start = self.archive.keeper().next_start(now)?;
        let mut last = opened.as_ref().map(|w| w.note.clone());
        let mut tick = None;
        if start.unix_seconds() <= now.unix_seconds().saturating_add(self.lead) {
            self.archive.deposit_seed_key(now)?;
            let (stated, written) = self.archive.keeper().tick(now, state)?;
            tick = Some(stated);
            last = Some(written.note);
        }
        let (witnessed, mut words) = match last {
            Some(note) => self.have_seen(&note, now)?,
            None => (true, Vec::new()),
        };
        words.extend(lost);
        let next = self.next(now)?;
        Ok(Step { tick, opened: opened.map_or(0, |w| w.count), witnessed, words, next })
    }

    /// Records something that is to be acted upon, and comes back when enough witnesses have seen it: only then may it happen.
    ///
    /// # Errors
    /// If it was not written, or not seen by enough. Then it must not happen, though the entry may be there.
    pub fn act(&mut self, now: Moment, new: NewRecord) -> Result<Recorded, Halted> {
        self.go_on()?;
        if self.archive.keeper().genesis().mode == LogMode::Sealed {
            return Err(Halted::Sealed);
        }
        let recorded = self.archive.record(now, new)?;
        let note = recorded.written.as_ref().map(|w: &Written| w.note.clone()).unwrap_or_default();
        match self.have_seen(&note, now)? {
            (true, _) => Ok(recorded),
            (false, words) => Err(Halted::Unwitnessed(words)),
        }
    }

    /// Records something that waits for nobody: an end, a refusal, an erasure. Witnesses see it with the next round.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn note(&mut self, now: Moment, new: NewRecord) -> Result<Recorded, Halted> {
        self.go_on()?;
        Ok(self.archive.record(now, new)?)
    }

    fn go_on(&self) -> Result<(), Halted> {
        self.alarm.as_ref().map_or(Ok(()), |words| Err(Halted::Alarm(words.clone())))
    }

    fn have_seen(&mut self, note: &str, now: Moment) -> Result<(bool, Vec<String>), Halted> {
        let published = self.archive.keeper().published();
        let cosigned = self.witnesses.cosign(note, now, &published);
        if let Some(alarm) = cosigned.alarm {
            self.alarm = Some(alarm.clone());
            return Err(Halted::Alarm(alarm));
        }
        let size = published.reader().size();
        self.archive.keeper().publish(&cosigned.note, size, cosigned.met)?;
        Ok((cosigned.met, cosigned.words))
    }

    fn next(&mut self, now: Moment) -> Result<Moment, Halted> {
        let lead = self.lead;
        let keeper = self.archive.keeper();
        let start = keeper.next_start(now)?;
        let tick = Moment::from_unix_seconds(start.unix_seconds().saturating_sub(lead)).unwrap_or(start);
        let genesis = keeper.genesis();
        let due = keeper.sequence().unopened().next().and_then(|(_, start)| match genesis.mode {
            LogMode::Open => start.plus(genesis.interval),
            LogMode::Sealed => genesis.reveal_by(start),
        });
        Ok(due.map_or(tick, |due| due.min(tick)).max(now))
    }
}
