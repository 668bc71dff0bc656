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
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
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
