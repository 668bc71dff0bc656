//! For any history of a camera, what is proved of an instant is what the history says.

use placet_audit::{Answer, Reader, Unknown, Witnessed, audit, prove};
use placet_record::entry::LogMode;
use placet_record::entry::slot::SlotState;
use proptest::prelude::*;

use crate::maker::{Maker, Shape, at, note, on, opening, policy};

const INTERVAL: u64 = 60;

/// What happens around one tick.
#[derive(Debug, Clone)]
struct Step {
    /// How long nothing is stated before it.
    gap: u64,
    state: u8,
    /// When witnesses saw it, after it started.
    seen: Option<u64>,
    revealed: bool,
    /// Whether cameras change their slots before it.
    moved: bool,
    notes: u64,
}

fn any_step() -> impl Strategy<Value = Step> {
    let gap = prop_oneof![8 => Just(0_u64), 1 => 1..200_u64];
    let notes = prop_oneof![6 => 0..4_u64, 1 => 200..300_u64];
    (gap, 0..3_u8, prop::option::of(0..90_u64), prop::bool::weighted(0.7), prop::bool::weighted(0.1), notes)
        .prop_map(|(gap, state, seen, revealed, moved, notes)| Step {
            gap,
            state,
            seen,
            revealed,
            moved,
            notes,
        })
}

fn state(step: &Step) -> SlotState {
    [SlotState::Off, on(), SlotState::Unknown][usize::from(step.state)]
}

/// A tick as the history has it.
struct Stated {
    start: u64,
    step: Step,
}

fn build(mode: LogMode, delay: u64, steps: &[Step]) -> (Maker, Vec<Stated>) {
    let mut log = Maker::new(Shape { mode, interval: INTERVAL, reveal_delay: delay, slots: 3 });
    let (mut slot, mut start, mut id) = (0, 30, 0);
    let mut stated: Vec<Stated> = Vec::new();
    let mut sealed: Vec<(u64, u64)> = Vec::new();
    log.roster(&[("hall-north", slot)]);
    for (n, step) in (0_u64..).zip(steps) {
        start += step.gap;
        if step.moved {
            slot = (slot + 1) % 3;
            log.roster(&[("hall-north", slot)]);
        }
        let mut states = vec![SlotState::Unused; 3];
        states[slot as usize] = state(step);
        log.tick(start, &states, step.seen.map(|seen| start + seen));
        sealed.retain(|(tick, when)| {
            let due = *when <= start;
            if due {
                log.reveal(*tick, *when);
            }
            !due
        });
        if step.revealed {
            sealed.push((n, start + INTERVAL + if mode == LogMode::Sealed { delay } else { 0 }));
        }
        for _ in 0..step.notes {
            id += 1;
            log.push(&if id == 3 { opening(1_000_000, "hall-north") } else { note(id) });
        }
        stated.push(Stated { start, step: step.clone() });
        start += INTERVAL;
    }
    for (tick, when) in sealed {
        log.reveal(tick, when);
    }
    (log, stated)
}

/// What the history says, by looking through all of it.
fn expected(stated: &[Stated], delay: u64, second: u64, now: u64) -> Answer {
    let Some(last) = stated.iter().rposition(|tick| tick.start <= second) else {
        return Answer::Unknown(if stated.is_empty() { Unknown::NotYet } else { Unknown::BeforeTheLog });
    };
    let Stated { start, step } = &stated[last];
    if second >= start + INTERVAL {
        return Answer::Unknown(if last + 1 < stated.len() { Unknown::Gap } else { Unknown::NotYet });
    }
    let by = start + INTERVAL + delay;
    match (step.revealed, state(step)) {
        (false, _) if now > by => Answer::Unknown(Unknown::Overdue { since: at(by) }),
        (false, _) => Answer::WillBeShown { by: at(by) },
        (true, SlotState::Off) => Answer::Off,
        (true, SlotState::On(search)) => {
            let (order, purpose, counts) = (search.order, search.purpose, search.counts);
            Answer::On { purpose, order, authority: None, counts }
        }
        (true, _) => Answer::Unknown(Unknown::NoAnswer),
    }
}

fn without_authority(answer: Answer) -> Answer {
    match answer {
        Answer::On { purpose, order, counts, .. } => Answer::On { purpose, order, authority: None, counts },
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_proved_of_an_instant_is_what_the_timeline_says(
        sealed: bool,
        delay in prop::sample::select(vec![0_u64, 90, 600]),
        steps in prop::collection::vec(any_step(), 0..25),
        seconds in prop::collection::vec(0..3_000_u64, 12),
        wait in 0..2_000_u64,
    ) {
        let mode = if sealed { LogMode::Sealed } else { LogMode::Open };
        let (log, stated) = build(mode, delay, &steps);
        let end = stated.last().map_or(0, |tick| tick.start + INTERVAL + delay);
        let now = end.max(1) + wait;
        let files = log.publish(now);
        let report = audit(&files, &policy(), at(now), None).unwrap();
        prop_assert!(report.is_sound(), "{:?}", report.invalid);
        let reader = Reader::open(&files, &policy()).unwrap();
        for second in seconds {
            let proof = prove(&reader, &"hall-north".parse().unwrap(), at(second)).unwrap();
            // Asked at the end, or while it is still sealed: the proof is the same.
            for now in [now, second] {
                let statement = proof.verify(&policy(), at(now)).unwrap();
                prop_assert_eq!(without_authority(statement.answer.clone()), expected(&stated, delay, second, now));
                prop_assert_eq!(statement.tick.is_some(), statement.tick.is_some_and(|t| t.from <= at(second)));
                let off = matches!(statement.answer, Answer::Off);
                prop_assert_eq!(off, statement.to_string().starts_with("STATED OFF"));
                if let (Answer::Off, Witnessed::InTime { at: seen }) = (&statement.answer, statement.witnessed) {
                    prop_assert!(seen <= at(second).unix_seconds());
                }
            }
        }
    }
}
