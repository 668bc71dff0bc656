//! Two files side by side. Made by ffmpeg from the files themselves: no clear frame passes through an encoder of ours.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::encode::full_or;
use super::probe::{INPUT_OPTIONS, url};
use super::{EncodeError, FileStamp};
use crate::Tools;
use crate::child::{Child, Job, Program, memory_for};
use crate::picture::PictureFormat;

/// How long ffmpeg may write nothing.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often the caller is asked whether to stop.
const PULSE: Duration = Duration::from_millis(100);

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// ffmpeg failed.
    #[error(transparent)]
    Write(#[from] EncodeError),
    /// The caller stopped it.
    #[error("stopped")]
    Stopped,
}

/// Writes `left` and `right` beside each other to the existing file `to`, whose final name is `name`: a picture where
/// `left` is one (JPEG or PNG), else H.264 without sound (Matroska or MP4).
///
/// # Errors
/// [`CompareError`]; `to` is then not whole.
pub fn side_by_side(
    tools: &Tools,
    left: &Path,
    right: &Path,
    to: &Path,
    name: &Path,
    stop: &dyn Fn() -> bool,
) -> Result<(), CompareError> {
    let mut args: Vec<OsString> = ["-v", "error", "-hide_banner", "-nostdin", "-y"].map(Into::into).into();
    let mut read = Vec::new();
    let mut still = false;
    for file in [left, right] {
        let unreadable = |source| CompareError::Read { path: file.to_owned(), source };
        let path = file.canonicalize().map_err(unreadable)?;
        match crate::picture::format_of_file(&path).map_err(unreadable)? {
            Some(format) => {
                still = true;
                args.extend(["-protocol_whitelist", "file", "-f", demuxer(format)].map(Into::into));
            }
            None => args.extend(INPUT_OPTIONS.map(Into::into)),
        }
        args.push("-i".into());
        args.push(url(&path));
        read.push(path);
    }
    let graph = "[0:v:0]setpts=PTS-STARTPTS[a];[1:v:0]setpts=PTS-STARTPTS[b];[a][b]hstack,pad=ceil(iw/2)*2:ceil(ih/2)*2";
    args.extend(["-filter_complex", graph, "-an", "-map_metadata", "-1"].map(Into::into));
    let ending = name.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
    let video = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-f"];
    match (still, ending.as_str()) {
        (true, "jpg" | "jpeg") => {
            args.extend(["-frames:v", "1", "-c:v", "mjpeg", "-q:v", "3", "-f", "image2pipe"].map(Into::into));
        }
        (true, _) => args.extend(["-frames:v", "1", "-c:v", "png", "-f", "image2pipe"].map(Into::into)),
        (false, "mkv") => args.extend(video.into_iter().chain(["matroska"]).map(Into::into)),
        (false, _) => args.extend(video.into_iter().chain(["mp4"]).map(Into::into)),
    }
    args.push(url(&to
        .canonicalize()
        .map_err(|source| CompareError::Read { path: to.to_owned(), source })?));

    let job = Job {
        program: Program::Ffmpeg,
        args,
        read,
        write: vec![to.to_owned()],
        memory_bytes: memory_for(4 << 30),
        stdin: false,
        ..Job::default()
    };
    let failed = |source| full_or(name.to_owned(), source);
    let mut child = Child::spawn(tools, job).map_err(failed)?;
    let mut output = child.take_output(PULSE).map_err(failed)?;
    let (mut seen, mut quiet) = (FileStamp::of(to).ok(), Duration::ZERO);
    let mut nothing = [0; 256];
    loop {
        match output.read(&mut nothing) {
            Ok(0) => break,
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                if stop() {
                    return Err(CompareError::Stopped);
                }
                let now = FileStamp::of(to).ok();
                quiet = if now == seen { quiet + PULSE } else { Duration::ZERO };
                if quiet > PATIENCE {
                    return Err(failed(child.broken(e, PATIENCE)).into());
                }
                seen = now;
            }
            Err(e) => return Err(failed(child.broken(e, PATIENCE)).into()),
        }
    }
    if stop() {
        return Err(CompareError::Stopped);
    }
    Ok(child.finish_writing().map_err(failed)?)
}

/// ffmpeg's reader of one picture of that format, whatever the file is called.
fn demuxer(format: PictureFormat) -> &'static str {
    match format {
        PictureFormat::Jpeg => "jpeg_pipe",
        PictureFormat::Png => "png_pipe",
        PictureFormat::WebP => "webp_pipe",
        PictureFormat::Bmp => "bmp_pipe",
        PictureFormat::Tiff => "tiff_pipe",
        PictureFormat::Gif => "gif",
    }
}
