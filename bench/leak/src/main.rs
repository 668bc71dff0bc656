//! bench/leak
fn main() {}
