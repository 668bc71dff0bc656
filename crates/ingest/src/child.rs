//! A locked-in ffmpeg or ffprobe: started, read from, fed, waited for, killed.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{self, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use placet_sys::sandbox::{REFUSED, Sandbox};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::Tools;

/// How much of the end of what the child said is kept.
const TAIL: usize = 2048;
/// Size of the pipes for raw frames: a 1080p frame passes in three pieces instead of 48.
const PIPE: usize = 1 << 20;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Program {
    #[default]
    Ffmpeg,
    Ffprobe,
}

impl Program {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ffmpeg => "ffmpeg",
            Self::Ffprobe => "ffprobe",
        }
    }
}

/// What to start.
pub(crate) struct Job {
    pub(crate) program: Program,
    pub(crate) args: Vec<OsString>,
    pub(crate) read: Vec<PathBuf>,
    pub(crate) write: Vec<PathBuf>,
    pub(crate) device: Option<PathBuf>,
    pub(crate) memory_bytes: u64,
    /// Whether we feed it.
    pub(crate) stdin: bool,
}

impl Default for Job {
    fn default() -> Self {
        let (read, write) = (Vec::new(), Vec::new());
        Self {
            program: Program::Ffmpeg,
            args: Vec::new(),
            read,
            write,
            device: None,
            memory_bytes: memory_for(0),
            stdin: false,
        }
    }
}

/// A limit of address space that leaves room for `pixel_bytes` of pictures: libraries take some hundred megabytes, and
/// each thread reserves a stack and an arena of which it uses little.
pub(crate) fn memory_for(pixel_bytes: u64) -> u64 {
    const LIBRARIES: u64 = 2 << 30;
    const THREAD: u64 = 160 << 20;
    // Codecs start up to twice as many threads as there are processors, and a few for themselves.
    let processors = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    LIBRARIES + THREAD * (2 * processors + 16) + pixel_bytes
}

/// A child that failed, with the end of what it said.
#[derive(Debug)]
pub struct ChildError {
    program: &'static str,
    failure: Failure,
    said: String,
}

#[derive(Debug)]
pub(crate) enum Failure {
    Start(io::Error),
    Io(io::Error),
    /// It neither answered nor ended.
    Silent(Duration),
    Status(ExitStatus),
    TooMuch(usize),
}

impl ChildError {
    /// The end of what the child wrote to stderr, at most 2 KiB.
    pub fn said(&self) -> &str {
        &self.said
    }

    /// Whether it said that there is no room for what it writes.
    pub(crate) fn disk_full(&self) -> bool {
        let full = ["No space left on device", "Disk quota exceeded", "File too large"];
        full.iter().any(|words| self.said.contains(words))
    }

    /// Whether the sandbox could not be built, so that the program was never started.
    pub fn sandbox_refused(&self) -> bool {
        matches!(&self.failure, Failure::Status(s) if s.code() == Some(i32::from(REFUSED)))
    }

    pub(crate) fn silent(&self) -> bool {
        matches!(self.failure, Failure::Silent(_))
    }
}

impl fmt::Display for ChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = self.program;
        match &self.failure {
            Failure::Start(_) => write!(f, "{program} could not be started")?,
            Failure::Io(_) => write!(f, "the pipe to {program} broke")?,
            Failure::Silent(d) => {
                write!(f, "{program} was silent for {} s and was stopped", d.as_secs_f32())?
            }
            Failure::Status(s) => write!(f, "{program} failed ({s})")?,
            Failure::TooMuch(limit) => write!(f, "{program} answered more than {limit} bytes")?,
        }
        // The last lines say what went wrong; addresses in them mean nothing to a reader.
        let lines: Vec<&str> = self.said.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        for (idx, line) in lines.iter().skip(lines.len().saturating_sub(3)).enumerate() {
            write!(f, "{} {}", if idx == 0 { ":" } else { ";" }, without_address(line))?;
        }
        Ok(())
    }
}

impl std::error::Error for ChildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.failure {
            Failure::Start(e) | Failure::Io(e) => Some(e),
            Failure::Silent(_) | Failure::Status(_) | Failure::TooMuch(_) => None,
        }
    }
}

/// `[h264 @ 0x55c0] text` without the address.
fn without_address(line: &str) -> String {
    match (line.find(" @ 0x"), line.find(']')) {
        (Some(at), Some(end)) if at < end => {
            [line.get(..at), line.get(end..)].into_iter().flatten().collect()
        }
        _ => line.to_owned(),
    }
}

/// A running child. Dropping it kills it and leaves no zombie.
pub(crate) struct Child {
    program: Program,
    process: process::Child,
    stderr: Option<JoinHandle<String>>,
}

impl Child {
    pub(crate) fn spawn(tools: &Tools, job: Job) -> Result<Self, ChildError> {
        let program = job.program;
        let sandbox = Sandbox {
            program: tools.path(program).into(),
            read: job.read,
            write: job.write,
            device: job.device,
            memory_bytes: job.memory_bytes,
            parent: Some(process::id()),
        };
        let mut command = Command::new(tools.sandbox());
        command.arg("sandbox-exec").args(sandbox.to_args()).args(job.args).env_clear().env("LC_ALL", "C");
        // Frames are megabytes: given back to the kernel after each, they would be cleared anew for the next. One arena
        // for all threads: each of their own would keep some.
        command.env(
            "GLIBC_TUNABLES",
            "glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=134217728:glibc.malloc.arena_max=1",
        );
        // SVT-AV1 has its own voice: errors only.
        command.env("SVT_LOG", "1");
        command.stdin(if job.stdin { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed =
            |e| ChildError { program: program.name(), failure: Failure::Start(e), said: String::new() };
        let mut process = spawn_from_lasting_thread(command).map_err(failed)?;
        let stderr = process.stderr.take().map(|pipe| std::thread::spawn(move || tail(pipe)));
        Ok(Self { program, process, stderr })
    }

    /// The child's output, to read frames from.
    pub(crate) fn take_output(&mut self, patience: Duration) -> Result<Patient, ChildError> {
        let pipe = self.process.stdout.take().map(OwnedFd::from);
        self.patient(pipe, patience)
    }

    /// The child's input, to write frames to.
    pub(crate) fn take_input(&mut self, patience: Duration) -> Result<Patient, ChildError> {
        let pipe = self.process.stdin.take().map(OwnedFd::from);
        self.patient(pipe, patience)
    }

    fn patient(&mut self, pipe: Option<OwnedFd>, patience: Duration) -> Result<Patient, ChildError> {
        pipe.ok_or_else(|| io::Error::other("no such pipe"))
            .and_then(|pipe| Patient::new(pipe, patience))
            .map_err(|e| self.fail(Failure::Io(e)))
    }

    /// All it writes, at most `limit` bytes, once it ended well.
    pub(crate) fn output(mut self, limit: usize, patience: Duration) -> Result<Vec<u8>, ChildError> {
        let output = self.take_output(patience)?;
        let mut bytes = Vec::new();
        match output.take(limit as u64 + 1).read_to_end(&mut bytes) {
            Err(e) => Err(self.broken(e, patience)),
            Ok(n) if n > limit => Err(self.fail(Failure::TooMuch(limit))),
            Ok(_) => self.finish().map(|()| bytes),
        }
    }

    /// Waits for its end, which must be a success.
    pub(crate) fn finish(mut self) -> Result<(), ChildError> {
        match self.process.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(self.fail(Failure::Status(status))),
            Err(e) => Err(self.fail(Failure::Io(e))),
        }
    }

    /// Waits for the end of a child that writes a file. ffmpeg ends well even where the disk was full at the last moment.
    pub(crate) fn finish_writing(mut self) -> Result<(), ChildError> {
        let status = match self.process.wait() {
            Ok(status) => status,
            Err(e) => return Err(self.fail(Failure::Io(e))),
        };
        let ended = self.fail(Failure::Status(status));
        if status.success() && !ended.disk_full() { Ok(()) } else { Err(ended) }
    }

    /// Why reading or writing failed: where it ended by itself, its own status and words say more than a broken pipe.
    pub(crate) fn broken(&mut self, error: io::Error, patience: Duration) -> ChildError {
        if error.kind() == io::ErrorKind::TimedOut {
            return self.fail(Failure::Silent(patience));
        }
        match self.process.wait() {
            Ok(status) if !status.success() => self.fail(Failure::Status(status)),
            _ => self.fail(Failure::Io(error)),
        }
    }

    /// Kills it, collects what it said.
    pub(crate) fn fail(&mut self, failure: Failure) -> ChildError {
        self.kill();
        let said = self.stderr.take().and_then(|t| t.join().ok()).unwrap_or_default();
        ChildError { program: self.program.name(), failure, said }
    }

    fn kill(&mut self) {
        // Both fail only where it has ended and been waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads to the end, keeps the last [`TAIL`] bytes.
fn tail(mut pipe: ChildStderr) -> String {
    let mut kept = Vec::with_capacity(2 * TAIL);
    let mut chunk = [0; TAIL];
    while let Ok(n) = pipe.read(&mut chunk) {
        if n == 0 {
            break;
        }
        kept.extend(chunk.iter().take(n));
        kept.drain(..kept.len().saturating_sub(TAIL));
    }
    String::from_utf8_lossy(&kept).into_owned()
}

type Reply = mpsc::Sender<io::Result<process::Child>>;

/// Starts children from one thread that never ends: the kernel ties a child's life to the *thread* that started it, and
/// callers open decoders on threads that may end before the decoder does.
fn spawn_from_lasting_thread(command: Command) -> io::Result<process::Child> {
    static SPAWNER: OnceLock<mpsc::Sender<(Command, Reply)>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, inbox) = mpsc::channel::<(Command, Reply)>();
        std::thread::spawn(move || {
            for (mut command, reply) in inbox {
                // Nobody waits for the answer any more only where the whole process ends.
                let _ = reply.send(command.spawn());
            }
        });
        jobs
    });
    let gone = || io::Error::other("the thread that starts children is gone");
    let (reply, answer) = mpsc::channel();
    spawner.send((command, reply)).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}

/// Our end of a pipe, which waits for the other end only so long.
pub(crate) struct Patient {
    pipe: std::fs::File,
    patience: Duration,
}

impl Patient {
    fn new(pipe: OwnedFd, patience: Duration) -> io::Result<Self> {
        // More than a user's share of pipe memory is refused; the ordinary size works too.
        let _ = rustix::pipe::fcntl_setpipe_size(&pipe, PIPE);
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Self { pipe: pipe.into(), patience })
    }

    fn wait(&self, flags: PollFlags) -> io::Result<()> {
        let fd = self.pipe.as_fd();
        let timeout =
            Timespec { tv_sec: self.patience.as_secs() as i64, tv_nsec: self.patience.subsec_nanos().into() };
        loop {
            match poll(&mut [PollFd::new(&fd, flags)], Some(&timeout)) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}

impl Read for Patient {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.pipe.read(buf) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.wait(PollFlags::IN)?,
                done => return done,
            }
        }
    }
}

impl Write for Patient {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        loop {
            match self.pipe.write(buf) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.wait(PollFlags::OUT)?,
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_left_out() {
        assert_eq!(without_address("[h264 @ 0x55c0] no frame!"), "[h264] no frame!");
        assert_eq!(without_address("in.mp4: Invalid data ]"), "in.mp4: Invalid data ]");
    }
}
