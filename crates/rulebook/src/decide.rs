//! Facts in, verdict out.

use std::collections::BTreeSet;

use crate::book::{NoSuchText, Rulebook, TextId, first_day};
use crate::date::Date;
use crate::expr::{Expr, Tri};
use crate::facts::Facts;
use crate::rest::Rest;
use crate::rule::{Does, Rule};
use crate::text::{FineRule, Status, Text, matches};
use crate::verdict::{
    Assumed, Binding, Concluded, Conclusion, Condition, DutyDue, Fine, Force, Ground, Neighbour, Outcome,
    Standing, Verdict, WayOut, When,
};
use crate::vocabulary::{Fact, FactId, Value};

/// Why no verdict could be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// The rulebook has no such text.
    #[error(transparent)]
    Text(#[from] NoSuchText),
    /// Nobody could have asked the text on that day.
    #[error("{text} did not exist on {}; its first day is {}", .day.words(), .first.words())]
    BeforeText {
        /// The text asked.
        text: String,
        /// The day asked for.
        day: Date,
        /// Its first day.
        first: Date,
    },
    /// Facts that cannot be true together.
    #[error("{0}")]
    Contradiction(String),
}

/// A case under one text on one day: every rule with its value.
pub(crate) struct Case<'b> {
    pub(crate) book: &'b Rulebook,
    pub(crate) text: &'b Text,
    pub(crate) as_of: Date,
    pub(crate) values: Vec<Option<Value>>,
    /// What is taken for granted of facts nobody mentioned.
    pub(crate) assumed: Vec<Assumed>,
}

impl<'b> Case<'b> {
    pub(crate) fn new(book: &'b Rulebook, text: &'b Text, facts: &Facts, as_of: Date) -> Self {
        let values = facts.settled(&book.vocabulary, &book.states, as_of);
        Self::from_values(book, text, values, as_of)
    }

    pub(crate) fn from_values(
        book: &'b Rulebook,
        text: &'b Text,
        mut values: Vec<Option<Value>>,
        as_of: Date,
    ) -> Self {
        text.derive(&mut values);
        Self { book, text, as_of, values, assumed: Vec::new() }
    }

    pub(crate) fn value(&self, fact: FactId) -> Option<Value> {
        self.values.get(fact.index()).copied().flatten()
    }

    pub(crate) fn eval(&self, expr: &Expr) -> Tri {
        expr.eval(&|f| self.value(f))
    }

    /// Whether the rule's own condition is satisfied.
    pub(crate) fn satisfied(&self, rule: usize) -> Tri {
        self.text.rules.get(rule).map_or(Some(false), |r| self.eval(&r.when))
    }

    pub(crate) fn holds(&self, rule: usize) -> Tri {
        self.eval(self.text.holds(rule))
    }

    pub(crate) fn concluded(&self, conclusion: Conclusion) -> Tri {
        self.eval(self.text.concluded(conclusion))
    }

    pub(crate) fn when(&self, from: Option<Date>) -> When {
        if self.text.meta.status != Status::Law {
            return When::NeverLaw;
        }
        match (from, self.text.meta.law_from) {
            (Some(from), _) if from > self.as_of => When::From(from),
            (Some(from), _) => When::Since(from),
            (None, Some(law)) if law > self.as_of => When::From(law),
            (None, _) => When::Undated,
        }
    }

    fn rule_when(&self, rule: usize) -> When {
        match self.text.rules.get(rule) {
            Some(r) if r.floor => When::Since(Date::MIN),
            _ => self.when(self.text.from(rule)),
        }
    }

    pub(crate) fn ground(&self, rule: usize) -> Option<Ground> {
        let r = self.text.rules.get(rule)?;
        Some(Ground {
            rule: r.id.clone(),
            cite: r.cite.clone(),
            says: r.says.clone(),
            confidence: self.state_confidence(rule).unwrap_or_else(|| r.confidence.clone()),
            readings: r.readings.clone(),
            when: self.rule_when(rule),
            floor: r.floor,
            eli: self.text.official(&r.cite),
        })
    }

    /// How well that is backed which a rule takes from a Member State's file, where that is less than the official text.
    fn state_confidence(&self, rule: usize) -> Option<String> {
        let vocabulary = &self.book.vocabulary;
        let state = vocabulary.find("member_state")?;
        let file = self.book.states.get(&vocabulary.fact(state).write(self.value(state)?))?;
        if file.confidence == "text" {
            return None;
        }
        let mut rests = false;
        self.text.inline(&self.text.rules.get(rule)?.when).facts(&mut |f| {
            let fact = vocabulary.fact(f);
            // What binds a State stands in the recitals; its own law does not.
            let known = fact.from_state.as_ref().filter(|key| *key != "bound");
            let known = known.and_then(|key| self.book.states.value(&file.id, key, fact));
            rests |= known.is_some_and(|v| v != fact.otherwise && self.value(f) == Some(v));
        });
        rests.then(|| file.confidence.clone())
    }

    fn grounds(&self, rules: impl IntoIterator<Item = usize>) -> Vec<Ground> {
        rules.into_iter().filter_map(|r| self.ground(r)).collect()
    }

    /// The bans that bite or may bite: their own condition is satisfied or open, and the case is in scope.
    pub(crate) fn bans(&self) -> Vec<usize> {
        let scope = self.concluded(Conclusion::OutOfScope);
        if scope == Some(true) {
            return Vec::new();
        }
        [Conclusion::Prohibited, Conclusion::ForbiddenUse]
            .into_iter()
            .flat_map(|c| self.text.concluding(c))
            .filter(|r| self.satisfied(*r) != Some(false))
            .collect()
    }

    /// How a condition of a ban stands.
    fn standing(&self, condition: usize, ban: usize) -> Standing {
        if self.text.later_than(condition, ban).is_some_and(|from| from > self.as_of) {
            return Standing::NotYet;
        }
        match self.satisfied(condition) {
            Some(true) => Standing::Met,
            Some(false) => Standing::Broken,
            None => Standing::Open,
        }
    }

    fn concluded_all(&self) -> Vec<Concluded> {
        let mut out = Vec::new();
        for conclusion in Conclusion::ALL {
            let holds = self.concluded(conclusion);
            if holds == Some(false) {
                continue;
            }
            let rules = self.grounds_of(conclusion, holds);
            let grounds = self.grounds(rules);
            // Exemptions and conditions carry dates of their own; the conclusion starts with its own rules.
            let starts = grounds.iter().filter(|g| self.starts(conclusion, &g.rule)).map(|g| g.when);
            let when = starts.reduce(earlier).unwrap_or_else(|| self.when(None));
            out.push(Concluded { conclusion, holds, when, grounds });
        }
        out
    }

    fn starts(&self, conclusion: Conclusion, rule: &str) -> bool {
        self.text.rule(rule).is_some_and(|(_, r)| match (conclusion, &r.does) {
            (Conclusion::PermittedOnConditions, Does::Concludes(_)) => true,
            (_, Does::Concludes(c)) => *c == conclusion,
            _ => false,
        })
    }

    /// The rules a conclusion rests on: the satisfied ones where it holds, the open ones where it may.
    fn grounds_of(&self, conclusion: Conclusion, holds: Tri) -> Vec<usize> {
        let mut out: Vec<usize> = Vec::new();
        let mut add = |rule: usize| {
            if !out.contains(&rule) {
                out.push(rule);
            }
        };
        if conclusion == Conclusion::PermittedOnConditions {
            for ban in self.bans() {
                let lifted = |e: usize| self.eval(&self.text.exempted_by(&self.book.vocabulary, ban, e));
                let fitting: Vec<usize> =
                    self.text.exemptions_of(ban).iter().copied().filter(|e| lifted(*e) == holds).collect();
                let conditional = |e: &usize| {
                    !self.text.conditions_of(ban).is_empty() || !self.text.conditions_of(*e).is_empty()
                };
                for e in fitting.into_iter().filter(conditional) {
                    add(e);
                    add(ban);
                    let conditions = self.text.conditions_of(e).iter().chain(self.text.conditions_of(ban));
                    conditions.copied().filter(|c| self.satisfied(*c) == holds).for_each(&mut add);
                }
            }
            return out;
        }
        for rule in self.text.concluding(conclusion).filter(|r| self.holds(*r) == holds) {
            add(rule);
            // A broken safeguard is a ground of the ban it did not lift.
            for e in
                self.text.exemptions_of(rule).iter().copied().filter(|e| self.satisfied(*e) == Some(true))
            {
                let conditions = self.text.conditions_of(e).iter().chain(self.text.conditions_of(rule));
                conditions
                    .copied()
                    .filter(|c| self.standing(*c, rule) == Standing::Broken)
                    .for_each(&mut add);
            }
        }
        out
    }

    fn conditions(&self) -> Vec<Condition> {
        let mut out: Vec<Condition> = Vec::new();
        for ban in self.bans() {
            let exemptions = self.text.exemptions_of(ban);
            let own = exemptions
                .iter()
                .filter(|e| self.satisfied(**e) != Some(false))
                .flat_map(|e| self.text.conditions_of(*e).iter().map(|c| (*c, *e)));
            let ban_id = |i: usize| self.text.rules.get(i).map(|r| r.id.clone()).unwrap_or_default();
            for (c, of) in self.text.conditions_of(ban).iter().map(|c| (*c, ban)).chain(own) {
                let Some(rule) = self.text.rules.get(c) else { continue };
                match out.iter_mut().find(|o| o.ground.rule == rule.id) {
                    Some(known) => {
                        let id = ban_id(of);
                        if !known.of.contains(&id) {
                            known.of.push(id);
                        }
                    }
                    None => {
                        if let Some(ground) = self.ground(c) {
                            out.push(Condition {
                                ground,
                                of: vec![ban_id(of)],
                                standing: self.standing(c, ban),
                                remedy: rule.remedy.clone(),
                            });
                        }
                    }
                }
            }
        }
        out
    }

    /// The ways out of the rules whose own condition is satisfied or open.
    fn exemptions(&self) -> Vec<WayOut> {
        if self.concluded(Conclusion::OutOfScope) == Some(true) {
            return Vec::new();
        }
        let mut out: Vec<WayOut> = Vec::new();
        let biting = self.text.rules.iter().enumerate().filter(|(i, r)| {
            matches!(r.does, Does::Concludes(c) if c != Conclusion::OutOfScope)
                && self.satisfied(*i) != Some(false)
        });
        for (i, rule) in biting {
            for &e in self.text.exemptions_of(i) {
                let fits = self.satisfied(e);
                let Some(ground) = self.ground(e).filter(|_| fits != Some(false)) else { continue };
                match out.iter_mut().find(|w| w.ground.rule == ground.rule) {
                    Some(known) => known.of.push(rule.id.clone()),
                    None => {
                        let lifts = self.eval(&self.text.exempted_by(&self.book.vocabulary, i, e));
                        out.push(WayOut { ground, of: vec![rule.id.clone()], fits, lifts });
                    }
                }
            }
        }
        for w in &mut out {
            // What certainly bites is worth telling; what may bite is told only where nothing does.
            let certain =
                |id: &String| self.text.rule(id).is_some_and(|(i, _)| self.satisfied(i) == Some(true));
            if w.of.iter().any(certain) {
                w.of.retain(certain);
            }
        }
        out
    }

    /// Whether the rule is in play, for duties: a conclusion holds, a safeguard's ban bites, a duty rule is satisfied.
    fn in_play(&self, rule: usize, r: &Rule) -> Tri {
        match &r.does {
            Does::Concludes(_) => self.holds(rule),
            Does::Condition(targets) => {
                let bans = self.bans();
                let hit = |t: &usize| {
                    self.text.rules.get(*t).is_some_and(|b| targets.iter().any(|p| matches(p, &b.id)))
                };
                or(bans
                    .iter()
                    .filter(|b| hit(b) || self.text.exemptions_of(**b).iter().any(hit))
                    .map(|b| self.satisfied(*b)))
            }
            Does::Duty => match self.concluded(Conclusion::OutOfScope) {
                Some(true) => Some(false),
                Some(false) => self.eval(&r.when),
                None => self.eval(&r.when).filter(|hit| !hit),
            },
            Does::Exempts(_) | Does::Lifts(..) | Does::Sets(_) => self.satisfied(rule),
            Does::Gate(_) => Some(false),
        }
    }

    fn duties(&self) -> Vec<DutyDue> {
        let mut out = Vec::new();
        for duty in &self.text.duties {
            let mut because = Vec::new();
            let mut state = Some(false);
            let mut from: Option<Date> = None;
            for (i, rule) in self.text.rules.iter().enumerate().filter(|(_, r)| r.duties.contains(&duty.id)) {
                let play = self.in_play(i, rule);
                if play == Some(false) {
                    continue;
                }
                if play == Some(true) && state != Some(true) {
                    because.clear();
                    from = None;
                }
                if state != Some(true) || play == Some(true) {
                    because.push(rule.id.clone());
                    let starts = self.text.from(i);
                    from = match (from, starts) {
                        (Some(a), Some(b)) => Some(a.min(b)),
                        (a, b) => a.or(b),
                    };
                }
                state = or([state, play]);
            }
            if state == Some(false) {
                continue;
            }
            let own = duty.applies.as_ref().and_then(|k| self.text.dates.get(k)).map(|d| d.from);
            let from = own.max(from);
            let lifts = self.text.rules.iter().enumerate().filter_map(|(i, r)| match &r.does {
                Does::Lifts(duties, until) if duties.iter().any(|p| matches(p, &duty.id)) => Some((i, until)),
                _ => None,
            });
            let mut binding = match (state, self.when(from)) {
                (None, _) => Binding::Open,
                (_, When::NeverLaw) => Binding::Draft,
                (_, When::From(day)) => Binding::From(day),
                (_, When::Since(_) | When::Undated) => Binding::Now,
            };
            for (i, until) in lifts.filter(|(i, _)| self.satisfied(*i) == Some(true)) {
                let until = until.as_ref().and_then(|k| self.text.dates.get(k)).map(|d| d.from);
                if until.is_none_or(|u| u > self.as_of)
                    && binding != Binding::Open
                    && let Some(by) = self.ground(i)
                {
                    binding = Binding::Lifted { by, until };
                }
            }
            out.push(DutyDue {
                id: duty.id.clone(),
                who: duty.who.clone(),
                what: duty.what.clone(),
                article: duty.article.clone(),
                deadline: duty.deadline.clone(),
                binding,
                because,
                confidence: duty.confidence.clone(),
            });
        }
        out
    }

    pub(crate) fn verdict(&self, id: TextId, facts: &Facts) -> Verdict {
        let conclusions = self.concluded_all();
        let mut hits: BTreeSet<&str> = BTreeSet::new();
        for c in conclusions.iter().filter(|c| c.holds == Some(true)) {
            hits.insert(c.conclusion.id());
            hits.extend(c.grounds.iter().map(|g| g.rule.as_str()));
        }
        let bites = |b: &usize| self.satisfied(*b) == Some(true);
        let bitten: Vec<String> = self
            .bans()
            .into_iter()
            .filter(bites)
            .filter_map(|b| self.text.rules.get(b))
            .map(|r| r.id.clone())
            .collect();
        hits.extend(bitten.iter().map(String::as_str));
        let on = |list: &[String]| list.iter().any(|p| hits.iter().any(|h| matches(p, h)));
        let actor = self.book.vocabulary.find("actor");
        let actor = actor.and_then(|f| Some(self.book.vocabulary.fact(f).write(self.value(f)?)));
        let public = ["police", "entrusted", "public_authority"].iter().any(|p| actor.as_deref() == Some(*p));
        let owed = |f: &&FineRule| {
            actor
                .as_ref()
                .is_none_or(|a| (f.actors.is_empty() || f.actors.contains(a)) && !f.not_actors.contains(a))
        };
        let fines = self.text.fines.iter().filter(owed).filter(|f| {
            f.on.iter().any(|p| {
                conclusions.iter().any(|c| {
                    c.holds == Some(true)
                        && (matches(p, c.conclusion.id()) || c.grounds.iter().any(|g| matches(p, &g.rule)))
                })
            })
        });
        let fines = fines.map(|f| Fine {
            id: f.id.clone(),
            article: f.article.clone(),
            says: match f.public_note.as_ref().filter(|_| public) {
                Some(note) => format!("{} ({note})", f.says),
                None => f.says.clone(),
            },
            eur: f.eur,
            percent_hundredths: f.percent_hundredths,
            sme: f.sme.clone(),
            smc: f.smc.clone(),
            when: self.when(f.applies.as_ref().and_then(|k| self.text.dates.get(k)).map(|d| d.from)),
            confidence: f.confidence.clone(),
        });
        let fines: Vec<Fine> = fines.collect();
        let neighbours = self.text.neighbours.iter().filter(|n| on(&n.on)).map(|n| Neighbour {
            id: n.id.clone(),
            article: n.article.clone(),
            says: n.says.clone(),
            confidence: n.confidence.clone(),
        });
        let neighbours: Vec<Neighbour> = neighbours.collect();
        let conditions = self.conditions();
        let bears = |rule: &str| self.text.rule(rule).is_some_and(|(i, _)| self.satisfied(i) == Some(true));
        // What an open rule would rest on is told once it bites.
        let readings: BTreeSet<String> = conclusions
            .iter()
            .filter(|c| c.holds == Some(true))
            .flat_map(|c| &c.grounds)
            .chain(conditions.iter().filter(|c| c.of.iter().any(|r| bears(r))).map(|c| &c.ground))
            .flat_map(|g| g.readings.iter().cloned())
            .collect();
        let readings = readings
            .into_iter()
            .map(|r| {
                let says = self.book.reading(&r).map(|r| r.says.clone()).unwrap_or_default();
                (r, says)
            })
            .collect();
        let meta = &self.text.meta;
        let force = match (meta.status, meta.law_from, meta.law_until) {
            (Status::Law, _, Some(until)) if self.as_of > until => Force::Replaced(until.after()),
            (Status::Law, Some(from), _) if self.as_of < from => Force::NotYet(from),
            (Status::Law, _, _) => Force::Law,
            _ => Force::Never,
        };
        Verdict {
            text: id.to_string(),
            title: meta.title.clone(),
            as_of: self.as_of,
            force,
            outcome: outcome(&conclusions),
            assumed: self.assumed.clone(),
            exemptions: self.exemptions(),
            conditions,
            duties: self.duties(),
            fines,
            neighbours,
            open: Vec::new(),
            missing: Vec::new(),
            flips: Vec::new(),
            readings,
            remarks: self.remarks(facts),
            rulebook: self.book.digest(),
            conclusions,
        }
    }

    fn remarks(&self, facts: &Facts) -> Vec<String> {
        let vocabulary = &self.book.vocabulary;
        let mut out = Vec::new();
        let Some(state_fact) = vocabulary.find("member_state") else { return out };
        let Some(state) = self.value(state_fact) else { return out };
        let code = vocabulary.fact(state_fact).write(state);
        // The national law is asked about where something hangs on it: where a condition of a ban that bites is about it.
        let mut asked: BTreeSet<FactId> = BTreeSet::new();
        for ban in self.bans().into_iter().filter(|b| self.satisfied(*b) == Some(true)) {
            let own = self.text.exemptions_of(ban).iter().flat_map(|e| self.text.conditions_of(*e));
            for rule in self.text.conditions_of(ban).iter().chain(own).filter_map(|c| self.text.rules.get(*c))
            {
                self.text.inline(&rule.when).facts(&mut |f| {
                    asked.insert(f);
                });
            }
        }
        let from_file = |(id, fact): &(FactId, &Fact)| {
            let known = fact.from_state.as_ref().and_then(|key| self.book.states.value(&code, key, fact));
            asked.contains(id) && facts.get(*id).is_none() && known.is_some_and(|v| v != fact.otherwise)
        };
        if let (true, Some(file)) = (vocabulary.facts().any(|f| from_file(&f)), self.book.states.get(&code)) {
            out.push(format!(
                "What is known of the law of {} comes from this: {} ({}).",
                file.name,
                file.source,
                crate::render::confidence_words(&file.confidence)
            ));
        }
        for (id, fact) in vocabulary.facts().filter(|(id, _)| asked.contains(id)) {
            let Some(key) = &fact.from_state else { continue };
            let known = self.book.states.value(&code, key, fact);
            match (facts.get(id), known) {
                (Some(given), None) if given != fact.otherwise => out.push(format!(
                    "\"{}\" is asserted by you; this rulebook knows no such law of {}.",
                    fact.says,
                    vocabulary.fact(state_fact).words(state)
                )),
                (Some(given), Some(known)) if given != known => out.push(format!(
                    "\"{}\" is given as {}, but this rulebook knows: {}.",
                    fact.says,
                    fact.words(given),
                    fact.words(known)
                )),
                _ => {}
            }
        }
        out
    }
}

fn outcome(conclusions: &[Concluded]) -> Outcome {
    let refusing = |c: &Concluded| {
        matches!(
            c.conclusion,
            Conclusion::Floor | Conclusion::Prohibited | Conclusion::ForbiddenUse | Conclusion::Breach
        )
    };
    if conclusions.iter().any(|c| refusing(c) && c.holds == Some(true) && c.when.now()) {
        Outcome::Refused
    } else if conclusions.iter().any(|c| c.holds.is_none() || c.conclusion == Conclusion::NotModelled) {
        // What a draft says where we have not seen it is no yes.
        Outcome::CannotSay
    } else {
        Outcome::Allowed
    }
}

fn earlier(a: When, b: When) -> When {
    match (a, b) {
        (When::Since(x), When::Since(y)) => When::Since(x.min(y)),
        (When::Since(x), _) | (_, When::Since(x)) => When::Since(x),
        (When::Undated, _) | (_, When::Undated) => When::Undated,
        (When::From(x), When::From(y)) => When::From(x.min(y)),
        (When::NeverLaw, other) | (other, When::NeverLaw) => other,
    }
}

fn or(parts: impl IntoIterator<Item = Tri>) -> Tri {
    let mut out = Some(false);
    for part in parts {
        match part {
            Some(true) => return Some(true),
            None => out = None,
            Some(false) => {}
        }
    }
    out
}

impl Rulebook {
    /// What `text` says of the case on the day `as_of`.
    ///
    /// # Errors
    /// If there is no such text, or it did not exist on that day.
    pub fn decide(&self, facts: &Facts, text: TextId, as_of: Date) -> Result<Verdict, DecideError> {
        self.decide_with(facts, text, as_of, Rest::Unknown)
    }

    /// As [`Rulebook::decide`], with what is to be made of facts nobody mentioned. Only a verdict comes of it: nothing
    /// that is taken for granted here can be handed to the gate.
    ///
    /// # Errors
    /// As there.
    pub fn decide_with(
        &self,
        facts: &Facts,
        text: TextId,
        as_of: Date,
        rest: Rest,
    ) -> Result<Verdict, DecideError> {
        let (case, all) = self.case_with(facts, text, as_of, rest)?;
        let mut verdict = case.verdict(text, facts);
        crate::settle::fill(&case, &all, &mut verdict);
        Ok(verdict)
    }

    /// As [`Rulebook::decide_with`] without the search for missing facts and flips.
    ///
    /// # Errors
    /// As there.
    pub fn decide_only(
        &self,
        facts: &Facts,
        text: TextId,
        as_of: Date,
        rest: Rest,
    ) -> Result<Verdict, DecideError> {
        Ok(self.case_with(facts, text, as_of, rest)?.0.verdict(text, facts))
    }

    /// The case, and the facts it is judged by.
    pub(crate) fn case_with(
        &self,
        facts: &Facts,
        id: TextId,
        as_of: Date,
        rest: Rest,
    ) -> Result<(Case<'_>, Facts), DecideError> {
        facts.check(&self.vocabulary).map_err(DecideError::Contradiction)?;
        let case = self.case(facts, id, as_of)?;
        Ok(match rest {
            Rest::Unknown => (case, facts.clone()),
            Rest::NotSo => crate::rest::not_so(&case, facts),
        })
    }

    pub(crate) fn case(&self, facts: &Facts, id: TextId, as_of: Date) -> Result<Case<'_>, DecideError> {
        let text = self.text(id)?;
        if as_of < first_day(text) {
            return Err(DecideError::BeforeText {
                text: text.meta.title.clone(),
                day: as_of,
                first: first_day(text),
            });
        }
        Ok(Case::new(self, text, facts, as_of))
    }
}

impl Case<'_> {
    /// Compares every rule of our evaluator with the official engine, where all facts are known.
    ///
    /// Returns whether there was anything to compare.
    ///
    /// # Errors
    /// What they disagree on, or what the engine could not evaluate.
    pub(crate) fn agrees(&self) -> Result<bool, String> {
        let set = crate::cedar::classify_set(&self.text.rules)?;
        self.agrees_with(&set)
    }

    pub(crate) fn agrees_with(&self, policies: &cedar_policy::PolicySet) -> Result<bool, String> {
        let vocabulary = &self.book.vocabulary;
        if !vocabulary.facts().all(|(id, _)| self.value(id).is_some()) {
            return Ok(false);
        }
        let theirs = self.book.engine.satisfied(vocabulary, policies, &self.values)?;
        for (i, rule) in self.text.rules.iter().enumerate().filter(|(_, r)| !matches!(r.does, Does::Gate(_)))
        {
            let ours = self.satisfied(i);
            if ours != Some(theirs.contains(&rule.id)) {
                return Err(format!(
                    "the evaluator says {ours:?} of `{}`, the engine {}",
                    rule.id,
                    theirs.contains(&rule.id)
                ));
            }
        }
        Ok(true)
    }
}
