//! Making and opening a store: whether its files belong together, and what a crash left unfinished.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::database::Database;
use crate::error::{Error, Reason};
use crate::file::{self, Disk, RealDisk, spare};
use crate::keys::Keys;
use crate::mark::Mark;
use crate::source::KeySource;
use crate::store::{Paths, Store, mark_beside};

impl Store {
    /// Makes a store in `folder`, which may be there, but no store in it.
    ///
    /// # Errors
    /// If there is one, the key cannot be had, or it cannot be written.
    pub fn create(folder: &Path, source: &dyn KeySource) -> Result<Self, Error> {
        Self::create_with_mark(folder, &mark_beside(folder), source)
    }

    /// Makes a store whose mark is the file `mark`. On another device it is not restored with the rest by mistake.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub fn create_with_mark(folder: &Path, mark: &Path, source: &dyn KeySource) -> Result<Self, Error> {
        let paths = Paths { folder: folder.to_owned(), mark: mark.to_owned() };
        for path in [folder.to_owned(), paths.deposits()] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
            made.and_then(|()| file::sync_folder(&path)).map_err(disk_error("make", &path))?;
        }
        let lock = lock(folder)?;
        if let Some(path) =
            [paths.keys(), paths.database(), paths.mark.clone()].into_iter().find(|path| path.exists())
        {
            return Err(Error::AlreadyThere { path });
        }
        let key = source.key().map_err(|source| Error::Key { source })?;
        let keys = Keys::new().ok_or(Error::NoRandomness)?;
        let disk: Box<dyn Disk> = Box::new(RealDisk);
        file::create(&*disk, &paths.keys(), &keys.seal(&key)?).map_err(disk_error("write", &paths.keys()))?;
        let database = Database::create(&paths.database(), &keys)?;
        let made = Self { paths, disk, key, keys, database, shut: false, _lock: lock };
        // The mark comes last: without it there is no store.
        let bytes = made.mark().seal(&made.key)?;
        file::create(&*made.disk, mark, &bytes).map_err(disk_error("write", mark))?;
        Ok(made)
    }

    /// Opens the store in `folder`, checks that its files belong together and are as they were written, and finishes
    /// what a crash interrupted.
    ///
    /// # Errors
    /// If another process has it open, a file is missing, damaged or restored from an older copy, or it is no store.
    pub fn open(folder: &Path, source: &dyn KeySource) -> Result<Self, Error> {
        Self::open_with_mark(folder, &mark_beside(folder), source)
    }

    /// Opens a store whose mark is the file `mark`.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with_mark(folder: &Path, mark: &Path, source: &dyn KeySource) -> Result<Self, Error> {
        Self::open_on(Box::new(RealDisk), folder, mark, source)
    }

    pub(crate) fn open_on(
        disk: Box<dyn Disk>,
        folder: &Path,
        mark: &Path,
        source: &dyn KeySource,
    ) -> Result<Self, Error> {
        let paths = Paths { folder: folder.to_owned(), mark: mark.to_owned() };
        if !paths.keys().exists() {
            return Err(Error::Missing { path: paths.keys() });
        }
        let lock = lock(folder)?;
        let key: Zeroizing<[u8; 32]> = source.key().map_err(|source| Error::Key { source })?;
        let keys = Keys::read(&paths.keys(), &key)?;
        let mark = Mark::read(mark, &key)?;
        if mark.store != keys.store {
            return Err(Error::Refused { path: paths.mark, reason: Reason::Foreign });
        }
        let database = Database::open(&paths.database(), &keys)?;
        compare(mark.keys, keys.generation, &paths.keys(), &paths.mark)?;
        compare(mark.database, database.sequence(), &paths.database(), &paths.mark)?;
        database.check(&keys)?;
        let mut opened = Self { paths, disk, key, keys, database, shut: true, _lock: lock };
        opened.settle()?;
        if opened.mark() != mark {
            opened.write_mark()?;
        }
        opened.shut = false;
        Ok(opened)
    }

    /// Finishes what was begun: overwritten copies go, rows without a key go, files that nobody was told of go.
    fn settle(&mut self) -> Result<(), Error> {
        for path in [spare(&self.paths.keys()), spare(&self.paths.mark)] {
            file::discard(&*self.disk, &path).map_err(disk_error("erase", &path))?;
        }
        for group in self.keys.erasing.clone() {
            if self.database.has_once(&self.keys.erased_tag(&group))? {
                self.keys.erasing.remove(&group);
            } else {
                let rows = self.database.group(&group)?;
                self.delete_rows(&group, &rows)?;
            }
        }
        // Every row that is left has its key, or the file of keys is not the one that belongs here.
        let refused = || Error::Refused { path: self.paths.keys(), reason: Reason::Damaged };
        self.database.each_record(|row| self.keys.data_key(&row.group).map(|_| ()).ok_or_else(refused))?;
        self.settle_deposits()
    }

    fn settle_deposits(&self) -> Result<(), Error> {
        let known: BTreeSet<OsString> =
            self.database.deposits()?.iter().map(|row| row.digest.hex().into()).collect();
        let folder = self.paths.deposits();
        let mut there = BTreeSet::new();
        for entry in fs::read_dir(&folder).map_err(disk_error("list", &folder))? {
            let entry = entry.map_err(disk_error("list", &folder))?;
            if known.contains(&entry.file_name()) {
                there.insert(entry.file_name());
            } else {
                let path = entry.path();
                file::discard(&*self.disk, &path).map_err(disk_error("erase", &path))?;
            }
        }
        match known.difference(&there).next() {
            Some(name) => Err(Error::Missing { path: folder.join(name) }),
            None => Ok(()),
        }
    }
}

/// Holds a file that may be ahead of the mark by one step, which a crash explains, against the mark.
fn compare(marked: u64, found: u64, path: &Path, mark: &Path) -> Result<(), Error> {
    let refused = |path: &Path, reason| Err(Error::Refused { path: path.to_owned(), reason });
    match found.checked_sub(marked) {
        None => refused(path, Reason::Old),
        Some(0 | 1) => Ok(()),
        Some(_) => refused(mark, Reason::OldMark),
    }
}

fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join("lock");
    let open = File::options().write(true).create(true).truncate(false).open(&path);
    let file = open.map_err(disk_error("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::Disk { doing: "lock", path, source }),
    }
}

fn disk_error(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Disk { doing, path: path.to_owned(), source }
}
