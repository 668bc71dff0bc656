use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use zeroize::Zeroizing;

/// No secret file is longer, bytes.
const LONGEST: u64 = 64 << 10;

/// A secret text. Never shown, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The text, for whoever needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Names with their passwords.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users(pub Vec<(String, Secret)>);

/// Reads a file of secrets: a plain file that its owner alone can read.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let shown = path.display();
    let file = File::open(path).map_err(|e| format!("cannot read `{shown}`: {e}"))?;
    let about = file.metadata().map_err(|e| format!("cannot read `{shown}`: {e}"))?;
    if !about.is_file() {
        return Err(format!("`{shown}` is no file"));
    }
    if about.mode() & 0o077 != 0 {
        return Err(format!("others can read `{shown}`, which holds a secret: run chmod 600 on it"));
    }
    let mut text = Zeroizing::new(String::new());
    let read = file.take(LONGEST + 1).read_to_string(&mut text);
    match read {
        Err(e) => Err(format!("cannot read `{shown}`: {e}")),
        Ok(n) if n as u64 > LONGEST => Err(format!("`{shown}` is longer than {LONGEST} bytes")),
        Ok(_) => Ok(text),
    }
}

/// Lines `NAME:PASSWORD`; empty ones and those that begin with `#` count for nothing.
pub(crate) fn users(path: &Path) -> Result<Users, String> {
    let text = read(path)?;
    let mut users = Vec::new();
    let lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty() && !l.starts_with('#'));
    for (at, line) in lines {
        let pair = line.split_once(':').filter(|(name, word)| !name.trim().is_empty() && !word.is_empty());
        let Some((name, word)) = pair else {
            return Err(format!("line {} of `{}` is not NAME:PASSWORD", at + 1, path.display()));
        };
        users.push((name.trim().to_owned(), Secret::new(word)));
    }
    if users.is_empty() {
        return Err(format!("`{}` names nobody", path.display()));
    }
    Ok(Users(users))
}
