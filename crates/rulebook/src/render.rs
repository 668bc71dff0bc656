//! A verdict for people (text, a page that can be printed and filed) and for programs (JSON).

mod html;
mod json;
mod markdown;
mod page;
mod words;

pub use html::{PAGE_MARK, verdict_page};
pub use json::{tree_json, verdict_json};
pub use page::{Page, article_pages};
pub use words::{side_by_side, tree_text, verdict_text};

use crate::verdict::{Force, Way, When};
use crate::vocabulary::Vocabulary;

/// How a confidence mark reads.
pub fn confidence_words(confidence: &str) -> &'static str {
    match confidence {
        "text" => "checked against the official text",
        "fragment" => "checked against a fragment of the text as others reproduce it",
        "secondary" => "from a secondary source, not checked against the official text",
        "memory" => "from memory, not checked against the official text",
        _ => "our own reading",
    }
}

/// How a date reads.
pub(crate) fn when_words(when: When) -> String {
    match when {
        When::Since(day) if day == crate::date::Date::MIN => "always".to_owned(),
        When::Since(day) => format!("applies since {}", day.words()),
        When::From(day) => format!("applies from {}", day.words()),
        When::Undated => String::new(),
        When::NeverLaw => "never became law".to_owned(),
    }
}

/// The date as an addition in brackets, if there is one to tell.
pub(crate) fn dated(when: When) -> String {
    match when_words(when) {
        words if words.is_empty() => words,
        words => format!(" ({words})"),
    }
}

pub(crate) fn force_words(force: Force) -> String {
    match force {
        Force::Law => "law on that day".to_owned(),
        Force::NotYet(day) => format!("not law yet on that day; it is from {}", day.words()),
        Force::Replaced(day) => format!("no longer law on that day; replaced on {}", day.words()),
        Force::Never => "never became law; this is what it would have said".to_owned(),
    }
}

/// "objective: none → missing_person" for every change of a way.
pub(crate) fn way_words(vocabulary: &Vocabulary, way: &Way) -> String {
    let changes: Vec<String> = way
        .changes
        .iter()
        .map(|c| {
            let fact = vocabulary.fact(c.fact);
            match c.from {
                Some(_) => format!(
                    "{} = {} (now {})",
                    fact.id,
                    fact.write(c.to),
                    c.from.map(|v| fact.write(v)).unwrap_or_default()
                ),
                None => format!("{} = {}", fact.id, fact.write(c.to)),
            }
        })
        .collect();
    changes.join(", ")
}
