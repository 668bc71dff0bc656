use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hpke::{Deserializable as _, Kem as _, OpModeS, Serializable as _};
use placet_core::Digest;
use zeroize::{Zeroize as _, Zeroizing};

use super::{Aead, Kdf, Kem, Once};

/// What the text of a public key starts with; a secret one has `PRIVATE+` before it.
const START: &str = "placet-oversight-v1+";
const SECRET_START: &str = "PRIVATE+placet-oversight-v1+";

/// The public half of an oversight body's X25519 key. Written `placet-oversight-v1+` and base64url without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct OversightKey([u8; 32]);

impl OversightKey {
    /// The key of these bytes.
    ///
    /// # Errors
    /// If it is a second spelling of a key, or one with which anybody could open what is sealed to it.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        let key = Self(bytes);
        // RFC 7748 reads them all; of two spellings one is enough.
        let [first, middle @ .., last] = &bytes;
        let beyond = *last == 0x7f && middle.iter().all(|byte| *byte == 0xff) && *first >= 0xed;
        if *last > 0x7f || beyond {
            return Err(KeyError::Point);
        }
        // A point of small order makes every shared secret zero, which encapsulating notices.
        let trial = hpke::setup_sender_with_rng::<Aead, Kdf, Kem>(
            &OpModeS::Base,
            &key.hpke(),
            b"",
            &mut Once { seed: Some([0; 32]) },
        );
        trial.map(|_| key).map_err(|_| KeyError::Point)
    }

    /// What tells it from other keys in a deposit: the first eight bytes of SHA-256 over its bytes.
    pub fn id(&self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = Digest::of(&self.0).0;
        [a, b, c, d, e, f, g, h]
    }

    pub(crate) fn hpke(&self) -> <Kem as hpke::Kem>::PublicKey {
        <Kem as hpke::Kem>::PublicKey::from_bytes(&self.0).expect("an X25519 key is any 32 bytes")
    }
}

impl fmt::Display for OversightKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{START}{}", URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for OversightKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for OversightKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(*decode(text.strip_prefix(START).ok_or(KeyError::Form)?)?)
    }
}

/// An oversight body's secret key. Wiped from memory when dropped; never printed but by [`OversightSecret::secret_text`].
pub struct OversightSecret {
    secret: <Kem as hpke::Kem>::PrivateKey,
    public: OversightKey,
}

impl OversightSecret {
    /// The key that grows from `seed`, which must be 32 bytes from the system's random source and is wiped here.
    pub fn from_seed(mut seed: [u8; 32]) -> Self {
        let secret =
            <Kem as hpke::Kem>::PrivateKey::from_bytes(&seed).expect("an X25519 secret is any 32 bytes");
        seed.zeroize();
        let public = OversightKey(Kem::sk_to_pk(&secret).to_bytes().into());
        Self { secret, public }
    }

    /// The public half, to hand out.
    pub fn public_key(&self) -> OversightKey {
        self.public.clone()
    }

    /// `PRIVATE+placet-oversight-v1+` and base64url, to be kept in a file that only its owner can read.
    pub fn secret_text(&self) -> SecretText {
        let bytes = Zeroizing::new(<[u8; 32]>::from(self.secret.to_bytes()));
        // Room for all of it at once: a string that grows leaves copies behind.
        let mut text = String::with_capacity(SECRET_START.len() + 44);
        text.push_str(SECRET_START);
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
        SecretText(Zeroizing::new(text))
    }

    pub(crate) fn hpke(&self) -> <Kem as hpke::Kem>::PrivateKey {
        self.secret.clone()
    }
}

impl fmt::Debug for OversightSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OversightSecret({}, secret hidden)", self.public)
    }
}

impl FromStr for OversightSecret {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = decode(text.strip_prefix(SECRET_START).ok_or(KeyError::Form)?)?;
        let key = Self::from_seed(*bytes);
        // Clamping makes one secret of 32 spellings; the one that is written is the one that is read.
        if key.secret_text().expose() == text { Ok(key) } else { Err(KeyError::Form) }
    }
}

/// A secret key's text. Wiped from memory when dropped.
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

fn decode(text: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Form)?);
    bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| KeyError::Form)
}

/// Why a key was not read. No variant carries the text, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the form of a key.
    #[error(
        "an oversight key is written `placet-oversight-v1+` and 43 letters of base64url, a secret one with `PRIVATE+` before it"
    )]
    Form,
    /// A second spelling of a point, or one of small order.
    #[error("the key is not a sound X25519 point")]
    Point,
}
