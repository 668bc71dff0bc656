//! bins/placet
fn main() {}
