//! The log's keys: which signs at which size.

use std::path::{Path, PathBuf};

use placet_store::Signer;
use placet_tlog::checkpoint::{Checkpoint, CheckpointError, Origin};
use placet_tlog::note::{SignerKey, VerifierKey};

use crate::error::KeeperError;
use crate::files;

/// The keys of a log in the order of their force. The file `keys` has a line `FROM KEY` for each.
pub struct LogSigner {
    path: PathBuf,
    origin: Origin,
    force: Vec<(u64, VerifierKey)>,
    secret: Vec<SignerKey>,
}

impl LogSigner {
    /// The signer of a new log.
    pub fn create(path: &Path, key: SignerKey) -> Result<Self, KeeperError> {
        let force = vec![(0, key.verifier_key())];
        let out = Self { path: path.to_owned(), origin: key.name().clone(), force, secret: vec![key] };
        out.save()?;
        Ok(out)
    }

    /// The signer of a log that is there. `secret` holds at least the key in force.
    pub fn open(path: &Path, secret: Vec<SignerKey>) -> Result<Self, KeeperError> {
        let text = files::read(path)?.unwrap_or_default();
        let mut force: Vec<(u64, VerifierKey)> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let parsed = line.split_once(' ').and_then(|(n, key)| Some((n.parse().ok()?, key.parse().ok()?)));
            let wrong = || KeeperError::Line { path: path.to_owned(), line: at + 1 };
            force.push(
                parsed.filter(|(n, _)| force.last().is_none_or(|(last, _)| last < n)).ok_or_else(wrong)?,
            );
        }
        let first = force.first().filter(|(n, _)| *n == 0);
        let origin = first.map(|(_, key)| key.name().clone());
        let origin = origin.ok_or_else(|| KeeperError::Line { path: path.to_owned(), line: 1 })?;
        Ok(Self { path: path.to_owned(), origin, force, secret })
    }

    /// The key that signs a tree of `size`.
    pub fn at(&self, size: u64) -> &VerifierKey {
        let key = self.force.iter().rev().find(|(from, _)| *from <= size).or(self.force.first());
        &key.expect("the first key was checked when the file was read").1
    }

    /// Whether the private half of the key for `size` is here.
    pub fn can_sign(&self, size: u64) -> Result<(), KeeperError> {
        match self.secret_of(self.at(size)) {
            Some(_) => Ok(()),
            None => Err(KeeperError::NoKey(Box::new(self.at(size).clone()))),
        }
    }

    /// Puts a key in force from `size` on, if it is not already.
    pub fn change(&mut self, from: u64, key: &VerifierKey) -> Result<(), KeeperError> {
        if self.force.iter().any(|(f, k)| *f == from && k == key) {
            return Ok(());
        }
        self.force.push((from, key.clone()));
        self.save()
    }

    /// Adds a private key.
    pub fn learn(&mut self, key: SignerKey) {
        self.secret.push(key);
    }

    fn secret_of(&self, key: &VerifierKey) -> Option<&SignerKey> {
        self.secret.iter().find(|s| s.verifier_key() == *key)
    }

    fn save(&self) -> Result<(), KeeperError> {
        let text: String = self.force.iter().map(|(from, key)| format!("{from} {key}\n")).collect();
        files::replace(&self.path, text.as_bytes())
    }
}

impl Signer for LogSigner {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn sign(&self, checkpoint: &Checkpoint) -> Result<String, CheckpointError> {
        let key = self.at(checkpoint.size);
        match self.secret_of(key) {
            Some(secret) => checkpoint.sign(secret),
            None => Err(CheckpointError::ForeignKey { origin: self.origin.clone(), key: key.name().clone() }),
        }
    }

    fn keys(&self) -> Vec<VerifierKey> {
        self.force.iter().map(|(_, key)| key.clone()).collect()
    }
}
