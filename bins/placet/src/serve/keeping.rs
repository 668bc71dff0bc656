//! The log's thread: it states of each camera that no search runs, and of one that is not read here that it cannot say.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use placet_record::entry::slot::SlotState;
use placet_settings::LogConfig;

use super::fleet::Fleet;
use crate::Failure;
use crate::log::{Keeping, runtime, wait_a_little, wait_until};

/// A log that stopped is tried again after this.
const AGAIN: Duration = Duration::from_secs(10);

/// What is known of the log.
#[derive(Clone, Debug, Default)]
pub struct LogReport {
    /// Why it is not kept, where it is not.
    pub broken: Option<String>,
    /// Whether enough witnesses have seen what was written last; none where its policy asks for no witness.
    pub witnessed: Option<bool>,
}

/// The report, as its thread writes it.
#[derive(Clone, Debug, Default)]
pub struct LogState(Arc<Mutex<LogReport>>);

impl LogState {
    /// What is known now.
    pub fn report(&self) -> LogReport {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, LogReport> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread. It ends with the program.
pub struct LogThread {
    state: LogState,
    thread: JoinHandle<()>,
}

impl LogThread {
    /// Opens the log, so that a wrong folder is told at once, and starts keeping it.
    pub fn start(config: &LogConfig, fleet: &Arc<Fleet>, stop: &Arc<AtomicBool>) -> Result<Self, Failure> {
        let state = LogState::default();
        let mut keeping = Some(open(config)?);
        if let Some((keeping, _)) = &mut keeping {
            tell_strangers(keeping, fleet);
        }
        let (config, fleet, stop) = (config.clone(), Arc::clone(fleet), Arc::clone(stop));
        let told = state.clone();
        let keep = move || {
            while !stop.load(Ordering::SeqCst) {
                let ended = match keeping.take().map_or_else(|| open(&config), Ok) {
                    Ok((keeping, _runtime)) => {
                        told.lock().broken = None;
                        keep(keeping, &fleet, &told, &stop)
                    }
                    Err(failure) => Err(failure),
                };
                if let Err(failure) = ended {
                    eprintln!("the log is not kept: {failure}; redaction goes on, and it is tried again");
                    told.lock().broken = Some(failure.to_string());
                    wait_a_little(AGAIN, &stop);
                }
            }
        };
        let thread =
            std::thread::Builder::new().name("log".to_owned()).spawn(keep).map_err(Failure::internal)?;
        Ok(Self { state, thread })
    }

    pub fn state(&self) -> LogState {
        self.state.clone()
    }

    pub fn join(self) {
        // A panic in it was told already.
        let _ = self.thread.join();
    }
}

type Open = (Keeping, tokio::runtime::Runtime);

fn open(config: &LogConfig) -> Result<Open, Failure> {
    // A runtime of its own: what it serves and asks ends when the log is opened anew.
    let runtime = runtime()?;
    let listen = config.listen.map(|address| address.to_string());
    let keeping =
        Keeping::open(&config.home, config.lead, listen.as_deref(), config.export.as_deref(), &runtime)?;
    Ok((keeping, runtime))
}

fn keep(mut keeping: Keeping, fleet: &Fleet, told: &LogState, stop: &AtomicBool) -> Result<(), Failure> {
    while !stop.load(Ordering::SeqCst) {
        // There is no recogniser in this program: what it reads is not searched. Of others it knows nothing.
        let next = keeping.step(|camera| match fleet.has(camera.as_str()) {
            true => SlotState::Off,
            false => SlotState::Unknown,
        })?;
        told.lock().witnessed = keeping.witnessed();
        wait_until(next, stop)?;
    }
    Ok(())
}

fn tell_strangers(keeping: &mut Keeping, fleet: &Fleet) {
    let cameras = keeping.cameras();
    for (camera, _) in fleet.reports() {
        if cameras.slot_of(&camera.name).is_none() {
            eprintln!(
                "the log does not know `{}`, so nothing is stated of it: add it with `placet log set-cameras`",
                camera.name
            );
        }
    }
}
