//! A log that runs with three witnesses, read over HTTP, in a folder and in its home.

use placet_audit::{Answer, StatementProof, Witnessed};
use placet_record::entry::Moment;
use placet_tlog::proof::Proof;

use super::{create, done, ends, entries, now, policy, serve, stop, ticks, until, witness};
use crate::world::{Running, World};

/// A log with three witnesses, one of the first two and the third being asked for; and they.
fn witnessed(world: &World) -> Vec<Running> {
    let key = create(world, "home", "");
    world.write("logs", format!("log {key}\nquorum none\n"));
    let (running, lines): (Vec<_>, Vec<_>) =
        ["court", "university", "newspaper"].iter().map(|name| witness(world, name, "logs")).unzip();
    let quorum = "group public any court university\ngroup both all public newspaper\nquorum both\n";
    let text = format!("log {key}\n{}{quorum}", lines.concat());
    world.write("home/policy", &text);
    world.write("policy", text);
    running
}

#[test]
fn a_log_answers_the_same_by_its_address_in_a_folder_and_at_home() {
    let world = World::new();
    let mut witnesses = witnessed(&world);
    // One of the first two may be away.
    drop(witnesses.remove(0));
    let (running, url) = serve(&world, "home", "--export public");
    assert!(running.says("the witness `court` did not").contains("did not"));
    assert!(running.says("tick 6 ").ends_with("seen by its witnesses"));
    let tick = ticks(&entries(&world, &url, "--policy policy"))[4].clone();
    // Its interval is over and opened when another three were stated.
    running.says("tick 10 ");
    for log in [&url, "public"] {
        statement(&world, &format!("{log} --policy policy"), tick.start);
    }
    let status = done(&world, &format!("log status {url} --policy policy"));
    assert!(status.starts_with("log.example/home: ") && status.contains("witnessed by as many"), "{status}");
    ends(&world, "log status home", 4, "is open elsewhere");
    let said = stop(running).err;
    assert!(!said.contains("NOT WITNESSED"), "{said}");
    drop(witnesses);
    statement(&world, "home", tick.start);
    one_entry(&world, "public --policy policy");
    silent(&world);
    ends(&world, &format!("log status {url} --policy policy"), 4, "cannot read `checkpoint`");
}

/// All that `was-it-on` says about an instant of a tick that is over.
fn statement(world: &World, log: &str, at: Moment) {
    let ask = |camera: &str, at: Moment| format!("log was-it-on {log} --camera {camera} --at {at}");
    let path = world.path("proof.json");
    let ran = world.placet(&format!("{} --proof {}", ask("hall", at), path.display()));
    assert_eq!(ran.code, Some(0), "{log}: {}{}", ran.text(), ran.err);
    assert!(
        ran.text().starts_with(&format!("STATED OFF: no search ran on `hall` at {at}")),
        "{}",
        ran.text()
    );
    let proof = StatementProof::parse(&world.read("proof.json")).unwrap();
    let found = proof.verify(&policy(world, "policy"), now()).unwrap();
    assert_eq!((found.camera.as_str(), found.at, &found.answer), ("hall", at, &Answer::Off));
    assert!(matches!(found.witnessed, Witnessed::InTime { .. } | Witnessed::Late { .. }), "{found}");
    assert_eq!(ran.text(), format!("{found}\n"));
    ends(world, &format!("{} --proof proof.json", ask("hall", at)), 2, "`proof.json` exists");
    std::fs::remove_file(path).unwrap();
    let later = now().plus(3600).unwrap();
    for (camera, at, said, why) in [
        ("nobody", at, "UNKNOWN: `nobody` was no camera", "not_a_camera"),
        ("hall", later, "UNKNOWN: no tick is shown that speaks of", "not_yet"),
        ("hall", "2020-01-01T00:00:00Z".parse().unwrap(), "UNKNOWN: 2020-01-01", "before_the_log"),
    ] {
        let ran = ends(world, &ask(camera, at), 7, said);
        assert!(ran.text().starts_with(said), "{}", ran.text());
        let json = ends(world, &format!("{} --json", ask(camera, at)), 7, "").json();
        assert_eq!((&json["answer"]["stated"], &json["answer"]["why"]), (&"unknown".into(), &why.into()));
        assert_eq!((&json["camera"], &json["at"]), (&camera.into(), &at.to_string().into()));
    }
}

/// An entry, and the proof that it is there.
fn one_entry(world: &World, log: &str) {
    let shown = done(world, &format!("log get {log} 3 --count 1"));
    let entry = shown.trim_end().strip_prefix("3 ").unwrap();
    let proof = Proof::parse(done(world, &format!("log prove {log} 3")).as_bytes()).unwrap();
    proof.verify(entry.as_bytes(), &policy(world, "policy")).unwrap();
    assert!(proof.verify(entry.replace('1', "2").as_bytes(), &policy(world, "policy")).is_err());
    done(world, &format!("log prove {log} 3 -o entry.proof"));
    assert_eq!(Proof::parse(&world.read("entry.proof")).unwrap(), proof);
    ends(world, &format!("log prove {log} 3 -o entry.proof"), 2, "`entry.proof` exists");
    let json = ends(world, &format!("log prove {log} 3 --json"), 0, "").json();
    assert_eq!((&json["entry"], &json["proof"]), (&entry.into(), &proof.to_string().into()));
    for verb in ["get", "prove"] {
        ends(world, &format!("log {verb} {log} 99999"), 2, "entr");
    }
    ends(world, &format!("log get {log} --count 0"), 2, "--count");
    let last = done(world, &format!("log get {log} --count 2"));
    let all = entries(world, log, "").len();
    assert!(last.starts_with(&format!("{} ", all - 2)) && last.lines().count() == 2, "{last}");
}

/// A log that stopped, and whom to believe about it.
fn silent(world: &World) {
    until(world, "log status public --policy policy", 1);
    let ran = ends(world, "log status public --policy policy --json", 1, "");
    let json = ran.json();
    assert_eq!(json["silent_since"], json["stated_until"]);
    assert_eq!(
        (&json["origin"], &json["interval"], &json["slots"]),
        (&"log.example/home".into(), &1.into(), &64.into())
    );
    assert!(json["witnessed_at"].is_string() && json["last_tick"].as_u64().unwrap() >= 10, "{json}");
    ends(world, "log status public", 2, "--policy FILE is needed");
    world.write("public/policy", world.read("policy"));
    ends(world, "log status public --policy public/policy", 2, "lies inside the log it is to judge");
    std::fs::remove_file(world.path("public/policy")).unwrap();
    create(world, "other", "");
    for verb in ["status public", "get public", "was-it-on public --camera hall --at 2026-01-01T00:00:00Z"] {
        ends(world, &format!("log {verb} --policy other/policy"), 8, "no key for that log is known");
    }
    // As many witnesses as there never were.
    let strict = String::from_utf8(world.read("policy")).unwrap().replace("public any", "public all");
    world.write("strict", strict);
    ends(world, "log get public --policy strict", 8, "not accepted");
    ends(world, "log get public --policy cameras", 2, "`cameras` is no policy: line 1");
}
