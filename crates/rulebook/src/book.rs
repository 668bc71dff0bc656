//! The whole rulebook, read once.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use placet_core::{Digest, Hasher};

use crate::article::{Article, Block, RowTable};
use crate::cedar::{Engine, schema_text};
use crate::date::Date;
use crate::facts::Facts;
use crate::problem::{Problem, Problems};
use crate::rule::Rule;
use crate::state::States;
use crate::table::Source;
use crate::text::{Text, each, read_dates, read_duties, read_fines, read_meta, read_neighbours};
use crate::vocabulary::{Value, Vocabulary};
use crate::{article, rule};

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// One of the five texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TextId {
    /// The Commission's proposal of 21 April 2021.
    Com2021,
    /// The Council's general approach of 6 December 2022.
    Council2022,
    /// The Parliament's position of 14 June 2023.
    Ep2023,
    /// Regulation (EU) 2024/1689 as published.
    Eu2024,
    /// The same as amended by Regulation (EU) 2026/1744: the law today.
    Eu2026,
}

impl TextId {
    /// All five, oldest first.
    pub const ALL: [Self; 5] = [Self::Com2021, Self::Council2022, Self::Ep2023, Self::Eu2024, Self::Eu2026];

    /// As written in files and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Com2021 => "com2021",
            Self::Council2022 => "council2022",
            Self::Ep2023 => "ep2023",
            Self::Eu2024 => "eu2024",
            Self::Eu2026 => "eu2026",
        }
    }
}

impl fmt::Display for TextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A name that is none of the five texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no text `{0}`; the texts are com2021, council2022, ep2023, eu2024 and eu2026")]
pub struct NoSuchText(pub String);

impl FromStr for TextId {
    type Err = NoSuchText;

    fn from_str(word: &str) -> Result<Self, NoSuchText> {
        Self::ALL
            .into_iter()
            .find(|t| t.id() == word)
            .ok_or_else(|| NoSuchText(word.chars().take(40).collect()))
    }
}

/// A reading of ours beyond the words.
#[derive(Debug, Clone)]
pub struct Reading {
    /// `R-1`.
    pub id: String,
    /// The article it reads.
    pub article: String,
    /// What we read.
    pub says: String,
    /// Why.
    pub why: String,
    /// What one could read instead.
    pub instead: String,
}

/// Files written from the others.
const WRITTEN: [&str; 2] = ["claims/results.toml", "schema.cedarschema"];

/// The whole rulebook.
#[derive(Debug, Clone)]
pub struct Rulebook {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) texts: BTreeMap<TextId, Arc<Text>>,
    pub(crate) baselines: BTreeMap<String, Facts>,
    pub(crate) readings: BTreeMap<String, Reading>,
    pub(crate) states: States,
    pub(crate) cases: Vec<(String, RowTable)>,
    pub(crate) engine: Engine,
    pub(crate) sentences: BTreeMap<String, String>,
    pub(crate) claims: Vec<(String, String)>,
    pub(crate) results: Option<String>,
    digest: Digest,
}

impl Rulebook {
    /// The rulebook this program carries.
    ///
    /// # Errors
    /// Every problem in it, by file and line. The program's own rulebook has none; a test holds that.
    pub fn load() -> Result<Self, Problems> {
        Self::read(FILES)
    }

    /// A file of the embedded rulebook.
    pub fn file(path: &str) -> Option<&'static str> {
        FILES.iter().find(|(p, _)| *p == path).map(|(_, text)| *text)
    }

    /// The embedded files below a folder, such as `story/`: path and content.
    pub fn files(below: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
        FILES.iter().copied().filter(move |(p, _)| p.starts_with(below))
    }

    /// Reads a rulebook from files: path below the folder, and content.
    ///
    /// # Errors
    /// Every problem in it, by file and line.
    pub fn read(files: &[(&str, &str)]) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let find = |path: &str| files.iter().find(|(p, _)| *p == path).map(|(_, t)| *t);
        let Some(facts) = find("facts.toml") else {
            return Err(Problems(vec![Problem::new("facts.toml", 0, "the file is missing")]));
        };
        let (vocabulary, found) = Vocabulary::read("facts.toml", facts);
        problems.extend(found);
        let engine = match Engine::new(&vocabulary) {
            Ok(engine) => engine,
            Err(e) => {
                problems.push(Problem::new("facts.toml", 0, format!("no schema can be made of it: {e}")));
                return Err(Problems(problems));
            }
        };
        let mut states = States::default();
        for (path, text) in files.iter().filter(|(p, _)| p.starts_with("states/")) {
            problems.extend(states.read(&vocabulary, path, text));
        }
        let readings = read_readings(find("readings.toml").unwrap_or_default(), &mut problems);
        let baselines =
            read_baselines(&vocabulary, find("baselines.toml").unwrap_or_default(), &mut problems);
        let mut sentences = BTreeMap::new();
        for line in find("i18n/en.ftl").unwrap_or_default().lines() {
            if let Some((key, value)) = line.split_once(" = ") {
                sentences.insert(key.trim().to_owned(), value.trim().to_owned());
            }
        }
        let mut parsed: BTreeMap<&str, Parsed> = BTreeMap::new();
        for (path, text) in files.iter().filter(|(p, _)| is_article(p)) {
            parsed.insert(path, Parsed::read(&vocabulary, path, text, &mut problems));
        }
        for p in parsed.values() {
            problems.extend(engine.validate(&p.rules));
            for rule in &p.rules {
                check_rule(&vocabulary, rule, &readings, &mut problems);
            }
        }
        let mut cases = Vec::new();
        for (path, text) in files.iter().filter(|(p, _)| p.starts_with("cases/") && p.ends_with(".md")) {
            let (article, found) = article::read(path, text);
            problems.extend(found);
            cases.extend(article.blocks.into_iter().filter_map(|b| match b {
                Block::Rows(table) => Some(((*path).to_owned(), table)),
                _ => None,
            }));
        }
        let mut texts = BTreeMap::new();
        for id in TextId::ALL {
            if let Some(text) = read_text(&vocabulary, id, files, &parsed, &mut problems) {
                texts.insert(id, Arc::new(text));
            }
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let mut hasher = Hasher::default();
        for (path, text) in files.iter().filter(|(p, _)| !WRITTEN.contains(p)) {
            hasher.update(format!("{path}\0{}\0", text.len()).as_bytes());
            hasher.update(text.as_bytes());
        }
        let digest = hasher.finish();
        let claims = files.iter().filter(|(p, _)| p.starts_with("claims/") && *p != "claims/results.toml");
        let claims = claims.map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect();
        let results = find("claims/results.toml").map(str::to_owned);
        Ok(Self {
            claims,
            results,
            vocabulary,
            texts,
            baselines,
            readings,
            states,
            cases,
            engine,
            sentences,
            digest,
        })
    }

    /// The closed list of facts.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// What is known of Member States.
    pub fn states(&self) -> &States {
        &self.states
    }

    /// A text.
    ///
    /// # Errors
    /// If the rulebook has no folder for it.
    pub fn text(&self, id: TextId) -> Result<&Text, NoSuchText> {
        self.texts.get(&id).map(AsRef::as_ref).ok_or_else(|| NoSuchText(id.to_string()))
    }

    /// The texts it has, oldest first.
    pub fn texts(&self) -> impl Iterator<Item = (TextId, &Text)> {
        self.texts.iter().map(|(id, t)| (*id, t.as_ref()))
    }

    /// The reading of that id.
    pub fn reading(&self, id: &str) -> Option<&Reading> {
        self.readings.get(id)
    }

    /// A named starting point: every fact known.
    pub fn baseline(&self, name: &str) -> Option<&Facts> {
        self.baselines.get(name)
    }

    /// Digest of every file of the rulebook that a person writes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The Cedar schema that follows from the vocabulary.
    pub fn schema(&self) -> String {
        schema_text(&self.vocabulary)
    }

    /// A sentence of `i18n/en.ftl`.
    pub fn sentence(&self, key: &str) -> Option<&str> {
        self.sentences.get(key).map(String::as_str)
    }
}

fn is_article(path: &str) -> bool {
    path.ends_with(".md") && (path.starts_with("texts/") || path.starts_with("floor/"))
}

struct Parsed {
    article: Arc<Article>,
    rules: Vec<Arc<Rule>>,
}

impl Parsed {
    fn read(vocabulary: &Vocabulary, path: &str, text: &str, problems: &mut Vec<Problem>) -> Self {
        let (article, found) = article::read(path, text);
        problems.extend(found);
        let mut rules = Vec::new();
        for block in &article.blocks {
            if let Block::Cedar(line, source) = block {
                let (found, bad) = rule::read_fence(vocabulary, path, *line, source, &article.confidence);
                rules.extend(found.into_iter().map(Arc::new));
                problems.extend(bad);
            }
        }
        Self { article: Arc::new(article), rules }
    }
}

fn check_rule(
    vocabulary: &Vocabulary,
    rule: &Rule,
    readings: &BTreeMap<String, Reading>,
    problems: &mut Vec<Problem>,
) {
    let mut report = |message: String| problems.push(Problem::new(&rule.file, rule.line, message));
    for reading in &rule.readings {
        if !readings.contains_key(reading) {
            report(format!("`{}` names the reading `{reading}`, not in readings.toml", rule.id));
        }
    }

    rule.when.facts(&mut |f| {
        let fact = vocabulary.fact(f);
        if fact.gate && !rule.floor {
            report(format!("`{}` uses `{}`, which only the gate knows", rule.id, fact.id));
        }
    });
}

fn read_text(
    vocabulary: &Vocabulary,
    id: TextId,
    files: &[(&str, &str)],
    parsed: &BTreeMap<&str, Parsed>,
    problems: &mut Vec<Problem>,
) -> Option<Text> {
    let own = format!("texts/{id}/");
    let find = |path: &str| files.iter().find(|(p, _)| *p == path).map(|(p, t)| (*p, *t));
    let (path, text) = find(&format!("{own}text.toml"))?;
    let (meta, found) = read_meta(id.id(), path, text);
    problems.extend(found);
    let meta = meta?;
    let base = meta.based_on.as_ref().map(|b| format!("texts/{b}/"));
    let pick = |name: &str| {
        find(&format!("{own}{name}")).or_else(|| base.as_ref().and_then(|b| find(&format!("{b}{name}"))))
    };
    let mut names: Vec<&str> = Vec::new();
    for folder in std::iter::once(&own).chain(base.as_ref()) {
        for (path, _) in files.iter().filter(|(p, _)| p.starts_with(folder.as_str()) && p.ends_with(".md")) {
            let name = path.strip_prefix(folder.as_str()).unwrap_or_default();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.sort_unstable();
    let mut out = Text {
        articles: Vec::new(),
        rules: Vec::new(),
        dates: BTreeMap::new(),
        duties: Vec::new(),
        fines: Vec::new(),
        neighbours: Vec::new(),
        links: Default::default(),
        meta,
    };
    let mut take = |p: &Parsed| {
        out.articles.push(Arc::clone(&p.article));
        out.rules.extend(p.rules.iter().map(Arc::clone));
    };
    for name in names {
        if let Some(p) = pick(name).and_then(|(path, _)| parsed.get(path)) {
            take(p);
        }
    }
    parsed.iter().filter(|(p, _)| p.starts_with("floor/")).for_each(|(_, p)| take(p));
    if let Some((path, text)) = pick("dates.toml") {
        let (dates, found) = read_dates(path, text);
        out.dates = dates;
        problems.extend(found);
    }
    if let Some((path, text)) = pick("duties.toml") {
        let (duties, found) = read_duties(path, text);
        for duty in &duties {
            check_date(&out.dates, duty.applies.as_ref(), path, &duty.id, problems);
        }
        out.duties = duties;
        problems.extend(found);
    }
    if let Some((path, text)) = pick("fines.toml") {
        let (fines, found) = read_fines(path, text);
        for fine in &fines {
            check_date(&out.dates, fine.applies.as_ref(), path, &fine.id, problems);
        }
        out.fines = fines;
        problems.extend(found);
    }
    if let Some((path, text)) = pick("neighbours.toml") {
        let (neighbours, found) = read_neighbours(path, text);
        out.neighbours = neighbours;
        problems.extend(found);
    }
    out.link(vocabulary, problems);
    Some(out)
}

fn check_date(
    dates: &BTreeMap<String, crate::text::Applies>,
    key: Option<&String>,
    path: &str,
    id: &str,
    problems: &mut Vec<Problem>,
) {
    if let Some(key) = key.filter(|k| !dates.contains_key(*k)) {
        problems.push(Problem::new(
            path,
            0,
            format!("`{id}` applies from `{key}`, which is not in dates.toml"),
        ));
    }
}

fn read_readings(text: &str, problems: &mut Vec<Problem>) -> BTreeMap<String, Reading> {
    let (list, found) = each("readings.toml", text, "reading", |t| Reading {
        id: t.need("id"),
        article: t.need("article"),
        says: t.need("says"),
        why: t.need("why"),
        instead: t.need("instead"),
    });
    problems.extend(found);
    list.into_iter().map(|r| (r.id.clone(), r)).collect()
}

fn read_baselines(
    vocabulary: &Vocabulary,
    text: &str,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Facts> {
    let source = Source::new("baselines.toml", text);
    let mut out: BTreeMap<String, Facts> = BTreeMap::new();
    if let Some(table) = source.parse() {
        let root = source.table(table.get_ref(), 1);
        for (name, line, value) in root.entries() {
            let Some(t) = root.as_table(value, line) else {
                root.report_at(line, format!("`{name}` must be a table [{name}]"));
                continue;
            };
            let mut facts = match t.text("base") {
                Some(base) => match out.get(&base) {
                    Some(facts) => facts.clone(),
                    None => {
                        t.report_at(
                            line,
                            format!("`{name}` builds on `{base}`, which does not stand above it"),
                        );
                        ordinary(vocabulary)
                    }
                },
                None => ordinary(vocabulary),
            };
            for (key, line, value) in t.entries() {
                if key == "base" {
                    continue;
                }
                let fact = vocabulary.find(key).filter(|f| vocabulary.fact(*f).derived.is_none());
                match fact.map(|f| (f, vocabulary.fact(f).read_toml(value))) {
                    Some((f, Ok(v))) => facts.set(f, v),
                    Some((_, Err(e))) => t.report_at(line, e),
                    None => {
                        let near = vocabulary.near(key).map(|n| format!("; did you mean `{n}`?"));
                        t.report_at(line, format!("there is no fact `{key}`{}", near.unwrap_or_default()));
                    }
                }
            }
            facts.contradictions(vocabulary, |_, message| t.report_at(line, format!("`{name}`: {message}")));
            out.insert(name.to_owned(), facts);
        }
    }
    problems.extend(source.into_problems());
    out
}

/// Every fact at its ordinary value.
pub(crate) fn ordinary(vocabulary: &Vocabulary) -> Facts {
    let mut facts = Facts::none(vocabulary);
    for (id, fact) in vocabulary.facts().filter(|(_, f)| f.derived.is_none() && f.from_state.is_none()) {
        facts.set(id, Some(fact.otherwise));
    }
    facts.set(vocabulary.as_of(), None::<Value>);
    facts
}

/// The day a text could first be asked about.
pub(crate) fn first_day(text: &Text) -> Date {
    text.meta.published
}
