//! One look at a log.

use std::error::Error;
use std::path::Path;

use placet_audit::{ReadError, Reader, Source, SourceError};
use placet_record::entry::slot::SlotState;
use placet_record::entry::{CameraRoster, Finding, Leaf, Moment, Reveal, Tick};
use placet_tlog::checkpoint::{Origin, SignedCheckpoint};
use placet_tlog::policy::Policy;

use super::Settings;
use crate::alarm::{Alarm, AlarmKind};
use crate::evidence;
use crate::state::State;

/// As many alarms as wait to be told before no further entries are read: nothing is dropped, and nothing overflows.
const MAX_WAITING: usize = 10_000;

/// What a look goes by.
pub(super) struct Look<'l> {
    pub(super) policy: &'l Policy,
    pub(super) settings: &'l Settings,
    pub(super) origin: &'l Origin,
    pub(super) evidence: &'l Path,
    pub(super) now: Moment,
}

impl Look<'_> {
    pub(super) fn run<S: Source>(&self, state: &mut State, source: &S) {
        match self.read(state, source) {
            Ok(()) => {
                state.is_well();
                self.missing(state);
            }
            // What was due meanwhile may be there and is not seen: that it cannot be read is all that is known.
            Err(error) => self.trouble(state, &error),
        }
    }

    fn alarm(&self, kind: AlarmKind, matter: &str, words: String, entry: Option<u64>) -> Alarm {
        Alarm::new(self.origin.as_str(), kind, matter, words, entry, self.now)
    }

    fn read<S: Source>(&self, state: &mut State, source: &S) -> Result<(), ReadError> {
        let reader = Reader::open(source, self.policy)?;
        if self.adopt(state, &reader)? {
            self.entries(state, &reader)?;
        }
        Ok(())
    }

    /// Whether the reader's checkpoint goes on from the one that is known, which it then replaces.
    fn adopt<S: Source>(&self, state: &mut State, reader: &Reader<S>) -> Result<bool, ReadError> {
        let shown = reader.accepted().signed();
        let new = shown.checkpoint();
        if let Some(known) = &state.checkpoint {
            let old = known.checkpoint();
            if new.size < old.size {
                let words = format!(
                    "the log shows {} entries and has shown {}: it went back, or an old copy of it is served",
                    new.size, old.size
                );
                let alarm = self.alarm(AlarmKind::WentBack, &old.size.to_string(), words, None);
                state.raise_once(alarm);
                return Ok(false);
            }
            match reader.check_consistent(old.size, old.root) {
                Ok(()) => {}
                Err(ReadError::Fork { .. }) => {
                    let alarm = self.fork(known, shown);
                    state.raise_once(alarm);
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        state.checkpoint = Some(shown.clone());
        Ok(true)
    }

    fn fork(&self, known: &SignedCheckpoint, shown: &SignedCheckpoint) -> Alarm {
        let (old, new) = (known.checkpoint(), shown.checkpoint());
        let says = format!(
            "the log's key signed two histories: the tree of {} entries is not the beginning of that of {}",
            old.size, new.size
        );
        let kept = evidence::keep(self.evidence, &says, &known.to_string(), &shown.to_string(), self.now);
        let words = match kept {
            Ok(Some(path)) => format!("{says}; both signed checkpoints are kept in {}", path.display()),
            Ok(None) => says,
            Err(error) => format!("{says}; the signed checkpoints could not be kept: {error}"),
        };
        self.alarm(AlarmKind::Fork, &format!("{} {}", old.size, old.root), words, None)
    }

    fn entries<S: Source>(&self, state: &mut State, reader: &Reader<S>) -> Result<(), ReadError> {
        let mut rosters = None;
        let from = state.sequence.leaves();
        for index in from..reader.size().min(from.saturating_add(self.settings.entries)) {
            if state.outbox.len() >= MAX_WAITING {
                return Ok(());
            }
            match reader.leaf(index) {
                Ok(leaf) => self.entry(state, reader, &mut rosters, index, &leaf)?,
                Err(ReadError::Entry { source, .. }) => {
                    state.sequence.pass_over();
                    let words = format!("entry {index} cannot be read: {source}");
                    state.raise(self.alarm(AlarmKind::Misbehaviour, &index.to_string(), words, Some(index)));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn entry<S: Source>(
        &self,
        state: &mut State,
        reader: &Reader<S>,
        rosters: &mut Option<(placet_core::Digest, CameraRoster)>,
        index: u64,
        leaf: &Leaf,
    ) -> Result<(), ReadError> {
        // Looked up before the entry is taken, so that a file that cannot be got leaves it to the next look.
        let mut found = Vec::new();
        if let Leaf::Reveal(reveal) = leaf
            && let Some(start) = state.start_of(reveal.tick)
        {
            found = self.opened(reader, rosters, index, reveal, start)?;
        }
        match state.sequence.push(leaf) {
            Ok(None) => {}
            Ok(Some(finding)) => state.raise(self.finding(index, &finding)),
            Err(rule) => {
                let matter = format!("{index} {rule}");
                state.raise(self.alarm(AlarmKind::Misbehaviour, &matter, rule.to_string(), Some(index)));
            }
        }
        found.into_iter().for_each(|alarm| state.raise_once(alarm));
        Ok(())
    }

    /// What the reveal of a tick shows.
    fn opened<S: Source>(
        &self,
        reader: &Reader<S>,
        rosters: &mut Option<(placet_core::Digest, CameraRoster)>,
        index: u64,
        reveal: &Reveal,
        start: Moment,
    ) -> Result<Vec<Alarm>, ReadError> {
        let n = reveal.tick;
        let around = reader.ticks_around(start)?;
        let Some(tick) = around.before.map(|found| found.what).filter(|tick| tick.n == n) else {
            return Ok(Vec::new());
        };
        let states = match reader.slots(&tick) {
            Ok(slots) => slots.open(&reveal.seed, n),
            Err(error) => return Ok(vec![self.unfit(error, &format!("the slots of tick {n}"), index)?]),
        };
        let states = match states {
            Ok(states) => states,
            Err(error) => {
                let words = format!("the seed that entry {index} reveals does not open tick {n}: {error}");
                return Ok(vec![self.alarm(
                    AlarmKind::Misbehaviour,
                    &format!("opens {n}"),
                    words,
                    Some(index),
                )]);
            }
        };
        if rosters.as_ref().is_none_or(|(digest, _)| *digest != tick.roster) {
            match reader.roster(&tick.roster) {
                Ok(roster) => *rosters = Some((tick.roster, roster)),
                Err(error) => {
                    return Ok(vec![self.unfit(error, &format!("the roster of tick {n}"), index)?]);
                }
            }
        }
        let cameras = rosters.iter().flat_map(|(_, roster)| roster.iter());
        Ok(cameras
            .filter_map(|(slot, camera)| self.camera(&tick, camera, states.get(slot as usize), index))
            .collect())
    }

    fn camera(
        &self,
        tick: &Tick,
        camera: &placet_record::entry::CameraId,
        state: Option<&SlotState>,
        index: u64,
    ) -> Option<Alarm> {
        match state {
            Some(SlotState::On(search)) if self.settings.watched.contains(camera) => {
                let words = format!(
                    "a search ran on the camera `{}` from {} on, in tick {}; purpose: {}; order: {}",
                    camera.as_str(),
                    tick.start,
                    tick.n,
                    search.purpose.key(),
                    search.order
                );
                let matter = format!("{} {}", camera.as_str(), search.order);
                Some(self.alarm(AlarmKind::CameraOn, &matter, words, Some(index)))
            }
            Some(SlotState::On(_) | SlotState::Off | SlotState::Unknown) => None,
            Some(SlotState::Unused) | None => {
                let words = format!(
                    "tick {} says that no camera has the slot that its roster gives to `{}`",
                    tick.n,
                    camera.as_str()
                );
                let matter = format!("unused {} {}", tick.n, camera.as_str());
                Some(self.alarm(AlarmKind::Misbehaviour, &matter, words, Some(index)))
            }
        }
    }

    /// A side file that is not there or not the right one is told, and the log goes on; one that could not be got is tried
    /// again.
    fn unfit(&self, error: ReadError, what: &str, index: u64) -> Result<Alarm, ReadError> {
        if matches!(error, ReadError::Source(SourceError::Read { .. })) {
            return Err(error);
        }
        let words = format!("{what} cannot be checked: {}", chain(&error));
        Ok(self.alarm(AlarmKind::Unfit, what, words, Some(index)))
    }

    fn finding(&self, index: u64, finding: &Finding) -> Alarm {
        let kind = match finding {
            Finding::Gap { .. } => AlarmKind::Gap,
            Finding::Overdue { .. } => AlarmKind::Overdue,
            Finding::Late { .. } => AlarmKind::Late,
            Finding::Early { .. } => AlarmKind::Early,
            Finding::Silent { .. } => AlarmKind::Silent,
        };
        self.alarm(kind, &index.to_string(), finding.to_string(), Some(index))
    }

    /// What should be there and is not, each told once.
    fn missing(&self, state: &mut State) {
        let seconds = self.now.unix_seconds().saturating_sub(self.settings.patience);
        let Some(by) = Moment::from_unix_seconds(seconds) else { return };
        let below = state.overdue_below;
        let mut overdue: Option<(u64, u64, u64, Moment)> = None;
        for finding in state.sequence.missing(by) {
            match finding {
                Finding::Silent { since } => {
                    let words = format!("no tick has come that was due at {since}");
                    let alarm = self.alarm(AlarmKind::Silent, &since.to_string(), words, None);
                    state.raise_once(alarm);
                }
                Finding::Overdue { tick, since } if tick >= below => {
                    let (first, last, count, oldest) = overdue.unwrap_or((tick, tick, 0, since));
                    overdue = Some((first.min(tick), last.max(tick), count + 1, oldest.min(since)));
                }
                Finding::Overdue { .. }
                | Finding::Gap { .. }
                | Finding::Late { .. }
                | Finding::Early { .. } => {}
            }
        }
        if let Some((first, last, count, since)) = overdue {
            let words = if count == 1 {
                format!("tick {first} should have been opened by {since} and is not")
            } else {
                format!(
                    "{count} ticks from {first} to {last} should have been opened from {since} on and are not"
                )
            };
            state.raise(self.alarm(AlarmKind::Overdue, &format!("{first} {last}"), words, None));
            state.overdue_below = last.saturating_add(1);
        }
    }

    /// A log that could not be read to its end: told once, until it could.
    fn trouble(&self, state: &mut State, error: &ReadError) {
        let kind = match error {
            ReadError::Checkpoint { .. } => AlarmKind::Refused,
            error if error.is_unavailable() => AlarmKind::Unreachable,
            _ => AlarmKind::Unfit,
        };
        let matter = self.now.to_string();
        let alarm = self.alarm(kind, &matter, format!("the log cannot be read: {}", chain(error)), None);
        state.raise_while(alarm);
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        words = format!("{words}: {next}");
        cause = next.source();
    }
    words
}
