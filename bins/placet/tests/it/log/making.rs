//! A log is made: what is asked for wrongly is told, and leaves nothing behind.

use super::{create, done, ends};
use crate::world::World;

#[test]
fn what_no_log_can_be_made_of_is_told_and_leaves_nothing() {
    let world = World::new();
    world.write("cameras", "hall\n\nentrance\n");
    world.write("bad", "hall\n\nBad Name\n");
    world.write("twice", "hall\nentrance\nhall\n");
    world.write("none", "\n");
    world.write("many", (0..65).map(|n| format!("c{n}\n")).collect::<String>());
    world.write("full/letter", "hello");
    let before = world.files();
    for (words, said) in [
        ("home --origin o.example --cameras bad", "line 3 of `bad`: `Bad Name` is not a camera's name"),
        ("home --origin o.example --cameras twice", "line 3 of `twice`: `hall` stands there twice"),
        ("home --origin o.example --cameras none", "`none` names no camera"),
        ("home --origin o.example --cameras missing", "cannot read `missing`"),
        ("home --origin o.example --cameras many --slots 64", "65 cameras do not fit into the 64 slots"),
        ("home --origin o.example --cameras cameras --slots 0", "2 cameras do not fit into the 0 slots"),
        ("home --origin o.example --cameras cameras --interval 0", "`interval` is not 1 to 3600 seconds"),
        ("home --origin o.example --cameras cameras --interval 3601", "`interval` is not 1 to 3600 seconds"),
        ("home --origin o.example --cameras cameras --reveal-delay 99999999999", "`reveal_delay`"),
        ("home --origin o.example --cameras cameras --oversight x", "oversight keys are written"),
        ("home --origin o+x --cameras cameras", "cannot use the name `o+x`"),
        ("full --origin o.example --cameras cameras", "`full` is not empty"),
        ("cameras --origin o.example --cameras cameras", "`cameras` is no folder"),
    ] {
        ends(&world, &format!("log create {words}"), 2, said);
        assert_eq!(world.files(), before, "{words}");
    }
    for origin in ["", "o x", "o\nx", "o\u{7}x"] {
        let mut command = world.command("log create home --cameras cameras --origin");
        let ran = crate::world::Running::start(command.arg(origin)).wait();
        assert_eq!((ran.code, ran.err.lines().count()), (Some(2), 1), "{origin:?}: {}", ran.err);
        assert_eq!(world.files(), before, "{origin:?}");
    }
    // Nothing of it stands in the way.
    done(&world, "log create home --origin o.example --cameras cameras");
}

#[test]
fn a_log_that_is_there_is_never_made_again() {
    let world = World::new();
    create(&world, "home", "");
    let before = world.files();
    ends(
        &world,
        "log create home --origin other.example --cameras cameras",
        2,
        "there is a log in `home` already",
    );
    assert_eq!(world.files(), before);
    // What is no home is not run, checked or changed.
    for verb in ["run", "fsck", "change-key", "export"] {
        let target = if verb == "export" { "target" } else { "" };
        ends(&world, &format!("log {verb} nowhere {target}"), 2, "`nowhere` is no home of a log");
    }
    ends(&world, "log status nowhere", 2, "`nowhere` is no folder");
    ends(&world, "log run home --listen nonsense", 2, "`nonsense` is no address");
    std::fs::remove_file(world.path("home/log.key")).unwrap();
    ends(&world, "log run home --once", 4, "`home/log.key`, the log's private key, is missing");
}
