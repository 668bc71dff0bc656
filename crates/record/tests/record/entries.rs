//! Log entries through the public API, against vectors made by a second implementation.

use std::collections::BTreeSet;

use placet_core::Digest;
use placet_record::entry::slot::{
    Counts, SEALED_SLOT, Salt, SearchSlot, Seed, SlotArray, SlotError, SlotState, open_slot,
};
use placet_record::entry::{
    CameraRoster, Commitment, CommittedRecord, Disclosure, DisclosureError, EventKind, FormError, Leaf,
    Purpose, Record, RecordSecret, RosterOf,
};
use placet_tlog::merkle::Hash;
use serde_json::Value;

use crate::repository;

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(repository("vectors/entries").join(name)).expect(name)
}

fn json(name: &str) -> Vec<Value> {
    match serde_json::from_slice(&vector(name)).unwrap() {
        Value::Array(values) => values,
        value => vec![value],
    }
}

fn unhex<const N: usize>(text: &Value) -> [u8; N] {
    let text = text.as_str().unwrap();
    let bytes = (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap());
    bytes.collect::<Vec<u8>>().try_into().unwrap()
}

/// An error as `cases.json` names it.
fn kind(error: &FormError) -> &str {
    match error {
        FormError::TooLong { .. } => "length",
        FormError::Json { .. } => "json",
        FormError::Twice { .. } => "twice",
        FormError::Unknown { .. } => "unknown",
        FormError::Missing { .. } => "missing",
        FormError::Value { key, .. } => key,
        FormError::NotCanonical { .. } => "canonical",
    }
}

/// The record that every disclosure of the vectors belongs to.
fn four_fields() -> Commitment {
    let records = json("records.json");
    Commitment(unhex(records.first().and_then(|record| record.get("c")).unwrap()))
}

fn answer(kind_of_file: &str, bytes: &[u8]) -> String {
    let form = |error: FormError| kind(&error).to_owned();
    let answer = match kind_of_file {
        "leaf" => Leaf::parse(bytes).map_err(form).map(|leaf| {
            assert_eq!(leaf.to_bytes().unwrap(), bytes, "both implementations write the same bytes");
        }),
        "disclosure" => Disclosure::parse(bytes).map_err(form).and_then(|disclosure| {
            assert_eq!(disclosure.to_bytes().unwrap(), bytes);
            disclosure.verify(&four_fields()).map(|_| ()).map_err(|error| match error {
                DisclosureError::Commitment => "commitment".to_owned(),
                DisclosureError::Field { .. } => "field".to_owned(),
                other => other.to_string(),
            })
        }),
        other => unreachable!("{other}"),
    };
    answer.map_or_else(|ground| ground, |()| "accept".to_owned())
}

#[test]
fn every_vector_is_accepted_or_refused_for_its_reason() {
    let mut listed: Vec<String> = Vec::new();
    let mut refused = 0;
    for case in json("cases.json") {
        let file = case["file"].as_str().unwrap();
        let found = answer(case["as"].as_str().unwrap(), &vector(file));
        assert_eq!(found, case["expect"], "{file}: {}", case["why"]);
        assert_eq!(found == "accept", file.starts_with("accept-"), "{file}");
        refused += u32::from(found != "accept");
        listed.push(file.to_owned());
    }
    let folder = std::fs::read_dir(repository("vectors/entries")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> =
        names.filter(|name| name.starts_with("accept-") || name.starts_with("reject-")).collect();
    files.sort();
    listed.sort_unstable();
    assert_eq!(files, listed, "cases.json names every entry of its folder");
    println!("{} vectors, {refused} of them refused", files.len());
    assert!(refused > 100);
}

fn state(value: &Value) -> SlotState {
    let number = |key: &str| value[key].as_u64().unwrap();
    let small = |key: &str| u16::try_from(number(key)).unwrap();
    match value["state"].as_str().unwrap() {
        "unused" => SlotState::Unused,
        "off" => SlotState::Off,
        "unknown" => SlotState::Unknown,
        "on" => SlotState::On(SearchSlot {
            order: Digest(unhex(&value["order"])),
            purpose: Purpose::from_key(value["purpose"].as_str().unwrap()).unwrap(),
            counts: Counts {
                frames_compared: u32::try_from(number("frames_compared")).unwrap(),
                candidates: small("candidates"),
                confirmed: small("confirmed"),
                rejected: small("rejected"),
            },
        }),
        other => unreachable!("{other}"),
    }
}

#[test]
fn both_implementations_seal_the_same_slots() {
    let file = &json("slots.json")[0];
    let mut slots = 0;
    for tick in file["ticks"].as_array().unwrap() {
        let (seed, n) = (Seed::from_bytes(unhex(&tick["seed"])), tick["tick"].as_u64().unwrap());
        let capacity = u32::try_from(tick["capacity"].as_u64().unwrap()).unwrap();
        let states: Vec<SlotState> = tick["states"].as_array().unwrap().iter().map(state).collect();
        let array = SlotArray::seal(&seed, n, &states, capacity).unwrap();
        let root = Hash(unhex(&tick["root"]));
        assert_eq!(array.root(), root, "{}", tick["name"]);
        assert_eq!(array.open(&seed, n).unwrap()[..states.len()], states);
        for idx in 0..capacity {
            let proof = array.prove(&seed, idx).unwrap();
            let at = idx as usize;
            assert_eq!(proof.sealed, unhex::<SEALED_SLOT>(&tick["slots"][at]));
            assert_eq!(*proof.salt.as_bytes(), unhex(&tick["salts"][at]));
            let path = tick["paths"][at].as_array().unwrap();
            assert!(proof.path.iter().map(|node| node.0).eq(path.iter().map(unhex)));
            assert_eq!(
                proof.verify(root, n, capacity),
                Ok(states.get(at).copied().unwrap_or(SlotState::Unused))
            );
            slots += 1;
        }
    }
    for case in file["bad_layouts"].as_array().unwrap() {
        let salt = Salt::from_bytes(unhex(&case["salt"]));
        let (tick, slot) = (case["tick"].as_u64().unwrap(), case["slot"].as_u64().unwrap() as u32);
        let offset = case["offset"].as_u64().unwrap() as usize;
        let answer = open_slot(&salt, tick, slot, &unhex(&case["sealed"]));
        assert_eq!(answer, Err(SlotError::Layout { tick, slot, offset }), "{}", case["why"]);
    }
    assert_eq!(slots, 12);
}

#[test]
fn both_implementations_commit_alike() {
    for case in json("records.json") {
        let record = Record::parse(case["record"].as_str().unwrap().as_bytes()).unwrap();
        let committed = CommittedRecord {
            kind: EventKind::from_key(case["kind"].as_str().unwrap()).unwrap(),
            record,
            secret: RecordSecret::from_bytes(unhex(&case["secret"])),
        };
        assert_eq!(committed.commitment().unwrap(), Commitment(unhex(&case["c"])), "{}", case["name"]);
        let whole = case["whole"].as_str().unwrap().as_bytes();
        assert_eq!(committed.to_bytes().unwrap().as_slice(), whole, "{}", case["name"]);
        assert_eq!(CommittedRecord::parse(whole), Ok(committed));
    }
}

#[test]
fn the_roster_is_the_one_its_entry_speaks_of() {
    let roster = CameraRoster::parse(&vector("roster.txt")).unwrap();
    let Leaf::Roster(leaf) = Leaf::parse(&vector("accept-roster-cameras.json")).unwrap() else {
        unreachable!()
    };
    assert_eq!(leaf.of, RosterOf::Cameras);
    assert!(roster.fits(&leaf));
}

#[test]
fn the_page_shows_entries_that_are_read() {
    let page = std::fs::read_to_string(repository("docs/formats/log-entries.md")).unwrap();
    let mut types = BTreeSet::new();
    let mut shown = 0;
    for block in page.split("```json\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            let leaf = Leaf::parse(line.as_bytes()).unwrap_or_else(|error| unreachable!("{line}: {error}"));
            types.insert(leaf.type_name());
            shown += 1;
        }
    }
    assert_eq!(types.len(), 6, "every type has its example: {types:?}");
    assert!(shown >= 7, "{shown} entries");
    for kind in EventKind::ALL {
        assert!(page.contains(&format!("`{}`", kind.key())), "{kind:?} is explained");
    }
    for purpose in Purpose::ALL {
        assert!(page.contains(&format!("`{}`", purpose.key())), "{purpose:?} is explained");
    }
}

#[test]
fn attack_every_flipped_bit_of_a_leaf() {
    let mut tried = 0_u32;
    let mut read = 0_u32;
    for case in json("cases.json").iter().filter(|case| case["as"] == "leaf" && case["expect"] == "accept") {
        let file = case["file"].as_str().unwrap();
        let bytes = vector(file);
        let leaf = Leaf::parse(&bytes).unwrap();
        for bit in 0..8 * bytes.len() {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            tried += 1;
            // Many a flip is another sound entry, which another hash in the tree then catches. None reads as the same one.
            if let Ok(other) = Leaf::parse(&other) {
                assert_ne!(other, leaf, "{file}, bit {bit}");
                read += 1;
            }
        }
        for cut in 0..bytes.len() {
            assert!(Leaf::parse(&bytes[..cut]).is_err(), "{file} cut at {cut}");
            tried += 1;
        }
    }
    println!("{tried} flipped bits and cuts: {read} read as another entry, none as the same");
    assert!(tried > 40_000 && read < tried / 2);
}
