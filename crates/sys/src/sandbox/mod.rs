//! A process locks itself in, then becomes the program that is to be locked in.

mod command;
mod files;
mod limits;
mod syscalls;

use std::fmt;
use std::io;
use std::path::PathBuf;

pub use command::{REFUSED, exec, main};

/// What a locked-in program may use. Everything not named here is refused by the kernel.
///
/// In force after [`enter`]:
/// - files: `program` and the system's shared libraries may be read and executed, `read` may be read, `write` may be
///   read, written and cut, `device` may be read and controlled, `/dev/urandom` and `/dev/null` work; nothing can be
///   created, listed, renamed or removed;
/// - no network, no other process: no sockets, no fork, no signal to another process, no tracing;
/// - at most `memory_bytes` of address space, no core file, and where `write` is empty no byte to any file;
/// - no privilege can be gained, and the program dies with the thread that started it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sandbox {
    /// The executable, by absolute path.
    pub program: PathBuf,
    /// Files it may read.
    pub read: Vec<PathBuf>,
    /// Files it may read and write. They must exist: it can create none.
    pub write: Vec<PathBuf>,
    /// A video device (V4L2) it may read, with the control calls that such devices understand and no others.
    pub device: Option<PathBuf>,
    /// Address space. Threads and reserved memory count, so leave room.
    pub memory_bytes: u64,
    /// The process that must be our parent; where it is not, it died before we could tie our life to its own.
    pub parent: Option<u32>,
}

/// What is in force in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Landlock's version in use; at least 1.
    pub landlock: u32,
    /// Landlock too, besides seccomp, refuses TCP (version 4 and later).
    pub landlock_network: bool,
    /// Landlock too, besides seccomp, refuses signals and abstract sockets to the outside (version 6 and later).
    pub landlock_scope: bool,
    /// How many system calls are allowed; all others fail.
    pub syscalls: usize,
    /// Limit of the address space in bytes.
    pub memory_bytes: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let and = |on: bool, what: &'static str| if on { what } else { "" };
        write!(
            f,
            "Landlock {} (files{}{}), seccomp ({} calls allowed), {} MiB of memory",
            self.landlock,
            and(self.landlock_network, ", network"),
            and(self.landlock_scope, ", signals"),
            self.syscalls,
            self.memory_bytes >> 20
        )
    }
}

/// What this kernel offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Landlock's version; none where the kernel has none or it is switched off.
    pub landlock: Option<u32>,
    /// Seccomp filters.
    pub seccomp: bool,
}

impl Offer {
    /// Whether programs can be locked in at all.
    pub fn suffices(&self) -> bool {
        self.landlock.is_some() && self.seccomp
    }
}

/// Why a process could not be locked in.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No Landlock.
    #[error(
        "this kernel offers no Landlock file rules; Linux 5.13 or later with `landlock` in its list of security modules \
         is needed (boot with `lsm=landlock,…`)"
    )]
    NoLandlock,
    /// Landlock refused the rules.
    #[error("Landlock refused the file rules")]
    Landlock(#[source] landlock::RulesetError),
    /// A file of the sandbox cannot be opened.
    #[error("`{path}` cannot be opened to be let into the sandbox")]
    Path {
        /// Which.
        path: PathBuf,
        /// Why.
        source: landlock::PathFdError,
    },
    /// Seccomp refused the filter.
    #[error("this kernel refused the seccomp filter; a kernel built with CONFIG_SECCOMP_FILTER is needed")]
    Seccomp(#[source] seccompiler::Error),
    /// A limit could not be set.
    #[error("cannot set {what}")]
    Limit {
        /// Which.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The parent is gone.
    #[error("the process that started this one is gone")]
    Orphan,
    /// The arguments make no sense.
    #[error(
        "sandbox-exec: {0}; it is started by placet itself, as `sandbox-exec [--read FILE] [--write FILE] [--device FILE] --memory BYTES [--parent PID] -- PROGRAM [ARGS]`"
    )]
    Usage(String),
    /// The program did not start.
    #[error("cannot start `{program}`")]
    Exec {
        /// Which.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Locks the calling process in, for good.
///
/// Call it from a process with a single thread that is about to [`exec`]: Landlock and seccomp bind the calling thread
/// and whatever it starts.
///
/// # Errors
/// Where the kernel lacks what is required (Landlock's file rules, seccomp) or refuses a part. The process may then
/// be partly restricted and should end.
pub fn enter(sandbox: &Sandbox) -> Result<Report, SandboxError> {
    limits::apply(sandbox)?;
    let files = files::apply(sandbox)?;
    let syscalls = syscalls::apply(sandbox.device.is_some())?;
    Ok(Report {
        landlock: files.version,
        landlock_network: files.version >= 4,
        landlock_scope: files.version >= 6,
        syscalls,
        memory_bytes: sandbox.memory_bytes,
    })
}

/// What this kernel offers; changes nothing.
pub fn probe() -> Offer {
    Offer { landlock: files::version(), seccomp: syscalls::offered() }
}
