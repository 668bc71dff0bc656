//! What is sealed for somebody who is elsewhere: HPKE ([RFC 9180](https://www.rfc-editor.org/rfc/rfc9180), base mode:
//! DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305), with keys that are each for one purpose.
//!
//! A key's text says what it is for, and its type too: nothing is sealed to a key that was made for something else.
//!
//! Pure: no files, no clock, no randomness; seeds are arguments.
//!
//! ```
//! use placet_hpke::{Purpose, SecretKey};
//!
//! enum Example {}
//! impl Purpose for Example {
//!     const NAME: &'static str = "example";
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = SecretKey::<Example>::from_seed([1; 32]); // real seeds are random
//! let (encapsulated, mut sealing) = secret.public_key().seal(b"what it is bound to", [2; 32])?;
//! let first = sealing.seal(b"one message", b"bound to the first alone")?;
//!
//! let mut opening = secret.open(&encapsulated, b"what it is bound to")?;
//! assert_eq!(opening.open(&first, b"bound to the first alone")?.as_slice(), b"one message");
//! # Ok(())
//! # }
//! ```

mod context;
mod key;

pub use context::{ContextError, Opening, Sealing};
pub use key::{KeyError, PublicKey, Purpose, SecretKey, SecretText};

type Kem = hpke::kem::X25519HkdfSha256;
type Kdf = hpke::kdf::HkdfSha256;
type Aead = hpke::aead::ChaCha20Poly1305;

/// Bytes that sealing adds to a message.
pub const TAG: usize = 16;

/// Bytes of an encapsulated key.
pub const ENCAPSULATED: usize = 32;

#[cfg(test)]
mod tests;
