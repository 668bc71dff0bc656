//! A made-up camera: redacted frames of a moving picture, through the real encoder.

#![allow(dead_code, reason = "each crate's tests take what they need")]

use std::path::Path;

use placet_core::{Frame, Layout, Pts, Size};
use placet_ingest::Tools;
use placet_ingest::live::{LiveEncoder, LiveReader, LiveSpec, RedactedPicture, RedactedUnit};
use placet_redaction::{Coding, Fill, RedactedFrame, Scratch, redact};

/// Columns and rows of a small camera.
pub const SMALL: Size = Size { width: 320, height: 176 };
/// Of a larger one.
pub const LARGE: Size = Size { width: 1280, height: 720 };

/// A camera and its encoder.
pub struct Studio {
    encoder: LiveEncoder,
    reader: LiveReader,
    scratch: Scratch,
    spare: Option<Frame>,
    size: Size,
}

impl Studio {
    /// One of `rate` frames a second, with a key frame every `key_every` frames.
    pub fn open(sandbox: &Path, size: Size, rate: u32, key_every: u32) -> Self {
        let tools = Tools::find_with_sandbox(sandbox.to_owned()).unwrap();
        let spec = LiveSpec { key_every, ..LiveSpec::new(size, rate) };
        let (encoder, reader) = LiveEncoder::open(&tools, spec).unwrap();
        Self { encoder, reader, scratch: Scratch::new(), spare: None, size }
    }

    /// A frame of stripes that move, redacted.
    pub fn frame(&mut self, pts: Pts) -> RedactedFrame {
        let mut frame = self.spare.take().unwrap_or_else(|| Frame::new(self.size, Layout::Yuv420));
        frame.pts = pts;
        let step = pts.0 / 3_000;
        for (idx, plane) in frame.planes_mut().enumerate() {
            let width = plane.size.width as usize;
            for (y, row) in plane.data.chunks_exact_mut(width).enumerate() {
                for (x, sample) in row.iter_mut().enumerate() {
                    let (x, y) = (x as i64, y as i64);
                    *sample = match idx {
                        0 => 40 + ((x + 3 * step + (y / 9) * 5) % 150) as u8,
                        1 => 90 + ((x / 4 + step * 7) % 80) as u8,
                        _ => 90 + ((y / 4 + step * 5) % 80) as u8,
                    };
                }
            }
        }
        redact(frame, &[], &Fill::BLACK, Coding::default(), &mut self.scratch)
    }

    /// The coded picture of that instant.
    pub fn unit(&mut self, pts: Pts) -> RedactedUnit {
        let frame = self.frame(pts);
        self.encoder.write(&frame).unwrap();
        self.spare = Some(frame.recycle());
        self.reader.next_unit().unwrap().unwrap()
    }

    /// A JPEG picture of that instant.
    pub fn picture(&mut self, pts: Pts) -> RedactedPicture {
        let frame = self.frame(pts);
        let picture = RedactedPicture::of(&frame, 75).unwrap();
        self.spare = Some(frame.recycle());
        picture
    }

    /// `count` coded pictures, `step` ticks apart, from `from` on.
    pub fn units(&mut self, from: i64, step: i64, count: i64) -> Vec<RedactedUnit> {
        (0..count).map(|idx| self.unit(Pts(from + idx * step))).collect()
    }
}
