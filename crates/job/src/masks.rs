//! From the boxes of a frame to what is painted on it.

use std::collections::BTreeSet;

use placet_core::{Frame, Rect, Rotation, Size};
use placet_ingest::video::{ColorRange, VideoStream};
use placet_redaction::{
    Coding, Fill, ManualRegion, Matrix, Range, RedactedFrame, Region, Scratch, Shape, Target, TrackBox,
    TrackId, obscure, plan, redact,
};

use crate::video::Hidden;
use crate::{JobError, Settings, Style};

/// The settings that bear on masks, in the form a frame needs them.
pub(crate) struct Masks {
    target: Target,
    mask_scale: f32,
    shape: Shape,
    style: Style,
    coding: Coding,
    keep: BTreeSet<TrackId>,
    manual: Vec<ManualRegion>,
    label: bool,
}

impl Masks {
    /// Regions drawn by hand are given as the picture is shown; they are turned to where they are stored.
    pub(crate) fn new(settings: &Settings, coding: Coding, size: Size, rotation: Rotation) -> Self {
        let stored = |m: &ManualRegion| ManualRegion { rect: stored(m.rect, size, rotation), ..*m };
        Self {
            target: settings.target,
            mask_scale: settings.mask_scale,
            shape: settings.shape,
            style: settings.style.clone(),
            coding,
            keep: settings.keep_tracks.clone(),
            manual: settings.manual.iter().map(stored).collect(),
            label: settings.label_tracks,
        }
    }

    /// What is hidden in a frame shown at `seconds` in which `boxes` are known.
    pub(crate) fn regions(&self, boxes: &[TrackBox], seconds: f64) -> Vec<Region> {
        let tracked = boxes
            .iter()
            .filter(|b| !self.keep.contains(&b.track))
            .map(|b| plan::mask_region(b.rect, self.target, self.mask_scale, self.shape));
        let manual = self
            .manual
            .iter()
            .filter(|m| m.holds_at(seconds))
            .map(|m| Region { rect: m.rect, shape: Shape::Box });
        tracked.chain(manual).collect()
    }

    /// Boxes of tracks left visible.
    pub(crate) fn kept_boxes(&self, boxes: &[TrackBox]) -> Vec<Rect> {
        boxes.iter().filter(|b| self.keep.contains(&b.track)).map(|b| b.rect).collect()
    }

    pub(crate) fn hide(
        &self,
        frame: Frame,
        regions: &[Region],
        boxes: &[TrackBox],
        scratch: &mut Scratch,
    ) -> Hidden {
        match &self.style {
            Style::Fill(fill) => {
                let mut redacted = redact(frame, regions, fill, self.coding, scratch);
                self.label(&mut redacted, boxes);
                Hidden::Redacted(redacted)
            }
            Style::Obscure(how) => Hidden::Obscured(obscure(frame, regions, *how, scratch)),
        }
    }

    fn label(&self, frame: &mut RedactedFrame, boxes: &[TrackBox]) {
        for b in boxes.iter().filter(|b| self.label && !self.keep.contains(&b.track)) {
            frame.label(b.rect, b.track.0);
        }
    }

    /// Hides more of a frame that was hidden before.
    pub(crate) fn hide_more(
        &self,
        hidden: &mut Hidden,
        regions: &[Region],
        boxes: &[TrackBox],
        scratch: &mut Scratch,
    ) {
        match (hidden, &self.style) {
            (Hidden::Redacted(f), Style::Fill(fill)) => {
                f.cover_more(regions, fill, scratch);
                self.label(f, boxes);
            }
            (Hidden::Obscured(f), Style::Obscure(how)) => f.obscure_more(regions, *how, scratch),
            // A frame covered whole in a job that obscures: nothing is left to hide.
            (Hidden::Redacted(f), Style::Obscure(_)) => f.cover_more(regions, &Fill::BLACK, scratch),
            (Hidden::Obscured(_), Style::Fill(_)) => {}
        }
    }
}

/// Where a rectangle of the picture as it is shown lies in the frame of `size` as it is stored.
fn stored(shown: Rect, size: Size, rotation: Rotation) -> Rect {
    let (width, height) = (size.width as f32, size.height as f32);
    let Rect { x, y, w, h } = shown;
    match rotation {
        Rotation::None => shown,
        Rotation::Cw90 => Rect { x: y, y: height - x - w, w: h, h: w },
        Rotation::Half => Rect { x: width - x - w, y: height - y - h, w, h },
        Rotation::Cw270 => Rect { x: width - y - h, y: x, w: h, h: w },
    }
}

/// Refuses regions that never meet the picture, in place or in time: they would hide nothing without a word.
pub(crate) fn check_regions(manual: &[ManualRegion], shown: Size, seconds: f64) -> Result<(), JobError> {
    let (width, height) = (shown.width, shown.height);
    for (at, m) in (1..).zip(manual) {
        if m.rect.pixels(shown).is_none() || m.from_s > seconds {
            return Err(JobError::Region { at, width, height, seconds });
        }
    }
    Ok(())
}

/// What the samples of a video mean, as far as it says; standard definition that says nothing is BT.601.
pub(crate) fn coding_of(video: &VideoStream) -> Coding {
    let range = if video.color.range == ColorRange::Full { Range::Full } else { Range::Limited };
    let matrix = match video.color.space.as_deref() {
        Some("smpte170m" | "bt470bg" | "fcc") => Matrix::Bt601,
        Some("bt2020nc" | "bt2020c") => Matrix::Bt2020,
        Some(_) => Matrix::Bt709,
        None if video.size.height < 720 => Matrix::Bt601,
        None => Matrix::Bt709,
    };
    Coding { range, matrix }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_turned_to_where_it_is_stored() {
        // Stored 400 x 200. The upper left corner as shown, 30 wide and 10 high.
        let corner = Rect { x: 0.0, y: 0.0, w: 30.0, h: 10.0 };
        let size = Size { width: 400, height: 200 };
        for (rotation, want) in [
            (Rotation::None, (0.0, 0.0, 30.0, 10.0)),
            // Turned clockwise by a player, the stored lower left corner is shown at the upper left.
            (Rotation::Cw90, (0.0, 170.0, 10.0, 30.0)),
            (Rotation::Half, (370.0, 190.0, 30.0, 10.0)),
            (Rotation::Cw270, (390.0, 0.0, 10.0, 30.0)),
        ] {
            let r = stored(corner, size, rotation);
            assert_eq!((r.x, r.y, r.w, r.h), want, "{rotation:?}");
        }
    }

    #[test]
    fn a_region_that_hides_nothing_is_refused() {
        let shown = Size { width: 640, height: 360 };
        for (text, good) in [
            ("0,0,10,10", true),
            ("630,350,100,100", true),
            ("640,0,10,10", false),
            ("-20,0,10,10", false),
            ("0,0,10,10@9-", true),
            ("0,0,10,10@11-12", false),
        ] {
            let region = text.parse().unwrap();
            assert_eq!(check_regions(&[region], shown, 10.0).is_ok(), good, "{text}");
        }
    }
}
