//! Signed notes after [C2SP signed-note](https://c2sp.org/signed-note): a text, a blank line, and one line per
//! signature, all of it UTF-8 that a person can read and mail.
//!
//! Where the specification leaves a choice, the stricter reading is taken: a signature of a known key that does not
//! verify refuses the whole note, a known key may sign once only, and every spelling has one form.

mod key;

pub use key::{
    COSIGNATURE, ED25519, KeyError, KeyId, KeyName, PublicKey, SecretKey, SecretText, SignerKey, VerifierKey,
    WitnessKey, WitnessSecret,
};

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The longest text a note may have, in bytes.
pub const MAX_TEXT: usize = 1 << 20;

/// The most signatures a note may have. The specification asks for at least 16.
pub const MAX_SIGNATURES: usize = 100;

/// The longest signature line, in bytes with its newline. Post-quantum signatures need nearly 7 KiB in base64.
pub const MAX_SIGNATURE_LINE: usize = 16 << 10;

/// What starts a signature line: an em dash and a space.
const LINE_START: &str = "\u{2014} ";

/// A note taken apart, nothing verified. Its text must not be used: [`Note::verify`] hands it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One signature line, nothing verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    name: KeyName,
    id: KeyId,
    bytes: Vec<u8>,
}

impl Signature {
    /// The name of the key that claims to have signed.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of the key that claims to have signed.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The signature itself, without the key id. Its length depends on the key's algorithm.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn new(name: KeyName, id: KeyId, bytes: Vec<u8>) -> Self {
        Self { name, id, bytes }
    }

    /// Reads a line without its newline; `number` counts signature lines from one.
    pub(crate) fn parse(line: &str, number: usize) -> Result<Self, NoteError> {
        let bad = |why| NoteError::SignatureLine { number, why };
        if line.len() >= MAX_SIGNATURE_LINE {
            return Err(bad("it is longer than 16 KiB"));
        }
        let rest = line
            .strip_prefix(LINE_START)
            .ok_or_else(|| bad("it does not start with an em dash and a space"))?;
        let (name, encoded) =
            rest.split_once(' ').ok_or_else(|| bad("it has no space between name and signature"))?;
        let name = name.parse().map_err(|_| bad("its key name is empty or has a space or a plus sign"))?;
        let decoded = STANDARD.decode(encoded).map_err(|_| bad("its signature is not strict base64"))?;
        match decoded.split_first_chunk::<4>() {
            Some((id, bytes)) if !bytes.is_empty() => {
                Ok(Self { name, id: KeyId(*id), bytes: bytes.to_vec() })
            }
            _ => Err(bad("its signature is shorter than five bytes")),
        }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode([self.id.0.as_slice(), &self.bytes].concat());
        writeln!(f, "{LINE_START}{} {encoded}", self.name)
    }
}

impl Note {
    /// Takes a note apart.
    ///
    /// # Errors
    /// Any departure from the format, named with its place. Nothing is repaired.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_TEXT + 1 + MAX_SIGNATURES * MAX_SIGNATURE_LINE {
            return Err(NoteError::TooLong);
        }
        let note = std::str::from_utf8(bytes).map_err(|e| NoteError::NotUtf8 { offset: e.valid_up_to() })?;
        check_characters(note)?;
        // The last blank line separates: the text may have blank lines, signatures have none.
        let blank = note.rfind("\n\n").ok_or(NoteError::NoBlankLine)?;
        let (text, signatures) = note.split_at(blank + 1);
        if text.len() > MAX_TEXT {
            return Err(NoteError::TooLong);
        }
        let lines = signatures.get(1..).and_then(|s| s.strip_suffix('\n')).ok_or(NoteError::NoSignature)?;
        let signatures =
            lines
                .split('\n')
                .enumerate()
                .map(|(idx, line)| {
                    if idx < MAX_SIGNATURES {
                        Signature::parse(line, idx + 1)
                    } else {
                        Err(NoteError::TooMany)
                    }
                })
                .collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The signature lines in order, nothing verified.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The text, which nobody has vouched for yet. [`Note::verify`] is the ordinary way to it.
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The note with one more signature line at its end.
    ///
    /// # Errors
    /// If it has [`MAX_SIGNATURES`] already, or a line of the same name and id.
    pub fn with(mut self, signature: Signature) -> Result<Self, NoteError> {
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(NoteError::TooMany);
        }
        if self.signatures.iter().any(|s| s.name == signature.name && s.id == signature.id) {
            return Err(NoteError::SignedTwice { key: Signer { name: signature.name, id: signature.id } });
        }
        self.signatures.push(signature);
        Ok(self)
    }

    /// Verifies every signature made by one of `keys`; signatures of other keys are ignored.
    ///
    /// # Errors
    /// If a signature of a known key does not verify or stands there twice, if no known key signed, or if two
    /// different keys share name and id.
    pub fn verify(self, keys: &[VerifierKey]) -> Result<Verified, NoteError> {
        let mut signers: Vec<VerifierKey> = Vec::new();
        for signature in &self.signatures {
            let Some(key) = find(keys, signature)? else { continue };
            let named = || Signer { name: key.name().clone(), id: key.id() };
            if signers.contains(key) {
                return Err(NoteError::SignedTwice { key: named() });
            }
            if !key.verify(self.text.as_bytes(), &signature.bytes) {
                return Err(NoteError::BadSignature { key: named() });
            }
            signers.push(key.clone());
        }
        if signers.is_empty() {
            return Err(NoteError::NoKnownSigner);
        }
        Ok(Verified { text: self.text, signers })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| signature.fmt(f))
    }
}

/// The key that `signature` names, if it is one of `keys`.
fn find<'k>(keys: &'k [VerifierKey], signature: &Signature) -> Result<Option<&'k VerifierKey>, NoteError> {
    let mut named = keys.iter().filter(|key| key.id() == signature.id && *key.name() == signature.name);
    let Some(key) = named.next() else { return Ok(None) };
    if named.any(|other| other != key) {
        return Err(NoteError::AmbiguousKey { key: Signer { name: key.name().clone(), id: key.id() } });
    }
    Ok(Some(key))
}

/// Refuses control characters other than newline.
fn check_characters(note: &str) -> Result<(), NoteError> {
    match note.bytes().position(|b| b < b' ' && b != b'\n') {
        Some(offset) => Err(NoteError::ControlCharacter { offset }),
        None => Ok(()),
    }
}

/// A text with at least one signature of a known key, and none that failed. Only [`open`] and [`Note::verify`] make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    text: String,
    signers: Vec<VerifierKey>,
}

impl Verified {
    /// The text that was signed, with its final newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The known keys that signed, in the order of their lines; at least one.
    pub fn signers(&self) -> &[VerifierKey] {
        &self.signers
    }
}

/// Parses a note and verifies it against `keys`.
///
/// # Errors
/// Those of [`Note::parse`] and [`Note::verify`].
pub fn open(bytes: &[u8], keys: &[VerifierKey]) -> Result<Verified, NoteError> {
    Note::parse(bytes)?.verify(keys)
}

/// The note that `text` and the signatures of `keys` make.
///
/// # Errors
/// If `text` does not end in a newline, has a control character or is too long; if `keys` is empty, names one key
/// twice or has more than [`MAX_SIGNATURES`].
pub fn sign(text: &str, keys: &[&SignerKey]) -> Result<String, NoteError> {
    if text.len() > MAX_TEXT {
        return Err(NoteError::TooLong);
    }
    check_characters(text)?;
    if !text.ends_with('\n') {
        return Err(NoteError::NoFinalNewline);
    }
    if keys.is_empty() {
        return Err(NoteError::NoSignature);
    }
    if keys.len() > MAX_SIGNATURES {
        return Err(NoteError::TooMany);
    }
    let mut signatures: Vec<Signature> = Vec::with_capacity(keys.len());
    for key in keys {
        let signature =
            Signature { name: key.name().clone(), id: key.id(), bytes: key.sign(text.as_bytes()).to_vec() };
        if signatures.iter().any(|s| s.name == signature.name && s.id == signature.id) {
            return Err(NoteError::SignedTwice { key: Signer { name: signature.name, id: signature.id } });
        }
        signatures.push(signature);
    }
    Ok(Note { text: text.to_owned(), signatures }.to_string())
}

/// A key as errors name it: `name+id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The key's name.
    pub name: KeyName,
    /// The key's id.
    pub id: KeyId,
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.name, self.id)
    }
}

/// Why a note was not read, not believed or not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not UTF-8.
    #[error("note is not UTF-8 at byte {offset}")]
    NotUtf8 {
        /// The first byte that does not belong.
        offset: usize,
    },
    /// A character below U+0020 that is not a newline.
    #[error("note has a control character at byte {offset}")]
    ControlCharacter {
        /// Where it stands.
        offset: usize,
    },
    /// Longer than [`MAX_TEXT`] and [`MAX_SIGNATURES`] allow.
    #[error("note is longer than the 1 MiB of text and 100 signatures that are read")]
    TooLong,
    /// More than [`MAX_SIGNATURES`].
    #[error("note has more than 100 signatures")]
    TooMany,
    /// No blank line, so that text and signatures cannot be told apart.
    #[error("note has no blank line between text and signatures")]
    NoBlankLine,
    /// A text to sign that does not end in a newline.
    #[error("text of a note does not end in a newline")]
    NoFinalNewline,
    /// No signature line, or the last one lacks its newline.
    #[error("note does not end in a signature line")]
    NoSignature,
    /// A signature line that is not `— name base64`.
    #[error("signature line {number} of the note cannot be read: {why}")]
    SignatureLine {
        /// Counted from one.
        number: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No signature by any of the keys given.
    #[error("note carries no signature of a known key")]
    NoKnownSigner,
    /// A known key's signature that does not verify: the text or the signature was changed.
    #[error("note carries a signature of `{key}` that does not fit its text")]
    BadSignature {
        /// Whose signature it claims to be.
        key: Signer,
    },
    /// One key, two signature lines.
    #[error("note carries two signatures of `{key}`")]
    SignedTwice {
        /// Whose.
        key: Signer,
    },
    /// Two different verifier keys with one name and one id; which of them signed cannot be said.
    #[error("two different verifier keys are called `{key}`")]
    AmbiguousKey {
        /// What both are called.
        key: Signer,
    },
}
