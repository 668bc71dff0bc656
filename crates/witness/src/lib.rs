//! Witnesses after [C2SP tlog-witness](https://c2sp.org/tlog-witness): asking them ([`client`]), and being one ([`server`]).
//!
//! A witness says of a log's tree that it extends everything the witness has seen of that log. What it says is worth as
//! much as its memory, so the server stores before it signs, and the client takes its word for nothing but that. What a
//! quorum is stands in a [policy](placet_tlog::policy); who may act without one is the caller's decision.

pub mod client;
pub mod server;
