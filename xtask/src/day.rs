//! `./x day`: a day's log with a face search in it, checked by three programs that share no code, and then tampered with
//! in every way that a host of the files could think of. What one accepts that it must not, or refuses, is a failure.

mod ask;
mod made;
mod tamper;

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{cargo, output, program, root, succeed, target_folder};
use ask::{Ours, Said, Shown, Verdict};
use made::Day;
use tamper::{Copy, LOGS, Others, PROOFS};

/// Runs it.
pub fn run() -> Result<(), String> {
    succeed(&mut cargo(&["build", "--quiet", "--package", "placet", "--package", "placet-verify"]))?;
    let place = root().join("target/day");
    if place.exists() {
        fs::remove_dir_all(&place).map_err(|e| format!("cannot clear `{}`: {e}", place.display()))?;
    }
    fs::create_dir_all(&place).map_err(|e| format!("cannot create `{}`: {e}", place.display()))?;

    println!("1. A day: five cameras, one statement a minute, three witnesses, a face search for an hour");
    // The day ends with the minute that this is in: later, the log would be silent.
    let now = output(program("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]))?.trim().to_owned();
    let told = output(live(&place.join("log")).arg("--minutes=1440"))?;
    told.lines().filter(|line| line.contains(" ticks of ")).for_each(|line| println!("   {line}"));
    // Of the same name and for the same cameras, by somebody who has other keys.
    let _ = output(live(&place.join("forger")).arg("--minutes=120"))?;
    let day = Day::open(&place.join("log"))?;
    let ours = Ours { day: &day, now };

    println!("\n2. The log and three proofs, checked by programs in three languages");
    sound(&ours)?;

    println!("\n3. Tampering, each with a copy of its own\n");
    let rows = tampered(&ours, &place)?;
    table(&rows);
    fs::write(place.join("said.txt"), said(&rows)).map_err(|e| format!("cannot write said.txt: {e}"))?;
    let (each, files) = every_file(&ours, &place)?;
    println!("\n   and one bit flipped in each of its {files} files in turn: {each} caught by ours");

    let missed: Vec<&str> = rows.iter().filter(|row| !row.as_it_should_be()).map(|row| row.words).collect();
    if !missed.is_empty() || each != files {
        return Err(format!("not as it should be: {}; {each} of {files} files", missed.join(", ")));
    }
    println!("\n{} of {0} tamperings caught, none of what is sound refused.", rows.len() - 1 + files);
    println!(
        "What each said: target/day/said.txt   The log: target/day/log/public   Its page: target/day/log/verify.html"
    );
    Ok(())
}

fn live(folder: &Path) -> std::process::Command {
    let mut placet = program(target_folder().join("debug/placet"));
    placet.args(["log", "day"]).arg(folder);
    placet
}

/// The log as it was published, the three questions and their proofs: everybody has to accept them, with the right answer.
fn sound(ours: &Ours<'_>) -> Result<(), String> {
    let (day, public) = (ours.day, ours.day.public());
    let accepted = |who: &str, said: &Said| {
        println!("   {who:<24}{}", said.words.chars().take(96).collect::<String>());
        let sound = said.verdict == Verdict::Sound;
        sound.then_some(()).ok_or_else(|| format!("{who} refused what is sound: {}", said.words))
    };
    let whole = ours.check(&public, None)?;
    let words =
        whole.words.split(" Against:").next().unwrap_or_default().replacen(" Checked,", "\n   Checked,", 1);
    accepted(
        "placet-verify (Rust)",
        &Said { words: words.lines().next().unwrap_or_default().to_owned(), ..whole },
    )?;
    let (go, npm) = ask::others(day, &[public])?;
    go.iter().try_for_each(|said| accepted("x/mod/sumdb (Go)", said))?;
    npm.iter().try_for_each(|said| accepted("@sigstore/verify (npm)", said))?;

    let proofs = [("searched", "STATED ON"), ("other", "STATED OFF"), ("before", "STATED OFF")];
    let mut shown = Vec::new();
    for (name, _) in proofs {
        shown.push(Shown::Log("public".to_owned(), day.question(&format!("{name}.json"))?));
        shown.push(Shown::Proof(day.folder.join(format!("proofs/{name}.json"))));
    }
    let page = ask::browser(day, &day.folder, &shown)?;
    for ((name, answer), page) in proofs.iter().zip(page.chunks(2)) {
        let proof = ours.check(&day.folder.join(format!("proofs/{name}.json")), None)?;
        if !std::iter::once(&proof).chain(page).all(|said| said.words.starts_with(answer)) {
            return Err(format!("{name}.json is not {answer} for all: {}, {page:?}", proof.words));
        }
        let asked = day.question(&format!("{name}.json"))?;
        println!("   {:<24}{} at {}: {answer}", "Rust and Chromium", asked.camera, asked.at);
    }
    Ok(())
}

/// One line of the table.
struct Row {
    words: &'static str,
    ours: Said,
    /// None where it is not for them to see.
    go: Option<Said>,
    npm: Option<Said>,
    browser: Option<Said>,
    wanted: Verdict,
}

impl Row {
    fn all(&self) -> [(&'static str, Option<&Said>); 4] {
        let Self { ours, go, npm, browser, .. } = self;
        [("ours", Some(ours)), ("Go", go.as_ref()), ("npm", npm.as_ref()), ("browser", browser.as_ref())]
    }

    fn as_it_should_be(&self) -> bool {
        self.all().iter().all(|(_, said)| said.is_none_or(|said| said.verdict == self.wanted))
    }
}

/// A copy with nothing changed, then every tampering.
fn tampered(ours: &Ours<'_>, place: &Path) -> Result<Vec<Row>, String> {
    let (mut rows, day) = (Vec::new(), ours.day);
    let copies = place.join("tampered");
    let mut logs = vec![copies.join("unchanged")];
    let _ = Copy::of(&day.public(), copies.join("unchanged"))?;
    for (number, tampering) in LOGS.iter().enumerate() {
        let copy = Copy::of(&day.public(), copies.join(format!("log-{:02}", number + 1)))?;
        (tampering.make)(day, &copy).map_err(|why| format!("{}: {why}", tampering.words))?;
        logs.push(copy.0);
    }
    let mut proofs = Vec::new();
    for (number, (words, change)) in PROOFS.iter().enumerate() {
        let (path, changed) = (copies.join(format!("proof-{}.json", number + 1)), change(day));
        if changed == day.proof {
            return Err(format!("{words}: nothing was changed"));
        }
        fs::write(&path, changed).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        proofs.push(path);
    }
    let (go, npm) = ask::others(day, &logs)?;
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut shown: Vec<Shown> =
        logs.iter().map(|path| Shown::Log(name(path), day.searched.clone())).collect();
    shown.extend(proofs.iter().cloned().map(Shown::Proof));
    let mut page = ask::browser(day, &copies, &shown)?.into_iter();

    let everyone = Others { go: true, npm: true, browser: true };
    let all = std::iter::once(("nothing", everyone, false, Verdict::Sound))
        .chain(LOGS.iter().map(|one| (one.words, one.others, one.since, Verdict::Caught)));
    let kept = day.public().join("checkpoint");
    for ((((words, others, since, wanted), log), go), npm) in all.zip(&logs).zip(go).zip(npm) {
        rows.push(Row {
            words,
            ours: ours.check(log, since.then_some(kept.as_path()))?,
            go: others.go.then_some(go),
            npm: others.npm.then_some(npm),
            browser: page.next().filter(|_| others.browser),
            wanted,
        });
    }
    for ((words, _), proof) in PROOFS.iter().zip(&proofs) {
        let (ours, browser) = (ours.check(proof, None)?, page.next());
        rows.push(Row { words, ours, go: None, npm: None, browser, wanted: Verdict::Caught });
    }
    Ok(rows)
}

/// Flips a bit in the middle of each file in turn; how many were caught, and how many files there are. The checkpoint is
/// not among them: one witness's signature in it may break, two of three suffice.
fn every_file(ours: &Ours<'_>, place: &Path) -> Result<(usize, usize), String> {
    let copy = Copy::of(&ours.day.public(), place.join("tampered/each"))?;
    let files = copy.files()?;
    let mut caught = 0;
    for path in &files {
        let length = fs::metadata(copy.0.join(path)).map_err(|e| format!("cannot read {path}: {e}"))?.len();
        let middle = usize::try_from(length / 2).unwrap_or_default();
        copy.flip(path, middle)?;
        match ours.check(&copy.0, None)?.verdict {
            Verdict::Caught => caught += 1,
            Verdict::Sound => eprintln!("not caught: a bit in the middle of {path}"),
        }
        copy.flip(path, middle)?;
    }
    let after = ours.check(&copy.0, None)?;
    if after.verdict != Verdict::Sound {
        return Err(format!("put back as it was, the copy is still refused: {}", after.words));
    }
    Ok((caught, files.len()))
}

fn table(rows: &[Row]) {
    println!("   {:<62}{:<9}{:<9}{:<9}browser", "what was changed", "ours", "Go", "npm");
    for row in rows {
        let cells =
            row.all().map(|(_, said)| said.map_or_else(|| "·".to_owned(), |said| said.verdict.to_string()));
        let wrong = if row.as_it_should_be() { "" } else { "   NOT AS IT SHOULD BE" };
        let [ours, go, npm, browser] = cells;
        println!("   {:<62}{ours:<9}{go:<9}{npm:<9}{browser}{wrong}", row.words);
    }
}

/// What everybody said of every row.
fn said(rows: &[Row]) -> String {
    let mut out = String::new();
    for row in rows {
        out.extend([row.words, "\n"]);
        for (who, said) in row.all() {
            if let Some(said) = said {
                out.push_str(&format!("    {who:<8} {}\n", said.words));
            }
        }
    }
    out
}
