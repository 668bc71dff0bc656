//! What a large log costs: to open, to prove from, in memory and on the disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use placet_store::{Log, Reader};
use placet_tlog::checkpoint::Checkpoint;
use placet_tlog::merkle::{Hash, verify_consistency, verify_inclusion};
use placet_tlog::proof::Proof;

use crate::engines::{disks, key, placet};
use crate::table::{head, quantile, row, whole};
use crate::{Outcome, bytes_in, entries};

/// Entries of a batch.
const BATCH: u64 = 1024;

/// Proofs made and verified for each figure.
const PROOFS: u64 = 2_000;

/// Opening is repeated this often.
const OPENINGS: usize = 5;

type Figures = BTreeMap<String, f64>;

/// Builds a log of each size, looks at it, and removes it.
pub fn run(folder: &Path, sizes: &[u64]) -> Outcome<()> {
    println!("\n## Large logs\n");
    println!(
        "Batches of {BATCH}, {PROOFS} proofs of each kind at random places, {OPENINGS} openings; p50 (p99).\n"
    );
    let mut columns = Vec::new();
    for size in sizes {
        let own = tempfile::tempdir_in(folder)?;
        let mut figures = child(own.path(), &["build", &size.to_string()])?;
        figures.extend(child(own.path(), &["look"])?);
        columns.push(figures);
    }
    let names: Vec<String> = sizes.iter().map(|s| whole(*s as f64)).collect();
    head(&[vec!["entries"], names.iter().map(String::as_str).collect()].concat());
    // Every child tells the same figures, in the order of their numbers.
    for name in columns.first().into_iter().flat_map(|c| c.keys()) {
        let cell = |column: &Figures| column.get(name).map_or("–".to_owned(), |f| figure(*f));
        let title = name.split_once(' ').map_or(name.as_str(), |(_, title)| title).to_owned();
        row([title].into_iter().chain(columns.iter().map(cell)));
    }
    Ok(())
}

fn figure(figure: f64) -> String {
    if figure >= 100.0 {
        whole(figure)
    } else {
        format!("{figure:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Runs one step in a process of its own and reads the figures it prints.
fn child(folder: &Path, arguments: &[&str]) -> Outcome<Figures> {
    let output = Command::new(std::env::current_exe()?).arg(folder).args(arguments).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let text = String::from_utf8(output.stdout)?;
    let figures = text.lines().filter_map(|line| {
        let (name, figure) = line.rsplit_once(": ")?;
        Some((name.to_owned(), figure.parse().ok()?))
    });
    Ok(figures.collect())
}

/// Builds a log of `entries`.
pub fn build(folder: &Path, entries: u64) -> Outcome<()> {
    let mut log = placet(folder)?;
    let (mut appending, mut bytes) = (0.0, 0);
    while log.size() < entries {
        let batch = entries::batch(log.size(), BATCH.min(entries - log.size()))?;
        bytes += batch.entries.iter().map(Vec::len).sum::<usize>();
        let begun = Instant::now();
        log.append(&batch)?;
        appending += begun.elapsed().as_secs_f64();
    }
    println!("01 bytes of an entry, mean: {}", bytes as f64 / entries as f64);
    println!("02 appended, entries/s: {}", entries as f64 / appending);
    println!("03 memory while appending, MiB: {}", memory()?);
    drop(log);
    println!("04 bytes on disk per entry: {}", bytes_in(folder)?.1 as f64 / entries as f64);
    Ok(())
}

/// Opens the log and proves from it.
pub fn look(folder: &Path) -> Outcome<()> {
    let mut openings = Vec::new();
    let mut cold = Vec::new();
    for _ in 0..OPENINGS {
        if forget(folder) {
            cold.push(open(folder)?.1);
        }
        openings.push(open(folder)?.1);
    }
    println!("05 open, ms: {}", quantile(&mut openings, 0.5) * 1e3);
    if !cold.is_empty() {
        println!("06 open with cold caches, ms: {}", quantile(&mut cold, 0.5) * 1e3);
    }
    println!("07 memory after opening, MiB: {}", memory()?);
    let (log, _) = open(folder)?;
    let reader = log.reader();
    let note = reader.note().ok_or("the log has no checkpoint")?;
    inclusion(&reader, &note)?;
    consistency(&reader)?;
    Ok(println!("20 memory after all proofs, MiB: {}", memory()?))
}

fn open(folder: &Path) -> Outcome<(Log<placet_tlog::note::SignerKey>, f64)> {
    let begun = Instant::now();
    let (log, recovered) = Log::open(disks(folder)?, key()?)?;
    let seconds = begun.elapsed().as_secs_f64();
    if recovered.rebuilt || recovered.torn {
        return Err(format!("the log was not whole: {recovered:?}").into());
    }
    Ok((log, seconds))
}

/// Empties the page cache, if we may.
fn forget(folder: &Path) -> bool {
    let written = fs::File::open(folder).map(|f| rustix::fs::syncfs(f).is_ok());
    written.unwrap_or(false) && fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

fn inclusion(reader: &Reader, note: &str) -> Outcome<()> {
    let size = reader.size();
    let text = note.split_once("\n\n").ok_or("a note has a blank line")?.0;
    let checkpoint: Checkpoint = format!("{text}\n").parse()?;
    let [mut make, mut verify, mut hashes, mut lengths] = [const { Vec::new() }; 4];
    for n in 0..PROOFS {
        let index = place(n, size);
        let begun = Instant::now();
        let path = reader.inclusion(index, size)?;
        make.push(begun.elapsed().as_secs_f64());
        let entry = reader.entry(index)?.ok_or("the entry is not there")?;
        let begun = Instant::now();
        verify_inclusion(Hash::of_leaf(&entry), index, size, &path, checkpoint.root)?;
        verify.push(begun.elapsed().as_secs_f64());
        hashes.push(path.len() as f64);
        let proof = Proof { extra: None, index, hashes: path, checkpoint: note.to_owned() };
        lengths.push(proof.to_string().len() as f64);
    }
    println!("08 inclusion proof, hashes: {}", quantile(&mut hashes, 0.5));
    println!("09 inclusion proof file without cosignatures, bytes: {}", quantile(&mut lengths, 0.5));
    told("10 inclusion proof, made", &mut make);
    told("12 inclusion proof, verified", &mut verify);
    Ok(())
}

fn consistency(reader: &Reader) -> Outcome<()> {
    let size = reader.size();
    let root = reader.root(size)?;
    let [mut make, mut verify, mut hashes] = [const { Vec::new() }; 3];
    for n in 0..PROOFS {
        let old = 1 + place(n, size - 1);
        let begun = Instant::now();
        let path = reader.consistency(old, size)?;
        make.push(begun.elapsed().as_secs_f64());
        let old_root = reader.root(old)?;
        let begun = Instant::now();
        verify_consistency(old, old_root, size, root, &path)?;
        verify.push(begun.elapsed().as_secs_f64());
        hashes.push(path.len() as f64);
    }
    println!("14 consistency proof, hashes: {}", quantile(&mut hashes, 0.5));
    told("15 consistency proof, made", &mut make);
    told("17 consistency proof, verified", &mut verify);
    Ok(())
}

fn told(what: &str, seconds: &mut [f64]) {
    println!("{what}, µs p50: {:.1}", quantile(seconds, 0.5) * 1e6);
    println!("{what}, µs p99: {:.1}", quantile(seconds, 0.99) * 1e6);
}

/// The `n`-th random place below `size`.
fn place(n: u64, size: u64) -> u64 {
    entries::bytes(n, 9).first_chunk().map_or(0, |b| u64::from_le_bytes(*b)) % size
}

/// The most memory this process has had, in MiB.
fn memory() -> Outcome<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|l| l.strip_prefix("VmHWM:")).ok_or("the kernel does not tell the memory")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024.0)
}
