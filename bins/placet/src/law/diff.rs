//! `placet law diff`: what each of two texts allows that the other does not, and what was not compared so.

use std::fmt::Write as _;

use placet_rulebook::{Differences, Rulebook, TextId};
use serde_json::json;

use super::{DiffArgs, stored};
use crate::Failure;
use crate::exit::Exit;

/// How many differences of a kind are listed; a draft and the law differ in most rules.
const SHOWN: usize = 12;

/// A purpose under which one text allows what the other does not.
struct Case {
    purpose: String,
    says: String,
    allows: TextId,
    forbids: TextId,
    facts: Vec<String>,
}

struct Compared {
    cases: Vec<Case>,
    /// Purposes for which both allow the same.
    same: Vec<String>,
    /// Questions without an answer.
    unanswered: Vec<String>,
}

/// Tells the differences.
///
/// # Errors
/// An unknown text, or no stored answers.
pub(super) fn run(book: &Rulebook, args: &DiffArgs) -> Result<Exit, Failure> {
    let a: TextId = args.a.parse().map_err(Failure::usage)?;
    let b: TextId = args.b.parse().map_err(Failure::usage)?;
    if a == b {
        return Err(Failure::Usage(format!("{a} and {b} are one text; name two")));
    }
    let Some(proofs) = stored(book)? else {
        return Err(Failure::Unavailable(
            "no stored answers; run `placet law prove --write` where cvc5 is installed".to_owned(),
        ));
    };
    let mut compared = Compared { cases: Vec::new(), same: Vec::new(), unanswered: Vec::new() };
    for (purpose, says) in book.purposes() {
        let mut same = true;
        for (x, y) in [(a, b), (b, a)] {
            let id = format!("{purpose}@{x}>{y}");
            match proofs.find(&id) {
                Some(p) if p.proved == Some(true) => {}
                Some(p) if p.proved == Some(false) => {
                    same = false;
                    compared.cases.push(Case {
                        purpose: purpose.clone(),
                        says: says.clone(),
                        allows: x,
                        forbids: y,
                        facts: p.counterexample.clone(),
                    });
                }
                _ => {
                    same = false;
                    compared.unanswered.push(id);
                }
            }
        }
        if same {
            compared.same.push(says);
        }
    }
    let beside = book.differences(a, b).map_err(Failure::usage)?;
    if args.json {
        let all = as_json(&compared, &beside, &proofs.solver);
        println!("{}", serde_json::to_string_pretty(&all).map_err(Failure::internal)?);
    } else {
        print!("{}", words(a, b, &compared, &beside, &proofs.solver));
    }
    Ok(Exit::Done)
}

const ASSUMED: &str = "on a day when every rule of both applies (the dates differ, below)";

fn as_json(compared: &Compared, beside: &[Differences], solver: &str) -> serde_json::Value {
    let cases: Vec<_> = compared
        .cases
        .iter()
        .map(|c| {
            json!({
                "purpose": c.purpose, "says": c.says, "allowed by": c.allows.id(), "not by": c.forbids.id(),
                "case": c.facts,
            })
        })
        .collect();
    let beside: serde_json::Map<String, serde_json::Value> =
        beside.iter().map(|d| (d.kind.to_owned(), json!(d.lines))).collect();
    json!({
        "differences": cases, "same for": compared.same, "unanswered": compared.unanswered,
        "compared": "whether a case is prohibited or a forbidden use", "assumed": ASSUMED, "solver": solver,
        "not compared by purpose": beside,
    })
}

fn words(a: TextId, b: TextId, compared: &Compared, beside: &[Differences], solver: &str) -> String {
    let mut out = String::new();
    for c in &compared.cases {
        let _ = writeln!(out, "{}: {} allows a case that {} does not", c.says, c.allows, c.forbids);
        if c.facts.is_empty() {
            out.push_str("    the purpose's usual case as it stands\n");
        }
        c.facts.iter().for_each(|f| {
            let _ = writeln!(out, "    {f}");
        });
    }
    if !compared.cases.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "{a} and {b} allow the same for {} purposes:", compared.same.len());
    compared.same.iter().for_each(|s| {
        let _ = writeln!(out, "    {s}");
    });
    if !compared.unanswered.is_empty() {
        let _ = writeln!(out, "No answer is stored for {}; prove again.", compared.unanswered.join(", "));
    }
    let _ = writeln!(
        out,
        "\nCompared so, with {solver}, of our encoding: whether a case is prohibited or a forbidden use, {ASSUMED}; \
         facts not named stand as in the purpose's usual case. Not compared so: high-risk, transparency, duties, fines, \
         dates, and purposes that are not listed. Of these the rulebook itself shows:"
    );
    for kind in beside {
        let _ = writeln!(out, "\n{}", kind.heading);
        kind.lines.iter().take(SHOWN).for_each(|line| {
            let _ = writeln!(out, "    {line}");
        });
        if kind.lines.len() > SHOWN {
            let _ = writeln!(out, "    and {} more (--json lists all)", kind.lines.len() - SHOWN);
        }
    }
    out
}
