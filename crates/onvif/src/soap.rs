//! SOAP 1.2 envelopes, and the one token of WS-Security that ONVIF uses.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use placet_core::UtcTime;
use roxmltree::Node;
use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

use crate::xml::{Escaped, XmlError, child, text};

pub(crate) const ENVELOPE: &str = "http://www.w3.org/2003/05/soap-envelope";
pub(crate) const ADDRESSING: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
pub(crate) const DISCOVERY: &str = "http://schemas.xmlsoap.org/ws/2005/04/discovery";
pub(crate) const NETWORK: &str = "http://www.onvif.org/ver10/network/wsdl";
pub(crate) const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
pub(crate) const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";
pub(crate) const MEDIA2: &str = "http://www.onvif.org/ver20/media/wsdl";
pub(crate) const SCHEMA: &str = "http://www.onvif.org/ver10/schema";
pub(crate) const ERROR: &str = "http://www.onvif.org/ver10/error";
pub(crate) const SECURITY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
pub(crate) const UTILITY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const PASSWORD_DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
const BASE64: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

/// The longest user name, nonce or time of a token, in bytes as sent.
const MAX_TOKEN_TEXT: usize = 256;

/// Why bytes are no message of SOAP 1.2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SoapError {
    /// They are no XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// They are other XML.
    #[error("the message is no SOAP 1.2 envelope with a body: `{root}` comes first")]
    Envelope {
        /// Its first element, without namespace.
        root: String,
    },
    /// It lacks what its kind must have.
    #[error("the message lacks `{what}`")]
    Lacks {
        /// An element's name.
        what: &'static str,
    },
}

/// A user and a password. Neither `Debug` nor any error shows the password.
#[derive(Clone)]
pub struct Credentials {
    user: String,
    password: Zeroizing<String>,
}

impl Credentials {
    /// The longest user name and the longest password, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// A user with a password.
    ///
    /// # Errors
    /// If either is empty or longer than [`Self::MAX_BYTES`], or the name cannot stand in an HTTP header.
    pub fn new(user: &str, password: String) -> Result<Self, CredentialsError> {
        let password = Zeroizing::new(password);
        for (what, text) in [("user name", user), ("password", password.as_str())] {
            if text.is_empty() || text.len() > Self::MAX_BYTES {
                return Err(CredentialsError::Length { what });
            }
        }
        if user.chars().any(|c| c.is_control() || matches!(c, ':' | '"' | '\\')) {
            return Err(CredentialsError::Name);
        }
        Ok(Self { user: user.to_owned(), password })
    }

    /// The name.
    pub fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Why a user and a password are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// One of them is empty or too long.
    #[error("the {what} must have 1 to {} bytes", Credentials::MAX_BYTES)]
    Length {
        /// Which.
        what: &'static str,
    },
    /// HTTP Digest could not carry the name.
    #[error("the user name has a control character, `:`, `\"` or `\\`, which HTTP Digest cannot carry")]
    Name,
}

/// `PasswordDigest` (WSS UsernameToken Profile 1.0, 3.1): Base64 of SHA-1 of nonce, time and password.
pub(crate) fn password_digest(nonce: &[u8], created: &str, password: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(nonce);
    hash.update(created);
    hash.update(password);
    STANDARD.encode(hash.finalize())
}

/// A token as a client sends it.
pub(crate) fn token(credentials: &Credentials, nonce: &[u8; 16], created: UtcTime) -> String {
    let created = created.to_string();
    format!(
        "<wsse:Security s:mustUnderstand=\"1\" xmlns:wsse=\"{SECURITY}\" xmlns:wsu=\"{UTILITY}\"><wsse:UsernameToken>\
         <wsse:Username>{}</wsse:Username><wsse:Password Type=\"{PASSWORD_DIGEST}\">{}</wsse:Password>\
         <wsse:Nonce EncodingType=\"{BASE64}\">{}</wsse:Nonce><wsu:Created>{created}</wsu:Created>\
         </wsse:UsernameToken></wsse:Security>",
        Escaped(credentials.user()),
        password_digest(nonce, &created, credentials.password()),
        STANDARD.encode(nonce),
    )
}

/// A token as a device receives it.
pub(crate) struct Token<'a> {
    pub(crate) user: &'a str,
    /// `PasswordDigest`.
    pub(crate) digest: &'a str,
    pub(crate) nonce: Vec<u8>,
    pub(crate) created: &'a str,
}

/// What a header says of its sender.
pub(crate) enum Sender<'a> {
    Nobody,
    Token(Token<'a>),
    /// The password is in clear, or of a kind that is no digest.
    Clear,
    /// There is a token, but it lacks something.
    Broken,
}

/// A message: its header, and what its body asks or answers.
pub(crate) struct Message<'a, 'd> {
    pub(crate) header: Option<Node<'a, 'd>>,
    pub(crate) body: Node<'a, 'd>,
}

impl<'a, 'd> Message<'a, 'd> {
    /// The message in a document.
    pub(crate) fn of(document: &'a roxmltree::Document<'d>) -> Result<Self, SoapError> {
        let root = document.root_element();
        let other = || SoapError::Envelope { root: root.tag_name().name().chars().take(64).collect() };
        let ours = |node: &Node, name| node.has_tag_name((ENVELOPE, name));
        if !ours(&root, "Envelope") {
            return Err(other());
        }
        let mut parts = root.children().filter(Node::is_element);
        let first = parts.next().ok_or_else(other)?;
        let (header, body) =
            if ours(&first, "Header") { (Some(first), parts.next()) } else { (None, Some(first)) };
        let body = body.filter(|body| ours(body, "Body")).ok_or_else(other)?;
        // One body, and nothing after it.
        if parts.next().is_some() {
            return Err(other());
        }
        let body = body.first_element_child().ok_or(SoapError::Lacks { what: "Body/*" })?;
        Ok(Self { header, body })
    }

    /// Who sends it, by the WS-UsernameToken.
    pub(crate) fn sender(&self) -> Sender<'a> {
        let security = |node: &Node| node.has_tag_name((SECURITY, "Security"));
        let Some(security) = self.header.and_then(|header| header.children().find(security)) else {
            return Sender::Nobody;
        };
        let read = || {
            let token = security.children().find(|node| node.has_tag_name((SECURITY, "UsernameToken")))?;
            let part = |space: &str, name: &str| {
                let node = token.children().find(|node| node.has_tag_name((space, name)))?;
                Some((node, text(node, MAX_TOKEN_TEXT)?))
            };
            let (password, digest) = part(SECURITY, "Password")?;
            // By default it is in clear (WSS UsernameToken Profile 1.0, 3.1), and then needs no nonce.
            if password.attribute("Type") != Some(PASSWORD_DIGEST) {
                return Some(Sender::Clear);
            }
            Some(Sender::Token(Token {
                user: part(SECURITY, "Username")?.1,
                digest,
                nonce: STANDARD.decode(part(SECURITY, "Nonce")?.1).ok()?,
                created: part(UTILITY, "Created")?.1,
            }))
        };
        read().unwrap_or(Sender::Broken)
    }
}

/// The value of an element `name` of the header, such as a message's id.
pub(crate) fn header_text<'a>(message: &Message<'a, '_>, name: &str) -> Option<&'a str> {
    text(child(message.header?, name)?, MAX_TOKEN_TEXT)
}

/// The second that an `xs:dateTime` (XML Schema 2, 3.2.7) lies in, fractions cut off; without a zone it is in UTC.
pub(crate) fn date_time(text: &str) -> Option<UtcTime> {
    let (civil, rest) = text.split_at_checked(19)?;
    let civil: UtcTime = format!("{civil}Z").parse().ok()?;
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            (zone.len() < fraction.len()).then_some(zone)?
        }
        None => rest,
    };
    let (sign, offset) = match zone.split_at_checked(1) {
        None | Some(("Z", "")) => return Some(civil),
        Some((sign @ ("+" | "-"), offset)) => (sign, offset),
        Some(_) => return None,
    };
    let (hours, minutes) = offset.split_once(':')?;
    let number = |text: &str, most: u64| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u64>().ok().filter(|n| digits && *n <= most)
    };
    let offset = number(hours, 14)? * 3_600 + number(minutes, 59)? * 60;
    let seconds = civil.unix_seconds();
    let seconds = if sign == "+" { seconds.checked_sub(offset)? } else { seconds + offset };
    UtcTime::from_unix_seconds(seconds)
}

/// A name-based or random UUID's text (RFC 9562, 4), made from 16 random bytes as version 4.
pub(crate) fn uuid(mut bytes: [u8; 16]) -> String {
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
    *version = *version & 0x0f | 0x40;
    *variant = *variant & 0x3f | 0x80;
    let hex = |range: std::ops::Range<usize>| -> String {
        bytes.iter().take(range.end).skip(range.start).map(|byte| format!("{byte:02x}")).collect()
    };
    [hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_onvif_programmers_guide() {
        // ONVIF Application Programmer's Guide 1.0, 6.1.1.3.
        let nonce = STANDARD.decode("LKqI6G/AikKCQrN0zqZFlg==").unwrap();
        let digest = password_digest(&nonce, "2010-09-16T07:50:45Z", "userpassword");
        assert_eq!(digest, "tuOSpGlFlIXsozq4HFNeeGeFLEI=");
    }

    #[test]
    fn times_are_read_in_each_form_that_recorders_write() {
        let at = |text| date_time(text).map(|time| time.to_string());
        for text in [
            "2026-11-22T12:00:00Z",
            "2026-11-22T12:00:00.123Z",
            "2026-11-22T12:00:00.123456+00:00",
            "2026-11-22T12:00:00",
            "2026-11-22T14:30:00+02:30",
            "2026-11-22T07:00:00-05:00",
        ] {
            assert_eq!(at(text).as_deref(), Some("2026-11-22T12:00:00Z"), "{text}");
        }
        for bad in [
            "",
            "2026-11-22",
            "2026-02-30T12:00:00Z",
            "2026-11-22T12:00:00.Z",
            "2026-11-22T12:00:00z",
            "2026-11-22T12:00:00+15:00",
            "2026-11-22T12:00:00+2:30",
            "2026-11-22T12:00:00Z ",
            "1970-01-01T00:00:00+01:00",
            "2026-11-22T12:00:0\u{e9}",
        ] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_uuid_is_of_version_4() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn a_password_is_shown_by_nothing() {
        let secret = Credentials::new("admin", "hunter2hunter2".to_owned()).unwrap();
        assert!(!format!("{secret:?} {secret:#?}").contains("hunter2"));
        for (user, password) in [("", "x"), ("x", ""), ("a:b", "x"), ("a\nb", "x"), ("a\"b", "x")] {
            assert!(Credentials::new(user, password.to_owned()).is_err());
        }
    }
}
