//! One entry of the log: the leaf that its tree hashes.

use placet_core::Digest;
use placet_tlog::checkpoint::Origin;
use placet_tlog::merkle::Hash;
use placet_tlog::note::VerifierKey;

use super::event::Event;
use super::form::{Fields, FormError};
use super::json::{Json, demand_canonical};
use super::slot::Seed;
use super::value::Moment;
use crate::spelt::spelt;

/// The longest leaf, in bytes.
pub const MAX_LEAF: usize = 2_048;

/// The most slots a tick may have, and so the most cameras a log can speak of.
pub const MAX_SLOTS: u32 = 65_536;

/// The longest interval of a log, in seconds.
pub const MAX_INTERVAL: u64 = 3_600;

/// The longest reveal delay of a log, in seconds: 365 days.
pub const MAX_REVEAL_DELAY: u64 = 31_536_000;

/// One entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// What the log is; leaf 0 and no other.
    Genesis(Genesis),
    /// What every camera does in the interval to come, sealed.
    Tick(Tick),
    /// The seed that opens a tick.
    Reveal(Reveal),
    /// A change of the key that signs the log.
    Key(Box<KeyChange>),
    /// A list that speaks of the log's cameras or witnesses.
    Roster(Roster),
    /// Something happened.
    Event(Event),
}

spelt! {
    /// How a log treats what is going on.
    LogMode {
        /// Events are published as they happen, and each tick is opened when its interval is over.
        Open = "open",
        /// Ticks alone are written; they are opened `reveal_delay` later.
        Sealed = "sealed",
    }
}

spelt! {
    /// Whom a roster lists.
    RosterOf {
        /// The cameras and their slots: a [`super::CameraRoster`].
        Cameras = "cameras",
        /// The witnesses: a policy file, taken as it is.
        Witnesses = "witnesses",
    }
}

/// What the log is. Nothing in it ever changes, so that no change can betray anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// When the log was made.
    pub at: Moment,
    /// The log's name, as its checkpoints and its key have it.
    pub origin: Origin,
    /// Seconds from one tick to the next: 1 to [`MAX_INTERVAL`].
    pub interval: u64,
    /// Whether events are published as they happen.
    pub mode: LogMode,
    /// Seconds from the end of a tick's interval to the moment it is opened at the latest: 0 to [`MAX_REVEAL_DELAY`].
    pub reveal_delay: u64,
    /// Slots of every tick: 1 to [`MAX_SLOTS`], taken or not, so that adding a camera shows nothing.
    pub slots: u32,
}

/// What every camera does in the interval to come, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Its number, from zero without gaps.
    pub n: u64,
    /// Where its interval starts.
    pub start: Moment,
    /// The digest of the newest roster of cameras before it: which camera has which slot.
    pub roster: Digest,
    /// The RFC 6962 root over its slots; see [`super::slot`].
    pub slots_root: Hash,
    /// When it is opened at the latest.
    pub reveal_by: Moment,
}

/// The seed that opens a tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reveal {
    /// When it was given.
    pub at: Moment,
    /// The tick's number.
    pub tick: u64,
    /// What the tick's slots were sealed with.
    pub seed: Seed,
}

/// A change of the key that signs the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// When it was decided.
    pub at: Moment,
    /// The key that signs until then.
    pub old: VerifierKey,
    /// The key that signs from then on.
    pub new: VerifierKey,
    /// The tree size from which the new key alone signs.
    pub from_size: u64,
}

/// A list that speaks of the log's cameras or witnesses, by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// From when it holds.
    pub at: Moment,
    /// Whom it lists.
    pub of: RosterOf,
    /// How many it lists; at most [`MAX_SLOTS`].
    pub count: u64,
    /// SHA-256 of the side file.
    pub digest: Digest,
}

impl Leaf {
    /// Reads a leaf.
    ///
    /// # Errors
    /// Whatever [`Leaf::to_bytes`] would not write, be it one byte, with its key or its place.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let mut fields = Fields::of(Json::read(bytes, MAX_LEAF)?, "", "")?;
        fields.version()?;
        let leaf = match fields.text("type")?.as_str() {
            "genesis" => Self::Genesis(Genesis::read(&mut fields)?),
            "tick" => Self::Tick(Tick::read(&mut fields)?),
            "reveal" => Self::Reveal(Reveal::read(&mut fields)?),
            "key" => Self::Key(Box::new(KeyChange::read(&mut fields)?)),
            "roster" => Self::Roster(Roster::read(&mut fields)?),
            "event" => Self::Event(Event::read(&mut fields)?),
            _ => return Err(fields.bad("type", "is no type of entry")),
        };
        fields.end()?;
        demand_canonical(bytes, &leaf.to_bytes()?)?;
        Ok(leaf)
    }

    /// The leaf's bytes: what is served, and what the tree hashes.
    ///
    /// # Errors
    /// If a value is out of its range, two contradict each other, or the leaf is longer than [`MAX_LEAF`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormError> {
        let mut pairs = match self {
            Self::Genesis(genesis) => genesis.pairs()?,
            Self::Tick(tick) => tick.pairs()?,
            Self::Reveal(reveal) => reveal.pairs(),
            Self::Key(key) => key.pairs()?,
            Self::Roster(roster) => roster.pairs()?,
            Self::Event(event) => event.pairs()?,
        };
        pairs.extend(Json::object([("type", Json::text(self.type_name())), ("v", Json::Int(1))]));
        Json::Object(pairs).canonical(MAX_LEAF)
    }

    /// Its type, as it is spelt.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Genesis(_) => "genesis",
            Self::Tick(_) => "tick",
            Self::Reveal(_) => "reveal",
            Self::Key(_) => "key",
            Self::Roster(_) => "roster",
            Self::Event(_) => "event",
        }
    }
}

fn demand(holds: bool, key: &str, why: &'static str) -> Result<(), FormError> {
    if holds { Ok(()) } else { Err(FormError::value(key, why)) }
}

impl Genesis {
    /// When the tick whose interval starts at `start` is opened at the latest; none after the year 2199.
    pub fn reveal_by(&self, start: Moment) -> Option<Moment> {
        start.plus(self.interval)?.plus(self.reveal_delay)
    }

    fn pairs(&self) -> Result<Vec<(String, Json)>, FormError> {
        demand((1..=MAX_INTERVAL).contains(&self.interval), "interval", "is not 1 to 3600 seconds")?;
        demand(self.reveal_delay <= MAX_REVEAL_DELAY, "reveal_delay", "is longer than 31536000 seconds")?;
        demand((1..=MAX_SLOTS).contains(&self.slots), "slots", "are not 1 to 65536")?;
        Ok(Json::object([
            ("t", Json::text(self.at)),
            ("origin", Json::text(&self.origin)),
            ("interval", Json::Int(self.interval)),
            ("mode", Json::text(self.mode.key())),
            ("reveal_delay", Json::Int(self.reveal_delay)),
            ("slots", Json::Int(self.slots.into())),
        ]))
    }

    fn read(fields: &mut Fields) -> Result<Self, FormError> {
        Ok(Self {
            at: fields.moment("t")?,
            origin: fields
                .read("origin", "is no name that a checkpoint's key can have", |name| name.parse().ok())?,
            interval: fields.int("interval")?,
            mode: fields.read("mode", "is neither `open` nor `sealed`", LogMode::from_key)?,
            reveal_delay: fields.int("reveal_delay")?,
            slots: u32::try_from(fields.int("slots")?)
                .map_err(|_| fields.bad("slots", "are not 1 to 65536"))?,
        })
    }
}

impl Tick {
    fn pairs(&self) -> Result<Vec<(String, Json)>, FormError> {
        demand(self.start < self.reveal_by, "reveal_by", "is not after `t`")?;
        Ok(Json::object([
            ("n", Json::Int(self.n)),
            ("t", Json::text(self.start)),
            ("roster", Json::bytes(&self.roster.0)),
            ("slots", Json::bytes(&self.slots_root.0)),
            ("reveal_by", Json::text(self.reveal_by)),
        ]))
    }

    fn read(fields: &mut Fields) -> Result<Self, FormError> {
        Ok(Self {
            n: fields.int("n")?,
            start: fields.moment("t")?,
            roster: Digest(fields.bytes("roster")?),
            slots_root: Hash(fields.bytes("slots")?),
            reveal_by: fields.moment("reveal_by")?,
        })
    }
}

impl Reveal {
    fn pairs(&self) -> Vec<(String, Json)> {
        Json::object([
            ("t", Json::text(self.at)),
            ("n", Json::Int(self.tick)),
            ("seed", Json::bytes(self.seed.as_bytes())),
        ])
    }

    fn read(fields: &mut Fields) -> Result<Self, FormError> {
        Ok(Self {
            at: fields.moment("t")?,
            tick: fields.int("n")?,
            seed: Seed::from_bytes(fields.bytes("seed")?),
        })
    }
}

impl KeyChange {
    fn pairs(&self) -> Result<Vec<(String, Json)>, FormError> {
        demand(self.old != self.new, "new", "is the key it replaces")?;
        Ok(Json::object([
            ("t", Json::text(self.at)),
            ("old", Json::text(&self.old)),
            ("new", Json::text(&self.new)),
            ("from", Json::Int(self.from_size)),
        ]))
    }

    fn read(fields: &mut Fields) -> Result<Self, FormError> {
        let why = "is no verifier key";
        Ok(Self {
            at: fields.moment("t")?,
            old: fields.read("old", why, |key| key.parse().ok())?,
            new: fields.read("new", why, |key| key.parse().ok())?,
            from_size: fields.int("from")?,
        })
    }
}

impl Roster {
    fn pairs(&self) -> Result<Vec<(String, Json)>, FormError> {
        demand(self.count <= MAX_SLOTS.into(), "count", "is more than 65536")?;
        Ok(Json::object([
            ("t", Json::text(self.at)),
            ("of", Json::text(self.of.key())),
            ("count", Json::Int(self.count)),
            ("digest", Json::bytes(&self.digest.0)),
        ]))
    }

    fn read(fields: &mut Fields) -> Result<Self, FormError> {
        Ok(Self {
            at: fields.moment("t")?,
            of: fields.read("of", "is neither `cameras` nor `witnesses`", RosterOf::from_key)?,
            count: fields.int("count")?,
            digest: Digest(fields.bytes("digest")?),
        })
    }
}

#[cfg(test)]
mod tests {
    use placet_tlog::note::SignerKey;
    use proptest::option;
    use proptest::prelude::*;

    use super::super::{Aim, Commitment, EventId, EventKind, Ground, PublicPart, Purpose};
    use super::*;

    fn any_moment() -> impl Strategy<Value = Moment> {
        (946_684_800_u64..=7_258_118_399).prop_map(|seconds| Moment::from_unix_seconds(seconds).unwrap())
    }

    fn any_digest() -> impl Strategy<Value = Digest> {
        any::<[u8; 32]>().prop_map(Digest)
    }

    fn any_aim() -> impl Strategy<Value = Aim> {
        let purpose = prop::sample::select(Purpose::ALL).prop_map(Aim::from);
        prop_oneof![purpose, prop::sample::select(Ground::ALL).prop_map(Aim::from)]
    }

    fn any_public() -> impl Strategy<Value = PublicPart> {
        let cameras = prop::collection::btree_set("[a-z0-9._-]{1,64}", 0..70);
        let when = (any_moment(), any_moment());
        (any_digest(), any_aim(), "[A-Za-zé顔]{1,120}", cameras, when).prop_map(
            |(order, purpose, authority, cameras, (from, until))| PublicPart {
                order,
                purpose,
                authority: authority.parse().unwrap(),
                cameras: cameras.iter().map(|name| name.parse().unwrap()).collect(),
                from,
                until,
            },
        )
    }

    fn any_event() -> impl Strategy<Value = Event> {
        let ids = (any::<[u8; 16]>(), any::<[u8; 32]>());
        let optional = (option::of(0..1_u64 << 54), option::of(any_digest()), option::of(any_public()));
        (any_moment(), prop::sample::select(EventKind::ALL), ids, optional).prop_map(
            |(at, kind, (id, c), (about, deposit, public))| Event {
                at,
                kind,
                id: EventId(id),
                commitment: Commitment(c),
                about,
                deposit,
                public,
            },
        )
    }

    /// Entries of every type, some of them with values out of their range.
    fn any_leaf() -> impl Strategy<Value = Leaf> {
        let key = |n: u8| SignerKey::generate("log.example.org", [n; 32]).unwrap().verifier_key();
        let mode = prop::sample::select(LogMode::ALL);
        let genesis = (any_moment(), 0..3_700_u64, mode, 0..32_000_000_u64, 0..70_000_u32).prop_map(
            |(at, interval, mode, reveal_delay, slots)| {
                let origin = "log.example.org".parse().unwrap();
                Leaf::Genesis(Genesis { at, origin, interval, mode, reveal_delay, slots })
            },
        );
        let tick = (0..1_u64 << 54, any_moment(), any_digest(), any::<[u8; 32]>(), any_moment()).prop_map(
            |(n, start, roster, root, reveal_by)| {
                Leaf::Tick(Tick { n, start, roster, slots_root: Hash(root), reveal_by })
            },
        );
        let reveal = (any_moment(), 0..1_u64 << 54, any::<[u8; 32]>())
            .prop_map(|(at, tick, seed)| Leaf::Reveal(Reveal { at, tick, seed: Seed::from_bytes(seed) }));
        let change =
            (any_moment(), 0..4_u8, 0..4_u8, any::<u64>()).prop_map(move |(at, old, new, from_size)| {
                Leaf::Key(Box::new(KeyChange { at, old: key(old), new: key(new), from_size }))
            });
        let roster = (any_moment(), prop::sample::select(RosterOf::ALL), 0..70_000_u64, any_digest())
            .prop_map(|(at, of, count, digest)| Leaf::Roster(Roster { at, of, count, digest }));
        prop_oneof![genesis, tick, reveal, change, roster, any_event().prop_map(Leaf::Event)]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_fits(leaf in any_leaf()) {
            if let Ok(bytes) = leaf.to_bytes() {
                prop_assert!(bytes.len() <= MAX_LEAF && !bytes.contains(&b'\n'));
                prop_assert_eq!(Leaf::parse(&bytes), Ok(leaf));
            }
        }
    }

    #[test]
    fn an_error_names_the_key_or_the_byte() {
        let why = |json: &str| Leaf::parse(json.as_bytes()).unwrap_err().to_string();
        let reveal = format!(
            r#"{{"n":0,"seed":"{}","t":"2026-11-22T05:43:00Z","type":"reveal","v":1}}"#,
            "A".repeat(43)
        );
        assert!(Leaf::parse(reveal.as_bytes()).is_ok());
        assert_eq!(why(&reveal.replace("\"v\":1", "\"v\":2")), "`v` is not 1, the only version there is");
        assert_eq!(why(&reveal.replace("reveal", "deal")), "`type` is no type of entry");
        assert_eq!(
            why(&reveal.replace("\"n\":0", "\"n\":-0")),
            "`n` is not a whole number from 0 to 2^53 - 1"
        );
        assert_eq!(why(&reveal.replace(":0,", ": 0,")), "is not in canonical form (RFC 8785) from byte 5");
        assert_eq!(why(&reveal.replace("seed", "sead")), "`seed` is missing");
        let end = format!("is not in canonical form (RFC 8785) from byte {}", reveal.len());
        assert_eq!(why(&format!("{reveal} ")), end);
        let cut = reveal.get(..20).unwrap();
        assert!(why(cut).starts_with("is no JSON object at byte 19: EOF"), "{}", why(cut));
    }
}
