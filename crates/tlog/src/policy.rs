//! Whom to believe, after [C2SP tlog-policy](https://c2sp.org/tlog-policy): the logs' keys, the witnesses' keys, and how
//! many of them must have seen a checkpoint. The file is given out of band, never fetched from the log it judges.

mod quorum;
mod read;

pub use read::PolicyFileError;

use std::fmt;

use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::cosignature::{Cosignature, CosignatureError, Seconds, cosignatures};
use crate::note::{VerifierKey, WitnessKey};
use quorum::Quorum;

/// The most lines of one kind that are read. The specification asks for at least 32.
pub const MAX_OF_A_KIND: usize = 1000;

/// A log that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Its key, whose name is its origin.
    pub key: VerifierKey,
    /// Where it is served.
    pub url: Option<String>,
}

/// A witness that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What this file calls it.
    pub name: Name,
    /// Its key.
    pub key: WitnessKey,
    /// Where checkpoints are submitted to it.
    pub url: Option<String>,
}

/// A name in a policy file: octets, most often UTF-8.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Vec<u8>);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    quorum: Quorum,
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// Any departure from the format, by its line.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyFileError> {
        read::policy(bytes)
    }

    /// The logs that are believed.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses that count.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether it asks for witnesses at all.
    pub fn asks_for_witnesses(&self) -> bool {
        self.quorum.asks_for_any()
    }

    /// Whether the witnesses with these keys are enough.
    pub fn is_met_by(&self, keys: &[WitnessKey]) -> bool {
        self.quorum.is_met(&|idx| self.witnesses.get(idx).is_some_and(|w| keys.contains(&w.key)))
    }

    /// The checkpoint, if one of the logs signed it and enough witnesses cosigned it.
    ///
    /// # Errors
    /// If it is not to be believed.
    pub fn accept(&self, bytes: &[u8]) -> Result<Accepted, PolicyError> {
        let logs: Vec<VerifierKey> = self.logs.iter().map(|log| log.key.clone()).collect();
        let signed = SignedCheckpoint::open(bytes, &logs)?;
        let keys: Vec<WitnessKey> = self.witnesses.iter().map(|w| w.key.clone()).collect();
        let mut seen = cosignatures(signed.note(), &keys)?;
        seen.sort_by_key(|c| c.time);
        let enough = (0..=seen.len()).find(|n| {
            let first: Vec<WitnessKey> = seen.iter().take(*n).map(|c| c.key.clone()).collect();
            self.is_met_by(&first)
        });
        let Some(enough) = enough else {
            let by = self.witnesses.iter().filter(|w| seen.iter().any(|c| c.key == w.key));
            return Err(PolicyError::Quorum { by: by.map(|w| w.name.clone()).collect() });
        };
        let witnessed_at = enough.checked_sub(1).and_then(|last| seen.get(last)).map(|c| c.time);
        Ok(Accepted { signed, cosignatures: seen, witnessed_at })
    }
}

/// A checkpoint that a policy accepts. Only [`Policy::accept`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    signed: SignedCheckpoint,
    cosignatures: Vec<Cosignature>,
    witnessed_at: Option<Seconds>,
}

impl Accepted {
    /// What the log says.
    pub fn checkpoint(&self) -> &Checkpoint {
        self.signed.checkpoint()
    }

    /// The checkpoint with its signatures.
    pub fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    /// The cosignatures that verified, earliest first.
    pub fn cosignatures(&self) -> &[Cosignature] {
        &self.cosignatures
    }

    /// When enough witnesses had cosigned, by their own clocks; none where the policy asks for no witness.
    pub fn witnessed_at(&self) -> Option<Seconds> {
        self.witnessed_at
    }
}

/// Why a checkpoint is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not a checkpoint of one of the logs.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A witness's line that does not verify.
    #[error(transparent)]
    Cosignature(#[from] CosignatureError),
    /// Too few witnesses.
    #[error("too few of the policy's witnesses cosigned the checkpoint: {}", list(.by))]
    Quorum {
        /// Those that did.
        by: Vec<Name>,
    },
}

fn list(names: &[Name]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
