//! As much of JSON Schema (2020-12) as the manifest's schema uses. A keyword it does not know is an error, so that the
//! schema cannot say more than is tested.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Paths of the properties met in values, such as `tracks[].id`.
#[derive(Default)]
pub struct Seen {
    pub paths: BTreeSet<String>,
}

/// Checks `value` at `path` against `schema`, a part of `root`.
pub fn validate(
    root: &Value,
    schema: &Value,
    value: &Value,
    path: &str,
    seen: &mut Seen,
) -> Result<(), String> {
    let fail = |why: &str| Err(format!("`{path}` {why}: {value}"));
    for (keyword, says) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => {}
            "$ref" => validate(root, resolve(root, says), value, path, seen)?,
            "anyOf" => {
                let mut any = says.as_array().unwrap().iter();
                if !any.any(|schema| validate(root, schema, value, path, seen).is_ok()) {
                    return fail("fits no alternative");
                }
            }
            "type" => {
                let found = match value {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(n) if n.is_u64() || n.is_i64() => "integer",
                    Value::Number(_) => "number",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                };
                if says != found && !says.as_array().is_some_and(|types| types.contains(&json!(found))) {
                    return fail("has another type");
                }
            }
            "enum" => {
                if !says.as_array().unwrap().contains(value) {
                    return fail("is none of the values allowed");
                }
            }
            "minimum" => {
                if value.as_u64().is_none_or(|n| n < says.as_u64().unwrap()) {
                    return fail("is too small");
                }
            }
            "maximum" => {
                if value.as_u64().is_none_or(|n| n > says.as_u64().unwrap()) {
                    return fail("is too large");
                }
            }
            "minLength" => {
                if value.as_str().is_some_and(|s| (s.chars().count() as u64) < says.as_u64().unwrap()) {
                    return fail("is too short");
                }
            }
            "maxItems" => {
                if value.as_array().is_some_and(|items| items.len() as u64 > says.as_u64().unwrap()) {
                    return fail("has too many items");
                }
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    validate(root, says, item, &format!("{path}[]"), seen)?;
                }
            }
            "properties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    let Some(schema) = says.get(name) else {
                        return fail("has a key that is not in the schema");
                    };
                    let path = join(path, name);
                    seen.paths.insert(path.clone());
                    validate(root, schema, value, &path, seen)?;
                }
            }
            "required" => {
                let has = |name: &Value| value.get(name.as_str().unwrap()).is_some();
                if value.is_object() && !says.as_array().unwrap().iter().all(has) {
                    return fail("lacks a key");
                }
            }
            // `properties` refuses the others already.
            "additionalProperties" => assert_eq!(says, &json!(false)),
            other => return fail(&format!("is under a keyword the test does not know, `{other}`")),
        }
    }
    if let Some(properties) = schema.get("properties") {
        let required = schema["required"].as_array().map_or(0, Vec::len);
        assert_eq!(required, properties.as_object().unwrap().len(), "every key of `{path}` is required");
        assert_eq!(schema.get("additionalProperties"), Some(&json!(false)), "`{path}` is closed");
    }
    Ok(())
}

/// Paths of all properties that `schema` has.
pub fn described(root: &Value, schema: &Value, path: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    if let Some(reference) = schema.get("$ref") {
        paths.extend(described(root, resolve(root, reference), path));
    }
    for alternative in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        paths.extend(described(root, alternative, path));
    }
    if let Some(items) = schema.get("items") {
        paths.extend(described(root, items, &format!("{path}[]")));
    }
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = join(path, name);
        paths.extend(described(root, schema, &path));
        paths.insert(path);
    }
    paths
}

/// `value` with each key left out, with one key more in each object, and with each leaf of another type.
pub fn mutants(value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::Object(map) => {
            let more = changed(map, |map| map.insert("zzz".to_owned(), json!(0)));
            let mut all = vec![("one key more".to_owned(), more)];
            for (name, inner) in map {
                all.push((format!("no `{name}`"), changed(map, |map| map.remove(name))));
                let put = |mutant| changed(map, |map| map.insert(name.clone(), mutant));
                all.extend(
                    mutants(inner).into_iter().map(|(what, mutant)| (format!("{name}: {what}"), put(mutant))),
                );
            }
            all
        }
        Value::Array(items) => items
            .first()
            .map(|first| {
                mutants(first).into_iter().map(|(what, mutant)| (format!("first: {what}"), json!([mutant])))
            })
            .into_iter()
            .flatten()
            .collect(),
        Value::String(_) | Value::Bool(_) => vec![("a number".to_owned(), json!(1))],
        Value::Number(_) | Value::Null => vec![("a list".to_owned(), json!([]))],
    }
}

fn changed<T>(map: &Map<String, Value>, change: impl FnOnce(&mut Map<String, Value>) -> T) -> Value {
    let mut map = map.clone();
    change(&mut map);
    Value::Object(map)
}

fn resolve<'r>(root: &'r Value, reference: &Value) -> &'r Value {
    let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
    root.pointer(pointer).unwrap()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
