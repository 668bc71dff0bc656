//! A process that seals is killed at random moments, again and again, over one folder. A binary of its own: starting
//! processes would hold the locks of tests beside it for a moment.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

#[expect(dead_code, reason = "what the other tests need too")]
#[path = "sealed/rig.rs"]
mod rig;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::rig::{Clocks, Gateway, custodian, files, limits, read, seconds};

/// Set in the child: where the folder is, and the first second of its pictures.
const CHILD: &str = "PLACET_SEALED_CHILD";

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let digest = placet_core::Digest::of(&state.to_be_bytes()).0;
    u64::from_be_bytes(digest[..8].try_into().unwrap())
}

/// Seals second after second until it is killed, and says which ones are handed to the system.
fn child(folder: &Path, first: i64) {
    let gateway = Gateway::start(folder, limits(72, 1 << 40), &Clocks::new());
    for second in first.. {
        gateway.seal("hall", &seconds(second, 1, 700));
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n@ {second} .").and_then(|()| out.flush()).unwrap();
    }
}

#[test]
fn attack_killed_at_random_what_is_readable_is_a_prefix() {
    if let Some(value) = std::env::var_os(CHILD) {
        let value = value.into_string().unwrap();
        let (folder, first) = value.rsplit_once('=').unwrap();
        return child(Path::new(folder), first.parse().unwrap());
    }
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("sealed");
    let full = std::env::var("PLACET_ATTACK").is_ok_and(|counts| counts == "full");
    let rounds: u64 = if full { 300 } else { 40 };
    let mut state = 11;
    let mut said: BTreeMap<i64, i64> = BTreeMap::new();
    for round in 0..rounds {
        let first = round as i64 * 100_000;
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["attack_killed_at_random_what_is_readable_is_a_prefix", "--exact", "--nocapture"]);
        command
            .env(CHILD, format!("{}={first}", folder.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let stop_after = random(&mut state) % 150;
        for _ in 0..=stop_after {
            let line = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("@ ")).unwrap();
            said.insert(first, line.split(' ').nth(1).unwrap().parse().unwrap());
        }
        // At any moment of what it does next.
        for _ in 0..random(&mut state) % 200_000 {
            std::hint::spin_loop();
        }
        process.kill().unwrap();
        process.wait().unwrap();
    }
    // Each file holds a prefix of what was sealed into it, and together they hold every second that was said.
    let (mut pictures, mut torn) = (0, 0);
    let mut got: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for file in files(&folder) {
        let (units, end) = read(&std::fs::read(&file).unwrap(), &custodian());
        torn += usize::from(end.is_err());
        if let Err(why) = end {
            assert!(why.contains("ends after") || why.contains("has a header of"), "{why}");
        }
        let Some((pts, ..)) = units.first() else { continue };
        let start = pts.0 / 90_000;
        let round = start / 100_000 * 100_000;
        let meant = crate::rig::plain(&seconds(start, units.len() as i64 / 10 + 1, 700));
        assert!(meant.starts_with(&units), "{}", file.display());
        pictures += units.len();
        got.entry(round).or_default().extend(units.iter().map(|(pts, ..)| pts.0 / 9_000));
    }
    let mut lost = 0;
    for (first, last) in &said {
        let have = got.get(first).cloned().unwrap_or_default();
        lost += (first * 10..(last + 1) * 10).filter(|tenth| have.binary_search(tenth).is_err()).count();
    }
    println!(
        "{rounds} kills, {pictures} pictures readable, {torn} segments without their end, {lost} lost that were written"
    );
    assert_eq!(lost, 0);
    assert!(torn as u64 >= rounds / 2, "{torn}");
}
