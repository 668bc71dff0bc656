//! An RTSP 1.0 server of redacted feeds: what recorders and players read instead of the camera.
//!
//! After RFC 2326, with H.264 in RTP (RFC 6184) inside the connection or by UDP to whoever asked, reports that map the
//! packets' clock to the time of day (RFC 3550), and Digest authentication (RFC 7616). A sink of `placet-feed`: it has
//! nothing raw to send.
//!
//! The conversation is a pure state machine, [`Conversation`]: requests in, [`Step`]s out. A session lives and dies with
//! its connection, so that no other connection can take it over.
//!
//! Left out: TLS (`rtsps`), HTTP tunnels, multicast, recording, seeking, audio, RTSP 2.0. A gateway that is reached over
//! foreign networks stands behind a VPN or a proxy that brings TLS.

mod conversation;
mod digest;
mod limits;
pub mod message;
mod rtp;
mod sdp;
mod server;
mod target;
mod transport;

pub use conversation::{Asked, Conversation, Session, Step};
pub use digest::{UserError, Users};
pub use limits::Limits;
pub use server::{Clock, Settings, serve};
pub use target::Target;
pub use transport::Carriage;

/// Who may watch.
#[derive(Debug)]
pub enum Admission {
    /// Whoever reaches the port.
    Anybody,
    /// Those who know a user's password.
    Users(Users),
}
