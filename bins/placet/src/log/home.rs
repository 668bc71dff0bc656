//! The home of a log: made, opened, checked.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use placet_audit::audit;
use placet_confidential::KeyFile;
use placet_deposit::OversightKey;
use placet_keeper::{Archive, Halted, Keeper, KeeperError, LogSigner, Settings};
use placet_record::entry::{CameraId, CameraRoster, LogMode};
use placet_store::{Damage, Disks, Folder, Log, Signer as _, StoreError, fsck};
use placet_tlog::note::SignerKey;
use placet_tlog::policy::Policy;
use serde_json::json;

use super::{CreateArgs, FsckArgs, ModeArg, failed, now, usage};
use crate::Failure;
use crate::exit::Exit;
use crate::keys;

const HALF_A_YEAR: u64 = 180 * 86_400;

/// Whether a log is kept there.
pub fn is_home(path: &Path) -> bool {
    path.join("keys").is_file() && path.join("log").is_dir()
}

/// `placet log create`
pub fn create(args: &CreateArgs) -> Result<Exit, Failure> {
    let home = &args.home;
    if is_home(home) {
        return Err(Failure::Usage(format!("there is a log in `{}` already", home.display())));
    }
    let cameras = cameras(&args.cameras, None)?;
    if cameras.iter().next().is_none() {
        return Err(Failure::Usage(format!("`{}` names no camera", args.cameras.display())));
    }
    let oversight = args.oversight.as_deref().map(str::parse::<OversightKey>).transpose();
    let oversight = oversight.map_err(|e| usage(&e))?;
    let settings = settings(args, &cameras)?;
    fresh_folder(home)?;
    let key = keys::make(&home.join("log.key"), Some(&args.origin))?;
    let verifier = key.verifier_key();
    let keeper = match Keeper::create(home, key, settings, &cameras, now()?) {
        Ok(keeper) => keeper,
        Err(error) => {
            undo(home)?;
            return Err(keeper_error(home, &error));
        }
    };
    let source = KeyFile::create(&home.join("confidential.key"))
        .map_err(|e| Failure::Io("confidential.key".to_owned(), e))?;
    drop(placet_confidential::Store::create(&home.join("confidential"), &source).map_err(|e| failed(&e))?);
    if let Some(key) = oversight {
        write(&home.join("oversight"), &format!("{key}\n"))?;
    }
    write(&home.join("policy"), &format!("log {verifier}\nquorum none\n"))?;
    let genesis = keeper.genesis();
    println!(
        "log {} made: {} cameras in {} slots, a tick each {} s, {}",
        genesis.origin,
        cameras.iter().count(),
        genesis.slots,
        genesis.interval,
        mode_words(genesis.mode, genesis.reveal_delay)
    );
    println!("its key, to be published where people trust you: {verifier}");
    println!("its witnesses: none yet; put them into `{}` (C2SP tlog-policy)", home.join("policy").display());
    println!("then: placet log run {} --listen 127.0.0.1:8080", home.display());
    Ok(Exit::Done)
}

/// Empties the folder of a log that could not be made, so that the next try finds it as this one did.
fn undo(home: &Path) -> Result<(), Failure> {
    for entry in walkdir::WalkDir::new(home).min_depth(1).contents_first(true) {
        let removed =
            entry.map_err(std::io::Error::from).and_then(|entry| match entry.file_type().is_dir() {
                true => fs::remove_dir(entry.path()),
                false => fs::remove_file(entry.path()),
            });
        removed.map_err(|e| Failure::Io(home.display().to_string(), e))?;
    }
    Ok(())
}

fn mode_words(mode: LogMode, delay: u64) -> String {
    match mode {
        LogMode::Open => format!("open: each interval is shown within {delay} s of its end"),
        LogMode::Sealed => {
            format!("sealed: each interval is shown {delay} s after its end, and nothing before")
        }
    }
}

fn settings(args: &CreateArgs, cameras: &CameraRoster) -> Result<Settings, Failure> {
    let n = cameras.iter().count();
    let (mode, delay) = match args.mode {
        ModeArg::Open => (LogMode::Open, args.interval),
        ModeArg::Sealed => (LogMode::Sealed, HALF_A_YEAR),
    };
    let room = u32::try_from(n.next_multiple_of(64).max(64)).map_err(Failure::internal)?;
    let slots = args.slots.unwrap_or(room);
    Ok(Settings { interval: args.interval, mode, reveal_delay: args.reveal_delay.unwrap_or(delay), slots })
}

/// The cameras that a file names. One that had a slot `before` keeps it; a new one takes the first that is free.
pub fn cameras(path: &Path, before: Option<&CameraRoster>) -> Result<CameraRoster, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|e| Failure::Usage(format!("cannot read `{}`: {e}", path.display())))?;
    let mut named: Vec<CameraId> = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let camera: CameraId = line.trim().parse().map_err(|e| {
            Failure::Usage(format!(
                "line {} of `{}`: `{}` {e}",
                at + 1,
                path.display(),
                crate::progress::printable(line.trim())
            ))
        })?;
        if named.contains(&camera) {
            let words = format!("line {} of `{}`: `{camera}` stands there twice", at + 1, path.display());
            return Err(Failure::Usage(words));
        }
        named.push(camera);
    }
    let kept = |camera: &CameraId| before.and_then(|before| before.slot_of(camera));
    let taken: BTreeSet<u32> = named.iter().filter_map(kept).collect();
    let mut free = (0..).filter(|slot| !taken.contains(slot));
    let pairs: Vec<_> = named
        .into_iter()
        .filter_map(|camera| {
            let slot = kept(&camera).or_else(|| free.next())?;
            Some((camera, slot))
        })
        .collect();
    CameraRoster::new(pairs).map_err(|e| usage(&e))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|e| Failure::Io(path.display().to_string(), e))
}

/// Keeps what a later command needs to open the home of a log that signs with `key`.
pub fn keep_key(
    home: &Path,
    key: &SignerKey,
    policy: &str,
    oversight: Option<&OversightKey>,
) -> Result<(), Failure> {
    keys::keep(&home.join("log.key"), key.secret_text().expose())?;
    write(&home.join("policy"), policy)?;
    oversight.map_or(Ok(()), |key| write(&home.join("oversight"), &format!("{key}\n")))
}

/// A folder to publish to: not the home and nothing in it, where the private keys lie.
pub fn public_folder(home: &Path, folder: &Path) -> Result<placet_export::FolderTarget, Failure> {
    let target = std::path::absolute(folder).map_err(|e| Failure::Io(folder.display().to_string(), e))?;
    let real = |path: &Path| path.ancestors().find_map(|p| p.canonicalize().ok());
    if let (Some(target), Some(home)) = (real(&target), real(home))
        && target.starts_with(&home)
    {
        let words = format!(
            "`{}` lies in the log's home, beside its private keys: choose another folder",
            folder.display()
        );
        return Err(Failure::Usage(words));
    }
    placet_export::FolderTarget::open(folder).map_err(|e| failed(&e))
}

/// Refuses a folder in which no log is kept.
pub fn require(home: &Path) -> Result<(), Failure> {
    if is_home(home) {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "`{}` is no home of a log; `placet log create` makes one, and a published copy is for reading alone",
        home.display()
    )))
}

/// Refuses to sign for a log that a witness has raised an alarm about, however often the program is started again.
pub fn no_alarm(home: &Path) -> Result<(), Failure> {
    let path = home.join("alarm");
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::Io(path.display().to_string(), error)),
        Ok(words) => Err(Failure::Refused(format!(
            "{}; when it is found out, remove `{}`",
            words.trim_end(),
            path.display()
        ))),
    }
}

/// Why no more is written; an alarm is kept for the next start.
pub fn halted(home: &Path, error: &Halted) -> Failure {
    let words = placet_job::chain(error);
    if !matches!(error, Halted::Alarm(_)) {
        return Failure::Failed(words);
    }
    match write(&home.join("alarm"), &format!("{words}\n")) {
        Ok(()) => Failure::Refused(words),
        Err(unkept) => {
            Failure::Refused(format!("{words}; and this was not kept for the next start: {unkept}"))
        }
    }
}

/// The log's private keys: the one in force, and the next one where a change has begun.
fn secrets(home: &Path) -> Result<Vec<SignerKey>, Failure> {
    let current = home.join("log.key");
    if !current.exists() {
        let words =
            format!("`{}`, the log's private key, is missing: put it back from a copy", current.display());
        return Err(Failure::Unavailable(words));
    }
    let mut out = vec![keys::read(&current)?];
    let next = home.join("log.next.key");
    if next.exists() {
        out.push(keys::read(&next)?);
    }
    Ok(out)
}

/// Opens the log of a home.
pub fn open(home: &Path) -> Result<(Keeper, placet_keeper::Opened), Failure> {
    require(home)?;
    Keeper::open(home, secrets(home)?).map_err(|error| keeper_error(home, &error))
}

/// What was asked for and cannot be, apart from what was tried and failed.
pub fn keeper_error(home: &Path, error: &KeeperError) -> Failure {
    match error {
        KeeperError::Store(error) => store_error(home, error),
        KeeperError::Form(_)
        | KeeperError::Cameras { .. }
        | KeeperError::Roster(_)
        | KeeperError::Rule(_) => usage(error),
        KeeperError::NoKey(_) | KeeperError::Clock(_) => Failure::Unavailable(placet_job::chain(error)),
        error => failed(error),
    }
}

/// A log that somebody else has open is there, and cannot be had now; a damaged one does not hold.
fn store_error(home: &Path, error: &StoreError) -> Failure {
    match error {
        StoreError::Locked => Failure::Unavailable(format!(
            "the log of `{}` is open elsewhere: ask it at its address, or stop it first",
            home.display()
        )),
        StoreError::Damage(Damage::MarkLost { .. }) => {
            Failure::Invalid(format!("{error}{}", mark_words(home)))
        }
        // Its words have their cause in them.
        StoreError::Damage(_) => Failure::Invalid(error.to_string()),
        error => failed(error),
    }
}

fn mark_words(home: &Path) -> String {
    format!("; with `placet log fsck --set-mark {}`", home.display())
}

/// Opens the log of a home with its confidential store.
pub fn open_archive(home: &Path) -> Result<(Archive, placet_keeper::Opened), Failure> {
    let (keeper, opened) = open(home)?;
    let source = KeyFile::at(&home.join("confidential.key"));
    let store =
        placet_confidential::Store::open(&home.join("confidential"), &source).map_err(|e| failed(&e))?;
    let oversight = match fs::read_to_string(home.join("oversight")) {
        Ok(text) => Some(text.trim_end().parse::<OversightKey>().map_err(|e| usage(&e))?),
        Err(_) => None,
    };
    Ok((Archive::new(keeper, store, oversight), opened))
}

/// The text of the policy that lies in the home.
pub fn own_policy_text(home: &Path) -> Result<String, Failure> {
    let path = home.join("policy");
    fs::read_to_string(&path).map_err(|e| Failure::Io(path.display().to_string(), e))
}

/// The policy that lies in the home: its own key, and the witnesses it asks.
pub fn own_policy(home: &Path) -> Result<Policy, Failure> {
    super::policy(&home.join("policy"))
}

/// `placet log fsck`
pub fn fsck(args: &FsckArgs) -> Result<Exit, Failure> {
    let home = &args.home;
    if !is_home(home) {
        return Err(Failure::Usage(format!(
            "`{}` is no home of a log; a published one is for placet-verify",
            home.display()
        )));
    }
    let signer = LogSigner::open(&home.join("keys"), Vec::new()).map_err(|e| failed(&e))?;
    let disks = disks(&home.join("log"))?;
    if args.set_mark {
        let signer = LogSigner::open(&home.join("keys"), secrets(home)?).map_err(|e| failed(&e))?;
        let log = Log::set_mark(disks.clone(), signer).map_err(|e| store_error(home, &e))?;
        eprintln!("high-water mark set to {} entries", log.size());
    }
    let check = || {
        let progress = |done, of| {
            if of > 4 {
                eprint!("\rsegment {done} of {of}");
            }
        };
        fsck::check(&disks, &signer.keys(), progress).map_err(|e| store_error(home, &e))
    };
    let mut checked = check()?;
    // A program that was killed leaves files behind that are made of the entries: no damage, and opening mends it.
    let derived = |problem: &Damage| matches!(problem, Damage::Derived { .. });
    let mut made_anew = Vec::new();
    if !checked.problems.is_empty() && checked.problems.iter().all(derived) && open(home).is_ok() {
        made_anew = checked.problems;
        checked = check()?;
        made_anew.retain(|problem| !checked.problems.contains(problem));
    }
    let words = |problem: &Damage| match problem {
        Damage::MarkLost { .. } => format!("{problem}{}", mark_words(home)),
        other => other.to_string(),
    };
    let mut problems: Vec<String> = checked.problems.iter().map(words).collect();
    if problems.is_empty() {
        problems.extend(rules(home)?);
    }
    let made_anew: Vec<String> = made_anew.iter().map(ToString::to_string).collect();
    if args.json {
        let out = json!({
            "segments": checked.segments, "frames": checked.frames, "entries": checked.entries,
            "side_files": checked.blobs, "torn_end": checked.torn, "made_anew": made_anew, "problems": problems,
        });
        println!("{out}");
    } else {
        println!(
            "{} segments, {} frames, {} entries, {} side files read",
            checked.segments, checked.frames, checked.entries, checked.blobs
        );
        if checked.torn {
            println!(
                "a batch that was begun and never finished stands at the end; nobody was told of it, and the next start removes it"
            );
        }
        made_anew.iter().for_each(|p| println!("made anew: {p}"));
        problems.iter().for_each(|p| println!("WRONG: {}", crate::progress::printable(p)));
        if problems.is_empty() {
            println!(
                "sound: every frame, signature and derived file, the high-water mark, and every entry by the rules"
            );
        }
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Invalid })
}

/// What is wrong with the entries, read as a stranger reads them.
fn rules(home: &Path) -> Result<Vec<String>, Failure> {
    let (keeper, _) = open(home)?;
    let published = keeper.published();
    let Some(note) = published.reader().note() else { return Ok(Vec::new()) };
    // Signatures of witnesses are not the question here.
    let keys: String = LogSigner::open(&home.join("keys"), Vec::new())
        .map_err(|e| failed(&e))?
        .keys()
        .iter()
        .map(|key| format!("log {key}\n"))
        .collect();
    let policy = Policy::parse(format!("{keys}quorum none\n").as_bytes()).map_err(|e| failed(&e))?;
    published.show(note);
    let report = audit(&published, &policy, now()?, None).map_err(|e| failed(&e))?;
    Ok(report.invalid.iter().map(ToString::to_string).collect())
}

fn disks(folder: &Path) -> Result<Disks, Failure> {
    let disk = Folder::open(folder).map_err(|e| Failure::Io(folder.display().to_string(), e))?;
    Ok(Disks::one(Arc::new(disk)))
}

/// A new folder for something; one that has anything in it is not taken.
pub fn fresh_folder(path: &Path) -> Result<PathBuf, Failure> {
    let failed = |e| Failure::Io(path.display().to_string(), e);
    if path.exists() && !path.is_dir() {
        return Err(Failure::Usage(format!("`{}` is no folder: choose another name", path.display())));
    }
    if path.exists() && fs::read_dir(path).map_err(failed)?.next().is_some() {
        return Err(Failure::Usage(format!("`{}` is not empty: choose another folder", path.display())));
    }
    fs::create_dir_all(path).map_err(failed)?;
    path.canonicalize().map_err(failed)
}
