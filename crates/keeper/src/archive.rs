//! The log and what its events say of people, each in its place: the commitment in the log, the record where it can be
//! erased, the deposit with the oversight body's key.

use placet_confidential::{Erased, Group, Store};
use placet_deposit::{Deposit, OversightKey, SealError};
use placet_record::entry::{
    CommittedRecord, EventId, EventKind, FieldName, FieldValue, FormError, Moment, PublicPart, Record,
    RecordSecret,
};

use crate::error::KeeperError;
use crate::files;
use crate::keeper::{Keeper, NewEvent, Written, fresh_id};
use crate::pending::About;

/// Why something was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The log.
    #[error("it was not written to the log")]
    Keeper(#[from] KeeperError),
    /// The confidential store.
    #[error("what it says of people was not kept")]
    Confidential(#[from] placet_confidential::Error),
    /// The record cannot be written down.
    #[error("the record cannot be written down")]
    Record(#[from] FormError),
    /// The deposit.
    #[error("no deposit was made of it")]
    Deposit(#[from] SealError),
    /// No random numbers.
    #[error("the system gives no random numbers")]
    Random(#[from] getrandom::Error),
}

/// Something to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// What happened.
    pub kind: EventKind,
    /// What it belongs to, and is erased with.
    pub group: Group,
    /// What it says, confidentially.
    pub record: Record,
    /// What it is about.
    pub about: Option<About>,
    /// What everyone may read.
    pub public: Option<PublicPart>,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The event's id.
    pub id: EventId,
    /// Its entry; none in a sealed log, until the tick of its time is opened.
    pub written: Option<Written>,
}

/// A log with its confidential store.
pub struct Archive {
    keeper: Keeper,
    confidential: Store,
    oversight: Option<OversightKey>,
}

impl Archive {
    /// Joins the two. With an oversight key, a deposit is made of every record.
    pub fn new(keeper: Keeper, confidential: Store, oversight: Option<OversightKey>) -> Self {
        Self { keeper, confidential, oversight }
    }

    /// The log.
    pub fn keeper(&mut self) -> &mut Keeper {
        &mut self.keeper
    }

    /// The confidential store.
    pub fn confidential(&mut self) -> &mut Store {
        &mut self.confidential
    }

    /// Records something: first the record where it can be erased, with its deposit, then the event.
    ///
    /// # Errors
    /// If either cannot be kept. A record without an event says nothing to anyone.
    pub fn record(&mut self, now: Moment, new: NewRecord) -> Result<Recorded, ArchiveError> {
        let NewRecord { kind, group, record, about, public } = new;
        let id = fresh_id()?;
        let committed = CommittedRecord { kind, record, secret: RecordSecret::from_bytes(random()?) };
        let deposit = self.deposit(id, &committed)?;
        let bytes = deposit.as_ref().map(Deposit::to_bytes);
        self.confidential.put(group, id, now, &committed, bytes.as_deref())?;
        let commitment = committed.commitment()?;
        let deposit = deposit.map(|d| d.digest());
        let event = NewEvent { kind, id, commitment, deposit, about, public };
        Ok(Recorded { id, written: self.keeper.event(now, event)? })
    }

    fn deposit(&self, id: EventId, committed: &CommittedRecord) -> Result<Option<Deposit>, ArchiveError> {
        let Some(key) = &self.oversight else { return Ok(None) };
        let origin = &self.keeper.genesis().origin;
        Ok(Some(Deposit::seal(key, origin, id, committed, random()?)?))
    }

    /// Erases all records of a group and says so in the log. Erasing does not wait for the log: if that cannot be written, the
    /// records are gone all the same.
    ///
    /// # Errors
    /// If they cannot be erased, or it cannot be said.
    pub fn erase(
        &mut self,
        now: Moment,
        group: Group,
        ground: &str,
    ) -> Result<(Erased, Recorded), ArchiveError> {
        let erased = self.confidential.erase(group)?;
        let count = FieldValue::Number(erased.events.len() as u64);
        let record =
            Record::new([(name("records"), count), (name("ground"), FieldValue::Text(ground.to_owned()))])?;
        let group = Group::Apart(random::<16>()?);
        let new = NewRecord { kind: EventKind::Deletion, group, record, about: None, public: None };
        Ok((erased, self.record(now, new)?))
    }

    /// Deposits the key that the next ticks are sealed with, before any is: once for each key, busy or idle. Without an
    /// oversight key there is nobody to deposit it with.
    ///
    /// # Errors
    /// If it cannot be deposited; then nothing must be sealed with it.
    pub(crate) fn deposit_seed_key(&mut self, now: Moment) -> Result<(), ArchiveError> {
        if self.oversight.is_none() {
            return Ok(());
        }
        let path = self.keeper.home().join("deposited");
        let done: u64 = files::read(&path)?.and_then(|text| text.trim_end().parse().ok()).unwrap_or(0);
        let (number, key) = self.keeper.seed_key()?;
        if number < done {
            return Ok(());
        }
        let hex: String = key.iter().map(|b| format!("{b:02x}")).collect();
        let fields =
            [(name("seed_key"), FieldValue::Text(hex)), (name("number"), FieldValue::Number(number))];
        let group = Group::Apart(random::<16>()?);
        let new = NewRecord {
            kind: EventKind::Note,
            group,
            record: Record::new(fields)?,
            about: None,
            public: None,
        };
        self.record(now, new)?;
        // A note too many after a crash here tells nothing; one too few would leave ticks that only we can open.
        Ok(files::replace(&path, format!("{}\n", number + 1).as_bytes())?)
    }
}

fn name(text: &'static str) -> FieldName {
    text.parse().expect("the names here are names")
}

fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut out = [0; N];
    getrandom::fill(&mut out)?;
    Ok(out)
}
