//! Disclosures: some fields of a record, shown so that anyone can see the log committed to them, and nothing of the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::commitment::{Commitment, CommittedRecord, field_digest};
use super::event::EventKind;
use super::form::{Fields, FormError, bytes as bytes_of};
use super::json::{Json, demand_canonical};
use super::record::{FieldName, FieldValue, MAX_FIELDS};

/// The longest disclosure, in bytes.
pub const MAX_DISCLOSURE: usize = 8_192;

/// Some fields of a record with what proves them. Its fields are handed out by [`Disclosure::verify`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    kind: EventKind,
    digests: [[u8; 32]; MAX_FIELDS],
    fields: BTreeMap<FieldName, Disclosed>,
}

/// One field's value and salt.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Disclosed {
    value: FieldValue,
    salt: [u8; 32],
}

impl CommittedRecord {
    /// Shows the fields `names` of the record.
    ///
    /// # Errors
    /// If the record has no such field.
    pub fn disclose(&self, names: &[FieldName]) -> Result<Disclosure, DisclosureError> {
        let field = |name: &FieldName| {
            let value = self.record.fields().get(name);
            let value = value.ok_or_else(|| DisclosureError::NoSuchField { name: name.clone() })?.clone();
            Ok((name.clone(), Disclosed { value, salt: self.secret.field_salt(name) }))
        };
        let fields = names.iter().map(field).collect::<Result<_, DisclosureError>>()?;
        Ok(Disclosure { kind: self.kind, digests: self.digests()?, fields })
    }
}

impl Disclosure {
    /// The fields shown, if `commitment` covers them all.
    ///
    /// # Errors
    /// If kind and digests do not make the commitment, or a field's digest is not among them.
    pub fn verify(
        &self,
        commitment: &Commitment,
    ) -> Result<BTreeMap<FieldName, FieldValue>, DisclosureError> {
        if Commitment::of(self.kind, &self.digests) != *commitment {
            return Err(DisclosureError::Commitment);
        }
        let mut fields = BTreeMap::new();
        for (name, Disclosed { value, salt }) in &self.fields {
            if !self.digests.contains(&field_digest(salt, name, value)?) {
                return Err(DisclosureError::Field { name: name.clone() });
            }
            fields.insert(name.clone(), value.clone());
        }
        Ok(fields)
    }

    /// The kind of event the record belongs to, as the disclosure states it.
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// The disclosure as canonical JSON:
    /// `{"digests":[16 digests],"fields":[{"name":…,"salt":…,"value":…},…],"kind":…,"v":1}`, fields by ascending name.
    ///
    /// # Errors
    /// None that reading or disclosing lets pass.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormError> {
        let fields = self.fields.iter().map(|(name, Disclosed { value, salt })| {
            let pairs = [("name", Json::text(name)), ("salt", Json::bytes(salt)), ("value", value.json())];
            Json::Object(Json::object(pairs))
        });
        let json = Json::Object(Json::object([
            ("digests", Json::List(self.digests.iter().map(|digest| Json::bytes(digest)).collect())),
            ("fields", Json::List(fields.collect())),
            ("kind", Json::text(self.kind.key())),
            ("v", Json::Int(1)),
        ]));
        json.canonical(MAX_DISCLOSURE)
    }

    /// Reads a disclosure; nothing is verified.
    ///
    /// # Errors
    /// Whatever [`Disclosure::to_bytes`] would not write, be it one byte.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let mut outer = Fields::of(Json::read(bytes, MAX_DISCLOSURE)?, "", "")?;
        outer.version()?;
        let kind = outer.read("kind", "is no kind of event", EventKind::from_key)?;
        let digests = outer.list("digests")?.into_iter().map(|digest| match digest {
            Json::Text(text) => bytes_of(&text),
            _ => None,
        });
        let digests: Option<Vec<[u8; 32]>> = digests.collect();
        let digests = digests.and_then(|all| <[[u8; 32]; MAX_FIELDS]>::try_from(all).ok());
        let digests =
            digests.ok_or_else(|| outer.bad("digests", "are not 16 times 32 bytes in base64url"))?;
        if !digests.is_sorted_by(|a, b| a < b) {
            return Err(outer.bad("digests", "are not ascending, each once"));
        }
        let mut fields = BTreeMap::new();
        for field in outer.list("fields")? {
            let mut field = Fields::of(field, "fields", "fields.")?;
            let name: FieldName = field.read("name", FieldName::WHY, |name| name.parse().ok())?;
            let disclosed = Disclosed {
                value: FieldValue::read("fields.value", field.take("value")?)?,
                salt: field.bytes("salt")?,
            };
            field.end()?;
            if fields.insert(name, disclosed).is_some() {
                return Err(outer.bad("fields", "have a name twice"));
            }
        }
        if fields.len() > MAX_FIELDS {
            return Err(outer.bad("fields", "are more than 16"));
        }
        outer.end()?;
        let disclosure = Self { kind, digests, fields };
        demand_canonical(bytes, &disclosure.to_bytes()?)?;
        Ok(disclosure)
    }

    /// The names of the fields it shows.
    pub fn names(&self) -> BTreeSet<&FieldName> {
        self.fields.keys().collect()
    }
}

/// Why a disclosure was not made or not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DisclosureError {
    /// The record has no such field.
    #[error("the record has no field `{name}`")]
    NoSuchField {
        /// Which.
        name: FieldName,
    },
    /// It belongs to another commitment.
    #[error("kind and digests of the disclosure do not make the commitment in the log")]
    Commitment,
    /// A name, value or salt that the commitment does not cover.
    #[error("the commitment does not cover the field `{name}` as it is shown")]
    Field {
        /// Which.
        name: FieldName,
    },
    /// A value that cannot be written down.
    #[error("cannot write the disclosure")]
    Form {
        /// Why not.
        #[from]
        source: FormError,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::commitment::tests::any_committed;
    use super::super::{Record, RecordSecret};
    use super::*;

    fn committed() -> CommittedRecord {
        CommittedRecord {
            kind: EventKind::Request,
            record: Record::parse(br#"{"case_number":"2026/117","officer":"Bo","persons":3}"#).unwrap(),
            secret: RecordSecret::from_bytes([5; 32]),
        }
    }

    fn name(text: &str) -> FieldName {
        text.parse().unwrap()
    }

    #[test]
    fn one_field_is_shown_and_nothing_else() {
        let disclosure = committed().disclose(&[name("persons")]).unwrap();
        let shown = disclosure.verify(&committed().commitment().unwrap()).unwrap();
        assert_eq!(shown, [(name("persons"), FieldValue::Number(3))].into());
        let json = String::from_utf8(disclosure.to_bytes().unwrap()).unwrap();
        assert!(!json.contains("117") && !json.contains("officer") && !json.contains("Bo\""), "{json}");
        assert_eq!(Disclosure::parse(json.as_bytes()), Ok(disclosure));
        let missing = committed().disclose(&[name("place")]);
        assert_eq!(missing, Err(DisclosureError::NoSuchField { name: name("place") }));
    }

    #[test]
    fn a_field_under_another_name_or_commitment_is_refused() {
        let c = committed().commitment().unwrap();
        let mut disclosure = committed().disclose(&[name("persons")]).unwrap();
        let field = disclosure.fields.remove(&name("persons")).unwrap();
        disclosure.fields.insert(name("victims"), field);
        assert_eq!(disclosure.verify(&c), Err(DisclosureError::Field { name: name("victims") }));
        let other = CommittedRecord { kind: EventKind::Note, ..committed() };
        assert_eq!(other.disclose(&[]).unwrap().verify(&c), Err(DisclosureError::Commitment));
    }

    #[test]
    fn attack_every_flipped_bit_of_a_disclosure() {
        let c = committed().commitment().unwrap();
        let json = committed().disclose(&[name("persons"), name("officer")]).unwrap().to_bytes().unwrap();
        let (mut unread, mut unbelieved) = (0, 0);
        for bit in 0..8 * json.len() {
            let mut other = json.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            match Disclosure::parse(&other) {
                Err(_) => unread += 1,
                Ok(disclosure) => {
                    assert!(disclosure.verify(&c).is_err(), "bit {bit}");
                    unbelieved += 1;
                }
            }
        }
        for bit in 0..256 {
            let mut other = c;
            other.0[bit / 8] ^= 1 << (bit % 8);
            let disclosure = Disclosure::parse(&json).unwrap();
            assert_eq!(disclosure.verify(&other), Err(DisclosureError::Commitment));
        }
        println!(
            "{unread} flipped bits of a disclosure were not read, {unbelieved} not believed, none passed"
        );
        assert!(unread > 0 && unbelieved > 0);
    }

    proptest! {
        #[test]
        fn any_choice_of_fields_is_shown(committed in any_committed(), choice: [bool; MAX_FIELDS]) {
            let chosen: Vec<FieldName> =
                committed.record.fields().keys().zip(choice).filter(|(_, take)| *take).map(|(n, _)| n.clone()).collect();
            let json = committed.disclose(&chosen).unwrap().to_bytes().unwrap();
            let shown = Disclosure::parse(&json).unwrap().verify(&committed.commitment().unwrap()).unwrap();
            prop_assert!(shown.keys().eq(&chosen));
            prop_assert!(shown.iter().all(|(name, value)| committed.record.fields()[name] == *value));
        }

        /// What is hidden shows in its digest and nowhere else: not in the length, the number, or another field.
        #[test]
        fn what_is_not_shown_does_not_show(committed in any_committed(), text in ".{0,60}", shown: prop::sample::Index) {
            let mut fields = committed.record.fields().clone();
            prop_assume!(fields.len() > 1);
            let shown = fields.keys().nth(shown.index(fields.len())).unwrap().clone();
            for (_, value) in fields.iter_mut().filter(|(name, _)| **name != shown) {
                *value = FieldValue::Text(text.clone());
            }
            let other = CommittedRecord { record: Record::new(fields).unwrap(), ..committed.clone() };
            let (one, two) = (committed.disclose(std::slice::from_ref(&shown)).unwrap(), other.disclose(&[shown]).unwrap());
            prop_assert_eq!(one.to_bytes().unwrap().len(), two.to_bytes().unwrap().len());
            prop_assert_eq!(&one.fields, &two.fields);
            prop_assert_eq!(one.kind, two.kind);

            // Nor does their number: the same field alone, with decoys for the rest.
            let alone = one.fields.iter().map(|(name, field)| (name.clone(), field.value.clone()));
            let alone = CommittedRecord { record: Record::new(alone).unwrap(), ..committed };
            let names: Vec<FieldName> = one.fields.keys().cloned().collect();
            let three = alone.disclose(&names).unwrap();
            prop_assert_eq!(&one.fields, &three.fields);
            prop_assert_eq!(one.to_bytes().unwrap().len(), three.to_bytes().unwrap().len());
        }
    }
}
