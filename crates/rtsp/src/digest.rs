//! Who may watch: Digest access authentication (RFC 7616; RFC 2617 and 2069 for clients that know MD5 alone).
//!
//! The connection is where a nonce is good, so nothing that was seen on one opens another. What is kept of a password is
//! the digest that the protocol needs, which is worth as much as the password here, and is wiped when it is dropped.

use std::fmt;

use md5::Md5;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The algorithms, the one that clients should prefer first (RFC 7616, 3.7). Some take the last that they know.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Md5];
/// The longest header that is read.
const LONGEST: usize = 2 << 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The digest of parts with colons between, in hex.
    fn of(self, parts: &[&str]) -> Zeroizing<String> {
        let text = Zeroizing::new(parts.join(":"));
        let hex =
            |digest: &[u8]| Zeroizing::new(digest.iter().map(|b| format!("{b:02x}")).collect::<String>());
        match self {
            Self::Md5 => hex(&Md5::digest(text.as_bytes())),
            Self::Sha256 => hex(&Sha256::digest(text.as_bytes())),
        }
    }
}

struct User {
    name: String,
    /// Of name, realm and password, by [`Algorithm`].
    md5: Zeroizing<String>,
    sha256: Zeroizing<String>,
}

/// Those who may watch.
pub struct Users {
    realm: String,
    users: Vec<User>,
    /// What is compared with where there is no such user, so that it takes as long.
    nobody: User,
}

/// A name that cannot be one of a user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a user's name and the realm have 1 to 64 visible ASCII characters without `\"`, `:` and `\\`")]
pub struct UserError;

/// What a request's credentials are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Those of a user.
    Right,
    /// None of a user, or unreadable.
    Wrong,
    /// Made for a nonce that is none here: to be made again with the new one.
    Stale,
}

impl Users {
    /// Nobody yet, in a realm that clients show to people.
    ///
    /// # Errors
    /// If the realm cannot be one.
    pub fn new(realm: &str) -> Result<Self, UserError> {
        let nobody = user(realm, "nobody", "")?;
        Ok(Self { realm: realm.to_owned(), users: Vec::new(), nobody })
    }

    /// Adds a user, or changes the password of one.
    ///
    /// # Errors
    /// If the name cannot be one.
    pub fn add(&mut self, name: &str, password: &str) -> Result<(), UserError> {
        let user = user(&self.realm, name, password)?;
        self.users.retain(|known| known.name != name);
        self.users.push(user);
        Ok(())
    }

    /// The values of the `WWW-Authenticate` headers that ask for credentials.
    pub fn challenges(&self, nonce: &str, stale: bool) -> Vec<String> {
        let one = |algorithm: Algorithm| {
            // Clients from before RFC 2617 know no `qop` and read realm and nonce in this order, nothing between.
            let qop = if algorithm == Algorithm::Sha256 { ", qop=\"auth\"" } else { "" };
            let stale = if stale { ", stale=true" } else { "" };
            let (realm, name) = (&self.realm, algorithm.name());
            format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={name}{qop}{stale}")
        };
        ALGORITHMS.map(one).to_vec()
    }

    /// Judges the value of an `Authorization` header for a request of `method` for `uri`.
    pub fn judge(&self, header: &str, nonce: &str, method: &str, uri: &str) -> Verdict {
        let Some(answer) = Answer::of(header) else { return Verdict::Wrong };
        if answer.nonce != nonce {
            return Verdict::Stale;
        }
        if answer.realm != self.realm || answer.uri != uri {
            return Verdict::Wrong;
        }
        let user = self.users.iter().find(|user| user.name == answer.username);
        let secret = user.unwrap_or(&self.nobody);
        let first = match answer.algorithm {
            Algorithm::Md5 => &secret.md5,
            Algorithm::Sha256 => &secret.sha256,
        };
        let second = answer.algorithm.of(&[method, uri]);
        let wanted = match &answer.qop {
            Some(Qop { count, cnonce }) => {
                answer.algorithm.of(&[first, nonce, count, cnonce, "auth", &second])
            }
            None => answer.algorithm.of(&[first, nonce, &second]),
        };
        let equal: bool = wanted.as_bytes().ct_eq(answer.response.as_bytes()).into();
        if equal && user.is_some() { Verdict::Right } else { Verdict::Wrong }
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} users of {}", self.users.len(), self.realm)
    }
}

fn user(realm: &str, name: &str, password: &str) -> Result<User, UserError> {
    let fits = |text: &str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| (b.is_ascii_graphic() || b == b' ') && !b"\":\\".contains(&b))
    };
    if !fits(realm) || !fits(name) {
        return Err(UserError);
    }
    let of = |algorithm: Algorithm| algorithm.of(&[name, realm, password]);
    Ok(User { name: name.to_owned(), md5: of(Algorithm::Md5), sha256: of(Algorithm::Sha256) })
}

struct Qop {
    count: String,
    cnonce: String,
}

/// What a client answers a challenge with (RFC 7616, 3.4).
struct Answer {
    username: String,
    realm: String,
    nonce: String,
    uri: String,
    response: String,
    algorithm: Algorithm,
    qop: Option<Qop>,
}

impl Answer {
    fn of(header: &str) -> Option<Self> {
        let mut fields = Fields::of(header)?;
        let algorithm = match fields.take("algorithm") {
            None => Algorithm::Md5,
            Some(name) => ALGORITHMS.into_iter().find(|a| a.name().eq_ignore_ascii_case(&name))?,
        };
        let qop = match fields.take("qop") {
            None => None,
            Some(qop) if qop == "auth" => {
                Some(Qop { count: fields.take("nc")?, cnonce: fields.take("cnonce")? })
            }
            Some(_) => return None,
        };
        Some(Self {
            username: fields.take("username")?,
            realm: fields.take("realm")?,
            nonce: fields.take("nonce")?,
            uri: fields.take("uri")?,
            response: fields.take("response")?.to_ascii_lowercase(),
            algorithm,
            qop,
        })
    }
}

/// `Digest a=b, c="d"`, each name once.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn of(header: &str) -> Option<Self> {
        let scheme = header.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("digest "))?;
        let mut rest = header.get(scheme.len()..).filter(|_| header.len() <= LONGEST)?.trim_start();
        let mut fields: Vec<(String, String)> = Vec::new();
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=')?;
            let name = name.trim_end().to_ascii_lowercase();
            let (value, after) = value(after.trim_start())?;
            if name.is_empty() || fields.iter().any(|(known, _)| *known == name) {
                return None;
            }
            fields.push((name, value));
            rest = after.trim_start();
            match rest.strip_prefix(',') {
                Some(more) => rest = more.trim_start(),
                None if rest.is_empty() => {}
                None => return None,
            }
        }
        Some(Self(fields))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }
}

/// A token or a quoted string, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return Some((text.get(..end)?.to_owned(), text.get(end..)?));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616, 3.9.1, whose nonce and URI these are.
    const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    const MD5: &str = "8ca523f5e9506fed4657c9700eebdbec";
    const SHA256: &str = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";

    fn users() -> Users {
        let mut users = Users::new("http-auth@example.org").unwrap();
        users.add("Mufasa", "Circle of Life").unwrap();
        users
    }

    fn header(algorithm: &str, response: &str) -> String {
        format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm={algorithm}, \
             nonce=\"{NONCE}\", nc=00000001, cnonce=\"{CNONCE}\", qop=auth, response=\"{response}\", opaque=\"x\""
        )
    }

    fn judge(header: &str) -> Verdict {
        users().judge(header, NONCE, "GET", "/dir/index.html")
    }

    #[test]
    fn the_examples_of_rfc_7616_are_right() {
        assert_eq!(judge(&header("MD5", MD5)), Verdict::Right);
        assert_eq!(judge(&header("SHA-256", SHA256)), Verdict::Right);
        assert_eq!(judge(&header("md5", &MD5.to_uppercase())), Verdict::Right);
    }

    #[test]
    fn the_example_of_rfc_2069_is_right() {
        let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
        let mut users = Users::new("testrealm@host.com").unwrap();
        users.add("Mufasa", "CircleOfLife").unwrap();
        let header = format!(
            "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"{nonce}\", uri=\"/dir/index.html\", \
             response=\"1949323746fe6a43ef61f9606e7febea\""
        );
        // The digest is that of the errata of RFC 2069.
        assert_eq!(users.judge(&header, nonce, "GET", "/dir/index.html"), Verdict::Right);
    }

    #[test]
    fn whatever_differs_is_wrong() {
        let good = header("MD5", MD5);
        assert_eq!(users().judge(&good, NONCE, "PUT", "/dir/index.html"), Verdict::Wrong);
        assert_eq!(users().judge(&good, NONCE, "GET", "/dir/other.html"), Verdict::Wrong);
        assert_eq!(users().judge(&good, "another", "GET", "/dir/index.html"), Verdict::Stale);
        for (from, to) in [
            ("Mufasa", "Scar"),
            ("Mufasa", ""),
            ("http-auth@example.org", "elsewhere"),
            ("nc=00000001", "nc=00000002"),
            ("qop=auth", "qop=auth-int"),
            ("algorithm=MD5", "algorithm=SHA-256"),
            ("algorithm=MD5", "algorithm=MD5-sess"),
            ("cnonce=", "other="),
            ("Digest ", "Basic "),
            ("username=\"Mufasa\"", "username=\"Mufasa\", username=\"Mufasa\""),
            ("opaque=\"x\"", "opaque=\"x"),
            ("opaque=\"x\"", "opaque=\"x\" y"),
            ("opaque=\"x\"", "=\"x\""),
            ("response=\"8", "response=\"9"),
            (MD5, ""),
            (MD5, &MD5[..31]),
        ] {
            assert_ne!(judge(&good.replace(from, to)), Verdict::Right, "{from} to {to}");
        }
        for cut in 0..good.len() {
            let verdict = judge(&good[..cut]);
            assert!(verdict != Verdict::Right || !good[cut..].contains("response"), "cut at {cut}");
        }
    }

    #[test]
    fn the_empty_password_of_nobody_opens_nothing() {
        let users = users();
        let secret = Algorithm::Md5.of(&["nobody", "http-auth@example.org", ""]);
        let uri = Algorithm::Md5.of(&["GET", "/a"]);
        let response = Algorithm::Md5.of(&[&secret, NONCE, &uri]);
        let header = format!(
            "Digest username=\"nobody\", realm=\"http-auth@example.org\", nonce=\"{NONCE}\", uri=\"/a\", response=\"{}\"",
            *response
        );
        assert_eq!(users.judge(&header, NONCE, "GET", "/a"), Verdict::Wrong);
    }

    #[test]
    fn names_that_would_leave_their_quotes_are_refused_and_nothing_is_shown_of_passwords() {
        for bad in ["", "a\"b", "a:b", "a\\b", "a\r\nb", "é", &"x".repeat(65)] {
            assert_eq!(users().add(bad, "x"), Err(UserError), "{bad}");
        }
        assert_eq!(format!("{:?}", users()), "1 users of http-auth@example.org");
    }
}
