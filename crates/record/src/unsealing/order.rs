use std::fmt;
use std::str::FromStr;

use placet_core::{Digest, is_unseen};
use placet_tlog::checkpoint::Origin;
use placet_tlog::note::{self, Note, NoteError, SignerKey};

use crate::entry::{CameraId, Fields, FormError, Ground, Json, Moment, ValueError, demand_canonical};

/// The first line of an order.
const FIRST_LINE: &str = "placet/unsealing-order/v1";

/// Bytes of an order's JSON.
const MAX_JSON: usize = 4_096;

/// The longest footage that one order names, in seconds: an hour.
pub const LONGEST: u64 = 3_600;

/// How long after it was written an order opens something, in seconds: seven days.
pub const VALID: u64 = 7 * 86_400;

/// How far ahead of ours the clock may be on which an order was written, in seconds.
const SKEW: u64 = 300;

/// The most face tracks that an order leaves visible.
pub const MAX_KEPT: usize = 16;

/// The longest reference, in code points.
pub const REFERENCE: usize = 200;

/// Whom the ground is about: a case number, a person's own request. Never public. Debug output hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    const WHY: &str = "is not 1 to 200 characters that can be seen, without white space at either end";

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reference {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let fits = (1..=REFERENCE).contains(&text.chars().count())
            && text.trim() == text
            && !text.contains(is_unseen);
        if fits { Ok(Self(text.to_owned())) } else { Err(ValueError(Self::WHY)) }
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reference(hidden)")
    }
}

/// What two people sign: one camera, at most an hour, one ground.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// 16 random bytes, so that nobody finds the order of a digest by trying.
    pub id: [u8; 16],
    /// When it was written.
    pub asked: Moment,
    /// The log that has to say so first. An order opens by no other.
    pub log: Origin,
    /// Whose original.
    pub camera: CameraId,
    /// The first second of footage.
    pub from: Moment,
    /// The second after the last.
    pub until: Moment,
    /// Why.
    pub ground: Ground,
    /// For which case or request.
    pub reference: Reference,
    /// Face tracks that may be left visible, ascending.
    pub keep: Vec<u64>,
}

impl Order {
    /// What is signed: `placet/unsealing-order/v1` and one line of canonical JSON.
    ///
    /// # Errors
    /// If a value is out of its range.
    pub fn text(&self) -> Result<String, FormError> {
        self.check()?;
        let json = Json::Object(Json::object([
            ("v", Json::Int(1)),
            ("id", Json::bytes(&self.id)),
            ("t", Json::text(self.asked)),
            ("log", Json::text(&self.log)),
            ("camera", Json::text(&self.camera)),
            ("from", Json::text(self.from)),
            ("until", Json::text(self.until)),
            ("ground", Json::text(self.ground.key())),
            ("reference", Json::text(self.reference.as_str())),
            ("keep", Json::List(self.keep.iter().copied().map(Json::Int).collect())),
        ]));
        let json = json.canonical(MAX_JSON)?;
        Ok(format!("{FIRST_LINE}\n{}\n", String::from_utf8_lossy(&json)))
    }

    /// Reads the two lines that are signed. Whether anybody signed them is [`super::People::approve`]'s question.
    ///
    /// # Errors
    /// Whatever differs from what [`Order::text`] writes, be it one byte.
    pub fn parse(text: &str) -> Result<Self, OrderError> {
        let json = text.strip_prefix(FIRST_LINE).and_then(|rest| rest.strip_prefix('\n'));
        let json = json.ok_or(OrderError::FirstLine)?.strip_suffix('\n').ok_or(OrderError::Lines)?;
        let order = Self::read(json.as_bytes())?;
        let again = order.text()?;
        demand_canonical(text.as_bytes(), again.as_bytes())?;
        Ok(order)
    }

    fn read(json: &[u8]) -> Result<Self, FormError> {
        let mut fields = Fields::of(Json::read(json, MAX_JSON)?, "", "")?;
        fields.version()?;
        let keep = fields.list("keep")?.into_iter().map(|track| match track {
            Json::Int(track) => Some(track),
            _ => None,
        });
        let keep = keep.collect::<Option<Vec<u64>>>();
        let order = Self {
            id: fields.bytes("id")?,
            asked: fields.moment("t")?,
            log: fields.read("log", "is no log's name", |text| text.parse().ok())?,
            camera: fields.read("camera", CameraId::WHY, |text| text.parse().ok())?,
            from: fields.moment("from")?,
            until: fields.moment("until")?,
            ground: fields.read(
                "ground",
                "is none of `crime`, `accident` and `own_request`",
                Ground::from_key,
            )?,
            reference: fields.read("reference", Reference::WHY, |text| text.parse().ok())?,
            keep: keep.ok_or_else(|| fields.bad("keep", "is not a list of numbers"))?,
        };
        fields.end()?;
        Ok(order)
    }

    fn check(&self) -> Result<(), FormError> {
        let seconds = self.until.unix_seconds().checked_sub(self.from.unix_seconds());
        if seconds.is_none_or(|seconds| seconds == 0) {
            return Err(FormError::value("until", "is not after `from`"));
        }
        if seconds.is_some_and(|seconds| seconds > LONGEST) {
            return Err(FormError::value(
                "until",
                "is more than an hour after `from`, the most that one order opens",
            ));
        }
        if self.until > self.asked {
            return Err(FormError::value("until", "is after `t`: what has not happened is not ordered"));
        }
        if self.keep.len() > MAX_KEPT || !self.keep.is_sorted_by(|a, b| a < b) {
            return Err(FormError::value("keep", "is not at most 16 tracks, ascending, each once"));
        }
        Ok(())
    }

    /// SHA-256 of what is signed, by which log and statement name it.
    ///
    /// # Errors
    /// If a value is out of its range.
    pub fn digest(&self) -> Result<Digest, FormError> {
        Ok(Digest::of(self.text()?.as_bytes()))
    }

    /// The second from which it opens nothing any more.
    pub fn expires(&self) -> Option<Moment> {
        self.asked.plus(VALID)
    }

    /// Whether it may open something at `now`.
    pub(super) fn is_in_time(&self, now: Moment) -> bool {
        let skewed = now.plus(SKEW).unwrap_or(now);
        self.asked <= skewed && self.until <= now && self.expires().is_none_or(|end| now < end)
    }

    /// The order in `file`, signed or not yet, with `key`'s signature added.
    ///
    /// # Errors
    /// If it is no order, or the key has signed it already.
    pub fn sign(file: &[u8], key: &SignerKey) -> Result<(Self, String), OrderError> {
        let text = std::str::from_utf8(file).map_err(|e| NoteError::NotUtf8 { offset: e.valid_up_to() })?;
        if let Ok(order) = Self::parse(text) {
            return Ok((order, note::sign(text, &[key])?));
        }
        let there = Note::parse(file)?;
        let order = Self::parse(there.unverified_text())?;
        let alone = Note::parse(note::sign(there.unverified_text(), &[key])?.as_bytes())?;
        let mut signed = there;
        for signature in alone.signatures() {
            signed = signed.with(signature.clone())?;
        }
        Ok((order, signed.to_string()))
    }
}

/// Why a file is no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// The note: its form, or its signatures.
    #[error("the order's note is not in order")]
    Note(#[from] NoteError),
    /// A note of another kind, or a later version.
    #[error("the first line is not `placet/unsealing-order/v1`")]
    FirstLine,
    /// Not exactly one line after the first.
    #[error("the order does not have exactly one line of JSON")]
    Lines,
    /// Not the JSON of an order.
    #[error("the order's JSON")]
    Form(#[from] FormError),
}
