//! `placet serve` from end to end: cameras that are files, a log, recorders, at ports that the system chooses.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use placet_sealed::{CustodySecret, SegmentReader};
use serde_json::Value;

use crate::log::{entries, ticks};
use crate::scene::{Scene, shots};
use crate::world::{Ran, Running, World, busy_in, children, full_counts, send, tool};

/// Far beyond what anything here takes: what reaches it never comes.
const NEVER: Duration = Duration::from_secs(120);

/// Four seconds of a face that moves.
const FILM: Scene =
    Scene { size: (480, 270), frames: 60, rate: "15", background: "testsrc2", at: (8, 40), step: (3, 0) };
const CODING: &str = "-c:v libx264 -preset ultrafast -bf 0 -g 15";

/// A gateway under way, with its addresses.
struct Gateway {
    running: Running,
    rtsp: String,
    page: String,
    metrics: String,
}

impl Gateway {
    fn start(world: &World, cameras: &str, more: &str) -> Self {
        let text = format!(
            "[gateway]\nmetrics = \"127.0.0.1:0\"\nfinder_threads = 2\n[rtsp]\nlisten = \"127.0.0.1:0\"\n\
             [page]\nlisten = \"127.0.0.1:0\"\n{more}{cameras}"
        );
        world.write("placet.toml", text);
        let running = Running::start(&mut world.command("serve"));
        let word = |said: String, scheme: &str| {
            let address = said.split_whitespace().find(|word| word.starts_with(scheme)).unwrap();
            address.trim_end_matches("/NAME").trim_end_matches('/').to_owned()
        };
        let rtsp = word(running.says("recorders find"), "rtsp://");
        let page = word(running.says("browsers find"), "http://");
        let metrics = word(running.says("health and metrics"), "http://").replace("/health", "");
        running.says("cameras are read");
        Self { running, rtsp, page, metrics }
    }

    /// What `/health` says, once `enough` is so.
    fn health(&self, mut enough: impl FnMut(&Value) -> bool) -> Value {
        let since = Instant::now();
        loop {
            let (_, body) = get(&self.metrics, "/health");
            let said: Value = serde_json::from_str(&body).unwrap();
            if enough(&said) {
                return said;
            }
            assert!(since.elapsed() < NEVER, "{said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn stop(self) -> Ran {
        self.running.signal(rustix::process::Signal::TERM);
        self.running.wait()
    }
}

fn camera(name: &str, film: &str) -> String {
    format!("[[camera]]\nname = \"{name}\"\nfilm = \"{film}\"\n")
}

/// The state of a camera in what `/health` said.
fn state<'a>(health: &'a Value, camera: &str) -> &'a str {
    let cameras = health["cameras"].as_array().unwrap();
    let one = cameras.iter().find(|c| c["camera"] == camera);
    one.and_then(|c| c["state"].as_str()).unwrap_or("none")
}

/// An HTTP answer's status and body, asked by hand.
fn get(base: &str, path: &str) -> (u16, String) {
    let host = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
    // Short bodies come in one piece.
    (status, body.to_owned())
}

/// Records so many pictures of a camera as a recorder does.
fn record(world: &World, url: &str, pictures: u32, name: &str) {
    let path = world.path(name);
    let words = ["-v", "error", "-nostdin", "-y", "-rtsp_transport", "tcp", "-i", url, "-frames:v"];
    let count = pictures.to_string();
    let rest = [count.as_str(), "-c", "copy", path.to_str().unwrap()];
    tool("timeout", &[&["60", "ffmpeg"], &words[..], &rest[..]].concat());
}

#[test]
fn a_configuration_is_checked_and_nothing_is_started() {
    let world = World::new();
    world.write("good.toml", camera("hall", "film.mp4"));
    let ran = world.placet("config check good.toml");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.text().contains("[[camera]] hall film = film.mp4  (line 3)"), "{}", ran.text());
    assert!(ran.text().contains("[redaction] hold_ms = 1500  (default)"));
    world.write("partly.toml", camera("hall", "a.mp4") + "[[camera]]\nname = \"door\"\n");
    let ran = world.placet("config check partly.toml --json");
    assert_eq!(ran.code, Some(5), "{}", ran.err);
    assert_eq!(ran.json()["disabled"][0]["camera"], "door");
    assert!(ran.err.contains("door is not read: line 5: a camera needs one of"), "{}", ran.err);
    world.write("bad.toml", "[search]\nenabled = true\n");
    for verb in ["config check bad.toml", "serve -c bad.toml"] {
        let ran = world.placet(verb);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(
            ran.err.contains("`search` is no table here") && ran.err.contains("there is no camera"),
            "{}",
            ran.err
        );
    }
    let reference = world.placet("config reference").text();
    assert_eq!(reference, include_str!("../../../../docs/CONFIGURATION.md"));
}

#[test]
fn cameras_leave_redacted_and_the_log_states_that_no_search_ran() {
    let world = World::new();
    FILM.film(&world, "film.mp4", CODING);
    world.write("cameras", "hall\nentrance\n");
    let made = world.placet("log create home --origin log.example/home --cameras cameras --interval 1");
    assert_eq!(made.code, Some(0), "{}", made.err);
    let gateway = Gateway::start(&world, &camera("hall", "film.mp4"), "[log]\nhome = \"home\"\nlead = 1\n");
    let said = gateway.health(|said| said["well"] == true);
    assert_eq!((state(&said, "hall"), &said["log"]), ("REDACTED LIVE", &serde_json::json!("kept")));
    record(&world, &format!("{}/hall", gateway.rtsp), 75, "seen.mp4");
    let seen = shots(&world.path("seen.mp4"));
    assert!(seen.len() >= 70, "{} pictures", seen.len());
    assert!(seen.iter().all(|shot| !shot.shows_face()));
    // What it does is told in numbers, and what it knows of faces is not.
    let (status, metrics) = get(&gateway.metrics, "/metrics");
    assert_eq!(status, 200);
    assert!(
        metrics.contains("placet_camera_up{camera=\"hall\"} 1") && metrics.contains("placet_log_kept 1"),
        "{metrics}"
    );
    let (status, page) = get(&gateway.page, "/");
    assert!(status == 200 && page.contains("hall"), "{page}");
    // Other paths are nobody's.
    for path in ["/door", "/", "/hall/../hall", "/hall%00", "/etc/passwd"] {
        let run = std::process::Command::new("ffprobe")
            .args(["-v", "error", "-rtsp_transport", "tcp", &format!("{}{path}", gateway.rtsp)])
            .output()
            .unwrap();
        assert!(!run.status.success(), "{path}");
    }
    for path in ["/camera/door", "/camera/../../etc/passwd", "/camera/hall/../door"] {
        assert_eq!(get(&gateway.page, path).0, 404, "{path}");
    }
    let ran = gateway.stop();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(busy_in(&world.path("")), Vec::<String>::new());
    // The camera that is read is stated off; of the other nothing is known.
    let ticks = ticks(&entries(&world, "home", ""));
    let at = ticks[1].start;
    let ask = |camera: &str| world.placet(&format!("log was-it-on home --camera {camera} --at {at}"));
    assert!(ask("hall").text().contains("STATED OFF"), "{}{}", ask("hall").text(), ask("hall").err);
    assert!(ask("entrance").text().contains("UNKNOWN"), "{}", ask("entrance").text());
}

#[test]
fn a_changed_file_is_followed_and_a_broken_one_is_not() {
    let world = World::new();
    FILM.film(&world, "film.mp4", CODING);
    let both = camera("hall", "film.mp4") + &camera("door", "film.mp4");
    let gateway = Gateway::start(&world, &both, "");
    gateway.health(|said| state(said, "hall") == "REDACTED LIVE" && state(said, "door") == "REDACTED LIVE");
    let text = String::from_utf8(world.read("placet.toml")).unwrap();
    world.write("placet.toml", format!("{text}\n[camera"));
    gateway.running.says("cannot be used, so what was there goes on");
    world.write("placet.toml", text.replace("\"door\"", "\"yard\"") + "[[camera]]\nname = \"roof\"\n");
    gateway.running.says("roof is not read: line");
    gateway.running.says("the configuration changed: 1 cameras begun, 1 ended");
    let said = gateway.health(|said| state(said, "yard") == "REDACTED LIVE");
    assert_eq!((state(&said, "door"), state(&said, "hall")), ("none", "REDACTED LIVE"));
    // One that is written and cannot be read is no camera that is well.
    assert_eq!((state(&said, "roof"), &said["well"]), ("NOT READ", &false.into()));
    assert!(get(&gateway.metrics, "/metrics").1.contains("\nplacet_cameras_unread 1\n"));
    record(&world, &format!("{}/yard", gateway.rtsp), 5, "yard.mp4");
    assert_eq!(gateway.stop().code, Some(0));
}

#[test]
fn a_camera_s_password_is_nowhere() {
    const SECRET: &str = "hunter2-und-weg";
    let world = World::new();
    let mode = |name: &str| {
        std::fs::set_permissions(world.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    world.write("camera.secret", format!("admin\n{SECRET}\n"));
    world.write("camera.url", format!("rtsp://admin:{SECRET}@127.0.0.1:9/live?password={SECRET}\n"));
    mode("camera.secret");
    mode("camera.url");
    let cameras = "[[camera]]\nname = \"a\"\nurl = \"rtsp://127.0.0.1:9/live\"\ncredentials_file = \"camera.secret\"\n\
                   [[camera]]\nname = \"b\"\nurl_file = \"camera.url\"\n";
    let gateway = Gateway::start(&world, cameras, "");
    let said = gateway.health(|said| {
        said["cameras"].as_array().unwrap().iter().all(|camera| camera["trouble"].is_string())
    });
    assert_eq!((state(&said, "a"), state(&said, "b")), ("AWAY", "AWAY"));
    let pages = ["/", "/camera/a", "/camera/b"].map(|path| get(&gateway.page, path).1).concat();
    let told = format!("{said}{}{pages}", get(&gateway.metrics, "/metrics").1);
    assert!(!told.contains(SECRET), "{told}");
    // Viewers learn nothing of the camera's address either.
    assert!(!pages.contains("127.0.0.1:9"), "{pages}");
    let lines = std::fs::read(format!("/proc/{}/cmdline", gateway.running.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&lines).contains(SECRET));
    let shown = world.placet("config check").text();
    assert!(shown.contains("url = rtsp://127.0.0.1:9/live") && !shown.contains(SECRET), "{shown}");
    let ran = gateway.stop();
    assert!(!ran.err.contains(SECRET), "{}", ran.err);
}

#[test]
fn attack_the_gateway_or_a_child_is_killed_and_no_face_was_shown() {
    let rounds = if full_counts() { 40 } else { 4 };
    let world = World::new();
    FILM.film(&world, "film.mp4", CODING);
    let (mut pictures, mut faces, mut killed) = (0, 0, 0);
    for round in 0..rounds {
        let gateway = Gateway::start(&world, &camera("hall", "film.mp4"), "");
        gateway.health(|said| state(said, "hall") == "REDACTED LIVE");
        let pid = gateway.running.pid();
        let name = format!("seen{round}.mkv");
        let url = format!("{}/hall", gateway.rtsp);
        let mut recorder = std::process::Command::new("timeout")
            .args(["20", "ffmpeg", "-v", "quiet", "-nostdin", "-y", "-rtsp_transport", "tcp", "-i", &url])
            .args(["-t", "4", "-c", "copy", world.path(&name).to_str().unwrap()])
            .spawn()
            .unwrap();
        // Once the encoder runs, too.
        let since = Instant::now();
        while children(pid, &["libx264"]).is_empty() {
            assert!(since.elapsed() < NEVER);
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(100 * (1 + round % 9)));
        let all = children(pid, &["ffmpeg"]);
        if round % 2 == 0 {
            send(all[usize::try_from(round).unwrap() % all.len()], rustix::process::Signal::KILL);
            recorder.wait().unwrap();
            gateway.health(|said| state(said, "hall") == "REDACTED LIVE");
            assert_eq!(gateway.stop().code, Some(0));
        } else {
            send(pid, rustix::process::Signal::KILL);
            recorder.wait().unwrap();
            let since = Instant::now();
            // Its children go with it.
            while all.iter().any(|child| std::path::Path::new(&format!("/proc/{child}/exe")).exists()) {
                assert!(since.elapsed() < NEVER, "a child outlives the gateway");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        killed += 1;
        if world.has(&name) && !world.read(&name).is_empty() {
            for shot in shots(&world.path(&name)) {
                pictures += 1;
                faces += u32::from(shot.shows_face());
            }
        }
    }
    println!("{killed} processes killed; {pictures} pictures recorded, {faces} with a face");
    assert_eq!(faces, 0);
    assert!(pictures > 0);
}

#[test]
fn a_camera_is_tried_and_told() {
    let world = World::new();
    FILM.film(&world, "film.mp4", CODING);
    let gateway = Gateway::start(&world, &camera("hall", "film.mp4"), "");
    gateway.health(|said| state(said, "hall") == "REDACTED LIVE");
    // Our own redacted stream is a camera as good as any.
    let url = format!("{}/hall", gateway.rtsp);
    let ran = world.placet(&format!("camera try {url} --wait 2 --json"));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let said = ran.json();
    assert_eq!(
        (&said["codec"], &said["width"], &said["height"]),
        (&"H.264".into(), &480.into(), &270.into())
    );
    assert!(said["pictures"].as_u64().unwrap() >= 20, "{said}");
    let ran = world.placet(&format!("camera try {}/door --wait 2", gateway.rtsp));
    assert_eq!(ran.code, Some(4), "{}{}", ran.text(), ran.err);
    assert!(ran.text().contains("look the stream's path up"), "{}", ran.text());
    let ran = world.placet("camera try rtsp://admin:geheim@127.0.0.1:9/ --wait 1");
    assert!(ran.code == Some(2) && !ran.err.contains("geheim"), "{}", ran.err);
    world.write(
        "two.toml",
        format!("[[camera]]\nname = \"good\"\nurl = \"{url}\"\n[[camera]]\nname = \"gone\"\nurl = \"rtsp://127.0.0.1:9/\"\n[[camera]]\nname = \"odd\"\n"),
    );
    let said = world.placet("doctor --config two.toml --json").json();
    let finding = |name: &str| said.as_array().unwrap().iter().find(|f| f["what"] == name).unwrap().clone();
    assert_eq!(
        (&finding("good")["ok"], &finding("gone")["ok"], &finding("odd")["ok"]),
        (&true.into(), &false.into(), &false.into())
    );
    assert!(finding("gone")["fix"].as_str().unwrap().contains("check the port in its URL"), "{said}");
    assert_eq!(gateway.stop().code, Some(0));
}

#[test]
fn an_original_is_sealed_and_nothing_of_it_lies_open() {
    let world = World::new();
    FILM.film(&world, "film.mp4", CODING);
    let custodian = CustodySecret::from_seed([7; 32]);
    world.write("custody.pub", format!("{}\n", custodian.public_key()));
    let sealed = "[sealed]\nfolder = \"originals\"\nkey_file = \"custody.pub\"\nhours = 1\n";
    let cameras = camera("hall", "film.mp4") + "sealed = true\n" + &camera("door", "film.mp4");
    let gateway = Gateway::start(&world, &cameras, sealed);
    gateway.health(|said| said["well"] == true);
    record(&world, &format!("{}/hall", gateway.rtsp), 45, "seen.mp4");
    assert_eq!(gateway.stop().code, Some(0));
    let files: Vec<String> =
        world.files().into_keys().filter(|name| name.starts_with("originals/")).collect();
    assert!(files.iter().any(|name| name.contains("hall")), "{files:?}");
    assert!(!files.iter().any(|name| name.contains("door")), "{files:?}");
    let (mut units, mut bytes) = (0, 0);
    for name in files.iter().filter(|name| name.contains("hall")) {
        let file = std::fs::File::open(world.path(name)).unwrap();
        let Ok(mut reader) = SegmentReader::open(file, &custodian) else { continue };
        let sealed = world.read(name);
        while let Some(unit) = reader.next_unit().unwrap() {
            units += 1;
            bytes += unit.data().len();
            // Nothing of a picture stands there as it was.
            let piece = &unit.data()[..unit.data().len().min(24)];
            assert!(!sealed.windows(piece.len()).any(|window| window == piece));
        }
    }
    println!("{units} coded pictures sealed, {bytes} bytes; none lies open");
    assert!(units >= 45, "{units}");
}

#[test]
fn what_cannot_be_opened_ends_the_program_in_words() {
    let world = World::new();
    FILM.film(&world, "film.mp4", CODING);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap();
    let cameras = camera("hall", "film.mp4");
    for (more, code, said) in [
        (format!("[page]\nlisten = \"{port}\"\n"), 4, "cannot listen on"),
        ("[log]\nhome = \"nowhere\"\n".to_owned(), 2, "nowhere"),
    ] {
        world.write("placet.toml", format!("[gateway]\nmetrics = \"127.0.0.1:0\"\n{more}{cameras}"));
        let ran = world.placet("serve");
        assert_eq!(ran.code, Some(code), "{}", ran.err);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
}
