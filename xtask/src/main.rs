//! Every developer command. `cargo xtask` lists them.
//!
//! No dependencies: it has to build in seconds on a fresh machine, and it judges the dependencies of the others.

mod bench;
mod ci;
mod command;
mod day;
mod demo;
mod fuzz;
mod judges;
mod package;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  ci               what CI runs: setup, fmt, tidy, the page, other languages, test, judges, prove; stops at the first
                   that fails
  lint             clippy, doc, benches compile
  test             the same
  tidy             what no compiler checks: invariants, edges, purity, links, licences, duplicate crates
  attack           every test named attack_*, at full counts
  bench [NAME...]  the whole-program benches under bench/, all or those named
  fuzz [SECONDS] [TARGET...]
                   every fuzz target, or those named, for SECONDS each (default 60), on stable Rust
  setup            builds placet and installs its models into target/models
  soak MINUTES     eight live cameras that are killed, hang, change and send garbage; all that left is searched for faces
  package [--try] [--binary PATH [--verifier PATH]]
                   the Debian package and the tarball, into target/packages; --try installs, upgrades, rolls back
                   and purges in a Debian of its own (root)
  day              a day's log with a search in it, checked by three programs; every tampering with it is caught
  demo [--stay] [--binary PATH]
                   hides the faces in real videos and a picture, then those before four cameras on loopback, and shows
                   what it did; --stay leaves the cameras on until Ctrl-C, --binary shows a `placet` that is built
                   already";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((verb, rest)) = args.split_first() else {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    };
    let outcome = match (verb.as_str(), rest) {
        ("ci" | "test", []) => ci::run(),
        ("lint", []) => ci::lint(),
        ("tidy", []) => tidy::run(),
        ("attack", []) => bench::attack(),
        ("bench", names) => bench::run(names),
        ("fuzz", rest) => fuzz::run(rest),
        ("setup", []) => bench::setup(),
        ("package", rest) => package::run(rest),
        ("day", []) => day::run(),
        ("soak", [minutes]) => bench::soak(minutes),
        ("demo", rest) => demo::Asked::of(rest).and_then(|asked| demo::run(&asked)),
        ("help" | "--help" | "-h", _) => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("xtask: no such command: {}\n\n{USAGE}", args.join(" "));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask {verb}: {why}");
            ExitCode::FAILURE
        }
    }
}
