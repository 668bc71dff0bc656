//! `placet key`: the key that signs manifests.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use placet_tlog::note::{self, SignerKey};

use crate::args::KeyCommand;
use crate::exit::Exit;
use crate::places;

/// Why a key could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("`{0}` exists; a key is never overwritten, choose another file")]
    Exists(PathBuf),
    #[error("cannot write `{path}`")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read `{path}`; make a key with `placet key new`")]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "`{0}` can be read by others; run `chmod 600 {0}`, and make a new key if somebody may have seen it"
    )]
    Open(PathBuf),
    #[error("`{path}` is no signed-note key")]
    Parse { path: PathBuf, source: note::KeyError },
    #[error("cannot use the name `{name}`")]
    Name { name: String, source: note::KeyError },
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

/// Runs the verb.
pub fn run(command: &KeyCommand) -> Result<Exit, KeyError> {
    match command {
        KeyCommand::New { file, name } => {
            let path = file.clone().unwrap_or_else(places::own_key);
            let key = make(&path, name.as_deref())?;
            println!("{}", key.verifier_key());
            eprintln!("private half: {} (keep it secret); public half above (publish it)", path.display());
        }
        KeyCommand::Show { file } => {
            let path = file.clone().unwrap_or_else(places::own_key);
            println!("{}", read(&path)?.verifier_key());
        }
    }
    Ok(Exit::Done)
}

/// The key in `file`.
pub fn read(file: &Path) -> Result<SignerKey, KeyError> {
    let failed = |source| KeyError::Read { path: file.to_owned(), source };
    let meta = fs::metadata(file).map_err(failed)?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Open(file.to_owned()));
    }
    let text = fs::read_to_string(file).map_err(failed)?;
    text.trim_end().parse().map_err(|source| KeyError::Parse { path: file.to_owned(), source })
}

/// The user's own key, made when there is none; then also its place.
pub fn own() -> Result<(SignerKey, Option<PathBuf>), KeyError> {
    let path = places::own_key();
    if path.exists() {
        return Ok((read(&path)?, None));
    }
    match make(&path, None) {
        Ok(key) => Ok((key, Some(path))),
        // Another run made it first.
        Err(KeyError::Exists(_)) => Ok((read(&path)?, None)),
        Err(e) => Err(e),
    }
}

fn make(path: &Path, name: Option<&str>) -> Result<SignerKey, KeyError> {
    let mut seed = [0u8; 32];
    let mut tag = [0u8; 4];
    getrandom::fill(&mut seed).and_then(|()| getrandom::fill(&mut tag)).map_err(KeyError::Random)?;
    let name = name.map_or_else(|| format!("placet-{:08x}", u32::from_be_bytes(tag)), str::to_owned);
    let key = SignerKey::generate(&name, seed).map_err(|source| KeyError::Name { name, source })?;
    let failed = |source| KeyError::Write { path: path.to_owned(), source };
    if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
        fs::create_dir_all(dir).map_err(failed)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|e| {
        if e.kind() == io::ErrorKind::AlreadyExists { KeyError::Exists(path.to_owned()) } else { failed(e) }
    })?;
    writeln!(file, "{}", key.secret_text().expose()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(key)
}
