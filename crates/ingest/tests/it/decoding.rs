use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use placet_core::{Digest, Frame, Layout, Pts, Size};
use placet_ingest::video::{
    DecodeError, DecodeOptions, Decoder, MediaInfo, Packet, expected_pts, packets, probe,
};

use crate::making::{Studio, ffprobe, tools};

/// Everything a decoder gives: digests of frames by time, and what was lost.
pub struct Decoded {
    pub frames: BTreeMap<Pts, Digest>,
    pub lost: Vec<Pts>,
}

pub fn read(path: &Path) -> (MediaInfo, Vec<Packet>) {
    let info = probe(&tools(), path).unwrap();
    let packets = packets(&tools(), &info).unwrap();
    (info, packets)
}

pub fn decode(path: &Path, options: DecodeOptions) -> Result<Decoded, DecodeError> {
    let (info, packets) = read(path);
    let mut decoder = Decoder::open(&tools(), &info, &packets, options)?;
    let mut frame = Frame::new(decoder.size(), Layout::Yuv420);
    let mut decoded = Decoded { frames: BTreeMap::new(), lost: Vec::new() };
    let mut last = None;
    loop {
        let next = decoder.read_into(&mut frame)?;
        for pts in decoder.lost() {
            assert!(
                last < Some(*pts) && next.is_none_or(|n| *pts < n),
                "lost {pts:?} between {last:?} and {next:?}"
            );
        }
        decoded.lost.extend(decoder.lost());
        let Some(pts) = next else { return Ok(decoded) };
        assert!(last < Some(pts), "{last:?} {pts:?}");
        assert_eq!((frame.pts, frame.size()), (pts, decoder.size()));
        decoded.frames.insert(pts, Digest::of(frame.bytes()));
        last = Some(pts);
    }
}

/// Frames as plain ffmpeg decodes them, in order.
fn judged_by_ffmpeg(path: &Path, size: Size, format: &str) -> Vec<Digest> {
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-noautorotate", "-i"])
        .arg(path)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-pix_fmt", format, "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    assert!(run.status.success());
    run.stdout.chunks(Layout::Yuv420.bytes(size)).map(Digest::of).collect()
}

const CLIPS: &[(&str, &str, &str)] = &[
    ("b-frames.mp4", "320x240", "-c:v libx264 -bf 3 -g 10"),
    ("open-gop.ts", "320x240", "-c:v libx264 -bf 3 -g 10 -x264-params open-gop=1"),
    ("h265.mkv", "320x240", "-c:v libx265 -preset veryfast -x265-params log-level=none:keyint=10"),
    ("vp9.webm", "320x240", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
    ("av1.mp4", "320x240", "-c:v libsvtav1 -preset 12"),
    ("mpeg2.ts", "320x240", "-c:v mpeg2video -bf 2"),
    ("mpeg4.avi", "320x240", "-c:v mpeg4"),
    ("odd.webm", "320x240", "-vf scale=321:241 -c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
    ("tiny.mkv", "16x16", "-c:v libx264"),
    (
        "variable.mp4",
        "320x240",
        "-vf select='mod(n\\,3)',setpts='PTS+mod(N\\,2)*0.004/TB' -fps_mode passthrough -c:v libx264 -bf 2 -video_track_timescale 90000",
    ),
    ("late.mkv", "320x240", "-vf setpts=PTS+3.2/TB -c:v libx264 -bf 2"),
    ("late.mp4", "320x240", "-vf setpts=PTS+3.2/TB -c:v libx264 -bf 2"),
    ("interlaced.mp4", "320x240", "-vf setfield=tff -x264opts tff=1 -c:v libx264"),
    ("anamorphic.mp4", "320x240", "-vf setsar=16/11 -c:v libx264"),
    ("ntsc.mov", "320x240", "-r 30000/1001 -c:v libx264"),
];

#[test]
fn every_frame_comes_with_its_own_time_and_its_own_pixels() {
    let studio = Studio::new();
    for (name, size, words) in CLIPS {
        let path = studio.clip(name, size, words);
        let (info, packets) = read(&path);
        let decoded = decode(&path, DecodeOptions::default()).unwrap();
        let times: Vec<Pts> = decoded.frames.keys().copied().collect();
        assert_eq!(times, expected_pts(&packets), "{name}");
        assert!(decoded.lost.is_empty(), "{name}: {:?}", decoded.lost);
        let pixels: Vec<Digest> = decoded.frames.into_values().collect();
        assert!(pixels == judged_by_ffmpeg(&path, info.video.size, "yuv420p"), "{name}");
    }
}

#[test]
fn frames_before_zero_keep_their_times() {
    let studio = Studio::new();
    let path =
        studio.clip("early.mkv", "320x240", "-vf setpts=PTS-0.5/TB -c:v libx264 -avoid_negative_ts disabled");
    let (_, packets) = read(&path);
    let due = expected_pts(&packets);
    let decoded = decode(&path, DecodeOptions::default()).unwrap();
    assert_eq!(decoded.frames.into_keys().collect::<Vec<_>>(), due);
}

#[test]
fn full_range_and_fine_samples_become_eight_bits_of_the_same_range() {
    let studio = Studio::new();
    for (name, words, format) in [
        ("full.mp4", "-vf scale=out_range=full -pix_fmt yuvj420p -c:v libx264 -qp 0", "yuvj420p"),
        (
            "full10.mkv",
            "-vf scale=out_range=full -pix_fmt yuv420p10le -color_range pc -c:v libx265 -preset ultrafast -x265-params log-level=none:range=full",
            "yuvj420p",
        ),
        ("ten.mkv", "-pix_fmt yuv420p10le -c:v libx264", "yuv420p"),
        ("422.mkv", "-pix_fmt yuv422p -c:v libx264", "yuv420p"),
        ("444.mkv", "-pix_fmt yuv444p10le -c:v libx264", "yuv420p"),
    ] {
        let path = studio.make(name, &format!("-f lavfi -i testsrc2=s=64x48:d=0.4 {words}"));
        let (info, _) = read(&path);
        let pixels: Vec<Digest> =
            decode(&path, DecodeOptions::default()).unwrap().frames.into_values().collect();
        assert!(pixels == judged_by_ffmpeg(&path, info.video.size, format), "{name}");
    }
}

#[test]
fn a_range_and_a_smaller_picture_can_be_asked_for() {
    let studio = Studio::new();
    let path = studio.clip("clip.mp4", "320x240", "-c:v libx264 -bf 2 -g 8");
    let all = decode(&path, DecodeOptions::default()).unwrap().frames;
    let times: Vec<Pts> = all.keys().copied().collect();
    let range = Some((times[10], times[20]));
    let some = decode(&path, DecodeOptions { range_of_pts: range, ..DecodeOptions::default() }).unwrap();
    assert_eq!(some.frames, all.range(times[10]..=times[20]).map(|(pts, d)| (*pts, *d)).collect());
    assert!(some.lost.is_empty());

    let (info, packets) = read(&path);
    let options = DecodeOptions { max_width: Some(101), threads: 1, ..DecodeOptions::default() };
    let mut small = Decoder::open(&tools(), &info, &packets, options).unwrap();
    assert_eq!(small.size(), Size { width: 100, height: 74 });
    let mut frame = Frame::new(Size { width: 1, height: 1 }, Layout::Gray);
    assert_eq!(small.read_into(&mut frame).unwrap(), Some(times[0]));
    assert_eq!(frame.size(), small.size());
}

/// Frames overwritten with ones from the beginning of one of them, which no decoder takes for a frame: no frame that
/// differs from the undamaged one comes out, the damaged ones are named, and decoding goes on behind them.
#[test]
fn no_frame_that_was_made_up_comes_out() {
    let studio = Studio::new();
    let (mut whole, mut lost, mut trials) = (0, 0, 0);
    for (name, words) in [
        ("h264.mp4", "-c:v libx264 -bf 3 -g 10"),
        ("h264.mkv", "-c:v libx264 -bf 3 -g 10"),
        ("h264.ts", "-c:v libx264 -bf 3 -g 10"),
        ("h265.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=10"),
        // A WebM whose block headers are damaged loses whole frames, and VP9 does not number them.
        ("vp9.mp4", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 10"),
        ("av1.mp4", "-c:v libsvtav1 -preset 12 -g 10"),
        ("mpeg2.ts", "-c:v mpeg2video -bf 2 -g 10"),
    ] {
        let path =
            studio.make(name, &format!("-f lavfi -i testsrc2=s=320x240:r=25:d=3 -pix_fmt yuv420p {words}"));
        let undamaged = decode(&path, DecodeOptions::default()).unwrap().frames;
        let bytes = std::fs::read(&path).unwrap();
        let starts: Vec<usize> = ffprobe(&path, "packet=pos")
            .lines()
            .filter_map(|l| l.trim_end_matches(',').parse().ok())
            .collect();
        for (frame, len) in [(12, 3), (33, 300), (45, 6000)] {
            let mut bad = bytes.clone();
            bad[starts[frame]..][..len].fill(0xFF);
            let decoded =
                decode(&studio.write(&format!("bad-{name}"), &bad), DecodeOptions::default()).unwrap();
            for (pts, digest) in &decoded.frames {
                assert_eq!(undamaged.get(pts), Some(digest), "{name}, frame {frame}: made up at {pts:?}");
            }
            // What is missing is named, but for frames that the container no longer knows of.
            let (_, packets) = read(&studio.path(&format!("bad-{name}")));
            let missing: Vec<Pts> =
                expected_pts(&packets).into_iter().filter(|pts| !decoded.frames.contains_key(pts)).collect();
            assert_eq!(decoded.lost, missing, "{name}, frame {frame}");
            assert!(
                decoded.frames.len() + 25 > undamaged.len(),
                "{name}, frame {frame}: {} lost",
                missing.len()
            );
            assert!(
                decoded.frames.keys().last() == undamaged.keys().last(),
                "{name}, frame {frame}: did not go on"
            );
            (whole, lost, trials) = (whole + decoded.frames.len(), lost + decoded.lost.len(), trials + 1);
        }
    }
    println!("{trials} damaged videos: {whole} whole frames out, {lost} named as lost, 0 made up");
}

#[test]
fn a_file_that_changes_is_noticed() {
    let studio = Studio::new();
    let path = studio.clip("clip.mp4", "320x240", "-c:v libx264");
    let (info, packets) = read(&path);
    let mut decoder = Decoder::open(&tools(), &info, &packets, DecodeOptions::default()).unwrap();
    let mut frame = Frame::new(decoder.size(), Layout::Yuv420);
    assert!(decoder.read_into(&mut frame).unwrap().is_some());
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().set_len(info.stamp.len + 1).unwrap();
    let end = loop {
        match decoder.read_into(&mut frame) {
            Ok(Some(_)) => {}
            other => break other,
        }
    };
    assert!(matches!(end, Err(DecodeError::InputChanged { .. })), "{end:?}");
    let again = Decoder::open(&tools(), &info, &packets, DecodeOptions::default());
    assert!(matches!(again.err(), Some(DecodeError::InputChanged { .. })));
}

#[test]
fn a_decoder_that_says_nothing_in_time_is_stopped() {
    let studio = Studio::new();
    let path = studio.clip("clip.mp4", "320x240", "-c:v libx264 -preset ultrafast");
    let options = DecodeOptions { patience: std::time::Duration::ZERO, ..DecodeOptions::default() };
    let error = decode(&path, options).err().unwrap();
    assert!(
        matches!(&error, DecodeError::Child { source, .. } if source.to_string().contains("silent")),
        "{error:?}"
    );
}

#[test]
fn attack_a_video_that_changes_its_shape_is_refused_and_never_squeezed() {
    let studio = Studio::new();
    let coding = "-c:v libx264 -preset ultrafast -bf 0 -f h264";
    let part = |size: &str| std::fs::read(studio.clip(&format!("{size}.h264"), size, coding)).unwrap();
    let parts = ["320x176", "640x352", "176x320", "320x64"].map(part);
    for (second, alike) in [(1, true), (2, false), (3, false)] {
        studio.write("both.h264", &[parts[0].clone(), parts[second].clone()].concat());
        let path = studio.make("both.mkv", "-r 25 -f h264 -i {}/both.h264 -c copy");
        match decode(&path, DecodeOptions::default()) {
            Ok(all) => assert!(alike && all.frames.len() == 50, "{second}: {}", all.frames.len()),
            Err(error) => assert!(!alike && matches!(error, DecodeError::Shape { .. }), "{second}: {error}"),
        }
    }
    println!("3 videos that change their size, 2 that change their shape refused");
}
