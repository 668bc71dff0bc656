//! Following somebody's log: copies of it, alarms about it; and putting one's own where the public reads it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use placet_export::{BucketPlace, BucketTarget, ExportError, Limits, Target};
use placet_monitor::{Alarm, MirrorError, Monitor, MonitorError, Settings, Webhook, atom};
use serde_json::json;

use super::read::read_error;
use super::run::Live;
use super::{ExportArgs, MirrorArgs, MonitorArgs, failed, home, now, source, usage};
use crate::Failure;
use crate::exit::Exit;
use crate::progress::printable;

/// How long a hook may take, and how long to wait before each further try.
const HOOK: Duration = Duration::from_secs(10);
const HOOK_PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(20)];

/// `placet log mirror`
pub fn mirror(args: &MirrorArgs) -> Result<Exit, Failure> {
    let source::Opened { source, policy, .. } = source::open(&args.log)?;
    let done = placet_monitor::mirror(&source, &policy, &args.folder, now()?);
    let done = done.map_err(|e| mirror_error(&e))?;
    if args.log.json {
        println!("{}", json!({ "before": done.before, "size": done.size, "files": done.written }));
    } else {
        println!(
            "{}: {} entries, {} of them new, {} files written",
            args.folder.display(),
            done.size,
            done.size - done.before,
            done.written
        );
    }
    Ok(Exit::Done)
}

fn mirror_error(error: &MirrorError) -> Failure {
    let words = placet_job::chain(error);
    match error {
        MirrorError::Read(error) => read_error(error),
        MirrorError::Folder { .. } => Failure::Failed(words),
        MirrorError::InUse { .. } => Failure::Unavailable(words),
        MirrorError::Known { .. } | MirrorError::OtherLog { .. } => Failure::Refused(words),
        _ => Failure::Invalid(words),
    }
}

/// `placet log monitor`
pub fn monitor(args: &MonitorArgs) -> Result<Exit, Failure> {
    let source::Opened { source, policy, .. } = source::open(&args.log)?;
    let settings = Settings { watched: args.watch.iter().cloned().collect(), ..Settings::default() };
    let settings = Settings { patience: args.patience, ..settings };
    let mut monitor = Monitor::open(&args.state, policy, settings).map_err(|e| monitor_error(&e))?;
    let hook = match &args.webhook {
        Some(url) => {
            let url = url.parse().map_err(|e| usage(&e))?;
            Some(Webhook::new(url, HOOK, HOOK_PAUSES.to_vec()).map_err(|e| failed(&e))?)
        }
        None => None,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    ctrlc::set_handler(move || told.store(true, Ordering::SeqCst)).map_err(Failure::internal)?;
    let mut alarmed = false;
    loop {
        monitor.look(&source, now()?).map_err(|e| monitor_error(&e))?;
        alarmed |= tell(&mut monitor, args, hook.as_ref())?;
        if args.once || stop.load(Ordering::SeqCst) {
            break;
        }
        let next = Instant::now() + Duration::from_secs(args.every.max(1));
        while Instant::now() < next && !stop.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(if alarmed { Exit::Failed } else { Exit::Done })
}

fn monitor_error(error: &MonitorError) -> Failure {
    match error {
        MonitorError::Policy | MonitorError::State { .. } => usage(error),
        MonitorError::Folder { .. } => failed(error),
        MonitorError::InUse { .. } => Failure::Unavailable(placet_job::chain(error)),
    }
}

/// Tells what is in the outbox; whether there was anything. What the hook did not take is told again at the next look.
fn tell(monitor: &mut Monitor, args: &MonitorArgs, hook: Option<&Webhook>) -> Result<bool, Failure> {
    let alarms = monitor.outbox().to_vec();
    if let Some(path) = &args.feed {
        atom::write(path, monitor.origin().as_str(), monitor.recent())
            .map_err(|e| Failure::Io(path.display().to_string(), e))?;
    }
    if alarms.is_empty() {
        if args.once && !args.log.json {
            println!("{}: nothing to tell; {} entries read", monitor.origin(), monitor.read_to());
        }
        return Ok(false);
    }
    if let Some(hook) = hook
        && let Err(error) = hook.deliver(monitor.origin().as_str(), &alarms)
    {
        eprintln!(
            "the hook did not take {} alarms, which are told again: {}",
            alarms.len(),
            placet_job::chain(&error)
        );
        return Ok(true);
    }
    alarms.iter().for_each(|alarm| print_alarm(alarm, args.log.json));
    monitor.delivered(alarms.len()).map_err(|e| monitor_error(&e))?;
    Ok(true)
}

fn print_alarm(alarm: &Alarm, json: bool) {
    if json {
        println!("{}", serde_json::to_string(alarm).unwrap_or_default());
    } else {
        println!("ALARM {} {}", alarm.at, printable(&alarm.words));
    }
}

/// `placet log export`
pub fn export(args: &ExportArgs) -> Result<Exit, Failure> {
    let (mut keeper, _) = home::open(&args.home)?;
    let keys = keeper.keys();
    let shelf = Live(keeper.published());
    let mut target: Box<dyn Target> = match args.target.strip_prefix("s3://") {
        Some(place) => Box::new(bucket(place, args)?),
        None => Box::new(home::public_folder(&args.home, Path::new(&args.target))?),
    };
    let done = placet_export::export(&shelf, target.as_mut(), &keys).map_err(|e| export_error(&e))?;
    println!(
        "{}: {} entries, {} files of {} bytes written, {} partial ones dropped",
        args.target, done.size, done.files, done.bytes, done.dropped
    );
    Ok(Exit::Done)
}

fn bucket(place: &str, args: &ExportArgs) -> Result<BucketTarget, Failure> {
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if bucket.is_empty() {
        return Err(Failure::Usage(format!("`{}` names no bucket: it is s3://BUCKET/PREFIX", args.target)));
    }
    let place = BucketPlace {
        bucket: bucket.to_owned(),
        prefix: prefix.trim_end_matches('/').to_owned(),
        region: args.region.clone(),
        endpoint: args.endpoint.clone(),
        credentials: None,
    };
    BucketTarget::open(&place, Limits::default()).map_err(|e| failed(&e))
}

fn export_error(error: &ExportError) -> Failure {
    let words = placet_job::chain(error);
    match error {
        ExportError::Target(_) => Failure::Unavailable(words),
        _ => Failure::Refused(words),
    }
}
