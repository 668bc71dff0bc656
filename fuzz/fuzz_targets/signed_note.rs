//! A note from anywhere: parsed, printed, opened with the key of the vectors.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use placet_tlog::note::{Note, VerifierKey};

static KEY: LazyLock<VerifierKey> = LazyLock::new(|| {
    include_str!("../../vectors/manifest/placet.vkey").trim_end().parse().expect("a published key")
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(note) = Note::parse(bytes) else { return };
    assert_eq!(note.to_string().as_bytes(), bytes, "a note has one spelling");
    assert!(!note.signatures().is_empty());
    let text = note.unverified_text().to_owned();
    if let Ok(verified) = note.verify(&[KEY.clone()]) {
        assert_eq!(verified.text(), text);
        assert!(text.ends_with('\n'));
    }
});
