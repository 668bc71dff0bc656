//! Foreign programs, unchanged: installed below `target/tools` with pip, pinned by version and digest.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// A set of packages: the name of its list in `peers/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    Zeep,
    Async,
    Camera,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Zeep => "zeep",
            Self::Async => "async",
            Self::Camera => "camera",
        }
    }
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onvif/peers")
}

fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/onvif")
}

/// Where the packages are; none, in words, where they cannot be had and this is not CI. One test installs, others wait.
pub fn installed(peer: Peer) -> Option<PathBuf> {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let result = install("setuptools", None).and_then(|tools| install(peer.name(), Some(&tools)));
    match result {
        Ok(place) => Some(place),
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "{} cannot be installed: {why}", peer.name());
            eprintln!("SKIPPED: the peers of `{}.txt` cannot be installed: {why}", peer.name());
            None
        }
    }
}

/// ONVIF's schemas, which one of the peers carries.
pub fn schemas() -> Option<PathBuf> {
    Some(installed(Peer::Async)?.join("onvif/wsdl"))
}

fn install(name: &str, builder: Option<&Path>) -> Result<PathBuf, String> {
    let list = folder().join(format!("{name}.txt"));
    let wanted = fs::read(&list).unwrap();
    let place = tools().join(name);
    let mark = place.join("installed.txt");
    if fs::read(&mark).is_ok_and(|there| there == wanted) {
        return Ok(place);
    }
    let _ = fs::remove_dir_all(&place);
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"])
        .args(["--no-deps", "--require-hashes", "--no-build-isolation", "--target"])
        .arg(&place)
        .arg("--requirement")
        .arg(&list);
    if let Some(builder) = builder {
        pip.env("PYTHONPATH", builder);
    }
    let done = pip.stdin(Stdio::null()).output().map_err(|e| format!("no python3 with pip: {e}"))?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    fs::write(mark, wanted).unwrap();
    Ok(place)
}

/// A Python program of `peers/` with the packages of `place`.
pub fn python(script: &str, place: &Path) -> Command {
    let mut python = Command::new("python3");
    python.arg(folder().join(script)).env("PYTHONPATH", place).env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

/// Gives `asked` to a program and reads its answer. Passwords go by standard input.
pub fn ask(mut program: Command, asked: &Value) -> Value {
    let mut child =
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}
