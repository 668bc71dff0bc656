//! How two texts differ where the matrix of purposes does not look: dates, articles, rules, duties and fines.

use std::collections::BTreeMap;

use crate::book::{NoSuchText, Rulebook, TextId};
use crate::rule::{Does, Rule};
use crate::text::{Applies, Status, Text};

/// The differences of one kind, a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differences {
    /// What kind: `dates`, `articles`, `rules`, `duties`, `fines`.
    pub kind: &'static str,
    /// The kind as a heading.
    pub heading: &'static str,
    /// In words.
    pub lines: Vec<String>,
}

impl Rulebook {
    /// What differs between two texts, read off the rulebook itself; kinds without a difference are left out.
    ///
    /// # Errors
    /// If the rulebook lacks one of the texts.
    pub fn differences(&self, a: TextId, b: TextId) -> Result<Vec<Differences>, NoSuchText> {
        let sides = Sides { book: self, names: [a, b], texts: [self.text(a)?, self.text(b)?] };
        let kinds = [
            ("dates", "Dates from which rules apply", sides.dates()),
            ("articles", "Articles on which only one has a page", sides.articles()),
            ("rules", "Rules that only one has, or has otherwise", sides.rules()),
            ("duties", "Duties that only one has, or words otherwise", sides.duties()),
            ("fines", "Fines", sides.fines()),
        ];
        let told = kinds.into_iter().filter(|(_, _, lines)| !lines.is_empty());
        Ok(told.map(|(kind, heading, lines)| Differences { kind, heading, lines }).collect())
    }
}

struct Sides<'b> {
    book: &'b Rulebook,
    names: [TextId; 2],
    texts: [&'b Text; 2],
}

impl<'b> Sides<'b> {
    /// Walks what both have by key, in the first text's order, then what only the second has.
    fn walk<T: 'b, K: Ord + Copy>(
        &self,
        of: impl Fn(&'b Text) -> Vec<(K, T)>,
        one: impl Fn(TextId, &T) -> String,
        both: impl Fn(&T, &T) -> Option<String>,
    ) -> Vec<String> {
        let [a, b] = self.texts;
        let [name_a, name_b] = self.names;
        let (left, right) = (of(a), of(b));
        let in_right: BTreeMap<K, &T> = right.iter().map(|(k, t)| (*k, t)).collect();
        let in_left: BTreeMap<K, &T> = left.iter().map(|(k, t)| (*k, t)).collect();
        let mut out: Vec<String> = left
            .iter()
            .filter_map(|(k, x)| match in_right.get(k) {
                Some(y) => both(x, y),
                None => Some(one(name_a, x)),
            })
            .collect();
        out.extend(right.iter().filter(|(k, _)| !in_left.contains_key(k)).map(|(_, y)| one(name_b, y)));
        out
    }

    fn dates(&self) -> Vec<String> {
        let [a, b] = self.names;
        // A draft has no dates; that it has none is no difference between two rules.
        if self.texts.iter().any(|t| t.meta.status != Status::Law) {
            return Vec::new();
        }
        self.walk(
            |t| t.dates.iter().map(|(k, d)| (k.as_str(), d)).collect(),
            |name, d: &&Applies| format!("only in {name}, {}: {}", d.from.words(), d.says),
            |x, y| {
                (x.from != y.from)
                    .then(|| format!("{}: {} in {a}, {} in {b}", y.says, x.from.words(), y.from.words()))
            },
        )
    }

    fn articles(&self) -> Vec<String> {
        self.walk(
            |t| {
                let own = t.articles.iter().filter(|a| !a.file.starts_with("floor/"));
                own.map(|a| (a.file.rsplit('/').next().unwrap_or_default(), a)).collect()
            },
            |name, a| format!("only in {name}: {}, {}", a.article, a.title),
            |_, _| None,
        )
    }

    fn rules(&self) -> Vec<String> {
        let [a, b] = self.names;
        let law = self.texts.iter().all(|t| t.meta.status == Status::Law);
        self.walk(
            |t| {
                let own = t.rules.iter().filter(|r| !r.floor).map(AsRef::as_ref);
                own.map(|r| (r.id.as_str(), r)).collect()
            },
            |name, r: &&Rule| format!("only in {name}: {}, {}", r.cite, self.says(r)),
            |x, y| {
                let differs = x.when != y.when || x.does != y.does || (law && x.applies != y.applies);
                differs.then(|| match x.cite == y.cite {
                    true => format!("otherwise in {a} and {b}: {}, {}", y.cite, self.says(y)),
                    false => format!("otherwise in {a} ({}) and {b} ({}): {}", x.cite, y.cite, self.says(y)),
                })
            },
        )
    }

    fn says(&self, rule: &Rule) -> String {
        match &rule.does {
            Does::Sets(fact) if rule.says.is_empty() => {
                format!("when it counts that {}", self.book.vocabulary.fact(*fact).says)
            }
            _ => rule.says.trim_end_matches('.').to_owned(),
        }
    }

    fn duties(&self) -> Vec<String> {
        let [a, b] = self.names;
        self.walk(
            |t| t.duties.iter().map(|d| (d.id.as_str(), d)).collect(),
            |name, d| format!("only in {name}: {}, {}: {}", d.article, d.who, d.what),
            |x, y| {
                let differs = (&x.who, &x.what, &x.deadline) != (&y.who, &y.what, &y.deadline);
                differs.then(|| format!("otherwise in {a} and {b}: {}, {}: {}", y.article, y.who, y.what))
            },
        )
    }

    fn fines(&self) -> Vec<String> {
        let [a, b] = self.names;
        self.walk(
            |t| t.fines.iter().map(|f| (f.id.as_str(), f)).collect(),
            |name, f| format!("only in {name}: {}, {}", f.article, f.says),
            |x, y| {
                let differs = (x.eur, x.percent_hundredths, &x.says, &x.sme, &x.smc)
                    != (y.eur, y.percent_hundredths, &y.says, &y.sme, &y.smc);
                differs.then(|| format!("otherwise in {a} and {b}: {}, {}", y.article, y.says))
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(book: &Rulebook, a: TextId, b: TextId, kind: &str) -> Vec<String> {
        let all = book.differences(a, b).unwrap();
        all.into_iter().find(|d| d.kind == kind).map(|d| d.lines).unwrap_or_default()
    }

    #[test]
    fn what_2026_changed_is_told_from_both_sides() {
        let book = Rulebook::load().unwrap();
        let (old, new) = (TextId::Eu2024, TextId::Eu2026);
        for (a, b) in [(old, new), (new, old)] {
            let dates = lines(&book, a, b, "dates").join("\n");
            assert!(dates.contains("2 August 2026") && dates.contains("2 December 2027"), "{dates}");
            let rules = lines(&book, a, b, "rules").join("\n");
            assert!(rules.contains("only in eu2026: Art. 5(1)(ba)"), "{rules}");
            assert!(lines(&book, a, b, "articles").join("\n").contains("only in eu2026: Art. 5(1)(ba)"));
        }
    }

    #[test]
    fn a_text_does_not_differ_from_itself() {
        let book = Rulebook::load().unwrap();
        for text in TextId::ALL {
            assert_eq!(book.differences(text, text).unwrap(), []);
        }
    }
}
