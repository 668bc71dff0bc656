//! Verifier and signer keys from anywhere: what parses prints back the same, and its id is that of its bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_tlog::note::{self, SignerKey, VerifierKey};

fuzz_target!(|text: &str| {
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text, "a verifier key has one spelling");
    }
    if let Ok(key) = text.parse::<SignerKey>() {
        assert_eq!(key.secret_text().expose(), text, "a signer key has one spelling");
        let signed = note::sign("text\n", &[&key]).expect("a key that was read can sign");
        note::open(signed.as_bytes(), &[key.verifier_key()]).expect("and what it signed opens");
    }
});
