//! Many writers at once, in a log whose segments are short.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use placet_store::{Batch, Writer};

use super::faulty::Faulty;
use super::*;

#[test]
fn attack_writers_that_come_together_never_spoil_each_other() {
    let log = Log::create(disks(&Faulty::default()), key(), MIN_SPAN).unwrap();
    let (go, wait) = channel::<()>();
    let (wait, admitted) = (Mutex::new(wait), Arc::new(AtomicU64::new(0)));
    let counted = Arc::clone(&admitted);
    let writer = Writer::start(log, move |first, batch| {
        if first == 0 {
            // All the others come while the first is looked at.
            wait.lock().unwrap().recv().unwrap();
        }
        counted.fetch_add(batch.entries.len() as u64, Ordering::SeqCst);
        Ok(())
    });
    // More than a segment holds, and each of them fits.
    let answers: Vec<_> = (0..60).map(|n| writer.send(Batch::of(vec![n; 4_000])).unwrap()).collect();
    go.send(()).unwrap();
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.recv().unwrap().unwrap().first, n as u64);
    }
    assert_eq!(admitted.load(Ordering::SeqCst), 60);
    writer.close();
}
