//! Orders written and signed.

use std::io::Write as _;

use placet_job::chain;
use placet_record::unsealing::Order;

use super::{AskArgs, SignArgs, read};
use crate::exit::Exit;
use crate::progress::printable;
use crate::{Failure, keys, log, redact};

/// `placet disclose ask`
pub fn ask(args: &AskArgs) -> Result<Exit, Failure> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(keys::KeyError::Random)?;
    let mut keep = args.keep_track.clone();
    keep.sort_unstable();
    keep.dedup();
    let order = Order {
        id,
        asked: log::now()?,
        log: args.log.clone(),
        camera: args.camera.clone(),
        from: args.from,
        until: args.to,
        ground: args.ground.into(),
        reference: args.reference.clone(),
        keep,
    };
    let text = order.text().map_err(Failure::usage)?;
    match &args.output {
        Some(file) => redact::write_new(file, text.as_bytes())?,
        None => std::io::stdout()
            .write_all(text.as_bytes())
            .map_err(|e| Failure::Io("standard output".to_owned(), e))?,
    }
    eprintln!(
        "it opens nothing yet: two different people sign it with `placet disclose sign`, within seven days"
    );
    Ok(Exit::Done)
}

/// `placet disclose sign`
pub fn sign(args: &SignArgs) -> Result<Exit, Failure> {
    let file = read(&args.order)?;
    let key = keys::read(&args.key)?;
    let (order, signed) = Order::sign(&file, &key)
        .map_err(|e| Failure::Usage(format!("`{}` was not signed: {}", args.order.display(), chain(&e))))?;
    redact::write_whole(&args.order, signed.as_bytes())?;
    eprintln!("signed with {}: {}", key.verifier_key(), printable(&shown(&order)));
    Ok(Exit::Done)
}

/// An order in words.
pub fn shown(order: &Order) -> String {
    let keep = match order.keep.as_slice() {
        [] => "everybody is hidden".to_owned(),
        tracks => format!("left visible: track {}", super::open::numbers(tracks)),
    };
    format!(
        "camera {}, {} to {}, ground {}, {}; {keep}; said first by the log {}",
        order.camera,
        order.from,
        order.until,
        order.ground.key(),
        order.reference.as_str(),
        order.log
    )
}
