use std::fmt;
use std::io;
use std::time::Duration;

/// The longest piece of a camera's own words that is repeated, characters.
const MAX_WORDS: usize = 80;

/// Why there is no picture at present. `Display` says what is wrong, [`Trouble::advice`] what to do about it.
///
/// Nothing of it comes from credentials, and of a camera's own words only those of [`Words`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// No connection.
    Unreachable(io::ErrorKind),
    /// The camera is there and will not have us.
    Refused {
        /// What it answered; none where it closed the door before a word.
        status: Option<u16>,
    },
    /// It wants a user and a password, and there are none.
    NeedsCredentials,
    /// It does not take ours.
    WrongCredentials,
    /// It has no such stream.
    NotFound {
        /// The path that was asked for, without its query.
        path: String,
    },
    /// What it offers has no video in it.
    NoVideo,
    /// Its video is coded in a way that is not read.
    UnsupportedCodec {
        /// How, in the camera's words.
        name: Words,
    },
    /// It does not send the way it was asked to (RTSP 461).
    UnsupportedTransport,
    /// Some other answer than success.
    Answered {
        /// The status.
        status: u16,
    },
    /// Connected, and silent.
    Hung {
        /// How long no picture came.
        after: Duration,
    },
    /// The camera closed the connection.
    Ended,
    /// What it sent is not what it must be.
    Malformed {
        /// Which part of it.
        what: &'static str,
    },
    /// It sent more than is read.
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The bound.
        most: u64,
    },
    /// It sends us elsewhere.
    Redirected {
        /// Where, in the camera's words: scheme and host.
        to: Words,
    },
    /// TLS failed.
    Tls,
    /// The device at this machine cannot be opened, or gives no pictures.
    Device {
        /// The last words about it, of this machine's own.
        why: String,
    },
}

impl Trouble {
    /// What somebody can do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Unreachable(io::ErrorKind::NotFound) => "check the path in the configuration",
            Self::Unreachable(_) => "check its power, its cable and the host and port in its URL",
            Self::Refused { status: None } => {
                "check the port in its URL and that the camera has finished starting"
            }
            Self::Refused { status: Some(403) } => {
                "allow this user to view the stream in the camera's settings"
            }
            Self::Refused { status: Some(_) } => {
                "close other viewers of this camera, or raise the number it allows"
            }
            Self::NeedsCredentials => "set its user and password",
            Self::WrongCredentials => {
                "correct its user or password; it is tried every half minute, so that it does not lock the account"
            }
            Self::NotFound { .. } => "look the stream's path up in the camera's manual",
            Self::NoVideo => "choose the URL of a stream with video",
            Self::UnsupportedCodec { .. } => "set the camera to H.264, H.265 or MJPEG",
            Self::UnsupportedTransport => "set its transport to automatic, or to the other one",
            Self::Answered { .. } => "look the number up in the camera's manual; restarting it often helps",
            Self::Hung { .. } => "if it happens often, check the network and restart the camera",
            Self::Ended => "nothing, if the camera was restarted; otherwise look into its log",
            Self::Malformed { .. } => {
                "update its firmware; if that does not help, report camera and firmware to us"
            }
            Self::TooMuch { .. } => "lower resolution, bit rate or frame rate in the camera's settings",
            Self::Redirected { .. } => {
                "find out why: if the camera has moved, write its new URL down; nobody is followed"
            }
            Self::Device { .. } => {
                "look whether it is plugged in (`v4l2-ctl --list-devices`), this program may read it (group `video`), and nothing \
                 else uses it"
            }
            Self::Tls => "give it a certificate this machine trusts, or use `http` in a network of its own",
        }
    }

    /// Whether trying again soon may lock an account.
    pub(crate) fn is_about_credentials(&self) -> bool {
        matches!(self, Self::NeedsCredentials | Self::WrongCredentials)
    }

    pub(crate) fn of_connecting(e: &io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused { status: None },
            kind => Self::Unreachable(kind),
        }
    }

    pub(crate) fn of_status(status: u16, path: &str) -> Self {
        match status {
            401 | 407 => Self::WrongCredentials,
            403 | 429 | 453 | 503 => Self::Refused { status: Some(status) },
            404 | 410 | 454 => Self::NotFound { path: path.to_owned() },
            461 => Self::UnsupportedTransport,
            status => Self::Answered { status },
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(io::ErrorKind::NotFound) => f.write_str("there is no such file or device"),
            Self::Unreachable(kind) => write!(f, "the camera cannot be reached: {kind}"),
            Self::Refused { status: None } => f.write_str("the camera refuses the connection"),
            Self::Refused { status: Some(status) } => {
                write!(f, "the camera refuses the stream (status {status})")
            }
            Self::NeedsCredentials => f.write_str("the camera wants a user and a password"),
            Self::WrongCredentials => f.write_str("the camera does not accept the user or the password"),
            Self::NotFound { path } => write!(f, "the camera has no stream `{path}`"),
            Self::NoVideo => f.write_str("the camera's stream has no video"),
            Self::UnsupportedCodec { name } => {
                write!(f, "the camera codes its video as `{name}`, which is not read")
            }
            Self::UnsupportedTransport => {
                f.write_str("the camera does not send over the transport it was asked for")
            }
            Self::Answered { status } => write!(f, "the camera answers with status {status}"),
            Self::Hung { after } => write!(f, "the camera is connected and sent no picture for {after:?}"),
            Self::Ended => f.write_str("the camera closed the connection"),
            Self::Malformed { what } => write!(f, "the camera sent something that cannot be read: {what}"),
            Self::TooMuch { what, most } => write!(f, "the camera sent more than {most} {what}"),
            Self::Redirected { to } => write!(f, "the camera redirects to `{to}`"),
            Self::Device { why } => write!(f, "the device gives no pictures: {why}"),
            Self::Tls => f.write_str("no safe connection to the camera (TLS)"),
        }
    }
}

/// Words of a camera that are fit to be shown: short, and of printable ASCII without spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    pub(crate) fn new(text: &str) -> Self {
        let fit = |c: char| if c.is_ascii_graphic() && c != '`' { c } else { '_' };
        Self(text.trim().chars().take(MAX_WORDS).map(fit).collect())
    }

    /// Scheme and host of a URL; paths and queries of cameras hold passwords too often.
    pub(crate) fn of_url(text: &str) -> Self {
        match url::Url::parse(text.trim()) {
            Ok(url) if url.has_host() => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                Self::new(&format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default()))
            }
            _ => Self::new("another path"),
        }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cameras_words_are_made_fit_to_be_shown() {
        assert_eq!(Words::new("H261\u{1b}[2J`\n").to_string(), "H261_[2J_");
        assert_eq!(Words::new(&"x".repeat(1000)).to_string().len(), MAX_WORDS);
        assert_eq!(
            Words::of_url("rtsp://root:pw@evil.example:99/x?p=w").to_string(),
            "rtsp://evil.example:99"
        );
        assert_eq!(Words::of_url("/elsewhere?p=w").to_string(), "another_path");
    }
}
