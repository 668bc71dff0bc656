//! What a monitor remembers between two looks, in one file that is replaced whole.

use std::collections::BTreeSet;
use std::path::Path;

use placet_record::entry::{Moment, Sequence};
use placet_tlog::checkpoint::SignedCheckpoint;
use placet_tlog::note::VerifierKey;
use serde::{Deserialize, Serialize};

use crate::alarm::{Alarm, AlarmKind};
use crate::files;
use crate::monitor::MonitorError;

/// How many alarms are kept for the feed.
const MAX_RECENT: usize = 200;

/// The state.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The last checkpoint that was accepted, as it was served.
    pub(crate) checkpoint: Option<SignedCheckpoint>,
    /// The entries read so far; may be fewer than the checkpoint covers.
    pub(crate) sequence: Sequence,
    /// Matters that were told and must not be told again.
    pub(crate) told: BTreeSet<String>,
    /// Kinds of trouble that were told and last.
    pub(crate) lasting: BTreeSet<AlarmKind>,
    /// Ticks below this number were told as overdue, if they are.
    pub(crate) overdue_below: u64,
    /// Alarms that were not delivered yet.
    pub(crate) outbox: Vec<Alarm>,
    /// The last alarms, for the feed.
    pub(crate) recent: Vec<Alarm>,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    v: u32,
    checkpoint: Option<String>,
    sequence: String,
    told: BTreeSet<String>,
    lasting: BTreeSet<AlarmKind>,
    overdue_below: u64,
    outbox: Vec<Alarm>,
    recent: Vec<Alarm>,
}

impl State {
    pub(crate) fn load(path: &Path, keys: &[VerifierKey]) -> Result<Self, MonitorError> {
        let failed = |source| MonitorError::Folder { path: path.to_owned(), source };
        let Some(bytes) = files::read(path).map_err(failed)? else { return Ok(Self::default()) };
        let damaged = |why: String| MonitorError::State { path: path.to_owned(), why };
        let kept: Kept = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
        if kept.v != 1 {
            return Err(damaged(format!("it is of version {}", kept.v)));
        }
        let signed = kept.checkpoint.map(|text| SignedCheckpoint::open(text.as_bytes(), keys)).transpose();
        Ok(Self {
            checkpoint: signed.map_err(|e| damaged(e.to_string()))?,
            sequence: Sequence::from_lines(&kept.sequence).map_err(|e| damaged(e.to_string()))?,
            told: kept.told,
            lasting: kept.lasting,
            overdue_below: kept.overdue_below,
            outbox: kept.outbox,
            recent: kept.recent,
        })
    }

    pub(crate) fn save(&self, path: &Path) -> Result<(), MonitorError> {
        let kept = Kept {
            v: 1,
            checkpoint: self.checkpoint.as_ref().map(ToString::to_string),
            sequence: self.sequence.to_lines(),
            told: self.told.clone(),
            lasting: self.lasting.clone(),
            overdue_below: self.overdue_below,
            outbox: self.outbox.clone(),
            recent: self.recent.clone(),
        };
        let failed = |source| MonitorError::Folder { path: path.to_owned(), source };
        let bytes = serde_json::to_vec(&kept).map_err(|e| failed(e.into()))?;
        files::replace(path, &bytes).map_err(failed)
    }

    /// Takes an alarm.
    pub(crate) fn raise(&mut self, alarm: Alarm) {
        self.recent.push(alarm.clone());
        let beyond = self.recent.len().saturating_sub(MAX_RECENT);
        self.recent.drain(..beyond);
        self.outbox.push(alarm);
    }

    /// Takes an alarm whose matter may come up again, if it is the first time.
    pub(crate) fn raise_once(&mut self, alarm: Alarm) {
        if self.told.insert(alarm.id.clone()) {
            self.raise(alarm);
        }
    }

    /// Takes an alarm about trouble that lasts until [`State::is_well`], if it is new.
    pub(crate) fn raise_while(&mut self, alarm: Alarm) {
        if self.lasting.insert(alarm.kind) {
            self.raise(alarm);
        }
    }

    /// The log could be read to its end.
    pub(crate) fn is_well(&mut self) {
        self.lasting.clear();
    }

    /// The start of a tick that is not opened yet.
    pub(crate) fn start_of(&self, tick: u64) -> Option<Moment> {
        self.sequence.unopened().find(|(n, _)| *n == tick).map(|(_, start)| start)
    }
}
