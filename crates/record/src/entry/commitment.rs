//! Commitments: what an entry says of a record before and after the record is gone.
//!
//! Each field has a digest under a salt of its own, so that one field can be shown without the others. Decoys fill up to
//! sixteen digests, so that their number tells nothing; they are sorted, so that their order tells nothing.
//!
//! ```text
//! field salt = HKDF(salt empty, record secret, info "placet/v1/field-salt" || 00 || name, 32)
//! digest     = HMAC-SHA-256(field salt, "placet/v1/field" || 00 || name || 00 || value as canonical JSON)
//! decoy j    = HKDF(salt empty, record secret, info "placet/v1/decoy" || 00 || j in one byte, 32), j from 0
//! c          = SHA-256("placet/v1/record" || 00 || kind || 00 || the 16 digests, ascending)
//! ```
//!
//! Whoever destroys record and secret leaves a commitment that nobody can connect with anything.

use std::fmt;

use placet_core::Hasher;
use zeroize::Zeroizing;

use super::event::EventKind;
use super::form::{Fields, FormError};
use super::json::{Json, demand_canonical};
use super::mac::{derive, mac};
use super::record::{FieldName, FieldValue, MAX_FIELDS, MAX_RECORD, Record};

/// What an event says of its record: `c`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Commitment(pub [u8; 32]);

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Commitment(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

impl Commitment {
    /// The commitment that these digests make; they are sorted already.
    pub(super) fn of(kind: EventKind, digests: &[[u8; 32]; MAX_FIELDS]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(b"placet/v1/record\0");
        hasher.update(kind.key().as_bytes());
        hasher.update(&[0]);
        hasher.update(digests.as_flattened());
        Self(hasher.finish().0)
    }
}

/// What a record's commitment hangs on: 32 random bytes, fresh for each record. Wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordSecret(Zeroizing<[u8; 32]>);

impl RecordSecret {
    /// The secret of these bytes, which must come from the system's random source.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Its bytes, to be kept where they can be destroyed.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn field_salt(&self, name: &FieldName) -> [u8; 32] {
        derive(&self.0, &[b"placet/v1/field-salt\0", name.as_str().as_bytes()])
    }

    fn decoy(&self, number: u8) -> [u8; 32] {
        derive(&self.0, &[b"placet/v1/decoy\0", &[number]])
    }
}

impl fmt::Debug for RecordSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordSecret(hidden)")
    }
}

/// The digest of one field under its salt.
pub(super) fn field_digest(
    salt: &[u8; 32],
    name: &FieldName,
    value: &FieldValue,
) -> Result<[u8; 32], FormError> {
    let value = value.canonical()?;
    Ok(mac(salt, &[b"placet/v1/field\0", name.as_str().as_bytes(), &[0], &value]))
}

/// A record with all that opens its commitment. Whoever holds it can show any of it, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedRecord {
    /// The kind of the event that commits to it.
    pub kind: EventKind,
    /// The record.
    pub record: Record,
    /// What the commitment hangs on.
    pub secret: RecordSecret,
}

/// The longest one as JSON: the record and, around it, kind, secret and keys.
const MAX_COMMITTED: usize = MAX_RECORD + 128;

impl CommittedRecord {
    /// The sixteen digests, ascending.
    pub(super) fn digests(&self) -> Result<[[u8; 32]; MAX_FIELDS], FormError> {
        let mut digests = [[0; 32]; MAX_FIELDS];
        let mut fields = self.record.fields().iter();
        for (number, digest) in (0..).zip(&mut digests) {
            *digest = match fields.next() {
                Some((name, value)) => field_digest(&self.secret.field_salt(name), name, value)?,
                None => self.secret.decoy(number),
            };
        }
        digests.sort_unstable();
        Ok(digests)
    }

    /// The commitment to the record, for the event's `c`.
    ///
    /// # Errors
    /// None that [`Record::new`] lets pass.
    pub fn commitment(&self) -> Result<Commitment, FormError> {
        Ok(Commitment::of(self.kind, &self.digests()?))
    }

    /// The whole as canonical JSON: `{"kind":…,"record":{…},"secret":…,"v":1}`.
    ///
    /// # Errors
    /// None that [`Record::new`] lets pass.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, FormError> {
        let json = Json::Object(Json::object([
            ("kind", Json::text(self.kind.key())),
            ("record", self.record.json()),
            ("secret", Json::bytes(self.secret.as_bytes())),
            ("v", Json::Int(1)),
        ]));
        json.canonical(MAX_COMMITTED).map(Zeroizing::new)
    }

    /// Reads one. Whether it opens a given commitment is for [`CommittedRecord::commitment`] to say.
    ///
    /// # Errors
    /// Whatever [`CommittedRecord::to_bytes`] would not write, be it one byte.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let mut fields = Fields::of(Json::read(bytes, MAX_COMMITTED)?, "", "")?;
        fields.version()?;
        let committed = Self {
            kind: fields.read("kind", "is no kind of event", EventKind::from_key)?,
            record: Record::read(fields.take("record")?)?,
            secret: RecordSecret::from_bytes(fields.bytes("secret")?),
        };
        fields.end()?;
        demand_canonical(bytes, &committed.to_bytes()?)?;
        Ok(committed)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn any_record() -> impl Strategy<Value = Record> {
        let value = prop_oneof![
            ".{0,40}".prop_map(FieldValue::Text),
            (0..INTEGER_LIMIT).prop_map(FieldValue::Number),
        ];
        prop::collection::btree_map("[a-z_]{1,32}", value, 0..=MAX_FIELDS).prop_map(|fields| {
            Record::new(fields.into_iter().map(|(name, value)| (name.parse().unwrap(), value))).unwrap()
        })
    }

    use crate::manifest::INTEGER_LIMIT;

    pub(crate) fn any_committed() -> impl Strategy<Value = CommittedRecord> {
        (any_record(), any::<[u8; 32]>(), prop::sample::select(EventKind::ALL)).prop_map(
            |(record, secret, kind)| CommittedRecord {
                kind,
                record,
                secret: RecordSecret::from_bytes(secret),
            },
        )
    }

    #[test]
    fn a_records_secret_is_not_printed() {
        let committed = CommittedRecord {
            kind: EventKind::Opening,
            record: Record::parse(br#"{"officer":"Bo"}"#).unwrap(),
            secret: RecordSecret::from_bytes([0x61; 32]),
        };
        let printed = format!("{committed:?}");
        assert!(!printed.contains("97") && !printed.contains("61") && !printed.contains("Bo"), "{printed}");
    }

    proptest! {
        #[test]
        fn committed_records_print_and_parse_back(committed in any_committed()) {
            let bytes = committed.to_bytes().unwrap();
            let again = CommittedRecord::parse(&bytes).unwrap();
            prop_assert_eq!(again.commitment().unwrap(), committed.commitment().unwrap());
            prop_assert_eq!(again, committed);
        }

        #[test]
        fn a_commitment_hangs_on_all_it_covers(committed in any_committed(), bit in 0_usize..256) {
            let c = committed.commitment().unwrap();
            let digests = committed.digests().unwrap();
            prop_assert!(digests.is_sorted_by(|a, b| a < b));
            let mut secret = *committed.secret.as_bytes();
            secret[bit / 8] ^= 1 << (bit % 8);
            let other = CommittedRecord { secret: RecordSecret::from_bytes(secret), ..committed.clone() };
            prop_assert!(other.digests().unwrap().iter().all(|digest| !digests.contains(digest)));
            for &kind in EventKind::ALL {
                let other = CommittedRecord { kind, ..committed.clone() };
                prop_assert_eq!(other.commitment().unwrap() == c, kind == committed.kind);
            }
        }

        #[test]
        fn a_changed_field_changes_one_digest(committed in any_committed(), pick: prop::sample::Index) {
            prop_assume!(!committed.record.fields().is_empty());
            let mut fields = committed.record.fields().clone();
            let name = fields.keys().nth(pick.index(fields.len())).unwrap().clone();
            fields.insert(name, FieldValue::Text("something else".to_owned()));
            let other = CommittedRecord { record: Record::new(fields).unwrap(), ..committed.clone() };
            prop_assume!(other != committed);
            let (before, after) = (committed.digests().unwrap(), other.digests().unwrap());
            prop_assert_eq!(after.iter().filter(|digest| !before.contains(digest)).count(), 1);
        }
    }
}
