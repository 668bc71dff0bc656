//! What must hold of any facts, and that every rule is held by some row. The long run is `placet law test --cases 250000`.

use placet_rulebook::{Effort, Rulebook};

#[test]
fn less_never_allows_more() {
    let book = Rulebook::load().unwrap();
    let found = book.attack(Effort { fact_sets: 2_000, compare_every: 20, seed: 42 });
    assert!(found.failures.is_empty(), "{}", found.failures.join("\n"));
    assert_eq!(found.fact_sets, 5 * 2_000);
    assert_eq!(found.burdened, found.fact_sets);
    assert!(found.compared > 300, "only {} cases reached the official engine", found.compared);
}

#[test]
fn broken_copies_of_rules_are_noticed() {
    let book = Rulebook::load().unwrap();
    let found = book.mutate(3, None);
    let list: Vec<String> =
        found.survivors.iter().map(|m| format!("{} `{}` {}", m.place, m.rule, m.change)).collect();
    println!("{} tried, {}.{:02} % noticed", found.tried, found.score() / 100, found.score() % 100);
    assert!(found.tried > 300);
    assert!(
        found.score() >= 9_500,
        "{} hundredths of a percent; no row notices:\n{}",
        found.score(),
        list.join("\n")
    );
}
