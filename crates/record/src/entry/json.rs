//! The JSON of a log: what it may hold, and its one spelling.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::form::FormError;
use crate::manifest::INTEGER_LIMIT;

/// What JSON may hold here. Anything else is kept as [`Json::Other`], so that an error can name its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// A text.
    Text(String),
    /// A whole number below 2^53.
    Int(u64),
    /// A list.
    List(Vec<Json>),
    /// An object, its pairs in any order.
    Object(Vec<(String, Json)>),
    /// Null, true, false, a negative number, a fraction, or 2^53 and more.
    Other,
}

impl Json {
    /// The text that `text` prints.
    pub fn text(text: impl fmt::Display) -> Self {
        Self::Text(text.to_string())
    }

    /// Bytes in base64url without padding.
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::Text(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The pairs of an object.
    pub fn object<const N: usize>(pairs: [(&str, Self); N]) -> Vec<(String, Self)> {
        pairs.map(|(key, value)| (key.to_owned(), value)).into()
    }

    /// The value in canonical form, if it has at most `limit` bytes.
    ///
    /// # Errors
    /// If it has more, or holds what no JSON of a log may hold.
    pub fn canonical(&self, limit: usize) -> Result<Vec<u8>, FormError> {
        let bytes = serde_json_canonicalizer::to_vec(self)
            .map_err(|error| FormError::Json { offset: 0, why: error.to_string() })?;
        if bytes.len() > limit {
            return Err(FormError::TooLong { bytes: bytes.len(), limit });
        }
        Ok(bytes)
    }

    /// Reads JSON of at most `limit` bytes, canonical or not. Keys may still stand twice: [`Fields::of`] refuses them.
    ///
    /// # Errors
    /// If it is longer, or no JSON.
    ///
    /// [`Fields::of`]: super::Fields::of
    pub fn read(bytes: &[u8], limit: usize) -> Result<Self, FormError> {
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
///
/// # Errors
/// If they are not, with the first byte that differs.
pub fn demand_canonical(bytes: &[u8], canonical: &[u8]) -> Result<(), FormError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_too_large_to_agree_on_is_not_written() {
        assert!(Json::Int(INTEGER_LIMIT - 1).canonical(100).is_ok());
        assert!(Json::Int(INTEGER_LIMIT).canonical(100).is_err());
        assert!(Json::Other.canonical(100).is_err());
    }

    #[test]
    fn the_first_byte_that_differs_is_told() {
        assert_eq!(demand_canonical(b"abc", b"abc"), Ok(()));
        for (bytes, offset) in [(b"abd".as_slice(), 2), (b"ab", 2), (b"abcd", 3), (b"", 0)] {
            assert_eq!(demand_canonical(bytes, b"abc"), Err(FormError::NotCanonical { offset }));
        }
    }
}
