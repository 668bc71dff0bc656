use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What clients may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; more are closed at once.
    pub connections: usize,
    /// Connections at a time from one address (of IPv6: from one /64).
    pub per_address: usize,
    /// Requests and packets a second of one connection, on average.
    pub requests_per_second: u32,
    /// How many of these may come at once.
    pub burst: u32,
    /// For a request, from its first byte to its last, and from a connection's start to its first request.
    pub request: Duration,
    /// Without a sign of life of the client a session ends (RFC 2326, 12.37), and a connection without one.
    pub session: Duration,
    /// How long a client may take nothing of what is sent to it.
    pub write: Duration,
    /// How long a camera's first picture is waited for.
    pub first: Duration,
    /// Wrong credentials on one connection.
    pub wrong: u32,
    /// How long the answer to wrong credentials takes, one after the other over all connections. Whoever knows a password
    /// never waits.
    pub guess: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            per_address: 64,
            requests_per_second: 20,
            burst: 60,
            request: Duration::from_secs(10),
            session: Duration::from_secs(60),
            write: Duration::from_secs(10),
            first: Duration::from_secs(6),
            wrong: 3,
            guess: Duration::from_millis(350),
        }
    }
}

/// Connections by where they come from.
#[derive(Clone, Default)]
pub struct Places {
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection's place; given back when it is dropped.
pub struct Held {
    places: Places,
    address: IpAddr,
}

impl Places {
    /// A place for one more connection from there, if there is one.
    pub fn take(&self, address: IpAddr, limits: &Limits) -> Option<Held> {
        let address = network(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= limits.connections {
            return None;
        }
        let here = taken.entry(address).or_insert(0);
        if *here >= limits.per_address {
            return None;
        }
        *here += 1;
        Some(Held { places: self.clone(), address })
    }

    #[cfg(test)]
    fn count(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = taken.get_mut(&self.address) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

/// Who is one client: an address, of IPv6 what a subscriber is given.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

/// How many requests are left at the moment.
#[derive(Debug)]
pub struct Budget {
    left: f64,
    at: Instant,
}

impl Budget {
    pub fn new(limits: &Limits, now: Instant) -> Self {
        Self { left: f64::from(limits.burst), at: now }
    }

    /// Takes one, if there is one.
    pub fn take(&mut self, limits: &Limits, now: Instant) -> bool {
        let earned =
            now.saturating_duration_since(self.at).as_secs_f64() * f64::from(limits.requests_per_second);
        self.left = (self.left + earned).min(f64::from(limits.burst));
        self.at = now;
        let enough = self.left >= 1.0;
        if enough {
            self.left -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_in_all_and_for_each_and_come_back() {
        let limits = Limits { connections: 3, per_address: 2, ..Limits::default() };
        let places = Places::default();
        let (one, other): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        let third: IpAddr = "192.0.2.1".parse().unwrap();
        let held = (places.take(one, &limits).unwrap(), places.take(other, &limits).unwrap());
        assert!(places.take(one, &limits).is_none(), "one network");
        let last = places.take(third, &limits).unwrap();
        assert!(places.take("192.0.2.2".parse().unwrap(), &limits).is_none(), "in all");
        drop(held);
        assert_eq!(places.count(), 1);
        assert!(places.take("::ffff:192.0.2.1".parse().unwrap(), &limits).is_some());
        drop(last);
        assert_eq!(places.count(), 0);
    }

    #[test]
    fn a_burst_is_followed_by_patience() {
        let limits = Limits { requests_per_second: 2, burst: 3, ..Limits::default() };
        let start = Instant::now();
        let mut budget = Budget::new(&limits, start);
        let taken = |budget: &mut Budget, at| (0..10).filter(|_| budget.take(&limits, start + at)).count();
        assert_eq!(taken(&mut budget, Duration::ZERO), 3);
        assert_eq!(taken(&mut budget, Duration::from_secs(1)), 2);
        assert_eq!(taken(&mut budget, Duration::from_secs(60)), 3);
    }
}
