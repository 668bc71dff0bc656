//! The negotiation: what happened when, who wanted what, and the sources, as records a reader may add to.
//!
//! A record is Markdown with front matter in YAML. A clipping may also come as plain text or as text stripped of HTML:
//! then its first line is its title. Unknown keys are kept; bad values are reported by file and line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};
use serde_json::{Value as Json, json};

use crate::article::check_confidence;
use crate::book::Rulebook;
use crate::date::Date;
use crate::facts::MAX_BYTES;
use crate::problem::{Problem, Problems, line_of};
use crate::render::confidence_words;
use crate::text::each;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// A day, or how it is known: `2022-09`, `2021-06-18 / 21`.
    pub day: String,
    /// What happened.
    pub says: String,
    /// How well it is backed.
    pub confidence: String,
}

/// What somebody wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Who.
    pub actor: String,
    /// What.
    pub says: String,
    /// How well it is backed.
    pub confidence: String,
}

/// One question that was fought over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disputed {
    /// Its name.
    pub id: String,
    /// In words.
    pub title: String,
    /// Where it landed.
    pub landed: String,
    /// What each text says.
    pub wordings: Vec<Wording>,
}

/// What one text says of a question, in our own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// `com2021`.
    pub text: String,
    /// In words.
    pub says: String,
    /// Ids of rules of that text.
    pub rules: Vec<String>,
    /// How well it is backed.
    pub confidence: String,
}

/// The three shapes in which a clipping may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Markdown with front matter.
    FrontMatter,
    /// Text, its first line the title.
    Plain,
    /// Text with the leftovers of HTML: entities, stray tags.
    Stripped,
}

/// A source, as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// File name.
    pub file: String,
    /// How it came.
    pub shape: Shape,
    /// Its title.
    pub title: String,
    /// One sentence.
    pub excerpt: Option<String>,
    /// When it appeared, RFC 3339.
    pub published: Option<String>,
    /// Where it stands.
    pub url: Option<String>,
    /// Who published it.
    pub provider: Option<String>,
    /// Everything the front matter says, known and unknown keys alike.
    pub front: BTreeMap<String, Json>,
    /// The text below it.
    pub body: String,
}

/// The negotiation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Story {
    /// In order of time.
    pub events: Vec<Event>,
    /// By actor.
    pub positions: Vec<Position>,
    /// Each question in its five wordings.
    pub questions: Vec<Disputed>,
    /// Sources, oldest first.
    pub records: Vec<Record>,
}

impl Story {
    /// The story this program carries.
    ///
    /// # Errors
    /// What is wrong in it, by file and line.
    pub fn load() -> Result<Self, Problems> {
        let mut out = Self::default();
        let mut problems = Vec::new();
        let timeline = Rulebook::file("story/timeline.toml").unwrap_or_default();
        let (events, found) = each("story/timeline.toml", timeline, "event", |t| {
            let confidence = t.need("confidence");
            check_confidence(&confidence, |m| t.report(m));
            Event { day: t.need("day"), says: t.need("says"), confidence }
        });
        out.events = events;
        problems.extend(found);
        let positions = Rulebook::file("story/positions.toml").unwrap_or_default();
        let (positions, found) = each("story/positions.toml", positions, "position", |t| {
            let confidence = t.need("confidence");
            check_confidence(&confidence, |m| t.report(m));
            Position { actor: t.need("actor"), says: t.need("says"), confidence }
        });
        out.positions = positions;
        problems.extend(found);
        let questions = Rulebook::file("story/questions.toml").unwrap_or_default();
        let (questions, found) = each("story/questions.toml", questions, "question", |t| {
            let wordings = t.each("wording").into_iter().map(|w| {
                let wording = Wording {
                    text: w.need("text"),
                    says: w.need("says"),
                    rules: w.list("rules"),
                    confidence: w.need("confidence"),
                };
                check_confidence(&wording.confidence, |m| w.report(m));
                w.finish();
                wording
            });
            let wordings = wordings.collect();
            Disputed { id: t.need("id"), title: t.need("title"), landed: t.need("landed"), wordings }
        });
        out.questions = questions;
        problems.extend(found);
        for (file, text) in Rulebook::files("story/").filter(|(f, _)| f.ends_with(".md")) {
            if let Err(Problems(list)) = out.add_clipping(file, text.as_bytes()) {
                problems.extend(list);
            }
        }
        if problems.is_empty() { Ok(out) } else { Err(Problems(problems)) }
    }

    /// Adds a clipping in any of the three shapes.
    ///
    /// # Errors
    /// What is wrong in it, by file and line; then nothing is added.
    pub fn add_clipping(&mut self, file: &str, bytes: &[u8]) -> Result<(), Problems> {
        let record = read_record(file, bytes)?;
        let at = self.records.partition_point(|r| r.published <= record.published);
        self.records.insert(at, record);
        Ok(())
    }

    /// For a terminal.
    pub fn to_text(&self) -> String {
        let mut out = String::from("What happened\n\n");
        for e in &self.events {
            let _ = writeln!(out, "{:<16} {} [{}]", e.day, e.says, confidence_words(&e.confidence));
        }
        out.push_str("\nWho wanted what, on live face search\n\n");
        for p in &self.positions {
            let _ = writeln!(out, "{}: {} [{}]", p.actor, p.says, confidence_words(&p.confidence));
        }
        out.push_str("\nEach question in its five wordings\n\n");
        for q in &self.questions {
            let _ = writeln!(out, "{}", q.title);
            for w in &q.wordings {
                let _ = writeln!(out, "  {:<12} {} [{}]", w.text, w.says, confidence_words(&w.confidence));
            }
            let _ = writeln!(out, "  It landed: {}\n", q.landed);
        }
        out.push_str("\nSources\n\n");
        for r in &self.records {
            let day = r.published.as_deref().and_then(|p| p.get(..10)).unwrap_or("no date");
            let url = r.url.as_ref().map(|u| format!(" <{u}>")).unwrap_or_default();
            let by = r.provider.as_ref().map(|p| format!(", {p}")).unwrap_or_default();
            let _ = writeln!(out, "{day}  {}{by}{url} ({})", r.title, r.file);
        }
        out
    }

    /// As JSON.
    pub fn to_json(&self) -> Json {
        let events: Vec<Json> = self
            .events
            .iter()
            .map(|e| json!({ "day": e.day, "says": e.says, "confidence": e.confidence }))
            .collect();
        let positions: Vec<Json> = self
            .positions
            .iter()
            .map(|p| json!({ "actor": p.actor, "says": p.says, "confidence": p.confidence }))
            .collect();
        let records: Vec<Json> = self
            .records
            .iter()
            .map(|r| json!({ "file": r.file, "title": r.title, "front": r.front, "body": r.body }))
            .collect();
        let questions: Vec<Json> = self
            .questions
            .iter()
            .map(|q| {
                let wordings: Vec<Json> = q
                    .wordings
                    .iter()
                    .map(|w| json!({ "text": w.text, "says": w.says, "rules": w.rules, "confidence": w.confidence }))
                    .collect();
                json!({ "id": q.id, "title": q.title, "landed": q.landed, "wordings": wordings })
            })
            .collect();
        json!({ "events": events, "positions": positions, "questions": questions, "records": records })
    }
}

fn read_record(file: &str, bytes: &[u8]) -> Result<Record, Problems> {
    let one = |line, message: &str| Problems(vec![Problem::new(file, line, message)]);
    if bytes.len() > MAX_BYTES {
        return Err(one(0, "a clipping has at most 1 MiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let head = bytes.get(..e.valid_up_to()).unwrap_or_default();
        one(line_of(&String::from_utf8_lossy(head), e.valid_up_to()), "not UTF-8 from here on")
    })?;
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    if let Some(rest) = text.strip_prefix("---\n") {
        let end = rest.find("\n---\n").or_else(|| rest.strip_suffix("\n---").map(str::len));
        let Some(end) = end else {
            return Err(one(1, "the front matter is never closed with a line of ---"));
        };
        let front = rest.get(..end).unwrap_or_default();
        let body = rest.get(end + 4..).unwrap_or_default().trim().to_owned();
        return front_matter(file, front, body);
    }
    let stripped =
        text.contains("&nbsp;") || text.contains("&amp;") || text.contains("&#") || text.contains("</");
    let clean = if stripped { unescape(&text) } else { text };
    let mut lines = clean.lines().skip_while(|l| l.trim().is_empty());
    let Some(title) = lines.next() else { return Err(one(1, "the clipping is empty")) };
    let title: String = title.trim().trim_start_matches('#').trim().chars().take(200).collect();
    Ok(Record {
        file: file.to_owned(),
        shape: if stripped { Shape::Stripped } else { Shape::Plain },
        title,
        excerpt: None,
        published: None,
        url: None,
        provider: None,
        front: BTreeMap::new(),
        body: lines.collect::<Vec<_>>().join("\n").trim().to_owned(),
    })
}

fn front_matter(file: &str, front: &str, body: String) -> Result<Record, Problems> {
    let documents = MarkedYaml::load_from_str(front)
        .map_err(|e| Problems(vec![Problem::new(file, e.marker().line() + 1, e.info().to_owned())]))?;
    let mut problems = Vec::new();
    let mut record = Record {
        file: file.to_owned(),
        shape: Shape::FrontMatter,
        title: String::new(),
        excerpt: None,
        published: None,
        url: None,
        provider: None,
        front: BTreeMap::new(),
        body,
    };
    match documents.first().map(|d| &d.data) {
        Some(YamlData::Mapping(map)) => {
            for (key, value) in map {
                let line = key.span.start.line() + 1;
                let Some(name) = text_of(key) else {
                    problems.push(Problem::new(file, line, "a key must be a text"));
                    continue;
                };
                let json = to_json(value);
                if let Err(message) = check(&name, &json) {
                    problems.push(Problem::new(file, line, format!("`{name}` {message}")));
                }
                record.front.insert(name, json);
            }
        }
        _ => problems.push(Problem::new(file, 2, "the front matter is no list of keys and values")),
    }
    let text = |key: &str| record.front.get(key).and_then(Json::as_str).map(str::to_owned);
    match text("title").filter(|t| !t.trim().is_empty()) {
        Some(title) => record.title = title,
        None => problems.push(Problem::new(file, 1, "`title` is missing")),
    }
    record.excerpt = text("excerpt");
    record.published = text("publishedDateTime");
    record.url = text("originalUrl").or_else(|| text("webUrl"));
    record.provider =
        record.front.get("provider").and_then(|p| p.get("name")).and_then(Json::as_str).map(str::to_owned);
    if problems.is_empty() { Ok(record) } else { Err(Problems(problems)) }
}

/// What a known key must look like.
fn check(key: &str, value: &Json) -> Result<(), String> {
    let wants = |ok: bool, what: &str| if ok { Ok(()) } else { Err(format!("must be {what}, not {value}")) };
    match key {
        "title" | "excerpt" | "category" | "type" | "secured" => wants(value.is_string(), "a text"),
        "originalUrl" | "webUrl" | "ampWebUrl" => {
            wants(value.as_str().is_some_and(is_url), "an address (http or https)")
        }
        "publishedDateTime" => {
            wants(value.as_str().is_some_and(is_instant), "an instant such as 2023-05-12T11:20:00Z")
        }
        "quality" => {
            wants(value.as_i64().is_some_and(|n| (0..=100).contains(&n)), "a whole number from 0 to 100")
        }
        "heat" => wants(value.is_i64(), "a whole number"),
        "published" => wants(value.is_boolean(), "true or false"),
        "topics" => wants(list_of(value, Json::is_string), "a list of texts"),
        "provider" => wants(value.get("name").is_some_and(Json::is_string), "an object with a name"),
        "images" => wants(
            list_of(value, |i| i.get("url").and_then(Json::as_str).is_some_and(is_url)),
            "a list of objects with a url",
        ),
        "related" => wants(
            list_of(value, |r| r.get("title").is_some_and(Json::is_string)),
            "a list of objects with a title",
        ),
        _ => Ok(()),
    }
}

fn list_of(value: &Json, good: impl Fn(&Json) -> bool) -> bool {
    value.as_array().is_some_and(|l| l.iter().all(good))
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|r| !r.is_empty() && !r.contains(char::is_whitespace))
}

fn is_instant(text: &str) -> bool {
    let (Some(day), Some(rest)) = (text.get(..10), text.get(10..)) else { return false };
    let time = rest.strip_prefix(['T', 't', ' ']).unwrap_or("");
    let clock = time.get(..8).unwrap_or("");
    let two = |at: usize, max: u8| {
        clock.get(at..at + 2).and_then(|s| s.parse::<u8>().ok()).is_some_and(|n| n <= max)
    };
    let zone = time.get(8..).unwrap_or("").trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let zoned = zone == "Z" || zone == "z" || (zone.len() == 6 && zone.starts_with(['+', '-']));
    day.parse::<Date>().is_ok() && two(0, 23) && two(3, 59) && two(6, 60) && zoned
}

fn text_of(node: &MarkedYaml<'_>) -> Option<String> {
    match &node.data {
        YamlData::Value(Scalar::String(s)) => Some(s.to_string()),
        YamlData::Value(Scalar::Integer(n)) => Some(n.to_string()),
        YamlData::Value(Scalar::Boolean(b)) => Some(b.to_string()),
        _ => None,
    }
}

fn to_json(node: &MarkedYaml<'_>) -> Json {
    match &node.data {
        YamlData::Value(Scalar::Boolean(b)) => json!(b),
        YamlData::Value(Scalar::Integer(n)) => json!(n),
        YamlData::Value(Scalar::FloatingPoint(f)) => json!(f.into_inner()),
        YamlData::Value(Scalar::String(s)) => json!(s),
        YamlData::Sequence(list) => Json::Array(list.iter().map(to_json).collect()),
        YamlData::Mapping(map) => {
            Json::Object(map.iter().filter_map(|(k, v)| Some((text_of(k)?, to_json(v)))).collect())
        }
        _ => Json::Null,
    }
}

/// Takes out stray tags and resolves the entities that stripping HTML leaves behind.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let tag = rest.starts_with('<')
            && rest.get(1..2).is_some_and(|c| c == "/" || c.starts_with(|c: char| c.is_ascii_alphabetic()));
        if let (true, Some(end)) = (tag, rest.find('>')) {
            rest = rest.get(end + 1..).unwrap_or_default();
            continue;
        }
        let entity =
            rest.strip_prefix('&').and_then(|r| r.find(';').filter(|e| *e <= 8).and_then(|e| r.get(..e)));
        let replaced = entity.and_then(|name| match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "nbsp" => Some(' '),
            "ndash" => Some('–'),
            "mdash" => Some('—'),
            "rsquo" => Some('’'),
            "ldquo" => Some('“'),
            "rdquo" => Some('”'),
            _ => name.strip_prefix('#').and_then(|n| match n.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok().and_then(char::from_u32),
                None => n.parse().ok().and_then(char::from_u32),
            }),
        });
        match (replaced, entity) {
            (Some(c), Some(name)) => {
                out.push(c);
                rest = rest.get(name.len() + 2..).unwrap_or_default();
            }
            _ => {
                out.push_str(rest.get(..1).unwrap_or_default());
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"---
category: news
title: "Assembly votes on live face search"
excerpt: "One sentence."
publishedDateTime: 2023-05-12T11:20:00Z
originalUrl: "https://news.example/a/1"
webUrl: "https://news.example/a/1"
ampWebUrl: "https://news.example/amp/1"
type: article
quality: 74            # 0-100
heat: -1               # may be negative
published: false
provider: { name: Example News, domain: news.example }
topics: [Computer Vision, AI]
images: [{ url: "https://news.example/i.png", width: 1000, height: 581, isCached: true }]
related: [{ title: "…", excerpt: "…", publishedDateTime: 2023-05-11T17:01:00Z, webUrl: "…", type: article, provider: { name: "…", domain: "…" }, quality: 81 }]
secured: "opaque text, kept and never interpreted"
fromTheFuture: { kept: [1, 2] }
---
Body in Markdown, possibly empty.
"#;

    #[test]
    fn a_record_with_front_matter_keeps_every_key() {
        let r = read_record("a.md", FULL.as_bytes()).unwrap();
        assert_eq!(r.title, "Assembly votes on live face search");
        assert_eq!(r.published.as_deref(), Some("2023-05-12T11:20:00Z"));
        assert_eq!(r.provider.as_deref(), Some("Example News"));
        assert_eq!(r.front.get("fromTheFuture"), Some(&json!({ "kept": [1, 2] })));
        assert_eq!(r.body, "Body in Markdown, possibly empty.");
    }

    #[test]
    fn bad_values_are_reported_by_line() {
        for (from, to, line) in [
            ("quality: 74 ", "quality: 740 ", 10),
            ("2023-05-12T11:20:00Z", "yesterday", 5),
            ("\"https://news.example/a/1\"\nwebUrl", "\"javascript:alert(1)\"\nwebUrl", 6),
            ("published: false", "published: perhaps", 12),
            ("topics: [Computer Vision, AI]", "topics: [Computer Vision, AI", 14),
        ] {
            let Problems(list) = read_record("a.md", FULL.replacen(from, to, 1).as_bytes()).unwrap_err();
            let near = list.iter().any(|p| p.line.abs_diff(line) <= 2);
            assert!(near, "{to}: {list:?}");
        }
    }

    #[test]
    fn plain_text_and_stripped_html_are_clippings_too() {
        let plain = read_record("b.txt", b"A title\n\nThe body.").unwrap();
        assert_eq!(
            (plain.shape, plain.title.as_str(), plain.body.as_str()),
            (Shape::Plain, "A title", "The body.")
        );
        let stripped =
            read_record("c.txt", "Law &amp; order\nParis&nbsp;– it&#8217;s <b>over</b>".as_bytes()).unwrap();
        assert_eq!(stripped.shape, Shape::Stripped);
        assert_eq!((stripped.title.as_str(), stripped.body.as_str()), ("Law & order", "Paris – it’s over"));
        assert!(read_record("d.txt", b" \n ").is_err());
        assert!(read_record("e.txt", b"\xff\xfe").is_err());
    }

    #[test]
    fn the_story_reads() {
        let story = Story::load().unwrap();
        assert!(story.events.len() > 30 && story.positions.len() > 10 && story.records.len() >= 3);
    }
}
