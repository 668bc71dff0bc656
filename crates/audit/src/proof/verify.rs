//! What follows from a statement proof.

use placet_record::entry::slot::{SearchSlot, SlotState, open_slot};
use placet_record::entry::{Authority, CameraRoster, Event, Genesis, Leaf, Moment, Reveal, Tick};
use placet_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use placet_tlog::cosignature::Seconds;
use placet_tlog::merkle::{Hash, verify_inclusion};
use placet_tlog::note::VerifierKey;
use placet_tlog::policy::{Accepted, Policy, PolicyError};

use super::{ProofInvalid, ProvedEntry, StatementProof};
use crate::reader::Found;
use crate::statement::{Answer, Statement, TickSpan, Unknown, Witnessed};

impl StatementProof {
    /// What the log states of the camera at the instant, as far as this proof shows it, to a reader who trusts `policy` and
    /// whose clock says `now`.
    ///
    /// # Errors
    /// If anything in it is wrong, missing or beside the point, or if it shows that the log broke its rules.
    pub fn verify(&self, policy: &Policy, now: Moment) -> Result<Statement, ProofInvalid> {
        let accepted = policy
            .accept(self.checkpoint.as_bytes())
            .map_err(|source| ProofInvalid::Checkpoint { source })?;
        let genesis = self.check_genesis(accepted.checkpoint())?;
        let mut check = Check { proof: self, policy, now, accepted, genesis };
        let tick = check.tick()?;
        let next = check.next(tick.as_ref())?;
        let (answer, witnessed) = match &tick {
            None => {
                check.nothing_beside(&["roster", "slot", "reveal", "order", "cosigned"])?;
                let why = if next.is_some() { Unknown::BeforeTheLog } else { Unknown::NotYet };
                (Answer::Unknown(why), check.witnessed_now())
            }
            Some(tick) if check.is_within(&tick.what) => check.within(tick)?,
            Some(tick) => {
                check.roster(&tick.what)?;
                check.nothing_beside(&["slot", "reveal", "order", "cosigned"])?;
                let why = if next.is_some() { Unknown::Gap } else { Unknown::NotYet };
                (Answer::Unknown(why), check.witnessed_now())
            }
        };
        Ok(check.statement(tick.as_ref(), answer, witnessed))
    }

    fn check_genesis(&self, checkpoint: &Checkpoint) -> Result<Genesis, ProofInvalid> {
        let part = "genesis";
        let Leaf::Genesis(genesis) = read(&self.genesis, part, checkpoint)? else {
            return Err(ProofInvalid::Type { part });
        };
        if self.genesis.index != 0 {
            return Err(ProofInvalid::Misbehaviour { part, why: "stands behind other entries" });
        }
        if genesis.origin != checkpoint.origin {
            return Err(ProofInvalid::Origin { part });
        }
        Ok(genesis)
    }

    fn has(&self, part: &str) -> bool {
        match part {
            "next" => self.next.is_some(),
            "roster" => self.roster.is_some(),
            "slot" => self.slot.is_some(),
            "reveal" => self.reveal.is_some(),
            "order" => self.order.is_some(),
            _ => self.cosigned.is_some(),
        }
    }
}

/// An entry that stands under the checkpoint.
fn read(entry: &ProvedEntry, part: &'static str, checkpoint: &Checkpoint) -> Result<Leaf, ProofInvalid> {
    let bytes = entry.entry.as_bytes();
    let leaf = Hash::of_leaf(bytes);
    verify_inclusion(leaf, entry.index, checkpoint.size, &entry.path, checkpoint.root)
        .map_err(|source| ProofInvalid::Path { part, source })?;
    Leaf::parse(bytes).map_err(|source| ProofInvalid::Entry { part, source })
}

fn misbehaved<T>(part: &'static str, why: &'static str) -> Result<T, ProofInvalid> {
    Err(ProofInvalid::Misbehaviour { part, why })
}

/// A proof whose checkpoint and genesis are believed.
struct Check<'p> {
    proof: &'p StatementProof,
    policy: &'p Policy,
    now: Moment,
    accepted: Accepted,
    genesis: Genesis,
}

impl Check<'_> {
    fn statement(self, tick: Option<&Found<Tick>>, answer: Answer, witnessed: Witnessed) -> Statement {
        let checkpoint = self.accepted.checkpoint();
        let span = tick.map(|tick| &tick.what).filter(|tick| self.is_within(tick));
        let interval = self.genesis.interval;
        Statement {
            camera: self.proof.camera.clone(),
            at: self.proof.at,
            tick: span.map(|tick| TickSpan { n: tick.n, from: tick.start, until: tick.start.plus(interval) }),
            answer,
            witnessed,
            origin: checkpoint.origin.clone(),
            size: checkpoint.size,
        }
    }

    fn read(&self, entry: &ProvedEntry, part: &'static str) -> Result<Leaf, ProofInvalid> {
        read(entry, part, self.accepted.checkpoint())
    }

    fn nothing_beside(&self, parts: &[&'static str]) -> Result<(), ProofInvalid> {
        match parts.iter().find(|part| self.proof.has(part)) {
            Some(part) => Err(ProofInvalid::NotNeeded { part }),
            None => Ok(()),
        }
    }

    fn is_within(&self, tick: &Tick) -> bool {
        tick.start.plus(self.genesis.interval).is_none_or(|over| self.proof.at < over)
    }

    fn tick(&mut self) -> Result<Option<Found<Tick>>, ProofInvalid> {
        let Some(entry) = &self.proof.tick else { return Ok(None) };
        let tick = self.as_tick(entry, "tick")?;
        if tick.what.start > self.proof.at {
            return Err(ProofInvalid::Contradiction { part: "tick", why: "starts after `at`" });
        }
        Ok(Some(tick))
    }

    fn next(&self, tick: Option<&Found<Tick>>) -> Result<Option<Found<Tick>>, ProofInvalid> {
        let Some(entry) = &self.proof.next else { return Ok(None) };
        let part = "next";
        let next = self.as_tick(entry, part)?;
        let number = tick.map_or(0, |tick| tick.what.n.saturating_add(1));
        if next.what.n != number {
            return Err(ProofInvalid::Contradiction { part, why: "is not the tick after `tick`" });
        }
        if next.what.start <= self.proof.at {
            return Err(ProofInvalid::Contradiction { part, why: "does not start after `at`" });
        }
        if tick.is_some_and(|tick| tick.index >= next.index) {
            return misbehaved(part, "stands before the tick whose number precedes its own");
        }
        if tick.is_some_and(|tick| self.is_within(&tick.what)) {
            return Err(ProofInvalid::NotNeeded { part });
        }
        Ok(Some(next))
    }

    fn as_tick(&self, entry: &ProvedEntry, part: &'static str) -> Result<Found<Tick>, ProofInvalid> {
        let Leaf::Tick(tick) = self.read(entry, part)? else { return Err(ProofInvalid::Type { part }) };
        if tick.start < self.genesis.at {
            return misbehaved(part, "starts before its log");
        }
        let over = tick.start.plus(self.genesis.interval);
        if over.and_then(|over| over.plus(self.genesis.reveal_delay)) != Some(tick.reveal_by) {
            return misbehaved(part, "names another date for its reveal than the genesis fixes");
        }
        Ok(Found { index: entry.index, what: tick })
    }

    fn roster(&self, tick: &Tick) -> Result<CameraRoster, ProofInvalid> {
        let part = "roster";
        let file = self.proof.roster.as_ref().ok_or(ProofInvalid::Missing { part })?;
        let roster =
            CameraRoster::parse(file.as_bytes()).map_err(|source| ProofInvalid::Roster { source })?;
        // A roster has one spelling, so that this is the digest of the file.
        if roster.digest() != tick.roster {
            return Err(ProofInvalid::Contradiction { part, why: "is not the one that `tick` names" });
        }
        Ok(roster)
    }

    /// What follows where the tick speaks of the instant.
    fn within(&self, tick: &Found<Tick>) -> Result<(Answer, Witnessed), ProofInvalid> {
        let slot = self.roster(&tick.what)?.slot_of(&self.proof.camera);
        let witnessed = self.witnessed(tick)?;
        let Some(slot) = slot else {
            self.nothing_beside(&["slot", "reveal", "order"])?;
            return Ok((Answer::Unknown(Unknown::NotACamera), witnessed));
        };
        if slot >= self.genesis.slots {
            return misbehaved("roster", "gives the camera a slot that no tick has");
        }
        let part = "slot";
        let proved = self.proof.slot.as_ref().ok_or(ProofInvalid::Missing { part })?;
        let (leaf, slots) = (Hash::of_leaf(&proved.bytes), self.genesis.slots.into());
        verify_inclusion(leaf, slot.into(), slots, &proved.path, tick.what.slots_root)
            .map_err(|source| ProofInvalid::Path { part, source })?;
        let Some(reveal) = self.reveal(tick)? else {
            self.nothing_beside(&["order"])?;
            let by = tick.what.reveal_by;
            let overdue = Answer::Unknown(Unknown::Overdue { since: by });
            return Ok((if self.now > by { overdue } else { Answer::WillBeShown { by } }, witnessed));
        };
        let state = open_slot(&reveal.seed.salt(slot), tick.what.n, slot, &proved.bytes)
            .map_err(|source| ProofInvalid::Slot { source })?;
        Ok((self.answer(state)?, witnessed))
    }

    fn reveal(&self, tick: &Found<Tick>) -> Result<Option<Reveal>, ProofInvalid> {
        let Some(entry) = &self.proof.reveal else { return Ok(None) };
        let part = "reveal";
        let Leaf::Reveal(reveal) = self.read(entry, part)? else { return Err(ProofInvalid::Type { part }) };
        if reveal.tick != tick.what.n {
            return Err(ProofInvalid::Contradiction { part, why: "is of another tick" });
        }
        if entry.index <= tick.index {
            return misbehaved(part, "stands before its tick");
        }
        let over = tick.what.start.plus(self.genesis.interval);
        if over.is_none_or(|over| reveal.at < over) {
            return misbehaved(part, "comes before the tick's interval is over");
        }
        Ok(Some(reveal))
    }

    fn answer(&self, state: SlotState) -> Result<Answer, ProofInvalid> {
        if !matches!(state, SlotState::On(_)) {
            self.nothing_beside(&["order"])?;
        }
        match state {
            SlotState::Off => Ok(Answer::Off),
            SlotState::Unknown => Ok(Answer::Unknown(Unknown::NoAnswer)),
            SlotState::Unused => {
                misbehaved("slot", "says that no camera has it, and the roster gives it to this one")
            }
            SlotState::On(search) => {
                let SearchSlot { order, purpose, counts } = search;
                Ok(Answer::On { purpose, order, authority: self.order(&search)?, counts })
            }
        }
    }

    fn order(&self, search: &SearchSlot) -> Result<Option<Authority>, ProofInvalid> {
        let Some(entry) = &self.proof.order else { return Ok(None) };
        let part = "order";
        let Leaf::Event(Event { public: Some(public), .. }) = self.read(entry, part)? else {
            return Err(ProofInvalid::Type { part });
        };
        if public.order != search.order {
            return Err(ProofInvalid::Contradiction { part, why: "is about another order than the slot" });
        }
        if public.purpose != search.purpose.into() {
            return Err(ProofInvalid::Contradiction { part, why: "has another purpose than the slot" });
        }
        if !public.cameras.contains(&self.proof.camera) {
            return Err(ProofInvalid::Contradiction { part, why: "does not name the camera" });
        }
        Ok(Some(public.authority))
    }

    fn witnessed_now(&self) -> Witnessed {
        self.accepted.witnessed_at().map_or(Witnessed::Unwitnessed, |at| Witnessed::NowOnly { at })
    }

    /// Since when witnesses knew the tick.
    fn witnessed(&self, tick: &Found<Tick>) -> Result<Witnessed, ProofInvalid> {
        let then = self.cosigned_at(tick)?;
        let Some(now) = self.accepted.witnessed_at() else { return Ok(Witnessed::Unwitnessed) };
        let at = then.map_or(now, |then| then.min(now));
        Ok(match then {
            _ if at <= self.proof.at.unix_seconds() => Witnessed::InTime { at },
            Some(_) => Witnessed::Late { at },
            None => Witnessed::NowOnly { at },
        })
    }

    /// When enough witnesses had cosigned the tick's own checkpoint; none if it is not there, or has too few for this policy.
    fn cosigned_at(&self, tick: &Found<Tick>) -> Result<Option<Seconds>, ProofInvalid> {
        let Some(cosigned) = &self.proof.cosigned else { return Ok(None) };
        let part = "cosigned";
        let bytes = cosigned.checkpoint.as_bytes();
        let (checkpoint, at) = match self.policy.accept(bytes) {
            Ok(accepted) => (accepted.checkpoint().clone(), accepted.witnessed_at()),
            // The log asked its own policy when it chose this one. The reader's may ask for more.
            Err(PolicyError::Quorum { .. }) => (self.signed(bytes)?, None),
            Err(source) => return Err(ProofInvalid::Cosigned { source }),
        };
        if checkpoint.origin != self.genesis.origin {
            return Err(ProofInvalid::Origin { part });
        }
        let ours = self.accepted.checkpoint();
        if checkpoint.size > ours.size {
            return Err(ProofInvalid::Contradiction { part, why: "is of a larger tree than `checkpoint`" });
        }
        if checkpoint.size == ours.size && checkpoint.root != ours.root {
            return misbehaved(part, "is of another history than `checkpoint`");
        }
        let entry = self.proof.tick.as_ref().map_or("", |tick| &tick.entry);
        let leaf = Hash::of_leaf(entry.as_bytes());
        verify_inclusion(leaf, tick.index, checkpoint.size, &cosigned.path, checkpoint.root)
            .map_err(|source| ProofInvalid::Path { part, source })?;
        Ok(at)
    }

    fn signed(&self, bytes: &[u8]) -> Result<Checkpoint, ProofInvalid> {
        let keys: Vec<VerifierKey> = self.policy.logs().iter().map(|log| log.key.clone()).collect();
        let signed = SignedCheckpoint::open(bytes, &keys)
            .map_err(|source| ProofInvalid::Cosigned { source: source.into() })?;
        Ok(signed.checkpoint().clone())
    }
}
