//! Asks a camera where its streams are.

pub mod answer;
mod exchange;

use std::time::Duration;

use placet_core::Size;
use reqwest::Url;

use crate::soap::{Credentials, DEVICE, MEDIA, MEDIA2, SCHEMA};
use crate::xml::Escaped;
use answer::{AnswerError, Encoding, MediaAddress, ProfileAnswer, ServicesAnswer};
use exchange::Exchange;

/// A camera's clock this far from ours is told: signatures and recordings suffer.
const CLOCK_TOLERANCE: u64 = 5;

/// What a camera says of its streams.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// How far its clock is ahead of ours, in seconds; none where it does not say.
    pub clock_ahead: Option<i64>,
    /// Its profiles, in its own order; the first is most often the best picture.
    pub profiles: Vec<Profile>,
    /// What is odd about it and what to do, in words.
    pub notes: Vec<String>,
}

/// One way in which a camera sends its picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// What names it in requests.
    pub token: String,
    /// What people call it.
    pub name: String,
    /// How it is coded, where said.
    pub encoding: Option<Encoding>,
    /// In pixels, where said.
    pub size: Option<Size>,
    /// Pictures a second at most, where said.
    pub fps: Option<f32>,
    /// Its RTSP address, if the camera gives one.
    pub stream: Option<MediaAddress>,
    /// The address of its newest picture, if the camera gives one.
    pub snapshot: Option<MediaAddress>,
}

/// Why a camera's streams are not known.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The address is none.
    #[error(
        "`{url}` is not the address of an ONVIF service: write `http://HOST/onvif/device_service`, without user"
    )]
    Address {
        /// As given, without user and password.
        url: String,
    },
    /// Nobody answers.
    #[error(
        "no answer from `{url}`: check address, port and network, and that ONVIF is switched on in the camera"
    )]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It takes too long.
    #[error("`{url}` did not answer everything within {after:?}")]
    Late {
        /// What was asked first.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// The camera sends us elsewhere.
    #[error("`{url}` leads elsewhere, most often to https: write that address")]
    Redirect {
        /// What was asked.
        url: String,
    },
    /// The camera does not know us.
    #[error(
        "the camera refuses user or password: in many cameras ONVIF has users of its own; make one there{clock}"
    )]
    Refused {
        /// What its clock has to do with it, if anything.
        clock: String,
    },
    /// Somebody answers, but does not speak ONVIF.
    #[error("`{url}` answers `{action}` with status {status}, not as an ONVIF camera")]
    Status {
        /// What was asked.
        url: String,
        /// The action.
        action: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// The answer cannot be read.
    #[error("the answer to `{action}` from `{url}` cannot be used")]
    Answer {
        /// What was asked.
        url: String,
        /// The action.
        action: &'static str,
        /// Why.
        source: AnswerError,
    },
    /// It has no streams.
    #[error("the camera at `{url}` offers no media service, so no streams")]
    NoMedia {
        /// What was asked.
        url: String,
    },
    /// We cannot ask.
    #[error("cannot prepare for TLS, or the system gives no random bytes")]
    Setup,
}

/// The streams of the camera whose device service is at `address`, an `http` or `https` URL; everything together takes no longer than
/// `patience`.
///
/// Credentials go to that host only, as digests, whatever other hosts the camera names: where it names another, its own
/// host is asked for the same path, and a note tells it.
///
/// # Errors
/// If it cannot be asked, refuses, or gives no profile.
pub async fn lookup(
    address: &str,
    credentials: Option<&Credentials>,
    patience: Duration,
) -> Result<Camera, LookupError> {
    let base = Url::parse(address).ok().filter(|url| {
        let plain = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "http" | "https") && plain && url.host_str().is_some()
    });
    let Some(base) = base else {
        // What stands before an `@` may be a password.
        let url = address.rsplit('@').next().unwrap_or_default().chars().take(200).collect();
        return Err(LookupError::Address { url });
    };
    let exchange = Exchange::new(base, credentials)?;
    let late = |_| LookupError::Late { url: address.to_owned(), after: patience };
    tokio::time::timeout(patience, look(exchange)).await.map_err(late)?
}

async fn look(mut exchange: Exchange<'_>) -> Result<Camera, LookupError> {
    let device = exchange.base().clone();
    let clock = exchange.clock().await?;
    let mut notes = Vec::new();
    if let Some(seconds) = clock.filter(|seconds| seconds.unsigned_abs() > CLOCK_TOLERANCE) {
        let way = if seconds > 0 { "ahead" } else { "behind" };
        notes.push(format!("the camera's clock is {} s {way}: set its time server", seconds.unsigned_abs()));
    }
    let services = services(&mut exchange, &device).await?;
    let offered = [(services.media2, MEDIA2), (services.media, MEDIA)];
    let mut found = Err(LookupError::NoMedia { url: device.to_string() });
    for (said, space) in offered {
        let Some(said) = said else { continue };
        let media = place(&device, &said, &mut notes);
        found = exchange
            .ask(&media, space, "GetProfiles", &wanted(space), answer::profiles)
            .await
            .map(|all| (media, space, all));
        // Some offer Media2 and then fail at it.
        if found.as_ref().is_ok_and(|(.., all)| !all.is_empty()) {
            break;
        }
    }
    let (media, space, all) = found?;
    let mut profiles = Vec::new();
    for profile in all {
        profiles.push(addresses(&mut exchange, &media, space, profile, &mut notes).await?);
    }
    if profiles.iter().filter_map(|profile| profile.stream.as_ref()).any(|stream| stream.other_host) {
        notes.push(
            "the camera gives stream addresses on another host: use its own host if they do not open"
                .to_owned(),
        );
    }
    Ok(Camera { clock_ahead: clock, profiles, notes })
}

async fn services(exchange: &mut Exchange<'_>, device: &Url) -> Result<ServicesAnswer, LookupError> {
    let asked = "<tds:IncludeCapability>false</tds:IncludeCapability>";
    match exchange.ask(device, DEVICE, "GetServices", asked, answer::services).await {
        Ok(services) if services.media.is_some() || services.media2.is_some() => return Ok(services),
        Err(
            e
            @ (LookupError::Refused { .. } | LookupError::Unreachable { .. } | LookupError::Redirect { .. }),
        ) => {
            return Err(e);
        }
        // Older than GetServices.
        Ok(_) | Err(_) => {}
    }
    exchange
        .ask(device, DEVICE, "GetCapabilities", "<tds:Category>All</tds:Category>", answer::capabilities)
        .await
}

/// The camera's own host with the path that it says.
fn place(device: &Url, said: &str, notes: &mut Vec<String>) -> Url {
    let Ok(said) = Url::parse(said) else { return device.clone() };
    let mut place = device.clone();
    place.set_path(said.path());
    place.set_query(said.query());
    if said.host_str() == device.host_str() && said.scheme() == device.scheme() {
        // Setting a port fails only where there is no host.
        let _ = place.set_port(said.port());
    } else {
        let host: String = said.host_str().unwrap_or_default().chars().take(200).collect();
        let note = format!("the camera says it is served on `{host}`; it was asked on its own host instead");
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    place
}

fn wanted(space: &str) -> String {
    let kinds = ["VideoSource", "VideoEncoder"].map(|kind| format!("<tr2:Type>{kind}</tr2:Type>"));
    if space == MEDIA2 { kinds.concat() } else { String::new() }
}

async fn addresses(
    exchange: &mut Exchange<'_>,
    media: &Url,
    space: &'static str,
    profile: ProfileAnswer,
    notes: &mut Vec<String>,
) -> Result<Profile, LookupError> {
    let ProfileAnswer { token, name, encoding, size, fps } = profile;
    let host = media.host_str().unwrap_or_default().to_owned();
    let named = Escaped(&token);
    let (stream, snapshot) = if space == MEDIA2 {
        (
            format!("<tr2:Protocol>RTSP</tr2:Protocol><tr2:ProfileToken>{named}</tr2:ProfileToken>"),
            format!("<tr2:ProfileToken>{named}</tr2:ProfileToken>"),
        )
    } else {
        (
            format!(
                "<trt:StreamSetup><tt:Stream xmlns:tt=\"{SCHEMA}\">RTP-Unicast</tt:Stream><tt:Transport \
                 xmlns:tt=\"{SCHEMA}\"><tt:Protocol>RTSP</tt:Protocol></tt:Transport></trt:StreamSetup>\
                 <trt:ProfileToken>{named}</trt:ProfileToken>"
            ),
            format!("<trt:ProfileToken>{named}</trt:ProfileToken>"),
        )
    };
    let (stream, snapshot) = (
        exchange.ask(media, space, "GetStreamUri", &stream, answer::uri).await,
        exchange.ask(media, space, "GetSnapshotUri", &snapshot, answer::uri).await,
    );
    let mut usable = |found: Result<Option<String>, LookupError>, what, schemes: &[&str]| match found {
        Ok(url) => Ok(url.and_then(|url| MediaAddress::of(&url, schemes, &host))),
        Err(LookupError::Answer { source: AnswerError::Fault { code, .. }, .. }) => {
            notes.push(format!("profile `{name}` has no {what}: the camera answers `{code}`"));
            Ok(None)
        }
        Err(LookupError::Answer { .. } | LookupError::Status { .. }) => {
            notes.push(format!("profile `{name}` has no {what}: the camera's answer cannot be read"));
            Ok(None)
        }
        Err(e) => Err(e),
    };
    let stream = usable(stream, "stream", &["rtsp", "rtsps"])?;
    let snapshot = usable(snapshot, "picture", &["http", "https"])?;
    Ok(Profile { token, name, encoding, size, fps, stream, snapshot })
}
