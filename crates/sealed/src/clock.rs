use std::time::{Duration, SystemTime, UNIX_EPOCH};

use placet_core::Pts;
use rustix::time::{ClockId, clock_gettime};

/// A millisecond of civil time in UTC, counted from 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcMs(pub u64);

impl UtcMs {
    /// The millisecond in which `time` lies; the first one of 1970 for earlier times.
    pub fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// The first millisecond of a second.
    pub fn of_second(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// That much later.
    pub fn plus(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; nothing if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// One instant on the two clocks that matter: people and restarts know the civil one, nobody can set the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Civil time, which may be set back and forward.
    pub utc: UtcMs,
    /// Time since the machine started, sleep included.
    pub up: Duration,
}

/// What a sealer asks for the time.
pub trait Clock: Send {
    /// Now.
    fn now(&self) -> Now;
    /// Civil time of an instant of [`placet_core::TimeBase::LIVE`]. Asked once for each segment.
    fn utc(&self, pts: Pts) -> UtcMs;
}

/// The system's clocks, with a function from the gateway's own clock to civil time.
pub struct SystemClock<F>(pub F);

impl<F: Fn(Pts) -> SystemTime + Send> Clock for SystemClock<F> {
    fn now(&self) -> Now {
        let up = clock_gettime(ClockId::Boottime);
        let up = Duration::new(up.tv_sec.unsigned_abs(), u32::try_from(up.tv_nsec).unwrap_or(0));
        Now { utc: UtcMs::of(SystemTime::now()), up }
    }

    fn utc(&self, pts: Pts) -> UtcMs {
        UtcMs::of((self.0)(pts))
    }
}
