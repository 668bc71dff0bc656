//! The line under anything a camera, a detector and a clock may do.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use placet_core::{Detection, Pts, Rect, Size};
use placet_gateway::{Effort, How, Leaving, Level, Line, Reason, Settings};
use proptest::prelude::*;

const SIZE: Size = Size { width: 640, height: 360 };
/// Fifteen frames a second.
const STEP: i64 = 6_000;

fn face(x: f32) -> Detection {
    Detection { rect: Rect { x, y: 100.0, w: 40.0, h: 50.0 }, score: 0.9, landmarks: None }
}

fn all_leaving(line: &mut Line, now: Pts) -> Vec<Leaving> {
    std::iter::from_fn(|| line.leave(now)).collect()
}

/// Runs `frames` frames at an even pace; the detector answers `delay` ticks later with what `sees` says.
fn run(
    line: &mut Line,
    frames: std::ops::Range<i64>,
    delay: i64,
    sees: impl Fn(i64) -> Option<Vec<Detection>>,
) -> Vec<Leaving> {
    run_with(line, frames, |_| delay, |_, idx| sees(idx))
}

fn run_with(
    line: &mut Line,
    frames: std::ops::Range<i64>,
    delay: impl Fn(i64) -> i64,
    mut sees: impl FnMut(&Line, i64) -> Option<Vec<Detection>>,
) -> Vec<Leaving> {
    let mut left = Vec::new();
    let mut answers: Vec<(i64, u64, i64)> = Vec::new();
    for idx in frames {
        let now = idx * STEP;
        for (at, id, frame) in answers.extract_if(.., |(at, ..)| *at <= now) {
            let seen = sees(line, frame);
            line.judged(id, seen.as_deref(), Pts(at));
            left.extend(all_leaving(line, Pts(at)));
        }
        line.fed(Pts(now), idx % 30 == 0, Pts(now));
        let asked = line.arrived(Pts(now), Pts(now)).unwrap();
        if asked.look.is_some() {
            answers.push((now + delay(idx), asked.id, idx));
        }
        left.extend(all_leaving(line, Pts(now)));
    }
    left
}

fn hides(how: &How, rect: Rect) -> bool {
    match how {
        How::Hide(boxes) => boxes.iter().any(|b| {
            b.rect.x <= rect.x
                && b.rect.y <= rect.y
                && b.rect.right() >= rect.right()
                && b.rect.bottom() >= rect.bottom()
        }),
        How::Cover(_) | How::Drop => true,
    }
}

#[test]
fn attack_overload_costs_detail_and_never_shows_what_is_too_small_to_be_seen_quickly() {
    let mut line = Line::new(Settings::new(SIZE));
    let nothing = |_: i64| Some(Vec::new());
    // Each answer takes a second, until less is done; then the detector has time again.
    let mut left = run(&mut line, 0..60, 1_000, nothing);
    assert_eq!(line.level(), Level::Close);
    left.extend(run(&mut line, 60..400, 30_000, nothing));
    assert!(line.level() > Level::Quick);
    left.extend(run(&mut line, 400..30_000, 1_000, nothing));
    assert_eq!(line.level(), Level::Close);
    let fine: Vec<i64> = left.iter().filter(|l| l.fine).map(|l| l.pts.0 / STEP).collect();
    // Not before every part had its turn; and not while it was looked at quickly.
    assert_eq!(fine[0], 3);
    let gap = fine.windows(2).find(|pair| pair[1] > pair[0] + 1).unwrap();
    assert!(gap[0] < 80 && gap[1] > 400, "{gap:?}");
    println!("{} frames, {} of them fine, none from {} to {}", left.len(), fine.len(), gap[0], gap[1]);
}

#[test]
fn a_face_is_hidden_before_it_is_first_seen_over_gaps_and_after_it_was_last_seen() {
    let mut line = Line::new(Settings::new(SIZE));
    // Seen in 30 to 59 but for a gap of ten frames, then gone.
    let sees = |idx: i64| {
        Some(if (30..40).contains(&idx) || (50..60).contains(&idx) { vec![face(100.0)] } else { vec![] })
    };
    let left = run(&mut line, 0..120, 900, sees);
    let hidden: Vec<i64> = left
        .iter()
        .filter(|l| hides(&l.how, face(100.0).rect) && matches!(&l.how, How::Hide(_)))
        .map(|l| l.pts.0 / STEP)
        .collect();
    // Three frames ahead, as far as it waits; a second and a half behind.
    assert_eq!(hidden, (27..82).collect::<Vec<_>>());
    assert_eq!(line.level(), Level::Close);
    assert!(line.waiting() <= 4);
}

#[test]
fn what_is_damaged_or_could_not_be_judged_leaves_covered() {
    let mut line = Line::new(Settings::new(SIZE));
    let left = run(&mut line, 0..30, 900, |idx| (idx != 12).then(Vec::new));
    let covered: Vec<_> = left.iter().filter(|l| matches!(l.how, How::Cover(_))).collect();
    assert_eq!(covered.len(), 1);
    assert_eq!((covered[0].pts.0 / STEP, &covered[0].how), (12, &How::Cover(Reason::Unjudged)));
    // Frame 31 goes in and never comes out: all are covered until 60, which decodes alone.
    line.fed(Pts(30 * STEP), true, Pts(30 * STEP));
    line.arrived(Pts(30 * STEP), Pts(30 * STEP));
    line.fed(Pts(31 * STEP), false, Pts(31 * STEP));
    let left = run(&mut line, 32..70, 900, |_| Some(Vec::new()));
    let damaged: Vec<i64> =
        left.iter().filter(|l| l.how == How::Cover(Reason::Damaged)).map(|l| l.pts.0 / STEP).collect();
    assert_eq!(damaged, (32..60).collect::<Vec<_>>());
}

#[test]
fn a_detector_that_never_answers_costs_the_picture_and_nothing_else() {
    let mut line = Line::new(Settings::new(SIZE));
    let mut left = Vec::new();
    for idx in 0..150 {
        let now = Pts(idx * STEP);
        line.fed(now, true, now);
        line.arrived(now, now).unwrap();
        left.extend(all_leaving(&mut line, now));
    }
    assert!(left.len() > 120 && line.waiting() < 20, "{} left", left.len());
    assert!(left.iter().all(|l| !matches!(l.how, How::Hide(_))));
    assert!(line.level() >= Level::Thinned, "{:?}", line.level());
}

#[test]
fn less_and_less_is_done_where_answers_are_slow_and_more_again_when_they_are_quick() {
    let mut line = Line::new(Settings::new(SIZE));
    let delay = |idx| if idx < 8 * 15 { 4 * STEP } else { STEP / 10 };
    let mut worst = Level::Close;
    let left = run_with(&mut line, 0..600 * 15, delay, |line, _| {
        worst = worst.max(line.level());
        Some(Vec::new())
    });
    assert!(worst >= Level::Quarter, "{worst:?}");
    assert_eq!((line.level(), left.len()), (Level::Close, 600 * 15 - 4));
}

#[test]
fn a_decoder_that_holds_pictures_back_is_known() {
    let mut line = Line::new(Settings::new(SIZE));
    assert_eq!(line.behind(Pts(500)), 0);
    line.fed(Pts(0), true, Pts(100));
    line.fed(Pts(STEP), false, Pts(STEP));
    assert_eq!(line.behind(Pts(90_100)), 90_000);
    line.arrived(Pts(0), Pts(90_200));
    assert_eq!(line.behind(Pts(90_200)), 90_200 - STEP);
    line.arrived(Pts(STEP), Pts(90_300));
    assert_eq!(line.behind(Pts(95_000)), 0);
}

#[derive(Clone, Debug)]
enum Event {
    /// So many ticks after the last, decoding alone or not, coming out or not.
    Picture(i64, bool, bool),
    /// The n-th question that is open is answered: with faces at these columns, or not at all.
    Answer(usize, Option<Vec<u16>>),
    Wait(i64),
    Lost,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (-3 * STEP..5 * STEP, prop::bool::weighted(0.2), prop::bool::weighted(0.95))
            .prop_map(|(step, key, comes)| Event::Picture(step, key, comes)),
        6 => (0usize..4, prop::option::weighted(0.95, prop::collection::vec(0u16..600, 0..4)))
            .prop_map(|(n, faces)| Event::Answer(n, faces)),
        2 => (0i64..60_000).prop_map(Event::Wait),
        1 => Just(Event::Lost),
    ]
}

proptest! {
    /// INV-22
    #[test]
    fn no_frame_leaves_clear_that_was_not_judged(events in prop::collection::vec(event(), 1..300)) {
        let mut line = Line::new(Settings::new(SIZE));
        let (mut now, mut pts) = (Pts(0), Pts(0));
        let mut open: Vec<u64> = Vec::new();
        let mut faces: Vec<(u64, Vec<Rect>)> = Vec::new();
        let mut asked: Vec<(u64, Pts, Option<Effort>)> = Vec::new();
        let mut judged: Vec<u64> = Vec::new();
        let mut left: Vec<Leaving> = Vec::new();
        for event in events {
            match event {
                Event::Picture(step, key, comes) => {
                    pts = Pts((pts.0 + step).max(0));
                    now = Pts(now.0.max(pts.0));
                    line.fed(pts, key, now);
                    if comes && let Some(a) = line.arrived(pts, now) {
                        asked.push((a.id, pts, a.look));
                        open.extend(a.look.map(|_| a.id));
                    }
                }
                Event::Answer(n, found) if n < open.len() => {
                    let id = open.remove(n);
                    let found: Option<Vec<Detection>> = found.map(|f| f.iter().map(|x| face(f32::from(*x))).collect());
                    // What comes too late is not known to the line, and its frame left covered.
                    if let Some(found) = &found && !left.iter().any(|l| l.id == id) {
                        faces.push((id, found.iter().map(|d| d.rect).collect()));
                        judged.push(id);
                    }
                    line.judged(id, found.as_deref(), now);
                }
                Event::Answer(..) => {}
                Event::Wait(ticks) => now = Pts(now.0 + ticks),
                Event::Lost => line.lost(),
            }
            left.extend(all_leaving(&mut line, now));
        }
        now = Pts(now.0 + 200_000);
        left.extend(all_leaving(&mut line, now));
        // Each leaves once, in order, and none stays.
        let numbers: Vec<u64> = left.iter().map(|l| l.id).collect();
        prop_assert_eq!(&numbers, &asked.iter().map(|(id, ..)| *id).collect::<Vec<_>>());
        prop_assert_eq!(line.waiting(), 0);
        let period = Settings::new(SIZE).period.0 as usize;
        for (idx, (l, (id, pts, look))) in left.iter().zip(&asked).enumerate() {
            // As fine as it came leaves only what was looked at closely, and all of it of late.
            let of_late = asked[..=idx].iter().rev().take(period);
            let close = of_late.filter(|(.., look)| *look == Some(Effort::Close)).count() == period;
            prop_assert!(close || !l.fine, "frame {} left fine", id);
            let looked = look.is_some();
            prop_assert_eq!((l.id, l.pts), (*id, *pts));
            if let How::Hide(_) = l.how {
                let between = judged.iter().any(|j| j > id);
                prop_assert!(judged.contains(id) || (!looked && between), "frame {} left clear", id);
            }
            // A face the detector told in time is hidden in its own frame.
            for (_, rects) in faces.iter().filter(|(of, _)| of == id) {
                for rect in rects {
                    let shown = rect.pixels(SIZE).map(|px| px.rect()).unwrap();
                    let inside = Rect { x: shown.x + 1.0, y: shown.y + 1.0, w: shown.w - 2.0, h: shown.h - 2.0 };
                    prop_assert!(hides(&l.how, inside), "frame {}: {:?} is not hidden by {:?}", id, rect, l.how);
                }
            }
        }
    }
}
