//! A live camera of redacted frames and a server of it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use placet_core::{Pts, Size};
use placet_feed::{Feed, Feeds, Item, State, Viewer};
use placet_rtsp::{Admission, Limits, Settings, Users, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::studio::Studio;

/// Frames a second.
pub const RATE: u32 = 15;
/// Ticks between frames.
pub const STEP: i64 = 6_000;
/// The camera's first frame, on the gateway's clock.
pub const FIRST: i64 = 4_000_000_000;

/// The time of day of an instant: one that is easily recognised.
pub fn clock(pts: Pts) -> SystemTime {
    SystemTime::UNIX_EPOCH
        + Duration::from_secs(1_800_000_000)
        + Duration::from_nanos(pts.0 as u64 * 100_000 / 9)
}

/// Encodes in its own thread while somebody watches.
pub struct Camera {
    pub feed: Feed,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Camera {
    pub fn start(size: Size, sent: impl Fn(Pts) + Send + 'static) -> Self {
        let (writer, feed) = Feed::new();
        writer.set_note(State::Live);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let sandbox = Path::new(env!("CARGO_BIN_EXE_placet-rtsp-sandbox"));
            let mut studio = Studio::open(sandbox, size, RATE, RATE);
            let (start, mut idx) = (Instant::now(), 0);
            while !stopped.load(Ordering::Relaxed) {
                let due = start + Duration::from_secs(1) / RATE * idx;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                if writer.wanted() {
                    let pts = Pts(FIRST + i64::from(idx) * STEP);
                    let unit = studio.unit(pts);
                    sent(pts);
                    writer.send(unit);
                }
                idx += 1;
            }
        });
        Self { feed, stop, thread: Some(thread) }
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// A server on loopback with one camera, `hall-north`.
pub struct Server {
    pub camera: Camera,
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
}

/// Each server has UDP ports of its own.
static NEXT_PORTS: AtomicU16 = AtomicU16::new(0);

impl Server {
    pub async fn start(admission: Admission, limits: Limits) -> Self {
        Self::of(Camera::start(crate::studio::SMALL, |_| {}), admission, limits).await
    }

    pub async fn of(camera: Camera, admission: Admission, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let feeds = Feeds::new();
        feeds.insert("hall-north", camera.feed.clone()).unwrap();
        let ports = 21_000 + 100 * NEXT_PORTS.fetch_add(1, Ordering::Relaxed);
        let settings = Settings {
            admission: Arc::new(admission),
            clock: Arc::new(clock),
            limits,
            udp_ports: ports..=ports + 99,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(serve(listener, feeds, settings, async { drop(stopped.await) }));
        Self { camera, address, stop: Some(stop) }
    }

    pub async fn open() -> Self {
        Self::start(Admission::Anybody, Limits::default()).await
    }

    pub async fn locked() -> Self {
        Self::start(Admission::Users(users()), Limits::default()).await
    }

    pub fn url(&self) -> String {
        format!("rtsp://{}/hall-north", self.address)
    }

    /// With user and password inside, as players take it.
    pub fn url_of(&self, user: &str, password: &str) -> String {
        format!("rtsp://{user}:{password}@{}/hall-north", self.address)
    }

    /// Somebody who watches, so that whoever comes finds a key frame there.
    pub async fn company(&self) -> Viewer {
        let mut viewer = self.camera.feed.watch();
        while !matches!(viewer.next().await, Some(Item::Unit(_))) {}
        viewer
    }

    /// Waits until nobody watches any more.
    pub async fn until_left(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.camera.feed.viewers() > 0 {
            assert!(Instant::now() < deadline, "{} still watch", self.camera.feed.viewers());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn stop(&mut self) {
        self.stop.take();
    }
}

pub fn users() -> Users {
    let mut users = Users::new("placet").unwrap();
    users.add("recorder", "correct horse").unwrap();
    users.add("viewer", "s3cret-viewer").unwrap();
    users
}
