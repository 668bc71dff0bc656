//! What programs of others, in other languages, say of the log: the page in node and in a real browser, Go, npm, and
//! published crates. One that is missing is a failure: a judge that was not asked has not agreed.

use std::fs;

use crate::command::{cargo, output, program, root, succeed, target_folder};

/// The vectors' logs that are published whole, each with a policy of the same name.
const LOGS: [&str; 2] = ["open", "sealed"];

/// The committed page is what its sources make.
pub fn page_is_assembled() -> Result<(), String> {
    succeed(program("node").args(["web/verify/assemble.mjs", "--check"]))
}

/// The page's parts on the vectors, in node.
pub fn page_in_node() -> Result<(), String> {
    let folder = root().join("web/verify/test");
    let entries = fs::read_dir(&folder).map_err(|e| format!("cannot list {}: {e}", folder.display()))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(".test.js"));
    files.sort();
    let told = output(program("node").args(["--test", "--test-reporter=tap"]).args(files))?;
    let (counts, tests) = node_counts(&told).ok_or("node ran no test of the page")?;
    counts.iter().for_each(|line| println!("   {line}"));
    println!("   {tests} tests of the page passed");
    Ok(())
}

/// What node's tests counted, and how many tests there were; none unless all passed.
fn node_counts(tap: &str) -> Option<(Vec<&str>, u64)> {
    let lines = || tap.lines().filter_map(|line| line.trim_start().strip_prefix("# "));
    let figure = |name: &str| lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    let tests = figure("tests ").filter(|&tests| tests > 0 && figure("pass ") == Some(tests))?;
    Some((lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect(), tests))
}

/// The assembled page in headless Chromium.
pub fn page_in_browser() -> Result<(), String> {
    succeed(program("node").arg("web/verify/browser/check.mjs"))
}

/// Go's `x/mod` and npm's `@sigstore/verify` on the vectors' logs, and on every spoilt copy of them.
pub fn other_languages() -> Result<(), String> {
    for log in LOGS {
        println!("   vectors/logs/{log}");
        let path = root().join(format!("vectors/logs/{log}.policy"));
        let policy = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        let key = log_key(&policy).ok_or_else(|| format!("{} names no log", path.display()))?;
        succeed(program("bench/interop/run").arg(format!("vectors/logs/{log}")).arg(key))?;
    }
    Ok(())
}

/// The verifier key of the first log that a policy names.
pub fn log_key(policy: &str) -> Option<&str> {
    policy.lines().find_map(|line| line.strip_prefix("log ")).map(str::trim)
}

/// Published crates that do what `tlog` does, and must decide as it does; a workspace of their own.
pub fn other_crates() -> Result<(), String> {
    let folder = target_folder().join("judges");
    let mut test = cargo(&["test", "--locked", "--manifest-path", "bench/judges/Cargo.toml", "--target-dir"]);
    succeed(test.arg(folder).args(["--", "--nocapture"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_counts_only_when_every_test_passed() {
        let tap = "# Subtest: x\nok 1 - x\n# 20 accepted, 89 refused\n# tests 3\n# pass 3\n# fail 0\n";
        assert_eq!(node_counts(tap), Some((vec!["20 accepted, 89 refused"], 3)));
        assert_eq!(node_counts(&tap.replace("pass 3", "pass 2")), None, "one was skipped or failed");
        assert_eq!(node_counts(&tap.replace(" 3", " 0")), None, "nothing ran");
        assert_eq!(node_counts(""), None);
    }

    #[test]
    fn the_key_of_a_policy_is_found() {
        assert_eq!(log_key("# a log\nlog x+1+AQ\nquorum none\n"), Some("x+1+AQ"));
        assert_eq!(log_key("witness w x+1+AQ\n"), None);
    }
}
