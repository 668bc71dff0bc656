//! The published vectors of trees, tiles, checkpoints, proofs, policies and witnesses. `vectors/tlog/SOURCES.md` says whose.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "tests are free to unwrap, and vectors are files"
)]

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use placet_tlog::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use placet_tlog::merkle::{self, Frontier, Hash};
use placet_tlog::note::{self, VerifierKey};
use placet_tlog::policy::Policy;
use placet_tlog::proof::Proof;
use placet_tlog::tile::{Content, ShortTile, Tile, TileNodes, unbundle};
use placet_tlog::witness::{AddCheckpoint, judge};
use serde_json::Value;

fn read(name: &str) -> Vec<u8> {
    let path = format!("{}/../../vectors/tlog/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).expect(&path)
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&read(name)).unwrap()
}

fn unhex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// The hash, if the vector gives 32 bytes: some give a placeholder where a proof fails before it is looked at.
fn hash(value: &Value) -> Option<Hash> {
    Some(Hash(STANDARD.decode(value.as_str().unwrap()).unwrap().try_into().ok()?))
}

fn hashes(value: &Value) -> Option<Vec<Hash>> {
    value.as_array().into_iter().flatten().map(hash).collect()
}

#[test]
fn the_reference_tree_has_the_reference_roots() {
    let vector = json("rfc6962-reference-tree.json");
    assert_eq!(Hash::of_nothing().0, *unhex(&vector["empty_root"]));
    let mut tree = Frontier::default();
    assert_eq!(tree.root(), Hash::of_nothing());
    for (leaf, root) in
        vector["leaves_hex"].as_array().unwrap().iter().zip(vector["roots_hex_by_size"].as_array().unwrap())
    {
        tree.push(Hash::of_leaf(&unhex(leaf)), |_, _, _| {});
        assert_eq!(tree.root().0, *unhex(root), "size {}", tree.size());
    }
    assert_eq!(tree.size(), 8);
}

#[test]
fn published_inclusion_proofs_are_decided_as_published() {
    let (mut accepted, mut refused) = (0, 0);
    for case in json("merkle-inclusion.json").as_array().unwrap() {
        let (index, size) = (case["leafIdx"].as_u64().unwrap(), case["treeSize"].as_u64().unwrap());
        let answer = match (hash(&case["leafHash"]), hash(&case["root"]), hashes(&case["proof"])) {
            (Some(leaf), Some(root), Some(proof)) => {
                merkle::verify_inclusion(leaf, index, size, &proof, root).is_ok()
            }
            _ => false,
        };
        assert_eq!(answer, !case["wantErr"].as_bool().unwrap_or(false), "{}", case["file"]);
        *if answer { &mut accepted } else { &mut refused } += 1;
    }
    println!("{accepted} accepted, {refused} refused");
    assert_eq!(accepted + refused, 98);
}

#[test]
fn published_consistency_proofs_are_decided_as_published() {
    let (mut accepted, mut refused, mut no_hash) = (0, 0, Vec::new());
    for case in json("merkle-consistency.json").as_array().unwrap() {
        let (old, new) = (case["size1"].as_u64().unwrap(), case["size2"].as_u64().unwrap());
        let expected = !case["wantErr"].as_bool().unwrap_or(false);
        let (Some(old_root), Some(root), Some(proof)) =
            (hash(&case["root1"]), hash(&case["root2"]), hashes(&case["proof"]))
        else {
            if expected {
                no_hash.push(case["file"].as_str().unwrap().to_owned());
            }
            continue;
        };
        let answer = merkle::verify_consistency(old, old_root, new, root, &proof).is_ok();
        // An empty tree has one root here; the vectors let any stand for it.
        let unlike_ours = old == 0 && expected && old_root != Hash::of_nothing();
        assert_eq!(answer, expected && !unlike_ours, "{}", case["file"]);
        *if answer { &mut accepted } else { &mut refused } += 1;
    }
    println!("{accepted} accepted, {refused} refused, without a hash: {no_hash:?}");
    assert!(accepted >= 5 && refused > 50);
    // Its roots are twelve bytes ("don't care 2"): no hashes to us.
    assert_eq!(no_hash, ["consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"]);
}

/// A log that Tessera wrote, at every size from 0 to 15.
struct Tessera {
    files: BTreeMap<String, Vec<u8>>,
    key: VerifierKey,
}

impl Tessera {
    fn load() -> Self {
        let files: BTreeMap<String, Vec<u8>> = json("tessera-log.json")
            .as_object()
            .unwrap()
            .iter()
            .map(|(path, bytes)| (path.clone(), STANDARD.decode(bytes.as_str().unwrap()).unwrap()))
            .collect();
        let key = String::from_utf8(files["log.vkey"].clone()).unwrap().trim().parse().unwrap();
        Self { files, key }
    }

    fn checkpoint(&self, size: u64) -> Checkpoint {
        let bytes = &self.files[&format!("checkpoint.{size}")];
        SignedCheckpoint::open(bytes, std::slice::from_ref(&self.key)).unwrap().checkpoint().clone()
    }

    fn nodes(&self, size: u64) -> TileNodes<impl FnMut(Tile) -> Result<Vec<u8>, ShortTile> + '_> {
        TileNodes::new(size, |tile| Ok(self.files[&tile.to_string()].clone()))
    }
}

#[test]
fn a_log_of_tessera_is_read_whole() {
    let log = Tessera::load();
    let mut proofs = 0;
    for size in 0..=15 {
        let checkpoint = log.checkpoint(size);
        assert_eq!(checkpoint.size, size);
        let mut nodes = log.nodes(size);
        assert_eq!(merkle::root(&mut nodes, size).unwrap(), checkpoint.root);
        if let Some(tile) = Tile::of(Content::Entries, 0, size) {
            let bundle = &log.files[&tile.to_string()];
            for (index, entry) in (0..).zip(unbundle(bundle, tile.width()).unwrap()) {
                let proof = merkle::inclusion_proof(&mut nodes, index, size).unwrap();
                merkle::verify_inclusion(Hash::of_leaf(entry), index, size, &proof, checkpoint.root).unwrap();
                proofs += 1;
            }
        }
        for old in 0..=size {
            let proof = merkle::consistency_proof(&mut nodes, old, size).unwrap();
            let before = log.checkpoint(old);
            merkle::verify_consistency(old, before.root, size, checkpoint.root, &proof).unwrap();
            proofs += 1;
        }
    }
    assert_eq!(proofs, 120 + 136);
}

#[test]
fn the_go_checksum_database_signs_under_another_name_than_its_origin() {
    // Its note verifies. As a checkpoint it is not read: its origin has spaces, and its key another name, which
    // tlog-policy forbids a log to have.
    let vector = json("checkpoint-sumdb.json");
    let key: VerifierKey = vector["vkey"].as_str().unwrap().parse().unwrap();
    let bytes = vector["note"].as_str().unwrap().as_bytes();
    let verified = note::open(bytes, std::slice::from_ref(&key)).unwrap();
    assert_eq!(verified.text().lines().nth(1), Some("35225469"));
    assert_eq!(SignedCheckpoint::open(bytes, &[key]).unwrap_err(), CheckpointError::Origin);
}

#[test]
fn malformed_proofs_are_refused() {
    let vector = json("tlog-proof.json");
    let malformed = vector["malformed"].as_array().unwrap();
    assert_eq!(malformed.len(), 6);
    for text in malformed {
        assert!(Proof::parse(text.as_str().unwrap().as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_witness_answers_as_published() {
    let vector = json("witness-add-checkpoint.json");
    let name = vector["log"]["origin"].as_str().unwrap().parse().unwrap();
    let public: [u8; 32] = unhex(&vector["log"]["sigsum_log_public_key_hex"]).try_into().unwrap();
    let keys = [VerifierKey::from_bytes(name, &public).unwrap()];
    let mut last: Option<Checkpoint> = None;
    for step in vector["steps"].as_array().unwrap() {
        let body = step["body"].as_str().unwrap();
        let request = AddCheckpoint::parse(body.as_bytes()).unwrap();
        assert_eq!(request.to_string(), body);
        let status = match judge(&request, &keys, |_| last.clone()) {
            Ok(signed) => {
                last = Some(signed.checkpoint().clone());
                200
            }
            Err(refusal) => refusal.status(),
        };
        // One answer of the recording differs from the specification, which gives a status of its own.
        let expected = step.get("status_per_spec_v1.0.0").unwrap_or(&step["status"]);
        assert_eq!(expected.as_u64(), Some(u64::from(status)), "{body}");
    }
    assert_eq!(last.map(|c| c.size), Some(5));
}

#[test]
fn policies_of_sigsum_have_keys_of_another_form() {
    // Sigsum writes keys in hex where tlog-policy has verifier keys; the lines are otherwise the same.
    for name in ["sigsum-generic-2025-1", "sigsum-test-2025-3", "sigsum-test1-2025", "sigsum-test2-2025"] {
        let bytes = read(&format!("sigsum-policies/{name}.builtin-policy"));
        let error = Policy::parse(&bytes).unwrap_err();
        assert!(error.to_string().contains("line"), "{name}: {error}");
        let text = String::from_utf8(bytes).unwrap();
        let mut logs = 0;
        let lines: Vec<String> = text.lines().map(|line| in_our_form(line, &mut logs)).collect();
        let policy = Policy::parse((lines.join("\n") + "\n").as_bytes()).unwrap();
        assert_eq!(policy.logs().len(), logs, "{name}");
        assert!(policy.asks_for_witnesses() && !policy.witnesses().is_empty(), "{name}");
        let all: Vec<_> = policy.witnesses().iter().map(|w| w.key.clone()).collect();
        assert!(policy.is_met_by(&all) && !policy.is_met_by(&[]), "{name}");
    }
}

fn in_our_form(line: &str, logs: &mut usize) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let bytes = |hex: &str| -> [u8; 32] { unhex(&Value::from(hex)).try_into().unwrap() };
    match words[..] {
        ["log", key, ..] => {
            *logs += 1;
            let name = format!("sigsum.example/{logs}").parse().unwrap();
            format!("log {}", VerifierKey::from_bytes(name, &bytes(key)).unwrap())
        }
        ["witness", name, key, ..] => {
            let of = "witness.example".parse().unwrap();
            format!("witness {name} {}", note::WitnessKey::from_bytes(of, &bytes(key)).unwrap())
        }
        _ => line.to_owned(),
    }
}

#[test]
fn paths_in_the_manner_of_go_are_no_tile_paths_of_ours() {
    for n in 1..=8 {
        let seed = String::from_utf8_lossy(&read(&format!("azul-tile-paths/seed{n}"))).trim().to_owned();
        if let Ok(tile) = seed.parse::<Tile>() {
            assert_eq!(tile.to_string(), seed, "a path that reads as ours prints as it was");
        }
    }
}
