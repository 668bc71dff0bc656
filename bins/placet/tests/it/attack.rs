//! Attacks: kills at any moment, damage at any place. Each prints how many were tried and how many got through; with
//! `PLACET_ATTACK=full` ten times as many are tried.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::scene::{IN_GREEN, STILL, Scene, assert_hidden, ffmpeg, shots};
use crate::world::{Dice, Running, World, busy_in, children, full_counts, send};

fn count(reduced: usize) -> usize {
    if full_counts() { reduced * 10 } else { reduced }
}

/// Runs `tries` attacks, prints the count and fails with the first that got through.
fn attack(name: &str, tries: usize, mut one: impl FnMut(usize) -> Result<(), String>) {
    let lost: Vec<String> =
        (0..tries).filter_map(|n| one(n).err().map(|e| format!("attack {n}: {e}"))).collect();
    println!("{name}: {tries} tried, {} lost", lost.len());
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

fn clip() -> (World, Scene) {
    let world = World::new();
    STILL.film_with_tone(&world, "a.mp4", "-c:v libx264 -preset veryfast -c:a aac");
    (world, STILL)
}

/// Waits until nothing works in the world any more.
fn quiet(world: &World) -> Result<(), String> {
    let started = Instant::now();
    loop {
        let busy = busy_in(&world.path(""));
        if busy.is_empty() {
            return Ok(());
        }
        if started.elapsed() > Duration::from_secs(60) {
            return Err(format!("children outlive the program: {busy:?}"));
        }
        std::thread::yield_now();
    }
}

/// How long an undisturbed run takes here and now.
fn usual(world: &World, words: &str) -> Duration {
    let started = Instant::now();
    world.redact(&format!("{words} -o usual.mp4 -y"));
    let took = started.elapsed();
    for name in ["usual.mp4", "usual.mp4.manifest"] {
        std::fs::remove_file(world.path(name)).unwrap();
    }
    took
}

#[test]
fn attack_kill_at_any_moment_leaves_no_half_file() {
    let (world, scene) = clip();
    let mut dice = Dice::new(1);
    let words = format!("a.mp4 {IN_GREEN}");
    let took = usual(&world, &words);
    attack("kill -9 at random moments", count(10), |_| {
        let after = took.mul_f64(dice.below(1000) as f64 / 900.0);
        let started = Instant::now();
        let mut running = Running::start(&mut world.command(&format!("redact {words} -o o.mp4 -y")));
        running.until(|_| started.elapsed() >= after);
        running.signal(Signal::KILL);
        running.wait();
        quiet(&world)?;
        if world.has("o.mp4") {
            // What stands under the name is whole, whenever the kill came.
            assert_hidden(&scene, &world.path("a.mp4"), &world.path("o.mp4"));
            if !world.has("o.mp4.manifest") {
                return Err(format!("killed after {after:?}: a result without its manifest"));
            }
        }
        world.redact(&format!("{words} -o o.mp4 -y"));
        assert_hidden(&scene, &world.path("a.mp4"), &world.path("o.mp4"));
        let names: Vec<String> = world.files().into_keys().collect();
        if names != ["a.mp4", "o.mp4", "o.mp4.manifest"] {
            return Err(format!("killed after {after:?}: {names:?} is left"));
        }
        for name in ["o.mp4", "o.mp4.manifest"] {
            std::fs::remove_file(world.path(name)).unwrap();
        }
        Ok(())
    });
}

#[test]
fn attack_interrupt_at_any_moment_leaves_nothing() {
    let (world, scene) = clip();
    let mut dice = Dice::new(2);
    let words = format!("a.mp4 {IN_GREEN}");
    let took = usual(&world, &words);
    attack("SIGINT and SIGTERM at random moments", count(10), |n| {
        let after = took.mul_f64(0.05 + dice.below(1000) as f64 / 1000.0);
        let started = Instant::now();
        let mut running = Running::start(&mut world.command(&format!("redact {words} -o o.mp4 -y")));
        running.until(|_| started.elapsed() >= after);
        running.signal(if n % 2 == 0 { Signal::INT } else { Signal::TERM });
        let ran = running.wait();
        quiet(&world)?;
        let names: Vec<String> = world.files().into_keys().collect();
        if ran.code == Some(0) {
            assert_hidden(&scene, &world.path("a.mp4"), &world.path("o.mp4"));
            for name in ["o.mp4", "o.mp4.manifest"] {
                std::fs::remove_file(world.path(name)).unwrap();
            }
            return Ok(());
        }
        // Before the program has set itself up, the signal simply ends it.
        let ended =
            ran.code == Some(1) && ran.err.contains("stopped; nothing was written") || ran.code.is_none();
        match names == ["a.mp4"] && ended {
            true => Ok(()),
            false => Err(format!("after {after:?} {:?}: {names:?} is left; {}", ran.status, ran.err)),
        }
    });
}

#[test]
fn attack_kill_of_each_ffmpeg_never_shows_a_face() {
    let world = World::new();
    let scene = Scene { frames: 75, ..STILL };
    scene.film_with_tone(&world, "a.mp4", "-c:v libx264 -preset veryfast -g 10 -c:a aac");
    let roles: [(&[&str], usize, &str); 6] = [
        (&["ffprobe", "-show_streams"], 0, ""),
        (&["ffprobe", "-show_entries"], 0, ""),
        (&["ffmpeg", "pipe:1"], 0, ""),
        (&["ffmpeg", "pipe:1"], 1, ""),
        (&["ffmpeg", "pipe:0"], 0, ""),
        (&["ffmpeg", "pipe:1"], 0, "--fast"),
    ];
    let mut dice = Dice::new(3);
    attack("kill -9 of each ffmpeg", count(roles.len() * 2), |n| {
        let (role, which, mode) = roles[n % roles.len()];
        let mut running =
            Running::start(&mut world.command(&format!("redact a.mp4 -o o.mp4 -y {mode} {IN_GREEN}")));
        let mut found = None;
        running.until(|pid| {
            found = children(pid, role).get(which).copied();
            found.is_some()
        });
        // Some of its work is done first.
        let (pause, seen) = (Duration::from_millis(dice.below(300) as u64), Instant::now());
        running.until(|_| found.is_none() || seen.elapsed() >= pause);
        if let Some(pid) = found {
            send(pid, Signal::KILL);
        }
        let ran = running.wait();
        quiet(&world)?;
        if ran.code == Some(0) {
            let shots = shots(&world.path("o.mp4"));
            if shots.len() != 75 || shots.iter().any(|s| s.shows_face()) {
                return Err(format!("{role:?} {which}: {} frames, a face among them", shots.len()));
            }
            for name in ["o.mp4", "o.mp4.manifest"] {
                std::fs::remove_file(world.path(name)).unwrap();
            }
            return Ok(());
        }
        let names: Vec<String> = world.files().into_keys().collect();
        match ran.err.contains("error: ") && names == ["a.mp4"] {
            true => Ok(()),
            false => Err(format!("{role:?} {which}: {:?}: {names:?} is left; {}", ran.code, ran.err)),
        }
    });
}

/// Damages a clip in `tries` ways. Every run must end in bounded time with words or with a result, leave nothing
/// otherwise, and show the face in no frame.
fn damaged(name: &str, seed: u64, words: &str, tries: usize) {
    let world = World::new();
    let scene = Scene { size: (192, 160), frames: 12, rate: "12", at: (16, 0), ..STILL };
    scene.film_with_tone(&world, name, words);
    ffmpeg(&world, &format!("-i {{}}/{name} -c copy -y {{}}/again_{name}"));
    std::fs::remove_file(world.path(&format!("again_{name}"))).unwrap();
    world.redact(&format!("{name} -o clean_{name} --fast --preset ultrafast {IN_GREEN}"));
    assert_hidden(&scene, &world.path(name), &world.path(&format!("clean_{name}")));
    for left in [format!("clean_{name}"), format!("clean_{name}.manifest")] {
        std::fs::remove_file(world.path(&left)).unwrap();
    }
    let genuine = world.read(name);
    let mut dice = Dice::new(seed);
    let (mut done, mut whole) = (0, 0);
    attack(&format!("damage to {name}, seed {seed}"), tries, |n| {
        let mut bytes = genuine.clone();
        match n % 5 {
            0 => {
                let at = dice.below(bytes.len());
                bytes[at] ^= 1 << dice.below(8);
            }
            1 => (0..20).for_each(|_| {
                let at = dice.below(bytes.len());
                bytes[at] ^= 1 << dice.below(8);
            }),
            2 => bytes.truncate(dice.below(genuine.len())),
            3 => {
                let at = dice.below(bytes.len());
                let end = (at + 300).min(bytes.len());
                bytes[at..end].fill(dice.below(256) as u8);
            }
            _ => {
                let at = dice.below(bytes.len());
                bytes.drain(at..(at + 1 + dice.below(200)).min(genuine.len()));
            }
        }
        world.write(name, &bytes);
        let before = world.files();
        // Both ways of working: one decoder, and two.
        let mode = if n % 2 == 0 { "--fast" } else { "--verify sample" };
        let ran = world.placet(&format!(
            "redact {name} -o o_{name} --manifest none --preset ultrafast {mode} {IN_GREEN}"
        ));
        let mut after = world.files();
        after.remove(&format!("o_{name}"));
        if after != before {
            return Err(format!("files were left or changed: {:?}", after.keys()));
        }
        if ran.code == Some(0) {
            done += 1;
            whole += usize::from(ran.err.contains("covered whole"));
            let seen = shots(&world.path(&format!("o_{name}"))).iter().position(|s| s.shows_face());
            std::fs::remove_file(world.path(&format!("o_{name}"))).unwrap();
            return seen.map_or(Ok(()), |f| Err(format!("frame {f} shows the face")));
        }
        let words = ran.err.contains("error: ");
        match words && matches!(ran.code, Some(1 | 2 | 6)) && !world.has(&format!("o_{name}")) {
            true => Ok(()),
            false => Err(format!("{:?}: {}", ran.status, ran.err)),
        }
    });
    println!("damage to {name}: {done} gave a result, {whole} of them with frames covered whole");
}

const X264: &str = "-c:v libx264 -preset veryfast -g 4 -c:a aac";

#[test]
fn attack_damaged_mp4() {
    damaged("a.mp4", 11, X264, count(50));
}

#[test]
fn attack_damaged_matroska() {
    damaged("a.mkv", 12, X264, count(50));
}

#[test]
fn attack_damaged_transport_stream() {
    damaged("a.ts", 13, X264, count(50));
}

#[test]
fn attack_damaged_webm() {
    damaged("a.webm", 14, "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 4 -c:a libopus", count(50));
}
