//! From a staged tree to the same bytes each time.

use std::fs;
use std::path::{Path, PathBuf};

use super::epoch;
use super::stage::{Inside, files, fresh, open_folders, prefix, put};
use crate::command::{output, program, root, succeed};

/// The Debian package.
pub fn deb(inside: &Inside, version: &str, folder: &Path) -> Result<PathBuf, String> {
    let stage = folder.join("stage-deb");
    fresh(&stage)?;
    prefix(inside, &stage.join("usr"))?;
    for (from, to) in [
        ("placet.toml", "etc/placet/placet.toml"),
        ("placet.service", "usr/lib/systemd/system/placet.service"),
        ("sysusers.conf", "usr/lib/sysusers.d/placet.conf"),
        ("tmpfiles.conf", "usr/lib/tmpfiles.d/placet.conf"),
    ] {
        put(&root().join("packaging").join(from), &stage.join(to), 0o644)?;
    }
    control(&stage, version)?;
    let package = folder.join(format!("placet_{version}_amd64.deb"));
    build_deb(&stage, &package)?;
    Ok(package)
}

fn control(stage: &Path, version: &str) -> Result<(), String> {
    let installed = files(stage)?;
    let sums = output(program("md5sum").current_dir(stage).args(&installed))?;
    let sizes = installed.iter().map(|file| fs::metadata(stage.join(file)).map_or(0, |about| about.len()));
    let kib = sizes.map(|bytes| bytes.div_ceil(1024)).sum::<u64>();
    let libraries = libraries(stage)?;
    let source = root().join("packaging/deb");
    let template = fs::read_to_string(source.join("control.in"))
        .map_err(|e| format!("cannot read packaging/deb/control.in: {e}"))?;
    let text = template
        .replace("@VERSION@", version)
        .replace("@SIZE@", &kib.to_string())
        .replace("@LIBRARIES@", &libraries);
    for (name, mode) in [("conffiles", 0o644), ("postinst", 0o755), ("prerm", 0o755), ("postrm", 0o755)] {
        put(&source.join(name), &stage.join("DEBIAN").join(name), mode)?;
    }
    for (name, text) in [("control", text), ("md5sums", sums)] {
        let path = stage.join("DEBIAN").join(name);
        fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    Ok(())
}

/// What the programs and the runtime need of the system's libraries, by the symbols they use.
fn libraries(stage: &Path) -> Result<String, String> {
    let scratch = stage.with_extension("shlibs");
    fresh(&scratch.join("debian"))?;
    let failed = |e| format!("cannot write in {}: {e}", scratch.display());
    fs::write(scratch.join("debian/control"), "Source: placet\n\nPackage: placet\nArchitecture: amd64\n")
        .map_err(failed)?;
    let mut command = program("dpkg-shlibdeps");
    command.current_dir(&scratch).args(["-O", "--warnings=0"]);
    for file in files(&stage.join("usr"))? {
        let name = file.to_string_lossy();
        if name.starts_with("bin/") || name.contains(".so.") {
            command.arg(format!("-e{}", stage.join("usr").join(&file).display()));
        }
    }
    // It warns of files that lie in a stage and not yet in the system, which ours do.
    let told = command.output().map_err(|e| format!("cannot start dpkg-shlibdeps: {e}"))?;
    let needed =
        String::from_utf8_lossy(&told.stdout).trim().strip_prefix("shlibs:Depends=").map(str::to_owned);
    needed.ok_or_else(|| format!("dpkg-shlibdeps: {}", String::from_utf8_lossy(&told.stderr)))
}

fn build_deb(stage: &Path, package: &Path) -> Result<(), String> {
    open_folders(stage)?;
    // One thread: with more, how xz cuts the work is not the same on every machine.
    let mut command = program("dpkg-deb");
    command.env("SOURCE_DATE_EPOCH", epoch()?);
    command.args(["--root-owner-group", "-Zxz", "-z2", "--threads-max=1", "--build"]);
    output(command.arg(stage).arg(package)).map(drop)
}

/// The tarball: the same tree, to be run where it is unpacked.
pub fn tarball(inside: &Inside, version: &str, folder: &Path) -> Result<PathBuf, String> {
    let name = format!("placet-{version}-x86_64-linux");
    let stage = folder.join("stage-tar");
    fresh(&stage)?;
    let tree = stage.join(&name);
    prefix(inside, &tree)?;
    for (from, to) in [
        ("README.tarball", "README.txt"),
        ("placet.toml", "etc/placet.toml"),
        ("placet.service", "share/doc/placet/placet.service"),
    ] {
        put(&root().join("packaging").join(from), &tree.join(to), 0o644)?;
    }
    let package = folder.join(format!("{name}.tar.gz"));
    build_tarball(&stage, &name, &package)?;
    Ok(package)
}

fn build_tarball(stage: &Path, name: &str, package: &Path) -> Result<(), String> {
    open_folders(stage)?;
    let mtime = format!("--mtime=@{}", epoch()?);
    let mut command = program("tar");
    command.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu", &mtime]);
    // No name and no time in the head of the compressed file either.
    command.args(["--use-compress-program=gzip -n -9", "--directory"]).arg(stage);
    succeed(command.arg("--create").arg("--file").arg(package).arg(name))
}

/// SHA-256 of a file, in hex.
pub fn digest(path: &Path) -> Result<String, String> {
    let told = output(program("sha256sum").arg("--").arg(path))?;
    Ok(told.split_whitespace().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::{Duration, SystemTime};

    use super::*;

    /// A small tree whose files and folders bear these times and modes.
    fn tree(folder: &Path, time: SystemTime, mode: u32) {
        fresh(folder).unwrap();
        fs::create_dir_all(folder.join("DEBIAN")).unwrap();
        fs::create_dir_all(folder.join("usr/bin")).unwrap();
        let control = "Package: small\nVersion: 1\nArchitecture: all\nMaintainer: Ana <a@example.org>\nDescription: small\n";
        for (name, text) in [("DEBIAN/control", control), ("usr/bin/b", "b"), ("usr/bin/a", "a")] {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        }
        fs::set_permissions(folder.join("usr/bin"), fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_same_tree_makes_the_same_bytes_whenever_and_under_whatever_umask() {
        let folder = std::env::temp_dir().join(format!("placet-pack-{}", std::process::id()));
        let later = |hours: u64| SystemTime::now() + Duration::from_secs(3600 * hours);
        let mut digests = Vec::new();
        for (hours, mode) in [(1, 0o755), (9, 0o700)] {
            let stage = folder.join(hours.to_string()).join("stage");
            tree(&stage, later(hours), mode);
            let (deb, tarball) = (folder.join("x.deb"), folder.join("x.tar.gz"));
            build_deb(&stage, &deb).unwrap();
            build_tarball(&stage, "usr", &tarball).unwrap();
            digests.push((digest(&deb).unwrap(), digest(&tarball).unwrap()));
        }
        assert_eq!(digests[0], digests[1]);
        let stage = folder.join("9/stage");
        fs::write(stage.join("usr/bin/a"), "A").unwrap();
        build_deb(&stage, &folder.join("x.deb")).unwrap();
        assert_ne!(digest(&folder.join("x.deb")).unwrap(), digests[0].0, "what is inside counts");
        fs::remove_dir_all(&folder).unwrap();
    }
}
