//! The gate: one answer, nothing allowed by silence.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use placet_rulebook::{Answer, Clocks, Facts, Gate, GateFacts, Rest, Rulebook, TextId, Value};

const HOUR: i64 = 3_600;
/// 22 November 2026, 12:00 UTC.
const NOON: i64 = 1_795_348_800;

struct Bench {
    book: Rulebook,
    gate: Gate,
}

impl Bench {
    fn new() -> Self {
        let book = Rulebook::load().unwrap();
        let gate = book.gate(TextId::Eu2026).unwrap();
        Self { book, gate }
    }

    /// A lawful live search for a suspect in Sweden with everything in order. The State's law comes from its file.
    fn lawful(&self) -> GateFacts {
        let mut facts = self.book.baseline("suspect-live").unwrap().clone();
        for (id, _) in self.book.vocabulary().facts().filter(|(_, f)| f.from_state.is_some()) {
            facts.set(id, None);
        }
        for name in ["order_signed", "deposit_made", "log_receipt", "model_registered", "calibrated"] {
            self.set(&mut facts, name, Value::Bool(true));
        }
        for (name, n) in [
            ("persons_sought", 1),
            ("cameras_open_percent", 1),
            ("witnesses", 5),
            ("renewals", 0),
            ("camera_hours_month", 1),
        ] {
            self.set(&mut facts, name, Value::Int(n));
        }
        let clocks = Clocks {
            from: NOON - HOUR,
            until: NOON + HOUR,
            started: Some(NOON - HOUR / 2),
            requested: Some(NOON - 3 * HOUR),
            decided: Some((true, NOON - 2 * HOUR)),
        };
        GateFacts { facts, clocks }
    }

    fn set(&self, facts: &mut Facts, name: &str, value: Value) {
        facts.set(self.book.vocabulary().find(name).unwrap(), Some(value));
    }
}

#[test]
fn a_lawful_search_opens_and_one_second_later_it_does_not() {
    let b = Bench::new();
    let lawful = b.lawful();
    assert!(matches!(b.gate.ask(&lawful, NOON), Answer::Allow(_)), "{:?}", b.gate.ask(&lawful, NOON));
    assert!(matches!(b.gate.ask(&lawful, lawful.clocks.until - 1), Answer::Allow(_)));
    assert!(matches!(b.gate.ask(&lawful, lawful.clocks.until), Answer::Refuse(_)));
    assert!(matches!(b.gate.ask(&lawful, lawful.clocks.from - 1), Answer::Refuse(_)));
}

#[test]
fn an_order_cannot_bring_its_own_national_law() {
    let b = Bench::new();
    let finland =
        b.book.vocabulary().fact(b.book.vocabulary().find("member_state").unwrap()).read("FI").unwrap();
    let mut elsewhere = b.lawful();
    b.set(&mut elsewhere.facts, "member_state", finland);
    let rules = |case: &GateFacts| match b.gate.ask(case, NOON) {
        Answer::Refuse(list) => list.into_iter().map(|(g, _)| g.rule).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert!(rules(&elsewhere).contains(&"5-5-national-law".to_owned()), "{:?}", rules(&elsewhere));
    // Asserted, with every aim covered and a date long past.
    for name in ["national_law", "law_covers_suspects"] {
        b.set(&mut elsewhere.facts, name, Value::Bool(true));
    }
    assert_eq!(rules(&elsewhere), ["state-law", "state-law"]);
    // Nor can a State be set free of the Act, nor its law be dated back, nor an aim be added that it does not cover.
    let day = Value::Day("2020-01-01".parse().unwrap());
    for (name, value) in [
        ("state_bound", Value::Bool(false)),
        ("law_covers_missing", Value::Bool(true)),
        ("law_covers_suspects", Value::Bool(false)),
        ("national_law_from", day),
    ] {
        let mut case = b.lawful();
        b.set(&mut case.facts, name, value);
        assert_eq!(rules(&case), ["state-law"], "{name}");
    }
    // What the State's file says may be repeated; without a State nothing of its law is known.
    let mut repeated = b.lawful();
    b.set(&mut repeated.facts, "national_law", Value::Bool(true));
    assert!(matches!(b.gate.ask(&repeated, NOON), Answer::Allow(_)), "{:?}", b.gate.ask(&repeated, NOON));
    repeated.facts.set(b.book.vocabulary().find("member_state").unwrap(), None);
    assert_eq!(rules(&repeated), ["state-law"]);
}

#[test]
fn a_refusal_lists_every_failing_safeguard() {
    let b = Bench::new();
    let mut case = b.lawful();
    b.set(&mut case.facts, "impact_assessment", Value::Bool(false));
    b.set(&mut case.facts, "targeted", Value::Bool(false));
    b.set(&mut case.facts, "log_receipt", Value::Bool(false));
    let Answer::Refuse(list) = b.gate.ask(&case, NOON) else { panic!("{:?}", b.gate.ask(&case, NOON)) };
    let rules: Vec<&str> = list.iter().map(|(g, _)| g.rule.as_str()).collect();
    for rule in ["5-2-fria", "5-2-target", "cap-deposit"] {
        assert!(rules.contains(&rule), "{rules:?}");
    }
    assert!(list.iter().all(|(g, _)| !g.cite.is_empty()));
}

#[test]
fn absurd_clocks_are_refused() {
    let b = Bench::new();
    for change in [
        |c: &mut Clocks| c.started = Some(NOON + 1),
        |c: &mut Clocks| c.started = Some(i64::MIN),
        |c: &mut Clocks| c.requested = Some(i64::MAX),
        |c: &mut Clocks| c.decided = Some((true, NOON + 60)),
        |c: &mut Clocks| c.until = i64::MAX,
        |c: &mut Clocks| c.from = c.until,
        |c: &mut Clocks| c.decided = Some((false, NOON - 60)),
        |c: &mut Clocks| c.decided = None,
    ] {
        let mut case = b.lawful();
        change(&mut case.clocks);
        assert!(!matches!(b.gate.ask(&case, NOON), Answer::Allow(_)), "{:?}", case.clocks);
    }
    assert!(!matches!(b.gate.ask(&b.lawful(), i64::MAX), Answer::Allow(_)));
}

#[test]
fn forgetting_any_fact_never_opens_the_gate() {
    let b = Bench::new();
    let unlawful: Vec<GateFacts> = ["impact_assessment", "strictly_necessary", "order_signed"]
        .into_iter()
        .map(|name| {
            let mut case = b.lawful();
            b.set(&mut case.facts, name, Value::Bool(false));
            case
        })
        .collect();
    for case in &unlawful {
        for (id, fact) in b.book.vocabulary().facts().filter(|(_, f)| f.from_state.is_none()) {
            let mut less = case.clone();
            less.facts.set(id, None);
            assert!(!matches!(b.gate.ask(&less, NOON), Answer::Allow(_)), "without `{}`", fact.id);
        }
    }
    let none = GateFacts { facts: Facts::none(b.book.vocabulary()), clocks: b.lawful().clocks };
    assert!(!matches!(b.gate.ask(&none, NOON), Answer::Allow(_)));
}

#[test]
fn our_evaluator_and_the_official_engine_give_one_answer() {
    let b = Bench::new();
    let mut compared = 0;
    // Against a State's file an order is refused before any rule is asked.
    for (id, fact) in b.book.vocabulary().facts().filter(|(_, f)| f.from_state.is_none()) {
        for value in [
            Value::Bool(true),
            Value::Bool(false),
            Value::Int(0),
            Value::Int(5_000),
            Value::Choice(0),
            Value::Choice(1),
            Value::Choice(2),
        ] {
            let fits = match (&fact.kind, value) {
                (placet_rulebook::Kind::Bool, Value::Bool(_))
                | (placet_rulebook::Kind::Int { .. }, Value::Int(_)) => true,
                (placet_rulebook::Kind::Choice(list), Value::Choice(i)) => usize::from(i) < list.len(),
                _ => false,
            };
            if !fits {
                continue;
            }
            let mut case = b.lawful();
            case.facts.set(id, Some(value));
            let ours = b.gate.ask(&case, NOON);
            let Some((allowed, rules)) = b.gate.ask_cedar(&case, NOON) else { continue };
            compared += 1;
            match ours {
                Answer::Allow(_) => assert!(allowed, "`{}` = {value:?}", fact.id),
                Answer::Refuse(list) => {
                    assert!(!allowed, "`{}` = {value:?}", fact.id);
                    let ids: std::collections::BTreeSet<String> =
                        list.iter().map(|(g, _)| g.rule.clone()).collect();
                    assert_eq!(ids, rules, "`{}` = {value:?}", fact.id);
                }
                Answer::CannotSay(missing) => panic!("`{}` = {value:?}: {missing:?}", fact.id),
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn what_a_reader_takes_for_granted_never_reaches_the_gate() {
    let b = Bench::new();
    let day = "2026-11-22".parse().unwrap();
    let mut shut = 0;
    for (id, fact) in b.book.vocabulary().facts().filter(|(_, f)| !f.gate && f.derived.is_none()) {
        let mut silent = b.lawful();
        silent.facts.set(id, None);
        let before = b.gate.ask(&silent, NOON);
        // Only the gate says that the question is the gate's.
        let mut told = silent.facts.clone();
        told.set(b.book.vocabulary().find("at_gate").unwrap(), None);
        let verdict = b.book.decide_with(&told, TextId::Eu2026, day, Rest::NotSo).unwrap();
        let granted = verdict.assumed.iter().any(|a| a.fact == id);
        // The verdict took it for granted; the same facts are as silent as before when they come to the gate.
        assert_eq!(b.gate.ask(&silent, NOON), before, "{}", fact.id);
        shut += usize::from(granted && matches!(before, Answer::CannotSay(_)));
    }
    assert!(shut > 5, "only {shut} facts that a reader may take for granted keep the gate shut");
}
