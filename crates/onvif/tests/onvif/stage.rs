//! A device with three cameras, and a server for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::routing::get;
use placet_core::{Size, UtcTime};
use placet_http::server::{Limits, serve};
use placet_onvif::Credentials;
use placet_onvif::device::{Access, Camera, Cameras, Clock, Config, Device, Reach, arrived, system_clock};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub const USER: &str = "recorder";
pub const PASSWORD: &str = "correct horse & battery";
pub const PICTURE: &str = "a redacted picture";

pub struct Three;

impl Cameras for Three {
    fn cameras(&self) -> Vec<Camera> {
        let camera = |id: &str, name: &str, size, snapshot: bool| Camera {
            id: id.to_owned(),
            name: name.to_owned(),
            size,
            fps: 15,
            key_interval: 15,
            kbits: 2_048,
            stream_path: format!("/{id}?a=1&b=2"),
            snapshot_path: snapshot.then(|| format!("/pictures/{id}.jpg")),
        };
        vec![
            camera("hall-north", "Halle Nord \u{2013} <1> & \"2\"", Size { width: 1280, height: 720 }, true),
            camera("gate", "Gate", Size { width: 1920, height: 1080 }, true),
            camera("yard_2", "]]></tt:Name>", Size { width: 640, height: 272 }, false),
        ]
    }
}

/// A clock that is the system's, moved.
#[derive(Clone, Default)]
pub struct Shifted(Arc<AtomicI64>);

impl Shifted {
    pub fn by(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    pub fn clock(&self) -> Clock {
        let (shift, system) = (Arc::clone(&self.0), system_clock());
        Arc::new(move || {
            let now = system().unix_seconds();
            UtcTime::from_unix_seconds(now.saturating_add_signed(shift.load(Ordering::SeqCst))).unwrap()
        })
    }
}

/// A clock that stands.
pub fn stopped(at: &str) -> Clock {
    let at: UtcTime = at.parse().unwrap();
    Arc::new(move || at)
}

pub fn device(reach: Reach, clock: Clock) -> Device {
    let config = Config {
        uuid: *b"placet-test-uuid",
        name: "Placet at the town hall".to_owned(),
        location: Some("Town hall/1st floor".to_owned()),
        version: "0.1.0".to_owned(),
        reach,
        rtsp_port: 8554,
    };
    let access = Access::new(vec![Credentials::new(USER, PASSWORD.to_owned()).unwrap()]).unwrap();
    Device::new(config, access, Arc::new(Three), clock)
}

/// A device behind HTTP, until dropped.
pub struct Served {
    pub device: Device,
    pub at: SocketAddr,
    _stop: oneshot::Sender<()>,
}

pub async fn served(clock: Clock) -> Served {
    served_at(SocketAddr::from(([127, 0, 0, 1], 0)), clock).await
}

pub async fn served_at(at: SocketAddr, clock: Clock) -> Served {
    let listener = TcpListener::bind(at).await.unwrap();
    let at = listener.local_addr().unwrap();
    let device = device(Reach::Arrival { port: at.port() }, clock);
    let pictures = Router::new().route("/pictures/{name}", get(|| async { PICTURE }));
    let router = arrived(device.router().merge(device.guard(pictures)), at);
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(serve(listener, router, Limits::default(), async move {
        let _ = stopped.await;
    }));
    Served { device, at, _stop: stop }
}
