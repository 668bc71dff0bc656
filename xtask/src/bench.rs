//! Attacks and benches: what takes too long for CI and needs the whole program.

use std::path::Path;

use crate::command::{cargo, output, program, root, succeed, target_folder};

/// The whole-program benches, in the order they run: programs under `bench/`, each with a `run` of its own that fetches
/// what it needs, runs the tools side by side and prints its table.
const BENCHES: [&str; 7] = ["decide", "log", "speed", "leak", "head", "reident", "live"];

/// Runs the benches named, or all.
pub fn run(names: &[String]) -> Result<(), String> {
    if let Some(unknown) = names.iter().find(|name| !BENCHES.contains(&name.as_str())) {
        return Err(format!("no bench `{unknown}`; there are {}", BENCHES.join(", ")));
    }
    for bench in BENCHES.iter().filter(|&&bench| names.is_empty() || names.iter().any(|name| name == bench)) {
        println!("── bench {bench}");
        succeed(&mut program(root().join("bench").join(bench).join("run")))?;
    }
    Ok(())
}

/// Live cameras that fail in every way for so many minutes, and a search of all that left redacted.
pub fn soak(minutes: &str) -> Result<(), String> {
    if !minutes.parse::<f64>().is_ok_and(|minutes| minutes > 0.0 && minutes <= 10_080.0) {
        return Err(format!("`{minutes}` is no number of minutes up to a week"));
    }
    setup()?;
    succeed(program(root().join("bench/live/soak")).arg(minutes))
}

/// Runs every test whose name starts with `attack_`. `PLACET_ATTACK=full` asks them for full counts; without it they
/// run reduced among the other tests.
pub fn attack() -> Result<(), String> {
    let listing = output(&mut cargo(&[
        "test",
        "--quiet",
        "--workspace",
        "--",
        "--list",
        "--format",
        "terse",
        "attack_",
    ]))?;
    let attacks: Vec<&str> = listing.lines().filter_map(attack_name).collect();
    if attacks.is_empty() {
        return Err("there is no test named attack_*".to_owned());
    }
    println!("{} attacks at full counts", attacks.len());
    succeed(cargo(&["test", "--workspace", "--", "--nocapture", "attack_"]).env("PLACET_ATTACK", "full"))
}

/// The test's name in a line of `--list` such as `tests::attack_every_bit: test`, if it is an attack.
fn attack_name(line: &str) -> Option<&str> {
    let path = line.strip_suffix(": test")?;
    path.rsplit("::").next()?.starts_with("attack_").then_some(path)
}

/// Builds the program and installs its models where they are missing.
pub fn setup() -> Result<(), String> {
    succeed(&mut cargo(&["build", "--package", "placet"]))?;
    install_models(&target_folder().join("debug/placet"))
}

/// Has `placet` install its models into `target/models` where they are missing.
pub fn install_models(placet: &Path) -> Result<(), String> {
    succeed(program(placet).args(["models", "install", "--models"]).arg(root().join("target/models")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attack_is_told_by_the_last_part_of_its_name() {
        assert_eq!(attack_name("sandbox::attack_network: test"), Some("sandbox::attack_network"));
        assert_eq!(attack_name("attack_every_bit: test"), Some("attack_every_bit"));
        for line in
            ["attack_x::parses: test", "counterattack_x: test", "attack_speed: benchmark", "", "3 tests"]
        {
            assert_eq!(attack_name(line), None, "{line}");
        }
    }
}
