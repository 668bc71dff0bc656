//! The Member States: what is known of their law, one file each; a State without a file is closed.

use std::collections::BTreeMap;

use crate::article::check_confidence;
use crate::problem::Problem;
use crate::table::Source;
use crate::vocabulary::{Fact, Value, Vocabulary};

/// One Member State whose law is known here.
#[derive(Debug, Clone)]
pub struct State {
    /// Two letters.
    pub id: String,
    /// Its English name.
    pub name: String,
    /// Where this comes from.
    pub source: String,
    /// How well it is backed.
    pub confidence: String,
    /// A remark.
    pub note: Option<String>,
    values: BTreeMap<String, Value>,
}

/// Every State that has a file.
#[derive(Debug, Clone, Default)]
pub struct States(BTreeMap<String, State>);

impl States {
    /// The State of that code, if it has a file.
    pub fn get(&self, code: &str) -> Option<&State> {
        self.0.get(code)
    }

    /// Every State that has a file.
    pub fn iter(&self) -> impl Iterator<Item = &State> {
        self.0.values()
    }

    pub(crate) fn value(&self, code: &str, key: &str, _fact: &Fact) -> Option<Value> {
        self.0.get(code)?.values.get(key).copied()
    }

    pub(crate) fn read(&mut self, vocabulary: &Vocabulary, file: &str, text: &str) -> Vec<Problem> {
        let source = Source::new(file, text);
        if let Some(table) = source.parse() {
            let t = source.table(table.get_ref(), 1);
            let mut state = State {
                id: t.need("id"),
                name: t.need("name"),
                source: t.need("source"),
                confidence: t.need("confidence"),
                note: t.text("note"),
                values: BTreeMap::new(),
            };
            check_confidence(&state.confidence, |m| t.report(m));
            let asked =
                vocabulary.facts().filter_map(|(_, f)| f.from_state.as_ref().map(|k| (k.as_str(), f)));
            let asked: Vec<(&str, &Fact)> = asked.collect();
            for (key, line, value) in t.entries() {
                if ["id", "name", "source", "confidence", "note"].contains(&key) {
                    continue;
                }
                match asked.iter().find(|(k, _)| *k == key) {
                    None => t.report_at(line, format!("no fact has from_state = \"{key}\"")),
                    Some((_, fact)) => match fact.read_toml(value) {
                        Ok(Some(v)) => {
                            state.values.insert(key.to_owned(), v);
                        }
                        Ok(None) => t.report_at(line, "leave out what is not known"),
                        Err(e) => t.report_at(line, e),
                    },
                }
            }
            let known = vocabulary
                .find("member_state")
                .is_some_and(|f| vocabulary.fact(f).read(&state.id).is_ok() && state.id != "none");
            if !known || !file.ends_with(&format!("{}.toml", state.id)) {
                t.report(format!("`{}` is no Member State, or the file is not called after it", state.id));
            }
            self.0.insert(state.id.clone(), state);
        }
        source.into_problems()
    }
}
