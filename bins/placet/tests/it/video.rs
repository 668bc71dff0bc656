//! Videos of every kind that is read: the face is gone in every frame, the rest is as it was.

use std::path::Path;

use crate::scene::{
    GREEN, IN_GREEN, SMALL, STILL, Scene, assert_hidden, assert_same_times, ffmpeg, ffprobe, shots, sound,
    times,
};
use crate::world::World;

/// Makes the clip, redacts it, checks that the face is hidden in every frame and that frames kept their times.
fn goes_through(world: &World, scene: &Scene, from: &str, to: &str, words: &str) {
    let input = scene.film(world, from, words);
    world.redact(&format!("{from} -o {to} {IN_GREEN}"));
    assert_hidden(scene, &input, &world.path(to));
    // Matroska counts milliseconds.
    assert_same_times(&input, &world.path(to), 0.00101);
}

#[test]
fn a_face_is_gone_from_every_frame_of_h264_in_every_container() {
    let world = World::new();
    for (from, to) in
        [("a.mp4", "b.mp4"), ("a.mkv", "b.mkv"), ("a.mov", "b.mov"), ("a.ts", "b.ts"), ("a.flv", "c.mp4")]
    {
        goes_through(&world, &SMALL, from, to, "-c:v libx264 -preset veryfast -bf 2");
        let codec = ffprobe(&world.path(to), "stream=codec_name");
        assert_eq!(codec.lines().next(), Some("h264"), "{to}");
    }
}

#[test]
fn a_face_is_gone_from_h265_vp9_and_av1() {
    let world = World::new();
    for (from, to, words, codec) in [
        ("h265.mp4", "o.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none", "h264"),
        ("vp9.webm", "o.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M", "vp9"),
        ("av1.webm", "p.webm", "-c:v libsvtav1 -preset 12 -crf 30", "av1"),
        ("av1.mkv", "o.mkv", "-c:v libsvtav1 -preset 12 -crf 30", "h264"),
    ] {
        goes_through(&world, &SMALL, from, to, words);
        assert_eq!(ffprobe(&world.path(to), "stream=codec_name"), codec, "{from}");
    }
}

#[test]
fn a_face_is_gone_from_old_formats_into_the_container_named() {
    let world = World::new();
    for (from, to, words) in [
        ("old.avi", "a.mp4", "-c:v mpeg4 -q:v 2"),
        ("old.mpg", "b.mkv", "-c:v mpeg2video -q:v 2"),
        ("motion.mov", "c.mov", "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p"),
    ] {
        goes_through(&world, &SMALL, from, to, words);
    }
}

#[test]
fn a_codec_is_written_on_request() {
    let world = World::new();
    SMALL.film(&world, "a.mkv", "-c:v libx264 -preset ultrafast");
    for (flag, codec) in [("h265", "hevc"), ("vp9", "vp9"), ("av1", "av1")] {
        world.redact(&format!("a.mkv -o {flag}.mkv --codec {flag} --fast --preset ultrafast {IN_GREEN}"));
        assert_eq!(ffprobe(&world.path(&format!("{flag}.mkv")), "stream=codec_name"), codec);
        assert_hidden(&SMALL, &world.path("a.mkv"), &world.path(&format!("{flag}.mkv")));
    }
}

/// A clip of 321 by 241 pixels.
fn odd(world: &World, name: &str) {
    let scene = Scene { size: (324, 244), ..SMALL };
    let words = "-map [v] -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M";
    scene.film_through(world, name, "crop=321:241:0:0:exact=1", words);
    assert_eq!(ffprobe(&world.path(name), "stream=width,height"), "321,241");
}

#[test]
fn odd_sizes_ten_bits_and_full_range_go_through() {
    let world = World::new();
    odd(&world, "odd.webm");
    world.redact(&format!("odd.webm -o o.webm {IN_GREEN}"));
    assert_hidden(&SMALL, &world.path("odd.webm"), &world.path("o.webm"));
    assert_eq!(ffprobe(&world.path("o.webm"), "stream=width,height"), "321,241");
    goes_through(
        &world,
        &SMALL,
        "ten.mp4",
        "ten_o.mp4",
        "-c:v libx264 -pix_fmt yuv420p10le -preset veryfast",
    );
    let full = "-c:v libx264 -preset veryfast -pix_fmt yuvj420p -color_range pc -colorspace bt709 -color_trc bt709 -color_primaries bt709";
    goes_through(&world, &SMALL, "full.mp4", "full_o.mp4", full);
    let said = |name: &str| {
        ffprobe(&world.path(name), "stream=pix_fmt,color_range,color_space,color_transfer,color_primaries")
    };
    assert_eq!(said("full.mp4"), said("full_o.mp4"));
    assert!(said("full_o.mp4").contains("pc"), "{}", said("full_o.mp4"));
    assert!(
        said("ten_o.mp4").contains("yuv420p,") || said("ten_o.mp4") == "yuv420p",
        "{}",
        said("ten_o.mp4")
    );
}

#[test]
fn red_green_and_blue_keep_their_brightness() {
    let world = World::new();
    for (name, words) in
        [("a.mp4", "-c:v libx264rgb -pix_fmt rgb24 -crf 4"), ("b.mov", "-c:v png -pix_fmt rgb24")]
    {
        let input = SMALL.film(&world, name, words);
        world.redact(&format!("{name} -o o.mp4 -y --crf 4 {IN_GREEN}"));
        let output = world.path("o.mp4");
        assert_hidden(&SMALL, &input, &output);
        let (before, after) = (shots(&input), shots(&output));
        // Black, white and colors of the background, where no face goes.
        let far = |(x, y): (usize, usize)| {
            before[3].pixel(x, y).iter().zip(after[3].pixel(x, y)).map(|(a, b)| a.abs_diff(b)).max().unwrap()
        };
        let most = (0..320).step_by(16).map(|x| far((x + 5, 12))).filter(|d| *d > 40).count();
        assert!(most <= 3, "{name}: {most} of 20 places differ in brightness");
    }
}

#[test]
fn pixels_in_which_no_face_is_found_are_refused_in_words() {
    let world = World::new();
    let large = Scene { size: (480, 240), ..SMALL };
    for (name, filter, code) in [
        ("two.mp4", "scale=240:240,setsar=2", 0),
        ("three.mp4", "scale=160:240,setsar=3", 2),
        ("flat.mp4", "scale=480:80,setsar=1/3", 2),
    ] {
        large.film_through(&world, name, filter, "-map [v] -c:v libx264 -preset veryfast");
        let ran = world.placet(&format!("redact {name} -o o_{name}"));
        assert_eq!(ran.code, Some(code), "{name}: {}", ran.err);
        assert_eq!(ran.err.contains("square ones first"), code == 2, "{name}: {}", ran.err);
    }
}

#[test]
fn a_face_in_one_field_alone_is_hidden() {
    let world = World::new();
    // Of a clip of 50 frames every second one has a face; two and two become the fields of one frame.
    let two = Scene { frames: 50, rate: "50", step: (0, 0), at: (80, 40), ..SMALL };
    let weave = "null[m];[m]split[n][o];[n]select='not(mod(n\\,2))',drawbox=x=60:y=20:w=200:h=200:c=gray:t=fill[p];\
                 [o]select='mod(n\\,2)'[q];[p][q]interleave,tinterlace=interleave_top,setfield=tff";
    let words = "-map [v] -r 25 -c:v libx264 -preset veryfast -flags +ilme+ildct -x264opts tff=1";
    two.film_through(&world, "a.mp4", weave, words);
    let ran = world.redact(&format!("a.mp4 -o o.mp4 --crf 10 {IN_GREEN}"));
    let field = |name: &str| {
        let only =
            "-vf separatefields,select='mod(n\\,2)',scale=320:240 -c:v libx264 -crf 10 -preset ultrafast";
        ffmpeg(&world, &format!("-i {{}}/{name} {only} {{}}/field_{name}"));
        shots(&world.path(&format!("field_{name}"))).iter().filter(|s| s.shows_face()).count()
    };
    assert!(field("a.mp4") > 20, "the second fields show the face");
    assert_eq!(field("o.mp4"), 0, "{}", ran.err);
}

#[test]
fn an_odd_size_that_its_container_cannot_hold_is_refused_naming_the_flag() {
    let world = World::new();
    odd(&world, "odd.mp4");
    let ran = world.placet("redact odd.mp4 -o o.mp4 --codec h264");
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("321x241") && ran.err.contains("--codec vp9"), "{}", ran.err);
    assert!(!world.has("o.mp4"));
    world.redact(&format!("odd.mp4 -o o.mp4 {IN_GREEN}"));
    assert_hidden(&SMALL, &world.path("odd.mp4"), &world.path("o.mp4"));
}

#[test]
fn fields_stay_fields() {
    let world = World::new();
    for (from, words, order) in [
        ("top.mp4", "-flags +ilme+ildct -x264opts tff=1 -top 1", "tt"),
        ("bottom.mp4", "-flags +ilme+ildct -x264opts bff=1 -top 0", "bb"),
    ] {
        let side = if order == "tt" { "setfield=tff" } else { "setfield=bff" };
        SMALL.film_through(&world, from, side, &format!("-map [v] -c:v libx264 -preset veryfast {words}"));
        let said = |name: &str| ffprobe(&world.path(name), "stream=field_order");
        assert!(said(from).contains(order), "{from}: {}", said(from));
        world.redact(&format!("{from} -o o_{from} {IN_GREEN}"));
        assert_eq!(said(from), said(&format!("o_{from}")));
        assert_hidden(&SMALL, &world.path(from), &world.path(&format!("o_{from}")));
    }
}

#[test]
fn frames_of_variable_rate_keep_their_times() {
    let world = World::new();
    let filter = "select='mod(n\\,3)',setpts='PTS+mod(N\\,2)*0.007/TB'";
    let input = SMALL.film_through(
        &world,
        "v.mp4",
        filter,
        "-map [v] -fps_mode passthrough -c:v libx264 -preset veryfast -bf 2 -video_track_timescale 90000",
    );
    world.redact(&format!("v.mp4 -o o.mp4 {IN_GREEN}"));
    assert_same_times(&input, &world.path("o.mp4"), 1.0 / 90_000.0);
    let gaps: Vec<f64> = times(&input).windows(2).map(|w| w[1] - w[0]).collect();
    assert!(gaps.iter().any(|g| (g - gaps[0]).abs() > 0.005), "the rate does vary: {gaps:?}");
    assert!(shots(&input).iter().all(|s| s.shows_face()));
    assert!(shots(&world.path("o.mp4")).iter().all(|s| !s.shows_face()));
}

#[test]
fn a_portrait_clip_keeps_its_flag_and_its_face_is_gone() {
    let world = World::new();
    let upright = Scene { size: (240, 320), at: (0, 80), step: (2, 0), ..SMALL };
    // As a phone stores it: lying on its side, with a flag that turns it.
    for (turn, flag) in [("transpose=1", "90"), ("transpose=2", "270"), ("hflip,vflip", "180")] {
        upright.film_through(&world, "flat.mp4", turn, "-map [v] -c:v libx264 -preset veryfast");
        ffmpeg(&world, &format!("-i {{}}/flat.mp4 -c copy -metadata:s:v:0 rotate={flag} {{}}/turned.mp4"));
        for to in ["o.mp4", "o.mov"] {
            world.redact(&format!("turned.mp4 -o {to} -y {IN_GREEN}"));
            let said = |name: &str| ffprobe(&world.path(name), "stream=width,height:side_data=rotation");
            assert_eq!(said("turned.mp4"), said(to), "{flag}");
            assert_hidden(&upright, &world.path("turned.mp4"), &world.path(to));
        }
    }
}

#[test]
fn sound_is_kept_bit_for_bit_and_dropped_on_request() {
    let world = World::new();
    let two = "-map [v] -map 2:a -map 2:a -c:v libx264 -preset veryfast -c:a:0 aac -c:a:1 ac3 \
               -metadata:s:a:0 language=deu -metadata:s:a:1 language=fra";
    let input = SMALL.film_through(&world, "two.mp4", "null", two);
    SMALL.film(&world, "none.mp4", "-c:v libx264 -preset veryfast");
    let kept = world.redact(&format!("two.mp4 -o kept.mp4 {IN_GREEN}"));
    assert!(kept.err.contains("voices identify people"), "{}", kept.err);
    assert_eq!(sound(&input).len(), 2);
    assert_eq!(sound(&input), sound(&world.path("kept.mp4")));
    let languages = |path: &Path| ffprobe(path, "stream_tags=language");
    assert!(languages(&world.path("kept.mp4")).contains("deu"), "{}", languages(&world.path("kept.mp4")));
    assert!(languages(&world.path("kept.mp4")).contains("fra"));
    assert_hidden(&SMALL, &input, &world.path("kept.mp4"));
    let length = |path: &Path| ffprobe(path, "format=duration").parse::<f64>().unwrap();
    assert!((length(&input) - length(&world.path("kept.mp4"))).abs() < 0.03);

    let dropped = world.redact("two.mp4 -o dropped.mp4 --audio drop");
    assert!(!dropped.err.contains("voices"), "{}", dropped.err);
    assert!(sound(&world.path("dropped.mp4")).is_empty());
    world.redact("none.mp4 -o silent.mp4");
    assert!(sound(&world.path("silent.mp4")).is_empty());
}

#[test]
fn sound_that_the_container_cannot_hold_is_refused_naming_the_flag() {
    let world = World::new();
    SMALL.film_with_tone(&world, "a.mkv", "-c:v libx264 -preset ultrafast -c:a pcm_s16le");
    let ran = world.placet("redact a.mkv -o b.mp4");
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("pcm_s16le") && ran.err.contains("--audio drop"), "{}", ran.err);
    world.redact("a.mkv -o b.mp4 --audio drop");
}

#[test]
fn copied_sound_names_nobody() {
    let world = World::new();
    let holds = |name: &str, what: &str| world.read(name).windows(what.len()).any(|w| w == what.as_bytes());
    let name = "Somebodysname";
    let tagged = format!("-metadata artist={name}");
    SMALL.film(&world, "v.mkv", "-c:v libx264 -preset ultrafast");
    for (codec, file) in [("libvorbis", "a.ogg"), ("libopus", "b.ogg"), ("flac", "c.ogg"), ("flac", "d.flac")]
    {
        ffmpeg(&world, &format!("-f lavfi -i sine=d=1 -c:a {codec} {tagged} {{}}/{file}"));
        // Matroska keeps a codec's whole header; a stream's tags become the file's.
        ffmpeg(&world, &format!("-i {{}}/v.mkv -i {{}}/{file} -map 0 -map 1 -c copy {tagged} {{}}/in.mkv"));
        assert!(holds(file, name) && holds("in.mkv", name), "{file}");
        for (to, more) in [("o.mkv", ""), ("p.mkv", "--copy-clean"), ("o.webm", "--codec vp9")] {
            if to == "o.webm" && codec == "flac" {
                continue;
            }
            world.redact(&format!("in.mkv -o {to} -y --fast {more}"));
            assert!(!holds(to, name), "{file} to {to}");
            assert_eq!(sound(&world.path("in.mkv")), sound(&world.path(to)), "{file} to {to}");
        }
    }
    // An MP3's own tags, such as joining two files leaves in the middle.
    ffmpeg(&world, &format!("-f lavfi -i sine=d=1 -c:a libmp3lame {tagged} {{}}/a.mp3"));
    world.write("aa.mp3", world.read("a.mp3").repeat(2));
    for to in ["in.avi", "in.mkv", "in.mp4", "in.ts"] {
        let plain = "-map 0 -map 1 -c:v libx264 -preset ultrafast -c:a copy -map_metadata -1";
        ffmpeg(&world, &format!("-i {{}}/v.mkv -f mp3 -i {{}}/aa.mp3 {plain} {{}}/{to}"));
        let ran = world.placet(&format!("redact {to} -o o.mp4 --fast"));
        assert_eq!(ran.code, Some(2), "{to}: {}", ran.err);
        assert!(ran.err.contains("ID3 tags") && !world.has("o.mp4"), "{to}: {}", ran.err);
    }
    world.redact("in.mp4 -o o.mp4 --fast --audio drop");
    assert!(!holds("o.mp4", name));
}

/// A clip with everything in it that tells where and with what it was made.
fn talkative(world: &World) {
    world.write("sub.srt", "1\n00:00:00,000 --> 00:00:01,000\nGPS 48.2082 16.3738\n");
    world.write(
        "chapters.txt",
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=Chaptername\n",
    );
    ffmpeg(world, &format!("-i {} -c:v mjpeg {{}}/cover.jpg", crate::scene::FACE));
    SMALL.film_with_tone(world, "plain.mp4", "-c:v libx264 -preset veryfast -c:a aac");
    let tags = "-map_metadata 3 -map_chapters 3 -metadata location=+48.2082+016.3738/ -metadata title=Titleword \
                -metadata comment=Commentword -timecode 01:02:03:04";
    let inputs = "-i {}/plain.mp4 -i {}/cover.jpg -i {}/sub.srt -i {}/chapters.txt -map 0";
    let cover = "-map 1 -map 2 -c copy -c:s mov_text -disposition:v:1 attached_pic";
    ffmpeg(world, &format!("{inputs} {cover} {tags} {{}}/talkative.mp4"));
    // QuickTime's own keys leave no room for a cover.
    let keys = "-metadata make=Cameramaker -metadata com.apple.quicktime.model=Cameramodel -movflags use_metadata_tags";
    ffmpeg(world, &format!("{inputs} -map 2 -c copy -c:s mov_text {tags} {keys} {{}}/talkative.mov"));
    let attached = "-attach {}/sub.srt -metadata:s:t mimetype=text/plain -metadata make=Cameramaker";
    ffmpeg(world, &format!("{inputs} -map 2 -c copy -c:s srt {tags} {attached} {{}}/talkative.mkv"));
}

/// Each file, and what of it identifies.
const TALKATIVE: [(&str, &str, &[&str]); 3] = [
    ("talkative.mp4", "o.mp4", &["48.2082", "Titleword", "Commentword", "01:02:03:04", "Chaptername"]),
    (
        "talkative.mov",
        "o.mov",
        &["48.2082", "Titleword", "Cameramaker", "Cameramodel", "01:02:03:04", "Chaptername"],
    ),
    ("talkative.mkv", "o.mkv", &["48.2082", "Titleword", "Cameramaker", "Chaptername"]),
];
const SAID: &str = "stream=codec_type,codec_name:stream_tags:format_tags:chapter_tags";

#[test]
fn what_tells_place_device_or_face_is_left_out() {
    let world = World::new();
    talkative(&world);
    assert!(ffprobe(&world.path("talkative.mp4"), SAID).contains("mjpeg"), "a cover picture");
    for (from, to, words) in TALKATIVE {
        let ran = world.redact(&format!("{from} -o {to} {IN_GREEN}"));
        for words in ["1 subtitle stream", "location", "-m keeps"] {
            assert!(ran.err.contains(words), "{words}: {}", ran.err);
        }
        assert_eq!(ran.err.contains("1 cover picture"), from == "talkative.mp4", "{}", ran.err);
        let (before, after) = (ffprobe(&world.path(from), SAID), ffprobe(&world.path(to), SAID));
        let bytes = String::from_utf8_lossy(&world.read(to)).into_owned();
        for word in words {
            assert!(before.contains(word), "{from} has {word}: {before}");
            assert!(!after.contains(word) && !bytes.contains(word), "{word} is in {to}: {after}");
        }
        for word in ["mjpeg", "mov_text", "tmcd", "16.3738", "subrip"] {
            assert!(!after.contains(word) && !bytes.contains(word), "{word} is in {to}: {after}");
        }
        assert_eq!(ffprobe(&world.path(to), "stream=codec_type"), "video\naudio");
        assert_hidden(&SMALL, &world.path("plain.mp4"), &world.path(to));
    }
}

#[test]
fn metadata_stays_on_request_and_pictures_of_faces_never() {
    let world = World::new();
    talkative(&world);
    for (from, to, words) in TALKATIVE {
        world.redact(&format!("{from} -o {to} -m --fast {IN_GREEN}"));
        let after = ffprobe(&world.path(to), SAID);
        for word in words.iter().filter(|w| !w.contains(':')) {
            assert!(after.contains(word), "{word} is not in {to}: {after}");
        }
        assert!(!after.contains("mjpeg") && !after.contains("mov_text"), "{after}");
        assert_hidden(&SMALL, &world.path("plain.mp4"), &world.path(to));
    }
}

#[test]
fn a_picture_written_as_text_is_left_out_even_with_metadata_kept() {
    let world = World::new();
    SMALL.film_with_tone(&world, "plain.mkv", "-c:v libx264 -preset ultrafast -c:a aac");
    // A cover as Vorbis comments have it, one under a name nobody knows, and a text of people.
    let cover = "iVBORw0KGgoAAAANSUhEUgAA".repeat(60);
    let text = "A long day at the sea. ".repeat(20);
    world.write(
        "tags.txt",
        format!(
            ";FFMETADATA1\nMETADATA_BLOCK_PICTURE=short\nCOVERART=short\nfoo\\=bar=x\nnotes={cover}\n\
             description={text}\ntitle=Titleword\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=Chaptername\n"
        ),
    );
    let copy = "-map 0 -c copy -map_metadata 1 -map_chapters 1 -metadata:s:a:0 COVERART=streamcover";
    for to in ["mkv", "mov"] {
        let keys = if to == "mov" { "-movflags use_metadata_tags" } else { "" };
        ffmpeg(&world, &format!("-i {{}}/plain.mkv -i {{}}/tags.txt {copy} {keys} {{}}/in.{to}"));
        let said = ffprobe(&world.path(&format!("in.{to}")), SAID);
        assert!(said.contains(&cover) && said.contains("Titleword"), "{to}: {said}");
        let ran = world.redact(&format!("in.{to} -o o.{to} -m --fast"));
        assert!(ran.err.contains("a picture may be in it"), "{to}: {}", ran.err);
        let after = ffprobe(&world.path(&format!("o.{to}")), SAID);
        let bytes = String::from_utf8_lossy(&world.read(&format!("o.{to}"))).into_owned();
        for gone in ["iVBORw0KGgo", "COVERART", "METADATA_BLOCK_PICTURE", "streamcover"] {
            assert!(!after.contains(gone) && !bytes.contains(gone), "{gone} is in o.{to}: {after}");
        }
        for kept in ["Titleword", "long day", "Chaptername"] {
            assert!(after.contains(kept), "{kept} is not in o.{to}: {after}");
        }
    }
    // A picture as a chapter's name takes the chapters with it.
    world.write(
        "tags.txt",
        format!(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle={cover}\n"),
    );
    ffmpeg(&world, "-i {}/plain.mkv -i {}/tags.txt -map 0 -c copy -map_metadata 1 -map_chapters 1 {}/c.mkv");
    let ran = world.redact("c.mkv -o oc.mkv -m --fast");
    assert!(ran.err.contains("1 chapter mark"), "{}", ran.err);
    assert!(!String::from_utf8_lossy(&world.read("oc.mkv")).contains("iVBORw0KGgo"));
}

#[test]
fn what_players_hide_is_told_since_the_output_shows_it() {
    let world = World::new();
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/edges");
    for (seed, name, told) in [
        ("matroska", "a.mkv", false),
        ("cropped", "b.mkv", true),
        ("mp4", "c.mp4", false),
        ("aperture", "d.mp4", true),
    ] {
        world.write(name, std::fs::read(format!("{seeds}/{seed}")).unwrap());
        let ran = world.redact(&format!("{name} -o o_{name} --fast"));
        assert_eq!(ran.err.contains("tells players to hide"), told, "{name}: {}", ran.err);
        assert_eq!(ffprobe(&world.path(&format!("o_{name}")), "stream=width,height"), "64,36");
    }
}

#[test]
fn a_second_picture_stream_is_left_out_in_words() {
    let world = World::new();
    SMALL.film_through(&world, "a.mkv", "split[w]", "-map [v] -map [w] -c:v libx264 -preset ultrafast");
    let ran = world.redact("a.mkv -o b.mkv");
    assert!(ran.err.contains("1 further video stream"), "{}", ran.err);
    assert_eq!(ffprobe(&world.path("b.mkv"), "stream=codec_type"), "video");
}

#[test]
fn hdr_and_encrypted_videos_are_refused_in_words() {
    let world = World::new();
    let x265 =
        "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -color_primaries bt2020 -colorspace bt2020nc";
    for (name, words, word) in [
        ("pq.mp4", format!("{x265} -color_trc smpte2084 -x265-params log-level=none"), "HDR video (PQ"),
        ("hlg.mp4", format!("{x265} -color_trc arib-std-b67 -x265-params log-level=none"), "HDR video (HLG"),
        (
            "locked.mp4",
            "-c:v libx264 -preset ultrafast -encryption_scheme cenc-aes-ctr \
             -encryption_key 00112233445566778899aabbccddeeff -encryption_kid 112233445566778899aabbccddeeff00"
                .to_owned(),
            "is encrypted",
        ),
    ] {
        SMALL.film(&world, name, &words);
        let ran = world.placet(&format!("redact {name} -o o.mp4"));
        assert_eq!(ran.code, Some(2), "{name}: {}", ran.err);
        assert!(ran.err.contains(word), "{name}: {}", ran.err);
        assert!(!world.has("o.mp4"), "{name}");
    }
}

#[test]
fn a_longer_clip_with_two_small_faces_has_neither_left() {
    let world = World::new();
    let scene = Scene {
        size: (640, 360),
        frames: 75,
        background: "color=c=0x405060",
        at: (16, 100),
        step: (4, 1),
        ..SMALL
    };
    // The second one, mirrored and half as large, goes the other way.
    let second = "null[m];[1]format=yuv420p,scale=80:80,hflip[f2];[m][f2]overlay=x='560-4*n':y=20:eval=frame";
    let input = scene.film_through(&world, "a.mp4", second, "-map [v] -c:v libx264 -preset veryfast");
    let ran = world.redact(&format!("a.mp4 -o o.mp4 --verify full --json {IN_GREEN}"));
    assert_hidden(&scene, &input, &world.path("o.mp4"));
    for (n, shot) in shots(&world.path("o.mp4")).iter().enumerate() {
        let small = (560.0 - 4.0 * n as f64 + 80.0 - 54.9, 20.0 + 13.7, 29.6, 36.0);
        let hidden = shot.share_of(GREEN, small, true, 90);
        assert!(hidden > 0.95, "frame {n}: {hidden} of the small face is hidden");
    }
    assert_eq!(ran.json()["files"][0]["manifest"]["check"]["frames_checked"], 75);
}

#[test]
fn a_face_that_remains_withholds_the_output() {
    let world = World::new();
    STILL.film(&world, "a.mp4", "-c:v libx264 -preset veryfast");
    let before = world.files();
    // So high a threshold finds nothing, and the second detector sees the face.
    let ran = world
        .placet("redact a.mp4 -o o.mp4 -t 0.99 --on-found withhold --json --explain e.svg --compare c.mp4");
    assert_eq!(ran.code, Some(6), "{}", ran.err);
    assert!(ran.err.contains("the check still finds a face") && ran.err.contains("withheld"), "{}", ran.err);
    assert_eq!(ran.json()["files"][0]["outcome"], "withheld");
    assert_eq!(world.files(), before, "exit 6 leaves nothing");

    world.write("faces/a.png", std::fs::read(crate::scene::FACE).unwrap());
    let picture = world.placet("redact faces/a.png -o o.png -t 0.99 --on-found withhold");
    assert_eq!(picture.code, Some(6), "{}", picture.err);
    assert!(!world.has("o.png") && !world.has("o.png.manifest"));
}

#[test]
fn what_the_first_detector_misses_the_check_covers() {
    let world = World::new();
    let input = STILL.film(&world, "a.mp4", "-c:v libx264 -preset veryfast");
    let ran = world.redact(&format!("a.mp4 -o o.mp4 -t 0.99 --verify full --json {IN_GREEN}"));
    assert_hidden(&STILL, &input, &world.path("o.mp4"));
    let check = &ran.json()["files"][0]["manifest"]["check"];
    assert!(check["faces_found"].as_u64() >= Some(1), "{check}");
    let sampled = world.redact(&format!("a.mp4 -o s.mp4 -t 0.99 --json {IN_GREEN}"));
    assert_hidden(&STILL, &input, &world.path("s.mp4"));
    let frames = &sampled.json()["files"][0]["manifest"]["check"]["frames_checked"];
    assert!(frames.as_u64() < Some(25), "sampled: {frames}");
}
