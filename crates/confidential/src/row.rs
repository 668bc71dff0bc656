//! What one row holds, sealed: a group, an event, a record with its secret, zeros. All rows are of one length.

use placet_record::entry::{CommittedRecord, EventId, Moment};
use zeroize::Zeroizing;

use crate::group::{Group, Kept};
use crate::keys::{Keys, Tag};
use crate::sealed::{self, OVERHEAD, Purpose};

/// Room for a record with its secret, and its length in two bytes before it.
const ROOM: usize = 4_352;

/// Group, event, record.
const PLAIN: usize = 33 + 16 + ROOM;

/// Length of a sealed row.
pub const SEALED: usize = PLAIN + OVERHEAD;

/// A row of the database. Only its time can be read without the file of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub event: Tag,
    pub group: Tag,
    pub at: Moment,
    pub sealed: Vec<u8>,
}

impl Row {
    /// Seals a record under its group's key; none if there is no such key, or no randomness.
    pub fn seal(keys: &Keys, group: Group, event: EventId, at: Moment, json: &[u8]) -> Option<Self> {
        let (event_tag, group_tag) = (keys.once_tag(crate::Once::Event(event)), keys.group_tag(group));
        let mut plain = Zeroizing::new(Vec::with_capacity(PLAIN));
        plain.extend(group.to_bytes());
        plain.extend(event.0);
        plain.extend(u16::try_from(json.len()).ok()?.to_be_bytes());
        plain.extend_from_slice(json);
        if plain.len() > PLAIN {
            return None;
        }
        plain.resize(PLAIN, 0);
        let about = about(&event_tag, &group_tag, at);
        let sealed = sealed::seal(keys.data_key(&group_tag)?, Purpose::Record, &about, &plain)?;
        Some(Self { event: event_tag, group: group_tag, at, sealed })
    }

    /// What was sealed; none if it does not open, or opens to something else than its row says.
    pub fn open(&self, keys: &Keys) -> Option<(Group, Kept)> {
        let about = about(&self.event, &self.group, self.at);
        let plain = sealed::open(keys.data_key(&self.group)?, Purpose::Record, &about, &self.sealed)?;
        let (group, rest) = plain.split_first_chunk()?;
        let (event, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (group, event) = (Group::from_bytes(group)?, EventId(*event));
        let json = rest.get(..u16::from_be_bytes(*length).into())?;
        let ours =
            keys.group_tag(group) == self.group && keys.once_tag(crate::Once::Event(event)) == self.event;
        let committed = CommittedRecord::parse(json).ok()?;
        ours.then_some((group, Kept { at: self.at, event, committed }))
    }

    /// What tells that this row, and no other, is there: its nonce and tag stand for all that is sealed.
    pub fn digest(&self, keys: &Keys) -> [u8; 32] {
        let nonce = self.sealed.first_chunk::<24>().map_or(&[][..], |nonce| nonce);
        let tag = self.sealed.last_chunk::<16>().map_or(&[][..], |tag| tag);
        let at = self.at.unix_seconds().to_be_bytes();
        keys.row_digest(&[b"record", &self.event, &self.group, &at, nonce, tag])
    }
}

/// What a row's ciphertext is bound to.
fn about(event: &Tag, group: &Tag, at: Moment) -> Vec<u8> {
    [&event[..], group, &at.unix_seconds().to_be_bytes()].concat()
}
