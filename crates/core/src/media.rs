use std::sync::Arc;

use crate::Pts;

/// How a camera codes its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// ITU-T H.264, as a byte stream (Annex B).
    H264,
    /// ITU-T H.265, as a byte stream (Annex B).
    H265,
    /// One JPEG file for each picture.
    Jpeg,
}

impl Codec {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "H.264",
            Self::H265 => "H.265",
            Self::Jpeg => "JPEG",
        }
    }
}

/// What a camera sent for one picture, still coded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    /// How it is coded.
    pub codec: Codec,
    /// The bytes: NAL units behind start codes, or a JPEG file.
    pub data: Arc<[u8]>,
    /// When it is to be shown, in ticks of [`TimeBase::LIVE`](crate::TimeBase::LIVE) on the gateway's own clock.
    pub pts: Pts,
    /// Whether it decodes alone. Parameter sets are then inside.
    pub key: bool,
}
