//! Live cameras of redacted frames, and their pages on loopback.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use placet_core::{Pts, Size};
use placet_feed::{Feed, Feeds, State};
use placet_http::client::{Bounds, Client, Reply};
use placet_http::server::{Limits, serve};
use placet_view::{Access, router};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::studio::Studio;

/// Frames a second.
pub const RATE: u32 = 15;

pub fn studio(size: Size) -> Studio {
    Studio::open(Path::new(env!("CARGO_BIN_EXE_placet-view-sandbox")), size, RATE, RATE)
}

/// Encodes in its own thread what is wanted.
pub struct Camera {
    pub feed: Feed,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Camera {
    pub fn start(size: Size, state: State, sent: impl Fn(Pts) + Send + 'static) -> Self {
        let (writer, feed) = Feed::new();
        writer.set_note(state);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut studio = studio(size);
            let (start, mut idx) = (Instant::now(), 0);
            while !stopped.load(Ordering::Relaxed) {
                let due = start + Duration::from_secs(1) / RATE * idx;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let pts = Pts(i64::from(idx) * 90_000 / i64::from(RATE));
                if writer.wanted() {
                    let unit = studio.unit(pts);
                    sent(pts);
                    writer.send(unit);
                }
                if writer.snapshot_wanted() {
                    writer.put_snapshot(studio.picture(pts));
                }
                idx += 1;
            }
        });
        Self { feed, stop, thread: Some(thread) }
    }

    pub fn live(size: Size) -> Self {
        Self::start(size, State::Live, |_| {})
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

/// Pages of some feeds.
pub struct Site {
    pub address: SocketAddr,
    pub feeds: Feeds,
    _stop: oneshot::Sender<()>,
}

impl Site {
    pub async fn open(access: Access) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let feeds = Feeds::new();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { drop(stopped.await) };
        tokio::spawn(serve(listener, router(feeds.clone(), access), Limits::default(), stopped));
        Self { address, feeds, _stop: stop }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> Reply {
        let bounds = Bounds { time: Duration::from_secs(20), bytes: 4 << 20 };
        Client::new().unwrap().get(&self.url(path), None, bounds).await.unwrap()
    }
}
