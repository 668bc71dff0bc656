//! Signed notes through the public API: the published vectors, then every departure from the format.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests are free to unwrap, and vectors are files"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use placet_tlog::note::{self, KeyError, Note, NoteError, SignerKey, VerifierKey};
use proptest::prelude::*;
use serde_json::Value;

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/tlog/signed-note.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn signer(name: &str, seed: u8) -> SignerKey {
    SignerKey::generate(name, [seed; 32]).unwrap()
}

fn alice() -> SignerKey {
    signer("example.org/alice", 1)
}

fn signed() -> String {
    note::sign("first line\n\nsecond line\n", &[&alice()]).unwrap()
}

fn open(note: &str) -> Result<String, NoteError> {
    note::open(note.as_bytes(), &[alice().verifier_key()]).map(|verified| verified.text().to_owned())
}

#[test]
fn published_notes_open_with_their_keys() {
    for case in vectors()["valid"].as_array().unwrap() {
        let keys: Vec<VerifierKey> = case["vkeys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key.as_str().unwrap().parse().unwrap())
            .collect();
        let text = case["note"].as_str().unwrap();
        let verified = note::open(text.as_bytes(), &keys).unwrap();
        assert_eq!(verified.signers(), keys, "{}", case["name"]);
        assert!(text.starts_with(verified.text()));
        assert_eq!(Note::parse(text.as_bytes()).unwrap().to_string(), text);
        for (key, written) in keys.iter().zip(case["vkeys"].as_array().unwrap()) {
            assert_eq!(key.to_string(), written.as_str().unwrap());
        }
    }
}

#[test]
fn signing_makes_the_published_line() {
    let case = &vectors()["signing"];
    let (secret, text) = (case["skey"].as_str().unwrap(), case["text"].as_str().unwrap());
    let key: SignerKey = secret.parse().unwrap();
    assert_eq!(note::sign(text, &[&key]).unwrap(), format!("{text}\n{}", case["line"].as_str().unwrap()));
    assert_eq!(key.secret_text().expose(), secret);
}

#[test]
fn published_bad_keys_are_refused() {
    let errors: Vec<KeyError> = vectors()["bad_vkeys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key.as_str().unwrap().parse::<VerifierKey>().unwrap_err())
        .collect();
    // The first is too long, and its padding bits, which are looked at first, are set.
    assert_eq!(errors, [KeyError::Base64, KeyError::Kind { kind: 0x65, expected: 0x01 }]);
}

/// The good note with other signature bytes, key id included.
fn with_signature(bytes: &[u8]) -> String {
    let text = signed();
    let (head, _) = text.rsplit_once(' ').unwrap();
    format!("{head} {}\n", STANDARD.encode(bytes))
}

/// The good note's signature bytes, key id included.
fn signature_bytes() -> Vec<u8> {
    STANDARD.decode(signed().rsplit_once(' ').unwrap().1.trim_end()).unwrap()
}

/// A well-formed line of a key nobody knows; `n` makes it differ.
fn unknown_line(n: u8) -> String {
    format!("\u{2014} example.org/stranger {}\n", STANDARD.encode([n, 2, 3, 4, 5]))
}

/// One change to a good note, and the refusal it must meet.
#[test]
fn every_departure_from_the_format_is_refused() {
    let good = signed();
    let line = |why| NoteError::SignatureLine { number: 1, why };
    let (dash, name) = (
        "it does not start with an em dash and a space",
        "its key name is empty or has a space or a plus sign",
    );
    let (space, base64) =
        ("it has no space between name and signature", "its signature is not strict base64");
    // 68 bytes end in two base64 digits of which the last has four spare bits, here set.
    let (spare, _) = good.rsplit_once("=\n").unwrap();
    let last = spare.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let next = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
    let padding_bits = format!("{}{next}=\n", spare.strip_suffix(last).unwrap());

    let cases: Vec<(&str, String, NoteError)> = vec![
        ("tab", good.replacen("first line", "first\tline", 1), NoteError::ControlCharacter { offset: 5 }),
        ("carriage return", good.replacen('\n', "\r\n", 1), NoteError::ControlCharacter { offset: 10 }),
        ("nul at the end", format!("{good}\0"), NoteError::ControlCharacter { offset: good.len() }),
        ("empty", String::new(), NoteError::NoBlankLine),
        ("no blank line", good.replace("\n\n", "\n"), NoteError::NoBlankLine),
        ("no text", format!("\n{}", unknown_line(1)), NoteError::NoBlankLine),
        ("no signatures", "a text\n\n".to_owned(), NoteError::NoSignature),
        ("no final newline", good.trim_end().to_owned(), NoteError::NoSignature),
        ("blank line at the end", format!("{good}\n"), NoteError::NoSignature),
        ("hyphen", good.replace('\u{2014}', "-"), line(dash)),
        ("no-break space", good.replace("\u{2014} ", "\u{2014}\u{a0}"), line(dash)),
        ("two spaces", good.replace("\u{2014} ", "\u{2014}  "), line(name)),
        ("plus in the name", good.replace("org/alice", "org+alice"), line(name)),
        ("em space in the name", good.replace("org/alice", "org\u{2003}alice"), line(name)),
        ("name too long", good.replace("alice", &"a".repeat(256)), line(name)),
        ("no signature bytes", good.replace("/alice ", "/alice"), line(space)),
        ("trailing space", good.replace("=\n", "= \n"), line(base64)),
        ("url-safe digit", good.replace("alice ", "alice _"), line(base64)),
        ("no padding", good.replace("=\n", "\n"), line(base64)),
        ("padding bits set", padding_bits, line(base64)),
        ("key id alone", with_signature(&[1, 2, 3, 4]), line("its signature is shorter than five bytes")),
        ("line too long", with_signature(&[0; 13 << 10]), line("it is longer than 16 KiB")),
        (
            "many signatures",
            format!("{good}{}", unknown_line(1).repeat(note::MAX_SIGNATURES)),
            NoteError::TooMany,
        ),
        ("text too long", format!("{}{good}", "a".repeat(note::MAX_TEXT)), NoteError::TooLong),
        ("huge", "a".repeat(4 << 20), NoteError::TooLong),
    ];
    for (name, note, expected) in cases {
        assert_eq!(open(&note), Err(expected), "{name}");
    }
    assert_eq!(open(&good).unwrap(), "first line\n\nsecond line\n");
}

#[test]
fn bytes_that_are_not_utf8_are_refused_with_their_place() {
    let mut bytes = signed().into_bytes();
    bytes[3] = 0xff;
    assert_eq!(note::open(&bytes, &[]), Err(NoteError::NotUtf8 { offset: 3 }));
}

#[test]
fn signatures_of_unknown_keys_are_ignored() {
    let strange = signer("example.org/alice", 2); // the same name, another id
    let both = note::sign("text\n", &[&strange, &alice()]).unwrap() + &unknown_line(1) + &unknown_line(1);
    let verified = note::open(both.as_bytes(), &[alice().verifier_key()]).unwrap();
    assert_eq!(verified.signers(), [alice().verifier_key()]);
    assert_eq!(note::open(both.as_bytes(), &[]), Err(NoteError::NoKnownSigner));
    assert_eq!(
        note::open(both.as_bytes(), &[signer("example.org/bob", 1).verifier_key()]),
        Err(NoteError::NoKnownSigner)
    );
}

#[test]
fn a_known_key_that_does_not_fit_refuses_the_note() {
    let (alice, bob) = (alice(), signer("example.org/bob", 2));
    let both = note::sign("text\n", &[&alice, &bob]).unwrap();
    let forged = both.replacen("text", "test", 1);
    let keys = [alice.verifier_key(), bob.verifier_key()];
    assert!(matches!(note::open(forged.as_bytes(), &keys), Err(NoteError::BadSignature { .. })));

    // Alice's holds, Bob's is Alice's under Bob's name: one that holds does not excuse one that fails.
    let mut bytes = bob.id().0.to_vec();
    bytes.extend(Note::parse(both.as_bytes()).unwrap().signatures()[0].bytes());
    let mixed = note::sign("text\n", &[&alice]).unwrap()
        + &format!("\u{2014} example.org/bob {}\n", STANDARD.encode(bytes));
    let refused = note::open(mixed.as_bytes(), &keys).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("note carries a signature of `example.org/bob+{}` that does not fit its text", bob.id())
    );
    assert!(note::open(mixed.as_bytes(), &keys[..1]).is_ok());
}

#[test]
fn a_signature_of_another_length_never_verifies() {
    let long: Vec<u8> = signature_bytes().into_iter().chain([0]).collect();
    for bytes in [&long[..], &long[..67], &long[..5]] {
        assert!(
            matches!(open(&with_signature(bytes)), Err(NoteError::BadSignature { .. })),
            "{} bytes",
            bytes.len()
        );
    }
}

#[test]
fn one_key_signs_once() {
    let twice = signed();
    let line = twice.lines().last().unwrap();
    assert!(matches!(open(&format!("{twice}{line}\n")), Err(NoteError::SignedTwice { .. })));
    assert!(matches!(note::sign("text\n", &[&alice(), &alice()]), Err(NoteError::SignedTwice { .. })));
}

#[test]
fn a_key_listed_twice_is_one_key() {
    assert!(note::open(signed().as_bytes(), &[alice().verifier_key(), alice().verifier_key()]).is_ok());
}

#[test]
fn what_cannot_be_read_is_not_signed() {
    let key = alice();
    assert_eq!(note::sign("no newline", &[&key]), Err(NoteError::NoFinalNewline));
    assert_eq!(note::sign("", &[&key]), Err(NoteError::NoFinalNewline));
    assert_eq!(note::sign("tab\t\n", &[&key]), Err(NoteError::ControlCharacter { offset: 3 }));
    assert_eq!(note::sign("text\n", &[]), Err(NoteError::NoSignature));
    assert_eq!(note::sign(&("a".repeat(note::MAX_TEXT) + "\n"), &[&key]), Err(NoteError::TooLong));
    let many: Vec<SignerKey> =
        (0..=note::MAX_SIGNATURES as u8).map(|n| signer("example.org/many", n)).collect();
    let many: Vec<&SignerKey> = many.iter().collect();
    assert_eq!(note::sign("text\n", &many), Err(NoteError::TooMany));
    assert_eq!(
        Note::parse(note::sign("text\n", &many[1..]).unwrap().as_bytes()).unwrap().signatures().len(),
        100
    );
}

#[test]
fn keys_in_other_spellings_are_refused() {
    let good = alice().verifier_key().to_string();
    let id = alice().id().to_string();
    let point = |bytes: [u8; 32]| {
        // A key's id is right by construction; only the point is not.
        let payload = [&[1], bytes.as_slice()].concat();
        format!("example.org/alice+{id}+{}", STANDARD.encode(payload))
    };
    let cases = [
        (String::new(), KeyError::Form),
        ("example.org/alice".to_owned(), KeyError::Form),
        (good.replace(&id, &id.to_uppercase()), KeyError::Form),
        (good.replace(&id, &format!("+{id}")), KeyError::Form),
        (good.replace("example.org/alice", ""), KeyError::Name),
        (good.replace("/alice", " alice"), KeyError::Name),
        (format!("{good}\n"), KeyError::Base64),
        (format!("{good}="), KeyError::Base64),
        (point([0; 32]), KeyError::Point), // order four
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<VerifierKey>(), Err(expected), "{text}");
    }
    assert!(matches!(good.replace("alice", "bob").parse::<VerifierKey>(), Err(KeyError::Id { .. })));
}

#[test]
fn a_secret_key_is_neither_printed_nor_quoted_in_errors() {
    let key = alice();
    let secret = key.secret_text();
    let payload = secret.expose().rsplit('+').next().unwrap();
    assert!(!format!("{key:?} {secret:?}").contains(payload));
    for bad in [
        secret.expose().replace("PRIVATE", "private"),
        secret.expose().replace("alice", "bob"),
        format!("{}!", secret.expose()),
    ] {
        let error = bad.parse::<SignerKey>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains(payload));
    }
    assert_eq!(alice().verifier_key().to_string().parse::<SignerKey>().unwrap_err(), KeyError::NotSecret);
}

proptest! {
    #[test]
    fn what_is_signed_opens_to_the_same_text(body in "[^\\x00-\\x09\\x0b-\\x1f]{0,200}", seed: [u8; 32]) {
        let key = SignerKey::generate("example.org/any", seed).unwrap();
        let text = format!("{body}\n");
        let signed = note::sign(&text, &[&key]).unwrap();
        let opened = note::open(signed.as_bytes(), &[key.verifier_key()]).unwrap();
        prop_assert_eq!(opened.text(), text);
        prop_assert_eq!(Note::parse(signed.as_bytes()).unwrap().to_string(), signed);
    }

    #[test]
    fn one_flipped_bit_never_verifies(at: prop::sample::Index, bit in 0u8..8) {
        let mut bytes = signed().into_bytes();
        bytes[at.index(signed().len())] ^= 1 << bit;
        prop_assert!(note::open(&bytes, &[alice().verifier_key()]).is_err());
    }

    #[test]
    fn keys_print_and_parse_back(seed: [u8; 32], name in "[a-z./é]{1,40}") {
        let key = SignerKey::generate(&name, seed).unwrap();
        let public = key.verifier_key();
        prop_assert_eq!(&public.to_string().parse::<VerifierKey>().unwrap(), &public);
        let back: SignerKey = key.secret_text().expose().parse().unwrap();
        prop_assert_eq!(back.verifier_key(), public);
        let (written, original) = (back.secret_text(), key.secret_text());
        prop_assert_eq!(written.expose(), original.expose());
    }

    #[test]
    fn any_bytes_are_answered(bytes: Vec<u8>) {
        let _ = note::open(&bytes, &[alice().verifier_key()]);
    }
}
