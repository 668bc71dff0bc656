//! Whole videos through ffmpeg: what is shown, what is hidden, and outputs that cannot be compared.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's own helper may panic")]

use std::path::Path;

use placet_leak::report::Report;
use placet_leak::score::score;
use placet_leak::shape::Oval;
use placet_leak::truth::{Clip, Face, Truth};
use placet_leak::{Error, video};

const SIZE: (u32, u32) = (128, 96);
const FRAMES: u32 = 6;

/// One face of 32 px that moves to the right.
fn truth() -> Truth {
    let faces = (0..FRAMES)
        .map(|frame| {
            let face = Oval { cx: 40.0 + 4.0 * frame as f32, cy: 48.0, w: 24.0, h: 32.0, angle: 0.0 };
            let b = face.ellipse_bounds();
            Face {
                frame,
                track: "a".into(),
                person: "p".into(),
                class: 32,
                condition: "still".into(),
                face,
                bounds: [b.x, b.y, b.w, b.h],
                visible: 1.0,
                occluders: Vec::new(),
            }
        })
        .collect();
    let clip = Clip { clip: "c".into(), width: SIZE.0, height: SIZE.1, rate: (30, 1), frames: FRAMES };
    Truth { clip, faces }
}

/// A grey video; on frame `f` the box of `fill(f)` is black.
fn write(path: &Path, size: (u32, u32), frames: u32, rate: u32, fill: impl Fn(u32) -> Option<[f32; 4]>) {
    let mut encoder = video::Encoder::start(path, size, (rate, 1), 23).unwrap();
    for f in 0..frames {
        let mut yuv = vec![128u8; video::frame_bytes(size.0, size.1)];
        if let Some([x, y, w, h]) = fill(f) {
            for row in y as u32..(y + h) as u32 {
                let start = (row * size.0 + x as u32) as usize;
                yuv[start..start + w as usize].fill(16);
            }
        }
        encoder.frame(&yuv).unwrap();
    }
    encoder.finish().unwrap();
}

#[test]
fn a_tool_that_does_nothing_leaks_every_track_and_one_that_blackens_everything_over_covers_all() {
    let dir = tempfile::tempdir().unwrap();
    let truth = truth();
    let (copy, black) = (dir.path().join("copy.mp4"), dir.path().join("black.mp4"));
    write(&copy, SIZE, FRAMES, 30, |_| None);
    write(&black, SIZE, FRAMES, 30, |_| Some([0.0, 0.0, 128.0, 96.0]));

    let copy = Report::new("copy".into(), vec![score(&truth, &copy).unwrap()]);
    assert_eq!((copy.all.tracks.share(), copy.all.frames.share(), copy.over_cover), (1.0, 1.0, 0.0));
    let black = Report::new("black".into(), vec![score(&truth, &black).unwrap()]);
    assert_eq!((black.all.tracks.share(), black.all.frames.share(), black.over_cover), (0.0, 0.0, 1.0));
}

#[test]
fn a_mask_that_misses_one_frame_leaks_the_track() {
    let dir = tempfile::tempdir().unwrap();
    let truth = truth();
    let path = dir.path().join("out.mp4");
    let boxes: Vec<_> = truth.faces.iter().map(|f| f.bounds).collect();
    write(&path, SIZE, FRAMES, 30, |f| (f != 3).then_some(boxes[f as usize]));
    let score = score(&truth, &path).unwrap();
    assert_eq!((score.tracks[0].frames, score.tracks[0].exposed), (FRAMES, 1));
    assert_eq!(score.over_pixels, 0);
}

#[test]
fn an_output_that_is_shorter_larger_or_slower_is_not_compared() {
    let dir = tempfile::tempdir().unwrap();
    let truth = truth();
    for (name, size, frames, rate) in
        [("shorter", SIZE, FRAMES - 1, 30), ("larger", (128, 112), FRAMES, 30), ("slower", SIZE, FRAMES, 25)]
    {
        let path = dir.path().join(format!("{name}.mp4"));
        write(&path, size, frames, rate, |_| None);
        assert!(matches!(score(&truth, &path), Err(Error::Mismatch { .. })), "{name}");
    }
}
