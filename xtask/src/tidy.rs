//! What no compiler checks. Each check reads the tree and answers with what is wrong, one line each.

mod crates;
mod documents;
mod lock;
mod tree;
mod words;

use crate::command::{cargo, output};
use tree::Tree;

/// A check's name and what it finds wrong in a tree.
type Check = (&'static str, fn(&Tree) -> Vec<String>);

const CHECKS: [Check; 10] = [
    ("every crate says what it is", crates::descriptions),
    ("crates know only what they may", crates::edges),
    ("inner crates see no clock, file, socket or randomness", crates::purity),
    ("every invariant names a test that exists", documents::invariants),
    ("every link leads somewhere", documents::links),
    ("licence files are there", documents::licence_files),
    ("nothing is left unfinished", words::markers),
    ("no path of one machine", words::machine_paths),
    ("every fuzz target has seeds with a source", crates::fuzz_seeds),
    ("no crate twice without a reason", lock::duplicates),
];

/// Runs every check and reports all they find.
pub fn run() -> Result<(), String> {
    let tree = Tree::of_repository()?;
    let mut problems = Vec::new();
    for (name, check) in CHECKS {
        let found = check(&tree);
        eprintln!("   {} {name}", if found.is_empty() { "ok " } else { "NOT" });
        problems.extend(found);
    }
    let licences =
        ["tree", "--workspace", "--edges", "normal,build", "--prefix", "none", "--format", "{p}\t{l}"];
    let found = lock::licences(&output(&mut cargo(&licences))?);
    eprintln!(
        "   {} every dependency's licence is one we can pass on",
        if found.is_empty() { "ok " } else { "NOT" }
    );
    problems.extend(found);
    if problems.is_empty() { Ok(()) } else { Err(format!("\n  {}", problems.join("\n  "))) }
}
