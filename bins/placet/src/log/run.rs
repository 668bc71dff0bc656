//! `placet log run`: states every interval before it begins, opens it on its date, has witnesses cosign, serves the log.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use placet_export::FolderTarget;
use placet_keeper::{Published, Rounds};
use placet_publish::{Shelf, router};
use placet_record::entry::slot::SlotState;
use placet_record::entry::{CameraId, CameraRoster, Moment};
use placet_tlog::note::VerifierKey;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::witness::OverHttp;
use super::{RunArgs, home, now, page};
use crate::Failure;
use crate::exit::Exit;

/// How often a sleeper looks whether it is to stop.
const NAP: Duration = Duration::from_millis(100);

/// `placet log run`
pub fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    home::require(&args.home)?;
    ctrlc::set_handler(move || told.store(true, Ordering::SeqCst)).map_err(Failure::internal)?;
    let runtime = runtime()?;
    let mut keeping =
        Keeping::open(&args.home, args.lead, args.listen.as_deref(), args.export.as_deref(), &runtime)?;
    while !stop.load(Ordering::SeqCst) {
        // This program has no recogniser and no way to start one: no search runs through it, which is what it states.
        let next = keeping.step(|_| SlotState::Off)?;
        if args.once {
            break;
        }
        wait_until(next, &stop)?;
    }
    Ok(Exit::Done)
}

/// A log that is kept: every interval stated, opened on its date, cosigned, served and exported.
pub struct Keeping {
    rounds: Rounds<OverHttp>,
    home: PathBuf,
    /// The policy asks for witnesses.
    asked: bool,
    /// What was written last was not seen by as many as it asks for.
    unseen: bool,
    public: Option<FolderTarget>,
    keys: Vec<VerifierKey>,
}

impl Keeping {
    /// Opens the log in `home`; serves it on `listen` and exports it to `export`.
    pub fn open(
        home: &Path,
        lead: u64,
        listen: Option<&str>,
        export: Option<&Path>,
        runtime: &Runtime,
    ) -> Result<Self, Failure> {
        home::require(home)?;
        home::no_alarm(home)?;
        let policy = home::own_policy(home)?;
        let asked = policy.asks_for_witnesses();
        let (mut archive, opened) = home::open_archive(home)?;
        if opened.recovered.torn {
            eprintln!("a batch that was begun and never finished was removed; nobody had been told of it");
        }
        let deadline = Duration::from_secs(lead.max(1));
        let witnesses = OverHttp::new(policy, deadline, runtime.handle().clone())?;
        let published = archive.keeper().published();
        if let Some(note) = published.reader().note() {
            witnesses
                .before_the_first_signature(&note, published.reader().size(), now()?)?
                .iter()
                .for_each(|w| eprintln!("{w}"));
        }
        if let Some(address) = listen {
            serve(runtime, address, published, home)?;
        }
        let keys = archive.keeper().keys();
        let public = match export {
            Some(folder) => {
                let target = home::public_folder(home, folder)?;
                page::beside(folder, &home::own_policy_text(home)?)?;
                Some(target)
            }
            None => None,
        };
        Ok(Self {
            rounds: Rounds::new(archive, witnesses, lead),
            home: home.to_owned(),
            asked,
            unseen: false,
            public,
            keys,
        })
    }

    /// The cameras the log speaks of.
    pub fn cameras(&mut self) -> CameraRoster {
        self.rounds.archive().keeper().cameras().clone()
    }

    /// Whether enough witnesses have seen what was written last; none where the policy asks for no witness.
    pub fn witnessed(&self) -> Option<bool> {
        self.asked.then_some(!self.unseen)
    }

    /// Does what is due now, with the state of each camera as `state` has it; when the next is.
    pub fn step(&mut self, state: impl FnMut(&CameraId) -> SlotState) -> Result<Moment, Failure> {
        let step = self.rounds.step(now()?, state).map_err(|e| home::halted(&self.home, &e))?;
        step.words.iter().for_each(|w| eprintln!("{w}"));
        self.unseen = !step.witnessed;
        if let Some(tick) = &step.tick {
            let seen = match (self.asked, step.witnessed) {
                (false, _) => "written; the log's policy asks for no witness",
                (true, true) => "seen by its witnesses",
                (true, false) => "NOT WITNESSED by as many as the policy asks for",
            };
            eprintln!("tick {} for {}: {seen}", tick.n, tick.start);
        }
        if let Some(target) = &mut self.public
            && (step.tick.is_some() || step.opened > 0)
        {
            let shelf = Live(self.rounds.archive().keeper().published());
            // What could not be put there is put there with the next round.
            if let Err(error) = placet_export::export(&shelf, target, &self.keys) {
                eprintln!("the public folder is behind: {}", placet_job::chain(&error));
            }
        }
        Ok(step.next)
    }
}

/// Waits until then, or until it is to stop.
pub fn wait_until(next: Moment, stop: &AtomicBool) -> Result<(), Failure> {
    while now()? < next && !stop.load(Ordering::SeqCst) {
        thread::sleep(NAP);
    }
    Ok(())
}

/// Waits so long, or until it is to stop.
pub fn wait_a_little(wait: Duration, stop: &AtomicBool) {
    let since = Instant::now();
    while since.elapsed() < wait && !stop.load(Ordering::SeqCst) {
        thread::sleep(NAP);
    }
}

fn serve(
    runtime: &Runtime,
    address: &str,
    published: Published,
    home: &std::path::Path,
) -> Result<(), Failure> {
    let listener = runtime.block_on(listen(address))?;
    let local = listener.local_addr().map_err(|e| Failure::Io(address.to_owned(), e))?;
    let policy = home::own_policy_text(home)?;
    let router = router(Arc::new(Live(published)), vec![page::page(&policy, "")?]);
    eprintln!("the log is at http://{local}/, with a page that checks it");
    // It ends with the program: a reader who is cut off asks again.
    runtime.spawn(placet_http::server::serve(
        listener,
        router,
        placet_http::server::Limits::default(),
        std::future::pending(),
    ));
    Ok(())
}

/// Binds an address.
pub async fn listen(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|e| match e.kind() {
        io::ErrorKind::InvalidInput => {
            Failure::Usage(format!("`{address}` is no address to listen on, which is such as 127.0.0.1:8080"))
        }
        _ => Failure::Unavailable(format!("cannot listen on `{address}`: {e}")),
    })
}

/// A runtime for servers and clients.
pub fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Failure::internal)
}

/// Comes back when the program is told to stop.
pub async fn stopped() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let mut tell = Some(tell);
    let set = ctrlc::set_handler(move || {
        if let Some(tell) = tell.take() {
            // Whoever waited may be gone already.
            let _ = tell.send(());
        }
    });
    if set.is_err() || told.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The live log as a shelf, to serve from and to export from.
pub struct Live(pub Published);

impl Shelf for Live {
    fn length(&self, path: &str) -> io::Result<Option<u64>> {
        self.0.length(path).map_err(io::Error::other)
    }

    fn read(&self, path: &str, from: u64, len: u64) -> io::Result<Vec<u8>> {
        self.0.read(path, from, len).map_err(io::Error::other)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
