//! One static page per article: plain words, rules, rows, dates, sources.

use std::fmt::Write as _;

use super::confidence_words;
use super::html::{escape, head};
use super::markdown::prose;
use crate::article::{Article, Block};
use crate::book::{Rulebook, TextId};
use crate::rule::Does;
use crate::text::{Status, Text};

/// One file of the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Path below the folder of pages.
    pub path: String,
    /// HTML.
    pub content: String,
}

/// Every article of every text, an index, and the readings.
pub fn article_pages(book: &Rulebook) -> Vec<Page> {
    let mut out = Vec::new();
    let mut index = head("The rulebook");
    index.push_str("<h1>The rulebook</h1>\n<p>The AI Act in five versions, in our own words, with the rules a program decides by and the cases that test them. Not legal advice; the Official Journal prevails.</p>\n");
    for (id, text) in book.texts() {
        let status = match text.meta.status {
            Status::Law => "law",
            Status::Proposal => "a proposal; never law",
            Status::Position => "a position; never law",
        };
        let _ = writeln!(
            index,
            "<h2>{} <span class=\"mark\">{id}, {status}</span></h2>\n<ul>",
            escape(&text.meta.title)
        );
        for article in &text.articles {
            let path = path_of(id, article);
            let _ = writeln!(
                index,
                "<li><a href=\"{path}\">{}: {}</a></li>",
                escape(&article.article),
                escape(&article.title)
            );
            out.push(Page { path, content: page(book, id, text, article) });
        }
        index.push_str("</ul>\n");
    }
    index.push_str("<h2>Our readings</h2>\n<dl>\n");
    for reading in book.readings.values() {
        let _ = writeln!(
            index,
            "<dt id=\"{0}\">{0}, {1}</dt><dd>{2} Why: {3} One could also read: {4}</dd>",
            escape(&reading.id),
            escape(&reading.article),
            escape(&reading.says),
            escape(&reading.why),
            escape(&reading.instead)
        );
    }
    let _ = writeln!(
        index,
        "</dl>\n<hr><p class=\"mark digest\">Rulebook {}</p>\n</body>\n</html>",
        book.digest()
    );
    out.push(Page { path: "index.html".to_owned(), content: index });
    out
}

fn path_of(id: TextId, article: &Article) -> String {
    let name = article.file.rsplit('/').next().unwrap_or("page.md").trim_end_matches(".md");
    let folder = if article.file.starts_with("floor/") { "floor" } else { "" };
    format!("{id}-{folder}{}{name}.html", if folder.is_empty() { "" } else { "-" })
}

fn page(book: &Rulebook, id: TextId, text: &Text, article: &Article) -> String {
    let mut out = head(&format!("{}: {}", article.article, article.title));
    let _ = writeln!(out, "<p><a href=\"index.html\">The rulebook</a> › {}</p>", escape(&text.meta.title));
    let _ = writeln!(out, "<h1>{}: {}</h1>", escape(&article.article), escape(&article.title));
    let eli = match text.official(&article.article).or_else(|| article.eli.clone()) {
        Some(eli) => format!(" <a href=\"{}\">Official text</a>.", escape(&eli)),
        None => String::new(),
    };
    let _ = writeln!(
        out,
        "<p class=\"mark\">In our own words; {}.{eli}</p>",
        confidence_words(&article.confidence)
    );
    for block in &article.blocks {
        match block {
            Block::Heading(depth, words) => {
                let depth = depth.clamp(&2, &4);
                let _ = writeln!(out, "<h{depth}>{}</h{depth}>", escape(words));
            }
            Block::Prose(words) => out.push_str(&prose(words)),
            Block::Cedar(line, source) => rules(&mut out, book, text, article, *line, source),
            Block::Rows(table) => {
                out.push_str("<div class=\"wide\"><table><tr>");
                table.columns.iter().for_each(|c| {
                    let _ = write!(out, "<th>{}</th>", escape(c));
                });
                out.push_str("</tr>\n");
                for (_, cells) in &table.rows {
                    out.push_str("<tr>");
                    cells.iter().for_each(|c| {
                        let _ = write!(out, "<td>{}</td>", escape(c));
                    });
                    out.push_str("</tr>\n");
                }
                let _ = writeln!(
                    out,
                    "</table></div>\n<p class=\"mark\">Cases start from the baseline “{}”.</p>",
                    escape(&table.base)
                );
            }
        }
    }
    let _ =
        writeln!(out, "<hr><p class=\"mark digest\">{id}, rulebook {}</p>\n</body>\n</html>", book.digest());
    out
}

fn rules(out: &mut String, book: &Rulebook, text: &Text, article: &Article, line: usize, source: &str) {
    let end = line + source.lines().count();
    for (i, rule) in text.rules.iter().enumerate() {
        if rule.file != article.file || rule.line < line || rule.line >= end {
            continue;
        }
        let does = match &rule.does {
            Does::Concludes(c) => format!("concludes: {}", c.words()),
            Does::Sets(f) => format!("says when: {}", book.vocabulary().fact(*f).says),
            Does::Exempts(t) => format!("a way out of {}", t.join(", ")),
            Does::Condition(t) => format!("a condition of {}", t.join(", ")),
            Does::Duty => format!("brings the duty {}", rule.duties.join(", ")),
            Does::Lifts(d, _) => format!("lifts the duty {}", d.join(", ")),
            Does::Gate(_) => "answers the gate".to_owned(),
        };
        let applies = match (text.from(i), text.meta.status) {
            (Some(day), Status::Law) => format!("; applies from {}", day.words()),
            _ => String::new(),
        };
        let _ = writeln!(
            out,
            "<h4 id=\"{}\">{} <span class=\"mark\">{}; {}{applies}; {}</span></h4>",
            escape(&rule.id),
            escape(if rule.says.is_empty() { &rule.id } else { &rule.says }),
            escape(&rule.cite),
            escape(&does),
            confidence_words(&rule.confidence)
        );
        for reading in &rule.readings {
            let says = book.reading(reading).map(|r| r.says.clone()).unwrap_or_default();
            let _ = writeln!(
                out,
                "<p>Our reading <a href=\"index.html#{0}\">{0}</a>: {1}</p>",
                escape(reading),
                escape(&says)
            );
        }
        if let Some(note) = &rule.note {
            let _ = writeln!(out, "<p>{}</p>", escape(note));
        }
        let _ = writeln!(
            out,
            "<details><summary>The rule as the program reads it</summary><pre>{}</pre></details>",
            escape(rule.source.trim_end())
        );
    }
}
