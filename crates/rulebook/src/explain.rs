//! Why: conclusion, rule, element, fact, each with a tick, a cross or a question mark.

use crate::book::{Rulebook, TextId};
use crate::date::Date;
use crate::decide::{Case, DecideError};
use crate::expr::{Expr, Op, Tri};
use crate::facts::Facts;
use crate::rest::Rest;
use crate::rule::Does;
use crate::verdict::Conclusion;
use crate::vocabulary::{FactId, Value};

/// What a line of the tree is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// A text.
    Text,
    /// A conclusion.
    Conclusion,
    /// A rule that concludes.
    Rule,
    /// A way out of a rule.
    Exemption,
    /// A condition of a way out.
    Condition,
    /// "All of", "one of", "not".
    Element,
    /// A phrase that rules define.
    Phrase,
    /// A fact.
    Fact,
}

/// One line of the tree with what stands below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// What it is about.
    pub kind: NodeKind,
    /// In words.
    pub label: String,
    /// The article, for rules.
    pub cite: Option<String>,
    /// The rule's id, for rules.
    pub rule: Option<String>,
    /// Tick, cross, or unknown.
    pub state: Tri,
    /// What it rests on.
    pub children: Vec<Tree>,
}

impl Tree {
    /// Only what is open: the branches that a missing fact still decides. What is settled is left out and counted.
    #[must_use]
    pub fn open_branches(&self) -> Self {
        let rules =
            [NodeKind::Text, NodeKind::Conclusion, NodeKind::Rule, NodeKind::Exemption, NodeKind::Condition];
        let open = self.children.iter().filter(|t| t.state.is_none());
        let mut children: Vec<Self> =
            open.clone().filter(|t| rules.contains(&t.kind)).map(Self::open_branches).collect();
        let mut facts = Vec::new();
        open.filter(|t| !rules.contains(&t.kind)).for_each(|t| t.open_facts(&mut facts));
        if !facts.is_empty() {
            let label = format!("hangs on: {}", facts.join("; "));
            let leaf = Self {
                kind: NodeKind::Fact,
                label,
                cite: None,
                rule: None,
                state: None,
                children: Vec::new(),
            };
            children.insert(0, leaf);
        }
        let settled = self.children.iter().filter(|t| t.state.is_some()).count();
        let label = match self.kind {
            NodeKind::Text if settled > 0 => {
                format!("{}: what is open ({settled} conclusions are settled)", self.label)
            }
            NodeKind::Text => format!("{}: what is open", self.label),
            _ => self.label.clone(),
        };
        Self { label, children, ..self.clone() }
    }

    fn open_facts(&self, out: &mut Vec<String>) {
        if self.children.is_empty() {
            let words = self.label.strip_suffix(" (not known)").unwrap_or(&self.label).to_owned();
            if !out.contains(&words) {
                out.push(words);
            }
        }
        self.children.iter().filter(|t| t.state.is_none()).for_each(|t| t.open_facts(out));
    }
}

impl Rulebook {
    /// Why `text` says what it says of the case: every conclusion that holds or may hold, and every rule of which some
    /// element is satisfied.
    ///
    /// # Errors
    /// If there is no such text, or it did not exist on that day.
    pub fn explain(&self, facts: &Facts, text: TextId, as_of: Date) -> Result<Tree, DecideError> {
        self.explain_with(facts, text, as_of, Rest::Unknown)
    }

    /// As [`Rulebook::explain`], with what is to be made of facts nobody mentioned.
    ///
    /// # Errors
    /// As there.
    pub fn explain_with(
        &self,
        facts: &Facts,
        text: TextId,
        as_of: Date,
        rest: Rest,
    ) -> Result<Tree, DecideError> {
        let (case, _) = self.case_with(facts, text, as_of, rest)?;
        let mut children = Vec::new();
        for conclusion in Conclusion::ALL {
            let node = case.conclusion_node(conclusion);
            if node.state != Some(false) || !node.children.is_empty() {
                children.push(node);
            }
        }
        Ok(Tree {
            kind: NodeKind::Text,
            label: format!("{} on {}", case.text.meta.title, as_of.words()),
            cite: None,
            rule: None,
            state: Some(true),
            children,
        })
    }
}

impl Case<'_> {
    fn conclusion_node(&self, conclusion: Conclusion) -> Tree {
        let state = self.concluded(conclusion);
        let mut children = Vec::new();
        for rule in self.text.concluding(conclusion) {
            let touched = self.satisfied(rule) != Some(false) || self.partly(rule);
            if touched {
                children.push(self.rule_node(rule));
            }
        }
        Tree {
            kind: NodeKind::Conclusion,
            label: conclusion.words().to_owned(),
            cite: None,
            rule: None,
            state,
            children,
        }
    }

    /// Some fact of the rule is satisfied that is not so in an ordinary case.
    fn partly(&self, rule: usize) -> bool {
        let vocabulary = &self.book.vocabulary;
        let mut any = false;
        if let Some(r) = self.text.rules.get(rule) {
            let mut see = |f: FactId| {
                let fact = vocabulary.fact(f);
                let ordinary = fact.derived.is_none().then_some(fact.otherwise).or(Some(Value::Bool(false)));
                any |= f != vocabulary.as_of()
                    && fact.id != "member_state"
                    && fact.id != "actor"
                    && fact.id != "stage"
                    && self.value(f).is_some()
                    && self.value(f) != ordinary;
            };
            r.when.facts(&mut see);
        }
        any
    }

    fn rule_node(&self, rule: usize) -> Tree {
        let mut node = self.plain_rule(rule, NodeKind::Rule, self.holds(rule));
        let vocabulary = &self.book.vocabulary;
        let exemptions = self.text.exemptions_of(rule);
        for &e in exemptions {
            let lifted = self.eval(&self.text.exempted_by(vocabulary, rule, e));
            let mut exemption = self.plain_rule(e, NodeKind::Exemption, lifted);
            for &c in self.text.conditions_of(e) {
                exemption.children.push(self.condition_node(c, rule));
            }
            node.children.push(exemption);
        }
        // With no aim that fits, the conditions have nothing to bear on.
        if exemptions.iter().any(|e| self.satisfied(*e) != Some(false)) {
            for &c in self.text.conditions_of(rule) {
                node.children.push(self.condition_node(c, rule));
            }
        }
        node
    }

    fn condition_node(&self, rule: usize, ban: usize) -> Tree {
        let required = self.text.required(&self.book.vocabulary, rule, ban);
        self.plain_rule(rule, NodeKind::Condition, self.eval(&required))
    }

    fn plain_rule(&self, rule: usize, kind: NodeKind, state: Tri) -> Tree {
        let Some(r) = self.text.rules.get(rule) else {
            return Tree { kind, label: String::new(), cite: None, rule: None, state, children: Vec::new() };
        };
        Tree {
            kind,
            label: r.says.clone(),
            cite: Some(r.cite.clone()),
            rule: Some(r.id.clone()),
            state,
            children: self.elements(&r.when),
        }
    }

    fn elements(&self, expr: &Expr) -> Vec<Tree> {
        match expr {
            Expr::And(parts) => parts.iter().map(|p| self.element(p)).collect(),
            other => vec![self.element(other)],
        }
    }

    fn element(&self, expr: &Expr) -> Tree {
        let vocabulary = &self.book.vocabulary;
        let state = self.eval(expr);
        let leaf = |label: String, children: Vec<Tree>| Tree {
            kind: if children.is_empty() { NodeKind::Fact } else { NodeKind::Phrase },
            label,
            cite: None,
            rule: None,
            state,
            children,
        };
        let group = |label: &str, parts: &[Expr]| Tree {
            kind: NodeKind::Element,
            label: label.to_owned(),
            cite: None,
            rule: None,
            state,
            children: parts.iter().map(|p| self.element(p)).collect(),
        };
        match expr {
            Expr::Const(_) => leaf("always".to_owned(), Vec::new()),
            Expr::And(parts) => group("all of", parts),
            Expr::Or(parts) => group("one of", parts),
            Expr::Not(inner) => match inner.as_ref() {
                Expr::Fact(f) => leaf(
                    format!("it is not so that {} ({})", vocabulary.fact(*f).says, self.given(*f)),
                    self.phrase(*f),
                ),
                Expr::Is(f, values) => leaf(
                    format!(
                        "{}: none of {} ({})",
                        vocabulary.fact(*f).says,
                        self.list(*f, values),
                        self.given(*f)
                    ),
                    Vec::new(),
                ),
                other => group("not", std::slice::from_ref(other)),
            },
            Expr::Fact(f) => {
                leaf(format!("{} ({})", vocabulary.fact(*f).says, self.given(*f)), self.phrase(*f))
            }
            Expr::Is(f, values) => leaf(
                format!("{}: {} ({})", vocabulary.fact(*f).says, self.list(*f, values), self.given(*f)),
                Vec::new(),
            ),
            Expr::Cmp(f, op, value) => {
                let fact = vocabulary.fact(*f);
                let how = match (op, value) {
                    (Op::Less, Value::Day(_)) => "before",
                    (Op::AtLeast, Value::Day(_)) => "on or after",
                    (Op::AtMost, Value::Day(_)) => "on or before",
                    (Op::Greater, Value::Day(_)) => "after",
                    _ => op.words(),
                };
                leaf(format!("{}: {how} {} ({})", fact.says, fact.words(*value), self.given(*f)), Vec::new())
            }
            Expr::CmpFacts(a, op, b) => leaf(
                format!(
                    "{} ({}) is {} {} ({})",
                    vocabulary.fact(*a).says,
                    self.given(*a),
                    op.words(),
                    vocabulary.fact(*b).says,
                    self.given(*b)
                ),
                Vec::new(),
            ),
        }
    }

    fn list(&self, fact: FactId, values: &[Value]) -> String {
        let fact = self.book.vocabulary.fact(fact);
        let words: Vec<String> = values.iter().map(|v| fact.words(*v)).collect();
        words.join(" or ")
    }

    fn given(&self, fact: FactId) -> String {
        match self.value(fact) {
            Some(v) if self.assumed.iter().any(|a| a.fact == fact) => {
                format!("{}, since it is not mentioned", self.book.vocabulary.fact(fact).words(v))
            }
            Some(v) => self.book.vocabulary.fact(fact).words(v),
            None => "not known".to_owned(),
        }
    }

    /// The rules behind a derived fact: the satisfied ones, else the open ones, else all.
    fn phrase(&self, fact: FactId) -> Vec<Tree> {
        let setters: Vec<usize> = self
            .text
            .rules
            .iter()
            .enumerate()
            .filter(|(_, r)| r.does == Does::Sets(fact))
            .map(|(i, _)| i)
            .collect();
        let pick = |wanted: Tri| {
            setters.iter().copied().filter(|r| self.satisfied(*r) == wanted).collect::<Vec<_>>()
        };
        let mut shown = pick(Some(true));
        if shown.is_empty() {
            shown = pick(None);
        }
        if shown.is_empty() {
            shown = setters;
        }
        let node = |r: usize| {
            let rule = self.text.rules.get(r)?;
            if let (Expr::And(_), _) | (_, true) = (&rule.when, !rule.says.is_empty()) {
                Some(Tree {
                    kind: NodeKind::Phrase,
                    label: if rule.says.is_empty() { rule.cite.clone() } else { rule.says.clone() },
                    cite: Some(rule.cite.clone()),
                    rule: Some(rule.id.clone()),
                    state: self.satisfied(r),
                    children: self.elements(&rule.when),
                })
            } else {
                Some(self.element(&rule.when))
            }
        };
        shown.into_iter().filter_map(node).collect()
    }
}
