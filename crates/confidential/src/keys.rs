//! The file of data keys. A key that is not in it opens nothing any more, wherever the rest may lie.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::{Error, Reason};
use crate::file::{self, Disk};
use crate::group::{Group, Once};
use crate::mark::read;
use crate::sealed::{self, Purpose, mac};

/// The first bytes of the file.
const FIRST_LINE: &[u8] = b"placet-confidential-keys-v1\n";

/// A keyed digest of an id: all that the database holds of it. Without the file of keys it tells nothing.
pub type Tag = [u8; 32];

/// What the file says.
#[derive(Clone)]
pub struct Keys {
    /// Which store: 16 random bytes.
    pub store: [u8; 16],
    /// How often the file has been replaced.
    pub generation: u64,
    /// What tags and the database's state hang on. It outlives erasures, so that an id used once stays used.
    master: Zeroizing<[u8; 32]>,
    /// The data keys of groups by tag.
    data: BTreeMap<Tag, Zeroizing<[u8; 32]>>,
    /// Groups whose key is gone and whose rows may not be.
    pub erasing: BTreeSet<Tag>,
}

impl Keys {
    /// Those of a new store.
    pub fn new() -> Option<Self> {
        let mut store = [0; 16];
        getrandom::fill(&mut store).ok()?;
        let master = sealed::random_key()?;
        Some(Self { store, generation: 0, master, data: BTreeMap::new(), erasing: BTreeSet::new() })
    }

    /// The tag of a group.
    pub fn group_tag(&self, group: Group) -> Tag {
        mac(&self.master, &[b"placet/v1/confidential/group\0", &group.to_bytes()])
    }

    /// The tag under which an id used once is remembered.
    pub fn once_tag(&self, once: Once) -> Tag {
        match once {
            Once::Order(digest) => mac(&self.master, &[b"placet/v1/confidential/order\0", &digest.0]),
            Once::Event(event) => mac(&self.master, &[b"placet/v1/confidential/event\0", &event.0]),
        }
    }

    /// The tag under which an erased group is remembered.
    pub fn erased_tag(&self, group: &Tag) -> Tag {
        mac(&self.master, &[b"placet/v1/confidential/erased\0", group])
    }

    /// The digest of a database row, by which a row that is lost or changed is noticed.
    pub fn row_digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut all: Vec<&[u8]> = vec![b"placet/v1/confidential/row\0"];
        all.extend(parts);
        mac(&self.master, &all)
    }

    /// What the database's state is sealed with.
    pub fn state_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(mac(&self.master, &[b"placet/v1/confidential/state-key\0"]))
    }

    /// A group's data key.
    pub fn data_key(&self, group: &Tag) -> Option<&[u8; 32]> {
        self.data.get(group).map(|key| &**key)
    }

    /// Gives a group a fresh key.
    pub fn add(&mut self, group: Tag) -> Option<()> {
        self.data.insert(group, sealed::random_key()?);
        Some(())
    }

    /// Takes a group's key away, and notes that its rows have to go.
    pub fn remove(&mut self, group: &Tag) {
        self.data.remove(group);
        self.erasing.insert(*group);
    }

    fn plain(&self) -> Zeroizing<Vec<u8>> {
        // As long as it gets, so that no part of it is left behind where the list grew.
        let mut out = Zeroizing::new(Vec::with_capacity(72 + 64 * self.data.len() + 32 * self.erasing.len()));
        out.extend(self.store);
        out.extend(self.generation.to_be_bytes());
        out.extend(*self.master);
        out.extend((self.data.len() as u64).to_be_bytes());
        for (group, key) in &self.data {
            out.extend(group);
            out.extend_from_slice(&**key);
        }
        self.erasing.iter().for_each(|group| out.extend(group));
        out
    }

    fn parse(plain: &[u8]) -> Option<Self> {
        let (store, rest) = plain.split_first_chunk()?;
        let (generation, rest) = rest.split_first_chunk()?;
        let (master, rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let bytes = usize::try_from(u64::from_be_bytes(*count)).ok()?.checked_mul(64)?;
        let (data, erasing) = rest.split_at_checked(bytes)?;
        let pair = |pair: &[u8; 64]| {
            let (group, key) = pair.split_first_chunk::<32>()?;
            Some((*group, Zeroizing::new(<[u8; 32]>::try_from(key).ok()?)))
        };
        let (erasing, rest) = erasing.as_chunks::<32>();
        rest.is_empty().then_some(())?;
        Some(Self {
            store: *store,
            generation: u64::from_be_bytes(*generation),
            master: Zeroizing::new(*master),
            data: data.as_chunks::<64>().0.iter().map(pair).collect::<Option<_>>()?,
            erasing: erasing.iter().copied().collect(),
        })
    }

    /// The file's bytes.
    pub fn seal(&self, key: &[u8; 32]) -> Result<Vec<u8>, Error> {
        let sealed = sealed::seal(key, Purpose::Keys, b"", &self.plain()).ok_or(Error::NoRandomness)?;
        Ok([FIRST_LINE, &sealed].concat())
    }

    /// Reads the file.
    pub fn read(path: &Path, key: &[u8; 32]) -> Result<Self, Error> {
        let bytes = read(path)?;
        let refused = |reason| Error::Refused { path: path.to_owned(), reason };
        let sealed = bytes.strip_prefix(FIRST_LINE).ok_or(refused(Reason::Damaged))?;
        let plain = sealed::open(key, Purpose::Keys, b"", sealed).ok_or(refused(Reason::Seal))?;
        Self::parse(&plain).ok_or(refused(Reason::Damaged))
    }

    /// Replaces the file by one of the next generation.
    pub fn write(&mut self, disk: &dyn Disk, path: &Path, key: &[u8; 32]) -> Result<(), Error> {
        self.generation += 1;
        file::replace(disk, path, &self.seal(key)?).map_err(|source| Error::Disk {
            doing: "write",
            path: path.to_owned(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_keys_is_read_as_it_is_written() {
        let mut keys = Keys::new().unwrap();
        for n in 0..5 {
            keys.add([n; 32]).unwrap();
        }
        keys.remove(&[3; 32]);
        let plain = keys.plain();
        let again = Keys::parse(&plain).unwrap();
        assert_eq!(again.plain(), plain);
        assert_eq!(again.data.keys().collect::<Vec<_>>(), [&[0; 32], &[1; 32], &[2; 32], &[4; 32]]);
        assert!(again.erasing.contains(&[3; 32]) && again.data_key(&[3; 32]).is_none());
        for end in 0..plain.len() {
            let shorter = Keys::parse(&plain[..end]);
            assert!(shorter.is_none_or(|keys| keys.erasing.is_empty()), "{end}");
        }
    }
}
