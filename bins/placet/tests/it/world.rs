//! A folder of its own for each test, and the program run in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use placet_core::Digest;

/// Far beyond what any run here takes: what reaches it hangs.
pub const HANGS: Duration = Duration::from_secs(240);

/// A temporary folder. The program runs in it, with its own data folder (and so its own key) and the models in place.
pub struct World {
    dir: tempfile::TempDir,
    data: tempfile::TempDir,
    models: PathBuf,
}

impl World {
    pub fn new() -> Self {
        let [dir, data] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        Self { dir, data, models: models() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// In the program's data folder.
    pub fn data(&self, name: &str) -> PathBuf {
        self.data.path().join(name)
    }

    pub fn models(&self) -> &Path {
        &self.models
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Every file below the folder, hidden ones too, with its digest.
    pub fn files(&self) -> BTreeMap<String, Digest> {
        let root = self.dir.path();
        walkdir::WalkDir::new(root)
            .into_iter()
            .map(|e| e.unwrap())
            .filter(|e| !e.file_type().is_dir())
            .map(|e| {
                let name = e.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                (name, Digest::of(&fs::read(e.path()).unwrap_or_default()))
            })
            .collect()
    }

    /// The program with these words, not yet started.
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_placet"));
        command.args(words.split_whitespace());
        self.settle(&mut command);
        command
    }

    /// Another program, such as a shell that starts ours, in the same surroundings.
    pub fn settle(&self, command: &mut Command) {
        command
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.env("XDG_DATA_HOME", self.data.path()).env("PLACET_MODELS", &self.models);
        command.env("TMPDIR", self.data.path()).env("HOME", self.data.path()).env_remove("XDG_CACHE_HOME");
    }

    /// Runs `placet` with these words to its end.
    pub fn placet(&self, words: &str) -> Ran {
        Running::start(&mut self.command(words)).wait()
    }

    /// Runs `placet redact` with these words, which must succeed.
    pub fn redact(&self, words: &str) -> Ran {
        let ran = self.placet(&format!("redact {words}"));
        assert_eq!(ran.code, Some(0), "redact {words}: {}", ran.err);
        ran
    }

    /// What the program left in its data and temporary folder besides the key.
    pub fn leavings(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.data.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.retain(|n| n != "placet");
        names
    }
}

/// The folder of the models: `PLACET_MODELS`, else the one `./x setup` fills.
fn models() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/models");
    let dir = std::env::var_os("PLACET_MODELS").map_or(here, PathBuf::from);
    for file in ["yunet.onnx", "centerface.onnx"] {
        assert!(dir.join(file).is_file(), "{} is not in {}; run `./x setup`", file, dir.display());
    }
    dir.canonicalize().unwrap()
}

/// A run that ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub status: ExitStatus,
    pub out: Vec<u8>,
    pub err: String,
}

impl Ran {
    pub fn text(&self) -> String {
        String::from_utf8(self.out.clone()).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|e| panic!("{e}: {}{}", self.text(), self.err))
    }
}

/// A run under way. Dropping it kills it.
pub struct Running {
    child: Option<Child>,
    out: Option<JoinHandle<Vec<u8>>>,
    err: Option<JoinHandle<Vec<u8>>>,
    lines: mpsc::Receiver<String>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (say, lines) = mpsc::channel();
        let mut out = child.stdout.take();
        let mut err = child.stderr.take();
        let out = std::thread::spawn(move || {
            let mut all = Vec::new();
            // A run that is killed may break its pipe.
            let _ = out.as_mut().map(|o| o.read_to_end(&mut all));
            all
        });
        let err = std::thread::spawn(move || {
            let (mut all, mut told) = (Vec::new(), 0);
            let mut chunk = [0; 4096];
            while let Some(n) = err.as_mut().and_then(|e| e.read(&mut chunk).ok()).filter(|&n| n > 0) {
                all.extend_from_slice(&chunk[..n]);
                while let Some(end) = all[told..].iter().position(|&b| b == b'\n') {
                    // Whoever waited for a line may have stopped waiting.
                    let _ = say.send(String::from_utf8_lossy(&all[told..told + end]).into_owned());
                    told += end + 1;
                }
            }
            all
        });
        Self { child: Some(child), out: Some(out), err: Some(err), lines }
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub fn input(&mut self) -> std::process::ChildStdin {
        self.child.as_mut().unwrap().stdin.take().unwrap()
    }

    /// Waits until it says a line with `words` on standard error.
    pub fn says(&self, words: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(HANGS).unwrap_or_else(|e| panic!("never said `{words}`: {e}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Waits until `ready` is true while it runs; false where it ended first.
    pub fn until(&mut self, mut ready: impl FnMut(u32) -> bool) -> bool {
        let started = Instant::now();
        loop {
            if ready(self.pid()) {
                return true;
            }
            if self.child.as_mut().unwrap().try_wait().unwrap().is_some() {
                return false;
            }
            assert!(started.elapsed() < HANGS, "hangs");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        send(self.pid(), signal);
    }

    /// Its end. No run of ours may hang, panic, or blame itself.
    pub fn wait(mut self) -> Ran {
        let mut child = self.child.take().unwrap();
        let pid = child.id();
        let (ended, end) = mpsc::channel();
        let waiter = std::thread::spawn(move || ended.send(child.wait().unwrap()));
        let status = end.recv_timeout(HANGS).unwrap_or_else(|_| {
            send(pid, rustix::process::Signal::KILL);
            let err = self.err.take().unwrap().join().unwrap();
            panic!("hangs after saying: {}", String::from_utf8_lossy(&err));
        });
        waiter.join().unwrap().unwrap();
        let out = self.out.take().unwrap().join().unwrap();
        let err = String::from_utf8_lossy(&self.err.take().unwrap().join().unwrap()).into_owned();
        assert_ne!(status.code(), Some(70), "internal error: {err}");
        assert!(!err.contains("panicked"), "{err}");
        Ran { code: status.code(), status, out, err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

/// Sends a signal to a process, which may have ended.
pub fn send(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    // It may be gone.
    let _ = rustix::process::kill_process(pid, signal);
}

/// The processes started by `pid` whose command line has all of `words`.
pub fn children(pid: u32, words: &[&str]) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let listed = tasks.filter_map(|t| fs::read_to_string(t.ok()?.path().join("children")).ok());
    let pids: Vec<u32> =
        listed.flat_map(|l| l.split_whitespace().map(|p| p.parse().unwrap()).collect::<Vec<u32>>()).collect();
    pids.into_iter().filter(|&p| words.iter().all(|w| command_line(p).contains(w))).collect()
}

fn command_line(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

/// Processes anywhere whose command line names something in `dir`.
pub fn busy_in(dir: &Path) -> Vec<String> {
    let name = dir.to_str().unwrap();
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|e| e.unwrap().file_name().to_str()?.parse::<u32>().ok())
        .map(command_line)
        .filter(|c| c.contains(name))
        .collect()
}

/// Another program to its end, which must be a success; its standard output.
pub fn tool(program: &str, args: &[&str]) -> Vec<u8> {
    let run = Command::new(program).args(args).stdin(Stdio::null()).output().unwrap();
    assert!(run.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&run.stderr));
    run.stdout
}

/// Numbers from a seed: xorshift64*.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % n.max(1)
    }
}

/// Whether attacks run at full counts.
pub fn full_counts() -> bool {
    std::env::var("PLACET_ATTACK").is_ok_and(|counts| counts == "full")
}
