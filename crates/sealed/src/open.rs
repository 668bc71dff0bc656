//! For whoever has the private half: which segments speak of a time, and what is in them.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use placet_core::{Codec, Pts};
use placet_record::entry::CameraId;

use crate::file::{camera_folder, segments};
use crate::{CustodySecret, Header, SegmentError, SegmentReader, Unit, UtcMs, read_header};

/// No segment is longer; see [`crate::Sealers`].
const LONGEST: Duration = Duration::from_secs(330);
/// Pictures further apart than this leave a gap that is told.
const GAP: Duration = Duration::from_secs(2);

/// A time of footage: from its first millisecond to the one after its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub from: UtcMs,
    /// The one after the last.
    pub to: UtcMs,
}

/// A segment that may hold something of a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// What stands in clear.
    pub header: Header,
    /// Its length.
    pub bytes: u64,
}

/// What a camera's folder holds of a time.
#[derive(Debug, Default)]
pub struct Listing {
    /// The segments, by number.
    pub found: Vec<Found>,
    /// Those whose header is no camera's, or another one's than their place says.
    pub unreadable: Vec<(PathBuf, SegmentError)>,
}

/// Why nothing was found or opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder.
    #[error("cannot read `{}`, the folder of the camera's sealed originals", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A name that is no folder.
    #[error("`{camera}` has no sealed originals")]
    Camera {
        /// Which.
        camera: CameraId,
    },
}

/// Lists the segments of a camera that may hold something of `span`. Reads what stands in clear, and opens nothing.
///
/// # Errors
/// If the camera's folder cannot be read.
pub fn find(folder: &Path, camera: &CameraId, span: Span) -> Result<Listing, OpenError> {
    let path = camera_folder(folder, camera).ok_or_else(|| OpenError::Camera { camera: camera.clone() })?;
    let failed = |source| OpenError::Folder { path: path.clone(), source };
    let mut listing = Listing::default();
    for (name, path) in segments(&path).map_err(failed)? {
        if name.start >= span.to || name.start.plus(LONGEST) < span.from {
            continue;
        }
        let read = File::open(&path).map_err(SegmentError::Read).and_then(|mut file| {
            let header = read_header(&mut file)?;
            let bytes = file.metadata().map_err(SegmentError::Read)?.len();
            Ok((header, bytes))
        });
        match read {
            Ok((header, bytes))
                if header.start.camera == *camera
                    && header.start.number == name.number
                    && header.start.utc == name.start =>
            {
                listing.found.push(Found { path, header, bytes });
            }
            Ok(_) => listing.unreadable.push((path, SegmentError::Header { what: "place" })),
            Err(why) => listing.unreadable.push((path, why)),
        }
    }
    listing.found.sort_by_key(|found| (found.header.start.number, found.header.start.utc));
    Ok(listing)
}

/// A part of what was asked for.
#[derive(Debug)]
pub enum Piece {
    /// A picture.
    Unit {
        /// How it is coded.
        codec: Codec,
        /// When it was taken, in ticks of [`placet_core::TimeBase::LIVE`] from the span's first millisecond.
        at: Pts,
        /// It.
        unit: Unit,
    },
    /// Nothing could be given for a while.
    Gap(Gap),
}

/// A while for which there is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Since when.
    pub from: UtcMs,
    /// Until when.
    pub to: UtcMs,
    /// Why.
    pub why: Why,
}

/// Why there is nothing for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing was sealed, or it is gone.
    NotThere,
    /// The first pictures need one from before what was asked for.
    NoKeyFrame,
    /// What wrote it was stopped.
    Torn,
    /// It was changed, moved or cannot be read; in words.
    Damaged(String),
}

/// Opens segments that [`find`] found, and hands over what they hold of `span`, in order, from the first picture in it that
/// decodes alone: never a picture from outside it. `sink` may end it by an error.
///
/// # Errors
/// Those of `sink` alone: what cannot be read or opened is a gap.
pub fn open<E>(
    found: &[Found],
    secret: &CustodySecret,
    span: Span,
    mut sink: impl FnMut(Piece) -> Result<(), E>,
) -> Result<(), E> {
    let mut progress = Progress { span, last: span.from, why: Why::NotThere, broken: false };
    for found in found {
        let file = File::open(&found.path).map_err(SegmentError::Read);
        let reader = file.and_then(|file| SegmentReader::open(BufReader::new(file), secret));
        match reader {
            // Between looking and opening another file may have been put there.
            Ok(reader) if reader.header() == &found.header => progress.segment(reader, &mut sink)?,
            Ok(_) => progress.breaks(&SegmentError::Header { what: "place" }),
            Err(why) => progress.breaks(&why),
        }
    }
    progress.gap_until(span.to, &mut sink)
}

struct Progress {
    span: Span,
    /// When the last picture was taken that was handed over.
    last: UtcMs,
    /// Why nothing came since.
    why: Why,
    /// A segment was not read to its end, so that even a short gap is told.
    broken: bool,
}

impl Progress {
    fn segment<E>(
        &mut self,
        mut reader: SegmentReader<impl io::Read>,
        sink: &mut impl FnMut(Piece) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = reader.header().start.clone();
        let mut running = false;
        loop {
            let unit = match reader.next_unit() {
                Ok(Some(unit)) => unit,
                Ok(None) => return Ok(()),
                Err(why) => {
                    self.breaks(&why);
                    return Ok(());
                }
            };
            let ticks = unit.pts.0.saturating_sub(start.pts.0);
            let utc = utc(start.utc, ticks);
            if utc >= self.span.to {
                return Ok(());
            }
            if utc < self.span.from || !(running || unit.key) {
                self.why = if utc < self.span.from { Why::NoKeyFrame } else { self.why.clone() };
                continue;
            }
            running = true;
            self.gap_until(utc, sink)?;
            (self.last, self.why) = (self.last.max(utc), Why::NotThere);
            let first = i64::try_from(start.utc.0).unwrap_or(i64::MAX).saturating_sub(self.from());
            let at = Pts(first.saturating_mul(90).saturating_add(ticks));
            sink(Piece::Unit { codec: start.codec, at, unit })?;
        }
    }

    fn from(&self) -> i64 {
        i64::try_from(self.span.from.0).unwrap_or(i64::MAX)
    }

    fn breaks(&mut self, why: &SegmentError) {
        self.broken = true;
        self.why = match why {
            SegmentError::Torn { .. } => Why::Torn,
            other => Why::Damaged(other.to_string()),
        };
    }

    /// Tells a gap up to `utc`, if there is one.
    fn gap_until<E>(&mut self, utc: UtcMs, sink: &mut impl FnMut(Piece) -> Result<(), E>) -> Result<(), E> {
        let told = utc.since(self.last) > if self.broken { Duration::ZERO } else { GAP };
        self.broken = false;
        if !told {
            return Ok(());
        }
        sink(Piece::Gap(Gap { from: self.last, to: utc, why: self.why.clone() }))
    }
}

fn utc(start: UtcMs, ticks: i64) -> UtcMs {
    UtcMs(start.0.saturating_add_signed(ticks.div_euclid(90)))
}
