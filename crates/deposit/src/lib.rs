//! Deposits: what an event committed to, sealed to an oversight body, so that somebody outside the deployer can look without
//! asking the deployer.
//!
//! The event's `deposit` is the digest of the file; the file goes to the oversight body or waits for it. Sealing is HPKE
//! ([RFC 9180](https://www.rfc-editor.org/rfc/rfc9180), base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! ChaCha20Poly1305) bound to log and event. Every file has the same length. `docs/formats/deposit.md` has the bytes.
//!
//! Pure: no files, no clock, no randomness; seeds are arguments. A crate of its own, so that whoever verifies a log need
//! not build HPKE.
//!
//! ```
//! use placet_deposit::{Deposit, OversightSecret};
//! use placet_record::entry::{CommittedRecord, Event, EventId, EventKind, Record, RecordSecret};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let body = OversightSecret::from_seed([1; 32]); // real seeds are random
//! let origin = "log.example.org/placet".parse()?;
//! let committed = CommittedRecord {
//!     kind: EventKind::Request,
//!     record: Record::parse(br#"{"case_number":"2026/117"}"#)?,
//!     secret: RecordSecret::from_bytes([2; 32]),
//! };
//! let id = EventId([3; 16]);
//! let deposit = Deposit::seal(&body.public_key(), &origin, id, &committed, [4; 32])?;
//!
//! let event = Event {
//!     at: "2026-11-22T05:43:00Z".parse()?, kind: EventKind::Request, id, commitment: committed.commitment()?,
//!     about: None, deposit: Some(deposit.digest()), public: None,
//! };
//! assert_eq!(deposit.open(&body, &origin, &event)?, committed);
//! # Ok(())
//! # }
//! ```

use std::fmt;

use placet_core::Digest;
use placet_hpke::{PublicKey, Purpose, SecretKey};
use placet_record::entry::{CommittedRecord, Event, EventId, FormError};
use placet_tlog::checkpoint::Origin;
use zeroize::Zeroizing;

pub use placet_hpke::{KeyError, SecretText};

/// What the keys of oversight bodies are for.
pub enum Oversight {}

impl Purpose for Oversight {
    const NAME: &'static str = "oversight";
}

/// The public half of an oversight body's key. Written `placet-oversight-v1+` and base64url without padding.
pub type OversightKey = PublicKey<Oversight>;

/// An oversight body's secret key.
pub type OversightSecret = SecretKey<Oversight>;

/// What a deposit file starts with.
pub const FIRST_LINE: &[u8; 18] = b"placet-deposit-v1\n";

/// Length of what is sealed: two bytes of length, the record with its secret, zeros.
const PLAIN: usize = 4_352;

/// Length of a deposit file.
pub const DEPOSIT: usize = FIRST_LINE.len() + 8 + 32 + PLAIN + 16;

/// A deposit file.
#[derive(Clone, PartialEq, Eq)]
pub struct Deposit {
    key_id: [u8; 8],
    encapsulated: [u8; 32],
    ciphertext: Vec<u8>,
}

impl Deposit {
    /// Seals what event `id` of the log `origin` commits to. `seed` must be 32 fresh random bytes, and is wiped here.
    ///
    /// # Errors
    /// None for a record that can be written down and a key that was read.
    pub fn seal(
        key: &OversightKey,
        origin: &Origin,
        id: EventId,
        committed: &CommittedRecord,
        seed: [u8; 32],
    ) -> Result<Self, SealError> {
        let json = committed.to_bytes()?;
        let length = u16::try_from(json.len()).map_err(|_| SealError::Hpke)?;
        let mut plain = Zeroizing::new(Vec::with_capacity(PLAIN));
        plain.extend(length.to_be_bytes());
        plain.extend_from_slice(&json);
        if plain.len() > PLAIN {
            return Err(SealError::Hpke);
        }
        plain.resize(PLAIN, 0);

        let (encapsulated, mut sealing) = key.seal(&info(origin, id), seed).map_err(|_| SealError::Hpke)?;
        let ciphertext = sealing.seal(&plain, b"").map_err(|_| SealError::Hpke)?;
        Ok(Self { key_id: key.id(), encapsulated, ciphertext })
    }

    /// Opens the deposit of `event` in the log `origin`, and checks that it is what the event committed to.
    ///
    /// # Errors
    /// If it is another event's, sealed to another key, changed, or not what the event committed to. The last two are
    /// evidence: the digest in the log says that this very file was deposited.
    pub fn open(
        &self,
        secret: &OversightSecret,
        origin: &Origin,
        event: &Event,
    ) -> Result<CommittedRecord, OpenError> {
        if event.deposit != Some(self.digest()) {
            return Err(OpenError::Event { id: event.id });
        }
        if secret.public_key().id() != self.key_id {
            return Err(OpenError::Key);
        }
        let opening = secret.open(&self.encapsulated, &info(origin, event.id));
        let plain = opening.and_then(|mut opening| opening.open(&self.ciphertext, b""));
        let plain = plain.map_err(|_| OpenError::Sealed)?;
        let committed = CommittedRecord::parse(unpad(&plain).ok_or(OpenError::Padding)?)?;
        if committed.kind != event.kind || committed.commitment()? != event.commitment {
            return Err(OpenError::Commitment { id: event.id });
        }
        Ok(committed)
    }

    /// Takes a file apart; nothing is verified.
    ///
    /// # Errors
    /// If it is no deposit file of this version.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.len() != DEPOSIT {
            return Err(ParseError::Length { bytes: bytes.len() });
        }
        let rest = bytes.strip_prefix(FIRST_LINE).ok_or(ParseError::FirstLine)?;
        let (key_id, rest) = rest.split_first_chunk().ok_or(ParseError::FirstLine)?;
        let (encapsulated, ciphertext) = rest.split_first_chunk().ok_or(ParseError::FirstLine)?;
        Ok(Self { key_id: *key_id, encapsulated: *encapsulated, ciphertext: ciphertext.to_vec() })
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        [FIRST_LINE.as_slice(), &self.key_id, &self.encapsulated, &self.ciphertext].concat()
    }

    /// What an event says of it: SHA-256 of the file.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// The id of the key it is sealed to; see [`OversightKey::id`].
    pub fn key_id(&self) -> [u8; 8] {
        self.key_id
    }
}

impl fmt::Debug for Deposit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deposit({})", self.digest())
    }
}

/// What HPKE binds: an origin has no zero byte, so no two pairs give the same.
fn info(origin: &Origin, id: EventId) -> Vec<u8> {
    [b"placet/v1/deposit\0".as_slice(), origin.as_str().as_bytes(), &[0], &id.0].concat()
}

/// What stands before the zeros, if there is nothing but zeros after it.
fn unpad(plain: &[u8]) -> Option<&[u8]> {
    let (length, rest) = plain.split_first_chunk::<2>()?;
    let (json, zeros) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    (plain.len() == PLAIN && zeros.iter().all(|byte| *byte == 0)).then_some(json)
}

/// Why a deposit was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The record cannot be written down.
    #[error("cannot write the record to deposit")]
    Record {
        /// Why not.
        #[from]
        source: FormError,
    },
    /// HPKE refused, which no key that was read gives cause for.
    #[error("cannot seal the deposit")]
    Hpke,
}

/// Why a file is no deposit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Another length than every deposit has.
    #[error("a deposit has 4426 bytes, not {bytes}")]
    Length {
        /// How many it has.
        bytes: usize,
    },
    /// Another kind of file, or a later version.
    #[error("the first line is not `placet-deposit-v1`")]
    FirstLine,
}

/// Why a deposit was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The event names another file, or none.
    #[error("event `{id}` does not name this deposit")]
    Event {
        /// Which event.
        id: EventId,
    },
    /// Sealed to another key.
    #[error("the deposit is sealed to another key")]
    Key,
    /// The seal does not hold for this log and event.
    #[error("the deposit was not sealed for this log and event, or is damaged")]
    Sealed,
    /// What was sealed is not padded as it has to be.
    #[error("what the deposit holds is not padded as a record is")]
    Padding,
    /// What was sealed is no record.
    #[error("what the deposit holds cannot be read")]
    Record {
        /// Why not.
        #[from]
        source: FormError,
    },
    /// What was sealed is a record, but not the event's.
    #[error("the deposit holds another record than event `{id}` committed to")]
    Commitment {
        /// Which event.
        id: EventId,
    },
}

#[cfg(test)]
mod tests;
