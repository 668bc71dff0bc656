use placet_core::{Frame, Layout};
use smallvec::SmallVec;

use crate::fill::{self, Grid};
use crate::mask::{Masks, at_shift};
use crate::{Coding, Fill, Region};

/// Grey, in every layout and range: what stands where nothing of the frame may be used.
const GREY: u8 = 128;

/// As many regions as a frame lists without an allocation.
pub(crate) const FEW: usize = 32;

/// Working memory that redaction borrows, so that a frame's path does not allocate. One per thread.
#[derive(Default)]
pub struct Scratch {
    pub(crate) masks: Masks,
    pub(crate) grid: Grid,
    pub(crate) sums: Vec<u32>,
    pub(crate) bytes: Vec<u8>,
}

impl Scratch {
    /// An empty one; it grows to the largest frame it sees.
    pub fn new() -> Self {
        Self::default()
    }
}

/// A frame in whose regions nothing depends on what was there. Made by [`redact`] and [`RedactedFrame::whole`] alone.
// INVARIANT: made and changed by this module alone; `frame` is what `refill` left, for all of `regions`.
pub struct RedactedFrame {
    frame: Frame,
    regions: SmallVec<[Region; FEW]>,
    coding: Coding,
    covered: u64,
}

/// Replaces every sample inside `regions` by what `fill` says.
///
/// Inside, the result depends on nothing that was inside any of the regions; outside, it is bit-identical to the input.
/// A half-size chroma sample is inside when one of its luma pixels is. Alpha becomes opaque inside. Does not allocate
/// once `scratch` has seen a frame of this size (beyond 32 regions: a list of them).
pub fn redact(
    frame: Frame,
    regions: &[Region],
    fill: &Fill,
    coding: Coding,
    scratch: &mut Scratch,
) -> RedactedFrame {
    let mut redacted = RedactedFrame { frame, regions: SmallVec::from_slice(regions), coding, covered: 0 };
    redacted.refill(fill, scratch);
    redacted
}

impl RedactedFrame {
    /// A frame that could not be judged: every sample grey, nothing of it remains but size and time.
    pub fn whole(mut frame: Frame) -> Self {
        let layout = frame.layout();
        for (idx, plane) in frame.planes_mut().enumerate() {
            plane.data.fill(if is_alpha(layout, idx) { u8::MAX } else { GREY });
        }
        let size = frame.size();
        let regions = SmallVec::from_slice(&[Region::whole(size)]);
        Self { frame, regions, coding: Coding::default(), covered: size.area() }
    }

    /// Hides more, as when the check found another face. All regions are filled anew with `fill`, the earlier ones
    /// too, since they took colors from around them; the result is that of one [`redact`] with all regions.
    pub fn cover_more(&mut self, regions: &[Region], fill: &Fill, scratch: &mut Scratch) {
        if self.covered == self.frame.size().area() {
            return;
        }
        self.regions.extend_from_slice(regions);
        self.refill(fill, scratch);
    }

    /// The pixels, to encode or to check.
    pub fn as_frame(&self) -> &Frame {
        &self.frame
    }

    /// Covered pixels over all pixels, 0 to 1; overlaps counted once.
    pub fn covered_share(&self) -> f32 {
        let area = self.frame.size().area();
        if area == 0 { 0.0 } else { (self.covered as f64 / area as f64) as f32 }
    }

    /// Writes `number` on the middle of `rect`, light on dark: a track's number on what hides its face.
    pub fn label(&mut self, rect: placet_core::Rect, number: u64) {
        crate::label::draw(&mut self.frame, rect, number);
    }

    /// What is hidden, in the order given.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Takes away all detail finer than `grain` columns and rows: each square of so many becomes its mean. For a picture
    /// that was looked at reduced by as much.
    pub fn coarsen(&mut self, grain: u32) {
        if grain < 2 {
            return;
        }
        for mut plane in self.frame.planes_mut() {
            let side = (grain as usize).div_ceil(1 << plane.shift);
            fill::coarsen(&mut plane, side);
        }
    }

    /// The buffer, to be written over by the next frame. Its pixels are the redacted ones.
    pub fn recycle(self) -> Frame {
        self.frame
    }

    fn refill(&mut self, fill: &Fill, scratch: &mut Scratch) {
        let (size, layout) = (self.frame.size(), self.frame.layout());
        let Scratch { masks, grid, .. } = scratch;
        self.covered = masks.draw(self.regions.iter(), size, layout);
        let solid = match fill {
            Fill::Surround => None,
            Fill::Solid(rgb) => Some(plane_values(*rgb, layout, self.coding)),
        };
        for (idx, mut plane) in self.frame.planes_mut().enumerate() {
            let shift = plane.shift;
            let mask = masks.plane(shift);
            for area in masks.areas() {
                let px = at_shift(area.px, shift);
                match solid.as_ref().and_then(|values| values.get(idx)) {
                    Some(value) => fill::constant(&mut plane, mask, px, *value),
                    None if is_alpha(layout, idx) => fill::constant(&mut plane, mask, px, u8::MAX),
                    None => fill::surround(&mut plane, mask, px, area.grain >> shift, GREY, grid),
                }
            }
        }
        masks.clear(size, layout);
    }
}

impl std::fmt::Debug for RedactedFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redacted{:?} with {} regions", self.frame, self.regions.len())
    }
}

fn is_alpha(layout: Layout, plane_idx: usize) -> bool {
    layout == Layout::Rgba && plane_idx == 3
}

fn plane_values([r, g, b]: [u8; 3], layout: Layout, coding: Coding) -> [u8; 4] {
    let [y, cb, cr] = coding.yuv([r, g, b]);
    match layout {
        Layout::Yuv420 => [y, cb, cr, u8::MAX],
        Layout::Gray => [y; 4],
        Layout::Rgb | Layout::Rgba => [r, g, b, u8::MAX],
    }
}
