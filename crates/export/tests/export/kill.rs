//! A process that exports to a folder is killed at random moments.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use placet_core::Digest;
use placet_export::{FolderTarget, export};

use crate::log::Log;

/// Set in the child: the folder.
const CHILD: &str = "PLACET_EXPORT_CHILD";

const SIZE: u64 = 3_000;

/// Exports ever larger logs, by steps that are now small and now large.
fn child(folder: &Path) {
    let log = Log::new(SIZE as usize, 0);
    let mut target = FolderTarget::open(folder).unwrap();
    let mut size = log.verify(&mut target).unwrap_or(0);
    while size < SIZE {
        size = (size + 1 + u64::from(Digest::of(&size.to_be_bytes()).0[0]) % 40).min(SIZE);
        export(&log.at(size), &mut target, &log.keys()).unwrap();
        println!("\n@ exported");
    }
    println!("\n@ end");
    // Waits to be killed.
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn attack_killed_at_random_the_folder_is_always_a_log_that_verifies() {
    if let Some(folder) = std::env::var_os(CHILD) {
        return child(Path::new(&folder));
    }
    let rounds: u64 = if std::env::var_os("PLACET_ATTACK").is_some() { 1_000 } else { 100 };
    let log = Log::new(SIZE as usize, 0);
    let mut folder = tempfile::tempdir().unwrap();
    let (mut last, mut moved, mut logs) = (None, 0, 1);
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::attack_killed_at_random_the_folder_is_always_a_log_that_verifies"])
            .env(CHILD, folder.path())
            .arg("--nocapture")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // After so many rounds of the child, and then anywhere within one, however slow the machine is.
        let random = Digest::of(&round.to_be_bytes()).0;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let heard = lines.by_ref().filter(|line| line.starts_with('@'));
        let _ = heard.take(1 + usize::from(random[0] % 5)).any(|line| line == "@ end");
        std::thread::sleep(Duration::from_micros(u64::from(random[1]) * 80));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert!(status.code().is_none(), "the child ended by itself: {status}");
        let mut target = FolderTarget::open(folder.path()).unwrap();
        let size = log.verify(&mut target);
        assert!(size >= last, "the folder went back from {last:?} to {size:?}");
        moved += u64::from(size > last);
        last = size;
        if last == Some(SIZE) {
            // Every file of before is gone but those of the last two checkpoints.
            (folder, last, logs) = (tempfile::tempdir().unwrap(), None, logs + 1);
        }
    }
    eprintln!(
        "{rounds} kills over {logs} logs: the folder verified after each; it had grown in {moved} of them"
    );
    assert!(moved > rounds / 4);
}
