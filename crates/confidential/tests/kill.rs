//! A process that writes is killed at random moments, again and again, over one store.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failed step of a test is a failed test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use placet_confidential::{Group, KeyFile, Store};
use placet_core::Digest;
use placet_record::entry::{CommittedRecord, EventId, EventKind, FieldValue, Moment, Record, RecordSecret};

/// Set in the child: where the store is, and a number that no other round has.
const CHILD: &str = "PLACET_CONFIDENTIAL_CHILD";

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let digest = Digest::of(&state.to_be_bytes()).0;
    u64::from_be_bytes(digest[..8].try_into().unwrap())
}

fn event(n: u64) -> EventId {
    EventId(Digest::of(&n.to_be_bytes()).0[..16].try_into().unwrap())
}

fn order(n: u64) -> Group {
    Group::Order(Digest::of(format!("order {n}").as_bytes()))
}

fn at(n: u64) -> Moment {
    Moment::from_unix_seconds(1_800_000_000 + n % 1_000_000).unwrap()
}

fn committed(n: u64) -> CommittedRecord {
    let value = FieldValue::Text(format!("case {n} {}", "y".repeat(n as usize % 3_000)));
    CommittedRecord {
        kind: EventKind::Opening,
        record: Record::new([("case_number".parse().unwrap(), value)]).unwrap(),
        secret: RecordSecret::from_bytes(Digest::of(&n.to_le_bytes()).0),
    }
}

fn deposit(n: u64) -> Vec<u8> {
    n.to_be_bytes().repeat(500)
}

/// Says a line that is not lost when the process is killed right after.
fn say(line: String) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n@ {line} .").and_then(|()| out.flush()).unwrap();
}

/// What the child does until it is killed. Before an erasure it says so, since one that was not acknowledged may have
/// happened; after each step it says that it was acknowledged.
fn child(folder: &Path, round: u64) {
    let mut store = Store::open(&folder.join("store"), &KeyFile::at(&folder.join("key"))).unwrap();
    say("open".to_owned());
    let mut state = round;
    for n in round * 10_000.. {
        let o = round * 10 + random(&mut state) % 5;
        match random(&mut state) % 5 {
            0 => {
                let old = random(&mut state) % (round * 10 + 5);
                say(format!("erasing {old}"));
                store.erase(order(old)).unwrap();
                say(format!("erased {old}"));
            }
            kind => {
                let file = deposit(n);
                let put = store.put(order(o), event(n), at(n), &committed(n), (kind == 1).then_some(&file));
                match put {
                    Ok(()) => say(format!("put {n} {o} {}", u8::from(kind == 1))),
                    Err(placet_confidential::Error::GroupErased) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }
}

/// What was acknowledged over all rounds.
#[derive(Default)]
struct Acknowledged {
    /// Records with their order, and whether they had a deposit.
    puts: BTreeMap<u64, (u64, bool)>,
    /// Orders whose erasure was begun.
    erasing: BTreeSet<u64>,
    /// Records whose erasure was acknowledged.
    gone: BTreeSet<u64>,
}

impl Acknowledged {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        match words[0] {
            "put" => drop(self.puts.insert(number(1), (number(2), number(3) == 1))),
            "erasing" => drop(self.erasing.insert(number(1))),
            "erased" => {
                let erased = self.puts.iter().filter(|(_, (order, _))| *order == number(1));
                self.gone.extend(erased.map(|(n, _)| *n));
            }
            _ => {}
        }
    }

    /// Every record that was acknowledged is there unless its order was being erased, and none that was erased.
    fn check(&self, store: &Store) {
        for (n, (order, with_deposit)) in &self.puts {
            let found = store.get(event(*n)).unwrap();
            assert!(found.is_some() || self.erasing.contains(order), "record {n} of order {order} is lost");
            assert!(found.is_none() || !self.gone.contains(n), "record {n} of order {order} came back");
            assert!(found.is_none_or(|found| found == committed(*n)), "record {n} is another");
            if *with_deposit {
                assert_eq!(store.deposit(&Digest::of(&deposit(*n))).unwrap(), deposit(*n));
            }
        }
        store.check().unwrap();
    }
}

/// One round: starts a child, listens, kills it after so many lines and a while, and tells whether it had the store open.
fn round(
    folder: &Path,
    number: u64,
    (lines_before, patience): (u64, Duration),
    heard: &mut Acknowledged,
) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "attack_killed_at_random_nothing_is_lost_and_nothing_comes_back", "--nocapture"])
        .env(CHILD, format!("{number} {}", folder.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    let (told, hears) = std::sync::mpsc::channel::<()>();
    let killer = std::thread::spawn(move || {
        // Once the child has said that much, however slow the machine is, and then anywhere within a step.
        for _ in 0..lines_before {
            let _ = hears.recv();
        }
        std::thread::sleep(patience);
        child.kill().unwrap();
        child.wait().unwrap()
    });
    let mut opened = false;
    for line in lines.split(b'\n') {
        // The last line may be cut, and then was not heard.
        let line = String::from_utf8(line.unwrap()).unwrap();
        let Some(line) = line.strip_prefix("@ ").and_then(|line| line.strip_suffix(" .")) else { continue };
        opened |= line == "open";
        heard.hear(line);
        let _ = told.send(());
    }
    drop(told);
    let status = killer.join().unwrap();
    assert!(!status.success() && status.code().is_none(), "the child ended by itself: {status}");
    opened
}

#[test]
fn attack_killed_at_random_nothing_is_lost_and_nothing_comes_back() {
    if let Ok(told) = std::env::var(CHILD) {
        let (number, folder) = told.split_once(' ').unwrap();
        return child(Path::new(folder), number.parse().unwrap());
    }
    let rounds = if std::env::var_os("PLACET_ATTACK").is_some() { 1_000 } else { 100 };
    let folder = tempfile::tempdir().unwrap();
    let key = KeyFile::create(&folder.path().join("key")).unwrap();
    drop(Store::create(&folder.path().join("store"), &key).unwrap());
    let (mut heard, mut opened, mut state) = (Acknowledged::default(), 0, 1);
    for number in 1..=rounds {
        // Some are killed before they have said anything: while they start, or mend what was left.
        let patience = (random(&mut state) % 16, Duration::from_micros(random(&mut state) % 10_000));
        opened += u32::from(round(folder.path(), number, patience, &mut heard));
        heard.check(&Store::open(&folder.path().join("store"), &key).unwrap());
    }
    eprintln!(
        "{rounds} kills, {opened} of them with the store open: {} records acknowledged, {} of them erased, \
         none lost and none back",
        heard.puts.len(),
        heard.gone.len()
    );
    assert!(heard.puts.len() > 100 && heard.gone.len() > 10, "the children got too little done to tell");
}
