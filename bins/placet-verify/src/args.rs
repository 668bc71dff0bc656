//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use placet_record::entry::{CameraId, Moment};

use crate::exit::Failure;

/// How it is called.
pub const USAGE: &str = "\
Checks a statement proof, or a whole published log, against a policy that you hold yourself.

placet-verify --policy FILE [options] PROOF|FOLDER|URL

PROOF             a statement proof: what the log states of one camera at one instant
FOLDER, URL       a published log: every entry is read, every file compared, every rule applied

--policy FILE     whose signatures count: a C2SP tlog-policy, which you got from somewhere else than the log
--now TIME        instead of this machine's clock, such as 2026-11-22T05:43:00Z
--since FILE      a checkpoint of this log that you kept: what it covered has to be the beginning of what is there
--camera NAME     with --at: take the statement of this camera out of the log, and check it as a proof
--at TIME         the instant asked about
--out PROOF       write that proof to a file, for others to check
--json            the result as one line of JSON
--help, --version

Exit codes: 0 checked and sound; 1 sound, with gaps or the like; 2 wrong use; 4 cannot be read; 7 the answer is UNKNOWN;
8 invalid, or the log misbehaved; 70 a mistake of this program.
";

/// What is asked for.
#[derive(Debug)]
pub enum Command {
    Help,
    Version,
    Check(Args),
}

/// What to check, and against what.
#[derive(Debug)]
pub struct Args {
    pub policy: PathBuf,
    pub now: Option<Moment>,
    pub since: Option<PathBuf>,
    pub question: Option<(CameraId, Moment)>,
    pub out: Option<PathBuf>,
    pub json: bool,
    pub input: Input,
}

/// Where it lies.
#[derive(Debug)]
pub enum Input {
    /// A proof or a folder.
    Path(PathBuf),
    /// The prefix of a log, without a slash at its end.
    Url(String),
}

/// The options as they were given.
#[derive(Default)]
struct Given {
    policy: Option<OsString>,
    now: Option<OsString>,
    since: Option<OsString>,
    camera: Option<OsString>,
    at: Option<OsString>,
    out: Option<OsString>,
    json: bool,
    inputs: Vec<OsString>,
}

impl Args {
    /// Reads the arguments after the program's name.
    pub fn parse(args: impl Iterator<Item = OsString>) -> Result<Command, Failure> {
        let mut given = Given::default();
        let mut args = args.into_iter();
        let mut only_inputs = false;
        while let Some(arg) = args.next() {
            let text = arg.to_str().filter(|text| !only_inputs && text.starts_with("--"));
            let Some(option) = text else {
                given.inputs.push(arg);
                continue;
            };
            let (name, value) = option.split_once('=').map_or((option, None), |(n, v)| (n, Some(v.into())));
            match name {
                "--" => only_inputs = true,
                "--help" => return Ok(Command::Help),
                "--version" => return Ok(Command::Version),
                "--json" => given.json = true,
                _ => given.option(name, value, || args.next())?,
            }
        }
        given.check().map(Command::Check)
    }
}

impl Given {
    fn option(
        &mut self,
        name: &str,
        value: Option<OsString>,
        next: impl FnOnce() -> Option<OsString>,
    ) -> Result<(), Failure> {
        let place = match name {
            "--policy" => &mut self.policy,
            "--now" => &mut self.now,
            "--since" => &mut self.since,
            "--camera" => &mut self.camera,
            "--at" => &mut self.at,
            "--out" => &mut self.out,
            _ => return usage(format!("there is no option `{name}`")),
        };
        let Some(value) = value.or_else(next) else { return usage(format!("`{name}` needs a value")) };
        if place.replace(value).is_some() {
            return usage(format!("`{name}` stands twice"));
        }
        Ok(())
    }

    fn check(self) -> Result<Args, Failure> {
        let Some(policy) = self.policy.map(PathBuf::from) else {
            return usage(
                "`--policy FILE` is missing: whose signatures count, nobody can tell but you".to_owned(),
            );
        };
        let question = match (moment_or_name(self.camera)?, moment_or_name(self.at)?) {
            (None, None) => None,
            (Some(camera), Some(at)) => Some((
                camera
                    .parse()
                    .map_err(|_| bad("--camera", "is no name of a camera: 1 to 64 of `a-z0-9._-`"))?,
                at.parse().map_err(|_| bad("--at", Self::TIME))?,
            )),
            _ => return usage("`--camera` and `--at` go together".to_owned()),
        };
        if self.out.is_some() && question.is_none() {
            return usage("`--out` needs `--camera` and `--at`".to_owned());
        }
        let now = moment_or_name(self.now)?.map(|now| now.parse().map_err(|_| bad("--now", Self::TIME)));
        let mut inputs = self.inputs.into_iter();
        let (Some(input), None) = (inputs.next(), inputs.next()) else {
            return usage("one PROOF, FOLDER or URL is needed".to_owned());
        };
        Ok(Args {
            policy,
            now: now.transpose()?,
            since: self.since.map(PathBuf::from),
            question,
            out: self.out.map(PathBuf::from),
            json: self.json,
            input: Input::of(input)?,
        })
    }

    const TIME: &'static str = "is no time in UTC from 2000 to 2199 such as `2026-11-22T05:43:00Z`";
}

impl Input {
    fn of(input: OsString) -> Result<Self, Failure> {
        let Some(url) = input.to_str().filter(|text| text.contains("://")) else {
            return Ok(Self::Path(input.into()));
        };
        let known = url.starts_with("https://") || url.starts_with("http://");
        if !known {
            return usage(format!("`{url}` is no URL of a log: it starts with `https://` or `http://`"));
        }
        if url.contains(|c: char| c.is_whitespace() || c.is_control() || "?#\\\"".contains(c)) {
            return usage(format!("`{url}` is no prefix of a log: it has a space, a quote, `?` or `#`"));
        }
        Ok(Self::Url(url.trim_end_matches('/').to_owned()))
    }
}

fn moment_or_name(value: Option<OsString>) -> Result<Option<String>, Failure> {
    value
        .map(|value| value.into_string().map_err(|_| Failure::Usage("an option is not UTF-8".to_owned())))
        .transpose()
}

fn bad(option: &str, why: &str) -> Failure {
    Failure::Usage(format!("what `{option}` gives {why}"))
}

fn usage<T>(why: String) -> Result<T, Failure> {
    Err(Failure::Usage(why))
}
