//! Published logs and statement proofs of `vectors/logs`, made by a second implementation: both must agree.

use std::fs;
use std::path::{Path, PathBuf};

use placet_audit::{
    Answer, Memory, ProofInvalid, Reader, Statement, StatementProof, Unknown, Witnessed, audit, prove,
};
use placet_record::entry::{FormError, Moment};
use placet_tlog::checkpoint::SignedCheckpoint;
use placet_tlog::note::VerifierKey;
use placet_tlog::policy::Policy;
use serde_json::{Value, json};

fn vectors(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/logs").join(name)
}

fn read(name: &str) -> Vec<u8> {
    fs::read(vectors(name)).expect(name)
}

fn policy(name: &str) -> Policy {
    Policy::parse(&read(name)).unwrap()
}

fn cases() -> Vec<Value> {
    let Value::Array(cases) = serde_json::from_slice(&read("cases.json")).unwrap() else { unreachable!() };
    cases
}

fn text<'v>(case: &'v Value, key: &str) -> &'v str {
    case[key].as_str().unwrap_or_else(|| panic!("{key} of {case}"))
}

fn moment(case: &Value, key: &str) -> Moment {
    text(case, key).parse().unwrap()
}

/// All files of a published log.
fn folder(name: &str) -> Memory {
    let mut files = Memory::default();
    let mut folders = vec![vectors(name)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let below = path.strip_prefix(vectors(name)).unwrap().to_str().unwrap().to_owned();
                files.0.insert(below, fs::read(path).unwrap());
            }
        }
    }
    files
}

fn witnessed(statement: &Statement) -> (Value, bool) {
    let time = |at| json!(Moment::from_unix_seconds(at).unwrap().to_string());
    match statement.witnessed {
        Witnessed::InTime { at } => (time(at), true),
        Witnessed::Late { at } | Witnessed::NowOnly { at } => (time(at), false),
        Witnessed::Unwitnessed => (Value::Null, false),
    }
}

/// A statement as `cases.json` has it.
fn shown(statement: &Statement) -> Value {
    let mut shown = match &statement.answer {
        Answer::Off => json!({"answer": "off"}),
        Answer::On { purpose, order, authority, counts } => json!({
            "answer": "on",
            "purpose": purpose.key(),
            "order": order.hex(),
            "authority": authority.as_ref().map(ToString::to_string),
            "frames_compared": counts.frames_compared,
            "candidates": counts.candidates,
            "confirmed": counts.confirmed,
            "rejected": counts.rejected,
        }),
        Answer::WillBeShown { by } => json!({"answer": "will-be-shown", "by": by.to_string()}),
        Answer::Unknown(why) => {
            let reason = match why {
                Unknown::Gap => "gap",
                Unknown::NotYet => "not-yet",
                Unknown::BeforeTheLog => "before",
                Unknown::NotACamera => "not-a-camera",
                Unknown::NoAnswer => "no-answer",
                Unknown::Overdue { .. } => "overdue",
            };
            json!({"answer": "unknown", "reason": reason})
        }
    };
    let (at, in_time) = witnessed(statement);
    shown["witnessed"] = at;
    shown["in_time"] = json!(in_time);
    shown
}

/// The part at fault, as `cases.json` names it.
fn part(bytes: &[u8], policy: &Policy, now: Moment) -> Result<Statement, (String, Option<ProofInvalid>)> {
    let form = |error: FormError| match error {
        FormError::Unknown { key } if !key.contains('.') => "file".to_owned(),
        FormError::Unknown { key } | FormError::Missing { key } | FormError::Value { key, .. } => {
            key.split('.').next().unwrap().to_owned()
        }
        _ => "file".to_owned(),
    };
    let proof = StatementProof::parse(bytes).map_err(|error| (form(error), None))?;
    proof.verify(policy, now).map_err(|error| (error.part().to_owned(), Some(error)))
}

#[test]
fn both_implementations_read_every_proof_alike() {
    let (mut accepted, mut misbehaved, mut refused, mut wrong) = (0, 0, 0, Vec::new());
    for case in cases() {
        let (file, now) = (text(&case, "file"), moment(&case, "now"));
        let found = part(&read(&format!("proofs/{file}")), &policy(text(&case, "policy")), now);
        let expect = &case["expect"];
        match found {
            Ok(statement) => {
                accepted += 1;
                let shown = shown(&statement);
                // What a reader needs beside the answer may have more keys there.
                let same = shown
                    .as_object()
                    .unwrap()
                    .iter()
                    .all(|(key, value)| expect.get(key).is_none_or(|e| e == value));
                if expect["answer"] != shown["answer"] || !same {
                    wrong.push(format!("{file}: {shown} where {expect} is expected"));
                }
            }
            Err((_, Some(error))) if expect["answer"] == "misbehaved" => {
                misbehaved += 1;
                assert!(error.is_misbehaviour(), "{file}: {error}");
            }
            Err((part, error)) => {
                refused += 1;
                if expect != "reject" || part != text(&case, "part") {
                    wrong.push(format!("{file}: {part} ({error:?}) where {case} is expected"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{accepted} accepted, {misbehaved} that show misbehaviour, {refused} refused");
    assert!(accepted > 25 && misbehaved == 3 && refused > 100);
}

#[test]
fn both_implementations_prove_alike() {
    let mut proved = 0;
    for case in cases().iter().filter(|case| case["expect"]["answer"].is_string() && case["log"] != "lying") {
        let (file, policy) = (text(case, "file"), policy(text(case, "policy")));
        let files = folder(text(case, "log"));
        let reader = Reader::open(&files, &policy).unwrap();
        let proof = prove(&reader, &text(case, "camera").parse().unwrap(), moment(case, "at")).unwrap();
        let (ours, theirs) = (proof.to_bytes().unwrap(), read(&format!("proofs/{file}")));
        assert_eq!(String::from_utf8(ours).unwrap(), String::from_utf8(theirs).unwrap(), "{file}");
        proved += 1;
    }
    assert!(proved > 25, "{proved}");
}

#[test]
fn their_logs_are_sound() {
    for (log, name, now) in
        [("open", "open.policy", "2026-11-22T02:36:06Z"), ("sealed", "sealed.policy", "2026-11-22T02:36:06Z")]
    {
        let policy = policy(name);
        let report = audit(&folder(log), &policy, now.parse().unwrap(), None).unwrap();
        assert!(report.is_sound() && report.is_covered, "{log}: {:?}", report.invalid);
        println!("{log}: {:?}", report.counted);
        assert!(report.counted.entries > 100 && report.counted.ticks > 80);
    }
}

#[test]
fn their_other_history_is_told_as_one() {
    let policy = policy("open.policy");
    let keys: Vec<VerifierKey> = policy.logs().iter().map(|log| log.key.clone()).collect();
    let fork = SignedCheckpoint::open(&read("open.fork"), &keys).unwrap();
    let now = "2026-11-22T02:36:06Z".parse().unwrap();
    let report = audit(&folder("open"), &policy, now, Some(&fork)).unwrap();
    assert!(report.has_misbehaved() && report.is_covered);
    let reader = Reader::open(folder("open"), &policy).unwrap();
    let checkpoint = fork.checkpoint();
    assert!(reader.check_consistent(checkpoint.size, checkpoint.root).is_err());
}
