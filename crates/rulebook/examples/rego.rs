//! Prints the gate's rules as one Rego module, with three cases and our answers, as JSON: `bench/decide/time` puts them
//! to regorus.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use placet_rulebook::{
    Answer, Clocks, Expr, Gate, GateEffect, GateFacts, Kind, Op, Rulebook, TextId, Value, Vocabulary,
};
use serde_json::{Value as Json, json};

/// 22 November 2026, 12:00 UTC.
const NOON: i64 = 1_795_348_800;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let book = Rulebook::load()?;
    let gate = book.gate(TextId::Eu2026)?;
    let mut rego = Rego { vocabulary: book.vocabulary(), helpers: BTreeMap::new(), text: String::new() };
    let mut rules = String::from(
        "package placet\nimport rego.v1\n\ndefault allow := false\nallow if { count(deny) == 0; count(permitted) > 0 }\n",
    );
    for (id, effect, when) in gate.conditions() {
        let set = match effect {
            GateEffect::Permit => "permitted",
            GateEffect::Forbid => "deny",
        };
        let body = rego.body(when);
        writeln!(rules, "{set} contains \"{id}\" if {{ {body} }}")?;
    }
    rules.push_str(&rego.text);
    let cases: Vec<Json> = cases(&book, &gate)
        .into_iter()
        .map(|(name, facts)| {
            let allow = matches!(gate.ask(&facts, NOON), Answer::Allow(_));
            json!({ "name": name, "input": input(&book, &gate, &facts), "allow": allow })
        })
        .collect();
    println!("{}", json!({ "module": rules, "cases": cases }));
    Ok(())
}

fn cases(book: &Rulebook, gate: &Gate) -> Vec<(&'static str, GateFacts)> {
    let vocabulary = book.vocabulary();
    let mut facts = book.baseline("suspect-live").cloned().expect("the baseline is there");
    let find = |name: &str| vocabulary.find(name).expect("the fact is there");
    for (id, _) in vocabulary.facts().filter(|(_, f)| f.from_state.is_some()) {
        facts.set(id, None);
    }
    for name in ["order_signed", "deposit_made", "log_receipt", "model_registered", "calibrated"] {
        facts.set(find(name), Some(Value::Bool(true)));
    }
    for (name, n) in
        [("persons_sought", 1), ("cameras_open_percent", 1), ("witnesses", 5), ("camera_hours_month", 1)]
    {
        facts.set(find(name), Some(Value::Int(n)));
    }
    let clocks = Clocks {
        from: NOON - 3_600,
        until: NOON + 3_600,
        started: Some(NOON - 1_800),
        requested: Some(NOON - 10_800),
        decided: Some((true, NOON - 7_200)),
    };
    let lawful = GateFacts { facts, clocks };
    assert!(matches!(gate.ask(&lawful, NOON), Answer::Allow(_)), "the lawful case opens");
    let without = |name: &str| {
        let mut case = lawful.clone();
        case.facts.set(find(name), Some(Value::Bool(false)));
        case
    };
    vec![
        ("allowed", lawful.clone()),
        ("no assessment", without("impact_assessment")),
        ("no receipt", without("log_receipt")),
    ]
}

fn input(book: &Rulebook, gate: &Gate, facts: &GateFacts) -> Json {
    let mut out = serde_json::Map::new();
    for (id, value) in gate.facts_at(facts, NOON) {
        let fact = book.vocabulary().fact(id);
        let written = match value {
            None => continue,
            Some(Value::Bool(b)) => json!(b),
            Some(Value::Int(n)) => json!(n),
            Some(v) => json!(fact.write(v)),
        };
        out.insert(fact.id.clone(), written);
    }
    Json::Object(out)
}

struct Rego<'v> {
    vocabulary: &'v Vocabulary,
    /// Rego has no "or" inside a rule: each becomes a rule of its own, written once.
    helpers: BTreeMap<String, String>,
    text: String,
}

impl Rego<'_> {
    fn body(&mut self, expr: &Expr) -> String {
        match expr {
            Expr::And(parts) => parts.iter().map(|p| self.literal(p)).collect::<Vec<_>>().join("; "),
            other => self.literal(other),
        }
    }

    fn literal(&mut self, expr: &Expr) -> String {
        match expr {
            Expr::Const(b) => b.to_string(),
            Expr::Fact(f) => format!("input.{}", self.vocabulary.fact(*f).id),
            Expr::Is(f, values) => {
                let fact = self.vocabulary.fact(*f);
                let list: Vec<String> = values.iter().map(|v| self.value(*f, *v)).collect();
                match list.as_slice() {
                    [one] => format!("input.{} == {one}", fact.id),
                    _ => format!("input.{} in {{{}}}", fact.id, list.join(", ")),
                }
            }
            Expr::Cmp(f, op, value) => {
                format!("input.{} {} {}", self.vocabulary.fact(*f).id, sign(*op), self.value(*f, *value))
            }
            Expr::CmpFacts(a, op, b) => {
                let name = |f| &self.vocabulary.fact(f).id;
                format!("input.{} {} input.{}", name(*a), sign(*op), name(*b))
            }
            Expr::Not(inner) => match inner.as_ref() {
                leaf @ (Expr::Fact(_) | Expr::Is(..) | Expr::Cmp(..) | Expr::CmpFacts(..)) => {
                    format!("not {}", self.literal(leaf))
                }
                other => format!("not {}", self.helper(other)),
            },
            Expr::And(_) | Expr::Or(_) => self.helper(expr),
        }
    }

    fn helper(&mut self, expr: &Expr) -> String {
        let bodies: Vec<String> = match expr {
            Expr::Or(parts) => parts.iter().map(|p| self.body(p)).collect(),
            other => vec![self.body(other)],
        };
        let key = bodies.join("\u{0}");
        if let Some(name) = self.helpers.get(&key) {
            return name.clone();
        }
        let name = format!("part_{}", self.helpers.len());
        for body in bodies {
            let _ = writeln!(self.text, "{name} if {{ {body} }}");
        }
        self.helpers.insert(key, name.clone());
        name
    }

    fn value(&self, fact: placet_rulebook::FactId, value: Value) -> String {
        let fact = self.vocabulary.fact(fact);
        match (&fact.kind, value) {
            (_, Value::Bool(b)) => b.to_string(),
            (Kind::Int { .. }, Value::Int(n)) => n.to_string(),
            // Dates are written year first, so that they compare as text.
            (_, v) => format!("\"{}\"", fact.write(v)),
        }
    }
}

fn sign(op: Op) -> &'static str {
    match op {
        Op::Less => "<",
        Op::AtMost => "<=",
        Op::Greater => ">",
        Op::AtLeast => ">=",
    }
}
