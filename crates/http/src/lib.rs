//! HTTP as the log's parts speak it: a client and a server side with a bound on everything that a stranger can stretch.
//!
//! What is asked and what is answered is somebody else's affair: witnesses, published logs and monitors bring their own
//! paths. TLS is the client's alone; a server stands behind whatever terminates it.
//!
//! ```no_run
//! use placet_http::client::{Bounds, Client, Prefix};
//!
//! # async fn fetch() -> Result<(), Box<dyn std::error::Error>> {
//! let log: Prefix = "https://log.example/2026".parse()?;
//! let reply = Client::new()?.get(&log.join("checkpoint"), None, Bounds::default()).await?;
//! println!("{} bytes", reply.body.len());
//! # Ok(())
//! # }
//! ```

pub mod client;
pub mod server;
