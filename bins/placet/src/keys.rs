//! `placet key`: keys that sign manifests and orders, and keys that open sealed originals.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use placet_sealed::CustodySecret;
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
    #[error(
        "`{0}` is empty, as a run that was killed while it made a key may leave it; `placet key new {0}` makes one"
    )]
    Empty(PathBuf),
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
        KeyCommand::New { file: Some(path), custody: true, .. } => {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(KeyError::Random)?;
            let secret = CustodySecret::from_seed(seed);
            keep(path, secret.secret_text().expose())?;
            println!("{}", secret.public_key());
            eprintln!(
                "private half: {} (it opens every original sealed to it: keep it here, and a copy in a safe); public half \
                 above, for the gateway",
                path.display()
            );
        }
        KeyCommand::New { file, name, .. } => {
            let path = file.clone().unwrap_or_else(places::own_key);
            let key = make(&path, name.as_deref())?;
            println!("{}", key.verifier_key());
            eprintln!("private half: {} (keep it secret); public half above (publish it)", path.display());
        }
        KeyCommand::Show { file } => {
            let path = file.clone().unwrap_or_else(places::own_key);
            match read_secret(&path)?.trim_end().parse::<CustodySecret>() {
                Ok(secret) => println!("{}", secret.public_key()),
                Err(_) => println!("{}", read(&path)?.verifier_key()),
            }
        }
    }
    Ok(Exit::Done)
}

/// The key in `file`.
pub fn read(file: &Path) -> Result<SignerKey, KeyError> {
    let text = read_secret(file)?;
    text.trim_end().parse().map_err(|source| KeyError::Parse { path: file.to_owned(), source })
}

/// The private key in a file that only its owner may read, as text.
pub fn read_secret(file: &Path) -> Result<String, KeyError> {
    let failed = |source| KeyError::Read { path: file.to_owned(), source };
    let meta = fs::metadata(file).map_err(failed)?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Open(file.to_owned()));
    }
    let text = fs::read_to_string(file).map_err(failed)?;
    if text.is_empty() {
        return Err(KeyError::Empty(file.to_owned()));
    }
    Ok(text)
}

/// The user's own key, made when there is none; then also its place.
pub fn own() -> Result<(SignerKey, Option<PathBuf>), KeyError> {
    let path = places::own_key();
    // An empty one has signed nothing, and is made anew.
    if path.exists() && !is_empty(&path) {
        return Ok((read(&path)?, None));
    }
    match make(&path, None) {
        Ok(key) => Ok((key, Some(path))),
        // Another run made it first.
        Err(KeyError::Exists(_)) => Ok((read(&path)?, None)),
        Err(e) => Err(e),
    }
}

/// Makes a key and keeps it in a file that is not there yet.
pub fn make(path: &Path, name: Option<&str>) -> Result<SignerKey, KeyError> {
    let mut seed = [0u8; 32];
    let mut tag = [0u8; 4];
    getrandom::fill(&mut seed).and_then(|()| getrandom::fill(&mut tag)).map_err(KeyError::Random)?;
    let name = name.map_or_else(|| format!("placet-{:08x}", u32::from_be_bytes(tag)), str::to_owned);
    let key = SignerKey::generate(&name, seed).map_err(|source| KeyError::Name { name, source })?;
    keep(path, key.secret_text().expose())?;
    Ok(key)
}

/// Keeps a private key, a line of text, in a file that is not there yet.
pub fn keep(path: &Path, secret: &str) -> Result<(), KeyError> {
    let failed = |source| KeyError::Write { path: path.to_owned(), source };
    let dir = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(failed)?;
    // Whole under a name of its own first, readable for its owner alone: a run may be killed at any moment.
    let mut file = tempfile::Builder::new().prefix(".placet-key-").tempfile_in(dir).map_err(failed)?;
    writeln!(file, "{secret}").and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    // Held until the key stands: of two runs that both see an empty file, the second must see the first one's key.
    let alone = File::open(dir).map_err(failed)?;
    alone.lock().map_err(failed)?;
    let put = if is_empty(path) { file.persist(path) } else { file.persist_noclobber(path) };
    put.map_err(|e| match e.error.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
        _ => failed(e.error),
    })?;
    alone.sync_all().map_err(failed)
}

fn is_empty(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|m| m.is_file() && m.len() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_whole_under_its_name_or_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/manifest.key");
        let made = make(&path, None).unwrap();
        assert_eq!(read(&path).unwrap().verifier_key(), made.verifier_key());
        assert!(matches!(make(&path, None), Err(KeyError::Exists(_))));
        assert_eq!(read(&path).unwrap().verifier_key(), made.verifier_key());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn an_empty_key_is_told_and_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("manifest.key");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let told = read(&path).unwrap_err().to_string();
        assert!(told.contains("is empty") && told.contains("placet key new"), "{told}");
        let made = make(&path, None).unwrap();
        assert_eq!(read(&path).unwrap().verifier_key(), made.verifier_key());
        // What somebody else wrote there stays.
        fs::write(&path, "x").unwrap();
        assert!(matches!(make(&path, None), Err(KeyError::Exists(_))));
    }
}
