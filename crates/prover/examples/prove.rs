//! Proves the rulebook this program carries and prints what came of each question; `--write FILE` keeps the answers.

use placet_prover::{Found, prove};
use placet_rulebook::{Rulebook, Topic};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (mut write, mut only) = (None, None);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--write" => write = args.next(),
            "--only" => only = args.next(),
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    let book = Rulebook::load()?;
    let mut questions = book.questions()?;
    if let Some(only) = &only {
        questions.retain(|q| q.id.contains(only.as_str()));
    }
    let mut wrong = 0;
    let proofs = prove(&book, &questions, &mut |q, found, time| {
        let (verdict, detail) = match found {
            Found::Proved => ("proved", Vec::new()),
            Found::Refuted(c) => ("refuted", c.words.clone()),
            Found::CanErr(w) => ("can err", vec![w.clone()]),
            Found::Unknown(w) => ("unknown", vec![w.clone()]),
        };
        let bad = match &q.topic {
            Topic::Claim { expect, .. } => *expect != matches!(found, Found::Proved),
            Topic::NeverErrs { .. } => !matches!(found, Found::Proved),
            Topic::Difference { .. } => matches!(found, Found::Unknown(_)),
        };
        wrong += usize::from(bad);
        if bad || !matches!(q.topic, Topic::NeverErrs { .. }) {
            println!("{}{} {} ms {}", if bad { "!! " } else { "" }, q.id, time.as_millis(), verdict);
            detail.iter().for_each(|d| println!("      {d}"));
        }
    })?;
    println!(
        "{} questions, {wrong} not as expected, {} ms, {}",
        questions.len(),
        proofs.total_ms,
        proofs.solver
    );
    if let Some(path) = write {
        std::fs::write(path, proofs.to_toml())?;
    }
    if wrong == 0 { Ok(()) } else { Err("some questions did not come out as expected".into()) }
}
