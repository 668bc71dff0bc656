//! What is known of a case.

use std::collections::BTreeSet;

use toml::de::DeValue;

use crate::date::Date;
use crate::problem::{Problem, Problems, line_of};
use crate::state::States;
use crate::table::{Source, date_of, describe};
use crate::vocabulary::{Fact, FactId, RESERVED, Value, Vocabulary};

/// The longest facts file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// What is known of a case; whatever is not in it is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What the case is called.
    pub title: Option<String>,
    /// The texts the file asks for.
    pub texts: Vec<String>,
    /// The day the file asks for.
    pub as_of: Option<Date>,
    /// Who answers for the open legal words.
    pub asserted_by: Option<String>,
    values: Vec<Option<Value>>,
    /// Facts of which the file itself says that they are unknown.
    said_unknown: BTreeSet<FactId>,
}

impl Facts {
    /// Nothing is known.
    pub fn none(vocabulary: &Vocabulary) -> Self {
        Self {
            title: None,
            texts: Vec::new(),
            as_of: None,
            asserted_by: None,
            values: vec![None; vocabulary.len()],
            said_unknown: BTreeSet::new(),
        }
    }

    /// The value as given, before anything follows from other facts.
    pub fn get(&self, fact: FactId) -> Option<Value> {
        self.values.get(fact.index()).copied().flatten()
    }

    /// Whether the file says that the fact is unknown, rather than nothing of it.
    pub fn said_unknown(&self, fact: FactId) -> bool {
        self.said_unknown.contains(&fact)
    }

    /// Sets or forgets a fact.
    pub fn set(&mut self, fact: FactId, value: Option<Value>) {
        if let Some(slot) = self.values.get_mut(fact.index()) {
            *slot = value;
        }
    }

    /// Reads a facts file.
    ///
    /// # Errors
    /// Everything that is wrong in it, by line: too long, not UTF-8, no TOML, unknown names with the nearest right
    /// one, values a fact cannot have, impossible or absurd dates, facts that contradict each other.
    pub fn parse(vocabulary: &Vocabulary, file: &str, bytes: &[u8]) -> Result<Self, Problems> {
        let one = |line, message: String| Problems(vec![Problem::new(file, line, message)]);
        if bytes.len() > MAX_BYTES {
            let message = format!("the file has more than {MAX_BYTES} bytes, the most a facts file may have");
            return Err(one(0, message));
        }
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let head = bytes.get(..e.valid_up_to()).unwrap_or_default();
            let line = line_of(&String::from_utf8_lossy(head), e.valid_up_to());
            one(line, "the file is not UTF-8 from here on; save it as UTF-8".to_owned())
        })?;
        let source = Source::new(file, text);
        let mut out = Self::none(vocabulary);
        let mut lines = vec![0; vocabulary.len()];
        if let Some(table) = source.parse() {
            let root = source.table(table.get_ref(), 1);
            out.title = root.text("title").filter(|t| !t.trim().is_empty());
            out.asserted_by = root.text("asserted_by").filter(|t| !t.trim().is_empty());
            let _ = root.text("note");
            out.texts = match root.raw("text") {
                None => Vec::new(),
                Some((_, DeValue::String(one))) => vec![one.to_string()],
                Some((_, DeValue::Array(list))) if list.iter().all(|t| t.get_ref().is_str()) => {
                    root.list("text")
                }
                Some((line, DeValue::Array(_))) => {
                    root.report_at(
                        line,
                        "`text` is a text's name or a list of them, such as [\"eu2024\", \"eu2026\"]",
                    );
                    Vec::new()
                }
                Some((line, other)) => {
                    root.report_at(
                        line,
                        format!("`text` is a text's name or a list of them, not {}", describe(other)),
                    );
                    Vec::new()
                }
            };
            if let Some((line, value)) = root.raw("as_of") {
                match date_of(value) {
                    Ok(date) => out.as_of = Some(date),
                    Err(e) => root.report_at(line, format!("`as_of`: {e}")),
                }
            }
            for (key, line, value) in root.entries() {
                match (key, root.as_table(value, line)) {
                    ("facts", None) => root.report_at(
                        line,
                        "`facts` is a table: write `[facts]` once, and each fact on a line below it",
                    ),
                    ("facts", Some(inner)) => {
                        for (key, line, value) in inner.entries() {
                            if RESERVED.contains(&key) {
                                inner.report_at(
                                    line,
                                    format!("`{key}` is no fact; it stands above `[facts]`"),
                                );
                                continue;
                            }
                            out.read_one(vocabulary, &source, &mut lines, key, line, value);
                        }
                    }
                    _ if RESERVED.contains(&key) => {}
                    _ => out.read_one(vocabulary, &source, &mut lines, key, line, value),
                }
            }
        }
        out.contradictions(vocabulary, |facts, message| {
            let line = facts.iter().filter_map(|f| lines.get(f.index())).copied().max().unwrap_or(0);
            source.report(line, message);
        });
        let mut problems = source.into_problems();
        if problems.is_empty() {
            return Ok(out);
        }
        problems.sort_by_key(|p| p.line);
        Err(Problems(problems))
    }

    fn read_one(
        &mut self,
        vocabulary: &Vocabulary,
        source: &Source<'_>,
        lines: &mut [usize],
        key: &str,
        line: usize,
        value: &DeValue<'_>,
    ) {
        let Some(id) = vocabulary.find(key).filter(|id| *id != vocabulary.as_of()) else {
            let hint = match vocabulary.near(key) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`placet decide --new system` writes a file with the right names".to_owned(),
            };
            source.report(line, format!("there is no fact `{key}`; {hint}"));
            return;
        };
        let fact = vocabulary.fact(id);
        if fact.derived.is_some() {
            source.report(line, format!("`{key}` follows from other facts and cannot be given"));
            return;
        }
        match fact.read_toml(value) {
            Ok(value) => {
                if lines.get(id.index()).is_some_and(|l| *l != 0) && self.get(id) != value {
                    source.report(line, format!("`{key}` is given twice, with different values"));
                }
                self.set(id, value);
                if value.is_none() {
                    self.said_unknown.insert(id);
                }
                if let Some(slot) = lines.get_mut(id.index()) {
                    *slot = line;
                }
            }
            Err(message) => source.report(line, message),
        }
    }

    /// Reports facts that cannot be true together, by the facts involved. What a told fact needs above it counts as told.
    pub(crate) fn contradictions(&self, vocabulary: &Vocabulary, mut report: impl FnMut(&[FactId], String)) {
        let facts: Vec<_> = vocabulary.facts().collect();
        let mut needs: Vec<Option<Need>> = facts.iter().map(|_| None).collect();
        // Children stand below their parents, so one pass from the end reaches every ancestor.
        for (id, fact) in facts.iter().rev() {
            let Some((parent, is)) = &fact.only_if else { continue };
            let ordinary = |list: &[Value]| list.contains(&fact.otherwise);
            let origin = match (self.get(*id), needs.get(id.index()).and_then(Option::as_ref)) {
                (Some(value), _) if value != fact.otherwise => *id,
                (None, Some(need)) if !ordinary(&need.values) => need.origin,
                _ => continue,
            };
            let above = vocabulary.fact(*parent);
            if let Some(given) = self.get(*parent) {
                if !is.contains(&given) {
                    let words = format!(
                        "{} contradicts {}: the first is only possible where `{}` is {}",
                        self.told(vocabulary, origin),
                        self.told(vocabulary, *parent),
                        above.id,
                        one_of(above, is)
                    );
                    report(&[origin, *parent], words);
                }
                continue;
            }
            let Some(slot) = needs.get_mut(parent.index()) else { continue };
            let both = match slot.as_ref() {
                None => is.clone(),
                Some(need) => need.values.iter().filter(|v| is.contains(v)).copied().collect(),
            };
            if let (true, Some(need)) = (both.is_empty(), slot.as_ref()) {
                let words = format!(
                    "{} contradicts {}: the first is only possible where `{}` is {}, the second where it is {}",
                    self.told(vocabulary, origin),
                    self.told(vocabulary, need.origin),
                    above.id,
                    one_of(above, is),
                    one_of(above, &need.values)
                );
                report(&[origin, need.origin], words);
                continue;
            }
            *slot = Some(Need { values: both, origin });
        }
        let known = |f: FactId| {
            self.get(f).or_else(|| match needs.get(f.index())?.as_ref()?.values.as_slice() {
                [only] => Some(*only),
                _ => None,
            })
        };
        for c in vocabulary.contradictions.iter().filter(|c| !c.facts.is_empty() && c.excludes(known)) {
            let ids: Vec<FactId> = c.facts.iter().map(|(f, _)| *f).collect();
            let list: Vec<String> = ids
                .iter()
                .filter_map(|f| Some((vocabulary.fact(*f), known(*f)?)))
                .map(|(fact, value)| format!("`{} = {}`", fact.id, fact.write(value)))
                .collect();
            report(&ids, format!("{} cannot hold together: {}", list.join(" and "), c.says));
        }
    }

    fn told(&self, vocabulary: &Vocabulary, id: FactId) -> String {
        let fact = vocabulary.fact(id);
        match self.get(id) {
            Some(value) => format!("`{} = {}`", fact.id, fact.write(value)),
            None => format!("`{}`", fact.id),
        }
    }

    /// Whether the facts can be true together; else what is wrong, in words.
    ///
    /// # Errors
    /// The first pair that cannot.
    pub fn check(&self, vocabulary: &Vocabulary) -> Result<(), String> {
        let mut first = None;
        self.contradictions(vocabulary, |_, words| {
            first.get_or_insert(words);
        });
        first.map_or(Ok(()), Err)
    }

    /// The values from which rules are judged: what follows from what is given, and nothing else. Derived facts are
    /// left unknown.
    pub fn settled(&self, vocabulary: &Vocabulary, states: &States, as_of: Date) -> Vec<Option<Value>> {
        let mut values = self.values.clone();
        let slot = vocabulary.as_of();
        if let Some(v) = values.get_mut(slot.index()) {
            *v = Some(Value::Day(as_of));
        }
        settle(vocabulary, states, &mut values);
        values
    }
}

/// What a fact that was not told must be for those below it that were.
struct Need {
    values: Vec<Value>,
    origin: FactId,
}

fn one_of(fact: &Fact, values: &[Value]) -> String {
    values.iter().map(|v| fact.write(*v)).collect::<Vec<_>>().join(" or ")
}

/// Fills in what follows: parents of known children, children of parents that rule them out, a State's known law.
pub(crate) fn settle(vocabulary: &Vocabulary, states: &States, values: &mut [Option<Value>]) {
    let get = |values: &[Option<Value>], f: FactId| values.get(f.index()).copied().flatten();
    let put = |values: &mut [Option<Value>], f: FactId, v: Value| {
        if let Some(slot) = values.get_mut(f.index()) {
            *slot = Some(v);
        }
    };
    let facts: Vec<_> = vocabulary.facts().collect();
    for (id, fact) in facts.iter().rev() {
        let (Some(value), Some((parent, is))) = (get(values, *id), &fact.only_if) else { continue };
        if let ([only], true, None) = (is.as_slice(), value != fact.otherwise, get(values, *parent)) {
            put(values, *parent, *only);
        }
    }
    let state = vocabulary.find("member_state");
    for (id, fact) in facts {
        if fact.derived.is_some() {
            if let Some(slot) = values.get_mut(id.index()) {
                *slot = None;
            }
            continue;
        }
        if let Some((parent, is)) = &fact.only_if {
            if get(values, *parent).is_some_and(|v| !is.contains(&v)) {
                put(values, id, fact.otherwise);
            }
        } else if fact.gate && get(values, id).is_none() {
            // Only the gate says that the question is the gate's.
            put(values, id, fact.otherwise);
        }
        if let (Some(key), None, Some(state)) = (&fact.from_state, get(values, id), state)
            && let Some(state_value) = get(values, state)
        {
            let code = vocabulary.fact(state).write(state_value);
            put(values, id, states.value(&code, key, fact).unwrap_or(fact.otherwise));
        }
    }
}

/// Whether a fact is one a person can be asked.
pub(crate) fn askable(vocabulary: &Vocabulary, id: FactId) -> bool {
    let fact = vocabulary.fact(id);
    fact.derived.is_none() && !fact.gate && id != vocabulary.as_of()
}
