//! Group commit: many threads append, one writes, and whatever came while it wrote goes to the disk in one go.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::error::StoreError;
use crate::frame::{Batch, MAX_FRAME};
use crate::log::{Log, Receipt, Signer};

/// How many batches go to the disk in one go at the most.
const MAX_JOINED: usize = 4096;

/// How many bytes go to the disk in one go at the most, unless one batch alone has more.
const MAX_BYTES: usize = MAX_FRAME / 4;

/// How many batches can wait.
const WAITING: usize = 4096;

type Answer = Result<Receipt, Arc<StoreError>>;

struct Job {
    batch: Batch,
    answer: Sender<Answer>,
}

/// A writer for many threads. Cheap to clone. The log closes when the last clone is gone and what was sent is written.
#[derive(Clone)]
pub struct Writer {
    jobs: SyncSender<Job>,
    thread: Arc<Ended>,
}

struct Ended(Mutex<Option<JoinHandle<()>>>);

impl Writer {
    /// Starts the writing thread. `admit` sees every batch in the order of the log, with the index its first entry is to have,
    /// right before it is written; what it refuses is not written, and whoever sent it is told the words.
    pub fn start<S, A>(log: Log<S>, admit: A) -> Self
    where
        S: Signer + 'static,
        A: FnMut(u64, &Batch) -> Result<(), String> + Send + 'static,
    {
        let (jobs, waiting) = sync_channel(WAITING);
        let thread = thread::spawn(move || work(log, admit, &waiting));
        Self { jobs, thread: Arc::new(Ended(Mutex::new(Some(thread)))) }
    }

    /// Writes a batch, all of it or nothing. When this returns it is durable.
    ///
    /// # Errors
    /// As [`Log::append`], shared by all whose batches went together; [`StoreError::Refused`] if it was not admitted.
    pub fn append(&self, batch: Batch) -> Answer {
        self.send(batch).and_then(|answer| answer.recv().unwrap_or_else(|_| Err(Arc::new(gone()))))
    }

    /// Sends a batch without waiting; the answer comes when it is durable.
    ///
    /// # Errors
    /// If the log is closed.
    pub fn send(&self, batch: Batch) -> Result<Receiver<Answer>, Arc<StoreError>> {
        let (answer, receiver) = channel();
        self.jobs.send(Job { batch, answer }).map_err(|_| Arc::new(gone()))?;
        Ok(receiver)
    }

    /// Closes the log, if this is the last clone, and waits until it is.
    pub fn close(self) {
        let Self { jobs, thread } = self;
        drop(jobs);
        if let Some(ended) = Arc::into_inner(thread)
            && let Some(handle) = ended.0.into_inner().unwrap_or_else(PoisonError::into_inner)
        {
            // A panic of that thread has been told to whoever waited.
            drop(handle.join());
        }
    }
}

fn gone() -> StoreError {
    StoreError::Stopped { what: "reach", name: "the writing thread".to_owned() }
}

fn work<S: Signer>(
    mut log: Log<S>,
    mut admit: impl FnMut(u64, &Batch) -> Result<(), String>,
    waiting: &Receiver<Job>,
) {
    let mut held: Option<Job> = None;
    while let Some(job) = held.take().or_else(|| waiting.recv().ok()) {
        let mut joined = Batch::default();
        let mut answers: Vec<(u64, Sender<Answer>)> = Vec::new();
        let mut next = Some(job);
        while let Some(job) = next.take() {
            let most = MAX_BYTES.min(log.most());
            let full = answers.len() >= MAX_JOINED
                || joined.frame_bytes() + job.batch.frame_bytes() > most && !answers.is_empty();
            if full {
                held = Some(job);
                break;
            }
            let first = log.size() + joined.entries.len() as u64;
            match log.fits(&job.batch).and_then(|()| admit(first, &job.batch).map_err(StoreError::Refused)) {
                Ok(()) => {
                    answers.push((first, job.answer));
                    joined.join(job.batch);
                }
                // Whoever does not wait any more needs no answer.
                Err(error) => drop(job.answer.send(Err(Arc::new(error)))),
            }
            next = waiting.try_recv().ok();
        }
        if answers.is_empty() {
            continue;
        }
        let outcome = log.append(&joined).map_err(Arc::new);
        for (first, answer) in answers {
            let one = outcome.clone().map(|receipt| Receipt { first, ..receipt });
            drop(answer.send(one));
        }
    }
}
