//! Witnesses: being one, having a key for it, and asking those of a policy.

use std::sync::Arc;
use std::time::Duration;

use placet_keeper::{Cosigned, Cosigner, Published};
use placet_record::entry::Moment;
use placet_tlog::note::WitnessSecret;
use placet_witness::client::{History, Outcome, Settings, Witnesses};
use placet_witness::server::{FileSystem, SystemClock, Witness, router};
use tokio::runtime::Handle;

use super::run::{listen, runtime, stopped};
use super::{WitnessArgs, WitnessKeyArgs, failed, policy, usage};
use crate::Failure;
use crate::exit::Exit;
use crate::keys;

/// `placet log witness-key`
pub fn make_key(args: &WitnessKeyArgs) -> Result<Exit, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(keys::KeyError::Random)?;
    let secret = WitnessSecret::generate(&args.name, seed).map_err(|e| usage(&e))?;
    keys::keep(&args.output, secret.secret_text().expose())?;
    println!("{}", secret.verifier_key());
    eprintln!(
        "private half: {} (keep it secret); public half above, for the policies of logs",
        args.output.display()
    );
    Ok(Exit::Done)
}

/// `placet log witness`
pub fn run(args: &WitnessArgs) -> Result<Exit, Failure> {
    let logs = policy(&args.logs)?;
    if logs.logs().is_empty() {
        return Err(Failure::Usage(format!(
            "`{}` names no log: it needs a line `log KEY`",
            args.logs.display()
        )));
    }
    let secret = keys::read_secret(&args.key)?;
    let secret: WitnessSecret = secret.trim_end().parse().map_err(|e| {
        Failure::Usage(format!("`{}` is no witness's key: {}", args.key.display(), placet_job::chain(&e)))
    })?;
    let witness = Witness::open(&args.home, secret, &logs, Box::new(FileSystem), Box::new(SystemClock));
    let witness = Arc::new(witness.map_err(|e| failed(&e))?);
    let runtime = runtime()?;
    runtime.block_on(async {
        let listener = listen(&args.listen).await?;
        let address = listener.local_addr().map_err(|e| Failure::Io(args.listen.clone(), e))?;
        eprintln!("witness {} listens on http://{address}/", witness.key());
        placet_http::server::serve(
            listener,
            router(witness),
            placet_http::server::Limits::default(),
            stopped(),
        )
        .await;
        Ok(Exit::Done)
    })
}

/// The witnesses of a log's policy, over HTTP.
pub struct OverHttp {
    witnesses: Witnesses,
    runtime: Handle,
}

impl OverHttp {
    /// Those of `policy`, with `deadline` for each round.
    pub fn new(
        policy: placet_tlog::policy::Policy,
        deadline: Duration,
        runtime: Handle,
    ) -> Result<Self, Failure> {
        let settings = Settings { deadline, ..Settings::default() };
        Ok(Self { witnesses: Witnesses::new(policy, settings).map_err(|e| usage(&e))?, runtime })
    }

    /// Asks all for the sizes they have seen, before anything is signed after a start. A larger one than ours, or one that
    /// nobody can tell: words for whoever runs the log.
    pub fn before_the_first_signature(
        &self,
        note: &str,
        size: u64,
        now: Moment,
    ) -> Result<Vec<String>, Failure> {
        let answers = self.runtime.block_on(self.witnesses.sizes(note, now.unix_seconds()));
        let mut words = Vec::new();
        for answer in answers.map_err(|e| failed(&e))? {
            match answer.size {
                Ok(seen) if seen > size => {
                    return Err(Failure::Refused(format!(
                        "the witness `{}` has seen {seen} entries of this log, which has {size}: entries were lost, or it lies. \
                         Nothing is signed until you have found out which; put the log back from a copy, or tell the public",
                        answer.witness
                    )));
                }
                Ok(_) => {}
                Err(error) => words.push(format!(
                    "the witness `{}` did not say what it has seen: {}",
                    answer.witness,
                    placet_job::chain(&error)
                )),
            }
        }
        Ok(words)
    }
}

impl Cosigner for OverHttp {
    fn cosign(&mut self, note: &str, now: Moment, log: &Published) -> Cosigned {
        let log = log.clone();
        let history = move |old, size| log.reader().consistency(old, size).map_err(Into::into);
        let history: Arc<dyn History> = Arc::new(history);
        match self.runtime.block_on(self.witnesses.cosign(note, now.unix_seconds(), history)) {
            Ok(round) => {
                let alarm = round.alarms().next().map(ToString::to_string);
                let words = round.outcomes.iter().filter_map(|w| match &w.outcome {
                    Outcome::Failed(why) => Some(format!(
                        "the witness `{}` did not cosign: {}",
                        w.witness,
                        placet_job::chain(why)
                    )),
                    Outcome::Cosigned { .. } | Outcome::Alarm(_) | Outcome::NotAsked => None,
                });
                Cosigned { met: round.met, words: words.collect(), alarm, note: round.checkpoint }
            }
            Err(error) => Cosigned {
                note: note.to_owned(),
                words: vec![placet_job::chain(&error)],
                ..Cosigned::default()
            },
        }
    }
}
