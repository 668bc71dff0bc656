//! Who may ask: WS-UsernameToken (digest, WSS UsernameToken Profile 1.0) and HTTP Digest (RFC 7616, `qop=auth`).
//!
//! Both are challenges to know a password; neither hides anything or protects a body. MD5 is what recorders speak: RFC
//! 7616's SHA-256 would only be one more line that most of them misread.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac as _};
use http_auth::ChallengeRef;
use md5::{Digest as _, Md5};
use placet_core::UtcTime;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Asked;
use crate::soap::{Credentials, Sender, Token, date_time, password_digest};

/// How old a token may be, in seconds (the profile's own recommendation).
const PAST: u64 = 300;
/// How far ahead of us a token's clock may be, in seconds.
const FUTURE: u64 = 60;
/// The most tokens remembered, so that none is taken twice: 45 a second.
const MAX_TOKENS: usize = 16_384;
/// How long an HTTP nonce is good, in seconds.
const NONCE_LIFE: u64 = 300;
/// The most HTTP nonces whose uses are counted; beyond, the oldest go stale.
const MAX_NONCES: usize = 4_096;
/// The longest header that is read.
const MAX_HEADER: usize = 4 << 10;
/// The most users.
const MAX_USERS: usize = 64;
const REALM: &str = "placet";

/// Those who may ask.
pub struct Access {
    users: Vec<Credentials>,
    secret: Zeroizing<[u8; 32]>,
    tokens: Mutex<Tokens>,
    nonces: Mutex<Nonces>,
}

/// Why nobody could ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// There are none, or too many.
    #[error("there must be 1 to {MAX_USERS} users, not {0}")]
    Count(usize),
    /// Two have one name.
    #[error("there are two users `{0}`")]
    Twice(String),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}

/// Why a request was refused. What the sender is told says no more than it must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// It says of nobody who asks; most clients begin so.
    Nobody,
    /// Its token or header cannot be read, or is of a kind that is not taken.
    Malformed,
    /// It carries a password in clear, or something other than a digest.
    Clear,
    /// Unknown user or wrong password.
    Wrong,
    /// Right, but made more than 300 s ago by the sender's clock.
    Past,
    /// Right, but made more than 60 s from now by the sender's clock.
    Future,
    /// Right, but used before.
    Replayed,
    /// Right, but too many were used in the last minutes to remember one more.
    Crowded,
    /// Right, for an HTTP nonce that is too old.
    StaleNonce,
}

impl Refusal {
    /// For the sender. Only who knew the password is told what else was wrong.
    pub(super) fn told(self) -> &'static str {
        match self {
            Self::Past => {
                "the sender's clock is more than 300 s behind this device's, or the request was held back"
            }
            Self::Future => "the sender's clock is more than 60 s ahead of this device's",
            Self::Replayed => "this token was used before; draw a nonce for each request",
            Self::Crowded => "too many requests in the last minutes",
            Self::Clear => "a password in clear is not taken; send a digest",
            Self::Nobody | Self::Malformed | Self::Wrong | Self::StaleNonce => {
                "the sender is not authorized: user or password is wrong"
            }
        }
    }
}

pub(super) enum Verdict {
    Known,
    Refused(Refusal),
}

impl From<Result<(), Refusal>> for Verdict {
    fn from(result: Result<(), Refusal>) -> Self {
        result.map_or_else(Self::Refused, |()| Self::Known)
    }
}

/// Equal, without telling by time how much of it.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |found, (a, b)| found | (a ^ b)) == 0
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn md5(text: &str) -> String {
    hex(Md5::digest(text))
}

impl Access {
    /// For `users`.
    ///
    /// # Errors
    /// If there are none, too many, or two of one name.
    pub fn new(users: Vec<Credentials>) -> Result<Self, AccessError> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut()).map_err(|_| AccessError::Random)?;
        if users.is_empty() || users.len() > MAX_USERS {
            return Err(AccessError::Count(users.len()));
        }
        let mut names: Vec<_> = users.iter().map(Credentials::user).collect();
        names.sort_unstable();
        if let Some(&name) = names.iter().zip(names.iter().skip(1)).find_map(|(a, b)| (a == b).then_some(a)) {
            return Err(AccessError::Twice(name.to_owned()));
        }
        Ok(Self { users, secret, tokens: Mutex::default(), nonces: Mutex::default() })
    }

    fn user(&self, name: &str) -> Option<&Credentials> {
        self.users.iter().find(|user| user.user() == name)
    }

    pub(super) fn judge(&self, sender: &Sender, asked: &Asked, now: &UtcTime) -> Verdict {
        match (sender, asked.authorization) {
            // Whoever sends both means the header: their token is for devices that take no header.
            (_, Some(header)) => self.judge_http(Some(header), "POST", asked.target, *now),
            (Sender::Nobody, None) => Verdict::Refused(Refusal::Nobody),
            (Sender::Clear, None) => Verdict::Refused(Refusal::Clear),
            (Sender::Broken, None) => Verdict::Refused(Refusal::Malformed),
            (Sender::Token(token), None) => self.token(token, now.unix_seconds()).into(),
        }
    }

    fn token(&self, token: &Token, now: u64) -> Result<(), Refusal> {
        // An unknown user costs the same time.
        let known = self.user(token.user);
        let expected = password_digest(&token.nonce, token.created, known.map_or("", Credentials::password));
        if !same(expected.as_bytes(), token.digest.as_bytes()) || known.is_none() {
            return Err(Refusal::Wrong);
        }
        let created = date_time(token.created).ok_or(Refusal::Malformed)?.unix_seconds();
        if created > now + FUTURE {
            return Err(Refusal::Future);
        }
        if created + PAST < now {
            return Err(Refusal::Past);
        }
        let mut key = Sha256::new();
        for part in [token.user.as_bytes(), b"\0", &token.nonce] {
            key.update(part);
        }
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.take(key.finalize().into(), created, now)
    }

    /// The header `WWW-Authenticate` (RFC 7616, 3.3).
    pub(super) fn challenge(&self, now: UtcTime, stale: bool) -> String {
        let number = self.nonces.lock().unwrap_or_else(PoisonError::into_inner).issue();
        let nonce = self.nonce(now.unix_seconds(), number);
        let stale = if stale { ", stale=true" } else { "" };
        format!("Digest realm=\"{REALM}\", qop=\"auth\", nonce=\"{nonce}\", algorithm=MD5{stale}")
    }

    /// A nonce that we know again: time and number, with a MAC.
    fn nonce(&self, at: u64, number: u64) -> String {
        let head = format!("{at:010x}{number:016x}");
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.secret.as_ref()).expect("HMAC takes a key of any length");
        mac.update(head.as_bytes());
        let mac = hex(mac.finalize().into_bytes());
        format!("{head}{}", mac.get(..32).unwrap_or_default())
    }

    /// Judges a request by its header `Authorization` alone.
    pub(super) fn judge_http(
        &self,
        header: Option<&str>,
        method: &str,
        target: &str,
        now: UtcTime,
    ) -> Verdict {
        let Some(header) = header else { return Verdict::Refused(Refusal::Nobody) };
        self.digest(header, method, target, now.unix_seconds()).into()
    }

    fn digest(&self, header: &str, method: &str, target: &str, now: u64) -> Result<(), Refusal> {
        let response = Response::read(header).ok_or(Refusal::Malformed)?;
        if response.target() != target {
            return Err(Refusal::Malformed);
        }
        let (at, number) = response.issued().ok_or(Refusal::StaleNonce)?;
        // A nonce of before a restart is not known again: the sender gets another.
        if !same(self.nonce(at, number).as_bytes(), response.nonce.as_bytes()) {
            return Err(Refusal::StaleNonce);
        }
        let known = self.user(&response.user);
        let password = known.map_or("", Credentials::password);
        let secret = Zeroizing::new(format!("{}:{REALM}:{password}", response.user));
        let (a1, a2) = (Zeroizing::new(md5(&secret)), md5(&format!("{method}:{}", response.uri)));
        let Response { nonce, count, client, .. } = &response;
        let expected = md5(&format!("{}:{nonce}:{count}:{client}:auth:{a2}", a1.as_str()));
        if !same(expected.as_bytes(), response.response.as_bytes()) || known.is_none() {
            return Err(Refusal::Wrong);
        }
        if at + NONCE_LIFE < now || at > now + FUTURE {
            return Err(Refusal::StaleNonce);
        }
        let count = u32::from_str_radix(&response.count, 16).map_err(|_| Refusal::Malformed)?;
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner).take(number, count)
    }
}

/// `Debug` of an [`Access`] names its users and nothing else.
impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("users", &self.users).finish_non_exhaustive()
    }
}

/// The header `Authorization` of HTTP Digest (RFC 7616, 3.4).
struct Response {
    user: String,
    nonce: String,
    uri: String,
    response: String,
    count: String,
    client: String,
}

impl Response {
    fn read(header: &str) -> Option<Self> {
        if header.len() > MAX_HEADER {
            return None;
        }
        // The grammar is that of a challenge.
        let challenges = http_auth::parse_challenges(header).ok()?;
        let [challenge] = challenges.as_slice() else { return None };
        let is = |name: &str, expected: &[&str]| {
            let said = parameter(challenge, name)?;
            expected.iter().any(|one| one.eq_ignore_ascii_case(&said)).then_some(())
        };
        if !challenge.scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        is("realm", &[REALM])?;
        is("qop", &["auth"])?;
        if parameter(challenge, "algorithm").is_some() {
            is("algorithm", &["MD5"])?;
        }
        let count = parameter(challenge, "nc")?;
        (count.len() == 8 && count.bytes().all(|b| b.is_ascii_hexdigit())).then_some(())?;
        Some(Self {
            user: parameter(challenge, "username")?,
            nonce: parameter(challenge, "nonce")?,
            uri: parameter(challenge, "uri")?,
            response: parameter(challenge, "response")?.to_ascii_lowercase(),
            count,
            client: parameter(challenge, "cnonce")?,
        })
    }

    /// Its target without scheme and host, which proxies' clients write.
    fn target(&self) -> &str {
        let Some((_, rest)) = self.uri.split_once("://") else { return &self.uri };
        rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
    }

    /// When its nonce was issued, and which it was.
    fn issued(&self) -> Option<(u64, u64)> {
        let number = |range| u64::from_str_radix(self.nonce.get(range)?, 16).ok();
        Some((number(0..10)?, number(10..26)?))
    }
}

/// A parameter that is there exactly once.
fn parameter(challenge: &ChallengeRef, name: &str) -> Option<String> {
    let mut found = challenge.params.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    let (_, value) = found.next()?;
    found.next().is_none().then(|| value.to_unescaped())
}

/// Tokens that were taken, while they could be taken again.
#[derive(Default)]
struct Tokens {
    taken: HashMap<[u8; 32], u64>,
    /// None made at or before this is taken any more: it may have been forgotten.
    floor: u64,
}

impl Tokens {
    fn take(&mut self, key: [u8; 32], created: u64, now: u64) -> Result<(), Refusal> {
        // A clock set back does not bring back what was forgotten.
        if created <= self.floor {
            return Err(Refusal::Past);
        }
        if self.taken.contains_key(&key) {
            return Err(Refusal::Replayed);
        }
        if self.taken.len() >= MAX_TOKENS {
            let floor = &mut self.floor;
            self.taken.retain(|_, created| {
                let lives = *created + PAST >= now;
                if !lives {
                    *floor = (*floor).max(*created);
                }
                lives
            });
        }
        if self.taken.len() >= MAX_TOKENS {
            return Err(Refusal::Crowded);
        }
        self.taken.insert(key, created);
        Ok(())
    }
}

/// Which uses of which HTTP nonces were taken.
#[derive(Default)]
struct Nonces {
    issued: u64,
    used: BTreeMap<u64, Uses>,
    /// Nonces below are stale: their uses may have been forgotten.
    floor: u64,
}

/// The highest use, and which of the 64 up to it were taken: connections in parallel come out of order.
#[derive(Default)]
struct Uses {
    highest: u32,
    taken: u64,
}

impl Nonces {
    fn issue(&mut self) -> u64 {
        self.issued += 1;
        self.issued
    }

    fn take(&mut self, number: u64, count: u32) -> Result<(), Refusal> {
        if number < self.floor {
            return Err(Refusal::StaleNonce);
        }
        let uses = self.used.entry(number).or_default();
        let taken = uses.take(count);
        while self.used.len() > MAX_NONCES {
            let Some((oldest, _)) = self.used.pop_first() else { break };
            self.floor = oldest + 1;
        }
        taken
    }
}

impl Uses {
    fn take(&mut self, count: u32) -> Result<(), Refusal> {
        if count == 0 {
            return Err(Refusal::Malformed);
        }
        if count > self.highest {
            let by = count - self.highest;
            self.taken = self.taken.checked_shl(by).unwrap_or(0) | 1;
            self.highest = count;
            return Ok(());
        }
        let bit = 1_u64.checked_shl(self.highest - count).ok_or(Refusal::Replayed)?;
        if self.taken & bit != 0 {
            return Err(Refusal::Replayed);
        }
        self.taken |= bit;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_standard() {
        // RFC 7616, 3.9.1, which has the same arithmetic with its own realm and nonce.
        let a1 = md5("Mufasa:http-auth@example.org:Circle of Life");
        let a2 = md5("GET:/dir/index.html");
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let client = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        assert_eq!(
            md5(&format!("{a1}:{nonce}:00000001:{client}:auth:{a2}")),
            "8ca523f5e9506fed4657c9700eebdbec"
        );
    }

    #[test]
    fn a_use_is_taken_once_in_whatever_order() {
        let mut uses = Uses::default();
        for (count, good) in [
            (1, true),
            (1, false),
            (3, true),
            (2, true),
            (2, false),
            (3, false),
            (70, true),
            (6, false),
            (7, true),
            (0, false),
            (u32::MAX, true),
            (70, false),
        ] {
            assert_eq!(uses.take(count).is_ok(), good, "{count}");
        }
    }

    #[test]
    fn attack_a_flood_of_nonces_makes_the_oldest_stale_and_never_replayable() {
        let mut nonces = Nonces::default();
        let all: Vec<_> = (0..3 * MAX_NONCES).map(|_| nonces.issue()).collect();
        assert!(all.iter().all(|number| nonces.take(*number, 1).is_ok()));
        let again = all.iter().filter(|number| nonces.take(**number, 1).is_ok()).count();
        println!("{} uses again: {again} taken", all.len());
        assert_eq!((again, nonces.used.len()), (0, MAX_NONCES));
    }

    #[test]
    fn attack_no_token_is_taken_twice_however_many_there_are_and_wherever_the_clock_jumps() {
        let mut tokens = Tokens::default();
        let key = |i: u64| Sha256::digest(i.to_be_bytes()).into();
        let (mut taken, mut twice, mut crowded) = (Vec::new(), 0, 0);
        for i in 0..60_000_u64 {
            let now = 10_000 + i / 60;
            match tokens.take(key(i), now, now) {
                Ok(()) => taken.push((i, now)),
                Err(_) => crowded += 1,
            }
        }
        // The clock jumps ahead, forgets, and comes back.
        assert!(tokens.take(key(1 << 40), 90_000, 90_000).is_ok());
        for (i, created) in &taken {
            twice += u32::from(tokens.take(key(*i), *created, *created).is_ok());
        }
        println!("{} tokens taken, {crowded} of a crowd refused, {twice} taken twice", taken.len());
        assert_eq!(twice, 0);
        assert!(tokens.taken.len() <= MAX_TOKENS);
    }

    #[test]
    fn nobody_is_shown_a_password() {
        let user = |name| Credentials::new(name, "s3cret-s3cret".to_owned()).unwrap();
        let access = Access::new(vec![user("a"), user("b")]).unwrap();
        assert!(!format!("{access:?}").contains("s3cret"));
        assert_eq!(Access::new(vec![]).unwrap_err(), AccessError::Count(0));
        assert_eq!(Access::new(vec![user("a"), user("a")]).unwrap_err(), AccessError::Twice("a".to_owned()));
    }
}
