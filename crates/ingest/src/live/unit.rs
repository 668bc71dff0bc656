use std::fmt;
use std::sync::Arc;

use placet_core::Pts;

use crate::video::nal_units;

/// One coded picture made of redacted frames alone: an H.264 access unit as a byte stream (ITU-T H.264, Annex B).
/// Clones share the bytes.
// INVARIANT: made by this module's encoder alone, from `RedactedFrame`s.
#[derive(Clone)]
pub struct RedactedUnit {
    data: Arc<[u8]>,
    pts: Pts,
    key: bool,
}

#[expect(dead_code, reason = "the live encoder makes them")]
impl RedactedUnit {
    pub(super) fn new(data: Arc<[u8]>, pts: Pts, key: bool) -> Self {
        Self { data, pts, key }
    }
}

impl RedactedUnit {
    /// The bytes, with start codes.
    pub fn data(&self) -> &Arc<[u8]> {
        &self.data
    }

    /// When it is to be shown, in ticks of [`TimeBase::LIVE`](placet_core::TimeBase::LIVE) on the gateway's clock.
    pub fn pts(&self) -> Pts {
        self.pts
    }

    /// Whether it decodes alone. Parameter sets are then inside.
    pub fn key(&self) -> bool {
        self.key
    }

    /// Its NAL units, without start codes and the zeros that may follow a unit.
    pub fn nals(&self) -> impl Iterator<Item = &[u8]> {
        nal_units(&self.data)
    }
}

impl fmt::Debug for RedactedUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.key { "key " } else { "" };
        write!(f, "{kind}unit of {} bytes at {}", self.data.len(), self.pts.0)
    }
}

/// One redacted frame as a JPEG file. Clones share the bytes.
// INVARIANT: made by this module's encoder alone, from `RedactedFrame`s.
#[derive(Clone)]
pub struct RedactedPicture {
    jpeg: Arc<[u8]>,
}

#[expect(dead_code, reason = "the live encoder makes them")]
impl RedactedPicture {
    pub(super) fn new(jpeg: Arc<[u8]>) -> Self {
        Self { jpeg }
    }
}

impl RedactedPicture {
    /// The file.
    pub fn jpeg(&self) -> &Arc<[u8]> {
        &self.jpeg
    }
}

impl fmt::Debug for RedactedPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "picture of {} bytes", self.jpeg.len())
    }
}
