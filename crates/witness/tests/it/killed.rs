//! A witness that is killed, over and over, while rivals press it for contradicting cosignatures.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use placet_http::client::{Bounds, Client};
use placet_tlog::note::{Note, WitnessSecret};
use placet_tlog::witness::{parse_answer, parse_size};
use tokio::runtime::Runtime;

use crate::world::{Log, log_key};

const BOUNDS: Bounds = Bounds { time: Duration::from_secs(5), bytes: 10_000 };

/// How often, unless `PLACET_KILLS` says otherwise.
const ROUNDS: u64 = 100;

struct Running {
    child: Child,
    url: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(folder: &Path) -> Running {
    let policy = folder.join("policy");
    std::fs::write(&policy, format!("log {}\nquorum none\n", log_key().verifier_key())).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_placet-witness-child"))
        .args([folder.join("witness").as_os_str(), policy.as_os_str(), "77".as_ref()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    Running { child, url: format!("http://127.0.0.1:{}/add-checkpoint", port.trim()) }
}

/// What a rival knows: the history that the witness was last seen to follow, and all it has cosigned.
#[derive(Default)]
struct Shared {
    trunk: Log,
    cosigned: Vec<Log>,
    /// Sent, and no answer came: the witness may or may not have stored it.
    in_doubt: Vec<Log>,
}

/// Presses for a history of its own until the witness is gone.
async fn press(url: String, word: String, shared: Arc<Mutex<Shared>>) {
    let key = WitnessSecret::generate("witness.example/killed", [77; 32]).unwrap().verifier_key();
    let client = Client::new().unwrap();
    loop {
        let trunk = shared.lock().unwrap().trunk.clone();
        let old = trunk.tree.size();
        let mine = trunk.grown(old + 1, &word);
        let Ok(reply) = client.post(&url, "text/plain", mine.request(old).into_bytes(), BOUNDS).await else {
            shared.lock().unwrap().in_doubt.push(mine);
            return;
        };
        match reply.status {
            200 => {
                let note = Note::parse(mine.signed().as_bytes()).unwrap();
                let line = &parse_answer(&reply.body).unwrap()[0];
                placet_tlog::cosignature::verify(note.unverified_text(), line, &key).unwrap();
                let mut shared = shared.lock().unwrap();
                shared.trunk = mine.clone();
                shared.cosigned.push(mine);
            }
            409 => tokio::task::yield_now().await,
            status => panic!("status {status}: {}", String::from_utf8_lossy(&reply.body)),
        }
    }
}

/// Which of the histories in doubt the witness stored: it cosigns that one again, and no other.
async fn settle(url: &str, shared: &Mutex<Shared>) -> u64 {
    let client = Client::new().unwrap();
    let (trunk, in_doubt) = {
        let mut shared = shared.lock().unwrap();
        (shared.trunk.clone(), std::mem::take(&mut shared.in_doubt))
    };
    let ask = trunk.grown(trunk.tree.size() + 5, "ask").request(0);
    let reply = client.post(url, "text/plain", ask.into_bytes(), BOUNDS).await.unwrap();
    let size = if reply.status == 200 { return 0 } else { parse_size(&reply.body).unwrap() };
    if size == trunk.tree.size() {
        return 0;
    }
    for log in in_doubt.into_iter().filter(|log| log.tree.size() == size) {
        let body = log.request(size).into_bytes();
        if client.post(url, "text/plain", body, BOUNDS).await.unwrap().status == 200 {
            let mut shared = shared.lock().unwrap();
            shared.trunk = log.clone();
            shared.cosigned.push(log);
            return 1;
        }
    }
    panic!("the witness says {size}, which nobody has sent; {} was cosigned", trunk.tree.size());
}

#[test]
fn a_witness_killed_at_any_moment_never_cosigns_two_histories() {
    let rounds = std::env::var("PLACET_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let shared = Arc::new(Mutex::new(Shared { trunk: Log::of(1), ..Shared::default() }));
    let first = start(folder.path());
    let body = Log::of(1).request(0).into_bytes();
    let client = Client::new().unwrap();
    let reply = runtime.block_on(client.post(&first.url, "text/plain", body, BOUNDS)).unwrap();
    assert_eq!(reply.status, 200);
    drop(first);
    let mut stored_unanswered = 0;
    for round in 0..rounds {
        let witness = start(folder.path());
        stored_unanswered += runtime.block_on(settle(&witness.url, &shared));
        let rivals: Vec<_> = ["left", "right", "middle"]
            .map(|word| press(witness.url.clone(), format!("{word} {round}"), Arc::clone(&shared)))
            .into_iter()
            .map(|rival| runtime.spawn(rival))
            .collect();
        // Anything from before the first answer to many answers later.
        let moment = Duration::from_micros(300 + (round * 7919) % 40_000);
        runtime.block_on(async { tokio::time::sleep(moment).await });
        drop(witness);
        rivals.into_iter().for_each(|rival| runtime.block_on(rival).unwrap());
    }
    let shared = shared.lock().unwrap();
    for log in &shared.cosigned {
        let proof = shared.trunk.proof(log.tree.size());
        let (old, new) = (log.checkpoint(), shared.trunk.checkpoint());
        placet_tlog::merkle::verify_consistency(old.size, old.root, new.size, new.root, &proof)
            .unwrap_or_else(|e| panic!("the cosigned size {} is of another history: {e}", old.size));
    }
    println!(
        "{rounds} kills, {} cosignatures, all of one history; {stored_unanswered} stored ones had not been answered",
        shared.cosigned.len()
    );
    assert!(shared.cosigned.len() > 10, "{}", shared.cosigned.len());
}
