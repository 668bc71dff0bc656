//! A verdict as plain text.

use std::fmt::Write as _;

use super::{confidence_words, dated, force_words, way_words, when_words};
use crate::book::Rulebook;
use crate::explain::{NodeKind, Tree};
use crate::verdict::{Binding, Standing, Verdict};

/// How many missing facts are listed; the first ones usually make the others moot.
const SHOWN_OPEN: usize = 8;

/// The verdict in words, for a terminal.
pub fn verdict_text(book: &Rulebook, verdict: &Verdict) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} on {} ({})", verdict.title, verdict.as_of.words(), force_words(verdict.force));
    let _ = writeln!(out, "Answer: {}.\n", verdict.sentence());
    // With much open, what each rule would need is noise; the facts that decide come below.
    let many_open = verdict.conclusions.iter().filter(|c| c.holds.is_none()).count() > 3;
    for c in verdict.conclusions.iter().filter(|c| c.holds.is_some() || !many_open) {
        let mark = if c.holds == Some(true) { "" } else { "cannot say yet: " };
        let when = if c.holds == Some(true) && !c.when.now() {
            format!(", {}", when_words(c.when))
        } else {
            String::new()
        };
        let _ = writeln!(out, "{}{}{when}", mark.to_uppercase(), c.conclusion.words().to_uppercase());
        // What is open is open for many reasons; the first ones serve.
        let shown = if c.holds.is_none() { 3 } else { c.grounds.len() };
        for g in c.grounds.iter().take(shown) {
            let unchecked = if g.confidence == "text" {
                String::new()
            } else {
                format!(" [{}]", confidence_words(&g.confidence))
            };
            let own = if g.floor { " (Placet's own rule)" } else { "" };
            let _ = writeln!(out, "  {}: {}{own}{unchecked}", g.cite, g.says);
        }
        if c.grounds.len() > shown {
            let _ = writeln!(out, "  and {} more rules that facts must rule out", c.grounds.len() - shown);
        }
    }
    if many_open {
        let open = verdict.conclusions.iter().filter(|c| c.holds.is_none());
        let _ = writeln!(out, "CANNOT SAY YET, depending on the facts that are missing:");
        for c in open {
            let rules = match c.grounds.len() {
                0 => String::new(),
                1 => " (1 rule)".to_owned(),
                n => format!(" ({n} rules)"),
            };
            let _ = writeln!(out, "  {}{rules}", c.conclusion.words());
        }
    }
    let broken: Vec<_> = verdict.conditions.iter().filter(|c| c.standing != Standing::Met).collect();
    if many_open && verdict.conditions.iter().all(|c| c.standing == Standing::Open) {
        if !broken.is_empty() {
            let _ = writeln!(
                out,
                "\n{} conditions would have to be met if a search by police is meant.",
                broken.len()
            );
        }
    } else if !broken.is_empty() {
        let _ = writeln!(out, "\nConditions not met or not known");
        for c in broken {
            let mark = match c.standing {
                Standing::Broken => "✗",
                Standing::Open => "?",
                Standing::NotYet => "–",
                Standing::Met => "✓",
            };
            let remedy = match (&c.remedy, c.standing) {
                (Some(r), Standing::Broken) => format!(" → {r}"),
                _ => String::new(),
            };
            let _ = writeln!(out, "  {mark} {}: {}{remedy}", c.ground.cite, c.ground.says);
        }
    }
    let met = verdict.conditions.iter().filter(|c| c.standing == Standing::Met).count();
    if met > 0 {
        let _ = writeln!(out, "\nConditions met: {met} of {}", verdict.conditions.len());
    }
    let duties: Vec<_> = verdict.duties.iter().filter(|d| !many_open || d.binding != Binding::Open).collect();
    if !duties.is_empty() {
        let _ = writeln!(out, "\nDuties");
        for d in duties {
            let binding = match &d.binding {
                Binding::Now => String::new(),
                Binding::From(day) => format!(" (from {})", day.words()),
                Binding::Lifted { by, until: Some(day) } => {
                    format!(" (not before {}, {})", day.words(), by.cite)
                }
                Binding::Lifted { by, until: None } => format!(" (does not bind, {})", by.cite),
                Binding::Open => " (cannot say yet)".to_owned(),
                Binding::Draft => " (never became law)".to_owned(),
            };
            let deadline = d.deadline.as_ref().map(|d| format!("; {d}")).unwrap_or_default();
            let _ = writeln!(out, "  {} – {}: {}{deadline}{binding}", d.article, d.who, d.what);
        }
    }
    if !verdict.fines.is_empty() {
        let _ = writeln!(out, "\nFines");
        for f in &verdict.fines {
            let _ = writeln!(out, "  {}: {}{}", f.article, f.says, dated(f.when));
        }
    }
    if !verdict.neighbours.is_empty() {
        let _ = writeln!(out, "\nOther law that bites");
        for n in &verdict.neighbours {
            let _ = writeln!(out, "  {}: {}", n.article, n.says);
        }
    }
    if !verdict.open.is_empty() {
        let _ = writeln!(out, "\nFacts that are missing, those that can change most first");
        for id in verdict.open.iter().take(SHOWN_OPEN) {
            let fact = book.vocabulary().fact(*id);
            let _ = writeln!(out, "  {}: {} [{}]", fact.id, fact.question, fact.article);
        }
        if verdict.open.len() > SHOWN_OPEN {
            let _ = writeln!(out, "  and {} more", verdict.open.len() - SHOWN_OPEN);
        }
    }
    if !verdict.missing.is_empty() {
        let _ = writeln!(out, "\nWhat would settle it, the shortest way first");
        for way in verdict.missing.iter().take(6) {
            let _ = writeln!(out, "  {} → {}", way_words(book.vocabulary(), way), then(way));
        }
    }
    if !verdict.flips.is_empty() {
        let _ = writeln!(out, "\nWhat would flip it");
        for way in verdict.flips.iter().take(6) {
            let _ = writeln!(out, "  {} → {}", way_words(book.vocabulary(), way), then(way));
        }
    }
    for (id, says) in &verdict.readings {
        let _ = writeln!(out, "\nOur reading {id}: {says}");
    }
    for remark in &verdict.remarks {
        let _ = writeln!(out, "\nNote: {remark}");
    }
    let _ = writeln!(
        out,
        "\nNot legal advice; the Official Journal prevails. Why, element by element: --explain."
    );
    let _ = writeln!(out, "Rulebook {}", verdict.rulebook);
    out
}

/// What a way settles, and what the case would then be besides.
pub(super) fn then(way: &crate::verdict::Way) -> String {
    let not = if way.holds { "" } else { "not " };
    let settled = format!("{not}{}", way.conclusion.words());
    let rest: Vec<&str> = way.then.iter().filter(|c| **c != way.conclusion).map(|c| c.words()).collect();
    if rest.is_empty() { settled } else { format!("{settled}; with that: {}", rest.join(", ")) }
}

/// The tree with ticks, crosses and question marks.
pub fn tree_text(tree: &Tree) -> String {
    let mut out = format!("{}\n", tree.label);
    for child in &tree.children {
        branch(&mut out, child, 1);
    }
    out
}

fn branch(out: &mut String, node: &Tree, depth: usize) {
    let mark = match node.state {
        Some(true) => "✓",
        Some(false) => "✗",
        None => "?",
    };
    let lead = match node.kind {
        NodeKind::Exemption => "unless: ",
        NodeKind::Condition => "condition: ",
        _ => "",
    };
    let cite = node.cite.as_ref().map(|c| format!(" [{c}]")).unwrap_or_default();
    let _ = writeln!(out, "{}{mark} {lead}{}{cite}", "  ".repeat(depth), node.label);
    for child in &node.children {
        branch(out, child, depth + 1);
    }
}

/// Several verdicts on one case, one line each.
pub fn side_by_side(verdicts: &[Verdict]) -> String {
    let mut out = String::new();
    for v in verdicts {
        let list: Vec<String> = v
            .conclusions
            .iter()
            .map(|c| match (c.holds, c.when.now()) {
                (None, _) => format!("{}?", c.conclusion.words()),
                (_, true) => c.conclusion.words().to_owned(),
                (_, false) => format!("{} ({})", c.conclusion.words(), when_words(c.when)),
            })
            .collect();
        let _ = writeln!(out, "{:<12} {}", v.text, list.join("; "));
    }
    out
}
