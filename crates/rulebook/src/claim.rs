//! What must be provable, as questions a solver can answer; and the answers kept for those who have no solver.
//!
//! Every question is one formula that must have no model. A model is a counterexample: it is made small, replayed
//! through the ordinary engine, and told in words.

use std::collections::BTreeMap;

use cedar_policy::{Policy, PolicyId};
use placet_core::Digest;

use crate::book::{Rulebook, TextId, ordinary};
use crate::cedar::schema_with;
use crate::date::Date;
use crate::decide::Case;
use crate::expr::{Expr, Op, read_policy};
use crate::facts::Facts;
use crate::problem::{Problem, Problems};
use crate::table::{Source, Table};
use crate::verdict::Conclusion;
use crate::vocabulary::{FactId, Kind, Value, Vocabulary};

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    /// A claim of `claims/`, with the text or texts it is asked of.
    Claim {
        /// Its name.
        id: String,
        /// Whether it is expected to hold.
        expect: bool,
    },
    /// What the first text allows for a purpose and the second does not.
    Difference {
        /// The purpose's name.
        purpose: String,
        /// The text that allows.
        allows: TextId,
        /// The text that does not.
        forbids: TextId,
    },
    /// A rule that must never fail to evaluate.
    NeverErrs {
        /// Path below `rulebook/`, and id.
        rule: String,
    },
}

/// One question for the solver.
#[derive(Debug, Clone)]
pub struct Question {
    /// Unique: `no-race@com2021`.
    pub id: String,
    /// What is asked.
    pub topic: Topic,
    /// In words.
    pub says: String,
    /// The texts it is about.
    pub texts: Vec<TextId>,
    /// What must have no model; for `NeverErrs`, the rule's own condition.
    pub formula: Expr,
    /// The rule's own source, for `NeverErrs`.
    source: Option<String>,
    /// The baseline that counterexamples are told against.
    base: String,
}

impl Question {
    /// Whether an answer is the one expected: a claim holds or not as its file says, a difference is settled either way, and
    /// no rule ever fails to evaluate.
    pub fn is_expected(&self, proved: Option<bool>) -> bool {
        match &self.topic {
            Topic::Claim { expect, .. } => proved == Some(*expect),
            Topic::Difference { .. } => proved.is_some(),
            Topic::NeverErrs { .. } => proved == Some(true),
        }
    }
}

/// A case that shows a claim to be false, made as small as it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// The facts that matter; every other has its ordinary value.
    pub facts: Facts,
    /// The same in words.
    pub words: Vec<String>,
    /// What each text says of it.
    pub verdicts: Vec<(TextId, Vec<Conclusion>)>,
}

/// What came of one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The question's id.
    pub id: String,
    /// Proved, refuted, or `None` if the solver could not say.
    pub proved: Option<bool>,
    /// The counterexample in words.
    pub counterexample: Vec<String>,
}

/// The answers that come with the rulebook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proofs {
    /// The rulebook they are about.
    pub rulebook: String,
    /// The solver, by its own name and version.
    pub solver: String,
    /// Time the solver took over all of them, in milliseconds.
    pub total_ms: u64,
    /// The answers.
    pub proofs: Vec<Proof>,
}

/// A purpose of the matrix.
#[derive(Debug, Clone)]
pub struct Purpose {
    /// Its name.
    pub id: String,
    /// In words.
    pub says: String,
    /// The cases it covers.
    when: Expr,
    /// The baseline its cases are told against.
    base: String,
    /// The groups of facts, and single facts, that may differ from the baseline; empty: all.
    groups: Vec<String>,
}

impl Rulebook {
    /// Every question: claims, the matrix of purposes over ordered pairs of texts, and "no rule can err".
    ///
    /// # Errors
    /// What is wrong in `claims/`, by file and line.
    pub fn questions(&self) -> Result<Vec<Question>, Problems> {
        let mut out = Vec::new();
        let mut problems = Vec::new();
        let mut purposes = Vec::new();
        for (file, text) in self.claim_files() {
            let source = Source::new(file, text);
            if let Some(table) = source.parse() {
                let root = source.table(table.get_ref(), 1);
                for t in root.each("claim") {
                    self.read_claim(&t, &mut out);
                    t.finish();
                }
                for t in root.each("purpose") {
                    let when = self.condition(&t, "when");
                    let base = self.base(&t);
                    purposes.push(Purpose {
                        id: t.need("id"),
                        says: t.need("says"),
                        when,
                        base,
                        groups: t.list("groups"),
                    });
                    t.finish();
                }
                root.finish();
            }
            problems.extend(source.into_problems());
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        for purpose in &purposes {
            for (a, _) in self.texts() {
                for (b, _) in self.texts().filter(|(b, _)| *b != a) {
                    let formula = Expr::all([
                        purpose.when.clone(),
                        self.allows(a, false),
                        self.allowed(b, false).negate(),
                    ]);
                    out.push(Question {
                        id: format!("{}@{a}>{b}", purpose.id),
                        topic: Topic::Difference { purpose: purpose.id.clone(), allows: a, forbids: b },
                        says: format!("{}: what {a} allows, {b} allows too", purpose.says),
                        texts: vec![a, b],
                        formula: self.premised(formula, &purpose.base, &purpose.groups),
                        source: None,
                        base: purpose.base.clone(),
                    });
                }
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        for (_, text) in self.texts() {
            for rule in &text.rules {
                let name = format!("{}#{}", rule.file, rule.id);
                if seen.insert(name.clone()) {
                    out.push(Question {
                        id: format!("never-errs@{name}"),
                        says: format!("the rule `{}` of {} can always be evaluated", rule.id, rule.file),
                        topic: Topic::NeverErrs { rule: name },
                        texts: Vec::new(),
                        formula: rule.when.clone(),
                        source: Some(rule.source.clone()),
                        base: "plain".to_owned(),
                    });
                }
            }
        }
        Ok(out)
    }

    /// The purposes of the matrix: name and words.
    pub fn purposes(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        for (file, text) in self.claim_files() {
            let (list, _) = crate::text::each(file, text, "purpose", |t| {
                let _ = (t.text("when"), t.text("base"), t.list("groups"));
                (t.need("id"), t.need("says"))
            });
            out.extend(list);
        }
        out
    }

    fn claim_files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.claims.iter().map(|(f, t)| (f.as_str(), t.as_str()))
    }

    fn read_claim(&self, t: &Table<'_, '_>, out: &mut Vec<Question>) {
        let id = t.need("id");
        let says = t.need("says");
        let when = self.condition(t, "when");
        let floor = t.flag("floor");
        let base = self.base(t);
        let groups = t.list("groups");
        let expect = match t.need("expect").as_str() {
            "proved" => true,
            "refuted" => false,
            other => {
                t.report(format!("`expect` is proved or refuted, not `{other}`"));
                true
            }
        };
        let parse = |word: &str| match word.parse::<TextId>() {
            Ok(text) if self.text(text).is_ok() => Some(text),
            Ok(_) => None,
            Err(e) => {
                t.report(e.to_string());
                None
            }
        };
        let mut ask = |texts: Vec<TextId>, formula: Expr| {
            let names: Vec<String> = texts.iter().map(ToString::to_string).collect();
            out.push(Question {
                id: format!("{id}@{}", names.join(">")),
                topic: Topic::Claim { id: id.clone(), expect },
                says: says.clone(),
                texts,
                formula: self.premised(Expr::all([when.clone(), formula]), &base, &groups),
                source: None,
                base: base.clone(),
            });
        };
        match (t.text("from"), t.text("to")) {
            (Some(from), Some(to)) => {
                if let (Some(a), Some(b)) = (parse(&from), parse(&to)) {
                    let (in_a, in_b) = (self.allows(a, floor), self.allows(b, floor));
                    let more = Expr::all([in_a.clone(), in_b.clone().negate()]);
                    let formula = if t.flag("equal") {
                        Expr::any([more, Expr::all([in_b, in_a.negate()])])
                    } else {
                        more
                    };
                    ask(vec![a, b], formula);
                }
            }
            (None, None) => {
                let texts = t.list("texts");
                let (never, always) = (t.text("never"), t.text("always"));
                for word in &texts {
                    let Some(text) = parse(word) else { continue };
                    let meaning = |word: &str| match word {
                        "allowed" => Some(self.allowed(text, floor)),
                        "opened" => self.text(text).ok().map(|t| crate::gate::opens(self, t)),
                        "refused" => Some(self.allowed(text, floor).negate()),
                        _ => match Conclusion::parse(word) {
                            Some(c) => Some(self.concluded(text, c)),
                            None => {
                                t.report(format!(
                                    "`{word}` is neither allowed, refused, opened nor a conclusion"
                                ));
                                None
                            }
                        },
                    };
                    match (&never, &always) {
                        (Some(word), None) => meaning(word).into_iter().for_each(|f| ask(vec![text], f)),
                        // What is not modelled is banned by nobody, and allowed by nobody either.
                        (None, Some(word)) if word == "allowed" => {
                            ask(vec![text], self.allows(text, floor).negate());
                        }
                        (None, Some(word)) => {
                            meaning(word).into_iter().for_each(|f| ask(vec![text], f.negate()))
                        }
                        _ => t.report(format!("`{id}` says exactly one of `never` and `always`")),
                    }
                }
                if texts.is_empty() {
                    t.report(format!("`{id}` names no `texts`"));
                }
            }
            _ => t.report(format!("`{id}` has one of `from` and `to` without the other")),
        }
    }

    fn base(&self, t: &Table<'_, '_>) -> String {
        let base = t.text("base").unwrap_or_else(|| "plain".to_owned());
        if self.baseline(&base).is_none() {
            t.report(format!("there is no baseline `{base}`"));
        }
        base
    }

    fn base_values(&self, base: &str) -> Vec<Option<Value>> {
        let facts = self.baseline(base).cloned().unwrap_or_else(|| ordinary(self.vocabulary()));
        facts.settled(self.vocabulary(), self.states(), Date::MAX)
    }

    fn condition<'s>(&self, t: &Table<'s, '_>, key: &'s str) -> Expr {
        let Some(source) = t.text(key) else { return Expr::Const(true) };
        self.parse_condition(&source).unwrap_or_else(|e| {
            t.report(format!("`{key}`: {e}"));
            Expr::Const(false)
        })
    }

    /// Reads a condition in the rule language.
    ///
    /// # Errors
    /// What in it cannot be read.
    pub fn parse_condition(&self, source: &str) -> Result<Expr, String> {
        let text = format!("permit(principal, action, resource) when {{ {source} }};");
        let policy = Policy::parse(Some(PolicyId::new("condition")), text).map_err(|e| e.to_string())?;
        read_policy(self.vocabulary(), &policy.to_json().map_err(|e| e.to_string())?)
    }

    /// When a text concludes something, over facts alone.
    pub fn concluded(&self, text: TextId, conclusion: Conclusion) -> Expr {
        self.text(text).map_or(Expr::Const(false), |t| t.inline(t.concluded(conclusion)))
    }

    /// When a text is known to allow a case: nothing prohibits it, and what it says of the case is modelled.
    pub fn allows(&self, text: TextId, floor: bool) -> Expr {
        Expr::all([self.allowed(text, floor), self.concluded(text, Conclusion::NotModelled).negate()])
    }

    /// When no rule of a text refuses a case, and with `floor` none of the floor's either.
    pub fn allowed(&self, text: TextId, floor: bool) -> Expr {
        let bans = [Conclusion::Prohibited, Conclusion::ForbiddenUse];
        let floor = floor.then_some(Conclusion::Floor);
        Expr::any(bans.into_iter().chain(floor).map(|c| self.concluded(text, c))).negate()
    }

    /// The formula under what facts can be at all: what hangs on a parent, ranges of numbers, days of the calendar.
    ///
    /// Facts outside `groups` (if any are named; single facts may be) stand as in the baseline.
    fn premised(&self, formula: Expr, base: &str, groups: &[String]) -> Expr {
        let vocabulary = self.vocabulary();
        let mut formula = self.inline_phrases(formula);
        if !groups.is_empty() {
            let values = self.base_values(base);
            formula = formula.simplify(&|f| {
                let fact = vocabulary.fact(f);
                let free = groups.contains(&fact.group) || groups.contains(&fact.id);
                let fixed = f != vocabulary.as_of() && !free;
                values.get(f.index()).copied().flatten().filter(|_| fixed)
            });
        }
        let mut parts = vec![formula];
        let mut used = vec![false; vocabulary.len()];
        let mark = |e: &Expr, used: &mut Vec<bool>| {
            e.facts(&mut |f| {
                if let Some(slot) = used.get_mut(f.index()) {
                    *slot = true;
                }
            });
        };
        if let Some(first) = parts.first() {
            mark(first, &mut used);
        }
        // Children stand below their parents, so one pass from the end reaches every ancestor.
        let facts: Vec<_> = vocabulary.facts().collect();
        for (id, fact) in facts.into_iter().rev().filter(|(_, f)| f.derived.is_none()) {
            if used.get(id.index()) != Some(&true) {
                continue;
            }
            if let Some((parent, is)) = &fact.only_if {
                let possible = match vocabulary.fact(*parent).kind {
                    Kind::Bool => {
                        let yes = is.contains(&Value::Bool(true));
                        if yes { Expr::Fact(*parent) } else { Expr::Fact(*parent).negate() }
                    }
                    _ => Expr::Is(*parent, is.clone()),
                };
                let ordinary = match fact.otherwise {
                    Value::Bool(false) => Expr::Fact(id).negate(),
                    Value::Bool(true) => Expr::Fact(id),
                    other => Expr::Is(id, vec![other]),
                };
                let link = Expr::any([possible, ordinary]);
                mark(&link, &mut used);
                parts.push(link);
            }
            let (low, high) = match fact.kind {
                Kind::Int { min, max, .. } => (Value::Int(min), Value::Int(max)),
                Kind::Day => (Value::Day(Date::MIN), Value::Day(Date::MAX)),
                Kind::Bool | Kind::Choice(_) => continue,
            };
            parts.push(Expr::Cmp(id, Op::AtLeast, low));
            parts.push(Expr::Cmp(id, Op::AtMost, high));
        }
        for c in &vocabulary.contradictions {
            if c.facts.iter().all(|(f, _)| used.get(f.index()) == Some(&true)) {
                let together = c.facts.iter().map(|(f, values)| match values.as_slice() {
                    [Value::Bool(true)] => Expr::Fact(*f),
                    [Value::Bool(false)] => Expr::Fact(*f).negate(),
                    values => Expr::Is(*f, values.to_vec()),
                });
                parts.push(Expr::all(together).negate());
            }
        }
        // Judged on a day on which every provision applies.
        let day = self.texts().map(|(_, t)| t.meta.row_as_of).max().unwrap_or(Date::MAX);
        if used.get(vocabulary.as_of().index()) == Some(&true) {
            parts.push(Expr::Cmp(vocabulary.as_of(), Op::AtLeast, Value::Day(day)));
        }
        Expr::all(parts)
    }

    /// Derived facts named in a claim mean what they mean in the law today.
    fn inline_phrases(&self, formula: Expr) -> Expr {
        match self.text(TextId::Eu2026) {
            Ok(text) => text.inline(&formula),
            Err(_) => formula,
        }
    }

    /// The question for the solver: a Cedar schema that holds only the facts used, and one policy that must never
    /// match (or, for `NeverErrs`, never err).
    pub fn solver_input(&self, question: &Question) -> (String, String) {
        let mut used = vec![false; self.vocabulary().len()];
        question.formula.facts(&mut |f| {
            if let Some(slot) = used.get_mut(f.index()) {
                *slot = true;
            }
        });
        let schema = schema_with(self.vocabulary(), &|f| used.get(f.index()) == Some(&true));
        let policy = match &question.source {
            Some(source) => source.clone(),
            None => format!(
                "permit(principal, action == Action::\"Classify\", resource) when {{ {} }};",
                question.formula.to_cedar(self.vocabulary())
            ),
        };
        (schema, policy)
    }

    /// Reads the solver's model (the request's context as Cedar prints it as JSON), makes it small, and replays it
    /// through the ordinary engine.
    ///
    /// # Errors
    /// If the model cannot be read, or the engine does not confirm it.
    pub fn counterexample(
        &self,
        question: &Question,
        context: &serde_json::Value,
    ) -> Result<Counterexample, String> {
        let vocabulary = self.vocabulary();
        let mut values: BTreeMap<FactId, Value> = BTreeMap::new();
        for (name, json) in context.as_object().ok_or("the model is no record")? {
            let id = vocabulary.find(name).ok_or_else(|| format!("the model speaks of `{name}`"))?;
            values.insert(id, read_model(vocabulary, id, json)?);
        }
        let eval = |values: &BTreeMap<FactId, Value>| question.formula.eval(&|f| values.get(&f).copied());
        if eval(&values) != Some(true) {
            return Err("the engine does not confirm the solver's model".to_owned());
        }
        let base_values = self.base_values(&question.base);
        let base_value = |id: FactId| base_values.get(id.index()).copied().flatten();
        // Each fact goes back to its usual value, with what hangs on it, where the formula still holds without it.
        for _ in 0..values.len() {
            let before = values.clone();
            let ids: Vec<FactId> = values.keys().copied().rev().collect();
            for id in ids {
                let now = values.get(&id).copied();
                let candidates = base_value(id).into_iter().chain(smaller(now));
                for usual in candidates.filter(|v| Some(*v) != now) {
                    let mut simpler = values.clone();
                    simpler.insert(id, usual);
                    fall_back(vocabulary, &mut simpler);
                    // A parent that still rules the value out has put it back.
                    if simpler.get(&id) == Some(&usual) && eval(&simpler) == Some(true) {
                        values = simpler;
                        break;
                    }
                }
            }
            if values == before {
                break;
            }
        }
        let mut facts = self.baseline(&question.base).cloned().unwrap_or_else(|| ordinary(vocabulary));
        let mut words = Vec::new();
        for (id, value) in values.iter().filter(|(id, _)| **id != vocabulary.as_of()) {
            let fact = vocabulary.fact(*id);
            facts.set(*id, Some(*value));
            if Some(*value) != base_value(*id) {
                words.push(fact.sentence(Some(*value)));
            }
        }
        // A parent the model leaves free may have to fall back with a child that rules it out, and the reverse.
        for (id, fact) in vocabulary.facts() {
            if let Some((parent, is)) = &fact.only_if
                && facts.get(*parent).is_some_and(|v| !is.contains(&v))
            {
                facts.set(id, Some(fact.otherwise));
            }
        }
        let mut verdicts = Vec::new();
        for id in &question.texts {
            let text = self.text(*id).map_err(|e| e.to_string())?;
            let case = Case::new(self, text, &facts, text.meta.row_as_of);
            case.agrees()?;
            let says = Conclusion::ALL.into_iter().filter(|c| case.concluded(*c) == Some(true)).collect();
            verdicts.push((*id, says));
        }
        Ok(Counterexample { facts, words, verdicts })
    }

    /// The answers that come with the rulebook, if there are any.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn proofs(&self) -> Result<Option<Proofs>, Problems> {
        let Some(text) = &self.results else { return Ok(None) };
        let source = Source::new("claims/results.toml", text);
        let mut out = None;
        if let Some(table) = source.parse() {
            let root = source.table(table.get_ref(), 1);
            let mut proofs = Proofs {
                rulebook: root.need("rulebook"),
                solver: root.need("solver"),
                total_ms: root.int("total_ms").and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
                proofs: Vec::new(),
            };
            for t in root.each("proof") {
                let proved = match t.need("verdict").as_str() {
                    "proved" => Some(true),
                    "refuted" => Some(false),
                    _ => None,
                };
                proofs.proofs.push(Proof {
                    id: t.need("id"),
                    proved,
                    counterexample: t.list("counterexample"),
                });
                t.finish();
            }
            root.finish();
            out = Some(proofs);
        }
        let problems: Vec<Problem> = source.into_problems();
        if problems.is_empty() { Ok(out) } else { Err(Problems(problems)) }
    }
}

impl Proofs {
    /// Whether they are about this very rulebook.
    pub fn about(&self, digest: Digest) -> bool {
        self.rulebook == digest.to_string()
    }

    /// The answer to a question.
    pub fn find(&self, id: &str) -> Option<&Proof> {
        self.proofs.iter().find(|p| p.id == id)
    }

    /// As `claims/results.toml`.
    pub fn to_toml(&self) -> String {
        let quote = |s: &str| serde_json::Value::String(s.to_owned()).to_string();
        let mut out = String::from("# Written by `placet law prove --write`. Do not edit.\n\n");
        out.push_str(&format!("rulebook = {}\n", quote(&self.rulebook)));
        out.push_str(&format!("solver = {}\n", quote(&self.solver)));
        out.push_str(&format!("total_ms = {}\n", self.total_ms));
        for p in &self.proofs {
            let verdict = match p.proved {
                Some(true) => "proved",
                Some(false) => "refuted",
                None => "unknown",
            };
            out.push_str(&format!("\n[[proof]]\nid = {}\nverdict = \"{verdict}\"\n", quote(&p.id)));
            if !p.counterexample.is_empty() {
                let list: Vec<String> = p.counterexample.iter().map(|w| quote(w)).collect();
                out.push_str(&format!("counterexample = [{}]\n", list.join(", ")));
            }
        }
        out
    }
}

/// Numbers that read better than a solver's choice, smallest first.
fn smaller(now: Option<Value>) -> impl Iterator<Item = Value> {
    let limit = match now {
        Some(Value::Int(n)) => n,
        _ => i64::MIN,
    };
    [0, 1, 2, 3, 4, 5, 12, 24, 36, 48, 60, 72, 120, 1440, 1441, 2880, 2881]
        .into_iter()
        .filter(move |n| *n < limit)
        .map(Value::Int)
}

/// Children whose parent rules them out take their ordinary value.
fn fall_back(vocabulary: &Vocabulary, values: &mut BTreeMap<FactId, Value>) {
    for (id, fact) in vocabulary.facts() {
        if let (Some((parent, is)), true) = (&fact.only_if, values.contains_key(&id))
            && values.get(parent).is_some_and(|v| !is.contains(v))
        {
            values.insert(id, fact.otherwise);
        }
    }
}

fn read_model(vocabulary: &Vocabulary, id: FactId, json: &serde_json::Value) -> Result<Value, String> {
    let fact = vocabulary.fact(id);
    let bad = || format!("the model's value of `{}` cannot be read: {json}", fact.id);
    match &fact.kind {
        Kind::Bool => json.as_bool().map(Value::Bool).ok_or_else(bad),
        Kind::Int { .. } => json.as_i64().map(Value::Int).ok_or_else(bad),
        Kind::Choice(_) => {
            let entity = json.get("__entity").unwrap_or(json);
            let word = entity.get("id").and_then(serde_json::Value::as_str).ok_or_else(bad)?;
            fact.read(word)
        }
        Kind::Day => model_day(json).map(Value::Day).ok_or_else(bad),
    }
}

/// A Cedar datetime as JSON: `{"__extn": {"fn": "datetime", "arg": "…"}}`, or an offset from one in milliseconds.
fn model_day(json: &serde_json::Value) -> Option<Date> {
    let extension = json.get("__extn")?;
    if let Some(text) = extension.get("arg").and_then(serde_json::Value::as_str) {
        return text.get(..10)?.parse().ok();
    }
    let args = extension.get("args")?.as_array()?;
    let [base, offset] = args.as_slice() else { return None };
    let base = model_day(base)?;
    let ms: i64 = offset.pointer("/__extn/arg")?.as_str()?.strip_suffix("ms")?.parse().ok()?;
    Some(Date::from_unix_seconds(i64::from(base.days()) * 86_400 + ms.div_euclid(1000)))
}
