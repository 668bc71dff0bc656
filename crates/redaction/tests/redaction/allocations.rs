//! A frame's path allocates at start-up and never again.

use allocation_counter::measure;
use placet_core::{Detection, Frame, Layout, Rect, Size};
use placet_redaction::{
    Coding, CutDetector, Fill, Obscure, Region, Scratch, Shape, Sighting, Tracker, TrackerConfig, obscure,
    redact,
};

const SIZE: Size = Size { width: 640, height: 360 };

fn faces(n: u32, step: u32) -> Vec<Region> {
    let at = |i: u32| Rect {
        x: (i * 97 + step * 3) as f32 % 600.0,
        y: (i * 41 + step) as f32 % 330.0,
        w: 40.0,
        h: 50.0,
    };
    (0..n).map(|i| Region { rect: at(i), shape: Shape::Ellipse }).collect()
}

#[test]
fn redacting_allocates_nothing_once_warm() {
    let mut scratch = Scratch::new();
    let mut cuts = CutDetector::new();
    let mut frame = Frame::new(SIZE, Layout::Yuv420);
    let lists: Vec<_> = (0..40).map(|step| faces(20, step)).collect();
    let mut round = |frame: Frame| {
        lists.iter().fold(frame, |frame, regions| {
            cuts.push(&frame);
            let mut seen = redact(frame, &regions[1..], &Fill::Surround, Coding::default(), &mut scratch);
            seen.cover_more(&regions[..1], &Fill::BLACK, &mut scratch);
            obscure(seen.recycle(), regions, Obscure::Blur, &mut scratch).recycle()
        })
    };
    frame = round(frame);
    let counted = measure(|| {
        round(frame);
    });
    // The frame handed in is freed; nothing is asked for.
    assert_eq!(counted.count_total, 0);
}

/// Twenty faces walking about, some unseen at times, in endless scenes.
fn walk(tracker: &mut Tracker, frames: std::ops::Range<u64>, lookahead: u64) -> u64 {
    let mut boxes = Vec::new();
    let mut hidden = 0;
    for frame in frames {
        let detections: Vec<Detection> = (0..20u64)
            .filter(|i| (frame + i) % 7 != 0)
            .map(|i| Detection {
                rect: Rect { x: ((frame * 2 + i * 131) % 640) as f32, y: (i * 17) as f32, w: 20.0, h: 24.0 },
                score: if (frame / 3 + i) % 4 == 0 { 0.3 } else { 0.8 },
                landmarks: None,
            })
            .collect();
        tracker.push(Sighting {
            time_s: frame as f64 / 25.0,
            cut: frame % 500 == 0,
            detections: &detections,
        });
        if let Some(due) = frame.checked_sub(lookahead) {
            boxes.clear();
            tracker.regions(due, &mut boxes).unwrap();
            hidden += boxes.len() as u64;
            tracker.forget_before(due + 1);
        }
        tracker.take_finished();
    }
    hidden
}

#[test]
fn endless_input_is_followed_in_bounded_memory() {
    let mut tracker = Tracker::new(TrackerConfig::new(SIZE));
    walk(&mut tracker, 0..1000, 25);
    let mut hidden = 0;
    let counted = measure(|| hidden = walk(&mut tracker, 1000..11_000, 25));
    assert!(hidden > 100_000, "{hidden}");
    assert!(
        counted.bytes_current.abs() < 64_000,
        "{} bytes more are held after 10,000 frames",
        counted.bytes_current
    );
    assert!(counted.bytes_max < 1_000_000, "{} bytes", counted.bytes_max);
}
