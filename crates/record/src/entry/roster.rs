//! The list of cameras that a `roster` entry speaks of: a side file, bound by its digest.

use std::collections::BTreeMap;

use placet_core::Digest;

use super::form::{Fields, FormError};
use super::json::{Json, demand_canonical};
use super::leaf::{MAX_SLOTS, Roster, RosterOf};
use super::value::{CameraId, Moment};

/// The longest line of a roster, in bytes.
const MAX_LINE: usize = 128;

/// Which camera has which slot. The file is one line of canonical JSON for each, `{"camera":"hall-north","slot":0}`, with a
/// newline after each, by ascending slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CameraRoster {
    cameras: BTreeMap<u32, CameraId>,
}

impl CameraRoster {
    /// The roster of these cameras and slots.
    ///
    /// # Errors
    /// If a camera or a slot stands twice, or a slot is [`MAX_SLOTS`] or more.
    pub fn new(pairs: impl IntoIterator<Item = (CameraId, u32)>) -> Result<Self, RosterError> {
        let mut roster = Self::default();
        let mut seen = std::collections::BTreeSet::new();
        for (camera, slot) in pairs {
            if slot >= MAX_SLOTS {
                return Err(RosterError::Slot { camera, slot });
            }
            if !seen.insert(camera.clone()) {
                return Err(RosterError::CameraTwice { camera });
            }
            if roster.cameras.insert(slot, camera).is_some() {
                return Err(RosterError::SlotTwice { slot });
            }
        }
        Ok(roster)
    }

    /// Reads a side file.
    ///
    /// # Errors
    /// Whatever [`CameraRoster::to_bytes`] would not write, be it one byte.
    pub fn parse(bytes: &[u8]) -> Result<Self, RosterError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let lines = bytes.strip_suffix(b"\n").ok_or(RosterError::LastLine)?;
        let mut pairs: Vec<(CameraId, u32)> = Vec::new();
        for (number, line) in (1..).zip(lines.split(|byte| *byte == b'\n')) {
            let pair = read_line(line).map_err(|source| RosterError::Line { number, source })?;
            if pairs.last().is_some_and(|(_, slot)| *slot >= pair.1) {
                return Err(RosterError::Order { number });
            }
            pairs.push(pair);
        }
        Self::new(pairs)
    }

    /// The side file.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A camera's name has nothing to escape, and its keys stand in order.
        let line =
            |(slot, camera): (&u32, &CameraId)| format!("{{\"camera\":\"{camera}\",\"slot\":{slot}}}\n");
        self.cameras.iter().map(line).collect::<String>().into_bytes()
    }

    /// The digest of the side file, by which ticks name it.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// The entry that speaks of it.
    pub fn leaf(&self, at: Moment) -> Roster {
        let count = self.cameras.len() as u64;
        Roster { at, of: RosterOf::Cameras, count, digest: self.digest() }
    }

    /// Whether this is the roster that `leaf` speaks of.
    pub fn fits(&self, leaf: &Roster) -> bool {
        self.leaf(leaf.at) == *leaf
    }

    /// The slot of a camera.
    pub fn slot_of(&self, camera: &CameraId) -> Option<u32> {
        self.iter().find(|(_, other)| *other == camera).map(|(slot, _)| slot)
    }

    /// The camera of a slot.
    pub fn camera_at(&self, slot: u32) -> Option<&CameraId> {
        self.cameras.get(&slot)
    }

    /// Slots and cameras by ascending slot.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &CameraId)> {
        self.cameras.iter().map(|(slot, camera)| (*slot, camera))
    }
}

fn read_line(line: &[u8]) -> Result<(CameraId, u32), FormError> {
    let mut fields = Fields::of(Json::read(line, MAX_LINE)?, "", "")?;
    let camera: CameraId = fields.read("camera", CameraId::WHY, |name| name.parse().ok())?;
    let slot = fields.int("slot")?;
    fields.end()?;
    let written = Json::Object(Json::object([("camera", Json::text(&camera)), ("slot", Json::Int(slot))]));
    demand_canonical(line, &written.canonical(MAX_LINE)?)?;
    let slot = u32::try_from(slot).ok().filter(|slot| *slot < MAX_SLOTS);
    Ok((camera, slot.ok_or_else(|| FormError::value("slot", "is 65536 or more"))?))
}

/// Why a roster was not made or not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// A line that is not one camera.
    #[error("line {number} of the roster cannot be read")]
    Line {
        /// Counted from one.
        number: u64,
        /// What is wrong with it.
        source: FormError,
    },
    /// Slots that do not ascend.
    #[error("line {number} of the roster has no higher slot than the one before it")]
    Order {
        /// Counted from one.
        number: u64,
    },
    /// The last line is cut off.
    #[error("the roster does not end in a newline")]
    LastLine,
    /// A camera with two slots.
    #[error("the roster lists `{camera}` twice")]
    CameraTwice {
        /// Which.
        camera: CameraId,
    },
    /// A slot with two cameras.
    #[error("the roster gives slot {slot} twice")]
    SlotTwice {
        /// Which.
        slot: u32,
    },
    /// A slot that no tick can have.
    #[error("the roster gives `{camera}` the slot {slot}, and there are at most 65536")]
    Slot {
        /// The camera.
        camera: CameraId,
        /// Its slot.
        slot: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "{\"camera\":\"hall-north\",\"slot\":0}\n{\"camera\":\"gate.2\",\"slot\":7}\n";

    fn camera(name: &str) -> CameraId {
        name.parse().unwrap()
    }

    #[test]
    fn a_roster_is_read_as_it_is_written() {
        let roster = CameraRoster::new([(camera("gate.2"), 7), (camera("hall-north"), 0)]).unwrap();
        assert_eq!(roster.to_bytes(), FILE.as_bytes());
        assert_eq!(CameraRoster::parse(FILE.as_bytes()), Ok(roster.clone()));
        assert_eq!(roster.slot_of(&camera("gate.2")), Some(7));
        assert_eq!(roster.camera_at(0), Some(&camera("hall-north")));
        assert_eq!((roster.slot_of(&camera("gate")), roster.camera_at(1)), (None, None));
        assert_eq!(CameraRoster::parse(b"").unwrap().to_bytes(), b"");

        let leaf = roster.leaf("2026-11-22T05:43:00Z".parse().unwrap());
        assert_eq!((leaf.count, leaf.digest), (2, Digest::of(FILE.as_bytes())));
        assert!(roster.fits(&leaf) && !CameraRoster::default().fits(&leaf));
        assert!(!roster.fits(&Roster { of: RosterOf::Witnesses, ..leaf }));
    }

    #[test]
    fn any_other_spelling_is_refused() {
        for (bad, why) in [
            ("{\"camera\":\"a\",\"slot\":0}", "the roster does not end in a newline"),
            ("{\"camera\":\"a\",\"slot\":0}\n\n", "line 2 of the roster cannot be read"),
            ("\n", "line 1 of the roster cannot be read"),
            ("{\"camera\":\"a\",\"slot\":0}\r\n", "line 1 of the roster cannot be read"),
            ("{\"camera\":\"A\",\"slot\":0}\n", "line 1 of the roster cannot be read"),
            ("{\"camera\":\"a\",\"slot\":65536}\n", "line 1 of the roster cannot be read"),
            ("{\"slot\":0,\"camera\":\"a\"}\n", "line 1 of the roster cannot be read"),
            ("{\"camera\":\"a\",\"place\":\"x\",\"slot\":0}\n", "line 1 of the roster cannot be read"),
            (
                "{\"camera\":\"a\",\"slot\":1}\n{\"camera\":\"b\",\"slot\":1}\n",
                "line 2 of the roster has no higher slot than the one before it",
            ),
            ("{\"camera\":\"a\",\"slot\":1}\n{\"camera\":\"a\",\"slot\":2}\n", "the roster lists `a` twice"),
        ] {
            assert_eq!(CameraRoster::parse(bad.as_bytes()).unwrap_err().to_string(), why, "{bad:?}");
        }
        let twice = CameraRoster::new([(camera("a"), 1), (camera("b"), 1)]);
        assert_eq!(twice, Err(RosterError::SlotTwice { slot: 1 }));
        let beyond = CameraRoster::new([(camera("a"), MAX_SLOTS)]);
        assert!(matches!(beyond, Err(RosterError::Slot { slot: MAX_SLOTS, .. })));
    }
}
