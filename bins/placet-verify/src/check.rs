//! What the program does: reads what it was given, asks `placet-audit`, and says what came of it.

use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;

use placet_audit::{
    Answer, MAX_CHECKPOINT, MAX_PROOF_FILE, Reader, Report, Source, Statement, StatementProof, audit, prove,
};
use placet_record::entry::Moment;
use placet_tlog::checkpoint::SignedCheckpoint;
use placet_tlog::note::VerifierKey;
use placet_tlog::policy::Policy;

use crate::args::{Args, Input};
use crate::exit::{Exit, Failure};
use crate::folder::{Folder, read_up_to};
use crate::pinned;
use crate::web::Web;
use crate::words;

/// The longest policy file, in bytes.
const MAX_POLICY: u64 = 1 << 20;

/// Checks what was asked for: what to say, and how to end.
pub fn run(args: &Args) -> Result<(String, Exit), Failure> {
    let judged = match &args.input {
        Input::Path(path) => Some(path.as_path()),
        Input::Url(_) => None,
    };
    if let Some(path) = judged {
        fs::metadata(path).map_err(|source| Failure::Input { path: path.to_owned(), source })?;
    }
    let bytes = pinned::read(&args.policy, "policy", MAX_POLICY, judged)?;
    let policy =
        Policy::parse(&bytes).map_err(|source| Failure::Policy { path: args.policy.clone(), source })?;
    let since = args.since.as_deref().map(|path| kept(path, &policy, judged)).transpose()?;
    let now = args.now.map_or_else(clock, Ok)?;
    match &args.input {
        Input::Url(url) => log(args, &Web::new(url), &policy, now, since.as_ref()),
        Input::Path(path) if path.is_dir() => log(args, &Folder::new(path), &policy, now, since.as_ref()),
        Input::Path(path) if args.question.is_some() || since.is_some() => Err(Failure::Usage(format!(
            "`{}` is no folder: `--camera`, `--at` and `--since` are about a whole log",
            path.display()
        ))),
        Input::Path(path) => proof(args, path, &policy, now),
    }
}

fn clock() -> Result<Moment, Failure> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|_| Failure::Clock)?;
    Moment::from_unix_seconds(since_1970.as_secs()).ok_or(Failure::Clock)
}

/// A checkpoint that the caller kept.
fn kept(path: &Path, policy: &Policy, judged: Option<&Path>) -> Result<SignedCheckpoint, Failure> {
    let bytes = pinned::read(path, "older checkpoint", MAX_CHECKPOINT, judged)?;
    let keys: Vec<VerifierKey> = policy.logs().iter().map(|log| log.key.clone()).collect();
    SignedCheckpoint::open(&bytes, &keys).map_err(|source| Failure::Since { path: path.to_owned(), source })
}

/// A proof out of a file.
fn proof(args: &Args, path: &Path, policy: &Policy, now: Moment) -> Result<(String, Exit), Failure> {
    let input = |source| Failure::Input { path: path.to_owned(), source };
    let limit = MAX_PROOF_FILE as u64;
    let bytes = File::open(path).and_then(|file| read_up_to(file, limit)).map_err(input)?;
    // A file too long to be a proof is refused as one byte more would be.
    let bytes = bytes.unwrap_or_else(|| vec![b' '; MAX_PROOF_FILE + 1]);
    let proof =
        StatementProof::parse(&bytes).map_err(|source| Failure::Form { path: path.to_owned(), source })?;
    let statement = proof.verify(policy, now).map_err(|source| Failure::Invalid { source })?;
    Ok(answer(args, policy, now, &proof, &statement))
}

/// A whole log, or one statement out of it.
fn log<S: Source>(
    args: &Args,
    source: &S,
    policy: &Policy,
    now: Moment,
    since: Option<&SignedCheckpoint>,
) -> Result<(String, Exit), Failure> {
    let Some((camera, at)) = &args.question else {
        let report = audit(source, policy, now, since).map_err(|source| Failure::Audit { source })?;
        let exit = exit_of(&report, policy);
        let text = if args.json {
            words::report_json(&report, policy, exit)
        } else {
            words::report(&report, policy, &args.policy, now, since)
        };
        return Ok((text, exit));
    };
    let failed = |source| Failure::Prove { source };
    let reader = Reader::open(source, policy).map_err(|source| failed(source.into()))?;
    if let Some(since) = since {
        let since = since.checkpoint();
        reader.check_consistent(since.size, since.root).map_err(|source| failed(source.into()))?;
    }
    let proof = prove(&reader, camera, *at).map_err(failed)?;
    let statement = proof.verify(policy, now).map_err(|source| Failure::Invalid { source })?;
    if let Some(out) = &args.out {
        let bytes = proof.to_bytes().map_err(|source| failed(source.into()))?;
        fs::write(out, bytes).map_err(|source| Failure::Write { path: out.clone(), source })?;
    }
    Ok(answer(args, policy, now, &proof, &statement))
}

fn answer(
    args: &Args,
    policy: &Policy,
    now: Moment,
    proof: &StatementProof,
    statement: &Statement,
) -> (String, Exit) {
    let exit = match statement.answer {
        Answer::Unknown(_) => Exit::CannotSay,
        Answer::On { .. } | Answer::Off | Answer::WillBeShown { .. } => Exit::Sound,
    };
    let text = if args.json {
        words::statement_json(statement, exit)
    } else {
        words::statement(statement, proof, policy, &args.policy, now)
    };
    (text, exit)
}

fn exit_of(report: &Report, policy: &Policy) -> Exit {
    match (report.is_sound(), words::notes(report, policy).is_empty()) {
        (false, _) => Exit::Invalid,
        (true, false) => Exit::Noticed,
        (true, true) => Exit::Sound,
    }
}
