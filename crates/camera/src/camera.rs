use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use placet_core::{AccessUnit, Codec, Pts, Size};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::mjpeg::MjpegSource;
use crate::place::{Credentials, Kind, Place};
use crate::rtsp::RtspSource;
use crate::times::{Order, Times};
use crate::trouble::Trouble;
use crate::units::Units;

/// The most events that wait for whoever listens.
const MAX_WAITING: usize = 256;

/// The most KiB of pictures that wait: two of the longest.
const MAX_WAITING_KIB: usize = 32 << 10;

/// The most pictures a second that are taken, and how many may come at once after a stall.
const MAX_RATE: f64 = 240.0;
const MAX_BURST: f64 = 480.0;

/// How long a session must have run before its end is a new trouble and not the old one again.
const HEALTHY: Duration = Duration::from_secs(10);

/// How long a camera may take to let go.
const MAX_CLOSING: Duration = Duration::from_secs(3);

/// The gateway's clock: ticks of [`TimeBase::LIVE`](placet_core::TimeBase::LIVE), never backwards.
pub trait Clock: Send + Sync + 'static {
    /// What it shows.
    fn now(&self) -> Pts;
}

impl<F: Fn() -> Pts + Send + Sync + 'static> Clock for F {
    fn now(&self) -> Pts {
        self()
    }
}

/// How an RTSP camera is to send. Others have no choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// Over the RTSP connection; by UDP if the camera refuses that or then sends nothing.
    #[default]
    Auto,
    /// Over the RTSP connection.
    Tcp,
    /// By UDP. What is lost or late costs the pictures up to the next that decodes alone.
    Udp,
}

/// How long is waited for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From the start of a connection to its first picture.
    pub start: Duration,
    /// From picture to picture.
    pub picture: Duration,
    /// Before the first new attempt; each further one waits twice as long.
    pub first_retry: Duration,
    /// Before any new attempt.
    pub longest_retry: Duration,
    /// Before a new attempt with credentials that were not accepted.
    pub locked: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(10),
            picture: Duration::from_secs(3),
            first_retry: Duration::from_millis(100),
            longest_retry: Duration::from_secs(2),
            locked: Duration::from_secs(30),
        }
    }
}

/// A camera to read.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it is.
    pub place: Place,
    /// Who we are to it.
    pub credentials: Option<Credentials>,
    /// How it is to send.
    pub transport: Transport,
    /// How long is waited.
    pub timing: Timing,
}

impl Config {
    /// With everything at its default.
    pub fn new(place: Place, credentials: Option<Credentials>) -> Self {
        Self { place, credentials, transport: Transport::default(), timing: Timing::default() }
    }
}

/// What happens at a camera, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Pictures come. The next unit decodes alone.
    Connected(Stream),
    /// A picture.
    Unit(AccessUnit),
    /// The pictures are others from here on: another codec, another size, other parameter sets. The next unit decodes
    /// alone.
    Changed(Stream),
    /// Pictures were left out. The next unit decodes alone.
    Skipped(Skipped),
    /// There are no pictures, and why. It is being tried again.
    Trouble(Trouble),
}

/// What a camera's pictures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// How they are coded.
    pub codec: Codec,
    /// The shown size, at most 8192 pixels each way.
    pub size: Size,
}

/// Pictures that were left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// How many, as far as they arrived.
    pub pictures: u64,
    /// Why.
    pub why: Why,
}

/// Why pictures were left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Whoever listens is too slow.
    Slow,
    /// Parts of one were lost on the way, and what builds on it would be guessed.
    Lost,
}

/// Where coded pictures come from. One connection at a time: [`Source::play`] is called again only after
/// [`Source::close`].
pub trait Source: Send + 'static {
    /// Connects and hands pictures to `out` until there are no more; says why. May be dropped at any await.
    fn play(&mut self, out: &mut Outlet) -> impl Future<Output = Trouble> + Send;

    /// Lets go of the connection, so that the next may be opened. `trouble` is how it ended; none at the end of all.
    fn close(&mut self, trouble: Option<&Trouble>) -> impl Future<Output = ()> + Send;
}

/// One coded picture as a [`Source`] has it.
#[derive(Debug)]
pub struct Picture {
    /// How it is coded.
    pub codec: Codec,
    /// Its bytes, as [`AccessUnit::data`] wants them.
    pub data: Vec<u8>,
    /// The source's own time: 90 kHz, counted round 2^32. None where it has none; arrival counts then.
    pub stamp: Option<u32>,
    /// Whether something before it or of it was lost.
    pub lost: bool,
}

/// A camera that is being read. Dropping it ends the connection.
#[derive(Debug)]
pub struct Camera {
    events: mpsc::Receiver<Queued>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Queued {
    event: Event,
    _room: Option<OwnedSemaphorePermit>,
}

/// Reads a camera for ever, on a task of the present tokio runtime (time and I/O enabled).
pub fn open(config: Config, clock: impl Clock) -> Camera {
    let Config { place, credentials, transport, timing } = config;
    match place.kind() {
        Kind::Rtsp => Camera::start(RtspSource::new(place, credentials, transport), timing, clock),
        Kind::Mjpeg => Camera::start(MjpegSource::new(place, credentials), timing, clock),
    }
}

impl Camera {
    /// Reads a source for ever, on a task of the present tokio runtime.
    pub fn start(source: impl Source, timing: Timing, clock: impl Clock) -> Self {
        let (sender, events) = mpsc::channel(MAX_WAITING);
        let (stop, stopped) = oneshot::channel();
        let outlet = Outlet::new(sender, Box::new(clock));
        let task = tokio::spawn(run(source, timing, outlet, stopped));
        Self { events, stop: Some(stop), task }
    }

    /// What happens next. None once the runtime is shutting down.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await.map(|queued| queued.event)
    }

    /// Ends the connection and waits until the camera was told; some seconds at most.
    pub async fn close(mut self) {
        self.stop.take();
        self.events.close();
        let _ = (&mut self.task).await;
    }
}

/// Connects, reads, and again.
async fn run(mut source: impl Source, timing: Timing, mut out: Outlet, mut stop: oneshot::Receiver<()>) {
    let mut retry = timing.first_retry;
    loop {
        let began = Instant::now();
        out.begin();
        let trouble = tokio::select! {
            biased;
            _ = &mut stop => None,
            trouble = play(&mut source, &timing, &mut out) => Some(trouble),
        };
        let _ = timeout(MAX_CLOSING, source.close(trouble.as_ref())).await;
        let Some(trouble) = trouble else { return };
        if out.was_connected && began.elapsed() >= HEALTHY {
            retry = timing.first_retry;
        }
        let wait = if trouble.is_about_credentials() { timing.locked } else { retry };
        retry = (2 * retry).min(timing.longest_retry);
        let pause = async {
            out.tell(Event::Trouble(trouble)).await;
            sleep(wait).await;
        };
        tokio::select! {
            biased;
            _ = &mut stop => return,
            () = pause => {}
        }
    }
}

/// One session, until it ends, hangs, or the code that reads it gives up.
async fn play(source: &mut impl Source, timing: &Timing, out: &mut Outlet) -> Trouble {
    let progress = Arc::clone(&out.progress);
    // What reads foreign bytes there is not ours, and has arithmetic that a stranger can drive over its ends.
    let session = AssertUnwindSafe(source.play(out)).catch_unwind();
    tokio::select! {
        biased;
        trouble = session => trouble.unwrap_or(Trouble::Malformed { what: "what made its reader give up" }),
        trouble = progress.hung(timing) => trouble,
    }
}

/// When the last picture came.
#[derive(Debug)]
struct Progress {
    last: Mutex<(Instant, bool)>,
    /// Whoever listens holds us up; that is not the camera's fault.
    is_held: AtomicBool,
}

impl Progress {
    fn set(&self, has_picture: bool) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), has_picture);
    }

    /// Waits until nothing came for too long.
    async fn hung(&self, timing: &Timing) -> Trouble {
        loop {
            let (last, has_picture) = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let after = if has_picture { timing.picture } else { timing.start };
            sleep_until(last + after).await;
            if self.is_held.load(Ordering::Relaxed) {
                self.set(has_picture);
            } else if *self.last.lock().unwrap_or_else(PoisonError::into_inner) == (last, has_picture) {
                return Trouble::Hung { after };
            }
        }
    }
}

/// Where a [`Source`] puts its pictures: looks at each, dates it, and passes it on or leaves it out.
pub struct Outlet {
    events: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
    clock: Box<dyn Clock>,
    progress: Arc<Progress>,
    units: Units,
    times: Times,
    rate: Rate,
    /// Whether pictures came since [`Outlet::begin`].
    was_connected: bool,
    /// What is being left out, until a picture comes that decodes alone.
    skipping: Option<Skipped>,
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet").field("was_connected", &self.was_connected).finish_non_exhaustive()
    }
}

impl Outlet {
    fn new(events: mpsc::Sender<Queued>, clock: Box<dyn Clock>) -> Self {
        let progress =
            Progress { last: Mutex::new((Instant::now(), false)), is_held: AtomicBool::new(false) };
        Self {
            events,
            room: Arc::new(Semaphore::new(MAX_WAITING_KIB)),
            clock,
            progress: Arc::new(progress),
            units: Units::default(),
            times: Times::default(),
            rate: Rate::new(),
            was_connected: false,
            skipping: None,
        }
    }

    /// A new connection.
    fn begin(&mut self) {
        self.progress.is_held.store(false, Ordering::Relaxed);
        self.progress.set(false);
        self.units = Units::default();
        self.times.reconnect();
        self.rate = Rate::new();
        self.was_connected = false;
        self.skipping = None;
    }

    /// Takes the next picture.
    ///
    /// # Errors
    /// If it is malformed, beyond a bound, or one too many. The connection must be given up then.
    pub async fn picture(&mut self, picture: Picture) -> Result<(), Trouble> {
        let Picture { codec, data, stamp, lost } = picture;
        if !self.rate.takes(Instant::now()) {
            return Err(Trouble::TooMuch { what: "pictures a second", most: MAX_RATE as u64 });
        }
        let Some(seen) = self.units.take(codec, &data)? else { return Ok(()) };
        self.progress.set(true);
        let order = if seen.reordered { Order::Decoded } else { Order::Shown };
        let now = self.clock.now();
        let pts = match stamp {
            Some(stamp) => self.times.map(stamp, now, order),
            None => self.times.arrived(now),
        };
        if lost && self.was_connected {
            self.skipping.get_or_insert(Skipped { pictures: 0, why: Why::Lost });
        }
        if !seen.key && (self.skipping.is_some() || !self.was_connected) {
            self.skip(Why::Slow);
            return Ok(());
        }
        let stream = seen.size.filter(|_| seen.key).map(|size| Stream { codec, size });
        let unit = AccessUnit { codec, data: data.into(), pts, key: seen.key };
        match stream {
            Some(stream) if !self.was_connected => {
                self.was_connected = true;
                self.tell(Event::Connected(stream)).await;
            }
            Some(stream) if seen.changed => self.tell(Event::Changed(stream)).await,
            _ => {}
        }
        self.pass(unit);
        Ok(())
    }

    /// Leaves one out.
    fn skip(&mut self, why: Why) {
        if self.was_connected {
            self.skipping.get_or_insert(Skipped { pictures: 0, why }).pictures += 1;
        }
    }

    /// Passes it on if there is room, after what was left out before it.
    fn pass(&mut self, unit: AccessUnit) {
        let kib = u32::try_from(unit.data.len().div_ceil(1024)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(kib);
        let slots = self.events.try_reserve_many(2);
        if let (Ok(room), Ok(mut slots)) = (room, slots) {
            if let Some(skipped) = self.skipping.take()
                && let Some(slot) = slots.next()
            {
                slot.send(Queued { event: Event::Skipped(skipped), _room: None });
            }
            if let Some(slot) = slots.next() {
                slot.send(Queued { event: Event::Unit(unit), _room: Some(room) });
            }
        } else {
            self.skip(Why::Slow);
        }
    }

    /// Waits until it can be told: these are few, and none may be missed.
    async fn tell(&mut self, event: Event) {
        self.progress.is_held.store(true, Ordering::Relaxed);
        let _ = self.events.send(Queued { event, _room: None }).await;
        self.progress.is_held.store(false, Ordering::Relaxed);
    }
}

/// A bucket that pictures empty and time fills.
#[derive(Debug)]
struct Rate {
    left: f64,
    at: Instant,
}

impl Rate {
    fn new() -> Self {
        Self { left: MAX_BURST, at: Instant::now() }
    }

    fn takes(&mut self, now: Instant) -> bool {
        self.left = (self.left + MAX_RATE * (now - self.at).as_secs_f64()).min(MAX_BURST) - 1.0;
        self.at = now;
        self.left >= 0.0
    }
}
