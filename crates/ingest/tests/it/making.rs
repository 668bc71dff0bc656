//! Makes media with ffmpeg in temporary directories.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use placet_ingest::Tools;

/// Found once.
pub fn tools() -> Tools {
    static TOOLS: OnceLock<Tools> = OnceLock::new();
    let find = || Tools::find_with_sandbox(env!("CARGO_BIN_EXE_placet-ingest-sandbox").into()).unwrap();
    TOOLS.get_or_init(find).clone()
}

/// A directory and what ffmpeg makes in it.
pub struct Studio {
    dir: tempfile::TempDir,
}

impl Studio {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs ffmpeg with these words; `{}` stands for the directory.
    pub fn make(&self, name: &str, words: &str) -> PathBuf {
        let dir = self.dir.path().to_str().unwrap();
        let path = self.path(name);
        let words = words.split_whitespace().map(|w| w.replace("{}", dir));
        let run = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y"])
            .args(words)
            .arg(&path)
            .output()
            .unwrap();
        assert!(run.status.success(), "{name}: {}", String::from_utf8_lossy(&run.stderr));
        path
    }

    /// A moving test picture of 1 s at 25 frames a second, then `words`.
    pub fn clip(&self, name: &str, size: &str, words: &str) -> PathBuf {
        self.make(name, &format!("-f lavfi -i testsrc2=s={size}:r=25:d=1 -pix_fmt yuv420p {words}"))
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
}

/// What ffprobe, unwrapped, says of one entry.
pub fn ffprobe(path: &Path, entries: &str) -> String {
    let run = Command::new("ffprobe")
        .args(["-v", "error", "-of", "csv=p=0", "-show_entries", entries])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(run.stdout).unwrap().trim().to_owned()
}
