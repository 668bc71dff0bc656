//! The condition of a rule as a tree, read from Cedar's own syntax tree, and its value where facts may be unknown.

use std::cmp::Ordering;

use serde_json::Value as Json;

use crate::date::Date;
use crate::vocabulary::{FactId, Kind, Value, Vocabulary};

/// Kleene's three values; `None` is unknown.
pub type Tri = Option<bool>;

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Less than.
    Less,
    /// At most.
    AtMost,
    /// Greater than.
    Greater,
    /// At least.
    AtLeast,
}

impl Op {
    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Less => Self::AtLeast,
            Self::AtMost => Self::Greater,
            Self::Greater => Self::AtMost,
            Self::AtLeast => Self::Less,
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }

    /// In words between two values.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Less => "less than",
            Self::AtMost => "at most",
            Self::Greater => "more than",
            Self::AtLeast => "at least",
        }
    }
}

/// A condition over facts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// Always so.
    Const(bool),
    /// The yes/no fact is yes.
    Fact(FactId),
    /// The fact has one of the values.
    Is(FactId, Vec<Value>),
    /// The fact compares so with a fixed value.
    Cmp(FactId, Op, Value),
    /// Two facts compare so.
    CmpFacts(FactId, Op, FactId),
    /// Not so.
    Not(Box<Expr>),
    /// All of them.
    And(Vec<Expr>),
    /// At least one of them.
    Or(Vec<Expr>),
}

impl Expr {
    pub(crate) fn negate(self) -> Self {
        match self {
            Self::Const(b) => Self::Const(!b),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    pub(crate) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::Const(true) => {}
                Self::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::Const(true),
            1 => flat.remove(0),
            _ => Self::And(flat),
        }
    }

    pub(crate) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::Const(false) => {}
                Self::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::Const(false),
            1 => flat.remove(0),
            _ => Self::Or(flat),
        }
    }

    /// The value under facts of which some may be unknown: unknown unless every completion agrees by Kleene's tables.
    pub fn eval(&self, facts: &dyn Fn(FactId) -> Option<Value>) -> Tri {
        match self {
            Self::Const(b) => Some(*b),
            Self::Fact(f) => match facts(*f)? {
                Value::Bool(b) => Some(b),
                _ => None,
            },
            Self::Is(f, values) => Some(values.contains(&facts(*f)?)),
            Self::Cmp(f, op, value) => Some(op.holds(facts(*f)?.cmp(value))),
            Self::CmpFacts(a, op, b) => Some(op.holds(facts(*a)?.cmp(&facts(*b)?))),
            Self::Not(inner) => inner.eval(facts).map(|b| !b),
            Self::And(parts) => {
                let mut out = Some(true);
                for part in parts {
                    match part.eval(facts) {
                        Some(false) => return Some(false),
                        None => out = None,
                        Some(true) => {}
                    }
                }
                out
            }
            Self::Or(parts) => {
                let mut out = Some(false);
                for part in parts {
                    match part.eval(facts) {
                        Some(true) => return Some(true),
                        None => out = None,
                        Some(false) => {}
                    }
                }
                out
            }
        }
    }

    /// Calls `see` with every fact the condition names.
    pub fn facts(&self, see: &mut dyn FnMut(FactId)) {
        match self {
            Self::Const(_) => {}
            Self::Fact(f) | Self::Is(f, _) | Self::Cmp(f, _, _) => see(*f),
            Self::CmpFacts(a, _, b) => {
                see(*a);
                see(*b);
            }
            Self::Not(inner) => inner.facts(see),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|p| p.facts(see)),
        }
    }

    /// The facts on which an unknown value still hangs: what known facts have settled is left out.
    pub fn open_facts(&self, facts: &dyn Fn(FactId) -> Option<Value>, see: &mut dyn FnMut(FactId)) {
        if self.eval(facts).is_some() {
            return;
        }
        match self {
            Self::Not(inner) => inner.open_facts(facts, see),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|p| p.open_facts(facts, see)),
            leaf => leaf.facts(&mut |f| {
                if facts(f).is_none() {
                    see(f);
                }
            }),
        }
    }

    /// The same condition with every derived fact replaced by what it stands for.
    pub(crate) fn inline(&self, meaning: &dyn Fn(FactId) -> Option<Self>) -> Self {
        match self {
            Self::Fact(f) => meaning(*f).unwrap_or_else(|| self.clone()),
            Self::Not(inner) => inner.inline(meaning).negate(),
            Self::And(parts) => Self::all(parts.iter().map(|p| p.inline(meaning))),
            Self::Or(parts) => Self::any(parts.iter().map(|p| p.inline(meaning))),
            leaf => leaf.clone(),
        }
    }

    /// The same condition with what known facts settle taken out.
    pub(crate) fn simplify(&self, facts: &dyn Fn(FactId) -> Option<Value>) -> Self {
        if let Some(known) = self.eval(facts) {
            return Self::Const(known);
        }
        match self {
            Self::Not(inner) => inner.simplify(facts).negate(),
            Self::And(parts) => Self::all(parts.iter().map(|p| p.simplify(facts))),
            Self::Or(parts) => Self::any(parts.iter().map(|p| p.simplify(facts))),
            leaf => leaf.clone(),
        }
    }

    /// The condition as Cedar source.
    pub(crate) fn to_cedar(&self, vocabulary: &Vocabulary) -> String {
        let attr = |f: &FactId| format!("context.{}", vocabulary.fact(*f).id);
        match self {
            Self::Const(b) => b.to_string(),
            Self::Fact(f) => attr(f),
            Self::Is(f, values) => {
                let list: Vec<String> = values.iter().map(|v| literal(vocabulary, *f, *v)).collect();
                match list.as_slice() {
                    [one] => format!("{} == {one}", attr(f)),
                    _ => format!("[{}].contains({})", list.join(", "), attr(f)),
                }
            }
            Self::Cmp(f, op, v) => format!("{} {} {}", attr(f), sign(*op), literal(vocabulary, *f, *v)),
            Self::CmpFacts(a, op, b) => format!("{} {} {}", attr(a), sign(*op), attr(b)),
            Self::Not(inner) => format!("!({})", inner.to_cedar(vocabulary)),
            Self::And(parts) => join(parts, " && ", vocabulary),
            Self::Or(parts) => join(parts, " || ", vocabulary),
        }
    }
}

fn join(parts: &[Expr], with: &str, vocabulary: &Vocabulary) -> String {
    parts.iter().map(|p| format!("({})", p.to_cedar(vocabulary))).collect::<Vec<_>>().join(with)
}

fn sign(op: Op) -> &'static str {
    match op {
        Op::Less => "<",
        Op::AtMost => "<=",
        Op::Greater => ">",
        Op::AtLeast => ">=",
    }
}

/// A value as Cedar source.
pub(crate) fn literal(vocabulary: &Vocabulary, fact: FactId, value: Value) -> String {
    let fact = vocabulary.fact(fact);
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Day(d) => format!("datetime(\"{d}\")"),
        Value::Choice(_) => format!("{}::\"{}\"", fact.cedar_type(), fact.write(value)),
    }
}

/// What a part of a Cedar condition stands for while it is read.
enum Term {
    Cond(Expr),
    Attr(FactId),
    Lit(Lit),
    Set(Vec<Lit>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Lit {
    Int(i64),
    Day(Date),
    Entity(String, String),
}

/// The condition of one policy in Cedar's JSON form: all `when`, no `unless`.
///
/// # Errors
/// What in it is not part of the small language of FORMAT.md.
pub(crate) fn read_policy(vocabulary: &Vocabulary, policy: &Json) -> Result<Expr, String> {
    let mut parts = Vec::new();
    for condition in policy.get("conditions").and_then(Json::as_array).into_iter().flatten() {
        let body = condition.get("body").ok_or("a condition has no body")?;
        let expr = Reader { vocabulary }.condition(body)?;
        match condition.get("kind").and_then(Json::as_str) {
            Some("when") => parts.push(expr),
            Some("unless") => parts.push(expr.negate()),
            _ => return Err("a condition is neither `when` nor `unless`".to_owned()),
        }
    }
    Ok(Expr::all(parts))
}

struct Reader<'v> {
    vocabulary: &'v Vocabulary,
}

impl Reader<'_> {
    fn condition(&self, json: &Json) -> Result<Expr, String> {
        match self.term(json)? {
            Term::Cond(expr) => Ok(expr),
            Term::Attr(f) if self.vocabulary.fact(f).kind == Kind::Bool => Ok(Expr::Fact(f)),
            Term::Attr(f) => {
                Err(format!("`context.{}` is not yes or no; compare it", self.vocabulary.fact(f).id))
            }
            Term::Lit(_) | Term::Set(_) => Err("a value stands where a condition is wanted".to_owned()),
        }
    }

    fn term(&self, json: &Json) -> Result<Term, String> {
        let object = json.as_object().ok_or("an unexpected expression")?;
        let (op, args) = object.iter().next().ok_or("an empty expression")?;
        let side = |name: &str| args.get(name).ok_or_else(|| format!("`{op}` lacks its {name}"));
        match op.as_str() {
            "Value" => Self::literal(args),
            "." => {
                let is_context = side("left")?.get("Var").and_then(Json::as_str) == Some("context");
                let name = side("attr")?.as_str().unwrap_or_default();
                if !is_context {
                    return Err(format!("`.{name}`: only `context` has facts"));
                }
                match self.vocabulary.find(name) {
                    Some(f) => Ok(Term::Attr(f)),
                    None => Err(match self.vocabulary.near(name) {
                        Some(near) => format!("there is no fact `{name}`; did you mean `{near}`?"),
                        None => format!("there is no fact `{name}`"),
                    }),
                }
            }
            "&&" => {
                Ok(Term::Cond(Expr::all([self.condition(side("left")?)?, self.condition(side("right")?)?])))
            }
            "||" => {
                Ok(Term::Cond(Expr::any([self.condition(side("left")?)?, self.condition(side("right")?)?])))
            }
            "!" => Ok(Term::Cond(self.condition(side("arg")?)?.negate())),
            "if-then-else" => {
                let cond = self.condition(side("if")?)?;
                let yes = self.condition(side("then")?)?;
                let no = self.condition(side("else")?)?;
                Ok(Term::Cond(Expr::any([Expr::all([cond.clone(), yes]), Expr::all([cond.negate(), no])])))
            }
            "==" => self.equal(side("left")?, side("right")?).map(Term::Cond),
            "!=" => self.equal(side("left")?, side("right")?).map(|e| Term::Cond(e.negate())),
            "<" => self.compare(side("left")?, Op::Less, side("right")?).map(Term::Cond),
            "<=" => self.compare(side("left")?, Op::AtMost, side("right")?).map(Term::Cond),
            ">" => self.compare(side("left")?, Op::Greater, side("right")?).map(Term::Cond),
            ">=" => self.compare(side("left")?, Op::AtLeast, side("right")?).map(Term::Cond),
            "Set" => {
                let mut out = Vec::new();
                for element in args.as_array().into_iter().flatten() {
                    match self.term(element)? {
                        Term::Lit(l) => out.push(l),
                        _ => return Err("a list holds values only".to_owned()),
                    }
                }
                Ok(Term::Set(out))
            }
            "contains" => match (self.term(side("left")?)?, self.term(side("right")?)?) {
                (Term::Set(list), Term::Attr(f)) => {
                    let values: Result<Vec<Value>, String> = list.iter().map(|l| self.value(f, l)).collect();
                    Ok(Term::Cond(Expr::Is(f, values?)))
                }
                _ => Err("`contains` is written [A, B].contains(context.fact)".to_owned()),
            },
            "datetime" => {
                let text = args
                    .as_array()
                    .and_then(|a| a.first())
                    .and_then(|v| v.get("Value"))
                    .and_then(Json::as_str)
                    .unwrap_or_default();
                text.parse::<Date>().map(|d| Term::Lit(Lit::Day(d))).map_err(|e| e.to_string())
            }
            other => Err(format!("`{other}` is not part of the rule language; see FORMAT.md")),
        }
    }

    fn literal(json: &Json) -> Result<Term, String> {
        if let Some(b) = json.as_bool() {
            return Ok(Term::Cond(Expr::Const(b)));
        }
        if let Some(n) = json.as_i64() {
            return Ok(Term::Lit(Lit::Int(n)));
        }
        let entity = json.get("__entity").unwrap_or(json);
        match (entity.get("type").and_then(Json::as_str), entity.get("id").and_then(Json::as_str)) {
            (Some(t), Some(id)) => Ok(Term::Lit(Lit::Entity(t.to_owned(), id.to_owned()))),
            _ => Err(format!("the value {json} is not part of the rule language")),
        }
    }

    fn value(&self, f: FactId, lit: &Lit) -> Result<Value, String> {
        let fact = self.vocabulary.fact(f);
        match (&fact.kind, lit) {
            (Kind::Int { .. }, Lit::Int(n)) => Ok(Value::Int(*n)),
            (Kind::Day, Lit::Day(d)) => Ok(Value::Day(*d)),
            (Kind::Choice(_), Lit::Entity(t, id)) => {
                if *t != fact.cedar_type() {
                    return Err(format!(
                        "`context.{}` is compared with a `{t}`; its type is `{}`",
                        fact.id,
                        fact.cedar_type()
                    ));
                }
                fact.read(id)
            }
            _ => Err(format!("`context.{}` is compared with a value of another type", fact.id)),
        }
    }

    fn equal(&self, left: &Json, right: &Json) -> Result<Expr, String> {
        match (self.term(left)?, self.term(right)?) {
            (Term::Attr(f), Term::Lit(l)) | (Term::Lit(l), Term::Attr(f)) => {
                Ok(Expr::Is(f, vec![self.value(f, &l)?]))
            }
            (Term::Attr(f), Term::Cond(Expr::Const(b))) | (Term::Cond(Expr::Const(b)), Term::Attr(f))
                if self.vocabulary.fact(f).kind == Kind::Bool =>
            {
                Ok(if b { Expr::Fact(f) } else { Expr::Fact(f).negate() })
            }
            _ => Err("`==` compares a fact with a value".to_owned()),
        }
    }

    fn compare(&self, left: &Json, op: Op, right: &Json) -> Result<Expr, String> {
        let flipped = match op {
            Op::Less => Op::Greater,
            Op::AtMost => Op::AtLeast,
            Op::Greater => Op::Less,
            Op::AtLeast => Op::AtMost,
        };
        match (self.term(left)?, self.term(right)?) {
            (Term::Attr(f), Term::Lit(l)) => Ok(Expr::Cmp(f, op, self.value(f, &l)?)),
            (Term::Lit(l), Term::Attr(f)) => Ok(Expr::Cmp(f, flipped, self.value(f, &l)?)),
            (Term::Attr(a), Term::Attr(b)) => Ok(Expr::CmpFacts(a, op, b)),
            _ => Err("`<` and its like compare facts and values".to_owned()),
        }
    }
}
