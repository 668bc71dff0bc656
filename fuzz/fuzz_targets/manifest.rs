//! A manifest from anywhere, and one whose text anybody made and a trusted key signed.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use placet_record::manifest::{FIRST_LINE, Manifest};
use placet_tlog::note::{self, SignerKey};

static KEY: LazyLock<SignerKey> =
    LazyLock::new(|| SignerKey::generate("vectors.placet.example/redaction", [9; 32]).expect("a good name"));

fuzz_target!(|bytes: &[u8]| {
    let trusted = [KEY.verifier_key()];
    let _ = Manifest::open(bytes, &trusted);

    let Ok(json) = std::str::from_utf8(bytes) else { return };
    let Ok(signed) = note::sign(&format!("{FIRST_LINE}\n{json}\n"), &[&KEY]) else { return };
    if let Ok(manifest) = Manifest::open(signed.as_bytes(), &trusted) {
        assert_eq!(
            manifest.sign(&KEY).expect("what was read can be signed"),
            signed,
            "a manifest has one spelling"
        );
    }
});
