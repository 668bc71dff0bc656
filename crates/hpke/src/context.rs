use std::convert::Infallible;

use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable as _, OpModeR, OpModeS, Serializable as _};
use zeroize::{Zeroize as _, Zeroizing};

use super::{Aead, ENCAPSULATED, Kdf, Kem};
use crate::{PublicKey, Purpose, SecretKey};

/// A sequence of messages being sealed. Its key is wiped when it is dropped, and only the secret key gets it back.
pub struct Sealing(hpke::aead::AeadCtxS<Aead, Kdf, Kem>);

/// A sequence of messages being opened, in the order in which they were sealed.
pub struct Opening(hpke::aead::AeadCtxR<Aead, Kdf, Kem>);

/// Why nothing was sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// HPKE refused, which no key that was read gives cause for.
    #[error("cannot seal to this key")]
    Seal,
    /// Sealed to another key, bound to something else, changed, or not the next message.
    #[error("it was not sealed to this key for this place, or is damaged")]
    Open,
}

impl<P: Purpose> PublicKey<P> {
    /// The encapsulated key of a new sequence of messages, and what seals them, bound to `info`. `seed` must be 32 fresh
    /// random bytes, and is wiped here.
    ///
    /// # Errors
    /// None for a key that was read.
    pub fn seal(&self, info: &[u8], seed: [u8; 32]) -> Result<([u8; ENCAPSULATED], Sealing), ContextError> {
        let mut random = Once { seed: Some(seed) };
        let (encapsulated, context) =
            hpke::setup_sender_with_rng::<Aead, Kdf, Kem>(&OpModeS::Base, &self.hpke(), info, &mut random)
                .map_err(|_| ContextError::Seal)?;
        Ok((encapsulated.to_bytes().into(), Sealing(context)))
    }
}

impl<P: Purpose> SecretKey<P> {
    /// What opens the messages that were sealed under `encapsulated` and `info`.
    ///
    /// # Errors
    /// If no key can be encapsulated so. Whether it was sealed to this key shows at the first message.
    pub fn open(&self, encapsulated: &[u8; ENCAPSULATED], info: &[u8]) -> Result<Opening, ContextError> {
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated);
        let encapsulated = encapsulated.map_err(|_| ContextError::Open)?;
        hpke::setup_receiver::<Aead, Kdf, Kem>(&OpModeR::Base, self.hpke(), &encapsulated, info)
            .map(Opening)
            .map_err(|_| ContextError::Open)
    }
}

impl Sealing {
    /// The next message, sealed, with its tag at the end. `beside` is bound to it and not in it.
    ///
    /// # Errors
    /// None before 2^64 messages.
    pub fn seal(&mut self, plain: &[u8], beside: &[u8]) -> Result<Vec<u8>, ContextError> {
        self.0.seal(plain, beside).map_err(|_| ContextError::Seal)
    }
}

impl Opening {
    /// Opens the next message; what it says is wiped from memory when dropped.
    ///
    /// # Errors
    /// If it is not the next message, or not under this key and binding.
    pub fn open(&mut self, sealed: &[u8], beside: &[u8]) -> Result<Zeroizing<Vec<u8>>, ContextError> {
        self.0.open(sealed, beside).map(Zeroizing::new).map_err(|_| ContextError::Open)
    }
}

/// Gives its seed once, which is as often as an encapsulation asks.
pub(crate) struct Once {
    pub(crate) seed: Option<[u8; 32]>,
}

impl TryRng for Once {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("an encapsulation with X25519 asks for 32 bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("an encapsulation with X25519 asks for 32 bytes")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let mut seed = self.seed.take().expect("an encapsulation asks once");
        out.copy_from_slice(&seed);
        seed.zeroize();
        Ok(())
    }
}

impl TryCryptoRng for Once {}
