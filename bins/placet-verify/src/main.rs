//! The auditor's program: checks a statement proof or a whole published log against a policy that was given out of band.
//!
//! Small on purpose: it opens the files it is told to, asks `curl` for what lies behind a URL, and leaves every judgement to
//! `placet-audit`.

mod args;
mod check;
mod exit;
mod folder;
mod pinned;
mod web;
mod words;

use std::io::Write as _;
use std::process::ExitCode;

use args::{Args, Command};
use exit::{Exit, Failure};

fn main() -> ExitCode {
    let run = std::panic::catch_unwind(|| match Args::parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => say(args::USAGE, Exit::Sound),
        Ok(Command::Version) => say(concat!("placet-verify ", env!("CARGO_PKG_VERSION"), "\n"), Exit::Sound),
        Ok(Command::Check(args)) => match check::run(&args) {
            Ok((text, exit)) => say(&text, exit),
            Err(failure) => complain(&failure),
        },
        Err(failure) => complain(&failure),
    });
    // The panic has already said where it was.
    run.unwrap_or(Exit::Bug).into()
}

fn say(text: &str, exit: Exit) -> Exit {
    // A closed pipe leaves nobody to tell; the exit code still does.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    exit
}

fn complain(failure: &Failure) -> Exit {
    let _ = writeln!(std::io::stderr(), "error: {}", words::printable(&words::chain(failure)));
    failure.exit()
}
