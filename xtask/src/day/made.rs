//! The day that `placet log day` made: where its files lie, and what a proof of it says where to look.

use std::fs;
use std::path::{Path, PathBuf};

/// A camera and an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub camera: String,
    pub at: String,
}

/// A log, its policy and its proofs, with what tampering has to know.
#[derive(Debug)]
pub struct Day {
    /// `public`, `policy`, `proofs` and the page lie here.
    pub folder: PathBuf,
    /// The log's verifier key, as its policy has it.
    pub key: String,
    /// The searched camera in the middle of the search.
    pub searched: Question,
    /// A proof of that, as its file has it.
    pub proof: String,
    /// The tick of it: its entry, and where that stands.
    pub tick: Placed,
    /// What opened it.
    pub reveal: Placed,
    /// The number of the tick.
    pub n: u64,
    /// A proof of another camera at the same instant.
    pub other_proof: String,
    pub other: Question,
}

/// An entry and its index.
#[derive(Debug, PartialEq, Eq)]
pub struct Placed {
    pub entry: String,
    pub index: u64,
}

impl Day {
    /// Reads what was made in a folder.
    pub fn open(folder: &Path) -> Result<Self, String> {
        let proof = read(&folder.join("proofs/searched.json"))?;
        let other_proof = read(&folder.join("proofs/other.json"))?;
        let policy = read(&folder.join("policy"))?;
        let tick = placed(&proof, "tick").ok_or("the proof has no tick")?;
        Ok(Self {
            folder: folder.to_owned(),
            key: crate::judges::log_key(&policy).ok_or("the policy names no log")?.to_owned(),
            searched: question(&proof).ok_or("the proof asks nothing")?,
            reveal: placed(&proof, "reveal").ok_or("the proof has no reveal")?,
            n: number(&tick.entry, "\"n\":").ok_or("the tick has no number")?,
            other: question(&other_proof).ok_or("the other proof asks nothing")?,
            tick,
            proof,
            other_proof,
        })
    }

    /// The published log.
    pub fn public(&self) -> PathBuf {
        self.folder.join("public")
    }

    /// The question that a proof of this day answers.
    pub fn question(&self, proof: &str) -> Result<Question, String> {
        question(&read(&self.folder.join("proofs").join(proof))?)
            .ok_or_else(|| format!("{proof} asks nothing"))
    }
}

/// A file of text.
pub fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

fn question(proof: &str) -> Option<Question> {
    let value = |key| between(proof, &format!("\"{key}\":\""), "\"").map(str::to_owned);
    Some(Question { camera: value("camera")?, at: value("at")? })
}

/// The entry under a key of a proof. In it each quotation mark has a backslash before it, so it ends at the first
/// that has none.
fn placed(proof: &str, key: &str) -> Option<Placed> {
    let start = format!("\"{key}\":{{\"entry\":\"");
    let entry = between(proof, &start, "\",\"index\":")?;
    let rest = proof.split_once(&start)?.1;
    Some(Placed { entry: entry.replace("\\\"", "\""), index: number(rest, "\",\"index\":")? })
}

/// What stands between the first `start` and the `end` after it.
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

/// The number after the first `before`.
pub fn number(text: &str, before: &str) -> Option<u64> {
    let digits = text.split_once(before)?.1;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The file of 256 things, whole or begun, that holds thing `index`, its path in the log and how many it has.
pub fn chunk(log: &Path, kind: &str, index: u64) -> Result<(String, usize), String> {
    let whole = format!("{kind}/{:03}", index / 256);
    if log.join(&whole).is_file() {
        return Ok((whole, 256));
    }
    let begun = log.join(format!("{whole}.p"));
    let widths = fs::read_dir(&begun).map_err(|e| format!("cannot list {}: {e}", begun.display()))?;
    let widths = widths.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<usize>().ok());
    let width = widths.max().ok_or_else(|| format!("nothing lies in {}", begun.display()))?;
    Ok((format!("{whole}.p/{width}"), width))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROOF: &str = r#"{"at":"2026-11-22T11:15:00Z","camera":"gate","tick":{"entry":"{\"n\":510,\"index\":7}","index":1026,"path":[]}}"#;

    #[test]
    fn a_proof_says_where_its_tick_stands() {
        let tick = Placed { entry: r#"{"n":510,"index":7}"#.to_owned(), index: 1026 };
        assert_eq!(placed(PROOF, "tick"), Some(tick));
        assert_eq!(placed(PROOF, "reveal"), None);
        let asked = Question { camera: "gate".to_owned(), at: "2026-11-22T11:15:00Z".to_owned() };
        assert_eq!(question(PROOF), Some(asked));
    }
}
