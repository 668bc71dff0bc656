//! `placet disclose`: a sealed original opened for a stated ground, by two people, said in the log first.

mod ask;
mod check;
mod memory;
mod open;
mod people;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use placet_record::entry::{CameraId, Ground, Moment};
use placet_record::unsealing::Reference;
use placet_tlog::note::KeyName;

use crate::Failure;
use crate::exit::Exit;

pub use memory::guard;

/// The verbs of `placet disclose`.
#[derive(Subcommand)]
pub enum DiscloseCommand {
    /// Write an order: one camera, at most an hour, one ground. It opens nothing before two people have signed it
    Ask(AskArgs),
    /// Sign an order, after it was shown to you
    Sign(SignArgs),
    /// Open what an order names: two signatures are checked, the log says so first, then a clip is made in which everybody
    /// is hidden
    #[command(
        after_help = "An order opens once, within seven days, by the log it names. Everybody is hidden but the tracks that the \
order lets be seen and --keep-track names; their numbers come from a clip made with --label-tracks, by an order of its own.\n\n\
Run it on the custodian's machine, with a copy of the sealed folder: the private custody key must never lie where the cameras' \
gateway runs. What is opened is in memory alone and wiped afterwards."
    )]
    Open(Box<OpenArgs>),
    /// Check what was stated of an opened original, and a clip against it
    Check(CheckArgs),
}

/// Why an original is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GroundArg {
    /// A crime was committed before the camera
    Crime,
    /// An accident happened before it
    Accident,
    /// Somebody asks for the footage of himself
    OwnRequest,
}

impl From<GroundArg> for Ground {
    fn from(ground: GroundArg) -> Self {
        match ground {
            GroundArg::Crime => Self::Crime,
            GroundArg::Accident => Self::Accident,
            GroundArg::OwnRequest => Self::OwnRequest,
        }
    }
}

/// `placet disclose ask`
#[derive(Args)]
pub struct AskArgs {
    /// The camera, as the log has it
    #[arg(long)]
    pub camera: CameraId,
    /// The first second, such as 2026-12-20T15:17:00Z
    #[arg(long, value_name = "TIME")]
    pub from: Moment,
    /// The second after the last, at most an hour later
    #[arg(long, value_name = "TIME")]
    pub to: Moment,
    /// Why
    #[arg(long, value_enum)]
    pub ground: GroundArg,
    /// For which case or request: 1 to 200 characters, kept confidentially
    #[arg(long, value_name = "TEXT")]
    pub reference: Reference,
    /// The name of the log that has to say so first, such as log.example.org/placet/2027
    #[arg(long, value_name = "ORIGIN")]
    pub log: KeyName,
    /// A face track that may be left visible; may be given more than once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub keep_track: Vec<u64>,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `placet disclose sign`
#[derive(Args)]
pub struct SignArgs {
    /// The order; your signature is added to it
    pub order: PathBuf,
    /// Your own key, as `placet key new` made it
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
}

/// `placet disclose open`
#[derive(Args)]
pub struct OpenArgs {
    /// The order, signed by two people
    pub order: PathBuf,
    /// The folder of the sealed originals, or a copy of it
    #[arg(long, value_name = "DIR")]
    pub sealed: PathBuf,
    /// Who may sign: names, units and keys (docs/formats/unsealing-order.md)
    #[arg(long, value_name = "FILE")]
    pub people: PathBuf,
    /// The private half of the custody key
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The home of the log that says so first; it must not be running
    #[arg(long, value_name = "HOME")]
    pub log: PathBuf,
    /// Leave this face track visible, which the order must allow; may be given more than once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub keep_track: Vec<u64>,
    /// Write each track's number on what hides it
    #[arg(long)]
    pub label_tracks: bool,
    /// The clip to write; its manifest and the statement go beside it
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Key that signs manifest and statement; by default one of your own, made at the first use
    #[arg(long, value_name = "FILE")]
    pub signer: Option<PathBuf>,
    /// Folder of the models; by default where `placet models install` put them
    #[arg(long, value_name = "DIR", env = "PLACET_MODELS")]
    pub models: Option<PathBuf>,
    /// No progress, no notices
    #[arg(short, long)]
    pub quiet: bool,
}

/// `placet disclose check`
#[derive(Args)]
pub struct CheckArgs {
    /// The statement, `CLIP.unsealing`
    pub statement: PathBuf,
    /// The signer's public key, as `placet key show` prints it, or a file with it; by default your own
    #[arg(long)]
    pub key: Option<String>,
    /// Compare this file's digest with the clip's
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Runs the verb.
pub fn run(command: &DiscloseCommand) -> Result<Exit, Failure> {
    match command {
        DiscloseCommand::Ask(args) => ask::ask(args),
        DiscloseCommand::Sign(args) => ask::sign(args),
        DiscloseCommand::Open(args) => open::run(args),
        DiscloseCommand::Check(args) => check::run(args),
    }
}

/// Bytes that an order may have: its text and every signature that a note may have.
const MAX_ORDER: u64 = 1 << 20;

/// A file that was handed over, bounded.
fn read(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    crate::redact::read_text(path, MAX_ORDER)
        .map_err(|e| Failure::Usage(format!("cannot read `{}`: {e}", path.display())))
}
