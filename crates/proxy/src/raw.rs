use std::fmt;

use placet_core::Frame;
use zeroize::Zeroize as _;

/// A frame as the camera saw it. Written over when it is given up, unless redaction took it first; its memory is left
/// out of core files.
pub struct RawFrame(Option<Frame>);

impl RawFrame {
    /// Takes charge of `frame`.
    pub fn new(frame: Frame) -> Self {
        Self(Some(frame))
    }

    /// To look at.
    pub fn frame(&self) -> Option<&Frame> {
        self.0.as_ref()
    }

    /// For redaction, which writes over what is hidden and lets the rest leave.
    pub fn into_frame(mut self) -> Option<Frame> {
        self.0.take()
    }
}

impl Drop for RawFrame {
    fn drop(&mut self) {
        if let Some(frame) = &mut self.0 {
            frame.bytes_mut().zeroize();
        }
    }
}

impl fmt::Debug for RawFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawFrame")
    }
}
