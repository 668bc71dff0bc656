//! Where Placet keeps what is not a result: models, the user's key.

use std::env;
use std::path::{Path, PathBuf};

/// The folder of the models: what the user named, else the first of these that exists: `models` beside the program,
/// `share/placet/models` of its prefix, `target/models` of the tree it was built in, the user's data folder.
pub fn models(named: Option<&Path>) -> PathBuf {
    if let Some(dir) = named {
        return dir.to_owned();
    }
    let exe = env::current_exe().ok().and_then(|p| p.canonicalize().ok());
    let beside = exe.as_deref().and_then(Path::parent).map(Path::to_owned);
    let candidates = [
        beside.as_ref().map(|d| d.join("models")),
        beside.as_ref().map(|d| d.join("../share/placet/models")),
        beside.as_ref().map(|d| d.join("../models")),
        Some(data_home().join("models")),
    ];
    // By its true name, since it is told.
    candidates
        .into_iter()
        .flatten()
        .find(|d| d.is_dir())
        .map(|d| d.canonicalize().unwrap_or(d))
        .unwrap_or_else(|| data_home().join("models"))
}

/// The user's own manifest key.
pub fn own_key() -> PathBuf {
    data_home().join("manifest.key")
}

/// `$XDG_DATA_HOME/placet`, or `~/.local/share/placet`.
pub fn data_home() -> PathBuf {
    env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|p| p.is_absolute())
        .or_else(|| env::var_os("HOME").map(|h| PathBuf::from(h).join(".local/share")))
        .unwrap_or_else(|| PathBuf::from("/var/lib"))
        .join("placet")
}
