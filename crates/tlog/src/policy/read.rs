use std::collections::{HashMap, HashSet};

use super::quorum::{Node, Quorum};
use super::{Log, MAX_OF_A_KIND, Name, Policy, Witness};
use crate::note::KeyError;
use crate::tile::decimal;

/// The longest policy file read, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// The name that stands for asking no witness.
const NONE: &[u8] = b"none";

/// Why a policy file was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFileError {
    /// Longer than what is read.
    #[error("a policy file is at most 1 MiB")]
    TooLong,
    /// A line that is not what it should be.
    #[error("line {line} of the policy: {why}")]
    Line {
        /// Counted from one.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A key that cannot be read.
    #[error("line {line} of the policy")]
    Key {
        /// Counted from one.
        line: usize,
        /// What is wrong with it.
        source: KeyError,
    },
    /// No quorum line.
    #[error("the policy has no `quorum` line; `quorum none` asks for no witness")]
    NoQuorum,
}

/// What has been read so far.
struct Reader {
    policy: Policy,
    names: HashMap<Name, usize>,
    members: HashSet<usize>,
    has_quorum: bool,
}

pub(super) fn policy(bytes: &[u8]) -> Result<Policy, PolicyFileError> {
    if bytes.len() > MAX_BYTES {
        return Err(PolicyFileError::TooLong);
    }
    let policy =
        Policy { logs: Vec::new(), witnesses: Vec::new(), quorum: Quorum { nodes: Vec::new(), top: None } };
    let mut reader = Reader { policy, names: HashMap::new(), members: HashSet::new(), has_quorum: false };
    let n_lines = bytes.split(|b| *b == b'\n').count();
    for (number, line) in bytes.split(|b| *b == b'\n').enumerate().map(|(at, line)| (at + 1, line)) {
        let refuse = |why: String| PolicyFileError::Line { line: number, why };
        if let Some(at) = line.iter().position(|b| (*b < b' ' && *b != b'\t') || *b == 0x7f) {
            return Err(refuse(format!("a control character stands at column {}", at + 1)));
        }
        if number == n_lines && !line.is_empty() {
            return Err(refuse("the last line lacks its newline".to_owned()));
        }
        let words: Vec<&[u8]> =
            line.split(|b| matches!(b, b' ' | b'\t')).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with(b"#") => {}
            [b"log", key] => reader.log(number, key, None)?,
            [b"log", key, url] => reader.log(number, key, Some(url))?,
            [b"witness", name, key] => reader.witness(number, name, key, None)?,
            [b"witness", name, key, url] => reader.witness(number, name, key, Some(url))?,
            [b"group", name, threshold, members @ ..] => {
                reader.group(name, threshold, members).map_err(refuse)?;
            }
            [b"quorum", name] => reader.quorum(name).map_err(refuse)?,
            _ => {
                return Err(refuse(
                    "it is not `log KEY [URL]`, `witness NAME KEY [URL]`, `group NAME all|any|K NAME...` or `quorum NAME`"
                        .to_owned(),
                ));
            }
        }
    }
    if reader.has_quorum { Ok(reader.policy) } else { Err(PolicyFileError::NoQuorum) }
}

impl Reader {
    fn log(&mut self, line: usize, key: &[u8], url: Option<&[u8]>) -> Result<(), PolicyFileError> {
        let key: crate::note::VerifierKey = read_key(line, key)?;
        let refuse = |why: &str| Err(PolicyFileError::Line { line, why: why.to_owned() });
        if self.policy.logs.iter().any(|log| log.key.is_same_point(&key)) {
            return refuse("another line names a log with the same public key");
        }
        if self.policy.logs.len() == MAX_OF_A_KIND {
            return refuse("more than 1,000 logs are not read");
        }
        self.policy.logs.push(Log { key, url: url.map(text) });
        Ok(())
    }

    fn witness(
        &mut self,
        line: usize,
        name: &[u8],
        key: &[u8],
        url: Option<&[u8]>,
    ) -> Result<(), PolicyFileError> {
        let key: crate::note::WitnessKey = read_key(line, key)?;
        let refuse = |why: String| PolicyFileError::Line { line, why };
        if self.policy.witnesses.iter().any(|w| w.key.is_same_point(&key)) {
            return Err(refuse("another line names a witness with the same public key".to_owned()));
        }
        if self.policy.witnesses.len() == MAX_OF_A_KIND {
            return Err(refuse("more than 1,000 witnesses are not read".to_owned()));
        }
        self.define(name, Node::Witness(self.policy.witnesses.len())).map_err(refuse)?;
        self.policy.witnesses.push(Witness { name: Name(name.to_vec()), key, url: url.map(text) });
        Ok(())
    }

    fn group(&mut self, name: &[u8], threshold: &[u8], members: &[&[u8]]) -> Result<(), String> {
        if members.is_empty() {
            return Err("a group has at least one member".to_owned());
        }
        if self.policy.quorum.nodes.len() >= 2 * MAX_OF_A_KIND {
            return Err("more than 2,000 witnesses and groups are not read".to_owned());
        }
        let count = members.len();
        let threshold = match threshold {
            b"all" => count,
            b"any" => 1,
            number => std::str::from_utf8(number)
                .ok()
                .and_then(decimal)
                .and_then(|k| usize::try_from(k).ok())
                .filter(|k| (1..=count).contains(k))
                .ok_or_else(|| format!("a threshold is `all`, `any` or a number from 1 to {count}"))?,
        };
        let mut nodes = Vec::with_capacity(count);
        for member in members {
            let node = self.known(member)?;
            if !self.members.insert(node) {
                return Err(format!("`{}` is a member already; it can count once only", text(member)));
            }
            nodes.push(node);
        }
        self.define(name, Node::Group { threshold, members: nodes })
    }

    fn quorum(&mut self, name: &[u8]) -> Result<(), String> {
        if std::mem::replace(&mut self.has_quorum, true) {
            return Err("a policy has one `quorum` line".to_owned());
        }
        self.policy.quorum.top = if name == NONE { None } else { Some(self.known(name)?) };
        Ok(())
    }

    fn known(&self, name: &[u8]) -> Result<usize, String> {
        let known = self.names.get(&Name(name.to_vec())).copied();
        known.ok_or_else(|| format!("no line above defines `{}`", text(name)))
    }

    fn define(&mut self, name: &[u8], node: Node) -> Result<(), String> {
        if name == NONE {
            return Err("`none` is no name for a witness or a group".to_owned());
        }
        let number = self.policy.quorum.nodes.len();
        if self.names.insert(Name(name.to_vec()), number).is_some() {
            return Err(format!("`{}` is defined twice", text(name)));
        }
        self.policy.quorum.nodes.push(node);
        Ok(())
    }
}

fn read_key<K: std::str::FromStr<Err = KeyError>>(line: usize, bytes: &[u8]) -> Result<K, PolicyFileError> {
    let key = std::str::from_utf8(bytes).map_err(|_| KeyError::Form).and_then(str::parse);
    key.map_err(|source| PolicyFileError::Key { line, source })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
