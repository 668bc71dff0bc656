use std::fmt;

use axum::http::header::{COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Who may look.
#[derive(Clone, PartialEq, Eq)]
pub enum Access {
    /// Whoever asks for this machine by its own name. Pages of other sites cannot, whatever their names resolve to.
    Loopback,
    /// Whoever has a token, of which only the SHA-256 is known.
    Token([u8; 32]),
}

/// A token that could be guessed or does not fit a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token has 32 to 128 of `A-Za-z0-9_-`; make one with `openssl rand -hex 24`")]
pub struct TokenError;

/// What the token's cookie is called.
const NAME: &str = "placet-view";
/// As long as a working year, so that a wall stays up; a new token ends it.
const COOKIE_SECONDS: u32 = 31_536_000;

impl Access {
    /// Access by this token.
    ///
    /// # Errors
    /// If the token is too short or does not fit a cookie.
    pub fn token(token: &str) -> Result<Self, TokenError> {
        if fits(token) { Ok(Self::Token(Sha256::digest(token.as_bytes()).into())) } else { Err(TokenError) }
    }

    /// Whether a request with these headers may look.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        match self {
            Self::Loopback => only(headers, &HOST).is_some_and(is_loopback),
            Self::Token(_) => cookie(headers).is_some_and(|token| self.opens(token)),
        }
    }

    /// Whether this is the token.
    pub(crate) fn opens(&self, token: &str) -> bool {
        match self {
            Self::Loopback => false,
            Self::Token(digest) => fits(token) && Sha256::digest(token.as_bytes()).ct_eq(digest).into(),
        }
    }
}

/// Neither token nor digest.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "loopback",
            Self::Token(_) => "token",
        })
    }
}

/// The cookie that carries a token: never to scripts, never with a request of another site.
pub(crate) fn cookie_of(token: &str) -> String {
    format!("{NAME}={token}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Strict")
}

/// Whether a request comes from one of our own pages: its origin is the host that it asks.
pub(crate) fn is_same_origin(headers: &HeaderMap) -> bool {
    let (Some(origin), Some(host)) = (only(headers, &ORIGIN), only(headers, &HOST)) else { return false };
    ["http://", "https://"].iter().any(|scheme| origin.strip_prefix(scheme) == Some(host))
}

fn fits(token: &str) -> bool {
    (32..=128).contains(&token.len())
        && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))
}

/// A header that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut all = headers.get_all(name).iter();
    let value = all.next()?.to_str().ok()?;
    all.next().is_none().then_some(value)
}

/// Whether a `Host` is this machine by a name that no name server gives.
fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, port)) => (name, port),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    ["localhost", "127.0.0.1", "::1"].contains(&name) && port.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn with(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn only_this_machines_own_names_are_loopback() {
        for host in ["localhost", "localhost:8080", "127.0.0.1:80", "[::1]:8080", "[::1]"] {
            assert!(Access::Loopback.admits(&with(&[(HOST, host)])), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:127.0.0.1",
            "127.0.0.2",
            "LOCALHOST@evil.example",
            "localhost:80:evil",
            "[::1].evil.example",
            "[::1",
        ] {
            assert!(!Access::Loopback.admits(&with(&[(HOST, host)])), "{host}");
        }
        assert!(!Access::Loopback.admits(&HeaderMap::new()));
        let mut two = with(&[(HOST, "localhost")]);
        two.append(HOST, HeaderValue::from_static("evil.example"));
        assert!(!Access::Loopback.admits(&two));
    }

    #[test]
    fn a_token_opens_and_nothing_near_it() {
        let access = Access::token(TOKEN).unwrap();
        let sent = cookie_of(TOKEN);
        let pair = sent.split(';').next().unwrap();
        assert!(access.admits(&with(&[(COOKIE, &format!("a=b; {pair}; c=d"))])));
        for bad in
            ["", "placet-view=", "placet-view", "xplacet-view=", &format!("{pair}0"), &pair[..pair.len() - 1]]
        {
            assert!(!access.admits(&with(&[(COOKIE, bad)])), "{bad}");
        }
        assert!(!access.admits(&with(&[(HOST, "localhost")])));
        for bad in ["", "short", &"x".repeat(129), "0123456789abcdef0123456789abcdef;"] {
            assert_eq!(Access::token(bad), Err(TokenError), "{bad}");
        }
        assert_eq!(format!("{access:?}"), "token");
    }

    #[test]
    fn another_sites_page_is_another_origin() {
        let same = |origin: &str| is_same_origin(&with(&[(HOST, "localhost:80"), (ORIGIN, origin)]));
        assert!(same("http://localhost:80") && same("https://localhost:80"));
        for other in
            ["null", "http://localhost", "http://localhost:8080", "http://evil.example", "ftp://localhost:80"]
        {
            assert!(!same(other), "{other}");
        }
        assert!(!is_same_origin(&with(&[(HOST, "localhost:80")])));
    }
}
