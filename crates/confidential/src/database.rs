//! The database: sealed rows, and tags of ids that were used once.
//!
//! With each transaction a sealed row, the state, is written: how many transactions there were, and the sum of a keyed
//! digest over every row there is. So a row that is lost, brought back or changed is noticed when the store is opened.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use placet_core::Digest;
use placet_record::entry::Moment;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, params};

use crate::error::{Error, Reason};
use crate::keys::{Keys, Tag};
use crate::row::{Row, SEALED};
use crate::sealed::{self, Purpose};

/// Deleted content is overwritten, and a commit is on disk with its folder when it returns. Not `locking_mode = EXCLUSIVE`,
/// which keeps the journal, and with it the pages as they were before an erasure.
const SETTINGS: &str = "
    PRAGMA journal_mode = DELETE;
    PRAGMA synchronous = EXTRA;
    PRAGMA secure_delete = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
";

const TABLES: &str = "
    CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), sealed BLOB NOT NULL);
    CREATE TABLE record (event BLOB NOT NULL UNIQUE, grp BLOB NOT NULL, at INTEGER NOT NULL, sealed BLOB NOT NULL);
    CREATE INDEX record_group ON record (grp, at);
    CREATE TABLE deposit (digest BLOB PRIMARY KEY, grp BLOB NOT NULL, handed_over INTEGER) WITHOUT ROWID;
    CREATE TABLE once (tag BLOB PRIMARY KEY) WITHOUT ROWID;
";

/// The database, opened.
pub struct Database {
    connection: Connection,
    path: PathBuf,
    state: State,
}

/// How far the database has got, and what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    sequence: u64,
    sum: [u8; 32],
}

impl State {
    /// Adds a row's digest, or takes it away: the sum is the exclusive or of all.
    fn toggle(&mut self, digest: [u8; 32]) {
        self.sum.iter_mut().zip(digest).for_each(|(sum, byte)| *sum ^= byte);
    }
}

/// A deposit that is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepositRow {
    pub digest: Digest,
    pub group: Tag,
    pub handed_over: Option<Moment>,
}

impl DepositRow {
    fn row_digest(&self, keys: &Keys) -> [u8; 32] {
        let handed_over = self.handed_over.map_or(0, Moment::unix_seconds).to_be_bytes();
        keys.row_digest(&[b"deposit", &self.digest.0, &self.group, &handed_over])
    }
}

impl Database {
    /// Makes the file, which must not be there.
    pub fn create(path: &Path, keys: &Keys) -> Result<Self, Error> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|source| Error::Disk { doing: "make", path: path.to_owned(), source })?;
        let connection = connect(path).map_err(database("make"))?;
        let mut made = Self { connection, path: path.to_owned(), state: State::default() };
        made.connection.execute_batch(TABLES).map_err(database("make"))?;
        made.write(keys, |_| Ok(()))?;
        Ok(made)
    }

    /// Opens the file and checks that what is in it is what was last written.
    pub fn open(path: &Path, keys: &Keys) -> Result<Self, Error> {
        if !path.exists() {
            return Err(Error::Missing { path: path.to_owned() });
        }
        let connection = connect(path).map_err(database("open"))?;
        let mut opened = Self { connection, path: path.to_owned(), state: State::default() };
        let sealed: Option<Vec<u8>> = opened
            .connection
            .query_row("SELECT sealed FROM state", [], |row| row.get(0))
            .optional()
            .map_err(database("read"))?;
        opened.state = sealed.and_then(|sealed| unseal(keys, &sealed)).ok_or(opened.refused(Reason::Seal))?;
        Ok(opened)
    }

    fn refused(&self, reason: Reason) -> Error {
        Error::Refused { path: self.path.clone(), reason }
    }

    /// How many transactions there were.
    pub fn sequence(&self) -> u64 {
        self.state.sequence
    }

    /// Checks the file's own structure and that every row is there as it was written.
    pub fn check(&self, keys: &Keys) -> Result<(), Error> {
        let told: String = self
            .connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(database("check"))?;
        let mut found = State::default();
        self.each_record(|row| {
            found.toggle(row.digest(keys));
            Ok(())
        })?;
        self.deposits()?.iter().for_each(|row| found.toggle(row.row_digest(keys)));
        self.each_once(|tag| found.toggle(keys.row_digest(&[b"once", tag])))?;
        if told == "ok" && found.sum == self.state.sum { Ok(()) } else { Err(self.refused(Reason::Damaged)) }
    }

    /// Does all of it or nothing, and remembers that it was done.
    pub fn write<T>(
        &mut self,
        keys: &Keys,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let transaction = self.connection.transaction().map_err(database("write to"))?;
        let mut writing = Writing { transaction, keys, state: self.state };
        let done = work(&mut writing)?;
        let Writing { transaction, mut state, .. } = writing;
        state.sequence += 1;
        let plain = [&state.sequence.to_be_bytes()[..], &state.sum].concat();
        let sealed = sealed::seal(&keys.state_key(), Purpose::State, &keys.store, &plain);
        let sealed = sealed.ok_or(Error::NoRandomness)?;
        transaction
            .execute("INSERT OR REPLACE INTO state (one, sealed) VALUES (1, ?1)", [sealed])
            .and_then(|_| transaction.commit())
            .map_err(database("write to"))?;
        self.state = state;
        Ok(done)
    }

    /// The record of an event.
    pub fn record(&self, event: &Tag) -> Result<Option<Row>, Error> {
        let mut found = self.rows("SELECT event, grp, at, sealed FROM record WHERE event = ?1", event)?;
        Ok(found.pop())
    }

    /// The records of a group.
    pub fn group(&self, group: &Tag) -> Result<Vec<Row>, Error> {
        self.rows("SELECT event, grp, at, sealed FROM record WHERE grp = ?1 ORDER BY at", group)
    }

    fn rows(&self, sql: &str, tag: &Tag) -> Result<Vec<Row>, Error> {
        let mut statement = self.connection.prepare(sql).map_err(database("read"))?;
        let mut rows = statement.query([tag]).map_err(database("read"))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(database("read"))? {
            found.push(read_row(row).map_err(database("read"))?.ok_or(self.refused(Reason::Damaged))?);
        }
        Ok(found)
    }

    /// Goes through all records.
    pub fn each_record(&self, mut see: impl FnMut(Row) -> Result<(), Error>) -> Result<(), Error> {
        let mut statement =
            self.connection.prepare("SELECT event, grp, at, sealed FROM record").map_err(database("read"))?;
        let mut rows = statement.query([]).map_err(database("read"))?;
        while let Some(row) = rows.next().map_err(database("read"))? {
            see(read_row(row).map_err(database("read"))?.ok_or(self.refused(Reason::Damaged))?)?;
        }
        Ok(())
    }

    /// Groups whose newest record is of before `moment`: one of their rows, the newest, and how many there are.
    pub fn older_than(&self, moment: Moment) -> Result<Vec<(Row, u64)>, Error> {
        let sql = "SELECT event, grp, max(at), sealed, count(*) FROM record GROUP BY grp HAVING max(at) < ?1";
        let mut statement = self.connection.prepare(sql).map_err(database("read"))?;
        let mut rows = statement.query([seconds(moment)]).map_err(database("read"))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(database("read"))? {
            let count: i64 = row.get(4).map_err(database("read"))?;
            let row = read_row(row).map_err(database("read"))?.ok_or(self.refused(Reason::Damaged))?;
            found.push((row, count.unsigned_abs()));
        }
        Ok(found)
    }

    /// Whether the tag of an id used once is there.
    pub fn has_once(&self, tag: &Tag) -> Result<bool, Error> {
        let found = self.connection.query_row("SELECT 1 FROM once WHERE tag = ?1", [tag], |_| Ok(()));
        Ok(found.optional().map_err(database("read"))?.is_some())
    }

    fn each_once(&self, mut see: impl FnMut(&Tag)) -> Result<(), Error> {
        let mut statement = self.connection.prepare("SELECT tag FROM once").map_err(database("read"))?;
        let mut rows = statement.query([]).map_err(database("read"))?;
        while let Some(row) = rows.next().map_err(database("read"))? {
            let tag: Option<Tag> = array(row, 0).map_err(database("read"))?;
            see(&tag.ok_or(self.refused(Reason::Damaged))?);
        }
        Ok(())
    }

    /// The deposit of that digest.
    pub fn deposit(&self, digest: &Digest) -> Result<Option<DepositRow>, Error> {
        let sql = "SELECT digest, grp, handed_over FROM deposit WHERE digest = ?1";
        let found = self.connection.query_row(sql, [digest.0], read_deposit).optional();
        match found.map_err(database("read"))? {
            Some(row) => row.map(Some).ok_or(self.refused(Reason::Damaged)),
            None => Ok(None),
        }
    }

    /// Every deposit that is here.
    pub fn deposits(&self) -> Result<Vec<DepositRow>, Error> {
        let sql = "SELECT digest, grp, handed_over FROM deposit";
        let mut statement = self.connection.prepare(sql).map_err(database("read"))?;
        let mut rows = statement.query([]).map_err(database("read"))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(database("read"))? {
            found.push(read_deposit(row).map_err(database("read"))?.ok_or(self.refused(Reason::Damaged))?);
        }
        Ok(found)
    }
}

/// A transaction under way.
pub struct Writing<'d> {
    transaction: Transaction<'d>,
    keys: &'d Keys,
    state: State,
}

impl Writing<'_> {
    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<(), Error> {
        self.transaction.execute(sql, params).map(|_| ()).map_err(database("write to"))
    }

    /// Puts a record.
    pub fn put(&mut self, row: &Row) -> Result<(), Error> {
        self.state.toggle(row.digest(self.keys));
        let sql = "INSERT INTO record (event, grp, at, sealed) VALUES (?1, ?2, ?3, ?4)";
        self.execute(sql, params![row.event, row.group, seconds(row.at), row.sealed])
    }

    /// Deletes the records of a group, which are `rows`.
    pub fn delete_group(&mut self, group: &Tag, rows: &[Row]) -> Result<(), Error> {
        rows.iter().for_each(|row| self.state.toggle(row.digest(self.keys)));
        self.execute("DELETE FROM record WHERE grp = ?1", [group])
    }

    /// Remembers an id that is not remembered yet.
    pub fn once(&mut self, tag: &Tag) -> Result<(), Error> {
        self.state.toggle(self.keys.row_digest(&[b"once", tag]));
        self.execute("INSERT INTO once (tag) VALUES (?1)", [tag])
    }

    /// Puts a deposit.
    pub fn put_deposit(&mut self, row: &DepositRow) -> Result<(), Error> {
        self.state.toggle(row.row_digest(self.keys));
        let handed_over = row.handed_over.map(seconds);
        let sql = "INSERT INTO deposit (digest, grp, handed_over) VALUES (?1, ?2, ?3)";
        self.execute(sql, params![row.digest.0, row.group, handed_over])
    }

    /// Deletes a deposit as it is.
    pub fn delete_deposit(&mut self, row: &DepositRow) -> Result<(), Error> {
        self.state.toggle(row.row_digest(self.keys));
        self.execute("DELETE FROM deposit WHERE digest = ?1", [row.digest.0])
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch(SETTINGS)?;
    Ok(connection)
}

fn unseal(keys: &Keys, sealed: &[u8]) -> Option<State> {
    let plain = sealed::open(&keys.state_key(), Purpose::State, &keys.store, sealed)?;
    let (sequence, sum) = plain.split_first_chunk()?;
    Some(State { sequence: u64::from_be_bytes(*sequence), sum: sum.try_into().ok()? })
}

fn database(doing: &'static str) -> impl Fn(rusqlite::Error) -> Error {
    move |source| Error::Database { doing, source }
}

fn seconds(moment: Moment) -> i64 {
    i64::try_from(moment.unix_seconds()).expect("a moment is before 2200")
}

fn moment(seconds: i64) -> Option<Moment> {
    Moment::from_unix_seconds(u64::try_from(seconds).ok()?)
}

fn array<const N: usize>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<[u8; N]>> {
    Ok(row.get::<_, Vec<u8>>(column)?.try_into().ok())
}

fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Row>> {
    let (event, group) = (array(row, 0)?, array(row, 1)?);
    let (at, sealed) = (moment(row.get(2)?), row.get::<_, Vec<u8>>(3)?);
    let fits = sealed.len() == SEALED;
    Ok((|| Some(Row { event: event?, group: group?, at: at?, sealed }))().filter(|_| fits))
}

fn read_deposit(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<DepositRow>> {
    let (digest, group) = (array(row, 0)?, array(row, 1)?);
    let handed_over: Option<i64> = row.get(2)?;
    let handed_over = match handed_over {
        None => Some(None),
        Some(seconds) => moment(seconds).map(Some),
    };
    Ok((|| Some(DepositRow { digest: Digest(digest?), group: group?, handed_over: handed_over? }))())
}
