//! A day with everything in it: three witnesses, a search, an erasure, one start in the middle; read back by the audit.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use placet_audit::{Answer, Reader, Statement, Unknown, audit, prove};
use placet_confidential::{Group, KeyFile, Store};
use placet_core::Digest;
use placet_deposit::{Deposit, OversightSecret};
use placet_keeper::{Archive, Cosigned, Cosigner, Halted, Keeper, NewRecord, Published, Rounds};
use placet_record::entry::slot::SlotState;
use placet_record::entry::{EventKind, Leaf, LogMode, Moment, PublicPart, Purpose, Record};
use placet_tlog::note::WitnessSecret;
use placet_tlog::policy::Policy;
use placet_witness::local::Local;
use placet_witness::server::{Clock, FileSystem, Witness};

use super::{at, camera, create, key, on};

#[derive(Clone, Default)]
struct SharedClock(Arc<AtomicU64>);

impl Clock for SharedClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

struct Three {
    local: Local,
    clock: SharedClock,
    asleep: bool,
}

impl Cosigner for Three {
    fn cosign(&mut self, note: &str, now: Moment, log: &Published) -> Cosigned {
        self.clock.0.store(now.unix_seconds(), Ordering::SeqCst);
        if self.asleep {
            return Cosigned {
                note: note.to_owned(),
                words: vec!["asleep".to_owned()],
                ..Cosigned::default()
            };
        }
        let proof = |old, size| Ok(log.reader().consistency(old, size)?);
        let done = self.local.cosign(note, proof).unwrap();
        Cosigned { note: done.checkpoint, met: done.met, words: Vec::new(), alarm: None }
    }
}

fn policy() -> Policy {
    let log = key(1).verifier_key();
    let mut text = format!("log {log}\n");
    for n in 1..=3 {
        let key = witness_secret(n).verifier_key();
        text += &format!("witness w{n} {key}\n");
    }
    Policy::parse(format!("{text}group all 2 w1 w2 w3\nquorum all\n").as_bytes()).unwrap()
}

fn witness_secret(n: u8) -> WitnessSecret {
    WitnessSecret::generate(&format!("w{n}.example"), [n; 32]).unwrap()
}

fn three(home: &Path) -> Three {
    let clock = SharedClock::default();
    let witness = |n: u8| {
        let folder = home.join(format!("witness-{n}"));
        Witness::open(&folder, witness_secret(n), &policy(), Box::new(FileSystem), Box::new(clock.clone()))
            .unwrap()
    };
    Three { local: Local::new((1..=3).map(witness).collect(), policy()), clock: clock.clone(), asleep: false }
}

fn oversight() -> OversightSecret {
    OversightSecret::from_seed([5; 32])
}

fn group() -> Group {
    Group::Order(Digest::of(b"order"))
}

fn opening() -> NewRecord {
    let public = PublicPart {
        order: Digest::of(b"order"),
        purpose: Purpose::MissingPerson.into(),
        authority: "Rechtbank Gent".parse().unwrap(),
        cameras: vec![camera("hall")],
        from: at(0),
        until: at(90_000),
    };
    let record = Record::parse(br#"{"case_number":"2026/117","person":"CANARY-PERSON"}"#).unwrap();
    NewRecord { kind: EventKind::Opening, group: group(), record, about: None, public: Some(public) }
}

/// Minutes in which `hall` is searched.
fn is_searched(minute: u64) -> bool {
    (100..160).contains(&minute)
}

fn day(home: &Path, mode: LogMode, minutes: u64) -> Rounds<Three> {
    let keeper = create(home, mode);
    let source = KeyFile::create(&home.join("confidential.key")).unwrap();
    let confidential = Store::create(&home.join("confidential"), &source).unwrap();
    let witnesses = three(home);
    let archive = Archive::new(keeper, confidential, Some(oversight().public_key()));
    let mut rounds = Rounds::new(archive, witnesses, 2);
    let mut now = at(0);
    while now < at(minutes * 60) {
        let minute = (now.unix_seconds() + 2 - at(0).unix_seconds()) / 60;
        let step = rounds.step(now, |c| match c.as_str() {
            "hall" if is_searched(minute) => on(9),
            "stairs" if minute == 120 => SlotState::Unknown,
            _ => SlotState::Off,
        });
        let step = step.unwrap();
        assert!(step.witnessed && step.next >= now);
        if minute == 99 && step.tick.is_some() {
            match mode {
                LogMode::Open => drop(rounds.act(now, opening()).unwrap()),
                LogMode::Sealed => {
                    assert!(matches!(rounds.act(now, opening()), Err(Halted::Sealed)));
                    rounds.note(now, opening()).unwrap();
                }
            }
        }
        now = step.next.max(now.plus(1).unwrap());
    }
    rounds
}

fn state(published: &Published, name: &str, when: Moment, now: Moment) -> Statement {
    let reader = Reader::open(published, &policy()).unwrap();
    let proof = prove(&reader, &camera(name), when).unwrap();
    proof.verify(&policy(), now).unwrap()
}

#[test]
fn a_day_is_sound_and_says_what_was_so() {
    let home = tempfile::tempdir().unwrap();
    let mut rounds = day(home.path(), LogMode::Open, 300);
    let now = at(300 * 60);
    let published = rounds.archive().keeper().published();
    let report = audit(&published, &policy(), now, None).unwrap();
    assert!(report.is_sound(), "{:?}", report.invalid);
    assert_eq!(report.notices.len(), 0, "{:?}", report.notices);
    assert_eq!(report.counted.unwitnessed, 0);
    for minute in (0..290).step_by(7) {
        let when = at(minute * 60 + minute % 60);
        let hall = state(&published, "hall", when, now);
        match hall.answer {
            Answer::On { purpose, order, authority, .. } if is_searched(minute) => {
                assert_eq!((purpose, order), (Purpose::MissingPerson, Digest::of(b"order")));
                assert_eq!(authority.unwrap().as_str(), "Rechtbank Gent");
            }
            answer => assert_eq!((answer, is_searched(minute)), (Answer::Off, false)),
        }
        assert_eq!(state(&published, "gate", when, now).answer, Answer::Off);
    }
    let unknown = |name, when| state(&published, name, when, now).answer;
    assert_eq!(unknown("stairs", at(120 * 60)), Answer::Unknown(Unknown::NoAnswer));
    assert_eq!(unknown("attic", at(120 * 60)), Answer::Unknown(Unknown::NotACamera));
    assert_eq!(unknown("gate", at(400 * 60)), Answer::Unknown(Unknown::NotYet));
    assert_eq!(
        unknown("gate", Moment::from_unix_seconds(1_700_000_000).unwrap()),
        Answer::Unknown(Unknown::BeforeTheLog)
    );
}

#[test]
fn a_sealed_day_says_will_be_shown_of_every_camera_and_later_the_same_as_an_open_one() {
    let home = tempfile::tempdir().unwrap();
    let mut rounds = day(home.path(), LogMode::Sealed, 200);
    let published = rounds.archive().keeper().published();
    let by = at(121 * 60 + 3_600);
    for name in ["gate", "hall", "stairs"] {
        let answer = state(&published, name, at(150 * 60), at(200 * 60)).answer;
        assert_eq!(answer, Answer::WillBeShown { by: at(151 * 60 + 3_600) });
        let opened = state(&published, name, at(120 * 60), by).answer;
        assert!(!matches!(opened, Answer::WillBeShown { .. }), "{name}");
    }
    // Once its date is over, an unopened tick is overdue, and never off.
    let late = state(&published, "gate", at(150 * 60), at(999 * 60)).answer;
    assert!(matches!(late, Answer::Unknown(Unknown::Overdue { .. })));
    let Answer::On { authority, .. } = state(&published, "hall", at(120 * 60), by).answer else {
        unreachable!()
    };
    assert_eq!(authority.unwrap().as_str(), "Rechtbank Gent");
    assert!(audit(&published, &policy(), at(200 * 60), None).unwrap().is_sound());
}

#[test]
fn nothing_is_acted_upon_that_witnesses_have_not_seen() {
    let home = tempfile::tempdir().unwrap();
    let mut rounds = day(home.path(), LogMode::Open, 3);
    rounds.witnesses().asleep = true;
    assert!(matches!(rounds.act(at(181), opening()), Err(Halted::Unwitnessed(words)) if words == ["asleep"]));
    // What ends a search waits for nobody.
    rounds.note(at(182), NewRecord { kind: EventKind::Closing, ..opening() }).unwrap();
    let step = rounds.step(at(238), |_| SlotState::Off).unwrap();
    assert!(!step.witnessed && step.tick.is_some());
}

#[test]
fn what_was_erased_is_gone_and_the_log_is_still_sound() {
    let home = tempfile::tempdir().unwrap();
    let mut rounds = day(home.path(), LogMode::Open, 110);
    let now = at(110 * 60);
    let (erased, _) = rounds.archive().erase(now, group(), "Art. 5(3): refused").unwrap();
    assert_eq!(erased.events.len(), 1);
    rounds.step(now.plus(58).unwrap(), |_| SlotState::Off).unwrap();
    let published = rounds.archive().keeper().published();
    assert!(audit(&published, &policy(), now.plus(60).unwrap(), None).unwrap().is_sound());
    // The deposit is the oversight body's, who opens it without asking; it is erased by a call of its own.
    let (leaves, origin) = (super::leaves(rounds.archive().keeper()), "log.example/kept".parse().unwrap());
    let event = leaves.iter().find_map(|l| match l {
        Leaf::Event(e) if e.kind == EventKind::Opening => Some(e.clone()),
        _ => None,
    });
    let event = event.unwrap();
    let bytes = rounds.archive().confidential().deposit(&event.deposit.unwrap()).unwrap();
    let opened = Deposit::parse(&bytes).unwrap().open(&oversight(), &origin, &event).unwrap();
    assert_eq!(opened.record.fields().len(), 2);
    drop(rounds);
    let mut searched = 0;
    for entry in walk(home.path()) {
        let bytes = std::fs::read(&entry).unwrap();
        searched += bytes.len();
        assert!(!bytes.windows(13).any(|w| w == b"CANARY-PERSON"), "{}", entry.display());
    }
    println!("{searched} bytes of log, store and keys searched after erasure: no name in them");
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { out.extend(walk(&path)) } else { out.push(path) }
    }
    out
}

#[test]
fn the_keys_of_ticks_are_deposited_before_any_is_sealed_with_them() {
    let home = tempfile::tempdir().unwrap();
    let mut rounds = day(home.path(), LogMode::Open, 5);
    let leaves = super::leaves(rounds.archive().keeper());
    let first_tick = leaves.iter().position(|l| matches!(l, Leaf::Tick(_))).unwrap();
    let deposits: Vec<usize> = leaves
        .iter()
        .enumerate()
        .filter_map(|(at, l)| matches!(l, Leaf::Event(e) if e.kind == EventKind::Note).then_some(at))
        .collect();
    assert_eq!(deposits.len(), 1);
    assert!(deposits[0] < first_tick);
}

#[test]
fn a_kept_log_is_opened_again_with_its_store() {
    let home = tempfile::tempdir().unwrap();
    drop(day(home.path(), LogMode::Open, 10));
    let (keeper, opened) = Keeper::open(home.path(), vec![key(1)]).unwrap();
    assert_eq!((opened.replayed, opened.recovered.torn), (0, false));
    assert_eq!(keeper.sequence().last_tick().unwrap().n, 10);
    Store::open(&home.path().join("confidential"), &KeyFile::at(&home.path().join("confidential.key")))
        .unwrap();
}

#[test]
fn attack_no_lead_states_more_than_the_next_interval() {
    let home = tempfile::tempdir().unwrap();
    let keeper = create(home.path(), LogMode::Open);
    let source = KeyFile::create(&home.path().join("confidential.key")).unwrap();
    let confidential = Store::create(&home.path().join("confidential"), &source).unwrap();
    let archive = Archive::new(keeper, confidential, None);
    let mut rounds = Rounds::new(archive, three(home.path()), u64::MAX);
    for _ in 0..5 {
        rounds.step(at(0), |_| SlotState::Off).unwrap();
    }
    assert_eq!(rounds.archive().keeper().sequence().last_tick().unwrap().start, at(60));
}
