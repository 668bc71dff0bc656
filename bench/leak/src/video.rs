//! ffmpeg and ffprobe as child processes; raw frames over pipes.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::Error;

/// Bytes of one yuv420p frame with even sides.
pub fn frame_bytes(width: u32, height: u32) -> usize {
    (width as usize * height as usize) * 3 / 2
}

/// Writes yuv420p frames into an H.264 file.
pub struct Encoder {
    child: Child,
    stdin: Option<ChildStdin>,
    path: PathBuf,
}

impl Encoder {
    /// Starts ffmpeg with x264, two threads (so that the file repeats) and the given rate factor.
    ///
    /// # Errors
    /// When ffmpeg cannot be started.
    pub fn start(path: &Path, size: (u32, u32), rate: (u32, u32), crf: u32) -> Result<Self, Error> {
        let mut child = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p"])
            .args([
                "-s",
                &format!("{}x{}", size.0, size.1),
                "-r",
                &format!("{}/{}", rate.0, rate.1),
                "-i",
                "pipe:0",
            ])
            .args(["-c:v", "libx264", "-preset", "veryfast", "-crf", &crf.to_string(), "-threads", "2"])
            .args(["-pix_fmt", "yuv420p", "-movflags", "+faststart"])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| Error::Spawn { program: "ffmpeg", source })?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin, path: path.into() })
    }

    /// Adds one frame: luma, Cb, Cr.
    ///
    /// # Errors
    /// When ffmpeg has stopped.
    pub fn frame(&mut self, yuv: &[u8]) -> Result<(), Error> {
        let Some(stdin) = self.stdin.as_mut() else { return Ok(()) };
        stdin.write_all(yuv).map_err(Error::file(&self.path))
    }

    /// Waits until the file is complete.
    ///
    /// # Errors
    /// When ffmpeg failed.
    pub fn finish(mut self) -> Result<(), Error> {
        self.stdin = None;
        let out = self.child.wait_with_output().map_err(Error::file(&self.path))?;
        check("ffmpeg", &self.path, out.status.success(), &out.stderr)
    }
}

fn check(program: &'static str, path: &Path, success: bool, stderr: &[u8]) -> Result<(), Error> {
    if success {
        return Ok(());
    }
    let words = String::from_utf8_lossy(stderr);
    let message = words.lines().rfind(|l| !l.trim().is_empty()).unwrap_or("no message").to_owned();
    Err(Error::Child { program, path: path.into(), message })
}

fn run(program: &'static str, path: &Path, args: &[&str]) -> Result<Vec<u8>, Error> {
    let out = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::Spawn { program, source })?;
    check(program, path, out.status.success(), &out.stderr)?;
    Ok(out.stdout)
}

/// What ffprobe says of a file's first video stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Presentation times in seconds, ascending.
    pub times: Vec<f64>,
}

/// Reads size and every frame's presentation time.
///
/// # Errors
/// When ffprobe fails or says something else than expected.
pub fn probe(path: &Path) -> Result<Probe, Error> {
    let file = path.to_string_lossy();
    let head = ["-v", "error", "-select_streams", "v:0", "-of", "csv=p=0", "-show_entries"];
    let ask = |what: &str| run("ffprobe", path, &[&head[..], &[what, file.as_ref()]].concat());
    let odd = |message: String| Error::Child { program: "ffprobe", path: path.into(), message };
    let size = ask("stream=width,height")?;
    let size = String::from_utf8_lossy(&size);
    let mut sides = size.trim().split(',').map(|n| n.trim().parse::<u32>());
    let (Some(Ok(width)), Some(Ok(height))) = (sides.next(), sides.next()) else {
        return Err(odd(format!("no video size in `{}`", size.trim())));
    };
    let packets = ask("packet=pts_time")?;
    let packets = String::from_utf8_lossy(&packets);
    let lines = packets.lines().map(|l| l.trim().trim_end_matches(',')).filter(|l| !l.is_empty());
    let mut times: Vec<f64> =
        lines.map(|l| l.parse().map_err(|_| odd(format!("packet time `{l}`")))).collect::<Result<_, _>>()?;
    times.sort_by(f64::total_cmp);
    Ok(Probe { width, height, times })
}

/// Decodes the first video stream and hands over each yuv420p frame; returns how many there were.
///
/// # Errors
/// When ffmpeg fails, or `each` does.
pub fn decode(
    path: &Path,
    size: (u32, u32),
    mut each: impl FnMut(u32, &[u8]) -> Result<(), Error>,
) -> Result<u32, Error> {
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args([
            "-map",
            "0:v:0",
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "yuv420p",
            "pipe:1",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| Error::Spawn { program: "ffmpeg", source })?;
    let mut stdout = child.stdout.take();
    let mut buf = vec![0; frame_bytes(size.0, size.1)];
    let mut count = 0;
    while let Some(pipe) = stdout.as_mut() {
        if !fill(pipe, &mut buf).map_err(Error::file(path))? {
            break;
        }
        each(count, &buf)?;
        count += 1;
    }
    let out = child.wait_with_output().map_err(Error::file(path))?;
    check("ffmpeg", path, out.status.success(), &out.stderr)?;
    Ok(count)
}

/// False at a clean end; a frame cut short is an error.
fn fill(from: &mut impl Read, buf: &mut [u8]) -> std::io::Result<bool> {
    let mut have = 0;
    while let Some(rest) = buf.get_mut(have..).filter(|r| !r.is_empty()) {
        match from.read(rest)? {
            0 if have == 0 => return Ok(false),
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => have += n,
        }
    }
    Ok(true)
}

/// One frame at `seconds` as packed RGB with its size.
///
/// # Errors
/// When ffmpeg fails.
pub fn still(path: &Path, seconds: f64) -> Result<(u32, u32, Vec<u8>), Error> {
    let Probe { width, height, .. } = probe(path)?;
    let file = path.to_string_lossy();
    let at = seconds.to_string();
    let args = [
        "-v",
        "error",
        "-ss",
        &at,
        "-i",
        &file,
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "pipe:1",
    ];
    Ok((width, height, run("ffmpeg", path, &args)?))
}

/// Re-encodes real footage `scale` times as large, blacks lifted as in the made clips.
///
/// # Errors
/// When ffmpeg fails.
pub fn enlarge(from: &Path, to: &Path, size: (u32, u32), frames: u32) -> Result<(), Error> {
    let lift = "lutyuv=y='clip(42+(val-16)*0.8813,40,235)'";
    let filter = format!("scale={}:{}:flags=lanczos,{lift}", size.0, size.1);
    let (src, dst, n) = (from.to_string_lossy(), to.to_string_lossy(), frames.to_string());
    let head = ["-v", "error", "-nostdin", "-y", "-i", &src, "-an", "-frames:v", &n, "-vf", &filter];
    let tail =
        ["-c:v", "libx264", "-preset", "medium", "-crf", "18", "-threads", "2", "-pix_fmt", "yuv420p", &dst];
    run("ffmpeg", from, &[&head[..], &tail[..]].concat()).map(drop)
}
