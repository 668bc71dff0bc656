//! The tree that is packed, made anew each time.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::command::{program, root, succeed};

/// What is not in the repository.
pub struct Inside {
    pub placet: PathBuf,
    pub verifier: Option<PathBuf>,
    pub models: PathBuf,
    pub third_party: PathBuf,
}

/// What the program loads. `placet models list` says whether they are the pinned files; here they must be there.
const MODELS: [&str; 3] = ["yunet.onnx", "centerface.onnx", "libonnxruntime.so.1.28.0"];

/// An empty folder in the place of whatever was there.
pub fn fresh(folder: &Path) -> Result<(), String> {
    let failed = |e| format!("cannot make {} anew: {e}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(failed)?;
    }
    fs::create_dir_all(folder).map_err(failed)
}

/// Copies a file and gives it a mode, whatever the umask.
pub fn put(from: &Path, to: &Path, mode: u32) -> Result<(), String> {
    let failed = |e| format!("cannot copy {} to {}: {e}", from.display(), to.display());
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::copy(from, to).map_err(failed)?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode)).map_err(failed)
}

/// Programs, models and documents below a prefix: what both packages have.
pub fn prefix(inside: &Inside, prefix: &Path) -> Result<(), String> {
    let programs = [(Some(&inside.placet), "placet"), (inside.verifier.as_ref(), "placet-verify")];
    for (from, name) in programs {
        let Some(from) = from else { continue };
        let to = prefix.join("bin").join(name);
        put(from, &to, 0o755)?;
        succeed(program("strip").arg("--strip-all").arg(&to))?;
    }
    for model in MODELS {
        put(&inside.models.join(model), &prefix.join("share/placet/models").join(model), 0o644)?;
    }
    let doc = prefix.join("share/doc/placet");
    for name in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        put(&root().join(name), &doc.join(name), 0o644)?;
    }
    folder(&root().join("docs"), &doc.join("docs"))?;
    folder(&root().join("packaging/licences"), &doc.join("licences"))?;
    put(&root().join("packaging/deb/copyright"), &doc.join("copyright"), 0o644)?;
    put(&inside.third_party, &doc.join("THIRD-PARTY.txt"), 0o644)
}

fn folder(from: &Path, to: &Path) -> Result<(), String> {
    let entries = fs::read_dir(from).map_err(|e| format!("cannot list {}: {e}", from.display()))?;
    for entry in entries.flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() { folder(&path, &to)? } else { put(&path, &to, 0o644)? }
    }
    Ok(())
}

/// Every file below a folder, sorted, relative to it.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let entries = fs::read_dir(&next).map_err(|e| format!("cannot list {}: {e}", next.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if let Ok(inner) = path.strip_prefix(folder) {
                found.push(inner.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Folders have one mode, whatever the umask.
pub fn open_folders(folder: &Path) -> Result<(), String> {
    succeed(program("find").arg(folder).args(["-type", "d", "-exec", "chmod", "755", "{}", "+"]))
}
