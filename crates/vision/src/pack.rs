//! From a frame's bytes to a network's input.
#![expect(
    clippy::indexing_slicing,
    reason = "pixel kernel: every range is computed from sizes checked in `pack`"
)]

use placet_core::{Frame, Layout, Plane, Rotation, Size};
use zeroize::Zeroize as _;

use crate::{Scale, View, ViewError};

/// Width and height of a network's input are multiples of this.
const STEP: u32 = 32;

/// Rows copied together when a picture is turned: as many floats as a cache line holds.
const BAND: usize = 16;

/// Which colour comes first in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

/// A network's input `[1, 3, H, W]`, `f32`, 0 to 255, H and W multiples of 32, with the buffers to fill it.
///
/// The view lies in the upper left corner; what is beyond it is zero, which is also what the networks' convolutions
/// assume beyond their input, so no edge appears that was not there. Video (`Layout::Yuv420`) is taken as limited
/// range, BT.709 where the frame's shorter side has 720 pixels or more and BT.601 below, as players do for files that
/// do not say; a detector does not notice the difference. Alpha is ignored.
#[derive(Debug)]
pub struct Input {
    channels: Channels,
    shape: Size,
    data: Vec<f32>,
    turned: Vec<f32>,
    rows: Rows,
}

/// Buffers for one row.
#[derive(Debug, Default)]
struct Rows {
    /// Sums over the source rows that make one row of the view.
    sums: Vec<u16>,
    /// The same at the width of the frame, where chroma has half of it, with one more sample at either end.
    wide: Vec<u16>,
    /// Luma and the two colour differences.
    yuv: [Vec<f32>; 3],
}

impl Input {
    /// An empty input.
    pub fn new(channels: Channels) -> Self {
        let shape = Size { width: 0, height: 0 };
        Self { channels, shape, data: Vec::new(), turned: Vec::new(), rows: Rows::default() }
    }

    /// Writes zeros over the view it holds.
    pub fn forget(&mut self) {
        let Self { data, turned, rows, .. } = self;
        data.as_mut_slice().zeroize();
        turned.as_mut_slice().zeroize();
        rows.sums.as_mut_slice().zeroize();
        rows.wide.as_mut_slice().zeroize();
        rows.yuv.iter_mut().for_each(|row| row.as_mut_slice().zeroize());
    }

    /// Columns and rows.
    pub fn shape(&self) -> Size {
        self.shape
    }

    /// The three planes, one after another.
    pub fn data(&self) -> &[f32] {
        &self.data[..3 * self.shape.area() as usize]
    }

    /// Fills the input from `view` of `frame`. Allocates only where the view is larger than any before.
    ///
    /// # Errors
    /// Where the view is not a part of the frame, or cannot be scaled as it asks.
    pub fn pack(&mut self, frame: &Frame, view: &View) -> Result<(), ViewError> {
        view.check(frame.size())?;
        let scaled = view.scaled();
        let upright = view.rotation.upright(scaled);
        let width = upright.width.next_multiple_of(STEP);
        self.shape = Size { width, height: upright.height.next_multiple_of(STEP) };
        let plane_len = self.shape.area() as usize;
        grow(&mut self.data, 3 * plane_len);

        let mut planes = self.data[..3 * plane_len].chunks_exact_mut(plane_len);
        let (Some(first), Some(green), Some(last)) = (planes.next(), planes.next(), planes.next()) else {
            return Ok(()); // three planes were cut just above
        };
        let [red, blue] = match self.channels {
            Channels::Rgb => [first, last],
            Channels::Bgr => [last, first],
        };
        let mut target = Target { planes: [red, green, blue], width: width as usize };
        if view.rotation == Rotation::None {
            fill(frame, view, &mut target, &mut self.rows);
        } else {
            let area = scaled.area() as usize;
            grow(&mut self.turned, 3 * area);
            let (red, rest) = self.turned[..3 * area].split_at_mut(area);
            let (green, blue) = rest.split_at_mut(area);
            let mut stored = Target { planes: [red, green, blue], width: scaled.width as usize };
            fill(frame, view, &mut stored, &mut self.rows);
            for (from, to) in stored.planes.iter().zip(&mut target.planes) {
                turn(from, scaled, view.rotation, to, width as usize);
            }
        }
        for plane in &mut target.planes {
            pad(plane, width as usize, upright);
        }
        Ok(())
    }
}

/// Red, green and blue, `width` floats a row.
struct Target<'a> {
    planes: [&'a mut [f32]; 3],
    width: usize,
}

fn grow<T: Clone + Default>(buffer: &mut Vec<T>, len: usize) {
    if buffer.len() < len {
        buffer.resize(len, T::default());
    }
}

fn pad(plane: &mut [f32], width: usize, inside: Size) {
    for row in plane.chunks_exact_mut(width).take(inside.height as usize) {
        row[inside.width as usize..].fill(0.0);
    }
    plane[inside.height as usize * width..].fill(0.0);
}

/// Copies a picture of size `from_size` turned clockwise by `rotation`; rows of `to` are `width` floats apart.
fn turn(from: &[f32], from_size: Size, rotation: Rotation, to: &mut [f32], width: usize) {
    let (columns, rows) = (from_size.width as usize, from_size.height as usize);
    match rotation {
        Rotation::None => to.chunks_mut(width).zip(from.chunks_exact(columns)).for_each(|(to, from)| {
            to[..columns].copy_from_slice(from);
        }),
        Rotation::Half => {
            to.chunks_mut(width).zip(from.chunks_exact(columns).rev()).for_each(|(to, from)| {
                to.iter_mut().zip(from.iter().rev()).for_each(|(to, from)| *to = *from);
            })
        }
        Rotation::Cw90 | Rotation::Cw270 => {
            // Row `y` of the result is column `y` of the source (or counted from the right), read from its foot (or
            // from its head). A band of columns at a time, so that each cache line of the source is read once.
            for band in (0..columns).step_by(BAND) {
                let len = BAND.min(columns - band);
                for x in 0..rows {
                    let source_row = if rotation == Rotation::Cw90 { rows - 1 - x } else { x };
                    let source = &from[source_row * columns + band..][..len];
                    for (offset, value) in source.iter().enumerate() {
                        let column = band + offset;
                        let y = if rotation == Rotation::Cw90 { column } else { columns - 1 - column };
                        to[y * width + x] = *value;
                    }
                }
            }
        }
    }
}

/// Scales and converts the view, not turned, row by row.
fn fill(frame: &Frame, view: &View, target: &mut Target<'_>, rows: &mut Rows) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as was just asked.
        #[expect(unsafe_code, reason = "the same safe code, compiled for wider registers")]
        unsafe {
            fill_avx2(frame, view, target, rows);
        }
        return;
    }
    fill_rows(frame, view, target, rows);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn fill_avx2(frame: &Frame, view: &View, target: &mut Target<'_>, rows: &mut Rows) {
    fill_rows(frame, view, target, rows);
}

#[inline(always)]
fn fill_rows(frame: &Frame, view: &View, target: &mut Target<'_>, rows: &mut Rows) {
    let size = view.scaled();
    let (width, height) = (size.width as usize, size.height as usize);
    let mut planes = frame.planes();
    let planes = [planes.next(), planes.next(), planes.next()];
    let Rows { sums, wide, yuv } = rows;
    let matrix = Matrix::of(frame.size());
    for y in 0..height {
        let at = y * target.width..y * target.width + width;
        let [red, green, blue] = target.planes.each_mut().map(|plane| &mut plane[at.clone()]);
        match (frame.layout(), &planes) {
            (Layout::Yuv420, [Some(luma), Some(cb), Some(cr)]) => {
                for (plane, out) in [luma, cb, cr].into_iter().zip(yuv.iter_mut()) {
                    grow(out, width);
                    scale_row(plane, view, y, sums, wide, &mut out[..width]);
                }
                let [luma, cb, cr] = yuv.each_ref().map(|row| &row[..width]);
                matrix.convert(luma, cb, cr, red, green, blue);
            }
            (Layout::Rgb | Layout::Rgba, [Some(r), Some(g), Some(b)]) => {
                for (plane, out) in [(r, red), (g, green), (b, blue)] {
                    scale_row(plane, view, y, sums, wide, out);
                }
            }
            (_, [luma, ..]) => {
                if let Some(luma) = luma {
                    scale_row(luma, view, y, sums, wide, red);
                }
                green.copy_from_slice(red);
                blue.copy_from_slice(red);
            }
        }
    }
}

/// Coefficients from limited-range luma and colour differences to red, green and blue of 0 to 255.
struct Matrix {
    red_cr: f32,
    green_cb: f32,
    green_cr: f32,
    blue_cb: f32,
}

impl Matrix {
    const LUMA: f32 = 255.0 / 219.0;

    /// From ITU-R BT.709 for high definition, BT.601 below.
    fn of(frame: Size) -> Self {
        let (kr, kb) = if frame.width.min(frame.height) >= 720 { (0.2126, 0.0722) } else { (0.299, 0.114) };
        let kg = 1.0 - kr - kb;
        let chroma = 255.0 / 112.0;
        Self {
            red_cr: chroma * (1.0 - kr),
            green_cb: -chroma * (1.0 - kb) * kb / kg,
            green_cr: -chroma * (1.0 - kr) * kr / kg,
            blue_cb: chroma * (1.0 - kb),
        }
    }

    #[inline(always)]
    fn convert(
        &self,
        luma: &[f32],
        cb: &[f32],
        cr: &[f32],
        red: &mut [f32],
        green: &mut [f32],
        blue: &mut [f32],
    ) {
        let n = luma.len();
        let (cb, cr) = (&cb[..n], &cr[..n]);
        let (red, green, blue) = (&mut red[..n], &mut green[..n], &mut blue[..n]);
        let byte = |v: f32| v.clamp(0.0, 255.0);
        for i in 0..n {
            let (y, u, v) = ((luma[i] - 16.0) * Self::LUMA, cb[i] - 128.0, cr[i] - 128.0);
            red[i] = byte(y + self.red_cr * v);
            green[i] = byte(y + self.green_cb * u + self.green_cr * v);
            blue[i] = byte(y + self.blue_cb * u);
        }
    }
}

/// One row of the scaled view, from one plane.
#[inline(always)]
fn scale_row(
    plane: &Plane<'_>,
    view: &View,
    y: usize,
    sums: &mut Vec<u16>,
    wide: &mut Vec<u16>,
    out: &mut [f32],
) {
    match view.scale {
        Scale::Up2 => up_row(plane, view, y, sums, wide, out),
        Scale::Same => down_row(plane, view, 1, y, sums, out),
        Scale::Down(n) => down_row(plane, view, n as usize, y, sums, out),
    }
}

/// The part of a plane's row `y` that a view of columns `x..x + w` of the frame needs.
#[inline(always)]
fn row_of<'a>(plane: &Plane<'a>, view: &View, y: usize) -> &'a [u8] {
    let (shift, stride) = (plane.shift, plane.size.width as usize);
    let first = (view.source.x >> shift) as usize;
    let last = ((view.source.x + view.source.w - 1) >> shift) as usize;
    &plane.data[y * stride + first..=y * stride + last]
}

/// Means over the samples that `n` by `n` frame pixels touch.
#[inline(always)]
fn down_row(plane: &Plane<'_>, view: &View, n: usize, y: usize, sums: &mut Vec<u16>, out: &mut [f32]) {
    let (top, bottom) = (view.source.y as usize, (view.source.y + view.source.h) as usize);
    let first = (top + n * y) >> plane.shift;
    let last = ((top + n * y + n).min(bottom) - 1) >> plane.shift;
    let row = row_of(plane, view, first);
    grow(sums, row.len());
    let sums = &mut sums[..row.len()];
    sums.iter_mut().zip(row).for_each(|(sum, sample)| *sum = u16::from(*sample));
    for y in first + 1..=last {
        // At most `Scale::MAX_DOWN` rows of bytes fit; wrapping, here and below, so that no check stands in the way of
        // vectors.
        sums.iter_mut()
            .zip(row_of(plane, view, y))
            .for_each(|(sum, sample)| *sum = sum.wrapping_add(u16::from(*sample)));
    }
    across(sums, plane.shift, view, n, last + 1 - first, out);
}

/// Means across a row of sums over `rows` rows; `out` has one place for each `n` frame pixels.
#[inline(always)]
fn across(sums: &[u16], shift: u32, view: &View, n: usize, rows: usize, out: &mut [f32]) {
    let (x, width) = (view.source.x as usize, view.source.w as usize);
    // How many places the regular patterns below fill; what is left goes one by one.
    let done = match (shift, n, x % 2) {
        (0, 1, _) => boxes::<1>(sums, rows, out),
        (0, 2, _) => boxes::<2>(sums, rows, out),
        (0, 3, _) => boxes::<3>(sums, rows, out),
        (0, 4, _) => boxes::<4>(sums, rows, out),
        (0, 6, _) => boxes::<6>(sums, rows, out),
        (1, 1, odd) => doubled(sums, odd, out),
        (1, 2, 0) => boxes::<1>(sums, rows, out),
        (1, 3, 0) => threes(sums, rows, out),
        (1, 4, 0) => boxes::<2>(sums, rows, out),
        (1, 6, 0) => boxes::<3>(sums, rows, out),
        _ => 0,
    };
    let origin = x >> shift;
    for (place, out) in out.iter_mut().enumerate().skip(done) {
        let first = ((x + place * n) >> shift) - origin;
        let last = ((x + (place * n + n).min(width) - 1) >> shift) - origin;
        let sum: u32 = sums[first..=last].iter().map(|s| u32::from(*s)).sum();
        *out = sum as f32 / (rows * (last + 1 - first)) as f32;
    }
}

/// Means of `N` neighbours each, as far as whole groups go.
#[inline(always)]
fn boxes<const N: usize>(sums: &[u16], rows: usize, out: &mut [f32]) -> usize {
    let k = 1.0 / (rows * N) as f32;
    let (groups, _) = sums.as_chunks::<N>();
    for (out, group) in out.iter_mut().zip(groups) {
        *out = group.iter().fold(0_i32, |sum, s| sum.wrapping_add(i32::from(*s))) as f32 * k;
    }
    groups.len().min(out.len())
}

/// Chroma at full width: each sample twice, the first once where the view begins at an odd column.
#[inline(always)]
fn doubled(sums: &[u16], odd: usize, out: &mut [f32]) -> usize {
    let (out_pairs, samples) = if odd == 1 {
        out[0] = f32::from(sums[0]);
        (&mut out[1..], &sums[1..])
    } else {
        (&mut *out, sums)
    };
    let (pairs, _) = out_pairs.as_chunks_mut::<2>();
    let done = pairs.len().min(samples.len());
    for (pair, sample) in pairs.iter_mut().zip(samples) {
        *pair = [f32::from(*sample); 2];
    }
    odd + 2 * done
}

/// Chroma for every third column: three samples make two places, each the mean of two samples.
#[inline(always)]
fn threes(sums: &[u16], rows: usize, out: &mut [f32]) -> usize {
    let k = 1.0 / (rows * 2) as f32;
    let (pairs, _) = out.as_chunks_mut::<2>();
    let (groups, _) = sums.as_chunks::<3>();
    for (pair, [a, b, c]) in pairs.iter_mut().zip(groups) {
        let mean = |a: u16, b: u16| i32::from(a).wrapping_add(i32::from(b)) as f32 * k;
        *pair = [mean(*a, *b), mean(*b, *c)];
    }
    2 * pairs.len().min(groups.len())
}

/// Twice as large: each place takes three quarters of its own pixel and one of the nearest other, both ways.
#[inline(always)]
fn up_row(
    plane: &Plane<'_>,
    view: &View,
    y: usize,
    sums: &mut Vec<u16>,
    wide: &mut Vec<u16>,
    out: &mut [f32],
) {
    let (top, height, columns) = (view.source.y as usize, view.source.h as usize, view.source.w as usize);
    let own = y / 2;
    let other = if y.is_multiple_of(2) { own.saturating_sub(1) } else { (own + 1).min(height - 1) };
    let own = row_of(plane, view, (top + own) >> plane.shift);
    let other = row_of(plane, view, (top + other) >> plane.shift);
    grow(sums, own.len());
    let sums = &mut sums[..own.len()];
    for ((sum, own), other) in sums.iter_mut().zip(own).zip(other) {
        *sum = u16::from(*own).wrapping_mul(3).wrapping_add(u16::from(*other));
    }

    grow(wide, columns + 2);
    let wide = &mut wide[..columns + 2];
    let odd = (view.source.x as usize & 1) * plane.shift as usize;
    for (idx, place) in wide[1..=columns].iter_mut().enumerate() {
        *place = sums[(idx + odd) >> plane.shift];
    }
    wide[0] = wide[1];
    wide[columns + 1] = wide[columns];
    let (pairs, _) = out.as_chunks_mut::<2>();
    for (pair, three) in pairs.iter_mut().zip(wide.windows(3)) {
        let [left, own, right] = [three[0], three[1], three[2]].map(i32::from);
        *pair = [(3 * own + left) as f32 / 16.0, (3 * own + right) as f32 / 16.0];
    }
}

#[cfg(test)]
mod tests {
    use placet_core::{PixelRect, Pts, Rect};
    use proptest::prelude::*;

    use super::*;

    /// A frame of noise.
    fn noise(size: Size, layout: Layout, mut seed: u64) -> Frame {
        let bytes = (0..layout.bytes(size)).map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        });
        Frame::from_bytes(size, layout, Pts(0), bytes.collect()).unwrap()
    }

    /// Red, green and blue at one place of the view, scaled and not turned: the slow way, as the documentation says.
    fn expected(frame: &Frame, view: &View, x: u32, y: u32) -> [f32; 3] {
        let at = |idx: usize, x: u32, y: u32| {
            let plane = frame.planes().nth(idx).unwrap();
            f32::from(plane.data[((y >> plane.shift) * plane.size.width + (x >> plane.shift)) as usize])
        };
        let source = view.source;
        let sample = |idx: usize| match view.scale {
            Scale::Up2 => {
                let near = |at: u32, len: u32| {
                    let own = i64::from(at / 2);
                    let other = if at.is_multiple_of(2) { own - 1 } else { own + 1 };
                    [own, other.clamp(0, i64::from(len) - 1)].map(|v| v as u32)
                };
                let ([x0, x1], [y0, y1]) = (near(x, source.w), near(y, source.h));
                let at = |x: u32, y: u32| at(idx, source.x + x, source.y + y);
                (9.0 * at(x0, y0) + 3.0 * at(x1, y0) + 3.0 * at(x0, y1) + at(x1, y1)) / 16.0
            }
            Scale::Same | Scale::Down(_) => {
                let n = view.scale.factor() as u32;
                let shift = frame.layout().shift(idx);
                // The samples that the box touches, each once.
                let touched = |start: u32, at: u32, len: u32| {
                    let (first, end) = (start + at * n, start + (at * n + n).min(len));
                    (first >> shift)..=((end - 1) >> shift)
                };
                let (mut sum, mut count) = (0.0, 0.0);
                for y in touched(source.y, y, source.h) {
                    for x in touched(source.x, x, source.w) {
                        sum += at(idx, x << shift, y << shift);
                        count += 1.0;
                    }
                }
                sum / count
            }
        };
        match frame.layout() {
            Layout::Gray => [sample(0); 3],
            Layout::Rgb | Layout::Rgba => [sample(0), sample(1), sample(2)],
            Layout::Yuv420 => {
                let (y, u, v) = (1.164_383_6 * (sample(0) - 16.0), sample(1) - 128.0, sample(2) - 128.0);
                let hd = frame.size().width.min(frame.size().height) >= 720;
                // The rounded coefficients printed in every table of these standards.
                let [rv, gu, gv, bu] =
                    if hd { [1.7927, 0.2132, 0.5329, 2.1124] } else { [1.5960, 0.3918, 0.8130, 2.0172] };
                [y + rv * v, y - gu * u - gv * v, y + bu * u].map(|c| c.clamp(0.0, 255.0))
            }
        }
    }

    fn check(frame: &Frame, view: View, channels: Channels) {
        let mut input = Input::new(channels);
        input.data = vec![f32::NAN; 7]; // what was there before must not matter
        input.pack(frame, &view).unwrap();
        let shape = input.shape();
        let upright = view.rotation.upright(view.scaled());
        assert_eq!(shape.width, upright.width.next_multiple_of(32));
        assert_eq!(shape.height, upright.height.next_multiple_of(32));
        let area = shape.area() as usize;
        for y in 0..shape.height {
            for x in 0..shape.width {
                let i = (y * shape.width + x) as usize;
                let mut got = [0, 1, 2].map(|c| input.data()[c * area + i]);
                if channels == Channels::Bgr {
                    got.reverse();
                }
                let want = if x < upright.width && y < upright.height {
                    // Where `to_frame` says this place lies, in whole places of the view.
                    let r = view.to_frame(Rect { x: x as f32, y: y as f32, w: 1.0, h: 1.0 });
                    let k = view.scale.factor();
                    let sx = ((r.x - view.source.x as f32) / k).round() as u32;
                    let sy = ((r.y - view.source.y as f32) / k).round() as u32;
                    expected(frame, &view, sx, sy)
                } else {
                    [0.0; 3]
                };
                for (got, want) in got.iter().zip(want) {
                    assert!((got - want).abs() < 0.05, "{view:?} at {x},{y}: {got} instead of {want}");
                }
            }
        }
    }

    const SIZE: Size = Size { width: 45, height: 37 };

    fn any_view() -> impl Strategy<Value = View> {
        let part = (0..SIZE.width, 0..SIZE.height)
            .prop_flat_map(|(x, y)| (Just(x), Just(y), 1..=SIZE.width - x, 1..=SIZE.height - y));
        let scale = prop_oneof![Just(Scale::Same), Just(Scale::Up2), (1..9_u32).prop_map(Scale::Down)];
        let rotation =
            prop::sample::select(vec![Rotation::None, Rotation::Cw90, Rotation::Half, Rotation::Cw270]);
        (part, scale, rotation).prop_map(|((x, y, w, h), scale, rotation)| View {
            source: PixelRect { x, y, w, h },
            scale,
            rotation,
        })
    }

    fn any_layout() -> impl Strategy<Value = Layout> {
        prop::sample::select(vec![Layout::Yuv420, Layout::Rgb, Layout::Rgba, Layout::Gray])
    }

    proptest! {
        /// The kernel agrees with the slow way, and what it puts somewhere lies where `View::to_frame` says.
        #[test]
        fn the_kernel_agrees_with_the_slow_way(view in any_view(), layout in any_layout(), bgr: bool, seed: u64) {
            check(&noise(SIZE, layout, seed), view, if bgr { Channels::Bgr } else { Channels::Rgb });
        }
    }

    #[test]
    fn video_of_high_definition_is_taken_as_bt_709() {
        let size = Size { width: 730, height: 720 };
        let view = View {
            source: PixelRect { x: 100, y: 200, w: 40, h: 20 },
            scale: Scale::Same,
            rotation: Rotation::None,
        };
        check(&noise(size, Layout::Yuv420, 7), view, Channels::Rgb);
    }

    #[test]
    fn wide_and_narrow_registers_give_the_same_bits() {
        let frame = noise(Size { width: 200, height: 60 }, Layout::Yuv420, 3);
        for n in 1..=6 {
            let view = View {
                source: PixelRect { x: 2, y: 4, w: 190, h: 50 },
                scale: Scale::down(n),
                rotation: Rotation::None,
            };
            let mut input = Input::new(Channels::Rgb);
            input.pack(&frame, &view).unwrap();
            let (shape, width) = (input.shape().area() as usize, input.shape().width as usize);
            let mut plain = vec![0.0_f32; 3 * shape];
            let [red, green, blue] = {
                let mut planes = plain.chunks_exact_mut(shape);
                [planes.next().unwrap(), planes.next().unwrap(), planes.next().unwrap()]
            };
            fill_rows(&frame, &view, &mut Target { planes: [red, green, blue], width }, &mut Rows::default());
            assert_eq!(input.data(), plain, "reduced by {n}");
        }
    }

    #[test]
    fn a_view_that_is_no_part_of_the_frame_is_refused() {
        let frame = Frame::new(SIZE, Layout::Gray);
        let whole = View {
            source: PixelRect { x: 0, y: 0, w: SIZE.width, h: SIZE.height },
            scale: Scale::Same,
            rotation: Rotation::None,
        };
        let source = |x, y, w, h| View { source: PixelRect { x, y, w, h }, ..whole };
        let refused = [
            source(1, 0, SIZE.width, 1),
            source(0, u32::MAX, 1, 1),
            source(u32::MAX, 0, u32::MAX, 1),
            source(0, 0, 0, 1),
            View { scale: Scale::Down(0), ..whole },
            View { scale: Scale::Down(65), ..whole },
        ];
        let mut input = Input::new(Channels::Rgb);
        for view in refused {
            assert!(input.pack(&frame, &view).is_err(), "{view:?}");
        }
        assert!(input.pack(&frame, &whole).is_ok());
        let wide = Frame::new(Size { width: 4096, height: 2400 }, Layout::Gray);
        let whole = View { source: PixelRect { x: 0, y: 0, w: 4096, h: 2400 }, ..whole };
        assert!(matches!(input.pack(&wide, &whole), Err(ViewError::TooLarge { .. })));
    }
}
