//! `placet decide`: what the texts say of a case.

use std::fs::{self, File};
use std::io::{self, BufRead, IsTerminal as _, Read as _, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use placet_rulebook::render::{
    PAGE_MARK, side_by_side, tree_json, tree_text, verdict_json, verdict_page, verdict_text,
};
use placet_rulebook::{
    Date, FactId, Facts, Force, Kind, MAX_BYTES, Outcome, Problems, Rest, Rulebook, TEMPLATES, TextId, Tree,
    Verdict, Vocabulary,
};
use serde_json::json;

use crate::Failure;
use crate::exit::Exit;

/// What the AI Act says of a case, in one or all of its five versions.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit: 0 nothing forbids it, 3 refused or prohibited, 7 facts are missing, 2 bad facts. With several \
                  texts: what the law in force says where it is among them, else the gravest answer."
)]
pub struct DecideArgs {
    /// Facts file (TOML); `-` reads standard input; without one, questions are asked on the terminal.
    pub facts: Option<PathBuf>,
    /// com2021, council2022, ep2023, eu2024, eu2026, or `all`; may be repeated.
    #[arg(long, value_name = "TEXT")]
    pub text: Vec<String>,
    /// The day of the question, such as 2026-11-22; today if absent.
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<String>,
    /// What the facts file does not mention is not so. Conditions of an exception that are not mentioned are not met;
    /// the verdict lists what it takes for granted.
    #[arg(long, requires = "facts")]
    pub rest_not_so: bool,
    /// Why: rule, element, fact, each with a tick, a cross or a question mark; where the answer is open, only what is open.
    #[arg(long)]
    pub explain: bool,
    /// As --explain, with every branch.
    #[arg(long)]
    pub explain_all: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// Also writes the verdict as a page that can be printed and filed.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Writes a facts file: an empty one for a live-search, post-search, system or model, or one of the six cases of
    /// `placet law cases`, as case:1 to case:6 or by a word of its name (case:stadium).
    #[arg(long, value_name = "TEMPLATE", conflicts_with_all = ["facts", "explain", "explain_all", "html"])]
    pub new: Option<String>,
    /// Where `--new` and the answers given on the terminal are written.
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Decides; the exit code tells what the law in force says, and without it the gravest answer.
///
/// # Errors
/// Bad facts, an unknown text, a day that is none.
pub fn run(args: &DecideArgs) -> Result<Exit, Failure> {
    let book = load()?;
    if let Some(name) = &args.new {
        let text = new_file(&book, name)?;
        if let Some(out) = args.out.as_deref().filter(|out| out.is_file()) {
            return Err(exists(out));
        }
        return write_out(args.out.as_deref(), &text).map(|()| Exit::Done);
    }
    let mut facts = match &args.facts {
        Some(path) => read_facts(&book, path)?,
        None if io::stdin().is_terminal() => Facts::none(book.vocabulary()),
        None => {
            return Err(Failure::Usage(
                "no facts file, and no terminal to ask on; `placet decide --new system` writes one"
                    .to_owned(),
            ));
        }
    };
    let as_of = day(args.as_of.as_deref(), facts.as_of)?;
    let texts = texts(&args.text, &facts)?;
    if let (None, Some(out)) = (&args.facts, args.out.as_deref().filter(|out| out.is_file())) {
        return Err(exists(out));
    }
    if args.facts.is_none() {
        let stdin = io::stdin();
        facts = interview(&book, &texts, as_of, &mut stdin.lock(), &mut io::stderr())?;
        let path = args.out.clone().unwrap_or_else(free_name);
        write_out(Some(&path), &book.facts_toml(&facts))?;
        eprintln!("answers written to {}", path.display());
    }
    report(&book, args, &facts, &texts, as_of)
}

/// facts.toml, or the next name that nothing stands under: answers given are never lost.
fn free_name() -> PathBuf {
    let numbered = (2..u32::MAX).map(|n| PathBuf::from(format!("facts-{n}.toml")));
    let mut names = std::iter::once(PathBuf::from("facts.toml")).chain(numbered);
    names.find(|p| p.symlink_metadata().is_err()).unwrap_or_else(|| PathBuf::from("facts.toml"))
}

fn exists(out: &Path) -> Failure {
    Failure::Usage(format!(
        "`{}` exists and may hold answers; it is left as it is. Name another file with --out",
        out.display()
    ))
}

fn new_file(book: &Rulebook, name: &str) -> Result<String, Failure> {
    let Some(case) = name.strip_prefix("case:") else {
        let none = || {
            let known = TEMPLATES.join(", ");
            Failure::Usage(format!(
                "there is no template `{name}`; the templates are {known}, and case:1 to case:6"
            ))
        };
        return book.template(name).ok_or_else(none);
    };
    book.case_file(case).ok_or_else(|| {
        let cases = book.headline_cases();
        let list = cases.iter().enumerate().map(|(i, c)| format!("case:{}  {}", i + 1, c.name));
        let why = format!(
            "`{case}` names none of the six cases, or more than one; say a number, or a word that only one has:"
        );
        Failure::Problems(std::iter::once(why).chain(list).collect())
    })
}

/// The rulebook this program carries.
pub fn load() -> Result<Rulebook, Failure> {
    Rulebook::load().map_err(Failure::internal)
}

fn report(
    book: &Rulebook,
    args: &DecideArgs,
    facts: &Facts,
    texts: &[TextId],
    as_of: Date,
) -> Result<Exit, Failure> {
    let rest = if args.rest_not_so { Rest::NotSo } else { Rest::Unknown };
    let mut verdicts: Vec<Verdict> = Vec::new();
    let mut trees: Vec<Option<Tree>> = Vec::new();
    for text in texts {
        match book.decide_with(facts, *text, as_of, rest) {
            Ok(verdict) => verdicts.push(verdict),
            // Side by side, a text that did not exist yet is left out and named.
            Err(e) if texts.len() > 1 => {
                eprintln!("{text}: {e}");
                continue;
            }
            Err(e) => return Err(Failure::usage(e)),
        }
        let wanted = args.explain || args.explain_all || args.html.is_some();
        let tree = wanted.then(|| book.explain_with(facts, *text, as_of, rest)).and_then(Result::ok);
        let open = verdicts.last().is_some_and(|v| v.outcome == Outcome::CannotSay);
        trees.push(tree.map(|t| if open && !args.explain_all { t.open_branches() } else { t }));
    }
    if verdicts.is_empty() {
        return Err(Failure::Usage(format!("none of the texts existed on {as_of}")));
    }
    let mut out = String::new();
    if args.json {
        let list: Vec<serde_json::Value> = verdicts
            .iter()
            .zip(&trees)
            .map(|(v, tree)| {
                let mut json = verdict_json(book, v);
                let explain = args.explain || args.explain_all;
                if let (true, Some(tree), Some(object)) = (explain, tree, json.as_object_mut()) {
                    object.insert("explanation".to_owned(), tree_json(tree));
                }
                json
            })
            .collect();
        let json = match list.as_slice() {
            [one] if texts.len() < 2 => one.clone(),
            _ => json!(list),
        };
        out = serde_json::to_string_pretty(&json).map_err(Failure::internal)?;
        out.push('\n');
    } else if let [verdict] = verdicts.as_slice() {
        out.push_str(&verdict_text(book, verdict));
    } else {
        out.push_str(&side_by_side(&verdicts));
    }
    if (args.explain || args.explain_all) && !args.json {
        trees.iter().flatten().for_each(|t| {
            out.push('\n');
            out.push_str(&tree_text(t));
        });
    }
    write_out(None, &out)?;
    if let Some(path) = &args.html {
        let all: Vec<_> = verdicts.iter().zip(&trees).map(|(v, t)| (v, t.as_ref())).collect();
        write_page(path, &verdict_page(book, facts, &all))?;
    }
    let left = |v: &Verdict| v.open.iter().any(|f| facts.said_unknown(*f));
    if args.rest_not_so && verdicts.iter().any(left) {
        eprintln!("what the file itself calls \"unknown\" stays unknown; delete the lines that are not so");
    }
    let law = verdicts.iter().find(|v| v.force == Force::Law).map(|v| v.outcome);
    let any = |outcome| verdicts.iter().any(|v| v.outcome == outcome);
    let gravest = if any(Outcome::Refused) {
        Outcome::Refused
    } else if any(Outcome::CannotSay) {
        Outcome::CannotSay
    } else {
        Outcome::Allowed
    };
    Ok(match law.unwrap_or(gravest) {
        Outcome::Refused => Exit::Refused,
        Outcome::CannotSay => Exit::CannotSay,
        Outcome::Allowed => Exit::Done,
    })
}

fn read_facts(book: &Rulebook, path: &Path) -> Result<Facts, Failure> {
    let io_error = |e| Failure::Usage(format!("cannot read {}: {e}", path.display()));
    let limit = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(io_error)?;
    } else {
        File::open(path).map_err(io_error)?.take(limit).read_to_end(&mut bytes).map_err(io_error)?;
    }
    Facts::parse(book.vocabulary(), &path.display().to_string(), &bytes)
        .map_err(|Problems(list)| Failure::Problems(list.iter().map(ToString::to_string).collect()))
}

fn day(arg: Option<&str>, file: Option<Date>) -> Result<Date, Failure> {
    match (arg, file) {
        (Some(word), _) => word.parse().map_err(|e| Failure::Usage(format!("--as-of: {e}"))),
        (None, Some(day)) => Ok(day),
        (None, None) => today(),
    }
}

fn today() -> Result<Date, Failure> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_err(Failure::internal)?.as_secs();
    Ok(Date::from_unix_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

fn texts(args: &[String], facts: &Facts) -> Result<Vec<TextId>, Failure> {
    let words = if args.is_empty() { facts.texts.as_slice() } else { args };
    let mut out = Vec::new();
    for word in words.iter().flat_map(|w| w.split(',')) {
        if word == "all" {
            out.extend(TextId::ALL);
        } else {
            out.push(word.parse().map_err(Failure::usage)?);
        }
    }
    if out.is_empty() {
        out.push(TextId::Eu2026);
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

fn write_out(path: Option<&Path>, text: &str) -> Result<(), Failure> {
    match path {
        Some(path) => write_whole(path, text).map_err(|e| Failure::Io(path.display().to_string(), e)),
        None => match io::stdout().lock().write_all(text.as_bytes()) {
            // A reader that has seen enough is no failure.
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::Io("standard output".to_owned(), e))
            }
            _ => Ok(()),
        },
    }
}

/// A page replaces an earlier verdict page of ours, and nothing else.
fn write_page(path: &Path, text: &str) -> Result<(), Failure> {
    if path.is_file() && !is_our_page(path) {
        return Err(Failure::Usage(format!(
            "`{}` exists and is no page of ours; it is left as it is. Name another file with --html",
            path.display()
        )));
    }
    write_out(Some(path), text)
}

/// Whether the file says that this program wrote it.
pub(crate) fn is_our_page(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|f| f.take(1024).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).contains(PAGE_MARK)
}

/// Nothing stands under the name before it is whole.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        return fs::write(path, text); // a terminal or a pipe has no name to take later
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().permissions(permissions()).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// As any new file has them; the umask takes its part.
fn permissions() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::Permissions::from_mode(0o666)
}

/// Asks one question at a time, only those that can still change the answer.
///
/// # Errors
/// If the terminal cannot be read or written.
pub fn interview(
    book: &Rulebook,
    texts: &[TextId],
    as_of: Date,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Facts, Failure> {
    let io_error = |e| Failure::Io("the terminal".to_owned(), e);
    let vocabulary = book.vocabulary();
    let mut facts = Facts::none(vocabulary);
    let mut skipped: Vec<FactId> = Vec::new();
    let mut asked: Vec<FactId> = Vec::new();
    writeln!(output, "One question at a time; empty or ? = don't know, b = back, h = help, q = enough.\n")
        .map_err(io_error)?;
    loop {
        let open = book.open_questions(&facts, texts, as_of, &skipped).map_err(Failure::usage)?;
        let Some(&id) = open.first() else { break };
        question(vocabulary, id, open.len(), output).map_err(io_error)?;
        let mut line = String::new();
        if input.read_line(&mut line).map_err(io_error)? == 0 {
            break;
        }
        match line.trim() {
            "q" => break,
            "h" | "help" => help(vocabulary, id, output).map_err(io_error)?,
            "" | "?" => {
                skipped.push(id);
                asked.push(id);
            }
            "b" => {
                if let Some(last) = asked.pop() {
                    facts.set(last, None);
                    skipped.retain(|s| *s != last);
                }
            }
            word => match answer(vocabulary, id, word) {
                Ok(value) => {
                    facts.set(id, Some(value));
                    match facts.check(vocabulary) {
                        Ok(()) => asked.push(id),
                        Err(e) => {
                            facts.set(id, None);
                            writeln!(output, "  {e}; answer otherwise, or go back with b")
                                .map_err(io_error)?;
                        }
                    }
                }
                Err(e) => writeln!(output, "  {e}").map_err(io_error)?,
            },
        }
    }
    Ok(facts)
}

fn question(vocabulary: &Vocabulary, id: FactId, open: usize, output: &mut dyn Write) -> io::Result<()> {
    let fact = vocabulary.fact(id);
    writeln!(output, "{} [{}; {open} open]", fact.question, fact.article)?;
    match &fact.kind {
        Kind::Choice(list) => {
            for (i, choice) in list.iter().enumerate() {
                // The list of States is known to whoever is asked; its codes suffice.
                if list.len() <= 20 {
                    writeln!(output, "  {}  {}", i + 1, choice.words)?;
                }
            }
            if list.len() > 20 {
                let ids: Vec<&str> = list.iter().map(|c| c.id.as_str()).collect();
                writeln!(output, "  {}", ids.join(" "))?;
            }
        }
        Kind::Bool => writeln!(output, "  yes or no")?,
        Kind::Int { unit, .. } => writeln!(output, "  a whole number of {unit}")?,
        Kind::Day => writeln!(output, "  a date such as 2026-11-22")?,
    }
    write!(output, "> ")?;
    output.flush()
}

/// What the question is about, who can know it, and how to answer.
fn help(vocabulary: &Vocabulary, id: FactId, output: &mut dyn Write) -> io::Result<()> {
    let fact = vocabulary.fact(id);
    writeln!(output, "\n  It is about whether, or how: {}.", fact.says)?;
    writeln!(
        output,
        "  Where it stands: {} (`placet law show` tells an article in plain words).",
        fact.article
    )?;
    if !fact.who.is_empty() {
        writeln!(output, "  Who can know it: {}.", fact.who)?;
    }
    if fact.asserted {
        writeln!(
            output,
            "  It is an open legal word: somebody must answer for it by name (asserted_by in the file)."
        )?;
    }
    let how = match &fact.kind {
        Kind::Choice(list) if list.len() <= 20 => "a number of the list, or a word of it".to_owned(),
        Kind::Choice(_) => "one of the codes".to_owned(),
        Kind::Bool => "yes or no".to_owned(),
        Kind::Int { min, max, unit } => format!("a whole number of {unit} from {min} to {max}"),
        Kind::Day => "a date such as 2026-11-22".to_owned(),
    };
    writeln!(output, "  Answer with {how}; empty or ? if you do not know: what is not known never helps.\n")
}

fn answer(vocabulary: &Vocabulary, id: FactId, word: &str) -> Result<placet_rulebook::Value, String> {
    let fact = vocabulary.fact(id);
    if let Kind::Choice(list) = &fact.kind
        && let Some(choice) =
            word.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).and_then(|n| list.get(n))
    {
        return fact.read(&choice.id);
    }
    fact.read(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers by what the last question was about; what it has no answer for it does not know.
    struct Person<'a> {
        answers: &'a [(&'a str, &'a str)],
        heard: std::rc::Rc<std::cell::RefCell<Vec<u8>>>,
        line: io::Cursor<Vec<u8>>,
    }

    impl io::Read for Person<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.line.read(out)
        }
    }

    impl BufRead for Person<'_> {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            if self.line.fill_buf()?.is_empty() {
                let heard = String::from_utf8_lossy(&self.heard.borrow()).into_owned();
                let refused =
                    heard.rsplit("\n\n").next().is_some_and(|last| last.contains("cannot hold together"));
                let question = heard.lines().rev().find(|l| l.contains(" open]")).unwrap_or_default();
                let known = self.answers.iter().find(|(about, _)| question.contains(about) && !refused);
                self.line = io::Cursor::new(format!("{}\n", known.map_or("?", |(_, a)| a)).into_bytes());
            }
            self.line.fill_buf()
        }

        fn consume(&mut self, n: usize) {
            self.line.consume(n);
        }
    }

    struct Paper(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_interview_takes_no_answers_that_contradict_each_other() {
        let book = load().unwrap();
        let heard = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let mut person = Person {
            answers: &[
                ("Is it an AI system", "1"),
                ("What is done with it", "1"),
                ("In which Member State", "SE"),
                ("Who does it?", "1"),
                ("prevent, investigate", "yes"),
                ("nothing but military", "military"),
                ("faces, voices, gait", "yes"),
                ("How does it compare", "one_to_many"),
                ("live or in recordings", "real_time"),
                ("kind of place", "public"),
            ],
            heard: heard.clone(),
            line: io::Cursor::new(Vec::new()),
        };
        let as_of = "2026-11-22".parse().unwrap();
        let facts =
            interview(&book, &[TextId::Eu2026], as_of, &mut person, &mut Paper(heard.clone())).unwrap();
        let said = String::from_utf8(heard.take()).unwrap();
        assert!(said.contains("cannot hold together"), "{said}");
        assert_eq!(facts.check(book.vocabulary()), Ok(()));
        let outcome = book.decide(&facts, TextId::Eu2026, as_of).unwrap().outcome;
        assert_ne!(outcome, Outcome::Allowed, "{said}");
        // What an interview writes, the same program reads.
        Facts::parse(book.vocabulary(), "facts.toml", book.facts_toml(&facts).as_bytes()).unwrap();
    }

    #[test]
    fn an_interview_ends_when_nothing_can_change_the_answer() {
        let book = load().unwrap();
        let as_of = "2026-11-22".parse().unwrap();
        let mut input = io::Cursor::new("3\n");
        let mut output = Vec::new();
        // "Neither an AI system nor a model" settles everything at once.
        let facts = interview(&book, &[TextId::Eu2026], as_of, &mut input, &mut output).unwrap();
        let verdict = book.decide(&facts, TextId::Eu2026, as_of).unwrap();
        assert_eq!(verdict.outcome, Outcome::Allowed, "{}", String::from_utf8_lossy(&output));
    }
}
