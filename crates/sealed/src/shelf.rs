//! A folder of segments, kept within hours, bytes and free space.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use placet_record::entry::CameraId;

use crate::file::{Name, camera_folder, create, make_folder, segments};
use crate::{Full, Now, UtcMs};

/// How long originals are kept: 1 to 72 hours. The floor's greatest value stands here and cannot be exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Retention(u8);

impl Retention {
    /// The floor's greatest: 72 hours.
    pub const LONGEST: Self = Self(72);

    /// That many hours; none where they are none or more than the floor allows.
    pub fn hours(hours: u64) -> Option<Self> {
        let hours = u8::try_from(hours).ok()?;
        (1..=Self::LONGEST.0).contains(&hours).then_some(Self(hours))
    }

    /// As a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0) * 3_600)
    }
}

/// What a shelf may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long.
    pub retention: Retention,
    /// How many bytes, over all cameras.
    pub quota: u64,
    /// How many bytes of its disk it leaves free for others.
    pub free: u64,
}

/// What a look at the shelf came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Segments whose time was over.
    pub expired: u64,
    /// Segments that were dropped before their time.
    pub full: Full,
    /// What should be gone and cannot be removed, with the system's words.
    pub stays: Vec<(PathBuf, String)>,
}

/// A folder of sealed segments, one folder in it for each camera. The oldest is dropped first, whoever's it is.
///
/// A segment's age counts on the clock that nobody can set, from when it was begun. After a restart it counts from the
/// civil time in its name; one from the future, as a clock that was set back leaves it, is taken to be as old as
/// the file's own time says, and if that is in the future too it is set to now: so it goes at the latest when the retention is
/// over from when it was first seen, however often the program starts.
pub struct Shelf {
    folder: PathBuf,
    limits: Limits,
    /// By age, the oldest first.
    held: BTreeMap<u64, Held>,
    next: u64,
    bytes: u64,
    numbers: BTreeMap<CameraId, u64>,
    _lock: File,
}

struct Held {
    path: PathBuf,
    bytes: u64,
    /// When its time is over, on the clock that nobody sets.
    over: Duration,
    /// It is being written.
    busy: bool,
    /// It could not be removed.
    stuck: bool,
}

/// A segment that is being written.
#[derive(Debug)]
pub(crate) struct Place {
    id: u64,
    pub(crate) number: u64,
    pub(crate) file: File,
}

/// Why a shelf cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The folder.
    #[error("cannot {what} `{}`, the folder for sealed originals", path.display())]
    Folder {
        /// What was tried.
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Another process writes there.
    #[error("`{}` is in use by another run", path.display())]
    Busy {
        /// Which.
        path: PathBuf,
    },
}

impl Shelf {
    /// Opens the folder, making it if it is missing, and sweeps it.
    ///
    /// # Errors
    /// If it cannot be made, read or locked.
    pub fn open(folder: &Path, limits: Limits, now: Now) -> Result<(Self, Swept), ShelfError> {
        let failed = |what| move |source| ShelfError::Folder { what, path: folder.to_owned(), source };
        make_folder(folder).map_err(failed("make"))?;
        let lock = folder.join("lock");
        let lock =
            File::options().create(true).truncate(false).write(true).open(lock).map_err(failed("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(ShelfError::Busy { path: folder.to_owned() }),
            Err(fs::TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        let mut shelf = Self {
            folder: folder.to_owned(),
            limits,
            held: BTreeMap::new(),
            next: 0,
            bytes: 0,
            numbers: BTreeMap::new(),
            _lock: lock,
        };
        shelf.survey(now).map_err(failed("read"))?;
        let swept = shelf.sweep(now);
        Ok((shelf, swept))
    }

    /// Takes stock of what earlier runs left.
    fn survey(&mut self, now: Now) -> io::Result<()> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let camera = entry.file_name().to_str().and_then(|name| name.parse::<CameraId>().ok());
            let Some(camera) = camera.filter(|_| entry.file_type().is_ok_and(|kind| kind.is_dir())) else {
                continue;
            };
            for (name, path) in segments(&entry.path())? {
                let next = self.numbers.entry(camera.clone()).or_default();
                *next = (*next).max(name.number.saturating_add(1));
                let file = path.symlink_metadata()?;
                let born = if name.start <= now.utc { name.start } else { first_seen(&path, &file, now)? };
                found.push((born, name.number, path, file.len()));
            }
        }
        found.sort_unstable();
        for (born, _, path, bytes) in found {
            let left = self.limits.retention.duration().saturating_sub(now.utc.since(born));
            let over = now.up.saturating_add(left);
            self.hold(Held { path, bytes, over, busy: false, stuck: false });
        }
        Ok(())
    }

    fn hold(&mut self, held: Held) -> u64 {
        let id = self.next;
        self.next += 1;
        self.bytes = self.bytes.saturating_add(held.bytes);
        self.held.insert(id, held);
        id
    }

    /// Removes what is past its time, then the oldest until the rest fits into its bytes and leaves enough free.
    pub fn sweep(&mut self, now: Now) -> Swept {
        let mut swept = Swept::default();
        let over = |held: &&Held| !held.busy && held.over <= now.up;
        let expired: Vec<u64> = self.held.iter().filter(|(_, held)| over(held)).map(|(id, _)| *id).collect();
        for id in expired {
            match self.remove(id) {
                Ok(_) => swept.expired += 1,
                Err(Some(stays)) => swept.stays.push(stays),
                Err(None) => {}
            }
        }
        while self.bytes > self.limits.quota || self.free().is_some_and(|free| free < self.limits.free) {
            let Some(bytes) = self.drop_oldest(&mut swept.stays) else { break };
            swept.full.segments += 1;
            swept.full.bytes += bytes;
        }
        swept
    }

    /// Drops the oldest until that many bytes are given back, or nothing is left but what is being written.
    pub(crate) fn make_room(&mut self, bytes: u64) -> Swept {
        let mut swept = Swept::default();
        while swept.full.bytes < bytes
            && let Some(freed) = self.drop_oldest(&mut swept.stays)
        {
            swept.full.segments += 1;
            swept.full.bytes += freed;
        }
        swept
    }

    /// How many bytes the segments have.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many segments there are, those being written too.
    pub fn segments(&self) -> usize {
        self.held.len()
    }

    /// A new segment of a camera, its file made and empty.
    ///
    /// # Errors
    /// What the system says, or that less is free than has to be left.
    pub(crate) fn begin(&mut self, camera: &CameraId, utc: UtcMs, now: Now) -> io::Result<Place> {
        if self.free().is_some_and(|free| free < self.limits.free) {
            let words = format!(
                "less than the {} bytes are free that sealed originals leave to others",
                self.limits.free
            );
            return Err(io::Error::new(io::ErrorKind::StorageFull, words));
        }
        let folder = camera_folder(&self.folder, camera).ok_or(io::ErrorKind::InvalidFilename)?;
        make_folder(&folder)?;
        let next = self.numbers.entry(camera.clone()).or_default();
        let number = *next;
        *next = next.saturating_add(1);
        let path = folder.join(Name { start: utc, number }.to_file());
        let file = create(&path)?;
        let over = now.up.saturating_add(self.limits.retention.duration());
        let id = self.hold(Held { path, bytes: 0, over, busy: true, stuck: false });
        Ok(Place { id, number, file })
    }

    /// That much was written to a segment.
    pub(crate) fn grew(&mut self, place: &Place, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if let Some(held) = self.held.get_mut(&place.id) {
            held.bytes = held.bytes.saturating_add(bytes);
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    /// Whether more is held than may be.
    pub(crate) fn is_over(&self) -> bool {
        self.bytes > self.limits.quota
    }

    /// A segment is not written any more; where nothing was, its file goes.
    pub(crate) fn done(&mut self, place: Place) {
        let Some(held) = self.held.get_mut(&place.id) else { return };
        held.busy = false;
        if held.bytes == 0 {
            // What stays is an empty file, which goes with its time.
            let _ = self.remove(place.id);
        }
    }

    fn drop_oldest(&mut self, stays: &mut Vec<(PathBuf, String)>) -> Option<u64> {
        loop {
            let (&id, _) = self.held.iter().find(|(_, held)| !held.busy && !held.stuck)?;
            match self.remove(id) {
                Ok(bytes) => return Some(bytes),
                Err(Some(told)) => stays.push(told),
                Err(None) => {}
            }
        }
    }

    /// Removes a segment. What cannot be removed is told once.
    fn remove(&mut self, id: u64) -> Result<u64, Option<(PathBuf, String)>> {
        let held = self.held.get_mut(&id).ok_or(None)?;
        match fs::remove_file(&held.path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                let first = !std::mem::replace(&mut held.stuck, true);
                Err(first.then(|| (held.path.clone(), e.to_string())))
            }
            _ => {
                let bytes = held.bytes;
                self.held.remove(&id);
                self.bytes = self.bytes.saturating_sub(bytes);
                Ok(bytes)
            }
        }
    }

    /// Bytes that are free on its disk, where the system tells.
    fn free(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.folder).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

/// When a segment whose name lies in the future was seen first, kept in the file's own time.
fn first_seen(path: &Path, file: &fs::Metadata, now: Now) -> io::Result<UtcMs> {
    let seen = UtcMs::of(file.modified()?);
    if seen <= now.utc {
        return Ok(seen);
    }
    let time: SystemTime = UNIX_EPOCH + Duration::from_millis(now.utc.0);
    File::options().write(true).open(path)?.set_modified(time)?;
    Ok(now.utc)
}
