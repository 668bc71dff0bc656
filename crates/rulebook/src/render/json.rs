//! A verdict as JSON.

use serde_json::{Value as Json, json};

use crate::book::Rulebook;
use crate::explain::Tree;
use crate::verdict::{Binding, Force, Ground, Outcome, Standing, Verdict, Way, When};

fn tri(state: Option<bool>) -> Json {
    match state {
        Some(true) => json!("yes"),
        Some(false) => json!("no"),
        None => json!("unknown"),
    }
}

fn when(when: When) -> Json {
    match when {
        When::Since(day) => json!({ "applies": "now", "since": day.to_string() }),
        When::From(day) => json!({ "applies": "later", "from": day.to_string() }),
        When::Undated => json!({ "applies": "now" }),
        When::NeverLaw => json!({ "applies": "never became law" }),
    }
}

fn ground(g: &Ground) -> Json {
    json!({
        "rule": g.rule, "cite": g.cite, "says": g.says, "confidence": g.confidence, "readings": g.readings,
        "when": when(g.when), "floor": g.floor, "eli": g.eli,
    })
}

fn way(book: &Rulebook, w: &Way) -> Json {
    let changes: Vec<Json> = w
        .changes
        .iter()
        .map(|c| {
            let fact = book.vocabulary().fact(c.fact);
            json!({ "fact": fact.id, "from": c.from.map(|v| fact.write(v)), "to": fact.write(c.to) })
        })
        .collect();
    let then: Vec<&str> = w.then.iter().map(|c| c.id()).collect();
    json!({ "conclusion": w.conclusion.id(), "holds": w.holds, "changes": changes, "then": then })
}

/// The verdict as one JSON object; field names are stable.
pub fn verdict_json(book: &Rulebook, v: &Verdict) -> Json {
    let force = match v.force {
        Force::Law => json!("law"),
        Force::NotYet(day) => json!({ "law from": day.to_string() }),
        Force::Replaced(day) => json!({ "replaced on": day.to_string() }),
        Force::Never => json!("never law"),
    };
    let outcome = match v.outcome {
        Outcome::Allowed => "allowed",
        Outcome::Refused => "refused",
        Outcome::CannotSay => "cannot say",
    };
    let conclusions: Vec<Json> = v
        .conclusions
        .iter()
        .map(|c| {
            let grounds: Vec<Json> = c.grounds.iter().map(ground).collect();
            json!({ "conclusion": c.conclusion.id(), "holds": tri(c.holds), "when": when(c.when), "grounds": grounds })
        })
        .collect();
    let conditions: Vec<Json> = v
        .conditions
        .iter()
        .map(|c| {
            let standing = match c.standing {
                Standing::Met => "met",
                Standing::Broken => "broken",
                Standing::Open => "open",
                Standing::NotYet => "not yet required",
            };
            json!({ "ground": ground(&c.ground), "of": c.of, "standing": standing, "remedy": c.remedy })
        })
        .collect();
    let duties: Vec<Json> = v
        .duties
        .iter()
        .map(|d| {
            let binding = match &d.binding {
                Binding::Now => json!("now"),
                Binding::From(day) => json!({ "from": day.to_string() }),
                Binding::Lifted { by, until } => {
                    json!({ "lifted by": by.rule, "until": until.map(|d| d.to_string()) })
                }
                Binding::Open => json!("cannot say"),
                Binding::Draft => json!("never law"),
            };
            json!({
                "id": d.id, "who": d.who, "what": d.what, "article": d.article, "deadline": d.deadline,
                "binding": binding, "because": d.because, "confidence": d.confidence,
            })
        })
        .collect();
    let fines: Vec<Json> = v
        .fines
        .iter()
        .map(|f| {
            json!({
                "id": f.id, "article": f.article, "says": f.says, "eur": f.eur,
                "percent_hundredths": f.percent_hundredths, "sme": f.sme, "smc": f.smc, "ceiling": f.ceiling(),
                "when": when(f.when), "confidence": f.confidence,
            })
        })
        .collect();
    let neighbours: Vec<Json> = v
        .neighbours
        .iter()
        .map(|n| json!({ "id": n.id, "article": n.article, "says": n.says, "confidence": n.confidence }))
        .collect();
    let exemptions: Vec<Json> =
        v.exemptions
            .iter()
            .map(|w| {
                json!({ "ground": ground(&w.ground), "of": w.of, "fits": tri(w.fits), "lifts": tri(w.lifts) })
            })
            .collect();
    let readings: Vec<Json> = v.readings.iter().map(|(id, says)| json!({ "id": id, "says": says })).collect();
    let open: Vec<&str> = v.open.iter().map(|f| book.vocabulary().fact(*f).id.as_str()).collect();
    let missing: Vec<Json> = v.missing.iter().map(|w| way(book, w)).collect();
    let flips: Vec<Json> = v.flips.iter().map(|w| way(book, w)).collect();
    let assumed: Vec<Json> = v
        .assumed
        .iter()
        .map(|a| {
            let fact = book.vocabulary().fact(a.fact);
            json!({ "fact": fact.id, "value": fact.write(a.value), "a refusal may hang on it": a.grave })
        })
        .collect();
    json!({
        "assumed by the reader": assumed,
        "text": v.text, "title": v.title, "as_of": v.as_of.to_string(), "force": force, "outcome": outcome,
        "conclusions": conclusions, "exemptions": exemptions, "conditions": conditions, "duties": duties,
        "fines": fines, "neighbours": neighbours, "open": open, "missing": missing, "flips": flips, "readings": readings,
        "remarks": v.remarks, "rulebook": v.rulebook.to_string(),
    })
}

/// The explanation as nested objects.
pub fn tree_json(tree: &Tree) -> Json {
    let children: Vec<Json> = tree.children.iter().map(tree_json).collect();
    json!({
        "kind": format!("{:?}", tree.kind).to_lowercase(), "label": tree.label, "cite": tree.cite, "rule": tree.rule,
        "state": tri(tree.state), "children": children,
    })
}
