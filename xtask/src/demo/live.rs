//! Four cameras on loopback with Placet before them, seen as a recorder, a browser and a citizen see them.

use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::material::{FPS, PYTHON, SCENES, Scene, footage};
use super::{Placet, say};
use crate::command::{output, program, root, succeed};

/// Seconds that are recorded of each camera.
const RECORDED: u32 = 6;
/// How long the gateway may take until every camera is live, and to stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// Score from which the detector takes no cover for a face: the four films hidden by `placet redact` have no such one.
const SURE: &str = "0.85";
/// The camera whose stream is asked for over UDP.
const OVER_UDP: &str = "yard";

/// Runs it; what it starts is gone when it is over, however it ends.
pub fn run(placet: &Placet, dir: &Path, stay: bool) -> Result<(), String> {
    say("5. Four RTSP cameras on loopback, with Placet before them");
    let footage = footage(dir)?;
    let place = Place::new(dir, &footage)?;
    let cameras = Cameras::start(&place)?;
    let gateway = Gateway::start(placet, &place, &cameras)?;
    for (scene, url) in SCENES.iter().zip(&cameras.urls) {
        let password = if scene.has_password { ", asks for a password" } else { "" };
        println!(
            "   {:<7} {url}: {}; {}, sent by {}{password}",
            scene.name, scene.shows, scene.codec, scene.transport
        );
    }
    println!("   all are live; each is served redacted at rtsp://{}/NAME", gateway.rtsp);

    say("6. A recorder of its own (ffmpeg) and a browser, at the same time");
    let browser = browser(&gateway, &place)?;
    let mut recorder = program(root().join("bench/live/record"));
    recorder.arg((f64::from(RECORDED) / 60.0).to_string()).arg("--config").arg(place.config());
    succeed(recorder.arg("--out").arg(place.file("recorded")).args(["--udp", OVER_UDP]))?;
    let instant = output(program("date").args(["-u", "-d", "-2 seconds", "+%Y-%m-%dT%H:%M:%SZ"]))?;
    browser.map_or(Ok(()), |browser| browser.finish())?;

    say(&format!("7. Faces that the detector is sure of (score {SURE} or more), in every frame"));
    let mut remain = 0;
    for scene in &SCENES {
        let saw = sure_faces(placet, &place, &place.file(&format!("{}.mp4", scene.name)))?;
        let left = sure_faces(placet, &place, &place.recorded(scene))?;
        let (found, clear) = (saw.number("track_count")?, left.number("track_count")?);
        println!("   {:<7} {found} tracks in what the camera saw, {clear} in what was recorded", scene.name);
        remain += clear;
    }
    println!(
        "   Below that score it also takes covers under hair for faces, in files that `placet redact` made too."
    );

    say("8. Was a search on while that was recorded? The log, and the proof of its answer");
    citizen(placet, &place, &gateway, instant.trim())?;

    stills(&place)?;
    say("Look at");
    for name in ["before-after.png", "page.png", "recorded/gate/000.mp4", "off.json", "placet.toml"] {
        let path = place.file(name);
        if path.exists() {
            println!("   {}", path.strip_prefix(root()).unwrap_or(&path).display());
        }
    }
    if stay {
        println!(
            "   Page: http://{}/   Recorders: rtsp://{}/NAME   Log: http://{}",
            gateway.page, gateway.rtsp, gateway.log
        );
        println!("   The cameras stay on until Ctrl-C. As a recorder, for ten minutes: bench/live/record 10");
        let ended = gateway.wait();
        drop(cameras);
        return ended;
    }
    gateway.stop()?;
    drop(cameras);
    println!("   Everything is stopped again. With --stay it stays on, for your browser and your recorder.");
    if remain > 0 {
        return Err(format!("the detector still finds {remain} faces in what was recorded"));
    }
    Ok(())
}

/// The folder that all this happens in.
struct Place(PathBuf);

impl Place {
    /// Cleared, with the cameras' films in it.
    fn new(dir: &Path, footage: &Path) -> Result<Self, String> {
        let place = Self(dir.join("live"));
        let failed = |e: std::io::Error| format!("cannot write in `{}`: {e}", place.0.display());
        if place.0.exists() {
            fs::remove_dir_all(&place.0).map_err(failed)?;
        }
        fs::create_dir_all(&place.0).map_err(failed)?;
        let mut cameras = String::new();
        for scene in &SCENES {
            let file = footage.join(scene.file());
            cameras += &format!(
                "[[camera]]\nname = \"{}\"\nfile = \"{}\"\ncodec = \"{}\"\nfps = {FPS}\ntransport = \"{}\"\n",
                scene.name,
                file.display(),
                scene.codec,
                scene.transport
            );
            if scene.has_password {
                cameras += &format!("credentials_file = \"{}\"\n", scene.secret());
                let mut secret = fs::OpenOptions::new();
                secret.write(true).create_new(true).mode(0o600);
                let mut secret = secret.open(place.file(&scene.secret())).map_err(failed)?;
                secret.write_all(b"viewer\nnot-a-real-secret\n").map_err(failed)?;
            }
            // What the camera saw in as many seconds as are recorded of it, to look at beside what was recorded.
            let mut ffmpeg = program("ffmpeg");
            ffmpeg.args(["-v", "error", "-nostdin", "-framerate", &FPS.to_string(), "-i"]).arg(&file);
            succeed(ffmpeg.args(["-c", "copy"]).arg(place.file(&format!("{}.mp4", scene.name))))?;
        }
        fs::write(place.file("cameras.toml"), cameras).map_err(failed)?;
        fs::write(place.file("cameras.txt"), SCENES.map(|scene| format!("{}\n", scene.name)).concat())
            .map_err(failed)?;
        Ok(place)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn config(&self) -> PathBuf {
        self.file("placet.toml")
    }

    fn recorded(&self, scene: &Scene) -> PathBuf {
        self.file(&format!("recorded/{}/000.mp4", scene.name))
    }
}

impl Scene {
    /// The file with its user and password.
    fn secret(&self) -> String {
        format!("{}.secret", self.name)
    }
}

/// A program that the kernel ends when this one is gone, even killed.
fn bound(signal: &str) -> Command {
    let mut command = program("setpriv");
    command.args(["--pdeathsig", signal, "--"]);
    command
}

/// The cameras; they end when their standard input does.
struct Cameras {
    process: Child,
    stdin: Option<ChildStdin>,
    urls: Vec<String>,
}

impl Cameras {
    fn start(place: &Place) -> Result<Self, String> {
        let mut command = bound("KILL");
        command.arg(PYTHON).arg(root().join("bench/live/loopback.py")).arg(place.file("cameras.toml"));
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("cannot start the cameras: {e}"))?;
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
        let mut cameras = Self { process, stdin, urls: Vec::new() };
        for line in stdout.map(BufReader::new).into_iter().flat_map(BufRead::lines) {
            match line.as_deref().map(|line| line.split_once(' ')) {
                Ok(Some((_, url))) => cameras.urls.push(url.to_owned()),
                Ok(None) => return Ok(cameras),
                Err(why) => return Err(format!("cannot hear the cameras: {why}")),
            }
        }
        Err("the cameras ended; what they need stands in bench/live/loopback.py".to_owned())
    }
}

impl Drop for Cameras {
    fn drop(&mut self) {
        drop(self.stdin.take());
        end(&mut self.process);
    }
}

/// `placet serve`
struct Gateway {
    process: Child,
    rtsp: String,
    page: String,
    log: String,
}

impl Gateway {
    /// Started, and every camera live.
    fn start(placet: &Placet, place: &Place, cameras: &Cameras) -> Result<Self, String> {
        // All four are held until each is known, so that they differ.
        let ports = [(); 4].map(|()| {
            TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr().map(|at| (port, at)))
        });
        let mut at = Vec::new();
        let mut held = Vec::new();
        for port in ports {
            let (port, address) = port.map_err(|e| format!("no free port: {e}"))?;
            held.push(port);
            at.push(address.to_string());
        }
        drop(held);
        let [rtsp, page, log, metrics] =
            <[String; 4]>::try_from(at).map_err(|_| "four ports were asked for".to_owned())?;

        let mut create = placet.command();
        create.args(["log", "create", "--origin", "demo.example/placet", "--interval", "5", "--cameras"]);
        output(create.arg(place.file("cameras.txt")).arg(place.file("log")))?;
        let mut config = format!(
            "[gateway]\nmetrics = \"{metrics}\"\nmodels = \"{}\"\n\n[rtsp]\nlisten = \"{rtsp}\"\n\n[page]\nlisten = \"{page}\"\n\n\
             [log]\nhome = \"log\"\nlisten = \"{log}\"\n",
            root().join("target/models").display()
        );
        for (scene, url) in SCENES.iter().zip(&cameras.urls) {
            config += &format!(
                "\n[[camera]]\nname = \"{}\"\nurl = \"{url}\"\ntransport = \"{}\"\nframe_rate = {FPS}\n",
                scene.name, scene.transport
            );
            if scene.has_password {
                config += &format!("credentials_file = \"{}\"\n", scene.secret());
            }
        }
        let failed = |e: std::io::Error| format!("cannot write in `{}`: {e}", place.0.display());
        fs::write(place.config(), config).map_err(failed)?;
        let told = fs::File::create(place.file("serve.log")).map_err(failed)?;
        let mut serve = placet.behind(bound("TERM"));
        serve.arg("serve").arg("--config").arg(place.config());
        let process = serve
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(told)
            .spawn()
            .map_err(|e| format!("cannot start placet serve: {e}"))?;
        let mut gateway = Self { process, rtsp, page, log };
        gateway.until_well(&metrics, place)?;
        Ok(gateway)
    }

    fn until_well(&mut self, metrics: &str, place: &Place) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        let mut said = String::new();
        while Instant::now() < until && matches!(self.process.try_wait(), Ok(None)) {
            said = get(metrics, "/health").unwrap_or(said);
            if said.contains("\"well\":true") {
                return Ok(());
            }
            sleep(Duration::from_millis(200));
        }
        let told = fs::read_to_string(place.file("serve.log")).unwrap_or_default();
        Err(format!("the cameras did not come: {said}\n{told}"))
    }

    /// Until it ends by itself, or the terminal's Ctrl-C ends it with this program.
    fn wait(mut self) -> Result<(), String> {
        let status = self.process.wait().map_err(|e| format!("cannot wait for placet serve: {e}"))?;
        if status.success() { Ok(()) } else { Err(format!("placet serve ended: {status}")) }
    }

    fn stop(mut self) -> Result<(), String> {
        let status = end(&mut self.process).ok_or("placet serve did not stop when it was asked to")?;
        if status.success() { Ok(()) } else { Err(format!("placet serve stopped: {status}")) }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// Asks a program to end and waits for it; one that does not is killed, and none comes back.
fn end(process: &mut Child) -> Option<std::process::ExitStatus> {
    if let Ok(Some(status)) = process.try_wait() {
        return Some(status);
    }
    // The standard library can only kill; the shell can ask.
    let _ = program("sh").args(["-c", "kill -TERM \"$0\""]).arg(process.id().to_string()).status();
    let until = Instant::now() + Duration::from_secs(15);
    while Instant::now() < until {
        if let Ok(Some(status)) = process.try_wait() {
            return Some(status);
        }
        sleep(Duration::from_millis(50));
    }
    let _ = process.kill().and_then(|()| process.wait());
    None
}

/// What a server on this machine answers, head and all.
fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(1 << 20).read_to_string(&mut answer)?;
    Ok(answer)
}

/// A browser that takes a picture of the page.
struct Browser(Child);

impl Browser {
    fn finish(mut self) -> Result<(), String> {
        let mut said = String::new();
        if let Some(stdout) = &mut self.0.stdout {
            stdout.read_to_string(&mut said).map_err(|e| format!("cannot hear the browser: {e}"))?;
        }
        let status = self.0.wait().map_err(|e| format!("cannot wait for the browser: {e}"))?;
        said.lines().for_each(|line| println!("   the page says of {line}"));
        if status.success() { Ok(()) } else { Err(format!("the browser saw no live page: {status}")) }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

/// None, with words, where there is no browser.
fn browser(gateway: &Gateway, place: &Place) -> Result<Option<Browser>, String> {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
    let there = |name: &str| {
        Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    if !there("node") || !there(&chromium) {
        println!(
            "   no picture of the page: install nodejs and chromium, or use --stay and your own browser"
        );
        return Ok(None);
    }
    let mut node = bound("TERM");
    node.arg("node").arg(root().join("bench/live/picture.mjs"));
    node.arg(format!("http://{}/", gateway.page)).arg(place.file("page.png")).stdout(Stdio::piped());
    node.spawn().map(|child| Some(Browser(child))).map_err(|e| format!("cannot start the browser: {e}"))
}

/// What `placet redact --json` says.
struct Report(String);

impl Report {
    fn number(&self, key: &str) -> Result<u64, String> {
        let line = self.0.lines().find_map(|line| line.trim().strip_prefix(&format!("\"{key}\": ")));
        let digits = line.map(|line| line.trim_end_matches(',').parse());
        digits.and_then(Result::ok).ok_or_else(|| format!("no `{key}` in: {}", self.0))
    }
}

/// What the detector is sure of in a video, by hiding it in a copy that is thrown away.
fn sure_faces(placet: &Placet, place: &Place, video: &Path) -> Result<Report, String> {
    let copy = place.file("again.mp4");
    let mut command = placet.command();
    command.args(["redact", "--quiet", "--json", "--overwrite", "--manifest", "none", "--verify", "none"]);
    let report = output(command.args(["--thresh", SURE]).arg("-o").arg(&copy).arg(video))?;
    fs::remove_file(&copy).map_err(|e| format!("cannot remove `{}`: {e}", copy.display()))?;
    Ok(Report(report))
}

/// Asks the public log, by its address, of every camera; each answer is proved before it is given. One proof is written.
fn citizen(placet: &Placet, place: &Place, gateway: &Gateway, instant: &str) -> Result<(), String> {
    for (idx, scene) in SCENES.iter().enumerate() {
        let mut ask = placet.command();
        ask.args(["log", "was-it-on"]).arg(format!("http://{}", gateway.log)).arg("--policy");
        ask.arg(place.file("log/policy")).args(["--camera", scene.name, "--at", instant]);
        if idx == 0 {
            ask.arg("--proof").arg(place.file("off.json"));
        }
        let said = output(&mut ask)?;
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        println!("   {:<7} {words}", scene.name);
        if !said.starts_with("STATED OFF") {
            return Err(format!("the log does not say that {} was off at {instant}", scene.name));
        }
    }
    Ok(())
}

/// For each camera what it saw beside what was recorded of it, one below the other. The frame that a recorded one was made
/// of is the one most like it.
fn stills(place: &Place) -> Result<(), String> {
    let mut pairs = program("ffmpeg");
    pairs.args(["-v", "error", "-nostdin", "-y"]);
    let mut rows = String::new();
    for (idx, scene) in SCENES.iter().enumerate() {
        let saw = place.file(&format!("{}.mp4", scene.name));
        let still = place.file(&format!("{}-redacted.png", scene.name));
        let mut ffmpeg = program("ffmpeg");
        ffmpeg.args(["-v", "error", "-nostdin", "-y", "-ss", "2", "-i"]).arg(place.recorded(scene));
        succeed(ffmpeg.args(["-frames:v", "1"]).arg(&still))?;
        let frame = most_alike(&saw, &still)?;
        let before = place.file(&format!("{}-camera.png", scene.name));
        let mut ffmpeg = program("ffmpeg");
        ffmpeg.args(["-v", "error", "-nostdin", "-y", "-i"]).arg(&saw);
        ffmpeg.args(["-vf", &format!("select=eq(n\\,{frame})"), "-frames:v", "1"]);
        succeed(ffmpeg.arg(&before))?;
        pairs.arg("-i").arg(&before).arg("-i").arg(&still);
        let (left, right) = (2 * idx, 2 * idx + 1);
        rows += &format!(
            "[{left}]scale=640:360[l{idx}];[{right}]scale=640:360[r{idx}];[l{idx}][r{idx}]hstack[p{idx}];"
        );
    }
    rows += &(0..SCENES.len()).map(|idx| format!("[p{idx}]")).collect::<String>();
    rows += &format!("vstack={}", SCENES.len());
    succeed(pairs.args(["-filter_complex", &rows, "-frames:v", "1"]).arg(place.file("before-after.png")))
}

/// The number of the frame of `video` that differs least from `still`.
fn most_alike(video: &Path, still: &Path) -> Result<usize, String> {
    let mut ffmpeg = program("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-i"]).arg(video).args(["-loop", "1", "-i"]).arg(still);
    let compare = "[0]scale=320:180,format=yuv420p[a];[1]scale=320:180,format=yuv420p[b];[a][b]psnr=stats_file=-:shortest=1";
    let said = output(ffmpeg.args(["-filter_complex", compare, "-f", "null", "-"]))?;
    let difference = |line: &str| line.split_once("mse_avg:")?.1.split(' ').next()?.parse::<f64>().ok();
    let all = said.lines().filter_map(difference).enumerate();
    all.min_by(|one, other| one.1.total_cmp(&other.1))
        .map(|(number, _)| number)
        .ok_or_else(|| format!("nothing to compare in `{}`", video.display()))
}
