use std::ffi::OsString;
use std::time::Duration;

use placet_core::{AccessUnit, Codec, Frame, Layout, Pts, Size, TimeBase};

use crate::Tools;
use crate::child::{Child, ChildError, Job, Patient, Program, memory_for};
use crate::nut::{Header, NutError, Reader, Writer};
use crate::video::unless_squeezed;

/// How a camera's pictures are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeSpec {
    /// How they are coded.
    pub codec: Codec,
    /// Columns and rows, as their parameter sets say. A picture of another shape ends the decoder.
    pub size: Size,
    /// Larger pictures are refused, in pixels. Default 4096 x 2304.
    pub max_pixels: u64,
    /// Scale down to at most this many columns (made even), keeping the proportions; and to at most 4096.
    pub max_width: u32,
    /// How long the child may take nothing, or give nothing, before it is given up.
    pub patience: Duration,
}

impl DecodeSpec {
    /// Pictures as they are, ten seconds of patience.
    pub fn new(codec: Codec, size: Size) -> Self {
        Self { codec, size, max_pixels: 4096 * 2304, max_width: 4096, patience: Duration::from_secs(10) }
    }

    /// Columns and rows of the frames.
    fn out(&self) -> Size {
        let Size { width, height } = self.size;
        let even = |side: u64| (side.max(2) & !1) as u32;
        let columns = even(u64::from(width.min(self.max_width).min(4096)));
        let twice = 2 * u64::from(width.max(1));
        let rows = (u64::from(columns) * u64::from(height) + twice / 2) / twice * 2;
        Size { width: columns, height: even(rows) }
    }
}

/// Why decoding cannot go on. The child is then gone; a new one may be started.
#[derive(Debug, thiserror::Error)]
pub enum DecodeTrouble {
    /// The child failed.
    #[error("the camera's pictures cannot be decoded")]
    Child(#[source] ChildError),
    /// What it gives is not what it should give.
    #[error("the decoder's frames cannot be read")]
    Stream(#[source] NutError),
    /// Larger than allowed.
    #[error("pictures of {} x {} are more than the {most} pixels allowed; lower the camera's resolution", size.width, size.height)]
    TooLarge {
        /// Of the pictures.
        size: Size,
        /// Pixels.
        most: u64,
    },
    /// A picture of another shape than its parameter sets said.
    #[error("the camera's picture has another shape than it said")]
    Shape,
    /// A picture of another codec than the child was started for.
    #[error("the camera changed from {} to {}", from.name(), to.name())]
    Codec {
        /// What the child decodes.
        from: Codec,
        /// What came.
        to: Codec,
    },
}

/// Where coded pictures go in. Dropping it ends the stream: what is in the decoder still comes out.
pub struct Feeder {
    writer: Writer<Patient>,
    codec: Codec,
}

/// Where frames come out. Dropping it kills the decoder.
pub struct Frames {
    child: Child,
    /// Until the first frame, from which its size is known.
    start: Option<Patient>,
    reader: Option<Reader<Patient>>,
    spec: DecodeSpec,
    size: Size,
}

/// Starts a decoder: a locked-in child with one demuxer and one decoder, no file and no network.
///
/// # Errors
/// Where it cannot be started.
pub fn decode(tools: &Tools, spec: DecodeSpec) -> Result<(Feeder, Frames), DecodeTrouble> {
    if spec.size.area() > spec.max_pixels {
        return Err(DecodeTrouble::TooLarge { size: spec.size, most: spec.max_pixels });
    }
    let job = Job {
        program: Program::Ffmpeg,
        args: args(spec),
        // References at 8 or 10 bits, and a picture or two in the scaler.
        memory_bytes: memory_for(spec.max_pixels * 64),
        stdin: true,
        ..Job::default()
    };
    let mut child = Child::spawn(tools, job).map_err(DecodeTrouble::Child)?;
    let input = child.take_input(spec.patience).map_err(DecodeTrouble::Child)?;
    let output = child.take_output(spec.patience).map_err(DecodeTrouble::Child)?;
    let header = Header {
        fourcc: fourcc(spec.codec),
        // The stream says its size itself; ffmpeg wants one here.
        size: Size { width: 64, height: 64 },
        time_base: TimeBase::LIVE,
        sample_aspect: None,
        frame_rate: None,
    };
    match Writer::create(input, header) {
        Ok(writer) => {
            let frames =
                Frames { child, start: Some(output), reader: None, spec, size: Size { width: 0, height: 0 } };
            Ok((Feeder { writer, codec: spec.codec }, frames))
        }
        Err(NutError::Io { source, .. }) => Err(DecodeTrouble::Child(child.broken(source, spec.patience))),
        Err(source) => Err(DecodeTrouble::Stream(source)),
    }
}

impl Feeder {
    /// Hands over one coded picture. Its time must not be negative.
    ///
    /// # Errors
    /// Where the decoder is gone or takes nothing any more; [`Frames`] then tells why.
    pub fn write(&mut self, unit: &AccessUnit) -> Result<(), DecodeTrouble> {
        if unit.codec != self.codec {
            return Err(DecodeTrouble::Codec { from: self.codec, to: unit.codec });
        }
        self.writer.write_coded(unit.pts, unit.key, &unit.data).map_err(DecodeTrouble::Stream)
    }
}

impl Frames {
    /// Columns and rows of the frames, once the first one came.
    pub fn size(&self) -> Option<Size> {
        self.reader.is_some().then_some(self.size)
    }

    /// The next frame, in [`Layout::Yuv420`], with the time of the coded picture it came from; none when the feeder was
    /// dropped and all is told. Pictures the decoder marks as damaged do not come. Where `frame` has another size it is
    /// replaced.
    ///
    /// Waits at most as long as the patience it was given: a camera that is silent ends its decoder.
    ///
    /// # Errors
    /// Where the decoder failed or was killed.
    pub fn read_into(&mut self, frame: &mut Frame) -> Result<Option<Pts>, DecodeTrouble> {
        match self.try_read(frame) {
            Ok(pts) => Ok(pts),
            Err(NutError::Io { source, .. }) => {
                Err(DecodeTrouble::Child(self.child.broken(source, self.spec.patience)))
            }
            Err(NutError::Size { .. }) => Err(DecodeTrouble::Shape),
            Err(source) => Err(DecodeTrouble::Stream(source)),
        }
    }

    fn try_read(&mut self, frame: &mut Frame) -> Result<Option<Pts>, NutError> {
        if let Some(output) = self.start.take() {
            let largest = (self.spec.max_pixels * 3).div_ceil(2) as usize;
            let reader = Reader::open(output, largest)?;
            self.size = reader.header().size;
            if self.size != self.spec.out() {
                return Err(NutError::Size { got: self.size.area(), wanted: self.spec.out().area() });
            }
            self.reader = Some(reader);
        }
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let Some(head) = reader.next_frame()? else { return Ok(None) };
        if frame.size() != self.size || frame.layout() != Layout::Yuv420 {
            *frame = Frame::new(self.size, Layout::Yuv420);
        }
        reader.fill(frame.bytes_mut())?;
        let base = reader.header().time_base;
        let ticks = i128::from(head.pts.0) * i128::from(base.num()) * i128::from(TimeBase::LIVE.den());
        frame.pts = Pts((ticks / i128::from(base.den())) as i64);
        Ok(Some(frame.pts))
    }
}

fn fourcc(codec: Codec) -> [u8; 4] {
    match codec {
        Codec::H264 => *b"H264",
        Codec::H265 => *b"HEVC",
        Codec::Jpeg => *b"MJPG",
    }
}

fn args(spec: DecodeSpec) -> Vec<OsString> {
    let decoder = match spec.codec {
        Codec::H264 => "h264",
        Codec::H265 => "hevc",
        Codec::Jpeg => "mjpeg",
    };
    let pixels = spec.max_pixels.to_string();
    let [columns, rows] = unless_squeezed(spec.out());
    let filters = format!("scale={columns}:{rows}");
    let words = [
        "-v",
        "error",
        "-nostdin",
        "-hide_banner",
        // Not one picture waits for the next: nothing is probed, one thread each way (raw frames are "encoded" in
        // parallel otherwise), no delay for what might be reordered. Without a buffer the first picture would be lost.
        "-probesize",
        "32",
        "-analyzeduration",
        "0",
        "-fpsprobesize",
        "0",
        "-flags",
        "low_delay-output_corrupt",
        "-threads",
        "1",
        "-err_detect",
        "crccheck+explode",
        "-max_pixels",
        &pixels,
        "-protocol_whitelist",
        "pipe",
        "-f",
        "nut",
        "-noautorotate",
        "-c:v",
        decoder,
        "-i",
        "pipe:0",
        "-map",
        "0:v:0",
        "-an",
        "-sn",
        "-dn",
        "-map_metadata",
        "-1",
        "-copyts",
        "-fps_mode",
        "passthrough",
        "-avoid_negative_ts",
        "disabled",
        "-enc_time_base",
        "1/90000",
        "-autoscale",
        "0",
        "-vf",
        &filters,
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "rawvideo",
        "-threads",
        "1",
        "-fflags",
        "+bitexact",
        "-flush_packets",
        "1",
        "-f",
        "nut",
        "pipe:1",
    ];
    words.map(OsString::from).to_vec()
}
