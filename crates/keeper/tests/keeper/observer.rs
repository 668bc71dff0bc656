//! What someone learns who sees everything that a sealed log publishes, while it is sealed: nothing.
//!
//! Two worlds are the same but for one thing: in one a camera is in a search. The observer sees every published file after each
//! tick, and the moments at which they changed.

use placet_keeper::{Keeper, NewEvent, fresh_id};
use placet_record::entry::slot::SlotState;
use placet_record::entry::{Commitment, EventKind, Leaf, LogMode};

use super::{at, create, on};

const TICKS: u64 = 20;

/// One log whose camera `searched` is in a search from tick 5 to tick 14, with all the events that come with one.
fn world(searched: Option<&str>) -> (tempfile::TempDir, Keeper, Vec<Seen>) {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = create(home.path(), LogMode::Sealed);
    let mut seen = Vec::new();
    for n in 0..TICKS {
        let now = at(n * 60);
        keeper.reveal(now).unwrap();
        let running = (5..15).contains(&n);
        let state = |c: &placet_record::entry::CameraId| match searched {
            Some(camera) if running && c.as_str() == camera => on(u32::try_from(n).unwrap() * 1_000),
            _ => SlotState::Off,
        };
        let (_, written) = keeper.tick(now, state).unwrap();
        keeper.publish(&written.note, written.index + 1, true).unwrap();
        seen.push(Seen::of(&keeper, n));
        let kinds = [EventKind::Request, EventKind::Authorisation, EventKind::Opening, EventKind::Closing];
        if let Some(kind) = kinds.get(usize::try_from(n.saturating_sub(4) / 3).unwrap())
            && searched.is_some()
            && n >= 4
        {
            let commitment = Commitment([9; 32]);
            let id = fresh_id().unwrap();
            let event = NewEvent { kind: *kind, id, commitment, deposit: None, about: None, public: None };
            keeper.event(at(n * 60 + 30), event).unwrap();
            seen.push(Seen::of(&keeper, n));
        }
    }
    (home, keeper, seen)
}

/// What is public at one moment: names and lengths of all files, and all entries without what is random by design.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    tick: u64,
    files: Vec<(String, u64)>,
    entries: Vec<String>,
}

impl Seen {
    fn of(keeper: &Keeper, tick: u64) -> Self {
        let published = keeper.published();
        let n = tick + 1;
        let size = published.reader().size();
        let mut paths = vec![
            "checkpoint".to_owned(),
            format!("tile/0/000.p/{size}"),
            format!("tile/entries/000.p/{size}"),
        ];
        paths.push(format!("slots/000.p/{n}"));
        paths.push(format!("cosigned/000.p/{tick}"));
        let files =
            paths.into_iter().filter_map(|p| Some((p.clone(), published.length(&p).unwrap()?))).collect();
        let entries = super::leaves(keeper).into_iter().map(|leaf| match leaf {
            Leaf::Tick(tick) => format!("tick {} {} {} {}", tick.n, tick.start, tick.reveal_by, tick.roster),
            other => format!("{other:?}"),
        });
        Self { tick, files, entries: entries.collect() }
    }
}

#[test]
fn attack_a_search_changes_no_name_no_length_no_count_and_no_time() {
    let (_a, _, idle) = world(None);
    let (_b, _, busy) = world(Some("hall"));
    // The events of the search were recorded in between; for each moment of the idle world there is one of the busy, and
    // what was looked at after an event is what had been there before it.
    let mut after: Vec<&Seen> = Vec::new();
    for seen in &busy {
        match after.last() {
            Some(before) if before.tick == seen.tick => {
                assert_eq!(*before, seen, "an event changed something")
            }
            _ => after.push(seen),
        }
    }
    assert_eq!(after.len(), idle.len());
    let looked_at = idle.iter().map(|s| s.files.len() + s.entries.len()).sum::<usize>();
    for (idle, busy) in idle.iter().zip(after) {
        assert_eq!(idle, busy);
    }
    println!("{looked_at} names, lengths and entries of an idle log and a busy one: 0 differ");
}

/// Looks at one camera's slots over time. A higher score is a guess that this is the one.
type Strategy = fn(&[[u8; 128]]) -> f64;

/// Ways to guess from the sealed slots of two cameras, over time, which of them is in a search.
fn strategies() -> Vec<(&'static str, Strategy)> {
    fn pairs(slots: &[[u8; 128]]) -> impl Iterator<Item = (&[u8; 128], &[u8; 128])> {
        slots.iter().zip(slots.iter().skip(1))
    }
    fn distance(a: &[u8; 128], b: &[u8; 128]) -> f64 {
        f64::from(a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>())
    }
    vec![
        ("ones", |slots| slots.iter().flatten().map(|b| f64::from(b.count_ones())).sum()),
        ("zeros in the tail", |slots| {
            slots.iter().flat_map(|s| &s[78..]).filter(|b| **b == 0).count() as f64
        }),
        ("sum of bytes", |slots| slots.iter().flatten().map(|b| f64::from(*b)).sum()),
        ("first byte", |slots| slots.iter().map(|s| f64::from(s[0])).sum()),
        ("state byte", |slots| slots.iter().map(|s| f64::from(s[33])).sum()),
        ("purpose byte", |slots| slots.iter().map(|s| f64::from(s[34])).sum()),
        ("change from tick to tick", |slots| pairs(slots).map(|(a, b)| distance(a, b)).sum()),
        ("change of the tail only", |slots| {
            pairs(slots)
                .map(|(a, b)| a[82..].iter().zip(&b[82..]).filter(|(a, b)| a == b).count() as f64)
                .sum()
        }),
        ("order bytes alike", |slots| {
            pairs(slots)
                .map(|(a, b)| a[36..68].iter().zip(&b[36..68]).filter(|(a, b)| a == b).count() as f64)
                .sum()
        }),
        ("middle against edges", |slots| {
            let ones = |range: std::ops::Range<usize>| {
                slots
                    .get(range)
                    .unwrap_or_default()
                    .iter()
                    .flatten()
                    .map(|b| f64::from(b.count_ones()))
                    .sum::<f64>()
            };
            ones(5..15) - ones(0..5) - ones(15..20)
        }),
        ("distinct bytes", |slots| {
            slots.iter().map(|s| s.iter().collect::<std::collections::BTreeSet<_>>().len() as f64).sum()
        }),
    ]
}

#[test]
fn attack_no_way_of_guessing_beats_a_coin() {
    let rounds = if std::env::var("PLACET_ATTACK").is_ok_and(|c| c == "full") { 2_000 } else { 150 };
    let strategies = strategies();
    let mut right = vec![0_u32; strategies.len()];
    for round in 0..rounds {
        // Which camera it is hangs on nothing the observer knows.
        let truth = round % 2;
        let (_home, keeper, _) = world(Some(["gate", "hall"][truth]));
        let published = keeper.published();
        let bytes = published.read(&format!("slots/000.p/{TICKS}"), 0, u64::MAX).unwrap().unwrap();
        let slot = |camera: usize| -> Vec<[u8; 128]> {
            bytes
                .as_chunks::<512>()
                .0
                .iter()
                .map(|array| *array[camera * 128..].first_chunk().unwrap())
                .collect()
        };
        let slots = [slot(0), slot(1)];
        for ((_, strategy), right) in strategies.iter().zip(&mut right) {
            let guess = usize::from(strategy(&slots[1]) > strategy(&slots[0]));
            *right += u32::from(guess == truth);
        }
    }
    // Five standard deviations: a coin leaves that once in some million rounds.
    let allowed = 5.0 * (f64::from(rounds as u32) / 4.0).sqrt();
    for ((name, _), right) in strategies.iter().zip(&right) {
        let off = (f64::from(*right) - f64::from(rounds as u32) / 2.0).abs();
        // Ties go to the first camera, so a strategy without an opinion is right half the time.
        assert!(off <= allowed, "{name}: {right} of {rounds} right");
    }
    println!("{} ways of guessing, {rounds} rounds each: right {right:?} times", strategies.len());
}
