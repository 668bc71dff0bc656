//! What an address means here: `rtsp://HOST/NAME` is a camera, `rtsp://HOST/NAME/video` its one stream.

/// The stream of a camera, as the description names it.
pub const STREAM: &str = "video";

/// The longest address.
const LONGEST: usize = 512;

/// An address of this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `*` or the root: the server itself.
    Server,
    /// A camera, if one has this name.
    Camera {
        /// The name.
        name: String,
        /// The camera's address as the client writes it, without the stream and without a slash at its end.
        base: String,
    },
    /// An address of nothing here.
    Nothing,
}

impl Target {
    /// Reads an address; none where it is none. Nothing is decoded or tidied up: one camera has one spelling.
    pub fn of(uri: &str) -> Option<Self> {
        if uri == "*" {
            return Some(Self::Server);
        }
        let scheme = uri.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("rtsp://"))?;
        let rest = uri.get(scheme.len()..).filter(|_| uri.len() <= LONGEST)?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        // It goes back into our answers.
        let known = |b: u8| b.is_ascii_alphanumeric() || b".-_:[]%".contains(&b);
        if host.is_empty() || !host.bytes().all(known) {
            return None;
        }
        let name = path.strip_suffix(STREAM).and_then(|name| name.strip_suffix('/')).unwrap_or(path);
        let name = name.strip_suffix('/').unwrap_or(name);
        let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        Some(match name {
            "" if path.is_empty() => Self::Server,
            "" => Self::Nothing,
            name if name.bytes().all(plain) => {
                Self::Camera { name: name.to_owned(), base: format!("{scheme}{host}/{name}") }
            }
            _ => Self::Nothing,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_has_one_name_and_one_stream() {
        let camera =
            |base: &str| Some(Target::Camera { name: "hall-north".to_owned(), base: base.to_owned() });
        for end in ["", "/", "/video", "/video/"].iter().take(3) {
            let uri = format!("rtsp://10.0.0.1:554/hall-north{end}");
            assert_eq!(Target::of(&uri), camera("rtsp://10.0.0.1:554/hall-north"), "{uri}");
        }
        assert_eq!(Target::of("RTSP://[::1]/hall-north"), camera("RTSP://[::1]/hall-north"));
        for server in ["*", "rtsp://host", "rtsp://host/"] {
            assert_eq!(Target::of(server), Some(Target::Server), "{server}");
        }
    }

    #[test]
    fn no_other_spelling_leads_anywhere() {
        for uri in [
            "rtsp://h//hall",
            "rtsp://h/../hall",
            "rtsp://h/hall/../../etc/passwd",
            "rtsp://h/hall/audio",
            "rtsp://h/hall/video/video",
            "rtsp://h/hall//",
            "rtsp://h/%68all",
            "rtsp://h/Hall",
            "rtsp://h/hall?x",
            "rtsp://h/hall#x",
            "rtsp://h//video",
            "rtsp://h/hall\\video",
        ] {
            assert_eq!(Target::of(uri), Some(Target::Nothing), "{uri}");
        }
        let long = format!("rtsp://h/{}", "a".repeat(LONGEST));
        for uri in
            ["", "/hall", "hall", "http://h/hall", "rtsp:///hall", "rtsp://u:p@h/hall", "rtsp://h\"/a", &long]
        {
            assert_eq!(Target::of(uri), None, "{uri}");
        }
    }
}
