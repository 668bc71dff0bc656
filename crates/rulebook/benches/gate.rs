//! The gate's answer with the request built, and one verdict, in percentiles: `cargo bench -p placet-rulebook`.
//!
//! Percentiles, since the promise is about the slowest answers and not about the mean.
#![expect(clippy::disallowed_methods, reason = "a measurement reads a clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use placet_rulebook::{Answer, Clocks, GateFacts, Rest, Rulebook, TextId, Value};

/// 22 November 2026, 12:00 UTC.
const NOON: i64 = 1_795_348_800;

fn main() {
    let book = Rulebook::load().expect("the embedded rulebook reads");
    let gate = book.gate(TextId::Eu2026).expect("eu2026 is there");
    let mut facts = book.baseline("suspect-live").expect("the baseline is there").clone();
    for (id, _) in book.vocabulary().facts().filter(|(_, f)| f.from_state.is_some()) {
        facts.set(id, None);
    }
    let mut set = |name: &str, value| {
        facts.set(book.vocabulary().find(name).expect("the fact is there"), Some(value));
    };
    for name in ["order_signed", "deposit_made", "log_receipt", "model_registered", "calibrated"] {
        set(name, Value::Bool(true));
    }
    for (name, n) in [
        ("persons_sought", 1),
        ("cameras_open_percent", 1),
        ("witnesses", 5),
        ("renewals", 0),
        ("camera_hours_month", 1),
    ] {
        set(name, Value::Int(n));
    }
    let clocks = Clocks {
        from: NOON - 3_600,
        until: NOON + 3_600,
        started: Some(NOON - 1_800),
        requested: Some(NOON - 10_800),
        decided: Some((true, NOON - 7_200)),
    };
    let lawful = GateFacts { facts, clocks };
    assert!(matches!(gate.ask(&lawful, NOON), Answer::Allow(_)));
    println!("{} policies, {} facts", gate.policies(), gate.used().count());
    measure("gate, allowed (both evaluators)", 5_000, || drop(black_box(gate.ask(black_box(&lawful), NOON))));
    measure("gate, refused", 5_000, || drop(black_box(gate.ask(black_box(&lawful), NOON + 7_200))));
    let day = "2026-11-22".parse().expect("a day");
    measure("verdict", 500, || {
        drop(black_box(book.decide_only(&lawful.facts, TextId::Eu2026, day, Rest::Unknown)))
    });
    measure("verdict with ways and flips", 200, || {
        drop(black_box(book.decide(&lawful.facts, TextId::Eu2026, day)))
    });
}

fn measure(name: &str, n: usize, mut run: impl FnMut()) {
    let mut times: Vec<Duration> = Vec::with_capacity(n);
    for _ in 0..n {
        let start = Instant::now();
        run();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let at = |percent: usize| times.get((n * percent / 100).min(n - 1)).copied().unwrap_or_default();
    println!("{name}: median {:?}, p99 {:?}, worst {:?}", at(50), at(99), at(100));
}
