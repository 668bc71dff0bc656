//! A log in memory, witnesses on loopback, a clock that stands where it is put.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use placet_http::server::{Limits, serve};
use placet_tlog::checkpoint::Checkpoint;
use placet_tlog::merkle::{Frontier, Hash, Nodes, consistency_proof};
use placet_tlog::note::{SignerKey, WitnessSecret};
use placet_tlog::policy::Policy;
use placet_tlog::witness::AddCheckpoint;
use placet_witness::client::History;
use placet_witness::server::{Clock, FileSystem, Witness, router};

pub const NOW: u64 = 1_795_348_800;
pub const ORIGIN: &str = "log.example/placet";

pub fn log_key() -> SignerKey {
    SignerKey::generate(ORIGIN, [1; 32]).unwrap()
}

/// A log, told by its leaves.
#[derive(Clone, Default)]
pub struct Log {
    pub tree: Frontier,
    nodes: HashMap<(u8, u64), Hash>,
}

impl Log {
    pub fn of(size: u64) -> Self {
        let mut log = Self::default();
        log.grow(size, "entry");
        log
    }

    /// Adds leaves until there are `size`; `word` tells one history from another.
    pub fn grow(&mut self, size: u64, word: &str) {
        while self.tree.size() < size {
            let leaf = Hash::of_leaf(format!("{word} {}", self.tree.size()).as_bytes());
            let nodes = &mut self.nodes;
            self.tree.push(leaf, |level, index, hash| {
                nodes.insert((level, index), hash);
            });
        }
    }

    pub fn grown(&self, size: u64, word: &str) -> Self {
        let mut log = self.clone();
        log.grow(size, word);
        log
    }

    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { origin: ORIGIN.parse().unwrap(), size: self.tree.size(), root: self.tree.root() }
    }

    pub fn signed(&self) -> String {
        self.checkpoint().sign(&log_key()).unwrap()
    }

    pub fn proof(&self, old: u64) -> Vec<Hash> {
        consistency_proof(&mut &*self, old, self.tree.size()).unwrap()
    }

    /// The request to extend `old`.
    pub fn request(&self, old: u64) -> String {
        AddCheckpoint { old, proof: self.proof(old), checkpoint: self.signed() }.to_string()
    }

    pub fn history(&self) -> Arc<dyn History> {
        let log = self.clone();
        Arc::new(move |old: u64, _: u64| Ok(log.proof(old)))
    }
}

impl Nodes for &Log {
    type Error = Infallible;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Infallible> {
        Ok(self.nodes[&(level, index)])
    }
}

/// A clock that tests turn.
#[derive(Clone)]
pub struct TestClock(pub Arc<AtomicU64>);

impl TestClock {
    pub fn at(now: u64) -> Self {
        Self(Arc::new(AtomicU64::new(now)))
    }

    pub fn turn(&self, now: u64) {
        self.0.store(now, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub fn secret(number: u8) -> WitnessSecret {
    WitnessSecret::generate(&format!("witness.example/w{number}"), [100 + number; 32]).unwrap()
}

/// The policy of a witness: the log, and nobody to ask.
pub fn follows() -> Policy {
    Policy::parse(format!("log {}\nquorum none\n", log_key().verifier_key()).as_bytes()).unwrap()
}

pub fn open(folder: &Path, number: u8, clock: &TestClock) -> Witness {
    let clock = Box::new(clock.clone());
    Witness::open(folder, secret(number), &follows(), Box::new(FileSystem), clock).unwrap()
}

/// A witness that is served.
pub struct Served {
    pub number: u8,
    pub url: String,
    pub folder: tempfile::TempDir,
    server: tokio::task::JoinHandle<()>,
}

impl Served {
    pub async fn new(number: u8) -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOW));
        let witness = Arc::new(open(folder.path(), number, &clock));
        let (url, server) = start(router(witness)).await;
        Self { number, url, folder, server }
    }

    pub fn line(&self) -> String {
        witness_line(self.number, &self.url)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub async fn start(router: axum::Router) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(serve(listener, router, Limits::default(), std::future::pending()));
    (url, server)
}

pub fn witness_line(number: u8, url: &str) -> String {
    format!("witness w{number} {} {url}\n", secret(number).verifier_key())
}

/// The log's policy: these witnesses, and these groups.
pub fn policy(witnesses: &[String], rest: &str) -> Policy {
    let text = format!("log {}\n{}{rest}", log_key().verifier_key(), witnesses.concat());
    Policy::parse(text.as_bytes()).unwrap()
}
