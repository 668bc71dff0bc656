//! A table, read key by key; what is left over is unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use crate::Problem;
use crate::config::{Origin, Setting};
use crate::keys::{Form, KEYS, Key};

/// The keys of one table as they were written.
pub(crate) struct Table<'a> {
    /// Its name as messages have it.
    pub(crate) title: String,
    pub(crate) line: usize,
    kind: &'static str,
    values: BTreeMap<String, (usize, DeValue<'a>)>,
    folder: &'a Path,
    pub(crate) problems: Vec<Problem>,
    pub(crate) settings: Vec<Setting>,
}

/// In which line a byte of `text` stands, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

impl<'a> Table<'a> {
    /// A table that was not written: every key has its default.
    pub(crate) fn empty(kind: &'static str, folder: &'a Path) -> Self {
        let (title, values) = (format!("[{kind}]"), BTreeMap::new());
        Self { title, line: 1, kind, values, folder, problems: Vec::new(), settings: Vec::new() }
    }

    /// Takes the table apart and tells of every key that is not one of its kind, or not of its form.
    pub(crate) fn new(
        kind: &'static str,
        line: usize,
        values: BTreeMap<String, (usize, DeValue<'a>)>,
        folder: &'a Path,
    ) -> Self {
        let mut table = Self { line, values, ..Self::empty(kind, folder) };
        let known: BTreeSet<&str> = KEYS.iter().filter(|k| k.table == kind).map(|k| k.name).collect();
        let mut problems = Vec::new();
        for (name, (line, _)) in table.values.iter().filter(|(name, _)| !known.contains(name.as_str())) {
            let near = known.iter().find(|k| is_near(k, name));
            let hint = near.map_or_else(
                || format!("it knows {}", known.iter().copied().collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            problems.push(Problem::at(*line, format!("`{name}` is no key of [{kind}]; {hint}")));
        }
        for key in KEYS.iter().filter(|k| k.table == kind) {
            if let Some((line, value)) = table.values.get(key.name)
                && let Err(words) = fits(key, value)
            {
                problems.push(Problem::at(*line, words));
            }
        }
        table.problems = problems;
        table
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The line of a key, or of the table where the key is not there.
    pub(crate) fn line(&self, name: &str) -> usize {
        self.values.get(name).map_or(self.line, |(line, _)| *line)
    }

    pub(crate) fn problem(&mut self, name: &str, words: impl Into<String>) {
        let line = self.line(name);
        self.problems.push(Problem::at(line, words));
    }

    /// The value as written, or the default; none where there is neither, or it does not fit.
    fn value(&mut self, name: &str) -> Option<String> {
        let key = KEYS.iter().find(|k| k.table == self.kind && k.name == name)?;
        let written = self.values.get(name).filter(|(_, value)| fits(key, value).is_ok());
        let (text, origin) = match written {
            Some((line, value)) => (plain(value)?, Origin::Line(*line)),
            None if key.default.is_empty() => return None,
            None => (key.default.trim_matches('"').to_owned(), Origin::Default),
        };
        let shown = Setting { table: self.title.clone(), key: key.name, value: text.clone(), origin };
        self.settings.push(shown);
        Some(text)
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.value(name)
    }

    pub(crate) fn word(&mut self, name: &str) -> String {
        self.value(name).unwrap_or_default()
    }

    pub(crate) fn path(&mut self, name: &str) -> Option<PathBuf> {
        self.value(name).map(|text| self.folder.join(text))
    }

    pub(crate) fn switch(&mut self, name: &str) -> bool {
        self.value(name).is_some_and(|text| text == "true")
    }

    pub(crate) fn number<N: TryFrom<i64> + Default>(&mut self, name: &str) -> N {
        let number = self.value(name).and_then(|text| text.parse().ok());
        number.and_then(|n: i64| N::try_from(n).ok()).unwrap_or_default()
    }

    pub(crate) fn listen(&mut self, name: &str) -> Option<SocketAddr> {
        self.value(name).and_then(|text| text.parse().ok())
    }
}

/// A value as its reader parses it.
fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n.to_string())
        }
        DeValue::Boolean(switch) => Some(switch.to_string()),
        _ => None,
    }
}

fn fits(key: &Key, value: &DeValue<'_>) -> Result<(), String> {
    let wrong = || Err(format!("`{}` must be {}", key.name, key.form.words()));
    let text = value.as_str();
    match key.form {
        Form::Text | Form::Path => match text {
            Some(text) if !text.is_empty() && !text.contains(char::is_control) => Ok(()),
            _ => wrong(),
        },
        Form::Switch => {
            if value.is_bool() {
                Ok(())
            } else {
                wrong()
            }
        }
        Form::Choice(words) => {
            if text.is_some_and(|text| words.contains(&text)) {
                Ok(())
            } else {
                wrong()
            }
        }
        Form::Listen => {
            if text.is_some_and(|t| t.parse::<SocketAddr>().is_ok()) {
                Ok(())
            } else {
                wrong()
            }
        }
        Form::Number(least, most) => {
            let number =
                value.is_integer().then(|| plain(value)).flatten().and_then(|t| t.parse::<i64>().ok());
            if number.is_some_and(|n| (least..=most).contains(&n)) { Ok(()) } else { wrong() }
        }
    }
}

/// Whether one letter was added, left out or changed, or two stand the other way round.
fn is_near(known: &str, written: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (known.chars().collect(), written.chars().collect());
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let rest = |len: usize| len.saturating_sub(head + tail);
    a.len().abs_diff(b.len()) <= 1 && rest(a.len()) <= 2 && rest(b.len()) <= 2 && a.len() > 2
}
