//! Facts files: empty ones to fill in, and written ones.

use std::fmt::Write as _;

use crate::book::Rulebook;
use crate::facts::{Facts, askable};
use crate::row::Row;
use crate::vocabulary::{Fact, FactId, Kind, Value};

/// The templates of `decide --new`.
pub const TEMPLATES: [&str; 4] = ["live-search", "post-search", "system", "model"];

impl Rulebook {
    /// An empty facts file with the questions of a template as comments; `None` if there is no such template.
    pub fn template(&self, name: &str) -> Option<String> {
        if !TEMPLATES.contains(&name) {
            return None;
        }
        let mut out = format!(
            "# Facts for `placet decide` ({name}). Take the # away where you know the answer, and write it: unknown never helps.\n\
             # What is not answered is unknown; with `placet decide FILE --rest-not-so` it is not so.\n\
             # `placet decide` without a file asks one question at a time.\n\n\
             title = \"\"\n# asserted_by = \"who answers for the facts marked asserted\"\n\n[facts]\n"
        );
        for (group, title) in self.vocabulary().groups() {
            let facts: Vec<(FactId, &Fact)> = self
                .vocabulary()
                .facts()
                .filter(|(id, f)| f.group == group && askable(self.vocabulary(), *id))
                .filter(|(_, f)| f.templates.iter().any(|t| t == name))
                .collect();
            if facts.is_empty() {
                continue;
            }
            let _ = writeln!(out, "\n# --- {title}\n");
            for (_, fact) in facts {
                let _ = writeln!(out, "# {} ({})", fact.question, fact.article);
                let _ = writeln!(out, "# {}", self.values_words(fact));
                // What, who, where, at which stage: without these there is no case, so they stand open.
                let always =
                    fact.never_assumed && fact.only_if.is_none() && matches!(fact.kind, Kind::Choice(_));
                let mark = if always { "" } else { "# " };
                let _ = writeln!(out, "{mark}{} = \"unknown\"\n", fact.id);
            }
        }
        Some(out)
    }

    /// The six cases everybody asks first, in their order.
    pub fn headline_cases(&self) -> Vec<Row> {
        let (rows, _) = self.rows();
        rows.into_iter().filter(|r| r.file == "cases/headline.md").collect()
    }

    /// A facts file with one of the six cases, named by its number or by a word that only its name has.
    pub fn case_file(&self, name: &str) -> Option<String> {
        let cases = self.headline_cases();
        let wanted = name.to_lowercase();
        let named = |row: &Row| {
            let words = row.name.to_lowercase();
            words.split(|c: char| !c.is_alphanumeric()).any(|w| w == wanted)
        };
        let row = match name.parse::<usize>() {
            Ok(n) => cases.get(n.checked_sub(1)?)?,
            Err(_) => {
                let mut fitting = cases.iter().filter(|r| named(r));
                fitting.next().filter(|_| fitting.next().is_none())?
            }
        };
        let facts = self.row_facts(row);
        let (mut so, mut not) = (String::new(), String::new());
        for (id, fact) in
            self.vocabulary().facts().filter(|(id, f)| askable(self.vocabulary(), *id) && !f.gate)
        {
            let Some(value) = facts.get(id) else { continue };
            let possible =
                fact.only_if.as_ref().is_none_or(|(p, is)| facts.get(*p).is_some_and(|v| is.contains(&v)));
            if !possible {
                continue;
            }
            if value != fact.otherwise || fact.never_assumed {
                let _ = writeln!(so, "# {}\n{} = {}", fact.question, fact.id, written(fact, value));
            } else {
                let _ = writeln!(not, "{} = {}", fact.id, written(fact, value));
            }
        }
        let title = serde_json::Value::String(row.name.clone());
        Some(format!(
            "# One of the six cases, to change and try: `placet decide FILE`. A date decides which rules apply yet:\n\
             # `--as-of 2031-06-01` is a day on which all do.\n\ntitle = {title}\n\n[facts]\n{so}\n\
             # The rest is not so. (What hangs on these is not listed.)\n{not}"
        ))
    }

    fn values_words(&self, fact: &Fact) -> String {
        let mark = if fact.asserted { "; asserted: a named person answers for it" } else { "" };
        let values = match &fact.kind {
            Kind::Bool => "true or false".to_owned(),
            Kind::Choice(list) => {
                list.iter().map(|c| format!("\"{}\": {}", c.id, c.words)).collect::<Vec<_>>().join("; ")
            }
            Kind::Int { min, max, unit } => format!("a whole number of {unit}, {min} to {max}"),
            Kind::Day => "a date such as 2026-11-22".to_owned(),
        };
        let parent = match &fact.only_if {
            Some((parent, is)) => {
                let parent = self.vocabulary().fact(*parent);
                let list: Vec<String> = is.iter().map(|v| parent.write(*v)).collect();
                format!("; only if {} = {}", parent.id, list.join(" or "))
            }
            None => String::new(),
        };
        format!("{values}{mark}{parent}")
    }

    /// A facts file with what is known, each fact under its question.
    pub fn facts_toml(&self, facts: &Facts) -> String {
        let text = |s: &str| serde_json::Value::String(s.to_owned()).to_string();
        let mut out = String::new();
        if let Some(title) = &facts.title {
            let _ = writeln!(out, "title = {}", text(title));
        }
        if let Some(by) = &facts.asserted_by {
            let _ = writeln!(out, "asserted_by = {}", text(by));
        }
        if !facts.texts.is_empty() {
            let list: Vec<String> = facts.texts.iter().map(|t| text(t)).collect();
            let _ = writeln!(out, "text = [{}]", list.join(", "));
        }
        if let Some(day) = facts.as_of {
            let _ = writeln!(out, "as_of = {day}");
        }
        let _ = writeln!(out, "\n[facts]");
        for (id, fact) in self.vocabulary().facts() {
            let Some(value) = facts.get(id) else { continue };
            let _ = writeln!(out, "# {}", if fact.question.is_empty() { &fact.says } else { &fact.question });
            let _ = writeln!(out, "{} = {}", fact.id, written(fact, value));
        }
        out
    }
}

/// A value as a facts file has it.
fn written(fact: &Fact, value: Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Choice(_) => serde_json::Value::String(fact.write(value)).to_string(),
        Value::Int(_) | Value::Day(_) => fact.write(value),
    }
}
