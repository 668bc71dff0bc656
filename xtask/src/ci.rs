//! What CI runs, cheapest first.

use crate::command::{cargo, output, program, step, succeed, target_folder};
use crate::{judges, tidy};

/// What must pass on a fresh machine.
pub fn run() -> Result<(), String> {
    step("setup", crate::bench::setup)?;
    step("fmt", || {
        run_cargo(&["fmt", "--all", "--check"])?;
        run_cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"])?;
        run_cargo(&["fmt", "--manifest-path", "bench/judges/Cargo.toml", "--check"])?;
        run_cargo(&["fmt", "--manifest-path", "bench/log/Cargo.toml", "--check"])
    })?;
    step("tidy", tidy::run)?;
    step("page is assembled", judges::page_is_assembled)?;
    step("log in other languages", judges::other_languages)?;
    step("page in a browser", judges::page_in_browser)?;
    step("page in node", judges::page_in_node)?;
    step("test", || run_cargo(&["test", "--workspace"]))?;
    step("judges", judges::other_crates)?;
    // Under a minute of solving; what is proved is what these files say, not what they said when answers were kept.
    step("prove", || {
        let told = output(program(target_folder().join("debug/placet")).args(["law", "prove", "--fresh"]))?;
        told.lines().take_while(|line| !line.is_empty()).for_each(|line| println!("{line}"));
        Ok(())
    })?;
    // About 90 seconds with the search afterwards.
    step("soak", || crate::bench::soak("0.7"))?;
    eprintln!("── all passed");
    Ok(())
}

/// What reviewers run besides: lints, documentation, benches that compile.
pub fn lint() -> Result<(), String> {
    step("clippy", || run_cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    step("doc", || succeed(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings")))?;
    // In the profile the tests use, which is optimised: nothing is built twice.
    step("benches compile", || run_cargo(&["bench", "--workspace", "--no-run", "--profile", "dev"]))
}

fn run_cargo(args: &[&str]) -> Result<(), String> {
    succeed(&mut cargo(args))
}
