//! The interview on a real terminal: `script` gives the program one. Nothing is written before it is whole.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed step of a test is a failed test")]

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The program on a terminal of its own; what it shows arrives in pieces.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    shown: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn open(folder: &Path, args: &str) -> Self {
        let command = format!("'{}' decide {args}", env!("CARGO_BIN_EXE_placet"));
        // Whoever runs the tests in the background has interrupts ignored, which the terminal's child would inherit.
        let mut child = Command::new("env")
            .args([
                "--default-signal=INT",
                "script",
                "--quiet",
                "--return",
                "--command",
                &command,
                "/dev/null",
            ])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let keys = child.stdin.take().unwrap();
        let mut screen = child.stdout.take().unwrap();
        let (send, shown) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = screen.read(&mut buffer) {
                if send.send(buffer.get(..n).unwrap_or_default().to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keys, shown, seen: String::new() }
    }

    /// Waits until the words have been shown since the last key.
    fn expect(&mut self, words: &str) {
        while !self.seen.contains(words) {
            let piece = self.shown.recv_timeout(Duration::from_secs(60));
            let piece = piece.unwrap_or_else(|e| panic!("no `{words}` ({e}); shown: {}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&piece));
        }
    }

    fn press(&mut self, keys: &str) {
        self.seen.clear();
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// The exit status and all that was still shown.
    fn end(mut self) -> (i32, String) {
        let mut seen = std::mem::take(&mut self.seen);
        while let Ok(piece) = self.shown.recv_timeout(Duration::from_secs(60)) {
            seen.push_str(&String::from_utf8_lossy(&piece));
        }
        drop(self.keys);
        (self.child.wait().unwrap().code().unwrap(), seen)
    }
}

fn left_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn answers_given_on_a_terminal_are_kept_and_say_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::open(folder.path(), "--as-of 2026-11-22");
    terminal.expect("> ");
    terminal.press("nonsense\n"); // told, and asked again
    terminal.expect("> ");
    terminal.press("help\n"); // told how to answer, and asked again
    terminal.expect("Answer with");
    terminal.expect("> ");
    terminal.press("?\n"); // don't know: the next question comes
    terminal.expect("> ");
    terminal.press("b\n"); // back to the first
    terminal.expect("> ");
    terminal.press("3\n"); // neither an AI system nor a model: nothing else can matter
    terminal.expect("answers written to facts.toml");
    let (status, shown) = terminal.end();
    assert_eq!(status, 0, "{shown}");
    assert!(shown.contains("OUT OF SCOPE"), "{shown}");
    assert_eq!(left_in(folder.path()), ["facts.toml"]);

    let again = Command::new(env!("CARGO_BIN_EXE_placet"))
        .args(["decide", "facts.toml", "--as-of", "2026-11-22"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(again.status.success());
    let words = String::from_utf8(again.stdout).unwrap().replace('\n', "\r\n");
    assert!(shown.ends_with(&words), "{shown}\n---\n{words}");
}

#[test]
fn not_knowing_anything_ends_in_cannot_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::open(folder.path(), "--as-of 2026-11-22 --out mine.toml");
    terminal.expect("> ");
    terminal.press("?\n");
    terminal.expect("> ");
    terminal.press("q\n");
    let (status, shown) = terminal.end();
    assert_eq!(status, 7, "{shown}");
    assert!(shown.contains("cannot say"), "{shown}");
    assert_eq!(left_in(folder.path()), ["mine.toml"]);
}

#[test]
fn an_interview_broken_off_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::open(folder.path(), "");
    terminal.expect("> ");
    terminal.press("1\n");
    terminal.expect("> ");
    terminal.press("\u{3}"); // Ctrl-C
    let (status, shown) = terminal.end();
    assert_ne!(status, 0, "{shown}");
    assert!(left_in(folder.path()).is_empty(), "{:?}", left_in(folder.path()));
}

#[test]
fn answers_never_replace_a_file_that_stands() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("facts.toml"), "mine").unwrap();
    let mut terminal = Terminal::open(folder.path(), "--as-of 2026-11-22");
    terminal.expect("> ");
    terminal.press("3\n");
    terminal.expect("answers written to facts-2.toml");
    let (status, shown) = terminal.end();
    assert_eq!(status, 0, "{shown}");
    assert_eq!(std::fs::read(folder.path().join("facts.toml")).unwrap(), b"mine");

    // A file that is named is asked about before the questions, not after them.
    let terminal = Terminal::open(folder.path(), "--as-of 2026-11-22 --out facts.toml");
    let (status, shown) = terminal.end();
    assert_eq!(status, 2, "{shown}");
    assert!(shown.contains("is left as it is"), "{shown}");
    assert_eq!(std::fs::read(folder.path().join("facts.toml")).unwrap(), b"mine");
}

fn decide(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_placet")).args(args).current_dir(folder).output().unwrap();
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code().unwrap(), words(&out.stdout), words(&out.stderr))
}

#[test]
fn a_page_replaces_an_earlier_page_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (status, _, errors) = decide(folder.path(), &["decide", "--new", "case:gate", "-o", "gate.toml"]);
    assert_eq!(status, 0, "{errors}");
    for _ in 0..2 {
        let (status, _, errors) = decide(folder.path(), &["decide", "gate.toml", "--html", "gate.html"]);
        assert_eq!(status, 0, "{errors}");
    }
    let page = std::fs::read_to_string(at("gate.html")).unwrap();
    assert_eq!(page.matches("<html").count(), 1);
    std::fs::write(at("other.html"), "<html>mine</html>").unwrap();
    for args in [
        &["decide", "gate.toml", "--html", "other.html"][..],
        &["decide", "gate.toml", "--html", "gate.toml"],
    ] {
        let (status, _, errors) = decide(folder.path(), args);
        assert_eq!(status, 2, "{errors}");
        assert!(errors.contains("no page of ours"), "{errors}");
    }
    assert_eq!(std::fs::read_to_string(at("other.html")).unwrap(), "<html>mine</html>");
    // Several texts make one page.
    let (status, _, errors) =
        decide(folder.path(), &["decide", "gate.toml", "--text", "all", "--html", "gate.html"]);
    assert_eq!(status, 0, "{errors}");
    let page = std::fs::read_to_string(at("gate.html")).unwrap();
    assert_eq!((page.matches("<html").count(), page.matches("<section id=").count()), (1, 5));
    assert!(!page.contains("<script") && !page.contains("src="), "a page loads nothing");
}

#[test]
fn the_six_cases_come_out_as_facts_files_that_can_be_decided() {
    let folder = tempfile::tempdir().unwrap();
    for (name, code, words) in [
        ("case:1", 3, "PROHIBITED"),
        ("case:child", 0, "PERMITTED ON CONDITIONS"),
        ("case:stadium", 3, "HIGH-RISK"),
        ("case:robbery", 0, "PERMITTED ON CONDITIONS"),
        ("case:5", 0, "MINIMAL RISK"),
        ("case:video", 0, "MINIMAL RISK"),
    ] {
        let file = format!("{}.toml", name.replace(':', "-"));
        let (status, _, errors) = decide(folder.path(), &["decide", "--new", name, "-o", &file]);
        assert_eq!(status, 0, "{name}: {errors}");
        let (status, shown, errors) = decide(folder.path(), &["decide", &file, "--as-of", "2031-06-01"]);
        assert_eq!(status, code, "{name}: {shown}{errors}");
        assert!(shown.contains(words), "{name}: {shown}");
    }
    let (status, _, errors) = decide(folder.path(), &["decide", "--new", "case:police"]);
    assert_eq!(status, 2);
    assert!(errors.contains("case:6"), "{errors}");
}

#[test]
fn what_is_not_mentioned_is_not_so_only_on_the_reader_s_word() {
    let folder = tempfile::tempdir().unwrap();
    let facts = "subject = \"system\"\nstage = \"use\"\nactor = \"private\"\ntalks_with_people = true\n";
    std::fs::write(folder.path().join("bot.toml"), facts).unwrap();
    let ask = |more: &[&str]| {
        let args: Vec<&str> =
            ["decide", "bot.toml", "--as-of", "2026-11-22"].iter().chain(more).copied().collect();
        decide(folder.path(), &args)
    };
    assert_eq!(ask(&[]).0, 7);
    let (status, shown, errors) = ask(&["--rest-not-so", "--html", "bot.html"]);
    assert_eq!(status, 0, "{shown}{errors}");
    assert!(shown.contains("TRANSPARENCY DUTIES") && shown.contains("TAKEN FOR GRANTED BY YOU"), "{shown}");
    assert!(shown.contains("it works on biometric data: no (biometrics)"), "{shown}");
    let page = std::fs::read_to_string(folder.path().join("bot.html")).unwrap();
    assert!(page.contains("Taken for granted by the reader"));
    let json: serde_json::Value = serde_json::from_str(&ask(&["--rest-not-so", "--json"]).1).unwrap();
    let assumed = json["assumed by the reader"].as_array().unwrap();
    assert!(assumed.iter().any(|a| a["fact"] == "biometrics" && a["value"] == "no"), "{assumed:?}");
    let json: serde_json::Value = serde_json::from_str(&ask(&["--json"]).1).unwrap();
    assert_eq!(json["assumed by the reader"], serde_json::json!([]));
}

#[test]
fn a_form_with_four_answers_and_what_stands_out_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let (status, form, errors) = decide(folder.path(), &["decide", "--new", "system"]);
    assert_eq!(status, 0, "{errors}");
    let filled = form
        .replace("\nsubject = \"unknown\"", "\nsubject = \"system\"")
        .replace("\nstage = \"unknown\"", "\nstage = \"use\"")
        .replace("\nactor = \"unknown\"", "\nactor = \"private\"")
        .replace("\nmember_state = \"unknown\"", "\nmember_state = \"DE\"")
        .replace("\n# talks_with_people = \"unknown\"", "\ntalks_with_people = true");
    assert!(!filled.contains("\nsubject = \"unknown\"") && filled.contains("\ntalks_with_people = true"));
    std::fs::write(folder.path().join("bot.toml"), filled).unwrap();
    let ask = ["decide", "bot.toml", "--as-of", "2026-11-22"];
    assert_eq!(decide(folder.path(), &ask).0, 7);
    let (status, shown, errors) = decide(folder.path(), &[&ask[..], &["--rest-not-so"]].concat());
    assert_eq!(status, 0, "{shown}{errors}");
    assert!(shown.contains("TRANSPARENCY DUTIES"), "{shown}");
}
