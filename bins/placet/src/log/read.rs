//! Reading a log as a stranger does: everything is checked against the policy before it is told.

use std::fs;
use std::path::Path;

use placet_audit::{Answer, ProveError, ReadError, Reader, Unknown, prove as prove_statement};
use placet_record::entry::Moment;
use placet_tlog::proof::Proof;
use serde_json::{Value, json};

use super::source::{self, Opened};
use super::{GetArgs, LogArgs, ProveArgs, WasItOnArgs, failed, now};
use crate::Failure;
use crate::exit::Exit;
use crate::progress::printable;

type LogReader = Reader<Box<dyn placet_audit::Source>>;

fn reader(opened: Opened) -> Result<LogReader, Failure> {
    let Opened { source, policy, .. } = opened;
    Reader::open(source, &policy).map_err(|e| read_error(&e))
}

/// What was asked for and is not there, a log that cannot be had, and one that does not hold.
pub fn read_error(error: &ReadError) -> Failure {
    let words = placet_job::chain(error);
    match error {
        ReadError::NoSuchEntry { .. } => Failure::Usage(words),
        error if error.is_unavailable() => Failure::Unavailable(words),
        _ => Failure::Invalid(words),
    }
}

/// `placet log status`
pub fn status(args: &LogArgs) -> Result<Exit, Failure> {
    let reader = reader(source::open(args)?)?;
    let now = now()?;
    let genesis = reader.genesis().clone();
    let last = reader.last_tick().map_err(|e| read_error(&e))?;
    let witnessed = reader.accepted().witnessed_at().and_then(Moment::from_unix_seconds);
    let stated = last.as_ref().and_then(|t| t.what.start.plus(genesis.interval));
    let silent = stated.filter(|until| *until < now);
    let cameras = match &last {
        Some(tick) => {
            let roster = reader.roster(&tick.what.roster).map_err(|e| read_error(&e))?;
            roster.iter().map(|(_, camera)| camera.to_string()).collect()
        }
        None => Vec::new(),
    };
    if args.json {
        let out = json!({
            "cameras": cameras,
            "origin": genesis.origin.to_string(), "size": reader.size(), "mode": genesis.mode.key(),
            "interval": genesis.interval, "reveal_delay": genesis.reveal_delay, "slots": genesis.slots,
            "last_tick": last.as_ref().map(|t| t.what.n), "stated_until": stated.map(|s| s.to_string()),
            "witnessed_at": witnessed.map(|w| w.to_string()), "silent_since": silent.map(|s| s.to_string()),
        });
        println!("{out}");
    } else {
        println!(
            "{}: {} entries, {}, a tick each {} s, {} slots",
            genesis.origin,
            reader.size(),
            genesis.mode.key(),
            genesis.interval,
            genesis.slots
        );
        match &last {
            Some(tick) => println!("last tick: {}, for the interval from {}", tick.what.n, tick.what.start),
            None => println!("no tick yet"),
        }
        println!("cameras: {}", cameras.join(" "));
        match witnessed {
            Some(at) => println!("witnessed by as many as the policy asks for at {at}"),
            None => println!("UNWITNESSED: the policy asks for no witness, so only the log's own key speaks"),
        }
        if let Some(since) = silent {
            println!("SILENT since {since}: nothing is stated of what came after");
        }
    }
    Ok(if silent.is_some() { Exit::Failed } else { Exit::Done })
}

/// `placet log get`
pub fn get(args: &GetArgs) -> Result<Exit, Failure> {
    let reader = reader(source::open(&args.log)?)?;
    let size = reader.size();
    let first = args.index.unwrap_or(size.saturating_sub(args.count));
    if first >= size {
        return Err(Failure::Usage(format!("the log has {size} entries, 0 to {}", size.saturating_sub(1))));
    }
    for index in first..size.min(first.saturating_add(args.count)) {
        let entry = reader.entry(index).map_err(|e| read_error(&e))?;
        let text = String::from_utf8_lossy(&entry);
        if args.log.json {
            println!("{}", json!({ "index": index, "entry": text }));
        } else {
            println!("{index} {}", printable(&text));
        }
    }
    Ok(Exit::Done)
}

/// `placet log prove`
pub fn prove(args: &ProveArgs) -> Result<Exit, Failure> {
    let opened = source::open(&args.log)?;
    let reader = reader(opened)?;
    let entry = reader.entry(args.index).map_err(|e| read_error(&e))?;
    let hashes = reader.inclusion_proof(args.index).map_err(|e| read_error(&e))?;
    let checkpoint = String::from_utf8_lossy(reader.served()).into_owned();
    let proof = Proof { extra: None, index: args.index, hashes, checkpoint };
    proof.verify(&entry, reader.policy()).map_err(|e| Failure::Invalid(placet_job::chain(&e)))?;
    let text = if args.log.json {
        let entry = String::from_utf8_lossy(&entry);
        format!("{}\n", json!({ "index": args.index, "entry": entry, "proof": proof.to_string() }))
    } else {
        proof.to_string()
    };
    match &args.output {
        Some(path) => write_new(path, text.as_bytes())?,
        None => print!("{text}"),
    }
    Ok(Exit::Done)
}

/// `placet log was-it-on`
pub fn was_it_on(args: &WasItOnArgs) -> Result<Exit, Failure> {
    let reader = reader(source::open(&args.log)?)?;
    let proof = prove_statement(&reader, &args.camera, args.at).map_err(|error| match error {
        ProveError::Read(error) => read_error(&error),
        error => Failure::Invalid(placet_job::chain(&error)),
    })?;
    // What is told is what the proof shows, and nothing that was seen on the way.
    let statement =
        proof.verify(reader.policy(), now()?).map_err(|e| Failure::Invalid(placet_job::chain(&e)))?;
    let exit = match &statement.answer {
        Answer::Off | Answer::On { .. } | Answer::WillBeShown { .. } => Exit::Done,
        Answer::Unknown(_) => Exit::CannotSay,
    };
    if let Some(path) = &args.proof {
        write_new(path, &proof.to_bytes().map_err(|e| failed(&e))?)?;
    }
    if args.log.json {
        println!(
            "{}",
            json!({
                "camera": statement.camera.as_str(), "at": statement.at.to_string(), "answer": answer(&statement.answer),
                "origin": statement.origin.to_string(), "size": statement.size, "words": statement.to_string(),
            })
        );
    } else {
        println!("{}", printable(&statement.to_string()));
        if let Some(path) = &args.proof {
            eprintln!(
                "proof: {}; check it with: placet-verify --policy POLICY {}",
                path.display(),
                path.display()
            );
        }
    }
    Ok(exit)
}

fn answer(answer: &Answer) -> Value {
    match answer {
        Answer::On { purpose, order, authority, .. } => json!({
            "stated": "on", "purpose": purpose.key(), "order": order.to_string(),
            "authority": authority.as_ref().map(|a| a.as_str()),
        }),
        Answer::Off => json!({ "stated": "off" }),
        Answer::WillBeShown { by } => json!({ "stated": "will_be_shown", "by": by.to_string() }),
        Answer::Unknown(why) => json!({ "stated": "unknown", "why": match why {
            Unknown::Gap => "gap",
            Unknown::NotYet => "not_yet",
            Unknown::BeforeTheLog => "before_the_log",
            Unknown::NotACamera => "not_a_camera",
            Unknown::NoAnswer => "no_answer",
            Unknown::Overdue { .. } => "overdue",
        }}),
    }
}

/// Writes a file that is not there yet.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if path.exists() {
        return Err(Failure::Usage(format!("`{}` exists: choose another name", path.display())));
    }
    fs::write(path, bytes).map_err(|e| Failure::Io(path.display().to_string(), e))
}
