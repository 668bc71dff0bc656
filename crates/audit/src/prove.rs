//! Statement proofs out of a published log.

use placet_record::entry::slot::{SlotState, open_slot};
use placet_record::entry::{CameraId, FormError, Moment, Tick};
use placet_tlog::checkpoint::SignedCheckpoint;
use placet_tlog::merkle;
use placet_tlog::note::VerifierKey;
use placet_tlog::policy::PolicyError;

use crate::proof::{ProvedCheckpoint, ProvedEntry, ProvedSlot, StatementProof};
use crate::reader::{Around, Found, ReadError, Reader};
use crate::source::Source;

/// Takes out of a log what it takes to answer for `camera` at `at`, under the checkpoint it serves now.
///
/// It answers nothing itself: [`StatementProof::verify`] does, and may find that the log misbehaved.
///
/// # Errors
/// If a part cannot be had as the checkpoint covers it, or the whole is too long.
pub fn prove<S: Source>(
    reader: &Reader<S>,
    camera: &CameraId,
    at: Moment,
) -> Result<StatementProof, ProveError> {
    let Around { before: tick, after: next } = reader.ticks_around(at)?;
    let mut proof = StatementProof {
        camera: camera.clone(),
        at,
        checkpoint: text(0, reader.served().to_vec())?,
        genesis: entry(reader, 0)?,
        tick: None,
        next: None,
        roster: None,
        slot: None,
        reveal: None,
        order: None,
        cosigned: None,
    };
    let over = |tick: &Tick| tick.start.plus(reader.genesis().interval).is_some_and(|over| over <= at);
    if tick.as_ref().is_none_or(|tick| over(&tick.what)) {
        proof.next = next.map(|next| entry(reader, next.index)).transpose()?;
    }
    if let Some(tick) = tick {
        proof.tick = Some(entry(reader, tick.index)?);
        let roster = reader.roster(&tick.what.roster)?;
        let slot = roster.slot_of(camera).filter(|_| !over(&tick.what));
        proof.roster = Some(text(tick.index, roster.to_bytes())?);
        if let Some(slot) = slot {
            fill(reader, &mut proof, &tick, slot)?;
        }
    }
    proof.to_bytes()?;
    Ok(proof)
}

/// What there is of the camera's slot.
fn fill<S: Source>(
    reader: &Reader<S>,
    proof: &mut StatementProof,
    tick: &Found<Tick>,
    slot: u32,
) -> Result<(), ProveError> {
    let slots = reader.slots(&tick.what)?;
    // A slot beyond the tick's leaves the proof without one, which is then refused.
    let Some(bytes) = slots.slots().get(slot as usize).copied() else { return Ok(()) };
    proof.slot = Some(ProvedSlot { bytes, path: slots.path(slot) });
    proof.cosigned = cosigned(reader, tick)?;
    let Some(reveal) = reader.reveal_of(tick)? else { return Ok(()) };
    proof.reveal = Some(entry(reader, reveal.index)?);
    let state = open_slot(&reveal.what.seed.salt(slot), tick.what.n, slot, &bytes);
    if let Ok(SlotState::On(search)) = state {
        let event = reader.public_event(&search.order, tick.index)?;
        proof.order = event.map(|event| entry(reader, event.index)).transpose()?;
    }
    Ok(())
}

fn entry<S: Source>(reader: &Reader<S>, index: u64) -> Result<ProvedEntry, ProveError> {
    Ok(ProvedEntry { index, entry: text(index, reader.entry(index)?)?, path: reader.inclusion_proof(index)? })
}

/// The tick's own checkpoint, if it covers the tick and belongs to this history.
fn cosigned<S: Source>(
    reader: &Reader<S>,
    tick: &Found<Tick>,
) -> Result<Option<ProvedCheckpoint>, ProveError> {
    let Some(item) = reader.cosigned(tick.what.n)? else { return Ok(None) };
    let keys: Vec<VerifierKey> = reader.policy().logs().iter().map(|log| log.key.clone()).collect();
    let signed = SignedCheckpoint::open(&item, &keys)
        .map_err(|source| ProveError::Cosigned { tick: tick.what.n, source: source.into() })?;
    let then = signed.checkpoint();
    reader.check_consistent(then.size, then.root)?;
    let path = reader.inclusion_proof_at(tick.index, then.size)?;
    merkle::verify_inclusion(
        merkle::Hash::of_leaf(&reader.entry(tick.index)?),
        tick.index,
        then.size,
        &path,
        then.root,
    )
    .map_err(|source| ReadError::Fork { size: then.size, source })?;
    Ok(Some(ProvedCheckpoint { checkpoint: text(tick.index, item)?, path }))
}

fn text(index: u64, bytes: Vec<u8>) -> Result<String, ProveError> {
    String::from_utf8(bytes).map_err(|_| ProveError::NotText { index })
}

/// Why no statement proof was made.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// A part cannot be had.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A tick's own checkpoint that the log's key did not sign.
    #[error("the `cosigned` item of tick {tick} is not accepted")]
    Cosigned {
        /// The tick's number.
        tick: u64,
        /// Why not.
        source: PolicyError,
    },
    /// What has to be text and is none.
    #[error("what belongs to entry {index} is not UTF-8")]
    NotText {
        /// Which entry.
        index: u64,
    },
    /// The proof does not fit into a file.
    #[error("the proof cannot be written")]
    Form(#[from] FormError),
}
