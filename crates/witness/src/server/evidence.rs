//! What a log's key has signed and should not have, kept for whoever wants to judge. Bounded: anyone can send us old
//! checkpoints, or a good one with a proof of nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use placet_core::Digest;
use placet_tlog::checkpoint::{Checkpoint, Origin};
use placet_tlog::cosignature::Seconds;
use serde::Serialize;

use super::disk::{self, Disk};
use super::state;

/// Where it is kept.
pub(super) const FOLDER: &str = "evidence";

/// The most pieces kept of one kind for one log.
const MAX_OF_A_KIND: usize = 64;

/// Why a witness that finds a cosignature of its own stops.
pub(super) const FORGOTTEN: &str = "this witness was shown a cosignature of its own that it does not remember: \
     its state was lost or put back to an older one, and an operator has to decide";

/// What a piece of evidence shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// Two signed trees of one size: proof that the log's key signed two histories.
    Fork,
    /// A signed tree with a proof that does not show it extends the one known: a fork, or a wrong proof.
    NotExtending,
    /// A signed tree smaller than the one known: the log went back, or somebody sent an old checkpoint.
    Older,
    /// A cosignature of this witness that it does not remember.
    Forgotten,
}

impl EvidenceKind {
    pub(super) const ALL: [Self; 4] = [Self::Fork, Self::NotExtending, Self::Older, Self::Forgotten];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::NotExtending => "not-extending",
            Self::Older => "older",
            Self::Forgotten => "forgotten",
        }
    }

    /// For people.
    pub(super) fn says(self) -> &'static str {
        match self {
            Self::Fork => "the log's key signed two trees of one size: it forked",
            Self::NotExtending => {
                "the log's key signed a tree that was not shown to extend the one known: a fork, or a wrong proof"
            }
            Self::Older => {
                "a smaller tree was submitted than the one known: the log went back, or somebody sent an old checkpoint"
            }
            Self::Forgotten => "this witness cosigned more than it remembers",
        }
    }
}

/// One piece, as its file has it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Evidence {
    pub(super) kind: EvidenceKind,
    /// When it was submitted, by our clock.
    pub(super) seen: Seconds,
    /// The signed checkpoint that was known.
    pub(super) known: Option<String>,
    /// The signed checkpoint that was submitted.
    pub(super) submitted: String,
    /// The old size that was submitted with it.
    pub(super) old: u64,
    /// The proof that was submitted with it.
    pub(super) proof: Vec<String>,
}

/// The evidence about one log: file names by kind.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    names: BTreeMap<EvidenceKind, Vec<String>>,
    lost: Option<String>,
}

impl Shelf {
    pub(super) fn load(disk: &dyn Disk, folder: &Path, origin: &Origin) -> io::Result<Self> {
        let start = log_part(origin);
        let mut shelf = Self::default();
        for name in disk.names(folder)? {
            let Some(rest) = name.strip_prefix(&start).and_then(|r| r.strip_suffix(".json")) else {
                continue;
            };
            let is = |kind: &EvidenceKind| {
                rest.strip_prefix(kind.word()).is_some_and(|rest| rest.starts_with("_"))
            };
            if let Some(kind) = EvidenceKind::ALL.into_iter().find(is) {
                shelf.names.entry(kind).or_default().push(name);
            }
        }
        shelf.names.values_mut().for_each(|names| names.sort());
        Ok(shelf)
    }

    pub(super) fn has(&self, kind: EvidenceKind) -> bool {
        !self.of(kind).is_empty()
    }

    pub(super) fn of(&self, kind: EvidenceKind) -> &[String] {
        self.names.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// What could not be kept, if anything.
    pub(super) fn last_lost(&self) -> Option<&str> {
        self.lost.as_deref()
    }

    pub(super) fn lost(&mut self, error: &io::Error) {
        self.lost = Some(error.to_string());
    }

    /// Keeps a piece about `checkpoint`, once for each tree, and no more than fit.
    pub(super) fn keep(
        &mut self,
        disk: &dyn Disk,
        folder: &Path,
        evidence: &Evidence,
        checkpoint: &Checkpoint,
    ) -> io::Result<()> {
        let root: String = Digest(checkpoint.root.0).hex().chars().take(16).collect();
        let start = log_part(&checkpoint.origin);
        let name = format!("{start}{}_{}_{root}.json", evidence.kind.word(), checkpoint.size);
        let names = self.names.entry(evidence.kind).or_default();
        if names.len() >= MAX_OF_A_KIND || names.contains(&name) {
            return Ok(());
        }
        let bytes = serde_json::to_vec_pretty(evidence)?;
        disk::replace(disk, folder, &name, &bytes).map_err(|e| e.source)?;
        names.push(name);
        Ok(())
    }
}

/// What the names of a log's files start with.
fn log_part(origin: &Origin) -> String {
    format!("{}_", state::file_name(origin).get(..16).unwrap_or_default())
}
