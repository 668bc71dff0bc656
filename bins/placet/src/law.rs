//! `placet law`: the rulebook itself. What stands in it, how its texts differ, what is proved of it, whether it is right.

mod diff;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use placet_prover::{Found, ProveError, prove};
use placet_rulebook::render::{article_pages, confidence_words, side_by_side};
use placet_rulebook::{
    Block, Does, Effort, MAX_BYTES, Problems, Proofs, Question, Rest, Rulebook, Status, Story, Text, TextId,
    Topic, tokens,
};
use serde_json::json;

use crate::Failure;
use crate::decide::{is_our_page, load};
use crate::exit::Exit;

/// The AI Act as this program reads it.
#[derive(Debug, Subcommand)]
pub enum LawCommand {
    /// The five texts: what they are, from when, how much of each is modelled.
    Texts(JsonArg),
    /// An article in plain words with its rules and rows: `5`, `26(10)`, `annex 3`, or a rule's id.
    Show(ShowArgs),
    /// What each of two texts allows that the other does not, by purpose, with a case for each.
    Diff(DiffArgs),
    /// The claims about the rulebook: proved again where cvc5 is installed, else as they came with it.
    Prove(ProveArgs),
    /// Who held which position on live face search, and when; sources; clippings of your own.
    Story(StoryArgs),
    /// The six cases everybody asks first, side by side in five texts; each answer is worked out anew.
    Cases(CasesArgs),
    /// Every row, random cases against the official engine, and broken copies of every rule.
    Test(TestArgs),
    /// Writes a page per article (static HTML).
    Pages(PagesArgs),
    /// Prints the Cedar schema that follows from the facts.
    Schema,
    /// Writes the rows as JSON for other tools to run.
    Conformance(PagesArgs),
}

/// `--json` alone.
#[derive(Debug, Args)]
pub struct JsonArg {
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `law show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// `5`, `26(10)`, `annex 3`, or a rule's id.
    #[arg(required = true)]
    pub article: Vec<String>,
    /// The text; eu2026 if absent; `all` for every one.
    #[arg(long, default_value = "eu2026")]
    pub text: String,
}

/// Arguments of `law diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// One text.
    pub a: String,
    /// The other.
    pub b: String,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `law prove`.
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// Only questions whose name contains this.
    #[arg(long, value_name = "WORD")]
    pub only: Option<String>,
    /// Shows the answers that came with the rulebook even where a solver is installed.
    #[arg(long)]
    pub stored: bool,
    /// Fails where no solver is installed, rather than show the answers that came with the rulebook.
    #[arg(long, conflicts_with = "stored")]
    pub fresh: bool,
    /// Keeps the answers in this file (`rulebook/claims/results.toml`).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["only", "stored"])]
    pub write: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `law story`.
#[derive(Debug, Args)]
pub struct StoryArgs {
    /// Clippings of your own: files or folders of Markdown with front matter, plain text, or text stripped of HTML.
    pub clippings: Vec<PathBuf>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `law cases`.
#[derive(Debug, Args)]
pub struct CasesArgs {
    /// Every case that has a column per text, not the six alone.
    #[arg(long)]
    pub all: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `law test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Takes every n-th broken copy of a rule; 0 leaves them out.
    #[arg(long, default_value_t = 1)]
    pub mutants: usize,
    /// Random cases per text.
    #[arg(long, default_value_t = 2000)]
    pub cases: u64,
}

/// Arguments of verbs that write a folder.
#[derive(Debug, Args)]
pub struct PagesArgs {
    /// The folder to write.
    pub out: PathBuf,
}

/// Runs one.
///
/// # Errors
/// Bad arguments, or files that cannot be read or written.
pub fn run(command: &LawCommand) -> Result<Exit, Failure> {
    let book = load()?;
    match command {
        LawCommand::Texts(args) => texts(&book, args.json),
        LawCommand::Show(args) => show(&book, args),
        LawCommand::Diff(args) => diff::run(&book, args),
        LawCommand::Prove(args) => claims(&book, args),
        LawCommand::Story(args) => story(args),
        LawCommand::Cases(args) => cases(&book, args),
        LawCommand::Test(args) => test(&book, args),
        LawCommand::Pages(args) => pages(&book, &args.out),
        LawCommand::Schema => {
            print!("{}", book.schema());
            Ok(Exit::Done)
        }
        LawCommand::Conformance(args) => conformance(&book, &args.out),
    }
}

fn texts(book: &Rulebook, as_json: bool) -> Result<Exit, Failure> {
    let (rows, _) = book.rows();
    let mut list = Vec::new();
    for (id, text) in book.texts() {
        let status = match text.meta.status {
            Status::Law => "law",
            Status::Proposal => "proposal, never law",
            Status::Position => "position, never law",
        };
        let from = text.meta.law_from.map(|d| d.to_string());
        let until = text.meta.law_until.map(|d| d.to_string());
        let n_rules = text.rules.iter().filter(|r| !r.floor).count();
        let n_rows = rows.iter().filter(|r| r.expect.iter().any(|(t, _)| *t == id)).count();
        if as_json {
            list.push(json!({
                "id": id.id(), "title": text.meta.title, "status": status, "published": text.meta.published.to_string(),
                "law_from": from, "law_until": until, "celex": text.meta.celex, "eli": text.meta.eli,
                "rules": n_rules, "rows": n_rows, "complete": text.meta.complete,
            }));
        } else {
            println!("{:<12} {}", id.id(), text.meta.title);
            let span = match (from, until) {
                (Some(from), Some(until)) => format!(" {from} to {until}"),
                (Some(from), None) => format!(" since {from}"),
                _ => String::new(),
            };
            let whole = if text.meta.complete {
                "the whole text, as far as rulebook/OPEN.md says"
            } else {
                "what was fought over"
            };
            println!(
                "             {status}{span}; published {}; {n_rules} rules, {n_rows} rows, {whole}",
                text.meta.published
            );
        }
    }
    if as_json {
        println!("{}", serde_json::to_string_pretty(&list).map_err(Failure::internal)?);
    } else {
        println!("\nRulebook {}", book.digest());
    }
    Ok(Exit::Done)
}

fn show(book: &Rulebook, args: &ShowArgs) -> Result<Exit, Failure> {
    let wanted = args.article.join(" ");
    let ids: Vec<TextId> = if args.text == "all" {
        TextId::ALL.to_vec()
    } else {
        vec![args.text.parse().map_err(Failure::usage)?]
    };
    let mut out = String::new();
    for id in ids {
        let text = book.text(id).map_err(Failure::usage)?;
        show_in(book, id, text, &wanted, &mut out);
    }
    if out.is_empty() {
        return Err(Failure::Usage(format!(
            "nothing is called `{wanted}` in {}; `placet law show 5` lists the pages on Article 5, `placet law pages \
             DIR` writes them all",
            if args.text == "all" { "any text" } else { &args.text }
        )));
    }
    print!("{out}");
    Ok(Exit::Done)
}

/// Its parts, lower case: `Art. 26(10)`, `26 (10)` and `26-10` are `26`, `10`.
fn plain(words: &str) -> Vec<String> {
    let lower = words.to_lowercase().replace("article", "").replace("art.", "");
    let lower =
        lower.replace("annex iii", "annex 3").replace("annex ii", "annex 2").replace("annex i", "annex 1");
    let parts = lower.split(|c: char| !c.is_ascii_alphanumeric());
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn show_in(book: &Rulebook, id: TextId, text: &Text, wanted: &str, out: &mut String) {
    let key = plain(wanted);
    let whole: Vec<_> = text
        .articles
        .iter()
        .filter(|a| {
            !key.is_empty() && a.article.split([',', ';']).any(|part| plain(part) == key)
                || a.file.ends_with(&format!("/{wanted}.md"))
        })
        .collect();
    for article in &whole {
        let _ = writeln!(
            out,
            "{id}: {}, {} ({})\n",
            article.article,
            article.title,
            confidence_words(&article.confidence)
        );
        for block in &article.blocks {
            match block {
                Block::Heading(_, words) => {
                    let _ = writeln!(out, "{words}\n");
                }
                Block::Prose(words) => {
                    let _ = writeln!(out, "{words}\n");
                }
                Block::Cedar(line, source) => {
                    let end = line + source.lines().count();
                    for (i, rule) in text.rules.iter().enumerate() {
                        if rule.file == article.file && (*line..end).contains(&rule.line) {
                            show_rule(book, text, i, out);
                        }
                    }
                }
                Block::Rows(table) => {
                    for (_, cells) in &table.rows {
                        let _ = writeln!(out, "    | {} |", cells.join(" | "));
                    }
                    out.push('\n');
                }
            }
        }
        if let Some(eli) = text.official(&article.article).or_else(|| article.eli.clone()) {
            let _ = writeln!(out, "Official text: {eli}\n");
        }
    }
    if !whole.is_empty() || key.is_empty() {
        return;
    }
    let parts = |article: &str| article.split([',', ';']).any(|part| plain(part).starts_with(&key));
    let several: Vec<_> = text.articles.iter().filter(|a| parts(&a.article)).collect();
    if several.is_empty() {
        for (i, rule) in text.rules.iter().enumerate() {
            if rule.id == wanted || plain(&rule.cite).starts_with(&key) {
                let _ = writeln!(out, "{id}:");
                show_rule(book, text, i, out);
            }
        }
        return;
    }
    let _ =
        writeln!(out, "{id}: {} pages on {wanted}; show one as in: placet law show '5(1)(h)'", several.len());
    for article in several {
        let _ = writeln!(out, "    {:<28} {}", article.article, article.title);
    }
    out.push('\n');
}

fn show_rule(book: &Rulebook, text: &Text, at: usize, out: &mut String) {
    let Some(rule) = text.rules.get(at) else { return };
    let does = match &rule.does {
        Does::Concludes(c) => c.words().to_owned(),
        Does::Sets(f) => format!("defines \"{}\"", book.vocabulary().fact(*f).says),
        Does::Exempts(t) => format!("a way out of {}", t.join(", ")),
        Does::Condition(t) => format!("a condition of {}", t.join(", ")),
        Does::Duty => format!("brings {}", rule.duties.join(", ")),
        Does::Lifts(d, _) => format!("lifts {}", d.join(", ")),
        Does::Gate(_) => "answers the gate".to_owned(),
    };
    let applies = text.from(at).map(|d| format!(", from {}", d.words())).unwrap_or_default();
    let _ = writeln!(
        out,
        "  [{}] {}: {}",
        rule.id,
        rule.cite,
        if rule.says.is_empty() { "(a phrase)" } else { &rule.says }
    );
    let _ = writeln!(out, "      {does}{applies}; {}", confidence_words(&rule.confidence));
    for id in &rule.readings {
        if let Some(reading) = book.reading(id) {
            let _ = writeln!(out, "      our reading {id}: {}", reading.says);
        }
    }
    for line in rule.source.lines().filter(|l| !l.starts_with('@')) {
        let _ = writeln!(out, "      {line}");
    }
    out.push('\n');
}

fn stored(book: &Rulebook) -> Result<Option<Proofs>, Failure> {
    let proofs = book.proofs().map_err(Failure::internal)?;
    if let Some(p) = proofs.as_ref().filter(|p| !p.about(book.digest())) {
        eprintln!("the stored answers are about another rulebook ({}); prove again", p.rulebook);
    }
    Ok(proofs)
}

fn claims(book: &Rulebook, args: &ProveArgs) -> Result<Exit, Failure> {
    let mut questions = book.questions().map_err(Failure::internal)?;
    if let Some(only) = &args.only {
        questions.retain(|q| q.id.contains(only.as_str()));
    }
    let mut lines: Vec<Told> = Vec::new();
    let fresh = if args.stored { None } else { solve(book, &questions, &mut lines)? };
    let proofs = match fresh {
        Some(proofs) => proofs,
        None if args.fresh => {
            return Err(Failure::Unavailable("no cvc5 to prove with; apt-get install cvc5".to_owned()));
        }
        None => {
            let Some(proofs) = stored(book)? else {
                return Err(Failure::Unavailable(
                    "no cvc5 and no stored answers; apt-get install cvc5".to_owned(),
                ));
            };
            for q in &questions {
                if let Some(p) = proofs.find(&q.id) {
                    lines.push(Told::new(q, p.proved, p.counterexample.clone(), None));
                }
            }
            proofs
        }
    };
    if let Some(path) = &args.write {
        replaceable(path, "# Written by `placet law prove --write`")?;
        fs::write(path, proofs.to_toml()).map_err(|e| Failure::Io(path.display().to_string(), e))?;
    }
    let wrong = lines.iter().filter(|l| !l.as_expected).count();
    if args.json {
        let list: Vec<_> = lines
            .iter()
            .map(|l| json!({ "id": l.id, "says": l.says, "verdict": l.verdict(), "as expected": l.as_expected, "case": l.case }))
            .collect();
        let all = json!({ "rulebook": proofs.rulebook, "solver": proofs.solver, "total_ms": proofs.total_ms, "questions": list });
        println!("{}", serde_json::to_string_pretty(&all).map_err(Failure::internal)?);
    } else {
        print!("{}", told(&lines, wrong, &proofs));
    }
    Ok(if wrong == 0 { Exit::Done } else { Exit::Failed })
}

/// The sum first, then what is not as expected, then every question.
fn told(lines: &[Told], wrong: usize, proofs: &Proofs) -> String {
    let mut out = String::new();
    let count = |kind: Asked| lines.iter().filter(|l| l.asked == kind).count();
    let _ = writeln!(
        out,
        "{} questions, {}; {}, {} ms in all; of our encoding {}",
        lines.len(),
        if wrong == 0 { "all as expected".to_owned() } else { format!("{wrong} NOT AS EXPECTED") },
        proofs.solver,
        proofs.total_ms,
        proofs.rulebook
    );
    let _ = writeln!(
        out,
        "{} claims; {} comparisons of two texts for a purpose; {} rules that can never fail to evaluate",
        count(Asked::Claim),
        count(Asked::Difference),
        count(Asked::NeverErrs)
    );
    let groups = [
        ("Not as expected", false, None),
        ("Claims", true, Some(Asked::Claim)),
        ("What one text allows and another does not", true, Some(Asked::Difference)),
    ];
    for (heading, as_expected, asked) in groups {
        let of = |l: &&Told| l.as_expected == as_expected && asked.is_none_or(|a| l.asked == a);
        if lines.iter().any(|l| of(&l)) {
            let _ = writeln!(out, "\n{heading}");
        }
        for l in lines.iter().filter(of) {
            let _ = writeln!(out, "  {} [{}] {}", l.says, l.id, l.phrase());
            l.case.iter().for_each(|c| {
                let _ = writeln!(out, "      {c}");
            });
        }
    }
    out
}

/// What kind of question it was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Claim,
    Difference,
    NeverErrs,
}

struct Told {
    id: String,
    says: String,
    proved: Option<bool>,
    case: Vec<String>,
    as_expected: bool,
    asked: Asked,
}

impl Told {
    fn new(q: &Question, proved: Option<bool>, case: Vec<String>, unknown: Option<String>) -> Self {
        let as_expected = q.is_expected(proved);
        let asked = match q.topic {
            Topic::Claim { .. } => Asked::Claim,
            Topic::Difference { .. } => Asked::Difference,
            Topic::NeverErrs { .. } => Asked::NeverErrs,
        };
        let case = case.into_iter().chain(unknown).collect();
        Self { id: q.id.clone(), says: q.says.clone(), proved, case, as_expected, asked }
    }

    /// The answer to a person.
    fn phrase(&self) -> &'static str {
        match (self.asked, self.proved, self.as_expected) {
            (_, Some(true), true) => "holds: proved",
            (_, Some(true), false) => "HOLDS, and should not",
            (Asked::Claim, Some(false), true) if self.case.is_empty() => {
                "does not hold (as expected: in the usual case already)"
            }
            (Asked::Claim, Some(false), true) => "does not hold (as expected: a case shows it)",
            (Asked::Difference, Some(false), _) if self.case.is_empty() => {
                "does not hold: the usual case of the purpose shows it"
            }
            (Asked::Difference, Some(false), _) => "does not hold: a case shows it",
            (_, Some(false), _) => "DOES NOT HOLD",
            (_, None, _) => "IS NOT DECIDED",
        }
    }

    fn verdict(&self) -> &'static str {
        match self.proved {
            Some(true) => "proved",
            Some(false) => "refuted",
            None => "unknown",
        }
    }
}

/// Asks the solver; `None` if there is none.
fn solve(book: &Rulebook, questions: &[Question], lines: &mut Vec<Told>) -> Result<Option<Proofs>, Failure> {
    let mut heard = |q: &Question, found: &Found, _: Duration| {
        lines.push(match found {
            Found::Proved => Told::new(q, Some(true), Vec::new(), None),
            Found::Refuted(c) => Told::new(q, Some(false), c.words.clone(), None),
            Found::CanErr(words) => Told::new(q, Some(false), vec![words.clone()], None),
            Found::Unknown(why) => Told::new(q, None, Vec::new(), Some(why.clone())),
        });
    };
    match prove(book, questions, &mut heard) {
        Ok(proofs) => Ok(Some(proofs)),
        Err(ProveError::NoSolver) => {
            eprintln!("no cvc5 here: showing the answers that came with the rulebook");
            Ok(None)
        }
        Err(e) => Err(Failure::Failed(e.to_string())),
    }
}

fn story(args: &StoryArgs) -> Result<Exit, Failure> {
    let mut story = Story::load().map_err(Failure::internal)?;
    let mut bad = Vec::new();
    let mut taken = 0;
    for path in &args.clippings {
        for (name, bytes) in clipping_files(path)? {
            match story.add_clipping(&name, &bytes) {
                Ok(()) => taken += 1,
                Err(Problems(list)) => bad.extend(list),
            }
        }
    }
    if !bad.is_empty() && taken == 0 {
        return Err(Failure::Problems(bad.iter().map(ToString::to_string).collect()));
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&story.to_json()).map_err(Failure::internal)?);
    } else {
        print!("{}", story.to_text());
    }
    bad.iter().for_each(|p| eprintln!("{p}"));
    Ok(if bad.is_empty() { Exit::Done } else { Exit::Partly })
}

fn clipping_files(path: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let read = |path: &Path| -> io::Result<(String, Vec<u8>)> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Ok((path.display().to_string(), bytes))
    };
    let io_error = |e| Failure::Io(path.display().to_string(), e);
    let mut out = Vec::new();
    if path.is_dir() {
        let mut names: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(path).map_err(io_error)? {
            names.push(entry.map_err(io_error)?.path());
        }
        names.sort();
        for name in names.iter().filter(|n| n.is_file()) {
            out.push(read(name).map_err(io_error)?);
        }
    } else {
        out.push(read(path).map_err(io_error)?);
    }
    Ok(out)
}

fn cases(book: &Rulebook, args: &CasesArgs) -> Result<Exit, Failure> {
    let (rows, bad) = book.rows();
    bad.iter().for_each(|b| eprintln!("{b}"));
    let mut list = Vec::new();
    let mut wrong = bad.len();
    let wanted = |file: &str| if args.all { file.starts_with("cases/") } else { file == "cases/headline.md" };
    for row in rows.iter().filter(|r| wanted(&r.file)) {
        let facts = book.row_facts(row);
        let mut verdicts = Vec::new();
        for (text, expect) in &row.expect {
            let day = row.as_of.or_else(|| book.text(*text).ok().map(|t| t.meta.row_as_of));
            let Some(day) = day else { continue };
            let verdict = book.decide_only(&facts, *text, day, Rest::Unknown).map_err(Failure::internal)?;
            if tokens(&verdict) != *expect {
                eprintln!("{}:{}: {text}: not what the row says", row.file, row.line);
                wrong += 1;
            }
            verdicts.push(verdict);
        }
        if args.json {
            let answers: serde_json::Map<String, serde_json::Value> =
                verdicts.iter().map(|v| (v.text.clone(), json!(tokens(v)))).collect();
            list.push(json!({ "case": row.name, "source": format!("{}:{}", row.file, row.line), "answers": answers }));
        } else {
            println!("{}.", row.name);
            side_by_side(&verdicts).lines().for_each(|l| println!("    {l}"));
            println!();
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&list).map_err(Failure::internal)?);
    } else {
        println!("Once every rule applies, with a national law where the case says so. Not legal advice.");
        println!("Rulebook {}", book.digest());
    }
    Ok(if wrong == 0 { Exit::Done } else { Exit::Failed })
}

fn test(book: &Rulebook, args: &TestArgs) -> Result<Exit, Failure> {
    let (run, failures) = book.run_rows();
    failures.iter().for_each(|f| println!("{f}"));
    println!(
        "rows: {run} run, {} failed; each compared with the official engine where all facts are known",
        failures.len()
    );
    let attack = book.attack(Effort { fact_sets: args.cases, compare_every: 20, seed: 1 });
    attack.failures.iter().for_each(|f| println!("{f}"));
    println!(
        "random cases: {} judged, {} compared rule by rule with the official engine, {} made less known, {} burdened; {} failures",
        attack.fact_sets,
        attack.compared,
        attack.forgotten,
        attack.burdened,
        attack.failures.len()
    );
    let mut ok = failures.is_empty() && attack.failures.is_empty();
    if args.mutants > 0 {
        let found = book.mutate(args.mutants, None);
        found
            .survivors
            .iter()
            .for_each(|m| println!("no row notices: {} `{}` {}", m.place, m.rule, m.change));
        println!(
            "broken copies: {} tried, {}.{:02} % noticed",
            found.tried,
            found.score() / 100,
            found.score() % 100
        );
        ok &= found.score() >= 9500;
    }
    println!("{}", if ok { "PASS: the rulebook holds" } else { "FAIL: see above" });
    Ok(if ok { Exit::Done } else { Exit::Failed })
}

/// A file that stands already is replaced only if it holds what this program writes into such files.
fn replaceable(path: &Path, mark: &str) -> Result<(), Failure> {
    if !path.exists() || fs::read_to_string(path).is_ok_and(|text| text.contains(mark)) {
        return Ok(());
    }
    Err(Failure::Usage(format!("`{}` exists and is none of ours; it is left as it is", path.display())))
}

fn pages(book: &Rulebook, out: &Path) -> Result<Exit, Failure> {
    let io_error = |e| Failure::Io(out.display().to_string(), e);
    fs::create_dir_all(out).map_err(io_error)?;
    let pages = article_pages(book);
    for path in pages.iter().map(|p| out.join(&p.path)).filter(|p| p.is_file()) {
        if !is_our_page(&path) {
            return Err(Failure::Usage(format!(
                "`{}` exists and is no page of ours; nothing is written. Name another folder",
                path.display()
            )));
        }
    }
    for page in &pages {
        fs::write(out.join(&page.path), &page.content).map_err(io_error)?;
    }
    println!("{} pages in {}", pages.len(), out.display());
    Ok(Exit::Done)
}

fn conformance(book: &Rulebook, out: &Path) -> Result<Exit, Failure> {
    let io_error = |e| Failure::Io(out.display().to_string(), e);
    fs::create_dir_all(out).map_err(io_error)?;
    let suite = book.conformance().map_err(Failure::internal)?;
    let mut text = serde_json::to_string_pretty(&suite).map_err(Failure::internal)?;
    text.push('\n');
    replaceable(&out.join("rows.json"), "\"rulebook\": \"sha256:")?;
    fs::write(out.join("rows.json"), text).map_err(io_error)?;
    println!("rows.json in {}", out.display());
    Ok(Exit::Done)
}
