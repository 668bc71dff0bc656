//! A verdict as one page without scripts, fit to print and file.

use std::fmt::Write as _;

use placet_core::is_unseen;

use super::words::{is_broken, rule_words, stands, then, way_out_words, ways_out_of};
use super::{confidence_words, dated, force_words, way_words, when_words};
use crate::book::Rulebook;
use crate::explain::Tree;
use crate::facts::Facts;
use crate::text::Text;
use crate::verdict::{Assumed, Binding, Ground, Standing, Verdict};

pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if is_unseen(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

pub(crate) const STYLE: &str = ":root{color-scheme:light dark;--ink:#111;--paper:#fff;--soft:#444;--line:#999;--box:#f4f4f4;--link:#0b3d91}\
@media(prefers-color-scheme:dark){:root{--ink:#eee;--paper:#161616;--soft:#bbb;--line:#666;--box:#232323;--link:#9cc3ff}}\
body{font:16px/1.5 Georgia,serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:var(--ink);background:var(--paper);overflow-wrap:break-word}\
a{color:var(--link)}h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.25rem;border-bottom:1px solid var(--line);margin-top:2rem}\
h2.text{font-size:1.4rem;border-bottom:3px solid var(--ink);margin-top:3rem}h3{font-size:1.1rem}h4{font-size:1rem;margin-bottom:.3rem}h4 .mark{display:block;font-weight:normal}\
.wide{overflow-x:auto;margin:1rem 0}table{border-collapse:collapse;width:100%}\
td,th{border:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top;min-width:5rem}\
code,pre{font:14px/1.4 monospace}pre{background:var(--box);padding:.6rem;overflow-x:auto}\
.mark{color:var(--soft);font-size:.9rem}.digest{overflow-wrap:anywhere}\
.answer{border:2px solid var(--ink);padding:.6rem 1rem}.granted{border-left:4px solid var(--line);padding-left:1rem}\
ul.tree{list-style:none;padding-left:1.2rem}details{margin:.3rem 0 1rem}\
@media print{:root{color-scheme:light;--ink:#000;--paper:#fff;--soft:#333;--line:#666;--box:#fff;--link:#000}\
body{margin:0;max-width:none;font-size:11pt}.wide{overflow:visible}pre{white-space:pre-wrap;border:1px solid var(--line)}\
h1,h2,h3,h4{break-after:avoid}tr,li{break-inside:avoid}thead{display:table-header-group}}";

/// What the head of every page of ours holds, so that a later run knows what it may replace.
pub const PAGE_MARK: &str = "<meta name=\"generator\" content=\"placet\">";

pub(crate) fn head(title: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n{PAGE_MARK}\n\
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

fn ground_item(g: &Ground, broken: bool) -> String {
    let cite = cited(&g.cite, g.eli.as_ref());
    let when = match when_words(g.when) {
        words if words.is_empty() => words,
        words => format!("{}; ", escape(&words)),
    };
    let not_met = if broken { "Condition not met, " } else { "" };
    let own = if g.floor { " <strong>Placet's own rule.</strong>" } else { "" };
    format!(
        "<li>{not_met}{cite}: {}{own} <span class=\"mark\">({when}{})</span></li>\n",
        escape(&g.says),
        confidence_words(&g.confidence)
    )
}

/// One or several verdicts on one case, the facts they rest on and why, as one HTML page.
pub fn verdict_page(book: &Rulebook, facts: &Facts, verdicts: &[(&Verdict, Option<&Tree>)]) -> String {
    let title = facts.title.clone().unwrap_or_else(|| "Verdict".to_owned());
    let subject = match verdicts {
        [(one, _)] => one.title.clone(),
        several => format!("{} texts", several.len()),
    };
    let mut out = head(&format!("{title}: {subject}"));
    let _ = writeln!(out, "<h1>{}</h1>", escape(&title));
    if verdicts.len() > 1 {
        out.push_str("<nav>\n<ul>\n");
        for (v, _) in verdicts {
            let _ =
                writeln!(out, "<li><a href=\"#{0}\">{0}</a>: {1}</li>", escape(&v.text), escape(&v.answer()));
        }
        out.push_str("</ul>\n</nav>\n");
    }
    for (verdict, tree) in verdicts {
        if verdicts.len() > 1 {
            let _ = writeln!(out, "<h2 class=\"text\">{}</h2>", escape(&verdict.title));
        }
        section(&mut out, book, verdict, *tree);
    }
    given(&mut out, book, facts);
    let digest = verdicts.first().map(|(v, _)| v.rulebook.to_string()).unwrap_or_default();
    let _ = writeln!(
        out,
        "<hr><p class=\"mark digest\">Rulebook {digest}. Our own words and our own encoding; not legal advice; the \
         Official Journal prevails.</p>\n</body>\n</html>"
    );
    out
}

/// What was told, and by whom.
fn given(out: &mut String, book: &Rulebook, facts: &Facts) {
    let mut given = Vec::new();
    for (id, fact) in book.vocabulary().facts() {
        if let Some(value) = facts.get(id) {
            let mark = if fact.asserted { " (asserted)" } else { "" };
            given.push(format!("{}{mark}", fact.sentence(Some(value))));
        }
    }
    list(out, "The facts as given", given);
    if let Some(by) = &facts.asserted_by {
        let _ = writeln!(out, "<p>Open legal words are asserted by {}.</p>", escape(by));
    }
}

fn list(out: &mut String, heading: &str, items: Vec<String>) {
    if !items.is_empty() {
        let _ = writeln!(out, "<h2>{heading}</h2>\n<ul>");
        for item in items {
            let _ = writeln!(out, "<li>{}</li>", escape(&item));
        }
        out.push_str("</ul>\n");
    }
}

/// One verdict.
fn section(out: &mut String, book: &Rulebook, verdict: &Verdict, tree: Option<&Tree>) {
    let vocabulary = book.vocabulary();
    let text: Option<&Text> = verdict.text.parse().ok().and_then(|id| book.text(id).ok());
    let link = |cite: &str| cited(cite, text.and_then(|t| t.official(cite)).as_ref());
    let _ = writeln!(out, "<section id=\"{}\">", escape(&verdict.text));
    let _ = writeln!(
        out,
        "<p>{} on {} ({}).</p>",
        escape(&verdict.title),
        verdict.as_of.words(),
        escape(&force_words(verdict.force))
    );
    let _ = writeln!(out, "<p class=\"answer\">Answer: {}.</p>\n", escape(&verdict.answer()));
    granted(out, book, verdict);
    out.push_str("<h2>What is concluded</h2>\n");
    for c in &verdict.conclusions {
        let open = if c.holds.is_none() { "Cannot say yet: " } else { "" };
        let when = if c.when.now() { String::new() } else { format!(" ({})", when_words(c.when)) };
        let _ = writeln!(out, "<h3>{open}{}{}</h3>\n<ul>", escape(c.conclusion.words()), escape(&when));
        // What is open is open for many reasons; the facts that decide come below.
        let shown = if c.holds.is_none() { 3 } else { c.grounds.len() };
        for g in c.grounds.iter().take(shown) {
            out.push_str(&ground_item(g, is_broken(verdict, g)));
            let ways: Vec<_> = ways_out_of(verdict, c, g).collect();
            if !ways.is_empty() {
                out.push_str("<ul class=\"ways-out\">\n");
                for w in ways {
                    let cite = cited(&w.ground.cite, w.ground.eli.as_ref());
                    let _ = writeln!(
                        out,
                        "<li>Way out, {cite}: {} {}</li>",
                        escape(&w.ground.says),
                        way_out_words(w)
                    );
                }
                out.push_str("</ul>\n");
            }
        }
        if c.grounds.len() > shown {
            let _ =
                writeln!(out, "<li>and {} more rules that facts must rule out</li>", c.grounds.len() - shown);
        }
        out.push_str("</ul>\n");
    }
    let lifted: Vec<_> =
        verdict.exemptions.iter().filter(|w| w.lifts == Some(true) && !stands(verdict, w)).collect();
    if !lifted.is_empty() {
        out.push_str("<h2>What does not hold because a way out is open</h2>\n<ul>\n");
        for w in lifted {
            let of: Vec<String> = w.of.iter().filter_map(|r| rule_words(book, verdict, r)).collect();
            let cite = cited(&w.ground.cite, w.ground.eli.as_ref());
            let _ = writeln!(
                out,
                "<li>{cite}: {} It lifts {}</li>",
                escape(&w.ground.says),
                escape(&of.join(" "))
            );
        }
        out.push_str("</ul>\n");
    }
    if !verdict.conditions.is_empty() {
        out.push_str("<h2>Conditions</h2>\n<div class=\"wide\"><table><tr><th>Condition</th><th>Where</th><th>Stands</th><th>What would mend it</th></tr>\n");
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
        out.push_str("</table></div>\n");
    }
    if !verdict.duties.is_empty() {
        out.push_str("<h2>Duties</h2>\n<div class=\"wide\"><table><tr><th>Who</th><th>What</th><th>Where</th><th>By when</th><th>Binds</th></tr>\n");
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
        out.push_str("</table></div>\n");
    }
    list(
        out,
        "Fines",
        verdict
            .fines
            .iter()
            .map(|f| format!("{}: {}: {}{}", f.article, f.says, f.ceiling(), dated(f.when)))
            .collect(),
    );
    list(
        out,
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
    list(out, "Facts that are missing, those that can change most first", open.collect());
    list(out, "What would settle it", ways(&verdict.missing));
    list(out, "What would flip it", ways(&verdict.flips));
    list(out, "Our readings", verdict.readings.iter().map(|(id, says)| format!("{id}: {says}")).collect());
    list(out, "Notes", verdict.remarks.clone());
    if let Some(tree) = tree {
        out.push_str("<h2>Why</h2>\n<ul class=\"tree\">\n");
        tree.children.iter().for_each(|c| branch(out, c));
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
}

/// What the reader lets be taken for granted.
fn granted(out: &mut String, book: &Rulebook, verdict: &Verdict) {
    if verdict.assumed.is_empty() {
        return;
    }
    out.push_str(
        "<section class=\"granted\">\n<h2>Taken for granted by the reader</h2>\n<p>What the facts do not mention is taken \
         not to be so. No condition of an exception counts as met by silence.</p>\n",
    );
    let (grave, light): (Vec<&Assumed>, Vec<&Assumed>) = verdict.assumed.iter().partition(|a| a.grave);
    if !grave.is_empty() {
        out.push_str("<p>A ban or a breach may hang on these:</p>\n<ul>\n");
        for a in grave {
            let fact = book.vocabulary().fact(a.fact);
            let words = escape(&fact.sentence(Some(a.value)));
            let _ = writeln!(out, "<li>{words} <span class=\"mark\">{}</span></li>", escape(&fact.id));
        }
        out.push_str("</ul>\n");
    }
    if !light.is_empty() {
        let words = |a: &&Assumed| escape(&book.vocabulary().fact(a.fact).sentence(Some(a.value)));
        let all: Vec<String> = light.iter().map(words).collect();
        let _ = writeln!(out, "<p class=\"mark\">Also: {}.</p>", all.join("; "));
    }
    out.push_str("</section>\n");
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
