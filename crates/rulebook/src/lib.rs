//! The AI Act as data, and two pure functions: what does a text say of this case, and may this search run now?
//!
//! The rulebook itself stands in the folder `rulebook/` (FORMAT.md there says how) and is carried inside the program.
//! Rules are Cedar policies (<https://docs.cedarpolicy.com>); the official engine judges complete facts, a small
//! evaluator of our own reads the same policies where facts may be unknown, and tests hold the two together.
//!
//! No files, no clock, no randomness: the day and the instant are arguments.

mod article;
mod attack;
mod book;
mod cedar;
mod claim;
mod date;
mod decide;
mod explain;
mod expr;
mod facts;
mod gate;
mod interview;
mod problem;
pub mod render;
mod row;
mod rule;
mod settle;
mod state;
mod story;
mod suite;
mod table;
mod template;
mod text;
mod verdict;
mod vocabulary;

pub use article::{Article, Block, RowTable};
pub use attack::{Attack, Effort, Mutant, Mutations, Random};
pub use book::{NoSuchText, Reading, Rulebook, TextId};
pub use claim::{Counterexample, Proof, Proofs, Purpose, Question, Topic};
pub use date::{Date, DateError};
pub use decide::DecideError;
pub use explain::{NodeKind, Tree};
pub use expr::{Expr, Op, Tri};
pub use facts::{Facts, MAX_BYTES};
pub use gate::{Answer, Clocks, Gate, GateFacts};
pub use problem::{Problem, Problems};
pub use row::{DutyStands, Row, RowFailure, tokens};
pub use rule::{Does, GateEffect, Rule};
pub use state::{State, States};
pub use story::{Disputed, Event, Position, Record, Shape, Story, Wording};
pub use template::TEMPLATES;
pub use text::{Applies, Duty, FineRule, Meta, NeighbourRule, Status, Text};
pub use verdict::{
    Binding, Change, Concluded, Conclusion, Condition, DutyDue, Fine, Force, Ground, Neighbour, Outcome,
    Standing, Verdict, Way, When,
};
pub use vocabulary::{Choice, Derived, Fact, FactId, Kind, Value, Vocabulary};
