//! The whole log: every entry read, the tree computed anew, every file compared, every rule applied.

mod report;
mod side;
mod tiles;
mod walk;

pub use report::{Counted, Invalid, MAX_LISTED, Noted, Notice, Report};

use placet_core::UtcTime;
use placet_record::entry::{Leaf, Moment};
use placet_tlog::checkpoint::SignedCheckpoint;
use placet_tlog::policy::{Policy, PolicyError};
use placet_tlog::tile::{Content, Tile, WIDTH, unbundle};

use crate::layout::{CHECKPOINT, MAX_BUNDLE, MAX_CHECKPOINT, Wanted, first_items};
use crate::source::{Source, SourceError};
use walk::Walk;

/// How many bundles are asked for ahead.
const AHEAD: u64 = 32;

/// Reads the whole log that `source` has now and reports all that is wrong with it, to a reader who trusts `policy`, whose clock says
/// `now`, and who may have kept an older checkpoint (`since`).
///
/// Memory grows with the number of events (the id of each) and of ticks that are not opened yet, not with the log's bytes.
///
/// # Errors
/// If the log cannot be got, or its checkpoint is not one to believe: then nothing that follows from it would be.
pub fn audit<S: Source>(
    source: &S,
    policy: &Policy,
    now: Moment,
    since: Option<&SignedCheckpoint>,
) -> Result<Report, AuditError> {
    let served = source.get(CHECKPOINT, MAX_CHECKPOINT)?.ok_or(AuditError::NoCheckpoint)?;
    let accepted = policy.accept(&served).map_err(|source| AuditError::Checkpoint { source })?;
    let checkpoint = accepted.checkpoint().clone();
    if since.is_some_and(|since| since.checkpoint().origin != checkpoint.origin) {
        return Err(AuditError::Since);
    }
    let ahead = accepted.witnessed_at().filter(|at| *at > now.unix_seconds());
    let mut report = Report::new(accepted);
    if let Some(at) = ahead.and_then(UtcTime::from_unix_seconds) {
        report.note(None, Notice::WitnessAhead { at });
    }
    let ticks = ticks_by_the_last(source, checkpoint.size)?;
    let mut walk = Walk::new(source, policy, ticks, report);
    if let Some(since) = since {
        walk.expect_since(since);
    }
    for number in 0..checkpoint.size.div_ceil(WIDTH) {
        if number % AHEAD == 0 {
            expect(source, number, checkpoint.size);
        }
        walk.bundle(number)?;
    }
    walk.end(now)
}

/// Tells the source which bundles and tiles come next.
fn expect<S: Source>(source: &S, number: u64, size: u64) {
    let tile = |content, index| Tile::of(content, index, size).map(|tile| Wanted::tile(tile).path);
    let bundles = (number..number + AHEAD).filter_map(|n| Some((tile(Content::Entries, n)?, MAX_BUNDLE)));
    let tiles = (number..number + AHEAD).filter_map(|n| Some((tile(Content::Hashes(0), n)?, 32 * WIDTH)));
    source.expect(&bundles.chain(tiles).collect::<Vec<_>>());
}

/// How many ticks the log has by the number of its last, for the names of files alone: nothing else hangs on it.
fn ticks_by_the_last<S: Source>(source: &S, size: u64) -> Result<u64, AuditError> {
    for number in (0..size.div_ceil(WIDTH)).rev() {
        let Some(tile) = Tile::of(Content::Entries, number, size) else { continue };
        let file = Wanted::tile(tile);
        let bytes = match file.get(source, MAX_BUNDLE) {
            Ok(Some((bytes, _))) => bytes,
            Ok(None) | Err(SourceError::TooLong { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let entries = unbundle(first_items(&bytes, file.width), file.width).unwrap_or_default();
        let last = entries.iter().rev().find_map(|entry| match Leaf::parse(entry) {
            Ok(Leaf::Tick(tick)) => Some(tick.n),
            Ok(_) | Err(_) => None,
        });
        if let Some(n) = last {
            return Ok(n.saturating_add(1));
        }
    }
    Ok(0)
}

/// Why a log was not audited.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A file cannot be got.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is no log.
    #[error("there is no file `checkpoint`: this is no published log")]
    NoCheckpoint,
    /// The checkpoint is not one to trust.
    #[error("the log's checkpoint is not accepted")]
    Checkpoint {
        /// Why not.
        source: PolicyError,
    },
    /// An older checkpoint of another log.
    #[error("the older checkpoint is of another log")]
    Since,
}
