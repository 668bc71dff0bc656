//! The command line from end to end: the program as it is built, on media made on the spot from one real face moved
//! over synthetic scenes. Needs ffmpeg and the models (`./x setup`).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod attack;
mod bad_input;
mod clean;
mod damage;
mod disclose;
mod evidence;
mod folders;
mod log;
mod options;
mod pictures;
mod pipes;
mod scene;
mod serve;
mod video;
mod world;
