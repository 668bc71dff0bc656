use std::path::Path;

use placet_core::{Pts, Rotation, Size, TimeBase};
use placet_ingest::video::{Codec, ColorRange, Fields, ProbeError, Ratio, expected_pts, packets, probe};
use placet_ingest::{ToolError, Tools};

use crate::making::{Studio, tools};

#[test]
fn a_phone_clip_is_understood() {
    let studio = Studio::new();
    studio.make(
        "flat.mp4",
        "-f lavfi -i testsrc2=s=320x240:r=30000/1001:d=1 -f lavfi -i sine=d=1 -f lavfi -i sine=f=300:d=1 \
         -map 0 -map 1 -map 2 -pix_fmt yuv420p -c:v libx264 -bf 2 -c:a aac -color_range tv -colorspace bt709 \
         -color_primaries bt709 -color_trc bt709 -metadata location=+48.1+11.5/ -metadata:s:a:0 language=deu \
         -metadata:s:a:1 language=eng -disposition:a:1 comment",
    );
    let path = studio.make("phone.mp4", "-i {}/flat.mp4 -map 0 -c copy -metadata:s:v:0 rotate=270");
    let tools = tools();
    let info = probe(&tools, &path).unwrap();
    assert_eq!(info.format, "mov,mp4,m4a,3gp,3g2,mj2");
    assert!((info.duration_seconds.unwrap() - 1.0).abs() < 0.1);
    let video = &info.video;
    assert_eq!((video.index, video.codec, video.bit_depth), (0, Some(Codec::H264), 8));
    assert_eq!(video.size, Size { width: 320, height: 240 });
    assert_eq!(video.rotation, Rotation::Cw90);
    assert_eq!(video.average_rate, Some(Ratio { num: 30000, den: 1001 }));
    assert!(video.constant_rate());
    assert_eq!(video.time_base, TimeBase::new(1, 30000).unwrap());
    assert_eq!(video.start, Some(Pts(0)));
    assert_eq!((video.color.range, video.color.space.as_deref()), (ColorRange::Limited, Some("bt709")));
    assert_eq!(video.fields, Fields::Progressive);
    let audio: Vec<_> =
        info.audio.iter().map(|a| (a.codec_name.as_str(), a.channels, a.language.as_deref())).collect();
    assert_eq!(audio, [("aac", 1, Some("deu")), ("aac", 1, Some("eng"))]);
    assert_eq!(info.audio[0].dispositions, ["default"]);
    assert_eq!(info.audio[1].dispositions, ["comment"]);
    assert!(info.identifying_tags.contains(&"location".to_owned()), "{:?}", info.identifying_tags);
    assert_eq!((info.other_videos, info.subtitles, info.chapters, info.data), (0, 0, 0, 0));

    let packets = packets(&tools, &info).unwrap();
    assert_eq!(packets.len(), 30);
    assert!(packets[0].key && packets[0].dts < Some(0));
    assert_eq!(expected_pts(&packets), (0..30).map(|n| Pts(n * 1001)).collect::<Vec<_>>());
}

#[test]
fn formats_are_understood() {
    let studio = Studio::new();
    let tools = tools();
    for (name, size, words, codec, depth, fields) in [
        (
            "h265.mp4",
            "320x240",
            "-c:v libx265 -preset ultrafast -x265-params log-level=none",
            Some(Codec::H265),
            8,
            Fields::Progressive,
        ),
        (
            "vp9.webm",
            "320x240",
            "-c:v libvpx-vp9 -deadline realtime",
            Some(Codec::Vp9),
            8,
            Fields::Progressive,
        ),
        ("av1.mp4", "320x240", "-c:v libsvtav1 -preset 12", Some(Codec::Av1), 8, Fields::Progressive),
        (
            "ten.mkv",
            "320x240",
            "-pix_fmt yuv420p10le -c:v libx264 -preset ultrafast",
            Some(Codec::H264),
            10,
            Fields::Progressive,
        ),
        (
            "tff.mp4",
            "320x240",
            "-vf setfield=tff -x264opts tff=1 -c:v libx264 -preset ultrafast",
            Some(Codec::H264),
            8,
            Fields::TopFirst,
        ),
        (
            "bff.mp4",
            "320x240",
            "-vf setfield=bff -x264opts bff=1 -c:v libx264 -preset ultrafast",
            Some(Codec::H264),
            8,
            Fields::BottomFirst,
        ),
        ("mpeg2.ts", "320x240", "-c:v mpeg2video", None, 8, Fields::Progressive),
    ] {
        let path = studio.clip(name, size, words);
        let info = probe(&tools, &path).unwrap();
        let video = info.video;
        assert_eq!((video.codec, video.bit_depth, video.fields), (codec, depth, fields), "{name}");
    }
}

fn refused(path: &Path) -> ProbeError {
    probe(&tools(), path).expect_err(&path.display().to_string())
}

#[test]
fn what_is_no_video_is_refused_in_words() {
    let studio = Studio::new();
    let whole = studio.clip("whole.mp4", "320x240", "-c:v libx264 -preset ultrafast");
    let bytes = std::fs::read(&whole).unwrap();
    let start = &bytes[..bytes.len() / 2];
    assert!(matches!(refused(&studio.path("absent.mp4")), ProbeError::Read { .. }));
    assert!(matches!(refused(&studio.path("")), ProbeError::NotAFile { .. }));
    assert!(matches!(refused(&studio.write("empty.mp4", b"")), ProbeError::Empty { .. }));
    assert!(matches!(
        refused(&studio.write("text.mp4", b"Dear diary,\nnothing to see.\n")),
        ProbeError::NotMedia { .. }
    ));
    assert!(matches!(refused(&studio.write("half.mp4", start)), ProbeError::Truncated { .. }));
    let sound = studio.make("sound.mp4", "-f lavfi -i sine=d=1");
    assert!(matches!(refused(&sound), ProbeError::NoVideo { .. }));
    let playlist = format!("#EXTM3U\n#EXTINF:1,\n{}\n", whole.display());
    assert!(matches!(refused(&studio.write("list.m3u8", playlist.as_bytes())), ProbeError::NotMedia { .. }));
    let script = format!("ffconcat version 1.0\nfile '{}'\n", whole.display());
    assert!(matches!(refused(&studio.write("list.mp4", script.as_bytes())), ProbeError::NotMedia { .. }));
}

#[test]
fn what_would_come_out_wrong_is_refused_in_words() {
    let studio = Studio::new();
    studio.clip("clear.mp4", "320x240", "-c:v libx264 -preset ultrafast");
    let encrypted = studio.make(
        "cenc.mp4",
        "-i {}/clear.mp4 -c copy -encryption_scheme cenc-aes-ctr \
         -encryption_key 76a6c65c5ea762046bd749a2e632ccbb -encryption_kid a7e61c373e219033c21091fa607bf3b8",
    );
    assert!(matches!(refused(&encrypted), ProbeError::Encrypted { .. }));
    for transfer in ["smpte2084", "arib-std-b67"] {
        let words = format!("-pix_fmt yuv420p10le -color_trc {transfer} -c:v libx264 -preset ultrafast");
        let error = refused(&studio.clip("hdr.mp4", "320x240", &words));
        assert!(matches!(&error, ProbeError::Hdr { what, .. } if what.contains(transfer)), "{error}");
    }
    let alpha = studio.clip("alpha.webm", "320x240", "-pix_fmt yuva420p -c:v libvpx-vp9 -deadline realtime");
    assert!(matches!(refused(&alpha), ProbeError::PixelFormat { why: "transparency", .. }));
    let huge = studio.make("huge.mkv", "-f lavfi -i color=s=16400x16:d=0.1 -pix_fmt yuv420p -c:v ffv1");
    assert!(matches!(refused(&huge), ProbeError::TooLarge { width: 16400, .. }));
}

#[test]
fn an_edit_list_marks_what_is_not_shown() {
    let studio = Studio::new();
    studio.clip("whole.mp4", "320x240", "-c:v libx264 -preset ultrafast -g 25");
    // Copying from 0.5 s keeps the key frame before and hides what precedes the cut.
    let cut = studio.make("cut.mp4", "-ss 0.5 -i {}/whole.mp4 -c copy");
    let tools = tools();
    let info = probe(&tools, &cut).unwrap();
    let packets = packets(&tools, &info).unwrap();
    assert!(packets[0].discard, "{:?}", packets[0]);
    assert!(expected_pts(&packets).len() < packets.len());
    assert!(expected_pts(&packets)[0] >= Pts(0));
}

#[test]
fn tools_that_cannot_be_locked_in_are_an_error() {
    let found = tools();
    assert!(found.ffmpeg().is_absolute() && found.ffprobe().is_absolute());
    assert!(found.ffmpeg_version().starts_with(|c: char| c.is_ascii_digit() || c == 'n' || c == 'N'));
    let no_wrapper = Tools::find_with_sandbox("/bin/true".into());
    assert!(matches!(no_wrapper, Err(ToolError::Wrapper { .. })), "{no_wrapper:?}");
    let absent = Tools::find_with_sandbox("/no/such/program".into());
    assert!(matches!(absent, Err(ToolError::Run { .. })), "{absent:?}");
}
