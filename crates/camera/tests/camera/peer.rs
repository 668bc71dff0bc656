//! An RTSP server of our own, one way of behaving for each connection.

use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use placet_core::Codec;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::clips::{Picture, coded, pictures};

/// Counts what a peer sees.
#[derive(Default)]
pub struct Counts {
    pub connections: AtomicUsize,
    pub open: AtomicUsize,
    pub most: AtomicUsize,
    pub goodbyes: AtomicUsize,
    pub written: AtomicUsize,
}

pub struct Peer {
    pub url: String,
    pub counts: Arc<Counts>,
    task: JoinHandle<()>,
}

impl Peer {
    /// Serves each connection, by its number from 0 on, with `serve`.
    pub async fn start<F, S>(serve: S) -> Self
    where
        S: Fn(Caller, usize) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("rtsp://viewer:hunter2@127.0.0.1:{port}/cam?key=hunter2");
        let counts = Arc::new(Counts::default());
        let seen = Arc::clone(&counts);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = seen.connections.fetch_add(1, Ordering::SeqCst);
                seen.open.fetch_add(1, Ordering::SeqCst);
                seen.most.fetch_max(established(port), Ordering::SeqCst);
                let _ = stream.set_nodelay(true);
                let caller = Caller { stream, held: Vec::new(), counts: Arc::clone(&seen), seq: 0 };
                let (served, seen) = (serve(caller, number), Arc::clone(&seen));
                tokio::spawn(async move {
                    let _ = served.await;
                    seen.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { url, counts, task }
    }
}

/// How many connections to a port whoever made them has not closed: what the kernel knows of their own ends at this
/// instant, however late the tasks here run. (Our ends may hear of it later, where a thread that holds one was put aside.)
fn established(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let there = format!("0100007F:{port:04X}");
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    // The table changes while it is read, so that it may list one connection twice.
    let open = rows.filter(|row| row.get(2) == Some(&there.as_str()) && row.get(3) == Some(&"01"));
    open.filter_map(|row| row.get(1).map(|own| (*own).to_owned())).collect::<HashSet<_>>().len()
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whoever called, and how far.
pub struct Caller {
    pub stream: TcpStream,
    held: Vec<u8>,
    counts: Arc<Counts>,
    pub seq: u16,
}

pub struct Request {
    pub method: String,
    pub cseq: String,
}

impl Caller {
    pub async fn request(&mut self) -> io::Result<Request> {
        loop {
            let end = self.held.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                let rest = self.held.split_off(end + 4);
                let head = String::from_utf8(std::mem::replace(&mut self.held, rest)).unwrap();
                let method = head.split(' ').next().unwrap().to_owned();
                let cseq = head.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap().to_owned();
                if method == "TEARDOWN" {
                    self.counts.goodbyes.fetch_add(1, Ordering::SeqCst);
                }
                return Ok(Request { method, cseq });
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => self.held.extend_from_slice(&bytes[..len]),
            }
        }
    }

    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.counts.written.fetch_add(bytes.len(), Ordering::SeqCst);
        Ok(())
    }

    pub async fn answer(
        &mut self,
        request: &Request,
        status: &str,
        headers: &str,
        body: &str,
    ) -> io::Result<()> {
        let length =
            if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let text = format!("RTSP/1.0 {status}\r\nCSeq: {}\r\n{headers}{length}\r\n{body}", request.cseq);
        self.write(text.as_bytes()).await
    }

    /// Answers as a camera does, up to and including `last`.
    pub async fn as_usual(&mut self, sdp: &str, last: &str) -> io::Result<()> {
        loop {
            let request = self.request().await?;
            match request.method.as_str() {
                "DESCRIBE" => {
                    self.answer(&request, "200 OK", "Content-Type: application/sdp\r\n", sdp).await?
                }
                "SETUP" => self.answer(&request, "200 OK", SET_UP, "").await?,
                _ => self.answer(&request, "200 OK", "Session: 7\r\n", "").await?,
            }
            if request.method == last {
                return Ok(());
            }
        }
    }

    /// One RTP packet on a channel.
    pub async fn packet(&mut self, stamp: u32, marker: bool, payload: &[u8]) -> io::Result<()> {
        let packet = rtp(self.seq, stamp, marker, payload);
        self.seq = self.seq.wrapping_add(1);
        self.write(&interleaved(0, &packet)).await
    }

    /// A picture of H.264 (RFC 6184): short NAL units whole, long ones in fragments.
    pub async fn picture(&mut self, stamp: u32, picture: &Picture) -> io::Result<()> {
        for (idx, nal) in picture.iter().enumerate() {
            let is_last = idx + 1 == picture.len();
            if nal.len() <= 1400 {
                self.packet(stamp, is_last, nal).await?;
                continue;
            }
            let pieces: Vec<&[u8]> = nal[1..].chunks(1400).collect();
            for (idx, piece) in pieces.iter().enumerate() {
                let (start, end) = (idx == 0, idx + 1 == pieces.len());
                let head = [nal[0] & 0x60 | 28, u8::from(start) << 7 | u8::from(end) << 6 | nal[0] & 0x1f];
                self.packet(stamp, is_last && end, &[&head, *piece].concat()).await?;
            }
        }
        Ok(())
    }

    /// Reads and answers until the caller goes; whatever it says, it hears no picture.
    pub async fn hang(&mut self) -> io::Result<()> {
        loop {
            let request = self.request().await?;
            self.answer(&request, "200 OK", "Session: 7\r\n", "").await?;
        }
    }
}

impl Caller {
    /// Reads without a word until the caller goes.
    pub async fn gone(&mut self) -> io::Result<()> {
        let mut bytes = [0; 4096];
        while self.stream.read(&mut bytes).await? > 0 {}
        Ok(())
    }
}

pub const SET_UP: &str = "Session: 7;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";

pub fn sdp(media: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\n{media}")
}

pub fn h264_sdp() -> String {
    sdp("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n")
}

pub fn rtp(seq: u16, stamp: u32, marker: bool, payload: &[u8]) -> Vec<u8> {
    let ([s1, s2], [t1, t2, t3, t4]) = (seq.to_be_bytes(), stamp.to_be_bytes());
    [&[0x80, u8::from(marker) << 7 | 96, s1, s2, t1, t2, t3, t4, 0, 0, 0, 9], payload].concat()
}

pub fn interleaved(channel: u8, packet: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(packet.len()).unwrap().to_be_bytes();
    [&[b'$', channel, high, low], packet].concat()
}

/// 20 pictures of H.264, a key picture every 5.
pub fn clip(more: &str) -> Vec<Picture> {
    pictures(Codec::H264, &coded(Codec::H264, 96, 20, 5, more))
}

pub const FRAME: Duration = Duration::from_millis(5);
