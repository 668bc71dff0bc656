//! The store: what goes in, what comes out, what is erased.

use std::fs::File;
use std::path::{Path, PathBuf};

use placet_core::Digest;
use placet_record::entry::{CommittedRecord, Disclosure, EventId, FieldName, Moment};
use zeroize::Zeroizing;

use crate::database::{Database, DepositRow};
use crate::error::Error;
use crate::file::{self, Disk};
use crate::group::{DepositEnd, Erased, Group, Held, Kept, Once, Use};
use crate::keys::{Keys, Tag};
use crate::mark::{Mark, read};
use crate::row::Row;

/// A confidential store, open in this process and no other.
pub struct Store {
    pub(crate) paths: Paths,
    pub(crate) disk: Box<dyn Disk>,
    /// What seals the file of keys and the mark.
    pub(crate) key: Zeroizing<[u8; 32]>,
    pub(crate) keys: Keys,
    pub(crate) database: Database,
    /// A write failed, or is under way.
    pub(crate) shut: bool,
    pub(crate) _lock: File,
}

/// Where its files are.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    pub folder: PathBuf,
    pub mark: PathBuf,
}

impl Paths {
    pub fn keys(&self) -> PathBuf {
        self.folder.join("keys")
    }

    pub fn database(&self) -> PathBuf {
        self.folder.join("records.sqlite")
    }

    pub fn deposits(&self) -> PathBuf {
        self.folder.join("deposits")
    }

    pub fn deposit(&self, digest: &Digest) -> PathBuf {
        self.deposits().join(digest.hex())
    }
}

impl Store {
    /// Keeps what an event committed to, and the deposit made of it. Both are on disk when this returns.
    ///
    /// # Errors
    /// If the event has or had a record, the group was erased, or it cannot be written; then nothing is kept.
    pub fn put(
        &mut self,
        group: Group,
        event: EventId,
        at: Moment,
        committed: &CommittedRecord,
        deposit: Option<&[u8]>,
    ) -> Result<(), Error> {
        self.demand_open()?;
        let (group_tag, event_tag) = (self.keys.group_tag(group), self.keys.once_tag(Once::Event(event)));
        if self.database.has_once(&event_tag)? {
            return Err(Error::EventUsed { event });
        }
        if self.database.has_once(&self.keys.erased_tag(&group_tag))? {
            return Err(Error::GroupErased);
        }
        let json = committed.to_bytes()?;
        let deposit = deposit.map(|bytes| (Digest::of(bytes), bytes));
        if let Some((digest, _)) = deposit
            && self.database.deposit(&digest)?.is_some()
        {
            return Err(Error::DepositThere { digest });
        }
        self.change(|store| {
            store.demand_key(group_tag)?;
            let row = Row::seal(&store.keys, group, event, at, &json).ok_or(Error::NoRandomness)?;
            if let Some((digest, bytes)) = deposit {
                store.write_deposit(&digest, bytes)?;
            }
            store.database.write(&store.keys, |writing| {
                writing.put(&row)?;
                writing.once(&event_tag)?;
                let deposit =
                    deposit.map(|(digest, _)| DepositRow { digest, group: group_tag, handed_over: None });
                deposit.map_or(Ok(()), |row| writing.put_deposit(&row))
            })
        })
    }

    /// What an event committed to; none if there was nothing, or it was erased.
    ///
    /// # Errors
    /// If it is there and does not open.
    pub fn get(&self, event: EventId) -> Result<Option<CommittedRecord>, Error> {
        self.demand_open()?;
        let Some(row) = self.database.record(&self.keys.once_tag(Once::Event(event)))? else {
            return Ok(None);
        };
        let (_, kept) = row.open(&self.keys).ok_or(Error::Damaged { event })?;
        Ok(Some(kept.committed))
    }

    /// The records of an order or other group, by time and then by event.
    ///
    /// # Errors
    /// If one does not open.
    pub fn group(&self, group: Group) -> Result<Vec<Kept>, Error> {
        self.demand_open()?;
        let rows = self.database.group(&self.keys.group_tag(group))?;
        let open =
            |row: &Row| row.open(&self.keys).map(|(_, kept)| kept).ok_or(Error::DamagedAt { at: row.at });
        let mut all = rows.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        all.sort_by_key(|kept| (kept.at, kept.event));
        Ok(all)
    }

    /// Some fields of what an event committed to, to be shown to somebody.
    ///
    /// # Errors
    /// If there is no record or it has no such field.
    pub fn disclose(&self, event: EventId, fields: &[FieldName]) -> Result<Disclosure, Error> {
        let committed = self.get(event)?.ok_or(Error::NoRecord { event })?;
        Ok(committed.disclose(fields)?)
    }

    /// Erases all records of a group for good: its data key first, which cannot be undone, then the rows. When this
    /// returns nothing in the store's files opens them. Deposits stay, since they are for somebody else to open.
    ///
    /// # Errors
    /// If it cannot be written. The erasure may then have happened; opening the store again finishes what was begun.
    pub fn erase(&mut self, group: Group) -> Result<Erased, Error> {
        self.demand_open()?;
        let tag = self.keys.group_tag(group);
        let rows = self.database.group(&tag)?;
        let mut events: Vec<EventId> =
            rows.iter().filter_map(|row| Some(row.open(&self.keys)?.1.event)).collect();
        events.sort_unstable();
        let unreadable = rows.len().saturating_sub(events.len()) as u64;
        let deposits = self.database.deposits()?;
        let deposits_kept = deposits.iter().filter(|row| row.group == tag).map(|row| row.digest).collect();
        if self.keys.data_key(&tag).is_some() {
            self.change(|store| {
                store.keys.remove(&tag);
                store.keys.write(&*store.disk, &store.paths.keys(), &store.key)?;
                store.delete_rows(&tag, &rows)
            })?;
        }
        Ok(Erased { events, deposits_kept, unreadable })
    }

    /// Uses an id that may be used once. That it was used is remembered for good, as a keyed digest.
    ///
    /// # Errors
    /// If it cannot be written; the id may then count as used.
    pub fn spend(&mut self, once: Once) -> Result<Use, Error> {
        self.demand_open()?;
        let tag = self.keys.once_tag(once);
        if self.database.has_once(&tag)? {
            return Ok(Use::Again);
        }
        self.change(|store| store.database.write(&store.keys, |writing| writing.once(&tag)))?;
        Ok(Use::First)
    }

    /// The groups whose newest event happened before `moment`, the oldest first.
    ///
    /// # Errors
    /// If one does not open.
    pub fn older_than(&self, moment: Moment) -> Result<Vec<Held>, Error> {
        self.demand_open()?;
        let held = |(row, records): (Row, u64)| {
            let (group, _) = row.open(&self.keys).ok_or(Error::DamagedAt { at: row.at })?;
            Ok(Held { newest: row.at, group, records })
        };
        let mut all =
            self.database.older_than(moment)?.into_iter().map(held).collect::<Result<Vec<_>, Error>>()?;
        all.sort_unstable();
        Ok(all)
    }

    /// A deposit file, for the oversight body that asks for it.
    ///
    /// # Errors
    /// If there is none, or it is not what its name says.
    pub fn deposit(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        self.demand_open()?;
        self.deposit_row(digest)?;
        let bytes = read(&self.paths.deposit(digest))?;
        if Digest::of(&bytes) == *digest { Ok(bytes) } else { Err(Error::DamagedDeposit { digest: *digest }) }
    }

    /// Notes that the oversight body has a deposit. The file stays until [`Store::erase_deposit`].
    ///
    /// # Errors
    /// If there is none, or it cannot be written.
    pub fn deposit_handed_over(&mut self, digest: &Digest, at: Moment) -> Result<(), Error> {
        self.demand_open()?;
        let row = self.deposit_row(digest)?;
        self.change(|store| {
            store.database.write(&store.keys, |writing| {
                writing.delete_deposit(&row)?;
                writing.put_deposit(&DepositRow { handed_over: Some(at), ..row })
            })
        })
    }

    /// Erases a deposit file.
    ///
    /// # Errors
    /// If there is none, it was not handed over although it is said so, or it cannot be erased.
    pub fn erase_deposit(&mut self, digest: &Digest, end: DepositEnd) -> Result<(), Error> {
        self.demand_open()?;
        let row = self.deposit_row(digest)?;
        if end == DepositEnd::HandedOver && row.handed_over.is_none() {
            return Err(Error::NotHandedOver { digest: *digest });
        }
        self.change(|store| {
            store.database.write(&store.keys, |writing| writing.delete_deposit(&row))?;
            let path = store.paths.deposit(digest);
            file::discard(&*store.disk, &path).map_err(|source| Error::Disk { doing: "erase", path, source })
        })
    }

    /// Opens every record and every deposit, and tells how many records there are.
    ///
    /// # Errors
    /// The first that is damaged or missing.
    pub fn check(&self) -> Result<u64, Error> {
        self.demand_open()?;
        self.database.check(&self.keys)?;
        let mut records = 0;
        self.database.each_record(|row| {
            records += 1;
            row.open(&self.keys).map(|_| ()).ok_or(Error::DamagedAt { at: row.at })
        })?;
        for row in self.database.deposits()? {
            self.deposit(&row.digest)?;
        }
        Ok(records)
    }

    fn demand_open(&self) -> Result<(), Error> {
        if self.shut { Err(Error::Shut) } else { Ok(()) }
    }

    fn deposit_row(&self, digest: &Digest) -> Result<DepositRow, Error> {
        self.database.deposit(digest)?.ok_or(Error::NoDeposit { digest: *digest })
    }

    /// Does something that writes and moves the mark on. If any of it fails the store is shut: what the disk holds then
    /// is found out by opening it again.
    pub(crate) fn change<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.shut = true;
        let done = work(self)?;
        self.write_mark()?;
        self.shut = false;
        Ok(done)
    }

    pub(crate) fn write_mark(&self) -> Result<(), Error> {
        self.mark().write(&*self.disk, &self.paths.mark, &self.key)
    }

    /// The mark as it has to stand.
    pub(crate) fn mark(&self) -> Mark {
        Mark { store: self.keys.store, database: self.database.sequence(), keys: self.keys.generation }
    }

    /// Sees to it that a group has a data key, on disk before anything is sealed under it.
    fn demand_key(&mut self, group: Tag) -> Result<(), Error> {
        if self.keys.data_key(&group).is_none() {
            self.keys.add(group).ok_or(Error::NoRandomness)?;
            self.keys.write(&*self.disk, &self.paths.keys(), &self.key)?;
        }
        Ok(())
    }

    /// Deletes what a key that is gone has sealed, and remembers that the group is erased.
    pub(crate) fn delete_rows(&mut self, group: &Tag, rows: &[Row]) -> Result<(), Error> {
        let erased = self.keys.erased_tag(group);
        self.database.write(&self.keys, |writing| {
            writing.delete_group(group, rows)?;
            writing.once(&erased)
        })?;
        // It stays in the file until that is written the next time, which is harmless.
        self.keys.erasing.remove(group);
        Ok(())
    }

    fn write_deposit(&self, digest: &Digest, bytes: &[u8]) -> Result<(), Error> {
        let path = self.paths.deposit(digest);
        file::create(&*self.disk, &path, bytes).map_err(|source| Error::Disk { doing: "write", path, source })
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("folder", &self.paths.folder).finish_non_exhaustive()
    }
}

/// The default place of the mark.
pub(crate) fn mark_beside(folder: &Path) -> PathBuf {
    folder.join("mark")
}
