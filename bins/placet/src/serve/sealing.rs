//! Originals, sealed to a key whose private half is elsewhere.

use std::os::unix::fs::DirBuilderExt as _;

use placet_proxy::Clock;
use placet_sealed::{CustodyKey, Limits, Now, Retention, Sealers, Shelf, SystemClock};
use placet_settings::SealedConfig;

use crate::Failure;

/// What is left free on the disk for everything else.
const FREE: u64 = 1 << 30;

/// Opens the folder, drops what is too old, and starts sealing.
pub fn start(config: &SealedConfig, clock: Clock) -> Result<Sealers, Failure> {
    let shown = config.key_file.display();
    let text = std::fs::read_to_string(&config.key_file)
        .map_err(|e| Failure::Usage(format!("cannot read the custody key `{shown}`: {e}")))?;
    let key: CustodyKey = text.trim().parse().map_err(|e: placet_sealed::KeyError| {
        Failure::Usage(format!("`{shown}` holds no public custody key: {}", placet_job::chain(&e)))
    })?;
    let retention = Retention::hours(config.hours.into())
        .ok_or_else(|| Failure::Usage("sealed originals are kept for 1 to 72 hours".to_owned()))?;
    let limits = Limits { retention, quota: config.gib << 30, free: FREE };
    let times = SystemClock(move |pts| clock.civil(pts));
    let now: Now = placet_sealed::Clock::now(&times);
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.folder)
        .map_err(|e| Failure::Io(config.folder.display().to_string(), e))?;
    let (shelf, swept) =
        Shelf::open(&config.folder, limits, now).map_err(|e| Failure::Unavailable(placet_job::chain(&e)))?;
    if swept.expired > 0 {
        eprintln!("{} sealed originals were too old and are gone", swept.expired);
    }
    for (path, why) in &swept.stays {
        eprintln!("`{}` is too old and cannot be removed: {why}", path.display());
    }
    eprintln!("originals are sealed into `{}` for {} hours", config.folder.display(), config.hours);
    Sealers::start(shelf, key, times, |notice| eprintln!("{notice}")).map_err(Failure::internal)
}
