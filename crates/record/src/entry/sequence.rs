//! The rules that bind the entries of one log to each other.
//!
//! Each entry may be well formed and the log still lie: a tick left out, a number used twice, a date moved. [`Sequence`]
//! takes the entries in order and says what breaks a rule ([`Misbehaviour`]) and what is worth knowing ([`Finding`]). A gap
//! breaks no rule, since power fails; it is never taken for "off" either.

mod finding;
mod kept;

pub use finding::{Finding, Misbehaviour};
pub use kept::KeptError;

use std::collections::{BTreeMap, BTreeSet};

use placet_core::Digest;
use placet_tlog::note::VerifierKey;

use super::event::Event;
use super::leaf::{Genesis, KeyChange, Leaf, LogMode, Reveal, Roster, RosterOf, Tick};
use super::value::{EventId, Moment};

/// The entries of one log so far, from its first.
///
/// An entry that breaks a rule is counted and otherwise passed over, so that those after it are judged by the rules alone.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    leaves: u64,
    genesis: Option<Genesis>,
    last_tick: Option<Tick>,
    /// The newest roster of cameras.
    cameras: Option<Digest>,
    /// Ticks that are not opened yet, with the start of their interval.
    sealed: BTreeMap<u64, Moment>,
    key: Option<KeyChange>,
    retired: Vec<VerifierKey>,
    events: BTreeSet<EventId>,
}

impl Sequence {
    /// A log without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries it has taken: the index of the next.
    pub fn leaves(&self) -> u64 {
        self.leaves
    }

    /// What the log is, from its first entry.
    pub fn genesis(&self) -> Option<&Genesis> {
        self.genesis.as_ref()
    }

    /// The last tick.
    pub fn last_tick(&self) -> Option<&Tick> {
        self.last_tick.as_ref()
    }

    /// The digest of the newest roster of cameras.
    pub fn cameras(&self) -> Option<Digest> {
        self.cameras
    }

    /// The ticks that are not opened yet, ascending, each with the start of its interval.
    pub fn unopened(&self) -> impl Iterator<Item = (u64, Moment)> {
        self.sealed.iter().map(|(n, start)| (*n, *start))
    }

    /// Whether an event of this id is in it.
    pub fn has_event(&self, id: EventId) -> bool {
        self.events.contains(&id)
    }

    /// The last change of key.
    pub fn last_key_change(&self) -> Option<&KeyChange> {
        self.key.as_ref()
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// If it breaks a rule.
    pub fn push(&mut self, leaf: &Leaf) -> Result<Option<Finding>, Misbehaviour> {
        let index = self.leaves;
        self.leaves += 1;
        match (leaf, &self.genesis) {
            (Leaf::Genesis(genesis), None) if index == 0 => {
                self.genesis = Some(genesis.clone());
                Ok(None)
            }
            (Leaf::Genesis(_), _) => Err(Misbehaviour::SecondGenesis { index }),
            (_, None) => Err(Misbehaviour::NoGenesis { index }),
            (Leaf::Tick(tick), Some(genesis)) => {
                let found = rule_tick(genesis, self.last_tick.as_ref(), tick)?;
                rule_roster_of_tick(self.cameras, tick)?;
                self.last_tick = Some(tick.clone());
                self.sealed.insert(tick.n, tick.start);
                Ok(found)
            }
            (Leaf::Reveal(reveal), Some(genesis)) => {
                let found = self.rule_reveal(genesis, index, reveal)?;
                self.sealed.remove(&reveal.tick);
                Ok(found)
            }
            (Leaf::Key(change), Some(genesis)) => {
                self.rule_key(genesis, index, change)?;
                self.retired.push(change.old.clone());
                self.key = Some(change.as_ref().clone());
                Ok(None)
            }
            (Leaf::Roster(roster), Some(genesis)) => {
                rule_roster(genesis, index, roster)?;
                if roster.of == RosterOf::Cameras {
                    self.cameras = Some(roster.digest);
                }
                Ok(None)
            }
            (Leaf::Event(event), Some(_)) => {
                rule_about(index, event)?;
                if !self.events.insert(event.id) {
                    return Err(Misbehaviour::EventTwice { index, id: event.id });
                }
                Ok(None)
            }
        }
    }

    /// Counts an entry that cannot be read, and judges the next ones by the rules alone.
    pub fn pass_over(&mut self) {
        self.leaves += 1;
    }

    /// What should have been in the log by `now` and is not: ticks past their date, by number, and a silence.
    pub fn missing(&self, now: Moment) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(genesis) = &self.genesis {
            let dated = self.sealed.iter().filter_map(|(n, start)| Some((*n, genesis.reveal_by(*start)?)));
            let late = dated.filter(|(_, by)| *by < now);
            findings.extend(late.map(|(tick, since)| Finding::Overdue { tick, since }));
            let next = match &self.last_tick {
                Some(tick) => tick.start.plus(genesis.interval),
                None => Some(genesis.at),
            };
            // The tick has to be there when its interval begins.
            findings.extend(next.filter(|next| *next < now).map(|since| Finding::Silent { since }));
        }
        findings
    }

    fn rule_reveal(
        &self,
        genesis: &Genesis,
        index: u64,
        reveal: &Reveal,
    ) -> Result<Option<Finding>, Misbehaviour> {
        let number = reveal.tick;
        let Some(start) = self.sealed.get(&number) else {
            let known = self.last_tick.as_ref().is_some_and(|last| number <= last.n);
            return Err(if known {
                Misbehaviour::RevealTwice { index, tick: number }
            } else {
                Misbehaviour::RevealOfNothing { index, tick: number }
            });
        };
        let soon = Misbehaviour::RevealTooSoon { index, tick: number };
        let over = start.plus(genesis.interval).filter(|over| *over <= reveal.at).ok_or(soon.clone())?;
        let by = over.plus(genesis.reveal_delay).ok_or(soon)?;
        Ok(match genesis.mode {
            _ if reveal.at > by => Some(Finding::Late { tick: number, by, at: reveal.at }),
            LogMode::Sealed if reveal.at < by => Some(Finding::Early { tick: number, by, at: reveal.at }),
            LogMode::Sealed | LogMode::Open => None,
        })
    }

    fn rule_key(&self, genesis: &Genesis, index: u64, change: &KeyChange) -> Result<(), Misbehaviour> {
        if *change.old.name() != genesis.origin || *change.new.name() != genesis.origin {
            return Err(Misbehaviour::KeyName { index });
        }
        // The old key has to sign a tree that holds this entry: of size `index + 1` at least, before the new one is alone.
        if change.from_size < index.saturating_add(2) {
            return Err(Misbehaviour::KeyUnannounced { index });
        }
        if let Some(before) = &self.key {
            if change.old != before.new {
                return Err(Misbehaviour::KeyChain { index });
            }
            if index.saturating_add(1) < before.from_size {
                return Err(Misbehaviour::KeyNotInForce { index });
            }
        }
        if self.retired.contains(&change.new) || change.new == change.old {
            return Err(Misbehaviour::KeyAgain { index });
        }
        Ok(())
    }
}

fn rule_tick(genesis: &Genesis, last: Option<&Tick>, tick: &Tick) -> Result<Option<Finding>, Misbehaviour> {
    let n = tick.n;
    let expected = last.map_or(0, |last| last.n.saturating_add(1));
    if n != expected {
        return Err(Misbehaviour::TickNumber { expected, stated: n });
    }
    if genesis.reveal_by(tick.start) != Some(tick.reveal_by) {
        return Err(Misbehaviour::RevealDate { tick: n });
    }
    // The first tick may come when it likes, but not before its log.
    let Some(last) = last else {
        let before = tick.start < genesis.at;
        return if before { Err(Misbehaviour::TickTime { tick: n }) } else { Ok(None) };
    };
    match last.start.plus(genesis.interval) {
        Some(next) if tick.start == next => Ok(None),
        Some(next) if tick.start > next => {
            Ok(Some(Finding::Gap { before: n, from: next, until: tick.start }))
        }
        Some(_) | None => Err(Misbehaviour::TickTime { tick: n }),
    }
}

fn rule_roster_of_tick(newest: Option<Digest>, tick: &Tick) -> Result<(), Misbehaviour> {
    match newest {
        None => Err(Misbehaviour::NoRoster { tick: tick.n }),
        Some(newest) if newest != tick.roster => Err(Misbehaviour::OtherRoster { tick: tick.n }),
        Some(_) => Ok(()),
    }
}

fn rule_roster(genesis: &Genesis, index: u64, roster: &Roster) -> Result<(), Misbehaviour> {
    match roster.of {
        RosterOf::Cameras if roster.count > genesis.slots.into() => {
            Err(Misbehaviour::RosterTooLong { index })
        }
        RosterOf::Cameras | RosterOf::Witnesses => Ok(()),
    }
}

fn rule_about(index: u64, event: &Event) -> Result<(), Misbehaviour> {
    match event.about {
        Some(about) if about >= index => Err(Misbehaviour::AboutForward { index, about }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use placet_core::Digest;
    use placet_tlog::merkle::Hash;
    use placet_tlog::note::SignerKey;

    use super::super::slot::Seed;
    use super::super::{Commitment, EventKind};
    use super::*;

    const ORIGIN: &str = "log.example.org/placet";

    fn at(seconds: u64) -> Moment {
        Moment::from_unix_seconds(1_795_326_000 + seconds).unwrap()
    }

    fn genesis(mode: LogMode) -> Leaf {
        let origin = ORIGIN.parse().unwrap();
        Leaf::Genesis(Genesis { at: at(0), origin, interval: 60, mode, reveal_delay: 600, slots: 4 })
    }

    fn bare_tick(n: u64, start: Moment, reveal_by: Moment) -> Tick {
        Tick { n, start, roster: Digest([0; 32]), slots_root: Hash([0; 32]), reveal_by }
    }

    fn tick(n: u64, start: u64) -> Leaf {
        let (start, reveal_by) = (at(start), at(start + 660));
        Leaf::Tick(bare_tick(n, start, reveal_by))
    }

    fn reveal(tick: u64, when: u64) -> Leaf {
        Leaf::Reveal(Reveal { at: at(when), tick, seed: Seed::from_bytes([0; 32]) })
    }

    fn event(id: u8, about: Option<u64>) -> Leaf {
        let (id, commitment) = (EventId([id; 16]), Commitment([0; 32]));
        Leaf::Event(Event {
            at: at(0),
            kind: EventKind::Note,
            id,
            commitment,
            about,
            deposit: None,
            public: None,
        })
    }

    fn key(number: u8) -> VerifierKey {
        SignerKey::generate(ORIGIN, [number; 32]).unwrap().verifier_key()
    }

    fn change(old: u8, new: u8, from_size: u64) -> Leaf {
        Leaf::Key(Box::new(KeyChange { at: at(0), old: key(old), new: key(new), from_size }))
    }

    fn cameras(count: u64) -> Leaf {
        roster(RosterOf::Cameras, count, 0)
    }

    fn roster(of: RosterOf, count: u64, digest: u8) -> Leaf {
        Leaf::Roster(Roster { at: at(0), of, count, digest: Digest([digest; 32]) })
    }

    /// The answers to the entries of an open log after its genesis and its first roster: the first has index 2.
    fn answers(leaves: &[Leaf]) -> Vec<Result<Option<Finding>, Misbehaviour>> {
        let mut log = Sequence::new();
        assert_eq!(log.push(&genesis(LogMode::Open)), Ok(None));
        assert_eq!(log.push(&cameras(4)), Ok(None));
        leaves.iter().map(|leaf| log.push(leaf)).collect()
    }

    fn last(leaves: &[Leaf]) -> Result<Option<Finding>, Misbehaviour> {
        answers(leaves).pop().unwrap()
    }

    #[test]
    fn a_sound_log_has_nothing_to_report() {
        let leaves = [
            tick(0, 30),
            event(1, Some(2)),
            tick(1, 90),
            change(1, 2, 7),
            reveal(0, 90),
            tick(2, 150),
            change(2, 3, 10),
            reveal(1, 750),
        ];
        assert!(answers(&leaves).iter().all(|answer| *answer == Ok(None)), "{:?}", answers(&leaves));
    }

    #[test]
    fn the_first_entry_and_no_other_is_the_genesis() {
        let mut log = Sequence::new();
        assert_eq!(log.push(&tick(0, 0)), Err(Misbehaviour::NoGenesis { index: 0 }));
        assert_eq!(log.push(&genesis(LogMode::Open)), Err(Misbehaviour::SecondGenesis { index: 1 }));
        assert_eq!(log.push(&event(1, None)), Err(Misbehaviour::NoGenesis { index: 2 }));
        assert_eq!(last(&[genesis(LogMode::Open)]), Err(Misbehaviour::SecondGenesis { index: 2 }));
    }

    #[test]
    fn ticks_are_numbered_without_a_gap() {
        let number = |leaves: &[Leaf]| match last(leaves) {
            Err(Misbehaviour::TickNumber { expected, stated }) => (expected, stated),
            other => unreachable!("{other:?}"),
        };
        assert_eq!(number(&[tick(1, 0)]), (0, 1));
        assert_eq!(number(&[tick(0, 0), tick(0, 60)]), (1, 0));
        assert_eq!(number(&[tick(0, 0), tick(2, 120)]), (1, 2));
        // What is passed over does not count: the next one in order is sound.
        assert_eq!(last(&[tick(0, 0), tick(2, 120), tick(1, 60)]), Ok(None));
    }

    #[test]
    fn a_time_is_spoken_of_once_or_is_a_gap() {
        let gap = |from, until| Ok(Some(Finding::Gap { before: 1, from: at(from), until: at(until) }));
        assert_eq!(last(&[tick(0, 0), tick(1, 61)]), gap(60, 61));
        assert_eq!(last(&[tick(0, 0), tick(1, 3_600)]), gap(60, 3_600));
        for start in [0, 1, 59] {
            assert_eq!(last(&[tick(0, 0), tick(1, start)]), Err(Misbehaviour::TickTime { tick: 1 }));
        }
        let before = Moment::from_unix_seconds(at(0).unix_seconds() - 1).unwrap();
        let early = bare_tick(0, before, before.plus(660).unwrap());
        assert_eq!(last(&[Leaf::Tick(early)]), Err(Misbehaviour::TickTime { tick: 0 }));
    }

    #[test]
    fn no_tick_moves_its_date() {
        for by in [659, 661] {
            let tick = Leaf::Tick(bare_tick(0, at(0), at(by)));
            assert_eq!(last(&[tick]), Err(Misbehaviour::RevealDate { tick: 0 }));
        }
        let end: Moment = "2199-12-31T23:50:00Z".parse().unwrap();
        let beyond = bare_tick(0, end, end.plus(300).unwrap());
        assert_eq!(last(&[Leaf::Tick(beyond)]), Err(Misbehaviour::RevealDate { tick: 0 }));
    }

    #[test]
    fn a_tick_is_opened_once_and_when_it_is_over() {
        assert_eq!(last(&[reveal(0, 60)]), Err(Misbehaviour::RevealOfNothing { index: 2, tick: 0 }));
        assert_eq!(
            last(&[tick(0, 0), reveal(1, 60)]),
            Err(Misbehaviour::RevealOfNothing { index: 3, tick: 1 })
        );
        assert_eq!(
            last(&[tick(0, 0), reveal(0, 59)]),
            Err(Misbehaviour::RevealTooSoon { index: 3, tick: 0 })
        );
        assert_eq!(
            last(&[tick(0, 0), reveal(0, 60), reveal(0, 61)]),
            Err(Misbehaviour::RevealTwice { index: 4, tick: 0 })
        );
        // A reveal that came too soon does not open the tick for the rules.
        assert_eq!(last(&[tick(0, 0), reveal(0, 59), reveal(0, 660)]), Ok(None));
        let late = Finding::Late { tick: 0, by: at(660), at: at(661) };
        assert_eq!(last(&[tick(0, 0), reveal(0, 661)]), Ok(Some(late)));
    }

    #[test]
    fn a_sealed_log_that_opens_a_tick_early_is_told_on() {
        let mut log = Sequence::new();
        let leaves = [genesis(LogMode::Sealed), cameras(4), tick(0, 0), tick(1, 60), reveal(0, 659)];
        let answers: Vec<_> = leaves.iter().map(|leaf| log.push(leaf)).collect();
        let early = Finding::Early { tick: 0, by: at(660), at: at(659) };
        assert_eq!(answers, [Ok(None), Ok(None), Ok(None), Ok(None), Ok(Some(early))]);
        assert_eq!(log.push(&reveal(1, 720)), Ok(None));
    }

    #[test]
    fn what_is_missing_depends_on_the_hour() {
        let mut log = Sequence::new();
        assert_eq!(log.missing(at(9_999)), []);
        log.push(&genesis(LogMode::Open)).unwrap();
        assert_eq!(log.missing(at(0)), []);
        assert_eq!(log.missing(at(1)), [Finding::Silent { since: at(0) }]);
        for leaf in [cameras(4), tick(0, 0), tick(1, 60), reveal(1, 120)] {
            log.push(&leaf).unwrap();
        }
        assert_eq!(log.missing(at(120)), []);
        assert_eq!(log.missing(at(660)), [Finding::Silent { since: at(120) }]);
        let overdue = Finding::Overdue { tick: 0, since: at(660) };
        assert_eq!(log.missing(at(661)), [overdue.clone(), Finding::Silent { since: at(120) }]);
        assert_eq!(overdue.to_string(), "tick 0 should have been opened by 2026-11-22T05:51:00Z");
    }

    #[test]
    fn keys_form_a_chain_that_each_old_one_signs() {
        // The entry is the third one: a tree of size 3 holds it, which the old key signs.
        assert_eq!(last(&[change(1, 2, 3)]), Err(Misbehaviour::KeyUnannounced { index: 2 }));
        assert_eq!(last(&[change(1, 2, 4)]), Ok(None));
        assert_eq!(last(&[change(1, 2, 4), change(1, 3, 9)]), Err(Misbehaviour::KeyChain { index: 3 }));
        assert_eq!(last(&[change(1, 2, 9), change(2, 3, 10)]), Err(Misbehaviour::KeyNotInForce { index: 3 }));
        assert_eq!(last(&[change(1, 2, 4), change(2, 1, 9)]), Err(Misbehaviour::KeyAgain { index: 3 }));
        let stranger = SignerKey::generate("log.example.org/other", [3; 32]).unwrap().verifier_key();
        let named = KeyChange { at: at(0), old: key(1), new: stranger, from_size: 4 };
        assert_eq!(last(&[Leaf::Key(Box::new(named))]), Err(Misbehaviour::KeyName { index: 2 }));
    }

    #[test]
    fn events_point_back_and_stand_alone() {
        assert_eq!(last(&[event(1, Some(0))]), Ok(None));
        for about in [2, 3, u64::MAX] {
            assert_eq!(last(&[event(1, Some(about))]), Err(Misbehaviour::AboutForward { index: 2, about }));
        }
        let twice = Misbehaviour::EventTwice { index: 3, id: EventId([1; 16]) };
        assert_eq!(last(&[event(1, None), event(1, None)]), Err(twice));
        assert_eq!(last(&[cameras(5)]), Err(Misbehaviour::RosterTooLong { index: 2 }));
    }

    #[test]
    fn a_tick_names_the_newest_roster_of_cameras() {
        let other = Err(Misbehaviour::OtherRoster { tick: 0 });
        assert_eq!(last(&[roster(RosterOf::Cameras, 4, 1), tick(0, 0)]), other);
        let back = [roster(RosterOf::Cameras, 4, 1), roster(RosterOf::Cameras, 3, 0), tick(0, 0)];
        assert_eq!(last(&back), Ok(None));
        // Witnesses have a roster of their own, and one that breaks a rule is passed over.
        assert_eq!(last(&[roster(RosterOf::Witnesses, 3, 1), tick(0, 0)]), Ok(None));
        assert_eq!(last(&[roster(RosterOf::Cameras, 5, 1), tick(0, 0)]), Ok(None));
        let mut log = Sequence::new();
        log.push(&genesis(LogMode::Open)).unwrap();
        log.push(&roster(RosterOf::Witnesses, 3, 0)).unwrap();
        assert_eq!(log.push(&tick(0, 0)), Err(Misbehaviour::NoRoster { tick: 0 }));
    }

    #[test]
    fn what_is_kept_goes_on_as_if_it_had_never_stopped() {
        let leaves = [
            genesis(LogMode::Open),
            cameras(4),
            tick(0, 0),
            event(1, None),
            change(1, 2, 20),
            tick(1, 60),
            reveal(0, 70),
            tick(2, 240),
            event(1, None),
            reveal(0, 400),
            change(2, 1, 40),
            tick(3, 240),
            reveal(2, 2_000),
        ];
        for stop in 0..=leaves.len() {
            let mut whole = Sequence::new();
            leaves[..stop].iter().for_each(|leaf| drop(whole.push(leaf)));
            let text = whole.to_lines();
            let mut resumed = Sequence::from_lines(&text).unwrap();
            assert_eq!(resumed.to_lines(), text);
            for leaf in &leaves[stop..] {
                assert_eq!(resumed.push(leaf), whole.push(leaf));
            }
            assert_eq!(resumed.missing(at(9_999)), whole.missing(at(9_999)));
            let cut = text.trim_end_matches('\n');
            assert!(
                Sequence::from_lines(cut).is_err() && Sequence::from_lines(&format!("{text}x\n")).is_err()
            );
        }
    }

    #[test]
    fn a_kept_count_that_no_log_has_is_refused() {
        let mut log = Sequence::new();
        let _ = log.push(&genesis(LogMode::Open));
        let kept = log.to_lines();
        for (leaves, read) in [(1, true), ((1 << 63) - 1, true), (1 << 63, false), (u64::MAX, false)] {
            let text = kept.replace("leaves 1\n", &format!("leaves {leaves}\n"));
            assert_eq!(Sequence::from_lines(&text).is_ok(), read, "{leaves}");
        }
    }
}
