//! Videos that are damaged: what a decoder could not read is covered whole, the rest hidden as ever.

use std::path::Path;

use crate::scene::{GREEN, IN_GREEN, STILL, Scene, ffmpeg, shots};
use crate::world::{World, tool};

/// Groups of ten pictures, each depending on the one before.
const CODEC: &str = "-c:v libx264 -preset veryfast -bf 0 -g 10 -keyint_min 10 -sc_threshold 0";

/// Where the packets of the video are in the file: offset and length, in the order they are stored.
fn packets(path: &Path) -> Vec<(usize, usize)> {
    let name = path.to_str().unwrap();
    let show =
        ["-v", "error", "-select_streams", "v:0", "-of", "csv=p=0", "-show_entries", "packet=size,pos"];
    let out = tool("ffprobe", &[&show[..], &[name]].concat());
    let text = String::from_utf8(out).unwrap();
    text.lines()
        .map(|l| {
            let mut fields = l.split(',').map(|n| n.parse::<usize>().unwrap());
            let (size, pos) = (fields.next().unwrap(), fields.next().unwrap());
            (pos, size)
        })
        .collect()
}

/// Overwrites all of one packet but its first bytes.
fn damage(world: &World, name: &str, packet: usize) {
    let (at, size) = packets(&world.path(name))[packet];
    let mut bytes = world.read(name);
    bytes[at + 12..at + size].fill(0xff);
    world.write(name, bytes);
}

#[test]
fn what_could_not_be_decoded_is_covered_whole() {
    let world = World::new();
    for fast in ["", "--fast"] {
        let scene = Scene { frames: 50, ..STILL };
        scene.film(&world, "a.mp4", CODEC);
        damage(&world, "a.mp4", 23);
        let ran = world.redact(&format!("a.mp4 -o o.mp4 -y --json {fast} {IN_GREEN}"));
        let shots = shots(&world.path("o.mp4"));
        assert_eq!(shots.len(), 50, "a frame for each that was due");
        let whole: Vec<usize> = (0..50).filter(|&n| shots[n].is_plain()).collect();
        // From the damage, or a frame before it, to the next picture that stands alone.
        assert!(whole.contains(&23) && whole.contains(&29), "{whole:?}");
        assert!(whole.iter().all(|n| (20..30).contains(n)), "{whole:?}");
        for (n, shot) in shots.iter().enumerate().filter(|(n, _)| !whole.contains(n)) {
            assert!(shot.share_of(GREEN, scene.truth(n), true, 90) > 0.97, "frame {n}");
        }
        let m = &ran.json()["files"][0]["manifest"];
        assert_eq!(m["frames"]["covered_whole"], whole.len(), "{m:#}");
        assert_eq!(m["frames"]["judged"], 50 - whole.len());
        assert!(ran.err.contains("could not be judged and are covered whole"), "{}", ran.err);
    }
}

#[test]
fn a_frame_missing_in_the_middle_does_not_show_what_its_neighbours_hide() {
    let world = World::new();
    // The first picture of a group is lost, so the whole group is.
    STILL.film(&world, "a.mp4", CODEC);
    damage(&world, "a.mp4", 10);
    world.redact(&format!("a.mp4 -o o.mp4 {IN_GREEN}"));
    let shots = shots(&world.path("o.mp4"));
    assert_eq!(shots.len(), 25);
    for (n, shot) in shots.iter().enumerate() {
        assert!(!shot.shows_face(), "frame {n}");
        // A decoder holds some frames back, which are then doubtful too.
        assert!((7..10).contains(&n) || shot.is_plain() == (10..20).contains(&n), "frame {n}");
    }
}

#[test]
fn a_clip_cut_short_is_redacted_as_far_as_it_goes() {
    let world = World::new();
    STILL.film(&world, "whole.ts", CODEC);
    STILL.film(&world, "whole.mkv", CODEC);
    ffmpeg(&world, "-i {}/whole.mkv -c copy -movflags +faststart {}/whole.mp4");
    for ending in ["ts", "mkv", "mp4"] {
        let bytes = world.read(&format!("whole.{ending}"));
        world.write(&format!("a.{ending}"), &bytes[..bytes.len() * 6 / 10]);
        let before = world.files();
        let ran = world.placet(&format!("redact a.{ending} -o o.{ending} {IN_GREEN}"));
        if ran.code != Some(0) {
            assert!(ran.code == Some(1) || ran.code == Some(2), "{ending}: {}", ran.err);
            assert_eq!(world.files(), before, "{ending}");
            continue;
        }
        let shots = shots(&world.path(&format!("o.{ending}")));
        assert!((8..25).contains(&shots.len()), "{ending}: {} frames", shots.len());
        assert!(shots.iter().all(|s| !s.shows_face()), "{ending}");
    }
}

#[test]
fn a_clip_that_is_damaged_throughout_is_refused_in_words() {
    let world = World::new();
    STILL.film(&world, "a.mp4", CODEC);
    for packet in 0..25 {
        damage(&world, "a.mp4", packet);
    }
    let before = world.files();
    let ran = world.placet(&format!("redact a.mp4 -o o.mp4 {IN_GREEN}"));
    if ran.code == Some(0) {
        assert!(shots(&world.path("o.mp4")).iter().all(|s| !s.shows_face()));
    } else {
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(ran.err.contains("error: "), "{}", ran.err);
        assert_eq!(world.files(), before);
    }
}
