//! Sockets around the conversation: one task for each connection, and nothing that a client can make it wait for longer
//! than its limits say.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use placet_core::Pts;
use placet_feed::{Feed, Feeds, Item, ParameterSets, RedactedUnit, Viewer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, timeout};

use crate::limits::{Budget, Places};
use crate::message::{Inbound, Inbox, Response};
use crate::rtp::{Packets, Stream, is_report};
use crate::{Admission, Asked, Carriage, Conversation, Limits, Step};

/// Tells the time of day of an instant of the gateway's clock.
pub type Clock = Arc<dyn Fn(Pts) -> SystemTime + Send + Sync>;

/// Reports come this often (RFC 3550, 6.2: five seconds at least).
const REPORT: Duration = Duration::from_secs(5);
/// What is sent and not yet taken waits in the system, no more than this: more would only be older.
const SEND_BUFFER: usize = 256 << 10;
/// How often a client may tell that nobody listens on its ports before it is believed.
const UNHEARD: u32 = 10;
/// How long open connections have to end once the server was told to stop.
const FAREWELL: Duration = Duration::from_secs(3);

/// How a server serves.
#[derive(Clone)]
pub struct Settings {
    /// Who may watch.
    pub admission: Arc<Admission>,
    /// The time of day, for reports.
    pub clock: Clock,
    /// What clients may take.
    pub limits: Limits,
    /// The ports that packets are sent from by UDP, two for each session.
    pub udp_ports: RangeInclusive<u16>,
}

struct Shared {
    feeds: Feeds,
    settings: Settings,
    /// Where the search for free ports goes on.
    next_port: AtomicUsize,
    /// The number of this run, in descriptions.
    run: u64,
    /// Wrong passwords are answered one after the other.
    guesses: tokio::sync::Mutex<()>,
}

/// Serves `feeds` on `listener` until `stop` is over.
pub async fn serve(listener: TcpListener, feeds: Feeds, settings: Settings, stop: impl Future<Output = ()>) {
    let run = random().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes) >> 1);
    let (next_port, guesses) = (AtomicUsize::new(0), tokio::sync::Mutex::default());
    let shared = Arc::new(Shared { feeds, settings, next_port, run, guesses });
    let places = Places::default();
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let accepting = async {
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                // Most often too many open files: connections that end give some back.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            while connections.try_join_next().is_some() {}
            // Whoever finds no place is closed at once; waiting would take one.
            let Some(place) = places.take(peer.ip(), &shared.settings.limits) else { continue };
            let (shared, mut stopped) = (Arc::clone(&shared), stopped.clone());
            connections.spawn(async move {
                // How a connection ends is the other side's affair; there is nobody to tell.
                if let Ok(mut connection) = Connection::new(stream, peer, shared) {
                    tokio::select! {
                        _ = connection.converse() => {}
                        _ = stopped.wait_for(|stopped| *stopped) => {}
                    }
                    connection.part().await;
                }
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
    drop(listener);
    stopping.send_replace(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(FAREWELL, ended).await;
}

/// Bytes that nobody can guess.
fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    // Without randomness there are no secrets; the system always has some once it has started.
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// The ports of a session by UDP.
struct Ports {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    unheard: u32,
}

/// What is sent to a session.
struct Sending {
    stream: Stream,
    ports: Option<Ports>,
    /// Where the units come from, while it plays.
    viewer: Option<Viewer>,
    reported: Option<Instant>,
    channels: (u8, u8),
}

enum Event {
    Read(io::Result<usize>),
    Item(Option<Item>),
    Report(io::Result<usize>),
    Tick,
}

/// Why a connection ends.
struct Over;

struct Connection {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    peer: SocketAddr,
    local: SocketAddr,
    shared: Arc<Shared>,
    conversation: Conversation,
    inbox: Inbox,
    budget: Budget,
    started: Instant,
    /// When the request that is not yet whole began.
    waiting: Option<Instant>,
    asked: bool,
    sending: Option<Sending>,
    /// Keeps the feed wanted between description and play, so that its encoder does not stop in between.
    interest: Option<Viewer>,
    packets: Packets,
    tick: Interval,
}

impl Connection {
    fn new(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        rustix::net::sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER)?;
        let local = stream.local_addr()?;
        let (reader, writer) = stream.into_split();
        let (limits, now) = (shared.settings.limits, Instant::now());
        let admission = Arc::clone(&shared.settings.admission);
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            reader,
            writer,
            peer,
            local,
            conversation: Conversation::new(admission, limits, random, now),
            inbox: Inbox::new(),
            budget: Budget::new(&limits, now),
            started: now,
            waiting: None,
            asked: false,
            sending: None,
            interest: None,
            packets: Packets::default(),
            tick,
            shared,
        })
    }

    async fn converse(&mut self) -> Result<(), Over> {
        let (mut bytes, mut report) = ([0; 4096], [0; 1500]);
        loop {
            let (viewer, ports) = match &mut self.sending {
                Some(sending) => (sending.viewer.as_mut(), sending.ports.as_ref()),
                None => (None, None),
            };
            let event = tokio::select! {
                read = self.reader.read(&mut bytes) => Event::Read(read),
                item = next_item(viewer) => Event::Item(item),
                read = next_report(ports, &mut report) => Event::Report(read),
                _ = self.tick.tick() => Event::Tick,
            };
            match event {
                Event::Read(Err(_) | Ok(0)) => return Err(Over),
                Event::Read(Ok(count)) => self.take(bytes.get(..count).unwrap_or_default()).await?,
                Event::Item(None) => return Err(Over),
                Event::Item(Some(Item::Unit(unit))) => self.send(&unit).await?,
                // New parameter sets travel inside the key frame; what was missed shows in the units' times.
                Event::Item(Some(Item::Restart(_) | Item::Missed(_) | Item::State(_))) => {}
                Event::Report(Ok(count)) if is_report(report.get(..count).unwrap_or_default()) => {
                    self.conversation.hear(Instant::now());
                }
                Event::Report(_) => {}
                Event::Tick => self.look_at_the_clock().await?,
            }
        }
    }

    /// Says goodbye to a session that is still there.
    async fn part(&mut self) {
        if let Some(sending) = &mut self.sending {
            sending.stream.farewell(sending.channels.1, &mut self.packets);
            let _ = timeout(Duration::from_millis(200), self.dispatch(true)).await;
        }
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), Over> {
        self.inbox.push(bytes);
        loop {
            let now = Instant::now();
            match self.inbox.next() {
                Err(error) => {
                    self.write(&Response::new(error.why.status(), None).to_bytes()).await?;
                    return Err(Over);
                }
                Ok(None) => {
                    self.waiting = self.inbox.is_waiting().then(|| self.waiting.unwrap_or(now));
                    return Ok(());
                }
                Ok(Some(_)) if !self.budget.take(&self.shared.settings.limits, now) => return Err(Over),
                Ok(Some(Inbound::Data { channel, packet })) => {
                    let ours =
                        self.sending.as_ref().is_some_and(|s| s.ports.is_none() && s.channels.1 == channel);
                    if ours && is_report(&packet) {
                        self.conversation.hear(now);
                    }
                }
                Ok(Some(Inbound::Request(request))) => {
                    self.asked = true;
                    let feeds = &self.shared.feeds;
                    let wrong = self.conversation.wrong();
                    let step = self.conversation.ask(&request, |name| feeds.get(name).is_some(), now);
                    if self.conversation.wrong() > wrong {
                        let _one = self.shared.guesses.lock().await;
                        tokio::time::sleep(self.shared.settings.limits.guess).await;
                    }
                    self.step(step).await?;
                }
            }
            self.waiting = None;
        }
    }

    async fn step(&mut self, step: Step) -> Result<(), Over> {
        match step {
            Step::Answer(response) => {
                // A session that was set up anew forgets how it was sent to.
                self.settle();
                self.write(&response.to_bytes()).await
            }
            Step::Farewell(response) => {
                self.write(&response.to_bytes()).await?;
                Err(Over)
            }
            Step::Describe(asked) => {
                let found = self.look_up(&asked).await;
                let response = self.conversation.described(&asked, found, self.local.ip(), self.shared.run);
                self.write(&response.to_bytes()).await
            }
            Step::OpenPorts(asked, rtp, rtcp) => {
                self.sending = None;
                let ports = open_ports(&self.shared, self.local.ip(), self.peer.ip(), rtp, rtcp).await;
                let own = ports.as_ref().and_then(|ports| {
                    Some((ports.rtp.local_addr().ok()?.port(), ports.rtcp.local_addr().ok()?.port()))
                });
                let response = self.conversation.ported(&asked, own);
                self.settle();
                if let Some(sending) = &mut self.sending {
                    sending.ports = ports;
                }
                self.write(&response.to_bytes()).await
            }
            Step::Play(asked) => self.play(&asked).await,
            Step::Pause(response) => {
                if let Some(sending) = &mut self.sending {
                    sending.viewer = None;
                }
                self.write(&response.to_bytes()).await
            }
            Step::TearDown(response) => {
                self.sending = None;
                self.write(&response.to_bytes()).await
            }
        }
    }

    /// Makes what is sent follow the session.
    fn settle(&mut self) {
        let Some(session) = self.conversation.session() else { return };
        let stream = Stream::new(session.random);
        let same = self.sending.as_ref().is_some_and(|sending| sending.stream.ssrc() == stream.ssrc());
        if !same {
            let channels = match session.carriage {
                Carriage::Interleaved { rtp, rtcp } => (rtp, rtcp),
                Carriage::Udp { .. } => (0, 1),
            };
            self.sending = Some(Sending { stream, ports: None, viewer: None, reported: None, channels });
        }
    }

    /// Parameter sets and frame rate of a camera, as soon as it gives them.
    async fn look_up(&mut self, asked: &Asked) -> Option<(ParameterSets, Option<f64>)> {
        let feed = self.shared.feeds.get(&asked.camera)?;
        let mut viewer = feed.watch();
        let found = timeout(self.shared.settings.limits.first, first_sets(&feed, &mut viewer)).await;
        self.interest = Some(viewer);
        found.ok().flatten()
    }

    async fn play(&mut self, asked: &Asked) -> Result<(), Over> {
        let feed = self.shared.feeds.get(&asked.camera).ok_or(Over)?;
        let mut viewer = feed.watch();
        self.interest = None;
        let first = timeout(self.shared.settings.limits.first, first_unit(&mut viewer)).await;
        let first = first.ok().flatten();
        let sending = self.sending.as_mut().ok_or(Over)?;
        sending.viewer = Some(viewer);
        let time = first.as_ref().map(|unit| sending.stream.time(unit.pts()));
        let response = self.conversation.played(asked, sending.stream.sequence(), time);
        self.write(&response.to_bytes()).await?;
        match first {
            Some(unit) => self.send(&unit).await,
            None => Ok(()),
        }
    }

    async fn send(&mut self, unit: &RedactedUnit) -> Result<(), Over> {
        let Some(sending) = &mut self.sending else { return Ok(()) };
        sending.stream.pack(unit.nals(), unit.pts(), sending.channels.0, &mut self.packets);
        self.dispatch(false).await?;
        let now = Instant::now();
        let Some(sending) = &mut self.sending else { return Ok(()) };
        if sending.ports.is_none() {
            // It takes what is sent, so it is there.
            self.conversation.hear(now);
        }
        if sending.reported.is_none_or(|at| now.saturating_duration_since(at) >= REPORT) {
            sending.reported = Some(now);
            let clock = Arc::clone(&self.shared.settings.clock);
            if sending.stream.report(|pts| clock(pts), sending.channels.1, &mut self.packets) {
                self.dispatch(true).await?;
            }
        }
        Ok(())
    }

    /// Sends the packets, or the one report, that were just made.
    async fn dispatch(&mut self, report: bool) -> Result<(), Over> {
        let Some(sending) = &mut self.sending else { return Ok(()) };
        let Some(ports) = &mut sending.ports else {
            let write = self.writer.write_all(self.packets.interleaved());
            return match timeout(self.shared.settings.limits.write, write).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(Over),
            };
        };
        let socket = if report { &ports.rtcp } else { &ports.rtp };
        for packet in self.packets.datagrams() {
            match timeout(self.shared.settings.limits.write, socket.send(packet)).await {
                Err(_) => return Err(Over),
                Ok(Ok(_)) => {}
                // Told once for each packet that found nobody.
                Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    ports.unheard += 1;
                    if ports.unheard >= UNHEARD {
                        return Err(Over);
                    }
                }
                Ok(Err(_)) => {}
            }
        }
        Ok(())
    }

    async fn look_at_the_clock(&mut self) -> Result<(), Over> {
        let (now, limits) = (Instant::now(), self.shared.settings.limits);
        let late = |since: Instant| now.saturating_duration_since(since) >= limits.request;
        let silent = !self.asked && late(self.started);
        if silent || self.waiting.is_some_and(late) || self.conversation.is_over(now) {
            return Err(Over);
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Over> {
        match timeout(self.shared.settings.limits.write, self.writer.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Over),
        }
    }
}

/// Two neighbouring ports towards those of a client, at the address that it calls from.
async fn open_ports(shared: &Shared, own: IpAddr, client: IpAddr, rtp: u16, rtcp: u16) -> Option<Ports> {
    let range = &shared.settings.udp_ports;
    let first = range.start().checked_next_multiple_of(2)?;
    let pairs = usize::from(range.end().checked_sub(first)?.checked_add(1)? / 2);
    for _ in 0..pairs {
        let at = shared.next_port.fetch_add(1, Ordering::Relaxed) % pairs;
        let port = first + 2 * u16::try_from(at).ok()?;
        let (rtp, rtcp) = (SocketAddr::new(client, rtp), SocketAddr::new(client, rtcp));
        if let (Ok(rtp), Ok(rtcp)) = (connected(own, port, rtp).await, connected(own, port + 1, rtcp).await) {
            return Some(Ports { rtp, rtcp, unheard: 0 });
        }
    }
    None
}

/// A socket that sends to one address and hears of no other.
async fn connected(own: IpAddr, port: u16, to: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((own, port)).await?;
    socket.connect(to).await?;
    Ok(socket)
}

async fn next_item(viewer: Option<&mut Viewer>) -> Option<Item> {
    match viewer {
        Some(viewer) => viewer.next().await,
        None => std::future::pending().await,
    }
}

async fn next_report(ports: Option<&Ports>, into: &mut [u8]) -> io::Result<usize> {
    match ports {
        Some(ports) => ports.rtcp.recv(into).await,
        None => std::future::pending().await,
    }
}

async fn first_sets(feed: &Feed, viewer: &mut Viewer) -> Option<(ParameterSets, Option<f64>)> {
    let mut sets = None;
    loop {
        match viewer.next().await? {
            Item::Restart(new) => sets = Some(new),
            // Two units tell the rate.
            Item::Unit(_) => {
                if let Some(found) = sets.clone().zip(feed.frame_rate().map(Some)) {
                    return Some(found);
                }
            }
            Item::State(_) | Item::Missed(_) => {}
        }
    }
}

async fn first_unit(viewer: &mut Viewer) -> Option<RedactedUnit> {
    loop {
        if let Item::Unit(unit) = viewer.next().await? {
            return Some(unit);
        }
    }
}
