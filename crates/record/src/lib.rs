//! What Placet states about its work: the signed redaction manifest, the report of a run, the picture of both, and the
//! entries of the transparency log.
//!
//! Pure: no files, no clock, no randomness. The manifest is a C2SP signed note around canonical JSON (RFC 8785);
//! `docs/formats/redaction-manifest.md` tells a stranger how to verify one by hand,
//! `docs/formats/log-entries.md` how to read an entry.
//!
//! ```
//! use placet_record::manifest::Manifest;
//! use placet_tlog::note::VerifierKey;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let file = include_bytes!("../../../vectors/manifest/accept-video.note");
//! # let published_key = include_str!("../../../vectors/manifest/placet.vkey").trim_end();
//! let trusted: VerifierKey = published_key.parse()?;
//! let manifest = Manifest::open(file, &[trusted])?;
//! println!("{} of {} frames were checked", manifest.check.map_or(0, |c| c.frames_checked), manifest.media.frames);
//! # Ok(())
//! # }
//! ```

pub mod entry;
pub mod explain;
pub mod manifest;
pub mod report;
mod spelt;
pub mod unsealing;
