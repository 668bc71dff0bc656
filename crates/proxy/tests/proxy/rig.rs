//! A camera that plays a clip in a loop, its line, and a viewer.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use placet_core::{AccessUnit, Codec, Detection, Frame, Layout, Pts, Rotation, Size};
use placet_feed::{Feed, Item, RedactedUnit};
use placet_ingest::Tools;
use placet_ingest::live::{DecodeSpec, decode};
use placet_ingest::nut::Reader;
use placet_proxy::{Channel, Clock, Finders, Input, ProxySettings};
use placet_vision::models::ModelDir;
use placet_vision::{CenterFace, Effort, Runtime, Scan};

const FACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vision/tests/data/astronaut.png");

pub fn tools() -> Tools {
    static TOOLS: OnceLock<Tools> = OnceLock::new();
    let find = || Tools::find_with_sandbox(env!("CARGO_BIN_EXE_placet-proxy-sandbox").into()).unwrap();
    TOOLS.get_or_init(find).clone()
}

pub fn models() -> ModelDir {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/models");
    ModelDir::new(std::env::var_os("PLACET_MODELS").map_or(dir, PathBuf::from))
}

/// Makes a clip of so many frames at 15 a second: a face that wanders over a moving test picture.
pub fn clip(size: &str, frames: u32, codec: Codec) -> Vec<AccessUnit> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clip.nut");
    let graph = format!(
        "[0]format=yuv420p,trim=end_frame={frames}[b];[1]format=yuv420p[f];\
         [b][f]overlay=x='40+4*n':y='30+mod(n\\,40)':eval=frame[v]"
    );
    let coding = match codec {
        Codec::H264 => "-c:v libx264 -tune zerolatency -g 15 -x264-params repeat-headers=1",
        Codec::H265 => {
            "-c:v libx265 -tune zerolatency -x265-params keyint=15:repeat-headers=1:log-level=error"
        }
        Codec::Jpeg => "-c:v mjpeg -q:v 3 -pix_fmt yuvj420p",
    };
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", &format!("testsrc2=s={size}:r=15")])
        .args(["-i", FACE, "-filter_complex", &graph, "-map", "[v]"])
        .args(coding.split_whitespace())
        .arg(&path)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let mut reader = Reader::open(File::open(path).unwrap(), 1 << 22).unwrap();
    let mut units = Vec::new();
    while let Some(head) = reader.next_frame().unwrap() {
        let mut data = vec![0; head.len];
        reader.fill(&mut data).unwrap();
        units.push(AccessUnit { codec, data: Arc::from(data), pts: Pts(0), key: head.key });
    }
    assert_eq!(units.len(), frames as usize);
    units
}

/// Rigs share the processors and the list of children, so there is one at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Everything from camera to viewer.
pub struct Rig {
    pub channel: Arc<Channel>,
    pub clock: Clock,
    feed: Feed,
    stop: Arc<AtomicBool>,
    camera: Option<JoinHandle<()>>,
    _finders: Finders,
    _alone: MutexGuard<'static, ()>,
}

impl Rig {
    /// A camera that plays `clip` over and over.
    pub fn start(clip: Vec<AccessUnit>) -> Self {
        let mut rig = Self::without_camera();
        let (channel, clock, stop) = (Arc::clone(&rig.channel), rig.clock, Arc::clone(&rig.stop));
        rig.camera = Some(std::thread::spawn(move || play(&channel, clock, &clip, &stop)));
        rig
    }

    pub fn without_camera() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let finders = Finders::start(&models(), 2).unwrap();
        let clock = Clock::start();
        let (writer, feed) = Feed::new();
        let channel =
            Channel::start("test", &tools(), &finders, ProxySettings::default(), writer, clock).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        Self { channel: Arc::new(channel), clock, feed, stop, camera: None, _finders: finders, _alone: alone }
    }

    /// One picture.
    pub fn snapshot(&self) -> Option<placet_feed::RedactedPicture> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(self.feed.snapshot())
    }

    /// A viewer who takes all that comes until `enough` says so.
    pub fn view(&self, mut enough: impl FnMut(&[RedactedUnit]) -> bool) -> Vec<RedactedUnit> {
        let mut viewer = self.feed.watch();
        let mut units = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let patience = Instant::now() + Duration::from_secs(120);
        runtime.block_on(async {
            while !enough(&units) {
                assert!(
                    Instant::now() < patience,
                    "{} units: {:?}",
                    units.len(),
                    self.channel.status().report()
                );
                let wait = tokio::time::timeout(Duration::from_millis(100), viewer.next());
                if let Ok(item) = wait.await
                    && let Item::Unit(unit) = item.unwrap()
                {
                    units.push(unit);
                }
            }
        });
        units
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(camera) = self.camera.take() {
            camera.join().unwrap();
        }
    }
}

/// Sends one picture after the other, each at its time, as a camera does.
fn play(channel: &Channel, clock: Clock, clip: &[AccessUnit], stop: &AtomicBool) {
    let start = clock.now().0;
    for (idx, unit) in (0..).zip(clip.iter().cycle()) {
        let pts = start + idx * 6_000;
        while clock.now().0 < pts {
            std::thread::park_timeout(Duration::from_millis(2));
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let unit = AccessUnit { pts: Pts(pts), ..unit.clone() };
        if channel.input().unwrap().try_send(Input::Unit(unit)).is_err() {
            let _ = channel.input().unwrap().send(Input::Lost);
        }
    }
}

/// Decodes what a viewer saw.
pub fn decoded(units: &[RedactedUnit]) -> Vec<Frame> {
    let mut frames = Vec::new();
    // A new encoder may have another size: each of its streams is decoded alone.
    let ends = units.iter().enumerate().skip(1).filter(|(idx, u)| u.size() != units[idx - 1].size());
    let ends: Vec<usize> = ends.map(|(idx, _)| idx).chain([units.len()]).collect();
    let mut from = 0;
    for end in ends {
        let part = units[from..end].to_vec();
        from = end;
        let spec = DecodeSpec::new(Codec::H264, part[0].size());
        let (mut feeder, mut source) = decode(&tools(), spec).unwrap();
        let feeding = std::thread::spawn(move || {
            for u in part {
                let unit = AccessUnit { codec: Codec::H264, data: u.shared(), pts: u.pts(), key: u.key() };
                feeder.write(&unit).unwrap();
            }
        });
        loop {
            let mut frame = Frame::new(Size { width: 2, height: 2 }, Layout::Yuv420);
            match source.read_into(&mut frame).unwrap() {
                Some(_) => frames.push(frame),
                None => break,
            }
        }
        feeding.join().unwrap();
    }
    frames
}

/// Looks for faces with the second detector at full size.
pub struct Searcher(CenterFace);

impl Searcher {
    pub fn new() -> Self {
        let dir = models();
        Self(CenterFace::load(&Runtime::load(&dir.runtime()).unwrap(), &dir).unwrap())
    }

    pub fn faces(&mut self, frame: &Frame) -> Vec<Detection> {
        let mut found = Vec::new();
        let scan = Scan::new(frame.size(), Rotation::None, Effort::Check);
        scan.look(&mut self.0, frame, 0, 0.5, &mut found).unwrap();
        found
    }
}

/// Whether a frame is grey all over.
pub fn is_covered(frame: &Frame) -> bool {
    let luma = frame.planes().next().unwrap().data;
    luma.iter().all(|v| v.abs_diff(128) < 6)
}
