//! A camera's clock mapped to ours. Pure: no clock is read here.

use placet_core::Pts;

/// Ticks of [`TimeBase::LIVE`](placet_core::TimeBase::LIVE) in a second.
const SECOND: i64 = 90_000;

/// How far a camera's clock may stand from arrival before it is no longer believed, ticks.
const JUMP: i64 = SECOND;

/// A picture that arrives so much before its time shows at once that the times before it were late, ticks. More than a
/// network's jitter, which is evened out.
const EARLY: i64 = SECOND / 10;

/// How long it takes for about two thirds of a deviation to be taken back, ticks. Slow beside the jitter of a network,
/// fast beside a crystal: 100 parts in a million leave a millisecond.
const FOLLOW: i64 = 10 * SECOND;

/// Whether pictures come in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// They do.
    Shown,
    /// They come as they are decoded: a picture may be shown before one that came earlier (B pictures).
    Decoded,
}

/// Maps the 32-bit times of one RTP stream to the gateway's clock.
///
/// What comes out keeps the camera's own distances as far as they are credible, stays within a second of arrival, and
/// grows from picture to picture where pictures come in the order in which they are shown.
#[derive(Clone, Debug, Default)]
pub struct Times {
    anchor: Option<Anchor>,
    last: Option<i64>,
}

#[derive(Clone, Debug)]
struct Anchor {
    /// The camera's last time, freed of its wrap at 2^32.
    stamp: i64,
    /// What added to a camera's time is ours.
    offset: i64,
    /// What is left of corrections smaller than a tick, in units of 1/`FOLLOW`.
    carry: i64,
}

impl Times {
    /// A camera that has just connected, or will again: its clock may be another, ours goes on.
    pub fn reconnect(&mut self) {
        self.anchor = None;
    }

    /// When a picture is to be shown that the camera dated `stamp` (90 kHz, RFC 3550 section 5.1) and that arrived at
    /// `arrival`.
    pub fn map(&mut self, stamp: u32, arrival: Pts, order: Order) -> Pts {
        let Some(anchor) = &mut self.anchor else {
            return self.anchor_at(i64::from(stamp), arrival);
        };
        // Two's complement: the shortest way round.
        let delta = i64::from(stamp.wrapping_sub(anchor.stamp as u32).cast_signed());
        let stamp = anchor.stamp + delta;
        let deviation = arrival.0 - (stamp + anchor.offset);
        let is_backwards = order == Order::Shown && delta < 0;
        if is_backwards || deviation.abs() > JUMP {
            return self.anchor_at(stamp, arrival);
        }
        anchor.stamp = stamp;
        if order == Order::Shown && deviation < -EARLY {
            // No picture is seen after it arrived: what was dated before had waited on the way here.
            anchor.offset += deviation;
        }
        anchor.carry += deviation * delta.clamp(0, SECOND);
        anchor.offset += anchor.carry / FOLLOW;
        anchor.carry %= FOLLOW;
        let mapped = stamp + anchor.offset;
        Pts(match order {
            Order::Shown => self.later(mapped),
            Order::Decoded => self.seen(mapped),
        })
    }

    /// When a picture without a time of its own is to be shown.
    pub fn arrived(&mut self, arrival: Pts) -> Pts {
        self.anchor = None;
        Pts(self.later(arrival.0))
    }

    fn anchor_at(&mut self, stamp: i64, arrival: Pts) -> Pts {
        let out = self.later(arrival.0);
        self.anchor = Some(Anchor { stamp, offset: out - stamp, carry: 0 });
        Pts(out)
    }

    /// `at`, or the first tick after everything that came out before.
    fn later(&mut self, at: i64) -> i64 {
        let at = self.last.map_or(at, |last| at.max(last.saturating_add(1)));
        self.last = Some(at);
        at
    }

    /// `at`, which later pictures of another order or connection must not precede.
    fn seen(&mut self, at: i64) -> i64 {
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        at
    }
}
