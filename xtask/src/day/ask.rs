//! The three who are asked: our verifier, those of others in other languages, and a browser with the page.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::made::{Day, Question};
use crate::command::{output, program, root, target_folder};

/// What somebody said of a log or a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub verdict: Verdict,
    /// In its own words, on one line.
    pub words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Sound,
    /// Not believed, or warned of.
    Caught,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sound => "sound",
            Self::Caught => "caught",
        })
    }
}

/// Our verifier, as of a time, on a log or a proof.
pub struct Ours<'a> {
    pub day: &'a Day,
    pub now: String,
}

impl Ours<'_> {
    /// # Errors
    /// If it neither accepts nor refuses: then it was called wrongly, or broke.
    pub fn check(&self, what: &Path, since: Option<&Path>) -> Result<Said, String> {
        let mut verify = program(target_folder().join("debug/placet-verify"));
        verify.arg("--policy").arg(self.day.folder.join("policy")).args(["--now", &self.now]);
        if let Some(since) = since {
            verify.arg("--since").arg(since);
        }
        let done = verify.arg(what).output().map_err(|e| format!("cannot start placet-verify: {e}"))?;
        let verdict = match done.status.code() {
            Some(0) => Verdict::Sound,
            Some(8) => Verdict::Caught,
            other => {
                let told = String::from_utf8_lossy(&done.stderr);
                return Err(format!("placet-verify on {} ended with {other:?}: {told}", what.display()));
            }
        };
        let words = String::from_utf8_lossy(if done.stderr.is_empty() { &done.stdout } else { &done.stderr });
        Ok(Said { verdict, words: words.split_whitespace().collect::<Vec<_>>().join(" ") })
    }
}

/// Go's and npm's verifiers on folders, in their order: one answer of each for each folder.
pub fn others(day: &Day, folders: &[PathBuf]) -> Result<(Vec<Said>, Vec<Said>), String> {
    let told = output(program(root().join("bench/interop/run")).arg("--as-is").arg(&day.key).args(folders))?;
    let of = |judge: &str| -> Result<Vec<Said>, String> {
        let lines = told.lines().filter(|line| line.starts_with(judge));
        let said: Vec<Said> = lines.filter_map(said_by_other).collect();
        let all = said.len() == folders.len();
        all.then_some(said).ok_or_else(|| format!("{judge} did not answer for each of {}", folders.len()))
    };
    Ok((of("go ")?, of("npm ")?))
}

/// Judge, verdict, folder and words, with tabs between.
fn said_by_other(line: &str) -> Option<Said> {
    let mut fields = line.split('\t').skip(1);
    let verdict = match fields.next()? {
        "accepted" => Verdict::Sound,
        "refused" => Verdict::Caught,
        _ => return None,
    };
    Some(Said { verdict, words: fields.nth(1)?.to_owned() })
}

/// What the browser is shown.
pub enum Shown {
    /// A log, by its path below the served folder, and what it is asked.
    Log(String, Question),
    Proof(PathBuf),
}

/// Chromium with the day's page, on all in turn; logs are served beside the page over loopback.
pub fn browser(day: &Day, served: &Path, shown: &[Shown]) -> Result<Vec<Said>, String> {
    let lines = shown.iter().map(|one| match one {
        Shown::Log(name, asked) => format!("log\t{name}\t{}\t{}\n", asked.camera, asked.at),
        Shown::Proof(path) => format!("proof\t{}\n", path.display()),
    });
    let questions: String = lines.collect();
    let mut node = program("node");
    node.arg("web/verify/browser/ask.mjs").arg(day.folder.join("verify.html")).arg(served);
    let mut child = node
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start node: {e}"))?;
    // All questions are read before the first is answered, so neither waits for the other.
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(questions.as_bytes()));
    let done = child.wait_with_output().map_err(|e| format!("lost the browser: {e}"))?;
    if !done.status.success() || !matches!(written, Some(Ok(()))) {
        return Err(format!("the browser's check failed: {}", done.status));
    }
    let told = String::from_utf8_lossy(&done.stdout);
    let said: Vec<Said> = told.lines().map(said_by_page).collect();
    let all = said.len() == shown.len();
    all.then_some(said).ok_or_else(|| format!("the browser did not answer each of {} questions", shown.len()))
}

/// An answer is sound if it states something, and the page does not warn of it.
fn said_by_page(line: &str) -> Said {
    let (headline, words) = line.split_once('\t').unwrap_or((line, ""));
    let stated = headline.starts_with("STATED ") && !words.contains("Warning:");
    let verdict = if stated { Verdict::Sound } else { Verdict::Caught };
    Said { verdict, words: format!("{headline}. {words}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_states_something_without_a_warning_is_sound() {
        let verdict = |line| said_by_page(line).verdict;
        assert_eq!(verdict("STATED OFF\tThe log states"), Verdict::Sound);
        assert_eq!(
            verdict("STATED OFF\tThe log states. Warning: this browser has seen a newer state"),
            Verdict::Caught
        );
        for line in ["REFUSED: NOTHING IS PROVED\tx", "UNKNOWN: NO ANSWER\tx", "THE LOG HAS FORKED\tx", ""] {
            assert_eq!(verdict(line), Verdict::Caught, "{line}");
        }
    }

    #[test]
    fn a_judge_that_says_neither_is_not_counted() {
        let words = "3 tiles".to_owned();
        let sound = Said { verdict: Verdict::Sound, words };
        assert_eq!(said_by_other("go x/mod\taccepted\t/log\t3 tiles"), Some(sound));
        assert_eq!(said_by_other("go x/mod\tbroke\t/log\tx"), None);
        assert_eq!(said_by_other("go x/mod\taccepted"), None);
    }
}
