//! "What I do not mention is not so": what may be taken for granted of the rest, and what never.
//!
//! What is not mentioned is taken not to set off a rule. It is never taken to meet one: a way out of a ban, a condition
//! of one, an exclusion from the scope and a relief from duties count only where the facts that *were* told establish
//! them. A fact on whose absence such a thing would rest stays unknown, and the answer may then be "cannot say".
//!
//! Numbers, dates, and facts marked `never_assumed` stay unknown as well: silence has no meaning there. Assumed facts
//! leave this crate in a verdict only, never as [`Facts`]; the gate takes those, and so cannot be given them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::decide::Case;
use crate::expr::Expr;
use crate::facts::{Facts, askable};
use crate::rule::Does;
use crate::settle::exotic;
use crate::verdict::{Assumed, Conclusion};
use crate::vocabulary::{Fact, FactId, Kind, Value, Vocabulary};

/// What is to be made of facts nobody mentioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rest {
    /// Nothing: they are unknown.
    #[default]
    Unknown,
    /// They are not so, on the reader's word; conditions count as unmet.
    NotSo,
}

/// Whether silence about the fact can mean "not so".
fn assumable(vocabulary: &Vocabulary, id: FactId) -> bool {
    let fact = vocabulary.fact(id);
    askable(vocabulary, id) && !fact.never_assumed && has_ordinary_no(fact)
}

fn has_ordinary_no(fact: &Fact) -> bool {
    match fact.kind {
        Kind::Bool => fact.otherwise == Value::Bool(false),
        Kind::Choice(_) => true,
        Kind::Int { .. } | Kind::Day => false,
    }
}

const GRAVE: [Conclusion; 4] =
    [Conclusion::Floor, Conclusion::Prohibited, Conclusion::ForbiddenUse, Conclusion::Breach];

/// The case with the rest not so, and the facts it is judged by.
pub(crate) fn not_so<'b>(told: &Case<'b>, facts: &Facts) -> (Case<'b>, Facts) {
    let mut kept_open: BTreeSet<FactId> = BTreeSet::new();
    loop {
        let (case, all) = fill_in(told, facts, &kept_open);
        let more = rests_on(told, &case, &all);
        if more.is_empty() {
            return (case, all);
        }
        kept_open.extend(more);
    }
}

/// What a verdict tells, each as a formula over facts: the conclusions, the conditions of what bites, the duties.
fn told_of<'b>(case: &Case<'b>) -> Vec<(bool, Cow<'b, Expr>)> {
    let text = case.text;
    let mut out: Vec<(bool, Cow<'b, Expr>)> = Vec::new();
    for c in Conclusion::ALL {
        out.push((GRAVE.contains(&c), Cow::Borrowed(text.concluded(c))));
    }
    let bans =
        [Conclusion::Prohibited, Conclusion::ForbiddenUse].into_iter().flat_map(|c| text.concluding(c));
    for ban in bans.filter(|b| case.satisfied(*b) == Some(true)) {
        let fitting = text.exemptions_of(ban).iter().filter(|e| case.satisfied(**e) != Some(false));
        let fitting: Vec<usize> = fitting.copied().collect();
        let own = fitting.iter().flat_map(|e| text.conditions_of(*e));
        let shared = text.conditions_of(ban).iter().filter(|_| !fitting.is_empty());
        for rule in own.chain(shared).filter_map(|c| text.rules.get(*c)) {
            out.push((false, Cow::Borrowed(&rule.when)));
        }
    }
    if case.concluded(Conclusion::OutOfScope) != Some(true) {
        for (i, rule) in text.rules.iter().enumerate().filter(|(_, r)| !r.duties.is_empty()) {
            match rule.does {
                Does::Duty => out.push((false, Cow::Borrowed(&rule.when))),
                Does::Concludes(_) => out.push((false, Cow::Borrowed(text.holds(i)))),
                Does::Sets(_) | Does::Exempts(_) | Does::Condition(_) | Does::Lifts(..) | Does::Gate(_) => {}
            }
        }
    }
    out
}

/// Gives every fact that still matters its ordinary value, one at a time, until none is left that may have it.
fn fill_in<'b>(told: &Case<'b>, facts: &Facts, kept_open: &BTreeSet<FactId>) -> (Case<'b>, Facts) {
    let vocabulary = &told.book.vocabulary;
    let mut all = facts.clone();
    let mut assumed: Vec<Assumed> = Vec::new();
    let triggers = triggers(told);
    loop {
        let case = Case::new(told.book, told.text, &all, told.as_of);
        let mut open: BTreeSet<(FactId, bool)> = BTreeSet::new();
        for (grave, formula) in told_of(&case).iter().filter(|(_, f)| case.eval(f).is_none()) {
            told.text.inline(formula).open_facts(&|f| case.value(f), &mut |f| {
                open.extend(chain(&case, f).into_iter().map(|above| (above, *grave)));
            });
        }
        let next = open.iter().map(|(f, _)| *f).find(|f| {
            case.value(*f).is_none()
                && assumable(vocabulary, *f)
                && !kept_open.contains(f)
                && !chain(&case, *f).into_iter().any(|above| facts.said_unknown(above))
                && !needed(vocabulary, facts, *f)
        });
        let Some(fact) = next else {
            return with(told, facts, prune(told, facts, assumed, kept_open));
        };
        let value = vocabulary.fact(fact).otherwise;
        all.set(fact, Some(value));
        assumed.push(Assumed {
            fact,
            value,
            grave: open.contains(&(fact, true)) && triggers.contains(&fact),
        });
    }
}

/// Leaves out what turned out to settle nothing once the rest is taken for granted.
fn prune(
    told: &Case<'_>,
    facts: &Facts,
    mut assumed: Vec<Assumed>,
    kept_open: &BTreeSet<FactId>,
) -> Vec<Assumed> {
    let answers = |assumed: &[Assumed]| {
        let (case, _) = with(told, facts, assumed.to_vec());
        told_of(&case).iter().map(|(_, f)| case.eval(f)).collect::<Vec<_>>()
    };
    let settled = answers(&assumed);
    let mut at = 0;
    while at < assumed.len() {
        let mut fewer = assumed.clone();
        fewer.remove(at);
        if answers(&fewer) == settled {
            assumed = fewer;
        } else {
            at += 1;
        }
    }
    let also = beside(told, facts, &assumed, kept_open);
    assumed.extend(also);
    assumed
}

/// What a refusal needs besides the facts that keep it away: without these a reader who corrects one of those would learn
/// of the next only then.
fn beside(told: &Case<'_>, facts: &Facts, assumed: &[Assumed], kept_open: &BTreeSet<FactId>) -> Vec<Assumed> {
    let vocabulary = &told.book.vocabulary;
    let mut open = BTreeSet::new();
    for grave in assumed.iter().filter(|a| a.grave) {
        let others = assumed.iter().filter(|a| *a != grave).copied().collect();
        let (case, _) = with(told, facts, others);
        for (_, formula) in told_of(&case).iter().filter(|(grave, f)| *grave && case.eval(f).is_none()) {
            let mut needed = BTreeSet::new();
            case.text.inline(formula).open_facts(&|f| case.value(f), &mut |f| {
                needed.insert(f);
            });
            // What hangs on the corrected fact is asked for once it is corrected.
            let later = |f: &FactId| *f != grave.fact && chain(&case, *f).contains(&grave.fact);
            if !needed.iter().any(later) {
                open.extend(needed.into_iter().filter_map(|f| chain(&case, f).last().copied()));
            }
        }
    }
    let triggers = triggers(told);
    open.retain(|f| {
        triggers.contains(f)
            && assumable(vocabulary, *f)
            && !kept_open.contains(f)
            && !facts.said_unknown(*f)
            && !needed(vocabulary, facts, *f)
            && assumed.iter().all(|a| a.fact != *f)
    });
    let listed = |f| Assumed { fact: f, value: vocabulary.fact(f).otherwise, grave: true };
    open.into_iter().map(listed).collect()
}

/// The case with these taken for granted, and the facts it is judged by.
fn with<'b>(told: &Case<'b>, facts: &Facts, assumed: Vec<Assumed>) -> (Case<'b>, Facts) {
    let mut all = facts.clone();
    assumed.iter().for_each(|a| all.set(a.fact, Some(a.value)));
    let mut case = Case::new(told.book, told.text, &all, told.as_of);
    case.assumed = assumed;
    (case, all)
}

/// The facts that set off a refusal if they are so, with those they hang on.
fn triggers(case: &Case<'_>) -> BTreeSet<FactId> {
    let vocabulary = &case.book.vocabulary;
    let mut out = BTreeSet::new();
    for rule in GRAVE.into_iter().flat_map(|c| case.text.concluding(c)) {
        if let Some(rule) = case.text.rules.get(rule) {
            needs(vocabulary, &case.text.inline(&rule.when), true, &mut out);
        }
    }
    out.retain(|f| !exotic(case, *f));
    for (id, fact) in vocabulary.facts().collect::<Vec<_>>().into_iter().rev() {
        if let Some((parent, _)) = fact.only_if.as_ref().filter(|_| out.contains(&id)) {
            out.insert(*parent);
        }
    }
    out
}

/// The facts whose ordinary value keeps a part of the condition from being what it must be.
fn needs(vocabulary: &Vocabulary, expr: &Expr, want: bool, out: &mut BTreeSet<FactId>) {
    let otherwise = |f: FactId| vocabulary.fact(f).otherwise;
    match expr {
        Expr::Not(inner) => needs(vocabulary, inner, !want, out),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|p| needs(vocabulary, p, want, out)),
        Expr::Fact(f) if (otherwise(*f) == Value::Bool(true)) != want => {
            out.insert(*f);
        }
        Expr::Is(f, values) if values.contains(&otherwise(*f)) != want => {
            out.insert(*f);
        }
        Expr::Const(_) | Expr::Fact(_) | Expr::Is(..) | Expr::Cmp(..) | Expr::CmpFacts(..) => {}
    }
}

/// The fact with the unknown ones on which it hangs.
fn chain(case: &Case<'_>, fact: FactId) -> Vec<FactId> {
    let mut out = vec![fact];
    let mut at = fact;
    let above = |f: FactId| case.book.vocabulary.fact(f).only_if.as_ref().map(|(parent, _)| *parent);
    while let Some(parent) = above(at).filter(|p| case.value(*p).is_none()) {
        out.push(parent);
        at = parent;
    }
    out
}

/// Whether something that was told hangs on the fact being otherwise than it usually is.
fn needed(vocabulary: &Vocabulary, facts: &Facts, fact: FactId) -> bool {
    vocabulary.facts().any(|(id, child)| {
        let mut needs = facts.get(id).is_some_and(|v| v != child.otherwise);
        let mut at = child;
        while let Some((parent, is)) = at.only_if.as_ref().filter(|_| needs) {
            let above = vocabulary.fact(*parent);
            if *parent == fact {
                return !is.contains(&above.otherwise);
            }
            needs = !is.contains(&above.otherwise) || facts.get(*parent).is_some();
            at = above;
        }
        false
    })
}

/// The assumed facts on which a way out, a condition, an exclusion or a relief would rest.
fn rests_on(told: &Case<'_>, case: &Case<'_>, all: &Facts) -> BTreeSet<FactId> {
    let mut out = BTreeSet::new();
    for rule in helpful(case) {
        if case.satisfied(rule) != Some(true) || told.satisfied(rule) == Some(true) {
            continue;
        }
        let alone: Vec<FactId> = case
            .assumed
            .iter()
            .map(|a| a.fact)
            .filter(|f| {
                let mut without = all.clone();
                without.set(*f, None);
                Case::new(case.book, case.text, &without, case.as_of).satisfied(rule) != Some(true)
            })
            .collect();
        if alone.is_empty() {
            // Several of them would each do: none that the rule looks at is taken for granted.
            let mut looks_at = BTreeSet::new();
            if let Some(rule) = case.text.rules.get(rule) {
                case.text.inline(&rule.when).facts(&mut |f| looks_at.extend(chain(told, f)));
            }
            out.extend(case.assumed.iter().map(|a| a.fact).filter(|f| looks_at.contains(f)));
        } else {
            out.extend(alone);
        }
    }
    out
}

/// The rules that could help the reader as the case stands.
pub(crate) fn helpful(case: &Case<'_>) -> Vec<usize> {
    let text = case.text;
    let mut out: BTreeSet<usize> = BTreeSet::new();
    for (i, rule) in text.rules.iter().enumerate() {
        match &rule.does {
            Does::Lifts(..) | Does::Concludes(Conclusion::OutOfScope) => {
                out.insert(i);
            }
            Does::Concludes(_) | Does::Sets(_) | Does::Duty | Does::Gate(_) => {}
            Does::Exempts(_) | Does::Condition(_) => {}
        }
        if matches!(rule.does, Does::Concludes(_)) && case.satisfied(i) != Some(false) {
            out.extend(text.conditions_of(i));
            for e in text.exemptions_of(i) {
                out.insert(*e);
                out.extend(text.conditions_of(*e));
            }
        }
    }
    out.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::Random;
    use crate::book::Rulebook;
    use crate::verdict::Outcome;

    /// Rows with most of their facts forgotten, as somebody would tell them who mentions only what stands out.
    fn tellings(book: &Rulebook) -> Vec<(String, Facts)> {
        let (rows, _) = book.rows();
        let mut random = Random::new(7);
        let mut out = Vec::new();
        for row in rows.iter().step_by(3) {
            let whole = book.row_facts(row);
            for keep in [10, 60, 100] {
                let mut told = Facts::none(book.vocabulary());
                for (id, fact) in book.vocabulary().facts().filter(|(_, f)| !f.gate && f.derived.is_none()) {
                    let stands_out = whole.get(id).is_some_and(|v| v != fact.otherwise);
                    let possible = fact.only_if.is_none() || stands_out;
                    if (fact.never_assumed && possible) || (stands_out && random.chance(keep)) {
                        told.set(id, whole.get(id));
                    }
                }
                let mut contradicts = false;
                told.contradictions(book.vocabulary(), |_, _| contradicts = true);
                if !contradicts {
                    out.push((format!("\"{}\" with {keep} % told", row.name), told));
                }
            }
        }
        out
    }

    #[test]
    fn what_is_taken_for_granted_meets_no_condition() {
        let book = Rulebook::load().unwrap();
        let (mut assumed, mut settled, mut kept) = (0, 0, 0);
        for (n, (name, facts)) in tellings(&book).into_iter().enumerate() {
            let texts: Vec<_> = book.texts().collect();
            let (id, text) = texts[n % texts.len()];
            let day = text.meta.row_as_of;
            let told = book.case(&facts, id, day).unwrap();
            let (case, all) = not_so(&told, &facts);
            for rule in helpful(&case).into_iter().filter(|r| case.satisfied(*r) == Some(true)) {
                let rule_id = &text.rules[rule].id;
                assert_eq!(told.satisfied(rule), Some(true), "{id}: {name}: `{rule_id}` is met by silence");
            }
            for a in &case.assumed {
                let fact = book.vocabulary().fact(a.fact);
                assert!(told.value(a.fact).is_none() && !fact.never_assumed && !fact.gate, "{}", fact.id);
                assert_eq!(case.value(a.fact), Some(a.value), "{}", fact.id);
            }
            all.contradictions(book.vocabulary(), |_, e| panic!("{id}: {name}: {e}"));
            for (fact, _) in book.vocabulary().facts() {
                let kept = facts.get(fact).is_none_or(|v| case.value(fact) == Some(v));
                assert!(kept, "{id}: {name}: what was told was changed");
            }
            let (before, after) = (told.verdict(id, &facts), case.verdict(id, &facts));
            if before.outcome == Outcome::Refused {
                assert_eq!(after.outcome, Outcome::Refused, "{id}: {name}");
            }
            if after.state(Conclusion::PermittedOnConditions) == Some(true) {
                assert!(after.conclusions.iter().all(|c| c.conclusion != Conclusion::OutOfScope));
            }
            assumed += case.assumed.len();
            settled +=
                usize::from(before.outcome == Outcome::CannotSay && after.outcome != Outcome::CannotSay);
            kept += usize::from(after.outcome == Outcome::CannotSay);
        }
        assert!(assumed > 5_000 && settled > 200 && kept > 20, "{assumed} {settled} {kept}");
    }

    #[test]
    fn a_fact_whose_absence_would_open_a_way_out_must_be_told() {
        let book = Rulebook::load().unwrap();
        let day = "2029-01-01".parse().unwrap();
        let parse = |more: &str| {
            let text = format!(
                "subject = \"system\"\nstage = \"use\"\nactor = \"private\"\nmember_state = \"SE\"\nlisted_area = true\n\
                 work_use = \"recruitment\"\nway_out = \"narrow_task\"\nno_significant_risk = true\n{more}"
            );
            Facts::parse(book.vocabulary(), "facts.toml", text.as_bytes()).unwrap()
        };
        let ask = |facts: &Facts| book.decide_with(facts, crate::TextId::Eu2026, day, Rest::NotSo).unwrap();
        // Profiling people shuts the way out of Article 6(3); that it profiles nobody has to be said.
        let silent = ask(&parse(""));
        assert_eq!(silent.outcome, Outcome::CannotSay, "{silent:?}");
        assert!(silent.open.contains(&book.vocabulary().find("profiling").unwrap()));
        let said = ask(&parse("profiling = false\n"));
        assert_eq!(said.state(Conclusion::HighRisk), Some(false));
        let not = ask(&parse("profiling = true\n"));
        assert_eq!(not.state(Conclusion::HighRisk), Some(true));
        // Nor is what the file itself calls unknown taken for granted.
        let unknown = ask(&parse("profiling = false\nbiometrics = \"unknown\"\n"));
        assert!(unknown.open.contains(&book.vocabulary().find("biometrics").unwrap()));
    }

    #[test]
    fn what_a_ban_needs_together_is_listed_together() {
        let book = Rulebook::load().unwrap();
        let text = "subject = \"system\"\nstage = \"use\"\nactor = \"private\"\nmember_state = \"DE\"\n\
                    generates_content = true\nsexual_output = \"intimate\"\n";
        let facts = Facts::parse(book.vocabulary(), "facts.toml", text.as_bytes()).unwrap();
        let day = "2026-12-03".parse().unwrap();
        let verdict = book.decide_with(&facts, crate::TextId::Eu2026, day, Rest::NotSo).unwrap();
        for wanted in ["used_for_output", "person_identifiable", "realistic"] {
            let fact = book.vocabulary().find(wanted).unwrap();
            assert!(verdict.assumed.iter().any(|a| a.fact == fact && a.grave), "{wanted}");
        }
    }

    #[test]
    fn an_exception_with_conditions_nobody_mentioned_stays_shut() {
        let book = Rulebook::load().unwrap();
        let text = "subject = \"system\"\nstage = \"use\"\nactor = \"police\"\nmember_state = \"SE\"\nbiometrics = true\n\
                    crime_purpose = true\ncomparison = \"one_to_many\"\ntiming = \"real_time\"\nplace = \"public\"\n\
                    objective = \"missing_person\"\nauthorisation = \"granted\"\n";
        let facts = Facts::parse(book.vocabulary(), "facts.toml", text.as_bytes()).unwrap();
        let day = "2026-11-22".parse().unwrap();
        for id in [crate::TextId::Eu2024, crate::TextId::Eu2026] {
            let verdict = book.decide_with(&facts, id, day, Rest::NotSo).unwrap();
            assert_eq!(verdict.outcome, Outcome::Refused);
            assert_eq!(verdict.state(Conclusion::PermittedOnConditions), Some(false));
            assert!(!verdict.assumed.is_empty());
        }
    }
}
