//! A published log (`docs/formats/published-log.md`) copied to where the public reads it: a folder that a web server
//! hosts, or an S3-compatible object store.
//!
//! One round copies what is new since the checkpoint that stands at the target. That checkpoint has to be an older one of
//! the same log; a newer one, and one of another history, are refused. Every file is checked against the checkpoint that is
//! about to be published before it is written: hashes against the root, entries against hashes, slots against ticks. Side
//! files and tiles come first, the checkpoint last, so that at each moment the target is a log that verifies. A round that
//! is cut short is made good by the next.
//!
//! Partial files of the checkpoint that was there before stay for one more round: somebody may be reading it. So that no
//! round needs a listing, the target has a file of our own, `exported`: the sizes whose partial files may be there.
//!
//! No clock of its own and no thread that stays: whoever calls [`export`] decides when.
//!
//! ```
//! use placet_export::{FolderTarget, export};
//! use placet_publish::Folder;
//! use placet_tlog::checkpoint::Checkpoint;
//! use placet_tlog::merkle::Hash;
//! use placet_tlog::note::SignerKey;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let (log, public) = (folder.path().join("log"), folder.path().join("public"));
//! // A log that has no entries yet. (A real seed is 32 random bytes.)
//! let key = SignerKey::generate("log.example/2027", [1; 32])?;
//! let checkpoint = Checkpoint { origin: key.name().clone(), size: 0, root: Hash::of_nothing() };
//! std::fs::create_dir(&log)?;
//! std::fs::write(log.join("checkpoint"), checkpoint.sign(&key)?)?;
//!
//! let done = export(&Folder::open(&log)?, &mut FolderTarget::open(&public)?, &[key.verifier_key()])?;
//! assert_eq!((done.before, done.size, done.files), (None, 0, 1));
//! assert_eq!(std::fs::read(public.join("checkpoint"))?, std::fs::read(log.join("checkpoint"))?);
//! # Ok(())
//! # }
//! ```

mod bucket;
mod check;
mod error;
mod extent;
mod folder;
mod round;
mod target;

pub use bucket::{BucketPlace, BucketTarget, Credentials, Limits};
pub use error::{ExportError, TargetError};
pub use folder::FolderTarget;
pub use round::{Exported, export};
pub use target::{File, Found, Target};
