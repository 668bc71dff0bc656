//! Deposits: the key of the body they are for, and opening one.

use std::fs;

use placet_audit::Reader;
use placet_deposit::{Deposit, OpenError, OversightSecret};
use placet_record::entry::{Event, Leaf};
use serde_json::json;

use super::read::read_error;
use super::source::{self, Opened};
use super::{OpenDepositArgs, OversightKeyArgs, failed, usage};
use crate::Failure;
use crate::exit::Exit;
use crate::keys;
use crate::progress::printable;

/// `placet log oversight-key`
pub fn make_key(args: &OversightKeyArgs) -> Result<Exit, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(keys::KeyError::Random)?;
    let secret = OversightSecret::from_seed(seed);
    keys::keep(&args.output, secret.secret_text().expose())?;
    println!("{}", secret.public_key());
    eprintln!(
        "private half: {} (keep it secret); public half above, for `placet log create --oversight`",
        args.output.display()
    );
    Ok(Exit::Done)
}

/// `placet log open-deposit`
pub fn open(args: &OpenDepositArgs) -> Result<Exit, Failure> {
    let bytes = fs::read(&args.deposit)
        .map_err(|e| Failure::Usage(format!("cannot read `{}`: {e}", args.deposit.display())))?;
    let deposit = Deposit::parse(&bytes).map_err(|e| usage(&e))?;
    let text = keys::read_secret(&args.key)?;
    let secret: OversightSecret = text.trim_end().parse().map_err(|e| {
        Failure::Usage(format!("`{}` is no oversight key: {}", args.key.display(), placet_job::chain(&e)))
    })?;
    let Opened { source, policy, .. } = &source::open(&args.log)?;
    let reader = Reader::open(source.as_ref(), policy).map_err(|e| read_error(&e))?;
    let (index, event) = event_of(&reader, &deposit)?;
    let origin = &reader.genesis().origin;
    let committed = deposit.open(&secret, origin, &event).map_err(|error| match error {
        OpenError::Key => {
            Failure::Refused("the deposit was made for another oversight body's key".to_owned())
        }
        // The log names this very file: whatever is wrong with it is the log's doing.
        error => Failure::Invalid(format!(
            "EVIDENCE AGAINST THE LOG, keep the file: {}",
            placet_job::chain(&error)
        )),
    })?;
    let record = committed.record.to_bytes().map_err(|e| failed(&e))?;
    if args.log.json {
        let record: serde_json::Value = serde_json::from_slice(&record).map_err(Failure::internal)?;
        let (kind, at) = (event.kind.key(), event.at.to_string());
        println!("{}", json!({ "index": index, "kind": kind, "at": at, "record": record }));
        return Ok(Exit::Done);
    }
    eprintln!("entry {index} of {origin}: {} at {}, committed to what follows", event.kind.key(), event.at);
    println!("{}", printable(&String::from_utf8_lossy(&record)));
    Ok(Exit::Done)
}

/// The event that names a deposit.
fn event_of<S: placet_audit::Source>(reader: &Reader<S>, deposit: &Deposit) -> Result<(u64, Event), Failure> {
    let digest = deposit.digest();
    for index in 0..reader.size() {
        let leaf = reader.leaf(index).map_err(|e| read_error(&e))?;
        if let Leaf::Event(event) = leaf
            && event.deposit == Some(digest)
        {
            return Ok((index, event));
        }
    }
    Err(Failure::Refused(format!(
        "no event of the log names a deposit with the digest {digest}: nothing says that it is the log's"
    )))
}
