//! Events of a sealed log, held back until the tick of their time is opened. One line each, durable before the event counts
//! as recorded: `TICK ABOUT ENTRY`, where ABOUT is `-`, an index, or the id of an event that is held back too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use placet_record::entry::{Event, EventId, Leaf};

use crate::error::KeeperError;
use crate::files;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// An entry of the log.
    Entry(u64),
    /// An event that may be held back still.
    Event(EventId),
}

/// One event that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The tick with which it is published.
    pub tick: u64,
    /// What it is about, if that is held back too.
    pub about: Option<EventId>,
    /// The event, whose own `about` is set if it is known.
    pub event: Event,
}

/// All that wait, in order.
pub struct Pending {
    path: PathBuf,
    waiting: Vec<Waiting>,
}

impl Pending {
    /// Reads what waits. A last line without its end was never acknowledged.
    pub fn open(path: &Path) -> Result<Self, KeeperError> {
        let text = files::read(path)?.unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| text.get(..=end).unwrap_or(""));
        let mut waiting = Vec::new();
        for (at, line) in whole.lines().enumerate() {
            waiting
                .push(parse(line).ok_or_else(|| KeeperError::Line { path: path.to_owned(), line: at + 1 })?);
        }
        if whole.len() < text.len() {
            files::replace(path, whole.as_bytes())?;
        }
        Ok(Self { path: path.to_owned(), waiting })
    }

    /// Whether an event of this id waits.
    pub fn has(&self, id: EventId) -> bool {
        self.waiting.iter().any(|w| w.event.id == id)
    }

    /// The ids of all that wait.
    pub fn ids(&self) -> impl Iterator<Item = EventId> {
        self.waiting.iter().map(|w| w.event.id)
    }

    /// Holds an event back.
    pub fn push(&mut self, waiting: Waiting) -> Result<(), KeeperError> {
        files::append(&self.path, line(&waiting)?.as_bytes())?;
        self.waiting.push(waiting);
        Ok(())
    }

    /// The events of ticks below `tick`.
    pub fn below(&self, tick: u64) -> impl Iterator<Item = &Waiting> {
        self.waiting.iter().filter(move |w| w.tick < tick)
    }

    /// The tick for which an event waits.
    pub fn tick_of(&self, id: EventId) -> Option<u64> {
        self.waiting.iter().find(|w| w.event.id == id).map(|w| w.tick)
    }

    /// Forgets the events with these ids, which are in the log now at these indices, and resolves what is about them.
    pub fn published(&mut self, published: BTreeMap<EventId, u64>) -> Result<(), KeeperError> {
        if published.is_empty() {
            return Ok(());
        }
        let index = |id: EventId| published.get(&id).copied();
        self.waiting.retain(|w| index(w.event.id).is_none());
        for waiting in &mut self.waiting {
            if let Some(found) = waiting.about.and_then(index) {
                waiting.about = None;
                waiting.event.about = Some(found);
            }
        }
        let lines: Result<String, KeeperError> = self.waiting.iter().map(line).collect();
        files::replace(&self.path, lines?.as_bytes())
    }
}

fn line(waiting: &Waiting) -> Result<String, KeeperError> {
    let about = waiting.about.map_or("-".to_owned(), |id| id.0.iter().map(|b| format!("{b:02x}")).collect());
    let entry = Leaf::Event(waiting.event.clone()).to_bytes()?;
    Ok(format!("{} {about} {}\n", waiting.tick, String::from_utf8_lossy(&entry)))
}

fn parse(line: &str) -> Option<Waiting> {
    let mut parts = line.splitn(3, ' ');
    let tick = parts.next()?.parse().ok()?;
    let about = match parts.next()? {
        "-" => None,
        hex if hex.len() == 32 => {
            let mut id = [0; 16];
            for (byte, pair) in id.iter_mut().zip(hex.as_bytes().chunks(2)) {
                *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
            }
            Some(EventId(id))
        }
        _ => return None,
    };
    let Leaf::Event(event) = Leaf::parse(parts.next()?.as_bytes()).ok()? else { return None };
    Some(Waiting { tick, about, event })
}
