//! Clips made by ffmpeg, and what ffmpeg makes of ours.

use std::path::Path;
use std::process::{Command, Stdio};

use placet_core::Codec;

/// `frames` pictures at 25 a second, each `side` pixels wide and high, with a key picture every `gop` and delimiters
/// between access units. `more` goes to the encoder.
pub fn coded(codec: Codec, side: u32, frames: u32, gop: u32, more: &str) -> Vec<u8> {
    let (encoder, params, format) = match codec {
        Codec::H264 => ("libx264", "-x264-params", "h264"),
        Codec::H265 => ("libx265", "-x265-params", "hevc"),
        Codec::Jpeg => unreachable!(),
    };
    let options = format!("aud=1:repeat-headers=1:keyint={gop}:min-keyint={gop}:log-level=-1{more}");
    run(&[
        &["-f", "lavfi", "-i", &format!("testsrc2=s={side}x{side}:r=25"), "-frames:v", &frames.to_string()],
        &["-c:v", encoder, "-preset", "ultrafast", params, &options, "-f", format, "-"][..],
    ])
}

/// The NAL units of one picture, without start codes.
pub type Picture = Vec<Vec<u8>>;

/// The same as pictures. Delimiters are left out.
pub fn pictures(codec: Codec, stream: &[u8]) -> Vec<Picture> {
    let delimiter = match codec {
        Codec::H264 => vec![0x09],
        _ => vec![0x46, 0x01],
    };
    let mut pictures: Vec<Picture> = Vec::new();
    for nal in split(stream) {
        if nal.starts_with(&delimiter) {
            pictures.push(Vec::new());
        } else {
            pictures.last_mut().unwrap().push(nal);
        }
    }
    pictures
}

fn split(stream: &[u8]) -> Vec<Vec<u8>> {
    let starts: Vec<usize> =
        stream.windows(3).enumerate().filter(|(_, w)| *w == [0, 0, 1]).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let nal = &stream[start + 3..end];
            nal[..nal.iter().rposition(|byte| *byte != 0).unwrap() + 1].to_vec()
        })
        .collect()
}

/// `frames` JPEG files of `side` pixels.
pub fn jpegs(side: u32, frames: u32) -> Vec<Vec<u8>> {
    let source = format!("testsrc2=s={side}x{side}:r=25");
    let frames = frames.to_string();
    let all =
        run(&[
            &["-f", "lavfi", "-i", &source, "-frames:v", &frames, "-c:v", "mjpeg", "-f", "mjpeg", "-"][..],
        ]);
    let starts: Vec<usize> =
        all.windows(3).enumerate().filter(|(_, w)| *w == [0xff, 0xd8, 0xff]).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([all.len()]);
    starts.iter().zip(ends).map(|(start, end)| all[*start..end].to_vec()).collect()
}

/// Decodes a stream with every error fatal; how many pictures it has.
pub fn decoded(codec: Codec, stream: &[u8]) -> usize {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), stream).unwrap();
    let format = match codec {
        Codec::H264 => "h264",
        Codec::H265 => "hevc",
        Codec::Jpeg => "mjpeg",
    };
    let lines = run(&[
        &["-xerror", "-err_detect", "explode", "-f", format, "-i", &path(file.path())],
        &["-fps_mode", "passthrough", "-f", "framemd5", "-"][..],
    ]);
    String::from_utf8(lines).unwrap().lines().filter(|line| !line.starts_with('#')).count()
}

fn path(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// ffmpeg's output; it must have no complaint.
fn run(args: &[&[&str]]) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin"]).args(args.concat()).stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "ffmpeg {args:?}: {said}");
    output.stdout
}
