//! GStreamer's RTSP server in a child process (`server.py`).

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

const PYTHON: &str = "/usr/bin/python3";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/camera/server.py");

/// Whether the server can be run here. Where it must be, it is.
pub fn is_here() -> bool {
    let probe =
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer";
    let is_here =
        Command::new(PYTHON).args(["-c", probe]).output().is_ok_and(|output| output.status.success());
    if !is_here {
        assert!(std::env::var_os("CI").is_none(), "GStreamer's RTSP server is not installed");
        eprintln!("not run: GStreamer's RTSP server is missing (gir1.2-gst-rtsp-server-1.0, python3-gi)");
    }
    is_here
}

/// How a server is run.
#[derive(Clone, Copy)]
pub struct How<'a> {
    pub codec: &'a str,
    pub user: &'a str,
    pub transports: &'a str,
}

pub struct Gst {
    child: Child,
    pub port: u16,
    /// How many connections were open at each change.
    clients: Arc<Mutex<Vec<usize>>>,
    _folder: TempDir,
}

impl Gst {
    pub fn start(port: u16, how: How<'_>, clips: &[Vec<u8>]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(PYTHON);
        command.args([SCRIPT, &port.to_string(), how.codec, "25", how.user, how.transports]);
        for (idx, clip) in clips.iter().enumerate() {
            let path = folder.path().join(idx.to_string());
            std::fs::write(&path, clip).unwrap();
            command.arg(path);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.next().unwrap().unwrap();
        let port = said.strip_prefix("port ").unwrap().parse().unwrap();
        let clients = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&clients);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let count = line.strip_prefix("client ").unwrap().parse().unwrap();
                seen.lock().unwrap().push(count);
            }
        });
        Self { child, port, clients, _folder: folder }
    }

    pub fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/cam", self.port)
    }

    pub fn say(&mut self, command: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{command}").unwrap();
    }

    /// How many connections there were, the most at once, and how many are open.
    pub fn clients(&self) -> (usize, usize, usize) {
        let counts = self.clients.lock().unwrap();
        let all =
            counts.iter().scan(0, |last, now| Some(usize::from(*now > std::mem::replace(last, *now)))).sum();
        (all, counts.iter().copied().max().unwrap_or(0), counts.last().copied().unwrap_or(0))
    }
}

impl Drop for Gst {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
