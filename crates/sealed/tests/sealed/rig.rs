//! A custodian, cameras, and clocks that tests set.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use placet_core::{AccessUnit, Codec, Pts};
use placet_record::entry::CameraId;
use placet_sealed::{
    Clock, CustodySecret, Limits, Notice, Now, Piece, Retention, Sealers, SegmentReader, Shelf, Span, Swept,
    UtcMs,
};

/// 2026-11-22T05:40:00Z.
pub const START: UtcMs = UtcMs(1_795_326_000_000);

pub fn custodian() -> CustodySecret {
    CustodySecret::from_seed([7; 32])
}

pub fn camera(name: &str) -> CameraId {
    name.parse().unwrap()
}

/// A picture at so many milliseconds, with bytes that are its own.
pub fn unit(ms: i64, key: bool, bytes: usize) -> AccessUnit {
    let mut data: Vec<u8> = vec![0, 0, 0, 1, if key { 0x65 } else { 0x41 }];
    data.extend((0..bytes).map(|i| (ms.wrapping_mul(31).wrapping_add(i as i64) % 251) as u8));
    AccessUnit { codec: Codec::H264, data: data.into(), pts: Pts(ms * 90), key }
}

/// So many seconds of ten pictures each, every tenth of which decodes alone, from second `from` on.
pub fn seconds(from: i64, seconds: i64, bytes: usize) -> Vec<AccessUnit> {
    (from * 10..(from + seconds) * 10).map(|n| unit(n * 100, n % 10 == 0, bytes)).collect()
}

/// Clocks that a test sets. Civil time of a picture is its time since [`START`], and what was set besides.
#[derive(Clone)]
pub struct Clocks(Arc<Mutex<(Now, i64)>>);

impl Clocks {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new((Now { utc: START, up: Duration::from_secs(1_000) }, 0))))
    }

    pub fn pass(&self, time: Duration) {
        let (now, _) = &mut *self.0.lock().unwrap();
        now.utc = now.utc.plus(time);
        now.up += time;
    }

    /// Sets the civil clock forward or back.
    pub fn set(&self, ms: i64) {
        let (now, set) = &mut *self.0.lock().unwrap();
        now.utc = UtcMs(now.utc.0.saturating_add_signed(ms));
        *set += ms;
    }

    pub fn reboot(&self) {
        self.0.lock().unwrap().0.up = Duration::from_secs(5);
    }
}

impl Clock for Clocks {
    fn now(&self) -> Now {
        self.0.lock().unwrap().0
    }

    fn utc(&self, pts: Pts) -> UtcMs {
        UtcMs(START.0.saturating_add_signed(self.0.lock().unwrap().1 + pts.0 / 90))
    }
}

pub const HOUR: Duration = Duration::from_secs(3_600);

pub fn limits(hours: u64, quota: u64) -> Limits {
    Limits { retention: Retention::hours(hours).unwrap(), quota, free: 0 }
}

/// A gateway that seals.
pub struct Gateway {
    pub folder: PathBuf,
    pub sealers: Sealers,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl Gateway {
    pub fn start(folder: &Path, limits: Limits, clocks: &Clocks) -> Self {
        Self::start_swept(folder, limits, clocks).0
    }

    pub fn start_swept(folder: &Path, limits: Limits, clocks: &Clocks) -> (Self, Swept) {
        let (shelf, swept) = Shelf::open(folder, limits, clocks.now()).unwrap();
        let notices = Arc::<Mutex<Vec<Notice>>>::default();
        let told = Arc::clone(&notices);
        let key = custodian().public_key();
        let sealers =
            Sealers::start(shelf, key, clocks.clone(), move |n| told.lock().unwrap().push(n)).unwrap();
        (Self { folder: folder.to_owned(), sealers, notices }, swept)
    }

    /// Seals these pictures, and waits until they are written.
    pub fn seal(&self, name: &str, units: &[AccessUnit]) {
        let sealer = self.sealers.camera(camera(name)).unwrap();
        for unit in units {
            sealer.push(unit);
        }
        self.sealers.sweep();
    }

    /// What was told since the last question.
    pub fn told(&self) -> Vec<Notice> {
        std::mem::take(&mut self.notices.lock().unwrap())
    }
}

/// The files of all segments, by camera and name.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let list = |dir: &Path| -> Vec<PathBuf> {
        let mut all: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
        all.sort();
        all
    };
    list(folder).into_iter().filter(|path| path.is_dir()).flat_map(|path| list(&path)).collect()
}

/// Time, whether it decodes alone, bytes.
pub type Picture = (Pts, bool, Vec<u8>);

/// What opens of a segment: its pictures, and how it ends.
pub fn read(bytes: &[u8], secret: &CustodySecret) -> (Vec<Picture>, Result<(), String>) {
    let mut out = Vec::new();
    let mut reader = match SegmentReader::open(bytes, secret) {
        Ok(reader) => reader,
        Err(e) => return (out, Err(e.to_string())),
    };
    loop {
        match reader.next_unit() {
            Ok(Some(unit)) => out.push((unit.pts, unit.key, unit.data().to_vec())),
            Ok(None) => return (out, Ok(())),
            Err(e) => return (out, Err(e.to_string())),
        }
    }
}

pub fn plain(units: &[AccessUnit]) -> Vec<Picture> {
    units.iter().map(|unit| (unit.pts, unit.key, unit.data.to_vec())).collect()
}

/// All that a camera's folder gives of a time in milliseconds from [`START`]: pictures by time, and gaps in words.
pub fn opened(folder: &Path, name: &str, from: u64, to: u64) -> (Vec<(i64, Vec<u8>)>, Vec<String>) {
    let span = Span { from: UtcMs(START.0 + from), to: UtcMs(START.0 + to) };
    let listing = placet_sealed::find(folder, &camera(name), span).unwrap();
    let (mut units, mut gaps) = (Vec::new(), Vec::new());
    placet_sealed::open(&listing.found, &custodian(), span, |piece| {
        match piece {
            Piece::Unit { at, unit, .. } => units.push((at.0 / 90, unit.data().to_vec())),
            Piece::Gap(gap) => {
                gaps.push(format!("{}..{} {:?}", gap.from.0 - span.from.0, gap.to.0 - span.from.0, gap.why));
            }
        }
        Ok::<(), ()>(())
    })
    .unwrap();
    (units, gaps)
}
