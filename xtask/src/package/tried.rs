//! `./x package --try`: install, upgrade, rollback, removal and purge in a Debian of its own, which systemd starts.

use std::fs;
use std::path::Path;

use super::stage::{fresh, put};
use crate::command::{program, root, succeed};

/// What must be there, with its package.
const TOOLS: [(&str, &str); 2] = [("debootstrap", "debootstrap"), ("systemd-nspawn", "systemd-container")];
const MIRROR: &str = "http://deb.debian.org/debian";
/// What the steps write, a line each, in the guest.
const TOLD: &str = "placet-try/told";
const LAST: &str = "end";
/// The container's own list of system calls is older than Landlock.
const CALLS: &str = "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self";

/// Tries `deb`, the `newer` one and the `tarball`. Needs root.
pub fn run(folder: &Path, deb: &Path, newer: &Path, tarball: &Path) -> Result<(), String> {
    for (tool, package) in TOOLS {
        if !Path::new("/usr/sbin").join(tool).exists() && !Path::new("/usr/bin").join(tool).exists() {
            return Err(format!("{tool} is missing: apt-get install {package}"));
        }
    }
    let base = folder.join("debian-12");
    if !base.join("etc/debian_version").exists() {
        fresh(&base)?;
        let with = "--include=systemd,systemd-sysv,ca-certificates,curl";
        succeed(program("debootstrap").args(["--variant=minbase", with, "bookworm"]).arg(&base).arg(MIRROR))?;
    }
    let guest = folder.join("guest");
    fresh(&guest)?;
    succeed(program("cp").args(["-a", "--reflink=auto", "--"]).arg(base.join(".")).arg(&guest))?;
    let inside = guest.join("placet-try");
    put(deb, &inside.join("old.deb"), 0o644)?;
    put(newer, &inside.join("new.deb"), 0o644)?;
    put(tarball, &inside.join("placet.tar.gz"), 0o644)?;
    put(&root().join("packaging/try/steps"), &inside.join("steps"), 0o755)?;
    let unit = guest.join("etc/systemd/system/placet-try.service");
    put(&root().join("packaging/try/placet-try.service"), &unit, 0o644)?;
    put(Path::new("/etc/resolv.conf"), &guest.join("etc/resolv.conf"), 0o644)?;

    // First without systemd, as a container is made: apt brings what the package depends on.
    succeed(
        program("systemd-nspawn")
            .args(["--quiet", "--register=no", "--keep-unit", CALLS, "--directory"])
            .arg(&guest)
            .args(["/placet-try/steps", "install"]),
    )?;
    // Then started by systemd, with no network.
    succeed(
        program("timeout")
            .args(["300", "systemd-nspawn", "--quiet", "--register=no", "--keep-unit"])
            .args(["--private-network", "--console=passive", CALLS, "--boot", "--directory"])
            .arg(&guest)
            .stdout(std::process::Stdio::null()),
    )?;
    let told = guest.join(TOLD);
    let text = fs::read_to_string(&told).map_err(|e| format!("cannot read {}: {e}", told.display()))?;
    print!("{text}");
    judge(&text)
}

/// What the steps wrote must have an end and no `NOT`.
fn judge(text: &str) -> Result<(), String> {
    let wrong = text.lines().filter(|line| line.starts_with("NOT ")).count();
    let whole = text.lines().last() == Some(LAST);
    match (wrong, whole) {
        (0, true) => Ok(()),
        (0, false) => Err("the steps did not come to their end".to_owned()),
        (n, _) => Err(format!("{n} things were not as they should be")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_pass_only_whole_and_without_a_not() {
        assert!(judge("ok  a\nend\n").is_ok());
        for bad in ["", "ok  a\n", "ok  a\nNOT b\nend\n"] {
            assert!(judge(bad).is_err(), "{bad}");
        }
    }
}
