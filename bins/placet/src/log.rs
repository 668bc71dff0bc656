//! `placet log`: the public log of what was on and what was stated off.

mod change;
mod day;
mod deposit;
mod follow;
mod home;
mod page;
mod read;
mod run;
mod source;
pub mod unsealing;
mod witness;

pub use run::{Keeping, listen, runtime, wait_a_little, wait_until};

use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, Subcommand, ValueEnum};
use placet_record::entry::{CameraId, FieldName, Moment};
use placet_tlog::policy::Policy;

use crate::Failure;
use crate::exit::Exit;

/// The verbs of `placet log`.
#[derive(Subcommand)]
pub enum LogCommand {
    /// Make a log: its folder, its keys, its first entries
    Create(CreateArgs),
    /// Keep a log: state every interval before it begins, open it on its date, ask witnesses, serve it over HTTP
    Run(RunArgs),
    /// Say how far a log has come, and since when it is silent (then exit 1)
    Status(LogArgs),
    /// Show entries
    Get(GetArgs),
    /// Make a proof that an entry is in the log (C2SP tlog-proof)
    Prove(ProveArgs),
    /// Say whether a camera's search was on at an instant, with a proof (exit 7 if the log does not say)
    WasItOn(WasItOnArgs),
    /// Check a log in its home: every frame, every signature, every file made of them, every rule
    Fsck(FsckArgs),
    /// Change the key that signs a log: an entry says so, signed by the old one
    ChangeKey(ChangeKeyArgs),
    /// Put another list of cameras in force
    SetCameras(SetCamerasArgs),
    /// Show some fields of what an entry committed to, and nothing else of it
    Disclose(DiscloseArgs),
    /// Check what somebody showed of an entry against the log
    CheckDisclosure(CheckDisclosureArgs),
    /// Erase all records of an order; the log goes on verifying
    Erase(EraseArgs),
    /// Put a log's files where the public reads them: a folder that a web server hosts, or an S3 bucket
    Export(ExportArgs),
    /// Copy somebody's log into a folder, checked before it is written; a copy never goes back and follows no fork
    Mirror(MirrorArgs),
    /// Follow a log and tell what is wrong, missing, or on
    Monitor(MonitorArgs),
    /// Be a witness of other people's logs
    Witness(WitnessArgs),
    /// Make the key of a witness
    WitnessKey(WitnessKeyArgs),
    /// Make the key of an oversight body, for which deposits are made
    OversightKey(OversightKeyArgs),
    /// Open a deposit, as the body whose key it was made for
    OpenDeposit(OpenDepositArgs),
    /// Make the page that checks a log in the browser, for one policy
    Page(PageArgs),
    /// Make a simulated day's log with a search in it, published to a folder, to try everything on
    Day(DayArgs),
}

/// Whether events are published as they happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// Events are published as they happen, and each interval is opened when it is over
    Open,
    /// Only ticks are published; all else on the date that each tick bears
    Sealed,
}

/// `placet log create`
#[derive(Args)]
pub struct CreateArgs {
    /// The folder to make: the log's home, with its private key, confidential records and policy
    pub home: PathBuf,
    /// The log's name, as its checkpoints have it, such as log.example.org/placet/2027
    #[arg(long)]
    pub origin: String,
    /// A file with the name of one camera a line (a-z, 0-9, dot, dash, underscore)
    #[arg(long, value_name = "FILE")]
    pub cameras: PathBuf,
    /// Seconds from tick to tick, for good
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub interval: u64,
    /// Whether events are published as they happen, for good
    #[arg(long, value_enum, default_value_t = ModeArg::Open)]
    pub mode: ModeArg,
    /// Seconds from the end of an interval to its reveal at the latest, for good [default: one interval; 180 days if sealed]
    #[arg(long, value_name = "SECONDS")]
    pub reveal_delay: Option<u64>,
    /// Slots of every tick, for good: room for cameras to come [default: the cameras, rounded up to a multiple of 64]
    #[arg(long)]
    pub slots: Option<u32>,
    /// The public key of an oversight body: every record is deposited for it
    #[arg(long, value_name = "KEY")]
    pub oversight: Option<String>,
}

/// `placet log run`
#[derive(Args)]
pub struct RunArgs {
    /// The log's home, as `placet log create` made it
    pub home: PathBuf,
    /// Serve the published log here, such as 127.0.0.1:8080; TLS is for the server in front
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// How many seconds before an interval its tick is written, so that witnesses see it in time
    #[arg(long, default_value_t = 3, value_name = "SECONDS")]
    pub lead: u64,
    /// Put the log's files, and a page that checks them, into this folder after each round, for a web server to host
    #[arg(long, value_name = "FOLDER")]
    pub export: Option<PathBuf>,
    /// Do what is due now and end
    #[arg(long)]
    pub once: bool,
}

/// A log to read, and whom to believe.
#[derive(Args)]
pub struct LogArgs {
    /// The log: a URL, a folder it was published to, or its home
    pub log: String,
    /// Whom to believe: a tlog-policy file with the log's key and its witnesses. Never taken from the log itself
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// `placet log get`
#[derive(Args)]
pub struct GetArgs {
    #[command(flatten)]
    pub log: LogArgs,
    /// The first entry's index; the last entries if it is left out
    pub index: Option<u64>,
    /// How many entries
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub count: u64,
}

/// `placet log prove`
#[derive(Args)]
pub struct ProveArgs {
    #[command(flatten)]
    pub log: LogArgs,
    /// The entry's index
    pub index: u64,
    /// Where to put the proof [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `placet log was-it-on`
#[derive(Args)]
pub struct WasItOnArgs {
    #[command(flatten)]
    pub log: LogArgs,
    /// The camera's name in the log
    #[arg(long)]
    pub camera: CameraId,
    /// The instant, such as 2026-12-20T15:17:30Z
    #[arg(long, value_name = "TIME")]
    pub at: Moment,
    /// Write the proof to a file that anyone can check with placet-verify or the page
    #[arg(long, value_name = "FILE")]
    pub proof: Option<PathBuf>,
}

/// `placet log fsck`
#[derive(Args)]
pub struct FsckArgs {
    /// The log's home; nobody may be writing it. Files that are made of the entries are made anew if they are behind
    pub home: PathBuf,
    /// Set a lost high-water mark to where the log stands, after the witnesses were asked and have seen no more
    #[arg(long)]
    pub set_mark: bool,
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// `placet log change-key`
#[derive(Args)]
pub struct ChangeKeyArgs {
    /// The log's home; it must not be running
    pub home: PathBuf,
}

/// `placet log set-cameras`
#[derive(Args)]
pub struct SetCamerasArgs {
    /// The log's home; it must not be running
    pub home: PathBuf,
    /// A file with the name of one camera a line; those that were there keep their slots
    pub cameras: PathBuf,
}

/// `placet log disclose`
#[derive(Args)]
pub struct DiscloseArgs {
    /// The log's home; it must not be running
    pub home: PathBuf,
    /// The event's entry
    pub index: u64,
    /// A field to show; may be given more than once
    #[arg(long, value_name = "NAME", required = true)]
    pub field: Vec<FieldName>,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// `placet log check-disclosure`
#[derive(Args)]
pub struct CheckDisclosureArgs {
    /// The file that was shown, as `placet log disclose` wrote it
    pub disclosure: PathBuf,
    #[command(flatten)]
    pub log: LogArgs,
    /// The event's entry
    #[arg(long, value_name = "N")]
    pub index: u64,
}

/// `placet log erase`
#[derive(Args)]
pub struct EraseArgs {
    /// The log's home; it must not be running
    pub home: PathBuf,
    /// The order, as the log names it: sha256: and the digest of the order as it was signed
    #[arg(long, value_name = "DIGEST")]
    pub order: String,
    /// Why, such as "5(3), second subparagraph: authorisation refused"; kept confidentially
    #[arg(long)]
    pub ground: String,
}

/// `placet log export`
#[derive(Args)]
pub struct ExportArgs {
    /// The log's home; `placet log run --export` does it while the log runs
    pub home: PathBuf,
    /// A folder, or s3://BUCKET/PREFIX (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say who you are)
    pub target: String,
    /// The region of the bucket
    #[arg(long, default_value = "us-east-1")]
    pub region: String,
    /// The URL of an S3-compatible service that is not the region's own
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
}

/// `placet log mirror`
#[derive(Args)]
pub struct MirrorArgs {
    #[command(flatten)]
    pub log: LogArgs,
    /// The folder of the copy; made if it is missing
    pub folder: PathBuf,
}

/// `placet log monitor`
#[derive(Args)]
pub struct MonitorArgs {
    #[command(flatten)]
    pub log: LogArgs,
    /// The folder in which the monitor remembers what it saw; made if it is missing
    #[arg(long, value_name = "FOLDER")]
    pub state: PathBuf,
    /// Tell when a search on this camera is shown; may be given more than once
    #[arg(long, value_name = "CAMERA")]
    pub watch: Vec<CameraId>,
    /// POST alarms here, as JSON
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
    /// Keep an Atom feed of alarms in this file
    #[arg(long, value_name = "FILE")]
    pub feed: Option<PathBuf>,
    /// Seconds between looks
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub every: u64,
    /// How many seconds late something may be before it is missing
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub patience: u64,
    /// Look once and end: exit 1 if there was something to tell
    #[arg(long)]
    pub once: bool,
}

/// `placet log witness`
#[derive(Args)]
pub struct WitnessArgs {
    /// The folder in which the witness remembers; made if it is missing
    pub home: PathBuf,
    /// The witness's key, as `placet log witness-key` made it
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// A tlog-policy file whose `log` lines are the logs to watch
    #[arg(long, value_name = "FILE")]
    pub logs: PathBuf,
    /// Where to listen, such as 127.0.0.1:8081
    #[arg(long, value_name = "ADDRESS")]
    pub listen: String,
}

/// `placet log witness-key`
#[derive(Args)]
pub struct WitnessKeyArgs {
    /// The witness's name, such as witness.example.org/w1
    pub name: String,
    /// The file to make
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// `placet log oversight-key`
#[derive(Args)]
pub struct OversightKeyArgs {
    /// The file to make
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// `placet log open-deposit`
#[derive(Args)]
pub struct OpenDepositArgs {
    /// The deposit, a file of `confidential/deposits/` in the log's home as it was handed over
    pub deposit: PathBuf,
    /// The oversight body's key
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    #[command(flatten)]
    pub log: LogArgs,
}

/// `placet log page`
#[derive(Args)]
pub struct PageArgs {
    /// The policy to put into the page
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The log's address [default: the folder that the page lies in]
    #[arg(long, value_name = "URL")]
    pub log: Option<String>,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// `placet log day`
#[derive(Args)]
pub struct DayArgs {
    /// The folder to make: `public/` is the published log, `policy` whom to believe
    pub folder: PathBuf,
    /// How many minutes the day has
    #[arg(long, default_value_t = 1440)]
    pub minutes: u64,
    /// Whether events are published as they happen
    #[arg(long, value_enum, default_value_t = ModeArg::Open)]
    pub mode: ModeArg,
}

/// Runs the verb.
pub fn run(command: &LogCommand) -> Result<Exit, Failure> {
    match command {
        LogCommand::Create(args) => home::create(args),
        LogCommand::Run(args) => run::run(args),
        LogCommand::Status(args) => read::status(args),
        LogCommand::Get(args) => read::get(args),
        LogCommand::Prove(args) => read::prove(args),
        LogCommand::WasItOn(args) => read::was_it_on(args),
        LogCommand::Fsck(args) => home::fsck(args),
        LogCommand::ChangeKey(args) => change::key(args),
        LogCommand::SetCameras(args) => change::cameras(args),
        LogCommand::Disclose(args) => change::disclose(args),
        LogCommand::CheckDisclosure(args) => change::check_disclosure(args),
        LogCommand::Erase(args) => change::erase(args),
        LogCommand::Export(args) => follow::export(args),
        LogCommand::Mirror(args) => follow::mirror(args),
        LogCommand::Monitor(args) => follow::monitor(args),
        LogCommand::Witness(args) => witness::run(args),
        LogCommand::WitnessKey(args) => witness::make_key(args),
        LogCommand::OversightKey(args) => deposit::make_key(args),
        LogCommand::OpenDeposit(args) => deposit::open(args),
        LogCommand::Page(args) => page::run(args),
        LogCommand::Day(args) => day::run(args),
    }
}

/// The time, by the system's clock.
pub fn now() -> Result<Moment, Failure> {
    let seconds = SystemTime::UNIX_EPOCH.elapsed().map_err(Failure::internal)?.as_secs();
    let words = "the clock stands outside the years 2000 to 2199: set it right";
    Moment::from_unix_seconds(seconds).ok_or_else(|| Failure::Unavailable(words.to_owned()))
}

/// The policy in a file.
fn policy(path: &std::path::Path) -> Result<Policy, Failure> {
    let bytes =
        std::fs::read(path).map_err(|e| Failure::Usage(format!("cannot read `{}`: {e}", path.display())))?;
    Policy::parse(&bytes)
        .map_err(|e| Failure::Usage(format!("`{}` is no policy: {}", path.display(), placet_job::chain(&e))))
}

/// Something wrong with what was asked for, with its causes.
fn usage(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::Usage(placet_job::chain(error))
}

/// A failure with its causes.
fn failed(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::Failed(placet_job::chain(error))
}
