//! How faces are followed: scenarios as rows, and what holds for any input.

use std::ops::RangeInclusive;

use placet_core::{Detection, Rect, Size};
use placet_redaction::plan::{MASK_SCALE, Target, mask_region};
use placet_redaction::{
    FOUND, KeepTrack, Shape, Sighting, TrackBox, TrackId, TrackSummary, Tracker, TrackerConfig, Why,
};
use proptest::prelude::*;

const FRAME: Size = Size { width: 1280, height: 720 };
const FPS: f64 = 30.0;

/// One person of a scenario: a box that moves evenly, and the frames in which the detector sees it.
#[derive(Clone, Copy)]
struct Face {
    /// First and last frame in which the person is in the scene.
    there: (u64, u64),
    /// Centre at first, in pixels.
    at: (f32, f32),
    /// Pixels a frame.
    step: (f32, f32),
    /// Width of the box; it is 1.2 times as high.
    size: f32,
    /// Frames, as in `0-20 25 30-40/2`: the second half with every second frame.
    seen: &'static str,
    /// Frames with a weak score.
    weak: &'static str,
}

const FACE: Face =
    Face { there: (0, 99), at: (600.0, 300.0), step: (0.0, 0.0), size: 60.0, seen: "", weak: "" };

struct Row {
    name: &'static str,
    faces: &'static [Face],
    /// Frames pushed.
    frames: u64,
    cut: &'static str,
    revisit: u32,
    lookahead: u64,
    /// Frames in which something is hidden must lie within these,
    within: &'static str,
    /// and no face may be exposed in these, while it is there.
    covered: &'static str,
    tracks: usize,
}

const ROW: Row = Row {
    name: "",
    faces: &[],
    frames: 100,
    cut: "",
    revisit: 1,
    lookahead: 30,
    within: "0-99",
    covered: "0-99",
    tracks: 1,
};

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { name: "a face seen throughout is one track",
          faces: &[Face { seen: "0-99", ..FACE }], ..ROW },
    Row { name: "a gap of twenty frames is bridged",
          faces: &[Face { seen: "0-40 61-99", step: (3.0, 1.0), at: (300.0, 200.0), ..FACE }], ..ROW },
    Row { name: "a face found late is hidden before",
          faces: &[Face { there: (20, 99), seen: "32-99", step: (2.0, 0.0), ..FACE }], within: "16-99", ..ROW },
    Row { name: "weak sightings lead back beyond the margin",
          faces: &[Face { there: (10, 99), seen: "60-99", weak: "12-59", step: (3.0, 0.0), at: (200.0, 300.0), ..FACE }],
          lookahead: 60, within: "0-99", ..ROW },
    Row { name: "weak sightings alone are nobody",
          faces: &[Face { seen: "", weak: "0-99", ..FACE }], within: "", covered: "", tracks: 0, ..ROW },
    Row { name: "weak sightings carry a track on",
          faces: &[Face { there: (0, 90), seen: "0-20", weak: "21-90", step: (4.0, 0.0), at: (200.0, 300.0), ..FACE }], ..ROW },
    Row { name: "weak sightings of a re-found face are used",
          faces: &[Face { seen: "0-30 75-99", weak: "45-60", step: (5.0, 0.0), at: (300.0, 300.0), ..FACE }], ..ROW },
    Row { name: "every other frame is enough",
          faces: &[Face { seen: "0-99/2", step: (4.0, 2.0), at: (200.0, 200.0), ..FACE }], ..ROW },
    Row { name: "tiles revisited every fourth frame hold a small fast face",
          faces: &[Face { seen: "0-99/4", step: (8.0, 0.0), at: (100.0, 300.0), size: 14.0, ..FACE }], revisit: 4, ..ROW },
    Row { name: "a 12 pixel face at 10 pixels a frame is one track",
          faces: &[Face { seen: "0-99", step: (10.0, 0.0), at: (100.0, 300.0), size: 12.0, ..FACE }], ..ROW },
    Row { name: "a cut ends a track and nothing is hidden across it",
          faces: &[Face { there: (0, 49), seen: "0-49", ..FACE }], cut: "50", within: "0-49", ..ROW },
    Row { name: "a cut keeps a late face of the next scene from the one before",
          faces: &[Face { there: (50, 99), seen: "55-99", ..FACE }], cut: "50", within: "50-99", ..ROW },
    Row { name: "two scenes are two tracks at one place",
          faces: &[Face { seen: "0-99", ..FACE }], cut: "50", tracks: 2, ..ROW },
    Row { name: "crossing people keep their tracks",
          faces: &[Face { seen: "0-99", step: (8.0, 0.0), at: (200.0, 300.0), ..FACE },
                   Face { seen: "0-99", step: (-8.0, 0.0), at: (1000.0, 310.0), ..FACE }], tracks: 2, ..ROW },
    Row { name: "crossing people of whom one is hidden meanwhile keep their tracks",
          faces: &[Face { seen: "0-99", step: (8.0, 0.0), at: (200.0, 300.0), ..FACE },
                   Face { seen: "0-45 58-99", step: (-8.0, 0.0), at: (1000.0, 310.0), ..FACE }], tracks: 2, ..ROW },
    Row { name: "a false detection is hidden briefly",
          faces: &[Face { there: (50, 50), seen: "50", ..FACE }], within: "44-56", ..ROW },
    Row { name: "a face that walks out is not hidden for long",
          faces: &[Face { there: (0, 53), seen: "0-47", step: (10.0, 0.0), at: (780.0, 300.0), ..FACE }], within: "0-55", ..ROW },
    Row { name: "a face that walks in is hidden from the edge on",
          faces: &[Face { there: (30, 99), seen: "40-99", step: (8.0, 0.0), at: (-20.0, 300.0), ..FACE }], within: "24-99", ..ROW },
    Row { name: "a turning camera keeps its tracks, seen every third frame",
          faces: &[Face { seen: "0-99/3", step: (-9.0, 1.0), at: (1100.0, 100.0), size: 20.0, ..FACE },
                   Face { seen: "0-99/3", step: (-9.0, 1.0), at: (1150.0, 250.0), size: 20.0, ..FACE },
                   Face { seen: "0-99/3", step: (-9.0, 1.0), at: (1200.0, 400.0), size: 20.0, ..FACE },
                   Face { seen: "0-99/3", step: (-9.0, 1.0), at: (1000.0, 550.0), size: 20.0, ..FACE }],
          revisit: 3, tracks: 4, ..ROW },
    Row { name: "twice unseen for a second is two bridges",
          faces: &[Face { seen: "0-20 46-50 76-99", ..FACE }], ..ROW },
    Row { name: "a live camera waits five frames",
          faces: &[Face { seen: "0-40 51-99", step: (2.0, 0.0), ..FACE }], lookahead: 5, ..ROW },
    Row { name: "a face gone for three seconds is another track",
          faces: &[Face { there: (0, 149), seen: "0-20 110-130", ..FACE }], frames: 150, covered: "0-20 110-130", within: "0-36 94-146", tracks: 2, ..ROW },
];

fn frames(list: &str) -> Vec<u64> {
    let number = |t: &str| t.parse::<u64>().unwrap();
    let range = |part: &str| -> (RangeInclusive<u64>, usize) {
        let (span, every) = part.split_once('/').unwrap_or((part, "1"));
        let (from, to) = span.split_once('-').unwrap_or((span, span));
        (number(from)..=number(to), number(every) as usize)
    };
    list.split_whitespace().map(range).flat_map(|(span, every)| span.step_by(every)).collect()
}

impl Face {
    fn rect(&self, frame: u64) -> Option<Rect> {
        let (from, to) = self.there;
        let t = frame.checked_sub(from).filter(|_| frame <= to)? as f32;
        let (w, h) = (self.size, 1.2 * self.size);
        let (x, y) = (self.at.0 + self.step.0 * t, self.at.1 + self.step.1 * t);
        Some(Rect { x: x - w / 2.0, y: y - h / 2.0, w, h })
    }

    /// What a detector says: a box shaken by a tenth of its size.
    fn detection(&self, frame: u64, score: f32) -> Option<Detection> {
        let r = self.rect(frame)?;
        let shake = |k: u64| ((frame * 2654435761 + k * 40503) % 1000) as f32 / 1000.0 * 0.1 - 0.05;
        let rect =
            Rect { x: r.x + shake(1) * r.w, y: r.y + shake(2) * r.h, w: r.w, h: r.h * (1.0 + shake(3)) };
        Some(Detection { rect, score, landmarks: None })
    }
}

/// Boxes of each frame, asked for `lookahead` frames behind, and the tracks.
fn follow(row: &Row) -> (Vec<Vec<TrackBox>>, Vec<TrackSummary>) {
    let mut tracker = Tracker::new(TrackerConfig { revisit: row.revisit, ..TrackerConfig::new(FRAME) });
    let cuts = frames(row.cut);
    let seen: Vec<_> = row.faces.iter().map(|f| (f, frames(f.seen), frames(f.weak))).collect();
    let mut out = Vec::new();
    let mut finished = Vec::new();
    for frame in 0..row.frames {
        let detections: Vec<_> = seen
            .iter()
            .filter_map(|(face, seen, weak)| match (seen.contains(&frame), weak.contains(&frame)) {
                (true, _) => face.detection(frame, 0.8),
                (false, true) => face.detection(frame, 0.3),
                (false, false) => None,
            })
            .collect();
        tracker.push(Sighting {
            time_s: frame as f64 / FPS,
            cut: cuts.contains(&frame),
            detections: &detections,
        });
        if let Some(due) = frame.checked_sub(row.lookahead) {
            out.push(boxes(&tracker, due));
            tracker.forget_before(due + 1);
            finished.extend(tracker.take_finished());
        }
    }
    out.extend((out.len() as u64..row.frames).map(|frame| boxes(&tracker, frame)));
    finished.extend(tracker.summaries());
    (out, finished)
}

fn boxes(tracker: &Tracker, frame: u64) -> Vec<TrackBox> {
    let mut boxes = Vec::new();
    tracker.regions(frame, &mut boxes).unwrap();
    boxes
}

/// Whether one of the boxes, enlarged as for a mask, holds all of `face` that is in the picture.
fn hides(boxes: &[TrackBox], face: Rect) -> bool {
    let Some(face) = inside_picture(face) else { return true };
    boxes.iter().any(|b| {
        let mask = mask_region(b.rect, Target::Face, MASK_SCALE, Shape::Box).rect;
        mask.overlap(&face) > 0.999 * face.area()
    })
}

fn inside_picture(r: Rect) -> Option<Rect> {
    let (x0, y0) = (r.x.max(0.0), r.y.max(0.0));
    let (x1, y1) = (r.right().min(FRAME.width as f32), r.bottom().min(FRAME.height as f32));
    (x1 > x0 && y1 > y0).then_some(Rect { x: x0, y: y0, w: x1 - x0, h: y1 - y0 })
}

fn check(row: &Row) -> Result<(), String> {
    let (out, tracks) = follow(row);
    let hidden: Vec<u64> =
        (0u64..).zip(&out).filter(|(_, boxes)| !boxes.is_empty()).map(|(f, _)| f).collect();
    let within = frames(row.within);
    let over: Vec<_> = hidden.iter().filter(|f| !within.contains(f)).collect();
    let exposed: Vec<_> = frames(row.covered)
        .into_iter()
        .filter(|f| {
            row.faces.iter().filter_map(|face| face.rect(*f)).any(|face| !hides(&out[*f as usize], face))
        })
        .collect();
    if over.is_empty() && exposed.is_empty() && tracks.len() == row.tracks {
        return Ok(());
    }
    Err(format!("{}: exposed {exposed:?}, hidden besides {over:?}, tracks {tracks:#?}", row.name))
}

#[test]
fn scenarios() {
    let failures: Vec<_> = ROWS.iter().filter_map(|row| check(row).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn crossing_people_are_told_apart_all_the_way() {
    for name in [
        "crossing people keep their tracks",
        "crossing people of whom one is hidden meanwhile keep their tracks",
    ] {
        let row = ROWS.iter().find(|r| r.name == name).unwrap();
        let (out, _) = follow(row);
        let centre =
            |frame: usize, id| out[frame].iter().find(|b| b.track == TrackId(id)).unwrap().rect.center().0;
        let (left_first, left_last) = (centre(0, 1) < centre(0, 2), centre(99, 1) < centre(99, 2));
        assert!(left_first != left_last, "{name}: they bounced off each other");
    }
}

#[test]
fn the_summary_counts_what_was_hidden_and_why() {
    let row = Row {
        faces: &[Face { there: (10, 90), seen: "20-30 35-50 52-60", weak: "15-19 32", ..FACE }],
        ..ROW
    };
    let (out, tracks) = follow(&row);
    let why = |w: Why| out.iter().flatten().filter(|b| b.why == w).count() as u64;
    let t = &tracks[0];
    assert_eq!((t.detections, t.weak, t.bridged), (36, 6, 4));
    assert_eq!((why(Why::Detected), why(Why::Weak), why(Why::Bridged)), (36, 6, 4));
    assert_eq!((t.first_frame, t.first_seen, t.last_seen, t.last_frame), (0, 15, 60, 75));
    assert_eq!(t.margin_frames(), why(Why::Before) + why(Why::After));
    assert!(t.min_height > 60.0 && t.max_height < 80.0 && t.best_score == 0.8);
}

#[test]
fn a_kept_track_is_shown_and_who_overlaps_it_is_not() {
    let row = Row {
        faces: &[Face { seen: "0-99", ..FACE }, Face { seen: "0-99", at: (630.0, 320.0), ..FACE }],
        ..ROW
    };
    let (mut out, _) = follow(&row);
    KeepTrack::new([TrackId(1)]).filter(&mut out[50]);
    assert_eq!(out[50].iter().map(|b| b.track).collect::<Vec<_>>(), [TrackId(2)]);
}

fn still(frames: u64) -> Tracker {
    let mut tracker = Tracker::new(TrackerConfig::new(FRAME));
    for frame in 0..frames {
        let moving = Face { at: (200.0, 300.0), step: (4.0, 0.0), ..FACE };
        let seen = [moving.detection(frame, 0.9).unwrap()];
        tracker.push(Sighting { time_s: frame as f64 / FPS, cut: frame == 60, detections: &seen });
    }
    tracker
}

#[test]
fn what_the_check_finds_is_hidden_around_that_frame_within_its_scene() {
    let mut tracker = still(100);
    let rect = Rect { x: 900.0, y: 500.0, w: 30.0, h: 40.0 };
    let id = tracker.insert_found(55, rect, 10).unwrap();
    // A number that no run of the detector gives.
    assert_eq!(id, TrackId(FOUND));
    for frame in 0..100 {
        let found: Vec<_> = boxes(&tracker, frame).into_iter().filter(|b| b.why == Why::Found).collect();
        assert_eq!(!found.is_empty(), (45..60).contains(&frame), "{frame}");
        assert!(found.iter().all(|b| b.rect == rect && b.track == id));
    }
    let summary = tracker.summaries().into_iter().find(|s| s.id == id).unwrap();
    assert_eq!(
        (summary.first_frame, summary.last_frame, summary.found, summary.best_score),
        (45, 59, 1, 0.0)
    );
    // Found once more next to it: the same face, and seen between.
    assert_eq!(tracker.insert_found(50, rect, 10).unwrap(), id);
    assert!(boxes(&tracker, 40).iter().any(|b| b.why == Why::Found));
}

#[test]
fn what_the_check_finds_beside_a_track_moves_with_it() {
    let mut tracker = still(100);
    let face = boxes(&tracker, 30)[0].rect;
    let ear = Rect { x: face.x - 10.0, y: face.y, w: 20.0, h: 20.0 };
    assert_eq!(tracker.insert_found(30, ear, 5).unwrap(), TrackId(1));
    let at = |frame| boxes(&tracker, frame).into_iter().find(|b| b.why == Why::Found).map(|b| b.rect.x);
    assert_eq!(at(24), None);
    assert!((at(35).unwrap() - (ear.x + 20.0)).abs() < 4.0, "{:?} {}", at(35), ear.x);
}

#[test]
fn an_unknown_frame_is_an_error_and_not_an_empty_answer() {
    let mut tracker = still(100);
    tracker.forget_before(50);
    let mut out = Vec::new();
    assert!(tracker.regions(50, &mut out).is_ok());
    let message =
        "frame 49 is unknown to the tracker, which holds frames 50 to 100 (exclusive); cover it whole";
    assert_eq!(tracker.regions(49, &mut out).unwrap_err().to_string(), message);
    assert!(tracker.regions(100, &mut out).is_err());
    assert!(tracker.insert_found(100, FRAME.rect(), 3).is_err());
}

#[test]
fn broken_numbers_from_a_detector_hide_the_whole_frame() {
    let mut tracker = Tracker::new(TrackerConfig::new(FRAME));
    let broken =
        Detection { rect: Rect { x: f32::NAN, y: 0.0, w: 1.0, h: 1.0 }, score: 0.9, landmarks: None };
    tracker.push(Sighting { time_s: f64::NAN, cut: false, detections: &[broken] });
    let hidden = boxes(&tracker, 0)[0].rect;
    assert_eq!(hidden.overlap(&FRAME.rect()), FRAME.rect().area());
}

#[derive(Clone, Debug)]
struct AnyFrame {
    step_s: f64,
    cut: bool,
    detections: Vec<Detection>,
}

fn any_input() -> impl Strategy<Value = Vec<AnyFrame>> {
    let detection = (-20.0f32..1300.0, -20.0f32..740.0, 1.0f32..200.0, 1.0f32..200.0, 0.0f32..1.0)
        .prop_map(|(x, y, w, h, score)| Detection { rect: Rect { x, y, w, h }, score, landmarks: None });
    let frame = (0.0f64..0.2, prop::bool::weighted(0.05), prop::collection::vec(detection, 0..6))
        .prop_map(|(step_s, cut, detections)| AnyFrame { step_s, cut, detections });
    prop::collection::vec(frame, 1..60)
}

fn run(input: &[AnyFrame], revisit: u32, lookahead: u64) -> Vec<Vec<TrackBox>> {
    let mut tracker = Tracker::new(TrackerConfig { revisit, ..TrackerConfig::new(FRAME) });
    let (mut out, mut time_s) = (Vec::new(), 0.0);
    for (idx, frame) in (0u64..).zip(input) {
        time_s += frame.step_s;
        tracker.push(Sighting { time_s, cut: frame.cut, detections: &frame.detections });
        if let Some(due) = idx.checked_sub(lookahead) {
            out.push(boxes(&tracker, due));
            tracker.forget_before(due + 1);
        }
    }
    out.extend((out.len() as u64..input.len() as u64).map(|frame| boxes(&tracker, frame)));
    out
}

#[test]
fn a_summary_reaches_over_frames_in_which_the_box_was_outside() {
    let detection = |x, y, w, h, score| Detection { rect: Rect { x, y, w, h }, score, landmarks: None };
    let frame = |step_s, detections| AnyFrame { step_s, cut: false, detections };
    let input = [
        frame(0.0, Vec::new()),
        frame(0.185_905, Vec::new()),
        frame(0.0, vec![detection(1287.2, 0.0, 1.0, 160.8, 0.436)]),
        frame(0.098_667, vec![detection(1241.2, 86.6, 164.8, 1.0, 0.821)]),
    ];
    summaries_agree(&input);
}

/// What a summary says a track hid is what its boxes hide.
fn summaries_agree(input: &[AnyFrame]) {
    let mut tracker = Tracker::new(TrackerConfig::new(FRAME));
    let mut time_s = 0.0;
    for frame in input {
        time_s += frame.step_s;
        tracker.push(Sighting { time_s, cut: frame.cut, detections: &frame.detections });
    }
    for s in tracker.summaries() {
        let hidden: Vec<u64> =
            (0..input.len() as u64).filter(|f| boxes(&tracker, *f).iter().any(|b| b.track == s.id)).collect();
        assert_eq!(s.detections + s.weak + s.bridged, s.last_seen - s.first_seen + 1);
        assert!(hidden.iter().all(|f| (s.first_frame..=s.last_frame).contains(f)), "{s:?}: {hidden:?}");
    }
}

proptest! {
    #[test]
    fn every_strong_detection_is_hidden(input in any_input(), revisit in 1u32..5, lookahead in 0u64..40) {
        for (boxes, frame) in run(&input, revisit, lookahead).iter().zip(&input) {
            for det in frame.detections.iter().filter(|d| d.score >= 0.5) {
                let Some(face) = inside_picture(det.rect) else { continue };
                let held = boxes.iter().any(|b| {
                    b.rect.x <= face.x + 0.01 && b.rect.y <= face.y + 0.01
                        && b.rect.right() >= face.right() - 0.01 && b.rect.bottom() >= face.bottom() - 0.01
                });
                prop_assert!(held, "{det:?} is not in {boxes:?}");
            }
        }
    }

    #[test]
    fn the_same_input_gives_the_same_boxes(input in any_input(), lookahead in 0u64..40) {
        prop_assert_eq!(run(&input, 2, lookahead), run(&input, 2, lookahead));
    }

    #[test]
    fn summaries_hold_what_regions_say(input in any_input()) {
        summaries_agree(&input);
    }
}
