//! The device that a recorder adds: one video transmitter, one profile for each camera, and nothing to configure.
//!
//! Core Specification, 5.9.1: a request is authenticated by its WS-UsernameToken or by HTTP Digest; one that carries
//! neither is answered 401 with a challenge, one whose token does not hold 400 with the fault `ter:NotAuthorized`.

mod access;
mod answer;
mod fault;

pub use access::{Access, AccessError, Refusal};

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use placet_core::{Size, UtcTime};

use crate::discovery::Announcement;
use crate::soap::{Message, Sender};
use crate::xml;
use access::Verdict;
use fault::Fault;

/// Where the device service is.
pub const DEVICE_PATH: &str = "/onvif/device_service";
/// Where the media service is. Either path answers for both, since recorders mix them.
pub const MEDIA_PATH: &str = "/onvif/media_service";

/// How long one wrong password holds up the answer to the next: at most three a second are tried.
const A_GUESS: Duration = Duration::from_millis(350);

/// A redacted camera as recorders see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Camera {
    /// Names it for good and no other: letters, digits, `-` and `_`, at most 50, so that a token (ONVIF's
    /// `ReferenceToken` of 64 characters) can be made of it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The size of its pictures, in pixels.
    pub size: Size,
    /// Pictures a second, rounded, at least 1.
    pub fps: u32,
    /// From one key frame to the next, in pictures.
    pub key_interval: u32,
    /// The most that its stream takes, in kbit/s.
    pub kbits: u32,
    /// The path of its stream on the RTSP server, from `/` on.
    pub stream_path: String,
    /// The path of its newest picture (JPEG) on this HTTP server, from `/` on, if there is one.
    pub snapshot_path: Option<String>,
}

/// The cameras there are. Called for every request that speaks of them, where waiting is not allowed.
pub trait Cameras: Send + Sync + 'static {
    /// All of them, in an order that stays.
    fn cameras(&self) -> Vec<Camera>;
}

/// What time it is.
pub type Clock = Arc<dyn Fn() -> UtcTime + Send + Sync>;

/// The system's clock; 1970 where it stands before that.
pub fn system_clock() -> Clock {
    Arc::new(now)
}

pub(crate) fn now() -> UtcTime {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    UtcTime::from_unix_seconds(since.as_secs()).expect("no clock stands beyond 9999")
}

/// Under which address recorders reach us. What they write into `Host` is never believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Under a name, or through something that terminates TLS.
    Named {
        /// Such as `https://placet.example:8443`, without a path.
        base: String,
        /// The host of RTSP addresses, IPv6 in brackets.
        host: String,
    },
    /// Under the address at which a connection arrives, with this port. The server of [`Device::router`] says for each
    /// connection where it arrived, by [`arrived`].
    Arrival {
        /// The TCP port of HTTP.
        port: u16,
    },
}

impl Reach {
    /// The URL without path for whoever reaches us at `local`.
    pub(crate) fn base(&self, local: IpAddr) -> String {
        match self {
            Self::Named { base, .. } => base.trim_end_matches('/').to_owned(),
            Self::Arrival { port } => format!("http://{}", SocketAddr::new(local, *port)),
        }
    }
}

/// Tells `router` that its connection arrived at `local`.
pub fn arrived(router: Router, local: SocketAddr) -> Router {
    router.layer(Extension(Arrived(local.ip())))
}

#[derive(Debug, Clone, Copy)]
struct Arrived(IpAddr);

/// What the device says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Says for good who it is: 16 bytes drawn once. Six bits are overwritten (UUID version 4).
    pub uuid: [u8; 16],
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub location: Option<String>,
    /// The program's version.
    pub version: String,
    /// Where HTTP is reached.
    pub reach: Reach,
    /// The TCP port of RTSP.
    pub rtsp_port: u16,
}

/// A question as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The envelope.
    pub body: &'a [u8],
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The request's target: path and query.
    pub target: &'a str,
    /// The address at which the connection arrived, where known.
    pub arrived: Option<IpAddr>,
}

/// An answer as it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The HTTP status: 200, 400, 401 or 500.
    pub status: u16,
    /// The envelope; empty with 401.
    pub body: String,
    /// The header `WWW-Authenticate`, with 401.
    pub challenge: Option<String>,
    /// Whether a user or password was wrong: the router then holds the answer back.
    pub is_wrong: bool,
}

/// The device. Clones are the same device.
#[derive(Clone)]
pub struct Device {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    cameras: Arc<dyn Cameras>,
    access: Access,
    clock: Clock,
    started: UtcTime,
    refused: Mutex<BTreeMap<Refusal, u64>>,
    /// Wrong passwords are answered one after the other.
    guesses: tokio::sync::Mutex<()>,
}

impl Device {
    /// A device of `cameras` for those whom `access` knows.
    pub fn new(config: Config, access: Access, cameras: Arc<dyn Cameras>, clock: Clock) -> Self {
        let started = clock();
        let (refused, guesses) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { inner: Arc::new(Inner { config, cameras, access, clock, started, refused, guesses }) }
    }

    /// Both services.
    pub fn router(&self) -> Router {
        let serve = post(serve);
        Router::new().route(DEVICE_PATH, serve.clone()).route(MEDIA_PATH, serve).with_state(self.clone())
    }

    /// Lets through to `router` only who knows a password, by HTTP Digest: for the pictures of
    /// [`Camera::snapshot_path`].
    pub fn guard(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), guarded))
    }

    /// How it is found.
    pub fn announcement(&self) -> Announcement {
        let instance = u32::try_from(self.inner.started.unix_seconds()).unwrap_or(u32::MAX);
        Announcement::new(self.inner.config.uuid, self.scopes(), instance)
    }

    fn scopes(&self) -> Vec<String> {
        let Config { name, location, .. } = &self.inner.config;
        crate::discovery::scopes(name, "Placet", location.as_deref())
    }

    /// How many requests were refused since the start, by reason. A recorder with the wrong clock shows here.
    pub fn refused(&self) -> BTreeMap<Refusal, u64> {
        self.inner.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, refusal: Refusal) {
        let mut refused = self.inner.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let count = refused.entry(refusal).or_default();
        *count = count.saturating_add(1);
    }

    /// The answer to `asked`. Only what the specification's class `PRE_AUTH` names (5.9.4.1) is answered to whoever asks:
    /// the time and where the services are.
    pub fn answer(&self, asked: &Asked<'_>) -> Told {
        let document = match xml::parse(asked.body) {
            Ok(document) => document,
            Err(e) => return Fault::malformed(&e.to_string()).told(),
        };
        let message = match Message::of(&document) {
            Ok(message) => message,
            Err(e) => return Fault::malformed(&e.to_string()).told(),
        };
        let tag = message.body.tag_name();
        let (space, action) = (tag.namespace().unwrap_or_default(), tag.name());
        if !answer::before_access(space, action) {
            let sender = message.sender();
            let verdict = self.inner.access.judge(&sender, asked, &(self.inner.clock)());
            if let Verdict::Refused(refusal) = verdict {
                self.count(refusal);
                let token = !matches!(sender, Sender::Nobody);
                let told = if token && asked.authorization.is_none() {
                    Fault::refused(refusal).told()
                } else {
                    self.challenge(refusal)
                };
                return Told { is_wrong: refusal == Refusal::Wrong, ..told };
            }
        }
        answer::answer(self, space, action, message.body, asked.arrived).unwrap_or_else(|fault| fault.told())
    }

    fn challenge(&self, refusal: Refusal) -> Told {
        let challenge = self.inner.access.challenge((self.inner.clock)(), refusal == Refusal::StaleNonce);
        let is_wrong = refusal == Refusal::Wrong;
        Told { status: 401, body: String::new(), challenge: Some(challenge), is_wrong }
    }

    /// Waits until a wrong password may be answered: whoever guesses has [`A_GUESS`] for each, from how many connections
    /// ever, and whoever knows a password never waits.
    async fn hold_back(&self, told: Told) -> Response {
        if told.is_wrong {
            let _one = self.inner.guesses.lock().await;
            tokio::time::sleep(A_GUESS).await;
        }
        told.into_response()
    }
}

/// The device's own name stands for it: what it holds is secret or large.
impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("name", &self.inner.config.name).finish_non_exhaustive()
    }
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("application/soap+xml; charset=utf-8")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let mut response = (status, headers, self.body).into_response();
        if let Some(challenge) = self.challenge.and_then(|challenge| HeaderValue::try_from(challenge).ok()) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

async fn serve(State(device): State<Device>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, xml::MAX_BYTES).await else {
        return Fault::malformed(&format!("the message has more than {} bytes", xml::MAX_BYTES))
            .told()
            .into_response();
    };
    let told = device.answer(&Asked {
        body: &body,
        authorization: head.headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default()),
        target: target(&head.uri),
        arrived: head.extensions.get::<Arrived>().map(|arrived| arrived.0),
    });
    device.hold_back(told).await
}

fn target(uri: &axum::http::Uri) -> &str {
    uri.path_and_query().map_or("/", |target| target.as_str())
}

async fn guarded(State(device): State<Device>, request: Request<Body>, next: Next) -> Response {
    let authorization = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        _ => return StatusCode::METHOD_NOT_ALLOWED.into_response(),
    };
    let now = (device.inner.clock)();
    match device.inner.access.judge_http(authorization, method, target(request.uri()), now) {
        Verdict::Known => next.run(request).await,
        Verdict::Refused(refusal) => {
            device.count(refusal);
            device.hold_back(device.challenge(refusal)).await
        }
    }
}
