//! One text: its rules linked with each other, its dates, duties and fines.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::article::{Article, check_confidence};
use crate::date::Date;
use crate::expr::{Expr, Op};
use crate::problem::{Problem, nearest};
use crate::rule::{Does, Rule};
use crate::table::{Source, Table};
use crate::verdict::Conclusion;
use crate::vocabulary::{Derived, FactId, Value, Vocabulary};

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Proposed by the Commission.
    Proposal,
    /// The position of one institution.
    Position,
    /// Law.
    Law,
}

/// What a text is.
#[derive(Debug, Clone)]
pub struct Meta {
    /// `eu2026`.
    pub id: String,
    /// Its name.
    pub title: String,
    /// In a few words.
    pub short: String,
    /// CELEX number.
    pub celex: Option<String>,
    /// European Legislation Identifier.
    pub eli: Option<String>,
    /// What became of it.
    pub status: Status,
    /// The day before which nobody could ask it.
    pub published: Date,
    /// First day as law.
    pub law_from: Option<Date>,
    /// Last day as law.
    pub law_until: Option<Date>,
    /// The text whose files it shares.
    pub based_on: Option<String>,
    /// Whether it is modelled in full.
    pub complete: bool,
    /// The day of its scenario rows.
    pub row_as_of: Date,
    /// A warning about article numbers.
    pub numbering_note: Option<String>,
}

/// From when a part of a text applies.
#[derive(Debug, Clone)]
pub struct Applies {
    /// First day.
    pub from: Date,
    /// Where it stands.
    pub article: String,
    /// What it is of.
    pub says: String,
    /// How well it is backed.
    pub confidence: String,
}

/// A duty as written.
#[derive(Debug, Clone)]
pub struct Duty {
    /// Its name.
    pub id: String,
    /// Who has it.
    pub who: String,
    /// What must be done.
    pub what: String,
    /// Where it stands.
    pub article: String,
    /// Key of `dates.toml`.
    pub applies: Option<String>,
    /// By when, in words.
    pub deadline: Option<String>,
    /// How well it is backed.
    pub confidence: String,
}

/// A fine as written.
#[derive(Debug, Clone)]
pub struct FineRule {
    /// Its name.
    pub id: String,
    /// Conclusions and rule ids it follows on.
    pub on: Vec<String>,
    /// Ceiling in euro.
    pub eur: i64,
    /// Ceiling in hundredths of a percent of turnover.
    pub percent_hundredths: i64,
    /// Where it stands.
    pub article: String,
    /// Key of `dates.toml`.
    pub applies: Option<String>,
    /// In words.
    pub says: String,
    /// Who can owe it, as values of `actor`; empty: everybody.
    pub actors: Vec<String>,
    /// What is added where a public body is concerned.
    pub public_note: Option<String>,
    /// Who cannot.
    pub not_actors: Vec<String>,
    /// "lower" if small firms owe the lower of both.
    pub sme: String,
    /// "lower" if small mid-caps owe the lower of both.
    pub smc: String,
    /// How well it is backed.
    pub confidence: String,
}

/// Another law as written.
#[derive(Debug, Clone)]
pub struct NeighbourRule {
    /// Its name.
    pub id: String,
    /// Conclusions and rule ids it stands beside.
    pub on: Vec<String>,
    /// Where it stands.
    pub article: String,
    /// In words.
    pub says: String,
    /// How well it is backed.
    pub confidence: String,
}

/// One of the five texts, with the floor.
#[derive(Debug, Clone)]
pub struct Text {
    /// What it is.
    pub meta: Meta,
    /// Its articles in the order of their files, then the floor's.
    pub articles: Vec<Arc<Article>>,
    /// Its rules, then the floor's.
    pub rules: Vec<Arc<Rule>>,
    /// From when its parts apply.
    pub dates: BTreeMap<String, Applies>,
    /// Its duties.
    pub duties: Vec<Duty>,
    /// Its fines.
    pub fines: Vec<FineRule>,
    /// Laws beside it.
    pub neighbours: Vec<NeighbourRule>,
    pub(crate) links: Links,
}

/// How the rules of a text hang together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    /// Per rule: the rules that exempt from it.
    pub(crate) exemptions: Vec<Vec<usize>>,
    /// Per rule: its conditions.
    pub(crate) conditions: Vec<Vec<usize>>,
    /// Per rule: from when it applies.
    pub(crate) from: Vec<Option<Date>>,
    /// Derived facts in an order in which each needs only those before it, with their meaning.
    pub(crate) derived: Vec<(FactId, Expr)>,
    /// Derived facts with everything derived replaced.
    pub(crate) inlined: HashMap<FactId, Expr>,
    /// Per rule: when it holds.
    holds: Vec<Expr>,
    /// Per conclusion: when it is concluded.
    concluded: HashMap<Conclusion, Expr>,
}

impl Text {
    /// The rule of that id, and its place.
    pub fn rule(&self, id: &str) -> Option<(usize, &Arc<Rule>)> {
        self.rules.iter().enumerate().find(|(_, r)| r.id == id)
    }

    /// The article a rule stands in.
    pub fn article_of(&self, rule: &Rule) -> Option<&Arc<Article>> {
        self.articles.iter().find(|a| a.file == rule.file)
    }

    /// Where the official text of what is cited stands: the first article, annex or recital of the Act it names. A draft
    /// has no such place, nor has another law.
    pub fn official(&self, cite: &str) -> Option<String> {
        let eli = self.meta.eli.as_ref().filter(|_| self.meta.status == Status::Law)?;
        let anchors = [("Art. ", "art"), ("Annex ", "anx"), ("Recital ", "rct")];
        let (rest, kind) = anchors.iter().find_map(|(word, kind)| Some((cite.strip_prefix(word)?, kind)))?;
        let number: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        (!number.is_empty()).then(|| format!("{eli}#{kind}_{number}"))
    }

    pub(crate) fn concluding(&self, conclusion: Conclusion) -> impl Iterator<Item = usize> + '_ {
        self.rules
            .iter()
            .enumerate()
            .filter(move |(_, r)| r.does == Does::Concludes(conclusion))
            .map(|(i, _)| i)
    }

    fn condition(&self, rule: usize) -> Expr {
        self.rules.get(rule).map_or(Expr::Const(false), |r| r.when.clone())
    }

    fn linked(list: &[Vec<usize>], rule: usize) -> &[usize] {
        list.get(rule).map_or(&[], Vec::as_slice)
    }

    /// The rules that exempt from a rule.
    pub fn exemptions_of(&self, rule: usize) -> &[usize] {
        Self::linked(&self.links.exemptions, rule)
    }

    /// The conditions of a rule or an exemption.
    pub fn conditions_of(&self, rule: usize) -> &[usize] {
        Self::linked(&self.links.conditions, rule)
    }

    /// From when a rule applies, if it has a date of its own.
    pub fn from(&self, rule: usize) -> Option<Date> {
        self.links.from.get(rule).copied().flatten()
    }

    /// The day before which a condition of a ban that applies already is not asked for.
    pub(crate) fn later_than(&self, rule: usize, ban: usize) -> Option<Date> {
        self.from(rule).filter(|from| self.from(ban).is_none_or(|b| *from > b))
    }

    /// A condition that starts later than its ban counts as met until then.
    pub(crate) fn required(&self, vocabulary: &Vocabulary, rule: usize, ban: usize) -> Expr {
        let met = self.condition(rule);
        match self.later_than(rule, ban) {
            Some(from) => Expr::any([Expr::Cmp(vocabulary.as_of(), Op::Less, Value::Day(from)), met]),
            None => met,
        }
    }

    /// One exemption with every condition on it and on the rule it exempts from.
    pub(crate) fn exempted_by(&self, vocabulary: &Vocabulary, rule: usize, exemption: usize) -> Expr {
        let conditions = self.conditions_of(exemption).iter().chain(self.conditions_of(rule));
        Expr::all(
            std::iter::once(self.condition(exemption))
                .chain(conditions.map(|c| self.required(vocabulary, *c, rule))),
        )
    }

    fn lifted(&self, vocabulary: &Vocabulary, rule: usize, with_conditions_only: bool) -> Expr {
        Expr::any(
            self.exemptions_of(rule)
                .iter()
                .filter(|e| {
                    !with_conditions_only
                        || !self.conditions_of(rule).is_empty()
                        || !self.conditions_of(**e).is_empty()
                })
                .map(|e| self.exempted_by(vocabulary, rule, *e)),
        )
    }

    pub(crate) fn out_of_scope(&self, vocabulary: &Vocabulary) -> Expr {
        Expr::any(
            self.concluding(Conclusion::OutOfScope)
                .map(|r| Expr::all([self.condition(r), self.lifted(vocabulary, r, false).negate()])),
        )
    }

    /// When a concluding rule holds.
    pub(crate) fn holds(&self, rule: usize) -> &Expr {
        self.links.holds.get(rule).unwrap_or(&Expr::Const(false))
    }

    /// When something is concluded.
    pub(crate) fn concluded(&self, conclusion: Conclusion) -> &Expr {
        self.links.concluded.get(&conclusion).unwrap_or(&Expr::Const(false))
    }

    fn make_holds(&self, vocabulary: &Vocabulary, rule: usize) -> Expr {
        let does = self.rules.get(rule).map(|r| &r.does);
        let scope = match does {
            Some(Does::Concludes(Conclusion::OutOfScope | Conclusion::Floor)) => Expr::Const(true),
            _ => self.out_of_scope(vocabulary).negate(),
        };
        Expr::all([self.condition(rule), self.lifted(vocabulary, rule, false).negate(), scope])
    }

    fn make_concluded(&self, vocabulary: &Vocabulary, conclusion: Conclusion) -> Expr {
        let by_rule = || Expr::any(self.concluding(conclusion).map(|r| self.make_holds(vocabulary, r)));
        match conclusion {
            Conclusion::PermittedOnConditions => {
                let bans =
                    self.concluding(Conclusion::Prohibited).chain(self.concluding(Conclusion::ForbiddenUse));
                Expr::any(bans.map(|r| {
                    Expr::all([
                        self.condition(r),
                        self.lifted(vocabulary, r, true),
                        self.out_of_scope(vocabulary).negate(),
                    ])
                }))
            }
            Conclusion::Minimal if self.meta.complete => Expr::any([
                by_rule(),
                self.nothing_else(vocabulary, &[Conclusion::Minimal, Conclusion::NotModelled]),
            ]),
            Conclusion::NotModelled if !self.meta.complete => {
                Expr::any([by_rule(), self.nothing_else(vocabulary, &[Conclusion::NotModelled])])
            }
            _ => by_rule(),
        }
    }

    fn nothing_else(&self, vocabulary: &Vocabulary, but: &[Conclusion]) -> Expr {
        Expr::all(
            Conclusion::ALL
                .into_iter()
                .filter(|c| !but.contains(c) && *c != Conclusion::Floor)
                .map(|c| self.make_concluded(vocabulary, c).negate()),
        )
    }

    /// A condition with every derived fact replaced by its meaning in this text.
    pub(crate) fn inline(&self, expr: &Expr) -> Expr {
        expr.inline(&|f| self.links.inlined.get(&f).cloned())
    }

    /// The values with every derived fact computed.
    pub(crate) fn derive(&self, values: &mut [Option<Value>]) {
        for (fact, meaning) in &self.links.derived {
            let value = meaning.eval(&|f| values.get(f.index()).copied().flatten());
            if let Some(slot) = values.get_mut(fact.index()) {
                *slot = value.map(Value::Bool);
            }
        }
    }

    /// Links the rules; what does not fit is reported.
    pub(crate) fn link(&mut self, vocabulary: &Vocabulary, problems: &mut Vec<Problem>) {
        let n = self.rules.len();
        let mut links = Links {
            exemptions: vec![Vec::new(); n],
            conditions: vec![Vec::new(); n],
            from: vec![None; n],
            ..Links::default()
        };
        let mut report = |rule: &Rule, message: String| {
            problems.push(Problem::new(
                &rule.file,
                rule.line,
                format!("{}: `{}` {message}", self.meta.id, rule.id),
            ));
        };
        let mut seen: HashMap<&str, &Rule> = HashMap::new();
        for rule in &self.rules {
            if let Some(first) = seen.insert(&rule.id, rule) {
                report(rule, format!("stands a second time; first in {}:{}", first.file, first.line));
            }
        }
        let duty_ids: Vec<&str> = self.duties.iter().map(|d| d.id.as_str()).collect();
        for (i, rule) in self.rules.iter().enumerate() {
            let targets = match &rule.does {
                Does::Exempts(t) | Does::Condition(t) => t.as_slice(),
                Does::Lifts(duties, until) => {
                    for duty in duties {
                        if !duty_ids.iter().any(|d| matches(duty, d)) {
                            report(rule, format!("lifts the duty `{duty}`, which is not in duties.toml"));
                        }
                    }
                    if let Some(key) = until.as_ref().filter(|k| !self.dates.contains_key(*k)) {
                        report(rule, format!("ends at `{key}`, which is not in dates.toml"));
                    }
                    &[]
                }
                _ => &[],
            };
            for target in targets {
                let fits: Vec<usize> = self
                    .rules
                    .iter()
                    .enumerate()
                    .filter(|(j, r)| *j != i && matches(target, &r.id) && r.floor == rule.floor)
                    .filter(|(_, r)| match rule.does {
                        Does::Exempts(_) => matches!(r.does, Does::Concludes(_)),
                        _ => matches!(r.does, Does::Concludes(_) | Does::Exempts(_)),
                    })
                    .map(|(j, _)| j)
                    .collect();
                if fits.is_empty() {
                    let ids = self.rules.iter().map(|r| r.id.as_str());
                    let near =
                        nearest(target, ids).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
                    report(rule, format!("names `{target}`, which is no rule it could bear on{near}"));
                }
                let lists = match rule.does {
                    Does::Exempts(_) => &mut links.exemptions,
                    _ => &mut links.conditions,
                };
                for j in fits {
                    if let Some(list) = lists.get_mut(j) {
                        list.push(i);
                    }
                }
            }
            for duty in &rule.duties {
                if !duty_ids.contains(&duty.as_str()) {
                    let near =
                        nearest(duty, duty_ids.iter().copied()).map(|n| format!("; did you mean `{n}`?"));
                    report(
                        rule,
                        format!("brings the duty `{duty}`, not in duties.toml{}", near.unwrap_or_default()),
                    );
                }
            }
            match &rule.applies {
                Some(key) => match self.dates.get(key) {
                    Some(date) => {
                        if let Some(slot) = links.from.get_mut(i) {
                            *slot = Some(date.from);
                        }
                    }
                    None if self.meta.status == Status::Law => {
                        report(rule, format!("applies from `{key}`, which is not in dates.toml"));
                    }
                    None => {}
                },
                None => {
                    let dated = matches!(
                        rule.does,
                        Does::Concludes(c) if !matches!(c, Conclusion::OutOfScope | Conclusion::Minimal | Conclusion::NotModelled | Conclusion::Floor)
                    );
                    if dated && self.meta.status == Status::Law {
                        report(rule, "concludes without a date: @applies is missing".to_owned());
                    }
                }
            }
        }
        self.links = links;
        self.link_formulas(vocabulary);
        self.link_derived(vocabulary, problems);
    }

    fn link_formulas(&mut self, vocabulary: &Vocabulary) {
        let holds = self.rules.iter().enumerate().map(|(i, r)| match r.does {
            Does::Concludes(_) => self.make_holds(vocabulary, i),
            _ => Expr::Const(false),
        });
        let holds: Vec<Expr> = holds.collect();
        let concluded =
            Conclusion::ALL.into_iter().map(|c| (c, self.make_concluded(vocabulary, c))).collect();
        self.links.holds = holds;
        self.links.concluded = concluded;
    }

    fn link_derived(&mut self, vocabulary: &Vocabulary, problems: &mut Vec<Problem>) {
        let mut meanings: HashMap<FactId, Expr> = HashMap::new();
        for (id, fact) in vocabulary.facts() {
            match &fact.derived {
                None => {}
                Some(Derived::Conclusion(c)) => {
                    meanings.insert(id, self.make_concluded(vocabulary, *c));
                }
                Some(Derived::Rules) => {
                    let setters = self.rules.iter().filter(|r| r.does == Does::Sets(id));
                    meanings.insert(id, Expr::any(setters.map(|r| r.when.clone())));
                }
            }
        }
        let mut done = HashSet::new();
        let mut ids: Vec<FactId> = meanings.keys().copied().collect();
        ids.sort_unstable();
        let mut order = Vec::new();
        for id in ids {
            let mut path = Vec::new();
            if let Err(cycle) = visit(id, &meanings, &mut done, &mut path, &mut order) {
                let fact = &vocabulary.fact(cycle).id;
                let message = format!("the derived fact `{fact}` depends on itself in {}", self.meta.id);
                problems.push(Problem::new("facts.toml", 0, message));
                return;
            }
        }
        for id in order {
            let Some(meaning) = meanings.remove(&id) else { continue };
            let inlined = meaning.inline(&|f| self.links.inlined.get(&f).cloned());
            self.links.inlined.insert(id, inlined);
            self.links.derived.push((id, meaning));
        }
    }
}

fn visit(
    id: FactId,
    meanings: &HashMap<FactId, Expr>,
    done: &mut HashSet<FactId>,
    path: &mut Vec<FactId>,
    order: &mut Vec<FactId>,
) -> Result<(), FactId> {
    if done.contains(&id) {
        return Ok(());
    }
    if path.contains(&id) {
        return Err(id);
    }
    let Some(meaning) = meanings.get(&id) else { return Ok(()) };
    path.push(id);
    let mut needs = Vec::new();
    meaning.facts(&mut |f| needs.push(f));
    for need in needs {
        visit(need, meanings, done, path, order)?;
    }
    path.pop();
    done.insert(id);
    order.push(id);
    Ok(())
}

/// Whether a name with a `*` at its end covers the id.
pub(crate) fn matches(pattern: &str, id: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == id, |prefix| id.starts_with(prefix))
}

pub(crate) fn read_meta(id: &str, file: &str, text: &str) -> (Option<Meta>, Vec<Problem>) {
    let source = Source::new(file, text);
    let mut meta = None;
    if let Some(table) = source.parse() {
        let t = source.table(table.get_ref(), 1);
        let status = match t.need("status").as_str() {
            "proposal" => Status::Proposal,
            "position" => Status::Position,
            "law" => Status::Law,
            other => {
                t.report(format!("`status` is proposal, position or law, not `{other}`"));
                Status::Law
            }
        };
        let published = t.date("published");
        let row_as_of = t.date("row_as_of");
        if published.is_none() || row_as_of.is_none() {
            t.report("`published` and `row_as_of` are dates and must be given");
        }
        meta = Some(Meta {
            id: id.to_owned(),
            title: t.need("title"),
            short: t.need("short"),
            celex: t.text("celex"),
            eli: t.text("eli"),
            status,
            published: published.unwrap_or(Date::MIN),
            law_from: t.date("law_from"),
            law_until: t.date("law_until"),
            based_on: t.text("based_on"),
            complete: t.flag("complete"),
            row_as_of: row_as_of.unwrap_or(Date::MAX),
            numbering_note: t.text("numbering_note"),
        });
        t.finish();
    }
    (meta, source.into_problems())
}

pub(crate) fn read_dates(file: &str, text: &str) -> (BTreeMap<String, Applies>, Vec<Problem>) {
    let source = Source::new(file, text);
    let mut out = BTreeMap::new();
    if let Some(table) = source.parse() {
        let root = source.table(table.get_ref(), 1);
        for (key, line, value) in root.entries() {
            let Some(t) = root.as_table(value, line) else {
                root.report_at(line, format!("`{key}` must be a table [{key}]"));
                continue;
            };
            let Some(from) = t.date("from") else {
                t.report_at(line, format!("`{key}` needs `from`, a date"));
                continue;
            };
            let entry = Applies {
                from,
                article: t.need("article"),
                says: t.need("says"),
                confidence: confidence(&t),
            };
            t.finish();
            out.insert(key.to_owned(), entry);
        }
    }
    (out, source.into_problems())
}

fn confidence(t: &Table<'_, '_>) -> String {
    let word = t.need("confidence");
    check_confidence(&word, |m| t.report(m));
    word
}

pub(crate) fn read_duties(file: &str, text: &str) -> (Vec<Duty>, Vec<Problem>) {
    each(file, text, "duty", |t| Duty {
        id: t.need("id"),
        who: t.need("who"),
        what: t.need("what"),
        article: t.need("article"),
        applies: t.text("applies"),
        deadline: t.text("deadline"),
        confidence: confidence(t),
    })
}

pub(crate) fn read_fines(file: &str, text: &str) -> (Vec<FineRule>, Vec<Problem>) {
    each(file, text, "fine", |t| FineRule {
        id: t.need("id"),
        on: t.list("on"),
        eur: t.int("eur").unwrap_or(0),
        percent_hundredths: t.int("percent_hundredths").unwrap_or(0),
        article: t.need("article"),
        applies: t.text("applies"),
        says: t.need("says"),
        actors: t.list("actors"),
        not_actors: t.list("not_actors"),
        public_note: t.text("public_note"),
        sme: t.text("sme").unwrap_or_else(|| "higher".to_owned()),
        smc: t.text("smc").unwrap_or_else(|| "higher".to_owned()),
        confidence: confidence(t),
    })
}

pub(crate) fn read_neighbours(file: &str, text: &str) -> (Vec<NeighbourRule>, Vec<Problem>) {
    each(file, text, "law", |t| NeighbourRule {
        id: t.need("id"),
        on: t.list("on"),
        article: t.need("article"),
        says: t.need("says"),
        confidence: confidence(t),
    })
}

pub(crate) fn each<T>(
    file: &str,
    text: &str,
    key: &str,
    read: impl Fn(&Table<'_, '_>) -> T,
) -> (Vec<T>, Vec<Problem>) {
    let source = Source::new(file, text);
    let mut out = Vec::new();
    if let Some(table) = source.parse() {
        let root = source.table(table.get_ref(), 1);
        for t in root.each(key) {
            out.push(read(&t));
            t.finish();
        }
        root.finish();
    }
    (out, source.into_problems())
}
