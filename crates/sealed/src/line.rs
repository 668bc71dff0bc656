//! One camera's segments: when one begins, what goes in, when it ends; and what is done where the disk refuses.

use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use placet_core::{AccessUnit, Codec, Pts};
use placet_record::entry::CameraId;

use crate::segment::{MAX_UNIT, SegmentWriter, Start};
use crate::shelf::{Place, Shelf};
use crate::{Clock, CustodyKey, Full, Notice, Swept};

/// A segment ends at the first key frame this long after its start, in ticks: a minute.
const LENGTH: i64 = 60 * 90_000;
/// Without a key frame it ends after this long all the same, and the next one waits for a key frame.
const LONGEST: i64 = 5 * LENGTH;
/// Or with this many bytes.
const LARGEST: u64 = 1 << 30;
/// How long after a failure nothing is tried, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often it is said that segments are dropped before their time.
const TELL_FULL: Duration = Duration::from_secs(600);

/// What all lines share.
pub struct Desk {
    pub shelf: Shelf,
    pub key: CustodyKey,
    pub clock: Box<dyn Clock>,
    pub tell: Box<dyn FnMut(Notice) + Send>,
    dropped: Full,
    told: Option<Duration>,
}

impl Desk {
    pub fn new(
        shelf: Shelf,
        key: CustodyKey,
        clock: Box<dyn Clock>,
        tell: Box<dyn FnMut(Notice) + Send>,
    ) -> Self {
        Self { shelf, key, clock, tell, dropped: Full::default(), told: None }
    }

    pub fn sweep(&mut self) {
        let swept = self.shelf.sweep(self.clock.now());
        self.swept(swept);
    }

    fn swept(&mut self, swept: Swept) {
        self.dropped.segments += swept.full.segments;
        self.dropped.bytes += swept.full.bytes;
        for (path, why) in swept.stays {
            (self.tell)(Notice::Stays { path, why });
        }
        let up = self.clock.now().up;
        if self.told.is_none_or(|told| up.saturating_sub(told) >= TELL_FULL) {
            self.tell_dropped();
        }
    }

    /// Says what was dropped and not said yet.
    pub fn tell_dropped(&mut self) {
        if self.dropped.segments > 0 {
            (self.tell)(Notice::Full(std::mem::take(&mut self.dropped)));
            self.told = Some(self.clock.now().up);
        }
    }

    /// Does something that writes, dropping the oldest segments as long as the disk says that it is full.
    fn with_room<T>(
        &mut self,
        bytes: usize,
        mut work: impl FnMut(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            match work(self) {
                Err(e) if is_full(&e) => {
                    let swept = self.shelf.make_room(bytes as u64);
                    let nothing = swept.full.segments == 0;
                    self.swept(swept);
                    if nothing {
                        return Err(e);
                    }
                }
                other => return other,
            }
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// A segment being written.
struct Segment {
    body: Body,
    writer: SegmentWriter,
    codec: Codec,
    start: Pts,
}

/// Its file.
struct Body {
    place: Place,
    /// What of it is whole, in bytes.
    whole: u64,
}

/// One camera.
pub struct Line {
    camera: CameraId,
    segment: Option<Segment>,
    /// Until when nothing is tried, and how long after the next failure.
    pause: Option<(Duration, Duration)>,
}

impl Line {
    pub fn new(camera: CameraId) -> Self {
        Self { camera, segment: None, pause: None }
    }

    /// The next coded picture, before which `lost` ones did not come.
    pub fn unit(&mut self, desk: &mut Desk, unit: &AccessUnit, lost: u64) {
        if lost > 0 {
            // A segment has no hole: the next one says by its time how much is missing.
            self.end(desk);
            (desk.tell)(Notice::Behind { camera: self.camera.clone(), units: lost });
        }
        if !(1..=MAX_UNIT).contains(&unit.data.len()) {
            self.end(desk);
            (desk.tell)(Notice::TooLarge { camera: self.camera.clone(), bytes: unit.data.len() });
            return;
        }
        if self.segment.as_ref().is_some_and(|segment| segment.is_over(unit)) {
            self.end(desk);
        }
        if self.segment.is_none() && !(unit.key && self.begin(desk, unit)) {
            return;
        }
        let Some(segment) = &mut self.segment else { return };
        match segment.add(desk, unit) {
            Ok(()) => self.works(desk),
            Err(why) => self.fails(desk, &why),
        }
        if desk.shelf.is_over() {
            desk.sweep();
        }
    }

    /// Begins a segment with this picture; whether it could.
    fn begin(&mut self, desk: &mut Desk, unit: &AccessUnit) -> bool {
        let now = desk.clock.now();
        if self.pause.is_some_and(|(until, _)| now.up < until) {
            return false;
        }
        desk.sweep();
        match Segment::begin(desk, &self.camera, unit) {
            Ok(segment) => self.segment = Some(segment),
            Err(why) => self.fails(desk, &why),
        }
        self.segment.is_some()
    }

    fn works(&mut self, desk: &mut Desk) {
        if self.pause.take().is_some() {
            (desk.tell)(Notice::Again { camera: self.camera.clone() });
        }
    }

    /// Gives the segment up as it stands; whoever reads it finds all that was written whole.
    fn fails(&mut self, desk: &mut Desk, why: &io::Error) {
        if let Some(segment) = self.segment.take() {
            desk.shelf.done(segment.body.place);
        }
        let again_in = self.pause.map_or(FIRST_PAUSE, |(_, next)| next);
        let until = desk.clock.now().up.saturating_add(again_in);
        self.pause = Some((until, (again_in * 2).min(LONGEST_PAUSE)));
        (desk.tell)(Notice::Cannot { camera: self.camera.clone(), why: why.to_string(), again_in });
    }

    /// Ends the segment that is being written.
    pub fn end(&mut self, desk: &mut Desk) {
        if let Some(segment) = self.segment.take()
            && let Err(why) = segment.end(desk)
        {
            self.fails(desk, &why);
        }
    }
}

impl Segment {
    fn begin(desk: &mut Desk, camera: &CameraId, unit: &AccessUnit) -> io::Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(io::Error::other)?;
        let utc = desk.clock.utc(unit.pts);
        let place = desk.with_room(unit.data.len(), |desk| {
            let now = desk.clock.now();
            desk.shelf.begin(camera, utc, now)
        })?;
        let start =
            Start { camera: camera.clone(), codec: unit.codec, number: place.number, utc, pts: unit.pts };
        let mut body = Body { place, whole: 0 };
        let begun = SegmentWriter::begin(&desk.key, &start, seed).map_err(io::Error::other);
        match begun.and_then(|(writer, head)| body.write(desk, &head).map(|()| writer)) {
            Ok(writer) => Ok(Self { body, writer, codec: unit.codec, start: unit.pts }),
            Err(e) => {
                desk.shelf.done(body.place);
                Err(e)
            }
        }
    }

    /// Whether this picture belongs into the next segment.
    fn is_over(&self, unit: &AccessUnit) -> bool {
        let since = unit.pts.0.saturating_sub(self.start.0);
        unit.codec != self.codec
            || (unit.key && since >= LENGTH)
            || since >= LONGEST
            || self.body.whole >= LARGEST
            || since < -LENGTH
    }

    fn add(&mut self, desk: &mut Desk, unit: &AccessUnit) -> io::Result<()> {
        let chunk = self.writer.unit(unit).map_err(io::Error::other)?;
        self.body.write(desk, &chunk)
    }

    fn end(self, desk: &mut Desk) -> io::Result<()> {
        let Self { mut body, writer, .. } = self;
        let done = writer.end().map_err(io::Error::other).and_then(|last| body.write(desk, &last));
        let done = done.and_then(|()| body.place.file.sync_all());
        desk.shelf.done(body.place);
        done
    }
}

impl Body {
    /// Writes at the end of what is whole: a half write that is tried again leaves nothing between.
    fn write(&mut self, desk: &mut Desk, bytes: &[u8]) -> io::Result<()> {
        let written = desk.with_room(bytes.len(), |_| self.place.file.write_all_at(bytes, self.whole));
        match written {
            Ok(()) => {
                self.whole += bytes.len() as u64;
                desk.shelf.grew(&self.place, bytes.len());
                Ok(())
            }
            Err(e) => {
                // Best effort: a reader stops before a torn chunk.
                let _ = self.place.file.set_len(self.whole);
                Err(e)
            }
        }
    }
}
