//! `./x package`: the Debian package and the tarball, with the models inside.
//!
//! `dpkg-deb` over a staged tree: it is Debian's own, makes the same bytes of the same tree, and the tree serves the
//! tarball too. `cargo-deb` would be one more program to build, and knows neither the models nor the tarball.

mod notices;
mod pack;
mod runbook;
mod stage;
mod tried;

use std::path::{Path, PathBuf};

use crate::command::{cargo, output, program, root, succeed, target_folder};
use stage::Inside;

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    /// Built programs to take instead of building.
    binary: Option<PathBuf>,
    verifier: Option<PathBuf>,
    /// Install, upgrade, roll back and purge what was made, in a machine of its own.
    tried: bool,
}

impl Asked {
    fn of(args: &[String]) -> Result<Self, String> {
        let mut asked = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut path = || args.next().map(PathBuf::from).ok_or_else(|| format!("{arg} needs a path"));
            match arg.as_str() {
                "--binary" => asked.binary = Some(path()?),
                "--verifier" => asked.verifier = Some(path()?),
                "--try" => asked.tried = true,
                _ => return Err(format!("no such option: {arg}")),
            }
        }
        Ok(asked)
    }
}

/// Makes both packages in `target/packages`.
pub fn run(args: &[String]) -> Result<(), String> {
    let asked = Asked::of(args)?;
    let version = version()?;
    let folder = root().join("target/packages");
    std::fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    let inside = inside(&asked, &folder)?;
    runbook::check(&inside.placet)?;
    let deb = pack::deb(&inside, &version, &folder)?;
    let tarball = pack::tarball(&inside, &version, &folder)?;
    tell(&deb)?;
    tell(&tarball)?;
    if asked.tried {
        let again = folder.join("again");
        std::fs::create_dir_all(&again).map_err(|e| format!("cannot make {}: {e}", again.display()))?;
        for (first, second) in [
            (&deb, pack::deb(&inside, &version, &again)?),
            (&tarball, pack::tarball(&inside, &version, &again)?),
        ] {
            if pack::digest(first)? != pack::digest(&second)? {
                return Err(format!("{} came out otherwise the second time", first.display()));
            }
        }
        println!("ok  made twice: the same bytes");
        let newer = pack::deb(&inside, &newer(&version)?, &again)?;
        tried::run(&folder, &deb, &newer, &tarball)?;
    }
    Ok(())
}

fn tell(path: &Path) -> Result<(), String> {
    let size = std::fs::metadata(path).map_err(|e| format!("cannot look at {}: {e}", path.display()))?.len();
    println!("{}  {:.1} MB  sha256 {}", path.display(), size as f64 / 1e6, pack::digest(path)?);
    Ok(())
}

/// The programs, built in the one optimised profile unless they were given, and the models.
fn inside(asked: &Asked, folder: &Path) -> Result<Inside, String> {
    let (placet, verifier) = match &asked.binary {
        Some(binary) => (binary.clone(), asked.verifier.clone()),
        None => {
            succeed(&mut cargo(&["build", "--locked", "--package", "placet", "--package", "placet-verify"]))?;
            crate::bench::setup()?;
            let built = target_folder().join("debug");
            (built.join("placet"), Some(built.join("placet-verify")))
        }
    };
    let third_party = folder.join("THIRD-PARTY.txt");
    let text = notices::third_party()?;
    std::fs::write(&third_party, text).map_err(|e| format!("cannot write {}: {e}", third_party.display()))?;
    Ok(Inside { placet, verifier, models: root().join("target/models"), third_party })
}

/// The workspace's version.
fn version() -> Result<String, String> {
    let path = root().join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    line.map(str::to_owned).ok_or_else(|| "Cargo.toml has no version".to_owned())
}

/// The version after `version`.
fn newer(version: &str) -> Result<String, String> {
    let next = version.rsplit_once('.').and_then(|(head, patch)| {
        let patch: u32 = patch.parse().ok()?;
        Some(format!("{head}.{}", patch + 1))
    });
    next.ok_or_else(|| format!("`{version}` has no patch number"))
}

/// The time that everything inside bears: of the last commit, unless the builder's environment says otherwise.
fn epoch() -> Result<String, String> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(epoch) => Ok(epoch),
        Err(_) => Ok(output(program("git").args(["log", "-1", "--format=%ct"]))?.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the documents state of the unit, as `systemd-analyze security` counts: the lower the better.
    const STATED: &str = "1.2";

    #[test]
    fn options_are_read_and_others_refused() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let asked = Asked::of(&words("--binary p --verifier v --try")).unwrap();
        assert_eq!(asked, Asked { binary: Some("p".into()), verifier: Some("v".into()), tried: true });
        assert_eq!(Asked::of(&words("--binary")).unwrap_err(), "--binary needs a path");
        assert_eq!(Asked::of(&words("--fast")).unwrap_err(), "no such option: --fast");
    }

    #[test]
    fn the_version_after_is_newer() {
        assert_eq!(newer("0.1.0").unwrap(), "0.1.1");
        assert_eq!(newer("1.2.9").unwrap(), "1.2.10");
        assert!(newer("one").is_err());
        assert!(version().unwrap().split('.').count() == 3);
    }

    #[test]
    fn the_unit_is_no_more_exposed_than_the_documents_state() {
        let unit = root().join("packaging/placet.service");
        let told = std::process::Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager"])
            .arg(&unit)
            .output();
        let Ok(told) = told else {
            assert!(std::env::var_os("CI").is_none(), "systemd-analyze is missing: apt-get install systemd");
            eprintln!("not judged: systemd-analyze is missing");
            return;
        };
        let text = String::from_utf8(told.stdout).unwrap();
        let level: f64 = text
            .split_once("exposure level for placet.service: ")
            .and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok())
            .unwrap();
        println!("exposure level {level}");
        assert!(level <= STATED.parse().unwrap(), "{text}");
        let runbook = std::fs::read_to_string(root().join("docs/RUNBOOK.md")).unwrap();
        assert!(runbook.contains(&format!("exposure level {STATED} ")));
    }

    #[test]
    fn the_unit_has_no_word_that_systemd_does_not_know() {
        let unit = std::fs::read_to_string(root().join("packaging/placet.service")).unwrap();
        assert_eq!(
            unit.lines().filter(|line| line.starts_with("ExecStart=/usr/bin/placet serve ")).count(),
            1
        );
        let judged = std::process::Command::new("systemd-analyze")
            .arg("verify")
            .arg(root().join("packaging/placet.service"))
            .output();
        let Ok(judged) = judged else {
            assert!(std::env::var_os("CI").is_none(), "systemd-analyze is missing: apt-get install systemd");
            return;
        };
        let told = String::from_utf8(judged.stderr).unwrap();
        let wrong = told.lines().filter(|line| line.contains("Unknown") || line.contains("Failed to parse"));
        assert_eq!(wrong.count(), 0, "{told}");
    }
}
