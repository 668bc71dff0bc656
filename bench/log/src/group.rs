//! Group commit: threads that each wait for one entry after the other.

use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use placet_store::{Batch, Writer};

use crate::engines::{Engine as _, Sqlite, placet};
use crate::table::{head, median, quantile, row, whole};
use crate::{Outcome, entries};

const THREADS: [u64; 4] = [1, 4, 16, 64];

/// Entries of a turn, for each thread: the turn of 64 threads is not to take 64 times as long.
fn each(threads: u64) -> u64 {
    600 / (1 + threads / 2)
}

#[derive(Default)]
struct Turns {
    speeds: Vec<f64>,
    waits: Vec<f64>,
}

impl Turns {
    fn cells(&mut self) -> [String; 3] {
        let milliseconds = |s: f64| format!("{:.2}", s * 1000.0);
        let (p50, p99) = (quantile(&mut self.waits, 0.5), quantile(&mut self.waits, 0.99));
        [whole(median(self.speeds.clone())), milliseconds(p50), milliseconds(p99)]
    }
}

/// One entry after the other from 1 to 64 threads, through our writer and through SQLite behind a lock, in turns.
pub fn run(folder: &Path, rounds: usize) -> Outcome<()> {
    println!("\n## Single entries from many threads\n");
    println!(
        "Medians of {rounds} rounds, waits over all of them in ms. SQLite: the same threads, a lock around it.\n"
    );
    let folders = (tempfile::tempdir_in(folder)?, tempfile::tempdir_in(folder)?);
    let writer = Writer::start(placet(folders.0.path())?, |_, _| Ok(()));
    let sqlite = Mutex::new(Sqlite::open(folders.1.path())?);
    let ours = |batch: Batch| writer.append(batch).map(drop).map_err(|e| e.to_string());
    let theirs = |batch: Batch| {
        let mut sqlite = sqlite.lock().map_err(|e| e.to_string())?;
        sqlite.append(&batch).map_err(|e| e.to_string())
    };
    let mut found: [(Turns, Turns); 4] = Default::default();
    for round in 0..rounds as u64 {
        for (threads, (own, peer)) in THREADS.into_iter().zip(&mut found) {
            if round % 2 == 0 {
                turn(threads, round, own, ours)?;
                turn(threads, round, peer, theirs)?;
            } else {
                turn(threads, round, peer, theirs)?;
                turn(threads, round, own, ours)?;
            }
        }
    }
    head(&["threads", "entries/s", "p50", "p99", "SQLite: entries/s", "p50", "p99", "ratio"]);
    for (threads, (own, peer)) in THREADS.into_iter().zip(&mut found) {
        let ratios = own.speeds.iter().zip(&peer.speeds).map(|(own, peer)| own / peer).collect();
        let cells = [vec![threads.to_string()], own.cells().into(), peer.cells().into()].concat();
        row(cells.into_iter().chain([format!("{:.2}", median(ratios))]));
    }
    writer.close();
    Ok(())
}

fn turn(
    threads: u64,
    round: u64,
    turns: &mut Turns,
    append: impl Fn(Batch) -> Result<(), String> + Sync,
) -> Outcome<()> {
    let one = |thread: u64| -> Result<Vec<f64>, String> {
        let mut waits = Vec::new();
        for n in 0..each(threads) {
            let entry = entries::entry(round << 32 | thread << 16 | n).map_err(|e| e.to_string())?;
            let begun = Instant::now();
            append(Batch::of(entry))?;
            waits.push(begun.elapsed().as_secs_f64());
        }
        Ok(waits)
    };
    let begun = Instant::now();
    let waits: Vec<Result<Vec<f64>, String>> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|t| scope.spawn(move || one(t))).collect();
        let joined =
            running.into_iter().map(|t| t.join().unwrap_or_else(|_| Err("a thread fell".to_owned())));
        joined.collect()
    });
    let seconds = begun.elapsed().as_secs_f64();
    for waits in waits {
        turns.waits.extend(waits?);
    }
    turns.speeds.push((threads * each(threads)) as f64 / seconds);
    Ok(())
}
