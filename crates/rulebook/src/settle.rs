//! The smallest sets of facts that would settle what is open or flip what holds.

use std::collections::BTreeMap;

use crate::date::Date;
use crate::decide::Case;
use crate::expr::{Expr, Op, Tri};
use crate::facts::{Facts, askable};
use crate::verdict::{Change, Conclusion, Verdict, Way};
use crate::vocabulary::{FactId, Kind, Value};

/// The values a fact may still have under a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Domain {
    /// Bit n: the choice at n (yes/no: 0 is no, 1 is yes).
    Bits(u128),
    /// From, to.
    Span(i64, i64),
}

impl Domain {
    fn both(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Bits(a), Self::Bits(b)) if a & b != 0 => Some(Self::Bits(a & b)),
            (Self::Span(a, b), Self::Span(c, d)) if a.max(c) <= b.min(d) => {
                Some(Self::Span(a.max(c), b.min(d)))
            }
            _ => None,
        }
    }

    fn number(value: Value) -> i64 {
        match value {
            Value::Bool(b) => i64::from(b),
            Value::Choice(i) => i64::from(i),
            Value::Int(n) => n,
            Value::Day(d) => i64::from(d.days()),
        }
    }

    fn has(self, value: Value) -> bool {
        let n = Self::number(value);
        match self {
            Self::Bits(bits) => (0..128).contains(&n) && bits >> n & 1 == 1,
            Self::Span(a, b) => (a..=b).contains(&n),
        }
    }
}

type Plan = BTreeMap<FactId, Domain>;

/// How many alternatives are followed at every step.
const BEAM: usize = 12;
/// How many ways to settle one conclusion one way are told.
const TOLD: usize = 2;
/// How many ways are reported.
const REPORTED: usize = 6;

struct Search<'a, 'b> {
    case: &'a Case<'b>,
    /// Known facts may change; else only unknown ones are filled in.
    flip: bool,
}

impl Search<'_, '_> {
    fn full(&self, fact: FactId) -> Domain {
        match &self.case.book.vocabulary.fact(fact).kind {
            Kind::Bool => Domain::Bits(3),
            Kind::Choice(list) => Domain::Bits((1u128 << list.len().min(127)) - 1),
            Kind::Int { min, max, .. } => Domain::Span(*min, *max),
            Kind::Day => Domain::Span(i64::from(Date::MIN.days()), i64::from(Date::MAX.days())),
        }
    }

    fn cost(&self, plan: &Plan) -> usize {
        plan.iter().filter(|(f, d)| !self.case.value(**f).is_some_and(|v| d.has(v))).count()
    }

    fn leaf(&self, fact: FactId, domains: Vec<Domain>) -> Vec<Plan> {
        let vocabulary = &self.case.book.vocabulary;
        let known = self.case.value(fact);
        if let Some(v) = known
            && let Some(d) = domains.iter().find(|d| d.has(v))
        {
            // Kept as a constraint so that no other part of the plan may break it.
            return vec![Plan::from([(fact, *d)])];
        }
        if !askable(vocabulary, fact) || (known.is_some() && !self.flip) {
            return Vec::new();
        }
        domains.into_iter().filter_map(|d| d.both(self.full(fact))).map(|d| Plan::from([(fact, d)])).collect()
    }

    fn plans(&self, expr: &Expr, want: bool) -> Vec<Plan> {
        match expr {
            Expr::Const(b) if *b == want => vec![Plan::new()],
            Expr::Const(_) => Vec::new(),
            Expr::Fact(f) => self.leaf(*f, vec![Domain::Bits(if want { 2 } else { 1 })]),
            Expr::Is(f, values) => self.leaf(*f, self.is(*f, values, want)),
            Expr::Cmp(f, op, value) => {
                let op = if want { *op } else { op.negated() };
                let n = Domain::number(*value);
                let span = match op {
                    Op::Less => Domain::Span(i64::MIN, n.saturating_sub(1)),
                    Op::AtMost => Domain::Span(i64::MIN, n),
                    Op::Greater => Domain::Span(n.saturating_add(1), i64::MAX),
                    Op::AtLeast => Domain::Span(n, i64::MAX),
                };
                self.leaf(*f, vec![span])
            }
            Expr::CmpFacts(a, op, b) => match (self.case.value(*a), self.case.value(*b)) {
                (_, Some(v)) => self.plans(&Expr::Cmp(*a, *op, v), want),
                (Some(v), None) => {
                    let turned = match op {
                        Op::Less => Op::Greater,
                        Op::AtMost => Op::AtLeast,
                        Op::Greater => Op::Less,
                        Op::AtLeast => Op::AtMost,
                    };
                    self.plans(&Expr::Cmp(*b, turned, v), want)
                }
                (None, None) => Vec::new(),
            },
            Expr::Not(inner) => self.plans(inner, !want),
            Expr::And(parts) if want => self.all(parts, want),
            Expr::Or(parts) if !want => self.all(parts, want),
            Expr::And(parts) | Expr::Or(parts) => {
                self.best(parts.iter().flat_map(|p| self.plans(p, want)).collect())
            }
        }
    }

    fn is(&self, fact: FactId, values: &[Value], want: bool) -> Vec<Domain> {
        match self.full(fact) {
            Domain::Bits(full) => {
                let mut bits = 0u128;
                for v in values {
                    bits |= 1u128 << Domain::number(*v).clamp(0, 126);
                }
                let bits = if want { bits } else { full & !bits };
                if bits == 0 { Vec::new() } else { vec![Domain::Bits(bits)] }
            }
            Domain::Span(low, high) => {
                let at = |v: &Value| Domain::number(*v);
                if want {
                    values.iter().map(|v| Domain::Span(at(v), at(v))).collect()
                } else {
                    let lowest = values.iter().map(at).min().unwrap_or(low);
                    let highest = values.iter().map(at).max().unwrap_or(high);
                    vec![
                        Domain::Span(low, lowest.saturating_sub(1)),
                        Domain::Span(highest.saturating_add(1), high),
                    ]
                }
            }
        }
    }

    fn all(&self, parts: &[Expr], want: bool) -> Vec<Plan> {
        let mut out = vec![Plan::new()];
        for part in parts {
            let next = self.plans(part, want);
            let mut merged = Vec::new();
            for a in &out {
                for b in &next {
                    merged.extend(merge(a, b));
                }
            }
            out = self.best(merged);
            if out.is_empty() {
                break;
            }
        }
        out
    }

    fn best(&self, mut plans: Vec<Plan>) -> Vec<Plan> {
        plans.sort_by_cached_key(|p| self.cost(p));
        plans.dedup();
        plans.truncate(BEAM);
        plans
    }

    /// Parents of the facts a plan sets are set with them.
    fn close(&self, mut plan: Plan) -> Option<Plan> {
        let vocabulary = &self.case.book.vocabulary;
        let ids: Vec<FactId> = plan.keys().copied().collect();
        let mut queue = ids;
        while let Some(id) = queue.pop() {
            let fact = vocabulary.fact(id);
            let (Some((parent, is)), Some(domain)) = (&fact.only_if, plan.get(&id).copied()) else {
                continue;
            };
            if domain.has(fact.otherwise) {
                continue;
            }
            let wanted = match self.full(*parent) {
                Domain::Bits(_) => Domain::Bits(
                    is.iter().fold(0, |bits, v| bits | 1u128 << Domain::number(*v).clamp(0, 126)),
                ),
                Domain::Span(..) => {
                    is.first().map(|v| Domain::Span(Domain::number(*v), Domain::number(*v)))?
                }
            };
            let joint = match plan.get(parent) {
                Some(now) => now.both(wanted)?,
                None => wanted,
            };
            plan.insert(*parent, joint);
            queue.push(*parent);
        }
        Some(plan)
    }

    /// The changes a plan asks for, one value for each.
    fn changes(&self, plan: &Plan) -> Vec<Change> {
        let vocabulary = &self.case.book.vocabulary;
        let mut out = Vec::new();
        for (&fact, &domain) in plan {
            let from = self.case.value(fact);
            if from.is_some_and(|v| domain.has(v)) {
                continue;
            }
            let of = vocabulary.fact(fact);
            let to = match (&of.kind, domain) {
                (Kind::Bool, Domain::Bits(bits)) => Value::Bool(bits & 1 == 0),
                (Kind::Choice(_), Domain::Bits(bits)) => {
                    // Prefer a real value to "none" unless only that is left.
                    let ordinary = match of.otherwise {
                        Value::Choice(i) => 1u128 << i,
                        _ => 0,
                    };
                    let pick = if bits & !ordinary != 0 { bits & !ordinary } else { bits };
                    Value::Choice(u16::try_from(pick.trailing_zeros()).unwrap_or(0))
                }
                (kind, Domain::Span(low, high)) => {
                    let now = from.map_or(low.max(0), Domain::number);
                    let n = now.clamp(low, high);
                    match kind {
                        Kind::Day => Value::Day(Date::from_days(i32::try_from(n).unwrap_or(0))),
                        _ => Value::Int(n),
                    }
                }
                (_, Domain::Bits(_)) => continue,
            };
            out.push(Change { fact, from, to });
        }
        out
    }
}

fn merge(a: &Plan, b: &Plan) -> Option<Plan> {
    let mut out = a.clone();
    for (fact, domain) in b {
        let joint = match out.get(fact) {
            Some(now) => now.both(*domain)?,
            None => *domain,
        };
        out.insert(*fact, joint);
    }
    Some(out)
}

/// Ways to make a conclusion hold or not hold, each replayed through the engine before it is told.
fn ways(case: &Case<'_>, facts: &Facts, conclusion: Conclusion, want: bool, flip: bool) -> Vec<Way> {
    let search = Search { case, flip };
    let formula = case.text.inline(case.text.concluded(conclusion));
    let mut plans: Vec<Plan> =
        search.plans(&formula, want).into_iter().filter_map(|p| search.close(p)).collect();
    plans.sort_by_cached_key(|p| search.cost(p));
    let mut out: Vec<Way> = Vec::new();
    for plan in plans {
        let changes = search.changes(&plan);
        if changes.is_empty() || out.iter().any(|w| same_facts(&w.changes, &changes)) {
            continue;
        }
        let mut changed = facts.clone();
        apply(case, &mut changed, &changes);
        let mut possible = true;
        changed.contradictions(&case.book.vocabulary, |_, _| possible = false);
        if !possible {
            continue;
        }
        let after = Case::new(case.book, case.text, &changed, case.as_of);
        if after.concluded(conclusion) == Some(want) {
            let then = Conclusion::ALL.into_iter().filter(|c| after.concluded(*c) == Some(true)).collect();
            out.push(Way { conclusion, holds: want, changes, then });
        }
        if out.len() >= REPORTED {
            break;
        }
    }
    out
}

fn same_facts(a: &[Change], b: &[Change]) -> bool {
    a.iter().map(|c| c.fact).eq(b.iter().map(|c| c.fact))
}

/// Changes facts; children that the change rules out fall back to their ordinary value.
fn apply(case: &Case<'_>, facts: &mut Facts, changes: &[Change]) {
    for change in changes {
        facts.set(change.fact, Some(change.to));
    }
    for (id, fact) in case.book.vocabulary.facts() {
        if let Some((parent, is)) = &fact.only_if
            && facts.get(*parent).is_some_and(|v| !is.contains(&v))
        {
            facts.set(id, None);
        }
    }
}

/// Fills in what is missing and what would flip the verdict.
pub(crate) fn fill(case: &Case<'_>, facts: &Facts, verdict: &mut Verdict) {
    for c in &verdict.conclusions {
        match c.holds {
            None => {
                for want in [true, false] {
                    verdict.missing.extend(ways(case, facts, c.conclusion, want, false));
                }
            }
            Some(_) => {
                if !matches!(c.conclusion, Conclusion::Minimal | Conclusion::NotModelled) {
                    verdict.flips.extend(ways(case, facts, c.conclusion, false, true).into_iter().take(2));
                }
            }
        }
    }
    // What does not hold but would with one change: bans and permissions are worth knowing.
    for conclusion in [
        Conclusion::Prohibited,
        Conclusion::ForbiddenUse,
        Conclusion::PermittedOnConditions,
        Conclusion::HighRisk,
    ] {
        if verdict.state(conclusion) == Some(false) {
            let near = ways(case, facts, conclusion, true, true);
            verdict.flips.extend(near.into_iter().filter(|w| w.changes.len() <= 2).take(1));
        }
    }
    verdict.open = ranked(case);
    let place = |fact: FactId| verdict.open.iter().position(|f| *f == fact).unwrap_or(usize::MAX);
    let usual = |c: &Change| case.book.vocabulary.fact(c.fact).otherwise == c.to;
    // Few systems are for defence alone: ways out of the scope come last, of the others the shortest and most usual first.
    let exotic = |w: &Way| {
        let outside = w.then.contains(&Conclusion::OutOfScope);
        outside || w.changes.iter().any(|c| !usual(c) && exotic(case, c.fact))
    };
    verdict.missing.sort_by_key(|w| {
        let unusual = w.changes.iter().filter(|c| !usual(c)).count();
        (
            exotic(w),
            unusual > 0,
            w.changes.len(),
            unusual,
            w.changes.iter().map(|c| place(c.fact)).min().unwrap_or(usize::MAX),
        )
    });
    verdict.missing.dedup_by(|a, b| a.changes == b.changes);
    // A longer way that contains a shorter one tells nothing.
    let all = verdict.missing.clone();
    verdict.missing.retain(|w| {
        !all.iter().any(|o| {
            (o.conclusion, o.holds) == (w.conclusion, w.holds)
                && o.changes.len() < w.changes.len()
                && o.changes.iter().all(|c| w.changes.contains(c))
        })
    });
    let mut told: BTreeMap<(Conclusion, bool), usize> = BTreeMap::new();
    verdict.missing.retain(|w| {
        let n = told.entry((w.conclusion, w.holds)).or_default();
        *n += 1;
        *n <= TOLD
    });
    verdict.flips.sort_by_key(|w| (exotic(w), w.changes.len()));
    verdict.flips.dedup_by(|a, b| a.changes == b.changes);
}

/// The facts that can be asked now, those that can still change most first.
///
/// A fact counts by what its usual answer settles, then by what its best answer does, graver conclusions more; facts
/// that settle nothing alone count by the conclusions that hang on them.
fn ranked(case: &Case<'_>) -> Vec<FactId> {
    let vocabulary = &case.book.vocabulary;
    let formulas: Vec<(usize, Expr)> = Conclusion::ALL
        .into_iter()
        .zip((1..=Conclusion::ALL.len()).rev())
        .map(|(c, weight)| (weight, case.text.inline(case.text.concluded(c)).simplify(&|f| case.value(f))))
        .filter(|(_, formula)| !matches!(formula, Expr::Const(_)))
        .collect();
    let mut facts: Vec<FactId> = Vec::new();
    for fact in open(case) {
        let mut top = fact;
        while let Some((parent, _)) =
            vocabulary.fact(top).only_if.as_ref().filter(|(p, _)| case.value(*p).is_none())
        {
            top = *parent;
        }
        if askable(vocabulary, top) && !facts.contains(&top) {
            facts.push(top);
        }
    }
    let settles = |fact: FactId, value: Value| -> usize {
        let mut values = case.values.clone();
        if let Some(slot) = values.get_mut(fact.index()) {
            *slot = Some(value);
        }
        crate::facts::settle(vocabulary, &case.book.states, &mut values);
        let known = |f: FactId| values.get(f.index()).copied().flatten();
        formulas.iter().filter(|(_, formula)| formula.eval(&known).is_some()).map(|(weight, _)| weight).sum()
    };
    let weight = |fact: FactId| -> (usize, usize, usize) {
        let usual = settles(fact, vocabulary.fact(fact).otherwise);
        let best = answers(&vocabulary.fact(fact).kind).into_iter().map(|v| settles(fact, v)).max();
        let mut touched = 0;
        for (weight, formula) in &formulas {
            let mut there = false;
            formula.facts(&mut |f| there |= f == fact);
            touched += if there { *weight } else { 0 };
        }
        (usual, best.unwrap_or(0), touched)
    };
    facts.sort_by_cached_key(|f| (exotic(case, *f), std::cmp::Reverse(weight(*f)), *f));
    facts
}

/// Whether the fact is about the edge of the scope, where few cases lie.
pub(crate) fn exotic(case: &Case<'_>, fact: FactId) -> bool {
    let fact = case.book.vocabulary.fact(fact);
    fact.group == "scope" || fact.id == "subject"
}

/// The answers a fact can be given; of numbers and days there are too many to try.
fn answers(kind: &Kind) -> Vec<Value> {
    match kind {
        Kind::Bool => vec![Value::Bool(true), Value::Bool(false)],
        Kind::Choice(list) => {
            (0..list.len()).filter_map(|i| u16::try_from(i).ok()).map(Value::Choice).collect()
        }
        Kind::Int { .. } | Kind::Day => Vec::new(),
    }
}

/// The facts on which anything open still hangs, in the order of the vocabulary.
pub(crate) fn open(case: &Case<'_>) -> Vec<FactId> {
    let mut out = Vec::new();
    for conclusion in Conclusion::ALL {
        let formula = case.text.inline(case.text.concluded(conclusion));
        let state: Tri = case.eval(&formula);
        if state.is_none() {
            formula.open_facts(&|f| case.value(f), &mut |f| out.push(f));
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}
