//! The log's speed and size, beside other stores on the same disk. `bench/log/run` builds and starts it.

mod append;
mod engines;
mod entries;
mod group;
mod growth;
mod size;
mod table;
mod witnessed;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What can go wrong in a bench is told and ends it.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str =
    "usage: placet-bench-log FOLDER append ROUNDS [BATCH...] | group ROUNDS | size ENTRIES... | growth | witnessed ROUNDS
FOLDER is on the disk to be measured; what is put there is removed.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench/log: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Outcome<()> {
    let [folder, what @ ..] = arguments else { return Err(USAGE.into()) };
    let folder = PathBuf::from(folder);
    match what {
        ["append", rounds, sizes @ ..] => append::run(&folder, rounds.parse()?, &numbers(sizes)?),
        ["group", rounds] => group::run(&folder, rounds.parse()?),
        ["size", sizes @ ..] if !sizes.is_empty() => size::run(&folder, &numbers(sizes)?),
        ["growth"] => growth::run(&folder),
        ["witnessed", rounds] => witnessed::run(&folder, rounds.parse()?),
        // What `witnessed` and `size` start as processes of their own, so that the memory is theirs alone.
        ["witness", policy, number] => witnessed::serve_witness(&folder, Path::new(policy), number.parse()?),
        ["build", entries] => size::build(&folder, entries.parse()?),
        ["look"] => size::look(&folder),
        _ => Err(USAGE.into()),
    }
}

fn numbers(texts: &[&str]) -> Outcome<Vec<u64>> {
    Ok(texts.iter().map(|t| t.parse()).collect::<Result<_, _>>()?)
}

/// Bytes of all files in a folder: as long as they are, and as the file system counts.
pub fn bytes_in(folder: &Path) -> Outcome<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let mut sum = (0, 0);
    for file in std::fs::read_dir(folder)? {
        let about = file?.metadata()?;
        sum.0 += about.len();
        sum.1 += about.blocks() * 512;
    }
    Ok(sum)
}
