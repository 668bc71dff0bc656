//! A client that says what it likes.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Long enough for a busy machine; nothing is judged by how long it took.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Raw {
    pub stream: TcpStream,
    pub url: String,
    unread: Vec<u8>,
    cseq: u32,
}

/// What a server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Answer(Answer),
    Packet(u8, Vec<u8>),
    /// The connection is over.
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).first().copied()
    }

    pub fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub fn session(&self) -> String {
        self.header("session").unwrap().split(';').next().unwrap().to_owned()
    }
}

impl Raw {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self { stream, url: format!("rtsp://{address}/hall-north"), unread: Vec::new(), cseq: 0 }
    }

    /// Sends bytes; whether the other side takes them is its affair.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes)).await.expect("takes bytes or closes");
    }

    /// Asks, and reads up to the answer; packets on the way are thrown away.
    pub async fn ask(&mut self, method: &str, path: &str, headers: &[&str]) -> Answer {
        self.cseq += 1;
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let text = format!("{method} {}{path} RTSP/1.0\r\nCSeq: {}\r\n{headers}\r\n", self.url, self.cseq);
        self.send(text.as_bytes()).await;
        let answer = self.answer().await.unwrap_or_else(|| panic!("no answer to {text}"));
        assert_eq!(answer.header("cseq"), Some(self.cseq.to_string().as_str()));
        answer
    }

    pub async fn answer(&mut self) -> Option<Answer> {
        loop {
            match self.next().await {
                Said::Answer(answer) => return Some(answer),
                Said::Packet(..) => {}
                Said::End => return None,
            }
        }
    }

    pub async fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            match self.next().await {
                Said::Packet(channel, packet) => return Some((channel, packet)),
                Said::Answer(_) => {}
                Said::End => return None,
            }
        }
    }

    pub async fn next(&mut self) -> Said {
        loop {
            if let Some(said) = self.read() {
                return said;
            }
            let mut bytes = [0; 1 << 16];
            match timeout(PATIENCE, self.stream.read(&mut bytes)).await.expect("an answer or an end") {
                Ok(0) | Err(_) => return Said::End,
                Ok(count) => self.unread.extend(&bytes[..count]),
            }
        }
    }

    /// Reads until the server closes; what it said.
    pub async fn read_out(&mut self) -> Vec<Said> {
        let mut all = Vec::new();
        loop {
            match self.next().await {
                Said::End => return all,
                said => all.push(said),
            }
        }
    }

    fn read(&mut self) -> Option<Said> {
        if self.unread.first() == Some(&b'$') {
            let head = self.unread.get(..4)?;
            let (channel, len) = (head[1], usize::from(u16::from_be_bytes([head[2], head[3]])));
            let packet = self.unread.get(4..4 + len)?.to_vec();
            self.unread.drain(..4 + len);
            return Some(Said::Packet(channel, packet));
        }
        let end = self.unread.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(self.unread[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: String::new() };
        let len: usize = answer.header("content-length").map_or(0, |len| len.parse().unwrap());
        let body = self.unread.get(end..end + len)?;
        answer.body = String::from_utf8(body.to_vec()).unwrap();
        self.unread.drain(..end + len);
        Some(Said::Answer(answer))
    }

    /// Sets up within the connection; the session's name.
    pub async fn set_up(&mut self) -> String {
        let answer = self.ask("SETUP", "/video", &["Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]).await;
        assert_eq!(answer.status, 200, "{}", answer.head);
        answer.session()
    }

    /// Sets up and plays.
    pub async fn play(&mut self) -> (String, Answer) {
        let session = self.set_up().await;
        let answer = self.ask("PLAY", "", &[&format!("Session: {session}")]).await;
        assert_eq!(answer.status, 200, "{}", answer.head);
        (session, answer)
    }

    /// Whether a picture came whole: a packet with the mark.
    pub async fn picture(&mut self) -> bool {
        while let Some((channel, packet)) = self.packet().await {
            if channel == 0 && packet[1] & 0x80 != 0 {
                return true;
            }
        }
        false
    }
}

/// Somebody decent comes and is served.
pub async fn is_served(address: SocketAddr) {
    let mut client = Raw::open(address).await;
    assert_eq!(client.ask("DESCRIBE", "", &["Accept: application/sdp"]).await.status, 200);
    client.play().await;
    assert!(client.picture().await);
}
