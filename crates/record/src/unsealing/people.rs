use placet_core::Digest;
use placet_tlog::note::{Note, VerifierKey};

use super::order::{Order, OrderError};
use crate::entry::{Authority, Moment};

/// The most people of one list.
const MAX_PEOPLE: usize = 64;

/// Somebody who may sign orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who. Kept confidentially.
    pub name: Authority,
    /// The unit of the organisation, which is public.
    pub unit: Authority,
    /// The keys with which this one person signs.
    pub keys: Vec<VerifierKey>,
}

/// Who may sign orders. Two keys of one person are one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    // INVARIANT: no name and no key stands for two.
    people: Vec<Person>,
}

/// Why a list of people is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeopleError {
    /// Fewer than two.
    #[error("two different people have to sign, so a list has at least two and at most 64")]
    Count,
    /// Somebody without a key.
    #[error("`{name}` has no key")]
    NoKey {
        /// Who.
        name: Authority,
    },
    /// One name twice, upper and lower case alike.
    #[error("`{name}` stands twice: one person is one entry with all of his or her keys")]
    Name {
        /// Who.
        name: Authority,
    },
    /// One key twice.
    #[error("the key `{key}` stands twice: a key belongs to one person")]
    Key {
        /// Which.
        key: Box<VerifierKey>,
    },
}

/// An order that two different people have signed and that is in time. Made by [`People::approve`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    order: Order,
    digest: Digest,
    by: [Person; 2],
}

impl Approved {
    /// What was ordered.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// SHA-256 of what was signed.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The first two who signed.
    pub fn by(&self) -> &[Person; 2] {
        &self.by
    }

    /// The unit, or both, that answer for it.
    pub fn unit(&self) -> Authority {
        let [first, second] = &self.by;
        let both = format!("{} and {}", first.unit, second.unit);
        match both.parse() {
            Ok(both) if first.unit != second.unit => both,
            _ => first.unit.clone(),
        }
    }
}

/// Why nothing is opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApproved {
    /// It is no order, or a signature does not fit it.
    #[error("the order does not hold")]
    Order(#[from] OrderError),
    /// Fewer than two people.
    #[error("two different people have to sign the order, and {} did", match .signed { Some(name) => format!("`{name}` alone"), None => "none of the list".to_owned() })]
    People {
        /// Who did.
        signed: Option<Authority>,
    },
    /// Too early or too late.
    #[error("the order was written at {asked} and opens something until {until}, and it is {now}")]
    Time {
        /// When it was written.
        asked: Moment,
        /// When it ends.
        until: Moment,
        /// By our clock.
        now: Moment,
    },
}

impl People {
    /// A list of people.
    ///
    /// # Errors
    /// If it has fewer than two, or one name or key stands for two.
    pub fn new(people: Vec<Person>) -> Result<Self, PeopleError> {
        if !(2..=MAX_PEOPLE).contains(&people.len()) {
            return Err(PeopleError::Count);
        }
        let mut rest = people.as_slice();
        while let Some((person, others)) = rest.split_first() {
            rest = others;
            if person.keys.is_empty() {
                return Err(PeopleError::NoKey { name: person.name.clone() });
            }
            let same =
                |other: &&Person| other.name.as_str().to_lowercase() == person.name.as_str().to_lowercase();
            if others.iter().any(|other| same(&other)) {
                return Err(PeopleError::Name { name: person.name.clone() });
            }
            let mut keys = person.keys.iter();
            while let Some(key) = keys.next() {
                // By the point itself: under another name it would still be one person's.
                let same = |other: &VerifierKey| other.is_same_point(key);
                if keys.clone().chain(others.iter().flat_map(|other| &other.keys)).any(same) {
                    return Err(PeopleError::Key { key: Box::new(key.clone()) });
                }
            }
        }
        Ok(Self { people })
    }

    /// The order in `file`, if two different people of the list have signed it and it is in time. A signature of a listed key
    /// that does not fit refuses it, whoever else signed; signatures of strangers count for nothing.
    ///
    /// # Errors
    /// The grounds of the refusal.
    pub fn approve(&self, file: &[u8], now: Moment) -> Result<Approved, NotApproved> {
        let keys: Vec<VerifierKey> = self.people.iter().flat_map(|person| person.keys.clone()).collect();
        let note = Note::parse(file).map_err(OrderError::from)?;
        let order = Order::parse(note.unverified_text())?;
        let nobody =
            |error: &placet_tlog::note::NoteError| *error == placet_tlog::note::NoteError::NoKnownSigner;
        let verified = match note.verify(&keys) {
            Ok(verified) => verified,
            Err(error) if nobody(&error) => return Err(NotApproved::People { signed: None }),
            Err(error) => return Err(OrderError::from(error).into()),
        };
        let mut signed: Vec<&Person> = Vec::new();
        for key in verified.signers() {
            let person = self.people.iter().find(|person| person.keys.contains(key));
            signed.extend(person.filter(|person| !signed.contains(person)));
        }
        let by = match signed.as_slice() {
            [first, second, ..] => [(*first).clone(), (*second).clone()],
            [first] => return Err(NotApproved::People { signed: Some(first.name.clone()) }),
            [] => return Err(NotApproved::People { signed: None }),
        };
        if !order.is_in_time(now) {
            let until = order.expires().unwrap_or(now);
            return Err(NotApproved::Time { asked: order.asked, until, now });
        }
        let digest = Digest::of(verified.text().as_bytes());
        Ok(Approved { order, digest, by })
    }
}
