//! Sealed originals: what a camera sent, still coded, kept for some hours beside the redacted stream, encrypted to a
//! custody key whose private half is elsewhere.
//!
//! [`Sealers`] writes, on a thread of its own: whatever the disk does, redaction goes on and a [`Notice`] says what was
//! lost. [`Shelf`] keeps what is written within hours, bytes and free space, dropping the oldest. [`find`] and
//! [`open`] are for whoever has the private half. The bytes are in `docs/formats/sealed-original.md`.
//!
//! Nothing here decides whether an original may be opened: `placet disclose` does.
//!
//! ```
//! use std::sync::Arc;
//! use placet_core::{AccessUnit, Codec, Pts};
//! use placet_sealed::{CustodySecret, SegmentReader, SegmentWriter, Start, UtcMs};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let custodian = CustodySecret::from_seed([1; 32]); // real seeds are random
//! let unit = AccessUnit { codec: Codec::H264, data: Arc::from([0, 0, 1, 0x65]), pts: Pts(90_000), key: true };
//! let start = Start {
//!     camera: "hall-north".parse()?, codec: unit.codec, number: 0, utc: UtcMs(1_795_326_000_000), pts: unit.pts,
//! };
//! let (mut writer, mut segment) = SegmentWriter::begin(&custodian.public_key(), &start, [2; 32])?;
//! segment.extend(writer.unit(&unit)?);
//! segment.extend(writer.end()?);
//!
//! let mut reader = SegmentReader::open(segment.as_slice(), &custodian)?;
//! assert_eq!(reader.next_unit()?.ok_or("a unit")?.data(), &*unit.data);
//! assert!(reader.next_unit()?.is_none());
//! # Ok(())
//! # }
//! ```

mod clock;
mod file;
mod line;
mod notice;
mod open;
mod sealer;
mod segment;
mod shelf;

pub use clock::{Clock, Now, SystemClock, UtcMs};
pub use notice::{Full, Notice};
pub use open::{Found, Gap, Listing, OpenError, Piece, Span, Why, find, open};
pub use placet_hpke::KeyError;
pub use sealer::{NameError, Sealer, Sealers};
pub use segment::{
    FIRST_LINE, HEADER, Header, MAX_UNIT, SealError, SegmentError, SegmentReader, SegmentWriter, Start, Unit,
    read_header,
};
pub use shelf::{Limits, Retention, Shelf, ShelfError, Swept};

/// What custody keys are for.
pub enum Custody {}

impl placet_hpke::Purpose for Custody {
    const NAME: &'static str = "custody";
}

/// The public half of a custody key, which the gateway has. Written `placet-custody-v1+` and base64url without padding.
pub type CustodyKey = placet_hpke::PublicKey<Custody>;

/// The private half of a custody key, which is made and stays where originals are opened.
pub type CustodySecret = placet_hpke::SecretKey<Custody>;
