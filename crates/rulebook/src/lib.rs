//! The AI Act as data, and two pure functions: what does a text say of this case, and may this search run now?
//!
//! The rulebook itself stands in the folder `rulebook/` (FORMAT.md there says how) and is carried inside the program.
//! Rules are Cedar policies (<https://docs.cedarpolicy.com>); the official engine judges complete facts, a small
//! evaluator of our own reads the same policies where facts may be unknown, and tests hold the two together.
//!
//! No files, no clock, no randomness: the day and the instant are arguments.

#![cfg_attr(not(feature = "engine"), allow(dead_code, reason = "facts alone are read"))]

mod article;
#[cfg(feature = "engine")]
mod attack;
#[cfg(feature = "engine")]
mod book;
#[cfg(feature = "engine")]
mod cedar;
#[cfg(feature = "engine")]
mod claim;
mod date;
#[cfg(feature = "engine")]
mod decide;
#[cfg(feature = "engine")]
mod difference;
#[cfg(feature = "engine")]
mod explain;
mod expr;
mod facts;
#[cfg(feature = "engine")]
mod gate;
#[cfg(feature = "engine")]
mod interview;
mod problem;
#[cfg(feature = "engine")]
pub mod render;
#[cfg(feature = "engine")]
mod rest;
#[cfg(feature = "engine")]
mod row;
#[cfg(feature = "engine")]
mod rule;
#[cfg(feature = "engine")]
mod settle;
mod state;
#[cfg(feature = "engine")]
mod story;
#[cfg(feature = "engine")]
mod suite;
mod table;
#[cfg(feature = "engine")]
mod template;
#[cfg(feature = "engine")]
mod text;
mod verdict;
mod vocabulary;

pub use article::{Article, Block, RowTable};
#[cfg(feature = "engine")]
pub use attack::{Attack, Effort, Mutant, Mutations, Random};
#[cfg(feature = "engine")]
pub use book::{NoSuchText, Reading, Rulebook, TextId};
#[cfg(feature = "engine")]
pub use claim::{Counterexample, Proof, Proofs, Purpose, Question, Topic};
pub use date::{Date, DateError};
#[cfg(feature = "engine")]
pub use decide::DecideError;
#[cfg(feature = "engine")]
pub use difference::Differences;
#[cfg(feature = "engine")]
pub use explain::{NodeKind, Tree};
pub use expr::{Expr, Op, Tri};
pub use facts::{Facts, MAX_BYTES};
#[cfg(feature = "engine")]
pub use gate::{Answer, Clocks, Gate, GateFacts};
pub use problem::{Problem, Problems};
#[cfg(feature = "engine")]
pub use rest::Rest;
#[cfg(feature = "engine")]
pub use row::{DutyStands, Row, RowFailure, tokens};
#[cfg(feature = "engine")]
pub use rule::{Does, GateEffect, Rule};
pub use state::{State, States};
#[cfg(feature = "engine")]
pub use story::{Disputed, Event, Position, Record, Shape, Story, Wording};
#[cfg(feature = "engine")]
pub use template::TEMPLATES;
#[cfg(feature = "engine")]
pub use text::{Applies, Duty, FineRule, Meta, NeighbourRule, Status, Text};
pub use verdict::{
    Assumed, Binding, Change, Concluded, Conclusion, Condition, DutyDue, Fine, Force, Ground, Neighbour,
    Outcome, Standing, Verdict, Way, WayOut, When,
};
pub use vocabulary::{Choice, Derived, Fact, FactId, Kind, Value, Vocabulary};
