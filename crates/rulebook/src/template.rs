//! Facts files: empty ones to fill in, and written ones.

use std::fmt::Write as _;

use crate::book::Rulebook;
use crate::facts::{Facts, askable};
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
            "# Facts for `placet decide` ({name}). Leave at \"unknown\" what you do not know: unknown never helps.\n\
             # Facts that are not listed are unknown too; `placet decide` without a file asks one question at a time.\n\n\
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
                let _ = writeln!(out, "{} = \"unknown\"\n", fact.id);
            }
        }
        Some(out)
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
            let written = match value {
                Value::Bool(b) => b.to_string(),
                Value::Choice(_) => text(&fact.write(value)),
                Value::Int(_) | Value::Day(_) => fact.write(value),
            };
            let _ = writeln!(out, "{} = {written}", fact.id);
        }
        out
    }
}
