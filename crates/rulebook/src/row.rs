//! Scenario rows: one line, one case, and what must come out.

use std::collections::BTreeSet;

use crate::article::{Block, RowTable};
use crate::book::{Rulebook, TextId};
use crate::date::Date;
use crate::decide::Case;
use crate::facts::Facts;
use crate::verdict::{Binding, Conclusion, Standing, Verdict};
use crate::vocabulary::{FactId, Value};

/// One row, read.
#[derive(Debug, Clone)]
pub struct Row {
    /// Path below `rulebook/`.
    pub file: String,
    /// Its line.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// The baseline it starts from.
    pub base: String,
    /// What it changes.
    pub given: Vec<(FactId, Option<Value>)>,
    /// Its day, if not the text's.
    pub as_of: Option<Date>,
    /// What is expected, by text.
    pub expect: Vec<(TextId, BTreeSet<String>)>,
    /// Rules that must (`true`) or must not be among the grounds.
    pub grounds: Vec<(String, bool)>,
    /// The conditions that must not be met, if stated.
    pub broken: Option<BTreeSet<String>>,
    /// Duties and how each must stand.
    pub duties: Vec<(String, DutyStands)>,
    /// Fines that must (`true`) or must not be told.
    pub fines: Vec<(String, bool)>,
}

/// How a row wants a duty to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DutyStands {
    /// It arises, and no relief lifts it.
    Arises,
    /// It would arise, but a relief lifts it (`~`).
    Lifted,
    /// It does not arise (`!`).
    Absent,
}

/// A row that did not come out as written, or could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFailure {
    /// Path below `rulebook/`.
    pub file: String,
    /// Its line.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// The text asked, if it came to that.
    pub text: Option<TextId>,
    /// What was wrong.
    pub message: String,
}

impl std::fmt::Display for RowFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if let Some(text) = self.text {
            write!(f, "{text}: ")?;
        }
        write!(f, "\"{}\": {}", self.name, self.message)
    }
}

const RESERVED: [&str; 10] =
    ["case", "base", "given", "as of", "text", "expect", "grounds", "broken", "duties", "fines"];

impl Rulebook {
    /// Every scenario row: those of the articles, under each text that shares the file, and the cross-text cases.
    pub fn rows(&self) -> (Vec<Row>, Vec<RowFailure>) {
        let mut rows = Vec::new();
        let mut bad = Vec::new();
        let mut done: BTreeSet<&str> = BTreeSet::new();
        for (_, text) in self.texts() {
            for article in &text.articles {
                if !done.insert(&article.file) {
                    continue;
                }
                let users: Vec<TextId> = self
                    .texts()
                    .filter(|(_, t)| t.articles.iter().any(|a| a.file == article.file))
                    .map(|(id, _)| id)
                    .collect();
                for block in &article.blocks {
                    if let Block::Rows(table) = block {
                        self.read_table(&article.file, table, &users, &mut rows, &mut bad);
                    }
                }
            }
        }
        let all: Vec<TextId> = self.texts().map(|(id, _)| id).collect();
        for (file, table) in &self.cases {
            self.read_table(file, table, &all, &mut rows, &mut bad);
        }
        (rows, bad)
    }

    fn read_table(
        &self,
        file: &str,
        table: &RowTable,
        users: &[TextId],
        rows: &mut Vec<Row>,
        bad: &mut Vec<RowFailure>,
    ) {
        for (line, cells) in &table.rows {
            let mut row = Row {
                file: file.to_owned(),
                line: *line,
                name: String::new(),
                base: table.base.clone(),
                given: Vec::new(),
                as_of: None,
                expect: Vec::new(),
                grounds: Vec::new(),
                broken: None,
                duties: Vec::new(),
                fines: Vec::new(),
            };
            let mut wrong = Vec::new();
            self.read_cells(&mut row, &table.columns, cells, users, &mut wrong);
            if self.baseline(&row.base).is_none() {
                wrong.push(format!("there is no baseline `{}`", row.base));
            }
            if wrong.is_empty() {
                rows.push(row);
            } else {
                bad.extend(wrong.into_iter().map(|message| RowFailure {
                    file: file.to_owned(),
                    line: *line,
                    name: row.name.clone(),
                    text: None,
                    message,
                }));
            }
        }
    }

    fn read_cells(
        &self,
        row: &mut Row,
        columns: &[String],
        cells: &[String],
        users: &[TextId],
        wrong: &mut Vec<String>,
    ) {
        let mut texts: Vec<TextId> = users.to_vec();
        let mut expect: Option<BTreeSet<String>> = None;
        let mut last = String::new();
        let mut named = false;
        for (column, cell) in columns.iter().zip(cells) {
            match column.as_str() {
                "case" => row.name.clone_from(cell),
                "base" if !cell.is_empty() => row.base.clone_from(cell),
                "given" => {
                    for part in cell.split(';').map(str::trim).filter(|p| !p.is_empty()) {
                        match part.split_once('=') {
                            Some((name, value)) => self.give(row, name.trim(), value.trim(), wrong),
                            None => wrong.push(format!("`{part}` is not `fact = value`")),
                        }
                    }
                }
                "as of" if !cell.is_empty() => self.give(row, "as_of", cell, wrong),
                "text" if !cell.is_empty() => {
                    texts = Vec::new();
                    named = true;
                    for word in words(cell) {
                        match word.parse::<TextId>() {
                            Ok(t) if users.contains(&t) => texts.push(t),
                            Ok(t) => wrong.push(format!("{t} does not use this file")),
                            Err(e) => wrong.push(e.to_string()),
                        }
                    }
                }
                "expect" => expect = Some(read_expect(cell, wrong)),
                "grounds" => row.grounds = signed(cell),
                "duties" => row.duties = words(cell).map(duty).collect(),
                "fines" => row.fines = signed(cell),
                "broken" => row.broken = Some(words(cell).map(str::to_owned).collect()),
                name if RESERVED.contains(&name) => {}
                name => match name.parse::<TextId>() {
                    Ok(text) => {
                        let cell = if cell == "=" { last.clone() } else { cell.clone() };
                        if !cell.is_empty() {
                            let set = read_expect(&cell, wrong);
                            row.expect.push((text, set));
                        }
                        last = cell;
                    }
                    Err(_) if cell.is_empty() => {
                        if self.vocabulary().find(name).is_none() {
                            wrong.push(format!("there is no fact `{name}` (a column of the table)"));
                        }
                    }
                    Err(_) => self.give(row, name, cell, wrong),
                },
            }
        }
        if let (Some(day), false) = (row.as_of, named) {
            texts.retain(|t| self.text(*t).is_ok_and(|t| t.meta.published <= day));
        }
        if let Some(expect) = expect {
            row.expect.extend(texts.into_iter().map(|t| (t, expect.clone())));
        }
        if row.expect.is_empty() {
            wrong.push("nothing is expected of this row".to_owned());
        }
    }

    fn give(&self, row: &mut Row, name: &str, value: &str, wrong: &mut Vec<String>) {
        let vocabulary = self.vocabulary();
        if name == "as_of" {
            match value.parse() {
                Ok(day) => row.as_of = Some(day),
                Err(e) => wrong.push(format!("as of: {e}")),
            }
            return;
        }
        let Some(id) = vocabulary.find(name) else {
            let near = vocabulary.near(name).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            wrong.push(format!("there is no fact `{name}`{near}"));
            return;
        };
        let fact = vocabulary.fact(id);
        if fact.derived.is_some() {
            wrong.push(format!("`{name}` follows from other facts and cannot be given"));
            return;
        }
        match value {
            "unknown" | "?" => row.given.push((id, None)),
            _ => match fact.read(value) {
                Ok(v) => row.given.push((id, Some(v))),
                Err(e) => wrong.push(e),
            },
        }
    }

    /// The facts of a row: its baseline with what it changes. Facts that a changed parent rules out fall back.
    pub fn row_facts(&self, row: &Row) -> Facts {
        let vocabulary = self.vocabulary();
        let mut facts = self.baseline(&row.base).cloned().unwrap_or_else(|| Facts::none(vocabulary));
        for (id, value) in &row.given {
            facts.set(*id, *value);
        }
        for (id, fact) in vocabulary.facts() {
            if let Some((parent, is)) = &fact.only_if {
                let ruled_out = facts.get(*parent).is_some_and(|v| !is.contains(&v));
                if ruled_out && !row.given.iter().any(|(f, _)| *f == id) {
                    facts.set(id, Some(fact.otherwise));
                }
            }
        }
        facts
    }

    /// Runs one row under one text; what is wrong, if anything.
    pub fn run_row(&self, row: &Row, text: TextId, expect: &BTreeSet<String>) -> Result<(), String> {
        let facts = self.row_facts(row);
        let mut contradictions = Vec::new();
        facts.contradictions(self.vocabulary(), |_, message| contradictions.push(message));
        if let Some(message) = contradictions.into_iter().next() {
            return Err(message);
        }
        let t = self.text(text).map_err(|e| e.to_string())?;
        let as_of = row.as_of.unwrap_or(t.meta.row_as_of);
        if as_of < t.meta.published {
            return Err(format!("{} did not exist on {as_of}", t.meta.title));
        }
        self.run_row_in(row, text, t, expect)?;
        Case::new(self, t, &facts, as_of).agrees().map(|_| ())
    }

    pub(crate) fn run_row_in(
        &self,
        row: &Row,
        id: TextId,
        text: &crate::text::Text,
        expect: &BTreeSet<String>,
    ) -> Result<(), String> {
        let facts = self.row_facts(row);
        let as_of = row.as_of.unwrap_or(text.meta.row_as_of);
        let verdict = Case::new(self, text, &facts, as_of).verdict(id, &facts);
        compare(row, &verdict, expect)
    }

    /// Runs every row; what failed.
    pub fn run_rows(&self) -> (usize, Vec<RowFailure>) {
        let (rows, mut failures) = self.rows();
        let mut run = 0;
        for row in &rows {
            for (text, expect) in &row.expect {
                run += 1;
                if let Err(message) = self.run_row(row, *text, expect) {
                    failures.push(RowFailure {
                        file: row.file.clone(),
                        line: row.line,
                        name: row.name.clone(),
                        text: Some(*text),
                        message,
                    });
                }
            }
        }
        (run, failures)
    }
}

/// A verdict in the words of a row: `high_risk`, `later:prohibited`, `?transparency`.
pub fn tokens(verdict: &Verdict) -> BTreeSet<String> {
    verdict
        .conclusions
        .iter()
        .map(|c| match (c.holds, c.when.now()) {
            (None, _) => format!("?{}", c.conclusion.id()),
            (_, true) => c.conclusion.id().to_owned(),
            (_, false) => format!("later:{}", c.conclusion.id()),
        })
        .collect()
}

fn compare(row: &Row, verdict: &Verdict, expect: &BTreeSet<String>) -> Result<(), String> {
    let got = tokens(verdict);
    let list = |s: &BTreeSet<String>| s.iter().cloned().collect::<Vec<_>>().join(", ");
    let grounds: BTreeSet<&str> =
        verdict.conclusions.iter().flat_map(|c| &c.grounds).map(|g| g.rule.as_str()).collect();
    let seen = || format!(" (grounds: {})", grounds.iter().copied().collect::<Vec<_>>().join(", "));
    if got != *expect {
        return Err(format!("expected {}; got {}{}", list(expect), list(&got), seen()));
    }
    for (id, wanted) in &row.grounds {
        if grounds.contains(id.as_str()) != *wanted {
            return Err(format!("`{id}` {} a ground{}", if *wanted { "is not" } else { "is" }, seen()));
        }
    }
    if let Some(broken) = &row.broken {
        let now: BTreeSet<String> = verdict
            .conditions
            .iter()
            .filter(|c| c.standing == Standing::Broken)
            .map(|c| c.ground.rule.clone())
            .collect();
        if now != *broken {
            return Err(format!("expected as broken: {}; got: {}", list(broken), list(&now)));
        }
    }
    for (id, wanted) in &row.fines {
        if verdict.fines.iter().any(|f| f.id == *id) != *wanted {
            return Err(format!("the fine `{id}` is {}told", if *wanted { "not " } else { "" }));
        }
    }
    for (id, wanted) in &row.duties {
        let due = verdict.duties.iter().find(|d| d.id == *id && d.binding != Binding::Open);
        let stands = match due.map(|d| &d.binding) {
            None => DutyStands::Absent,
            Some(Binding::Lifted { .. }) => DutyStands::Lifted,
            Some(_) => DutyStands::Arises,
        };
        if stands != *wanted {
            let says = match stands {
                DutyStands::Arises => "arises",
                DutyStands::Lifted => "is lifted",
                DutyStands::Absent => "does not arise",
            };
            return Err(format!("the duty `{id}` {says}"));
        }
    }
    Ok(())
}

fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split([',', ' ']).map(str::trim).filter(|w| !w.is_empty())
}

fn signed(cell: &str) -> Vec<(String, bool)> {
    words(cell)
        .map(|w| match w.strip_prefix('!') {
            Some(rest) => (rest.to_owned(), false),
            None => (w.to_owned(), true),
        })
        .collect()
}

fn duty(word: &str) -> (String, DutyStands) {
    match (word.strip_prefix('!'), word.strip_prefix('~')) {
        (Some(id), _) => (id.to_owned(), DutyStands::Absent),
        (_, Some(id)) => (id.to_owned(), DutyStands::Lifted),
        _ => (word.to_owned(), DutyStands::Arises),
    }
}

fn read_expect(cell: &str, wrong: &mut Vec<String>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for word in words(cell) {
        let name = word.strip_prefix("later:").or_else(|| word.strip_prefix('?')).unwrap_or(word);
        if Conclusion::parse(name).is_none() {
            wrong.push(format!("`{word}` is no conclusion"));
        }
        out.insert(word.to_owned());
    }
    out
}
