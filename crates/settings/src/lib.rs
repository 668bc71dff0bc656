//! The gateway's one configuration file.
//!
//! [`Config::load`] reads it once into types that cannot be wrong. What is wrong with a camera disables that camera, with
//! its reason; what is wrong elsewhere is told all together. Unknown keys are errors, every default is the safe one, and
//! what must not be done cannot be written: no key shows a face, and none opens a search.
//!
//! Every key stands once, in [`KEYS`]: what it means, what it may be, and what holds without it. The reference page and
//! `placet config check` are made from that list.

mod config;
mod keys;
mod problem;
mod read;
mod secret;

pub use config::pair as credentials_pair;
pub use config::{
    CameraConfig, Config, Disabled, Disclosure, Hiding, LogConfig, OnvifConfig, Origin, Outlet, SealedConfig,
    Setting, Source,
};
pub use keys::{Form, KEYS, Key, TABLES, reference};
pub use problem::Problem;
pub use secret::{Secret, Users};
