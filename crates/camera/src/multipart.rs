//! `multipart/x-mixed-replace` as cameras send it (RFC 2046, section 5.1), one JPEG file a part. Pure.

/// The longest boundary, bytes (RFC 2046 allows 70; some cameras add the dashes to it).
const MAX_BOUNDARY: usize = 72;

/// The most bytes before the first boundary or between parts, and of a part's header.
const MAX_HEAD: usize = 8 << 10;

/// The longest part, bytes.
pub const MAX_PART: usize = crate::units::MAX_JPEG;

/// Cuts a stream of bytes into parts. Holds one part at most, and what was pushed behind it.
#[derive(Debug)]
pub struct Parts {
    /// The boundary with its two dashes.
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    state: State,
    /// How many bytes of the buffer need not be searched again.
    searched: usize,
    /// How many bytes of the present header, or of what lies between parts, were read.
    head: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first boundary: whatever it is, it is passed over.
    Preamble,
    /// Behind a part whose length was known: nothing but ends of lines before the boundary.
    Between,
    Header {
        length: Option<usize>,
    },
    Body {
        length: Option<usize>,
    },
    End,
}

impl Parts {
    /// For the answer whose content type is this.
    ///
    /// # Errors
    /// If that is no multipart type with a boundary.
    pub fn new(content_type: &str) -> Result<Self, MultipartError> {
        let mut pieces = content_type.split(';');
        let kind = pieces.next().unwrap_or_default().trim();
        if !kind.to_ascii_lowercase().starts_with("multipart/") {
            return Err(MultipartError::ContentType);
        }
        let boundary = pieces.find_map(|piece| {
            let (name, value) = piece.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
        });
        let boundary = boundary.filter(|text| {
            !text.is_empty()
                && text.len() <= MAX_BOUNDARY
                && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
        });
        let boundary = boundary.ok_or(MultipartError::ContentType)?;
        // Cameras of several makers count the dashes in.
        let dashes = if boundary.starts_with("--") { "" } else { "--" };
        let delimiter = format!("{dashes}{boundary}").into_bytes();
        Ok(Self { delimiter, buffer: Vec::new(), state: State::Preamble, searched: 0, head: 0 })
    }

    /// Takes bytes as they come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole part; none until more bytes came.
    ///
    /// # Errors
    /// If the stream is malformed, beyond a bound, or over. Nothing more comes out of it then.
    pub fn next_part(&mut self) -> Result<Option<Vec<u8>>, MultipartError> {
        loop {
            match self.state {
                State::Preamble | State::Between => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    self.state = match line.strip_prefix(self.delimiter.as_slice()) {
                        Some(b"") => State::Header { length: None },
                        Some(b"--") => State::End,
                        _ if self.state == State::Preamble || line.is_empty() => continue,
                        _ => return Err(MultipartError::Length),
                    };
                    self.head = 0;
                }
                State::Header { length } => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    self.state = if line.is_empty() {
                        self.head = 0;
                        State::Body { length }
                    } else {
                        State::Header { length: content_length(&line)?.or(length) }
                    };
                }
                State::Body { length } => {
                    let part = match length {
                        Some(length) => self.counted(length),
                        None => self.delimited()?,
                    };
                    let Some(part) = part else { return Ok(None) };
                    self.state = State::Between;
                    return Ok(Some(part));
                }
                State::End => return Err(MultipartError::End),
            }
        }
    }

    /// A line without its end, of a part's header or around one.
    fn line(&mut self) -> Result<Option<Vec<u8>>, MultipartError> {
        let rest = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(len) = rest.iter().position(|byte| *byte == b'\n').map(|at| self.searched + at) else {
            self.searched = self.buffer.len();
            return if self.head + self.searched > MAX_HEAD { Err(MultipartError::Head) } else { Ok(None) };
        };
        self.head += len + 1;
        if self.head > MAX_HEAD {
            return Err(MultipartError::Head);
        }
        let mut line = self.cut(len, len + 1);
        while matches!(line.last(), Some(b'\r' | b' ' | b'\t')) {
            line.pop();
        }
        Ok(Some(line))
    }

    fn counted(&mut self, length: usize) -> Option<Vec<u8>> {
        (self.buffer.len() >= length).then(|| self.cut(length, length))
    }

    /// All up to the next boundary that begins a line.
    fn delimited(&mut self) -> Result<Option<Vec<u8>>, MultipartError> {
        let delimiter = &self.delimiter;
        let rest = self.buffer.get(self.searched..).unwrap_or_default();
        let found = rest.windows(delimiter.len() + 1).position(|window| {
            window.split_first().is_some_and(|(first, rest)| *first == b'\n' && rest == delimiter.as_slice())
        });
        match found.map(|at| self.searched + at) {
            Some(at) if at <= MAX_PART => {
                let before = at.checked_sub(1).and_then(|before| self.buffer.get(before));
                let len = if before == Some(&b'\r') { at - 1 } else { at };
                Ok(Some(self.cut(len, at + 1)))
            }
            None if self.buffer.len() <= MAX_PART => {
                self.searched = self.buffer.len().saturating_sub(delimiter.len());
                Ok(None)
            }
            _ => Err(MultipartError::Part),
        }
    }

    /// The first `len` bytes, taking out `all`.
    fn cut(&mut self, len: usize, all: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(all.min(self.buffer.len()));
        let mut cut = std::mem::replace(&mut self.buffer, rest);
        cut.truncate(len);
        self.searched = 0;
        cut
    }
}

/// The length in a header's line, if it is that line.
fn content_length(line: &[u8]) -> Result<Option<usize>, MultipartError> {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return Err(MultipartError::Head) };
    let (name, value) = (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default());
    if !name.trim_ascii().eq_ignore_ascii_case(b"content-length") {
        return Ok(None);
    }
    let digits = std::str::from_utf8(value.trim_ascii()).ok();
    let digits = digits.filter(|text| text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit()));
    let length: usize = digits.and_then(|text| text.parse().ok()).ok_or(MultipartError::Head)?;
    if length > MAX_PART { Err(MultipartError::Part) } else { Ok(Some(length)) }
}

/// Why a stream is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// No multipart answer.
    #[error("the answer is not `multipart` with a boundary")]
    ContentType,
    /// A header, or what lies between parts, that is none or too long.
    #[error("the header of a part is malformed or longer than {MAX_HEAD} bytes")]
    Head,
    /// A part that is too long.
    #[error("a part is longer than {MAX_PART} bytes")]
    Part,
    /// A part that is longer than it says.
    #[error("a part does not end where its Content-Length says")]
    Length,
    /// The last part was read.
    #[error("the stream is over")]
    End,
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/x-mixed-replace; boundary=frame";

    /// Everything that comes out when the bytes come in pieces of `piece`, and how it ended.
    fn read(kind: &str, bytes: &[u8], piece: usize) -> (Vec<Vec<u8>>, Option<MultipartError>) {
        let mut parts = Parts::new(kind).unwrap();
        let mut out = Vec::new();
        for piece in bytes.chunks(piece) {
            parts.push(piece);
            loop {
                match parts.next_part() {
                    Ok(Some(part)) => out.push(part),
                    Ok(None) => break,
                    Err(error) => return (out, Some(error)),
                }
            }
        }
        (out, None)
    }

    #[test]
    fn parts_come_out_however_the_bytes_come_in() {
        let with_length = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\na\n--f\r\n\
            --frame\r\ncontent-length:3\r\n\r\nxyz\r\n--frame--\r\n";
        let without =
            b"hello\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\na\n--f\r\n--frame\n\nxyz\n--frame--\r\n";
        for stream in [&with_length[..], without] {
            for piece in 1..=stream.len() {
                let (parts, end) = read(KIND, stream, piece);
                assert_eq!(parts, [b"a\n--f".to_vec(), b"xyz".to_vec()], "in pieces of {piece}");
                assert_eq!(end, Some(MultipartError::End));
            }
        }
    }

    #[test]
    fn boundaries_are_read_as_cameras_write_them() {
        let stream = b"--frame\r\n\r\nx\r\n--frame\r\n";
        for kind in [
            "multipart/x-mixed-replace;boundary=frame",
            "Multipart/X-Mixed-Replace; charset=x; Boundary=\"frame\"",
            "multipart/x-mixed-replace; boundary=--frame",
        ] {
            assert_eq!(read(kind, stream, 3).0, [b"x".to_vec()], "{kind}");
        }
        for kind in [
            "",
            "image/jpeg",
            "multipart/x-mixed-replace",
            "multipart/mixed; boundary=",
            "text/html; boundary=x",
        ] {
            assert_eq!(Parts::new(kind).err(), Some(MultipartError::ContentType), "{kind}");
        }
        assert!(Parts::new(&format!("multipart/mixed; boundary={}", "x".repeat(200))).is_err());
    }

    #[test]
    fn attack_what_a_stranger_stretches_is_cut() {
        let long = "x".repeat(MAX_HEAD + 1);
        let endless_part = [b"--frame\r\n\r\n".to_vec(), vec![b'x'; MAX_PART + 1]].concat();
        let stretched: [(&str, Vec<u8>, MultipartError); 8] = [
            ("preamble", long.clone().into_bytes(), MultipartError::Head),
            ("preamble of lines", "x\n".repeat(MAX_HEAD).into_bytes(), MultipartError::Head),
            ("header", format!("--frame\r\n{long}").into_bytes(), MultipartError::Head),
            (
                "headers",
                format!("--frame\r\n{}", "a:b\r\n".repeat(MAX_HEAD)).into_bytes(),
                MultipartError::Head,
            ),
            ("part", endless_part, MultipartError::Part),
            ("length", b"--frame\r\nContent-Length: 16777217\r\n\r\n".to_vec(), MultipartError::Part),
            ("no length", b"--frame\r\nContent-Length: -1\r\n\r\n".to_vec(), MultipartError::Head),
            (
                "short length",
                b"--frame\r\nContent-Length: 1\r\n\r\nab\r\n--frame\r\n".to_vec(),
                MultipartError::Length,
            ),
        ];
        for (what, bytes, error) in &stretched {
            assert_eq!(read(KIND, bytes, 1 << 16).1, Some(*error), "{what}");
        }
        println!("{} stretched streams, 0 read on", stretched.len());
    }
}
