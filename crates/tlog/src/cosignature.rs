//! Cosignatures, version 1 with Ed25519, after [C2SP tlog-cosignature](https://c2sp.org/tlog-cosignature): a witness states
//! that at a time this was the largest consistent tree it had seen of the log.
//!
//! The type 0x06 (ML-DSA-44, which the specification recommends beside Ed25519) has its place in a note already: a line of
//! an unknown key is kept and ignored.

use crate::note::{Note, NoteError, Signature, Signer, WitnessKey, WitnessSecret};

/// Seconds since 1970 in UTC, below 2^63.
pub type Seconds = u64;

/// The latest time a cosignature can state.
pub const MAX_TIME: Seconds = i64::MAX as u64;

/// A cosignature that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// Whose.
    pub key: WitnessKey,
    /// When the witness says it made it.
    pub time: Seconds,
}

/// What is signed: a header, the time, and the checkpoint's text.
fn message(text: &str, time: Seconds) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// The line that `key` puts below a checkpoint with `text` at `time`. Whether the tree is consistent with all that the
/// witness has seen must be known before.
///
/// # Errors
/// If `time` is above [`MAX_TIME`].
pub fn cosign(text: &str, time: Seconds, key: &WitnessSecret) -> Result<Signature, CosignatureError> {
    if time > MAX_TIME {
        return Err(CosignatureError::Time { key: signer(&key.verifier_key()) });
    }
    let mut bytes = time.to_be_bytes().to_vec();
    bytes.extend_from_slice(&key.sign(&message(text, time)));
    Ok(Signature::new(key.name().clone(), key.id(), bytes))
}

/// The cosignatures of `keys` on a note, in the order of their lines. Lines of other keys are ignored.
///
/// # Errors
/// If a line of a known key does not verify, states a time above [`MAX_TIME`], or stands there twice; if two of `keys` share
/// name and id.
pub fn cosignatures(note: &Note, keys: &[WitnessKey]) -> Result<Vec<Cosignature>, CosignatureError> {
    let mut out: Vec<Cosignature> = Vec::new();
    for line in note.signatures() {
        let mut named = keys.iter().filter(|k| k.id() == line.id() && k.name() == line.name());
        let Some(key) = named.next() else { continue };
        if named.any(|other| other != key) {
            return Err(NoteError::AmbiguousKey { key: signer(key) }.into());
        }
        if out.iter().any(|c| c.key == *key) {
            return Err(NoteError::SignedTwice { key: signer(key) }.into());
        }
        out.push(Cosignature { key: key.clone(), time: verify(note.unverified_text(), line, key)? });
    }
    Ok(out)
}

/// The time that `line`, if it is the cosignature of `key` on `text`, states.
///
/// # Errors
/// If it is not.
pub fn verify(text: &str, line: &Signature, key: &WitnessKey) -> Result<Seconds, CosignatureError> {
    let bad = || CosignatureError::Note(NoteError::BadSignature { key: signer(key) });
    let (time, signature) = line.bytes().split_first_chunk::<8>().ok_or_else(bad)?;
    let time = u64::from_be_bytes(*time);
    if line.id() != key.id() || line.name() != key.name() || !key.verify(&message(text, time), signature) {
        return Err(bad());
    }
    if time > MAX_TIME { Err(CosignatureError::Time { key: signer(key) }) } else { Ok(time) }
}

fn signer(key: &WitnessKey) -> Signer {
    Signer { name: key.name().clone(), id: key.id() }
}

/// Why a cosignature was not made or not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// It does not verify, or stands there twice.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A time that no clock tells.
    #[error("the cosignature of `{key}` states a time of 2^63 seconds or more")]
    Time {
        /// Whose.
        key: Signer,
    },
}
