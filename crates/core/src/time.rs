use std::fmt;

/// Presentation time of a frame, in ticks of its stream's [`TimeBase`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pts(pub i64);

/// Seconds per tick, as a fraction: 1/90000 for a 90 kHz stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeBase {
    num: u32,
    den: u32,
}

impl TimeBase {
    /// `num/den` seconds per tick; none where either is zero.
    pub fn new(num: u32, den: u32) -> Option<Self> {
        (num > 0 && den > 0).then_some(Self { num, den })
    }

    /// Numerator.
    pub fn num(self) -> u32 {
        self.num
    }

    /// Denominator.
    pub fn den(self) -> u32 {
        self.den
    }

    /// Seconds from zero to `pts`.
    pub fn seconds(self, pts: Pts) -> f64 {
        pts.0 as f64 * f64::from(self.num) / f64::from(self.den)
    }
}

impl fmt::Display for TimeBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}
