//! Witnesses in the same process: for a day that is simulated, and for tests. The same [`Witness`] that others run, asked
//! without HTTP. Whoever runs the log and these watches himself; their policy should say so.

use std::error::Error;

use placet_tlog::checkpoint::Checkpoint;
use placet_tlog::merkle::Hash;
use placet_tlog::note::Note;
use placet_tlog::policy::Policy;
use placet_tlog::witness::{AddCheckpoint, parse_answer, with_lines};

use crate::server::{Declined, Witness};

/// Several witnesses and the policy by which they count.
pub struct Local {
    witnesses: Vec<(u64, Witness)>,
    policy: Policy,
}

/// What they did.
#[derive(Debug)]
pub struct Cosigned {
    /// The checkpoint with their lines.
    pub checkpoint: String,
    /// Whether the policy accepts it.
    pub met: bool,
    /// What those said who did not cosign.
    pub declined: Vec<Declined>,
}

impl Local {
    /// These witnesses, which have seen nothing of the log yet.
    pub fn new(witnesses: Vec<Witness>, policy: Policy) -> Self {
        Self { witnesses: witnesses.into_iter().map(|w| (0, w)).collect(), policy }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Has `checkpoint` cosigned by all. `consistency` proves that the tree of the second size extends that of the first.
    ///
    /// # Errors
    /// If it is no checkpoint, or a proof cannot be had.
    pub fn cosign(
        &mut self,
        checkpoint: &str,
        consistency: impl Fn(u64, u64) -> Result<Vec<Hash>, Box<dyn Error + Send + Sync>>,
    ) -> Result<Cosigned, Box<dyn Error + Send + Sync>> {
        let mut note = Note::parse(checkpoint.as_bytes())?;
        let size = note.unverified_text().parse::<Checkpoint>()?.size;
        let mut declined = Vec::new();
        for (known, witness) in &mut self.witnesses {
            let proof = if *known == 0 { Vec::new() } else { consistency(*known, size)? };
            let request = AddCheckpoint { old: *known, proof, checkpoint: checkpoint.to_owned() };
            match witness.add_checkpoint(request.to_string().as_bytes()) {
                Ok(line) => {
                    note = with_lines(note, parse_answer(line.as_bytes())?)?;
                    *known = size;
                }
                Err(error) => declined.push(error),
            }
        }
        let checkpoint = note.to_string();
        let met = self.policy.accept(checkpoint.as_bytes()).is_ok();
        Ok(Cosigned { checkpoint, met, declined })
    }
}
