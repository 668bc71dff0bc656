//! kill -9 at random moments, on a real disk.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use placet_store::{Disks, Folder, Log};

use super::faulty::Dice;
use super::{key, rounds};

#[test]
fn attack_kill_9_loses_nothing_that_was_acknowledged() {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(|p| p.parent()).unwrap().join("examples/append");
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(0x9);
    let mut acknowledged: Vec<(u64, String)> = Vec::new();
    let (mut untold, rounds) = (0, rounds(60, 500));
    for round in 0..rounds {
        let mut child = Command::new(&program)
            .args([folder.path().as_os_str(), round.to_string().as_ref()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reading = thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<String>>());
        thread::sleep(Duration::from_micros(2_000 + dice.below(60_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        // The last line may be half written: it ends where the pipe ended.
        for line in reading.join().unwrap() {
            let (index, entry) = line.split_once(' ').unwrap_or_default();
            if let Ok(index) = index.parse() {
                acknowledged.push((index, entry.to_owned()));
            }
        }
        let disks = Disks::one(Arc::new(Folder::open(folder.path()).unwrap()));
        if acknowledged.is_empty() {
            continue;
        }
        let (log, recovered) = Log::open(disks, key()).unwrap_or_else(|e| panic!("round {round}: {e:?}"));
        let entries = log.reader().entries(0, u64::MAX).unwrap();
        for (index, entry) in &acknowledged {
            let found = entries.get(*index as usize).map(|e| String::from_utf8_lossy(e));
            assert!(
                found.as_deref().is_some_and(|f| f.starts_with(entry.as_str())),
                "round {round}: entry {index}"
            );
        }
        untold = recovered.size - acknowledged.len() as u64;
    }
    assert!(acknowledged.len() as u64 > rounds, "most rounds acknowledge something");
    println!(
        "{rounds} rounds of kill -9: {} acknowledged entries, 0 lost; {untold} kept of which nobody had been told",
        acknowledged.len()
    );
}
