//! Log before act: how long until an entry is durable and enough witnesses have cosigned it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use placet_http::server::{Limits, serve};
use placet_store::{Batch, Log, SPAN};
use placet_tlog::note::{SignerKey, WitnessSecret};
use placet_tlog::policy::Policy;
use placet_witness::client::{Settings, Witnesses};
use placet_witness::server::{Clock as _, FileSystem, SystemClock, Witness, router};
use tokio::net::TcpListener;
use tokio::runtime;

use crate::engines::disks;
use crate::table::{head, quantile, row};
use crate::{Outcome, entries};

const WITNESSES: u8 = 3;

/// Entries of a turn.
const ENTRIES: u64 = 50;

/// One log with the witnesses it asks, and what was measured.
struct Asking {
    quorum: u8,
    log: Log<SignerKey>,
    witnesses: Witnesses,
    appended: Vec<f64>,
    witnessed: Vec<f64>,
}

/// A witness in a process of its own, which ends with this.
struct Served {
    process: Child,
    port: u16,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// One entry after the other, each cosigned by 2 of 3 or by 3 of 3 witnesses over loopback before the next, in turns.
pub fn run(folder: &Path, rounds: u64) -> Outcome<()> {
    println!("\n## Log before act\n");
    println!(
        "{} entries each, one after the other: durable here, then cosigned by witnesses over loopback HTTP,",
        rounds * ENTRIES
    );
    println!("each a process of its own that stores before it signs. ms.\n");
    let own = tempfile::tempdir_in(folder)?;
    let quorums = [2, WITNESSES];
    let served = serve_all(own.path(), &quorums)?;
    let mut asking = Vec::new();
    for quorum in quorums {
        asking.push(asks(own.path(), quorum, &served)?);
    }
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for round in 0..rounds {
        for n in 0..ENTRIES * asking.len() as u64 {
            // By turns entry for entry, the first one changing from round to round.
            let at = usize::try_from(n + round)? % asking.len();
            let one = asking.get_mut(at).ok_or("no such log")?;
            runtime.block_on(one.entry(round << 32 | n))?;
        }
    }
    head(&["", "p50", "p99"]);
    let mut alone: Vec<f64> = asking.iter().flat_map(|a| a.appended.iter().copied()).collect();
    tell("append alone", &mut alone);
    for one in &mut asking {
        tell(&format!("append and {} of {WITNESSES} cosignatures", one.quorum), &mut one.witnessed);
        let added = one.witnessed.iter().zip(&one.appended).map(|(all, append)| all - append);
        tell("of it for cosignatures", &mut added.collect::<Vec<f64>>());
    }
    Ok(())
}

fn tell(what: &str, seconds: &mut [f64]) {
    let milliseconds = [0.5, 0.99].map(|share| format!("{:.2}", quantile(seconds, share) * 1000.0));
    row([what.to_owned()].into_iter().chain(milliseconds));
}

impl Asking {
    async fn entry(&mut self, n: u64) -> Outcome<()> {
        let batch = Batch::of(entries::entry(n)?);
        let begun = Instant::now();
        let receipt = self.log.append(&batch)?;
        let appended = begun.elapsed().as_secs_f64();
        let reader = self.log.reader();
        let history = move |old, size| Ok(reader.consistency(old, size)?);
        let round = self.witnesses.cosign(&receipt.note, SystemClock.now(), Arc::new(history)).await?;
        let witnessed = begun.elapsed().as_secs_f64();
        if !round.met {
            return Err(format!("the witnesses did not cosign: {:?}", round.outcomes).into());
        }
        self.appended.push(appended);
        self.witnessed.push(witnessed);
        Ok(())
    }
}

fn log_key(quorum: u8) -> Outcome<SignerKey> {
    Ok(SignerKey::generate(&format!("log.example/{quorum}"), [quorum; 32])?)
}

fn secret(number: u8) -> Outcome<WitnessSecret> {
    Ok(WitnessSecret::generate(&format!("witness-{number}.example"), [100 + number; 32])?)
}

fn asks(folder: &Path, quorum: u8, served: &[Served]) -> Outcome<Asking> {
    let mut policy = format!("log {}\n", log_key(quorum)?.verifier_key());
    let mut group = format!("group enough {quorum}");
    for (number, witness) in (0..).zip(served) {
        let key = secret(number)?.verifier_key();
        policy += &format!("witness w{number} {key} http://127.0.0.1:{}\n", witness.port);
        group += &format!(" w{number}");
    }
    let policy = Policy::parse(format!("{policy}{group}\nquorum enough\n").as_bytes())?;
    // Nobody is waited for once there are enough.
    let settings = Settings { grace: Duration::ZERO, ..Settings::default() };
    let own = folder.join(format!("log-{quorum}"));
    fs::create_dir(&own)?;
    Ok(Asking {
        quorum,
        log: Log::create(disks(&own)?, log_key(quorum)?, SPAN)?,
        witnesses: Witnesses::new(policy, settings)?,
        appended: Vec::new(),
        witnessed: Vec::new(),
    })
}

/// Starts the witnesses, which follow the logs of all quorums.
fn serve_all(folder: &Path, quorums: &[u8]) -> Outcome<Vec<Served>> {
    let mut follows = String::new();
    for quorum in quorums {
        follows += &format!("log {}\n", log_key(*quorum)?.verifier_key());
    }
    let policy = folder.join("follows");
    fs::write(&policy, follows + "quorum none\n")?;
    (0..WITNESSES)
        .map(|number| {
            let mut process = Command::new(std::env::current_exe()?)
                .arg(folder.join(format!("witness-{number}")))
                .arg("witness")
                .arg(&policy)
                .arg(number.to_string())
                .stdout(Stdio::piped())
                .spawn()?;
            let out = process.stdout.take().ok_or("the witness has no output")?;
            let mut served = Served { process, port: 0 };
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line)?;
            served.port = line.trim().parse()?;
            Ok(served)
        })
        .collect()
}

/// Is a witness until it is killed; prints its port.
pub fn serve_witness(folder: &Path, policy: &Path, number: u8) -> Outcome<()> {
    let policy = Policy::parse(&fs::read(policy)?)?;
    let witness =
        Witness::open(folder, secret(number)?, &policy, Box::new(FileSystem), Box::new(SystemClock))?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        serve(listener, router(Arc::new(witness)), Limits::default(), std::future::pending()).await;
        Ok(())
    })
}
