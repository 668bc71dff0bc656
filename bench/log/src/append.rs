//! Durable appends, batch by batch, ours beside others on the same disk.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use placet_store::Batch;

use crate::engines::{ENGINES, Engine};
use crate::table::{head, median, row, whole};
use crate::{Outcome, entries};

/// Entries of a batch, and batches of a turn: long enough that every engine's housekeeping falls into each turn.
const TURNS: [(u64, u64); 4] = [(1, 500), (32, 500), (256, 120), (1024, 48)];

struct Turn {
    appended: f64,
    settled: f64,
}

/// `rounds` turns of each engine, in another order each round, for these batch sizes, or all.
pub fn run(folder: &Path, rounds: usize, sizes: &[u64]) -> Outcome<()> {
    println!("\n## Durable appends\n");
    println!(
        "Medians of {rounds} rounds, engines rotated inside each. In brackets the median of the rounds' ratios to"
    );
    println!("SQLite; then the same with the time that writing back everything else takes (syncfs).\n");
    let mut heads = vec!["entries/s".to_owned()];
    let mut cells: Vec<Vec<String>> = ENGINES.iter().map(|(name, _)| vec![(*name).to_owned()]).collect();
    for (size, batches) in TURNS.into_iter().filter(|(size, _)| sizes.is_empty() || sizes.contains(size)) {
        heads.push(format!("batch {size}"));
        let turns = measure(folder, size, batches, rounds)?;
        for (cells, told) in cells.iter_mut().zip(tell(&turns, size * batches)) {
            cells.push(told);
        }
    }
    head(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    cells.iter().for_each(row);
    Ok(())
}

/// For each engine its turns.
fn measure(folder: &Path, size: u64, batches: u64, rounds: usize) -> Outcome<Vec<Vec<Turn>>> {
    let mut engines = Vec::new();
    let mut folders = Vec::new();
    for (_, open) in ENGINES {
        let own = tempfile::tempdir_in(folder)?;
        engines.push((open(own.path())?, Vec::new()));
        folders.push(own);
    }
    let disk = File::open(folder)?;
    for round in 0..rounds {
        let first = round as u64 * size * batches;
        let batches: Vec<Batch> =
            (0..batches).map(|b| entries::batch(first + b * size, size)).collect::<Outcome<_>>()?;
        let (behind, before) = engines.split_at_mut(round % ENGINES.len());
        for (engine, turns) in before.iter_mut().chain(behind) {
            turns.push(turn(engine.as_mut(), &batches, &disk)?);
        }
    }
    Ok(engines.into_iter().map(|(_, turns)| turns).collect())
}

fn turn(engine: &mut dyn Engine, batches: &[Batch], disk: &File) -> Outcome<Turn> {
    rustix::fs::syncfs(disk)?;
    let begun = Instant::now();
    batches.iter().try_for_each(|batch| engine.append(batch))?;
    let appended = begun.elapsed().as_secs_f64();
    rustix::fs::syncfs(disk)?;
    Ok(Turn { appended, settled: begun.elapsed().as_secs_f64() })
}

fn tell(turns: &[Vec<Turn>], entries: u64) -> Vec<String> {
    let Some(peer) = turns.get(1) else { return Vec::new() };
    let ratio = |own: &[Turn], of: fn(&Turn) -> f64| {
        median(own.iter().zip(peer).map(|(own, peer)| of(peer) / of(own)).collect())
    };
    let one = |own: &Vec<Turn>| {
        let speed = median(own.iter().map(|t| entries as f64 / t.appended).collect());
        let ratios = (ratio(own, |t| t.appended), ratio(own, |t| t.settled));
        format!("{} ({:.2}; {:.2})", whole(speed), ratios.0, ratios.1)
    };
    turns.iter().map(one).collect()
}
