//! Fuzzing on stable Rust: libFuzzer with LLVM's coverage counters, without sanitizers.
//!
//! Sanitizers need a nightly compiler; counters do not. Without them our code, which is safe Rust but for two crates,
//! still fails by panic, overflow, endless loop and too much memory. See `docs/decisions/0002-fuzzing-on-stable.md`.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::command::{cargo, program, root, succeed};

const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// What cargo-fuzz passes with `--sanitizer none`, and one more: without the last, LLVM unrolls short comparisons of
/// bytes into something libFuzzer does not see, and a format's magic is never guessed.
const FLAGS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cforce-frame-pointers",
    "-Cllvm-args=-max-loads-per-memcmp=0",
];

/// Fewer counters than this mean that the build was not instrumented.
const LEAST_COUNTERS: u64 = 100;

/// `[SECONDS] [TARGET...]`
pub fn run(args: &[String]) -> Result<(), String> {
    let (seconds, names) = match args.split_first() {
        Some((first, rest)) if first.bytes().all(|b| b.is_ascii_digit()) => {
            (first.parse::<u32>().map_err(|e| format!("{first} seconds: {e}"))?, rest)
        }
        _ => (60, args),
    };
    let folder = root().join("fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml"))
        .map_err(|e| format!("cannot read fuzz/Cargo.toml: {e}"))?;
    let targets = targets(&manifest);
    if let Some(unknown) = names.iter().find(|name| !targets.contains(&name.as_str())) {
        return Err(format!("no fuzz target `{unknown}`; there are {}", targets.join(", ")));
    }
    let wanted: Vec<&str> =
        targets.into_iter().filter(|t| names.is_empty() || names.iter().any(|n| n == t)).collect();

    let mut build = cargo(&["build", "--release", "--target", PLATFORM]);
    build
        .current_dir(&folder)
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
        .env_remove("CARGO_TARGET_DIR");
    for target in &wanted {
        build.args(["--bin", target]);
    }
    succeed(&mut build)?;

    println!(
        "{:<16} {:>12} {:>9} {:>9} {:>7} {:>8}",
        "target", "executions", "per s", "coverage", "corpus", "crashes"
    );
    let mut crashed = Vec::new();
    for target in wanted {
        let result = fuzz(&folder, target, seconds)?;
        println!(
            "{target:<16} {:>12} {:>9} {:>9} {:>7} {:>8}",
            result.executions,
            result.executions / u64::from(seconds.max(1)),
            result.coverage,
            result.corpus,
            result.crashes.len()
        );
        crashed.extend(result.crashes);
    }
    if crashed.is_empty() {
        return Ok(());
    }
    Err(format!("crashes, each an input to run its target on:\n  {}", crashed.join("\n  ")))
}

/// The names of the binaries in a `Cargo.toml`.
fn targets(manifest: &str) -> Vec<&str> {
    let after = manifest.split("[[bin]]").skip(1);
    after
        .filter_map(|bin| bin.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')))
        .collect()
}

/// What came of one target.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    executions: u64,
    coverage: u64,
    corpus: u64,
    crashes: Vec<String>,
}

/// Runs one target. What it finds lies under `fuzz/target` and is found again by the next run; the seeds committed in
/// `fuzz/corpus` stay as they are.
fn fuzz(folder: &Path, target: &str, seconds: u32) -> Result<Outcome, String> {
    let found = folder.join("target/corpus").join(target);
    let crashes = folder.join("target/crashes").join(target);
    for dir in [&found, &crashes] {
        fs::create_dir_all(dir).map_err(|e| format!("cannot create {}: {e}", dir.display()))?;
    }
    let before = names(&crashes)?;
    let binary = folder.join("target").join(PLATFORM).join("release").join(target);
    let output = program(binary)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", crashes.display()))
        .args(["-print_final_stats=1", "-timeout=10", "-rss_limit_mb=2048"])
        .args([&found, &folder.join("corpus").join(target)])
        .stdout(Stdio::null())
        .output()
        .map_err(|e| format!("cannot start fuzz target `{target}`: {e}"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    let new = names(&crashes)?.into_iter().filter(|name| !before.contains(name));
    let crashes: Vec<String> = new.map(|name| crashes.join(name).display().to_string()).collect();
    if output.status.success() != crashes.is_empty() || !crashes.is_empty() {
        eprintln!("{}", tail(&log, 40));
    }
    if !output.status.success() && crashes.is_empty() {
        return Err(format!("fuzz target `{target}` ended with {} and left no input behind", output.status));
    }
    read_log(&log, crashes).ok_or_else(|| format!("fuzz target `{target}` has no coverage counters"))
}

/// Reads libFuzzer's figures; none where the program was not instrumented.
fn read_log(log: &str, crashes: Vec<String>) -> Option<Outcome> {
    let after = |line: &str, word: &str| -> Option<u64> {
        let rest = line.split_once(word)?.1.trim_start();
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    let last = |word: &str| log.lines().rev().find_map(|line| after(line, word));
    let counters = log.lines().find_map(|line| after(line, "inline 8-bit counters):"))?;
    if counters < LEAST_COUNTERS {
        return None;
    }
    let executions = last("stat::number_of_executed_units:")?;
    Some(Outcome {
        executions,
        coverage: last(" cov: ").unwrap_or(0),
        corpus: last(" corp: ").unwrap_or(0),
        crashes,
    })
}

fn names(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("cannot list {}: {e}", folder.display()))?;
    Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

fn tail(log: &str, lines: usize) -> String {
    let all: Vec<&str> = log.lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_the_manifest() {
        let manifest =
            "[package]\nname = \"x\"\n\n[[bin]]\nname = \"a\"\npath = \"a.rs\"\n\n[[bin]]\nname = \"b\"\n";
        assert_eq!(targets(manifest), ["a", "b"]);
    }

    #[test]
    fn figures_are_read_from_the_log() {
        let log = "INFO: Loaded 1 modules   (4158 inline 8-bit counters): 4158 [0x55, 0x56),\n\
                   #9\tINITED cov: 389 ft: 457 corp: 6/433b exec/s: 0 rss: 27Mb\n\
                   #2198655\tDONE   cov: 525 ft: 728 corp: 145/9248b lim: 4096 exec/s: 169127 rss: 28Mb\n\
                   stat::number_of_executed_units: 2198655\n";
        let expected = Outcome { executions: 2_198_655, coverage: 525, corpus: 145, crashes: Vec::new() };
        assert_eq!(read_log(log, Vec::new()), Some(expected));
        assert_eq!(
            read_log(&log.replace("4158", "12"), Vec::new()),
            None,
            "a build without counters is no fuzzing"
        );
        assert_eq!(read_log("", Vec::new()), None);
    }
}
