//! WS-Discovery (April 2005) as the ONVIF Core Specification uses it (7): multicast on the local network, IPv4.

mod message;
mod respond;
mod search;

pub(crate) use message::scopes;
pub use message::{Announced, Announcement, Asked};
pub use respond::Responder;
pub use search::{Address, Found, discover};

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

/// Where probes go.
pub const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 255, 255, 250), 3702);

/// The longest datagram that is read, in bytes; what is longer is cut off and so is no message.
const MAX_DATAGRAM: usize = 32 << 10;

/// Why nothing can be searched or answered.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// No socket can be had.
    #[error(
        "cannot open a socket for WS-Discovery on {interface}: give the address of the interface that the cameras are on"
    )]
    Open {
        /// The address of the interface, or 0.0.0.0 where the system chose it.
        interface: Ipv4Addr,
        /// Why.
        source: io::Error,
    },
    /// Nothing can be sent.
    #[error("cannot send to {GROUP} by {interface}: give the address of an interface that is up")]
    Send {
        /// The address of the interface, or 0.0.0.0 where the system chose it.
        interface: Ipv4Addr,
        /// Why.
        source: io::Error,
    },
    /// The system gives no random bytes for a message's id.
    #[error("the system gives no random bytes")]
    Random,
}

/// A socket on `port` that sends to the group by `interface` and no further than the next router.
fn socket(interface: Ipv4Addr, port: u16, join: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_multicast_ttl_v4(1)?;
    if !interface.is_unspecified() {
        socket.set_multicast_if_v4(&interface)?;
    }
    if join {
        // Others on this machine listen too.
        socket.set_reuse_address(true)?;
        socket.join_multicast_v4(GROUP.ip(), &interface)?;
    }
    socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port).into())?;
    UdpSocket::from_std(socket.into())
}

/// A message's id.
fn message_id() -> Result<String, DiscoveryError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| DiscoveryError::Random)?;
    Ok(format!("urn:uuid:{}", crate::soap::uuid(bytes)))
}
