mod look;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use placet_audit::Source;
use placet_record::entry::{CameraId, Moment};
use placet_tlog::checkpoint::{Origin, SignedCheckpoint};
use placet_tlog::note::VerifierKey;
use placet_tlog::policy::Policy;

use crate::alarm::Alarm;
use crate::files;
use crate::state::State;
use look::Look;

/// What a monitor looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Cameras whose searches are told.
    pub watched: BTreeSet<CameraId>,
    /// How many seconds late something may be before it is missing: networks and caches take theirs.
    pub patience: u64,
    /// The most entries read in one look; the next goes on.
    pub entries: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { watched: BTreeSet::new(), patience: 30, entries: 1 << 20 }
    }
}

/// Follows one log. What it has seen stands in a folder that it has to itself.
#[derive(Debug)]
pub struct Monitor {
    folder: PathBuf,
    policy: Policy,
    settings: Settings,
    origin: Origin,
    state: State,
    _lock: File,
}

impl Monitor {
    /// Goes on in `folder`, or begins there, with the one log of `policy`.
    ///
    /// # Errors
    /// If the policy names no log or several, or the folder is in use, cannot be used, or what stands there cannot be read.
    pub fn open(folder: &Path, policy: Policy, settings: Settings) -> Result<Self, MonitorError> {
        let keys: Vec<VerifierKey> = policy.logs().iter().map(|log| log.key.clone()).collect();
        let origin = keys.first().map(|key| key.name().clone()).ok_or(MonitorError::Policy)?;
        if keys.iter().any(|key| *key.name() != origin) {
            return Err(MonitorError::Policy);
        }
        let lock = files::lock(folder)
            .map_err(|source| MonitorError::Folder { path: folder.to_owned(), source })?
            .ok_or_else(|| MonitorError::InUse { folder: folder.to_owned() })?;
        let state = State::load(&state_file(folder), &keys)?;
        Ok(Self { folder: folder.to_owned(), policy, settings, origin, state, _lock: lock })
    }

    /// Looks at the log once. What is found is kept before this returns, and stays in [`Monitor::outbox`] until it is
    /// [`Monitor::delivered`].
    ///
    /// # Errors
    /// If what was seen cannot be kept. Whatever is wrong with the log, or with the way there, is an alarm.
    pub fn look<S: Source>(&mut self, source: &S, now: Moment) -> Result<&[Alarm], MonitorError> {
        let evidence = self.folder.join("evidence");
        let look = Look {
            policy: &self.policy,
            settings: &self.settings,
            origin: &self.origin,
            evidence: &evidence,
            now,
        };
        look.run(&mut self.state, source);
        self.save()?;
        Ok(&self.state.outbox)
    }

    /// What is still to be told, oldest first.
    pub fn outbox(&self) -> &[Alarm] {
        &self.state.outbox
    }

    /// The first `count` alarms of the outbox have been told.
    ///
    /// # Errors
    /// If that cannot be kept.
    pub fn delivered(&mut self, count: usize) -> Result<(), MonitorError> {
        self.state.outbox.drain(..count.min(self.state.outbox.len()));
        self.save()
    }

    /// The last 200 alarms, oldest first, for a feed.
    pub fn recent(&self) -> &[Alarm] {
        &self.state.recent
    }

    /// The last checkpoint that was accepted.
    pub fn checkpoint(&self) -> Option<&SignedCheckpoint> {
        self.state.checkpoint.as_ref()
    }

    /// How many entries were read.
    pub fn read_to(&self) -> u64 {
        self.state.sequence.leaves()
    }

    /// The log's name.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    fn save(&self) -> Result<(), MonitorError> {
        self.state.save(&state_file(&self.folder))
    }
}

fn state_file(folder: &Path) -> PathBuf {
    folder.join("state.json")
}

/// Why a monitor cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// Which log?
    #[error("a monitor follows one log: the policy has to name one, whatever keys it has")]
    Policy,
    /// The folder.
    #[error("cannot use `{}`", path.display())]
    Folder {
        /// Which part.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Two monitors would tell everything twice.
    #[error("another monitor is using `{}`", folder.display())]
    InUse {
        /// Which.
        folder: PathBuf,
    },
    /// What was kept.
    #[error("`{}` cannot be read: {why}; remove it, and the log is read from its start", path.display())]
    State {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}
