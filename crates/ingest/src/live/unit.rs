use std::fmt;
use std::sync::Arc;

use placet_core::{Pts, Size};

/// One coded picture of a redacted stream: H.264, NAL units behind start codes (Annex B), with its parameter sets where
/// it decodes alone. Made by [`super::LiveEncoder`] of what it was given, which is redacted frames.
// INVARIANT: made by this module's neighbour `encode` alone.
#[derive(Clone, PartialEq, Eq)]
pub struct RedactedUnit {
    pub(super) data: Arc<[u8]>,
    pub(super) pts: Pts,
    pub(super) key: bool,
    pub(super) size: Size,
}

impl RedactedUnit {
    /// The bytes, start codes included.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The bytes, to be shared.
    pub fn shared(&self) -> Arc<[u8]> {
        Arc::clone(&self.data)
    }

    /// When it is to be shown, in ticks of [`placet_core::TimeBase::LIVE`].
    pub fn pts(&self) -> Pts {
        self.pts
    }

    /// Whether it decodes alone.
    pub fn key(&self) -> bool {
        self.key
    }

    /// Columns and rows.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The NAL units, without start codes and without the zeros that may stand between.
    pub fn nals(&self) -> impl Iterator<Item = &[u8]> {
        crate::video::nal_units(&self.data)
    }
}

impl fmt::Debug for RedactedUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.key { ", key" } else { "" };
        write!(f, "RedactedUnit({} bytes at {}{key})", self.data.len(), self.pts.0)
    }
}

/// One redacted picture as a JPEG file.
#[derive(Clone, PartialEq, Eq)]
pub struct RedactedPicture {
    pub(super) data: Arc<[u8]>,
    pub(super) pts: Pts,
}

impl RedactedPicture {
    /// The file.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The file, to be shared.
    pub fn shared(&self) -> Arc<[u8]> {
        Arc::clone(&self.data)
    }

    /// When it was seen, in ticks of [`placet_core::TimeBase::LIVE`].
    pub fn pts(&self) -> Pts {
        self.pts
    }
}

impl fmt::Debug for RedactedPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedactedPicture({} bytes at {})", self.data.len(), self.pts.0)
    }
}
