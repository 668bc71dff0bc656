//! Which system calls: a seccomp allow-list, found by tracing ffmpeg over the codecs we use.
//!
//! A refused call fails with EPERM instead of killing the process, so that the program can say what it missed; a few
//! fail with ENOSYS, which makes the C library fall back to an older call that is on the list.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use super::SandboxError;

/// Allowed whatever the arguments.
#[rustfmt::skip]
const FREE: &[libc::c_long] = &[
    // Files, as far as Landlock lets them open, and the pipes we hand over.
    libc::SYS_read, libc::SYS_write, libc::SYS_readv, libc::SYS_writev, libc::SYS_pread64, libc::SYS_pwrite64,
    libc::SYS_lseek, libc::SYS_close, libc::SYS_openat, libc::SYS_fstat, libc::SYS_newfstatat, libc::SYS_statx,
    libc::SYS_statfs, libc::SYS_fstatfs, libc::SYS_faccessat, libc::SYS_readlinkat, libc::SYS_getdents64,
    libc::SYS_getcwd, libc::SYS_ftruncate, libc::SYS_fallocate, libc::SYS_fadvise64, libc::SYS_fsync,
    libc::SYS_fdatasync, libc::SYS_dup, libc::SYS_dup3, libc::SYS_ppoll, libc::SYS_pselect6, libc::SYS_umask,
    // Memory.
    libc::SYS_mmap, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_mprotect, libc::SYS_madvise, libc::SYS_brk,
    libc::SYS_mlock, libc::SYS_munlock, libc::SYS_get_mempolicy, libc::SYS_set_mempolicy,
    // Threads of our own.
    libc::SYS_futex, libc::SYS_set_robust_list, libc::SYS_get_robust_list, libc::SYS_set_tid_address, libc::SYS_rseq,
    libc::SYS_membarrier, libc::SYS_sched_yield, libc::SYS_sched_getaffinity, libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler, libc::SYS_sched_get_priority_max, libc::SYS_sched_get_priority_min,
    libc::SYS_exit, libc::SYS_exit_group, libc::SYS_restart_syscall,
    // Signals to ourselves.
    libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask, libc::SYS_rt_sigreturn, libc::SYS_sigaltstack,
    // Who am I, what time is it, how much did I use.
    libc::SYS_getpid, libc::SYS_gettid, libc::SYS_getppid, libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid,
    libc::SYS_getegid, libc::SYS_uname, libc::SYS_sysinfo, libc::SYS_times, libc::SYS_getrusage, libc::SYS_getrandom,
    libc::SYS_clock_gettime, libc::SYS_clock_getres, libc::SYS_clock_nanosleep, libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    // Becoming the program; Landlock decides which.
    libc::SYS_execve,
];

/// The older forms that only x86-64 has.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const FREE_HERE: &[libc::c_long] = &[
    libc::SYS_open, libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_readlink, libc::SYS_dup2,
    libc::SYS_poll, libc::SYS_select, libc::SYS_arch_prctl, libc::SYS_time, libc::SYS_getrlimit,
];
#[cfg(not(target_arch = "x86_64"))]
const FREE_HERE: &[libc::c_long] = &[];

/// Answered "no such call", so that the C library uses an older one whose arguments a filter can see.
const UNKNOWN: &[libc::c_long] = &[libc::SYS_clone3, libc::SYS_faccessat2, libc::SYS_openat2];

const FCNTL: [libc::c_int; 8] = [
    libc::F_DUPFD,
    libc::F_DUPFD_CLOEXEC,
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
    libc::F_GETPIPE_SZ,
    libc::F_SETPIPE_SZ,
];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Installs the filter on the calling thread; how many calls it allows. With `video`, what V4L2 devices understand too.
pub(super) fn apply(video: bool) -> Result<usize, SandboxError> {
    let failed = |e: BackendError| SandboxError::Seccomp(e.into());
    let allowed = allowed(video).map_err(failed)?;
    let count = allowed.len() - UNKNOWN.len();
    let unknown: Rules = UNKNOWN.iter().map(|call| (*call, Vec::new())).collect();
    // A call must pass both filters. The second refuses those that the first, for its part, lets pass.
    install(unknown, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32))?;
    install(allowed, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)?;
    Ok(count)
}

fn install(rules: Rules, otherwise: SeccompAction, listed: SeccompAction) -> Result<(), SandboxError> {
    let failed = |e: BackendError| SandboxError::Seccomp(e.into());
    let arch: TargetArch = std::env::consts::ARCH.try_into().map_err(failed)?;
    let filter = SeccompFilter::new(rules, otherwise, listed, arch).map_err(failed)?;
    let program: seccompiler::BpfProgram = filter.try_into().map_err(failed)?;
    apply_filter(&program).map_err(SandboxError::Seccomp)
}

fn allowed(video: bool) -> Result<Rules, BackendError> {
    let mut rules: Rules =
        [FREE, FREE_HERE, UNKNOWN].concat().into_iter().map(|call| (call, Vec::new())).collect();
    let own = u64::from(std::process::id());
    let thread = libc::CLONE_THREAD as u64;
    // "Is this a terminal?" and "how much is waiting?"; nothing that reaches a device.
    let mut controls = vec![vec![equal(1, libc::TCGETS)?], vec![equal(1, libc::FIONREAD)?]];
    if video {
        // The second byte of a control's number is the letter of its kind (linux/videodev2.h: V).
        let letter = SeccompCmpOp::MaskedEq(0xff00);
        controls.push(vec![SeccompCondition::new(1, SeccompCmpArgLen::Dword, letter, u64::from(b'V') << 8)?]);
    }
    for (call, alternatives) in [
        // The installing of this very filter.
        (libc::SYS_seccomp, vec![vec![equal(0, u64::from(libc::SECCOMP_SET_MODE_FILTER))?]]),
        // A new thread of this process, never a new process.
        (libc::SYS_clone, vec![vec![qword(0, SeccompCmpOp::MaskedEq(thread), thread)?]]),
        // abort() and thread cancellation; exec keeps the process id.
        (libc::SYS_tgkill, vec![vec![equal(0, own)?]]),
        // Naming a thread, and asking for privileges without changing them.
        (
            libc::SYS_prctl,
            [libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_CAPBSET_READ, libc::PR_SET_NO_NEW_PRIVS]
                .iter()
                .map(|option| Ok(vec![equal(0, *option as u64)?]))
                .collect::<Result<_, BackendError>>()?,
        ),
        // Reading one's own limits, not setting them and not another process's.
        (libc::SYS_prlimit64, vec![vec![equal(0, 0)?, qword(2, SeccompCmpOp::Eq, 0)?]]),
        (libc::SYS_ioctl, controls),
        // No F_SETOWN: it would send signals to others.
        (
            libc::SYS_fcntl,
            FCNTL.iter().map(|c| Ok(vec![equal(1, *c as u64)?])).collect::<Result<_, BackendError>>()?,
        ),
    ] {
        let alternatives = alternatives.into_iter().map(SeccompRule::new).collect::<Result<_, _>>()?;
        rules.insert(call, alternatives);
    }
    Ok(rules)
}

/// Argument `idx`, as the 32 bits that the kernel reads of an int, equals `value`.
fn equal(idx: u8, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(idx, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn qword(idx: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(idx, SeccompCmpArgLen::Qword, op, value)
}

/// Whether the kernel knows seccomp filters.
#[expect(unsafe_code, reason = "the question has no safe wrapper")]
pub(super) fn offered() -> bool {
    let action: u32 = libc::SECCOMP_RET_ERRNO;
    // SAFETY: the kernel reads one u32 behind the pointer, which outlives the call.
    let answer =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action) };
    answer == 0
}
