//! The scenario rows as JSON, for other tools to run.

use serde_json::{Value as Json, json};

use crate::book::Rulebook;
use crate::problem::Problems;
use crate::vocabulary::{Kind, Value};

impl Rulebook {
    /// The conformance suite: the vocabulary, and every row with all its facts and what each text must say.
    ///
    /// # Errors
    /// If a row cannot be read.
    pub fn conformance(&self) -> Result<Json, Problems> {
        let (rows, bad) = self.rows();
        if !bad.is_empty() {
            let problems = bad.into_iter().map(|f| crate::problem::Problem {
                file: f.file,
                line: f.line,
                message: f.message,
            });
            return Err(Problems(problems.collect()));
        }
        let vocabulary = self.vocabulary();
        let facts: Vec<Json> = vocabulary
            .facts()
            .filter(|(id, f)| f.derived.is_none() && *id != vocabulary.as_of())
            .map(|(_, f)| {
                let kind = match &f.kind {
                    Kind::Bool => json!("yes or no"),
                    Kind::Choice(list) => json!(list.iter().map(|c| c.id.clone()).collect::<Vec<_>>()),
                    Kind::Int { min, max, unit } => json!({ "unit": unit, "min": min, "max": max }),
                    Kind::Day => json!("date"),
                };
                json!({ "id": f.id, "says": f.says, "article": f.article, "values": kind, "ordinary": f.write(f.otherwise) })
            })
            .collect();
        let mut cases = Vec::new();
        for row in &rows {
            let given = self.row_facts(row);
            let mut facts = serde_json::Map::new();
            let mut unknown = Vec::new();
            for (id, fact) in
                vocabulary.facts().filter(|(id, f)| f.derived.is_none() && *id != vocabulary.as_of())
            {
                match given.get(id) {
                    Some(v) if v != fact.otherwise => {
                        let written = match v {
                            Value::Bool(b) => json!(b),
                            Value::Int(n) => json!(n),
                            Value::Choice(_) | Value::Day(_) => json!(fact.write(v)),
                        };
                        facts.insert(fact.id.clone(), written);
                    }
                    None if fact.from_state.is_none() => unknown.push(fact.id.clone()),
                    _ => {}
                }
            }
            let mut expect = serde_json::Map::new();
            let mut as_of = serde_json::Map::new();
            for (text, set) in &row.expect {
                expect.insert(text.to_string(), json!(set));
                let day = row.as_of.or_else(|| self.text(*text).ok().map(|t| t.meta.row_as_of));
                as_of.insert(text.to_string(), json!(day.map(|d| d.to_string())));
            }
            let grounds: Vec<&String> =
                row.grounds.iter().filter(|(_, yes)| *yes).map(|(id, _)| id).collect();
            cases.push(json!({
                "source": format!("{}:{}", row.file, row.line), "case": row.name, "facts": facts, "unknown": unknown,
                "as_of": as_of, "expect": expect, "grounds": grounds,
            }));
        }
        Ok(json!({ "rulebook": self.digest().to_string(), "facts": facts, "cases": cases }))
    }
}
