//! RTSP messages and interleaved frames (RFC 2326, sections 4 to 7 and 10.12), with a bound on each part. Pure.

/// The longest head of a message, bytes, its ends of lines included.
pub const MAX_HEAD: usize = 16 << 10;

/// The most header lines.
pub const MAX_LINES: usize = 64;

/// The longest body, bytes: descriptions of streams are 1 or 2 KiB.
pub const MAX_BODY: usize = 64 << 10;

/// What comes over a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// A request or an answer.
    Message(Message),
    /// Channel, and the bytes of one RTP or RTCP packet.
    Frame(u8, Vec<u8>),
}

/// A request or an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub start: String,
    /// Names and values in their order.
    pub headers: Vec<(String, String)>,
    /// What follows the head.
    pub body: Vec<u8>,
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Not what the grammar has.
    #[error("what came is no RTSP message")]
    Malformed,
    /// A head beyond its bounds.
    #[error("the head of a message is longer than {MAX_HEAD} bytes or {MAX_LINES} lines")]
    Head,
    /// A body beyond its bound, or of a length that is none.
    #[error("the body of a message is longer than {MAX_BODY} bytes, or its length is none")]
    Body,
}

impl Message {
    /// All values of a header.
    pub fn all<'m>(&'m self, name: &str) -> impl Iterator<Item = &'m str> {
        let named =
            move |(n, value): &'m (String, String)| n.eq_ignore_ascii_case(name).then_some(value.as_str());
        self.headers.iter().filter_map(named)
    }

    /// The first value of a header.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The status of an answer; none for a request.
    pub fn status(&self) -> Option<u16> {
        let rest = self.start.strip_prefix("RTSP/1.0 ")?;
        let digits = rest.get(..3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        matches!(rest.as_bytes().get(3), None | Some(b' ')).then(|| digits.parse().ok()).flatten()
    }

    /// Method and URI of a request.
    pub fn request(&self) -> Option<(&str, &str)> {
        let mut words = self.start.split(' ');
        let request = (words.next()?, words.next()?);
        (words.next() == Some("RTSP/1.0") && words.next().is_none()).then_some(request)
    }

    /// As it goes over the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\r\n", self.start).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if !self.body.is_empty() {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Cuts a stream of bytes into items. Holds one item at most, and what was pushed behind it.
#[derive(Debug, Default)]
pub struct Items {
    buffer: Vec<u8>,
    /// How many bytes were searched for the end of a head.
    searched: usize,
    /// How many bytes there must be before a look is worth while: head and body, once the head is known.
    wanted: usize,
}

impl Items {
    /// Takes bytes as they come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole item; none until more bytes came.
    ///
    /// # Errors
    /// If what came is malformed or beyond a bound. The connection must be given up then.
    pub fn next_item(&mut self) -> Result<Option<Item>, MessageError> {
        if self.buffer.len() < self.wanted {
            return Ok(None);
        }
        // Ends of lines between messages are passed over, as everybody does.
        let blank = self.buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if blank > 0 {
            self.buffer.drain(..blank);
            self.searched = 0;
        }
        match self.buffer.first() {
            None => Ok(None),
            Some(b'$') => Ok(self.frame()),
            Some(_) => self.message(),
        }
    }

    fn frame(&mut self) -> Option<Item> {
        let &[_, channel, high, low, ..] = self.buffer.as_slice() else { return None };
        let end = 4 + usize::from(u16::from_be_bytes([high, low]));
        let data = self.buffer.get(4..end)?.to_vec();
        self.buffer.drain(..end);
        Some(Item::Frame(channel, data))
    }

    fn message(&mut self) -> Result<Option<Item>, MessageError> {
        let from = self.searched.saturating_sub(3);
        let found = self.buffer.get(from..).unwrap_or_default().windows(4).position(|end| end == b"\r\n\r\n");
        let Some(len) = found.map(|at| from + at + 4) else {
            self.searched = self.buffer.len();
            return if self.searched > MAX_HEAD { Err(MessageError::Head) } else { Ok(None) };
        };
        if len > MAX_HEAD {
            return Err(MessageError::Head);
        }
        let head = self.buffer.get(..len - 4).unwrap_or_default();
        let mut message = head_of(head)?;
        let body = match message.first("Content-Length") {
            None => 0,
            Some(digits) if digits.len() <= 6 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| MessageError::Malformed)?
            }
            Some(_) => return Err(MessageError::Body),
        };
        if body > MAX_BODY {
            return Err(MessageError::Body);
        }
        let Some(bytes) = self.buffer.get(len..len + body) else {
            self.wanted = len + body;
            return Ok(None);
        };
        message.body = bytes.to_vec();
        message.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("Content-Length"));
        self.buffer.drain(..len + body);
        (self.searched, self.wanted) = (0, 0);
        Ok(Some(Item::Message(message)))
    }
}

fn head_of(head: &[u8]) -> Result<Message, MessageError> {
    // Some cameras name themselves in other alphabets; nothing of ours depends on it.
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let start = lines.next().unwrap_or_default().to_owned();
    if start.chars().any(char::is_control) {
        return Err(MessageError::Malformed);
    }
    let mut message = Message { start, headers: Vec::new(), body: Vec::new() };
    if message.status().is_none() && message.request().is_none() {
        return Err(MessageError::Malformed);
    }
    for line in lines {
        if message.headers.len() == MAX_LINES {
            return Err(MessageError::Head);
        }
        let (name, value) = line.split_once(':').ok_or(MessageError::Malformed)?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty()
            || !name.bytes().all(|byte| byte.is_ascii_graphic())
            || value.chars().any(char::is_control)
        {
            return Err(MessageError::Malformed);
        }
        message.headers.push((name.to_owned(), value.to_owned()));
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], piece: usize) -> Result<Vec<Item>, MessageError> {
        let mut items = Items::default();
        let mut out = Vec::new();
        for piece in bytes.chunks(piece) {
            items.push(piece);
            while let Some(item) = items.next_item()? {
                out.push(item);
            }
        }
        Ok(out)
    }

    #[test]
    fn items_come_out_however_the_bytes_come_in() {
        let bytes = b"\r\nRTSP/1.0 200 OK\r\nCSeq: 1\r\ncontent-length:3\r\n\r\nabc$\x01\x00\x02xyRTSP/1.0 404\r\n\r\n";
        for piece in 1..=bytes.len() {
            let items = read(bytes, piece).unwrap();
            let [Item::Message(first), Item::Frame(1, data), Item::Message(last)] = items.as_slice() else {
                panic!("in pieces of {piece}: {items:?}");
            };
            assert_eq!(
                (first.status(), first.first("cseq"), &first.body[..]),
                (Some(200), Some("1"), &b"abc"[..])
            );
            assert_eq!((&data[..], last.status()), (&b"xy"[..], Some(404)));
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let headers = vec![("CSeq".to_owned(), "7".to_owned()), ("Accept".to_owned(), "a: b".to_owned())];
        let message =
            Message { start: "DESCRIBE rtsp://c/x RTSP/1.0".to_owned(), headers, body: b"xyz".to_vec() };
        assert_eq!(message.request(), Some(("DESCRIBE", "rtsp://c/x")));
        assert_eq!(read(&message.to_bytes(), 7), Ok(vec![Item::Message(message)]));
    }

    #[test]
    fn attack_what_a_stranger_stretches_is_cut() {
        let ok = "RTSP/1.0 200 OK\r\n";
        let stretched: [(Vec<u8>, MessageError); 11] = [
            (vec![b'x'; MAX_HEAD + 1], MessageError::Head),
            (format!("{ok}A: {}", "x".repeat(MAX_HEAD)).into_bytes(), MessageError::Head),
            (format!("{ok}{}\r\n", "A: b\r\n".repeat(MAX_LINES + 1)).into_bytes(), MessageError::Head),
            (format!("{ok}Content-Length: 65537\r\n\r\n").into_bytes(), MessageError::Body),
            (format!("{ok}Content-Length: 18446744073709551615\r\n\r\n").into_bytes(), MessageError::Body),
            (format!("{ok}Content-Length: -1\r\n\r\n").into_bytes(), MessageError::Body),
            (b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), MessageError::Malformed),
            (b"RTSP/1.0 2000 OK\r\n\r\n".to_vec(), MessageError::Malformed),
            (b"RTSP/1.0 200 OK\r\nno colon\r\n\r\n".to_vec(), MessageError::Malformed),
            (b"RTSP/1.0 200 OK\r\n: x\r\n\r\n".to_vec(), MessageError::Malformed),
            (b"RTSP/1.0 200 OK\r\nA: b\nC: d\r\n\r\n".to_vec(), MessageError::Malformed),
        ];
        for (bytes, error) in &stretched {
            assert_eq!(
                read(bytes, 1000),
                Err(*error),
                "{}",
                String::from_utf8_lossy(&bytes[..bytes.len().min(60)])
            );
        }
        println!("{} stretched messages, 0 taken", stretched.len());
    }
}
