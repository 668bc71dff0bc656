//! Redacted feeds in a browser: a wall of cameras, one camera, JPEG pictures, and live video as fragmented MP4 over
//! WebSocket. A sink of `placet-feed`: it has nothing raw to send.
//!
//! The pages are complete without script: links, states in words, JPEG pictures. The script makes them live, by WebCodecs
//! where the browser has it, else by Media Source Extensions, else by asking for pictures again and again. [`fmp4`] is
//! pure.
//!
//! Left out: TLS, accounts, recordings. [`router`] is to be served by `placet-http`, on loopback or behind a proxy.

mod access;
pub mod fmp4;
mod live;
mod pages;
mod routes;

pub use access::{Access, TokenError};
pub use routes::router;
