//! Every scenario row of every article, and the cross-text cases.

use placet_rulebook::Rulebook;

#[test]
fn every_row_comes_out_as_written() {
    let book = Rulebook::load().unwrap_or_else(|problems| panic!("the rulebook has problems:\n{problems}"));
    let (run, failures) = book.run_rows();
    let list: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{} of {run} rows fail:\n{}", failures.len(), list.join("\n"));
    println!("{run} rows");
}
