use std::path::{Path, PathBuf};

use placet_core::{Frame, Layout, Pts, Rotation, Size, TimeBase};
use placet_ingest::video::{
    Codec, Color, ColorRange, Container, DecodeOptions, Decoder, EncodeError, EncodeSpec, Encoder, Expected,
    Fields, MediaInfo, WrittenError, check_written, expected_pts, packets, probe,
};
use placet_redaction::{Fill, RedactedFrame, Scratch, redact};

use crate::decoding::read;
use crate::making::{Studio, tools};

/// The frame as it is: redacted in no place.
fn untouched(frame: Frame) -> RedactedFrame {
    redact(frame, &[], &Fill::default(), Default::default(), &mut Scratch::new())
}

/// Decodes and encodes; what the output says of itself and its frames' times.
fn transcode(
    input: &Path,
    output: &Path,
    change: impl FnOnce(&mut EncodeSpec),
) -> Result<Vec<Pts>, EncodeError> {
    let (info, packets) = read(input);
    let container = Container::for_extension(output).unwrap();
    let codec = container.default_codec(&info).unwrap();
    std::fs::write(output, "").unwrap();
    let mut spec = EncodeSpec::like(&info, output, container, codec, info.audio.clone(), false);
    spec.preset = "ultrafast".to_owned();
    change(&mut spec);
    let mut decoder = Decoder::open(&tools(), &info, &packets, DecodeOptions::default()).unwrap();
    let mut encoder = Encoder::create(&tools(), spec)?;
    let mut times = Vec::new();
    let mut frame = Frame::new(info.video.size, Layout::Yuv420);
    while let Some(pts) = decoder.read_into(&mut frame).unwrap() {
        let redacted = untouched(frame);
        encoder.write(&redacted)?;
        times.push(pts);
        frame = redacted.recycle();
    }
    encoder.finish()?;
    Ok(times)
}

fn check(input: &Path, output: &Path, times: &[Pts]) -> Result<(), WrittenError> {
    let (info, _) = read(input);
    check_written(&tools(), output, &Expected::like(&info, times, info.audio.len())).map(drop)
}

fn times_of(path: &Path) -> (MediaInfo, Vec<Pts>) {
    let info = probe(&tools(), path).unwrap();
    let times = expected_pts(&packets(&tools(), &info).unwrap());
    (info, times)
}

#[rustfmt::skip]
const CLIPS: &[(&str, &str, &str, &str)] = &[
    ("b-frames.mp4", "out.mp4", "320x240", "-c:v libx264 -preset veryfast -bf 3"),
    ("h265.mp4", "out.mp4", "320x240", "-c:v libx265 -preset ultrafast -x265-params log-level=none"),
    ("h265.mkv", "out.mkv", "320x240", "-c:v libx265 -preset ultrafast -x265-params log-level=none"),
    ("vp9.webm", "out.webm", "320x240", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
    ("av1.webm", "out.webm", "320x240", "-c:v libsvtav1 -preset 12"),
    ("h264.ts", "out.ts", "320x240", "-c:v libx264 -preset veryfast"),
    ("odd.webm", "out.webm", "320x240", "-vf scale=321:241 -c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
    ("odd.mp4", "out.mp4", "320x240", "-vf scale=321:241 -c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
    ("ten.mkv", "out.mkv", "320x240", "-pix_fmt yuv420p10le -c:v libx264 -preset veryfast"),
    ("variable.mp4", "out.mp4", "320x240", "-vf select='mod(n\\,3)',setpts='PTS+mod(N\\,2)*0.004/TB' -fps_mode passthrough -c:v libx264 -bf 2 -video_track_timescale 90000"),
    ("late.mp4", "out.mp4", "320x240", "-vf setpts=PTS+3.2/TB -c:v libx264 -bf 2"),
    ("top.mp4", "out.mp4", "320x240", "-vf setfield=tff -x264opts tff=1 -c:v libx264"),
    ("bottom.mp4", "out.mp4", "320x240", "-vf setfield=bff -x264opts bff=1 -c:v libx264"),
    ("anamorphic.mp4", "out.mp4", "320x240", "-vf setsar=16/11 -c:v libx264"),
    ("anamorphic.mkv", "out.mkv", "320x240", "-vf setsar=16/11 -c:v libx264"),
    ("full.mp4", "out.mp4", "320x240", "-vf scale=out_range=full -pix_fmt yuvj420p -c:v libx264"),
    ("ntsc.mov", "out.mov", "320x240", "-r 30000/1001 -c:v libx264 -colorspace bt709 -color_primaries bt709 -color_trc bt709"),
    ("tiny.mp4", "out.mp4", "16x16", "-c:v libx264"),
];

#[test]
fn every_frame_keeps_its_time_and_the_picture_its_nature() {
    let studio = Studio::new();
    for (name, out, size, words) in CLIPS {
        let input = studio.clip(name, size, words);
        let output = studio.path(out);
        let times = transcode(&input, &output, |_| {}).unwrap();
        check(&input, &output, &times).unwrap_or_else(|e| panic!("{name}: {e}"));
        let (before, due) = times_of(&input);
        let (after, written) = times_of(&output);
        assert_eq!(times, due, "{name}");
        // The same ticks of the same clock, counted from where the file starts.
        assert_eq!(after.video.time_base, before.video.time_base, "{name}");
        let shift = written[0].0 - times[0].0;
        assert_eq!(written, times.iter().map(|t| Pts(t.0 + shift)).collect::<Vec<_>>(), "{name}");
        // H.264 does not write down that it is limited, which is what players take it for.
        let full = |info: &MediaInfo| info.video.color.range == ColorRange::Full;
        assert_eq!(full(&after), full(&before), "{name}");
        assert_eq!(after.video.color.space, before.video.color.space, "{name}");
    }
}

#[test]
fn a_turned_clip_stays_turned() {
    let studio = Studio::new();
    studio.clip("flat.mp4", "320x180", "-c:v libx264 -preset ultrafast");
    for degrees in ["90", "180", "270"] {
        let turned =
            studio.make("turned.mp4", &format!("-i {{}}/flat.mp4 -c copy -metadata:s:v:0 rotate={degrees}"));
        let before = probe(&tools(), &turned).unwrap().video.rotation;
        assert_ne!(before, Rotation::None);
        for out in ["out.mp4", "out.mov"] {
            let output = studio.path(out);
            let times = transcode(&turned, &output, |_| {}).unwrap();
            check(&turned, &output, &times).unwrap();
            assert_eq!(probe(&tools(), &output).unwrap().video.rotation, before);
        }
        let refused = transcode(&turned, &studio.path("out.mkv"), |_| {}).unwrap_err();
        assert!(matches!(refused, EncodeError::Rotation { container: Container::Mkv }), "{refused}");
    }
}

/// Seconds at which the picture turns white, and at which the sound begins, by ffmpeg's own detectors.
fn flash_and_beep(path: &Path) -> (f64, f64) {
    let run = |words: &[&str]| {
        let out = std::process::Command::new("ffmpeg")
            .args(["-v", "info", "-nostdin", "-hide_banner", "-copyts", "-i"])
            .arg(path)
            .args(words)
            .args(["-f", "null", "-"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    let number = |text: &str, after: &str| -> f64 {
        let at = text.find(after).unwrap_or_else(|| panic!("{}: {after} in {text}", path.display()));
        let rest = text[at + after.len()..].trim_start();
        rest.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).next().unwrap().parse().unwrap()
    };
    let picture = run(&["-vf", "negate,blackdetect=d=0.01:pix_th=0.2", "-an"]);
    let sound = run(&["-af", "silencedetect=n=-30dB:d=0.1", "-vn"]);
    (number(&picture, "black_start:"), number(&sound, "silence_end:"))
}

#[test]
fn picture_and_sound_stay_together() {
    let studio = Studio::new();
    // Black until 1 s, then white; silent until 1 s, then a tone.
    let picture = "-f lavfi -i color=black:s=320x240:r=25:d=2,drawbox=color=white:t=fill:enable='gte(t\\,1)'";
    let sound = "-f lavfi -i sine=f=800:d=2,volume=0:enable='lt(t\\,1)'";
    for (name, out, words) in [
        ("plain.mp4", "out.mp4", "-c:v libx264 -bf 2 -c:a aac"),
        ("plain.mkv", "out.mkv", "-c:v libx264 -bf 2 -c:a libvorbis"),
        ("plain.mp4", "out.mkv", "-c:v libx264 -bf 2 -c:a aac"),
        ("plain.webm", "out.webm", "-c:v libvpx-vp9 -deadline realtime -c:a libopus"),
        ("clock.ts", "out.ts", "-output_ts_offset 4000 -c:v libx264 -bf 2 -c:a aac"),
        ("clock.ts", "out.mp4", "-output_ts_offset 4000 -c:v libx264 -bf 2 -c:a aac"),
        ("late.mp4", "out.mp4", "-vf setpts=PTS+0.7/TB -af adelay=700 -c:v libx264 -c:a aac"),
        ("latesound.mp4", "out.mp4", "-af asetpts=PTS+0.3/TB -c:v libx264 -c:a aac"),
        ("latepicture.mov", "out.mov", "-vf setpts=PTS+0.3/TB -c:v libx264 -c:a pcm_s16le"),
    ] {
        let input = studio.make(name, &format!("{picture} {sound} -pix_fmt yuv420p {words}"));
        let output = studio.path(out);
        let times = transcode(&input, &output, |_| {}).unwrap();
        check(&input, &output, &times).unwrap_or_else(|e| panic!("{name} to {out}: {e}"));
        let (before, after) = (flash_and_beep(&input), flash_and_beep(&output));
        let drift = (after.0 - after.1) - (before.0 - before.1);
        // ffmpeg 5 loses Opus's delay of 6.5 ms whenever it writes a WebM.
        let tolerance = if out.ends_with(".webm") { 0.0075 } else { 0.002 };
        assert!(drift.abs() < tolerance, "{name} to {out}: {before:?} became {after:?}");
        let (info, _) = read(&output);
        assert_eq!(info.audio.len(), 1);
        if !out.ends_with(".ts") {
            assert!(info.start_seconds.unwrap().abs() < 0.05, "{name} to {out}: {:?}", info.start_seconds);
        }
    }
}

#[test]
fn sound_streams_keep_language_and_purpose_and_nothing_else_is_kept() {
    let studio = Studio::new();
    studio.write("chapters.txt", b";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=At home\n");
    studio.make("cover.png", "-f lavfi -i testsrc2=s=64x64 -frames:v 1");
    let input = studio.make(
        "rich.mp4",
        "-f lavfi -i testsrc2=s=320x240:d=1 -f lavfi -i sine=d=1 -f lavfi -i sine=f=300:d=1 -i {}/cover.png \
         -i {}/chapters.txt -map 0 -map 1 -map 2 -map 3 -map_metadata 4 -map_chapters 4 -pix_fmt yuv420p -c:v:0 libx264 \
         -c:v:1 png -disposition:v:1 attached_pic -c:a aac -metadata location=+48.1+11.5/ -metadata artist=Somebody \
         -metadata:s:a:0 language=deu -metadata:s:a:1 language=eng -disposition:a:1 comment \
         -metadata:s:a:1 handler_name=Somebody -flags:a +bitexact",
    );
    let before = probe(&tools(), &input).unwrap();
    assert_eq!((before.attached_pictures, before.chapters), (1, 1));

    let output = studio.path("bare.mp4");
    let times = transcode(&input, &output, |_| {}).unwrap();
    check(&input, &output, &times).unwrap();
    let bare = probe(&tools(), &output).unwrap();
    let audio = |info: &MediaInfo| -> Vec<_> {
        info.audio
            .iter()
            .map(|a| (a.language.clone(), a.dispositions.clone(), a.codec_name.clone()))
            .collect()
    };
    assert_eq!(audio(&bare), audio(&before));
    assert_eq!((bare.attached_pictures, bare.chapters, bare.data), (0, 0, 0));
    assert!(bare.identifying_tags.is_empty(), "{:?}", bare.identifying_tags);
    let bytes = std::fs::read(&output).unwrap();
    for word in ["Somebody", "+48.1", "At home", "Lavf"] {
        assert!(!bytes.windows(word.len()).any(|w| w == word.as_bytes()), "{word} is in the file");
    }
    // The encoder's name may stand there, its version may not.
    assert!(!bytes.windows(5).any(|w| w.starts_with(b"Lavc") && w[4].is_ascii_digit()));

    let kept = studio.path("kept.mp4");
    transcode(&input, &kept, |spec| spec.metadata_from = Some(before.path.clone())).unwrap();
    let kept = probe(&tools(), &kept).unwrap();
    assert_eq!((kept.attached_pictures, kept.chapters), (0, 1));
    assert!(kept.identifying_tags.contains(&"location".to_owned()), "{:?}", kept.identifying_tags);
}

fn plain_spec(output: PathBuf, container: Container, codec: Codec) -> EncodeSpec {
    EncodeSpec {
        output,
        container,
        codec,
        preset: "ultrafast".to_owned(),
        crf: 10,
        threads: 1,
        hasty: false,
        size: Size { width: 320, height: 240 },
        sample_aspect: None,
        rotation: Rotation::None,
        color: Color { range: ColorRange::Limited, ..Color::default() },
        fields: Fields::Progressive,
        frame_rate: None,
        time_base: TimeBase::new(1, 25).unwrap(),
        first: Pts(0),
        start_seconds: 0.0,
        sound: None,
        left_out_tags: Vec::new(),
        left_out_chapters: false,
        metadata_from: None,
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let studio = Studio::new();
    let output = studio.write("out", b"");
    let odd = Size { width: 321, height: 240 };
    for (container, codec, size, fields) in [
        (Container::Mp4, Codec::H264, odd, Fields::Progressive),
        (Container::WebM, Codec::H264, Size { width: 320, height: 240 }, Fields::Progressive),
        (Container::Mp4, Codec::H265, Size { width: 320, height: 240 }, Fields::TopFirst),
    ] {
        let spec = EncodeSpec { size, fields, ..plain_spec(output.clone(), container, codec) };
        let error = Encoder::create(&tools(), spec).err().unwrap();
        assert!(matches!(error, EncodeError::Refused(_)) && error.to_string().contains("--codec"), "{error}");
    }
    let sound =
        studio.make("sound.mkv", "-f lavfi -i testsrc2=s=320x240:d=1 -f lavfi -i sine=d=1 -c:a libvorbis");
    let info = probe(&tools(), &sound).unwrap();
    let spec = EncodeSpec {
        sound: Some((sound, info.audio)),
        ..plain_spec(output.clone(), Container::Mp4, Codec::H264)
    };
    let error = Encoder::create(&tools(), spec).err().unwrap();
    assert!(
        matches!(&error, EncodeError::Audio { .. }) && error.to_string().contains("--audio drop"),
        "{error}"
    );
    // A frame of another size is our own mistake, and is noticed before it is written.
    let mut encoder = Encoder::create(&tools(), plain_spec(output, Container::Mp4, Codec::H264)).unwrap();
    let small = untouched(Frame::new(Size { width: 16, height: 16 }, Layout::Yuv420));
    assert!(matches!(encoder.write(&small), Err(EncodeError::Size { .. })));
}

fn noise(frame: &mut Frame, seed: i64) {
    let mut state = seed as u64 * 2 + 1;
    for byte in frame.bytes_mut() {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        *byte = (state >> 56) as u8;
    }
}

#[test]
fn a_full_disk_is_told_apart() {
    // Every write to /dev/full fails as on a full disk.
    for container in [Container::Mkv, Container::MpegTs] {
        let mut encoder =
            Encoder::create(&tools(), plain_spec("/dev/full".into(), container, Codec::H264)).unwrap();
        let end = (0..200).try_for_each(|n| {
            let mut frame = Frame::new(Size { width: 320, height: 240 }, Layout::Yuv420);
            noise(&mut frame, n);
            frame.pts = Pts(n);
            encoder.write(&untouched(frame))
        });
        let error = match end {
            Ok(()) => encoder.finish().unwrap_err(),
            Err(e) => e,
        };
        assert!(matches!(error, EncodeError::Full { .. }), "{error:?}");
    }
}

/// Processes whose command line names this file.
fn processes_naming(path: &Path) -> usize {
    let name = path.to_str().unwrap();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok())
        .filter(|line| line.windows(name.len()).any(|w| w == name.as_bytes()))
        .count()
}

#[test]
fn dropping_stops_the_children() {
    let studio = Studio::new();
    let output = studio.write("dropped.mp4", b"");
    let mut encoder =
        Encoder::create(&tools(), plain_spec(output.clone(), Container::Mp4, Codec::H264)).unwrap();
    // More than fits in the pipe, so that it is running for sure.
    for n in 0..20 {
        let mut frame = Frame::new(Size { width: 320, height: 240 }, Layout::Yuv420);
        frame.pts = Pts(n);
        encoder.write(&untouched(frame)).unwrap();
    }
    assert_eq!(processes_naming(&output), 1);
    drop(encoder);
    assert_eq!(processes_naming(&output), 0);

    let input = studio.clip("long.mp4", "640x480", "-c:v libx264 -preset ultrafast");
    let (info, packets) = read(&input);
    let decoder = Decoder::open(&tools(), &info, &packets, DecodeOptions::default()).unwrap();
    assert_eq!(processes_naming(&info.path), 1);
    drop(decoder);
    assert_eq!(processes_naming(&info.path), 0);
}

#[test]
fn a_file_that_is_not_what_was_meant_is_named() {
    let studio = Studio::new();
    let input = studio.clip("clip.mp4", "320x240", "-c:v libx264 -preset ultrafast");
    let (info, times) = times_of(&input);
    let good = Expected::like(&info, &times, 0);
    check_written(&tools(), &input, &good).unwrap();
    let fewer = &times[..times.len() - 1];
    let moved: Vec<Pts> = times.iter().map(|t| Pts(t.0 + 2000 * i64::from(*t == times[9]))).collect();
    for (wrong, word) in [
        (Expected { times: fewer, ..good.clone() }, "number of frames"),
        (Expected { times: &moved, ..good.clone() }, "time of a frame"),
        (Expected { size: Size { width: 320, height: 238 }, ..good.clone() }, "size"),
        (Expected { rotation: Rotation::Half, ..good.clone() }, "rotation"),
        (Expected { range: ColorRange::Full, ..good.clone() }, "color range"),
        (Expected { fields: Fields::TopFirst, ..good.clone() }, "fields"),
        (Expected { audio: 1, ..good.clone() }, "sound"),
    ] {
        let error = check_written(&tools(), &input, &wrong).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}
