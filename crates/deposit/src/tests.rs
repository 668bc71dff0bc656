use placet_record::entry::{EventKind, Record, RecordSecret};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn secret(n: u8) -> OversightSecret {
    OversightSecret::from_seed([n; 32])
}

fn origin() -> Origin {
    "log.example.org/placet".parse().unwrap()
}

fn committed(json: &str) -> CommittedRecord {
    CommittedRecord {
        kind: EventKind::Request,
        record: Record::parse(json.as_bytes()).unwrap(),
        secret: RecordSecret::from_bytes([2; 32]),
    }
}

fn sealed(json: &str) -> Deposit {
    Deposit::seal(&secret(1).public_key(), &origin(), EventId([3; 16]), &committed(json), [4; 32]).unwrap()
}

fn event(deposit: &Deposit, json: &str) -> Event {
    Event {
        at: "2026-11-22T05:43:00Z".parse().unwrap(),
        kind: EventKind::Request,
        id: EventId([3; 16]),
        commitment: committed(json).commitment().unwrap(),
        about: None,
        deposit: Some(deposit.digest()),
        public: None,
    }
}

#[test]
fn another_implementations_deposits_open() {
    let file = include_str!("../../../vectors/deposit/deposits.json");
    let cases: Value = serde_json::from_str(file).unwrap();
    for case in cases.as_array().unwrap() {
        let text = |key: &str| case[key].as_str().unwrap();
        let body: OversightSecret = text("secret_key").parse().unwrap();
        assert_eq!(body.public_key().to_string(), text("key"));
        let whole = CommittedRecord::parse(text("whole").as_bytes()).unwrap();
        let deposit = Deposit::parse(&unhex(text("file"))).unwrap();
        let event = Event {
            id: EventId(unhex(text("event_id")).try_into().unwrap()),
            kind: whole.kind,
            commitment: whole.commitment().unwrap(),
            ..event(&deposit, "{}")
        };
        let opened = deposit.open(&body, &text("origin").parse().unwrap(), &event);
        match text("expect") {
            "accept" => assert_eq!(opened, Ok(whole)),
            "padding" => assert_eq!(opened, Err(OpenError::Padding)),
            "sealed" => assert_eq!(opened, Err(OpenError::Sealed)),
            "record" => assert!(matches!(opened, Err(OpenError::Record { .. })), "{opened:?}"),
            "commitment" => assert_eq!(opened, Err(OpenError::Commitment { id: event.id })),
            other => unreachable!("{other}"),
        }
    }
    assert!(cases.as_array().unwrap().len() > 6);
}

#[test]
fn every_deposit_has_one_length() {
    let name = |n: usize| "abcdefghijklmnop"[n..=n].to_owned();
    let longest: Vec<String> = (0..16).map(|n| format!("\"{}\":\"{}\"", name(n), "x".repeat(248))).collect();
    for json in ["{}", r#"{"a":1}"#, &format!("{{{}}}", longest.join(","))] {
        assert_eq!(sealed(json).to_bytes().len(), DEPOSIT, "{} bytes", json.len());
    }
    assert_eq!(DEPOSIT, 4_426);
}

#[test]
fn a_deposit_opens_for_its_key_log_and_event_only() {
    let json = r#"{"case_number":"2026/117"}"#;
    let deposit = sealed(json);
    let event = event(&deposit, json);
    assert_eq!(deposit.open(&secret(1), &origin(), &event), Ok(committed(json)));
    assert_eq!(deposit.open(&secret(9), &origin(), &event), Err(OpenError::Key));
    let other: Origin = "log.example.org/other".parse().unwrap();
    assert_eq!(deposit.open(&secret(1), &other, &event), Err(OpenError::Sealed));
    let moved = Event { id: EventId([4; 16]), ..event.clone() };
    assert_eq!(deposit.open(&secret(1), &origin(), &moved), Err(OpenError::Sealed));
    let unnamed = Event { deposit: None, ..event.clone() };
    assert_eq!(deposit.open(&secret(1), &origin(), &unnamed), Err(OpenError::Event { id: event.id }));
    let lied = Event { commitment: committed("{}").commitment().unwrap(), ..event.clone() };
    assert_eq!(deposit.open(&secret(1), &origin(), &lied), Err(OpenError::Commitment { id: event.id }));
    let renamed = Event { kind: EventKind::Note, ..event.clone() };
    assert_eq!(deposit.open(&secret(1), &origin(), &renamed), Err(OpenError::Commitment { id: event.id }));
}

#[test]
fn attack_every_flipped_byte_of_a_deposit() {
    let json = r#"{"case_number":"2026/117"}"#;
    let event = event(&sealed(json), json);
    let file = sealed(json).to_bytes();
    let mut tried = 0;
    for at in 0..file.len() {
        let mut other = file.clone();
        other[at] ^= 1 << (at % 8);
        tried += 1;
        let Ok(deposit) = Deposit::parse(&other) else { continue };
        assert_eq!(deposit.open(&secret(1), &origin(), &event), Err(OpenError::Event { id: event.id }));
        // And where the log names the changed file: the seal refuses by itself.
        let named = Event { deposit: Some(deposit.digest()), ..event.clone() };
        let answer = deposit.open(&secret(1), &origin(), &named);
        assert!(matches!(answer, Err(OpenError::Sealed | OpenError::Key)), "byte {at}: {answer:?}");
    }
    println!("{tried} flipped bytes of a deposit: none opened");
    for length in [0, 17, 18, DEPOSIT - 1] {
        assert_eq!(Deposit::parse(&file[..length]), Err(ParseError::Length { bytes: length }));
    }
    assert_eq!(tried, DEPOSIT);
}

proptest! {
    #[test]
    fn what_is_sealed_opens(key: [u8; 32], seed: [u8; 32], id: [u8; 16], text in "[a-z ]{0,200}") {
        let body = OversightSecret::from_seed(key);
        let json = format!("{{\"text\":\"{text}\"}}");
        let id = EventId(id);
        let deposit = Deposit::seal(&body.public_key(), &origin(), id, &committed(&json), seed).unwrap();
        let event = Event { id, ..event(&deposit, &json) };
        let read = Deposit::parse(&deposit.to_bytes()).unwrap();
        prop_assert_eq!(read.open(&body, &origin(), &event), Ok(committed(&json)));
    }
}
