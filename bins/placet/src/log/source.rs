//! Where a log is read from: its home, a folder, a URL.

use std::path::Path;
use std::time::Duration;

use placet_audit::Source;
use placet_monitor::{FolderSource, HttpSource};
use placet_tlog::policy::Policy;

use super::{LogArgs, home, policy};
use crate::Failure;

/// How long one file of a log may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// An opened log: its files, and whom to believe.
pub struct Opened {
    pub source: Box<dyn Source>,
    pub policy: Policy,
    /// A home is kept locked as long as this is there.
    _keeper: Option<Box<placet_keeper::Keeper>>,
}

/// Opens the log that `args` name.
pub fn open(args: &LogArgs) -> Result<Opened, Failure> {
    let path = Path::new(&args.log);
    if home::is_home(path) {
        return open_home(args, path);
    }
    let far = args.log.contains("://");
    if !far && !path.is_dir() {
        return Err(Failure::Usage(format!(
            "`{}` is no folder; a log is a URL, a folder or a home",
            args.log
        )));
    }
    let named = args.policy.as_deref().ok_or_else(|| {
        Failure::Usage(
            "--policy FILE is needed: whom to believe (the log's key and its witnesses) is yours to say, and never \
             taken from the log"
                .to_owned(),
        )
    })?;
    if !far {
        refuse_inside(named, path)?;
    }
    let policy = policy(named)?;
    let source: Box<dyn Source> = if far {
        let prefix = args.log.parse().map_err(|e| super::usage(&e))?;
        Box::new(HttpSource::new(prefix, PATIENCE).map_err(|e| super::failed(&e))?)
    } else {
        Box::new(FolderSource::new(path))
    };
    Ok(Opened { source, policy, _keeper: None })
}

fn open_home(args: &LogArgs, path: &Path) -> Result<Opened, Failure> {
    let (keeper, _) = home::open(path)?;
    let published = keeper.published();
    // The one who runs the log may believe it by its own key.
    let policy = match &args.policy {
        Some(named) => policy(named)?,
        None => home::own_policy(path)?,
    };
    Ok(Opened { source: Box::new(published), policy, _keeper: Some(Box::new(keeper)) })
}

/// Refuses a policy that lies in the folder it is to judge.
fn refuse_inside(policy: &Path, folder: &Path) -> Result<(), Failure> {
    let real = |path: &Path| path.canonicalize().ok();
    if let (Some(policy), Some(folder)) = (real(policy), real(folder))
        && policy.starts_with(&folder)
    {
        let words = format!("`{}` lies inside the log it is to judge: keep it elsewhere", policy.display());
        return Err(Failure::Usage(words));
    }
    Ok(())
}
