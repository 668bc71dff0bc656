//! The thread that seals: cameras hand over their pictures and go on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use placet_core::AccessUnit;
use placet_record::entry::CameraId;

use crate::file::camera_folder;
use crate::line::{Desk, Line};
use crate::{Clock, CustodyKey, Notice, Shelf};

/// How much may wait for the disk, in bytes and in pictures: two seconds of thirty cameras at 6 Mbit/s.
const WAITING_BYTES: usize = 64 << 20;
const WAITING_UNITS: usize = 4_096;
/// How often the shelf is swept when nothing else brings it about.
const SWEEP: Duration = Duration::from_secs(30);

enum Task {
    Unit {
        camera: Arc<CameraId>,
        unit: AccessUnit,
        lost: u64,
    },
    /// Sweep, then answer.
    Sweep(Sender<()>),
    /// End all segments and the thread.
    Finish,
}

/// All cameras' sealing, on one thread. Dropping it ends every segment in order.
pub struct Sealers {
    tasks: Sender<Task>,
    waiting: Arc<AtomicUsize>,
    thread: Option<JoinHandle<Shelf>>,
}

/// One camera's entrance. Clones are the same entrance.
#[derive(Clone)]
pub struct Sealer {
    camera: Arc<CameraId>,
    tasks: Sender<Task>,
    waiting: Arc<AtomicUsize>,
    lost: Arc<AtomicU64>,
}

/// A camera whose name is no name of a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{camera}` cannot be the name of a folder: give the camera a name that has more than dots")]
pub struct NameError {
    /// Which.
    pub camera: CameraId,
}

impl Sealers {
    /// Starts the thread. `tell` is called on it, for whatever an operator should know.
    ///
    /// # Errors
    /// If the system starts no thread.
    pub fn start(
        shelf: Shelf,
        key: CustodyKey,
        clock: impl Clock + 'static,
        tell: impl FnMut(Notice) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (tasks, inbox) = bounded(WAITING_UNITS);
        let waiting = Arc::new(AtomicUsize::new(0));
        let desk = Desk::new(shelf, key, Box::new(clock), Box::new(tell));
        let left = Arc::clone(&waiting);
        let thread =
            std::thread::Builder::new().name("sealer".to_owned()).spawn(move || run(desk, &inbox, &left))?;
        Ok(Self { tasks, waiting, thread: Some(thread) })
    }

    /// The entrance for a camera.
    ///
    /// # Errors
    /// If its name is no name of a folder.
    pub fn camera(&self, camera: CameraId) -> Result<Sealer, NameError> {
        if camera_folder("".as_ref(), &camera).is_none() {
            return Err(NameError { camera });
        }
        let (tasks, waiting) = (self.tasks.clone(), Arc::clone(&self.waiting));
        Ok(Sealer { camera: Arc::new(camera), tasks, waiting, lost: Arc::default() })
    }

    /// Waits until all that was handed over is written, and sweeps the shelf.
    pub fn sweep(&self) {
        let (done, answer) = bounded(1);
        if self.tasks.send(Task::Sweep(done)).is_ok() {
            // An error means that the thread is gone, and then there is nothing to wait for.
            let _ = answer.recv();
        }
    }

    /// Writes what waits, ends every segment in order, and gives the shelf back.
    pub fn finish(mut self) -> Option<Shelf> {
        self.end()
    }

    fn end(&mut self) -> Option<Shelf> {
        let thread = self.thread.take()?;
        // An error means that the thread is gone.
        let _ = self.tasks.send(Task::Finish);
        thread.join().ok()
    }
}

impl Drop for Sealers {
    fn drop(&mut self) {
        self.end();
    }
}

impl Sealer {
    /// Hands over what the camera sent. Copies no bytes and never waits for the disk: where too much waits already, the
    /// picture is not sealed, which is told.
    pub fn push(&self, unit: &AccessUnit) {
        let bytes = unit.data.len();
        let before = self.waiting.fetch_add(bytes, Ordering::Relaxed);
        let lost = self.lost.swap(0, Ordering::Relaxed);
        let task = Task::Unit { camera: Arc::clone(&self.camera), unit: unit.clone(), lost };
        let taken = before.saturating_add(bytes) <= WAITING_BYTES
            && match self.tasks.try_send(task) {
                Ok(()) => true,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
            };
        if !taken {
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        }
    }
}

fn run(mut desk: Desk, inbox: &Receiver<Task>, waiting: &AtomicUsize) -> Shelf {
    let mut lines: BTreeMap<Arc<CameraId>, Line> = BTreeMap::new();
    let mut swept = Instant::now();
    loop {
        match inbox.recv_timeout(SWEEP.saturating_sub(swept.elapsed())) {
            Ok(Task::Unit { camera, unit, lost }) => {
                let line = lines.entry(camera).or_insert_with_key(|camera| Line::new((**camera).clone()));
                line.unit(&mut desk, &unit, lost);
                waiting.fetch_sub(unit.data.len(), Ordering::Relaxed);
            }
            Ok(Task::Sweep(done)) => {
                desk.sweep();
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Task::Finish) | Err(RecvTimeoutError::Disconnected) => break,
        }
        if swept.elapsed() >= SWEEP {
            desk.sweep();
            swept = Instant::now();
        }
    }
    for line in lines.values_mut() {
        line.end(&mut desk);
    }
    desk.tell_dropped();
    desk.shelf
}
