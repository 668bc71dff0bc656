use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use placet_core::{Layout, Pts, Size, TimeBase};
use placet_redaction::RedactedFrame;

use super::{RedactedPicture, RedactedUnit};
use crate::Tools;
use crate::child::{Child, ChildError, Job, Patient, Program, memory_for};
use crate::nut::{Header, NutError, Reader, Writer};
use crate::video::Ratio;

/// How a redacted stream is encoded: H.264, main profile, no picture waits for a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSpec {
    /// Columns and rows, both even.
    pub size: Size,
    /// Frames a second, a hint for rate control.
    pub frame_rate: u32,
    /// A picture that decodes alone comes this often at the latest, in frames. Default: once a second.
    pub key_every: u32,
    /// x264's constant rate factor. Default 24.
    pub crf: u8,
    /// Kilobits a second that are not exceeded over two seconds. Default 4,000.
    pub max_kbit: u32,
    /// How long the child may take nothing, or give nothing, before it is given up.
    pub patience: Duration,
}

impl LiveSpec {
    /// Defaults for frames of that size and rate.
    pub fn new(size: Size, frame_rate: u32) -> Self {
        let frame_rate = frame_rate.clamp(1, 120);
        Self {
            size,
            frame_rate,
            key_every: frame_rate,
            crf: 24,
            max_kbit: 4000,
            patience: Duration::from_secs(10),
        }
    }
}

/// Why encoding cannot go on. The child is then gone; a new one may be started.
#[derive(Debug, thiserror::Error)]
pub enum EncodeTrouble {
    /// The child failed.
    #[error("the redacted stream cannot be encoded")]
    Child(#[source] ChildError),
    /// What it gives is not what it should give.
    #[error("the encoder's stream cannot be read")]
    Stream(#[source] NutError),
    /// A frame of another size.
    #[error("a frame of {} x {} came where {} x {} were announced", got.width, got.height, wanted.width, wanted.height)]
    Size {
        /// What was announced.
        wanted: Size,
        /// What came.
        got: Size,
    },
    /// The picture could not be written as JPEG.
    #[error("cannot write a picture")]
    Picture(#[source] jpeg_encoder::EncodingError),
}

/// Takes redacted frames, and only those. Dropping it ends the stream: what is in the encoder still comes out.
pub struct LiveEncoder {
    writer: Writer<Patient>,
    size: Size,
}

/// Where the stream comes out. Dropping it kills the encoder.
pub struct LiveReader {
    child: Child,
    start: Option<Patient>,
    reader: Option<Reader<Patient>>,
    size: Size,
    patience: Duration,
}

impl LiveEncoder {
    /// Starts an encoder: a locked-in child with its pipes alone.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn open(tools: &Tools, spec: LiveSpec) -> Result<(Self, LiveReader), EncodeTrouble> {
        let job = Job {
            program: Program::Ffmpeg,
            args: args(spec),
            memory_bytes: memory_for(spec.size.area() * 128),
            stdin: true,
            ..Job::default()
        };
        let mut child = Child::spawn(tools, job).map_err(EncodeTrouble::Child)?;
        let input = child.take_input(spec.patience).map_err(EncodeTrouble::Child)?;
        let output = child.take_output(spec.patience).map_err(EncodeTrouble::Child)?;
        let header = Header {
            fourcc: *b"I420",
            size: spec.size,
            time_base: TimeBase::LIVE,
            sample_aspect: None,
            frame_rate: Some(Ratio { num: spec.frame_rate, den: 1 }),
        };
        let size = spec.size;
        match Writer::create(input, header) {
            Ok(writer) => Ok((
                Self { writer, size },
                LiveReader { child, start: Some(output), reader: None, size, patience: spec.patience },
            )),
            Err(NutError::Io { source, .. }) => {
                Err(EncodeTrouble::Child(child.broken(source, spec.patience)))
            }
            Err(source) => Err(EncodeTrouble::Stream(source)),
        }
    }

    /// Hands over a frame. Times must grow.
    ///
    /// # Errors
    /// Where the frame is not of the size announced, or the encoder is gone; [`LiveReader`] then tells why.
    pub fn write(&mut self, frame: &RedactedFrame) -> Result<(), EncodeTrouble> {
        let picture = frame.as_frame();
        if picture.size() != self.size || picture.layout() != Layout::Yuv420 {
            return Err(EncodeTrouble::Size { wanted: self.size, got: picture.size() });
        }
        self.writer.write(picture.pts, picture.bytes()).map_err(EncodeTrouble::Stream)
    }
}

impl LiveReader {
    /// The next coded picture; none when the encoder was dropped and all is told. Waits at most as long as the patience it was given.
    ///
    /// # Errors
    /// Where the encoder failed or was killed.
    pub fn next_unit(&mut self) -> Result<Option<RedactedUnit>, EncodeTrouble> {
        match self.try_next() {
            Ok(unit) => Ok(unit),
            Err(NutError::Io { source, .. }) => {
                Err(EncodeTrouble::Child(self.child.broken(source, self.patience)))
            }
            Err(source) => Err(EncodeTrouble::Stream(source)),
        }
    }

    fn try_next(&mut self) -> Result<Option<RedactedUnit>, NutError> {
        if let Some(output) = self.start.take() {
            // No coded picture is larger than a raw one.
            self.reader = Some(Reader::open(output, Layout::Yuv420.bytes(self.size) + (1 << 16))?);
        }
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let Some(head) = reader.next_frame()? else { return Ok(None) };
        let mut data = vec![0; head.len];
        reader.fill(&mut data)?;
        let base = reader.header().time_base;
        let ticks = i128::from(head.pts.0) * i128::from(base.num()) * i128::from(TimeBase::LIVE.den());
        let pts = Pts((ticks / i128::from(base.den())) as i64);
        Ok(Some(RedactedUnit { data: Arc::from(data), pts, key: head.key, size: self.size }))
    }
}

impl RedactedPicture {
    /// A JPEG file of `frame`.
    ///
    /// # Errors
    /// Where it is larger than JPEG knows.
    pub fn of(frame: &RedactedFrame, quality: u8) -> Result<Self, EncodeTrouble> {
        let picture = frame.as_frame();
        let mut data = Vec::with_capacity(1 << 16);
        let encoder = jpeg_encoder::Encoder::new(&mut data, quality.clamp(1, 100));
        encoder.encode_image(Planes(picture)).map_err(EncodeTrouble::Picture)?;
        Ok(Self { data: Arc::from(data), pts: picture.pts })
    }
}

/// A frame's samples, stretched from what video stores (16 to 235) to what JPEG does.
struct Planes<'a>(&'a placet_core::Frame);

impl jpeg_encoder::ImageBuffer for Planes<'_> {
    fn get_jpeg_color_type(&self) -> jpeg_encoder::JpegColorType {
        jpeg_encoder::JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        u16::try_from(self.0.size().width).unwrap_or(0)
    }

    fn height(&self) -> u16 {
        u16::try_from(self.0.size().height).unwrap_or(0)
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let width = self.0.size().width as usize;
        for ((idx, plane), out) in self.0.planes().enumerate().zip(buffers) {
            let row = usize::from(y) >> plane.shift;
            let samples =
                plane.data.chunks_exact((plane.size.width as usize).max(1)).nth(row).unwrap_or_default();
            let (low, span) = if idx == 0 { (16, 219) } else { (128, 224) };
            let middle = if idx == 0 { 0 } else { 128 };
            let full = |v: u8| ((i32::from(v) - low) * 255 / span + middle).clamp(0, 255) as u8;
            out.extend((0..width).map(|x| samples.get(x >> plane.shift).map_or(0, |v| full(*v))));
        }
    }
}

fn args(spec: LiveSpec) -> Vec<OsString> {
    let crf = spec.crf.min(51).to_string();
    let most = format!("{}k", spec.max_kbit);
    let buffer = format!("{}k", spec.max_kbit.saturating_mul(2));
    let keys = spec.key_every.max(1).to_string();
    let words = [
        "-v",
        "error",
        "-nostdin",
        "-hide_banner",
        "-copyts",
        "-probesize",
        "32",
        "-analyzeduration",
        "0",
        "-fpsprobesize",
        "0",
        "-protocol_whitelist",
        "pipe",
        "-f",
        "nut",
        "-i",
        "pipe:0",
        "-map",
        "0:v:0",
        "-c:v",
        "libx264",
        "-preset",
        "superfast",
        "-tune",
        "zerolatency",
        "-profile:v",
        "main",
        "-threads",
        "1",
        "-crf",
        &crf,
        "-maxrate",
        &most,
        "-bufsize",
        &buffer,
        "-g",
        &keys,
        // A new viewer and one that joins again start at any key picture.
        "-x264-params",
        "repeat-headers=1:scenecut=0",
        "-fps_mode",
        "passthrough",
        "-fflags",
        "+bitexact",
        "-avoid_negative_ts",
        "disabled",
        "-enc_time_base",
        "1/90000",
        "-flush_packets",
        "1",
        "-f",
        "nut",
        "pipe:1",
    ];
    words.map(OsString::from).to_vec()
}
