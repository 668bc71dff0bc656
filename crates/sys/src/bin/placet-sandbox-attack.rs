//! Tries one thing that a sandbox must refuse, for the test beside it.
//!
//! `placet-sandbox-attack NAME FILE DIRECTORY PID` ends with 0 where it got through and 1 where it was refused.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, file, dir, pid] = args.as_slice() else { return ExitCode::from(2) };
    let Ok(pid) = pid.parse() else { return ExitCode::from(2) };
    let target = Target { file: file.into(), dir: dir.into(), pid };
    match attack(name, &target) {
        None => ExitCode::from(2),
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            println!("{error}");
            ExitCode::from(1)
        }
    }
}

/// What the attack is aimed at.
struct Target {
    /// A file the sandbox does not name (or, for some attacks, its input).
    file: PathBuf,
    /// A directory outside; `socket` in it listens.
    dir: PathBuf,
    /// A process outside.
    pid: libc::pid_t,
}

fn attack(name: &str, t: &Target) -> Option<io::Result<()>> {
    let new = t.dir.join(format!("new-{name}"));
    Some(match name {
        "read-file" => read(&t.file),
        "read-passwd" => read(Path::new("/etc/passwd")),
        "list-directory" => fs::read_dir(&t.dir).map(drop),
        "create-file" => File::create(&new).map(drop),
        "create-directory" => fs::create_dir(&new),
        "symlink" => std::os::unix::fs::symlink("/etc", &new),
        "hard-link" => fs::hard_link(&t.file, &new),
        "rename" => fs::rename(&t.file, &new).and_then(|()| fs::rename(&new, &t.file)),
        "remove" => fs::remove_file(&t.file).and_then(|()| fs::write(&t.file, "again")),
        "overwrite" | "overwrite-input" => OpenOptions::new().write(true).open(&t.file).map(drop),
        "truncate" => OpenOptions::new().append(true).open(&t.file).and_then(|f| f.set_len(0)),
        "chmod" => fs::metadata(&t.file).and_then(|m| fs::set_permissions(&t.file, m.permissions())),
        "tcp-connect" => tcp_connect(),
        "tcp-listen" => TcpListener::bind("127.0.0.1:0").map(drop),
        "udp" => UdpSocket::bind("127.0.0.1:0").map(drop),
        "unix-connect" => UnixStream::connect(t.dir.join("socket")).map(drop),
        "socket-pair" => UnixStream::pair().map(drop),
        "exec-shell" => Err(Command::new("/bin/sh").args(["-c", "exit 0"]).exec()),
        "exec-copy" => Err(Command::new(t.dir.join("true")).exec()),
        "spawn" => Command::new("/bin/true").status().map(drop),
        "memory" => Vec::<u8>::new().try_reserve_exact(1 << 30).map_err(io::Error::other),
        "read-memory" => File::open(format!("/proc/{}/mem", t.pid)).map(drop),
        "read-descriptor-9" => read(Path::new("/dev/fd/9")).or_else(|_| raw(name, t.pid)),
        _ => return calls(name, t),
    })
}

fn read(path: &Path) -> io::Result<()> {
    File::open(path)?.read(&mut [0; 1]).map(drop)
}

/// The listener is ours, so that nothing outside has to listen.
fn tcp_connect() -> io::Result<()> {
    match TcpListener::bind("127.0.0.1:0") {
        Ok(listener) => TcpStream::connect(listener.local_addr()?).map(drop),
        // Nothing listens on port 9; "connection refused" would mean that we reached the network.
        Err(_) => match TcpStream::connect("127.0.0.1:9") {
            Err(e) if e.kind() != io::ErrorKind::ConnectionRefused => Err(e),
            _ => Ok(()),
        },
    }
}

fn calls(name: &str, t: &Target) -> Option<io::Result<()>> {
    const KNOWN: [&str; 24] = [
        "fork",
        "ptrace",
        "signal",
        "signal-thread",
        "signal-by-descriptor",
        "read-other-memory",
        "mount",
        "unshare",
        "set-namespace",
        "bpf",
        "io-uring",
        "keyring",
        "userfaultfd",
        "perf",
        "memfd",
        "raise-limit",
        "outlive-parent",
        "become-dumpable",
        "change-directory",
        "change-root",
        "set-time",
        "terminal-input",
        "open-by-handle",
        "socket-raw",
    ];
    KNOWN.contains(&name).then(|| raw(name, t.pid))
}

/// System calls that have no safe wrapper.
#[expect(unsafe_code, reason = "raw system calls whose refusal is the test")]
fn raw(name: &str, pid: libc::pid_t) -> io::Result<()> {
    let root = CString::new("/").unwrap_or_default();
    let mut byte = [0u8; 256];
    let nothing = std::ptr::null::<u8>();
    // SAFETY: every pointer passed lives until the end of this function and is as long as the call may use, or is
    // null where the call allows or reports it; a child of fork ends at once.
    let answer = unsafe {
        match name {
            "fork" => match libc::fork() {
                0 => libc::_exit(0),
                child => i64::from(child),
            },
            "ptrace" => {
                let attached = libc::ptrace(libc::PTRACE_SEIZE, pid, 0, 0);
                libc::ptrace(libc::PTRACE_DETACH, pid, 0, 0);
                attached
            }
            "signal" => i64::from(libc::kill(pid, libc::SIGCONT)),
            "signal-thread" => libc::syscall(libc::SYS_tgkill, pid, pid, libc::SIGCONT),
            "signal-by-descriptor" => i64::from(libc::fcntl(1, libc::F_SETOWN, pid)),
            "read-other-memory" => {
                // An address that is never mapped: EFAULT would mean that we were let in.
                let local = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
                let remote = libc::iovec { iov_base: std::ptr::without_provenance_mut(1), iov_len: 1 };
                let read = libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0);
                let_in(read as i64, libc::EFAULT)
            }
            "mount" => {
                // Changes nothing: "/" is made what a new namespace's is already, after leaving the old one.
                if libc::unshare(libc::CLONE_NEWNS) != 0 {
                    -1
                } else {
                    let flags = libc::MS_REC | libc::MS_PRIVATE;
                    i64::from(libc::mount(
                        nothing.cast(),
                        root.as_ptr(),
                        nothing.cast(),
                        flags,
                        nothing.cast(),
                    ))
                }
            }
            "unshare" => i64::from(libc::unshare(libc::CLONE_NEWNS)),
            "set-namespace" => let_in(i64::from(libc::setns(-1, 0)), libc::EBADF),
            "bpf" => let_in(libc::syscall(libc::SYS_bpf, 0, byte.as_mut_ptr(), 64), libc::EINVAL),
            "io-uring" => libc::syscall(libc::SYS_io_uring_setup, 1, byte.as_mut_ptr()),
            "keyring" => libc::syscall(libc::SYS_keyctl, 0, -3i64, 0),
            "userfaultfd" => libc::syscall(libc::SYS_userfaultfd, 0),
            "perf" => libc::syscall(libc::SYS_perf_event_open, byte.as_mut_ptr(), 0, -1, -1, 0),
            "memfd" => libc::syscall(libc::SYS_memfd_create, root.as_ptr(), 0),
            "raise-limit" => {
                let none = libc::rlimit { rlim_cur: 1 << 20, rlim_max: 1 << 20 };
                i64::from(libc::setrlimit(libc::RLIMIT_STACK, &raw const none))
            }
            "outlive-parent" => i64::from(libc::prctl(libc::PR_SET_PDEATHSIG, 0, 0, 0, 0)),
            "become-dumpable" => i64::from(libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0)),
            "change-directory" => i64::from(libc::chdir(root.as_ptr())),
            "change-root" => i64::from(libc::chroot(root.as_ptr())),
            "set-time" => i64::from(libc::adjtimex(byte.as_mut_ptr().cast())),
            "terminal-input" => i64::from(libc::ioctl(0, libc::TIOCSTI, byte.as_ptr())),
            "open-by-handle" => libc::syscall(libc::SYS_open_by_handle_at, -1, byte.as_mut_ptr(), 0),
            "socket-raw" => i64::from(libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0)),
            "read-descriptor-9" => i64::from(libc::fcntl(9, libc::F_GETFD)),
            _ => -1,
        }
    };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// 0 where the call that answered `answer` failed with `errno`: it was let in, and only its arguments were bad.
fn let_in(answer: i64, errno: i32) -> i64 {
    let bad_arguments = answer < 0 && io::Error::last_os_error().raw_os_error() == Some(errno);
    if bad_arguments { 0 } else { answer }
}
