//! What a fill looks like.

use placet_core::{Frame, Layout, Pts, Rect, Size};
use placet_redaction::{Coding, Fill, Region, Scratch, Shape, redact};

const SIZE: Size = Size { width: 320, height: 240 };
const FACE: Region = Region { rect: Rect { x: 97.3, y: 51.8, w: 120.0, h: 140.0 }, shape: Shape::Ellipse };

fn gray(at: impl Fn(f64, f64) -> f64) -> Frame {
    let pixels = (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| (f64::from(x), f64::from(y))));
    let data = pixels.map(|(x, y)| at(x, y).round().clamp(0.0, 255.0) as u8).collect();
    Frame::from_bytes(SIZE, Layout::Gray, Pts(0), data).unwrap()
}

fn filled(frame: &Frame, regions: &[Region]) -> Vec<u8> {
    redact(frame.clone(), regions, &Fill::Surround, Coding::default(), &mut Scratch::new())
        .recycle()
        .bytes()
        .to_vec()
}

/// Which pixels a solid fill changes: the mask.
fn mask(regions: &[Region]) -> Vec<bool> {
    let black = redact(gray(|_, _| 255.0), regions, &Fill::BLACK, Coding::default(), &mut Scratch::new());
    black.as_frame().bytes().iter().map(|v| *v != 255).collect()
}

/// The fill by its definition, slowly: the membrane that hangs on the outside samples' cell means, relaxed to the end
/// in floating point, and bilinear between cell centres.
fn membrane(frame: &Frame, mask: &[bool], cell: usize) -> Vec<f64> {
    let (w, h) = (SIZE.width as usize, SIZE.height as usize);
    let (cols, rows) = (w.div_ceil(cell), h.div_ceil(cell));
    let (mut sum, mut count) = (vec![0.0; cols * rows], vec![0.0; cols * rows]);
    for at in (0..w * h).filter(|at| !mask[*at]) {
        let c = at / w / cell * cols + at % w / cell;
        sum[c] += f64::from(frame.bytes()[at]);
        count[c] += 1.0;
    }
    let weight: Vec<f64> = count.iter().map(|n| 32.0 * n / (cell * cell) as f64).collect();
    let mut value: Vec<f64> =
        sum.iter().zip(&count).map(|(s, n)| if *n > 0.0 { s / n } else { 128.0 }).collect();
    for _ in 0..3000 {
        for y in 0..rows {
            for x in 0..cols {
                let v = |dx: isize, dy: isize| {
                    let x = x.saturating_add_signed(dx).min(cols - 1);
                    value[y.saturating_add_signed(dy).min(rows - 1) * cols + x]
                };
                let c = y * cols + x;
                let tied = if count[c] > 0.0 { weight[c] * sum[c] / count[c] } else { 0.0 };
                value[c] = (tied + v(-1, 0) + v(1, 0) + v(0, -1) + v(0, 1)) / (weight[c] + 4.0);
            }
        }
    }
    let place = |at: usize, cells: usize| {
        let t = ((at as f64 + 0.5) / cell as f64 - 0.5).clamp(0.0, (cells - 1) as f64);
        (t as usize, (t as usize + 1).min(cells - 1), t.fract())
    };
    (0..w * h)
        .map(|at| {
            let ((x0, x1, fx), (y0, y1, fy)) = (place(at % w, cols), place(at / w, rows));
            let mix = |a: f64, b: f64, t: f64| a + (b - a) * t;
            let row = |y: usize| mix(value[y * cols + x0], value[y * cols + x1], fx);
            mix(row(y0), row(y1), fy)
        })
        .collect()
}

#[test]
fn surround_is_near_the_membrane_it_stands_for() {
    let busy = |x: f64, y: f64| 128.0 + 70.0 * (x / 37.0).sin() + 50.0 * (y / 23.0 + x / 90.0).cos();
    for (name, frame) in [("soft", gray(busy)), ("edge", gray(|x, _| if x < 150.0 { 40.0 } else { 210.0 }))] {
        let (mask, fast) = (mask(&[FACE]), filled(&frame, &[FACE]));
        let slow = membrane(&frame, &mask, 16);
        let off = |at: usize| (f64::from(fast[at]) - slow[at]).abs();
        let inside: Vec<f64> = (0..fast.len()).filter(|at| mask[*at]).map(off).collect();
        let mean = inside.iter().sum::<f64>() / inside.len() as f64;
        let most = inside.iter().copied().fold(0.0, f64::max);
        assert!(mean < 3.0 && most < 12.0, "{name}: mean {mean:.2}, most {most:.2}");
    }
}

#[test]
fn one_color_around_is_one_color_inside() {
    for value in [0, 1, 77, 254, 255] {
        assert!(filled(&gray(|_, _| f64::from(value)), &[FACE]).iter().all(|v| *v == value), "{value}");
    }
}

#[test]
fn the_fill_stays_between_the_darkest_and_the_lightest_around() {
    let noisy = |x: f64, y: f64| 100.0 + 60.0 * ((x * 12.9898 + y * 78.233).sin() * 43758.5453).fract();
    let frame = gray(noisy);
    let (low, high) = (frame.bytes().iter().min().unwrap(), frame.bytes().iter().max().unwrap());
    assert!(filled(&frame, &[FACE]).iter().all(|v| (low..=high).contains(&v)));
}

#[test]
fn no_sharp_line_goes_on_inside() {
    // Stripes and an edge run into the face; cells are 16 pixels, so a step of 255 becomes 16 a pixel at most.
    let frame = gray(|x, y| if (x < 157.0) ^ (y % 9.0 < 4.0) { 0.0 } else { 255.0 });
    let (mask, out) = (mask(&[FACE]), filled(&frame, &[FACE]));
    let w = SIZE.width as usize;
    for at in w..out.len() {
        for beside in [at - 1, at - w] {
            if mask[at] && mask[beside] {
                assert!(out[at].abs_diff(out[beside]) <= 17, "at {},{}", at % w, at / w);
            }
        }
    }
}

#[test]
fn a_resting_background_gives_a_resting_fill() {
    let frame = gray(|x, y| 128.0 + 60.0 * (x / 41.0).sin() + 50.0 * (y / 29.0).cos());
    let mask = mask(&[FACE]);
    let still = filled(&frame, &[FACE]);
    for (dx, dy) in [(1.0, 0.0), (0.0, -1.0), (2.5, 1.5)] {
        let moved = Region { rect: Rect { x: FACE.rect.x + dx, y: FACE.rect.y + dy, ..FACE.rect }, ..FACE };
        let jittered = filled(&frame, &[moved]);
        let off: Vec<u8> =
            (0..still.len()).filter(|at| mask[*at]).map(|at| still[at].abs_diff(jittered[at])).collect();
        let mean = off.iter().map(|v| f64::from(*v)).sum::<f64>() / off.len() as f64;
        assert!(mean < 3.0, "moved by {dx},{dy}: {mean:.2} a pixel");
    }
}

#[test]
fn a_face_that_fills_the_frame_becomes_grey() {
    let frame = gray(|x, y| (x * y) % 256.0);
    assert!(filled(&frame, &[Region::whole(SIZE)]).iter().all(|v| *v == 128));
}

#[test]
fn what_is_coarse_has_no_finer_detail() {
    let size = Size { width: 31, height: 17 };
    let layout = Layout::Yuv420;
    let bytes: Vec<u8> = (0..layout.bytes(size)).map(|at| (at * 37 % 251) as u8).collect();
    let frame = Frame::from_bytes(size, layout, Pts(0), bytes).unwrap();
    for grain in [2, 3, 4, 7] {
        let mut coarse = redact(frame.clone(), &[], &Fill::Surround, Coding::default(), &mut Scratch::new());
        coarse.coarsen(grain);
        for (before, after) in frame.planes().zip(coarse.as_frame().planes()) {
            let side = (grain as usize).div_ceil(1 << before.shift);
            let (w, h) = (before.size.width as usize, before.size.height as usize);
            for (top, left) in (0..h).step_by(side).flat_map(|y| (0..w).step_by(side).map(move |x| (y, x))) {
                let places: Vec<usize> = (top..(top + side).min(h))
                    .flat_map(|y| (left..(left + side).min(w)).map(move |x| y * w + x))
                    .collect();
                let sum: usize = places.iter().map(|at| usize::from(before.data[*at])).sum();
                let mean = ((sum + places.len() / 2) / places.len()) as u8;
                assert!(places.iter().all(|at| after.data[*at] == mean), "{grain}: {top} {left}");
            }
        }
    }
}
