//! A log is put where the public reads it, copied, and followed.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;

use super::{NEVER, create, done, ends, entries, serve, stop, until};
use crate::world::World;

#[test]
fn an_export_is_complete_goes_on_and_takes_no_place_of_another_log() {
    let world = World::new();
    create(&world, "home", "");
    done(&world, "log run home --once");
    assert!(done(&world, "log export home public").starts_with("public: 3 entries, "));
    assert!(done(&world, "log export home public").contains("3 entries, 0 files of 0 bytes written"));
    done(&world, "log run home --once --export public");
    // A tick, and a second one where the first interval was over.
    assert!(entries(&world, "public", "--policy home/policy").len() > 3);
    create(&world, "other", "");
    let before = world.files();
    let said = ends(&world, "log export other public", 3, "the checkpoint of another log").err;
    assert!(said.contains("export to another place"), "{said}");
    ends(&world, "log export home s3://", 2, "names no bucket");
    ends(&world, "log export home cameras", 1, "cannot open `cameras`");
    let public = |files: std::collections::BTreeMap<String, _>| {
        files.into_iter().filter(|(name, _)| name.starts_with("public/")).collect::<Vec<_>>()
    };
    assert_eq!(public(world.files()), public(before));
}

#[test]
fn a_mirror_copies_what_is_new_and_mixes_no_two_logs() {
    let world = World::new();
    create(&world, "home", "");
    world.write("policy", world.read("home/policy"));
    done(&world, "log run home --once --export public");
    let mirror = |from: &str, policy: &str| format!("log mirror {from} copy --policy {policy}");
    assert!(done(&world, &mirror("public", "policy")).starts_with("copy: 3 entries, 3 of them new, "));
    assert!(done(&world, &mirror("public", "policy")).contains("3 entries, 0 of them new"));
    super::copy(&world.path("public"), &world.path("before"));
    let (running, url) = serve(&world, "home", "--export public");
    running.says("tick 3 ");
    let json = ends(&world, &format!("{} --json", mirror(&url, "policy")), 0, "").json();
    assert!(json["before"] == 3 && json["size"].as_u64().unwrap() >= 6, "{json}");
    stop(running);
    let leaves = entries(&world, "copy", "--policy policy");
    assert_eq!(leaves, entries(&world, "public", "--policy policy")[..leaves.len()]);
    // An older state of the log is not taken for it, and neither is what cannot be had, or another log.
    ends(&world, &mirror("before", "policy"), 8, "it went back, or an old copy is served");
    ends(&world, &mirror(&url, "policy"), 4, "cannot read `checkpoint`");
    create(&world, "other", "");
    done(&world, "log export other elsewhere");
    ends(&world, &mirror("elsewhere", "other/policy"), 3, "is none of the policy's logs");
    assert_eq!(leaves, entries(&world, "copy", "--policy policy"));
}

/// Takes one POST and gives its body.
fn hook() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/alarms", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut got, mut chunk) = (String::new(), [0; 4096]);
        loop {
            let n = stream.read(&mut chunk).unwrap();
            got.push_str(std::str::from_utf8(&chunk[..n]).unwrap());
            let Some((head, body)) = got.split_once("\r\n\r\n") else { continue };
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() >= length.parse().unwrap() {
                tell.send(body.to_owned()).unwrap();
                break;
            }
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    });
    (url, told)
}

#[test]
fn a_monitor_is_quiet_while_all_is_well_and_tells_once_that_a_log_fell_silent() {
    let world = World::new();
    create(&world, "home", "");
    world.write("policy", world.read("home/policy"));
    let (running, url) = serve(&world, "home", "--export public");
    running.says("tick 3 ");
    let look = |log: &str| format!("log monitor {log} --policy policy --state seen --once");
    ends(&world, &look(&url), 0, "log.example/home: nothing to tell; ");
    assert_eq!(ends(&world, &format!("{} --json", look(&url)), 0, "").text(), "");
    stop(running);
    let (address, told) = hook();
    until(&world, "log status public --policy policy", 1);
    let silent = format!("{} --patience 0 --feed alarms.xml --webhook {address}", look("public"));
    let ran = ends(&world, &silent, 1, "");
    assert!(ran.text().contains("ALARM ") && ran.text().contains("no tick has come"), "{}", ran.text());
    let body: serde_json::Value = serde_json::from_str(&told.recv_timeout(NEVER).unwrap()).unwrap();
    assert!(body.to_string().contains("no tick has come"), "{body}");
    let feed = String::from_utf8(world.read("alarms.xml")).unwrap();
    assert!(feed.contains("<feed") && feed.contains("no tick has come"), "{feed}");
    ends(&world, &format!("{} --patience 0", look("public")), 0, "nothing to tell");
    // A folder that remembers one log is not used for another; a log that cannot be had is an alarm.
    create(&world, "other", "");
    ends(&world, "log monitor public --policy other/policy --state seen --once", 2, "remove it");
    ends(&world, "log monitor public --policy policy --state cameras --once", 1, "cannot use");
    let json =
        ends(&world, &format!("{url_look} --json", url_look = look(&url).replace("seen", "fresh")), 1, "")
            .json();
    assert!(json.to_string().contains("cannot be read"), "{json}");
}
