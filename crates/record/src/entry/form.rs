//! The form that every JSON of a log shares: one object in canonical form (RFC 8785) with closed keys.
//!
//! The manifest derives its reader, key by key. Entries have many small shapes, and a reader of theirs has to name the key
//! that is wrong, so they take an object apart by hand: [`Fields`] hands out each key once and refuses what is left.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::json::Json;
use super::value::Moment;

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
    /// The value of `key` is wrong: it `why`.
    pub fn value(key: impl Into<String>, why: &'static str) -> Self {
        Self::Value { key: key.into(), why }
    }
}

/// An object being taken apart. Each key is there once, is taken once, and none may be left.
#[derive(Debug)]
pub struct Fields {
    /// What stands before a key in errors: empty, or `public.`.
    within: &'static str,
    pairs: Vec<(String, Json)>,
}

impl Fields {
    /// The fields of `json`, which `key` names; empty for the outermost object. `within` stands before each of its keys in
    /// errors.
    ///
    /// # Errors
    /// If it is no object, or has a key twice.
    pub fn of(json: Json, key: &'static str, within: &'static str) -> Result<Self, FormError> {
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

    /// The error that the value of `key` `why`.
    pub fn bad(&self, key: &str, why: &'static str) -> FormError {
        FormError::value(self.shown(key), why)
    }

    /// Whether `key` is there and was not taken.
    pub fn has(&self, key: &str) -> bool {
        self.pairs.iter().any(|(name, _)| name == key)
    }

    /// The value of `key`, if it is there.
    pub fn optional(&mut self, key: &str) -> Option<Json> {
        let at = self.pairs.iter().position(|(name, _)| name == key)?;
        Some(self.pairs.swap_remove(at).1)
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// If it is not there.
    pub fn take(&mut self, key: &str) -> Result<Json, FormError> {
        self.optional(key).ok_or_else(|| FormError::Missing { key: self.shown(key) })
    }

    /// A text.
    ///
    /// # Errors
    /// If there is none.
    pub fn text(&mut self, key: &str) -> Result<String, FormError> {
        match self.take(key)? {
            Json::Text(text) => Ok(text),
            _ => Err(self.bad(key, "is not a text")),
        }
    }

    /// A whole number from 0 to 2^53 - 1.
    ///
    /// # Errors
    /// If there is none.
    pub fn int(&mut self, key: &str) -> Result<u64, FormError> {
        match self.take(key)? {
            Json::Int(number) => Ok(number),
            _ => Err(self.bad(key, "is not a whole number from 0 to 2^53 - 1")),
        }
    }

    /// A list.
    ///
    /// # Errors
    /// If there is none.
    pub fn list(&mut self, key: &str) -> Result<Vec<Json>, FormError> {
        match self.take(key)? {
            Json::List(values) => Ok(values),
            _ => Err(self.bad(key, "is not a list")),
        }
    }

    /// `N` bytes in base64url without padding, in their one spelling.
    ///
    /// # Errors
    /// If there are none, or more or fewer.
    pub fn bytes<const N: usize>(&mut self, key: &str) -> Result<[u8; N], FormError> {
        let text = self.text(key)?;
        bytes(&text).ok_or_else(|| self.bad(key, "is not base64url without padding of its length"))
    }

    /// The value of `key`, read by `read`; none means that it `why`.
    ///
    /// # Errors
    /// If it is no text, or `read` makes nothing of it.
    pub fn read<T>(
        &mut self,
        key: &str,
        why: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, FormError> {
        let text = self.text(key)?;
        read(&text).ok_or_else(|| self.bad(key, why))
    }

    /// A second in UTC.
    ///
    /// # Errors
    /// If there is none.
    pub fn moment(&mut self, key: &str) -> Result<Moment, FormError> {
        self.read(key, Moment::WHY, |text| text.parse().ok())
    }

    /// Takes `v`, which must be 1.
    ///
    /// # Errors
    /// If it is not.
    pub fn version(&mut self) -> Result<(), FormError> {
        match self.int("v")? {
            1 => Ok(()),
            _ => Err(self.bad("v", "is not 1, the only version there is")),
        }
    }

    /// Refuses whatever was not taken.
    ///
    /// # Errors
    /// If anything was not.
    pub fn end(self) -> Result<(), FormError> {
        match self.pairs.first() {
            Some((key, _)) => Err(FormError::Unknown { key: self.shown(key) }),
            None => Ok(()),
        }
    }
}

/// Reads `N` bytes of base64url without padding. Leftover bits that are not zero are refused.
pub fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
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
}
