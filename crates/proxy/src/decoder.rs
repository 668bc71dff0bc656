use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use placet_core::{AccessUnit, Codec, Frame, Layout, Pts, Size};
use placet_ingest::Tools;
use placet_ingest::live::{DecodeSpec, DecodeTrouble, Feeder, Frames, decode};

use crate::{Clock, RawFrame};

/// Frames that may wait for the line: more only adds delay.
const READ_AHEAD: usize = 2;

/// What comes out of a decoder.
pub(crate) enum Decoded {
    Frame(RawFrame, Pts),
    /// The last: it ended, or failed.
    End(Option<DecodeTrouble>),
}

/// Coded pictures that may wait for the decoder: most of a second.
const FEED_AHEAD: usize = 12;

/// A decoder child with the threads that feed and read it. They end, and the child with them, soon after it is dropped:
/// nobody feeds it and nobody takes its frames any more.
pub(crate) struct Decoder {
    units: Sender<AccessUnit>,
    codec: Codec,
    size: Size,
    pub(crate) frames: Receiver<Decoded>,
}

/// What became of a coded picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fed {
    Taken,
    /// The decoder does not keep up.
    Full,
    /// It is gone; its end tells why.
    Gone,
}

impl Decoder {
    /// Starts one; frames' buffers come from `spare` where there are any.
    pub(crate) fn start(
        tools: &Tools,
        spec: DecodeSpec,
        spare: Receiver<Frame>,
        clock: Clock,
    ) -> Result<Self, DecodeTrouble> {
        let (feeder, source) = decode(tools, spec)?;
        let (tell, frames) = bounded(READ_AHEAD);
        let (units, inbox) = bounded(FEED_AHEAD);
        std::thread::spawn(move || feed(feeder, &inbox));
        std::thread::spawn(move || read(source, &spare, &tell, clock));
        Ok(Self { units, codec: spec.codec, size: spec.size, frames })
    }

    pub(crate) fn codec(&self) -> Codec {
        self.codec
    }

    /// Columns and rows that the coded pictures say they have.
    pub(crate) fn said_size(&self) -> Size {
        self.size
    }

    /// Hands over a coded picture, without waiting.
    pub(crate) fn feed(&self, unit: AccessUnit) -> Fed {
        match self.units.try_send(unit) {
            Ok(()) => Fed::Taken,
            Err(TrySendError::Full(_)) => Fed::Full,
            Err(TrySendError::Disconnected(_)) => Fed::Gone,
        }
    }
}

fn feed(mut feeder: Feeder, units: &Receiver<AccessUnit>) {
    for unit in units {
        if feeder.write(&unit).is_err() {
            return;
        }
    }
}

fn read(mut source: Frames, spare: &Receiver<Frame>, tell: &Sender<Decoded>, clock: Clock) {
    loop {
        let fresh = || Frame::new(Size { width: 0, height: 0 }, Layout::Yuv420);
        let mut frame = spare.try_recv().unwrap_or_else(|_| fresh());
        let size = frame.size();
        match source.read_into(&mut frame) {
            Ok(Some(_)) => {
                if frame.size() != size {
                    // New memory. Where the advice is refused, the whole process still writes no core file.
                    let _ = placet_sys::process::do_not_dump(frame.bytes_mut());
                }
                if tell.send(Decoded::Frame(RawFrame::new(frame), clock.now())).is_err() {
                    return;
                }
            }
            end => {
                let _ = tell.send(Decoded::End(end.err()));
                return;
            }
        }
    }
}
