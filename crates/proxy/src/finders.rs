use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded, select_biased, unbounded};
use placet_core::{Detection, Rotation, Size};
use placet_gateway::Effort;
use placet_vision::models::ModelDir;
use placet_vision::{Effort as Scanning, FaceDetector, Runtime, Scan, VisionError, YuNet};

use crate::RawFrame;

/// Detections below this score are of no use to a tracker.
pub(crate) const MIN_SCORE: f32 = 0.25;

/// The detector cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FindersError {
    /// It could not be loaded.
    #[error("the face detector cannot be loaded; `placet doctor` says what is missing")]
    Load(#[from] VisionError),
    /// No thread could be started.
    #[error("a thread of the face detector cannot be started")]
    Thread(#[source] std::io::Error),
}

/// How frames of one size are looked at.
pub(crate) struct Scans {
    close: Scan,
    quick: Scan,
    grain: u32,
}

impl Scans {
    pub(crate) fn new(size: Size) -> Self {
        let quick = Scan::whole(size, Rotation::None, Size { width: 640, height: 360 });
        let seen = quick.whole_size().width.max(1);
        Self {
            grain: size.width.div_ceil(seen),
            close: Scan::new(size, Rotation::None, Scanning::Thorough { tiles_per_frame: 1 }),
            // All of the picture each time: a look at a part of it says nothing of a face elsewhere.
            quick,
        }
    }

    /// Of how many columns and rows the quick look sees one.
    pub(crate) fn grain(&self) -> u32 {
        self.grain
    }

    /// After how many frames every view had its turn, at either effort.
    pub(crate) fn periods(&self) -> (u32, u32) {
        (self.close.period() as u32, self.quick.period() as u32)
    }
}

/// A frame to be looked at.
pub(crate) struct Question {
    pub(crate) frame: Arc<RawFrame>,
    pub(crate) id: u64,
    /// Counts this camera's questions, so that each part of the picture has its turn.
    pub(crate) turn: u64,
    pub(crate) effort: Effort,
    pub(crate) scans: Arc<Scans>,
    /// An answer after this is of no use.
    pub(crate) until: Instant,
    pub(crate) answer: Sender<Answer>,
}

/// What was found; none where the frame could not be judged.
pub(crate) struct Answer {
    pub(crate) id: u64,
    pub(crate) found: Option<Vec<Detection>>,
}

/// Threads with a detector each, which all cameras share: first come, first served. Dropping it ends them after what
/// they look at just now: the program must not end under a detector at work.
pub struct Finders {
    questions: Sender<Question>,
    open: Option<Sender<Infallible>>,
    threads: Vec<JoinHandle<()>>,
}

impl Finders {
    /// Starts `threads` of them with the models of folder `dir`.
    ///
    /// # Errors
    /// Where the runtime or the model is missing or is not the pinned one.
    pub fn start(dir: &ModelDir, threads: usize) -> Result<Self, FindersError> {
        let runtime = Runtime::load(&dir.runtime())?;
        let (questions, inbox) = unbounded();
        let (open, closed) = bounded(0);
        let mut handles = Vec::new();
        for idx in 0..threads.max(1) {
            let detector = YuNet::load(&runtime, dir)?;
            let (inbox, closed) = (inbox.clone(), closed.clone());
            let builder = std::thread::Builder::new().name(format!("finder {idx}"));
            handles
                .push(builder.spawn(move || work(detector, &inbox, &closed)).map_err(FindersError::Thread)?);
        }
        Ok(Self { questions, open: Some(open), threads: handles })
    }

    /// How many threads look for faces.
    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    /// Frames that wait to be looked at.
    pub fn waiting(&self) -> usize {
        self.questions.len()
    }

    pub(crate) fn desk(&self) -> Sender<Question> {
        self.questions.clone()
    }
}

impl Drop for Finders {
    fn drop(&mut self) {
        self.open = None;
        for thread in self.threads.drain(..) {
            // One that panicked is over too.
            let _ = thread.join();
        }
    }
}

fn work(mut detector: YuNet, inbox: &Receiver<Question>, closed: &Receiver<Infallible>) {
    loop {
        let question = select_biased! {
            recv(closed) -> _ => return,
            recv(inbox) -> question => question,
        };
        let Ok(Question { frame, id, turn, effort, scans, until, answer }) = question else { return };
        let scan = if effort == Effort::Close { &scans.close } else { &scans.quick };
        let found = (Instant::now() < until).then(|| look(&mut detector, scan, &frame, turn)).flatten();
        // The frame is given back before the answer is, so that whoever gets the answer has it alone.
        drop(frame);
        // A camera that is gone asks no more.
        let _ = answer.send(Answer { id, found });
    }
}

fn look(detector: &mut YuNet, scan: &Scan, frame: &RawFrame, turn: u64) -> Option<Vec<Detection>> {
    let frame = frame.frame()?;
    // A detector that panics judged nothing, and must not take the others with it.
    let looked = catch_unwind(AssertUnwindSafe(|| {
        let mut found = Vec::new();
        let done = scan.look(detector, frame, turn, MIN_SCORE, &mut found);
        detector.forget();
        done.map(|()| found)
    }));
    looked.ok()?.ok()
}
