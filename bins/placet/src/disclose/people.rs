//! The list of who may sign.

use std::path::Path;

use placet_job::chain;
use placet_record::unsealing::{People, Person};
use placet_tlog::note::VerifierKey;
use serde::Deserialize;

use crate::Failure;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    person: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    unit: String,
    keys: Vec<String>,
}

/// The people that a file lists.
pub fn read(path: &Path) -> Result<People, Failure> {
    let bad = |why: &str| Failure::Usage(format!("`{}` is no list of people: {why}", path.display()));
    let bytes = super::read(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|e| bad(&e.to_string()))?;
    let list: List = toml::from_str(text).map_err(|e| bad(e.message()))?;
    let person = |entry: Entry| {
        let value = |what: &str, text: &str| {
            text.parse().map_err(|e: placet_record::entry::ValueError| {
                bad(&format!("{what} `{}` {e}", crate::progress::printable(text)))
            })
        };
        let key = |text: &String| {
            text.parse::<VerifierKey>().map_err(|e| {
                bad(&format!(
                    "`{}` is no public key of `{}`: {}",
                    crate::progress::printable(text),
                    entry.name,
                    chain(&e)
                ))
            })
        };
        Ok(Person {
            name: value("the name", &entry.name)?,
            unit: value("the unit", &entry.unit)?,
            keys: entry.keys.iter().map(key).collect::<Result<_, Failure>>()?,
        })
    };
    let people = list.person.into_iter().map(person).collect::<Result<Vec<_>, Failure>>()?;
    People::new(people).map_err(|e| bad(&chain(&e)))
}
