//! `--copy-clean`: stretches without a face are copied bit for bit, faces are hidden all the same.

use std::path::Path;

use crate::scene::{FACE, GREEN, IN_GREEN, assert_same_times, ffmpeg, ffprobe, shots, sound};
use crate::world::{Ran, World, tool};

/// Five seconds at 25 frames a second: a face in the middle fifth, on a still background under a little noise.
fn film(world: &World, name: &str, faces: &str, words: &str) {
    film_at(world, name, "60+n", faces, words);
}

/// The same with the face at `x`.
fn film_at(world: &World, name: &str, x: &str, faces: &str, words: &str) {
    ffmpeg(world, "-f lavfi -i testsrc2=s=320x240:r=25 -frames:v 1 {}/bg.png");
    let graph = format!(
        "[0]format=yuv420p,noise=alls=3:allf=t[b];[1]format=yuv420p[f];[b][f]overlay=x={x}:y=40:enable={faces}[v]"
    );
    ffmpeg(
        world,
        &format!(
            "-loop 1 -r 25 -i {{}}/bg.png -loop 1 -r 25 -i {FACE} -f lavfi -i sine=d=5 -filter_complex {graph} \
             -map [v] -map 2:a -t 5 -c:a aac {words} {{}}/{name}"
        ),
    );
}

/// Frames 50 to 74.
const MIDDLE: &str = "between(n\\,50\\,74)";
const CLOSED: &str = "-c:v libx264 -preset veryfast -g 10 -keyint_min 10";

/// One digest for each frame as a player shows it.
fn digests(path: &Path) -> Vec<String> {
    let words =
        ["-v", "error", "-nostdin", "-i", path.to_str().unwrap(), "-map", "0:v", "-fps_mode", "passthrough"];
    let out = tool("ffmpeg", &[&words[..], &["-f", "framehash", "-hash", "sha256", "-"]].concat());
    let lines = String::from_utf8(out).unwrap();
    lines
        .lines()
        .filter(|l| !l.starts_with('#'))
        .map(|l| l.rsplit(',').next().unwrap().trim().to_owned())
        .collect()
}

/// Which frames of the output are those of the input.
fn same(world: &World, input: &str, output: &str) -> Vec<bool> {
    let (a, b) = (digests(&world.path(input)), digests(&world.path(output)));
    assert_eq!(a.len(), b.len());
    a.iter().zip(&b).map(|(a, b)| a == b).collect()
}

fn frames(ran: &Ran, kind: &str) -> u64 {
    ran.json()["files"][0]["manifest"]["frames"][kind].as_u64().unwrap_or_else(|| panic!("{}", ran.text()))
}

fn assert_no_face(path: &Path) {
    for (n, shot) in shots(path).iter().enumerate() {
        assert!(!shot.shows_face(), "{}: frame {n}", path.display());
    }
}

#[test]
fn frames_without_a_face_are_copied_bit_for_bit_and_faces_are_hidden() {
    let world = World::new();
    for (from, to, words) in [
        ("a.mp4", "b.mp4", "-movflags +faststart"),
        ("a.mkv", "b.mkv", ""),
        ("a.ts", "b.ts", ""),
        ("a.mov", "c.mkv", "-bf 0"),
        (
            "uneven.mp4",
            "d.mp4",
            "-enc_time_base 1/1000 -fps_mode vfr -bsf:v setts=pts=PTS+floor(DTS/400)*7:dts=DTS",
        ),
    ] {
        film(&world, from, MIDDLE, &format!("{CLOSED} {words}"));
        let ran = world.redact(&format!("{from} -o {to} --copy-clean --json {IN_GREEN}"));
        let (input, output) = (world.path(from), world.path(to));
        let copied = frames(&ran, "copied");
        assert!((60..=100).contains(&copied), "{from}: {copied} copied: {}", ran.err);
        let same = same(&world, from, to);
        // ffmpeg leaves one out where times are uneven.
        assert!((124..=125).contains(&same.len()), "{from}");
        assert_eq!(frames(&ran, "judged"), same.len() as u64, "{from}: copied frames were judged too");
        let checked = ran.json()["files"][0]["manifest"]["check"]["frames_checked"].as_u64().unwrap();
        assert!(checked > copied, "{from}: each copied frame was checked, and some of the others");
        assert!(same.iter().filter(|s| **s).count() as u64 >= copied, "{from}");
        // The first group of uneven times does not stand for itself.
        let first = if from == "uneven.mp4" { 20 } else { 0 };
        assert!(same[first..40].iter().all(|s| *s) && same[110..].iter().all(|s| *s), "{from}: {same:?}");
        assert!(!same[50..75].iter().any(|s| *s), "{from}: {same:?}");
        assert_no_face(&output);
        assert_same_times(&input, &output, 0.00101);
        assert_eq!(sound(&input), sound(&output), "{from}");
        assert!(String::from_utf8_lossy(&world.read(from)).contains("x264 - core"));
        assert!(
            !String::from_utf8_lossy(&world.read(to)).contains("x264 - core"),
            "{to} tells how the source was made"
        );
    }
}

#[test]
fn the_manifest_and_the_picture_of_it_tell_what_was_copied() {
    let world = World::new();
    film(&world, "a.mp4", MIDDLE, CLOSED);
    let ran =
        world.redact(&format!("a.mp4 -o b.mp4 --copy-clean --verify none --json --explain e.svg {IN_GREEN}"));
    assert!(frames(&ran, "copied") > 0);
    // Without a check of the rest, the copied frames were checked all the same.
    assert!(ran.json()["files"][0]["manifest"]["models"].to_string().contains("CenterFace"));
    assert!(String::from_utf8(world.read("e.svg")).unwrap().contains("Frames copied"));
    let told = world.placet("manifest b.mp4.manifest --input a.mp4 --output b.mp4");
    assert_eq!(told.code, Some(0), "{}", told.err);
}

#[test]
fn nothing_is_copied_where_faces_are_everywhere_or_the_stream_does_not_allow_it() {
    let world = World::new();
    for (name, faces, words, why) in [
        ("faces.mp4", "1", CLOSED, "hide a face"),
        (
            "open.mp4",
            MIDDLE,
            "-c:v libx264 -preset veryfast -x264opts open-gop=1:keyint=10:min-keyint=5:bframes=3",
            "hide a face",
        ),
        (
            "h265.mp4",
            MIDDLE,
            "-c:v libx265 -preset ultrafast -x265-params log-level=none",
            "only H.264 is copied",
        ),
        (
            "fields.mp4",
            MIDDLE,
            "-c:v libx264 -preset veryfast -g 10 -flags +ildct+ilme -vf setfield=tff -x264opts tff=1",
            "interlaced",
        ),
    ] {
        let words =
            if name == "fields.mp4" { words.replace("-vf setfield=tff ", "") } else { words.to_owned() };
        film(&world, name, faces, &words);
        let output = format!("out-{name}");
        let ran = world.redact(&format!("{name} -o {output} --copy-clean --json {IN_GREEN}"));
        assert_eq!(frames(&ran, "copied"), 0, "{name}");
        assert!(ran.err.contains("nothing is copied") && ran.err.contains(why), "{name}: {}", ran.err);
        assert_no_face(&world.path(&output));
        assert_eq!(frames(&ran, "judged"), 125);
    }
}

#[test]
fn a_face_that_only_the_second_detector_finds_is_not_copied() {
    let world = World::new();
    film(&world, "a.mp4", MIDDLE, CLOSED);
    // No score of the first detector reaches this.
    let ran = world.redact(&format!("a.mp4 -o b.mp4 --copy-clean -t 1 --verify full --json {IN_GREEN}"));
    assert!(ran.err.contains("only the second detector"), "{}", ran.err);
    assert!(frames(&ran, "copied") > 40);
    let same = same(&world, "a.mp4", "b.mp4");
    assert!(!same[50..75].iter().any(|s| *s));
    assert_no_face(&world.path("b.mp4"));
    let manifest = &ran.json()["files"][0]["manifest"];
    assert!(manifest["check"]["faces_found"].as_u64().unwrap() > 0);

    let strict = world.placet("redact a.mp4 -o c.mp4 --copy-clean -t 1 --on-found withhold");
    assert_eq!(strict.code, Some(6), "{}", strict.err);
    assert!(!world.has("c.mp4"));
}

#[test]
fn a_face_that_stays_and_only_the_second_detector_finds_is_never_copied() {
    let world = World::new();
    film_at(&world, "a.mp4", "60", "1", CLOSED);
    let ran = world.redact(&format!("a.mp4 -o b.mp4 --copy-clean -t 1 --verify full --json {IN_GREEN}"));
    assert!(ran.err.contains("nothing is copied"), "{}", ran.err);
    assert_eq!(frames(&ran, "copied"), 0);
    assert_no_face(&world.path("b.mp4"));
}

#[test]
fn a_region_drawn_by_hand_is_never_copied() {
    let world = World::new();
    film(&world, "a.mp4", "0", CLOSED);
    let ran = world.redact(
        "a.mp4 -o b.mp4 --copy-clean --json --replacewith solid --color 00ff00 --region 10,10,80,60@0-1",
    );
    assert!((75..=100).contains(&frames(&ran, "copied")), "{}", ran.err);
    let all = shots(&world.path("b.mp4"));
    for (n, shot) in all.iter().enumerate() {
        let share = shot.share_of(GREEN, (14.0, 14.0, 70.0, 50.0), false, 60);
        assert_eq!(share > 0.9, n <= 25, "frame {n}: {share}");
    }
}

#[test]
fn a_file_without_faces_is_copied_whole_with_its_rotation_and_sound() {
    let world = World::new();
    film(&world, "up.mp4", "0", CLOSED);
    ffmpeg(&world, "-i {}/up.mp4 -c copy -metadata:s:v:0 rotate=90 {}/a.mp4");
    let ran = world.redact("a.mp4 -o b.mp4 --copy-clean --json");
    assert_eq!(frames(&ran, "copied"), 125, "{}", ran.err);
    assert!(same(&world, "a.mp4", "b.mp4").iter().all(|s| *s));
    assert_same_times(&world.path("a.mp4"), &world.path("b.mp4"), 0.0001);
    assert_eq!(sound(&world.path("a.mp4")), sound(&world.path("b.mp4")));
    let rotation = |name: &str| ffprobe(&world.path(name), "stream_side_data=rotation");
    assert_eq!(rotation("a.mp4"), rotation("b.mp4"));
}
