//! Between the reader of RTSP and the camera.
//!
//! The reader (`retina`) connects to the guard over the loopback, under an address that holds a secret, and believes it
//! to be the camera. The guard has the one connection to the camera: it bounds what comes, answers challenges, so that
//! credentials stay here, hands on only the channels that were set up, turns UDP into interleaved frames, and tells the
//! camera goodbye.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::answer::Answerer;
use crate::message::{Item, Items, MAX_BODY, MAX_HEAD, Message, MessageError};
use crate::place::{Credentials, Place};
use crate::trouble::{Trouble, Words};

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a camera may take to read what was written.
const WRITE: Duration = Duration::from_secs(5);

/// How long a camera may take to answer a goodbye, and how much it may say meanwhile.
const GOODBYE: Duration = Duration::from_secs(1);
const MAX_GOODBYE: usize = 4 << 20;
/// Bytes of datagrams that may wait to be read.
const BURST: usize = 2 << 20;

/// The most bytes to the first picture and between two: the longest picture in the smallest packets, and what else is
/// said meanwhile.
pub(super) const MAX_UNPICTURED: usize = 16 << 20;

/// The longest datagram.
const MAX_DATAGRAM: usize = 64 << 10;

/// Headers of an answer that the reader is given.
const PASSED: [&str; 7] =
    ["Content-Type", "Content-Base", "Content-Location", "Session", "Transport", "RTP-Info", "Public"];

/// The most ports that are tried for UDP.
const UDP_TRIES: usize = 32;

/// What the reader does not tell in a form that could be told on.
pub(super) const UNREADABLE: Trouble = Trouble::Malformed { what: "its description, answers or packets" };

/// How the camera is asked to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Tcp,
    Udp,
}

/// How many bytes went to the reader since its last picture.
#[derive(Clone, Debug, Default)]
pub(super) struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// A picture came out.
    pub(super) fn pictured(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn spend(&self, bytes: usize) -> Result<(), Trouble> {
        if self.0.fetch_add(bytes, Ordering::Relaxed) + bytes > MAX_UNPICTURED {
            return Err(Trouble::TooMuch { what: "bytes without a picture", most: MAX_UNPICTURED as u64 });
        }
        Ok(())
    }
}

/// A guard in front of a camera that is connected.
pub(super) struct Guard {
    camera: Wire,
    listener: TcpListener,
    /// What the reader calls the camera.
    alias: String,
    place: Place,
    answerer: Answerer,
    way: Way,
    budget: Budget,
    udp: Option<Udp>,
    /// The reader's channel of RTP; RTCP is the next.
    channel: Option<u8>,
    session: Option<String>,
    pending: Option<Pending>,
    cseq: u32,
    has_reader_proved: bool,
}

/// A request that is not answered.
struct Pending {
    /// As the reader wrote it, with the camera's own URI.
    request: Message,
    reader_cseq: String,
    cseq: u32,
    tries: u32,
}

impl Guard {
    /// Connects.
    pub(super) async fn connect(
        place: Place,
        credentials: Option<Credentials>,
        way: Way,
        budget: Budget,
    ) -> Result<Self, Trouble> {
        let camera = timeout(CONNECT, TcpStream::connect(place.address())).await;
        let camera = camera.map_err(|_| Trouble::Unreachable(io::ErrorKind::TimedOut))?;
        let camera = camera.map_err(|e| Trouble::of_connecting(&e))?;
        let _ = camera.set_nodelay(true);
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(|_| Trouble::Unreachable(io::ErrorKind::Other))?;
        let local = async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            io::Result::Ok((listener, address))
        };
        let (listener, address) = local.await.map_err(|e| Trouble::Unreachable(e.kind()))?;
        let secret = secret.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        Ok(Self {
            camera: Wire::new(camera),
            listener,
            alias: format!("rtsp://{address}/{secret}"),
            answerer: Answerer::new(credentials),
            place,
            way,
            budget,
            udp: None,
            channel: None,
            session: None,
            pending: None,
            cseq: 0,
            has_reader_proved: false,
        })
    }

    /// What the reader must connect to.
    pub(super) fn alias(&self) -> &str {
        &self.alias
    }

    /// Serves one reader until it leaves or the camera is in trouble; lets go of the camera in any case.
    pub(super) async fn serve(mut self) -> Option<Trouble> {
        let reader = timeout(CONNECT, self.listener.accept()).await;
        let trouble = match reader {
            Ok(Ok((reader, _))) => self.relay(Wire::new(reader)).await.err(),
            _ => None,
        };
        // A camera that closed or hung is not listening; the others want to hear it.
        let _ = timeout(GOODBYE, self.goodbye()).await;
        trouble
    }

    async fn relay(&mut self, mut reader: Wire) -> Result<(), Trouble> {
        let _ = reader.stream.set_nodelay(true);
        loop {
            tokio::select! {
                item = self.camera.next() => match item? {
                    None => return Err(Trouble::Ended),
                    Some(item) => self.on_camera(item, &mut reader).await?,
                },
                packet = receive(&mut self.udp) => {
                    if let (Some(channel), Some((side, packet))) = (self.channel, packet) {
                        self.pass_frame(channel.wrapping_add(side), &packet, &mut reader).await?;
                    }
                },
                item = reader.next() => match item {
                    Ok(Some(Item::Message(message))) => self.on_reader(message).await?,
                    // The reader is done, or not ours.
                    Ok(Some(Item::Frame(..)) | None) | Err(_) => return Ok(()),
                },
            }
        }
    }

    async fn on_reader(&mut self, mut message: Message) -> Result<(), Trouble> {
        let stranger = Trouble::Unreachable(io::ErrorKind::PermissionDenied);
        let Some((method, uri)) = message.request() else { return Err(stranger) };
        let tail = uri.strip_prefix(&self.alias).map(str::to_owned);
        self.has_reader_proved |= tail.is_some();
        if !self.has_reader_proved || self.pending.is_some() {
            return Err(stranger);
        }
        // What the camera itself named is asked for under that name.
        let uri = tail.map_or_else(|| uri.to_owned(), |tail| format!("{}{tail}", self.place.url()));
        let method = method.to_owned();
        if method == "SETUP" && self.way == Way::Udp {
            let udp = Udp::bind(self.camera.stream.local_addr()).await;
            let udp = udp.map_err(|e| Trouble::Unreachable(e.kind()))?;
            let port = udp.port;
            for (name, value) in &mut message.headers {
                if name.eq_ignore_ascii_case("Transport") {
                    *value = format!("RTP/AVP;unicast;client_port={port}-{}", port + 1);
                }
            }
            self.udp = Some(udp);
        }
        message.start = format!("{method} {uri} RTSP/1.0");
        let reader_cseq = message.first("CSeq").unwrap_or_default().to_owned();
        message.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("CSeq"));
        self.pending = Some(Pending { request: message, reader_cseq, cseq: 0, tries: 0 });
        self.send_pending().await
    }

    /// Sends the request that is to be answered, under a new number.
    async fn send_pending(&mut self) -> Result<(), Trouble> {
        let Some(pending) = &mut self.pending else { return Ok(()) };
        self.cseq += 1;
        pending.cseq = self.cseq;
        let (method, uri) = pending.request.request().unwrap_or_default();
        let answer = self.answerer.authorization(method, uri)?;
        let bytes = with(&pending.request, self.cseq, answer);
        self.camera.write(&bytes).await
    }

    async fn on_camera(&mut self, item: Item, reader: &mut Wire) -> Result<(), Trouble> {
        match item {
            Item::Frame(channel, data) => {
                // Channels nobody asked for are passed over: some cameras send sound there.
                let ours = self.channel.filter(|_| self.udp.is_none());
                if ours.is_some_and(|ours| channel == ours || channel == ours.wrapping_add(1)) {
                    return self.pass_frame(channel, &data, reader).await;
                }
                self.budget.spend(data.len())
            }
            Item::Message(message) => match message.status() {
                Some(status) => self.answered(status, message, reader).await,
                None => self.asked(&message).await,
            },
        }
    }

    /// A request of the camera's own. There is none it needs us for.
    async fn asked(&mut self, message: &Message) -> Result<(), Trouble> {
        self.budget.spend(MAX_HEAD)?;
        if let Some(("REDIRECT", _)) = message.request() {
            let to = message.first("Location").unwrap_or_default();
            return Err(Trouble::Redirected { to: Words::of_url(to) });
        }
        let headers =
            message.first("CSeq").map(|cseq| ("CSeq".to_owned(), cseq.to_owned())).into_iter().collect();
        let answer = Message { start: "RTSP/1.0 501 Not Implemented".to_owned(), headers, body: Vec::new() };
        self.camera.write(&answer.to_bytes()).await
    }

    async fn answered(&mut self, status: u16, answer: Message, reader: &mut Wire) -> Result<(), Trouble> {
        let cseq = answer.first("CSeq").and_then(|cseq| cseq.parse().ok());
        let Some(mut pending) = self.pending.take_if(|pending| Some(pending.cseq) == cseq) else {
            return Err(Trouble::Malformed { what: "an answer to nothing that was asked (CSeq)" });
        };
        if status == 401 {
            self.answerer.challenged(answer.all("WWW-Authenticate"), pending.tries)?;
            pending.tries += 1;
            self.pending = Some(pending);
            return self.send_pending().await;
        }
        let method = pending.request.request().unwrap_or_default().0.to_owned();
        if (300..400).contains(&status) {
            let to = answer.first("Location").unwrap_or_default();
            return Err(Trouble::Redirected { to: Words::of_url(to) });
        }
        let is_success = (200..300).contains(&status);
        if !is_success && matches!(method.as_str(), "DESCRIBE" | "SETUP" | "PLAY") {
            return Err(Trouble::of_status(status, self.place.path()));
        }
        let mut passed =
            Message { start: format!("RTSP/1.0 {status} -"), headers: Vec::new(), body: answer.body };
        passed.headers.push(("CSeq".to_owned(), pending.reader_cseq));
        for (name, value) in answer.headers {
            if PASSED.iter().any(|passed| name.eq_ignore_ascii_case(passed)) && !value.is_empty() {
                passed.headers.push((name, value));
            }
        }
        match method.as_str() {
            "DESCRIBE" if !has_video(&passed.body) => return Err(Trouble::NoVideo),
            "SETUP" => self.set_up(&mut passed).await?,
            _ => {}
        }
        let bytes = passed.to_bytes();
        self.budget.spend(bytes.len())?;
        reader.hand(&bytes).await
    }

    /// Notes session and channels; after that, UDP looks like TCP to the reader.
    async fn set_up(&mut self, answer: &mut Message) -> Result<(), Trouble> {
        let session = answer.first("Session").unwrap_or_default();
        self.session = Some(session.split(';').next().unwrap_or_default().trim().to_owned());
        let transport = answer.first("Transport").unwrap_or_default();
        let range = |name| {
            let value = transport.split(';').find_map(|part| part.trim().strip_prefix(name))?;
            value.split('-').next()?.trim().parse::<u16>().ok()
        };
        let Some(udp) = &mut self.udp else {
            let channel = range("interleaved=").and_then(|channel| u8::try_from(channel).ok());
            self.channel = Some(channel.ok_or(Trouble::UnsupportedTransport)?);
            return Ok(());
        };
        let port = range("server_port=").filter(|port| (1..u16::MAX).contains(port));
        let port = port.ok_or(Trouble::UnsupportedTransport)?;
        // Whatever `source` the camera names: what comes from elsewhere is not the camera.
        let peer = self.camera.stream.peer_addr().map_err(|e| Trouble::Unreachable(e.kind()))?;
        udp.connect(SocketAddr::new(peer.ip(), port)).await.map_err(|e| Trouble::Unreachable(e.kind()))?;
        self.channel = Some(0);
        for (name, value) in &mut answer.headers {
            if name.eq_ignore_ascii_case("Transport") {
                *value = "RTP/AVP/TCP;unicast;interleaved=0-1".to_owned();
            }
        }
        Ok(())
    }

    async fn pass_frame(&mut self, channel: u8, data: &[u8], reader: &mut Wire) -> Result<(), Trouble> {
        let Ok(len) = u16::try_from(data.len()) else { return Ok(()) };
        self.budget.spend(data.len() + 4)?;
        let [high, low] = len.to_be_bytes();
        let frame = [&[b'$', channel, high, low], data].concat();
        reader.hand(&frame).await
    }

    /// Ends the session, so that a camera that allows one has room for the next at once (RFC 2326, 10.7).
    async fn goodbye(&mut self) -> Result<(), Trouble> {
        if let Some(session) = self.session.take() {
            let headers = vec![("Session".to_owned(), session)];
            let start = format!("TEARDOWN {} RTSP/1.0", self.place.url());
            let request = Message { start, headers, body: Vec::new() };
            self.cseq += 1;
            let answer = self.answerer.authorization("TEARDOWN", self.place.url().as_str())?;
            self.camera.write(&with(&request, self.cseq, answer)).await?;
            let mut heard = 0;
            while heard < MAX_GOODBYE {
                match self.camera.next().await? {
                    None => break,
                    Some(Item::Frame(_, data)) => heard += data.len() + 4,
                    Some(Item::Message(message)) => {
                        let is_ours = message.first("CSeq").and_then(|c| c.parse().ok()) == Some(self.cseq);
                        if message.status().is_some() && is_ours {
                            break;
                        }
                        heard += MAX_HEAD;
                    }
                }
            }
        }
        let _ = self.camera.stream.shutdown().await;
        Ok(())
    }
}

/// A request with its number and, where there was a challenge, its answer.
fn with(request: &Message, cseq: u32, answer: Option<Zeroizing<String>>) -> Zeroizing<Vec<u8>> {
    let rest = Zeroizing::new(request.to_bytes());
    let start = request.start.len() + 2;
    let (start, rest) = rest.split_at(start.min(rest.len()));
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    bytes.extend_from_slice(start);
    bytes.extend_from_slice(format!("CSeq: {cseq}\r\n").as_bytes());
    if let Some(answer) = answer {
        bytes.extend_from_slice(b"Authorization: ");
        bytes.extend_from_slice(answer.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(rest);
    bytes
}

/// Whether a description has a video stream (RFC 8866, section 5.14).
fn has_video(sdp: &[u8]) -> bool {
    sdp.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"m=video "))
}

/// One side of the guard.
struct Wire {
    stream: TcpStream,
    items: Items,
}

impl Wire {
    fn new(stream: TcpStream) -> Self {
        Self { stream, items: Items::default() }
    }

    /// The next item; none where the other side closed. May be dropped at any await without losing anything.
    async fn next(&mut self) -> Result<Option<Item>, Trouble> {
        let mut bytes = [0; 16 << 10];
        loop {
            let item = self.items.next_item().map_err(|error| match error {
                MessageError::Malformed => Trouble::Malformed { what: "an RTSP message" },
                MessageError::Head => {
                    Trouble::TooMuch { what: "bytes or lines in an RTSP header", most: MAX_HEAD as u64 }
                }
                MessageError::Body => {
                    Trouble::TooMuch { what: "bytes in an RTSP message", most: MAX_BODY as u64 }
                }
            })?;
            if item.is_some() {
                return Ok(item);
            }
            match self.stream.read(&mut bytes).await {
                Ok(0) | Err(_) => return Ok(None),
                Ok(len) => self.items.push(bytes.get(..len).unwrap_or_default()),
            }
        }
    }

    /// For the reader, which may wait for whoever listens to it as long as it likes.
    async fn hand(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        // A reader that left had a reason: what it was given.
        self.stream.write_all(bytes).await.map_err(|_| UNREADABLE)
    }

    /// For the camera.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        match timeout(WRITE, self.stream.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Trouble::Ended),
            Err(_) => Err(Trouble::Hung { after: WRITE }),
        }
    }
}

/// A pair of ports for RTP and RTCP.
struct Udp {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    port: u16,
    is_connected: bool,
    last: Option<u16>,
    buffers: (Vec<u8>, Vec<u8>),
}

impl Udp {
    /// An even port and the next (RFC 3550, section 11), at the address that the camera sees.
    async fn bind(local: io::Result<SocketAddr>) -> io::Result<Self> {
        let ip = local?.ip();
        for _ in 0..UDP_TRIES {
            let rtp = UdpSocket::bind((ip, 0)).await?;
            let port = rtp.local_addr()?.port();
            if port % 2 == 1 {
                continue;
            }
            if let Ok(rtcp) = UdpSocket::bind((ip, port + 1)).await {
                // A key frame comes in one burst. The kernel gives as much of this as its own limit allows.
                let _ = rustix::net::sockopt::set_socket_recv_buffer_size(&rtp, BURST);
                let buffers = (vec![0; MAX_DATAGRAM], vec![0; MAX_DATAGRAM]);
                return Ok(Self { rtp, rtcp, port, is_connected: false, last: None, buffers });
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// From here on, only the camera is heard. A packet each way opens firewalls that watch connections.
    async fn connect(&mut self, rtp: SocketAddr) -> io::Result<()> {
        self.rtp.connect(rtp).await?;
        self.rtcp.connect(SocketAddr::new(rtp.ip(), rtp.port() + 1)).await?;
        self.is_connected = true;
        let _ = self.rtp.send(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await;
        let _ = self.rtcp.send(&[0x80, 201, 0, 1, 0, 0, 0, 0]).await;
        Ok(())
    }

    /// Whether an RTP packet is later than those before it. The reader takes none that is not.
    fn is_next(&mut self, packet: &[u8]) -> bool {
        let &[_, _, high, low, ..] = packet else { return false };
        let number = u16::from_be_bytes([high, low]);
        let is_next = self.last.is_none_or(|last| number.wrapping_sub(last).cast_signed() > 0);
        if is_next {
            self.last = Some(number);
        }
        is_next
    }
}

/// The next datagram, 0 for RTP or 1 for RTCP; waits for ever where there is no UDP.
async fn receive(udp: &mut Option<Udp>) -> Option<(u8, Vec<u8>)> {
    let Some(udp) = udp.as_mut().filter(|udp| udp.is_connected) else {
        return std::future::pending().await;
    };
    let (side, len) = tokio::select! {
        len = udp.rtp.recv(&mut udp.buffers.0) => (0, len),
        len = udp.rtcp.recv(&mut udp.buffers.1) => (1, len),
    };
    // Ports that do not listen yet are told as errors of ours.
    let len = len.ok()?;
    let buffer = if side == 0 { &udp.buffers.0 } else { &udp.buffers.1 };
    let packet = buffer.get(..len)?.to_vec();
    (side == 1 || udp.is_next(&packet)).then_some((side, packet))
}
