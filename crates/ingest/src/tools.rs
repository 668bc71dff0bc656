use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::child::{Child, ChildError, Job, Program};

/// The programs that parse and write videos, and the wrapper that locks them in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    sandbox: PathBuf,
    version: String,
}

/// Why videos cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// Not installed.
    #[error("`{program}` was not found in PATH; install it with `apt-get install ffmpeg`")]
    Missing {
        /// Which.
        program: &'static str,
    },
    /// Too old or not ffmpeg.
    #[error(
        "`{path}` says `{answer}`; ffmpeg 5.1 or later is needed, as Debian 12 has (`apt-get install ffmpeg`)"
    )]
    Version {
        /// Which.
        path: PathBuf,
        /// The first line of its answer.
        answer: String,
    },
    /// The wrapper or the sandbox does not work.
    #[error("`{program}` does not run inside the sandbox")]
    Run {
        /// Which.
        program: &'static str,
        /// Why.
        source: ChildError,
    },
    /// The wrapper is another program.
    #[error("`{path}` is to lock ffmpeg in but does not start it")]
    Wrapper {
        /// Which.
        path: PathBuf,
    },
    /// Our own path is unknown.
    #[error("cannot tell the path of this program, which is to lock ffmpeg in")]
    OwnPath(#[source] io::Error),
}

impl Tools {
    /// Finds ffmpeg and ffprobe in `PATH` and runs each once inside the sandbox. The wrapper is this very program, which
    /// must answer `sandbox-exec …` with [`placet_sys::sandbox::main`].
    ///
    /// # Errors
    /// Where one is missing, too old, or cannot be locked in.
    pub fn find() -> Result<Self, ToolError> {
        Self::find_with_sandbox(std::env::current_exe().map_err(ToolError::OwnPath)?)
    }

    /// As [`Self::find`], with another program as wrapper.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn find_with_sandbox(sandbox: PathBuf) -> Result<Self, ToolError> {
        let mut tools = Self {
            ffmpeg: in_path("ffmpeg").ok_or(ToolError::Missing { program: "ffmpeg" })?,
            ffprobe: in_path("ffprobe").ok_or(ToolError::Missing { program: "ffprobe" })?,
            sandbox,
            version: String::new(),
        };
        // Each takes a twentieth of a second to load its libraries.
        let (ffmpeg, ffprobe) = thread::scope(|scope| {
            let ffprobe = scope.spawn(|| tools.version(Program::Ffprobe));
            (tools.version(Program::Ffmpeg), ffprobe.join())
        });
        ffprobe.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        tools.version = ffmpeg?;
        Ok(tools)
    }

    /// Path of ffmpeg.
    pub fn ffmpeg(&self) -> &Path {
        &self.ffmpeg
    }

    /// Path of ffprobe.
    pub fn ffprobe(&self) -> &Path {
        &self.ffprobe
    }

    /// Path of the wrapper.
    pub fn sandbox(&self) -> &Path {
        &self.sandbox
    }

    /// ffmpeg's version as it names itself, such as `5.1.9-0+deb12u1`.
    pub fn ffmpeg_version(&self) -> &str {
        &self.version
    }

    pub(crate) fn path(&self, program: Program) -> &Path {
        match program {
            Program::Ffmpeg => &self.ffmpeg,
            Program::Ffprobe => &self.ffprobe,
        }
    }

    fn version(&self, program: Program) -> Result<String, ToolError> {
        let failed = |source| ToolError::Run { program: program.name(), source };
        let job = Job { program, args: vec!["-version".into()], ..Job::default() };
        let answer = Child::spawn(self, job)
            .and_then(|c| c.output(1 << 16, Duration::from_secs(30)))
            .map_err(failed)?;
        let text = String::from_utf8_lossy(&answer);
        let line = text.lines().next().ok_or_else(|| ToolError::Wrapper { path: self.sandbox.clone() })?;
        let bad = || ToolError::Version {
            path: self.path(program).into(),
            answer: line.chars().take(80).collect(),
        };
        let start = format!("{} version ", program.name());
        let version = line.strip_prefix(&start).and_then(|v| v.split(' ').next()).ok_or_else(bad)?;
        // A build from source may be named after a commit, such as `N-109542-g…`; those are recent.
        let mut numbers = version.trim_start_matches('n').split(['.', '-']).map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(5)), Some(Ok(0))) | (Some(Ok(0..=4)), _) => Err(bad()),
            _ => Ok(version.to_owned()),
        }
    }
}

/// The first executable of that name in `PATH`, with links resolved.
fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).filter(|dir| dir.is_absolute()).find_map(|dir| {
        let file = dir.join(name).canonicalize().ok()?;
        let executable = rustix::fs::access(&file, rustix::fs::Access::EXEC_OK).is_ok() && file.is_file();
        executable.then_some(file)
    })
}
