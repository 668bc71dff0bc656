use placet_keeper::{About, Keeper, KeeperError, NewEvent, fresh_id};
use placet_record::entry::slot::{SlotArray, SlotState};
use placet_record::entry::{Commitment, EventKind, Finding, Leaf, LogMode, Reveal, Sequence, Tick};
use placet_store::StoreError;
use placet_tlog::checkpoint::SignedCheckpoint;
use placet_tlog::tile::unbundle;
use proptest::prelude::*;

use super::{at, camera, cameras, create, key, leaves, on};

fn note(id: u8) -> NewEvent {
    NewEvent {
        kind: EventKind::Note,
        id: fresh_id().unwrap(),
        commitment: Commitment([id; 32]),
        deposit: None,
        about: None,
        public: None,
    }
}

/// Everything the entries say about themselves, by the rules.
fn findings(keeper: &Keeper) -> Vec<Finding> {
    let mut log = Sequence::new();
    leaves(keeper).iter().filter_map(|leaf| log.push(leaf).unwrap()).collect()
}

/// What every opened tick says of each slot, opened as a stranger would, from what is published.
fn opened(keeper: &Keeper) -> Vec<(u64, Vec<SlotState>)> {
    let published = keeper.published();
    let leaves = leaves(keeper);
    let ticks: Vec<&Tick> =
        leaves.iter().filter_map(|l| if let Leaf::Tick(t) = l { Some(t) } else { None }).collect();
    let path = |n: u64| format!("slots/{:03}", n / 256);
    let mut out = Vec::new();
    for leaf in &leaves {
        let Leaf::Reveal(Reveal { tick, seed, .. }) = leaf else { continue };
        let width = (ticks.len() as u64 - tick / 256 * 256).min(256);
        let path = if width == 256 { path(*tick) } else { format!("{}.p/{width}", path(*tick)) };
        let bytes = published.read(&path, tick % 256 * 512, 512).unwrap().unwrap();
        let array = SlotArray::parse(&bytes, 4).unwrap();
        assert_eq!(array.root(), ticks[*tick as usize].slots_root);
        out.push((*tick, array.open(seed, *tick).unwrap()));
    }
    out
}

#[test]
fn an_open_log_states_each_interval_before_it_begins_and_opens_it_when_it_is_over() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = create(home.path(), LogMode::Open);
    for minute in 0..10 {
        let now = at(minute * 60);
        keeper.reveal(now).unwrap();
        let (tick, written) = keeper
            .tick(now, |c| if minute == 4 && c.as_str() == "hall" { on(7) } else { SlotState::Off })
            .unwrap();
        assert_eq!((tick.n, tick.start), (minute, now));
        keeper.publish(&written.note, written.index + 1, minute != 6).unwrap();
    }
    assert_eq!(findings(&keeper), []);
    let opened = opened(&keeper);
    assert_eq!(opened.len(), 9);
    for (n, states) in opened {
        let hall = if n == 4 { on(7) } else { SlotState::Off };
        assert_eq!(states, [SlotState::Off, hall, SlotState::Off, SlotState::Unused]);
    }
    // Each tick's cosigned item was settled when the next was written; the one that met no policy is empty.
    let bundle = keeper.published().read("cosigned/000.p/9", 0, u64::MAX).unwrap().unwrap();
    for (n, item) in unbundle(&bundle, 9).unwrap().into_iter().enumerate() {
        assert_eq!(item.is_empty(), n == 6);
        if n != 6 {
            SignedCheckpoint::open(item, &[key(1).verifier_key()]).unwrap();
        }
    }
    assert_eq!(keeper.published().length("cosigned/000.p/10").unwrap(), None);
    assert_eq!(keeper.published().length("slots/000.p/10").unwrap(), Some(5_120));
}

#[test]
fn what_was_not_stated_in_time_is_a_gap() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = create(home.path(), LogMode::Open);
    keeper.tick(at(0), |_| SlotState::Off).unwrap();
    // One second into the next interval it is too late for that one.
    let (tick, _) = keeper.tick(at(61), |_| SlotState::Off).unwrap();
    assert_eq!((tick.n, tick.start), (1, at(120)));
    assert_eq!(findings(&keeper), [Finding::Gap { before: 1, from: at(60), until: at(120) }]);
    // Nothing is ever stated twice.
    let (tick, _) = keeper.tick(at(61), |_| SlotState::Off).unwrap();
    assert_eq!((tick.n, tick.start), (2, at(180)));
}

#[test]
fn a_sealed_log_holds_everything_back_until_its_date() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = create(home.path(), LogMode::Sealed);
    let (mut first, mut second) = (note(1), note(2));
    second.about = Some(About::Event(first.id));
    first.kind = EventKind::Request;
    let ids = [first.id, second.id];
    let mut events = vec![first, second].into_iter();
    for minute in 0..70 {
        let now = at(minute * 60);
        keeper.reveal(now).unwrap();
        keeper.tick(now, |_| SlotState::Off).unwrap();
        if minute == 3 || minute == 5 {
            assert_eq!(keeper.event(at(minute * 60 + 9), events.next().unwrap()).unwrap(), None);
            drop(keeper);
            keeper = Keeper::open(home.path(), vec![key(1)]).unwrap().0;
        }
        let n_events = leaves(&keeper).iter().filter(|l| matches!(l, Leaf::Event(_))).count();
        let expected = [64, 66].iter().filter(|due| minute >= **due).count();
        assert_eq!(n_events, expected, "minute {minute}");
    }
    assert_eq!(findings(&keeper), []);
    let leaves = leaves(&keeper);
    let place = |id| leaves.iter().position(|l| matches!(l, Leaf::Event(e) if e.id == id)).unwrap();
    let Leaf::Event(second) = &leaves[place(ids[1])] else { unreachable!() };
    assert_eq!(second.about, Some(place(ids[0]) as u64));
}

#[test]
fn an_event_is_about_something_that_is_there() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = create(home.path(), LogMode::Open);
    for (about, right) in
        [(About::Entry(1), true), (About::Entry(9), false), (About::Event(fresh_id().unwrap()), false)]
    {
        let event = NewEvent { about: Some(about), ..note(1) };
        assert_eq!(keeper.event(at(1), event).is_ok(), right);
    }
}

#[test]
fn keys_change_by_an_entry_and_the_old_one_signs_no_more() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = create(home.path(), LogMode::Open);
    keeper.tick(at(0), |_| SlotState::Off).unwrap();
    let change = keeper.change_key(at(1), key(2)).unwrap();
    SignedCheckpoint::open(change.note.as_bytes(), &[key(1).verifier_key()]).unwrap();
    drop(keeper);
    assert!(matches!(Keeper::open(home.path(), vec![key(1)]), Err(KeeperError::NoKey(_))));
    // The power went before the file of keys was written: the log knows.
    let keys = home.path().join("keys");
    let text = std::fs::read_to_string(&keys).unwrap();
    std::fs::write(&keys, text.lines().next().unwrap().to_owned() + "\n").unwrap();
    let (mut keeper, _) = Keeper::open(home.path(), vec![key(2)]).unwrap();
    let (_, tick) = keeper.tick(at(60), |_| SlotState::Off).unwrap();
    SignedCheckpoint::open(tick.note.as_bytes(), &[key(2).verifier_key()]).unwrap();
    assert!(keeper.change_key(at(61), key(1)).is_err(), "a replaced key does not come back");
    keeper.tick(at(61), |_| SlotState::Off).unwrap();
    assert_eq!(findings(&keeper).len(), 0);
}

#[test]
fn cameras_change_by_an_entry_and_ticks_name_their_roster() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = create(home.path(), LogMode::Open);
    keeper.tick(at(0), |_| SlotState::Off).unwrap();
    keeper.set_cameras(at(1), &cameras(&["gate", "yard"])).unwrap();
    let (tick, _) = keeper
        .tick(at(1), |c| if *c == camera("yard") { SlotState::Unknown } else { SlotState::Off })
        .unwrap();
    let path = format!("roster/{}", tick.roster.hex());
    let side = keeper.published().read(&path, 0, u64::MAX).unwrap().unwrap();
    assert_eq!(side, cameras(&["gate", "yard"]).to_bytes());
    keeper.reveal(at(120)).unwrap();
    assert_eq!(
        opened(&keeper)[1].1,
        [SlotState::Off, SlotState::Unknown, SlotState::Unused, SlotState::Unused]
    );
    assert_eq!(findings(&keeper), []);
    assert!(keeper.set_cameras(at(2), &cameras(&["a", "b", "c", "d", "e"])).is_err());
}

#[test]
fn a_log_is_made_once() {
    let home = tempfile::tempdir().unwrap();
    drop(create(home.path(), LogMode::Open));
    let again = Keeper::create(home.path(), key(1), super::settings(LogMode::Open), &cameras(&["x"]), at(0));
    assert!(matches!(again, Err(KeeperError::Store(StoreError::Exists))));
    Keeper::open(home.path(), vec![key(1)]).unwrap();
}

#[test]
fn a_damaged_state_is_not_believed() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = create(home.path(), LogMode::Open);
    (0..20).for_each(|n| drop(keeper.tick(at(n * 60), |_| SlotState::Off).unwrap()));
    drop(keeper);
    let path = home.path().join("state");
    let whole = std::fs::read(&path).unwrap();
    assert_eq!(Keeper::open(home.path(), vec![key(1)]).unwrap().1.replayed, 0);
    for at_byte in (0..whole.len()).step_by(11) {
        let mut bytes = whole.clone();
        bytes[at_byte] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let (keeper, opened) = Keeper::open(home.path(), vec![key(1)]).unwrap();
        assert_eq!(opened.replayed, 22);
        assert_eq!(keeper.sequence().last_tick().unwrap().n, 19);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Starts, pauses, clocks that jump back and forth: whatever is written keeps the rules.
    #[test]
    fn attack_clocks_that_jump_break_no_rule(steps in prop::collection::vec((0..5u8, -400..400i64), 1..40), sealed: bool) {
        let home = tempfile::tempdir().unwrap();
        let mode = if sealed { LogMode::Sealed } else { LogMode::Open };
        let mut keeper = create(home.path(), mode);
        let mut now: i64 = 0;
        for (what, jump) in steps {
            now = (now + jump).max(0);
            let moment = at(now as u64);
            match what {
                0 => drop(keeper.tick(moment, |_| SlotState::Off)),
                1 => drop(keeper.reveal(moment)),
                2 => drop(keeper.event(moment, note(1))),
                3 => drop(keeper.set_cameras(moment, &cameras(&["gate"]))),
                _ => {
                    drop(keeper);
                    keeper = Keeper::open(home.path(), vec![key(1)]).unwrap().0;
                }
            }
        }
        for finding in findings(&keeper) {
            prop_assert!(matches!(finding, Finding::Gap { .. } | Finding::Late { .. }), "{finding:?}");
        }
    }
}
