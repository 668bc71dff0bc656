use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use placet_core::Size;
use placet_feed::FeedWriter;
use placet_ingest::Tools;
use placet_ingest::live::{EncodeTrouble, LiveEncoder, LiveReader, LiveSpec};
use placet_redaction::RedactedFrame;

use crate::{Clock, Status};

/// An encoder child with the thread that reads it into the feed. Once it is dropped nothing more reaches the feed, and both
/// end soon.
pub(crate) struct Encoder {
    writer: LiveEncoder,
    /// Nothing more is to be sent, or will come.
    over: Arc<AtomicBool>,
    size: Size,
}

impl Encoder {
    pub(crate) fn start(
        tools: &Tools,
        spec: LiveSpec,
        feed: &Arc<FeedWriter>,
        status: &Arc<Status>,
        clock: Clock,
    ) -> Result<Self, EncodeTrouble> {
        let (writer, source) = LiveEncoder::open(tools, spec)?;
        let over = Arc::new(AtomicBool::new(false));
        {
            let (feed, status, over) = (Arc::clone(feed), Arc::clone(status), Arc::clone(&over));
            std::thread::spawn(move || read(source, &feed, &status, &over, clock));
        }
        status.note(|report| report.starts.1 += 1);
        Ok(Self { writer, over, size: spec.size })
    }

    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// Hands over a frame. Whether the encoder still works; where it does not, the status tells why.
    pub(crate) fn write(&mut self, frame: &RedactedFrame) -> bool {
        !self.over.load(Ordering::Relaxed) && self.writer.write(frame).is_ok()
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn read(mut source: LiveReader, feed: &FeedWriter, status: &Status, over: &AtomicBool, clock: Clock) {
    loop {
        match source.next_unit() {
            Ok(Some(_)) if over.load(Ordering::Relaxed) => return,
            Ok(Some(unit)) => {
                status.encoded(unit.pts(), clock.now());
                feed.send(unit);
            }
            Ok(None) => break,
            Err(error) => {
                status.note(|report| report.trouble = Some(crate::status::chain(&error)));
                break;
            }
        }
    }
    over.store(true, Ordering::Relaxed);
}
