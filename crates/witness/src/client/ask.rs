//! One witness, one checkpoint.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use placet_http::client::{Prefix, Reply};
use placet_tlog::cosignature::{Seconds, verify};
use placet_tlog::note::Signature;
use placet_tlog::witness::{AddCheckpoint, parse_answer, parse_size};

use super::{Alarm, Asked, Errand, Failure, Outcome};

/// The most of a refusal's words that is passed on.
const MAX_WORDS: usize = 200;

/// What a witness can answer.
enum Answer {
    Cosigned(Seconds, Signature),
    /// It says that it has seen this many.
    Size(u64),
    /// A 409 that names no other size than ours.
    OtherRoot,
    /// 422.
    DoesNotExtend,
}

/// Why there is no answer to go by.
enum Halt {
    Failure(Failure),
    Alarm(Alarm),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Asks for a cosignature, once more if the witness knows another size than we believed.
pub(super) async fn for_cosignature(asked: &Asked, errand: &Errand) -> (Outcome, Option<Signature>) {
    match cosignature(asked, errand).await {
        Ok((time, line)) => (Outcome::Cosigned { time }, Some(line)),
        Err(Halt::Alarm(alarm)) => (Outcome::Alarm(alarm), None),
        Err(Halt::Failure(failure)) => (Outcome::Failed(failure), None),
    }
}

async fn cosignature(asked: &Asked, errand: &Errand) -> Result<(Seconds, Signature), Halt> {
    let ours = errand.checkpoint.size;
    let witness = || asked.name.clone();
    // Of a size that we once believed and that is not in our tree any more, the witness must speak itself.
    let believed = Some(asked.known.load(Ordering::Relaxed)).filter(|size| *size <= ours).unwrap_or(0);
    let mut old = believed;
    for _ in 0..2 {
        match submit(asked, errand, old).await? {
            Answer::Cosigned(time, line) => {
                asked.known.store(ours, Ordering::Relaxed);
                return Ok((time, line));
            }
            Answer::OtherRoot => {
                return Err(Halt::Alarm(Alarm::OtherRoot { witness: witness(), size: ours }));
            }
            Answer::DoesNotExtend => {
                return Err(Halt::Alarm(Alarm::DoesNotExtend { witness: witness(), size: old }));
            }
            Answer::Size(size) if size > ours => {
                return Err(Halt::Alarm(Alarm::AheadOfUs { witness: witness(), size }));
            }
            Answer::Size(size) => {
                asked.known.store(size, Ordering::Relaxed);
                old = size;
            }
        }
    }
    Err(Failure::Unsettled.into())
}

/// Asks for the size.
pub(super) async fn for_size(asked: &Asked, errand: &Errand) -> Result<u64, Failure> {
    match submit(asked, errand, 0).await {
        Ok(Answer::Size(size)) => {
            asked.known.store(size, Ordering::Relaxed);
            Ok(size)
        }
        Ok(Answer::Cosigned(..)) => {
            asked.known.store(errand.checkpoint.size, Ordering::Relaxed);
            Ok(errand.checkpoint.size)
        }
        // Nothing is claimed of size zero that could be refused.
        Ok(Answer::OtherRoot | Answer::DoesNotExtend) | Err(Halt::Alarm(_)) => Err(Failure::NoSize),
        Err(Halt::Failure(failure)) => Err(failure),
    }
}

async fn submit(asked: &Asked, errand: &Errand, old: u64) -> Result<Answer, Halt> {
    let url = asked.url.as_ref().ok_or(Failure::NoUrl)?;
    let proof = proof(asked, errand, old).await?;
    let request = AddCheckpoint { old, proof, checkpoint: errand.note.to_string() }.to_string();
    let reply = post(errand, url, request).await?;
    match reply.status {
        200 => read(asked, errand, &reply).map_err(Halt::from),
        409 => match parse_size(&reply.body) {
            Some(size) if size != old => Ok(Answer::Size(size)),
            _ if old == errand.checkpoint.size => Ok(Answer::OtherRoot),
            _ => Err(Failure::NoSize.into()),
        },
        422 => Ok(Answer::DoesNotExtend),
        status => Err(Failure::Declined { status, words: words(&reply.body) }.into()),
    }
}

async fn post(errand: &Errand, url: &Prefix, request: String) -> Result<Reply, Failure> {
    let url = url.join("add-checkpoint");
    Ok(errand.http.post(&url, "text/plain; charset=utf-8", request.into_bytes(), errand.bounds).await?)
}

async fn proof(asked: &Asked, errand: &Errand, old: u64) -> Result<Vec<placet_tlog::merkle::Hash>, Halt> {
    let size = errand.checkpoint.size;
    if old == 0 || old == size {
        return Ok(Vec::new());
    }
    let history = Arc::clone(&errand.history);
    let made = tokio::task::spawn_blocking(move || history.consistency(old, size)).await;
    let made = made.unwrap_or_else(|e| Err(e.into()));
    made.map_err(|source| Halt::Alarm(Alarm::NoProof { witness: asked.name.clone(), size: old, source }))
}

/// The cosignature in an answer, by the pinned key. Lines of other keys are ignored, as the specification has it.
fn read(asked: &Asked, errand: &Errand, reply: &Reply) -> Result<Answer, Failure> {
    let lines = parse_answer(&reply.body).map_err(Failure::Answer)?;
    let by_key = |line: &Signature| line.name() == asked.key.name() && line.id() == asked.key.id();
    let line = lines.into_iter().find(by_key).ok_or(Failure::OtherKey)?;
    let text = errand.note.unverified_text();
    let time = verify(text, &line, &asked.key).map_err(Failure::BadCosignature)?;
    if time.abs_diff(errand.now) > errand.skew {
        return Err(Failure::Clock { stated: time, now: errand.now });
    }
    Ok(Answer::Cosigned(time, line))
}

/// What a stranger says, fit for one line of a terminal.
fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let clean = text.chars().map(|c| if c.is_control() || placet_core::is_unseen(c) { ' ' } else { c });
    clean.take(MAX_WORDS).collect::<String>().trim().to_owned()
}
