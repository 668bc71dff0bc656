//! Lists every file of the rulebook folder so that the crate can carry them: no file is opened at run time.
#![expect(clippy::disallowed_methods, reason = "the build script is what reads the files")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook").canonicalize()?;
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let mut out = String::from("/// Path below `rulebook/` and content, sorted by path.\n");
    out.push_str("pub(crate) static FILES: &[(&str, &str)] = &[\n");
    for path in files {
        let name = path.strip_prefix(&root).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
        let _ = writeln!(out, "    ({name:?}, include_str!({:?})),", path.display().to_string());
    }
    out.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("files.rs"), out)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            // Written from the rulebook, so not part of it.
            if path.file_name().is_some_and(|n| n != "conformance") {
                collect(&path, files)?;
            }
        } else if path
            .extension()
            .is_some_and(|e| e == "md" || e == "toml" || e == "ftl" || e == "cedarschema")
        {
            files.push(path);
        }
    }
    Ok(())
}
