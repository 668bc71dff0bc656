//! Confidential records: what an event says of somebody, field by field. They never enter the log.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::form::FormError;
use super::json::{Json, demand_canonical};
use super::value::ValueError;
use crate::manifest::INTEGER_LIMIT;

/// The most fields of a record, and the number of digests of every commitment.
pub const MAX_FIELDS: usize = 16;

/// The longest record, in bytes of its canonical JSON.
pub const MAX_RECORD: usize = 4_096;

/// The name of a record's field: 1 to 32 of `a` to `z` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldName(String);

impl FieldName {
    pub(super) const WHY: &str = "is no field's name: 1 to 32 of `a-z_`";

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FieldName {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let fits = (1..=32).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_'));
        if fits { Ok(Self(text.to_owned())) } else { Err(ValueError(Self::WHY)) }
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a field says. Debug output hides it, since it ends up in logs of another kind.
#[derive(Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// A text.
    Text(String),
    /// A whole number below 2^53.
    Number(u64),
}

impl FieldValue {
    pub(super) fn json(&self) -> Json {
        match self {
            Self::Text(text) => Json::Text(text.clone()),
            Self::Number(number) => Json::Int(*number),
        }
    }

    pub(super) fn read(name: &str, json: Json) -> Result<Self, FormError> {
        match json {
            Json::Text(text) => Ok(Self::Text(text)),
            Json::Int(number) => Ok(Self::Number(number)),
            Json::List(_) | Json::Object(_) | Json::Other => {
                Err(FormError::value(name, "is neither a text nor a whole number below 2^53"))
            }
        }
    }

    /// The value as canonical JSON, which is what a field's digest covers.
    pub(super) fn canonical(&self) -> Result<Vec<u8>, FormError> {
        self.json().canonical(MAX_RECORD)
    }
}

impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FieldValue(hidden)")
    }
}

/// A record: at most [`MAX_FIELDS`] named values, at most [`MAX_RECORD`] bytes as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    fields: BTreeMap<FieldName, FieldValue>,
}

impl Record {
    /// The record of these fields.
    ///
    /// # Errors
    /// If a name stands twice, a number is 2^53 or more, or there are too many fields or bytes.
    pub fn new(fields: impl IntoIterator<Item = (FieldName, FieldValue)>) -> Result<Self, FormError> {
        let mut record = Self::default();
        for (name, value) in fields {
            if matches!(value, FieldValue::Number(number) if number >= INTEGER_LIMIT) {
                return Err(FormError::value(name.0, "is 2^53 or more"));
            }
            let key = name.0.clone();
            if record.fields.insert(name, value).is_some() {
                return Err(FormError::Twice { key });
            }
        }
        if record.fields.len() > MAX_FIELDS {
            return Err(FormError::value("record", "has more than 16 fields"));
        }
        record.json().canonical(MAX_RECORD)?;
        Ok(record)
    }

    /// Reads a record.
    ///
    /// # Errors
    /// Whatever [`Record::to_bytes`] would not write, be it one byte.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let record = Self::read(Json::read(bytes, MAX_RECORD)?)?;
        demand_canonical(bytes, &record.to_bytes()?)?;
        Ok(record)
    }

    pub(super) fn read(json: Json) -> Result<Self, FormError> {
        let Json::Object(pairs) = json else { return Err(FormError::value("record", "is not an object")) };
        let fields = pairs.into_iter().map(|(key, value)| {
            let name: FieldName = key.parse().map_err(|_| FormError::value("record", FieldName::WHY))?;
            let value = FieldValue::read(name.as_str(), value)?;
            Ok((name, value))
        });
        Self::new(fields.collect::<Result<Vec<_>, FormError>>()?)
    }

    pub(super) fn json(&self) -> Json {
        Json::Object(self.fields.iter().map(|(name, value)| (name.0.clone(), value.json())).collect())
    }

    /// The record as canonical JSON.
    ///
    /// # Errors
    /// None that [`Record::new`] lets pass.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormError> {
        self.json().canonical(MAX_RECORD)
    }

    /// The fields by name.
    pub fn fields(&self) -> &BTreeMap<FieldName, FieldValue> {
        &self.fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> FieldName {
        text.parse().unwrap()
    }

    #[test]
    fn a_record_is_read_as_it_is_written() {
        let json = br#"{"case_number":"2026/117","officer":"A. \"Bo\" C\u0007","persons":3}"#;
        let record = Record::parse(json).unwrap();
        assert_eq!(record.fields()[&name("persons")], FieldValue::Number(3));
        assert_eq!(record.to_bytes().unwrap(), json);
        assert_eq!(Record::parse(b"{}").unwrap(), Record::default());
        assert!(!format!("{record:?}").contains("117"));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for (bad, why) in [
            ("[]", "`record` is not an object"),
            (r#"{"a":1,"a":2}"#, "`a` stands twice"),
            (r#"{"A":1}"#, "`record` is no field's name: 1 to 32 of `a-z_`"),
            (r#"{"":1}"#, "`record` is no field's name: 1 to 32 of `a-z_`"),
            (r#"{"a":1.5}"#, "`a` is neither a text nor a whole number below 2^53"),
            (r#"{"a":{}}"#, "`a` is neither a text nor a whole number below 2^53"),
            (r#"{"a":null}"#, "`a` is neither a text nor a whole number below 2^53"),
            (r#"{"b":1,"a":2}"#, "is not in canonical form (RFC 8785) from byte 2"),
            (r#"{"a":"\u0041"}"#, "is not in canonical form (RFC 8785) from byte 6"),
        ] {
            assert_eq!(Record::parse(bad.as_bytes()).unwrap_err().to_string(), why, "{bad}");
        }
        let many = |n: u8| {
            Record::new((0..n).map(|i| (name(&"x".repeat(1 + usize::from(i))), FieldValue::Number(0))))
        };
        assert!(many(16).is_ok() && many(17).is_err());
        assert!(Record::new([(name("a"), FieldValue::Number(1 << 53))]).is_err());
        let long = |n| Record::new([(name("a"), FieldValue::Text("é".repeat(n)))]);
        assert!(long(2_044).is_ok() && long(2_045).is_err(), "{:?}", long(2_044));
    }
}
