//! What listens: RTSP, the ONVIF device, the page.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use placet_core::{Digest, Size};
use placet_feed::Feeds;
use placet_onvif::device::{self, Access, Camera as Shown, Cameras, Device, Reach, arrived, system_clock};
use placet_onvif::{Credentials, discovery};
use placet_proxy::Clock;
use placet_rtsp::{Admission, Limits, Users};
use placet_settings::{Config, Disclosure, OnvifConfig, Outlet};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::fleet::Fleet;
use crate::Failure;
use crate::log::listen;

/// Ports that UDP is sent from.
const UDP_PORTS: u16 = 1000;

/// What listens, until it is dropped.
pub struct Open {
    _stop: watch::Sender<bool>,
}

/// Whether two configurations differ in what is not changed while running.
pub fn differ(one: &Config, other: &Config) -> bool {
    one.rtsp != other.rtsp
        || one.page != other.page
        || one.onvif != other.onvif
        || one.log != other.log
        || one.metrics != other.metrics
        || one.models != other.models
        || one.finder_threads != other.finder_threads
        || one.sealed != other.sealed
}

/// Opens all that the configuration names.
pub fn open(runtime: &Runtime, config: &Config, fleet: &Arc<Fleet>, clock: Clock) -> Result<Open, Failure> {
    let (stop, stopped) = watch::channel(false);
    let mut rtsp_port = 0;
    if let Some(outlet) = &config.rtsp {
        rtsp_port = rtsp(runtime, outlet, fleet.feeds(), clock, stopped.clone())?;
    }
    if let Some(onvif) = &config.onvif {
        let disclosure = config.rtsp.as_ref().map(|outlet| &outlet.disclosure);
        device(runtime, onvif, disclosure, fleet, rtsp_port, stopped.clone())?;
    }
    if let Some(outlet) = &config.page {
        page(runtime, outlet, fleet.feeds(), stopped)?;
    }
    Ok(Open { _stop: stop })
}

/// Comes back when what was opened is dropped.
async fn over(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

fn rtsp(
    runtime: &Runtime,
    outlet: &Outlet,
    feeds: &Feeds,
    clock: Clock,
    stopped: watch::Receiver<bool>,
) -> Result<u16, Failure> {
    let admission = match &outlet.disclosure {
        Disclosure::Users(known) => {
            let mut users = Users::new("Placet").map_err(|e| Failure::usage(&e))?;
            for (name, password) in &known.0 {
                users.add(name, password.expose()).map_err(|e| Failure::usage(&e))?;
            }
            Admission::Users(users)
        }
        Disclosure::Loopback | Disclosure::Token(_) => Admission::Anybody,
    };
    let last = outlet.udp_first.saturating_add(UDP_PORTS - 1);
    let settings = placet_rtsp::Settings {
        admission: Arc::new(admission),
        clock: Arc::new(move |pts| clock.civil(pts)),
        limits: Limits::default(),
        udp_ports: outlet.udp_first..=last,
    };
    let listener = runtime.block_on(listen(&outlet.listen.to_string()))?;
    let local = listener.local_addr().map_err(|e| Failure::Io(outlet.listen.to_string(), e))?;
    eprintln!("recorders find each camera at rtsp://{local}/NAME");
    runtime.spawn(placet_rtsp::serve(listener, feeds.clone(), settings, over(stopped)));
    Ok(local.port())
}

fn page(
    runtime: &Runtime,
    outlet: &Outlet,
    feeds: &Feeds,
    stopped: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let access = match &outlet.disclosure {
        Disclosure::Token(token) => placet_view::Access::token(token.expose()).map_err(Failure::usage)?,
        Disclosure::Loopback | Disclosure::Users(_) => placet_view::Access::Loopback,
    };
    let listener = runtime.block_on(listen(&outlet.listen.to_string()))?;
    let local = listener.local_addr().map_err(|e| Failure::Io(outlet.listen.to_string(), e))?;
    eprintln!("browsers find the cameras at http://{local}/");
    let router = placet_view::router(feeds.clone(), access);
    let limits = placet_http::server::Limits::default();
    runtime.spawn(placet_http::server::serve(listener, router, limits, over(stopped)));
    Ok(())
}

/// The fleet as a recorder sees it.
struct Profiles(Arc<Fleet>);

impl Cameras for Profiles {
    fn cameras(&self) -> Vec<Shown> {
        let shown = |(camera, report): (placet_settings::CameraConfig, placet_proxy::Report)| Shown {
            id: camera.name.to_string().replace('.', "_").chars().take(50).collect(),
            name: camera.name.to_string(),
            size: report.size.unwrap_or(Size { width: 1280, height: 720 }),
            fps: camera.frame_rate,
            key_interval: camera.frame_rate,
            kbits: camera.max_kbit,
            stream_path: format!("/{}", camera.name),
            snapshot_path: Some(format!("/picture/{}", camera.name)),
        };
        self.0.reports().into_iter().map(shown).collect()
    }
}

fn device(
    runtime: &Runtime,
    config: &OnvifConfig,
    disclosure: Option<&Disclosure>,
    fleet: &Arc<Fleet>,
    rtsp_port: u16,
    stopped: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let mut users = Vec::new();
    if let Some(Disclosure::Users(known)) = disclosure {
        for (name, password) in &known.0 {
            let user =
                Credentials::new(name, password.expose().to_owned()).map_err(|e| Failure::usage(&e))?;
            users.push(user);
        }
    }
    if users.is_empty() {
        return Err(Failure::Usage(
            "[onvif] needs `users_file` in [rtsp]: recorders add no device without a password".to_owned(),
        ));
    }
    let access = Access::new(users).map_err(|e| Failure::usage(&e))?;
    let listener = runtime.block_on(listen(&config.listen.to_string()))?;
    let local = listener.local_addr().map_err(|e| Failure::Io(config.listen.to_string(), e))?;
    let reach = reach(config, local)?;
    let about = device::Config {
        uuid: identity(local),
        name: config.name.clone(),
        location: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        reach: reach.clone(),
        rtsp_port,
    };
    let device = Device::new(about, access, Arc::new(Profiles(Arc::clone(fleet))), system_clock());
    let pictures = Router::new().route("/picture/{name}", get(picture)).with_state(fleet.feeds().clone());
    let router = arrived(device.router().merge(device.guard(pictures)), local);
    eprintln!("recorders add the ONVIF device at http://{local}{}", device::DEVICE_PATH);
    if config.discovery {
        let responder = {
            let _inside = runtime.enter();
            discovery::Responder::bind(device.announcement(), reach, None)
        };
        let responder = responder.map_err(|e| Failure::Unavailable(placet_job::chain(&e)))?;
        let stopped = stopped.clone();
        runtime.spawn(async move {
            if let Err(error) = responder.run(over(stopped)).await {
                eprintln!("searches are not answered: {}", placet_job::chain(&error));
            }
        });
    }
    let limits = placet_http::server::Limits::default();
    runtime.spawn(placet_http::server::serve(listener, router, limits, over(stopped)));
    Ok(())
}

fn reach(config: &OnvifConfig, local: SocketAddr) -> Result<Reach, Failure> {
    match &config.host {
        Some(host) => {
            Ok(Reach::Named { base: format!("http://{host}:{}", local.port()), host: host.clone() })
        }
        None if local.ip().is_unspecified() => Err(Failure::Usage(
            "[onvif] listens on every address: `host` must say under which one recorders reach it".to_owned(),
        )),
        None => Ok(Reach::Arrival { port: local.port() }),
    }
}

/// Who the device is, the same at every start: of this machine and the port.
fn identity(local: SocketAddr) -> [u8; 16] {
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let digest = Digest::of(format!("placet onvif\0{}\0{local}", machine.trim()).as_bytes());
    *digest.0.first_chunk().unwrap_or(&[0; 16])
}

/// The newest picture, redacted.
async fn picture(State(feeds): State<Feeds>, Path(name): Path<String>) -> Response {
    let Some(feed) = feeds.get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    match feed.snapshot().await {
        Some(picture) => {
            let headers = [(header::CONTENT_TYPE, "image/jpeg"), (header::CACHE_CONTROL, "no-store")];
            (headers, picture.data().to_vec()).into_response()
        }
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
