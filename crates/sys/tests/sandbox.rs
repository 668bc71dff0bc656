//! Attacks on the sandbox, from inside it.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use placet_sys::sandbox::{REFUSED, Sandbox, probe};

const WRAPPER: &str = env!("CARGO_BIN_EXE_placet-sandbox");
const ATTACKER: &str = env!("CARGO_BIN_EXE_placet-sandbox-attack");

/// Each attack, and whether it gets through without a sandbox on an ordinary machine: where it does, its refusal
/// inside shows that the sandbox is what refuses.
#[rustfmt::skip]
const ATTACKS: &[(&str, bool)] = &[
    ("read-file", true), ("read-passwd", true), ("list-directory", true), ("create-file", true),
    ("create-directory", true), ("symlink", true), ("hard-link", true), ("rename", true), ("remove", true),
    ("overwrite", true), ("truncate", true), ("chmod", true), ("tcp-connect", true), ("tcp-listen", true),
    ("udp", true), ("unix-connect", true), ("socket-pair", true), ("exec-shell", true), ("exec-copy", true),
    ("spawn", true), ("fork", true), ("memory", true), ("read-descriptor-9", false), ("read-memory", false),
    ("read-other-memory", false), ("ptrace", false), ("signal", true), ("signal-thread", true),
    ("signal-by-descriptor", false), ("mount", false), ("unshare", false), ("set-namespace", true), ("bpf", false),
    ("io-uring", false), ("keyring", false), ("userfaultfd", false), ("perf", false), ("memfd", true),
    ("raise-limit", true), ("outlive-parent", true), ("become-dumpable", true), ("change-directory", true),
    ("change-root", false), ("set-time", true), ("terminal-input", false), ("open-by-handle", false),
    ("socket-raw", false), ("overwrite-input", true),
];

/// A directory with a file, a socket that listens and a program; a process to be attacked.
struct Scene {
    dir: tempfile::TempDir,
    victim: Child,
    _listener: std::os::unix::net::UnixListener,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("secret"), "secret").unwrap();
        fs::write(dir.path().join("input"), "input").unwrap();
        fs::copy("/bin/true", dir.path().join("true")).unwrap();
        let listener = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        // `cat` waits for as long as its input stays open.
        let victim = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        Self { dir, victim, _listener: listener }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn arguments(&self, attack: &str) -> Vec<std::ffi::OsString> {
        let file = if attack == "overwrite-input" { "input" } else { "secret" };
        let pid = self.victim.id().to_string();
        vec![attack.into(), self.path(file).into(), self.dir.path().into(), pid.into()]
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.victim.kill().unwrap();
        self.victim.wait().unwrap();
    }
}

fn sandbox(program: impl Into<PathBuf>) -> Sandbox {
    Sandbox {
        program: program.into(),
        read: Vec::new(),
        write: Vec::new(),
        device: None,
        memory_bytes: 512 << 20,
        parent: Some(std::process::id()),
    }
}

fn locked_in(sandbox: &Sandbox) -> Command {
    let mut command = Command::new(WRAPPER);
    command.arg("sandbox-exec").args(sandbox.to_args());
    command
}

#[test]
fn every_attack_is_refused_inside_and_most_succeed_outside() {
    let scene = Scene::new();
    let inside = Sandbox { read: vec![scene.path("input")], ..sandbox(ATTACKER) };
    let mut through = Vec::new();
    for (attack, succeeds_outside) in ATTACKS {
        if *succeeds_outside {
            let out = Command::new(ATTACKER).args(scene.arguments(attack)).output().unwrap();
            assert_eq!(out.status.code(), Some(0), "{attack} outside: {out:?}");
            let _ = fs::remove_file(scene.path(&format!("new-{attack}")));
            let _ = fs::remove_dir(scene.path(&format!("new-{attack}")));
        }
        let out = locked_in(&inside).args(scene.arguments(attack)).output().unwrap();
        match out.status.code() {
            Some(1) => {}
            Some(0) => through.push(*attack),
            _ => panic!("{attack}: {out:?}"),
        }
    }
    println!("{} tried, {} got through", ATTACKS.len(), through.len());
    assert!(through.is_empty(), "{through:?}");
    assert_eq!(fs::read(scene.path("input")).unwrap(), b"input");
}

#[test]
fn what_is_named_works() {
    let scene = Scene::new();
    let out = scene.path("out");
    fs::write(&out, "").unwrap();
    let inside = Sandbox { read: vec![scene.path("input")], write: vec![out.clone()], ..sandbox("/bin/cp") };
    // `cp --no-preserve` opens the existing file and cuts it; it needs no right to create.
    let done = locked_in(&inside).arg(scene.path("input")).arg(&out).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    assert_eq!(fs::read(&out).unwrap(), b"input");
}

#[test]
fn a_program_that_may_write_nothing_cannot_grow_a_file_it_was_handed() {
    let scene = Scene::new();
    let handed = fs::File::create(scene.path("handed")).unwrap();
    let inside = Sandbox { read: vec![scene.path("input")], ..sandbox("/bin/cat") };
    let done = locked_in(&inside).arg(scene.path("input")).stdout(handed).status().unwrap();
    assert!(!done.success());
    assert_eq!(fs::metadata(scene.path("handed")).unwrap().len(), 0);
}

#[test]
fn descriptors_of_the_parent_do_not_get_in() {
    let scene = Scene::new();
    // A descriptor that survives exec, as a careless shell leaves one.
    let secret = fs::File::open(scene.path("secret")).unwrap();
    let leaked = rustix::io::fcntl_dupfd_cloexec(&secret, 9).unwrap();
    rustix::io::fcntl_setfd(&leaked, rustix::io::FdFlags::empty()).unwrap();
    let number = leaked.as_raw_fd();
    let attack = format!("test -e /proc/self/fd/{number}");
    assert!(Command::new("sh").args(["-c", &attack]).status().unwrap().success(), "it does leak without");
    let read = format!("cat <&{number}");
    let shell = fs::canonicalize("/bin/sh").unwrap();
    let out = locked_in(&sandbox(shell)).args(["-c", &read]).output().unwrap();
    assert!(!out.status.success() && out.stdout.is_empty(), "{out:?}");
}

#[test]
fn refusals_before_the_start_say_why() {
    let missing = Sandbox { read: vec!["/no/such/file".into()], ..sandbox(ATTACKER) };
    let orphan = Sandbox { parent: Some(1), ..sandbox(ATTACKER) };
    let no_program = sandbox("/no/such/program");
    for (bad, word) in [(missing, "/no/such/file"), (orphan, "is gone"), (no_program, "/no/such/program")] {
        let out = locked_in(&bad).output().unwrap();
        assert_eq!(out.status.code(), Some(i32::from(REFUSED)));
        let text = String::from_utf8(out.stderr).unwrap();
        assert!(text.starts_with("sandbox: ") && text.contains(word), "{text}");
    }
}

#[test]
fn the_program_dies_with_its_parent() {
    let inside = Sandbox { parent: None, ..sandbox("/bin/cat") };
    let args: Vec<String> = inside.to_args().iter().map(|a| a.to_str().unwrap().to_owned()).collect();
    // A shell that starts a locked-in `cat` and waits for it; `exec 3<&0` keeps our pipe for a background job.
    let script = format!("exec 3<&0; {WRAPPER} sandbox-exec {} <&3 & wait", args.join(" "));
    let mut shell = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut to, mut from) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
    to.write_all(b"x").unwrap();
    let mut byte = [0];
    from.read_exact(&mut byte).unwrap();
    shell.kill().unwrap();
    shell.wait().unwrap();
    // Our end of its input is still open: only its death ends the output.
    assert_eq!(from.read(&mut byte).unwrap(), 0);
    drop(to);
}

#[test]
fn this_kernel_offers_what_is_required() {
    let offer = probe();
    println!("{offer:?}");
    assert!(offer.suffices(), "these tests need a kernel with Landlock and seccomp");
}
