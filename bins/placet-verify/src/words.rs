//! What the program says. Whatever comes from a log is shown without characters that could hide or move others.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use placet_audit::{Answer, Counted, Invalid, Noted, Report, Statement, StatementProof, Unknown, Witnessed};
use placet_core::{UtcTime, is_unseen};
use placet_record::entry::{Json, Moment};
use placet_tlog::checkpoint::SignedCheckpoint;
use placet_tlog::policy::Policy;

use crate::exit::Exit;

/// Foreign text for a terminal: what cannot be seen is shown as its number.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unseen(c) && c != '\n' { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// An error with all that led to it, each said once.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.ends_with(&words) {
            let _ = write!(text, ": {words}");
        }
        cause = error.source();
    }
    text
}

/// Foreign text on one line.
fn line(text: &str) -> String {
    printable(&text.replace('\n', " "))
}

/// What a proof states.
pub fn statement(
    statement: &Statement,
    proof: &StatementProof,
    policy: &Policy,
    path: &Path,
    now: Moment,
) -> String {
    let mut out = format!("{}\n\n", line(&statement.to_string()));
    let checkpoint = policy.accept(proof.checkpoint.as_bytes()).ok();
    let cosigned = checkpoint.map_or(0, |accepted| accepted.cosignatures().len());
    let parts = [
        ("the genesis", true),
        ("the tick", proof.tick.is_some()),
        ("the next tick", proof.next.is_some()),
        ("the roster", proof.roster.is_some()),
        ("the slot", proof.slot.is_some()),
        ("the reveal", proof.reveal.is_some()),
        ("the order's public event", proof.order.is_some()),
        ("what witnesses saw when the tick was new", proof.cosigned.is_some()),
    ];
    let parts: Vec<&str> = parts.iter().filter(|(_, there)| *there).map(|(part, _)| *part).collect();
    let _ = writeln!(
        out,
        "Checked, as of {now}: {}, each under a checkpoint of {} entries.",
        parts.join(", "),
        statement.size
    );
    pinned(&mut out, policy, path, cosigned);
    out.push_str(
        "Not checked: whether the log keeps its rules elsewhere, such as by stating each time once only; a proof cannot show \
         that, the whole log can (placet-verify FOLDER or URL). Whether what it states is true: it shows what was stated, and \
         since when.\n",
    );
    out
}

/// Against what it was checked.
fn pinned(out: &mut String, policy: &Policy, path: &Path, cosigned: usize) {
    let logs = policy.logs().iter().map(|log| format!("{}+{}", log.key.name(), log.key.id()));
    let logs = line(&logs.collect::<Vec<_>>().join(", "));
    let _ = writeln!(
        out,
        "Against: the policy `{}`, which pins the log key {logs}.",
        line(&path.display().to_string())
    );
    if policy.asks_for_witnesses() {
        let known = policy.witnesses().len();
        let _ = writeln!(
            out,
            "         Its witness policy is met: {cosigned} of {known} witnesses cosigned the checkpoint."
        );
    } else {
        out.push_str("         It asks for no witness: the log's key alone is believed, and could have signed two histories.\n");
    }
}

/// What an audit found.
pub fn report(
    report: &Report,
    policy: &Policy,
    path: &Path,
    now: Moment,
    since: Option<&SignedCheckpoint>,
) -> String {
    let checkpoint = report.accepted.checkpoint();
    let mut out = format!(
        "{}: the log `{}` at {} entries",
        verdict(report, policy),
        line(checkpoint.origin.as_str()),
        checkpoint.size
    );
    match report.accepted.witnessed_at().and_then(UtcTime::from_unix_seconds) {
        Some(at) => out.push_str(&format!(", witnessed at {at}.\n\n")),
        None => out.push_str(", unwitnessed.\n\n"),
    }
    list(&mut out, "Wrong", report.invalid.iter().map(invalid), report.invalid_beyond);
    list(&mut out, "To know", notes(report, policy).into_iter(), report.notices_beyond);
    counted(&mut out, &report.counted, now);
    if let Some(since) = since {
        let size = since.checkpoint().size;
        let _ = writeln!(out, "         That the {size} entries which you knew before are its beginning.");
    }
    pinned(&mut out, policy, path, report.accepted.cosignatures().len());
    out.push_str(
        "Not checked: whether others were shown another history, beyond what witnesses and an older checkpoint (--since) rule out; \
         whether what is stated is true, and of all cameras there are; what events commit to, which is not published.\n",
    );
    out
}

/// What is worth knowing: what the audit noticed, and ticks that were not witnessed in time by as many as the policy asks for.
pub fn notes(report: &Report, policy: &Policy) -> Vec<String> {
    let mut out: Vec<String> = report.notices.iter().map(ToString::to_string).collect();
    let unwitnessed = report.counted.unwitnessed;
    if unwitnessed > 0 && policy.asks_for_witnesses() {
        out.push(format!("{unwitnessed} ticks had too few witnesses when the next one was due: what they state was not stated in time"));
    }
    out
}

fn verdict(report: &Report, policy: &Policy) -> &'static str {
    match (report.has_misbehaved(), report.is_sound(), notes(report, policy).is_empty()) {
        (true, ..) => "MISBEHAVIOUR",
        (false, false, _) => "INVALID",
        (false, true, false) => "SOUND, WITH NOTES",
        (false, true, true) => "SOUND",
    }
}

fn invalid(noted: &Noted<Invalid>) -> String {
    let words = chain(&noted.what);
    noted.index.map_or_else(|| words.clone(), |index| format!("entry {index}: {words}"))
}

/// The most findings of a kind that are told in words.
const MAX_SHOWN: usize = 20;

fn list(out: &mut String, title: &str, items: impl Iterator<Item = String>, beyond: u64) {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "{title}:");
    for item in items.iter().take(MAX_SHOWN) {
        let _ = writeln!(out, "- {}", line(item));
    }
    let beyond = beyond + items.len().saturating_sub(MAX_SHOWN) as u64;
    if beyond > 0 {
        let _ = writeln!(out, "- and {beyond} more (--json lists up to 1,000)");
    }
    out.push('\n');
}

fn counted(out: &mut String, counted: &Counted, now: Moment) {
    let Counted {
        entries,
        bundles,
        tiles,
        ticks,
        opened,
        slots,
        events,
        rosters,
        cosigned,
        in_time,
        unwitnessed,
    } = counted;
    let _ = writeln!(
        out,
        "Checked, as of {now}: {entries} entries in {bundles} bundles, and {tiles} tiles computed from them; {ticks} ticks"
    );
    let _ = writeln!(
        out,
        "         with their slots, {opened} of them opened ({slots} slots); {events} events; {rosters} rosters."
    );
    let _ = writeln!(
        out,
        "         {cosigned} ticks had enough witnesses when the next one was due, {in_time} of them before their interval began; \
         {unwitnessed} had not."
    );
}

fn json(pairs: Vec<(String, Json)>) -> String {
    // What is shown here has no number of 2^53 or more; were there one, no line would be better than a wrong one.
    let bytes = Json::Object(pairs).canonical(usize::MAX).unwrap_or_default();
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    text.push('\n');
    text
}

fn count(number: u64) -> Json {
    Json::Int(number.min((1 << 53) - 1))
}

/// An audit as one line of JSON.
pub fn report_json(report: &Report, policy: &Policy, exit: Exit) -> String {
    let checkpoint = report.accepted.checkpoint();
    let Counted {
        entries,
        bundles,
        tiles,
        ticks,
        opened,
        slots,
        events,
        rosters,
        cosigned,
        in_time,
        unwitnessed,
    } = report.counted;
    let counted = Json::object([
        ("entries", count(entries)),
        ("bundles", count(bundles)),
        ("tiles", count(tiles)),
        ("ticks", count(ticks)),
        ("opened", count(opened)),
        ("slots", count(slots)),
        ("events", count(events)),
        ("rosters", count(rosters)),
        ("cosigned", count(cosigned)),
        ("in_time", count(in_time)),
        ("unwitnessed", count(unwitnessed)),
    ]);
    let invalid = report.invalid.iter().map(|noted| found(noted.index, &chain(&noted.what)));
    let notices = report.notices.iter().map(|noted| found(noted.index, &noted.what.to_string()));
    json(Json::object([
        ("type", Json::text("audit")),
        ("verdict", Json::text(verdict(report, policy))),
        ("exit", count(exit.code().into())),
        ("origin", Json::text(&checkpoint.origin)),
        ("size", count(checkpoint.size)),
        ("counted", Json::Object(counted)),
        ("invalid", Json::List(invalid.collect())),
        ("invalid_beyond", count(report.invalid_beyond)),
        ("notices", Json::List(notices.collect())),
        ("notices_beyond", count(report.notices_beyond)),
    ]))
}

fn found(index: Option<u64>, what: &str) -> Json {
    let mut pairs = Json::object([("what", Json::text(what))]);
    pairs.extend(index.map(|index| ("index".to_owned(), count(index))));
    Json::Object(pairs)
}

/// A statement as one line of JSON.
pub fn statement_json(statement: &Statement, exit: Exit) -> String {
    let mut pairs = Json::object([
        ("type", Json::text("statement")),
        ("answer", Json::text(answer(&statement.answer))),
        ("exit", count(exit.code().into())),
        ("camera", Json::text(&statement.camera)),
        ("at", Json::text(statement.at)),
        ("origin", Json::text(&statement.origin)),
        ("size", count(statement.size)),
        ("witnessed", Json::text(witnessed(statement.witnessed))),
        ("words", Json::text(statement)),
    ]);
    let time = match statement.witnessed {
        Witnessed::InTime { at } | Witnessed::Late { at } | Witnessed::NowOnly { at } => {
            UtcTime::from_unix_seconds(at)
        }
        Witnessed::Unwitnessed => None,
    };
    pairs.extend(time.map(|time| ("witnessed_at".to_owned(), Json::text(time))));
    pairs.extend(statement.tick.map(|tick| ("tick".to_owned(), count(tick.n))));
    json(pairs)
}

fn witnessed(witnessed: Witnessed) -> &'static str {
    match witnessed {
        Witnessed::InTime { .. } => "in_time",
        Witnessed::Late { .. } => "late",
        Witnessed::NowOnly { .. } => "now_only",
        Witnessed::Unwitnessed => "unwitnessed",
    }
}

fn answer(answer: &Answer) -> &'static str {
    match answer {
        Answer::On { .. } => "on",
        Answer::Off => "off",
        Answer::WillBeShown { .. } => "will_be_shown",
        Answer::Unknown(Unknown::Gap) => "unknown_gap",
        Answer::Unknown(Unknown::NotYet) => "unknown_not_yet",
        Answer::Unknown(Unknown::BeforeTheLog) => "unknown_before_the_log",
        Answer::Unknown(Unknown::NotACamera) => "unknown_not_a_camera",
        Answer::Unknown(Unknown::NoAnswer) => "unknown_no_answer",
        Answer::Unknown(Unknown::Overdue { .. }) => "unknown_overdue",
    }
}
