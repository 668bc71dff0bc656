//! One picture: every size of face is looked for, what is found is hidden, and the result is checked until nothing
//! more is found.

use std::io::Write as _;
use std::path::Path;

use placet_core::{Detection, Digest, Frame, Layout, Rotation, Size};
use placet_ingest::picture::{Limits, Picture, read_picture, write_picture};
use placet_redaction::{Coding, Region, Scratch, Sighting, TrackBox, Tracker, TrackerConfig, plan};
use placet_vision::{Effort, FaceDetector, Scan, VisionError, merge};

use crate::ledger::{Ledger, exposed};
use crate::masks::{Masks, check_regions};
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
    let Picture { frame, meta, turn_in_doubt } = read_picture(&bytes, &Limits::default())?;
    drop(bytes);
    watch.progress(0, Some(1), 0);
    let size = frame.size();

    let sides = sides(turn_in_doubt);
    if turn_in_doubt {
        watch.note(
            "the file says in several ways how the picture is turned, so faces are looked for from all sides",
        );
    }
    let coarse = has_few_tones(&frame);
    let scans = scans(sides, size, coarse, |side| match settings.detector_size {
        Some(wanted) => Scan::whole(size, side, wanted),
        None => Scan::new(size, side, Effort::Picture),
    });
    let mut found = Vec::new();
    look(&scans, &mut *models.finder()?, &frame, settings.scores.strong, &mut found)?;
    // In the order of reading, so that numbers are the same in every run.
    found.sort_by(|a, b| {
        (a.rect.y, a.rect.x).partial_cmp(&(b.rect.y, b.rect.x)).unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut tracker =
        Tracker::new(TrackerConfig { score: settings.scores.strong, ..TrackerConfig::new(size) });
    tracker.push(Sighting { time_s: 0.0, cut: false, detections: &found });

    let masks = Masks::new(settings, Coding::default(), size, Rotation::None);
    check_regions(&settings.manual, size, 0.0)?;
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
            (sides, coarse),
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
        detector_input: scans.first().map_or(size, Scan::whole_size),
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
    (sides, coarse): (&[Rotation], bool),
    masks: &Masks,
    tracker: &mut Tracker,
    boxes: &mut Vec<TrackBox>,
    mut regions: Vec<Region>,
    hidden: &mut Hidden,
    scratch: &mut Scratch,
    ledger: &mut Ledger,
) -> Result<(), JobError> {
    let mut checker: Box<dyn FaceDetector> = models.checker()?;
    let size = hidden.as_frame().size();
    let scans = scans(sides, size, coarse, |side| Scan::new(size, side, Effort::Check));
    ledger.checked.push(0);
    for round in 1..=ROUNDS {
        let mut found: Vec<Detection> = Vec::new();
        look(&scans, &mut *checker, hidden.as_frame(), settings.scores.check, &mut found)
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

/// How the picture may have to be turned for its faces to stand upright.
fn sides(in_doubt: bool) -> &'static [Rotation] {
    if in_doubt {
        &[Rotation::None, Rotation::Cw90, Rotation::Half, Rotation::Cw270]
    } else {
        &[Rotation::None]
    }
}

/// What to look at: from each side, and where dots stand for tones also at a half and a quarter of the size, where the eye
/// sees tones.
fn scans(sides: &[Rotation], size: Size, coarse: bool, usual: impl Fn(Rotation) -> Scan) -> Vec<Scan> {
    let smaller: &[u32] = if coarse { &[2, 4] } else { &[] };
    let mut all = Vec::new();
    for &side in sides {
        all.push(usual(side));
        let seen = side.upright(size);
        for n in smaller {
            let less = |length: u32| (length / n).clamp(32, 2048);
            all.push(Scan::whole(size, side, Size { width: less(seen.width), height: less(seen.height) }));
        }
    }
    all
}

/// Whether the picture is made of so few tones that dots may stand for others.
fn has_few_tones(frame: &Frame) -> bool {
    const FEW: usize = 8;
    frame.planes().take(3).all(|plane| {
        let mut seen = [false; 256];
        for value in plane.data {
            if let Some(tone) = seen.get_mut(usize::from(*value)) {
                *tone = true;
            }
        }
        seen.iter().filter(|tone| **tone).count() <= FEW
    })
}

/// Looks at the picture from all sides asked for, and where not all of it is opaque at what a viewer sees of it on white
/// and on black: a face may be drawn by its transparency alone.
fn look(
    scans: &[Scan],
    detector: &mut dyn FaceDetector,
    frame: &Frame,
    min_score: f32,
    found: &mut Vec<Detection>,
) -> Result<(), VisionError> {
    let mut more = Vec::new();
    // One after another: each is as large as the picture.
    for ground in [None, Some(u8::MAX), Some(0)] {
        let drawn = ground.map(|ground| composited(frame, ground));
        let seen = match &drawn {
            None => frame,
            Some(Some(drawn)) => drawn,
            Some(None) => break,
        };
        for scan in scans {
            scan.look(detector, seen, 0, min_score, &mut more)?;
            found.append(&mut more);
        }
    }
    merge(found);
    Ok(())
}

/// The picture on a ground of one grey; none where all of it is opaque.
fn composited(frame: &Frame, ground: u8) -> Option<Frame> {
    let alpha = frame.planes().nth(3).filter(|_| frame.layout() == Layout::Rgba)?.data;
    if alpha.iter().all(|a| *a == u8::MAX) {
        return None;
    }
    let mut seen = Frame::new(frame.size(), Layout::Rgb);
    for (to, from) in seen.planes_mut().zip(frame.planes()) {
        for ((to, from), alpha) in to.data.iter_mut().zip(from.data).zip(alpha) {
            let [from, ground, alpha] = [*from, ground, *alpha].map(u32::from);
            *to = ((from * alpha + ground * (255 - alpha) + 127) / 255) as u8;
        }
    }
    Some(seen)
}

#[cfg(test)]
mod tests {
    use placet_core::Rect;
    use placet_vision::View;

    use super::*;

    const SIZE: Size = Size { width: 64, height: 64 };

    /// Finds the left half where it differs from the right one in the first plane.
    struct Halves(u32);

    impl FaceDetector for Halves {
        fn name(&self) -> &'static str {
            "halves"
        }

        fn find(
            &mut self,
            frame: &Frame,
            _: &View,
            _: f32,
            found: &mut Vec<Detection>,
        ) -> Result<(), VisionError> {
            self.0 += 1;
            let plane = frame.planes().next().unwrap().data;
            if plane[0].abs_diff(plane[63]) > 60 {
                let rect = Rect { x: 8.0, y: 8.0, w: 20.0, h: 40.0 };
                found.push(Detection { rect, score: 0.9, landmarks: None });
            }
            Ok(())
        }
    }

    /// Left and right half: grey and opacity.
    fn halves(left: (u8, u8), right: (u8, u8)) -> Frame {
        let mut frame = Frame::new(SIZE, Layout::Rgba);
        for (idx, plane) in frame.planes_mut().enumerate() {
            for (at, sample) in plane.data.iter_mut().enumerate() {
                let (grey, alpha) = if at % 64 < 32 { left } else { right };
                *sample = if idx == 3 { alpha } else { grey };
            }
        }
        frame
    }

    #[test]
    fn a_face_drawn_by_transparency_alone_is_found_once() {
        let whole = [Scan::whole(SIZE, Rotation::None, SIZE)];
        for (name, left, right, faces, looks) in [
            ("opaque, one grey", (90, 255), (90, 255), 0, 1),
            ("opaque, a face", (0, 255), (200, 255), 1, 1),
            ("black, shown on white", (0, 255), (0, 20), 1, 3),
            ("white, shown on black", (255, 255), (255, 20), 1, 3),
            ("grey, shown on both", (128, 255), (128, 0), 1, 3),
            ("nothing but half transparent", (90, 100), (90, 100), 0, 3),
        ] {
            let mut detector = Halves(0);
            let mut found = Vec::new();
            look(&whole, &mut detector, &halves(left, right), 0.5, &mut found).unwrap();
            assert_eq!((found.len(), detector.0), (faces, looks), "{name}");
        }
    }

    #[test]
    fn a_picture_on_a_ground_is_what_a_viewer_shows() {
        let frame = halves((0, 255), (100, 51));
        let at = |ground, at: usize| composited(&frame, ground).unwrap().planes().next().unwrap().data[at];
        assert_eq!([at(255, 0), at(255, 63), at(0, 0), at(0, 63)], [0, 224, 0, 20]);
        assert!(composited(&Frame::new(SIZE, Layout::Gray), 0).is_none());
    }
}
