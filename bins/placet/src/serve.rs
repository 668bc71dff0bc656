//! `placet serve`: cameras in, redacted streams out, and the log that states it.

mod fleet;
mod keeping;
mod metrics;
mod outlets;
mod sealing;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use placet_ingest::Tools;
use placet_proxy::{Clock, Finders};
use placet_settings::{Config, Problem, reference};
use placet_vision::models::ModelDir;

use crate::exit::Exit;
use crate::log::{runtime, wait_a_little};
use crate::{Failure, places};
use fleet::Fleet;
pub use fleet::open_camera;
use keeping::LogThread;

/// `placet serve`
#[derive(Args)]
#[command(
    after_help = "Cameras are read, faces hidden, and what is left is served: to recorders by RTSP and ONVIF, to browsers on a page.\n\
Nothing else leaves. Its keys: placet config reference; what holds: placet config check FILE"
)]
pub struct ServeArgs {
    /// The configuration
    #[arg(short, long, value_name = "FILE", default_value = "placet.toml")]
    pub config: PathBuf,
}

/// `placet config`
#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Say what is wrong with a configuration and what holds, and start nothing
    Check {
        /// The configuration
        #[arg(default_value = "placet.toml")]
        file: PathBuf,
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Print every key with its meaning
    Reference,
}

/// How often it is looked whether the configuration changed.
const LOOK: Duration = Duration::from_secs(1);

/// `placet config`
pub fn config(command: &ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Reference => print!("{}", reference()),
        ConfigCommand::Check { file, json } => return check(file, *json),
    }
    Ok(Exit::Done)
}

fn check(file: &Path, json: bool) -> Result<Exit, Failure> {
    let config = load(file)?;
    if json {
        let settings: Vec<_> = config
            .settings
            .iter()
            .map(|s| {
                let line = match s.origin {
                    placet_settings::Origin::Default => None,
                    placet_settings::Origin::Line(line) => Some(line),
                };
                serde_json::json!({ "table": s.table, "key": s.key, "value": s.value, "line": line })
            })
            .collect();
        let disabled: Vec<_> = config
            .disabled
            .iter()
            .map(|d| serde_json::json!({ "camera": d.name, "problems": words(&d.problems) }))
            .collect();
        println!("{}", serde_json::json!({ "settings": settings, "disabled": disabled }));
    } else {
        config.settings.iter().for_each(|setting| println!("{setting}"));
    }
    tell_disabled(&config);
    Ok(if config.disabled.is_empty() { Exit::Done } else { Exit::Partly })
}

fn words(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

fn load(file: &Path) -> Result<Config, Failure> {
    Config::load(file).map_err(|problems| Failure::Problems(words(&problems)))
}

fn tell_disabled(config: &Config) {
    for camera in &config.disabled {
        for problem in &camera.problems {
            eprintln!("{} is not read: {problem}", camera.name);
        }
    }
}

/// `placet serve`
pub fn serve(args: &ServeArgs) -> Result<Exit, Failure> {
    placet_sys::process::harden_process().map_err(|e| {
        Failure::Unavailable(format!("this process cannot be kept from being looked into: {e}"))
    })?;
    let config = load(&args.config)?;
    tell_disabled(&config);
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    ctrlc::set_handler(move || told.store(true, Ordering::SeqCst)).map_err(Failure::internal)?;
    let tools = Tools::find().map_err(|e| Failure::Unavailable(placet_job::chain(&e)))?;
    let named = config.models.clone().or_else(|| std::env::var_os("PLACET_MODELS").map(PathBuf::from));
    let models = ModelDir::new(places::models(named.as_deref()));
    let threads = config
        .finder_threads
        .or_else(|| std::thread::available_parallelism().ok().map(std::num::NonZero::get))
        .unwrap_or(1);
    let finders =
        Finders::start(&models, threads).map_err(|e| Failure::Unavailable(placet_job::chain(&e)))?;
    let runtime = runtime()?;
    let clock = Clock::start();
    let sealers = config.sealed.as_ref().map(|sealed| sealing::start(sealed, clock)).transpose()?;
    let fleet = Arc::new(Fleet::new(tools, finders, clock, runtime.handle().clone(), sealers));
    fleet.apply(&config);
    let ended = stand(&args.config, config, &fleet, clock, &runtime, &stop);
    // However it ended: a line waits for its camera's reader, which waits for nobody.
    stop.store(true, Ordering::SeqCst);
    fleet.stop(&runtime);
    ended.map(|()| Exit::Done)
}

/// Opens what listens and the log, and goes on until it is to stop.
fn stand(
    file: &Path,
    config: Config,
    fleet: &Arc<Fleet>,
    clock: Clock,
    runtime: &tokio::runtime::Runtime,
    stop: &Arc<AtomicBool>,
) -> Result<(), Failure> {
    let _served = outlets::open(runtime, &config, fleet, clock)?;
    let log = config.log.as_ref().map(|log| LogThread::start(log, fleet, stop)).transpose()?;
    if let Some(address) = config.metrics {
        metrics::serve(runtime, address, fleet, log.as_ref().map(LogThread::state))?;
    }
    eprintln!("{} cameras are read", config.cameras.len());
    follow_file(file, config, fleet, stop);
    if let Some(log) = log {
        log.join();
    }
    Ok(())
}

/// Applies the file whenever it changed, until it is to stop.
fn follow_file(file: &Path, mut holds: Config, fleet: &Fleet, stop: &AtomicBool) {
    let stamp = || std::fs::metadata(file).and_then(|about| Ok((about.modified()?, about.len()))).ok();
    let mut seen: Option<(SystemTime, u64)> = stamp();
    while !stop.load(Ordering::SeqCst) {
        wait_a_little(LOOK, stop);
        let now = stamp();
        if now == seen || now.is_none() {
            continue;
        }
        seen = now;
        match Config::load(file) {
            Err(problems) => {
                eprintln!("the configuration changed and cannot be used, so what was there goes on:");
                problems.iter().for_each(|problem| eprintln!("  {problem}"));
            }
            Ok(config) => {
                tell_disabled(&config);
                if outlets::differ(&holds, &config) {
                    eprintln!("what listens somewhere, the log and the threads change at the next start");
                }
                let (gone, new) = fleet.apply(&config);
                eprintln!("the configuration changed: {new} cameras begun, {gone} ended");
                holds = config;
            }
        }
    }
}
