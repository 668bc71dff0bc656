//! Follows a published log by its URL, as somebody who does not run it and does not believe it.
//!
//! - [`HttpSource`] reads a log over HTTP, and [`FolderSource`] in a folder, with bounds;
//! - [`Monitor`] takes one look after another, remembers what it saw, and tells what is wrong, missing or on as [`Alarm`]s;
//! - [`mirror()`] copies a log into a folder, nothing unverified, nothing taken back;
//! - [`Webhook`] and [`atom`] pass alarms on.
//!
//! Everything here waits, so it belongs on threads where waiting is allowed.

mod alarm;
pub mod atom;
mod evidence;
mod files;
mod folder;
mod http;
mod mirror;

mod monitor;
mod state;
mod webhook;

pub use alarm::{Alarm, AlarmKind};
pub use folder::FolderSource;
pub use http::HttpSource;

pub use mirror::{MirrorError, Mirrored, mirror};
pub use monitor::{Monitor, MonitorError, Settings};
pub use webhook::{Webhook, WebhookError};
