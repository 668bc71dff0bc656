//! What cameras answer, read leniently where they are known to differ: elements by their local names, lists and texts by
//! bounds of our own.

use placet_core::{Size, UtcTime, is_unseen};
use reqwest::Url;
use roxmltree::Node;

use crate::soap::{ENVELOPE, MEDIA, MEDIA2, Message, SoapError};
use crate::xml::{self, below, child, text};

/// The most profiles of a camera, or of a recorder that looks like one.
const MAX_PROFILES: usize = 256;
/// The longest token or name, in bytes.
const MAX_TEXT: usize = 256;
/// The longest URL, in bytes.
const MAX_URL: usize = 2_048;

/// Why an answer is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It is no envelope, or lacks what must be there.
    #[error(transparent)]
    Soap(#[from] SoapError),
    /// The camera says no.
    #[error("the camera answers the fault `{code}`: {reason}")]
    Fault {
        /// The most special code, without namespace, such as `NotAuthorized`.
        code: String,
        /// In the camera's words; what cannot be seen is replaced.
        reason: String,
    },
}

impl AnswerError {
    /// Whether the camera does not know the sender, in the words of whatever it calls that.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Fault { code, .. }
            if matches!(code.as_str(), "NotAuthorized" | "FailedAuthentication" | "InvalidSecurity" | "SenderNotAuthorized"))
    }
}

/// How a stream is coded, as the camera says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoding {
    /// H.264.
    H264,
    /// H.265.
    H265,
    /// Motion JPEG.
    Jpeg,
    /// Another, in the camera's word.
    Other(String),
}

/// A profile: one way in which a camera sends its picture.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileAnswer {
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
}

/// Where a camera's services are, as it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServicesAnswer {
    /// The first media service.
    pub media: Option<String>,
    /// The second, which alone knows H.265.
    pub media2: Option<String>,
}

/// The time by the camera's clock, in answer to `GetSystemDateAndTime`; none where it does not say it in UTC.
///
/// # Errors
/// If `bytes` are no such answer.
pub fn clock(bytes: &[u8]) -> Result<Option<UtcTime>, AnswerError> {
    read(bytes, "GetSystemDateAndTimeResponse", |body| {
        let time = below(body, &["SystemDateAndTime", "UTCDateTime"])?;
        let number = |path: &[&str]| below(time, path).and_then(|node| text(node, 8)?.parse::<u32>().ok());
        let date = |name| number(&["Date", name]);
        let hour = |name| number(&["Time", name]);
        let (year, month, day) = (date("Year")?, date("Month")?, date("Day")?);
        let (hour, minute, second) = (hour("Hour")?, hour("Minute")?, hour("Second")?);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z").parse().ok()
    })
}

/// Where the services are, in answer to `GetServices`.
///
/// # Errors
/// If `bytes` are no such answer.
pub fn services(bytes: &[u8]) -> Result<ServicesAnswer, AnswerError> {
    read(bytes, "GetServicesResponse", |body| {
        let of = |space: &str| {
            let mut services = body.children().filter(|node| node.tag_name().name() == "Service");
            let is =
                |node: &Node| child(*node, "Namespace").and_then(|node| text(node, MAX_URL)) == Some(space);
            text(child(services.find(is)?, "XAddr")?, MAX_URL).map(str::to_owned)
        };
        ServicesAnswer { media: of(MEDIA), media2: of(MEDIA2) }
    })
}

/// Where the services are, in answer to `GetCapabilities`, which knows the first media service only.
///
/// # Errors
/// If `bytes` are no such answer.
pub fn capabilities(bytes: &[u8]) -> Result<ServicesAnswer, AnswerError> {
    read(bytes, "GetCapabilitiesResponse", |body| {
        let media = below(body, &["Capabilities", "Media", "XAddr"]).and_then(|node| text(node, MAX_URL));
        ServicesAnswer { media: media.map(str::to_owned), media2: None }
    })
}

/// The profiles that have a picture, in answer to `GetProfiles` of either media service.
///
/// # Errors
/// If `bytes` are no such answer.
pub fn profiles(bytes: &[u8]) -> Result<Vec<ProfileAnswer>, AnswerError> {
    read(bytes, "GetProfilesResponse", |body| {
        let profiles = body.children().filter(|node| node.tag_name().name() == "Profiles");
        profiles.take(MAX_PROFILES).filter_map(profile).collect()
    })
}

fn profile(node: Node) -> Option<ProfileAnswer> {
    let token = node.attribute("token").filter(|token| !token.is_empty() && token.len() <= MAX_TEXT)?;
    let second = child(node, "Configurations");
    let encoder = match second {
        Some(configurations) => child(configurations, "VideoEncoder"),
        None => child(node, "VideoEncoderConfiguration"),
    };
    let said = |path: &[&str]| {
        encoder.and_then(|encoder| below(encoder, path)).and_then(|node| text(node, MAX_TEXT))
    };
    let pixels = |name| said(&["Resolution", name])?.parse::<u32>().ok().filter(|n| (1..=65_536).contains(n));
    let size = pixels("Width").zip(pixels("Height")).map(|(width, height)| Size { width, height });
    let fps = said(&["RateControl", "FrameRateLimit"]).and_then(|fps| fps.parse::<f32>().ok());
    Some(ProfileAnswer {
        token: token.to_owned(),
        name: visible(child(node, "Name").and_then(|node| text(node, MAX_TEXT)).unwrap_or(token)),
        encoding: said(&["Encoding"]).map(encoding),
        size,
        fps: fps.filter(|fps| fps.is_finite() && (0.0..=1_000.0).contains(fps) && *fps > 0.0),
    })
}

fn encoding(said: &str) -> Encoding {
    match said.to_ascii_uppercase().as_str() {
        "H264" => Encoding::H264,
        "H265" | "HEVC" => Encoding::H265,
        "JPEG" | "MJPEG" => Encoding::Jpeg,
        _ => Encoding::Other(visible(said)),
    }
}

/// The address in answer to `GetStreamUri` or `GetSnapshotUri` of either media service.
///
/// # Errors
/// If `bytes` are no such answer.
pub fn uri(bytes: &[u8]) -> Result<Option<String>, AnswerError> {
    read(bytes, "UriResponse", |body| {
        let uri = below(body, &["MediaUri", "Uri"]).or_else(|| child(body, "Uri"))?;
        text(uri, MAX_URL).map(str::to_owned)
    })
}

/// Reads the body, whose element's name ends with `name`.
fn read<T>(bytes: &[u8], name: &'static str, read: impl FnOnce(Node) -> T) -> Result<T, AnswerError> {
    let document = xml::parse(bytes).map_err(SoapError::Xml)?;
    let body = Message::of(&document)?.body;
    if body.has_tag_name((ENVELOPE, "Fault")) {
        return Err(fault(body));
    }
    if !body.tag_name().name().ends_with(name) {
        return Err(SoapError::Lacks { what: name }.into());
    }
    Ok(read(body))
}

fn fault(body: Node) -> AnswerError {
    let mut code = child(body, "Code");
    let mut said = "unknown";
    while let Some(at) = code {
        said = child(at, "Value").and_then(|node| text(node, MAX_TEXT)).unwrap_or(said);
        code = child(at, "Subcode");
    }
    let bare = said.rsplit(':').next().unwrap_or(said);
    let reason = below(body, &["Reason", "Text"]).and_then(|node| text(node, 4 * MAX_TEXT));
    AnswerError::Fault { code: visible(bare), reason: visible(reason.unwrap_or("no reason is given")) }
}

fn visible(text: &str) -> String {
    let seen = |c| if is_unseen(c) { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(seen).collect()
}

/// Where a stream or a picture is.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaAddress {
    /// A URL without user and password.
    pub url: String,
    /// It names another host than the one that was asked: a camera behind address translation, or worse.
    pub other_host: bool,
    /// Its path or query carries what looks like a password, as some cameras write it: keep it secret. `Debug` hides it.
    pub secret: bool,
}

impl MediaAddress {
    /// The address `text`, told by a camera at `host`; none if it is of none of `schemes`.
    pub fn of(text: &str, schemes: &[&str], host: &str) -> Option<Self> {
        let mut url = Url::parse(text).ok()?;
        if !schemes.contains(&url.scheme()) {
            return None;
        }
        let bare = |host: &str| host.trim_matches(['[', ']']).to_ascii_lowercase();
        let other_host = bare(url.host_str().filter(|host| !host.is_empty())?) != bare(host);
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        let url = String::from(url);
        let lower = url.to_ascii_lowercase();
        let secret = ["passw", "pwd=", "&p=", "?p=", "psw=", "token=", "auth="]
            .iter()
            .any(|word| lower.contains(word));
        Some(Self { url, other_host, secret })
    }
}

impl std::fmt::Debug for MediaAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = if self.secret { "(hidden)" } else { &self.url };
        f.debug_struct("MediaAddress")
            .field("url", &url)
            .field("other_host", &self.other_host)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leaves_its_user_behind_and_tells_of_what_it_cannot() {
        let of = |text| MediaAddress::of(text, &["rtsp", "rtsps"], "192.0.2.7");
        let plain = of("rtsp://admin:secret@192.0.2.7:554/main?a=1").unwrap();
        assert_eq!(
            plain,
            MediaAddress {
                url: "rtsp://192.0.2.7:554/main?a=1".to_owned(),
                other_host: false,
                secret: false
            }
        );
        let inside = of("rtsp://192.0.2.8/user=admin_password=tlJwpbo6_channel=1").unwrap();
        assert!(inside.other_host && inside.secret);
        assert!(!format!("{inside:?}").contains("tlJ"));
        for bad in ["http://192.0.2.7/", "rtsp:main", "rtsp:///main", "", "main", "rtsp://"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
