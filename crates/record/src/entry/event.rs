//! Events: what happened to a request, an authorisation, a search or its data.

use placet_core::Digest;

use super::commitment::Commitment;
use super::form::{Fields, FormError};
use super::json::Json;
use super::value::{Aim, Authority, CameraId, EventId, Moment};
use crate::spelt::spelt;

spelt! {
    /// What happened.
    EventKind {
        /// Someone asked for a search.
        Request = "request",
        /// It was refused.
        Refusal = "refusal",
        /// An authority signed an authorisation.
        Authorisation = "authorisation",
        /// It was taken back.
        Revocation = "revocation",
        /// A search began.
        Opening = "opening",
        /// It ended.
        Closing = "closing",
        /// A person looked at candidates.
        Review = "review",
        /// Records were erased and their secrets destroyed.
        Deletion = "deletion",
        /// A sealed original is about to be opened.
        Unsealing = "unsealing",
        /// Anything else worth committing to.
        Note = "note",
    }
}

impl EventKind {
    /// Whether an event of this kind may carry a [`PublicPart`].
    pub fn may_be_public(self) -> bool {
        match self {
            Self::Refusal
            | Self::Authorisation
            | Self::Revocation
            | Self::Opening
            | Self::Closing
            | Self::Unsealing => true,
            Self::Request | Self::Review | Self::Deletion | Self::Note => false,
        }
    }
}

/// One event. All it says of anybody is in the committed record, which can be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened, by the log's clock.
    pub at: Moment,
    /// What happened.
    pub kind: EventKind,
    /// What tells it from all others.
    pub id: EventId,
    /// The commitment to its record.
    pub commitment: Commitment,
    /// The index of the earlier leaf it is about.
    pub about: Option<u64>,
    /// SHA-256 of the deposit file that an oversight body can open.
    pub deposit: Option<Digest>,
    /// What everyone may read at once.
    pub public: Option<PublicPart>,
}

/// The most cameras a public part names.
pub const MAX_PUBLIC_CAMERAS: usize = 64;

/// The impersonal part of an order, in clear: which court, what for, where and when; never about whom.
///
/// No field of it holds personal data if it is filled as it says: `order` is the digest of a signed file with at least 16
/// random bytes of its own (so that nobody can find it by trying), `authority` an office and not its holder, `cameras`
/// places that the public roster lists anyway. What the types cannot hold is that nobody writes a name into `authority`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicPart {
    /// SHA-256 of the order as it was signed.
    pub order: Digest,
    /// What it is for.
    pub purpose: Aim,
    /// Who gave it: a court or an office.
    pub authority: Authority,
    /// Where: 1 to [`MAX_PUBLIC_CAMERAS`] cameras, ascending.
    pub cameras: Vec<CameraId>,
    /// Its first second. For an unsealing, of the footage.
    pub from: Moment,
    /// The second after its last.
    pub until: Moment,
}

impl Event {
    pub(super) fn pairs(&self) -> Result<Vec<(String, Json)>, FormError> {
        let mut pairs = Json::object([
            ("t", Json::text(self.at)),
            ("kind", Json::text(self.kind.key())),
            ("id", Json::bytes(&self.id.0)),
            ("c", Json::bytes(&self.commitment.0)),
        ]);
        if let Some(index) = self.about {
            pairs.push(("about".to_owned(), Json::Int(index)));
        }
        if let Some(deposit) = &self.deposit {
            pairs.push(("deposit".to_owned(), Json::bytes(&deposit.0)));
        }
        if let Some(public) = &self.public {
            if !self.kind.may_be_public() {
                return Err(FormError::value("public", "stands in an event of a kind that has none"));
            }
            public.check(self.kind)?;
            pairs.push(("public".to_owned(), public.json()));
        }
        Ok(pairs)
    }

    pub(super) fn read(fields: &mut Fields) -> Result<Self, FormError> {
        Ok(Self {
            at: fields.moment("t")?,
            kind: fields.read("kind", "is no kind of event", EventKind::from_key)?,
            id: EventId(fields.bytes("id")?),
            commitment: Commitment(fields.bytes("c")?),
            about: if fields.has("about") { Some(fields.int("about")?) } else { None },
            deposit: if fields.has("deposit") { Some(Digest(fields.bytes("deposit")?)) } else { None },
            public: fields.optional("public").map(PublicPart::read).transpose()?,
        })
    }
}

impl PublicPart {
    fn check(&self, kind: EventKind) -> Result<(), FormError> {
        if matches!(self.purpose, Aim::Unsealing(_)) != (kind == EventKind::Unsealing) {
            return Err(FormError::value("public.purpose", "is none that an event of this kind has"));
        }
        if !(1..=MAX_PUBLIC_CAMERAS).contains(&self.cameras.len()) {
            return Err(FormError::value("public.cameras", "are not 1 to 64"));
        }
        if !self.cameras.is_sorted_by(|a, b| a < b) {
            return Err(FormError::value("public.cameras", "are not ascending, each once"));
        }
        if self.from >= self.until {
            return Err(FormError::value("public.until", "is not after `public.from`"));
        }
        Ok(())
    }

    fn json(&self) -> Json {
        Json::Object(Json::object([
            ("order", Json::bytes(&self.order.0)),
            ("purpose", Json::text(self.purpose.key())),
            ("authority", Json::text(&self.authority)),
            ("cameras", Json::List(self.cameras.iter().map(Json::text).collect())),
            ("from", Json::text(self.from)),
            ("until", Json::text(self.until)),
        ]))
    }

    fn read(json: Json) -> Result<Self, FormError> {
        let mut fields = Fields::of(json, "public", "public.")?;
        let cameras = fields.list("cameras")?.into_iter().map(|camera| match camera {
            Json::Text(name) => name.parse().ok(),
            _ => None,
        });
        let cameras = cameras.collect::<Option<Vec<CameraId>>>();
        let part = Self {
            order: Digest(fields.bytes("order")?),
            purpose: fields.read("purpose", "is none of the purposes", Aim::from_key)?,
            authority: fields.read("authority", Authority::WHY, |name| name.parse().ok())?,
            cameras: cameras.ok_or_else(|| fields.bad("cameras", CameraId::WHY))?,
            from: fields.moment("from")?,
            until: fields.moment("until")?,
        };
        fields.end()?;
        Ok(part)
    }
}

#[cfg(test)]
mod tests {
    use super::super::leaf::Leaf;
    use super::super::value::{Ground, Purpose};
    use super::*;

    fn event(kind: EventKind) -> Event {
        Event {
            at: "2026-11-22T05:43:00Z".parse().unwrap(),
            kind,
            id: EventId([7; 16]),
            commitment: Commitment([8; 32]),
            about: None,
            deposit: None,
            public: None,
        }
    }

    fn part() -> PublicPart {
        PublicPart {
            order: Digest([9; 32]),
            purpose: Purpose::MissingPerson.into(),
            authority: "Rechtbank Gent".parse().unwrap(),
            cameras: vec!["hall-north".parse().unwrap(), "hall-south".parse().unwrap()],
            from: "2026-11-22T06:00:00Z".parse().unwrap(),
            until: "2026-11-22T18:00:00Z".parse().unwrap(),
        }
    }

    fn why(event: Event) -> String {
        Leaf::Event(event).to_bytes().map(|_| "written".to_owned()).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn only_some_kinds_have_a_public_part() {
        for &kind in EventKind::ALL {
            let answer = why(Event { public: Some(part()), ..event(kind) });
            let expected =
                ["refusal", "authorisation", "revocation", "opening", "closing"].contains(&kind.key());
            let part = PublicPart { purpose: Ground::Crime.into(), ..part() };
            let unsealing = why(Event { public: Some(part), ..event(kind) });
            assert_eq!(unsealing == "written", kind == EventKind::Unsealing, "{kind:?}: {unsealing}");
            assert_eq!(answer == "written", expected, "{kind:?}: {answer}");
        }
    }

    #[test]
    fn a_public_part_out_of_its_range_is_not_written() {
        let with = |change: fn(&mut PublicPart)| {
            let mut part = part();
            change(&mut part);
            why(Event { public: Some(part), ..event(EventKind::Opening) })
        };
        assert_eq!(with(|_| ()), "written");
        assert_eq!(with(|p| p.cameras.clear()), "`public.cameras` are not 1 to 64");
        assert_eq!(with(|p| p.cameras.reverse()), "`public.cameras` are not ascending, each once");
        assert_eq!(with(|p| p.until = p.from), "`public.until` is not after `public.from`");
        let long = |p: &mut PublicPart| {
            p.cameras = (10..74).map(|i| format!("{}-{i}", "x".repeat(61)).parse().unwrap()).collect();
        };
        assert!(with(long).ends_with("are more than the 2048 it may have"), "{}", with(long));
    }
}
