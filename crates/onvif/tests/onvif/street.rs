//! A street with a foreign camera (ipycam) and our own device in it, seen from an office.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use placet_core::Size;
use placet_onvif::client::answer::Encoding;
use placet_onvif::client::{Camera, LookupError, lookup};
use placet_onvif::device::{Reach, system_clock};
use placet_onvif::discovery::{Found, Responder, discover};
use placet_onvif::{Credentials, client};
use serde_json::json;
use tokio::sync::oneshot;

use crate::peers::{self, Peer};
use crate::stage::{self, PASSWORD, USER};
use crate::town::{Side, Town};

/// How long anything may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// ipycam as its command line starts it, stopped when dropped.
struct Ipycam {
    child: Child,
    folder: tempfile::TempDir,
}

impl Ipycam {
    fn start(town: &Town) -> Option<Self> {
        let place = peers::installed(Peer::Camera)?;
        let folder = tempfile::tempdir().unwrap();
        let config = json!({
            "name": "Street <corner>", "local_ip": Side::Street.address(), "username": USER, "password": PASSWORD,
            "main_width": 320, "main_height": 180, "main_fps": 10, "main_bitrate": "512K",
            "sub_width": 160, "sub_height": 90, "sub_fps": 5, "sub_bitrate": "128K", "hw_accel": "cpu",
        });
        fs::write(folder.path().join("camera.json"), config.to_string()).unwrap();
        let clip = [
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=320x180:r=10:d=2",
            "-pix_fmt",
            "yuv420p",
            "clip.mp4",
        ];
        assert!(Command::new("ffmpeg").args(clip).current_dir(folder.path()).status().unwrap().success());
        let mut python = Command::new("python3");
        python
            .args(["-m", "ipycam", "--config", "camera.json", "--source", "clip.mp4"])
            .env("PYTHONPATH", place)
            .current_dir(folder.path());
        let said = fs::File::create(folder.path().join("said.txt")).unwrap();
        let child = town
            .command(Side::Street, &python)
            .stdin(Stdio::null())
            .stdout(said.try_clone().unwrap())
            .stderr(said)
            .spawn()
            .unwrap();
        Some(Self { child, folder })
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("said.txt")).unwrap_or_default()
    }
}

impl Drop for Ipycam {
    fn drop(&mut self) {
        // `ip netns exec` becomes the program, so this is ipycam itself; its encoders end with their pipes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Our device on that side, until dropped.
struct Ours {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ours {
    fn start(town: &Town) -> Self {
        let (stop, stopped) = oneshot::channel();
        let thread = town.at(Side::Street, || async {
            let at = SocketAddr::from((Side::Street.address(), 8099));
            let served = stage::served_at(at, system_clock()).await;
            let responder =
                Responder::bind(served.device.announcement(), Reach::Arrival { port: 8099 }, None).unwrap();
            responder.run(async move { drop(stopped.await) }).await.unwrap();
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }

    fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn found(town: &Town) -> Vec<Found> {
    town.at(Side::Office, || discover(Duration::from_secs(1), None)).join().unwrap().unwrap()
}

fn looked_up(town: &Town, address: &str, password: &'static str) -> Result<Camera, LookupError> {
    let address = address.to_owned();
    let look = move || async move {
        let credentials = Credentials::new(USER, password.to_owned()).unwrap();
        lookup(&address, Some(&credentials), Duration::from_secs(10)).await
    };
    town.at(Side::Office, look).join().unwrap()
}

/// Looks until `name` is found.
fn until_found(town: &Town, name: &str, more: impl Fn() -> String) -> Found {
    let start = Instant::now();
    loop {
        if let Some(camera) = found(town).into_iter().find(|camera| camera.name.as_deref() == Some(name)) {
            return camera;
        }
        assert!(start.elapsed() < PATIENCE, "{name} is not found: {}", more());
    }
}

#[test]
fn a_foreign_camera_is_found_and_looked_up() {
    let Some(town) = Town::new() else { return };
    let Some(camera) = Ipycam::start(&town) else { return };
    let found = until_found(&town, "Street <corner>", || camera.said());
    assert_eq!(found.from, Side::Street.address());
    assert_eq!(found.addresses.len(), 1, "{found:?}");
    let address = &found.addresses[0];
    assert!(!address.doubtful && address.url.starts_with("http://198.51.100.2:8080/"), "{address:?}");

    let looked = looked_up(&town, &address.url, PASSWORD).unwrap();
    assert!(looked.clock_ahead.is_some_and(|seconds| seconds.abs() <= 2), "{looked:?}");
    assert_eq!(looked.notes, Vec::<String>::new());
    let shapes: Vec<_> =
        looked.profiles.iter().map(|p| (p.name.as_str(), p.encoding.clone(), p.size, p.fps)).collect();
    let h264 = Some(Encoding::H264);
    let size = |width, height| Some(Size { width, height });
    assert_eq!(
        shapes,
        [
            ("MainStream", h264.clone(), size(320, 180), Some(10.0)),
            ("SubStream", h264, size(160, 90), Some(5.0))
        ]
    );
    for profile in &looked.profiles {
        let stream = profile.stream.as_ref().unwrap();
        assert!(
            !stream.other_host && !stream.secret && stream.url.starts_with("rtsp://198.51.100.2:8554/"),
            "{stream:?}"
        );
        assert!(profile.snapshot.as_ref().unwrap().url.starts_with("http://198.51.100.2:8080/"));
        let answer = options(&town, &stream.url);
        assert!(answer.starts_with("RTSP/1.0 "), "{answer}: {}", camera.said());
    }
    let wrong = looked_up(&town, &address.url, "wrong").unwrap_err();
    assert!(matches!(wrong, LookupError::Refused { .. }), "{wrong}");
    println!("ipycam: {} profiles; a wrong password: {wrong}", looked.profiles.len());
}

/// What an RTSP server answers to `OPTIONS`.
fn options(town: &Town, url: &str) -> String {
    let url = url.to_owned();
    let ask = move || async move {
        let host = url.strip_prefix("rtsp://").unwrap().split('/').next().unwrap();
        let start = Instant::now();
        let mut stream = loop {
            match TcpStream::connect(host) {
                Ok(stream) => break stream,
                Err(e) => assert!(start.elapsed() < PATIENCE, "{url}: {e}"),
            }
        };
        stream.write_all(format!("OPTIONS {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n").as_bytes()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = [0; 64];
        let length = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    };
    town.at(Side::Office, ask).join().unwrap()
}

#[test]
fn our_device_is_found_by_ourselves_and_looked_up() {
    let Some(town) = Town::new() else { return };
    let mut ours = Ours::start(&town);
    let found = until_found(&town, "Placet at the town hall", String::new);
    assert_eq!(found.location.as_deref(), Some("Town hall/1st floor"));
    assert_eq!(found.endpoint, "urn:uuid:706c6163-6574-4d74-a573-742d75756964");
    assert_eq!(found.addresses[0].url, "http://198.51.100.2:8099/onvif/device_service");
    assert!(!found.addresses[0].doubtful);
    let looked = looked_up(&town, &found.addresses[0].url, PASSWORD).unwrap();
    assert_eq!((looked.profiles.len(), looked.clock_ahead.map(|s| s.abs() <= 2)), (3, Some(true)));
    assert_eq!(looked.profiles[0].name, "Halle Nord \u{2013} <1> & \"2\"");
    let streams: Vec<_> = looked.profiles.iter().map(|p| p.stream.as_ref().unwrap().url.as_str()).collect();
    let expected =
        ["hall-north", "gate", "yard_2"].map(|id| format!("rtsp://198.51.100.2:8554/{id}?a=1&b=2"));
    assert_eq!(streams, expected);
    assert_eq!(looked.profiles.iter().filter(|p| p.snapshot.is_some()).count(), 2);
    assert_eq!(
        looked.notes,
        ["profile `]]></tt:Name>` has no picture: the camera answers `ActionNotSupported`"]
    );
    assert!(matches!(
        looked_up(&town, &found.addresses[0].url, "wrong"),
        Err(client::LookupError::Refused { .. })
    ));
    ours.stop();
    assert_eq!(self::found(&town), []);
}

#[test]
fn a_foreign_search_finds_our_device_by_type_and_scope() {
    let Some(town) = Town::new() else { return };
    let Some(place) = peers::installed(Peer::Zeep) else { return };
    let mut ours = Ours::start(&town);
    until_found(&town, "Placet at the town hall", String::new);
    let scope = |path: &str| format!("onvif://www.onvif.org/{path}");
    for (types, scopes, expected) in [
        (vec!["NetworkVideoTransmitter"], vec![], true),
        (vec![], vec![], true),
        (vec!["NetworkVideoTransmitter"], vec![scope("Profile/Streaming"), scope("name")], true),
        (vec!["NetworkVideoDisplay"], vec![], false),
        (vec!["NetworkVideoTransmitter"], vec![scope("Profile/G")], false),
    ] {
        let asked = json!({ "types": types, "scopes": scopes, "seconds": 3 });
        let answer = peers::ask(town.command(Side::Office, &peers::python("probe.py", &place)), &asked);
        let rows = answer.as_array().unwrap();
        assert_eq!(rows.len(), usize::from(expected), "{asked}: {answer}");
        if let [row] = rows.as_slice() {
            assert_eq!(row[0], "urn:uuid:706c6163-6574-4d74-a573-742d75756964");
            assert_eq!(row[1], json!(["http://198.51.100.2:8099/onvif/device_service"]));
            assert_eq!(row[2].as_array().unwrap().len(), 6);
        }
    }
    ours.stop();
}
