//! A verdict as one page without scripts, fit to print and file.

use std::fmt::Write as _;

use super::words::then;
use super::{confidence_words, dated, force_words, way_words, when_words};
use crate::book::Rulebook;
use crate::explain::Tree;
use crate::facts::Facts;
use crate::text::Text;
use crate::verdict::{Binding, Ground, Standing, Verdict};

pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

pub(crate) const STYLE: &str = "body{font:16px/1.5 Georgia,serif;max-width:50rem;margin:2rem auto;padding:0 1rem;\
color:#111;background:#fff}h1{font-size:1.6rem}h2{font-size:1.2rem;border-bottom:1px solid #999;margin-top:2rem}\
table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;padding:.3rem .5rem;text-align:left;\
vertical-align:top}code,pre{font:14px/1.4 monospace}pre{background:#f4f4f4;padding:.6rem;overflow-x:auto}\
.mark{color:#444;font-size:.9rem}.answer{border:2px solid #111;padding:.6rem 1rem}ul.tree{list-style:none}\
@media print{body{margin:0;max-width:none}a{color:inherit}h2{break-after:avoid}tr,li{break-inside:avoid}}";

pub(crate) fn head(title: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        escape(title)
    )
}

/// What is cited, as a link to the official text where there is one.
fn cited(cite: &str, eli: Option<&String>) -> String {
    match eli {
        Some(eli) => format!("<a href=\"{}\">{}</a>", escape(eli), escape(cite)),
        None => escape(cite),
    }
}

fn ground_item(g: &Ground) -> String {
    let cite = cited(&g.cite, g.eli.as_ref());
    let when = match when_words(g.when) {
        words if words.is_empty() => words,
        words => format!("{}; ", escape(&words)),
    };
    let own = if g.floor { " <strong>Placet's own rule.</strong>" } else { "" };
    format!(
        "<li>{cite}: {}{own} <span class=\"mark\">({when}{})</span></li>\n",
        escape(&g.says),
        confidence_words(&g.confidence)
    )
}

/// The verdict, the facts it rests on and why, as one HTML page.
pub fn verdict_page(book: &Rulebook, facts: &Facts, verdict: &Verdict, tree: Option<&Tree>) -> String {
    let vocabulary = book.vocabulary();
    let text: Option<&Text> = verdict.text.parse().ok().and_then(|id| book.text(id).ok());
    let link = |cite: &str| cited(cite, text.and_then(|t| t.official(cite)).as_ref());
    let title = facts.title.clone().unwrap_or_else(|| "Verdict".to_owned());
    let mut out = head(&format!("{title}: {}", verdict.title));
    let _ = writeln!(out, "<h1>{}</h1>", escape(&title));
    let _ = writeln!(
        out,
        "<p>{} on {} ({}).</p>",
        escape(&verdict.title),
        verdict.as_of.words(),
        escape(&force_words(verdict.force))
    );
    let _ = writeln!(
        out,
        "<p class=\"answer\">Answer: {}.</p>\n<h2>What is concluded</h2>",
        escape(verdict.sentence())
    );
    for c in &verdict.conclusions {
        let open = if c.holds.is_none() { "Cannot say yet: " } else { "" };
        let when = if c.when.now() { String::new() } else { format!(" ({})", when_words(c.when)) };
        let _ = writeln!(out, "<h3>{open}{}{}</h3>\n<ul>", escape(c.conclusion.words()), escape(&when));
        // What is open is open for many reasons; the facts that decide come below.
        let shown = if c.holds.is_none() { 3 } else { c.grounds.len() };
        c.grounds.iter().take(shown).for_each(|g| out.push_str(&ground_item(g)));
        if c.grounds.len() > shown {
            let _ =
                writeln!(out, "<li>and {} more rules that facts must rule out</li>", c.grounds.len() - shown);
        }
        out.push_str("</ul>\n");
    }
    if !verdict.conditions.is_empty() {
        out.push_str("<h2>Conditions</h2>\n<table><tr><th>Condition</th><th>Where</th><th>Stands</th><th>What would mend it</th></tr>\n");
        for c in &verdict.conditions {
            let standing = match c.standing {
                Standing::Met => "✓ met",
                Standing::Broken => "✗ not met",
                Standing::Open => "? not known",
                Standing::NotYet => "not required yet",
            };
            let remedy = if c.standing == Standing::Broken {
                c.remedy.clone().unwrap_or_default()
            } else {
                String::new()
            };
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td>{}</td><td>{standing}</td><td>{}</td></tr>",
                escape(&c.ground.says),
                cited(&c.ground.cite, c.ground.eli.as_ref()),
                escape(&remedy)
            );
        }
        out.push_str("</table>\n");
    }
    if !verdict.duties.is_empty() {
        out.push_str("<h2>Duties</h2>\n<table><tr><th>Who</th><th>What</th><th>Where</th><th>By when</th><th>Binds</th></tr>\n");
        for d in &verdict.duties {
            let binding = match &d.binding {
                Binding::Now => "now".to_owned(),
                Binding::From(day) => format!("from {}", day.words()),
                Binding::Lifted { by, until } => {
                    let until = until.map(|d| format!(", until {}", d.words())).unwrap_or_default();
                    format!("not by {}{until}", by.cite)
                }
                Binding::Open => "cannot say".to_owned(),
                Binding::Draft => "never became law".to_owned(),
            };
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&d.who),
                escape(&d.what),
                link(&d.article),
                escape(d.deadline.as_deref().unwrap_or("")),
                escape(&binding)
            );
        }
        out.push_str("</table>\n");
    }
    let list = |out: &mut String, heading: &str, items: Vec<String>| {
        if !items.is_empty() {
            let _ = writeln!(out, "<h2>{heading}</h2>\n<ul>");
            for item in items {
                let _ = writeln!(out, "<li>{}</li>", escape(&item));
            }
            out.push_str("</ul>\n");
        }
    };
    list(
        &mut out,
        "Fines",
        verdict.fines.iter().map(|f| format!("{}: {}{}", f.article, f.says, dated(f.when))).collect(),
    );
    list(
        &mut out,
        "Other law that bites",
        verdict.neighbours.iter().map(|n| format!("{}: {}", n.article, n.says)).collect(),
    );
    let ways = |list: &[crate::verdict::Way]| -> Vec<String> {
        list.iter().take(8).map(|w| format!("{} → {}", way_words(vocabulary, w), then(w))).collect()
    };
    let open = verdict.open.iter().take(20).map(|id| {
        let fact = vocabulary.fact(*id);
        format!("{} ({}; {})", fact.question, fact.id, fact.article)
    });
    list(&mut out, "Facts that are missing, those that can change most first", open.collect());
    list(&mut out, "What would settle it", ways(&verdict.missing));
    list(&mut out, "What would flip it", ways(&verdict.flips));
    list(
        &mut out,
        "Our readings",
        verdict.readings.iter().map(|(id, says)| format!("{id}: {says}")).collect(),
    );
    list(&mut out, "Notes", verdict.remarks.clone());
    let mut given = Vec::new();
    for (id, fact) in vocabulary.facts() {
        if let Some(value) = facts.get(id) {
            let mark = if fact.asserted { " (asserted)" } else { "" };
            given.push(format!("{}{mark}", fact.sentence(Some(value))));
        }
    }
    list(&mut out, "The facts as given", given);
    if let Some(by) = &facts.asserted_by {
        let _ = writeln!(out, "<p>Open legal words are asserted by {}.</p>", escape(by));
    }
    if let Some(tree) = tree {
        out.push_str("<h2>Why</h2>\n<ul class=\"tree\">\n");
        tree.children.iter().for_each(|c| branch(&mut out, c));
        out.push_str("</ul>\n");
    }
    let _ = writeln!(
        out,
        "<hr><p class=\"mark\">Rulebook {}. Our own words and our own encoding; not legal advice; the Official \
         Journal prevails.</p>\n</body>\n</html>",
        verdict.rulebook
    );
    out
}

fn branch(out: &mut String, node: &Tree) {
    let mark = match node.state {
        Some(true) => "✓",
        Some(false) => "✗",
        None => "?",
    };
    let cite =
        node.cite.as_ref().map(|c| format!(" <span class=\"mark\">{}</span>", escape(c))).unwrap_or_default();
    let _ = write!(out, "<li>{mark} {}{cite}", escape(&node.label));
    if !node.children.is_empty() {
        out.push_str("<ul class=\"tree\">\n");
        node.children.iter().for_each(|c| branch(out, c));
        out.push_str("</ul>");
    }
    out.push_str("</li>\n");
}
