//! One article as a Markdown file: front matter, plain words, rules in `cedar` fences, rows in tables.

use crate::problem::Problem;
use crate::table::Source;

/// A file of the rulebook that holds rules: an article, an annex, or a part of the floor.
#[derive(Debug, Clone)]
pub struct Article {
    /// Path below `rulebook/`.
    pub file: String,
    /// `Art. 5`, `Annex III`.
    pub article: String,
    /// Its heading in our words.
    pub title: String,
    /// Where the official text stands.
    pub eli: Option<String>,
    /// How well its rules are backed, unless a rule says otherwise.
    pub confidence: String,
    /// The parts of the file in order.
    pub blocks: Vec<Block>,
}

/// One part of an article file.
#[derive(Debug, Clone)]
pub enum Block {
    /// A heading with its depth (2 for `##`).
    Heading(usize, String),
    /// Plain words, Markdown kept.
    Prose(String),
    /// Source of rules, with the line of its first line.
    Cedar(usize, String),
    /// Scenario rows.
    Rows(RowTable),
}

/// A table of rows as written.
#[derive(Debug, Clone)]
pub struct RowTable {
    /// The baseline named above the table.
    pub base: String,
    /// Column names.
    pub columns: Vec<String>,
    /// Cells, with their line.
    pub rows: Vec<(usize, Vec<String>)>,
}

pub(crate) fn read(file: &str, text: &str) -> (Article, Vec<Problem>) {
    let mut out = Article {
        file: file.to_owned(),
        article: String::new(),
        title: String::new(),
        eli: None,
        confidence: String::new(),
        blocks: Vec::new(),
    };
    let mut problems = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    if lines.first() == Some(&"+++") {
        let end = lines.iter().skip(1).position(|l| *l == "+++").map_or(lines.len(), |n| n + 1);
        let front = lines.get(1..end).unwrap_or_default().join("\n");
        let source = Source::new(file, &front).starting_at(2);
        if let Some(table) = source.parse() {
            let t = source.table(table.get_ref(), 1);
            out.article = t.need("article");
            out.title = t.need("title");
            out.eli = t.text("eli");
            out.confidence = t.need("confidence");
            check_confidence(&out.confidence, |m| t.report(m));
            t.finish();
        }
        problems.extend(source.into_problems());
        at = end + 1;
    } else {
        problems.push(Problem::new(
            file,
            1,
            "the file must begin with front matter between two lines of +++",
        ));
    }
    Body {
        file,
        lines: &lines,
        at,
        base: "plain".to_owned(),
        blocks: &mut out.blocks,
        problems: &mut problems,
    }
    .read();
    (out, problems)
}

/// How well a rule is backed.
pub(crate) const CONFIDENCES: [&str; 5] = ["text", "fragment", "secondary", "memory", "derived"];

pub(crate) fn check_confidence(word: &str, report: impl Fn(String)) {
    if !CONFIDENCES.contains(&word) {
        report(format!("`confidence` is one of {}, not `{word}`", CONFIDENCES.join(", ")));
    }
}

struct Body<'a> {
    file: &'a str,
    lines: &'a [&'a str],
    at: usize,
    base: String,
    blocks: &'a mut Vec<Block>,
    problems: &'a mut Vec<Problem>,
}

impl Body<'_> {
    fn line(&self) -> Option<&str> {
        self.lines.get(self.at).copied()
    }

    fn read(mut self) {
        let mut prose: Vec<String> = Vec::new();
        while let Some(line) = self.line() {
            let line = line.to_owned();
            let trimmed = line.trim();
            if let Some(heading) = trimmed.strip_prefix('#') {
                self.flush(&mut prose);
                let depth = 1 + heading.len() - heading.trim_start_matches('#').len();
                self.blocks.push(Block::Heading(depth, heading.trim_start_matches('#').trim().to_owned()));
                self.base = "plain".to_owned();
                self.at += 1;
            } else if trimmed == "```cedar" {
                self.flush(&mut prose);
                self.fence();
            } else if let Some(base) = trimmed.strip_prefix("base:") {
                self.flush(&mut prose);
                self.base = base.trim().to_owned();
                self.at += 1;
            } else if is_row_header(trimmed) {
                self.flush(&mut prose);
                self.rows();
            } else if trimmed.starts_with('|') {
                self.table_in_prose(&mut prose);
            } else {
                if trimmed.starts_with("```") {
                    let message = "only ```cedar fences are read; indent the text instead";
                    self.problems.push(Problem::new(self.file, self.at + 1, message));
                }
                prose.push(line);
                self.at += 1;
            }
        }
        self.flush(&mut prose);
    }

    /// A table for the eye alone. A row that stands apart from its header, or a header misspelt, would be read by nobody.
    fn table_in_prose(&mut self, prose: &mut Vec<String>) {
        let first = self.line().map(cells).unwrap_or_default();
        let ruled = self.lines.get(self.at + 1).is_some_and(|l| is_table_rule(l));
        let meant = first.iter().any(|c| ["case", "expect"].contains(&c.to_lowercase().as_str()));
        let wrong = match (ruled, meant) {
            (false, _) => Some(
                "this line of a table stands apart from its header; a table has no blank line in it, and its second line \
                 is | --- | --- |",
            ),
            (true, true) => Some("a table of cases has `case` as its first column, in small letters"),
            (true, false) => None,
        };
        if let Some(message) = wrong {
            self.problems.push(Problem::new(self.file, self.at + 1, message));
        }
        while let Some(line) = self.line().filter(|l| l.trim().starts_with('|')) {
            prose.push(line.to_owned());
            self.at += 1;
        }
    }

    fn flush(&mut self, prose: &mut Vec<String>) {
        let text = prose.join("\n").trim().to_owned();
        prose.clear();
        if !text.is_empty() {
            self.blocks.push(Block::Prose(text));
        }
    }

    fn fence(&mut self) {
        let first = self.at + 2;
        self.at += 1;
        let mut source = String::new();
        loop {
            match self.line() {
                None => {
                    self.problems.push(Problem::new(
                        self.file,
                        first - 1,
                        "this ```cedar fence is never closed",
                    ));
                    break;
                }
                Some(l) if l.trim() == "```" => {
                    self.at += 1;
                    break;
                }
                Some(l) => {
                    source.push_str(l);
                    source.push('\n');
                    self.at += 1;
                }
            }
        }
        self.blocks.push(Block::Cedar(first, source));
    }

    fn rows(&mut self) {
        let columns = self.line().map(cells).unwrap_or_default();
        self.at += 1;
        if self.line().is_some_and(is_table_rule) {
            self.at += 1;
        } else {
            let message = "the second line of a table must be | --- | --- |";
            self.problems.push(Problem::new(self.file, self.at + 1, message));
        }
        let mut rows = Vec::new();
        while let Some(line) = self.line().filter(|l| l.trim().starts_with('|')) {
            let row = cells(line);
            if row.len() != columns.len() {
                let message = format!("the row has {} cells, its table {} columns", row.len(), columns.len());
                self.problems.push(Problem::new(self.file, self.at + 1, message));
            } else {
                rows.push((self.at + 1, row));
            }
            self.at += 1;
        }
        if let Some(line) = self.line().filter(|l| !l.trim().is_empty() && l.contains(" | ")) {
            let message = format!("a row of a table begins with |, unlike `{}`", line.trim());
            self.problems.push(Problem::new(self.file, self.at + 1, message));
        }
        self.blocks.push(Block::Rows(RowTable { base: self.base.clone(), columns, rows }));
    }
}

/// The line below a table's header.
fn is_table_rule(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("| -") || line.starts_with("|-") || line.starts_with("| :")
}

fn is_row_header(line: &str) -> bool {
    line.starts_with('|') && cells(line).first().is_some_and(|c| c == "case")
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let inner = line.strip_prefix('|').unwrap_or(line);
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    inner.split('|').map(|c| c.trim().trim_matches('`').to_owned()).collect()
}
