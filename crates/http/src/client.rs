//! A client that follows no redirect, asks no proxy, and reads no more and waits no longer than it is told.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use reqwest::{Method, Url};

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);

/// How much one request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// From the first byte sent to the last byte read.
    pub time: Duration,
    /// The most bytes of an answer's body.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), bytes: 64 << 10 }
    }
}

/// A URL below which paths are asked for: `http` or `https`, without user, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// The URL of `path` below the prefix. The path comes from our own grammar, never from a stranger.
    pub fn join(&self, path: &str) -> String {
        format!("{}/{path}", self.0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let bad = |why| PrefixError { url: text.to_owned(), why };
        let url = Url::parse(text).map_err(|_| bad("it is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it is neither `http` nor `https`"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("it carries a user or a password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("it carries a query or a fragment"));
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

/// A text that is no [`Prefix`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` is not a URL to ask below: {why}")]
pub struct PrefixError {
    /// The text.
    pub url: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// What a server answered; never a redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The media type, as sent.
    pub content_type: Option<String>,
    /// Which bytes of how many, as sent.
    pub content_range: Option<String>,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// The client. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    inner: reqwest::Client,
}

impl Client {
    /// A client that trusts the certificates of the system.
    ///
    /// # Errors
    /// If those cannot be read.
    pub fn new() -> Result<Self, HttpError> {
        // The first one to install a provider wins; all of ours are the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .user_agent(concat!("placet/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT);
        Ok(Self { inner: builder.build().map_err(|source| HttpError::Setup { source: source.into() })? })
    }

    /// Asks for `url`, or for `range.1` bytes of it from `range.0` on, at least one.
    ///
    /// # Errors
    /// If there is no answer within the bounds, or it leads elsewhere. A status that is no success is an answer.
    pub async fn get(
        &self,
        url: &str,
        range: Option<(u64, u64)>,
        bounds: Bounds,
    ) -> Result<Reply, HttpError> {
        let mut request = self.inner.request(Method::GET, url);
        if let Some((from, len)) = range {
            let last = from.saturating_add(len).saturating_sub(1);
            request = request.header(RANGE, format!("bytes={from}-{last}"));
        }
        exchange(url, request, bounds).await
    }

    /// Sends `body` to `url`.
    ///
    /// # Errors
    /// Those of [`Client::get`].
    pub async fn post(
        &self,
        url: &str,
        content_type: &str,
        body: Vec<u8>,
        bounds: Bounds,
    ) -> Result<Reply, HttpError> {
        let request = self.inner.request(Method::POST, url).header(CONTENT_TYPE, content_type).body(body);
        exchange(url, request, bounds).await
    }
}

async fn exchange(url: &str, request: reqwest::RequestBuilder, bounds: Bounds) -> Result<Reply, HttpError> {
    let late = |_| HttpError::Late { url: url.to_owned(), after: bounds.time };
    tokio::time::timeout(bounds.time, read(url, request, bounds.bytes)).await.map_err(late)?
}

async fn read(url: &str, request: reqwest::RequestBuilder, most: usize) -> Result<Reply, HttpError> {
    // The URL is in our words already, so it is taken out of the cause.
    let failed =
        |e: reqwest::Error| HttpError::Exchange { url: url.to_owned(), source: e.without_url().into() };
    let mut response = request.send().await.map_err(failed)?;
    let header = |name| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    if response.status().is_redirection() && response.status() != reqwest::StatusCode::NOT_MODIFIED {
        let to = header(LOCATION).unwrap_or_default().chars().take(200).collect();
        return Err(HttpError::Redirect { url: url.to_owned(), to });
    }
    let (content_type, content_range) = (header(CONTENT_TYPE), header(CONTENT_RANGE));
    let too_long = || HttpError::TooLong { url: url.to_owned(), most };
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > most {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status: response.status().as_u16(), content_type, content_range, body })
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No client can be made.
    #[error("cannot prepare for TLS")]
    Setup {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No connection, or it broke.
    #[error("no answer from `{url}`")]
    Exchange {
        /// What was asked for.
        url: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer was not whole in time.
    #[error("no whole answer from `{url}` within {after:?}")]
    Late {
        /// What was asked for.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// The answer is longer than anything that belongs there.
    #[error("the answer from `{url}` is longer than the {most} bytes that are read")]
    TooLong {
        /// What was asked for.
        url: String,
        /// The bound.
        most: usize,
    },
    /// The server sends us elsewhere.
    #[error("`{url}` leads to `{to}`, and redirects are not followed: write the right URL down")]
    Redirect {
        /// What was asked for.
        url: String,
        /// Where it leads, as sent.
        to: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_plain_url_and_has_no_slash_at_its_end() {
        let prefix: Prefix = "https://log.example/2026/".parse().unwrap();
        assert_eq!(prefix.join("checkpoint"), "https://log.example/2026/checkpoint");
        for bad in [
            "log.example/2026",
            "ftp://log.example/",
            "file:///etc/passwd",
            "https://user@log.example/",
            "https://:pass@log.example/",
            "https://log.example/?a=b",
            "https://log.example/#top",
            "",
        ] {
            assert!(bad.parse::<Prefix>().is_err(), "{bad}");
        }
    }
}
