//! The form that every JSON of a log shares: one object in canonical form (RFC 8785) with closed keys.
//!
//! The manifest derives its reader, key by key. Entries have many small shapes, and a reader of theirs has to name the key
//! that is wrong, so they take an object apart by hand: [`Fields`] hands out each key once and refuses what is left.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value::Moment;
use crate::manifest::INTEGER_LIMIT;

/// Why bytes are not what they claim to be, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// More bytes than its kind may have.
    #[error("{bytes} bytes are more than the {limit} it may have")]
    TooLong {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Not one JSON object in UTF-8.
    #[error("is no JSON object at byte {offset}: {why}")]
    Json {
        /// The byte at or shortly before which reading stopped, counted from zero.
        offset: usize,
        /// What is wrong there.
        why: String,
    },
    /// A key that stands twice in its object.
    #[error("`{key}` stands twice")]
    Twice {
        /// Which, with the key of the object around it: `public.order`.
        key: String,
    },
    /// A key that nothing of this kind has.
    #[error("`{key}` is unknown")]
    Unknown {
        /// Which, shortened to 64 characters.
        key: String,
    },
    /// A key that everything of this kind has.
    #[error("`{key}` is missing")]
    Missing {
        /// Which.
        key: String,
    },
    /// A value of another type, outside its range, or at odds with another one.
    #[error("`{key}` {why}")]
    Value {
        /// Whose.
        key: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The same values in another spelling.
    #[error("is not in canonical form (RFC 8785) from byte {offset}")]
    NotCanonical {
        /// The first byte that differs from the canonical form, counted from zero.
        offset: usize,
    },
}

impl FormError {
    pub(crate) fn value(key: impl Into<String>, why: &'static str) -> Self {
        Self::Value { key: key.into(), why }
    }
}

/// What JSON may hold here. Anything else is kept as [`Json::Other`], so that an error can name its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Text(String),
    Int(u64),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
    /// Null, true, false, a negative number, a fraction, or 2^53 and more.
    Other,
}

impl Json {
    pub(crate) fn text(text: impl fmt::Display) -> Self {
        Self::Text(text.to_string())
    }

    pub(crate) fn bytes(bytes: &[u8]) -> Self {
        Self::Text(URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(crate) fn object<const N: usize>(pairs: [(&str, Self); N]) -> Vec<(String, Self)> {
        pairs.map(|(key, value)| (key.to_owned(), value)).into()
    }

    /// The value in canonical form, if it has at most `limit` bytes.
    pub(crate) fn canonical(&self, limit: usize) -> Result<Vec<u8>, FormError> {
        let bytes = serde_json_canonicalizer::to_vec(self)
            .map_err(|error| FormError::Json { offset: 0, why: error.to_string() })?;
        if bytes.len() > limit {
            return Err(FormError::TooLong { bytes: bytes.len(), limit });
        }
        Ok(bytes)
    }

    /// Reads JSON of at most `limit` bytes, canonical or not.
    pub(crate) fn read(bytes: &[u8], limit: usize) -> Result<Self, FormError> {
        if bytes.len() > limit {
            return Err(FormError::TooLong { bytes: bytes.len(), limit });
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| FormError::Json { offset: error.valid_up_to(), why: "not UTF-8".to_owned() })?;
        // Nothing below U+0020 is canonical, and without line breaks a column is an offset.
        if let Some(offset) = text.bytes().position(|byte| byte < b' ') {
            return Err(FormError::Json { offset, why: "control character".to_owned() });
        }
        serde_json::from_str(text).map_err(|error| {
            let place = format!(" at line {} column {}", error.line(), error.column());
            let why = error.to_string();
            let why = why.strip_suffix(&place).unwrap_or(&why).to_owned();
            FormError::Json { offset: error.column().saturating_sub(1), why }
        })
    }
}

/// Refuses `bytes` unless they are exactly `canonical`, the one spelling of what was read from them.
pub(crate) fn demand_canonical(bytes: &[u8], canonical: &[u8]) -> Result<(), FormError> {
    if bytes == canonical {
        return Ok(());
    }
    let same = bytes.iter().zip(canonical).take_while(|(a, b)| a == b).count();
    Err(FormError::NotCanonical { offset: same })
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Int(number) if *number < INTEGER_LIMIT => serializer.serialize_u64(*number),
            Self::Int(_) => Err(S::Error::custom("a whole number is 2^53 or more")),
            Self::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                values.iter().try_for_each(|value| list.serialize_element(value))?;
                list.end()
            }
            Self::Object(pairs) => {
                let mut object = serializer.serialize_map(Some(pairs.len()))?;
                pairs.iter().try_for_each(|(key, value)| object.serialize_entry(key, value))?;
                object.end()
            }
            Self::Other => Err(S::Error::custom("neither text, whole number, list nor object")),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Json, E> {
        Ok(if number < INTEGER_LIMIT { Json::Int(number) } else { Json::Other })
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = object.next_entry()? {
            pairs.push(pair);
        }
        // Enough for every shape there is: a long list of keys must not make the search for doubles slow.
        if pairs.len() > 64 {
            return Err(A::Error::custom("an object has more than 64 keys"));
        }
        Ok(Json::Object(pairs))
    }
}

/// An object being taken apart. Each key is there once, is taken once, and none may be left.
#[derive(Debug)]
pub(crate) struct Fields {
    /// What stands before a key in errors: empty, or `public.`.
    within: &'static str,
    pairs: Vec<(String, Json)>,
}

impl Fields {
    /// The fields of `json`, which `key` names; empty for the outermost object.
    pub(crate) fn of(json: Json, key: &'static str, within: &'static str) -> Result<Self, FormError> {
        let Json::Object(pairs) = json else {
            let why = "is not an object";
            return Err(if key.is_empty() {
                FormError::Json { offset: 0, why: why.to_owned() }
            } else {
                FormError::value(key, why)
            });
        };
        let fields = Self { within, pairs };
        let mut keys = fields.pairs.iter();
        while let Some((key, _)) = keys.next() {
            if keys.clone().any(|(other, _)| other == key) {
                return Err(FormError::Twice { key: fields.shown(key) });
            }
        }
        Ok(fields)
    }

    fn shown(&self, key: &str) -> String {
        let key = key.escape_debug().to_string();
        format!("{}{}", self.within, key.chars().take(64).collect::<String>())
    }

    pub(crate) fn bad(&self, key: &str, why: &'static str) -> FormError {
        FormError::value(self.shown(key), why)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.pairs.iter().any(|(name, _)| name == key)
    }

    /// The value of `key`, if it is there.
    pub(crate) fn optional(&mut self, key: &str) -> Option<Json> {
        let at = self.pairs.iter().position(|(name, _)| name == key)?;
        Some(self.pairs.swap_remove(at).1)
    }

    pub(crate) fn take(&mut self, key: &str) -> Result<Json, FormError> {
        self.optional(key).ok_or_else(|| FormError::Missing { key: self.shown(key) })
    }

    pub(crate) fn text(&mut self, key: &str) -> Result<String, FormError> {
        match self.take(key)? {
            Json::Text(text) => Ok(text),
            _ => Err(self.bad(key, "is not a text")),
        }
    }

    pub(crate) fn int(&mut self, key: &str) -> Result<u64, FormError> {
        match self.take(key)? {
            Json::Int(number) => Ok(number),
            _ => Err(self.bad(key, "is not a whole number from 0 to 2^53 - 1")),
        }
    }

    pub(crate) fn list(&mut self, key: &str) -> Result<Vec<Json>, FormError> {
        match self.take(key)? {
            Json::List(values) => Ok(values),
            _ => Err(self.bad(key, "is not a list")),
        }
    }

    /// `N` bytes in base64url without padding, in their one spelling.
    pub(crate) fn bytes<const N: usize>(&mut self, key: &str) -> Result<[u8; N], FormError> {
        let text = self.text(key)?;
        bytes(&text).ok_or_else(|| self.bad(key, "is not base64url without padding of its length"))
    }

    /// The value of `key`, read by `read`; none means that it `why`.
    pub(crate) fn read<T>(
        &mut self,
        key: &str,
        why: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, FormError> {
        let text = self.text(key)?;
        read(&text).ok_or_else(|| self.bad(key, why))
    }

    pub(crate) fn moment(&mut self, key: &str) -> Result<Moment, FormError> {
        self.read(key, Moment::WHY, |text| text.parse().ok())
    }

    /// Takes `v`, which must be 1.
    pub(crate) fn version(&mut self) -> Result<(), FormError> {
        match self.int("v")? {
            1 => Ok(()),
            _ => Err(self.bad("v", "is not 1, the only version there is")),
        }
    }

    /// Refuses whatever was not taken.
    pub(crate) fn end(self) -> Result<(), FormError> {
        match self.pairs.first() {
            Some((key, _)) => Err(FormError::Unknown { key: self.shown(key) }),
            None => Ok(()),
        }
    }
}

/// Reads `N` bytes of base64url without padding. Leftover bits that are not zero are refused.
pub(crate) fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Result<Fields, FormError> {
        Fields::of(Json::read(json.as_bytes(), 100)?, "", "")
    }

    #[test]
    fn an_error_says_where() {
        let json = |text: &str| fields(text).unwrap_err().to_string();
        assert_eq!(json("{\"a\":1,}"), "is no JSON object at byte 7: trailing comma");
        assert_eq!(json("{\"a\":\n1}"), "is no JSON object at byte 5: control character");
        assert_eq!(json("[1]"), "is no JSON object at byte 0: is not an object");
        assert_eq!(json("{\"a\":1,\"b\":2,\"a\":1}"), "`a` stands twice");
        assert_eq!(json(&" ".repeat(101)), "101 bytes are more than the 100 it may have");
        let not_utf8 = Json::read(b"{\"a\xff\":1}", 100).unwrap_err();
        assert_eq!(not_utf8.to_string(), "is no JSON object at byte 3: not UTF-8");
    }

    #[test]
    fn what_is_no_small_whole_number_is_named() {
        for value in ["-1", "-0", "1.0", "1e3", "9007199254740992", "1e400", "null", "true", "\"1\"", "[]"] {
            let json = format!("{{\"n\":{value}}}");
            let error = fields(&json).and_then(|mut f| f.int("n")).unwrap_err();
            // A number beyond every double is already no JSON for serde_json.
            assert!(
                error.to_string().contains(if value == "1e400" { "out of range" } else { "`n`" }),
                "{error}"
            );
        }
        assert_eq!(fields("{\"n\":9007199254740991}").unwrap().int("n"), Ok((1 << 53) - 1));
    }

    #[test]
    fn base64url_has_one_spelling() {
        assert_eq!(bytes::<2>("__8"), Some([0xff, 0xff]));
        for bad in ["__9", "__8=", "//8", "__8 ", "__", "____", "", "__\u{e9}"] {
            assert_eq!(bytes::<2>(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_left_is_unknown() {
        let mut two = fields("{\"a\":1,\"b\\u0007\":2}").unwrap();
        assert_eq!(two.int("a"), Ok(1));
        assert_eq!(two.end(), Err(FormError::Unknown { key: "b\\u{7}".to_owned() }));
    }

    #[test]
    fn a_number_too_large_to_agree_on_is_not_written() {
        assert!(Json::Int(INTEGER_LIMIT - 1).canonical(100).is_ok());
        assert!(Json::Int(INTEGER_LIMIT).canonical(100).is_err());
    }
}
