//! INV-1: no pixel inside a redacted region depends on what was there.

use placet_core::{Frame, Layout, Pts, Rect, Size};
use placet_redaction::{Coding, Fill, Obscure, RedactedFrame, Region, Scratch, Shape, obscure, plan, redact};
use proptest::prelude::*;

/// How surely pixel `(x, y)` is touched by a region: below 0 yes, above 0 no, about 0 at its very edge. By the
/// definition of a region, not by the crate's own way of drawing it.
fn side_of(region: &Region, x: u32, y: u32) -> f64 {
    let Rect { x: rx, y: ry, w, h } = region.rect;
    let (a, b) = (f64::from(w) / 2.0, f64::from(h) / 2.0);
    let (cx, cy) = (f64::from(rx) + a, f64::from(ry) + b);
    // From the centre to the nearest point of the pixel's square, in half axes.
    let near = |c: f64, at: u32| (f64::from(at) - c).max(c - f64::from(at + 1)).max(0.0);
    let (dx, dy) = (near(cx, x) / a, near(cy, y) / b);
    match region.shape {
        Shape::Ellipse => dx * dx + dy * dy - 1.0,
        Shape::Box => dx.max(dy) - 1.0,
    }
}

/// Calls `change` with every byte of the frame whose pixels satisfy `pick`, all of them or one of them.
fn each_sample(
    frame: &mut Frame,
    pick: impl Fn(u32, u32) -> bool,
    all: bool,
    mut change: impl FnMut(&mut u8),
) {
    let size = frame.size();
    for plane in frame.planes_mut() {
        let s = plane.shift;
        for (at, byte) in (0u32..).zip(plane.data.iter_mut()) {
            let (px, py) = (at % plane.size.width, at / plane.size.width);
            let (xs, ys) =
                ((px << s)..((px + 1) << s).min(size.width), (py << s)..((py + 1) << s).min(size.height));
            let mut pixels = ys.flat_map(|y| xs.clone().map(move |x| (x, y)));
            let picked = if all { pixels.all(|(x, y)| pick(x, y)) } else { pixels.any(|(x, y)| pick(x, y)) };
            if picked {
                change(byte);
            }
        }
    }
}

fn scramble_inside(frame: &Frame, regions: &[Region], noise: u64) -> Frame {
    let mut state = noise;
    let mut frame = frame.clone();
    let inside = |x, y| regions.iter().any(|r| side_of(r, x, y) < -1e-9);
    each_sample(&mut frame, inside, false, |byte| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        *byte = (state >> 56) as u8;
    });
    frame
}

fn any_layout() -> impl Strategy<Value = Layout> {
    prop_oneof![Just(Layout::Yuv420), Just(Layout::Rgb), Just(Layout::Rgba), Just(Layout::Gray)]
}

fn any_frame() -> impl Strategy<Value = Frame> {
    (1u32..70, 1u32..50, any_layout(), any::<u64>()).prop_map(|(width, height, layout, seed)| {
        let size = Size { width, height };
        let bytes =
            (0..layout.bytes(size) as u64).map(|i| ((i ^ seed).wrapping_mul(0x9e3779b97f4a7c15) >> 56) as u8);
        Frame::from_bytes(size, layout, Pts(7), bytes.collect()).unwrap()
    })
}

/// Regions of all kinds: small, large, overlapping, partly or wholly outside the frame.
fn any_regions() -> impl Strategy<Value = Vec<Region>> {
    let region = (-30.0f32..80.0, -30.0f32..60.0, 0.3f32..45.0, 0.3f32..45.0, any::<bool>()).prop_map(
        |(x, y, w, h, ellipse)| Region {
            rect: Rect { x, y, w, h },
            shape: if ellipse { Shape::Ellipse } else { Shape::Box },
        },
    );
    prop::collection::vec(region, 0..6)
}

fn any_fill() -> impl Strategy<Value = Fill> {
    prop_oneof![Just(Fill::Surround), any::<[u8; 3]>().prop_map(Fill::Solid)]
}

fn redacted(frame: &Frame, regions: &[Region], fill: &Fill) -> RedactedFrame {
    redact(frame.clone(), regions, fill, Coding::default(), &mut Scratch::new())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// INV-1
    #[test]
    fn redaction_forgets(frame in any_frame(), regions in any_regions(), fill in any_fill(), noise: u64) {
        let seen = redacted(&frame, &regions, &fill);
        let other = redacted(&scramble_inside(&frame, &regions, noise), &regions, &fill);
        prop_assert!(seen.as_frame() == other.as_frame());
    }

    #[test]
    fn outside_not_a_bit_changes(frame in any_frame(), regions in any_regions(), fill in any_fill()) {
        let seen = redacted(&frame, &regions, &fill);
        let outside = |x, y| regions.iter().all(|r| side_of(r, x, y) > 1e-9);
        let mut before = Vec::new();
        each_sample(&mut frame.clone(), outside, true, |byte| before.push(*byte));
        let mut after = Vec::new();
        each_sample(&mut seen.recycle(), outside, true, |byte| after.push(*byte));
        prop_assert_eq!(before, after);
    }

    #[test]
    fn covering_more_is_covering_all_at_once(
        frame in any_frame(), regions in any_regions(), more in any_regions(), fill in any_fill(),
    ) {
        let mut seen = redacted(&frame, &regions, &fill);
        seen.cover_more(&more, &fill, &mut Scratch::new());
        let all: Vec<Region> = regions.iter().chain(&more).copied().collect();
        let at_once = redacted(&frame, &all, &fill);
        prop_assert!(seen.as_frame() == at_once.as_frame());
        prop_assert_eq!(seen.covered_share(), at_once.covered_share());
    }

    #[test]
    fn a_whole_frame_forgets_all(a in any_frame(), noise: u64) {
        let b = scramble_inside(&a, &[Region::whole(a.size())], noise);
        let (a, b) = (RedactedFrame::whole(a), RedactedFrame::whole(b));
        prop_assert!(a.as_frame() == b.as_frame());
        prop_assert_eq!(a.covered_share(), 1.0);
        prop_assert_eq!(a.as_frame().pts, Pts(7));
    }

    #[test]
    fn the_covered_share_is_that_of_the_pixels(frame in any_frame(), regions in any_regions()) {
        let size = frame.size();
        let pixels = || (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
        let count = |edge: f64| pixels().filter(|(x, y)| regions.iter().any(|r| side_of(r, *x, *y) < edge)).count();
        let share = f64::from(redacted(&frame, &regions, &Fill::Surround).covered_share()) * size.area() as f64;
        prop_assert!(count(-1e-9) as f64 - 0.1 <= share && share <= count(1e-9) as f64 + 0.1);
    }

    #[test]
    fn one_scratch_serves_all_frames(
        frames in prop::collection::vec((any_frame(), any_regions(), any_fill()), 1..6),
    ) {
        let mut scratch = Scratch::new();
        for (frame, regions, fill) in frames {
            let fresh = redacted(&frame, &regions, &fill);
            let used = redact(frame, &regions, &fill, Coding::default(), &mut scratch);
            prop_assert!(fresh.as_frame() == used.as_frame());
        }
    }
}

#[test]
fn inside_a_region_alpha_is_opaque_and_solid_is_its_color() {
    let size = Size { width: 9, height: 7 };
    let region = [Region { rect: Rect { x: 2.0, y: 2.0, w: 4.0, h: 4.0 }, shape: Shape::Box }];
    for (layout, want) in [
        (Layout::Rgba, vec![200, 10, 30, 255]),
        (Layout::Rgb, vec![200, 10, 30]),
        (Layout::Gray, vec![61]),
        (Layout::Yuv420, vec![61, 118, 211]),
    ] {
        let seen = redacted(&Frame::new(size, layout), &region, &Fill::Solid([200, 10, 30]));
        let at = |p: placet_core::Plane<'_>| p.data[(3 >> p.shift) * p.size.width as usize + (3 >> p.shift)];
        assert_eq!(seen.as_frame().planes().map(at).collect::<Vec<_>>(), want, "{layout:?}");
    }
    let seen = redacted(&Frame::new(size, Layout::Rgba), &region, &Fill::Surround);
    assert_eq!(seen.as_frame().planes().last().map(|alpha| alpha.data[3 * 9 + 3]), Some(255));
}

#[test]
fn what_is_not_a_number_hides_more_not_less() {
    let size = Size { width: 20, height: 20 };
    for rect in [
        Rect { x: f32::NAN, y: 0.0, w: 5.0, h: 20.0 },
        Rect { x: 5.0, y: 0.0, w: f32::INFINITY, h: 20.0 },
        Rect { x: -1e30, y: -1e30, w: 2e30, h: 2e30 },
    ] {
        for shape in [Shape::Ellipse, Shape::Box] {
            let region = plan::mask_region(rect, plan::Target::Face, plan::MASK_SCALE, shape);
            let share = redacted(&Frame::new(size, Layout::Gray), &[region], &Fill::Surround).covered_share();
            assert!(share >= 0.75, "{rect:?} {shape:?}: {share}");
        }
    }
}

#[test]
fn a_frame_without_pixels_is_no_trouble() {
    let frame = Frame::new(Size { width: 0, height: 5 }, Layout::Yuv420);
    let region = Region { rect: Rect { x: 0.0, y: 0.0, w: 5.0, h: 5.0 }, shape: Shape::Ellipse };
    assert_eq!(redacted(&frame, &[region], &Fill::Surround).covered_share(), 0.0);
}

/// The property has teeth: what claims less does not have it.
#[test]
fn blur_and_mosaic_do_not_forget() {
    let size = Size { width: 60, height: 40 };
    let mut frame = Frame::new(size, Layout::Gray);
    frame.bytes_mut().iter_mut().enumerate().for_each(|(i, b)| *b = (i * 7 % 251) as u8);
    let region = [Region { rect: Rect { x: 10.0, y: 10.0, w: 20.0, h: 20.0 }, shape: Shape::Ellipse }];
    for how in [Obscure::Blur, Obscure::Mosaic { size: 5 }] {
        let seen = obscure(frame.clone(), &region, how, &mut Scratch::new());
        let other = obscure(scramble_inside(&frame, &region, 1), &region, how, &mut Scratch::new());
        assert!(seen.as_frame() != other.as_frame(), "{how:?}");
    }
}
