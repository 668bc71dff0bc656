//! The closed list of facts any rule may speak of, read from `facts.toml`.

use std::collections::{BTreeSet, HashMap};

use crate::date::Date;
use crate::problem::{Problem, Problems, nearest};
use crate::table::{Source, Table, date_of, describe, int_of};
use crate::verdict::Conclusion;

/// Which fact, by its place in the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FactId(pub(crate) u16);

impl FactId {
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// The value of a fact that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// The value at that place of the fact's list.
    Choice(u16),
    /// A whole number in the fact's unit.
    Int(i64),
    /// A day.
    Day(Date),
}

/// What values a fact can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no.
    Bool,
    /// One of a closed list.
    Choice(Vec<Choice>),
    /// A whole number.
    Int {
        /// Smallest number allowed.
        min: i64,
        /// Largest number allowed.
        max: i64,
        /// What is counted: `months`, `minutes`.
        unit: String,
    },
    /// A day.
    Day,
}

/// One value of a closed list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// As written in files: `missing_person`.
    pub id: String,
    /// In words.
    pub words: String,
}

/// Where a fact nobody is asked for comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Derived {
    /// Yes if a rule with `@sets` is satisfied.
    Rules,
    /// Yes if that is concluded.
    Conclusion(Conclusion),
}

/// One fact of the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// As written in files.
    pub id: String,
    /// The group it belongs to.
    pub group: String,
    /// Its values.
    pub kind: Kind,
    /// The value when `only_if` fails and in the rest of a baseline.
    pub otherwise: Value,
    /// The fact it hangs on, and the values of that under which it is a question at all.
    pub only_if: Option<(FactId, Vec<Value>)>,
    /// The question put to a person.
    pub question: String,
    /// The fact as a sentence (yes/no), or what the value is of.
    pub says: String,
    /// Who can know it.
    pub who: String,
    /// The article that defines it.
    pub article: String,
    /// An open legal word that a named person answers for.
    pub asserted: bool,
    /// The templates of `decide --new` that mention it.
    pub templates: Vec<String>,
    /// Never asked, computed.
    pub derived: Option<Derived>,
    /// The key of the Member State's file that answers while nobody else does.
    pub from_state: Option<String>,
    /// Known to the gate alone.
    pub gate: bool,
    /// Silence about it says nothing, whatever the reader assumes of the rest.
    pub never_assumed: bool,
}

impl Fact {
    /// The name of the Cedar entity type of a choice: `victim_of` → `VictimOf`.
    pub(crate) fn cedar_type(&self) -> String {
        camel(&self.id)
    }

    /// The value as written in files.
    pub fn write(&self, value: Value) -> String {
        match (&self.kind, value) {
            (_, Value::Bool(b)) => if b { "yes" } else { "no" }.to_owned(),
            (Kind::Choice(list), Value::Choice(i)) => {
                list.get(usize::from(i)).map(|c| c.id.clone()).unwrap_or_default()
            }
            (_, Value::Choice(i)) => i.to_string(),
            (_, Value::Int(n)) => n.to_string(),
            (_, Value::Day(d)) => d.to_string(),
        }
    }

    /// The value in words, with its unit.
    pub fn words(&self, value: Value) -> String {
        match (&self.kind, value) {
            (Kind::Choice(list), Value::Choice(i)) => {
                list.get(usize::from(i)).map(|c| c.words.clone()).unwrap_or_default()
            }
            (Kind::Int { unit, .. }, Value::Int(n)) => format!("{n} {unit}"),
            (_, Value::Day(d)) => d.words(),
            _ => self.write(value),
        }
    }

    /// A whole sentence: "the place is publicly accessible: yes".
    pub fn sentence(&self, value: Option<Value>) -> String {
        match value {
            None => format!("{}: not known", self.says),
            Some(value) => format!("{}: {}", self.says, self.words(value)),
        }
    }

    /// Reads a value as written in rows and on the prompt.
    ///
    /// # Errors
    /// What values the fact has, if the word is none of them.
    pub fn read(&self, word: &str) -> Result<Value, String> {
        match &self.kind {
            Kind::Bool => match word {
                "yes" | "y" | "true" => Ok(Value::Bool(true)),
                "no" | "n" | "false" => Ok(Value::Bool(false)),
                _ => Err(format!("`{}` is yes, no or unknown, not `{word}`", self.id)),
            },
            Kind::Choice(list) => match list.iter().position(|c| c.id == word) {
                Some(i) => Ok(Value::Choice(u16::try_from(i).unwrap_or(u16::MAX))),
                None => Err(self.not_a_choice(word, list)),
            },
            Kind::Int { .. } => {
                let n = word.replace('_', "").parse::<i64>().map_err(|_| {
                    format!("`{}` is a whole number{}, not `{word}`", self.id, self.unit_words())
                })?;
                self.within(Value::Int(n))
            }
            Kind::Day => word.parse::<Date>().map(Value::Day).map_err(|e| format!("`{}`: {e}", self.id)),
        }
    }

    pub(crate) fn read_toml(&self, value: &toml::de::DeValue<'_>) -> Result<Option<Value>, String> {
        if matches!(value.as_str(), Some("unknown" | "?")) {
            return Ok(None);
        }
        let wrong = |wanted: &str| Err(format!("`{}` is {wanted}, not {}", self.id, describe(value)));
        match &self.kind {
            Kind::Bool => match (value.as_bool(), value.as_str()) {
                (Some(b), _) => Ok(Some(Value::Bool(b))),
                (_, Some("yes")) => Ok(Some(Value::Bool(true))),
                (_, Some("no")) => Ok(Some(Value::Bool(false))),
                _ => wrong("true, false or \"unknown\""),
            },
            Kind::Choice(list) => match value.as_str() {
                Some(word) => self.read(word).map(Some),
                None => wrong(&format!("one of the texts {}", ids(list))),
            },
            Kind::Int { .. } => match int_of(value) {
                Some(n) => self.within(Value::Int(n)).map(Some),
                None => wrong(&format!("a whole number{}", self.unit_words())),
            },
            Kind::Day => {
                date_of(value).map(|d| Some(Value::Day(d))).map_err(|e| format!("`{}`: {e}", self.id))
            }
        }
    }

    fn unit_words(&self) -> String {
        match &self.kind {
            Kind::Int { unit, .. } => format!(" of {unit}"),
            _ => String::new(),
        }
    }

    fn within(&self, value: Value) -> Result<Value, String> {
        match (&self.kind, value) {
            (Kind::Int { min, max, unit }, Value::Int(n)) if n < *min || n > *max => {
                Err(format!("`{}` is between {min} and {max} {unit}, not {n}", self.id))
            }
            _ => Ok(value),
        }
    }

    fn not_a_choice(&self, word: &str, list: &[Choice]) -> String {
        match nearest(word, list.iter().map(|c| c.id.as_str())) {
            Some(near) => format!("`{word}` is no value of `{}`; did you mean `{near}`?", self.id),
            None => format!("`{word}` is no value of `{}`; it has {}", self.id, ids(list)),
        }
    }
}

fn ids(list: &[Choice]) -> String {
    list.iter().map(|c| c.id.as_str()).collect::<Vec<_>>().join(", ")
}

pub(crate) fn camel(id: &str) -> String {
    id.split('_')
        .map(|part| {
            let mut chars = part.chars();
            chars.next().map(|c| c.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
        })
        .collect()
}

/// Facts that exclude each other: they cannot all have one of the values named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contradiction {
    pub(crate) facts: Vec<(FactId, Vec<Value>)>,
    pub(crate) says: String,
}

impl Contradiction {
    /// Whether what is known of the facts excludes itself.
    pub(crate) fn excludes(&self, value: impl Fn(FactId) -> Option<Value>) -> bool {
        self.facts.iter().all(|(f, values)| value(*f).is_some_and(|v| values.contains(&v)))
    }
}

/// The closed list of facts.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    facts: Vec<Fact>,
    by_id: HashMap<String, FactId>,
    groups: Vec<(String, String)>,
    pub(crate) contradictions: Vec<Contradiction>,
}

/// The id of the fact that holds the day of the question.
pub(crate) const AS_OF: &str = "as_of";
/// Keys of a facts file that are no facts.
pub(crate) const RESERVED: [&str; 6] = ["title", "text", "as_of", "asserted_by", "note", "facts"];

impl Vocabulary {
    /// Every fact, in the order of the file; the first is the day of the question.
    pub fn facts(&self) -> impl Iterator<Item = (FactId, &Fact)> {
        self.facts.iter().enumerate().map(|(i, f)| (FactId(u16::try_from(i).unwrap_or(u16::MAX)), f))
    }

    /// The groups: id and title.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &str)> {
        self.groups.iter().map(|(id, title)| (id.as_str(), title.as_str()))
    }

    /// The fact of that name.
    pub fn find(&self, id: &str) -> Option<FactId> {
        self.by_id.get(id).copied()
    }

    /// The fact; ids come from this vocabulary alone.
    pub fn fact(&self, id: FactId) -> &Fact {
        self.facts.get(id.index()).expect("a FactId is made by the vocabulary it is used with")
    }

    /// The name nearest to a wrong one.
    pub fn near(&self, wrong: &str) -> Option<&str> {
        nearest(wrong, self.facts.iter().map(|f| f.id.as_str()))
    }

    /// How many facts there are.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Never true: the day of the question is always there.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    pub(crate) fn as_of(&self) -> FactId {
        FactId(0)
    }

    /// Reads a vocabulary such as `rulebook/facts.toml`, for tools that need the facts without the rules.
    ///
    /// # Errors
    /// What is wrong in it, by line.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        match Self::read(file, text) {
            (vocabulary, problems) if problems.is_empty() => Ok(vocabulary),
            (_, problems) => Err(Problems(problems)),
        }
    }

    pub(crate) fn read(file: &str, text: &str) -> (Self, Vec<Problem>) {
        let mut out =
            Self { facts: Vec::new(), by_id: HashMap::new(), groups: Vec::new(), contradictions: Vec::new() };
        out.push(Fact {
            id: AS_OF.to_owned(),
            group: String::new(),
            kind: Kind::Day,
            otherwise: Value::Day(Date::MIN),
            only_if: None,
            question: "For which day is the question asked?".to_owned(),
            says: "the day of the question".to_owned(),
            who: String::new(),
            article: "Art. 113".to_owned(),
            asserted: false,
            templates: Vec::new(),
            derived: None,
            from_state: None,
            gate: false,
            never_assumed: true,
        });
        let source = Source::new(file, text);
        if let Some(table) = source.parse() {
            let root = source.table(table.get_ref(), 1);
            for group in root.each("group") {
                out.groups.push((group.need("id"), group.need("title")));
                group.finish();
            }
            for fact in root.each("fact") {
                out.read_fact(fact);
            }
            for c in root.each("contradiction") {
                out.read_contradiction(c);
            }
            root.finish();
        }
        (out, source.into_problems())
    }

    fn push(&mut self, fact: Fact) {
        let id = FactId(u16::try_from(self.facts.len()).unwrap_or(u16::MAX));
        self.by_id.insert(fact.id.clone(), id);
        self.facts.push(fact);
    }

    fn read_fact(&mut self, t: Table<'_, '_>) {
        let id = t.need("id");
        let well_formed = id.starts_with(|c: char| c.is_ascii_lowercase())
            && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !well_formed {
            t.report(format!("`{id}` is no name for a fact: lower case letters, digits and _ only"));
        }
        if self.by_id.contains_key(&id) || RESERVED.contains(&id.as_str()) {
            t.report(format!("the fact `{id}` stands here twice, or is a reserved word"));
        }
        let group = t.need("group");
        if !self.groups.iter().any(|(g, _)| *g == group) {
            t.report(format!("`{id}` names a group `{group}` that does not exist"));
        }
        let kind = read_kind(&t, &id);
        let mut fact = Fact {
            group,
            kind,
            otherwise: Value::Bool(false),
            only_if: None,
            question: t.text("question").unwrap_or_default(),
            says: t.need("says"),
            who: t.text("who").unwrap_or_default(),
            article: t.need("article"),
            asserted: t.flag("asserted"),
            templates: t.list("templates"),
            derived: None,
            from_state: t.text("from_state"),
            gate: t.flag("gate"),
            never_assumed: t.flag("never_assumed"),
            id,
        };
        fact.otherwise = read_otherwise(&t, &fact);
        fact.derived = t.text("derived").and_then(|d| match d.as_str() {
            "rules" => Some(Derived::Rules),
            other => match Conclusion::parse(other) {
                Some(c) => Some(Derived::Conclusion(c)),
                None => {
                    t.report(format!("`derived` is \"rules\" or a conclusion, not \"{other}\""));
                    None
                }
            },
        });
        if fact.derived.is_some() && fact.kind != Kind::Bool {
            t.report(format!("`{}` is derived and must be of type bool", fact.id));
        }
        if fact.derived.is_none() && !fact.gate && fact.question.is_empty() {
            t.report(format!("`{}` has no question", fact.id));
        }
        fact.only_if = self.read_only_if(&t, &fact.id);
        self.push(fact);
        t.finish();
    }

    fn read_only_if(&self, t: &Table<'_, '_>, id: &str) -> Option<(FactId, Vec<Value>)> {
        let inner = t.inner("only_if")?;
        let parent = inner.need("fact");
        let Some(parent_id) = self.find(&parent) else {
            inner.report(format!("`{id}` hangs on `{parent}`, which is not a fact above it"));
            return None;
        };
        let parent_fact = self.fact(parent_id);
        if parent_fact.derived.is_some() {
            inner.report(format!("`{id}` hangs on `{parent}`, which is derived; name a fact that is asked"));
        }
        let mut values = Vec::new();
        match inner.raw("is") {
            None => inner.report("`only_if` needs `is`"),
            Some((line, value)) => values = one_or_many(&inner, parent_fact, line, value),
        }
        inner.finish();
        Some((parent_id, values))
    }

    fn read_contradiction(&mut self, t: Table<'_, '_>) {
        let says = t.need("says");
        let mut facts = Vec::new();
        if let Some(inner) = t.inner("facts") {
            for (key, line, value) in inner.entries() {
                let Some(id) = self.find(key) else {
                    inner.report_at(line, format!("there is no fact `{key}`"));
                    continue;
                };
                facts.push((id, one_or_many(&inner, self.fact(id), line, value)));
            }
        }
        t.finish();
        self.contradictions.push(Contradiction { facts, says });
    }
}

/// A value of the fact, or a list of them; `"*"` is any value but the ordinary one.
fn one_or_many(t: &Table<'_, '_>, fact: &Fact, line: usize, value: &toml::de::DeValue<'_>) -> Vec<Value> {
    if let (Some("*"), Kind::Choice(list)) = (value.as_str(), &fact.kind) {
        let all = (0..list.len()).filter_map(|at| u16::try_from(at).ok()).map(Value::Choice);
        return all.filter(|v| *v != fact.otherwise).collect();
    }
    let given: Vec<&toml::de::DeValue<'_>> = match value.as_array() {
        Some(list) => list.iter().map(toml::Spanned::get_ref).collect(),
        None => vec![value],
    };
    let mut out = Vec::new();
    for v in given {
        match fact.read_toml(v) {
            Ok(Some(v)) => out.push(v),
            Ok(None) => t.report_at(line, format!("`{}` cannot be unknown here", fact.id)),
            Err(e) => t.report_at(line, e),
        }
    }
    out
}

fn read_kind(t: &Table<'_, '_>, id: &str) -> Kind {
    match t.need("type").as_str() {
        "bool" => Kind::Bool,
        "date" => Kind::Day,
        "int" => Kind::Int {
            min: t.int("min").unwrap_or(0),
            max: t.int("max").unwrap_or(1_000_000_000_000),
            unit: t.need("unit"),
        },
        "enum" => {
            let mut list: Vec<Choice> = Vec::new();
            let mut seen = BTreeSet::new();
            match t.raw("values").and_then(|(_, v)| v.as_array()) {
                None => t.report(format!("`{id}` is an enum and needs `values = [[\"id\", \"words\"], …]`")),
                Some(array) => {
                    for pair in array.iter() {
                        let pair: Vec<&str> = match pair.get_ref().as_array() {
                            Some(p) => p.iter().filter_map(|v| v.get_ref().as_str()).collect(),
                            None => pair.get_ref().as_str().into_iter().collect(),
                        };
                        match pair.as_slice() {
                            [value, words] if seen.insert((*value).to_owned()) => {
                                list.push(Choice { id: (*value).to_owned(), words: (*words).to_owned() });
                            }
                            [value, _] => t.report(format!("`{id}` has the value `{value}` twice")),
                            _ => t.report(format!("a value of `{id}` must be written [\"id\", \"words\"]")),
                        }
                    }
                }
            }
            Kind::Choice(list)
        }
        other => {
            t.report(format!("`type` is bool, enum, int or date, not `{other}`"));
            Kind::Bool
        }
    }
}

fn read_otherwise(t: &Table<'_, '_>, fact: &Fact) -> Value {
    let default = match &fact.kind {
        Kind::Bool => Value::Bool(false),
        Kind::Int { .. } => Value::Int(0),
        Kind::Day => Value::Day(Date::MIN),
        Kind::Choice(_) => Value::Choice(0),
    };
    match t.raw("otherwise") {
        Some((line, value)) => match fact.read_toml(value) {
            Ok(Some(v)) => v,
            Ok(None) => {
                t.report_at(line, "`otherwise` cannot be unknown");
                default
            }
            Err(e) => {
                t.report_at(line, e);
                default
            }
        },
        None => {
            if matches!(fact.kind, Kind::Choice(_)) {
                t.report(format!("`{}` is an enum and needs `otherwise`", fact.id));
            }
            if let Kind::Int { min, .. } = fact.kind {
                return Value::Int(min.max(0));
            }
            default
        }
    }
}
