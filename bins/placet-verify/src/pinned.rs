//! What the caller holds himself: policy and kept checkpoint. They must not come from what they are to judge.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::exit::Failure;
use crate::folder::read_up_to;

/// Reads a file of the caller's, of at most `limit` bytes, if it neither lies in `judged` nor is it.
pub fn read(path: &Path, what: &str, limit: u64, judged: Option<&Path>) -> Result<Vec<u8>, Failure> {
    if path.to_str().is_some_and(|text| text.contains("://")) {
        return Err(Failure::Pinned(format!(
            "the {what} is a URL: it has to be a file of yours, which you got from somewhere else than the log"
        )));
    }
    let given = |source| Failure::Given { path: path.to_owned(), source };
    if let Some(judged) = judged
        && lies_in(path, judged).map_err(given)?
    {
        return Err(Failure::Pinned(format!(
            "the {what} `{}` lies where what it is to judge lies, `{}`: whoever made the one could have made the other. Get it \
             from somewhere else and keep it elsewhere",
            path.display(),
            judged.display()
        )));
    }
    let bytes = File::open(path).and_then(|file| read_up_to(file, limit)).map_err(given)?;
    bytes.ok_or_else(|| Failure::TooLong { path: path.to_owned(), limit })
}

/// Whether a file lies in a folder, or is one of its files, or the file itself, under another name.
fn lies_in(path: &Path, judged: &Path) -> io::Result<bool> {
    let judged = fs::canonicalize(judged)?;
    let is_folder = judged.is_dir();
    let inside = |place: &Path| {
        if is_folder { place.starts_with(&judged) } else { place == judged }
    };
    // The name as it was given, step by step, so that a link out of the folder is noticed as well as one into it.
    let absolute = std::path::absolute(path)?;
    for step in absolute.ancestors() {
        if fs::canonicalize(step).is_ok_and(|place| inside(&place)) {
            return Ok(true);
        }
    }
    let file = fs::metadata(path)?;
    let same = |other: &Metadata| (other.dev(), other.ino()) == (file.dev(), file.ino());
    // Only a file with two names can have one of them in there.
    Ok(file.nlink() > 1 && if is_folder { any_in(&judged, &same)? } else { same(&fs::metadata(&judged)?) })
}

/// Whether any file in a folder, however deep, is one that `wanted` knows. Links to folders are not followed.
fn any_in(folder: &Path, wanted: &dyn Fn(&Metadata) -> bool) -> io::Result<bool> {
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let found = entry.metadata()?;
            if found.is_dir() {
                folders.push(entry.path());
            } else if wanted(&found) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
