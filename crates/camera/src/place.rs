use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;
use zeroize::Zeroizing;

/// The longest URL that is read, bytes.
const MAX_URL: usize = 2048;

/// The longest user name or password, bytes.
const MAX_CREDENTIAL: usize = 256;

/// Where a camera is: an `rtsp://` URL, or an `http://` or `https://` URL that answers with MJPEG.
///
/// Never holds a user or a password. Shown without its query, in which some cameras want theirs.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    kind: Kind,
    url: Url,
    host: String,
}

/// What is spoken at a [`Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// RTSP 1.0 (RFC 2326).
    Rtsp,
    /// `multipart/x-mixed-replace` over HTTP.
    Mjpeg,
}

impl Place {
    /// Reads a URL. A user and a password in it are taken out and returned beside it.
    ///
    /// # Errors
    /// If it is no URL of a camera. The error does not repeat the text, which may hold a password.
    pub fn parse(text: &str) -> Result<(Self, Option<Credentials>), PlaceError> {
        if text.len() > MAX_URL {
            return Err(PlaceError::TooLong);
        }
        // The URL Standard would drop line breaks and tabs in silence.
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(PlaceError::Spelling);
        }
        let mut url = Url::parse(text).map_err(|_| PlaceError::Spelling)?;
        let kind = match url.scheme() {
            "rtsp" => Kind::Rtsp,
            "http" | "https" => Kind::Mjpeg,
            "rtsps" | "rtspu" => return Err(PlaceError::Rtsps),
            _ => return Err(PlaceError::Scheme),
        };
        if url.fragment().is_some() {
            return Err(PlaceError::Fragment);
        }
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || url.port() == Some(0) {
            return Err(PlaceError::Host);
        }
        let credentials = Credentials::of(&url)?;
        // Both work wherever there is a host.
        if url.set_username("").is_err() || url.set_password(None).is_err() {
            return Err(PlaceError::Host);
        }
        Ok((Self { kind, url, host }, credentials))
    }

    /// What is spoken there.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Host without brackets, and port.
    pub(crate) fn address(&self) -> (&str, u16) {
        (&self.host, self.url.port_or_known_default().unwrap_or(554))
    }

    /// The path, without the query, fit to be shown: some cameras want user and password in it.
    pub(crate) fn path(&self) -> &str {
        let path = self.url.path();
        let lower = path.to_ascii_lowercase();
        let tells =
            ["=", "&", ";", "pass", "pwd", "user", "login", "%"].iter().any(|sign| lower.contains(sign));
        if tells { "/…" } else { path }
    }

    /// The URL as cameras must see it, query included.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.url.scheme(), self.url.host_str().unwrap_or_default())?;
        if let Some(port) = self.url.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.path())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

/// Why a text is no [`Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Longer than any URL of a camera.
    #[error("the camera's URL is longer than {MAX_URL} bytes")]
    TooLong,
    /// No URL at all.
    #[error(
        "the camera's URL cannot be read: write it as `rtsp://host/path`, and `@`, `:`, `/`, `#` or `?` in a \
         password as `%40`, `%3A`, `%2F`, `%23` or `%3F`"
    )]
    Spelling,
    /// RTSP over TLS.
    #[error("RTSP over TLS (`rtsps`) cannot be read: use `rtsp`, with the camera in a network of its own")]
    Rtsps,
    /// Some other scheme.
    #[error("a camera's URL starts with `rtsp://`, `http://` or `https://`")]
    Scheme,
    /// No host, or port 0.
    #[error("the camera's URL has no host or no port")]
    Host,
    /// A `#` in it.
    #[error("the camera's URL has a `#`: write it as `%23` in a password, and leave it out elsewhere")]
    Fragment,
    /// What stands before the `@` cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

/// A user name and a password. Never shown; wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    username: Zeroizing<String>,
    password: Zeroizing<String>,
}

impl Credentials {
    /// A user and a password, either of which may be empty.
    ///
    /// # Errors
    /// If they cannot be sent: too long, with control characters, or a user name with a colon (RFC 7617, section 2).
    pub fn new(username: &str, password: &str) -> Result<Self, CredentialsError> {
        if username.len() > MAX_CREDENTIAL || password.len() > MAX_CREDENTIAL {
            return Err(CredentialsError::TooLong);
        }
        if username.chars().chain(password.chars()).any(char::is_control) || username.contains(':') {
            return Err(CredentialsError::Characters);
        }
        Ok(Self {
            username: Zeroizing::new(username.to_owned()),
            password: Zeroizing::new(password.to_owned()),
        })
    }

    fn of(url: &Url) -> Result<Option<Self>, CredentialsError> {
        if url.username().is_empty() && url.password().is_none() {
            return Ok(None);
        }
        let plain = |text| {
            percent_decode_str(text)
                .decode_utf8()
                .map(|text| Zeroizing::new(text.into_owned()))
                .map_err(|_| CredentialsError::Characters)
        };
        Self::new(&plain(url.username())?, &plain(url.password().unwrap_or_default())?).map(Some)
    }

    pub(crate) fn username(&self) -> &str {
        &self.username
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// Why a user name or a password cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// Too long.
    #[error("the camera's user name or password is longer than {MAX_CREDENTIAL} bytes")]
    TooLong,
    /// What cannot be sent.
    #[error("the camera's user name or password has a control character or no UTF-8, or the name has a `:`")]
    Characters,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Place::parse(text).unwrap().0.to_string()
    }

    #[test]
    fn a_place_is_shown_without_its_secrets() {
        assert_eq!(shown("rtsp://cam.example/h264?user=admin&pwd=hunter2"), "rtsp://cam.example/h264");
        assert_eq!(shown("rtsp://root:hunter2@10.0.0.7:8554/a/b"), "rtsp://10.0.0.7:8554/a/b");
        assert_eq!(shown("rtsp://[fe80::1]/x"), "rtsp://[fe80::1]/x");
        assert_eq!(shown("https://cam.example"), "https://cam.example/");
        for path in
            ["user=admin&password=hunter2&channel=1", "admin;hunter2/1", "a/login/hunter2", "%68unter2"]
        {
            assert_eq!(shown(&format!("rtsp://cam/{path}")), "rtsp://cam/…");
        }
        let (place, credentials) = Place::parse("rtsp://root:hunter2@cam/x?key=hunter2").unwrap();
        let told = format!("{place} {place:?} {credentials:?}");
        assert!(!told.contains("hunter2") && !told.contains("root"), "{told}");
    }

    #[test]
    fn credentials_in_a_url_are_taken_out_and_decoded() {
        let (place, credentials) = Place::parse("rtsp://ad%40min:p%3A%2F%C3%A9@cam:554/x").unwrap();
        let credentials = credentials.unwrap();
        assert_eq!((credentials.username(), credentials.password()), ("ad@min", "p:/é"));
        assert_eq!(place.url().as_str(), "rtsp://cam:554/x");
        assert_eq!(Place::parse("rtsp://cam/x").unwrap().1, None);
    }

    #[test]
    fn what_is_no_place_is_refused_without_being_repeated() {
        let long = format!("rtsp://cam/{}", "x".repeat(MAX_URL));
        let refused = [
            ("", PlaceError::Spelling),
            ("cam.example/x", PlaceError::Spelling),
            ("rtsp://admin:p#hunter2@cam/", PlaceError::Spelling),
            ("rtsp://admin:hunter2@cam/\n", PlaceError::Spelling),
            ("rtsp://admin:hunter2@cam/ x", PlaceError::Spelling),
            ("rtsps://admin:hunter2@cam/", PlaceError::Rtsps),
            ("file:///etc/passwd", PlaceError::Scheme),
            ("ftp://admin:hunter2@cam/", PlaceError::Scheme),
            ("rtsp:hunter2", PlaceError::Host),
            ("rtsp:///hunter2", PlaceError::Host),
            ("rtsp://cam:0/hunter2", PlaceError::Host),
            ("rtsp://cam/x#hunter2", PlaceError::Fragment),
            ("rtsp://a%00:hunter2@cam/x", PlaceError::Credentials(CredentialsError::Characters)),
            ("rtsp://a%3Ab:hunter2@cam/x", PlaceError::Credentials(CredentialsError::Characters)),
            ("rtsp://a:hunter2%ff@cam/x", PlaceError::Credentials(CredentialsError::Characters)),
            (&long, PlaceError::TooLong),
        ];
        for (text, expected) in refused {
            let error = Place::parse(text).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
