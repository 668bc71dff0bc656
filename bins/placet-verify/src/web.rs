//! A log behind a URL, got by `curl` as a child: no TLS and no HTTP of our own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};

use placet_audit::{Source, SourceError};

use crate::folder::read_up_to;

/// The most bytes of files that are got ahead.
const AHEAD: u64 = 64 << 20;

/// The most that `curl` may say of its transfers.
const MAX_WORDS: u64 = 1 << 16;

/// What `curl` has to say of each transfer, on its standard error.
const REPORT: &str = "%{stderr}%{http_code} %{size_download} %{exitcode}\n";

/// A published log on a web server.
pub struct Web {
    prefix: String,
    /// Files that were got ahead; none where there is no such file.
    ahead: RefCell<BTreeMap<String, Option<Vec<u8>>>>,
}

/// How a transfer ended.
struct Transfer {
    status: u16,
    bytes: u64,
    exit: u8,
}

impl Transfer {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let status = words.next()?.parse().ok()?;
        let bytes = words.next()?.parse().ok()?;
        Some(Self { status, bytes, exit: words.next()?.parse().ok()? })
    }

    fn is_absent(&self) -> bool {
        matches!(self.status, 404 | 410)
    }
}

impl Web {
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ahead: RefCell::default() }
    }

    /// `curl` as it has to behave: nothing of the user's settings, no redirect, no other protocol, no waiting for ever.
    fn curl(&self, options: &[&str]) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["--disable", "--silent", "--fail", "--globoff", "--path-as-is", "--proto", "=https,http"]);
        curl.args([
            "--max-redirs",
            "0",
            "--connect-timeout",
            "20",
            "--max-time",
            "300",
            "--write-out",
            REPORT,
        ]);
        curl.args(["--speed-limit", "100", "--speed-time", "60", "--user-agent", "placet-verify"])
            .args(options);
        curl.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        curl
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.prefix)
    }

    /// One file or part of it: how the transfer ended, and its first `limit` bytes. Where there are more, `curl` is stopped and
    /// does not come to say how it ended.
    fn fetch(&self, path: &str, options: &[&str], limit: u64) -> io::Result<(Option<Transfer>, Vec<u8>)> {
        let mut child = spawn(self.curl(options).args(["--url", &self.url(path)]))?;
        let mut body = Vec::new();
        let mut stdout = child.stdout.take().map(|stdout| stdout.take(limit.saturating_add(1)));
        let read = stdout.as_mut().map_or(Ok(0), |stdout| stdout.read_to_end(&mut body));
        let whole = read.is_ok() && body.len() as u64 <= limit;
        if !whole {
            // What was not read would keep it waiting.
            child.kill()?;
        }
        let words = words(&mut child)?;
        child.wait()?;
        read?;
        if !whole {
            body.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            return Ok((None, body));
        }
        let transfer = words.lines().next_back().and_then(Transfer::parse);
        let transfer = transfer.ok_or_else(|| io::Error::other("curl did not say how the transfer ended"))?;
        Ok((Some(transfer), body))
    }

    fn got(&self, path: &str, transfer: &Transfer, body: Vec<u8>) -> Result<Option<Vec<u8>>, SourceError> {
        match transfer {
            transfer if transfer.is_absent() => Ok(None),
            Transfer { status: 200 | 206, exit: 0, .. } => Ok(Some(body)),
            Transfer { status: status @ 300..400, .. } => self.failed(
                path,
                io::Error::other(format!("the server answered {status}, and no redirect is followed")),
            ),
            Transfer { status: 0, exit, .. } => self.failed(
                path,
                io::Error::other(format!("curl could not reach the server (its exit code is {exit})")),
            ),
            Transfer { status, exit, .. } => {
                let why = format!("the server answered {status} (curl's exit code is {exit})");
                self.failed(path, io::Error::other(why))
            }
        }
    }

    fn failed<T>(&self, path: &str, error: io::Error) -> Result<T, SourceError> {
        Err(SourceError::Read { path: self.url(path), source: error.into() })
    }

    /// Many files through one `curl`, and so through one connection.
    fn fetch_many(&self, paths: &[String]) -> io::Result<BTreeMap<String, Option<Vec<u8>>>> {
        let mut curl = self.curl(&[]);
        curl.args(paths.iter().flat_map(|path| ["--url".to_owned(), self.url(path)]));
        let mut child = spawn(&mut curl)?;
        let stderr = child.stderr.take();
        // Both streams at once: either may fill up while the other is waited for.
        let (body, words) = std::thread::scope(|scope| {
            let words = scope.spawn(|| stderr.map_or(Ok(None), |stderr| read_up_to(stderr, MAX_WORDS)));
            let body = child.stdout.take().map_or(Ok(None), |stdout| read_up_to(stdout, AHEAD));
            if !matches!(body, Ok(Some(_))) {
                let _ = child.kill();
            }
            (body, words.join())
        });
        child.wait()?;
        let (Some(body), Ok(Ok(Some(words)))) = (body?, words) else { return Ok(BTreeMap::new()) };
        Ok(split(paths, &body, &String::from_utf8_lossy(&words)))
    }
}

/// Takes apart what one `curl` brought: the bodies stand one after the other, and the words tell their lengths.
fn split(paths: &[String], body: &[u8], words: &str) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut rest = body;
    for (path, line) in paths.iter().zip(words.lines()) {
        let Some(transfer) = Transfer::parse(line) else { break };
        if transfer.is_absent() {
            // `--fail` keeps the page that a server sends instead of a file.
            files.insert(path.clone(), None);
            continue;
        }
        let length = usize::try_from(transfer.bytes).unwrap_or(usize::MAX);
        let (200, 0, Some((bytes, after))) = (transfer.status, transfer.exit, rest.split_at_checked(length))
        else {
            break;
        };
        files.insert(path.clone(), Some(bytes.to_vec()));
        rest = after;
    }
    files
}

fn spawn(curl: &mut Command) -> io::Result<Child> {
    curl.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other(
            "`curl` is not installed, and this program has no HTTP of its own. Install it, or copy the log into a folder",
        ),
        _ => error,
    })
}

fn words(child: &mut Child) -> io::Result<String> {
    let mut words = String::new();
    if let Some(stderr) = child.stderr.take() {
        stderr.take(MAX_WORDS).read_to_string(&mut words)?;
    }
    Ok(words)
}

impl Source for Web {
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let too_long = || SourceError::TooLong { path: path.to_owned(), limit };
        if let Some(found) = self.ahead.borrow_mut().remove(path) {
            return match found {
                Some(bytes) if bytes.len() as u64 > limit => Err(too_long()),
                found => Ok(found),
            };
        }
        match self.fetch(path, &[], limit) {
            Ok((Some(transfer), body)) => self.got(path, &transfer, body),
            Ok((None, _)) => Err(too_long()),
            Err(error) => self.failed(path, error),
        }
    }

    fn get_range(&self, path: &str, from: u64, len: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let end = from.saturating_add(len);
        let Some(last) = end.checked_sub(1).filter(|last| *last >= from) else { return Ok(Some(Vec::new())) };
        // A server that knows no ranges sends the file from its beginning, which is taken where it is not too much.
        let limit = if end <= AHEAD { end } else { len };
        match self.fetch(path, &["--range", &format!("{from}-{last}")], limit) {
            Ok((Some(Transfer { status: 416, .. }), _)) => Ok(Some(Vec::new())),
            Ok((Some(transfer @ Transfer { status: 200, .. }), body)) => {
                Ok(self.got(path, &transfer, body)?.map(|bytes| part(&bytes, from, len)))
            }
            Ok((Some(transfer), mut body)) => {
                body.truncate(usize::try_from(len).unwrap_or(usize::MAX));
                self.got(path, &transfer, body)
            }
            Ok((None, body)) if end <= AHEAD => Ok(Some(part(&body, from, len))),
            Ok((None, _)) => {
                self.failed(path, io::Error::other("the server sends whole files where a part was asked for"))
            }
            Err(error) => self.failed(path, error),
        }
    }

    fn expect(&self, files: &[(String, u64)]) {
        let paths: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
        // What cannot be got together is asked for alone, and its error told then.
        if let Ok(found) = self.fetch_many(&paths) {
            *self.ahead.borrow_mut() = found;
        }
    }
}

fn part(bytes: &[u8], from: u64, len: u64) -> Vec<u8> {
    let rest = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
    usize::try_from(len).ok().and_then(|len| rest.get(..len)).unwrap_or(rest).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_together_is_taken_apart_by_its_lengths() {
        let paths = ["a", "b", "c", "d"].map(str::to_owned);
        let words = "200 3 0\n404 0 22\n200 2 0\n500 0 22\n";
        let files = split(&paths, b"onexy", words);
        let text = |path: &str| {
            files.get(path).map(|f| f.as_deref().map(|b| String::from_utf8_lossy(b).into_owned()))
        };
        assert_eq!(text("a"), Some(Some("one".into())));
        assert_eq!(text("b"), Some(None));
        assert_eq!(text("c"), Some(Some("xy".into())));
        assert_eq!(text("d"), None, "it is asked for alone");
        assert_eq!(split(&paths, b"on", words).len(), 0, "a body that is too short is none");
        assert_eq!(split(&paths, b"one", "").len(), 0);
    }
}
