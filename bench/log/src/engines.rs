//! What is measured side by side: everything here is on the disk when `append` returns.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use placet_store::{Batch, Disks, Folder, Log, SPAN};
use placet_tlog::note::SignerKey;
use redb::{Database, TableDefinition};
use rusqlite::Connection;

use crate::Outcome;

/// Something that keeps entries durably.
pub trait Engine {
    /// Appends a batch; when this returns it is on the disk.
    fn append(&mut self, batch: &Batch) -> Outcome<()>;
}

/// Opens an engine in an empty folder.
pub type Open = fn(&Path) -> Outcome<Box<dyn Engine>>;

/// All of them; the first is ours, the second what ratios are to.
pub const ENGINES: [(&str, Open); 5] = [
    ("placet-store", |folder| Ok(Box::new(placet(folder)?))),
    ("SQLite", |folder| Ok(Box::new(Sqlite::open(folder)?))),
    ("redb", |folder| Ok(Box::new(Redb::open(folder)?))),
    ("raw, growing file", |folder| Ok(Box::new(Raw::open(folder, 0)?))),
    ("raw, zero-filled file", |folder| Ok(Box::new(Raw::open(folder, 64 << 20)?))),
];

/// The key of the benches' logs: anyone can make it, and it is for nothing else.
pub fn key() -> Outcome<SignerKey> {
    Ok(SignerKey::generate("log.example/bench", [7; 32])?)
}

/// The disks of a log in a folder.
pub fn disks(folder: &Path) -> Outcome<Disks> {
    Ok(Disks::one(Arc::new(Folder::open(folder)?)))
}

/// A new log.
pub fn placet(folder: &Path) -> Outcome<Log<SignerKey>> {
    Ok(Log::create(disks(folder)?, key()?, SPAN)?)
}

impl Engine for Log<SignerKey> {
    fn append(&mut self, batch: &Batch) -> Outcome<()> {
        Log::append(self, batch)?;
        Ok(())
    }
}

/// One row per entry, one transaction per batch.
pub struct Sqlite(Connection);

impl Sqlite {
    /// Makes the table, with a write-ahead log that every commit syncs.
    pub fn open(folder: &Path) -> Outcome<Self> {
        let connection = Connection::open(folder.join("entries.sqlite"))?;
        let mode: String = connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(format!("SQLite has journal mode {mode}").into());
        }
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute("CREATE TABLE entries (n INTEGER PRIMARY KEY, entry BLOB NOT NULL)", [])?;
        Ok(Self(connection))
    }
}

impl Engine for Sqlite {
    fn append(&mut self, batch: &Batch) -> Outcome<()> {
        let transaction = self.0.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO entries (entry) VALUES (?1)")?;
            for entry in &batch.entries {
                insert.execute([entry])?;
            }
        }
        Ok(transaction.commit()?)
    }
}

const ENTRIES: TableDefinition<u64, &[u8]> = TableDefinition::new("entries");

struct Redb {
    database: Database,
    next: u64,
}

impl Redb {
    fn open(folder: &Path) -> Outcome<Self> {
        Ok(Self { database: Database::create(folder.join("entries.redb"))?, next: 0 })
    }
}

impl Engine for Redb {
    fn append(&mut self, batch: &Batch) -> Outcome<()> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(ENTRIES)?;
            for entry in &batch.entries {
                table.insert(self.next, entry.as_slice())?;
                self.next += 1;
            }
        }
        Ok(transaction.commit()?)
    }
}

/// One write and one sync, and nothing that could be looked up: what the disk itself costs.
struct Raw {
    file: File,
    end: u64,
    zeroed: u64,
    buffer: Vec<u8>,
}

impl Raw {
    fn open(folder: &Path, zeroed: u64) -> Outcome<Self> {
        let file = File::create(folder.join("entries"))?;
        file.write_all_at(&vec![0; usize::try_from(zeroed)?], 0)?;
        file.sync_all()?;
        Ok(Self { file, end: 0, zeroed, buffer: Vec::new() })
    }
}

impl Engine for Raw {
    fn append(&mut self, batch: &Batch) -> Outcome<()> {
        self.buffer.clear();
        for entry in &batch.entries {
            self.buffer.extend(u16::try_from(entry.len())?.to_be_bytes());
            self.buffer.extend(entry);
        }
        let length = self.buffer.len() as u64;
        if self.zeroed > 0 && self.end + length > self.zeroed {
            self.end = 0;
        }
        self.file.write_all_at(&self.buffer, self.end)?;
        self.file.sync_data()?;
        self.end += length;
        Ok(())
    }
}
