//! The rulebook attacked: random facts, the official engine beside ours, and broken copies of every rule.

use std::sync::Arc;

use crate::book::{Rulebook, TextId};
use crate::cedar::classify_set;
use crate::decide::Case;
use crate::expr::{Expr, Op};
use crate::facts::settle;
use crate::row::Row;
use crate::rule::{Does, Rule};
use crate::text::Text;
use crate::verdict::{Conclusion, Outcome};
use crate::vocabulary::{FactId, Kind, Value};

/// A small random generator (SplitMix64), so that a seed names a run.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Starts at a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { usize::try_from(self.next() % n as u64).unwrap_or(0) }
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }
}

/// What a run of random facts found.
#[derive(Debug, Clone, Default)]
pub struct Attack {
    /// Fact sets judged.
    pub fact_sets: u64,
    /// Of these, compared rule by rule with the official engine.
    pub compared: u64,
    /// Cases that were made less known and judged again.
    pub forgotten: u64,
    /// Bans to which an unmet condition was added.
    pub burdened: u64,
    /// What went wrong, in words; empty if nothing did.
    pub failures: Vec<String>,
}

/// How thorough a run is.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Fact sets per text.
    pub fact_sets: u64,
    /// Every n-th complete one is compared with the official engine.
    pub compare_every: u64,
    /// The seed.
    pub seed: u64,
}

impl Rulebook {
    /// Judges random facts under every text and checks what must always hold: no verdict without a ground, less
    /// knowledge never allows more, an unmet condition never permits, our evaluator and Cedar agree.
    pub fn attack(&self, effort: Effort) -> Attack {
        let mut out = Attack::default();
        let (rows, _) = self.rows();
        for (id, text) in self.texts() {
            let mut random = Random::new(effort.seed ^ (id as u64) << 32);
            let Ok(policies) = classify_set(&text.rules) else {
                out.failures.push(format!("{id}: the rules are no policy set"));
                continue;
            };
            let Some(burdened) = burden(self, text) else { continue };
            let thresholds = Thresholds::of(self, text);
            for n in 0..effort.fact_sets {
                if out.failures.len() >= 20 {
                    return out;
                }
                let values = self.random_values(&mut random, text, &rows, &thresholds);
                let case = Case::from_values(self, text, values, thresholds.day);
                out.fact_sets += 1;
                self.check_grounds(id, &case, n, &mut out);
                if n % effort.compare_every == 0 {
                    match case.agrees_with(&policies) {
                        Ok(compared) => out.compared += u64::from(compared),
                        Err(e) => out.failures.push(format!("{id} set {n}: {e}")),
                    }
                }
                self.check_forgetting(id, &case, n, &mut random, &mut out);
                check_burden(id, &case, &burdened, n, &mut out);
            }
        }
        out
    }

    /// Random complete values: half of them start from a scenario row, so that deep branches are reached.
    fn random_values(
        &self,
        random: &mut Random,
        text: &Text,
        rows: &[Row],
        thresholds: &Thresholds,
    ) -> Vec<Option<Value>> {
        let vocabulary = self.vocabulary();
        let mut values: Vec<Option<Value>> = vec![None; vocabulary.len()];
        let from_row = random.chance(60);
        if let Some(row) = random.pick(rows).filter(|_| from_row) {
            let facts = self.row_facts(row);
            values = facts.settled(vocabulary, self.states(), text.meta.row_as_of);
        }
        let changes = if from_row { 1 + random.below(8) as u64 } else { 100 };
        for (id, fact) in vocabulary.facts() {
            if fact.derived.is_some() {
                continue;
            }
            let parent_rules_out = fact.only_if.as_ref().is_some_and(|(p, is)| {
                values.get(p.index()).copied().flatten().is_some_and(|v| !is.contains(&v))
            });
            let known = values.get(id.index()).copied().flatten().is_some();
            let value = if parent_rules_out {
                fact.otherwise
            } else if known && !random.chance(changes) {
                continue;
            } else {
                thresholds.random_value(random, id, &fact.kind)
            };
            if let Some(slot) = values.get_mut(id.index()) {
                *slot = Some(value);
            }
        }
        if let Some(slot) = values.get_mut(vocabulary.as_of().index()) {
            *slot = Some(Value::Day(thresholds.day));
        }
        values
    }

    fn check_grounds(&self, id: TextId, case: &Case<'_>, n: u64, out: &mut Attack) {
        let verdict = case.verdict(id, &crate::facts::Facts::none(self.vocabulary()));
        if verdict.conclusions.is_empty() {
            out.failures.push(format!("{id} set {n}: nothing is concluded"));
        }
        for c in &verdict.conclusions {
            if c.holds.is_none() {
                out.failures
                    .push(format!("{id} set {n}: every fact is known and `{}` is open", c.conclusion.id()));
            }
            let computed = matches!(c.conclusion, Conclusion::Minimal | Conclusion::NotModelled);
            if c.grounds.is_empty() && !computed {
                out.failures.push(format!("{id} set {n}: `{}` has no ground", c.conclusion.id()));
            }
            for ground in &c.grounds {
                if ground.cite.is_empty() || case.text.rule(&ground.rule).is_none() {
                    out.failures.push(format!("{id} set {n}: the ground `{}` cites nothing", ground.rule));
                }
            }
        }
        for pair in
            [(Conclusion::Prohibited, Conclusion::OutOfScope), (Conclusion::Minimal, Conclusion::HighRisk)]
        {
            if verdict.state(pair.0) == Some(true) && verdict.state(pair.1) == Some(true) {
                out.failures.push(format!("{id} set {n}: both `{}` and `{}`", pair.0.id(), pair.1.id()));
            }
        }
    }

    /// Makes the case less known, and compares: what was concluded may open, never turn.
    fn check_forgetting(&self, id: TextId, case: &Case<'_>, n: u64, random: &mut Random, out: &mut Attack) {
        let vocabulary = self.vocabulary();
        let mut values = case.values.clone();
        let share = random.pick(&[3, 15, 50]).copied().unwrap_or(3);
        for (fact_id, fact) in vocabulary.facts() {
            // What a State's file answers is known whether or not it is told, so it cannot be forgotten.
            let may = fact.derived.is_none()
                && fact.from_state.is_none()
                && !fact.gate
                && fact_id != vocabulary.as_of();
            if may
                && random.chance(share)
                && let Some(slot) = values.get_mut(fact_id.index())
            {
                *slot = None;
            }
        }
        settle(vocabulary, self.states(), &mut values);
        let less = Case::from_values(self, case.text, values, case.as_of);
        out.forgotten += 1;
        for conclusion in Conclusion::ALL {
            let (before, after) = (case.concluded(conclusion), less.concluded(conclusion));
            if after.is_some() && after != before {
                out.failures
                    .push(format!("{id} set {n}: with less known `{}` turned to {after:?}", conclusion.id()));
            }
        }
        let facts = crate::facts::Facts::none(vocabulary);
        let (full, part) = (case.verdict(id, &facts).outcome, less.verdict(id, &facts).outcome);
        if part == Outcome::Allowed && full != Outcome::Allowed {
            out.failures.push(format!("{id} set {n}: less knowledge allows more"));
        }
    }
}

/// The text with one more condition, never met, on every ban.
fn burden(book: &Rulebook, text: &Text) -> Option<Text> {
    let bans: Vec<String> = [Conclusion::Prohibited, Conclusion::ForbiddenUse]
        .into_iter()
        .flat_map(|c| text.concluding(c))
        .filter_map(|i| text.rules.get(i))
        .map(|r| r.id.clone())
        .collect();
    let like = text.rules.iter().find(|r| !r.floor)?;
    let rule = Rule {
        id: "one-more-condition".to_owned(),
        does: Does::Condition(bans),
        when: Expr::Const(false),
        duties: Vec::new(),
        applies: None,
        ..Rule::clone(like)
    };
    let mut out = text.clone();
    out.rules.push(Arc::new(rule));
    out.link(book.vocabulary(), &mut Vec::new());
    Some(out)
}

fn check_burden(id: TextId, case: &Case<'_>, burdened: &Text, n: u64, out: &mut Attack) {
    let harder = Case::from_values(case.book, burdened, case.values.clone(), case.as_of);
    out.burdened += 1;
    if harder.concluded(Conclusion::PermittedOnConditions) != Some(false) {
        out.failures.push(format!("{id} set {n}: permitted although a condition is not met"));
    }
    for ban in case.bans() {
        let rule = case.text.rules.get(ban).map(|r| r.id.as_str()).unwrap_or_default();
        if harder.holds(ban) == Some(false) {
            out.failures.push(format!("{id} set {n}: `{rule}` is lifted although a condition is not met"));
        }
    }
}

/// The numbers and days at which rules change their mind.
struct Thresholds {
    day: crate::date::Date,
    numbers: Vec<Vec<Value>>,
}

impl Thresholds {
    fn of(book: &Rulebook, text: &Text) -> Self {
        let mut numbers: Vec<Vec<Value>> = vec![Vec::new(); book.vocabulary().len()];
        for rule in &text.rules {
            leaves(&rule.when, &mut |leaf| {
                if let Expr::Cmp(f, _, value) = leaf
                    && let Some(list) = numbers.get_mut(f.index())
                {
                    match value {
                        Value::Int(n) => list.extend([*n - 1, *n, *n + 1].map(Value::Int)),
                        Value::Day(d) => list.extend([d.before(), *d, d.after()].map(Value::Day)),
                        Value::Bool(_) | Value::Choice(_) => {}
                    }
                }
            });
        }
        Self { day: text.meta.row_as_of, numbers }
    }

    fn random_value(&self, random: &mut Random, id: FactId, kind: &Kind) -> Value {
        match kind {
            Kind::Bool => Value::Bool(random.chance(40)),
            Kind::Choice(list) => Value::Choice(u16::try_from(random.below(list.len())).unwrap_or(0)),
            Kind::Int { min, max, .. } => {
                let near = self.numbers.get(id.index()).and_then(|l| random.pick(l)).copied();
                match near {
                    Some(Value::Int(n)) if random.chance(80) => Value::Int(n.clamp(*min, *max)),
                    _ => Value::Int(min + (random.next() % 2000).cast_signed().min(max - min)),
                }
            }
            Kind::Day => {
                let near = self.numbers.get(id.index()).and_then(|l| random.pick(l)).copied();
                near.unwrap_or_else(|| {
                    Value::Day(crate::date::Date::from_days(
                        i32::try_from(14_000 + random.below(15_000)).unwrap_or(0),
                    ))
                })
            }
        }
    }
}

fn leaves(expr: &Expr, see: &mut dyn FnMut(&Expr)) {
    match expr {
        Expr::Not(inner) => leaves(inner, see),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|p| leaves(p, see)),
        leaf => see(leaf),
    }
}

/// One broken copy of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The text it was tried in.
    pub text: TextId,
    /// The rule.
    pub rule: String,
    /// Path below `rulebook/` and line.
    pub place: String,
    /// What was done to it.
    pub change: String,
}

/// What became of the broken copies.
#[derive(Debug, Clone, Default)]
pub struct Mutations {
    /// Copies tried.
    pub tried: usize,
    /// Copies that no row noticed.
    pub survivors: Vec<Mutant>,
}

impl Mutations {
    /// The share that rows noticed, in hundredths of a percent.
    pub fn score(&self) -> usize {
        ((self.tried - self.survivors.len()) * 10_000).checked_div(self.tried).unwrap_or(0)
    }
}

impl Rulebook {
    /// Deletes and negates each condition of each rule, one at a time, and shifts each bound by one; some row of a text
    /// that has the rule must fail. `every` takes only each n-th copy; `only` a file whose path contains it.
    pub fn mutate(&self, every: usize, only: Option<&str>) -> Mutations {
        let mut out = Mutations::default();
        let (rows, _) = self.rows();
        let mut seen: std::collections::BTreeSet<(String, String)> = std::collections::BTreeSet::new();
        let mut count = 0;
        for (id, text) in self.texts() {
            for (i, rule) in text.rules.iter().enumerate() {
                if only.is_some_and(|o| !rule.file.contains(o)) || matches!(rule.does, Does::Gate(_)) {
                    continue;
                }
                // A rule shared by two texts is broken once, and the rows of every text that has it may notice.
                if !seen.insert((rule.file.clone(), rule.id.clone())) {
                    continue;
                }
                for (change, broken) in mutants(self, rule) {
                    count += 1;
                    if count % every.max(1) != 0 {
                        continue;
                    }
                    out.tried += 1;
                    if !self.noticed(id, i, rule, &Arc::new(broken), &rows) {
                        out.survivors.push(Mutant {
                            text: id,
                            rule: rule.id.clone(),
                            place: format!("{}:{}", rule.file, rule.line),
                            change,
                        });
                    }
                }
            }
        }
        out
    }

    fn noticed(&self, first: TextId, at: usize, rule: &Rule, with: &Arc<Rule>, rows: &[Row]) -> bool {
        let mut order: Vec<&Row> = rows.iter().collect();
        order.sort_by_key(|r| (r.file != rule.file, r.line.abs_diff(rule.line)));
        let texts = self
            .texts()
            .filter(|(id, t)| *id == first || t.rule(&rule.id).is_some_and(|(_, r)| r.file == rule.file));
        for (id, text) in texts {
            let place = if id == first { Some(at) } else { text.rule(&rule.id).map(|(i, _)| i) };
            let Some(place) = place else { continue };
            let mut broken = text.clone();
            if let Some(slot) = broken.rules.get_mut(place) {
                *slot = Arc::clone(with);
            }
            let mut problems = Vec::new();
            broken.link(self.vocabulary(), &mut problems);
            for row in &order {
                for (_, expect) in row.expect.iter().filter(|(t, _)| *t == id) {
                    if self.run_row_in(row, id, &broken, expect).is_err() {
                        return true;
                    }
                }
            }
        }
        false
    }
}

/// Every copy of a rule with one part deleted, negated or shifted, or with less to lift.
fn mutants(book: &Rulebook, rule: &Rule) -> Vec<(String, Rule)> {
    let mut out: Vec<(String, Rule)> = mutated_conditions(book, rule)
        .into_iter()
        .map(|(change, when)| (change, Rule { when, ..rule.clone() }))
        .collect();
    if let Does::Lifts(duties, until) = &rule.does {
        for duty in duties {
            let rest = duties.iter().filter(|d| *d != duty).cloned().collect();
            let does = Does::Lifts(rest, until.clone());
            out.push((format!("lifts no more: {duty}"), Rule { does, ..rule.clone() }));
        }
        if until.is_some() {
            let does = Does::Lifts(duties.clone(), None);
            out.push(("without its end".to_owned(), Rule { does, ..rule.clone() }));
        }
    }
    out
}

fn mutated_conditions(book: &Rulebook, rule: &Rule) -> Vec<(String, Expr)> {
    let mut out = Vec::new();
    let mut places = Vec::new();
    paths(&rule.when, &mut Vec::new(), true, &mut places);
    for (path, leaf, neutral) in places {
        let words = leaf.to_cedar(book.vocabulary());
        if path.is_empty() {
            out.push((format!("never: {words}"), Expr::Const(false)));
        } else {
            out.push((format!("deleted: {words}"), replace(&rule.when, &path, &Expr::Const(neutral))));
        }
        out.push((format!("negated: {words}"), replace(&rule.when, &path, &leaf.clone().negate())));
        if let Expr::Cmp(f, op, value) = &leaf {
            let shifted = match op {
                Op::Less => Op::AtMost,
                Op::AtMost => Op::Less,
                Op::Greater => Op::AtLeast,
                Op::AtLeast => Op::Greater,
            };
            out.push((
                format!("bound moved: {words}"),
                replace(&rule.when, &path, &Expr::Cmp(*f, shifted, *value)),
            ));
        }
    }
    out
}

/// Every leaf with the way to it, and the value that deletes it there.
fn paths(expr: &Expr, path: &mut Vec<usize>, neutral: bool, out: &mut Vec<(Vec<usize>, Expr, bool)>) {
    match expr {
        Expr::Not(inner) if matches!(**inner, Expr::And(_) | Expr::Or(_)) => {
            path.push(0);
            paths(inner, path, neutral, out);
            path.pop();
        }
        Expr::And(parts) | Expr::Or(parts) => {
            let neutral = matches!(expr, Expr::And(_));
            for (i, part) in parts.iter().enumerate() {
                path.push(i);
                paths(part, path, neutral, out);
                path.pop();
            }
        }
        Expr::Const(_) => {}
        leaf => out.push((path.clone(), leaf.clone(), neutral)),
    }
}

fn replace(expr: &Expr, path: &[usize], with: &Expr) -> Expr {
    let Some((first, rest)) = path.split_first() else { return with.clone() };
    let inside = |parts: &[Expr]| -> Vec<Expr> {
        parts
            .iter()
            .enumerate()
            .map(|(i, p)| if i == *first { replace(p, rest, with) } else { p.clone() })
            .collect()
    };
    match expr {
        Expr::Not(inner) => replace(inner, rest, with).negate(),
        Expr::And(parts) => Expr::And(inside(parts)),
        Expr::Or(parts) => Expr::Or(inside(parts)),
        leaf => leaf.clone(),
    }
}
