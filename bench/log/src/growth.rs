//! What a camera adds to the disk: a day of ticks through the store, and the year that makes.

use std::fs;
use std::path::Path;

use placet_record::entry::slot::{Seed, SlotArray, SlotState};
use placet_store::{Batch, Reader};
use placet_tlog::cosignature::cosign;
use placet_tlog::note::{Note, WitnessSecret};

use crate::engines::placet;
use crate::table::{head, row, whole};
use crate::{Outcome, entries};

/// Ticks of a day.
const TICKS: u64 = 86_400 / entries::INTERVAL;

/// Whose cosignatures stand below a checkpoint.
const WITNESSES: u8 = 5;

/// The channels of the side files: slots, cosigned checkpoints.
const SLOTS: u8 = 0;
const COSIGNED: u8 = 1;

/// A day of a log with 100 slots and of one with 1,000.
pub fn run(folder: &Path) -> Outcome<()> {
    println!("\n## Growth\n");
    println!(
        "A day of {TICKS} ticks, each with its slots, its reveal and a checkpoint that {WITNESSES} witnesses cosigned, written"
    );
    println!("through the store and measured; a year is 365 such days, computed.\n");
    head(&[
        "slots",
        "tick leaf",
        "cosigned checkpoint",
        "a day, MiB",
        "a year, GiB",
        "a camera-year, MiB",
        "of it slots",
    ]);
    for slots in [100, 1_000] {
        let own = tempfile::tempdir_in(folder)?;
        let (leaf, note) = day(own.path(), slots)?;
        let day = used(own.path())? as f64;
        let camera = day * 365.0 / f64::from(slots);
        let of_slots = (128 * TICKS) as f64 * 365.0 / camera;
        row([
            slots.to_string(),
            format!("{leaf} bytes"),
            format!("{note} bytes"),
            format!("{:.1}", day / 1_048_576.0),
            format!("{:.1}", day * 365.0 / 1_073_741_824.0),
            whole(camera / 1_048_576.0),
            format!("{:.0} %", of_slots * 100.0),
        ]);
    }
    Ok(())
}

/// Writes a day; the bytes of its last tick and of its last cosigned checkpoint.
fn day(folder: &Path, slots: u32) -> Outcome<(usize, usize)> {
    let mut log = placet(folder)?;
    let reader = log.reader();
    let states = vec![SlotState::Off; usize::try_from(slots)?];
    let mut last = (0, 0);
    for n in 0..TICKS {
        let seed = Seed::from_bytes(entries::bytes(n, 7));
        let sealed = SlotArray::seal(&seed, n, &states, slots)?;
        let tick = entries::tick(n, sealed.root())?;
        last.0 = tick.len();
        let mut batch = Batch { entries: vec![tick], blobs: vec![(SLOTS, sealed.as_bytes().to_vec())] };
        if let Some(before) = n.checked_sub(1) {
            batch.entries.push(entries::reveal(before, &Seed::from_bytes(entries::bytes(before, 7)))?);
            let cosigned = cosigned(&reader, n)?;
            last.1 = cosigned.len();
            batch.blobs.push((COSIGNED, cosigned));
        }
        log.append(&batch)?;
    }
    Ok(last)
}

fn cosigned(reader: &Reader, time: u64) -> Outcome<Vec<u8>> {
    let mut note = Note::parse(reader.note().ok_or("there is a checkpoint after a tick")?.as_bytes())?;
    for witness in 0..WITNESSES {
        let key = WitnessSecret::generate(&format!("witness-{witness}.example"), [10 + witness; 32])?;
        let line = cosign(note.unverified_text(), time, &key)?;
        note = note.with(line)?;
    }
    Ok(note.to_string().into_bytes())
}

/// Bytes of all files, without the zeros that wait behind the last frame.
fn used(folder: &Path) -> Outcome<u64> {
    let mut files: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(|f| f.file_name());
    let mut sum = 0;
    for file in &files {
        sum += file.metadata()?.len();
    }
    let newest = files.iter().rfind(|f| f.file_name().to_string_lossy().starts_with("segment-"));
    let bytes = fs::read(newest.ok_or("a log has segments")?.path())?;
    let zeros = bytes.iter().rev().take_while(|b| **b == 0).count();
    Ok(sum - zeros as u64)
}
