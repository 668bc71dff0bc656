//! What a run leaves beside its result on request: the picture of `--explain`, the clip of `--compare`.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use placet_ingest::Tools;
use placet_job::{JobError, Pending};

use crate::Failure;

/// Writes the SVG, or a PNG of it where the name ends so.
pub fn explain(svg: &str, file: &Path) -> Result<(), Failure> {
    let png = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("png"));
    let bytes = if png { rasterise(svg)? } else { svg.as_bytes().to_vec() };
    let mut pending = Pending::claim(file, &[], true).map_err(JobError::from)?;
    pending.file().write_all(&bytes).map_err(|e| Failure::Io(file.display().to_string(), e))?;
    pending.commit().map_err(JobError::from)?;
    Ok(())
}

fn rasterise(svg: &str) -> Result<Vec<u8>, Failure> {
    let missing = |_| {
        Failure::Unavailable(
            "a PNG needs rsvg-convert (`apt-get install librsvg2-bin`); a name ending in .svg needs nothing"
                .to_owned(),
        )
    };
    let mut child = Command::new("rsvg-convert")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(missing)?;
    let mut stdin =
        child.stdin.take().ok_or_else(|| Failure::internal("a pipe that was asked for is missing"))?;
    let text = svg.to_owned();
    let feeder = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let out = child.wait_with_output().map_err(|e| Failure::Io("rsvg-convert".to_owned(), e))?;
    let fed = feeder.join().is_ok_and(|r| r.is_ok());
    if out.status.success() && fed {
        Ok(out.stdout)
    } else {
        Err(Failure::Failed("rsvg-convert failed".to_owned()))
    }
}

/// Input on the left, output on the right. Made by ffmpeg from the two files: no clear frame passes through a sink
/// of ours.
pub fn compare(
    tools: &Tools,
    input: &Path,
    output: &Path,
    file: &Path,
    overwrite: bool,
) -> Result<(), Failure> {
    let pending = Pending::claim(file, &[input, output], overwrite).map_err(JobError::from)?;
    let picture = placet_ingest::picture::is_picture(output).unwrap_or(false);
    let ext = file.extension().and_then(OsStr::to_str).unwrap_or("").to_lowercase();
    let kind: &[&str] = match (picture, ext.as_str()) {
        (true, "jpg" | "jpeg") => &["-frames:v", "1", "-c:v", "mjpeg", "-q:v", "3", "-f", "image2pipe"],
        (true, _) => &["-frames:v", "1", "-c:v", "png", "-f", "image2pipe"],
        (false, "mkv") => &["-c:v", "libx264", "-preset", "veryfast", "-f", "matroska"],
        (false, _) => &["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-f", "mp4"],
    };
    let status = Command::new(tools.ffmpeg())
        .args(["-v", "error", "-nostdin", "-y", "-i"])
        .arg(input)
        .arg("-i")
        .arg(output)
        .args(["-filter_complex", "[0:v:0]setpts=PTS-STARTPTS[a];[1:v:0]setpts=PTS-STARTPTS[b];[a][b]hstack,pad=ceil(iw/2)*2:ceil(ih/2)*2"])
        .args(["-an", "-map_metadata", "-1"])
        .args(kind)
        .arg(pending.path())
        .stdin(Stdio::null())
        .status()
        .map_err(|e| Failure::Io("ffmpeg".to_owned(), e))?;
    if !status.success() {
        return Err(Failure::Failed(format!(
            "ffmpeg could not make the side-by-side clip `{}`",
            file.display()
        )));
    }
    pending.commit().map_err(JobError::from)?;
    Ok(())
}
