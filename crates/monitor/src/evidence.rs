//! Two checkpoints that contradict each other, kept for whoever wants to judge.

use std::io;
use std::path::{Path, PathBuf};

use placet_core::Digest;
use placet_record::entry::Moment;
use serde::Serialize;

use crate::files;

/// The most pieces kept in one folder: each is proof enough alone.
const MAX_PIECES: usize = 100;

#[derive(Serialize)]
struct Piece<'p> {
    says: &'p str,
    seen: String,
    known: &'p str,
    shown: &'p str,
}

/// Keeps a piece in `folder`, once for each pair; the file's path, or none where there are enough.
pub(crate) fn keep(
    folder: &Path,
    says: &str,
    known: &str,
    shown: &str,
    seen: Moment,
) -> io::Result<Option<PathBuf>> {
    let name = Digest::of(format!("{known}\n{shown}").as_bytes()).hex();
    let path = folder.join(format!("{name}.json"));
    let n_kept = if folder.is_dir() { std::fs::read_dir(folder)?.count() } else { 0 };
    if !path.exists() {
        if n_kept >= MAX_PIECES {
            return Ok(None);
        }
        let piece = Piece { says, seen: seen.to_string(), known, shown };
        files::replace(&path, &serde_json::to_vec_pretty(&piece)?)?;
    }
    Ok(Some(path))
}
