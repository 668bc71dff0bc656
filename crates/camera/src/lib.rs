//! Cameras in, coded pictures out: RTSP (RFC 2326) with H.264 (RFC 6184), H.265 (RFC 7798) and JPEG (RFC 2435), and
//! MJPEG over HTTP.
//!
//! A [`Camera`] reads for ever. It connects again when it must, with one connection at a time, notices a camera that is
//! silent, dates each picture on the gateway's clock, and says in words what is wrong and what to do. Nothing is decoded
//! here; of a picture's insides, only headers are read. Files and cameras at this machine's own ports are read
//! elsewhere, and come in as a [`Source`].
//!
//! # What a camera can stretch
//!
//! A camera is a stranger. Each of these ends the connection with a [`Trouble`], and none costs more than it says:
//!
//! | what | bound |
//! | --- | --- |
//! | head of an RTSP message, header lines, body | 16 KiB, 64, 64 KiB |
//! | bytes from connecting to the first picture, and between two pictures | 16 MiB |
//! | one picture: H.264 and H.265, JPEG | 8 MiB, 16 MiB |
//! | NAL units of a picture, its parameter sets, each | 4096, 64, 4 KiB |
//! | width and height | 8192 |
//! | pictures a second, over a burst of 480 | 240 |
//! | a part's header, what lies between parts | 8 KiB |
//! | from connecting to the first picture, from picture to picture | 10 s, 3 s |
//! | what waits for whoever listens | 256 events, 32 MiB of pictures |
//!
//! `retina`, which reads RTSP, bounds neither messages nor pictures, opens connections of its own to where a camera's
//! answers point, and can be driven over the ends of its arithmetic (a panic, which ends that one connection); so it
//! never meets a camera. A guard of ours has the connection: it counts, authenticates, and hands on over the loopback
//! only what passed.
//!
//! # What is not done
//!
//! - RTSP over TLS is not spoken, and a camera that offers Basic alone gets the password as good as in clear. Cameras
//!   belong in a network of their own.
//! - Of several picture parameter sets in use at once `retina` keeps the last; no camera we know uses several.
//! - A stream without instantaneous or random access points (only intra refresh) never starts.
//! - Over UDP, packets that come late count as lost.
//! - Over RTSP a camera has let go before it is connected to again. Over HTTP the connection is closed before, but the
//!   closing is not waited for.
//!
//! ```no_run
//! use placet_camera::{Config, Event, Place, open};
//! use placet_core::Pts;
//!
//! # async fn read(now: fn() -> Pts) -> Result<(), placet_camera::PlaceError> {
//! let (place, credentials) = Place::parse("rtsp://admin:secret@10.0.0.7/stream1")?;
//! let mut camera = open(Config::new(place, credentials), now);
//! while let Some(event) = camera.next().await {
//!     match event {
//!         Event::Unit(unit) => println!("{} bytes at {:?}", unit.data.len(), unit.pts),
//!         Event::Trouble(trouble) => eprintln!("{trouble}: {}", trouble.advice()),
//!         other => println!("{other:?}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod answer;
mod bits;
mod camera;
pub mod message;
mod mjpeg;
pub mod multipart;
mod place;
mod rtsp;
mod sps;
pub mod times;
mod trouble;
pub mod units;

pub use camera::{
    Camera, Clock, Config, Event, Outlet, Picture, Skipped, Source, Stream, Timing, Transport, Why, open,
};
pub use place::{Credentials, CredentialsError, Kind, Place, PlaceError};
pub use trouble::{Trouble, Words};
