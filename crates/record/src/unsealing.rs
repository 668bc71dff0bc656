//! The opening of a sealed original: the order that two people sign, and what is stated when it was done.
//!
//! Both are signed notes around canonical JSON; `docs/formats/unsealing-order.md` has them key by key. [`Approved`] is what
//! an original is opened for, and only [`People::approve`] makes one.

mod order;
mod people;
mod statement;

pub use order::{LONGEST, MAX_KEPT, Order, OrderError, REFERENCE, Reference, VALID};
pub use people::{Approved, NotApproved, People, PeopleError, Person};
pub use statement::{Clip, Gap, Gaps, MAX_GAPS, Statement, StatementError, Why};

#[cfg(test)]
mod tests;
