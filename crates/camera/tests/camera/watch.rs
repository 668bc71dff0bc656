//! A camera that is watched, with deadlines.

use std::time::{Duration, Instant};

use placet_camera::{Camera, Config, Event, Place, Stream, Timing, Trouble, open};
use placet_core::{AccessUnit, Pts};

/// How long anything may take before a test gives up.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// What must never be seen.
pub const SECRET: &str = "hunter2";

/// Waits as in the field, but not for long.
pub const QUICK: Timing = Timing {
    start: Duration::from_secs(5),
    picture: Duration::from_millis(700),
    first_retry: Duration::from_millis(20),
    longest_retry: Duration::from_millis(200),
    locked: Duration::from_millis(300),
};

/// Ticks since it was made.
pub fn clock() -> impl Fn() -> Pts + Send + Sync + 'static {
    let start = Instant::now();
    move || Pts((start.elapsed().as_micros() * 9 / 100) as i64)
}

pub fn config(url: &str) -> Config {
    let (place, credentials) = Place::parse(url).unwrap();
    Config { timing: QUICK, ..Config::new(place, credentials) }
}

pub struct Watched {
    camera: Camera,
}

impl Watched {
    pub fn open(config: Config) -> Self {
        Self { camera: open(config, clock()) }
    }

    /// The next event, in which no secret stands.
    pub async fn event(&mut self) -> Event {
        let event = tokio::time::timeout(DEADLINE, self.camera.next()).await.expect("an event").unwrap();
        let told = match &event {
            Event::Trouble(trouble) => format!("{event:?} {trouble} {}", trouble.advice()),
            Event::Unit(_) => String::new(),
            other => format!("{other:?}"),
        };
        assert!(!told.contains(SECRET), "{told}");
        event
    }

    /// The next event that is no unit.
    pub async fn news(&mut self) -> Event {
        loop {
            match self.event().await {
                Event::Unit(_) => {}
                other => return other,
            }
        }
    }

    pub async fn trouble(&mut self) -> Trouble {
        loop {
            if let Event::Trouble(trouble) = self.news().await {
                return trouble;
            }
        }
    }

    pub async fn connected(&mut self) -> Stream {
        loop {
            if let Event::Connected(stream) = self.news().await {
                return stream;
            }
        }
    }

    pub async fn changed(&mut self) -> Stream {
        loop {
            match self.news().await {
                Event::Changed(stream) => return stream,
                Event::Skipped(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// `count` units; whatever else happens is an error.
    pub async fn units(&mut self, count: usize) -> Vec<AccessUnit> {
        let mut units = Vec::new();
        while units.len() < count {
            match self.event().await {
                Event::Unit(unit) => units.push(unit),
                other => panic!("after {} units: {other:?}", units.len()),
            }
        }
        units
    }

    pub async fn close(self) {
        tokio::time::timeout(DEADLINE, self.camera.close()).await.expect("closed");
    }
}

/// Polls until it is so.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// That presentation times grow, and as bytes one after the other.
pub fn joined(units: &[AccessUnit]) -> Vec<u8> {
    for pair in units.windows(2) {
        assert!(pair[0].pts < pair[1].pts, "{:?} before {:?}", pair[0].pts, pair[1].pts);
    }
    units.iter().flat_map(|unit| unit.data.iter().copied()).collect()
}
