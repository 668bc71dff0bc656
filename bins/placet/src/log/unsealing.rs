//! What the log says of a sealed original before it is opened, and what came of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use placet_confidential::{Group, Once, Use};
use placet_keeper::{About, Halted, NewRecord, Rounds};
use placet_record::entry::{EventId, EventKind, FieldName, FieldValue, LogMode, PublicPart, Record};
use placet_record::unsealing::{Approved, Clip, Order};
use tokio::runtime::Runtime;

use super::run::runtime;
use super::witness::OverHttp;
use super::{failed, home, now, usage};
use crate::Failure;

/// How long witnesses may take.
const PATIENCE: Duration = Duration::from_secs(10);
const LEAD: u64 = 3;

/// An open log, for one disclosure.
pub struct Register {
    home: PathBuf,
    rounds: Rounds<OverHttp>,
    _runtime: Runtime,
}

/// What the log said.
pub struct Said {
    /// The entry's index.
    pub entry: u64,
    /// Its event's id.
    pub event: EventId,
}

impl Register {
    /// Opens the log of a home and sees that it can say what the order wants said.
    pub fn open(home: &Path, order: &Order) -> Result<Self, Failure> {
        home::require(home)?;
        home::no_alarm(home)?;
        let policy = home::own_policy(home)?;
        let (mut archive, _) = home::open_archive(home)?;
        let genesis = archive.keeper().genesis();
        if genesis.origin != order.log {
            return Err(Failure::Refused(format!(
                "the order is to be said by the log `{}`, and this is `{}`",
                order.log, genesis.origin
            )));
        }
        if genesis.mode == LogMode::Sealed {
            return Err(Failure::Unavailable(
                "this log is sealed, and says what happens only later: an original is opened by an open log; nothing was opened"
                    .to_owned(),
            ));
        }
        if archive.keeper().cameras().slot_of(&order.camera).is_none() {
            return Err(Failure::Refused(format!(
                "the log `{}` lists no camera `{}`",
                order.log, order.camera
            )));
        }
        let runtime = runtime()?;
        let witnesses = OverHttp::new(policy, PATIENCE, runtime.handle().clone())?;
        let published = archive.keeper().published();
        if let Some(note) = published.reader().note() {
            let words = witnesses.before_the_first_signature(&note, published.reader().size(), now()?)?;
            words.iter().for_each(|w| eprintln!("{w}"));
        }
        Ok(Self { home: home.to_owned(), rounds: Rounds::new(archive, witnesses, LEAD), _runtime: runtime })
    }

    /// Spends the order, then says in the log that it is opened; comes back when enough witnesses have seen it.
    pub fn say(&mut self, approved: &Approved, kept: &[u64]) -> Result<Said, Failure> {
        let (order, digest) = (approved.order(), approved.digest());
        let store = self.rounds.archive().confidential();
        match store.spend(Once::Order(digest)).map_err(|e| unwritten(&e, false))? {
            Use::First => {}
            Use::Again => {
                return Err(Failure::Refused(
                    "the order was used already: an order opens once; ask for another".to_owned(),
                ));
            }
        }
        let public = PublicPart {
            order: digest,
            purpose: order.ground.into(),
            authority: approved.unit(),
            cameras: vec![order.camera.clone()],
            from: order.from,
            until: order.until,
        };
        let [first, second] = approved.by();
        let text = |text: &str| FieldValue::Text(text.to_owned());
        let kept = kept.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        let record = record([
            ("reference", text(order.reference.as_str())),
            ("signed_by", text(first.name.as_str())),
            ("and_by", text(second.name.as_str())),
            ("left_visible", text(&kept)),
        ])?;
        let (kind, group) = (EventKind::Unsealing, Group::Order(digest));
        let new = NewRecord { kind, group, record, about: None, public: Some(public) };
        let recorded = self.rounds.act(now()?, new).map_err(|error| match &error {
            Halted::Alarm(_) => home::halted(&self.home, &error),
            other => unwritten(other, true),
        })?;
        let written = recorded.written.ok_or_else(|| Failure::internal("an open log has an entry"))?;
        Ok(Said { entry: written.index, event: recorded.id })
    }

    /// Says what came of it: the clip's digest, confidentially. Nothing waits for it, but witnesses are shown it now: there may
    /// be no round after this one.
    pub fn done(&mut self, approved: &Approved, said: &Said, clip: &Clip) -> Result<(), Failure> {
        let record = record([
            ("clip", FieldValue::Text(clip.digest.to_string())),
            ("pictures", FieldValue::Number(clip.pictures)),
        ])?;
        let (kind, group) = (EventKind::Note, Group::Order(approved.digest()));
        let new = NewRecord { kind, group, record, about: Some(About::Entry(said.entry)), public: None };
        self.rounds.act(now()?, new).map(drop).map_err(|error| match &error {
            Halted::Alarm(_) => home::halted(&self.home, &error),
            other => failed(other),
        })
    }
}

/// The log cannot be written, so nothing is opened.
fn unwritten(error: &(dyn std::error::Error + 'static), spent: bool) -> Failure {
    let then = if spent { " The order is spent: ask for another." } else { "" };
    Failure::Unavailable(format!("{}; nothing was opened.{then}", placet_job::chain(error)))
}

fn record<const N: usize>(fields: [(&str, FieldValue); N]) -> Result<Record, Failure> {
    let named = fields.into_iter().map(|(name, value)| Ok((name.parse::<FieldName>()?, value)));
    let named = named.collect::<Result<Vec<_>, placet_record::entry::ValueError>>().map_err(|e| usage(&e))?;
    Record::new(named).map_err(|e| usage(&e))
}
