//! What changes in a log of one's own: its key, its cameras; and what it says of people: shown in part, or erased.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use placet_audit::Reader;
use placet_confidential::Group;
use placet_core::Digest;
use placet_record::entry::{Disclosure, Event, FieldName, FieldValue, Leaf};
use placet_tlog::note::VerifierKey;
use serde_json::json;

use super::read::{read_error, write_new};
use super::source::{self, Opened};
use super::{
    ChangeKeyArgs, CheckDisclosureArgs, DiscloseArgs, EraseArgs, SetCamerasArgs, failed, home, now, usage,
};
use crate::Failure;
use crate::exit::Exit;
use crate::keys;
use crate::progress::printable;

/// `placet log change-key`
pub fn key(args: &ChangeKeyArgs) -> Result<Exit, Failure> {
    let home = &args.home;
    home::no_alarm(home)?;
    let (mut keeper, _) = home::open(home)?;
    let (current, next) = (home.join("log.key"), home.join("log.next.key"));
    if next.exists() {
        // An earlier change stopped on the way; the log knows whether the new key is in force.
        let key = keys::read(&next)?.verifier_key();
        if keeper.signs_with(&key) {
            settle(home, &key)?;
        } else {
            fs::remove_file(&next).map_err(|e| Failure::Io(next.display().to_string(), e))?;
        }
        println!("an earlier change of key has been settled; run this again if you want another");
        return Ok(Exit::Done);
    }
    let old = keys::read(&current)?;
    let key = keys::make(&next, Some(keeper.genesis().origin.as_str()))?;
    let new = key.verifier_key();
    let written = keeper.change_key(now()?, key).map_err(|e| home::keeper_error(home, &e))?;
    settle(home, &new)?;
    println!("entry {} says so, signed by the old key {}", written.index, old.verifier_key());
    println!("from {} entries on the log is signed with: {new}", written.index + 2);
    eprintln!(
        "publish the new key where people trust you: readers' policies need both `log` lines, and so do your witnesses', who must start again with them before they cosign anything more. The old private key is `log.key.old`: keep it off this machine, or destroy it"
    );
    Ok(Exit::Done)
}

/// Puts the files of the home in order after a change to `new`. The next key's own name goes last: while it is there, this can
/// be done again.
fn settle(home: &Path, new: &VerifierKey) -> Result<(), Failure> {
    let (current, next, old) = (home.join("log.key"), home.join("log.next.key"), home.join("log.key.old"));
    let policy = home.join("policy");
    let text = fs::read_to_string(&policy).map_err(|e| Failure::Io(policy.display().to_string(), e))?;
    let line = format!("log {new}");
    if !text.lines().any(|there| there == line) {
        let whole = tempfile::NamedTempFile::new_in(home).and_then(|mut file| {
            write!(file, "{line}\n{text}")?;
            file.as_file().set_permissions(fs::metadata(&policy)?.permissions())?;
            file.as_file().sync_all()?;
            Ok(file.persist(&policy)?)
        });
        whole.map_err(|e| Failure::Io(policy.display().to_string(), e))?;
    }
    let done = fs::copy(&current, &old).and_then(|_| fs::rename(&next, &current));
    done.map_err(|e| Failure::Io(next.display().to_string(), e))
}

/// `placet log set-cameras`
pub fn cameras(args: &SetCamerasArgs) -> Result<Exit, Failure> {
    home::no_alarm(&args.home)?;
    let (mut keeper, _) = home::open(&args.home)?;
    let roster = home::cameras(&args.cameras, Some(keeper.cameras()))?;
    let written = keeper.set_cameras(now()?, &roster).map_err(|e| home::keeper_error(&args.home, &e))?;
    println!("entry {}: {} cameras, from the next tick on", written.index, roster.iter().count());
    Ok(Exit::Done)
}

/// `placet log disclose`
pub fn disclose(args: &DiscloseArgs) -> Result<Exit, Failure> {
    let (mut archive, _) = home::open_archive(&args.home)?;
    let event = event_at(archive.keeper().published(), args.index)?;
    let fields: Vec<FieldName> = args.field.clone();
    let disclosure = archive.confidential().disclose(event.id, &fields);
    let disclosure = disclosure.map_err(|error| match error {
        placet_confidential::Error::Disclosure { .. } => usage(&error),
        placet_confidential::Error::NoRecord { .. } => Failure::Unavailable(placet_job::chain(&error)),
        error => failed(&error),
    })?;
    write_new(&args.output, &disclosure.to_bytes().map_err(|e| failed(&e))?)?;
    println!(
        "{}: {} of entry {}, and nothing else of it",
        args.output.display(),
        names(&disclosure),
        args.index
    );
    Ok(Exit::Done)
}

fn event_at(published: placet_keeper::Published, index: u64) -> Result<Event, Failure> {
    let entry = published.reader().entry(index).map_err(|e| failed(&e))?;
    match entry.map(|entry| Leaf::parse(&entry)) {
        Some(Ok(Leaf::Event(event))) => Ok(event),
        Some(_) => Err(Failure::Usage(format!("entry {index} is no event, and commits to nothing"))),
        None => Err(Failure::Usage(format!("the log has no entry {index}"))),
    }
}

fn names(disclosure: &Disclosure) -> String {
    disclosure.names().iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

/// `placet log check-disclosure`
pub fn check_disclosure(args: &CheckDisclosureArgs) -> Result<Exit, Failure> {
    let bytes = fs::read(&args.disclosure)
        .map_err(|e| Failure::Usage(format!("cannot read `{}`: {e}", args.disclosure.display())))?;
    let disclosure = Disclosure::parse(&bytes).map_err(|e| usage(&e))?;
    let Opened { source, policy, .. } = &source::open(&args.log)?;
    let reader = Reader::open(source.as_ref(), policy).map_err(|e| read_error(&e))?;
    let leaf = reader.leaf(args.index).map_err(|e| read_error(&e))?;
    let Leaf::Event(event) = leaf else {
        return Err(Failure::Usage(format!("entry {} is no event, and commits to nothing", args.index)));
    };
    let fields = disclosure.verify(&event.commitment).map_err(|e| Failure::Invalid(placet_job::chain(&e)))?;
    for (name, value) in fields {
        let text = match value {
            FieldValue::Text(text) => text.clone(),
            FieldValue::Number(number) => number.to_string(),
        };
        if args.log.json {
            println!("{}", json!({ "field": name.as_str(), "value": text }));
        } else {
            println!("{name}: {}", printable(&text));
        }
    }
    eprintln!("entry {}, {} at {}, committed to that", args.index, event.kind.key(), event.at);
    Ok(Exit::Done)
}

/// `placet log erase`
pub fn erase(args: &EraseArgs) -> Result<Exit, Failure> {
    let order: Digest = args.order.parse().map_err(|e| usage(&e))?;
    let (mut archive, _) = home::open_archive(&args.home)?;
    // An entry is for good: a mistyped order must not make one.
    if archive.confidential().group(Group::Order(order)).is_ok_and(|records| records.is_empty()) {
        let words = format!(
            "no record of the order {order} is here: it was erased before, or is another; nothing was done"
        );
        return Err(Failure::Unavailable(words));
    }
    let (erased, recorded) =
        archive.erase(now()?, Group::Order(order), &args.ground).map_err(|e| failed(&e))?;
    println!(
        "{} records of the order erased with their key; the log keeps commitments that mean nothing any more",
        erased.events.len()
    );
    if let Some(written) = recorded.written {
        println!("entry {} says so", written.index);
    }
    if !erased.deposits_kept.is_empty() {
        println!(
            "{} deposits are kept for the oversight body, which alone can open them",
            erased.deposits_kept.len()
        );
    }
    Ok(Exit::Done)
}
