use std::time::{Duration, SystemTime, UNIX_EPOCH};

use placet_core::Pts;
use rustix::time::{ClockId, clock_gettime};

/// The gateway's own clock: ticks of [`placet_core::TimeBase::LIVE`] since it was made, on a clock that nobody sets and
/// that runs on while the machine sleeps (`CLOCK_BOOTTIME`). Copies tell the same time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Duration,
}

impl Clock {
    /// A clock that starts now, at a second so that no early picture has a time before zero.
    pub fn start() -> Self {
        Self { start: boot_time().saturating_sub(Duration::from_secs(1)) }
    }

    /// Now.
    pub fn now(&self) -> Pts {
        let since = boot_time().saturating_sub(self.start);
        Pts(i64::try_from(since.as_nanos() * 9 / 100_000).unwrap_or(i64::MAX))
    }

    /// Civil time of `pts`, by the difference between both clocks now: a civil clock that is set moves all times with it.
    pub fn civil(&self, pts: Pts) -> SystemTime {
        let ago = self.now().0.saturating_sub(pts.0);
        let nanos = |ticks: i64| Duration::from_nanos(ticks.unsigned_abs().saturating_mul(100_000) / 9);
        let now = SystemTime::now();
        let then = if ago < 0 { now.checked_add(nanos(ago)) } else { now.checked_sub(nanos(ago)) };
        then.unwrap_or(UNIX_EPOCH)
    }
}

fn boot_time() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_ninety_to_a_millisecond() {
        let clock = Clock::start();
        let (first, civil) = (clock.now(), SystemTime::now());
        assert!(first.0 >= 90_000, "{first:?}");
        let ago = civil.duration_since(clock.civil(Pts(first.0 - 45_000))).unwrap();
        assert!(ago.abs_diff(Duration::from_millis(500)) < Duration::from_millis(100), "{ago:?}");
        assert!(clock.now() >= first);
    }
}
