//! Appends to a log from four threads until it is stopped, and prints what was acknowledged: `append FOLDER ROUND`.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use placet_store::{Batch, Disks, Folder, Log, MIN_SPAN, StoreError, Writer};
use placet_tlog::note::SignerKey;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, round] = &arguments[..] else { return Err("usage: append FOLDER ROUND".into()) };
    let disks = Disks::one(Arc::new(Folder::open(Path::new(folder))?));
    // A key anyone can make: for trying out, and for nothing else.
    let key = || SignerKey::generate("log.example/attacked", [7; 32]);
    let log = match Log::open(disks.clone(), key()?) {
        Err(StoreError::NotALog) => Log::create(disks, key()?, MIN_SPAN)?,
        opened => opened?.0,
    };
    let writer = Writer::start(log, |_, _| Ok(()));
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let (writer, round) = (writer.clone(), round.clone());
            thread::spawn(move || {
                for n in 0.. {
                    let entry = format!("{round} {thread} {n}");
                    let Ok(receipt) = writer.append(Batch::of(entry.clone().into_bytes())) else { return };
                    let mut out = std::io::stdout().lock();
                    if writeln!(out, "{} {entry}", receipt.first).and_then(|()| out.flush()).is_err() {
                        return;
                    }
                }
            })
        })
        .collect();
    threads.into_iter().try_for_each(|t| t.join()).map_err(|_| "a thread failed")?;
    Ok(())
}
