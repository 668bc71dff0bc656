//! Signed notes, the envelope of everything Placet signs and of the transparency log's checkpoints, after
//! [C2SP signed-note](https://c2sp.org/signed-note).
//!
//! No files, no clock, no randomness: bytes in, bytes out. A seed for a new key is an argument.
//!
//! ```
//! use placet_tlog::note::{self, SignerKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let signer = SignerKey::generate("example.org/redaction", [7; 32])?; // a real seed is 32 random bytes
//! let signed = note::sign("a text that ends in a newline\n", &[&signer])?;
//!
//! let verified = note::open(signed.as_bytes(), &[signer.verifier_key()])?;
//! assert_eq!(verified.text(), "a text that ends in a newline\n");
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
