//! A log's files: checked, damaged, written by a program that is killed, and by two at once.

use super::{create, done, ends, entries, serve, stop, ticks, witness};
use crate::world::{Dice, Running, World};

#[test]
fn fsck_finds_a_flipped_bit_and_mends_nothing_but_a_lost_mark() {
    let world = World::new();
    create(&world, "home", "");
    for n in 0..2 {
        let said = world.placet("log run home --once").err;
        assert!(said.contains(&format!("tick {n} for ")), "{said}");
    }
    let sound = done(&world, "log fsck home");
    assert!(sound.contains("4 entries") && sound.contains("sound: "), "{sound}");
    let segment = world.read("home/log/segment-000000");
    let at = segment.windows(7).position(|bytes| bytes == b"genesis").unwrap();
    let mut flipped = segment.clone();
    flipped[at] ^= 1;
    world.write("home/log/segment-000000", &flipped);
    ends(&world, "log fsck home", 8, "WRONG: ");
    let json = ends(&world, "log fsck home --json", 8, "").json();
    assert!(!json["problems"].as_array().unwrap().is_empty(), "{json}");
    ends(&world, "log fsck home --set-mark", 8, "damaged");
    assert_eq!(world.read("home/log/segment-000000"), flipped, "nothing is mended");
    world.write("home/log/segment-000000", &segment);
    done(&world, "log fsck home");

    // What is made of the entries may be behind them, as a killed program leaves it.
    let hashes = world.read("home/log/hashes-0");
    world.write("home/log/hashes-0", &hashes[..64]);
    ends(&world, "log fsck home", 0, "made anew: `hashes-0` is not what the entries make at byte 64");
    assert!(!done(&world, "log fsck home").contains("made anew"));
    assert_eq!(world.read("home/log/hashes-0"), hashes);

    std::fs::remove_file(world.path("home/log/mark")).unwrap();
    for verb in ["fsck home", "status home", "run home --once"] {
        ends(&world, &format!("log {verb}"), 8, "with `placet log fsck --set-mark home`");
    }
    ends(&world, "log fsck home --set-mark", 0, "high-water mark set to 4 entries");
    assert_eq!(ends(&world, "log fsck home --json", 0, "").json()["entries"], 4);
    let (running, _) = serve(&world, "home", "");
    for verb in ["fsck home", "fsck home --set-mark", "status home", "run home --once", "export home public"]
    {
        ends(&world, &format!("log {verb}"), 4, "is open elsewhere");
    }
    stop(running);
    done(&world, "log fsck home");
}

#[test]
fn a_log_that_is_killed_a_dozen_times_is_sound_and_numbers_no_tick_twice() {
    let world = World::new();
    create(&world, "home", "");
    let mut dice = Dice::new(12);
    for round in 1..=12 {
        // Far ahead of its time it writes one tick after the other without a pause, and is hit while it writes.
        let running = Running::start(&mut world.command(&format!("log run home --lead {}", 40 * round)));
        for _ in 0..=dice.below(20) {
            running.says("tick ");
        }
        running.signal(rustix::process::Signal::KILL);
        assert_eq!(running.wait().code, None);
    }
    done(&world, "log fsck home");
    done(&world, "log run home --once --lead 1000");
    let said = done(&world, "log fsck home");
    assert!(said.contains("sound: "), "{said}");
    let ticks = ticks(&entries(&world, "home", ""));
    assert!(ticks.len() > 12, "{}", ticks.len());
    for (n, tick) in ticks.iter().enumerate() {
        assert_eq!(tick.n, n as u64);
    }
    assert!(ticks.windows(2).all(|pair| pair[0].start < pair[1].start));
}

#[test]
fn a_witness_stops_the_second_of_two_logs_with_one_key() {
    let world = World::new();
    let key = create(&world, "home", "");
    world.write("logs", format!("log {key}\nquorum none\n"));
    let policy = |line: &str| format!("log {key}\n{line}quorum court\n");
    let (court, line) = witness(&world, "court", "logs");
    world.write("home/policy", policy(&line));
    done(&world, "log run home --once");
    super::copy(&world.path("home"), &world.path("copy"));
    let said = super::until_said(&world, "log run home --once", "tick 1 ").err;
    assert!(said.contains("seen by its witnesses"), "{said}");
    // The copy has fewer entries than the witness has seen, and does not begin.
    let before = world.read("copy/log/segment-000000");
    ends(&world, "log run copy", 3, "the witness `court` has seen 4 entries of this log, which has 3");
    assert_eq!(world.read("copy/log/segment-000000"), before, "nothing is signed");
    // It goes its own way while the witness is away, and is found out when it is back.
    drop(court);
    world.write("next", "hall\nelsewhere\n");
    done(&world, "log set-cameras copy next");
    for _ in 0..2 {
        super::until_said(&world, "log run copy --once", "NOT WITNESSED");
    }
    let (_court, line) = witness(&world, "court", "logs");
    for home in ["home", "copy"] {
        world.write(&format!("{home}/policy"), policy(&line));
    }
    let ran = ends(&world, "log run copy", 3, "nothing is signed until an operator has found out which");
    assert!(ran.err.contains("court") && !ran.err.contains("seen by its witnesses"), "{}", ran.err);
    // It is not forgotten when the program is started again.
    let before = world.read("copy/log/segment-000000");
    for verb in ["run copy --once", "set-cameras copy cameras", "change-key copy"] {
        ends(&world, &format!("log {verb}"), 3, "when it is found out, remove `copy/alarm`");
    }
    assert_eq!(world.read("copy/log/segment-000000"), before, "nothing is signed");
    super::until_said(&world, "log run home --once", "seen by its witnesses");
}
