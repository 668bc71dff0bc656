//! Transparency logs as C2SP specifies them: [signed notes](https://c2sp.org/signed-note),
//! [checkpoints](https://c2sp.org/tlog-checkpoint), [cosignatures](https://c2sp.org/tlog-cosignature),
//! [tiles](https://c2sp.org/tlog-tiles), [proofs](https://c2sp.org/tlog-proof), [policies](https://c2sp.org/tlog-policy) and
//! what a [witness](https://c2sp.org/tlog-witness) thinks of a request, on the trees of RFC 6962.
//!
//! No files, no clock, no network, no randomness: bytes in, bytes out. A seed for a new key is an argument. Where a
//! specification leaves a choice, the stricter reading is taken, and everything has one spelling.
//!
//! ```
//! use placet_tlog::checkpoint::Checkpoint;
//! use placet_tlog::cosignature::cosign;
//! use placet_tlog::merkle::{self, Frontier, Hash};
//! use placet_tlog::note::{Note, SignerKey, WitnessSecret};
//! use placet_tlog::policy::Policy;
//! use placet_tlog::proof::Proof;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A log of two entries, signed by its key and seen by one witness. (Real seeds are 32 random bytes.)
//! let log = SignerKey::generate("log.example/2026", [1; 32])?;
//! let witness = WitnessSecret::generate("witness.example/w1", [2; 32])?;
//! let mut tree = Frontier::default();
//! let leaves = [b"first", b"other"].map(|entry| Hash::of_leaf(entry));
//! leaves.iter().for_each(|leaf| tree.push(*leaf, |_, _, _| {}));
//! let checkpoint = Checkpoint { origin: log.name().clone(), size: tree.size(), root: tree.root() };
//! let note = Note::parse(checkpoint.sign(&log)?.as_bytes())?;
//! let line = cosign(note.unverified_text(), 1_795_348_800, &witness)?;
//!
//! // Whoever holds the policy, and nothing else, checks that `first` is entry 0.
//! let proof = Proof { extra: None, index: 0, hashes: vec![leaves[1]], checkpoint: note.with(line)?.to_string() };
//! let policy = format!("log {}\nwitness w1 {}\nquorum w1\n", log.verifier_key(), witness.verifier_key());
//! let accepted = proof.verify(b"first", &Policy::parse(policy.as_bytes())?)?;
//! assert_eq!(accepted.witnessed_at(), Some(1_795_348_800));
//! # Ok(())
//! # }
//! ```

pub mod checkpoint;
pub mod cosignature;
pub mod merkle;
pub mod note;
pub mod policy;
pub mod proof;
pub mod tile;
pub mod witness;
