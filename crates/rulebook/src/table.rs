//! Reading TOML strictly: every problem with its line, every unknown key named with the nearest right one.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::date::Date;
use crate::problem::{Problem, line_of, nearest};

/// One file under reading, and the problems found in it so far.
pub(crate) struct Source<'t> {
    pub(crate) file: &'t str,
    pub(crate) text: &'t str,
    /// Line number of the first line of `text` within the file, from 1.
    pub(crate) first_line: usize,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Source<'t> {
    pub(crate) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, first_line: 1, problems: RefCell::default() }
    }

    pub(crate) fn starting_at(self, first_line: usize) -> Self {
        Self { first_line, ..self }
    }

    pub(crate) fn line(&self, offset: usize) -> usize {
        line_of(self.text, offset) + self.first_line - 1
    }

    pub(crate) fn report(&self, line: usize, message: impl Into<String>) {
        self.problems.borrow_mut().push(Problem::new(self.file, line, message));
    }

    /// Parses the whole text; a syntax error is a problem and yields nothing.
    pub(crate) fn parse(&self) -> Option<Spanned<DeTable<'t>>> {
        match DeTable::parse(self.text) {
            Ok(table) => Some(table),
            Err(e) => {
                let line = e.span().map_or(0, |s| self.line(s.start));
                let message = e.message().lines().collect::<Vec<_>>().join("; ");
                self.report(line, message);
                None
            }
        }
    }

    pub(crate) fn table<'s>(&'s self, table: &'s DeTable<'t>, line: usize) -> Table<'s, 't> {
        Table { source: self, table, line, read: RefCell::default() }
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// One TOML table; `finish` complains about keys nobody read.
pub(crate) struct Table<'s, 't> {
    source: &'s Source<'t>,
    table: &'s DeTable<'t>,
    pub(crate) line: usize,
    read: RefCell<Vec<&'s str>>,
}

impl<'s, 't> Table<'s, 't> {
    pub(crate) fn report(&self, message: impl Into<String>) {
        self.source.report(self.line, message);
    }

    pub(crate) fn report_at(&self, line: usize, message: impl Into<String>) {
        self.source.report(line, message);
    }

    pub(crate) fn raw(&self, key: &'s str) -> Option<(usize, &'s DeValue<'t>)> {
        self.read.borrow_mut().push(key);
        self.table.get(key).map(|v| (self.source.line(v.span().start), v.get_ref()))
    }

    fn typed<T>(&self, key: &'s str, what: &str, read: impl Fn(&'s DeValue<'t>) -> Option<T>) -> Option<T> {
        let (line, value) = self.raw(key)?;
        let out = read(value);
        if out.is_none() {
            self.source.report(line, format!("`{key}` must be {what}, not {}", describe(value)));
        }
        out
    }

    pub(crate) fn text(&self, key: &'s str) -> Option<String> {
        self.typed(key, "a text", |v| v.as_str().map(str::to_owned))
    }

    pub(crate) fn need(&self, key: &'s str) -> String {
        if !self.table.contains_key(key) {
            self.report(format!("`{key}` is missing"));
        }
        self.text(key).unwrap_or_default()
    }

    pub(crate) fn flag(&self, key: &'s str) -> bool {
        self.typed(key, "true or false", DeValue::as_bool).unwrap_or(false)
    }

    pub(crate) fn int(&self, key: &'s str) -> Option<i64> {
        self.typed(key, "a whole number", int_of)
    }

    pub(crate) fn date(&self, key: &'s str) -> Option<Date> {
        let (line, value) = self.raw(key)?;
        match date_of(value) {
            Ok(date) => Some(date),
            Err(message) => {
                self.source.report(line, format!("`{key}`: {message}"));
                None
            }
        }
    }

    /// A list of texts; absent is empty.
    pub(crate) fn list(&self, key: &'s str) -> Vec<String> {
        self.typed(key, "a list of texts", |v| {
            v.as_array()?.iter().map(|e| e.get_ref().as_str().map(str::to_owned)).collect()
        })
        .unwrap_or_default()
    }

    pub(crate) fn inner(&self, key: &'s str) -> Option<Table<'s, 't>> {
        let (line, value) = self.raw(key)?;
        match value.as_table() {
            Some(table) => Some(self.source.table(table, line)),
            None => {
                self.source.report(line, format!("`{key}` must be a table, not {}", describe(value)));
                None
            }
        }
    }

    /// The tables of `[[key]]`.
    pub(crate) fn each(&self, key: &'s str) -> Vec<Table<'s, 't>> {
        let Some((line, value)) = self.raw(key) else { return Vec::new() };
        let Some(array) = value.as_array() else {
            self.source.report(line, format!("`{key}` must be written [[{key}]]"));
            return Vec::new();
        };
        let mut out = Vec::new();
        for element in array.iter() {
            let line = self.source.line(element.span().start);
            match element.get_ref().as_table() {
                Some(table) => out.push(self.source.table(table, line)),
                None => self.source.report(line, format!("`{key}` must be written [[{key}]]")),
            }
        }
        out
    }

    /// All entries in the order of the file: key, its line, value.
    pub(crate) fn entries(&self) -> Vec<(&'s str, usize, &'s DeValue<'t>)> {
        let mut out: Vec<_> =
            self.table.iter().map(|(k, v)| (k.span().start, k.get_ref().as_ref(), v.get_ref())).collect();
        out.sort_by_key(|(at, _, _)| *at);
        self.read.borrow_mut().extend(out.iter().map(|(_, k, _)| *k));
        out.into_iter().map(|(at, k, v)| (k, self.source.line(at), v)).collect()
    }

    pub(crate) fn as_table(&self, value: &'s DeValue<'t>, line: usize) -> Option<Table<'s, 't>> {
        value.as_table().map(|t| self.source.table(t, line))
    }

    /// Reports every key that was not read.
    pub(crate) fn finish(self) {
        let read = self.read.into_inner();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !read.contains(&name) {
                let line = self.source.line(key.span().start);
                let hint = nearest(name, read.iter().copied()).map_or_else(
                    || format!("known here: {}", read.join(", ")),
                    |n| format!("did you mean `{n}`?"),
                );
                self.source.report(line, format!("unknown key `{name}`; {hint}"));
            }
        }
    }
}

pub(crate) fn int_of(value: &DeValue<'_>) -> Option<i64> {
    let int = value.as_integer()?;
    i64::from_str_radix(&int.as_str().replace('_', ""), int.radix()).ok()
}

/// A day, from a TOML date (which may be impossible) or from a text.
pub(crate) fn date_of(value: &DeValue<'_>) -> Result<Date, String> {
    match value {
        DeValue::Datetime(at) => {
            let (Some(date), None) = (at.date, at.time) else {
                return Err("a date without time is wanted, such as 2026-11-22".to_owned());
            };
            Date::new(i32::from(date.year), u32::from(date.month), u32::from(date.day))
                .map_err(|e| e.to_string())
        }
        DeValue::String(text) => text.parse::<Date>().map_err(|e| e.to_string()),
        other => Err(format!("a date such as 2026-11-22 is wanted, not {}", describe(other))),
    }
}

pub(crate) fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(s) => format!("the text \"{}\"", s.chars().take(40).collect::<String>()),
        DeValue::Integer(i) => format!("the number {}", i.as_str()),
        DeValue::Float(f) => format!("the number {}", f.as_str()),
        DeValue::Boolean(b) => format!("{b}"),
        DeValue::Datetime(d) => format!("the date {d}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
