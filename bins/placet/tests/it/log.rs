//! `placet log` from end to end: real processes on loopback, at ports that the system chooses.

mod changing;
mod day;
mod following;
mod keeping;
mod making;
mod reading;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use placet_record::entry::{Leaf, Moment, Tick};
use placet_tlog::policy::Policy;

use crate::world::{Ran, Running, World};

/// Longer than any wait here: what reaches it never comes.
const NEVER: Duration = Duration::from_secs(40);

/// A log of two cameras and an interval of one second in `home`, whose policy asks for no witness. Its public key.
fn create(world: &World, home: &str, more: &str) -> String {
    world.write("cameras", "hall\nentrance\n");
    let words =
        format!("log create {home} --origin log.example/{home} --cameras cameras --interval 1 {more}");
    done(world, &words);
    let policy = String::from_utf8(world.read(&format!("{home}/policy"))).unwrap();
    policy.lines().next().unwrap().strip_prefix("log ").unwrap().to_owned()
}

/// A run that must succeed; its standard output.
fn done(world: &World, words: &str) -> String {
    let ran = world.placet(words);
    assert_eq!(ran.code, Some(0), "{words}: {}{}", ran.text(), ran.err);
    ran.text()
}

/// A run that must end with `code` and say `words` somewhere.
fn ends(world: &World, command: &str, code: i32, words: &str) -> Ran {
    let ran = world.placet(command);
    let said = format!("{}{}", ran.text(), ran.err);
    assert_eq!(ran.code, Some(code), "{command}: {said}");
    assert!(said.contains(words), "{command}: {said}");
    ran
}

/// A run that does what is due, again until `words` are said: a tick is due once its interval is near.
fn until_said(world: &World, command: &str, words: &str) -> Ran {
    for _ in 0..40 {
        let ran = world.placet(command);
        assert_eq!(ran.code, Some(0), "{command}: {}", ran.err);
        if ran.err.contains(words) {
            return ran;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    unreachable!("{command} never says `{words}`")
}

/// A witness `name` of the logs that the file `logs` names; and its line for a policy.
fn witness(world: &World, name: &str, logs: &str) -> (Running, String) {
    let key = format!("{name}.key");
    let public = match world.has(&key) {
        true => String::from_utf8(world.read(&format!("{name}.pub"))).unwrap(),
        false => done(world, &format!("log witness-key {name}.example/w -o {key}")),
    };
    world.write(&format!("{name}.pub"), &public);
    let words = format!("log witness {name}.seen --key {key} --logs {logs} --listen 127.0.0.1:0");
    let running = Running::start(&mut world.command(&words));
    let said = running.says("listens on");
    let url = said.split_whitespace().last().unwrap();
    assert!(said.starts_with(&format!("witness {} listens on http://127.0.0.1:", public.trim())), "{said}");
    (running, format!("witness {name} {} {url}\n", public.trim()))
}

/// `placet log run` on `home`, served; and its address.
fn serve(world: &World, home: &str, more: &str) -> (Running, String) {
    let words = format!("log run {home} --listen 127.0.0.1:0 {more}");
    let running = Running::start(&mut world.command(&words));
    let said = running.says("the log is at ");
    let url = said.strip_prefix("the log is at ").unwrap().split(',').next().unwrap().to_owned();
    (running, url)
}

/// Asks a program to stop, which it does with success.
fn stop(running: Running) -> Ran {
    running.signal(rustix::process::Signal::TERM);
    let ran = running.wait();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    ran
}

/// All entries that a log shows, by `placet log get --json`.
pub fn entries(world: &World, log: &str, more: &str) -> Vec<Leaf> {
    let said = done(world, &format!("log get {log} 0 --count 100000 --json {more}"));
    let parse = |(index, line): (usize, &str)| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["index"], index);
        Leaf::parse(line["entry"].as_str().unwrap().as_bytes()).unwrap()
    };
    said.lines().enumerate().map(parse).collect()
}

pub fn ticks(leaves: &[Leaf]) -> Vec<Tick> {
    let tick = |leaf: &Leaf| match leaf {
        Leaf::Tick(tick) => Some(tick.clone()),
        _ => None,
    };
    leaves.iter().filter_map(tick).collect()
}

fn policy(world: &World, name: &str) -> Policy {
    Policy::parse(&world.read(name)).unwrap()
}

fn now() -> Moment {
    Moment::from_unix_seconds(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap()
}

/// Runs a command again and again until it ends with `code`.
fn until(world: &World, words: &str, code: i32) -> Ran {
    let started = Instant::now();
    loop {
        let ran = world.placet(words);
        if ran.code == Some(code) {
            return ran;
        }
        assert!(started.elapsed() < NEVER, "{words}: {}{}", ran.text(), ran.err);
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let path = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir(path).unwrap();
        } else {
            fs::copy(entry.path(), path).unwrap();
        }
    }
}
