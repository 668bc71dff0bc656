//! From the boxes of a frame to what is painted on it.

use std::collections::BTreeSet;

use placet_core::{Frame, Rect};
use placet_ingest::video::{ColorRange, VideoStream};
use placet_redaction::{
    Coding, Fill, ManualRegion, Matrix, Range, RedactedFrame, Region, Scratch, Shape, Target, TrackBox,
    TrackId, obscure, plan, redact,
};

use crate::video::Hidden;
use crate::{Settings, Style};

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
    pub(crate) fn new(settings: &Settings, coding: Coding) -> Self {
        Self {
            target: settings.target,
            mask_scale: settings.mask_scale,
            shape: settings.shape,
            style: settings.style.clone(),
            coding,
            keep: settings.keep_tracks.clone(),
            manual: settings.manual.clone(),
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
