//! `-`: through a pipe in and out.

use std::fs::File;
use std::process::Command;

use crate::scene::{FACE, IN_GREEN, SMALL, assert_hidden, ffprobe, shots};
use crate::world::{Ran, Running, World};

fn through(world: &World, words: &str, from: &str, to: &str) -> Ran {
    let mut command = world.command(words);
    command.stdin(File::open(world.path(from)).unwrap()).stdout(File::create(world.path(to)).unwrap());
    Running::start(&mut command).wait()
}

#[test]
fn a_video_goes_through_a_pipe_in_its_own_container() {
    let world = World::new();
    for (from, format, words) in [
        ("a.mp4", "mp4", "-c:v libx264 -preset veryfast"),
        ("a.mkv", "matroska", "-c:v libx264 -preset veryfast"),
        ("a.webm", "webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M"),
        ("a.ts", "mpegts", "-c:v libx264 -preset veryfast"),
        ("a.mov", "mov", "-c:v libx264 -preset veryfast"),
    ] {
        let input = SMALL.film(&world, from, words);
        let ran = through(&world, &format!("redact - {IN_GREEN}"), from, "out");
        assert_eq!(ran.code, Some(0), "{from}: {}", ran.err);
        assert_hidden(&SMALL, &input, &world.path("out"));
        let said = ffprobe(&world.path("out"), "format=format_name:format_tags=major_brand");
        assert!(said.contains(format), "{from}: {said}");
        let webm = String::from_utf8_lossy(&world.read("out")[..64]).contains("webm");
        assert_eq!(webm, from == "a.webm", "{from}");
        assert_eq!(said.ends_with("qt"), from == "a.mov", "{from}: {said}");
        assert!(world.leavings().is_empty(), "{:?}", world.leavings());
    }
}

#[test]
fn a_picture_goes_through_a_pipe() {
    let world = World::new();
    world.write("a.png", std::fs::read(FACE).unwrap());
    let ran = through(&world, &format!("redact - -o - {IN_GREEN}"), "a.png", "out.png");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(!shots(&world.path("out.png"))[0].shows_face());
    assert!(world.leavings().is_empty(), "{:?}", world.leavings());
}

#[test]
fn a_file_goes_to_a_pipe_and_a_pipe_to_a_file() {
    let world = World::new();
    let input = SMALL.film(&world, "a.mp4", "-c:v libx264 -preset veryfast");
    let mut out = world.command(&format!("redact a.mp4 -o - {IN_GREEN}"));
    let ran = Running::start(&mut out).wait();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_hidden(&SMALL, &input, &world.write("out.mp4", &ran.out));
    let ran = through(&world, &format!("redact - -o named.mp4 --json {IN_GREEN}"), "a.mp4", "report.json");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_hidden(&SMALL, &input, &world.path("named.mp4"));
    let report: serde_json::Value = serde_json::from_slice(&world.read("report.json")).unwrap();
    assert_eq!(report["files"][0]["outcome"], "done");
}

#[test]
fn pipes_that_cannot_be_are_refused_in_words() {
    let world = World::new();
    world.write("a.png", std::fs::read(FACE).unwrap());
    world.write("empty", b"");
    world.write("text", b"neither picture nor video");
    let json = through(&world, "redact - --json", "a.png", "out");
    assert_eq!(json.code, Some(2));
    assert!(json.err.contains("name a file with -o"), "{}", json.err);
    for (from, words) in [("empty", "standard input is empty"), ("text", "not a video file")] {
        let ran = through(&world, "redact -", from, "out");
        assert_eq!(ran.code, Some(2), "{from}: {}", ran.err);
        assert!(ran.err.contains(words), "{from}: {}", ran.err);
        assert!(world.read("out").is_empty());
    }
    let two = world.placet("redact - a.png");
    assert_eq!(two.code, Some(2));
    assert!(two.err.contains("exactly one input"), "{}", two.err);
    let withheld = through(&world, "redact - -t 0.99 --on-found withhold", "a.png", "out");
    assert_eq!(withheld.code, Some(6), "{}", withheld.err);
    assert!(world.read("out").is_empty(), "what is withheld does not go down the pipe");
    assert!(world.leavings().is_empty(), "{:?}", world.leavings());
}

#[test]
fn nothing_is_written_to_a_terminal() {
    let world = World::new();
    world.write("a.png", std::fs::read(FACE).unwrap());
    // `script` runs the program on a terminal of its own.
    let mut command = Command::new("script");
    world.settle(&mut command);
    let inner = format!("{} redact - < a.png", env!("CARGO_BIN_EXE_placet"));
    command.args(["--quiet", "--return", "--command", &inner, "/dev/null"]);
    let ran = Running::start(&mut command).wait();
    assert_eq!(ran.code, Some(2), "{}", ran.text());
    assert!(ran.text().contains("would go to the terminal"), "{}", ran.text());
    assert!(!ran.text().contains("PNG"));
}

#[test]
fn an_interrupt_ends_the_wait_for_standard_input() {
    let world = World::new();
    let mut command = world.command("redact - -o o.mp4");
    command.stdin(std::process::Stdio::piped());
    let mut running = Running::start(&mut command);
    let _open = running.input();
    running.says("note: manifests are signed with a key made now");
    // The temporary folder appears once it waits for input.
    assert!(running.until(|_| world.leavings().iter().any(|n| n.starts_with("placet-"))));
    running.signal(rustix::process::Signal::INT);
    let ran = running.wait();
    assert_ne!(ran.code, Some(0), "{}", ran.err);
    assert!(!world.has("o.mp4"));
    assert!(world.leavings().is_empty(), "{:?}", world.leavings());
}
