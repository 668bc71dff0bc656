//! Cedar's side: the schema that follows from the vocabulary, strict validation, and the official engine's answer.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::str::FromStr as _;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Entities, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};

use crate::problem::Problem;
use crate::rule::{Does, Rule};
use crate::vocabulary::{Fact, FactId, Kind, Value, Vocabulary};

/// The schema in Cedar's own language; strict: every fact is required and typed.
pub fn schema_text(vocabulary: &Vocabulary) -> String {
    schema_with(vocabulary, &|_| true)
}

pub(crate) fn schema_with(vocabulary: &Vocabulary, used: &dyn Fn(FactId) -> bool) -> String {
    let mut out = String::from(
        "// Written by `placet law schema` from facts.toml; a test holds the two together. Do not edit.\n\n\
         entity Deployer;\nentity System;\n\n",
    );
    for (_, fact) in vocabulary.facts().filter(|(id, _)| used(*id)) {
        if let Kind::Choice(list) = &fact.kind {
            let values: Vec<String> = list.iter().map(|c| format!("\"{}\"", c.id)).collect();
            let _ = writeln!(out, "entity {} enum [{}];", fact.cedar_type(), values.join(", "));
        }
    }
    for action in ["Classify", "Search"] {
        let _ = writeln!(out, "\naction \"{action}\" appliesTo {{");
        out.push_str("  principal: [Deployer],\n  resource: [System],\n  context: {\n");
        for (_, fact) in vocabulary.facts().filter(|(id, _)| used(*id)) {
            let _ = writeln!(out, "    {}: {},", fact.id, cedar_type(fact));
        }
        out.push_str("  }\n};\n");
    }
    out
}

fn cedar_type(fact: &Fact) -> String {
    match fact.kind {
        Kind::Bool => "Bool".to_owned(),
        Kind::Int { .. } => "Long".to_owned(),
        Kind::Day => "datetime".to_owned(),
        Kind::Choice(_) => fact.cedar_type(),
    }
}

/// Cedar's view of the vocabulary.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    facts: Vec<FactId>,
    pub(crate) schema: Schema,
    classify: EntityUid,
    search: EntityUid,
    principal: EntityUid,
    resource: EntityUid,
    entities: Entities,
    choices: HashMap<(FactId, Value), EntityUid>,
}

/// Which of the two questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    Classify,
    Search,
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, String> {
    let name = EntityTypeName::from_str(kind).map_err(|e| e.to_string())?;
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}

impl Engine {
    pub(crate) fn new(vocabulary: &Vocabulary) -> Result<Self, String> {
        Self::with(vocabulary, &|_| true)
    }

    /// An engine whose requests carry only the facts used.
    pub(crate) fn for_gate(vocabulary: &Vocabulary, used: &[bool]) -> Result<Self, String> {
        Self::with(vocabulary, &|f| used.get(f.index()) == Some(&true))
    }

    fn with(vocabulary: &Vocabulary, used: &dyn Fn(FactId) -> bool) -> Result<Self, String> {
        let text = schema_with(vocabulary, used);
        let (schema, _) = Schema::from_cedarschema_str(&text).map_err(|e| e.to_string())?;
        let facts = vocabulary.facts().map(|(id, _)| id).filter(|id| used(*id)).collect();
        let mut choices = HashMap::new();
        for (id, fact) in vocabulary.facts().filter(|(id, _)| used(*id)) {
            if let Kind::Choice(list) = &fact.kind {
                for (i, choice) in list.iter().enumerate() {
                    let value = Value::Choice(u16::try_from(i).map_err(|e| e.to_string())?);
                    choices.insert((id, value), uid(&fact.cedar_type(), &choice.id)?);
                }
            }
        }
        let entities = Entities::from_entities([], Some(&schema)).map_err(|e| e.to_string())?;
        Ok(Self {
            classify: uid("Action", "Classify")?,
            search: uid("Action", "Search")?,
            principal: uid("Deployer", "asking")?,
            resource: uid("System", "asked")?,
            facts,
            schema,
            entities,
            choices,
        })
    }

    /// Strict validation of the rules, one by one so that each error has its place.
    pub(crate) fn validate(&self, rules: &[Arc<Rule>]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let validator = Validator::new(self.schema.clone());
        for rule in rules {
            let mut set = PolicySet::new();
            if let Err(e) = set.add(rule.policy.clone()) {
                problems.push(Problem::new(&rule.file, rule.line, format!("`{}`: {e}", rule.id)));
                continue;
            }
            let result = validator.validate(&set, ValidationMode::Strict);
            for error in result.validation_errors() {
                problems.push(Problem::new(&rule.file, rule.line, format!("`{}`: {error}", rule.id)));
            }
        }
        problems
    }

    /// A request with the values, validated against the schema.
    ///
    /// # Errors
    /// If a fact is unknown or the request does not fit the schema.
    pub(crate) fn request(
        &self,
        vocabulary: &Vocabulary,
        question: Question,
        values: &[Option<Value>],
    ) -> Result<Request, String> {
        let mut pairs = Vec::with_capacity(self.facts.len());
        for &id in &self.facts {
            let fact = vocabulary.fact(id);
            let Some(value) = values.get(id.index()).copied().flatten() else {
                return Err(format!("`{}` is not known", fact.id));
            };
            pairs.push((fact.id.clone(), self.restricted(id, value)?));
        }
        let context = Context::from_pairs(pairs).map_err(|e| e.to_string())?;
        let action = match question {
            Question::Classify => &self.classify,
            Question::Search => &self.search,
        };
        Request::new(
            self.principal.clone(),
            action.clone(),
            self.resource.clone(),
            context,
            Some(&self.schema),
        )
        .map_err(|e| e.to_string())
    }

    fn restricted(&self, id: FactId, value: Value) -> Result<RestrictedExpression, String> {
        Ok(match value {
            Value::Bool(b) => RestrictedExpression::new_bool(b),
            Value::Int(n) => RestrictedExpression::new_long(n),
            Value::Day(d) => RestrictedExpression::new_datetime(d.to_string()),
            Value::Choice(_) => {
                let uid = self.choices.get(&(id, value)).ok_or("a value that is not in the vocabulary")?;
                RestrictedExpression::new_entity_uid(uid.clone())
            }
        })
    }

    /// The ids of the satisfied policies among `rules`, by the official engine.
    ///
    /// # Errors
    /// If any policy fails to evaluate, or the request cannot be built.
    pub(crate) fn satisfied(
        &self,
        vocabulary: &Vocabulary,
        policies: &PolicySet,
        values: &[Option<Value>],
    ) -> Result<BTreeSet<String>, String> {
        let request = self.request(vocabulary, Question::Classify, values)?;
        let response = Authorizer::new().is_authorized(&request, policies, &self.entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(error.to_string());
        }
        Ok(response.diagnostics().reason().map(ToString::to_string).collect())
    }

    pub(crate) fn authorize(&self, request: &Request, policies: &PolicySet) -> cedar_policy::Response {
        Authorizer::new().is_authorized(request, policies, &self.entities)
    }
}

/// The classification rules as one policy set.
pub(crate) fn classify_set(rules: &[Arc<Rule>]) -> Result<PolicySet, String> {
    let mut set = PolicySet::new();
    for rule in rules.iter().filter(|r| !matches!(r.does, Does::Gate(_))) {
        set.add(rule.policy.new_id(PolicyId::new(&rule.id))).map_err(|e| e.to_string())?;
    }
    Ok(set)
}
