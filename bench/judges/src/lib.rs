//! Nothing but tests: `tests/` asks `tlog_tiles`, `signed_note`, `ct-merkle` and `sigsum` the questions our own crate
//! answers, and wants the same answers.
