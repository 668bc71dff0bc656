use placet_core::Digest;
use placet_record::entry::Moment;
use serde::{Deserialize, Serialize};

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// Two signed trees that contradict each other.
    Fork,
    /// The log shows fewer entries than it did.
    WentBack,
    /// An entry that breaks a rule, or cannot be read.
    Misbehaviour,
    /// Files that are not what the checkpoint covers.
    Unfit,
    /// A checkpoint that the policy does not accept.
    Refused,
    /// The log cannot be got.
    Unreachable,
    /// No tick where one is due.
    Silent,
    /// A time that no tick speaks of.
    Gap,
    /// Ticks that should have been opened and are not.
    Overdue,
    /// A tick opened after its date.
    Late,
    /// A tick of a sealed log opened before its date.
    Early,
    /// A search on a camera that is watched.
    CameraOn,
}

/// Something that whoever follows the log should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// The same for the same matter, whenever and wherever it is found.
    pub id: String,
    /// What it is about.
    pub kind: AlarmKind,
    /// In words.
    pub words: String,
    /// The entry it hangs on, if there is one.
    pub entry: Option<u64>,
    /// When it was found.
    #[serde(with = "as_text")]
    pub at: Moment,
}

impl Alarm {
    /// An alarm about `matter` in the log of `origin`.
    pub(crate) fn new(
        origin: &str,
        kind: AlarmKind,
        matter: &str,
        words: String,
        entry: Option<u64>,
        at: Moment,
    ) -> Self {
        Self { id: id(&format!("{origin}\n{kind:?}\n{matter}")), kind, words, entry, at }
    }
}

/// A UUID of version 8 (RFC 9562): a name of no meaning, made from a digest.
fn id(matter: &str) -> String {
    let hex = Digest::of(format!("placet/v1/alarm\n{matter}").as_bytes()).hex();
    let part = |range| hex.get(range).unwrap_or_default();
    format!("urn:uuid:{}-{}-8{}-8{}-{}", part(0..8), part(8..12), part(13..16), part(17..20), part(20..32))
}

mod as_text {
    use placet_record::entry::Moment;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(at: &Moment, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Moment, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|_| D::Error::custom("not a time in UTC"))
    }
}
