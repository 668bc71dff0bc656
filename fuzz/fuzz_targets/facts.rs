//! A facts file of `placet decide`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use placet_rulebook::{Date, Facts, States, Vocabulary};

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    Vocabulary::parse("facts.toml", include_str!("../../rulebook/facts.toml"))
        .expect("our own vocabulary reads")
});

fuzz_target!(|bytes: &[u8]| {
    let vocabulary = &*VOCABULARY;
    match Facts::parse(vocabulary, "fuzz.toml", bytes) {
        Ok(facts) => {
            for (id, fact) in vocabulary.facts() {
                let Some(value) = facts.get(id) else { continue };
                assert_eq!(
                    fact.read(&fact.write(value)),
                    Ok(value),
                    "`{}` is written as it is read",
                    fact.id
                );
            }
            let settled = facts.settled(vocabulary, &States::default(), facts.as_of.unwrap_or(Date::MIN));
            for ((id, fact), now) in vocabulary.facts().zip(settled) {
                let given = facts.get(id);
                assert!(given.is_none() || given == now, "`{}` was given and came out otherwise", fact.id);
            }
        }
        Err(problems) => {
            let lines = bytes.iter().filter(|b| **b == b'\n').count() + 1;
            assert!(!problems.0.is_empty());
            assert!(problems.0.iter().all(|p| p.line <= lines), "{problems}");
        }
    }
});
