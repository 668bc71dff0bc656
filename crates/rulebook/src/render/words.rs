//! A verdict as plain text.

use std::fmt::Write as _;

use super::{confidence_words, dated, force_words, way_words, when_words};
use crate::book::Rulebook;
use crate::explain::{NodeKind, Tree};
use crate::verdict::{Assumed, Binding, Concluded, Conclusion, Ground, Standing, Verdict, WayOut};

/// How many missing facts are listed; the first ones usually make the others moot.
const SHOWN_OPEN: usize = 8;

/// The verdict in words, for a terminal.
pub fn verdict_text(book: &Rulebook, verdict: &Verdict) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} on {} ({})", verdict.title, verdict.as_of.words(), force_words(verdict.force));
    let _ = writeln!(out, "Answer: {}.\n", verdict.answer());
    granted(&mut out, book, verdict);
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
            let not_met = if is_broken(verdict, g) { "condition not met, " } else { "" };
            let _ = writeln!(out, "  {not_met}{}: {}{own}{unchecked}", g.cite, g.says);
            for w in ways_out_of(verdict, c, g) {
                let _ =
                    writeln!(out, "    way out, {}: {} {}", w.ground.cite, w.ground.says, way_out_words(w));
            }
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
    let lifted: Vec<_> =
        verdict.exemptions.iter().filter(|w| w.lifts == Some(true) && !stands(verdict, w)).collect();
    if !lifted.is_empty() {
        let _ = writeln!(out, "\nWhat does not hold because a way out is open");
        for w in lifted {
            let of: Vec<String> = w.of.iter().filter_map(|r| rule_words(book, verdict, r)).collect();
            let _ = writeln!(out, "  {}: {}", w.ground.cite, w.ground.says);
            of.iter().for_each(|r| {
                let _ = writeln!(out, "    lifts {r}");
            });
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
            let _ = writeln!(out, "  {}: {}: {}{}", f.article, f.says, f.ceiling(), dated(f.when));
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

/// The ways out of a rule that stands as a ground of a refusal or a class; where it is lifted, its ways out are grounds.
pub(super) fn ways_out_of<'v>(
    verdict: &'v Verdict,
    conclusion: &'v Concluded,
    ground: &'v Ground,
) -> impl Iterator<Item = &'v WayOut> {
    let told = conclusion.conclusion != Conclusion::PermittedOnConditions;
    verdict.exemptions.iter().filter(move |w| told && w.of.contains(&ground.rule))
}

/// Whether the ground is a condition that is not met.
pub(super) fn is_broken(verdict: &Verdict, ground: &Ground) -> bool {
    verdict.conditions.iter().any(|c| c.ground.rule == ground.rule && c.standing == Standing::Broken)
}

/// How a way out stands, in words.
pub(super) fn way_out_words(way: &WayOut) -> &'static str {
    match (way.fits, way.lifts) {
        (_, Some(true)) => "(open)",
        (Some(true), Some(false)) => "(it fits, but not every condition is met: below)",
        (Some(true), None) => "(it fits; whether every condition is met is not known)",
        _ => "(whether it fits is not known)",
    }
}

/// Whether the way out is told already: with a ground it did not lift, or as a ground of what it permits.
pub(super) fn stands(verdict: &Verdict, way: &WayOut) -> bool {
    verdict
        .conclusions
        .iter()
        .any(|c| c.grounds.iter().any(|g| way.of.contains(&g.rule) || g.rule == way.ground.rule))
}

/// "Art. 5(1)(h): what it says" of a rule of the verdict's text.
pub(super) fn rule_words(book: &Rulebook, verdict: &Verdict, id: &str) -> Option<String> {
    let text = book.text(verdict.text.parse().ok()?).ok()?;
    text.rule(id).map(|(_, r)| format!("{}: {}", r.cite, r.says))
}

/// What the reader lets be taken for granted stands before everything that rests on it.
fn granted(out: &mut String, book: &Rulebook, verdict: &Verdict) {
    if verdict.assumed.is_empty() {
        return;
    }
    let fact = |a: &Assumed| book.vocabulary().fact(a.fact);
    let (grave, light): (Vec<&Assumed>, Vec<&Assumed>) = verdict.assumed.iter().partition(|a| a.grave);
    let _ = writeln!(out, "TAKEN FOR GRANTED BY YOU: WHAT THE FILE DOES NOT MENTION IS NOT SO");
    if !grave.is_empty() {
        let _ = writeln!(out, "  A ban or a breach may hang on these; mention what is so after all:");
        for a in grave {
            let _ = writeln!(out, "    {} ({})", fact(a).sentence(Some(a.value)), fact(a).id);
        }
    }
    if !light.is_empty() {
        let ids: Vec<&str> = light.iter().map(|a| fact(a).id.as_str()).collect();
        let _ = writeln!(out, "  Also not so: {}", ids.join(", "));
    }
    let _ = writeln!(out, "  No condition of an exception counts as met by silence.\n");
}

/// What a way settles, and what the case would then be besides.
pub(super) fn then(way: &crate::verdict::Way) -> String {
    let settled = if way.holds { way.conclusion.words().to_owned() } else { way.conclusion.denied() };
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
    if verdicts.iter().any(|v| !v.assumed.is_empty()) {
        out.push_str(
            "\nTaken for granted by you: what the file does not mention is not so. One --text lists it.\n",
        );
    }
    out
}
