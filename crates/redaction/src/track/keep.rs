use std::collections::BTreeSet;

use super::{TrackBox, TrackId};

/// Tracks to leave visible, as for a person who asked for the footage of themselves.
///
/// Only their own boxes are dropped. Where another person's box overlaps theirs, that one is hidden all the same; so is
/// a second track on the same face.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeepTrack(BTreeSet<TrackId>);

impl KeepTrack {
    /// Keeps these.
    pub fn new(ids: impl IntoIterator<Item = TrackId>) -> Self {
        Self(ids.into_iter().collect())
    }

    /// Whether a track is left visible.
    pub fn keeps(&self, id: TrackId) -> bool {
        self.0.contains(&id)
    }

    /// Drops the boxes of kept tracks.
    pub fn filter(&self, boxes: &mut Vec<TrackBox>) {
        boxes.retain(|b| !self.keeps(b.track));
    }
}
