//! Cost of a frame: `cargo bench -p placet-redaction`.
//!
//! Synthetic 1080p frames (smooth waves with noise), faces of 150 or 256 pixels enlarged as for a mask.

use divan::Bencher;
use placet_core::{Detection, Frame, Layout, Rect, Size};
use placet_redaction::plan::{MASK_SCALE, Target, mask_region};
use placet_redaction::{
    Coding, CutDetector, Fill, Obscure, Region, Scratch, Shape, Sighting, Tracker, TrackerConfig, obscure,
    redact,
};

const SIZE: Size = Size { width: 1920, height: 1080 };

fn main() {
    divan::main();
}

fn frame(layout: Layout) -> Frame {
    let mut frame = Frame::new(SIZE, layout);
    for plane in frame.planes_mut() {
        let width = plane.size.width as usize;
        for (at, byte) in plane.data.iter_mut().enumerate() {
            let (x, y) = ((at % width) as f32, (at / width) as f32);
            let noise = (at.wrapping_mul(2654435761) >> 8) % 17;
            *byte = (110.0 + 50.0 * (x / 90.0).sin() + 40.0 * (y / 70.0).cos()) as u8 + noise as u8;
        }
    }
    frame
}

/// `n` faces of that width spread over the frame.
fn faces(n: usize, width: f32) -> Vec<Rect> {
    let at = |i: usize| Rect {
        x: (i % 5) as f32 * 370.0 + 60.0,
        y: (i / 5) as f32 * 265.0 + 20.0,
        w: width,
        h: width,
    };
    (0..n).map(at).collect()
}

fn masks(n: usize, width: f32) -> Vec<Region> {
    let mask = |rect| mask_region(rect, Target::Face, MASK_SCALE, Shape::Ellipse);
    faces(n, width).into_iter().map(mask).collect()
}

#[divan::bench(args = [(1, 150), (6, 150), (20, 150), (20, 256)])]
fn surround(bencher: Bencher<'_, '_>, (n, width): (usize, u32)) {
    fill(bencher, n, width as f32, Fill::Surround);
}

#[divan::bench(args = [(1, 150), (6, 150), (20, 150), (20, 256)])]
fn solid(bencher: Bencher<'_, '_>, (n, width): (usize, u32)) {
    fill(bencher, n, width as f32, Fill::BLACK);
}

fn fill(bencher: Bencher<'_, '_>, n: usize, width: f32, fill: Fill) {
    let (regions, mut scratch) = (masks(n, width), Scratch::new());
    let mut buffer = Some(frame(Layout::Yuv420));
    bencher.bench_local(|| {
        let frame = buffer.take().expect("it comes back each round");
        buffer = Some(redact(frame, &regions, &fill, Coding::default(), &mut scratch).recycle());
    });
}

#[divan::bench]
fn blur_six_faces(bencher: Bencher<'_, '_>) {
    let (regions, mut scratch) = (masks(6, 150.0), Scratch::new());
    let mut buffer = Some(frame(Layout::Yuv420));
    bencher.bench_local(|| {
        let frame = buffer.take().expect("it comes back each round");
        buffer = Some(obscure(frame, &regions, Obscure::Blur, &mut scratch).recycle());
    });
}

#[divan::bench]
fn cut_detector(bencher: Bencher<'_, '_>) {
    let (frame, mut cuts) = (frame(Layout::Yuv420), CutDetector::new());
    bencher.bench_local(|| cuts.push(&frame));
}

/// One frame through the tracker: pushed, asked for 30 frames behind, forgotten.
#[divan::bench(args = [0, 20, 100])]
fn track(bencher: Bencher<'_, '_>, n: usize) {
    let mut tracker = Tracker::new(TrackerConfig::new(SIZE));
    let (mut frame, mut out) = (0u64, Vec::new());
    let mut detections: Vec<Detection> = Vec::new();
    bencher.bench_local(|| {
        detections.clear();
        detections.extend((0..n as u64).filter(|i| (frame + i) % 5 != 0).map(|i| {
            let (x, y) = ((i * 190 + frame * 3) % 1900, i / 10 * 100 + frame % 3);
            Detection {
                rect: Rect { x: x as f32, y: y as f32, w: 40.0, h: 50.0 },
                score: 0.8,
                landmarks: None,
            }
        }));
        tracker.push(Sighting { time_s: frame as f64 / 30.0, cut: false, detections: &detections });
        if let Some(due) = frame.checked_sub(30) {
            out.clear();
            tracker.regions(due, &mut out).expect("it is held");
            tracker.forget_before(due + 1);
            tracker.take_finished();
        }
        frame += 1;
    });
}
