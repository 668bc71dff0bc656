//! A transparency log on disk, written by one writer and never rolled back.
//!
//! Truth is a row of segments, each a file of frames; a frame is one batch: entries, side files, the signed checkpoint they
//! make, a checksum. One sync makes a batch durable. Tiles and bundles after
//! [C2SP tlog-tiles](https://c2sp.org/tlog-tiles) are slices of files that follow from the frames and can be made again.
//!
//! Opening a log finds its end by four rules. A frame that was begun and never finished, with nothing behind it, is cut: nobody
//! was told of it. Anything else that cannot be read is damage: nothing is changed, and the log stays shut. A log that ends below
//! its high-water mark stays shut. A sync that fails ends the writing, since nobody knows what is on the disk.
//!
//! What entries say is not this crate's affair; nor are witnesses, who are asked before the first signature after a start.
//!
//! ```
//! use std::sync::Arc;
//!
//! use placet_store::{Batch, Disks, Folder, Log, SPAN};
//! use placet_tlog::note::SignerKey;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let disks = Disks::one(Arc::new(Folder::open(folder.path())?));
//! let key = || SignerKey::generate("log.example/2026", [1; 32]); // a real seed is 32 random bytes
//! let mut log = Log::create(disks.clone(), key()?, SPAN)?;
//! let receipt = log.append(&Batch::of(b"first".to_vec()))?;
//! assert_eq!(receipt.first, 0);
//! drop(log);
//!
//! let (log, found) = Log::open(disks, key()?)?;
//! assert_eq!(found.size, 1);
//! assert_eq!(log.reader().entry(0)?.as_deref(), Some(&b"first"[..]));
//! # Ok(())
//! # }
//! ```

mod commit;
mod derived;
mod disk;
mod error;
mod frame;
pub mod fsck;
mod log;
mod mark;
mod reader;
mod segment;

pub use commit::Writer;
pub use disk::{Disk, DiskFile, Folder};
pub use error::{Damage, StoreError};
pub use frame::{Batch, MAX_FRAME};
pub use log::{Disks, Log, MIN_SPAN, Receipt, Recovered, SPAN, Signer};
pub use mark::{Mark, MarkFile};
pub use reader::Reader;
pub use segment::CHANNELS;
