//! What was stated, checked.

use placet_job::chain;
use placet_record::unsealing::Statement;

use super::{CheckArgs, read};
use crate::Failure;
use crate::exit::Exit;
use crate::manifests::{self, counted};

/// `placet disclose check`
pub fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let key = manifests::verifier(args.key.as_deref())?;
    let statement = match Statement::open(&read(&args.statement)?, std::slice::from_ref(&key)) {
        Ok(statement) => statement,
        Err(e) => {
            eprintln!("not genuine: {}", chain(&e));
            return Ok(Exit::Invalid);
        }
    };
    println!("signed by {key}");
    println!(
        "camera {}, {} to {}, ground {}: {} from {}",
        statement.camera,
        statement.from,
        statement.until,
        statement.ground.key(),
        counted(statement.clip.pictures, "picture"),
        counted(statement.clip.segments, "segment")
    );
    println!("order {}; said first by entry {} of {}", statement.order, statement.entry, statement.log);
    println!(
        "left visible: {}",
        match statement.kept.as_slice() {
            [] => "nobody".to_owned(),
            tracks => format!("track {}", super::open::numbers(tracks)),
        }
    );
    if statement.gaps.count() > 0 {
        println!("{} for which there is nothing", counted(statement.gaps.count(), "while"));
    }
    let Some(file) = &args.output else { return Ok(Exit::Done) };
    let facts = placet_job::digest_of(file).map_err(|e| Failure::Io(file.display().to_string(), e))?;
    let same = facts.digest == statement.clip.digest;
    println!("{}: {}", file.display(), if same { "the clip of the statement" } else { "ANOTHER FILE" });
    Ok(if same { Exit::Done } else { Exit::Invalid })
}
