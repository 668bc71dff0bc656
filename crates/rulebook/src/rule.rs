//! One rule: a Cedar policy with its annotations, and what it does when it is satisfied.

use cedar_policy::{Effect, Policy, PolicyId};

use crate::article::CONFIDENCES;
use crate::expr::{Expr, read_policy};
use crate::problem::{Problem, nearest};
use crate::verdict::Conclusion;
use crate::vocabulary::{Derived, FactId, Vocabulary};

/// What a satisfied rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// It concludes.
    Concludes(Conclusion),
    /// A derived fact is yes.
    Sets(FactId),
    /// It lifts the named concluding rules, if every condition on them is met.
    Exempts(Vec<String>),
    /// It is a condition of the named rules.
    Condition(Vec<String>),
    /// Its duties arise.
    Duty,
    /// The named duties do not bind, until the date of that key.
    Lifts(Vec<String>, Option<String>),
    /// The gate's question, in the floor alone: permits or forbids a search.
    Gate(GateEffect),
}

/// Permit or forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateEffect {
    /// A way to be allowed.
    Permit,
    /// A safeguard that is not met.
    Forbid,
}

/// One rule of a text or of the floor.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Unique within its text: `5-1-h`.
    pub id: String,
    /// Path below `rulebook/`.
    pub file: String,
    /// First line of the rule in its file.
    pub line: usize,
    /// The article it stands for.
    pub cite: String,
    /// In plain words; empty only for a phrase.
    pub says: String,
    /// What it does when satisfied.
    pub does: Does,
    /// The duties it brings.
    pub duties: Vec<String>,
    /// Key of `dates.toml`.
    pub applies: Option<String>,
    /// text, fragment, secondary, memory or derived.
    pub confidence: String,
    /// Ids of readings of ours.
    pub readings: Vec<String>,
    /// What would mend it.
    pub remedy: Option<String>,
    /// A remark.
    pub note: Option<String>,
    /// Its condition.
    pub when: Expr,
    /// As it stands in the file.
    pub source: String,
    /// Of our floor rather than of a text.
    pub floor: bool,
    pub(crate) policy: Policy,
}

const KEYS: [&str; 17] = [
    "id",
    "cite",
    "says",
    "concludes",
    "sets",
    "exempts",
    "condition",
    "duty",
    "lifts",
    "until",
    "applies",
    "confidence",
    "reading",
    "remedy",
    "note",
    "gate",
    "topic",
];

/// Reads the rules of one fence; `first` is the line of its first line.
pub(crate) fn read_fence(
    vocabulary: &Vocabulary,
    file: &str,
    first: usize,
    source: &str,
    confidence: &str,
) -> (Vec<Rule>, Vec<Problem>) {
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    let floor = file.starts_with("floor/");
    for (line, chunk) in chunks(first, source) {
        let mut report = |message: String| problems.push(Problem::new(file, line, message));
        let policy = match Policy::parse(None, &chunk) {
            Ok(policy) => policy,
            Err(errors) => {
                let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
                report(format!("this rule cannot be read: {}", all.join("; ")));
                continue;
            }
        };
        for (key, _) in policy.annotations() {
            if !KEYS.contains(&key) {
                let near = nearest(key, KEYS.into_iter()).map(|n| format!("; did you mean @{n}?"));
                report(format!("unknown annotation @{key}{}", near.unwrap_or_default()));
            }
        }
        match read_rule(vocabulary, policy, floor, confidence, &mut report) {
            Some(rule) => rules.push(Rule { file: file.to_owned(), line, source: chunk, ..rule }),
            None => continue,
        }
    }
    (rules, problems)
}

fn read_rule(
    vocabulary: &Vocabulary,
    policy: Policy,
    floor: bool,
    file_confidence: &str,
    report: &mut dyn FnMut(String),
) -> Option<Rule> {
    let note = |key: &str| policy.annotation(key).filter(|v| !v.trim().is_empty()).map(str::to_owned);
    let list = |key: &str| -> Option<Vec<String>> {
        note(key).map(|v| v.split_whitespace().map(|w| w.trim_end_matches(',').to_owned()).collect())
    };
    let Some(id) = note("id") else {
        report("a rule needs @id".to_owned());
        return None;
    };
    if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        report(format!("`{id}` is no id: letters, digits and - only"));
    }
    let json = match policy.to_json() {
        Ok(json) => json,
        Err(e) => {
            report(format!("`{id}` has no syntax tree: {e}"));
            return None;
        }
    };
    let action = json.pointer("/action/entity/id").and_then(serde_json::Value::as_str).unwrap_or_default();
    let unscoped =
        |who: &str| json.pointer(&format!("/{who}/op")).and_then(serde_json::Value::as_str) == Some("All");
    if !unscoped("principal") || !unscoped("resource") {
        report(format!("`{id}`: the head is (principal, action == Action::\"Classify\", resource)"));
    }
    let when = match read_policy(vocabulary, &json) {
        Ok(when) => when,
        Err(e) => {
            report(format!("`{id}`: {e}"));
            return None;
        }
    };
    let mut does = Vec::new();
    match action {
        "Classify" => {
            if policy.effect() != Effect::Permit {
                report(format!("`{id}`: rules about classification are written permit"));
            }
        }
        "Search" if floor => does.push(Does::Gate(match policy.effect() {
            Effect::Permit => GateEffect::Permit,
            Effect::Forbid => GateEffect::Forbid,
        })),
        other => report(format!("`{id}`: the action is \"Classify\", not \"{other}\"")),
    }
    if let Some(word) = note("concludes") {
        match Conclusion::parse(&word) {
            Some(Conclusion::PermittedOnConditions) => {
                report(format!("`{id}`: permitted_on_conditions is computed from @exempts and @condition"));
            }
            Some(c) if (c == Conclusion::Floor) != floor => {
                report(format!("`{id}`: the floor concludes `floor`, and nothing else does"));
            }
            Some(c) => does.push(Does::Concludes(c)),
            None => report(format!("`{id}`: there is no conclusion `{word}`")),
        }
    }
    if let Some(word) = note("sets") {
        match vocabulary.find(&word).filter(|f| vocabulary.fact(*f).derived == Some(Derived::Rules)) {
            Some(fact) => does.push(Does::Sets(fact)),
            None => report(format!("`{id}` sets `{word}`, which is no fact with derived = \"rules\"")),
        }
    }
    if let Some(targets) = list("exempts") {
        does.push(Does::Exempts(targets));
    }
    if let Some(targets) = list("condition") {
        does.push(Does::Condition(targets));
    }
    if let Some(duties) = list("lifts") {
        does.push(Does::Lifts(duties, note("until")));
    }
    let duties = list("duty").unwrap_or_default();
    if does.is_empty() && !duties.is_empty() {
        does.push(Does::Duty);
    }
    if does.len() != 1 {
        report(format!(
            "`{id}` must do exactly one thing of @concludes, @sets, @exempts, @condition, @duty, @lifts"
        ));
        return None;
    }
    let does = does.remove(0);
    let says = note("says").unwrap_or_default();
    if says.is_empty() && !matches!(does, Does::Sets(_)) {
        report(format!("`{id}` needs @says: one plain sentence"));
    }
    let cite = note("cite").unwrap_or_else(|| {
        report(format!("`{id}` needs @cite"));
        String::new()
    });
    let confidence = note("confidence").unwrap_or_else(|| file_confidence.to_owned());
    if !CONFIDENCES.contains(&confidence.as_str()) {
        report(format!("`{id}`: `confidence` is one of {}, not `{confidence}`", CONFIDENCES.join(", ")));
    }
    Some(Rule {
        file: String::new(),
        line: 0,
        cite,
        says,
        does,
        duties,
        applies: note("applies"),
        confidence,
        readings: list("reading").unwrap_or_default(),
        remedy: note("remedy"),
        note: note("note"),
        when,
        source: String::new(),
        floor,
        policy: policy.new_id(PolicyId::new(&id)),
        id,
    })
}

/// The policies of a fence with their first lines; a policy ends with the line that ends in `;`.
fn chunks(first: usize, source: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut chunk = String::new();
    for (i, line) in source.lines().enumerate() {
        if chunk.trim().is_empty() {
            chunk.clear();
            start = first + i;
        }
        chunk.push_str(line);
        chunk.push('\n');
        if line.trim_end().ends_with(';') && !line.trim_start().starts_with("//") {
            out.push((start, std::mem::take(&mut chunk)));
        }
    }
    if !chunk.lines().all(|l| l.trim().is_empty() || l.trim_start().starts_with("//")) {
        out.push((start, chunk));
    }
    out
}
