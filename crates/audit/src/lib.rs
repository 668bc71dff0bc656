//! What a published log proves: the state of one camera at one instant, and whether the whole log keeps its rules.
//!
//! A [`Source`] has the files (`docs/formats/published-log.md`); a policy, given out of band, says whose signatures count. From
//! there:
//!
//! - [`Reader`] reads one log at one checkpoint, piece by piece, and believes no byte that does not lead to the root;
//! - [`prove`] takes out of it what it takes to answer for one camera and one instant, as a [`StatementProof`];
//! - [`StatementProof::verify`] answers, offline, with a [`Statement`];
//! - [`audit`] reads the whole log and reports all that is wrong with it.
//!
//! Pure: no files, no clock, no network. Built on `placet-core`, `placet-tlog` and `placet-record` alone, so that an auditor has
//! little to read.

mod audit;
mod layout;
mod proof;
mod prove;
mod reader;
mod source;
mod statement;
mod tree;

pub use audit::{AuditError, Counted, Invalid, MAX_LISTED, Noted, Notice, Report, audit};
pub use layout::{CHECKPOINT, MAX_CHECKPOINT, MAX_ROSTER, TickFile, roster};
pub use proof::{MAX_PROOF_FILE, ProofInvalid, ProvedCheckpoint, ProvedEntry, ProvedSlot, StatementProof};
pub use prove::{ProveError, prove};
pub use reader::{Around, Found, ReadError, Reader};
pub use source::{MAX_FILE, Memory, Source, SourceError};
pub use statement::{Answer, OrderNamed, Statement, Unknown, Witnessed};
