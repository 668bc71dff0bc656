//! Files that are put back from another time, taken from another log or broken on purpose, and calls that must not be obeyed.

use std::fs;

use placet_keeper::{About, Keeper, KeeperError, NewEvent, fresh_id};
use placet_record::entry::slot::SlotState;
use placet_record::entry::{Commitment, EventKind, Leaf, LogMode};
use placet_tlog::tile::unbundle;

use super::{at, create, key, leaves};

fn note() -> NewEvent {
    NewEvent {
        kind: EventKind::Note,
        id: fresh_id().unwrap(),
        commitment: Commitment([1; 32]),
        deposit: None,
        about: None,
        public: None,
    }
}

fn open(home: &std::path::Path) -> (Keeper, u64) {
    let (keeper, opened) = Keeper::open(home, vec![key(1)]).unwrap();
    (keeper, opened.replayed)
}

#[test]
fn attack_a_refused_entry_leaves_no_trace_in_what_comes_after_it() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = create(home.path(), LogMode::Open);
    let event = note();
    keeper.event(at(1), event.clone()).unwrap();
    assert!(matches!(keeper.event(at(2), event), Err(KeeperError::Rule(_))));
    assert_eq!(keeper.sequence().leaves(), keeper.published().reader().size());
    keeper.change_key(at(3), key(2)).unwrap();
}

#[test]
fn attack_an_id_that_is_taken_is_refused_before_it_is_held_back() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = create(home.path(), LogMode::Sealed);
    keeper.tick(at(0), |_| SlotState::Off).unwrap();
    let event = note();
    keeper.event(at(1), event.clone()).unwrap();
    assert!(matches!(keeper.event(at(2), event.clone()), Err(KeeperError::Rule(_))));
    keeper.reveal(at(3_660)).unwrap().unwrap();
    assert!(matches!(keeper.event(at(3_661), event), Err(KeeperError::Rule(_))));
}

#[test]
fn attack_no_tick_is_opened_with_a_key_that_it_was_not_sealed_with() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = create(home.path(), LogMode::Open);
    keeper.tick(at(0), |_| SlotState::Off).unwrap();
    drop(keeper);
    let seeds = home.path().join("seeds");
    let right = fs::read(&seeds).unwrap();
    // Put back from before the key was made, and put there from elsewhere.
    for wrong in [String::new(), format!("0 {}\n", "ab".repeat(32))] {
        fs::write(&seeds, wrong).unwrap();
        let (mut keeper, _) = open(home.path());
        let before = leaves(&keeper).len();
        assert!(matches!(keeper.reveal(at(60)), Err(KeeperError::Seed { tick: 0, .. })));
        assert_eq!(leaves(&keeper).len(), before, "nothing was said with it");
    }
    fs::write(&seeds, right).unwrap();
    assert_eq!(open(home.path()).0.reveal(at(60)).unwrap().unwrap().count, 1);
}

#[test]
fn attack_the_kept_state_of_another_history_is_not_believed() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for home in [&one, &two] {
        let mut keeper = create(home.path(), LogMode::Open);
        keeper.tick(at(0), |_| SlotState::Off).unwrap();
        keeper.event(at(1), note()).unwrap();
    }
    fs::copy(one.path().join("state"), two.path().join("state")).unwrap();
    let (keeper, replayed) = open(two.path());
    assert_eq!(replayed, leaves(&keeper).len() as u64);
}

#[test]
fn attack_cosignatures_of_another_history_are_not_written_into_this_one() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for home in [&one, &two] {
        let mut keeper = create(home.path(), LogMode::Open);
        keeper.event(at(1), note()).unwrap();
        let (_, written) = keeper.tick(at(1), |_| SlotState::Off).unwrap();
        keeper.publish(&written.note, written.index + 1, true).unwrap();
    }
    let own = fs::read(two.path().join("cosigned")).unwrap();
    let foreign = fs::read(one.path().join("cosigned")).unwrap();
    let long = [b"0\n".as_slice(), &[b'x'; 70_000]].concat();
    for (file, is_kept) in [(foreign, false), (long, false), (b"0\nno note".to_vec(), false), (own, true)] {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(two.path(), copy.path());
        fs::write(copy.path().join("cosigned"), file).unwrap();
        let (mut keeper, _) = open(copy.path());
        keeper.tick(at(61), |_| SlotState::Off).unwrap();
        let bundle = keeper.published().read("cosigned/000.p/1", 0, u64::MAX).unwrap().unwrap();
        assert_eq!(!unbundle(&bundle, 1).unwrap()[0].is_empty(), is_kept);
    }
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn attack_a_clock_that_jumps_back_does_not_part_an_event_from_what_it_is_about() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = create(home.path(), LogMode::Sealed);
    keeper.tick(at(0), |_| SlotState::Off).unwrap();
    let (first, mut second) = (note(), note());
    second.about = Some(About::Event(first.id));
    let ids = [first.id, second.id];
    keeper.event(at(61), first).unwrap();
    keeper.event(at(5), second).unwrap();
    keeper.tick(at(60), |_| SlotState::Off).unwrap();
    (61..63).for_each(|minute| drop(keeper.reveal(at(minute * 60)).unwrap()));
    let leaves = leaves(&keeper);
    let place = |id| leaves.iter().position(|l| matches!(l, Leaf::Event(e) if e.id == id)).unwrap();
    let Leaf::Event(second) = &leaves[place(ids[1])] else { unreachable!() };
    assert_eq!(second.about, Some(place(ids[0]) as u64));
}

#[test]
fn attack_more_events_than_one_frame_holds_are_published_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = create(home.path(), LogMode::Sealed);
    keeper.tick(at(0), |_| SlotState::Off).unwrap();
    keeper.event(at(1), note()).unwrap();
    drop(keeper);
    let pending = home.path().join("pending");
    let line = fs::read_to_string(&pending).unwrap();
    let id = line.split("\"id\":\"").nth(1).unwrap()[..22].to_owned();
    // Of less than 160 bytes each, 16 MiB of them.
    let n = 120_000;
    let many: String = (0..n).map(|i| line.replace(&id, &format!("{i:0>21}A"))).collect();
    fs::write(&pending, many).unwrap();
    let (mut keeper, _) = open(home.path());
    assert_eq!(keeper.reveal(at(3_660)).unwrap().unwrap().count, n + 1);
    assert_eq!(fs::read_to_string(&pending).unwrap(), "");
}
