use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

/// Signature type of Ed25519 in C2SP signed-note: a log's, a manifest's.
pub const ED25519: u8 = 0x01;

/// Signature type of a timestamped Ed25519 cosignature in C2SP tlog-cosignature: a witness's.
pub const COSIGNATURE: u8 = 0x04;

/// What a signer key's text starts with.
const SECRET_START: &str = "PRIVATE+KEY+";

/// The longest key name read, in bytes.
const MAX_NAME: usize = 255;

/// A key's name: not empty, at most 255 bytes, without Unicode spaces, ASCII control characters or `+`. A URL without
/// a scheme is recommended, such as `example.org/redaction`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName(String);

impl KeyName {
    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = KeyError;

    fn from_str(name: &str) -> Result<Self, KeyError> {
        let foreign = |c: char| c.is_whitespace() || c < ' ' || c == '+';
        if name.is_empty() || name.len() > MAX_NAME || name.contains(foreign) {
            return Err(KeyError::Name);
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first four bytes of SHA-256 over name, newline, signature type and public key. Tells keys of one name apart; it
/// is too short to prove anything. Written as eight lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 4]);

impl KeyId {
    fn of(name: &KeyName, kind: u8, public: &[u8; 32]) -> Self {
        let digest = Sha256::new()
            .chain_update(name.as_str())
            .chain_update([b'\n', kind])
            .chain_update(public)
            .finalize();
        let [a, b, c, d, ..] = <[u8; 32]>::from(digest);
        Self([a, b, c, d])
    }

    /// Reads eight lower-case hex digits.
    fn parse(text: &str) -> Option<Self> {
        let lower_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 8 || !text.bytes().all(lower_hex) {
            return None;
        }
        u32::from_str_radix(text, 16).ok().map(|id| Self(id.to_be_bytes()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A public Ed25519 key under a name, for signatures of type `KIND` and no other. Written
/// `name+id+base64(KIND || public key)`; printing and parsing are inverse.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey<const KIND: u8> {
    name: KeyName,
    id: KeyId,
    key: VerifyingKey,
}

/// A key that verifies plain signatures.
pub type VerifierKey = PublicKey<ED25519>;

/// A key that verifies cosignatures.
pub type WitnessKey = PublicKey<COSIGNATURE>;

impl<const KIND: u8> PublicKey<KIND> {
    fn new(name: KeyName, key: VerifyingKey) -> Self {
        Self { id: KeyId::of(&name, KIND, key.as_bytes()), name, key }
    }

    /// The key with these 32 bytes, as RFC 8032 encodes it.
    ///
    /// # Errors
    /// If no honest key has them.
    pub fn from_bytes(name: KeyName, bytes: &[u8; 32]) -> Result<Self, KeyError> {
        Ok(Self::new(name, public_key(bytes)?))
    }

    /// Whether the other key is the same point, whatever either is called or used for.
    pub fn is_same_point<const OTHER: u8>(&self, other: &PublicKey<OTHER>) -> bool {
        self.key == other.key
    }

    /// The key's name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key's id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Whether `signature` is this key's over `message`, by the strict rules: no small-order point, one encoding.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl<const KIND: u8> FromStr for PublicKey<KIND> {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, id, encoded) = split(text)?;
        let payload = STANDARD.decode(encoded).map_err(|_| KeyError::Base64)?;
        let key = Self::new(name, public_key(payload_of(KIND, &payload)?)?);
        if key.id == id { Ok(key) } else { Err(KeyError::Id { stated: id, computed: key.id }) }
    }
}

impl<const KIND: u8> fmt::Display for PublicKey<KIND> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = [&[KIND], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, self.id, STANDARD.encode(payload))
    }
}

impl<const KIND: u8> fmt::Debug for PublicKey<KIND> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A secret Ed25519 key under a name, for signatures of type `KIND` and no other. Wiped from memory when dropped; never
/// printed but by [`SecretKey::secret_text`].
pub struct SecretKey<const KIND: u8> {
    public: PublicKey<KIND>,
    key: SigningKey,
}

/// A key that makes plain signatures.
pub type SignerKey = SecretKey<ED25519>;

/// A key that makes cosignatures.
pub type WitnessSecret = SecretKey<COSIGNATURE>;

impl<const KIND: u8> SecretKey<KIND> {
    /// The key that grows from `seed`, which must be 32 bytes from the system's random source and is wiped here.
    ///
    /// # Errors
    /// If `name` is no [`KeyName`].
    pub fn generate(name: &str, mut seed: [u8; 32]) -> Result<Self, KeyError> {
        let name = name.parse();
        let key = SigningKey::from_bytes(&seed);
        seed.zeroize();
        Ok(Self::new(name?, key))
    }

    fn new(name: KeyName, key: SigningKey) -> Self {
        Self { public: PublicKey::new(name, key.verifying_key()), key }
    }

    /// The key's name.
    pub fn name(&self) -> &KeyName {
        self.public.name()
    }

    /// The key's id.
    pub fn id(&self) -> KeyId {
        self.public.id()
    }

    /// The public half, to hand out.
    pub fn verifier_key(&self) -> PublicKey<KIND> {
        self.public.clone()
    }

    /// `PRIVATE+KEY+name+id+base64(KIND || seed)`, to be kept in a file that only its owner can read.
    pub fn secret_text(&self) -> SecretText {
        let mut payload = Zeroizing::new([KIND; 33]);
        if let Some(seed) = payload.get_mut(1..) {
            seed.copy_from_slice(self.key.as_bytes());
        }
        // Room for all of it at once: a string that grows leaves copies behind.
        let mut text = String::with_capacity(SECRET_START.len() + self.name().as_str().len() + 64);
        text.push_str(SECRET_START);
        text.push_str(self.name().as_str());
        text.push('+');
        text.push_str(&self.id().to_string());
        text.push('+');
        STANDARD.encode_string(payload.as_slice(), &mut text);
        SecretText(Zeroizing::new(text))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl<const KIND: u8> FromStr for SecretKey<KIND> {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, id, encoded) = split(text.strip_prefix(SECRET_START).ok_or(KeyError::NotSecret)?)?;
        let payload = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| KeyError::Base64)?);
        let key = Self::new(name, SigningKey::from_bytes(payload_of(KIND, &payload)?));
        if key.id() == id { Ok(key) } else { Err(KeyError::Id { stated: id, computed: key.id() }) }
    }
}

impl<const KIND: u8> fmt::Debug for SecretKey<KIND> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({}+{}, secret hidden)", self.name(), self.id())
    }
}

/// A signer key's text. Wiped from memory when dropped.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// The text, to be written to the key file and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(hidden)")
    }
}

/// Takes `name+id+base64` apart. Base64 may have plus signs of its own.
fn split(text: &str) -> Result<(KeyName, KeyId, &str), KeyError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Form);
    };
    Ok((name.parse()?, KeyId::parse(id).ok_or(KeyError::Form)?, encoded))
}

/// The 32 bytes after the signature type.
fn payload_of(expected: u8, payload: &[u8]) -> Result<&[u8; 32], KeyError> {
    match payload.split_first() {
        Some((&kind, key)) if kind == expected => key.try_into().map_err(|_| KeyError::Length),
        Some((&kind, _)) => Err(KeyError::Kind { kind, expected }),
        None => Err(KeyError::Length),
    }
}

/// The point `bytes` encode. Those that no honest key has are refused here, since ed25519-dalek reads them: points of
/// small order, and second encodings of a point.
fn public_key(bytes: &[u8; 32]) -> Result<VerifyingKey, KeyError> {
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Point)?;
    if key.is_weak() || key.to_edwards().compress().as_bytes() != bytes {
        return Err(KeyError::Point);
    }
    Ok(key)
}

/// Why a key or its name was not read. No variant carries the text, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a [`KeyName`].
    #[error("a key name is 1 to 255 bytes without spaces, control characters or `+`")]
    Name,
    /// Not `name+id+base64`.
    #[error("a key is written `name+id+base64`, the id as eight lower-case hex digits")]
    Form,
    /// A signer key was expected.
    #[error("a signer key starts with `PRIVATE+KEY+`")]
    NotSecret,
    /// Not strict base64.
    #[error("the key's last part is not strict base64")]
    Base64,
    /// A key for signatures of another type.
    #[error(
        "the key is of signature type {kind:#04x}; {expected:#04x} is needed here (0x01 signs, 0x04 cosigns)"
    )]
    Kind {
        /// The type byte.
        kind: u8,
        /// The one that is needed.
        expected: u8,
    },
    /// Not 33 bytes.
    #[error("an Ed25519 key is 33 bytes, its type included")]
    Length,
    /// Not the one encoding of a point that a key can have.
    #[error("the key is not a sound Ed25519 point")]
    Point,
    /// The id is not the one that name and key have.
    #[error("the key states the id `{stated}`, but its name and bytes have `{computed}`")]
    Id {
        /// What the text says.
        stated: KeyId,
        /// What it should say.
        computed: KeyId,
    },
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "vectors are files")]
mod tests {
    use serde_json::Value;

    use super::*;

    fn vectors(path: &str) -> Value {
        let path = format!("{}/../../vectors/tlog/{path}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(&path).expect(&path)).expect(&path)
    }

    fn unhex(text: &Value) -> Vec<u8> {
        let text = text.as_str().unwrap();
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// Verifies as a note does: the key has to be one we would read.
    fn accepts(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let Ok(Ok(key)) = public.try_into().map(public_key) else { return false };
        VerifierKey::new("example.org/vector".parse().unwrap(), key).verify(message, signature)
    }

    #[test]
    fn ed25519_edge_cases_are_decided_strictly() {
        let (mut accepted, mut refused) = (0, 0);
        for case in vectors("cctv-ed25519/ed25519vectors.json").as_array().unwrap() {
            // A component of small order beside one of prime order is all that the strict rules let pass.
            let flags = case["flags"].as_array().into_iter().flatten().map(|flag| flag.as_str().unwrap());
            let expected =
                flags.into_iter().all(|f| ["low_order_component_A", "low_order_component_R"].contains(&f));
            let message = case["msg"].as_str().unwrap().as_bytes();
            let answer = accepts(&unhex(&case["key"]), message, &unhex(&case["sig"]));
            assert_eq!(answer, expected, "vector {}", case["number"]);
            *if answer { &mut accepted } else { &mut refused } += 1;
        }
        assert!(accepted > 0 && refused > 100, "{accepted} accepted, {refused} refused");
    }

    #[test]
    fn wycheproof_agrees_on_ed25519() {
        let mut decided = 0;
        for group in vectors("wycheproof/ed25519_test.json")["testGroups"].as_array().unwrap() {
            let public = unhex(&group["publicKey"]["pk"]);
            for case in group["tests"].as_array().unwrap() {
                let answer = accepts(&public, &unhex(&case["msg"]), &unhex(&case["sig"]));
                assert_eq!(answer, case["result"] == "valid", "test {}: {}", case["tcId"], case["comment"]);
                decided += 1;
            }
        }
        assert_eq!(decided, 151);
    }

    #[test]
    fn a_second_encoding_of_a_point_is_no_key() {
        // Of a y below 19, y + p fits into 255 bits as well, and ed25519-dalek reads both.
        let mut points = 0;
        for y in 2..19 {
            let mut canonical = [0; 32];
            canonical[0] = y;
            let mut second = [0xff; 32];
            (second[0], second[31]) = (0xed + y, 0x7f);
            if VerifyingKey::from_bytes(&canonical).is_ok() {
                points += 1;
                assert!(public_key(&canonical).is_ok(), "y = {y}");
                assert!(VerifyingKey::from_bytes(&second).is_ok(), "y = p + {y}");
                assert_eq!(public_key(&second), Err(KeyError::Point), "y = p + {y}");
            }
        }
        assert!(points > 0);
    }
}
