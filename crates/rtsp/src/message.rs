//! Requests in, responses out (RFC 2326, 4 to 7 and 10.12): strict, and bounded before anything is understood.
//!
//! By hand: the published parsers join headers that are there twice and tidy up paths, and both must be seen here.

use std::fmt;

/// The longest head of a request: its line and headers.
pub const MOST_HEAD: usize = 8 << 10;
/// The most headers.
pub const MOST_HEADERS: usize = 64;
/// The longest body; it is read and thrown away.
pub const MOST_BODY: usize = 4 << 10;
/// The longest interleaved packet that a client has reason to send: a report.
pub const MOST_DATA: usize = 2 << 10;

/// What is asked for (RFC 2326, 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `OPTIONS`.
    Options,
    /// `DESCRIBE`.
    Describe,
    /// `SETUP`.
    Setup,
    /// `PLAY`.
    Play,
    /// `PAUSE`.
    Pause,
    /// `GET_PARAMETER`.
    GetParameter,
    /// `TEARDOWN`.
    Teardown,
    /// One that would change something here: `ANNOUNCE`, `RECORD`, `REDIRECT`, `SET_PARAMETER`.
    Refused,
    /// Any other.
    Unknown,
}

impl Method {
    fn of(text: &str) -> Self {
        match text {
            "OPTIONS" => Self::Options,
            "DESCRIBE" => Self::Describe,
            "SETUP" => Self::Setup,
            "PLAY" => Self::Play,
            "PAUSE" => Self::Pause,
            "GET_PARAMETER" => Self::GetParameter,
            "TEARDOWN" => Self::Teardown,
            "ANNOUNCE" | "RECORD" | "REDIRECT" | "SET_PARAMETER" => Self::Refused,
            _ => Self::Unknown,
        }
    }
}

/// A request's head. Its body is gone; only whether it had one is known.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// The same as written, for the digest.
    pub method_text: String,
    /// Of what, as written.
    pub uri: String,
    /// The number that the answer repeats.
    pub cseq: u32,
    /// Bytes of the body.
    pub body: usize,
    // INVARIANT: names are in lower case, each once.
    headers: Vec<(String, String)>,
}

impl Request {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Without headers and address: credentials stand there.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} with {} headers", self.method, self.cseq, self.headers.len())
    }
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbound {
    /// A request.
    Request(Request),
    /// A packet on an interleaved channel (RFC 2326, 10.12).
    Data {
        /// The channel.
        channel: u8,
        /// The packet.
        packet: Vec<u8>,
    },
}

/// Why the bytes are none of ours. Nothing behind them can be understood, so the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{why}, at byte {at} of the connection")]
pub struct MessageError {
    /// What is wrong.
    pub why: Wrong,
    /// Bytes of the connection before the message.
    pub at: u64,
}

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Too long.
    #[error("a request's head is longer than {MOST_HEAD} bytes or has more than {MOST_HEADERS} headers")]
    Head,
    /// A body that no request of ours has.
    #[error("a request's body is longer than {MOST_BODY} bytes")]
    Body,
    /// An interleaved packet no client has reason to send.
    #[error("an interleaved packet is longer than {MOST_DATA} bytes")]
    Data,
    /// Not `METHOD URI RTSP/1.0`.
    #[error("a request's line is none")]
    Line,
    /// Another protocol or version.
    #[error("a request is not of RTSP/1.0")]
    Version,
    /// Not `Name: value`.
    #[error("a header is none")]
    Header,
    /// Two answers to one question.
    #[error("a header is there twice")]
    Twice,
    /// No number, so that no answer can be told.
    #[error("a request has no CSeq, or one that is no number")]
    CSeq,
    /// Not a number.
    #[error("a Content-Length is no number")]
    Length,
}

impl Wrong {
    /// The status it is answered with (RFC 2326, 7.1.1).
    pub fn status(self) -> Status {
        match self {
            Self::Head | Self::Body | Self::Data => Status::TooLarge,
            Self::Version => Status::Version,
            Self::Line | Self::Header | Self::Twice | Self::CSeq | Self::Length => Status::BadRequest,
        }
    }
}

/// Bytes of one connection on their way to messages. Holds at most one message and what was read with it.
#[derive(Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// How many of `bytes` are known not to end a head.
    searched: usize,
    /// Bytes of the connection before `bytes`.
    before: u64,
}

impl Inbox {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message, once it is whole.
    ///
    /// # Errors
    /// If what is there cannot become one, whatever follows.
    #[expect(clippy::should_implement_trait, reason = "none now is no end")]
    pub fn next(&mut self) -> Result<Option<Inbound>, MessageError> {
        // Clients may send empty lines between requests (RFC 2326, 4.1).
        let empty = self.bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        self.drop_front(empty);
        let read = match self.bytes.first() {
            None => return Ok(None),
            Some(b'$') => self.data(),
            Some(_) => self.request(),
        };
        read.map_err(|why| MessageError { why, at: self.before })
    }

    /// Whether part of a message waits for the rest.
    pub fn is_waiting(&self) -> bool {
        !self.bytes.is_empty()
    }

    fn data(&mut self) -> Result<Option<Inbound>, Wrong> {
        let Some(&[_, channel, high, low]) = self.bytes.first_chunk() else { return Ok(None) };
        let len = usize::from(u16::from_be_bytes([high, low]));
        if len > MOST_DATA {
            return Err(Wrong::Data);
        }
        let Some(packet) = self.bytes.get(4..4 + len) else { return Ok(None) };
        let packet = packet.to_vec();
        self.drop_front(4 + len);
        Ok(Some(Inbound::Data { channel, packet }))
    }

    fn request(&mut self) -> Result<Option<Inbound>, Wrong> {
        // Other protocols are known by their first byte, and need not be read to the end.
        if !self.bytes.first().is_some_and(u8::is_ascii_uppercase) {
            return Err(Wrong::Line);
        }
        let from = self.searched.saturating_sub(3);
        let tail = self.bytes.get(from..).unwrap_or_default();
        let Some(end) = tail.windows(4).position(|w| w == b"\r\n\r\n").map(|at| from + at + 4) else {
            self.searched = self.bytes.len();
            return if self.bytes.len() < MOST_HEAD { Ok(None) } else { Err(Wrong::Head) };
        };
        if end > MOST_HEAD {
            return Err(Wrong::Head);
        }
        let request = parse(self.bytes.get(..end).unwrap_or_default())?;
        let all = end + request.body;
        if self.bytes.len() < all {
            return Ok(None);
        }
        self.drop_front(all);
        Ok(Some(Inbound::Request(request)))
    }

    fn drop_front(&mut self, count: usize) {
        self.bytes.drain(..count);
        self.searched = 0;
        self.before += count as u64;
    }
}

fn parse(head: &[u8]) -> Result<Request, Wrong> {
    let text = std::str::from_utf8(head).map_err(|_| Wrong::Header)?;
    let mut lines = text.strip_suffix("\r\n\r\n").unwrap_or(text).split("\r\n");
    let line = lines.next().unwrap_or_default();
    if line.contains(|c: char| !c.is_ascii_graphic() && c != ' ') {
        return Err(Wrong::Line);
    }
    let mut words = line.split(' ');
    let (Some(method), Some(uri), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Wrong::Line);
    };
    if version != "RTSP/1.0" {
        return Err(Wrong::Version);
    }
    if uri.is_empty() || !method.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') {
        return Err(Wrong::Line);
    }
    let headers = headers(lines)?;
    let find = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let cseq = find("cseq").and_then(number).and_then(|n| u32::try_from(n).ok()).ok_or(Wrong::CSeq)?;
    let body = find("content-length").map_or(Ok(0), |text| number(text).ok_or(Wrong::Length))?;
    let body = usize::try_from(body).ok().filter(|body| *body <= MOST_BODY).ok_or(Wrong::Body)?;
    Ok(Request {
        method: Method::of(method),
        method_text: method.to_owned(),
        uri: uri.to_owned(),
        cseq,
        body,
        headers,
    })
}

fn headers<'t>(lines: impl Iterator<Item = &'t str>) -> Result<Vec<(String, String)>, Wrong> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(Wrong::Header)?;
        let token = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if name.is_empty()
            || !name.bytes().all(token)
            || value.contains(|c: char| c.is_control() && c != '\t')
        {
            return Err(Wrong::Header);
        }
        let name = name.to_ascii_lowercase();
        if headers.iter().any(|(known, _)| *known == name) {
            return Err(Wrong::Twice);
        }
        if headers.len() == MOST_HEADERS {
            return Err(Wrong::Head);
        }
        headers.push((name, value.trim_matches([' ', '\t']).to_owned()));
    }
    Ok(headers)
}

/// Digits alone, without a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// How a request went (RFC 2326, 7.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 200.
    Ok,
    /// 400.
    BadRequest,
    /// 401.
    Unauthorized,
    /// 404.
    NotFound,
    /// 405.
    NotAllowed,
    /// 406.
    NotAcceptable,
    /// 413.
    TooLarge,
    /// 451.
    Parameter,
    /// 453.
    Bandwidth,
    /// 454.
    Session,
    /// 455.
    State,
    /// 461.
    Transport,
    /// 501.
    NotImplemented,
    /// 503.
    Unavailable,
    /// 505.
    Version,
    /// 551.
    Option,
}

impl Status {
    /// Number and words.
    pub fn line(self) -> (u16, &'static str) {
        match self {
            Self::Ok => (200, "OK"),
            Self::BadRequest => (400, "Bad Request"),
            Self::Unauthorized => (401, "Unauthorized"),
            Self::NotFound => (404, "Not Found"),
            Self::NotAllowed => (405, "Method Not Allowed"),
            Self::NotAcceptable => (406, "Not Acceptable"),
            Self::TooLarge => (413, "Request Entity Too Large"),
            Self::Parameter => (451, "Parameter Not Understood"),
            Self::Bandwidth => (453, "Not Enough Bandwidth"),
            Self::Session => (454, "Session Not Found"),
            Self::State => (455, "Method Not Valid in This State"),
            Self::Transport => (461, "Unsupported Transport"),
            Self::NotImplemented => (501, "Not Implemented"),
            Self::Unavailable => (503, "Service Unavailable"),
            Self::Version => (505, "RTSP Version Not Supported"),
            Self::Option => (551, "Option Not Supported"),
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    status: Status,
    text: String,
    body: String,
}

impl Response {
    /// To the request of this number, if it had one.
    pub fn new(status: Status, cseq: Option<u32>) -> Self {
        let (code, words) = status.line();
        let text = format!("RTSP/1.0 {code} {words}\r\n");
        let response = Self { status, text, body: String::new() };
        let response = match cseq {
            Some(cseq) => response.with("CSeq", &cseq.to_string()),
            None => response,
        };
        response.with("Server", "placet")
    }

    /// With a header of our own words: no line ends inside.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        for part in [name, ": ", value, "\r\n"] {
            self.text.push_str(part);
        }
        self
    }

    /// With a body.
    pub fn with_body(self, kind: &str, body: String) -> Self {
        let length = body.len().to_string();
        Self { body, ..self }.with("Content-Type", kind).with("Content-Length", &length)
    }

    /// How it went.
    pub fn status(&self) -> Status {
        self.status
    }

    /// As it is sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.text.as_str(), "\r\n", &self.body].concat().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIBE: &str = "DESCRIBE rtsp://host/hall RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n";

    fn read(bytes: &[u8]) -> Result<Option<Inbound>, Wrong> {
        let mut inbox = Inbox::new();
        inbox.push(bytes);
        inbox.next().map_err(|error| error.why)
    }

    #[test]
    fn a_request_is_read_however_it_is_cut() {
        let after = "$\x01\x00\x02ab";
        let all = format!("\r\n{DESCRIBE}{after}{DESCRIBE}").into_bytes();
        for cut in 0..all.len() {
            let mut inbox = Inbox::new();
            let mut seen = Vec::new();
            for part in [&all[..cut], &all[cut..]] {
                inbox.push(part);
                while let Some(message) = inbox.next().unwrap() {
                    seen.push(message);
                }
            }
            let Inbound::Request(request) = &seen[0] else { panic!("{seen:?}") };
            assert_eq!((request.method, request.cseq, request.body), (Method::Describe, 2, 0));
            assert_eq!(request.header("accept"), Some("application/sdp"));
            assert_eq!(seen[1], Inbound::Data { channel: 1, packet: b"ab".to_vec() });
            assert_eq!((seen.len(), &seen[0], inbox.is_waiting()), (3, &seen[2], false));
        }
    }

    #[test]
    fn a_body_is_skipped() {
        let request = DESCRIBE.replace("Accept: application/sdp", "content-length: 5");
        let mut inbox = Inbox::new();
        inbox.push(format!("{request}hel").as_bytes());
        assert_eq!(inbox.next(), Ok(None));
        inbox.push(format!("lo{DESCRIBE}").as_bytes());
        assert!(matches!(inbox.next(), Ok(Some(Inbound::Request(r))) if r.body == 5));
        assert!(matches!(inbox.next(), Ok(Some(Inbound::Request(r))) if r.body == 0));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let with = |line: &str| DESCRIBE.replace("Accept: application/sdp", line);
        let cseq = |value: &str| DESCRIBE.replace("CSeq: 2", value);
        let line = |line: &str| format!("{line}\r\nCSeq: 2\r\n\r\n");
        let rows = [
            ("\x16\x03\x01\x02\0".to_owned(), Wrong::Line),
            ("get / HTTP/1.1\r\n\r\n".to_owned(), Wrong::Line),
            (line("GET / HTTP/1.1"), Wrong::Version),
            (line("DESCRIBE rtsp://h/a RTSP/2.0"), Wrong::Version),
            (line("DESCRIBE rtsp://h/a  RTSP/1.0"), Wrong::Line),
            (line("DESCRIBE rtsp://h/a RTSP/1.0 "), Wrong::Line),
            (line("DESCRIBE  RTSP/1.0"), Wrong::Line),
            (line("DESCRIBE rtsp://h/\0 RTSP/1.0"), Wrong::Line),
            (line("DESCRIBE rtsp://h/é RTSP/1.0"), Wrong::Line),
            (line("RTSP/1.0 200 OK"), Wrong::Version),
            (with("Accept"), Wrong::Header),
            (with(": x"), Wrong::Header),
            (with("A b: x"), Wrong::Header),
            (with("A: x\n"), Wrong::Header),
            (with("A: x\r\n folded"), Wrong::Header),
            (with("A: \0"), Wrong::Header),
            (with("CSeq: 2"), Wrong::Twice),
            (with("A: 1\r\na: 2"), Wrong::Twice),
            (cseq("A: 1"), Wrong::CSeq),
            (cseq("CSeq: -1"), Wrong::CSeq),
            (cseq("CSeq: +1"), Wrong::CSeq),
            (cseq("CSeq:"), Wrong::CSeq),
            (cseq("CSeq: 4294967296"), Wrong::CSeq),
            (cseq("CSeq: 1 2"), Wrong::CSeq),
            (with("Content-Length: 4097"), Wrong::Body),
            (with("Content-Length: 18446744073709551615"), Wrong::Body),
            (with("Content-Length: 18446744073709551616"), Wrong::Length),
            (with("Content-Length: -1"), Wrong::Length),
            (with("Content-Length: 0x10"), Wrong::Length),
            (with(&format!("A: {}", "x".repeat(MOST_HEAD))), Wrong::Head),
            (with(&(0..MOST_HEADERS).map(|n| format!("A{n}: x\r\n")).collect::<String>()), Wrong::Head),
            ("X".repeat(MOST_HEAD), Wrong::Head),
            ("$\x00\x08\x01".to_owned(), Wrong::Data),
        ];
        for (text, why) in rows {
            let text = text.replace("\r\n\r\n\r\n", "\r\n\r\n");
            assert_eq!(read(text.as_bytes()), Err(why), "{}", text.get(..80).unwrap_or(&text));
        }
        assert_eq!(read(b"DESCRIBE rtsp://h/a RTSP/1.0\r\nCSeq: 1\r\nA: \xff\r\n\r\n"), Err(Wrong::Header));
    }

    #[test]
    fn an_answer_has_its_number_and_its_length() {
        let bytes = Response::new(Status::Ok, Some(7)).with_body("text/plain", "hello".to_owned()).to_bytes();
        let wanted = "RTSP/1.0 200 OK\r\nCSeq: 7\r\nServer: placet\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(String::from_utf8(bytes).unwrap(), wanted);
    }
}
