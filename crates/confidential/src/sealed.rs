//! XChaCha20-Poly1305: bytes sealed under a key, for one purpose and about one thing. Nonces are random; they are long
//! enough for that.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of nonce before a ciphertext and of tag after it.
pub const OVERHEAD: usize = 24 + 16;

/// What is sealed. Bound to the ciphertext, so that none passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Keys,
    Mark,
    State,
    Record,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Keys => b"placet/v1/confidential/keys\0",
            Self::Mark => b"placet/v1/confidential/mark\0",
            Self::State => b"placet/v1/confidential/state\0",
            Self::Record => b"placet/v1/confidential/record\0",
        }
    }
}

/// 32 random bytes to be kept secret.
pub fn random_key() -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *key).ok()?;
    Some(key)
}

/// Nonce, ciphertext and tag; none if the system gives no random bytes.
pub fn seal(key: &[u8; 32], purpose: Purpose, about: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let mut nonce = [0; 24];
    getrandom::fill(&mut nonce).ok()?;
    let aad = [purpose.label(), about].concat();
    let cipher = XChaCha20Poly1305::new(&(*key).into());
    let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad }).ok()?;
    Some([nonce.as_slice(), &sealed].concat())
}

/// What was sealed; none if it was not sealed so.
pub fn open(key: &[u8; 32], purpose: Purpose, about: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<24>()?;
    let aad = [purpose.label(), about].concat();
    let cipher = XChaCha20Poly1305::new(&(*key).into());
    cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &aad }).ok().map(Zeroizing::new)
}

/// HMAC-SHA-256 of the parts as one message, which begins with a label.
pub fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_sealed_opens_as_it_was_and_not_otherwise(
            key: [u8; 32], about: Vec<u8>, plain: Vec<u8>, flip: prop::sample::Index, bit in 0..8_u32,
        ) {
            let sealed = seal(&key, Purpose::Record, &about, &plain).unwrap();
            prop_assert_eq!(sealed.len(), plain.len() + OVERHEAD);
            prop_assert_eq!(&*open(&key, Purpose::Record, &about, &sealed).unwrap(), &plain);
            prop_assert!(open(&key, Purpose::State, &about, &sealed).is_none());
            prop_assert!(open(&key, Purpose::Record, &[&about[..], &[0]].concat(), &sealed).is_none());
            let mut flipped = sealed.clone();
            flipped[flip.index(sealed.len())] ^= 1_u8 << bit;
            prop_assert!(open(&key, Purpose::Record, &about, &flipped).is_none());
        }
    }
}
