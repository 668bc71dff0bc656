//! The program as an auditor runs it, on the logs and proofs of the second implementation.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests are free to unwrap and index")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const NOW: &str = "2026-11-22T02:36:06Z";

fn vectors(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/logs").join(name)
}

fn run(args: &[&dyn AsRef<std::ffi::OsStr>]) -> (i32, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_placet-verify"));
    let Output { status, stdout, stderr } =
        program.args(args.iter().map(|arg| arg.as_ref())).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn verify(policy: &Path, input: &dyn AsRef<std::ffi::OsStr>) -> (i32, String, String) {
    run(&[&"--policy", &policy, &"--now", &NOW, input])
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to)
        } else {
            let _ = fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn each_proof_ends_with_its_answer() {
    let policy = vectors("open.policy");
    for (proof, code, start) in [
        (
            "accept-off",
            0,
            "STATED OFF: the log states that no search ran on `hall-north` at 2026-11-22T00:06:30Z, nor at any instant of tick 5",
        ),
        (
            "accept-on",
            0,
            "STATED ON: the log states that a search was on at `hall-north` at 2026-11-22T00:35:05Z",
        ),
        ("accept-gap", 7, "UNKNOWN: the log states nothing of "),
        ("accept-no-answer", 7, "UNKNOWN: the gateway of "),
        ("accept-not-a-camera", 7, "UNKNOWN: `"),
        ("accept-overdue", 7, "UNKNOWN: no reveal is shown"),
    ] {
        let (found, out, err) = verify(&policy, &vectors(&format!("proofs/{proof}.json")));
        assert_eq!((found, err.as_str()), (code, ""), "{proof}: {out}");
        assert!(out.starts_with(start), "{proof}: {out}");
        assert!(out.contains("Against: the policy") && out.contains("Not checked:"), "{out}");
    }
    let (policy, proof) = (vectors("sealed.policy"), vectors("proofs/accept-sealed-will-be-shown.json"));
    let (code, out, _) = run(&[&"--policy", &policy, &"--now", &"2026-11-22T01:30:05Z", &proof]);
    assert_eq!(code, 0);
    assert!(out.starts_with("WILL BE SHOWN ON "), "{out}");
}

#[test]
fn what_is_invalid_or_misbehaves_says_so() {
    let (code, out, err) = verify(&vectors("open.policy"), &vectors("proofs/reject-slot-bytes.json"));
    assert_eq!((code, out.as_str()), (8, ""));
    assert_eq!(
        err,
        "error: INVALID: the proof proves nothing: `slot` does not stand where its path says: the proof leads to another root\n"
    );
    let (code, _, err) =
        verify(&vectors("lying.policy"), &vectors("proofs/accept-misbehaved-no-camera.json"));
    assert_eq!(code, 8);
    assert!(
        err.starts_with("error: MISBEHAVIOUR: the proof is sound and shows it: the log misbehaved: `slot` "),
        "{err}"
    );
    let (code, _, err) = verify(&vectors("open.policy"), &vectors("proofs/reject-key-twice.json"));
    assert_eq!(code, 8);
    assert!(err.contains("is no statement proof") && err.contains("stands twice"), "{err}");
}

#[test]
fn a_whole_log_is_audited_and_its_gaps_are_told() {
    let (code, out, err) = verify(&vectors("open.policy"), &vectors("open"));
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    assert!(
        out.starts_with(
            "SOUND, WITH NOTES: the log `vectors.placet.example/open` at 300 entries, witnessed at "
        ),
        "{out}"
    );
    assert!(out.contains("nothing is stated from ") && out.contains("should have been opened by "), "{out}");
    assert!(out.contains("300 entries in 2 bundles"), "{out}");

    let (code, out, _) =
        run(&[&"--policy", &vectors("open.policy"), &"--now", &NOW, &"--json", &vectors("open")]);
    assert_eq!(code, 1);
    assert!(
        out.starts_with("{\"counted\":{\"bundles\":2,") && out.contains("\"verdict\":\"SOUND, WITH NOTES\""),
        "{out}"
    );

    let since = [&vectors("open.policy"), &vectors("open.fork")];
    let (code, out, _) =
        run(&[&"--policy", since[0], &"--now", &NOW, &"--since", since[1], &vectors("open")]);
    assert_eq!(code, 8);
    assert!(out.starts_with("MISBEHAVIOUR: ") && out.contains("the log signed another history"), "{out}");
}

#[test]
fn a_changed_or_cut_log_is_invalid_and_an_absent_one_is_unavailable() {
    let place = tempfile::tempdir().unwrap();
    let log = place.path().join("log");
    copy(&vectors("open"), &log);
    let bundle = log.join("tile/entries/000");
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[5_000] ^= 1;
    fs::write(&bundle, &bytes).unwrap();
    let (code, out, _) = verify(&vectors("open.policy"), &log);
    assert_eq!(code, 8);
    assert!(out.starts_with("INVALID: ") && out.contains("do not give the root"), "{out}");
    fs::remove_file(log.join("checkpoint")).unwrap();
    let (code, _, err) = verify(&vectors("open.policy"), &log);
    assert_eq!(code, 4);
    assert!(err.contains("no file `checkpoint`"), "{err}");
    assert_eq!(verify(&vectors("open.policy"), &place.path().join("nothing")).0, 4);
    assert_eq!(verify(&vectors("sealed.policy"), &vectors("open")).0, 8, "another log's policy");
}

#[test]
fn a_statement_is_taken_out_of_a_log_as_a_proof() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("proof.json");
    let policy = vectors("open.policy");
    let question: [&dyn AsRef<std::ffi::OsStr>; 10] = [
        &"--policy",
        &policy,
        &"--now",
        &NOW,
        &"--camera",
        &"hall-north",
        &"--at=2026-11-22T00:06:30Z",
        &"--out",
        &out,
        &vectors("open"),
    ];
    let (code, text, err) = run(&question);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(text.starts_with("STATED OFF"), "{text}");
    assert_eq!(fs::read(&out).unwrap(), fs::read(vectors("proofs/accept-off.json")).unwrap());
    assert_eq!(verify(&policy, &out).1, text);
}

#[test]
fn a_policy_from_where_the_log_lies_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let log = place.path().join("log");
    copy(&vectors("open"), &log);
    let outside = place.path().join("mine.policy");
    fs::copy(vectors("open.policy"), &outside).unwrap();
    fs::create_dir(log.join("more")).unwrap();
    fs::copy(&outside, log.join("more/policy")).unwrap();
    std::os::unix::fs::symlink(log.join("more/policy"), place.path().join("link-into")).unwrap();
    std::os::unix::fs::symlink(&outside, log.join("link-out")).unwrap();
    std::os::unix::fs::symlink(&log, place.path().join("folder-link")).unwrap();
    fs::hard_link(log.join("more/policy"), place.path().join("same-file")).unwrap();
    for bad in [
        "log/more/policy",
        "link-into",
        "log/link-out",
        "folder-link/more/policy",
        "log/../log/more/policy",
        "same-file",
    ] {
        let (code, out, err) = verify(&place.path().join(bad), &log);
        assert_eq!((code, out.as_str()), (2, ""), "{bad}");
        assert!(err.contains("lies where what it is to judge lies"), "{bad}: {err}");
    }
    assert_eq!(verify(&outside, &log).0, 1, "the same bytes from elsewhere are believed");
    assert_eq!(verify(&outside, &place.path().join("folder-link")).0, 1);
    let since = log.join("checkpoint");
    let (code, _, err) = run(&[&"--policy", &outside, &"--now", &NOW, &"--since", &since, &log]);
    assert_eq!(code, 2);
    assert!(err.contains("older checkpoint"), "{err}");
    // A proof is one file: what lies beside it does not come from it, but a proof is no policy of its own.
    let proof = place.path().join("proof.json");
    fs::copy(vectors("proofs/accept-off.json"), &proof).unwrap();
    assert_eq!(verify(&outside, &proof).0, 0);
    assert_eq!(verify(&proof, &proof).0, 2);
    let (code, _, err) = run(&[&"--policy", &"https://log.example/policy", &"https://log.example"]);
    assert_eq!(code, 2);
    assert!(err.contains("is a URL"), "{err}");
}

#[test]
fn a_wrong_command_line_is_told_in_words() {
    for (args, word) in [
        (&["x"][..], "`--policy FILE` is missing"),
        (&["--policy"][..], "needs a value"),
        (&["--polizy", "p", "x"][..], "no option"),
        (&["--policy", "p", "--policy", "p", "x"][..], "stands twice"),
        (&["--policy", "p"][..], "one PROOF, FOLDER or URL"),
        (&["--policy", "p", "--camera", "c", "x"][..], "go together"),
        (&["--policy", "p", "--now", "today", "x"][..], "no time in UTC"),
        (&["--policy", "p", "ftp://x"][..], "starts with `https://`"),
        (&["--policy", "p", "https://x/?q"][..], "no prefix"),
    ] {
        let args: Vec<&dyn AsRef<std::ffi::OsStr>> =
            args.iter().map(|arg| arg as &dyn AsRef<std::ffi::OsStr>).collect();
        let (code, out, err) = run(&args);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains(word), "{word}: {err}");
    }
    let (code, out, _) = run(&[&"--help"]);
    assert!(code == 0 && out.contains("Exit codes"));
}

/// What a server answers to a path, if not with a file.
type Answering = fn(&str) -> Option<Vec<u8>>;

/// A server of one folder that knows no ranges; `extra` says what it does with a path before that.
fn serve(root: PathBuf, extra: Answering) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/log", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let root = root.clone();
            std::thread::spawn(move || {
                let mut asked = Vec::new();
                let mut buffer = [0; 4096];
                loop {
                    let read = stream.read(&mut buffer).unwrap_or(0);
                    asked.extend_from_slice(&buffer[..read]);
                    if read == 0 || asked.ends_with(b"\r\n\r\n") {
                        break;
                    }
                }
                let asked = String::from_utf8_lossy(&asked).into_owned();
                let path = asked.split(' ').nth(1).unwrap_or("").trim_start_matches("/log/").to_owned();
                let answer = extra(&path).unwrap_or_else(|| match fs::read(root.join(&path)) {
                    Ok(body) => {
                        let head = format!(
                            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                            body.len()
                        );
                        [head.into_bytes(), body].concat()
                    }
                    Err(_) => {
                        b"HTTP/1.1 404 No\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabsen".to_vec()
                    }
                });
                let _ = stream.write_all(&answer);
            });
        }
    });
    url
}

#[test]
fn a_log_behind_a_url_is_read_by_curl() {
    let url = serve(vectors("open"), |_| None);
    let (code, out, err) = verify(&vectors("open.policy"), &url);
    let (_, folder, _) = verify(&vectors("open.policy"), &vectors("open"));
    assert_eq!((code, out, err), (1, folder, String::new()));
    let policy = vectors("open.policy");
    let (code, out, _) = run(&[
        &"--policy",
        &policy,
        &"--now",
        &NOW,
        &"--camera",
        &"hall-north",
        &"--at",
        &"2026-11-22T00:06:30Z",
        &url,
    ]);
    assert_eq!(code, 0);
    assert!(out.starts_with("STATED OFF"), "{out}");
}

#[test]
fn a_server_that_does_not_behave_is_unavailable_or_invalid_and_never_sound() {
    let policy = vectors("open.policy");
    let answers: [(Answering, i32, &str); 4] = [
        (
            |_| {
                Some(
                    b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_vec(),
                )
            },
            4,
            "no redirect is followed",
        ),
        (|_| Some(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_vec()), 4, "answered 500"),
        (
            |path| {
                (path == "checkpoint")
                    .then(|| [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'a'; 4 << 20]].concat())
            },
            8,
            "more than the",
        ),
        (
            |path| {
                (path == "checkpoint").then(|| b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort".to_vec())
            },
            4,
            "curl",
        ),
    ];
    for (answer, code, word) in answers {
        let (found, out, err) = verify(&policy, &serve(vectors("open"), answer));
        assert_eq!((found, out.as_str()), (code, ""), "{word}: {err}");
        assert!(err.contains(word), "{word}: {err}");
    }
    let (code, _, err) = verify(&policy, &"http://127.0.0.1:1/log");
    assert!(code == 4 && err.contains("could not reach"), "{err}");
    let mut program = Command::new(env!("CARGO_BIN_EXE_placet-verify"));
    let found =
        program.env("PATH", "").args(["--policy"]).arg(&policy).arg("https://log.example").output().unwrap();
    let err = String::from_utf8(found.stderr).unwrap();
    assert!(found.status.code() == Some(4) && err.contains("`curl` is not installed"), "{err}");
}

#[test]
fn what_a_log_says_moves_no_cursor() {
    let place = tempfile::tempdir().unwrap();
    let proof = place.path().join("proof.json");
    fs::write(&proof, "{\"\u{202e}\\u001b[31m\":1,\"type\":\"statement-proof\",\"v\":1}").unwrap();
    let (code, _, err) = verify(&vectors("open.policy"), &proof);
    assert_eq!(code, 8);
    assert!(!err.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{err:?}");
}

/// The crates that the program is made of, by `cargo tree`.
#[test]
fn whoever_reads_the_verifier_has_little_to_read() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "tree",
        "--offline",
        "--package",
        "placet-verify",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let found = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let text = String::from_utf8(found.stdout).unwrap();
    let mut names: Vec<&str> =
        text.lines().filter_map(|line| line.split(' ').next()).filter(|n| !n.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    println!("{} crates: {}", names.len(), names.join(" "));
    let ours = names.iter().filter(|name| name.starts_with("placet")).count();
    assert_eq!(ours, 5, "{names:?}");
    for foreign in
        ["tokio", "reqwest", "hyper", "rustls", "openssl", "native-tls", "ureq", "clap", "libloading"]
    {
        assert!(!names.contains(&foreign), "{foreign}");
    }
    assert!(names.len() <= 45, "{} crates", names.len());
}
