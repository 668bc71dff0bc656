use std::sync::{Mutex, MutexGuard, PoisonError};

use placet_core::{Pts, Size};
use placet_feed::State;
use placet_gateway::{Level, Reason};

/// Delays that are remembered for the quantiles.
const REMEMBERED: usize = 512;

/// What a camera's line did and does, for pages and metrics. Written by its threads, read by anyone.
#[derive(Debug)]
pub struct Status(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    report: Report,
    delays: Vec<i64>,
    next: usize,
}

/// Counters since the start, and what holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What viewers are told.
    pub state: State,
    /// How much is done for each frame.
    pub level: Level,
    /// Columns and rows of the pictures, once known.
    pub size: Option<Size>,
    /// Coded pictures that came from the camera.
    pub units: u64,
    /// Times that pictures were skipped, up to one that decodes alone, since the decoder did not keep up.
    pub skipped: u64,
    /// Frames that were decoded.
    pub decoded: u64,
    /// Frames that were looked at.
    pub looked: u64,
    /// Frames that left with faces hidden or none found.
    pub left: u64,
    /// Frames that left covered whole: damaged, unjudged, late, overload.
    pub covered: [u64; 4],
    /// Frames that did not leave, since there was too much to do.
    pub dropped: u64,
    /// Coded pictures of the redacted stream.
    pub encoded: u64,
    /// Times the decoder and the encoder were started.
    pub starts: (u64, u64),
    /// When the last frame left, on the gateway's clock.
    pub last: Option<Pts>,
    /// From a picture's time to the moment it left encoded, in milliseconds: median and 99th percentile of the last 512.
    pub delay_ms: Option<(u32, u32)>,
    /// What is wrong, in words.
    pub trouble: Option<String>,
}

impl Default for Status {
    fn default() -> Self {
        let report = Report {
            state: State::away("not yet seen"),
            level: Level::Close,
            size: None,
            units: 0,
            skipped: 0,
            decoded: 0,
            looked: 0,
            left: 0,
            covered: [0; 4],
            dropped: 0,
            encoded: 0,
            starts: (0, 0),
            last: None,
            delay_ms: None,
            trouble: None,
        };
        Self(Mutex::new(Inner { report, delays: Vec::with_capacity(REMEMBERED), next: 0 }))
    }
}

impl Status {
    /// What is known now.
    pub fn report(&self) -> Report {
        let inner = self.lock();
        let mut delays = inner.delays.clone();
        let mut report = inner.report.clone();
        drop(inner);
        delays.sort_unstable();
        let at = |per_cent: usize| {
            let ticks = delays.get((delays.len().saturating_sub(1)) * per_cent / 100)?;
            u32::try_from(ticks / 90).ok()
        };
        report.delay_ms = at(50).zip(at(99));
        report
    }

    pub(crate) fn note(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.lock().report);
    }

    /// A redacted picture of time `pts` is out.
    pub(crate) fn encoded(&self, pts: Pts, now: Pts) {
        let mut inner = self.lock();
        inner.report.encoded += 1;
        let delay = now.0.saturating_sub(pts.0);
        let next = inner.next;
        match inner.delays.get_mut(next) {
            Some(old) => *old = delay,
            None => inner.delays.push(delay),
        }
        inner.next = (next + 1) % REMEMBERED;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Counters are whole at each moment, whatever panicked elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Place of a reason among [`Report::covered`].
pub(crate) fn place(reason: Reason) -> usize {
    match reason {
        Reason::Damaged => 0,
        Reason::Unjudged => 1,
        Reason::Late => 2,
        Reason::Overload => 3,
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
