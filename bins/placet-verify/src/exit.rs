//! How the program ends: a table that scripts can rely on.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use placet_audit::{AuditError, ProofInvalid, ProveError, ReadError, SourceError};
use placet_record::entry::FormError;
use placet_tlog::checkpoint::CheckpointError;
use placet_tlog::policy::PolicyFileError;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Checked, and sound.
    Sound,
    /// Sound, and there is something to know: gaps, reveals that are late or overdue.
    Noticed,
    /// A wrong command line, or a file of the caller's that cannot be used.
    Usage,
    /// What was to be checked cannot be got.
    Unavailable,
    /// Sound, and the answer is UNKNOWN.
    CannotSay,
    /// The proof or the log is not to be believed, or shows misbehaviour.
    Invalid,
    /// A mistake of this program.
    Bug,
}

impl Exit {
    /// The code.
    pub fn code(self) -> u8 {
        match self {
            Self::Sound => 0,
            Self::Noticed => 1,
            Self::Usage => 2,
            Self::Unavailable => 4,
            Self::CannotSay => 7,
            Self::Invalid => 8,
            Self::Bug => 70,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why nothing was checked, or what was checked is not to be believed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}\n\nplacet-verify --help shows how it is called")]
    Usage(String),
    #[error("{0}")]
    Pinned(String),
    #[error("cannot read `{}`", .path.display())]
    Given { path: PathBuf, source: io::Error },
    #[error("`{}` is longer than the {limit} bytes it may have", .path.display())]
    TooLong { path: PathBuf, limit: u64 },
    #[error("`{}` is no policy", .path.display())]
    Policy { path: PathBuf, source: PolicyFileError },
    #[error("`{}` is no checkpoint of a log of the policy", .path.display())]
    Since { path: PathBuf, source: CheckpointError },
    #[error("cannot read what is to be checked, `{}`", .path.display())]
    Input { path: PathBuf, source: io::Error },
    #[error("INVALID: `{}` is no statement proof", .path.display())]
    Form { path: PathBuf, source: FormError },
    #[error("{}", if .source.is_misbehaviour() { "MISBEHAVIOUR: the proof is sound and shows it" } else { "INVALID: the proof proves nothing" })]
    Invalid { source: ProofInvalid },
    #[error("the log cannot be audited")]
    Audit { source: AuditError },
    #[error("no statement can be taken out of the log")]
    Prove { source: ProveError },
    #[error("the clock of this machine shows no time from 2000 to 2199: give `--now`")]
    Clock,
    #[error("cannot write `{}`", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl Failure {
    /// The program's end.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_)
            | Self::Pinned(_)
            | Self::Given { .. }
            | Self::TooLong { .. }
            | Self::Policy { .. }
            | Self::Since { .. }
            | Self::Clock
            | Self::Write { .. } => Exit::Usage,
            Self::Input { .. } => Exit::Unavailable,
            Self::Form { .. } | Self::Invalid { .. } => Exit::Invalid,
            Self::Audit { source } => match source {
                AuditError::Source(SourceError::Read { .. }) | AuditError::NoCheckpoint => Exit::Unavailable,
                AuditError::Source(SourceError::TooLong { .. }) | AuditError::Checkpoint { .. } => {
                    Exit::Invalid
                }
                AuditError::Since => Exit::Usage,
            },
            Self::Prove { source: ProveError::Read(source) } => of_reading(source),
            Self::Prove { .. } => Exit::Invalid,
        }
    }
}

fn of_reading(error: &ReadError) -> Exit {
    if error.is_unavailable() { Exit::Unavailable } else { Exit::Invalid }
}
