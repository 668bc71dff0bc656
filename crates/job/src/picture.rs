//! One picture: every size of face is looked for, what is found is hidden, and the result is checked until nothing
//! more is found.

use std::io::Write as _;
use std::path::Path;

use placet_core::{Detection, Digest, Rotation};
use placet_ingest::picture::{Limits, Picture, read_picture, write_picture};
use placet_redaction::{Coding, Region, Scratch, Sighting, TrackBox, Tracker, TrackerConfig, plan};
use placet_vision::{Effort, FaceDetector, Scan};

use crate::ledger::{Ledger, exposed};
use crate::masks::Masks;
use crate::video::{Hidden, boxes_at};
use crate::{FileFacts, JobError, Models, OnFound, Outcome, Pending, Settings, Verify, Watch};

/// Rounds of checking and covering before the output is withheld.
const ROUNDS: u32 = 4;

/// Hides the faces in the picture `input` and writes the checked result to `output`, for the caller to commit.
///
/// # Errors
/// [`JobError`]; then `output` is to be dropped.
pub fn redact_picture(
    models: &Models,
    settings: &Settings,
    input: &Path,
    output: &mut Pending,
    watch: &dyn Watch,
) -> Result<Outcome, JobError> {
    let bytes = std::fs::read(input).map_err(|source| JobError::Read { path: input.to_owned(), source })?;
    let facts = FileFacts { bytes: bytes.len() as u64, digest: Digest::of(&bytes) };
    let Picture { frame, meta } = read_picture(&bytes, &Limits::default())?;
    drop(bytes);
    watch.progress(0, Some(1), 0);
    let size = frame.size();

    let scan = match settings.detector_size {
        Some(wanted) => Scan::whole(size, Rotation::None, wanted),
        None => Scan::new(size, Rotation::None, Effort::Picture),
    };
    let mut found = Vec::new();
    scan.look(&mut *models.finder()?, &frame, 0, settings.scores.strong, &mut found)?;
    // In the order of reading, so that numbers are the same in every run.
    found.sort_by(|a, b| {
        (a.rect.y, a.rect.x).partial_cmp(&(b.rect.y, b.rect.x)).unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut tracker =
        Tracker::new(TrackerConfig { score: settings.scores.strong, ..TrackerConfig::new(size) });
    tracker.push(Sighting { time_s: 0.0, cut: false, detections: &found });

    let masks = Masks::new(settings, Coding::default());
    let mut ledger = Ledger { judged: 1, ..Ledger::default() };
    let mut scratch = Scratch::new();
    let mut boxes: Vec<TrackBox> = Vec::new();
    boxes_at(&tracker, 0, &mut boxes)?;
    let regions = masks.regions(&boxes, 0.0);
    let mut hidden = masks.hide(frame, &regions, &boxes, &mut scratch);
    if settings.verify != Verify::None {
        check(
            models,
            settings,
            &masks,
            &mut tracker,
            &mut boxes,
            regions,
            &mut hidden,
            &mut scratch,
            &mut ledger,
        )?;
    }
    ledger.saw(0, &boxes, |t| settings.keep_tracks.contains(&t));
    ledger.covered.push((hidden.covered_share().clamp(0.0, 1.0) * 65535.0) as u16);

    let mut encoded = Vec::new();
    match &hidden {
        Hidden::Redacted(f) => write_picture(&mut encoded, f, &meta, settings.keep_metadata)?,
        Hidden::Obscured(f) => {
            placet_ingest::picture::write_obscured_picture(&mut encoded, f, &meta, settings.keep_metadata)?
        }
    }
    if watch.cancelled() {
        return Err(JobError::Cancelled);
    }
    let path = output.path().to_owned();
    output.file().write_all(&encoded).map_err(|source| crate::OutputError::Write { path, source })?;
    watch.progress(1, Some(1), ledger.tracks.len());
    let format = meta.format.name().to_owned();
    Ok(Outcome {
        input: facts,
        output: FileFacts { bytes: encoded.len() as u64, digest: Digest::of(&encoded) },
        size,
        rotation: Rotation::None,
        frames: 1,
        duration_ms: 0,
        frame_rate: None,
        detector_input: scan.whole_size(),
        margins_s: (0.0, 0.0, 0.0),
        container: format.clone(),
        codec: format,
        times_ms: Vec::new(),
        ledger,
        has_sound: false,
    })
}

#[expect(clippy::too_many_arguments, reason = "the working state of one picture, used once")]
fn check(
    models: &Models,
    settings: &Settings,
    masks: &Masks,
    tracker: &mut Tracker,
    boxes: &mut Vec<TrackBox>,
    mut regions: Vec<Region>,
    hidden: &mut Hidden,
    scratch: &mut Scratch,
    ledger: &mut Ledger,
) -> Result<(), JobError> {
    let mut checker: Box<dyn FaceDetector> = models.checker()?;
    let scan = Scan::new(hidden.as_frame().size(), Rotation::None, Effort::Check);
    ledger.checked.push(0);
    for round in 1..=ROUNDS {
        let mut found: Vec<Detection> = Vec::new();
        scan.look(&mut *checker, hidden.as_frame(), 0, settings.scores.check, &mut found)
            .map_err(|e| JobError::Check { frame: 0, cause: crate::chain(&e) })?;
        let kept = masks.kept_boxes(boxes);
        found.retain(|d| exposed(d, &regions) && !kept.iter().any(|k| k.iou(&d.rect) > 0.2));
        if found.is_empty() {
            return Ok(());
        }
        ledger.check_found += found.len() as u64;
        ledger.check_rounds = round;
        if settings.on_found == OnFound::Withhold || round == ROUNDS {
            return Err(JobError::FaceRemains { frame: 0, rounds: round });
        }
        for d in &found {
            tracker.insert_found(0, d.rect, 0).map_err(|_| JobError::Bug("the one frame is forgotten"))?;
        }
        boxes_at(tracker, 0, boxes)?;
        // What the check found is hidden as it was found, however the tracker joins it to what was known.
        let more: Vec<Region> = masks
            .regions(boxes, 0.0)
            .into_iter()
            .chain(
                found
                    .iter()
                    .map(|d| plan::mask_region(d.rect, settings.target, settings.mask_scale, settings.shape)),
            )
            .collect();
        masks.hide_more(hidden, &more, boxes, scratch);
        regions.extend(more);
    }
    Ok(())
}
