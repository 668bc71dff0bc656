use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use placet_core::{Pts, TimeBase};
use placet_ingest::live::{RedactedPicture, RedactedUnit};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::ring::{Bounds, Piece, Place, Ring};
use crate::{ParameterSets, State};

/// What of a stream is kept for viewers: two groups of a second each take a fifth of that at 6 Mbit/s.
const KEPT: Bounds = Bounds { bytes: 8 << 20, pieces: 512 };
/// How old a snapshot may be that is given out again, so that a wall of browsers asks for one encoding.
const FRESH: Duration = Duration::from_millis(300);
/// How long a snapshot is waited for: the next frame of a slow camera, and a JPEG encoder.
const SNAPSHOT: Duration = Duration::from_secs(3);

/// What a viewer gets.
#[derive(Clone, Debug)]
pub enum Item {
    /// What to tell people of the camera. The first item, then whenever it changes.
    State(State),
    /// The units from here on need these parameter sets. Comes before the first unit and whenever they change, as with
    /// another resolution.
    Restart(ParameterSets),
    /// So many units are gone, since the viewer fell behind; the next one is a key frame.
    Missed(u64),
    /// The next unit.
    Unit(RedactedUnit),
}

/// A unit and, where one may start, what a decoder must know before it.
struct Kept {
    unit: RedactedUnit,
    sets: Option<ParameterSets>,
}

impl Piece for Kept {
    fn bytes(&self) -> usize {
        self.unit.data().len()
    }

    fn starts(&self) -> bool {
        self.sets.is_some()
    }
}

struct Inner {
    ring: Ring<Kept>,
    state: State,
    viewers: usize,
    /// Who waits for a picture newer than this instant.
    asked: Option<Instant>,
    picture: Option<(Instant, RedactedPicture)>,
    ended: bool,
}

struct Shared {
    inner: Mutex<Inner>,
    /// Changes whenever `inner` has something for viewers.
    news: watch::Sender<()>,
    /// Whether somebody watches.
    wanted: watch::Sender<bool>,
    pictures: watch::Sender<()>,
}

impl Shared {
    /// No state is ever left half changed, so a panic elsewhere spoils nothing.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The side that watches. Clones are the same feed.
#[derive(Clone)]
pub struct Feed {
    shared: Arc<Shared>,
}

/// The side that has the encoder. When it is dropped the feed ends.
pub struct FeedWriter {
    shared: Arc<Shared>,
}

impl Feed {
    /// A feed whose camera is away so far.
    pub fn new() -> (FeedWriter, Self) {
        let inner = Inner {
            ring: Ring::new(KEPT),
            state: State::away("not yet seen"),
            viewers: 0,
            asked: None,
            picture: None,
            ended: false,
        };
        let shared = Arc::new(Shared {
            inner: Mutex::new(inner),
            news: watch::Sender::new(()),
            wanted: watch::Sender::new(false),
            pictures: watch::Sender::new(()),
        });
        (FeedWriter { shared: Arc::clone(&shared) }, Self { shared })
    }

    /// Joins. The viewer starts at the newest key frame; while it lives, the feed is wanted.
    pub fn watch(&self) -> Viewer {
        let mut inner = self.shared.lock();
        inner.viewers += 1;
        self.shared.wanted.send_if_modified(|wanted| !std::mem::replace(wanted, true));
        drop(inner);
        Viewer {
            news: self.shared.news.subscribe(),
            shared: Arc::clone(&self.shared),
            place: Place::default(),
            told: None,
            sets: None,
            held: None,
        }
    }

    /// A JPEG picture of now, at most 0.3 s old; none where none comes within 3 s.
    pub async fn snapshot(&self) -> Option<RedactedPicture> {
        let now = Instant::now();
        let since = now.checked_sub(FRESH).unwrap_or(now);
        let mut pictures = self.shared.pictures.subscribe();
        let newer = || {
            let mut inner = self.shared.lock();
            let found =
                inner.picture.as_ref().filter(|(at, _)| *at >= since).map(|(_, picture)| picture.clone());
            if found.is_none() {
                inner.asked = Some(Instant::now());
            }
            (found, inner.ended)
        };
        let wait = async {
            loop {
                match newer() {
                    (Some(picture), _) => return Some(picture),
                    (None, true) => return None,
                    (None, false) => pictures.changed().await.ok()?,
                }
            }
        };
        timeout(SNAPSHOT, wait).await.ok().flatten()
    }

    /// What people are told of the camera now.
    pub fn state(&self) -> State {
        self.shared.lock().state.clone()
    }

    /// The parameter sets a new viewer would start with; none while nothing is kept.
    pub fn sets(&self) -> Option<ParameterSets> {
        self.shared.lock().ring.start().and_then(|kept| kept.sets.clone())
    }

    /// Frames a second, by the times of what is kept; none while that is fewer than two units.
    pub fn frame_rate(&self) -> Option<f64> {
        let inner = self.shared.lock();
        let mut kept = inner.ring.kept();
        let steps = kept.len().checked_sub(1).filter(|steps| *steps > 0)?;
        let (first, last) = (kept.next()?.unit.pts(), kept.next_back()?.unit.pts());
        let seconds = TimeBase::LIVE.seconds(Pts(last.0.saturating_sub(first.0)));
        (seconds > 0.0).then(|| steps as f64 / seconds)
    }

    /// How many watch.
    pub fn viewers(&self) -> usize {
        self.shared.lock().viewers
    }

    /// Whether its writer is gone.
    pub fn is_over(&self) -> bool {
        self.shared.lock().ended
    }
}

impl FeedWriter {
    /// Hands a unit to whoever watches; without viewers it is dropped.
    pub fn send(&self, unit: RedactedUnit) {
        let sets = if unit.key() { ParameterSets::of(unit.nals(), unit.size()) } else { None };
        let mut inner = self.shared.lock();
        if inner.viewers > 0 {
            inner.ring.push(Kept { unit, sets });
            drop(inner);
            self.shared.news.send_replace(());
        }
    }

    /// Whether somebody watches: only then units need to be encoded.
    pub fn wanted(&self) -> bool {
        *self.shared.wanted.borrow()
    }

    /// Waits until somebody watches.
    pub async fn until_wanted(&self) {
        self.until(true).await;
    }

    /// Waits until nobody watches.
    pub async fn until_unwanted(&self) {
        self.until(false).await;
    }

    /// Whether somebody waits for a picture: only then one needs to be encoded.
    pub fn snapshot_wanted(&self) -> bool {
        self.shared.lock().asked.is_some_and(|asked| asked.elapsed() < SNAPSHOT)
    }

    /// Hands a picture of the frame just redacted to whoever waits for one.
    pub fn put_snapshot(&self, picture: RedactedPicture) {
        let mut inner = self.shared.lock();
        inner.asked = None;
        inner.picture = Some((Instant::now(), picture));
        drop(inner);
        self.shared.pictures.send_replace(());
    }

    /// What viewers are told from now on.
    pub fn set_note(&self, state: State) {
        let mut inner = self.shared.lock();
        if inner.state != state {
            inner.state = state;
            drop(inner);
            self.shared.news.send_replace(());
        }
    }

    async fn until(&self, wished: bool) {
        let mut wanted = self.shared.wanted.subscribe();
        // The sender lives in what we hold.
        let _ = wanted.wait_for(|wanted| *wanted == wished).await;
    }
}

impl Drop for FeedWriter {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.news.send_replace(());
        self.shared.pictures.send_replace(());
    }
}

/// One who watches: a place in the stream.
pub struct Viewer {
    shared: Arc<Shared>,
    news: watch::Receiver<()>,
    place: Place,
    told: Option<State>,
    sets: Option<ParameterSets>,
    /// What comes after what was told of it.
    held: Option<(Option<ParameterSets>, RedactedUnit)>,
}

impl Viewer {
    /// The next item; none when the feed is over. Nothing is lost where the future is dropped.
    pub async fn next(&mut self) -> Option<Item> {
        loop {
            self.news.mark_unchanged();
            match self.take() {
                Ok(item) => return Some(item),
                Err(Nothing::Over) => return None,
                Err(Nothing::Yet) => self.news.changed().await.ok()?,
            }
        }
    }

    /// The next item, if it is there.
    pub fn try_next(&mut self) -> Option<Item> {
        self.take().ok()
    }

    fn take(&mut self) -> Result<Item, Nothing> {
        if let Some((sets, unit)) = self.held.take() {
            return Ok(self.tell(sets, unit));
        }
        let inner = self.shared.lock();
        if self.told.as_ref() != Some(&inner.state) {
            self.told = Some(inner.state.clone());
            return Ok(Item::State(inner.state.clone()));
        }
        let Some((skipped, kept)) = inner.ring.next(&mut self.place) else {
            return Err(if inner.ended { Nothing::Over } else { Nothing::Yet });
        };
        let (sets, unit) = (kept.sets.clone(), kept.unit.clone());
        drop(inner);
        if skipped > 0 {
            self.held = Some((sets, unit));
            return Ok(Item::Missed(skipped));
        }
        Ok(self.tell(sets, unit))
    }

    /// The unit, or first its parameter sets if they are new.
    fn tell(&mut self, sets: Option<ParameterSets>, unit: RedactedUnit) -> Item {
        match sets {
            Some(sets) if self.sets.as_ref() != Some(&sets) => {
                self.sets = Some(sets.clone());
                self.held = Some((None, unit));
                Item::Restart(sets)
            }
            _ => Item::Unit(unit),
        }
    }
}

/// Why there is no item.
enum Nothing {
    Yet,
    Over,
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let mut inner = self.shared.lock();
        inner.viewers -= 1;
        if inner.viewers == 0 {
            // Whoever comes later must not start in the past.
            inner.ring.clear();
            self.shared.wanted.send_replace(false);
        }
    }
}
