//! ONVIF from both sides, after the Core Specification, WS-Discovery (April 2005) and Profile S.
//!
//! As a client ([`discovery::discover`], [`client::lookup`]) it finds cameras in the local network and asks one for its
//! streams' addresses. As a device ([`device::Device`], [`discovery::Responder`]) it is what an existing recorder adds: a
//! video transmitter with one profile for each redacted camera. Nothing can be configured through it; events, pan and
//! tilt, recordings, Media2 and IPv6 multicast are not offered.
//!
//! Streams themselves are somebody else's: this crate only says where they are. What parses foreign bytes takes no clock
//! and no randomness: [`client::answer`], [`discovery::Announced::read`] and [`device::Device::answer`].
//!
//! ```no_run
//! use std::time::Duration;
//! use placet_onvif::{Credentials, client, discovery};
//!
//! # async fn find() -> Result<(), Box<dyn std::error::Error>> {
//! for camera in discovery::discover(Duration::from_secs(3), None).await? {
//!     println!("{} at {}", camera.name.as_deref().unwrap_or("a camera"), camera.from);
//! }
//! let credentials = Credentials::new("admin", "a password".to_owned())?;
//! let address = "http://192.0.2.7/onvif/device_service";
//! for profile in client::lookup(address, Some(&credentials), Duration::from_secs(10)).await?.profiles {
//!     println!("{}: {:?}", profile.name, profile.stream);
//! }
//! # Ok(())
//! # }
//! ```

pub mod client;
pub mod device;
pub mod discovery;
mod soap;
mod xml;

pub use soap::{Credentials, CredentialsError, SoapError};
pub use xml::XmlError;
