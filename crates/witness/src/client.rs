//! Asks the witnesses of a policy for their cosignatures, all at once.
//!
//! No witness is believed: what it sends is verified under the key that the policy pins, what it says of sizes is only
//! ever a reason for alarm. One that is slow, silent or hostile costs time up to the deadline and nothing else.

mod ask;
mod outcome;

pub use outcome::{Alarm, CosignError, Failure, Outcome, Round, SizeAnswer, WitnessOutcome};

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use placet_http::client::{Bounds, Client, HttpError, Prefix, PrefixError};
use placet_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use placet_tlog::cosignature::Seconds;
use placet_tlog::merkle::Hash;
use placet_tlog::note::{Note, Signature, VerifierKey, WitnessKey};
use placet_tlog::policy::{Name, Policy};
use placet_tlog::witness::MAX_REQUEST;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// Where consistency proofs come from: the log itself. Called on a thread where waiting is allowed.
pub trait History: Send + Sync + 'static {
    /// The proof that the tree of `size` leaves extends that of `old`.
    ///
    /// # Errors
    /// If it cannot be had.
    fn consistency(&self, old: u64, size: u64) -> Result<Vec<Hash>, Box<dyn Error + Send + Sync>>;
}

impl<F> History for F
where
    F: Fn(u64, u64) -> Result<Vec<Hash>, Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
{
    fn consistency(&self, old: u64, size: u64) -> Result<Vec<Hash>, Box<dyn Error + Send + Sync>> {
        self(old, size)
    }
}

/// How long to wait for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// After the quorum is met, for cosignatures beyond it.
    pub grace: Duration,
    /// For everything.
    pub deadline: Duration,
    /// How far a witness's clock may be from ours, either way.
    pub skew: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            grace: Duration::from_millis(500),
            deadline: Duration::from_secs(5),
            skew: Duration::from_secs(300),
        }
    }
}

/// The witnesses of one policy, with what each was last seen to know.
#[derive(Debug)]
pub struct Witnesses {
    policy: Policy,
    settings: Settings,
    http: Client,
    asked: Vec<Arc<Asked>>,
}

/// One witness.
#[derive(Debug)]
struct Asked {
    name: Name,
    key: WitnessKey,
    url: Option<Prefix>,
    /// The size it last cosigned, as far as we know. Only a saving: a wrong one costs a request.
    known: AtomicU64,
}

/// One checkpoint on its way to all witnesses.
struct Errand {
    http: Client,
    bounds: Bounds,
    skew: u64,
    now: Seconds,
    checkpoint: Checkpoint,
    note: Note,
    history: Arc<dyn History>,
}

impl Witnesses {
    /// The witnesses of `policy`. One without a URL is never asked.
    ///
    /// # Errors
    /// If a URL is none, or TLS cannot be prepared.
    pub fn new(policy: Policy, settings: Settings) -> Result<Self, SetupError> {
        let asked = policy.witnesses().iter().map(|witness| {
            let url = witness.url.as_deref().map(str::parse).transpose();
            let url = url.map_err(|source| SetupError::Url { witness: witness.name.clone(), source })?;
            let known = AtomicU64::new(0);
            Ok(Arc::new(Asked { name: witness.name.clone(), key: witness.key.clone(), url, known }))
        });
        let asked = asked.collect::<Result<_, SetupError>>()?;
        Ok(Self { policy, settings, http: Client::new().map_err(SetupError::Client)?, asked })
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Asks every witness to cosign `checkpoint`, a note that the log signed, and waits until enough have, a little longer for
    /// more, and at most until the deadline. `now` is what cosignature times are held against.
    ///
    /// # Errors
    /// If `checkpoint` is not one that a log of the policy signed. Whatever witnesses do is an outcome.
    pub async fn cosign(
        &self,
        checkpoint: &str,
        now: Seconds,
        history: Arc<dyn History>,
    ) -> Result<Round, CosignError> {
        let errand = Arc::new(self.errand(checkpoint, now, history)?);
        let start = Instant::now();
        let deadline = start + self.settings.deadline;
        let mut asking = JoinSet::new();
        for (at, asked) in self.asked.iter().cloned().enumerate().filter(|(_, a)| a.url.is_some()) {
            let errand = Arc::clone(&errand);
            asking.spawn(async move { (at, ask::for_cosignature(&asked, &errand).await) });
        }
        let mut heard = Heard::of(&self.asked);
        let mut until = deadline;
        let mut met = false;
        loop {
            if !met && self.policy.is_met_by(&heard.keys(&self.asked)) {
                met = true;
                until = deadline.min(Instant::now() + self.settings.grace);
            }
            // Those that are left when this ends are given up; what they would have said is asked for again next time.
            let Ok(Some(joined)) = timeout_at(until, asking.join_next()).await else { break };
            if let Ok((at, (outcome, line))) = joined {
                heard.take(at, outcome, line, start.elapsed());
            }
        }
        Ok(heard.round(&self.policy, &errand.note))
    }

    /// Asks every witness which size it has seen, for a log to compare with its own before it signs anything after a start. A
    /// larger one means that entries were lost.
    ///
    /// `checkpoint` is any note that the log has signed, best the last one with its cosignatures. A witness answers with
    /// its size; one that has seen nothing yet cosigns it, which states nothing new.
    ///
    /// # Errors
    /// If `checkpoint` is not one that a log of the policy signed.
    pub async fn sizes(&self, checkpoint: &str, now: Seconds) -> Result<Vec<SizeAnswer>, CosignError> {
        let none = |_, _| Err("sizes are asked for without a proof".into());
        let errand = Arc::new(self.errand(checkpoint, now, Arc::new(none))?);
        let mut asking = JoinSet::new();
        for (at, asked) in self.asked.iter().cloned().enumerate() {
            let errand = Arc::clone(&errand);
            asking.spawn(async move { (at, ask::for_size(&asked, &errand).await) });
        }
        let mut sizes: Vec<Option<Result<u64, Failure>>> = self.asked.iter().map(|_| None).collect();
        let deadline = Instant::now() + self.settings.deadline;
        while let Ok(Some(joined)) = timeout_at(deadline, asking.join_next()).await {
            if let Ok((at, size)) = joined
                && let Some(place) = sizes.get_mut(at)
            {
                *place = Some(size);
            }
        }
        let answer = |(asked, size): (&Arc<Asked>, Option<Result<u64, Failure>>)| SizeAnswer {
            witness: asked.name.clone(),
            size: size.unwrap_or(Err(Failure::Late)),
        };
        Ok(self.asked.iter().zip(sizes).map(answer).collect())
    }

    fn errand(
        &self,
        checkpoint: &str,
        now: Seconds,
        history: Arc<dyn History>,
    ) -> Result<Errand, CosignError> {
        let keys: Vec<VerifierKey> = self.policy.logs().iter().map(|log| log.key.clone()).collect();
        let signed = SignedCheckpoint::open(checkpoint.as_bytes(), &keys)?;
        Ok(Errand {
            http: self.http.clone(),
            bounds: Bounds { time: self.settings.deadline, bytes: MAX_REQUEST },
            skew: self.settings.skew.as_secs(),
            now,
            checkpoint: signed.checkpoint().clone(),
            note: signed.note().clone(),
            history,
        })
    }
}

/// What has come back so far, by witness.
struct Heard {
    outcomes: Vec<WitnessOutcome>,
    lines: Vec<Option<Signature>>,
}

impl Heard {
    fn of(asked: &[Arc<Asked>]) -> Self {
        let before = |a: &Arc<Asked>| WitnessOutcome {
            witness: a.name.clone(),
            outcome: if a.url.is_some() { Outcome::Failed(Failure::Late) } else { Outcome::NotAsked },
            after: Duration::ZERO,
        };
        Self { outcomes: asked.iter().map(before).collect(), lines: vec![None; asked.len()] }
    }

    fn take(&mut self, at: usize, outcome: Outcome, line: Option<Signature>, after: Duration) {
        if let (Some(place), Some(kept)) = (self.outcomes.get_mut(at), self.lines.get_mut(at)) {
            (place.outcome, place.after, *kept) = (outcome, after, line);
        }
    }

    fn keys(&self, asked: &[Arc<Asked>]) -> Vec<WitnessKey> {
        let cosigned = asked.iter().zip(&self.lines).filter(|(_, line)| line.is_some());
        cosigned.map(|(asked, _)| asked.key.clone()).collect()
    }

    fn round(self, policy: &Policy, note: &Note) -> Round {
        // A line that finds no place any more, or stands there already, is left out; the policy judges the rest.
        let with = |note: Note, line: Signature| note.clone().with(line).unwrap_or(note);
        let note = self.lines.into_iter().flatten().fold(note.clone(), with);
        let checkpoint = note.to_string();
        let accepted = policy.accept(checkpoint.as_bytes());
        Round {
            met: accepted.is_ok(),
            witnessed_at: accepted.ok().and_then(|a| a.witnessed_at()),
            checkpoint,
            outcomes: self.outcomes,
        }
    }
}

/// Why witnesses cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A URL of the policy.
    #[error("the URL of the witness `{witness}` cannot be used")]
    Url {
        /// Whose.
        witness: Name,
        /// What is wrong with it.
        source: PrefixError,
    },
    /// No client.
    #[error(transparent)]
    Client(HttpError),
}
