//! A witness: follows the logs it is told to, and cosigns a checkpoint once it has stored that it did.
//!
//! What it has seen of each log stands in a file of its own, replaced whole: written beside, synced, renamed, and the folder
//! synced, before the cosignature leaves. A database would bring the same promise with a page cache, a journal and a
//! recovery of its own between it and the disk; here there is one small file to read with the eyes. After a failed
//! sync nobody can say what the disk has, so the log in question is not cosigned again until the witness is restarted.
//!
//! What cannot be noticed from inside: a state file that was taken away, or put back to an older one. The witness notices when it
//! is shown a checkpoint that it cosigned itself and does not remember; the logs notice by themselves, since their
//! [client](crate::client) remembers sizes.

mod disk;
mod evidence;
mod page;
mod router;
mod state;

pub use disk::{Disk, DiskFile, FileSystem};
pub use evidence::EvidenceKind;
pub use router::router;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use placet_tlog::checkpoint::{Checkpoint, Origin};
use placet_tlog::cosignature::{CosignatureError, Seconds, cosign, cosignatures};
use placet_tlog::note::{Note, VerifierKey, WitnessKey, WitnessSecret};
use placet_tlog::policy::Policy;
use placet_tlog::witness::{AddCheckpoint, Refusal, judge};

use disk::ReplaceError;
use evidence::{Evidence, Shelf};
use state::{Cosigned, StateError};

/// How far the clock may be behind the last cosignature before it is not believed.
const MAX_BEHIND: Seconds = 300;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Seconds since 1970 in UTC.
    fn now(&self) -> Seconds;
}

/// The clock of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Seconds {
        std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs())
    }
}

/// A witness over a folder, which it has to itself.
pub struct Witness {
    secret: WitnessSecret,
    keys: Vec<VerifierKey>,
    logs: BTreeMap<Origin, Mutex<Followed>>,
    folder: PathBuf,
    disk: Box<dyn Disk>,
    clock: Box<dyn Clock>,
    _lock: File,
}

/// One log.
struct Followed {
    last: Option<Cosigned>,
    /// Why nothing is cosigned for this log any more.
    trouble: Option<String>,
    evidence: Shelf,
}

impl Witness {
    /// A witness that cosigns with `secret` for the `log` lines of `policy` and remembers in `folder`.
    ///
    /// # Errors
    /// If the folder cannot be used, another witness uses it, or what stands in it cannot be believed.
    pub fn open(
        folder: &Path,
        secret: WitnessSecret,
        policy: &Policy,
        disk: Box<dyn Disk>,
        clock: Box<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Folder { path, source }
        };
        for part in [folder.to_owned(), folder.join(state::FOLDER), folder.join(evidence::FOLDER)] {
            std::fs::create_dir_all(&part).map_err(failed(&part))?;
        }
        disk.sync_folder(folder).map_err(failed(folder))?;
        let lock = lock(folder)?;
        let keys: Vec<VerifierKey> = policy.logs().iter().map(|log| log.key.clone()).collect();
        let mut logs = BTreeMap::new();
        for origin in keys.iter().map(VerifierKey::name) {
            if !logs.contains_key(origin) {
                let followed = Followed::load(disk.as_ref(), folder, origin)?;
                logs.insert(origin.clone(), Mutex::new(followed));
            }
        }
        Ok(Self { secret, keys, logs, folder: folder.to_owned(), disk, clock, _lock: lock })
    }

    /// The key that its cosignatures verify under.
    pub fn key(&self) -> WitnessKey {
        self.secret.verifier_key()
    }

    /// `add-checkpoint`: the signature line, stored for before it is returned.
    ///
    /// # Errors
    /// Why it is not cosigned.
    pub fn add_checkpoint(&self, body: &[u8]) -> Result<String, Declined> {
        let request = AddCheckpoint::parse(body).map_err(Refusal::from)?;
        let mut place: Option<MutexGuard<'_, Followed>> = None;
        let judged = judge(&request, &self.keys, |new| {
            let guard = self.logs.get(&new.origin)?.lock().unwrap_or_else(PoisonError::into_inner);
            place.insert(guard).last.as_ref().map(|last| last.checkpoint.clone())
        });
        // Without it nothing was signed by a log that is followed.
        let Some(mut followed) = place else {
            return Err(judged.err().unwrap_or(Refusal::UnknownLog).into());
        };
        self.look_for_own(&request, &mut followed)?;
        if let Some(trouble) = &followed.trouble {
            return Err(Declined::Unable(trouble.clone()));
        }
        match judged {
            Ok(signed) => self.cosign(&mut followed, signed.checkpoint().clone(), signed.note()),
            Err(refusal) => {
                self.keep_evidence(&request, &refusal, &mut followed);
                Err(refusal.into())
            }
        }
    }

    /// Stores, then signs.
    fn cosign(
        &self,
        followed: &mut Followed,
        checkpoint: Checkpoint,
        note: &Note,
    ) -> Result<String, Declined> {
        let now = self.clock.now();
        let last = followed.last.as_ref().map_or(0, |last| last.time);
        if last.saturating_sub(now) > MAX_BEHIND {
            return Err(Declined::Unable(format!(
                "the clock of this witness is {} seconds behind its last cosignature",
                last - now
            )));
        }
        let time = now.max(last);
        let new = Cosigned { time, note: note.to_string(), checkpoint };
        let known = followed.last.as_ref().is_some_and(|l| l.time == time && l.checkpoint == new.checkpoint);
        if !known {
            self.store(followed, new)?;
        }
        let line = cosign(note.unverified_text(), time, &self.secret);
        Ok(line.map_err(|e: CosignatureError| Declined::Unable(e.to_string()))?.to_string())
    }

    fn store(&self, followed: &mut Followed, new: Cosigned) -> Result<(), Declined> {
        let folder = self.folder.join(state::FOLDER);
        let stored = disk::replace(
            self.disk.as_ref(),
            &folder,
            &state::file_name(&new.checkpoint.origin),
            &new.to_bytes(),
        );
        if let Err(ReplaceError { what, unsure, source }) = stored {
            let words = format!("this witness cannot {what} what it has seen: {source}");
            if unsure {
                followed.trouble = Some(format!("{words}; it has to be restarted"));
            }
            return Err(Declined::Unable(words));
        }
        followed.last = Some(new);
        Ok(())
    }

    /// A cosignature of ours that goes beyond what is stored: the state was put back to an older one.
    fn look_for_own(&self, request: &AddCheckpoint, followed: &mut Followed) -> Result<(), Declined> {
        let Ok(note) = Note::parse(request.checkpoint.as_bytes()) else { return Ok(()) };
        let Ok(seen): Result<Checkpoint, _> = note.unverified_text().parse() else { return Ok(()) };
        let ours = cosignatures(&note, &[self.key()]).is_ok_and(|own| !own.is_empty());
        let forgotten = match &followed.last {
            None => true,
            Some(last) => {
                seen.size > last.checkpoint.size
                    || (seen.size == last.checkpoint.size && seen.root != last.checkpoint.root)
            }
        };
        if ours && forgotten && followed.trouble.is_none() {
            followed.trouble = Some(evidence::FORGOTTEN.to_owned());
            let evidence = self.evidence(EvidenceKind::Forgotten, request, followed);
            return self
                .keep(followed, &evidence, &seen)
                .map_err(|e| Declined::Unable(format!("{}; this cannot be kept: {e}", evidence::FORGOTTEN)));
        }
        Ok(())
    }

    fn keep_evidence(&self, request: &AddCheckpoint, refusal: &Refusal, followed: &mut Followed) {
        let Some(last) = &followed.last else { return };
        let Ok(note) = Note::parse(request.checkpoint.as_bytes()) else { return };
        let Ok(new): Result<Checkpoint, _> = note.unverified_text().parse() else { return };
        let kind = match refusal {
            _ if new.size == last.checkpoint.size && new.root != last.checkpoint.root => EvidenceKind::Fork,
            Refusal::OtherSize { .. } if new.size < last.checkpoint.size => EvidenceKind::Older,
            Refusal::Inconsistent { .. } => EvidenceKind::NotExtending,
            _ => return,
        };
        let evidence = self.evidence(kind, request, followed);
        if let Err(error) = self.keep(followed, &evidence, &new) {
            followed.evidence.lost(&error);
        }
    }

    fn evidence(&self, kind: EvidenceKind, request: &AddCheckpoint, followed: &Followed) -> Evidence {
        Evidence {
            kind,
            seen: self.clock.now(),
            known: followed.last.as_ref().map(|last| last.note.clone()),
            submitted: request.checkpoint.clone(),
            old: request.old,
            proof: request.proof.iter().map(ToString::to_string).collect(),
        }
    }

    fn keep(&self, followed: &mut Followed, evidence: &Evidence, of: &Checkpoint) -> io::Result<()> {
        followed.evidence.keep(self.disk.as_ref(), &self.folder.join(evidence::FOLDER), evidence, of)
    }
}

impl Followed {
    fn load(disk: &dyn Disk, folder: &Path, origin: &Origin) -> Result<Self, OpenError> {
        let path = folder.join(state::FOLDER).join(state::file_name(origin));
        let read = disk.read(&path).map_err(|source| OpenError::Folder { path: path.clone(), source })?;
        let last = read.map(|bytes| Cosigned::parse(&bytes, origin)).transpose();
        let last = last.map_err(|source| OpenError::State { path, source })?;
        let kept = folder.join(evidence::FOLDER);
        let evidence = Shelf::load(disk, &kept, origin)
            .map_err(|source| OpenError::Folder { path: kept.clone(), source })?;
        let trouble = evidence.has(EvidenceKind::Forgotten).then(|| evidence::FORGOTTEN.to_owned());
        Ok(Self { last, trouble, evidence })
    }
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join("lock");
    let file = File::options().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|source| OpenError::Folder { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(OpenError::Folder { path, source }),
    }
}

/// Why a checkpoint is not cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Declined {
    /// It must not be.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The witness itself is in trouble.
    #[error("{0}")]
    Unable(String),
}

/// Why there is no witness.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its folder.
    #[error("cannot use `{}`", path.display())]
    Folder {
        /// Which part.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Two witnesses on one folder would each forget what the other saw.
    #[error("another witness is using `{}`", folder.display())]
    InUse {
        /// Which.
        folder: PathBuf,
    },
    /// What it has seen cannot be told.
    #[error(
        "`{}` is damaged, so what was cosigned is not known; put back the newest copy, and if there is none, start a witness with a new key",
        path.display()
    )]
    State {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: StateError,
    },
}
