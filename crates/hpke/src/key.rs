use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hpke::{Deserializable as _, Kem as _, Serializable as _};
use placet_core::Digest;
use zeroize::{Zeroize as _, Zeroizing};

use super::Kem;

/// What keys are for. An empty type that is named in their type.
pub trait Purpose: 'static {
    /// The word in the text of such keys: `placet-NAME-v1+…`.
    const NAME: &'static str;
}

/// What a secret key's text has before that of a public one.
const PRIVATE: &str = "PRIVATE+";

fn start<P: Purpose>() -> String {
    format!("placet-{}-v1+", P::NAME)
}

/// The public half of an X25519 key. Written `placet-NAME-v1+` and base64url without padding.
pub struct PublicKey<P> {
    bytes: [u8; 32],
    purpose: PhantomData<fn() -> P>,
}

impl<P> Clone for PublicKey<P> {
    fn clone(&self) -> Self {
        Self::unchecked(self.bytes)
    }
}

impl<P> PartialEq for PublicKey<P> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<P> Eq for PublicKey<P> {}

impl<P> PublicKey<P> {
    fn unchecked(bytes: [u8; 32]) -> Self {
        Self { bytes, purpose: PhantomData }
    }
}

impl<P: Purpose> PublicKey<P> {
    /// The key of these bytes.
    ///
    /// # Errors
    /// If it is a second spelling of a key, or one with which anybody could open what is sealed to it.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        let key = Self::unchecked(bytes);
        // RFC 7748 reads them all; of two spellings one is enough.
        let [first, middle @ .., last] = &bytes;
        let beyond = *last == 0x7f && middle.iter().all(|byte| *byte == 0xff) && *first >= 0xed;
        if *last > 0x7f || beyond {
            return Err(KeyError::Point);
        }
        // A point of small order makes every shared secret zero, which encapsulating notices.
        key.seal(b"", [0; 32]).map(|_| key).map_err(|_| KeyError::Point)
    }

    /// What tells it from other keys in a file: the first eight bytes of SHA-256 over its bytes.
    pub fn id(&self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = Digest::of(&self.bytes).0;
        [a, b, c, d, e, f, g, h]
    }

    pub(crate) fn hpke(&self) -> <Kem as hpke::Kem>::PublicKey {
        <Kem as hpke::Kem>::PublicKey::from_bytes(&self.bytes).expect("an X25519 key is any 32 bytes")
    }
}

impl<P: Purpose> fmt::Display for PublicKey<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", start::<P>(), URL_SAFE_NO_PAD.encode(self.bytes))
    }
}

impl<P: Purpose> fmt::Debug for PublicKey<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<P: Purpose> FromStr for PublicKey<P> {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let body = text.strip_prefix(&start::<P>()).ok_or(KeyError::form::<P>())?;
        Self::from_bytes(*decode(body).ok_or(KeyError::form::<P>())?)
    }
}

/// A secret key. Wiped from memory when dropped; never printed but by [`SecretKey::secret_text`].
pub struct SecretKey<P> {
    secret: <Kem as hpke::Kem>::PrivateKey,
    public: PublicKey<P>,
}

impl<P: Purpose> SecretKey<P> {
    /// The key that grows from `seed`, which must be 32 bytes from the system's random source and is wiped here.
    pub fn from_seed(mut seed: [u8; 32]) -> Self {
        let secret =
            <Kem as hpke::Kem>::PrivateKey::from_bytes(&seed).expect("an X25519 secret is any 32 bytes");
        seed.zeroize();
        let public = PublicKey::unchecked(Kem::sk_to_pk(&secret).to_bytes().into());
        Self { secret, public }
    }

    /// The public half, to hand out.
    pub fn public_key(&self) -> PublicKey<P> {
        self.public.clone()
    }

    /// `PRIVATE+placet-NAME-v1+` and base64url, to be kept in a file that only its owner can read.
    pub fn secret_text(&self) -> SecretText {
        let bytes = Zeroizing::new(<[u8; 32]>::from(self.secret.to_bytes()));
        // Room for all of it at once: a string that grows leaves copies behind.
        let start = start::<P>();
        let mut text = String::with_capacity(PRIVATE.len() + start.len() + 44);
        text.push_str(PRIVATE);
        text.push_str(&start);
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
        SecretText(Zeroizing::new(text))
    }

    pub(crate) fn hpke(&self) -> &<Kem as hpke::Kem>::PrivateKey {
        &self.secret
    }
}

impl<P: Purpose> fmt::Debug for SecretKey<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({}, secret hidden)", self.public)
    }
}

impl<P: Purpose> FromStr for SecretKey<P> {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let body = text.strip_prefix(PRIVATE).and_then(|rest| rest.strip_prefix(&start::<P>()));
        let bytes = body.and_then(decode).ok_or(KeyError::form::<P>())?;
        let key = Self::from_seed(*bytes);
        // Clamping makes one secret of 32 spellings; the one that is written is the one that is read.
        if key.secret_text().expose() == text { Ok(key) } else { Err(KeyError::form::<P>()) }
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

fn decode(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}

/// Why a key was not read. No variant carries the text, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the form of such a key.
    #[error(
        "{purpose} keys are written `placet-{purpose}-v1+` and 43 letters of base64url, secret ones with `PRIVATE+` before it"
    )]
    Form {
        /// What such keys are for.
        purpose: &'static str,
    },
    /// A second spelling of a point, or one of small order.
    #[error("the key is not a sound X25519 point")]
    Point,
}

impl KeyError {
    fn form<P: Purpose>() -> Self {
        Self::Form { purpose: P::NAME }
    }
}
