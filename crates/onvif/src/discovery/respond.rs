//! Our own device, found by others.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket as StdSocket};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::message::{Announcement, Asked};
use super::{DiscoveryError, GROUP, MAX_DATAGRAM, message_id, socket};
use crate::device::{DEVICE_PATH, Reach};

/// How long a source waits for its next answer.
const PAUSE: Duration = Duration::from_secs(1);
/// The most sources that are answered within [`PAUSE`].
const MAX_SOURCES: usize = 256;

/// Answers probes and says when we come and go.
///
/// An answer is three to four times as long as a probe, and a probe's sender can be forged: each source is answered once a
/// second at most, and 256 sources in all.
#[derive(Debug)]
pub struct Responder {
    socket: UdpSocket,
    announcement: Announcement,
    interface: Ipv4Addr,
    reach: Reach,
    number: u32,
}

impl Responder {
    /// Listens on `interface`, or on the one the system chooses.
    ///
    /// # Errors
    /// If it cannot.
    pub fn bind(
        announcement: Announcement,
        reach: Reach,
        interface: Option<Ipv4Addr>,
    ) -> Result<Self, DiscoveryError> {
        let interface = interface.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let socket = socket(interface, GROUP.port(), true)
            .map_err(|source| DiscoveryError::Open { interface, source })?;
        Ok(Self { socket, announcement, interface, reach, number: 0 })
    }

    /// Says hello, answers until `stop` is over, and says bye.
    ///
    /// # Errors
    /// If nothing can be sent at the beginning.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), DiscoveryError> {
        let interface = self.interface;
        let failed = |source| DiscoveryError::Send { interface, source };
        let address = self.address(GROUP.into()).map_err(failed)?;
        let number = self.next();
        let hello = self.announcement.hello(&address, &message_id()?, number);
        self.socket.send_to(hello.as_bytes(), GROUP).await.map_err(failed)?;
        let answering = async {
            let mut pauses = Pauses::default();
            let mut buffer = vec![0; MAX_DATAGRAM];
            loop {
                // An error here tells of an answer that reached nobody.
                let Ok((length, from)) = self.socket.recv_from(&mut buffer).await else { continue };
                let datagram = buffer.get(..length).unwrap_or_default();
                let number = self.number.wrapping_add(1);
                if let Some(answer) = self.answer(datagram, from, number, &mut pauses) {
                    self.number = number;
                    // Whoever does not get it asks again.
                    let _ = self.socket.send_to(answer.as_bytes(), from).await;
                }
            }
        };
        tokio::select! {
            () = answering => {}
            () = stop => {}
        }
        let number = self.next();
        let bye = self.announcement.bye(&message_id()?, number);
        // Who did not hear it sees that nobody is there.
        let _ = self.socket.send_to(bye.as_bytes(), GROUP).await;
        Ok(())
    }

    fn next(&mut self) -> u32 {
        self.number = self.number.wrapping_add(1);
        self.number
    }

    fn answer(&self, datagram: &[u8], from: SocketAddr, number: u32, pauses: &mut Pauses) -> Option<String> {
        let asked = Asked::read(datagram).ok()?;
        let address = self.address(from).ok()?;
        let answer = self.announcement.answer(&asked, &address, &message_id().ok()?, number)?;
        let resolves = matches!(asked, Asked::Resolve { .. });
        pauses.let_through((from.ip(), resolves), Instant::now()).then_some(answer)
    }

    /// Where whoever asks from `peer` reaches us.
    fn address(&self, peer: SocketAddr) -> io::Result<String> {
        let local = if self.interface.is_unspecified() { towards(peer)? } else { self.interface.into() };
        Ok(format!("{}{DEVICE_PATH}", self.reach.base(local)))
    }
}

/// The local address by which the system would send to `peer`. Nothing is sent.
fn towards(peer: SocketAddr) -> io::Result<IpAddr> {
    let socket = StdSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(peer)?;
    Ok(socket.local_addr()?.ip())
}

/// Who was answered when, and to what kind of question.
#[derive(Debug, Default)]
struct Pauses(HashMap<(IpAddr, bool), Instant>);

impl Pauses {
    fn let_through(&mut self, source: (IpAddr, bool), now: Instant) -> bool {
        let over = |then: &Instant| now.saturating_duration_since(*then) >= PAUSE;
        if self.0.get(&source).is_some_and(|then| !over(then)) {
            return false;
        }
        if self.0.len() >= MAX_SOURCES {
            self.0.retain(|_, then| !over(then));
        }
        if self.0.len() >= MAX_SOURCES {
            return false;
        }
        self.0.insert(source, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_a_flood_of_forged_sources_gets_one_answer_each_and_256_a_second() {
        let start = Instant::now();
        let mut pauses = Pauses::default();
        let (mut tried, mut answered) = (0, 0);
        for millisecond in 0..3_000_u64 {
            for source in 0..10_u64 {
                let address =
                    IpAddr::from((0x0a00_0000 + (millisecond * 10 + source) as u32 % 5_000).to_be_bytes());
                tried += 1;
                let at = start + Duration::from_millis(millisecond);
                answered += usize::from(pauses.let_through((address, false), at));
            }
        }
        println!("{tried} probes of 5000 sources in 3 s: {answered} answers");
        assert!(answered <= 3 * MAX_SOURCES && answered > 0);
        let mut one = Pauses::default();
        let same = (IpAddr::from([192, 0, 2, 1]), false);
        let through = (0..3_000).filter(|ms| one.let_through(same, start + Duration::from_millis(*ms)));
        assert_eq!(through.count(), 3);
    }
}
