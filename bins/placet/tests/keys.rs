//! A change of the log's key that stops on the way.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn placet(args: &[&str], home: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_placet")).arg("log").args(args).arg(home).output().unwrap()
}

fn right(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_change_of_key_that_stops_anywhere_is_finished_by_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let (home, cameras) = (folder.path().join("home"), folder.path().join("cameras"));
    fs::write(&cameras, "hall\n").unwrap();
    let origin = ["create", "--origin", "log.example/keys", "--cameras", cameras.to_str().unwrap()];
    right(&placet(&origin, &home));
    let before = fs::read_to_string(home.join("policy")).unwrap();
    right(&placet(&["change-key"], &home));
    let after = fs::read_to_string(home.join("policy")).unwrap();
    let path = |name: &str| home.join(name);
    // After the entry, after the policy, and between the two renames.
    for (policy, is_aside) in [(&before, false), (&after, false), (&after, true)] {
        fs::rename(path("log.key"), path("log.next.key")).unwrap();
        if !is_aside {
            fs::rename(path("log.key.old"), path("log.key")).unwrap();
        }
        fs::write(path("policy"), policy).unwrap();
        right(&placet(&["change-key"], &home));
        assert_eq!(fs::read_to_string(path("policy")).unwrap(), after);
        assert!(path("log.key").exists() && path("log.key.old").exists() && !path("log.next.key").exists());
        right(&placet(&["run", "--once"], &home));
    }
}
