//! The gate's question: may this search run now? One answer; nothing is allowed by silence.
//!
//! The rules are those of the text and of the floor. Each way out of a ban, each condition and each floor rule becomes a
//! `forbid` of its own, so that a refusal lists every safeguard that fails; the floor's `permit` is the only way in.
//! Whatever cannot be evaluated is a refusal: Cedar alone would skip a `forbid` that errs.

use std::collections::BTreeSet;

use cedar_policy::{Decision, Policy, PolicyId, PolicySet};

use crate::book::{NoSuchText, Rulebook, TextId};
use crate::cedar::{Engine, Question};
use crate::date::Date;
use crate::expr::{Expr, Op, Tri};
use crate::facts::{Facts, settle};
use crate::rule::{Does, GateEffect};
use crate::text::Text;
use crate::verdict::{Conclusion, Ground, When};
use crate::vocabulary::{FactId, Value};

/// Groups of facts an order must answer; what Placet's matcher cannot do by construction stands at its ordinary value.
const ASKED: [&str; 9] =
    ["actor", "biometrics", "live", "authorisation", "national", "recorded", "records", "gate", "scope"];

/// Instants of the case, in seconds since 1970-01-01 UTC, from signed records and Placet's own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clocks {
    /// From when the order allows the search.
    pub from: i64,
    /// The first instant at which it no longer does.
    pub until: i64,
    /// When the use began, if it has.
    pub started: Option<i64>,
    /// When the request was filed, if it was.
    pub requested: Option<i64>,
    /// The authority's decision: granted or not, and when.
    pub decided: Option<(bool, i64)>,
}

/// What the gate is told: the order's facts, and the clocks. Facts that follow from the clocks are computed here and
/// override what the order says of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateFacts {
    /// The facts of the order and of the host (`order_signed`, `deposit_made`, …).
    pub facts: Facts,
    /// Its instants.
    pub clocks: Clocks,
}

/// The gate's answer. Only `Allow` opens anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It may run, on these grounds.
    Allow(Vec<Ground>),
    /// It may not; every ground that fails, with what would mend it.
    Refuse(Vec<(Ground, Option<String>)>),
    /// These facts are missing.
    CannotSay(Vec<FactId>),
}

/// One rule as the gate asks it.
#[derive(Debug, Clone)]
struct GateRule {
    ground: Ground,
    remedy: Option<String>,
    effect: GateEffect,
    when: Expr,
}

/// The gate for one text, made once.
#[derive(Debug, Clone)]
pub struct Gate {
    rules: Vec<GateRule>,
    policies: PolicySet,
    engine: Engine,
    vocabulary: crate::vocabulary::Vocabulary,
    states: crate::state::States,
    used: Vec<bool>,
    ordinary: Facts,
}

impl Rulebook {
    /// The gate under a text and the floor.
    ///
    /// # Errors
    /// If the rulebook has no such text.
    pub fn gate(&self, text: TextId) -> Result<Gate, NoSuchText> {
        let t = self.text(text)?;
        let rules = gate_rules(self, t);
        let mut policies = PolicySet::new();
        let mut used = vec![false; self.vocabulary.len()];
        for (i, rule) in rules.iter().enumerate() {
            rule.when.facts(&mut |f| {
                if let Some(slot) = used.get_mut(f.index()) {
                    *slot = true;
                }
            });
            let policy = Policy::parse(Some(PolicyId::new(i.to_string())), rule.cedar(self))
                .expect("a condition printed as Cedar parses: every_gate_policy_is_valid");
            policies.add(policy).expect("ids are numbers, each used once");
        }
        let engine = Engine::for_gate(&self.vocabulary, &used).expect("a part of a valid schema is valid");
        Ok(Gate {
            rules,
            policies,
            engine,
            vocabulary: self.vocabulary.clone(),
            states: self.states.clone(),
            used,
            ordinary: crate::book::ordinary(&self.vocabulary),
        })
    }
}

impl GateRule {
    fn cedar(&self, book: &Rulebook) -> String {
        let effect = match self.effect {
            GateEffect::Permit => "permit",
            GateEffect::Forbid => "forbid",
        };
        let when = self.when.to_cedar(&book.vocabulary);
        format!("{effect}(principal, action == Action::\"Search\", resource) when {{ {when} }};")
    }
}

/// When the gate opens, over facts alone.
pub(crate) fn opens(book: &Rulebook, text: &Text) -> Expr {
    let rules = gate_rules(book, text);
    let of = |effect| Expr::any(rules.iter().filter(|r| r.effect == effect).map(|r| r.when.clone()));
    Expr::all([of(GateEffect::Permit), of(GateEffect::Forbid).negate()])
}

fn gate_rules(book: &Rulebook, text: &Text) -> Vec<GateRule> {
    let mut out = Vec::new();
    let ground = |rule: usize| -> Option<Ground> {
        let r = text.rules.get(rule)?;
        Some(Ground {
            rule: r.id.clone(),
            cite: r.cite.clone(),
            says: r.says.clone(),
            confidence: r.confidence.clone(),
            readings: r.readings.clone(),
            when: match text.from(rule) {
                Some(day) => When::Since(day),
                None if r.floor => When::Since(Date::MIN),
                None => When::Undated,
            },
            floor: r.floor,
            eli: text.official(&r.cite),
        })
    };
    let mut push = |rule: usize, effect: GateEffect, when: Expr| {
        let when = text.inline(&when);
        if let (Some(ground), Some(r)) = (ground(rule), text.rules.get(rule))
            && when != Expr::Const(false)
        {
            out.push(GateRule { ground, remedy: r.remedy.clone(), effect, when });
        }
    };
    for (i, rule) in text.rules.iter().enumerate() {
        if let Does::Gate(effect) = rule.does {
            push(i, effect, rule.when.clone());
        }
    }
    let vocabulary = &book.vocabulary;
    let outside = text.out_of_scope(vocabulary);
    for conclusion in [Conclusion::Prohibited, Conclusion::ForbiddenUse, Conclusion::Floor] {
        for ban in text.concluding(conclusion) {
            let Some(rule) = text.rules.get(ban) else { continue };
            let from = match text.from(ban) {
                Some(day) => Expr::Cmp(vocabulary.as_of(), Op::AtLeast, Value::Day(day)),
                None => Expr::Const(true),
            };
            let in_scope = if rule.floor { Expr::Const(true) } else { outside.clone().negate() };
            // What fails stands first: where it is met, which is the usual case, nothing else is looked at.
            let bites =
                |failing: Expr| Expr::all([failing, from.clone(), rule.when.clone(), in_scope.clone()]);
            let exemptions = text.exemptions_of(ban);
            let condition = |c: usize| text.required(vocabulary, c, ban);
            let aim = |e: usize| text.rules.get(e).map_or(Expr::Const(false), |r| r.when.clone());
            let no_aim = Expr::any(exemptions.iter().map(|e| aim(*e))).negate();
            push(ban, GateEffect::Forbid, bites(no_aim));
            if exemptions.is_empty() {
                continue;
            }
            for &c in text.conditions_of(ban) {
                push(c, GateEffect::Forbid, bites(condition(c).negate()));
            }
            let full = |e: usize| {
                Expr::all(std::iter::once(aim(e)).chain(text.conditions_of(e).iter().map(|c| condition(*c))))
            };
            let none_full = Expr::any(exemptions.iter().map(|e| full(*e))).negate();
            for &e in exemptions {
                for &c in text.conditions_of(e) {
                    push(
                        c,
                        GateEffect::Forbid,
                        bites(Expr::all([condition(c).negate(), aim(e), none_full.clone()])),
                    );
                }
            }
        }
    }
    out
}

impl Gate {
    /// May the search run at the instant `now` (seconds since 1970-01-01 UTC)? Pure: the same question has the same answer.
    pub fn ask(&self, facts: &GateFacts, now: i64) -> Answer {
        if let Some(refusal) = absurd(facts, now) {
            return refusal;
        }
        let against = self.against_state(facts);
        if !against.is_empty() {
            return Answer::Refuse(against);
        }
        let values = self.values(facts, now);
        let eval = |e: &Expr| -> Tri { e.eval(&|f| values.get(f.index()).copied().flatten()) };
        let mut failing = Vec::new();
        let mut permits = Vec::new();
        let mut missing = BTreeSet::new();
        let mut permit_open = false;
        for rule in &self.rules {
            let state = eval(&rule.when);
            match (rule.effect, state) {
                (GateEffect::Forbid, Some(true)) => {
                    if !failing.iter().any(|(g, _): &(Ground, _)| g.rule == rule.ground.rule) {
                        failing.push((rule.ground.clone(), rule.remedy.clone()));
                    }
                }
                (GateEffect::Permit, Some(true)) => permits.push(rule.ground.clone()),
                (_, None) => {
                    permit_open |= rule.effect == GateEffect::Permit;
                    rule.when.open_facts(&|f| values.get(f.index()).copied().flatten(), &mut |f| {
                        missing.insert(f);
                    });
                }
                (_, Some(false)) => {}
            }
        }
        if !failing.is_empty() {
            return Answer::Refuse(failing);
        }
        if permits.is_empty() && !permit_open {
            return Answer::Refuse(vec![(silence(), None)]);
        }
        if !missing.is_empty() {
            return Answer::CannotSay(missing.into_iter().collect());
        }
        // Everything is known and our evaluator allows: the official engine has the last word.
        let allowed = self.engine.request(&self.vocabulary, Question::Search, &values).is_ok_and(|request| {
            let response = self.engine.authorize(&request, &self.policies);
            response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none()
        });
        if allowed { Answer::Allow(permits) } else { Answer::Refuse(vec![(disagreement(), None)]) }
    }

    /// What the official engine alone answers where every fact is known: the rules that forbid, or `None` if a fact is
    /// missing or anything fails to evaluate. Tests compare it with [`Gate::ask`].
    pub fn ask_cedar(&self, facts: &GateFacts, now: i64) -> Option<(bool, BTreeSet<String>)> {
        let values = self.values(facts, now);
        let request = self.engine.request(&self.vocabulary, Question::Search, &values).ok()?;
        let response = self.engine.authorize(&request, &self.policies);
        if response.diagnostics().errors().next().is_some() {
            return None;
        }
        let ids = response.diagnostics().reason().filter_map(|id| id.to_string().parse::<usize>().ok());
        let rules = ids.filter_map(|i| self.rules.get(i)).map(|r| r.ground.rule.clone()).collect();
        Some((response.decision() == Decision::Allow, rules))
    }

    /// How many policies the gate asks.
    pub fn policies(&self) -> usize {
        self.rules.len()
    }

    /// The facts the gate's rules speak of.
    pub fn used(&self) -> impl Iterator<Item = FactId> + '_ {
        self.vocabulary.facts().map(|(id, _)| id).filter(|id| self.used.get(id.index()) == Some(&true))
    }

    /// Every rule as Cedar source, for the prover and for tests.
    pub fn cedar(&self, book: &Rulebook) -> Vec<(String, String)> {
        self.rules.iter().map(|r| (r.ground.rule.clone(), r.cedar(book))).collect()
    }

    /// Every rule as a condition over facts, for tools that put the same question to another engine.
    pub fn conditions(&self) -> impl Iterator<Item = (&str, GateEffect, &Expr)> {
        self.rules.iter().map(|r| (r.ground.rule.as_str(), r.effect, &r.when))
    }

    /// What each fact the gate's rules speak of is worth at that instant, with all that follows from the clocks.
    pub fn facts_at(&self, facts: &GateFacts, now: i64) -> Vec<(FactId, Option<Value>)> {
        let values = self.values(facts, now);
        self.used().map(|f| (f, values.get(f.index()).copied().flatten())).collect()
    }

    /// The Cedar schema of the gate's question.
    pub fn schema(&self) -> &cedar_policy::Schema {
        &self.engine.schema
    }

    /// What the order asserts of a State's law and this rulebook does not know so. The State's file decides here: an
    /// order cannot bring its own national law, and one that knows of a narrower law than we do is not ours to widen.
    fn against_state(&self, gate: &GateFacts) -> Vec<(Ground, Option<String>)> {
        let vocabulary = &self.vocabulary;
        let state = vocabulary.find("member_state");
        let code = state.and_then(|s| Some(vocabulary.fact(s).write(gate.facts.get(s)?)));
        let known = |key: &str, fact: &crate::vocabulary::Fact| {
            let code = code.as_ref()?;
            Some(self.states.value(code, key, fact).unwrap_or(fact.otherwise))
        };
        let mut out = Vec::new();
        for (id, fact) in vocabulary.facts() {
            let (Some(key), Some(told)) = (&fact.from_state, gate.facts.get(id)) else { continue };
            if known(key, fact) != Some(told) {
                let says = format!(
                    "The order asserts \"{}\" ({}); this rulebook does not know it of {}.",
                    fact.says,
                    fact.words(told),
                    state.map_or_else(String::new, |s| match gate.facts.get(s) {
                        Some(v) => vocabulary.fact(s).words(v),
                        None => "a State that is not named".to_owned(),
                    })
                );
                let remedy = "Add the law to the State's file in the rulebook, with its source.".to_owned();
                out.push((own("state-law", &says), Some(remedy)));
            }
        }
        out
    }

    fn values(&self, gate: &GateFacts, now: i64) -> Vec<Option<Value>> {
        let vocabulary = &self.vocabulary;
        let day = Date::from_unix_seconds(now);
        let mut facts = gate.facts.clone();
        for (id, value) in clock_facts(vocabulary, &gate.clocks, now) {
            facts.set(id, Some(value));
        }
        for (id, fact) in vocabulary.facts() {
            let asked = ASKED.contains(&fact.group.as_str());
            if !asked && facts.get(id).is_none() && fact.derived.is_none() && id != vocabulary.as_of() {
                facts.set(id, self.ordinary.get(id));
            }
        }
        let mut values = facts.settled(vocabulary, &self.states, day);
        settle(vocabulary, &self.states, &mut values);
        values
    }
}

/// Facts that follow from the clocks.
fn clock_facts(
    vocabulary: &crate::vocabulary::Vocabulary,
    clocks: &Clocks,
    now: i64,
) -> Vec<(FactId, Value)> {
    let minutes = |from: i64, to: i64| {
        let seconds = to.saturating_sub(from).max(0);
        // Rounded up: 24 hours and one second are more than 24 hours.
        Value::Int((seconds.saturating_add(59) / 60).min(1_000_000))
    };
    let started = clocks.started.unwrap_or(now);
    let word = match (clocks.requested, clocks.decided) {
        (_, Some((true, _))) => "granted",
        (_, Some((false, _))) => "refused",
        (Some(_), None) => "pending",
        (None, None) => "none",
    };
    let mut out = Vec::new();
    let mut put = |name: &str, value: Value| {
        if let Some(id) = vocabulary.find(name) {
            out.push((id, value));
        }
    };
    put("at_gate", Value::Bool(true));
    put("order_in_force", Value::Bool(clocks.from <= now && now < clocks.until));
    put("minutes_running", minutes(started, now));
    put("request_minutes", minutes(started, clocks.requested.unwrap_or(now)));
    if let Some(id) = vocabulary.find("authorisation")
        && let Ok(value) = vocabulary.fact(id).read(word)
    {
        out.push((id, value));
    }
    if word == "granted" {
        let before = clocks.decided.is_some_and(|(_, at)| at <= started);
        if let Some(id) = vocabulary.find("authorisation_before_use") {
            out.push((id, Value::Bool(before)));
        }
    }
    out
}

/// Instants no clock can show: in the future, before the order could exist, or absurd.
fn absurd(facts: &GateFacts, now: i64) -> Option<Answer> {
    /// 2024-01-01 and 2124-01-01.
    const SANE: std::ops::Range<i64> = 1_704_067_200..4_859_827_200;
    let c = &facts.clocks;
    let past = [c.started, c.requested, c.decided.map(|(_, at)| at)];
    let sane = SANE.contains(&now)
        && SANE.contains(&c.from)
        && c.from < c.until
        && c.until <= SANE.end
        && past.iter().flatten().all(|at| SANE.contains(at) && *at <= now);
    (!sane).then(|| {
        let says = "An instant lies in the future, is out of order, or cannot be meant.";
        Answer::Refuse(vec![(own("clock", says), Some("Check the clocks and the order's times.".to_owned()))])
    })
}

fn own(rule: &str, says: &str) -> Ground {
    Ground {
        rule: rule.to_owned(),
        cite: "Placet's gate".to_owned(),
        says: says.to_owned(),
        confidence: "derived".to_owned(),
        readings: Vec::new(),
        when: When::Since(Date::MIN),
        floor: true,
        eli: None,
    }
}

fn silence() -> Ground {
    own("silence", "Nothing permits this search.")
}

fn disagreement() -> Ground {
    own("engine", "The rules could not be evaluated; whatever cannot be judged is refused.")
}
