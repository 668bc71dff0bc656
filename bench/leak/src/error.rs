//! The one error of this crate.

use std::path::PathBuf;

/// Why a clip could not be made or an output could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be opened, read or written.
    #[error("cannot read or write `{path}`")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A picture could not be decoded.
    #[error("cannot decode picture `{path}`; run `bench/fetch`")]
    Picture {
        /// Which file.
        path: PathBuf,
        /// What the decoder said.
        source: image::ImageError,
    },
    /// A table of boxes does not parse.
    #[error("cannot read `{path}`")]
    Toml {
        /// Which file.
        path: PathBuf,
        /// What the parser said.
        source: toml::de::Error,
    },
    /// A line of a truth file or a score does not parse.
    #[error("cannot read line {line} of `{path}`")]
    Json {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// ffmpeg or ffprobe could not be started.
    #[error("cannot run `{program}`; install ffmpeg")]
    Spawn {
        /// Which program.
        program: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// ffmpeg or ffprobe failed.
    #[error("`{program}` failed on `{path}`: {message}")]
    Child {
        /// Which program.
        program: &'static str,
        /// The file it worked on.
        path: PathBuf,
        /// The last line of its own words.
        message: String,
    },
    /// The output is not the input's length, size or timing, so frames cannot be compared one to one.
    #[error("output `{path}` does not match its clip: {what}")]
    Mismatch {
        /// The output.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// A truth file contradicts itself.
    #[error("truth `{path}` is not usable: {what}")]
    Truth {
        /// The truth file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Too few faces could be placed for a rate with meaning.
    #[error("only {got} face tracks of {class} px were placed, at least {want} are needed")]
    TooFew {
        /// Face height in pixels.
        class: u32,
        /// Placed.
        got: usize,
        /// Needed.
        want: usize,
    },
}

impl Error {
    /// For `map_err` on file operations.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
