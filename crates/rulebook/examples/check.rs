//! Reads a rulebook folder from disk and runs its rows: `check rulebook [words a row's place must contain]`.
#![expect(clippy::disallowed_methods, reason = "a tool reads files")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use placet_rulebook::{Effort, Rulebook};

fn main() -> ExitCode {
    let root = PathBuf::from(env::args().nth(1).unwrap_or_else(|| "rulebook".to_owned()));
    let only = env::args().nth(2);
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files.sort();
    let refs: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let book = match Rulebook::read(&refs) {
        Ok(book) => book,
        Err(problems) => {
            println!("{problems}");
            println!("{} problems", problems.0.len());
            return ExitCode::from(2);
        }
    };
    let (run, failures) = book.run_rows();
    let shown = failures.iter().filter(|f| only.as_ref().is_none_or(|o| f.to_string().contains(o.as_str())));
    for failure in shown {
        println!("{failure}");
    }
    println!("{run} rows, {} fail", failures.len());
    for (id, text) in book.texts() {
        println!(
            "{id}: {} rules, {} duties, {} fines",
            text.rules.len(),
            text.duties.len(),
            text.fines.len()
        );
    }
    if let Ok(path) = env::var("CONFORMANCE") {
        // That of the rulebook inside the program: its digest is over what `build.rs` takes in.
        let suite = Rulebook::load()
            .and_then(|b| b.conformance())
            .ok()
            .and_then(|s| serde_json::to_string_pretty(&s).ok());
        if suite.is_none_or(|s| fs::write(&path, s + "\n").is_err()) {
            println!("cannot write {path}");
            return ExitCode::from(2);
        }
    }
    if let Some(n) = number("MUTATE") {
        let found = book.mutate(n, env::var("ONLY").ok().as_deref());
        for m in &found.survivors {
            println!("survived: {} `{}` {}", m.place, m.rule, m.change);
        }
        println!("mutation score {}.{:02} % of {}", found.score() / 100, found.score() % 100, found.tried);
    }
    if let Some(n) = number("ATTACK") {
        let found = book.attack(Effort { fact_sets: n as u64, compare_every: 50, seed: 7 });
        found.failures.iter().for_each(|f| println!("attack: {f}"));
        println!("{} fact sets, {} compared with Cedar", found.fact_sets, found.compared);
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn number(name: &str) -> Option<usize> {
    env::var(name).ok()?.parse().ok()
}

fn collect(root: &Path, folder: &Path, out: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, out);
        } else if let (Ok(name), Ok(text)) = (path.strip_prefix(root), fs::read_to_string(&path)) {
            out.push((name.display().to_string(), text));
        }
    }
}
