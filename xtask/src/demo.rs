//! `./x demo`: the main job on real input, with everything it leaves behind; then four cameras on loopback.

mod live;
mod material;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::{install_models, setup};
use crate::command::{output, program, root, succeed, target_folder};

/// How the demo is asked for.
pub struct Asked {
    /// The program to show, instead of the one that is built here.
    binary: Option<PathBuf>,
    /// Whether the cameras and the gateway stay until Ctrl-C.
    stay: bool,
}

impl Asked {
    /// `[--stay] [--binary PATH]`
    pub fn of(args: &[String]) -> Result<Self, String> {
        let mut asked = Self { binary: None, stay: false };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--stay" => asked.stay = true,
                "--binary" => {
                    let path = args.next().ok_or("--binary needs the path of a built `placet`")?;
                    let path = fs::canonicalize(path).map_err(|e| format!("cannot find `{path}`: {e}"))?;
                    asked.binary = Some(path);
                }
                other => return Err(format!("demo knows --stay and --binary PATH, not `{other}`")),
            }
        }
        Ok(asked)
    }
}

/// The program, with the models of this folder and a key of the demo's own.
pub struct Placet(PathBuf);

impl Placet {
    fn command(&self) -> Command {
        self.set_up(program(&self.0))
    }

    /// Run by another program that goes before it in the command line.
    fn behind(&self, mut other: Command) -> Command {
        other.arg(&self.0);
        self.set_up(other)
    }

    fn set_up(&self, mut command: Command) -> Command {
        command.env("PLACET_MODELS", root().join("target/models"));
        command.env("XDG_DATA_HOME", root().join("target/demo/data"));
        command
    }
}

/// Runs it.
pub fn run(asked: &Asked) -> Result<(), String> {
    let placet = match &asked.binary {
        Some(path) => {
            install_models(path)?;
            Placet(path.clone())
        }
        None => {
            setup()?;
            Placet(target_folder().join("debug/placet"))
        }
    };
    let dir = root().join("target/demo");
    files(&placet, &dir)?;
    live::run(&placet, &dir, asked.stay)
}

/// Pictures and videos that lie in files.
fn files(placet: &Placet, dir: &Path) -> Result<(), String> {
    let input = material::input(dir)?;
    let out = dir.join("output");
    if out.exists() {
        fs::remove_dir_all(&out).map_err(|e| format!("cannot clear `{}`: {e}", out.display()))?;
    }
    let clip = |name: &str| input.join(name);

    say(
        "1. A folder with two real videos and a portrait; every face found is hidden, the result checked and signed for",
    );
    succeed(placet.command().arg("redact").arg(&input).arg("-o").arg(&out))?;

    say("2. The talking face again, larger: what was hidden when (SVG), and before and after side by side");
    let large = dir.join("carphone-704x576.mp4");
    succeed(
        program("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y", "-i"])
            .arg(clip("carphone.mp4"))
            .args(["-vf", "scale=704:576:flags=lanczos", "-c:v", "libx264", "-crf", "18"])
            .arg(&large),
    )?;
    let result = out.join("carphone-704x576.mp4");
    let (explain, compare) = (out.join("carphone-tracks.svg"), out.join("carphone-side-by-side.mp4"));
    let mut command = placet.command();
    command.arg("redact").arg(&large).arg("-o").arg(&result).args(["--verify", "full", "--quiet", "--json"]);
    command.arg("--explain").arg(&explain).arg("--compare").arg(&compare);
    let report = output(&mut command)?;
    for key in ["frames_checked", "faces_found", "track_count", "mean_permille"] {
        if let Some(line) = report.lines().find(|l| l.contains(&format!("\"{key}\""))) {
            println!("   {}", line.trim().trim_end_matches(','));
        }
    }

    say("3. The manifest of the result: genuine, and of exactly these two files");
    let manifest = out.join("carphone-704x576.mp4.manifest");
    succeed(
        placet
            .command()
            .arg("manifest")
            .arg(&manifest)
            .arg("--input")
            .arg(&large)
            .arg("--output")
            .arg(&result),
    )?;

    say("4. One byte of the result changed: the manifest does not cover it any more (exit 8)");
    let forged = dir.join("forged.mp4");
    let mut bytes = fs::read(&result).map_err(|e| format!("cannot read `{}`: {e}", result.display()))?;
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    fs::write(&forged, bytes).map_err(|e| format!("cannot write `{}`: {e}", forged.display()))?;
    let status = placet.command().arg("manifest").arg(&manifest).arg("--output").arg(&forged).status();
    match status.map(|s| s.code()) {
        Ok(Some(8)) => {}
        other => return Err(format!("a forged file was not told: {other:?}")),
    }

    say("Look at");
    for path in [&compare, &explain, &out.join("street.mp4"), &out.join("astronaut.png")] {
        println!("   {}", path.strip_prefix(root()).unwrap_or(path).display());
    }
    println!("   Your own video: target/debug/placet redact VIDEO   (placet redact --help for the rest)");
    Ok(())
}

fn say(line: &str) {
    println!("\n{line}");
}
