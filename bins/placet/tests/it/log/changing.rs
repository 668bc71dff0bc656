//! What changes in a log: its key, its cameras; and deposits for an oversight body.

use placet_record::entry::{CameraRoster, Leaf};

use super::{create, done, ends, entries};
use crate::world::World;

#[test]
fn a_changed_key_is_believed_by_those_who_were_told_and_by_nobody_else() {
    let world = World::new();
    let old = create(&world, "home", "");
    world.write("old", world.read("home/policy"));
    done(&world, "log run home --once");
    let said = done(&world, "log change-key home");
    let new = said.split_whitespace().last().unwrap().to_owned();
    assert!(said.contains(&format!("signed by the old key {old}")) && new != old, "{said}");
    assert_eq!(world.read("home/policy"), format!("log {new}\nlog {old}\nquorum none\n").into_bytes());
    assert!(!world.has("home/log.next.key") && world.has("home/log.key.old"));
    for _ in 0..2 {
        done(&world, "log run home --once");
    }
    done(&world, "log export home public");
    ends(&world, "log get public --policy old", 8, "not accepted");
    world.write("both", world.read("home/policy"));
    let leaves = entries(&world, "public", "--policy both");
    assert!(leaves.iter().any(|leaf| matches!(leaf, Leaf::Key(_))));
    // Once more, and the log goes on.
    done(&world, "log change-key home");
    done(&world, "log run home --once");
    done(&world, "log fsck home");
    ends(&world, "log change-key public", 2, "is no home of a log");
}

#[test]
fn a_change_of_key_that_stopped_on_the_way_is_settled() {
    let world = World::new();
    create(&world, "home", "");
    done(&world, "log run home --once");
    let [policy, key] = ["home/policy", "home/log.key"].map(|name| world.read(name));
    done(&world, "log change-key home");
    let after = world.read("home/policy");
    // As if it had been killed after the entry was written: the new key has its first name, and the rest is as before.
    std::fs::rename(world.path("home/log.key"), world.path("home/log.next.key")).unwrap();
    std::fs::rename(world.path("home/log.key.old"), world.path("home/log.key")).unwrap();
    assert_eq!(world.read("home/log.key"), key);
    world.write("home/policy", policy);
    ends(&world, "log change-key home", 0, "an earlier change of key has been settled");
    assert_eq!(world.read("home/policy"), after);
    assert!(!world.has("home/log.next.key"));
    done(&world, "log run home --once");
    done(&world, "log fsck home");
}

#[test]
fn cameras_that_stay_keep_their_slots() {
    let world = World::new();
    create(&world, "home", "--slots 3");
    world.write("next", "new\nentrance\n");
    assert!(done(&world, "log set-cameras home next").contains("2 cameras, from the next tick on"));
    world.write("many", "a\nb\nc\nentrance\n");
    ends(&world, "log set-cameras home many", 2, "do not fit into the 3 slots");
    world.write("bad", "a\nB\n");
    ends(&world, "log set-cameras home bad", 2, "line 2 of `bad`");
    done(&world, "log run home --once");
    done(&world, "log export home public");
    let slots: Vec<_> = entries(&world, "home", "")
        .into_iter()
        .filter_map(|leaf| match leaf {
            Leaf::Roster(roster) => Some(world.read(&format!("public/roster/{}", roster.digest.hex()))),
            _ => None,
        })
        .map(|bytes| {
            let roster = CameraRoster::parse(&bytes).unwrap();
            roster.iter().map(|(slot, camera)| (slot, camera.to_string())).collect::<Vec<_>>()
        })
        .collect();
    let named = |pairs: [(u32, &str); 2]| pairs.map(|(slot, name)| (slot, name.to_owned())).to_vec();
    assert_eq!(slots, [named([(0, "hall"), (1, "entrance")]), named([(0, "new"), (1, "entrance")])]);
}

#[test]
fn a_deposit_opens_for_the_body_it_was_made_for_and_is_held_against_the_log() {
    let world = World::new();
    let public = done(&world, "log oversight-key -o body.key");
    done(&world, "log oversight-key -o other.key");
    ends(&world, "log oversight-key -o body.key", 2, "exists");
    create(&world, "home", &format!("--oversight {}", public.trim()));
    done(&world, "log run home --once");
    let names: Vec<_> = std::fs::read_dir(world.path("home/confidential/deposits")).unwrap().collect();
    assert_eq!(names.len(), 1, "the key that seeds are made with");
    let bytes = std::fs::read(names[0].as_ref().unwrap().path()).unwrap();
    world.write("deposit", &bytes);
    let ran = ends(&world, "log open-deposit deposit --key body.key home", 0, "committed to what follows");
    assert!(ran.json()["seed_key"].is_string(), "{}", ran.text());
    let json = ends(&world, "log open-deposit deposit --key body.key home --json", 0, "").json();
    assert_eq!((&json["record"], &json["index"], &json["kind"]), (&ran.json(), &2.into(), &"note".into()));
    ends(&world, "log open-deposit deposit --key other.key home", 3, "another oversight body's key");
    ends(&world, "log open-deposit deposit --key home/log.key home", 2, "`home/log.key` is no oversight key");
    let mut changed = bytes;
    *changed.last_mut().unwrap() ^= 1;
    world.write("changed", &changed);
    ends(&world, "log open-deposit changed --key body.key home", 3, "no event of the log names a deposit");
    world.write("short", &changed[1..]);
    ends(&world, "log open-deposit short --key body.key home", 2, "a deposit has");
}

#[test]
fn the_key_of_a_witness_is_made_once_and_no_other_key_does() {
    let world = World::new();
    create(&world, "home", "");
    let public = done(&world, "log witness-key court.example/w -o court.key");
    assert!(public.starts_with("court.example/w+"), "{public}");
    ends(&world, "log witness-key court.example/w -o court.key", 2, "never overwritten");
    ends(&world, "log witness-key o+x -o next.key", 2, "a key name is");
    assert!(!world.has("next.key"));
    let with = |rest: &str| format!("log witness seen --listen 127.0.0.1:0 {rest}");
    done(&world, "log oversight-key -o body.key");
    ends(&world, &with("--key body.key --logs home/policy"), 2, "`body.key` is no witness's key");
    ends(&world, &with("--key court.key --logs cameras"), 2, "`cameras` is no policy");
    world.write("nothing", "quorum none\n");
    ends(&world, &with("--key court.key --logs nothing"), 2, "`nothing` names no log");
}
