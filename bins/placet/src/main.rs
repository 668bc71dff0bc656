//! `placet`: the command line. Parses, loads, runs, reports; what deserves a test is in the libraries.

mod args;
mod cameras;
mod decide;
mod disclose;
mod doctor;
mod exit;
mod inputs;
mod keys;
mod law;
mod log;
mod manifests;
mod models;
mod places;
mod progress;
mod redact;
mod results;
mod serve;
mod side;

use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use placet_job::{JobError, chain};

use crate::args::{Cli, Command};
use crate::exit::Exit;

/// Why a verb did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// Several things are wrong with an input, told one a line.
    #[error("{}", .0.join("; "))]
    Problems(Vec<String>),
    /// Something needed is missing.
    #[error("{0}")]
    Unavailable(String),
    /// It may not be done.
    #[error("{0}")]
    Refused(String),
    /// It was tried and failed.
    #[error("{0}")]
    Failed(String),
    /// A job ended without a result.
    #[error("{}", chain(.0))]
    Job(#[from] JobError),
    /// A key could not be made or read.
    #[error("{}", chain(.0))]
    Key(#[from] keys::KeyError),
    /// A file beside the job's could not be read or written.
    #[error("cannot read or write {0}: {1}")]
    Io(String, io::Error),
    /// A proof, a signature or a log does not hold.
    #[error("{0}")]
    Invalid(String),
    /// Ours.
    #[error("internal error: {0}; please report it")]
    Internal(String),
}

impl Failure {
    /// A wrong command line, in the words of `error`.
    pub fn usage(error: impl std::error::Error) -> Self {
        Self::Usage(chain(&error))
    }

    /// Ours.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }

    /// Its exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Problems(_) | Self::Key(_) => Exit::Usage,
            Self::Unavailable(_) => Exit::Unavailable,
            Self::Failed(_) | Self::Io(..) => Exit::Failed,
            Self::Job(e) => e.into(),
            Self::Refused(_) => Exit::Refused,
            Self::Invalid(_) => Exit::Invalid,
            Self::Internal(_) => Exit::Bug,
        }
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are answers; the rest is a wrong command line.
            let code = if e.use_stderr() { Exit::Usage } else { Exit::Done };
            // A closed pipe leaves nobody to tell.
            let _ = e.print();
            return code.into();
        }
    };
    if matches!(cli.command, Command::Decide(_) | Command::Law(_) | Command::Manifest(_) | Command::Doctor(_))
    {
        placet_sys::process::end_at_closed_output();
    }
    let result = match cli.command {
        Command::Redact(args) => redact::run(&args),
        Command::Key(command) => keys::run(&command).map_err(Failure::from),
        Command::Manifest(args) => manifests::run(&args),
        Command::Models(command) => models::run(&command),
        Command::Doctor(args) => doctor::run(&args),
        Command::Decide(args) => decide::run(&args),
        Command::Law(command) => law::run(&command),
        Command::Log(command) => log::run(&command),
        Command::Serve(args) => serve::serve(&args),
        Command::Config(command) => serve::config(&command),
        Command::Camera(command) => cameras::run(&command),
        Command::Disclose(command) => disclose::run(&command),
        Command::UnsealedGuard { folder } => {
            disclose::guard(&folder);
            Ok(exit::Exit::Done)
        }
        // Returns only where it could not become the program.
        Command::SandboxExec { args } => return placet_sys::sandbox::main(args),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            match &failure {
                Failure::Problems(list) => {
                    list.iter().for_each(|p| eprintln!("error: {}", progress::printable(p)));
                }
                one => eprintln!("error: {}", progress::printable(&one.to_string())),
            }
            failure.exit().into()
        }
    }
}
