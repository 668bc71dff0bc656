//! The hidden subcommand: `sandbox-exec --read FILE --write FILE --device FILE --memory BYTES --parent PID -- PROGRAM ARGS`.

use std::convert::Infallible;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use super::{Sandbox, SandboxError, enter};

/// Exit status when the program was not started because the sandbox could not be built.
pub const REFUSED: u8 = 125;

impl Sandbox {
    /// The arguments that make [`exec`] build this sandbox; append the program's own.
    pub fn to_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        for (flag, paths) in [("--read", &self.read), ("--write", &self.write)] {
            for path in paths {
                args.extend([flag.into(), path.into()]);
            }
        }
        if let Some(device) = &self.device {
            args.extend(["--device".into(), device.into()]);
        }
        args.extend(["--memory".into(), self.memory_bytes.to_string().into()]);
        if let Some(parent) = self.parent {
            args.extend(["--parent".into(), parent.to_string().into()]);
        }
        args.extend(["--".into(), self.program.clone().into()]);
        args
    }

    /// The inverse of [`Self::to_args`]; what follows the program is its own arguments.
    fn from_args(args: impl IntoIterator<Item = OsString>) -> Result<(Self, Vec<OsString>), SandboxError> {
        let usage = |what: &str| SandboxError::Usage(what.to_owned());
        let mut args = args.into_iter();
        let (mut read, mut write, mut device, mut memory, mut parent) =
            (Vec::new(), Vec::new(), None, None, None);
        while let Some(flag) = args.next() {
            if flag == "--" {
                let program = args.next().ok_or_else(|| usage("no program after `--`"))?;
                let memory_bytes = memory.ok_or_else(|| usage("`--memory` is missing"))?;
                if !Path::new(&program).is_absolute() {
                    return Err(usage("the program must be an absolute path"));
                }
                return Ok((
                    Self { program: program.into(), read, write, device, memory_bytes, parent },
                    args.collect(),
                ));
            }
            let name = flag.to_string_lossy().into_owned();
            let value = args.next().ok_or_else(|| usage(&format!("`{name}` needs a value")))?;
            match name.as_str() {
                "--read" => read.push(value.into()),
                "--write" => write.push(value.into()),
                "--device" => device = Some(value.into()),
                "--memory" => memory = Some(number(&value).ok_or_else(|| usage("`--memory` needs bytes"))?),
                "--parent" => {
                    let id = number(&value).and_then(|n| u32::try_from(n).ok());
                    parent = Some(id.ok_or_else(|| usage("`--parent` needs a process id"))?);
                }
                _ => return Err(usage(&format!("unknown flag `{name}`"))),
            }
        }
        Err(usage("`--` and a program are missing"))
    }
}

fn number(text: &OsStr) -> Option<u64> {
    text.to_str()?.parse().ok()
}

/// Locks this process in and becomes the program. `args` start after the word `sandbox-exec`.
///
/// # Errors
/// Returns only where the sandbox cannot be built or the program does not start; the process should then end with
/// [`REFUSED`].
pub fn exec(args: impl IntoIterator<Item = OsString>) -> Result<Infallible, SandboxError> {
    let (sandbox, rest) = Sandbox::from_args(args)?;
    enter(&sandbox)?;
    let source = Command::new(&sandbox.program).args(rest).exec();
    Err(SandboxError::Exec { program: sandbox.program, source })
}

/// [`exec`], for the end of a `main`: says on stderr what went wrong and answers [`REFUSED`].
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Err(error) = exec(args);
    let mut text = format!("sandbox: {error}");
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(c) = cause {
        text.push_str(&format!(": {c}"));
        cause = c.source();
    }
    eprintln!("{text}");
    ExitCode::from(REFUSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<(Sandbox, Vec<OsString>), SandboxError> {
        Sandbox::from_args(args.iter().map(OsString::from))
    }

    #[test]
    fn arguments_round_trip() {
        let sandbox = Sandbox {
            program: "/usr/bin/ffmpeg".into(),
            read: vec!["/a b".into(), "--write".into()],
            write: vec!["/out".into()],
            device: Some("/dev/video0".into()),
            memory_bytes: 1 << 30,
            parent: Some(7),
        };
        let mut args = sandbox.to_args();
        args.extend(["-i".into(), "--read".into()]);
        let (back, rest) = Sandbox::from_args(args).unwrap();
        assert_eq!(back, sandbox);
        assert_eq!(rest, ["-i", "--read"]);
    }

    #[test]
    fn bad_arguments_are_refused_in_words() {
        for (args, word) in [
            (&["--memory", "1", "--"][..], "no program"),
            (&["--", "/bin/true"], "`--memory` is missing"),
            (&["--memory", "much", "--", "/bin/true"], "needs bytes"),
            (&["--memory", "1", "--", "true"], "absolute"),
            (&["--net", "on", "--", "/bin/true"], "unknown flag `--net`"),
            (&["--read"], "needs a value"),
            (&[], "are missing"),
        ] {
            let error = parse(args).unwrap_err().to_string();
            assert!(error.contains(word), "{args:?}: {error}");
        }
    }
}
