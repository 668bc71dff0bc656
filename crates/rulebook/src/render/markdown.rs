//! The little Markdown that the rulebook's prose has: paragraphs, lists, tables, `code` and **strong** words.

use super::html::escape;

/// Prose as HTML.
pub(crate) fn prose(text: &str) -> String {
    let mut out = String::new();
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let kind = Kind::of(line);
        let end = lines.iter().skip(at).take_while(|l| kind.goes_on(l)).count().max(1);
        let block = lines.get(at..at + end).unwrap_or_default();
        match kind {
            Kind::Table => out.push_str(&table(block)),
            Kind::List => out.push_str(&list(block)),
            Kind::Words => out.push_str(&format!("<p>{}</p>\n", inline(&block.join("\n")))),
            Kind::Blank => {}
        }
        at += end;
    }
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Table,
    List,
    Words,
}

impl Kind {
    fn of(line: &str) -> Self {
        match line.trim() {
            "" => Self::Blank,
            l if l.starts_with('|') => Self::Table,
            l if l.starts_with("- ") => Self::List,
            _ => Self::Words,
        }
    }

    fn goes_on(self, line: &str) -> bool {
        let next = Self::of(line);
        next == self || (self == Self::List && next == Self::Words && line.starts_with(' '))
    }
}

fn table(lines: &[&str]) -> String {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        inner.split('|').map(|c| inline(c.trim())).collect()
    };
    let row = |line: &str, tag: &str| -> String {
        let cells: String = cells(line).iter().map(|c| format!("<{tag}>{c}</{tag}>")).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let ruled =
        lines.get(1).is_some_and(|l| l.trim_start().starts_with("| -") || l.trim_start().starts_with("|-"));
    let mut out = String::from("<div class=\"wide\"><table>\n");
    let mut rest = lines.iter();
    if let Some(head) = rest.next().filter(|_| ruled) {
        out.push_str(&row(head, "th"));
        rest.next();
    } else {
        rest = lines.iter();
    }
    rest.for_each(|l| out.push_str(&row(l, "td")));
    out.push_str("</table></div>\n");
    out
}

fn list(lines: &[&str]) -> String {
    let mut items: Vec<String> = Vec::new();
    for line in lines {
        match (line.trim().strip_prefix("- "), items.last_mut()) {
            (Some(item), _) => items.push(item.to_owned()),
            (None, Some(last)) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            (None, None) => {}
        }
    }
    let items: String = items.iter().map(|i| format!("<li>{}</li>\n", inline(i))).collect();
    format!("<ul>\n{items}</ul>\n")
}

/// Marks inside a line; one that is never closed is shown as it stands.
fn inline(text: &str) -> String {
    let strong = |words: &str| marked(words, "**", "strong", &escape);
    marked(text, "`", "code", &strong)
}

fn marked(text: &str, mark: &str, tag: &str, rest: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut left = text;
    while let Some((before, after)) = left.split_once(mark) {
        let Some((inside, behind)) = after.split_once(mark) else { break };
        out.push_str(&rest(before));
        out.push_str(&format!("<{tag}>{}</{tag}>", escape(inside)));
        left = behind;
    }
    out.push_str(&rest(left));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_becomes_html_and_nothing_in_it_is_markup_of_its_own() {
        for (text, want) in [
            ("One.\n\nTwo & <b>.", "<p>One.</p>\n<p>Two &amp; &lt;b&gt;.</p>\n"),
            ("a `x < y` **b**", "<p>a <code>x &lt; y</code> <strong>b</strong></p>\n"),
            ("a ` b", "<p>a ` b</p>\n"),
            ("- one\n  more\n- two", "<ul>\n<li>one more</li>\n<li>two</li>\n</ul>\n"),
            (
                "Before:\n| a | b |\n| --- | --- |\n| 1 | <2> |\nafter",
                "<p>Before:</p>\n<div class=\"wide\"><table>\n<tr><th>a</th><th>b</th></tr>\n<tr><td>1</td><td>&lt;2&gt;</td></tr>\n\
                 </table></div>\n<p>after</p>\n",
            ),
            (
                "| only | cells |",
                "<div class=\"wide\"><table>\n<tr><td>only</td><td>cells</td></tr>\n</table></div>\n",
            ),
        ] {
            assert_eq!(prose(text), want);
        }
    }
}
