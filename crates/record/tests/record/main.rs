//! The record through its public API: golden vectors made by a second implementation, then the report.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests are free to unwrap, and vectors are files"
)]

use std::path::{Path, PathBuf};

use placet_record::manifest::{
    FIRST_LINE, MAX_LISTED_TRACKS, Manifest, ManifestError, Statement, Track, TrackList,
};
use placet_record::report::{FileReport, Outcome, Report};
use placet_tlog::note::{self, NoteError, SignerKey, VerifierKey};
use proptest::prelude::*;
use serde_json::Value;

mod entries;
mod schema;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(repository("vectors/manifest").join(name)).expect(name)
}

fn trusted() -> VerifierKey {
    std::str::from_utf8(&vector("placet.vkey")).unwrap().trim_end().parse().unwrap()
}

fn golden(name: &str) -> Manifest {
    Manifest::open(&vector(name), &[trusted()]).unwrap()
}

/// The second line of a note.
fn json_line(note: &[u8]) -> &str {
    std::str::from_utf8(note).unwrap().lines().nth(1).unwrap()
}

fn key() -> SignerKey {
    SignerKey::generate("example.org/redaction", [9; 32]).unwrap()
}

/// Signs `json` as a manifest, whatever it says.
fn forge(json: &str) -> String {
    note::sign(&format!("{FIRST_LINE}\n{json}\n"), &[&key()]).unwrap()
}

/// An error as `cases.json` names it.
fn kind(error: &ManifestError) -> &str {
    match error {
        ManifestError::Note { source: NoteError::BadSignature { .. } } => "signature",
        ManifestError::Note { source: NoteError::NoKnownSigner } => "signer",
        ManifestError::Note { .. } => "note",
        ManifestError::FirstLine => "first-line",
        ManifestError::Lines => "lines",
        ManifestError::Json { .. } => "json",
        ManifestError::NotCanonical => "canonical",
        ManifestError::Field { field, .. } => field,
    }
}

#[test]
fn every_vector_is_accepted_or_refused_for_its_reason() {
    let cases: Value = serde_json::from_slice(&vector("cases.json")).unwrap();
    let mut listed: Vec<&str> = Vec::new();
    for case in cases.as_array().unwrap() {
        let file = case["file"].as_str().unwrap();
        let answer = Manifest::open(&vector(file), &[trusted()]);
        let answer = answer.as_ref().map_or_else(kind, |_| "accept");
        assert_eq!(answer, case["expect"], "{file}: {}", case["why"]);
        listed.push(file);
    }
    let folder = std::fs::read_dir(repository("vectors/manifest")).unwrap();
    let mut notes: Vec<String> =
        folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    notes.retain(|name| name.ends_with(".note"));
    notes.sort();
    listed.sort_unstable();
    assert_eq!(notes, listed, "cases.json names every note of its folder");
}

#[test]
fn both_implementations_write_the_same_bytes() {
    // The seed is published in vectors/manifest/make.py.
    let seed = std::array::from_fn(|i| i as u8);
    let key = SignerKey::generate("vectors.placet.example/redaction", seed).unwrap();
    assert_eq!(key.verifier_key(), trusted());
    for name in ["accept-video.note", "accept-picture.note", "accept-solid.note"] {
        assert_eq!(golden(name).sign(&key).unwrap().as_bytes(), vector(name), "{name}");
    }
}

#[test]
fn statements_follow_from_the_settings() {
    let keys = |name| golden(name).statements().into_iter().map(Statement::key).collect::<Vec<_>>();
    assert!(keys("accept-video.note").contains(&"voices-identify"));
    assert!(!keys("accept-video.note").contains(&"reversible"));
    assert!(keys("accept-picture.note").contains(&"reversible"));
    assert!(keys("accept-picture.note").contains(&"checked-nothing"));
}

#[test]
fn the_schema_says_what_is_read() {
    let schema: Value = serde_json::from_slice(
        &std::fs::read(repository("docs/formats/schema/redaction-manifest-v1.json")).unwrap(),
    )
    .unwrap();
    let mut seen = schema::Seen::default();
    for name in ["accept-video.note", "accept-picture.note", "accept-solid.note"] {
        let manifest: Value = serde_json::from_str(json_line(&vector(name))).unwrap();
        schema::validate(&schema, &schema, &manifest, "", &mut seen).unwrap();
    }
    // Backwards: nothing is in the schema that no golden manifest has.
    assert_eq!(schema::described(&schema, &schema, ""), seen.paths);

    // Each key left out and each object given one more: reader and schema agree on refusing.
    let manifest: Value = serde_json::from_str(json_line(&vector("accept-video.note"))).unwrap();
    let mutants = schema::mutants(&manifest);
    assert!(mutants.len() > 80, "{} mutants", mutants.len());
    for (what, mutant) in mutants {
        assert!(schema::validate(&schema, &schema, &mutant, "", &mut seen).is_err(), "schema: {what}");
        assert!(
            Manifest::open(forge(&mutant.to_string()).as_bytes(), &[key().verifier_key()]).is_err(),
            "reader: {what}"
        );
    }
}

#[test]
fn a_number_no_reader_agrees_on_is_not_signed() {
    let mut manifest = golden("accept-video.note");
    manifest.input.bytes = 1 << 53;
    assert_eq!(kind(&manifest.sign(&key()).unwrap_err()), "json");
    manifest.input.bytes -= 1;
    assert!(manifest.sign(&key()).is_ok());
}

#[test]
fn indented_json_says_what_is_signed() {
    let json = golden("accept-video.note").to_json().unwrap();
    assert!(json.ends_with("}\n") && json.lines().count() > 50);
    let signed: Value = serde_json::from_str(json_line(&vector("accept-video.note"))).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), signed);
}

#[test]
fn a_contradiction_is_not_signed() {
    let mut manifest = golden("accept-video.note");
    manifest.check = None;
    assert_eq!(kind(&manifest.sign(&key()).unwrap_err()), "check");
}

#[test]
fn a_crowd_fits_into_a_note() {
    let longest = (1 << 53) - 1;
    let tracks = (0..50_000).map(|n| Track {
        id: longest - n,
        left_visible: false,
        first_frame: longest - n,
        last_frame: longest,
        first_ms: longest,
        last_ms: longest,
        detected: longest,
        weak: longest,
        bridged: longest,
        margin: longest,
        found_by_check: longest,
        min_height_px: u32::MAX,
        max_height_px: u32::MAX,
        box_px_total: longest,
    });
    let mut manifest = golden("accept-video.note");
    manifest.tracks = TrackList::new(tracks.collect());
    let opened = Manifest::open(manifest.sign(&key()).unwrap().as_bytes(), &[key().verifier_key()]).unwrap();
    assert_eq!(opened, manifest);
    assert_eq!((opened.tracks.count(), opened.tracks.listed().len()), (50_000, MAX_LISTED_TRACKS));
    assert_eq!(opened.tracks.listed()[0].first_frame, longest - 49_999, "the earliest are listed");
}

#[test]
fn an_error_chain_repeats_nothing() {
    use std::error::Error as _;
    let error = Manifest::open(&vector("flipped-bit.note"), &[trusted()]).unwrap_err();
    assert_eq!(error.to_string(), "cannot open the manifest's note");
    assert!(error.source().unwrap().to_string().contains("does not fit its text"));
}

#[test]
fn a_report_counts_what_it_lists() {
    let file = |outcome| FileReport { input: "a.mp4".to_owned(), outcome, elapsed_ms: 1_500 };
    let manifest = Box::new(golden("accept-video.note"));
    let report = Report {
        files: vec![
            file(Outcome::Done { output: "a_anonymized.mp4".to_owned(), manifest: manifest.clone() }),
            file(Outcome::Done { output: "b_anonymized.mp4".to_owned(), manifest }),
            file(Outcome::Withheld { reason: "a face remains in frame 12".to_owned() }),
            file(Outcome::Skipped { reason: "it is there already".to_owned() }),
            file(Outcome::Failed { error: "cannot read `c.mp4`: truncated".to_owned(), exit_code: 2 }),
        ],
    };
    let json: Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    let expected = r#"{"files":5,"done":2,"withheld":1,"skipped":1,"failed":1,"frames":500,"tracks":4,"elapsed_ms":7500}"#;
    assert_eq!(json["summary"], serde_json::from_str::<Value>(expected).unwrap());
    let signed: Value = serde_json::from_str(json_line(&vector("accept-video.note"))).unwrap();
    assert_eq!(json["files"][0]["manifest"], signed, "report and manifest speak alike");
    assert_eq!(json["files"][0]["outcome"], "done");
    assert_eq!(json["files"][4]["exit_code"], 2);
}

/// INV-7. Flips one bit of every byte; every bit of every byte where `PLACET_ATTACK` is `full`.
#[test]
fn attack_every_flipped_bit() {
    let full = std::env::var("PLACET_ATTACK").is_ok_and(|counts| counts == "full");
    let mut flipped = 0;
    for name in ["accept-video.note", "accept-picture.note", "accept-solid.note"] {
        let good = vector(name);
        for at in 0..good.len() {
            for bit in if full { 0..8 } else { at as u32 % 8..at as u32 % 8 + 1 } {
                let mut bytes = good.clone();
                bytes[at] ^= 1 << bit;
                assert!(
                    Manifest::open(&bytes, &[trusted()]).is_err(),
                    "{name} opens with bit {bit} of byte {at} flipped"
                );
                flipped += 1;
            }
        }
        assert!(Manifest::open(&good, &[trusted()]).is_ok());
    }
    println!("{flipped} flipped bits, 0 opened");
}

proptest! {
    /// Whatever is signed opens to what was signed.
    #[test]
    fn a_manifest_survives_its_note(counts in prop::array::uniform4(0u64..1 << 53), name in "[^/\\x00]{1,60}") {
        prop_assume!(name != "." && name != "..");
        let mut manifest = golden("accept-video.note");
        [manifest.input.bytes, manifest.media.frames, manifest.frames.judged, manifest.media.duration_ms] = counts;
        manifest.input.name = name.parse().unwrap();
        let signed = manifest.sign(&key()).unwrap();
        prop_assert_eq!(Manifest::open(signed.as_bytes(), &[key().verifier_key()]), Ok(manifest));
    }
}
