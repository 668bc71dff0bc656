//! HMAC-SHA-256 and the expanding half of HKDF (RFC 5869), keyed with 32 bytes.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// HMAC-SHA-256 over the parts as one message.
pub(super) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// HKDF-Expand with `key` as the pseudorandom key and the parts as `info`.
pub(super) fn expand<const N: usize>(key: &[u8; 32], info: &[&[u8]]) -> [u8; N] {
    fill(&Hkdf::<Sha256>::from_prk(key).expect("32 bytes are long enough"), info)
}

/// The whole of HKDF with an empty salt.
pub(super) fn derive<const N: usize>(secret: &[u8; 32], info: &[&[u8]]) -> [u8; N] {
    fill(&Hkdf::<Sha256>::new(None, secret), info)
}

fn fill<const N: usize>(key: &Hkdf<Sha256>, info: &[&[u8]]) -> [u8; N] {
    let mut out = [0; N];
    key.expand_multi_info(info, &mut out).expect("fewer than 255 blocks");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expanding_is_a_chain_of_macs() {
        // As docs/formats/log-entries.md spells it for those who have HMAC alone.
        let key = [3; 32];
        let first = mac(&key, &[b"in", b"fo", &[1]]);
        let second = mac(&key, &[&first, b"info", &[2]]);
        assert_eq!(expand::<64>(&key, &[b"info"]), [first, second].concat()[..]);
        // Extracting with an empty salt is a MAC under a key of zeros.
        assert_eq!(derive::<32>(&key, &[b"info"]), expand::<32>(&mac(&[0; 32], &[&key]), &[b"info"]));
    }
}
