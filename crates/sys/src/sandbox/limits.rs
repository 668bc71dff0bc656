//! Life tied to the parent's, no new privileges, resource limits.

use std::io;

use rustix::process::{Pid, Resource, Rlimit, Signal, getppid, setrlimit};

use super::{Sandbox, SandboxError};

/// Enough for an input, an output, pipes and whatever a library opens for itself.
const OPEN_FILES: u64 = 128;

pub(super) fn apply(sandbox: &Sandbox) -> Result<(), SandboxError> {
    let limit = |what, result: rustix::io::Result<()>| {
        result.map_err(|e| SandboxError::Limit { what, source: e.into() })
    };
    limit(
        "the signal for a parent's death",
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL)),
    )?;
    if let Some(parent) = sandbox.parent
        && getppid().map(Pid::as_raw_nonzero).map(|p| p.get() as u32) != Some(parent)
    {
        return Err(SandboxError::Orphan);
    }
    limit("no_new_privs", rustix::thread::set_no_new_privs(true))?;
    limit("the limit of core files", set(Resource::Core, 0))?;
    limit("the limit of open files", set(Resource::Nofile, OPEN_FILES))?;
    limit("the limit of memory", set(Resource::As, sandbox.memory_bytes))?;
    if sandbox.write.is_empty() {
        limit("the limit of file size", set(Resource::Fsize, 0))?;
    }
    keep_only_standard_descriptors()
        .map_err(|source| SandboxError::Limit { what: "descriptors to close", source })
}

fn set(resource: Resource, value: u64) -> rustix::io::Result<()> {
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
}

/// Whatever the parent left open is closed when the program starts.
#[expect(unsafe_code, reason = "close_range has no safe wrapper")]
fn keep_only_standard_descriptors() -> io::Result<()> {
    // SAFETY: only marks descriptors for closing at exec; none is closed under an owner's feet.
    let done =
        unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
