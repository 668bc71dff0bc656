//! XML from strangers, bounded before it is parsed, and text for XML of our own.
//!
//! `roxmltree` refuses a DTD by default, which ends entity expansion, and since 0.21.2 parses without recursion. What it
//! leaves unbounded are attributes and namespaces, whose cost grows with their square: [`scan`] counts them first.

use std::fmt;

use roxmltree::{Document, Node, ParsingOptions};

/// The most bytes of one message. A recorder's request has 2 KiB, a camera's answer with 30 profiles 150 KiB.
pub(crate) const MAX_BYTES: usize = 256 << 10;
/// The most elements inside one another; ONVIF's own messages have about 12.
const MAX_DEPTH: usize = 64;
/// The most nodes of a tree, texts included.
const MAX_NODES: u32 = 20_000;
/// The most attributes of an element; gSOAP declares up to a hundred namespaces on each envelope.
const MAX_ATTRIBUTES: usize = 256;
/// The most namespace declarations of a message.
const MAX_NAMESPACES: usize = 512;

/// Why bytes are no XML that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// There are too many of them.
    #[error("the message has more than the {most} bytes that are read")]
    TooLong {
        /// The bound.
        most: usize,
    },
    /// They are no UTF-8.
    #[error("the message is not UTF-8 at byte {at}")]
    Encoding {
        /// The first byte that is none.
        at: usize,
    },
    /// There is a DTD, which could declare entities.
    #[error("the message carries a document type declaration, which SOAP forbids")]
    Declaration,
    /// Something in it is more than any message needs.
    #[error("the message has more than {most} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        most: usize,
    },
    /// It is not well-formed.
    #[error("the message is no well-formed XML at line {line}, column {column}")]
    Syntax {
        /// From 1.
        line: u32,
        /// From 1, in characters.
        column: u32,
    },
}

/// The tree of `bytes`.
///
/// # Errors
/// If they are no XML within the bounds.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document<'_>, XmlError> {
    if bytes.len() > MAX_BYTES {
        return Err(XmlError::TooLong { most: MAX_BYTES });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| XmlError::Encoding { at: e.valid_up_to() })?;
    let text = text.trim_start_matches('\u{feff}');
    scan(text)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|e| match e {
        roxmltree::Error::DtdDetected => XmlError::Declaration,
        roxmltree::Error::NodesLimitReached => XmlError::TooMany { what: "nodes", most: MAX_NODES as usize },
        other => {
            let roxmltree::TextPos { row, col } = other.pos();
            XmlError::Syntax { line: row, column: col }
        }
    })
}

/// Counts what costs the parser more than its length. Exact where `text` is well-formed; where it is not, the parser
/// says so.
fn scan(text: &str) -> Result<(), XmlError> {
    if text.matches("xmlns").count() > MAX_NAMESPACES {
        return Err(XmlError::TooMany { what: "namespace declarations", most: MAX_NAMESPACES });
    }
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some((_, markup)) = rest.split_once('<') {
        let end = if markup.starts_with("!--") {
            "-->"
        } else if markup.starts_with("![CDATA[") {
            "]]>"
        } else if markup.starts_with('?') {
            "?>"
        } else if markup.starts_with('!') {
            return Err(XmlError::Declaration);
        } else if markup.starts_with('/') {
            depth = depth.saturating_sub(1);
            ">"
        } else {
            let tag = Tag::of(markup);
            if tag.attributes > MAX_ATTRIBUTES {
                return Err(XmlError::TooMany { what: "attributes in an element", most: MAX_ATTRIBUTES });
            }
            depth += usize::from(!tag.empty);
            if depth > MAX_DEPTH {
                return Err(XmlError::TooMany { what: "elements inside one another", most: MAX_DEPTH });
            }
            rest = markup.get(tag.length..).unwrap_or_default();
            continue;
        };
        rest = markup.split_once(end).map_or("", |(_, rest)| rest);
    }
    Ok(())
}

/// An opening tag.
struct Tag {
    /// From after `<` up to `>`.
    length: usize,
    attributes: usize,
    /// It closes itself.
    empty: bool,
}

impl Tag {
    fn of(markup: &str) -> Self {
        let (mut quote, mut attributes, mut before) = (None, 0, 0);
        for (at, byte) in markup.bytes().enumerate() {
            match (quote, byte) {
                (Some(open), close) if open == close => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'=') => attributes += 1,
                (None, b'>') => return Self { length: at, attributes, empty: before == b'/' },
                (None, _) => {}
            }
            before = byte;
        }
        Self { length: markup.len(), attributes, empty: false }
    }
}

/// The first child element of that local name, in whatever namespace: cameras confuse them.
pub(crate) fn child<'a, 'd>(node: Node<'a, 'd>, name: &str) -> Option<Node<'a, 'd>> {
    node.children().find(|node| node.is_element() && node.tag_name().name() == name)
}

/// The element that `path` leads to, each step a first child.
pub(crate) fn below<'a, 'd>(node: Node<'a, 'd>, path: &[&str]) -> Option<Node<'a, 'd>> {
    path.iter().try_fold(node, |node, name| child(node, name))
}

/// The text of an element, without space around it; none where there is none, or more than `most` bytes.
pub(crate) fn text<'a>(node: Node<'a, '_>, most: usize) -> Option<&'a str> {
    node.text().map(str::trim).filter(|text| !text.is_empty() && text.len() <= most)
}

/// Text as it stands in XML, in an element or an attribute. What XML cannot carry becomes U+FFFD.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&apos;")?,
                // Attributes would be normalised otherwise.
                '\t' | '\n' | '\r' => write!(f, "&#{};", u32::from(c))?,
                '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => f.write_str("\u{fffd}")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_than_a_message_needs_is_refused_before_it_is_parsed() {
        let deep = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
        assert!(parse(deep(64).as_bytes()).is_ok());
        assert!(matches!(parse(deep(65).as_bytes()), Err(XmlError::TooMany { most: MAX_DEPTH, .. })));
        let siblings = format!("<r>{}</r>", "<a/>".repeat(9_000));
        assert!(parse(siblings.as_bytes()).is_ok(), "siblings are not depth");
        let crowd = format!("<r>{}</r>", "<a/>".repeat(21_000));
        assert!(matches!(parse(crowd.as_bytes()), Err(XmlError::TooMany { what: "nodes", .. })));
        let wide: String = (0..257).map(|i| format!(" a{i}='>'")).collect();
        let wide = parse(format!("<r{wide}/>").as_bytes()).map(drop);
        assert!(matches!(wide, Err(XmlError::TooMany { most: MAX_ATTRIBUTES, .. })));
        let named: String = (0..600).map(|i| format!("<a xmlns:b{i}='c'/>")).collect();
        let named = parse(format!("<r>{named}</r>").as_bytes()).map(drop);
        assert!(matches!(named, Err(XmlError::TooMany { most: MAX_NAMESPACES, .. })));
        assert!(matches!(parse(&vec![b' '; MAX_BYTES + 1]), Err(XmlError::TooLong { .. })));
        assert_eq!(parse(b"<a>\xff</a>").map(drop), Err(XmlError::Encoding { at: 3 }));
        for bomb in [
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<?xml version='1.0'?><!-- <a> --><!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        ] {
            assert_eq!(parse(bomb.as_bytes()).map(drop), Err(XmlError::Declaration), "{bomb}");
        }
        assert!(matches!(parse(b"<a>&b;</a>"), Err(XmlError::Syntax { line: 1, .. })));
    }

    #[test]
    fn markup_inside_comments_cdata_and_quotes_is_text() {
        let text = "\u{feff}<?p <a> ?><a b='<' c=\">\"/>";
        assert!(parse(text.as_bytes()).is_err(), "`<` in an attribute is no XML");
        let text = "\u{feff}<?p <a> ?><!-- <b> <c> --><a b='/>' c=\">\"><![CDATA[<d><!DOCTYPE>]]></a>";
        let tree = parse(text.as_bytes()).unwrap();
        assert_eq!(tree.root_element().text(), Some("<d><!DOCTYPE>"));
    }

    proptest::proptest! {
        #[test]
        fn what_is_escaped_is_read_as_it_was(said: String) {
            let carried = |c: char| !matches!(c, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
            let expected: String = said.chars().map(|c| if carried(c) { c } else { '\u{fffd}' }).collect();
            let written = format!("<a b=\"{0}\">{0}</a>", Escaped(&said));
            let tree = Document::parse(&written).unwrap();
            proptest::prop_assert_eq!(tree.root_element().attribute("b"), Some(expected.as_str()));
            proptest::prop_assert_eq!(tree.root_element().text().unwrap_or_default(), expected.as_str());
        }
    }
}
