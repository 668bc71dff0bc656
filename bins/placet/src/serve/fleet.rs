//! The cameras that are read.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use placet_camera::{Camera, Config as CameraSettings, Timing, open};
use placet_core::{AccessUnit, Size};
use placet_feed::{Feed, Feeds};
use placet_ingest::Tools;
use placet_proxy::{Channel, Clock, DeviceSource, FilmSource, Finders, ProxySettings, Report, follow};
use placet_redaction::{Fill, Shape, Target};
use placet_sealed::Sealers;
use placet_settings::{CameraConfig, Config, Hiding, Problem, Source};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long cameras may take to be told that nobody reads them any more.
const FAREWELL: Duration = Duration::from_secs(4);

/// All cameras with their lines.
pub struct Fleet {
    tools: Tools,
    finders: Finders,
    clock: Clock,
    handle: Handle,
    feeds: Feeds,
    /// Where originals are sealed, where any are.
    sealers: Option<Sealers>,
    running: Mutex<BTreeMap<String, Running>>,
    /// Cameras that are written and not read, and why.
    unread: Mutex<Vec<(String, String)>>,
}

struct Running {
    config: CameraConfig,
    hiding: Hiding,
    channel: Channel,
    stop: oneshot::Sender<()>,
    reader: JoinHandle<()>,
}

impl Fleet {
    pub fn new(
        tools: Tools,
        finders: Finders,
        clock: Clock,
        handle: Handle,
        sealers: Option<Sealers>,
    ) -> Self {
        let (feeds, running, unread) = (Feeds::new(), Mutex::default(), Mutex::default());
        Self { tools, finders, clock, handle, feeds, sealers, running, unread }
    }

    /// The redacted streams by name.
    pub fn feeds(&self) -> &Feeds {
        &self.feeds
    }

    /// Frames that wait for a detector, of all cameras.
    pub fn waiting(&self) -> usize {
        self.finders.waiting()
    }

    /// Whether the camera is one of ours.
    pub fn has(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }

    /// Cameras that are written and cannot be read, and why.
    pub fn unread(&self) -> Vec<(String, String)> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The configuration and the doings of each camera.
    pub fn reports(&self) -> Vec<(CameraConfig, Report)> {
        self.lock().values().map(|r| (r.config.clone(), r.channel.status().report())).collect()
    }

    /// Ends what is no longer written or written otherwise, begins what is new; how many of each.
    pub fn apply(&self, config: &Config) -> (usize, usize) {
        let mut running = self.lock();
        let same = |r: &Running| config.cameras.contains(&r.config) && r.hiding == config.hiding;
        let gone: Vec<String> =
            running.iter().filter(|(_, r)| !same(r)).map(|(name, _)| name.clone()).collect();
        for name in &gone {
            self.feeds.remove(name);
            if let Some(old) = running.remove(name) {
                // The next connection to a camera that allows one is made when this one is over.
                let _ = old.stop.send(());
                self.wait(vec![old.reader]);
            }
        }
        let words =
            |problems: &[Problem]| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let mut unread: Vec<_> =
            config.disabled.iter().map(|camera| (camera.name.clone(), words(&camera.problems))).collect();
        let mut new = 0;
        for camera in &config.cameras {
            let name = camera.name.to_string();
            if running.contains_key(&name) {
                continue;
            }
            match self.begin(camera, &config.hiding) {
                Ok(begun) => {
                    running.insert(name, begun);
                    new += 1;
                }
                Err(words) => {
                    eprintln!("{name} is not read: {words}");
                    unread.push((name, words));
                }
            }
        }
        *self.unread.lock().unwrap_or_else(PoisonError::into_inner) = unread;
        (gone.len(), new)
    }

    fn begin(&self, camera: &CameraConfig, hiding: &Hiding) -> Result<Running, String> {
        let name = camera.name.to_string();
        let (writer, feed) = Feed::new();
        let settings = proxy_settings(camera, hiding);
        let channel = Channel::start(&name, &self.tools, &self.finders, settings, writer, self.clock)
            .map_err(|e| format!("no thread can be started: {e}"))?;
        let input = channel.input().cloned().ok_or("its line is gone")?;
        self.feeds.insert(&name, feed).map_err(|e| e.to_string())?;
        let status = channel.status().clone();
        let sealer = match &self.sealers {
            Some(sealers) if camera.sealed => {
                Some(sealers.camera(camera.name.clone()).map_err(|e| e.to_string())?)
            }
            _ => None,
        };
        let seal = move |unit: &AccessUnit| {
            if let Some(sealer) = &sealer {
                sealer.push(unit);
            }
        };
        let clock = self.clock;
        let _inside = self.handle.enter();
        let source = open_camera(camera, &self.tools, clock);
        let (stop, stopped) = oneshot::channel();
        let reader = self.handle.spawn(follow(source, input, status, seal, stopped));
        Ok(Running { config: camera.clone(), hiding: hiding.clone(), channel, stop, reader })
    }

    /// Ends all.
    pub fn stop(&self, runtime: &Runtime) {
        let all = std::mem::take(&mut *self.lock());
        let mut readers = Vec::new();
        for (_, old) in all {
            let _ = old.stop.send(());
            readers.push(old.reader);
        }
        runtime.block_on(async {
            for reader in readers {
                let _ = tokio::time::timeout(FAREWELL, reader).await;
            }
        });
    }

    fn wait(&self, readers: Vec<JoinHandle<()>>) {
        self.handle.block_on(async {
            for reader in readers {
                let _ = tokio::time::timeout(FAREWELL, reader).await;
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts reading a camera. Inside a runtime.
pub fn open_camera(config: &CameraConfig, tools: &Tools, clock: Clock) -> Camera {
    let now = move || clock.now();
    match &config.source {
        Source::Network { place, credentials, transport } => {
            let settings = CameraSettings {
                transport: *transport,
                ..CameraSettings::new(place.clone(), credentials.clone())
            };
            open(settings, now)
        }
        Source::Film(path) => Camera::start(FilmSource::new(tools.clone(), path), Timing::default(), now),
        Source::Device { path, size } => {
            let size = size.map(|(width, height)| Size { width, height });
            let source = DeviceSource::new(tools.clone(), path, config.frame_rate, size);
            Camera::start(source, Timing::default(), now)
        }
    }
}

fn proxy_settings(camera: &CameraConfig, hiding: &Hiding) -> ProxySettings {
    ProxySettings {
        fill: hiding.solid.map_or(Fill::Surround, Fill::Solid),
        target: if hiding.head { Target::Head } else { Target::Face },
        mask_scale: hiding.mask_percent as f32 / 100.0,
        shape: if hiding.boxes { Shape::Box } else { Shape::Ellipse },
        look_ahead_ms: hiding.look_ahead_ms,
        hold_ms: hiding.hold_ms,
        max_width: camera.max_width,
        frame_rate: camera.frame_rate,
        max_kbit: camera.max_kbit,
    }
}
