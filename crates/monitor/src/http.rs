use std::time::Duration;

use placet_audit::{Source, SourceError};
use placet_http::client::{Bounds, Client, HttpError, Prefix, Reply};
use tokio::runtime::{Builder, Runtime};

/// The slowest that a file may come, in bytes for a second, beyond the time that every request has.
const SLOWEST: u64 = 16 << 10;

/// A published log below a URL. Redirects are refused: a log's URL is written down by whoever trusts it.
#[derive(Debug)]
pub struct HttpSource {
    prefix: Prefix,
    client: Client,
    runtime: Runtime,
    time: Duration,
}

impl HttpSource {
    /// The log below `prefix`, with `time` for each request and a little more for long files.
    ///
    /// # Errors
    /// If TLS or a thread's own runtime cannot be had.
    pub fn new(prefix: Prefix, time: Duration) -> Result<Self, HttpError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| HttpError::Setup { source: source.into() })?;
        Ok(Self { prefix, client: Client::new()?, runtime, time })
    }

    fn ask(&self, path: &str, range: Option<(u64, u64)>, limit: u64) -> Result<Reply, SourceError> {
        let time = self.time.saturating_add(Duration::from_secs(limit / SLOWEST));
        let bounds = Bounds { time, bytes: usize::try_from(limit).unwrap_or(usize::MAX) };
        let url = self.prefix.join(path);
        self.runtime.block_on(self.client.get(&url, range, bounds)).map_err(|error| match error {
            HttpError::TooLong { .. } => SourceError::TooLong { path: path.to_owned(), limit },
            other => SourceError::Read { path: path.to_owned(), source: other.into() },
        })
    }
}

impl Source for HttpSource {
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let reply = self.ask(path, None, limit)?;
        match reply.status {
            200 => Ok(Some(reply.body)),
            404 | 410 => Ok(None),
            status => Err(unexpected(path, status)),
        }
    }

    fn get_range(&self, path: &str, from: u64, len: u64) -> Result<Option<Vec<u8>>, SourceError> {
        if len == 0 {
            return Ok(Some(Vec::new()));
        }
        let reply = self.ask(path, Some((from, len)), len)?;
        let starts_there = || {
            let range = reply.content_range.as_deref().and_then(|text| text.strip_prefix("bytes "));
            range.and_then(|range| range.split_once('-')?.0.parse::<u64>().ok()) == Some(from)
        };
        match reply.status {
            206 if starts_there() => Ok(Some(reply.body)),
            // The whole file, and it is no longer than the part.
            200 if from == 0 => Ok(Some(reply.body)),
            404 | 410 => Ok(None),
            416 => Ok(Some(Vec::new())),
            status => Err(unexpected(path, status)),
        }
    }
}

fn unexpected(path: &str, status: u16) -> SourceError {
    let source = format!("the server answers with status {status}").into();
    SourceError::Read { path: path.to_owned(), source }
}
