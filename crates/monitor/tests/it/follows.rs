//! What a monitor tells, and what it does not.

use std::path::Path;
use std::time::Duration;

use placet_monitor::{Alarm, AlarmKind, HttpSource, Monitor, MonitorError, Settings};
use placet_record::entry::Moment;
use placet_record::entry::slot::SlotState;

use crate::maker::{DELAY, Files, Host, INTERVAL, Maker, at, grow, honest, now, on, policy};

fn settings() -> Settings {
    Settings { watched: ["hall-north".parse().unwrap()].into(), patience: 0, ..Settings::default() }
}

fn monitor(folder: &Path) -> Monitor {
    Monitor::open(folder, policy(), settings()).unwrap()
}

/// One look by a monitor that was started anew; everything is delivered.
fn look(folder: &Path, host: &Host, now: Moment) -> Vec<Alarm> {
    let mut monitor = monitor(folder);
    let alarms = monitor.look(&host.source, now).unwrap().to_vec();
    monitor.delivered(alarms.len()).unwrap();
    alarms
}

fn kinds(alarms: &[Alarm]) -> Vec<AlarmKind> {
    alarms.iter().map(|alarm| alarm.kind).collect()
}

#[test]
fn an_honest_log_gives_no_alarm_but_of_the_camera_that_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = honest(5, 3);
    let host = Host::of(&log);
    assert_eq!(kinds(&look(folder.path(), &host, now(&log))), []);
    let mut told = Vec::new();
    for ticks in [6, 12, 13, 14, 40, 300] {
        grow(&mut log, ticks, 3);
        host.show(&log);
        told.extend(look(folder.path(), &host, now(&log)));
    }
    // Four of ten ticks are on under one order: it is told once.
    assert_eq!(kinds(&told), [AlarmKind::CameraOn], "{told:?}");
    assert!(told[0].words.contains("`hall-north`") && told[0].words.contains("missing_person"), "{told:?}");
    let index = usize::try_from(told[0].entry.unwrap()).unwrap();
    assert!(String::from_utf8(log.entries[index].clone()).unwrap().contains("\"n\":1,"));
    assert_eq!(monitor(folder.path()).read_to(), log.tree.size());
}

#[test]
fn nothing_is_told_twice_and_nothing_is_forgotten_before_it_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest(20, 0);
    let host = Host::of(&log);
    let mut first = monitor(folder.path());
    let undelivered = first.look(&host.source, now(&log)).unwrap().to_vec();
    assert_eq!(kinds(&undelivered), [AlarmKind::CameraOn]);
    drop(first);
    let mut second = monitor(folder.path());
    assert_eq!(second.look(&host.source, now(&log)).unwrap(), undelivered);
    second.delivered(1).unwrap();
    drop(second);
    assert_eq!(look(folder.path(), &host, now(&log)), []);
    assert_eq!(monitor(folder.path()).recent(), undelivered);
}

#[test]
fn a_silent_log_is_told_once_for_each_silence() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = honest(3, 0);
    let host = Host::of(&log);
    assert_eq!(look(folder.path(), &host, at(3 * INTERVAL)), []);
    assert_eq!(kinds(&look(folder.path(), &host, at(3 * INTERVAL + 1))), [AlarmKind::Silent]);
    assert_eq!(look(folder.path(), &host, at(3 * INTERVAL + 100)), []);
    // It comes back with a gap, and falls silent again.
    log.tick(SlotState::Off, 150);
    host.show(&log);
    let back = look(folder.path(), &host, at(3 * INTERVAL + 200));
    assert_eq!(kinds(&back), [AlarmKind::Gap], "{back:?}");
    assert_eq!(kinds(&look(folder.path(), &host, at(3 * INTERVAL + 211))), [AlarmKind::Silent]);
}

#[test]
fn reveals_that_do_not_come_are_told_and_so_is_one_that_comes_late() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Maker::new();
    for _ in 0..14 {
        log.tick(SlotState::Off, 0);
    }
    let host = Host::of(&log);
    let due = INTERVAL + DELAY;
    assert_eq!(look(folder.path(), &host, at(due)), []);
    let overdue = look(folder.path(), &host, at(due + 1));
    assert!(kinds(&overdue) == [AlarmKind::Overdue] && overdue[0].words.contains("tick 0 "), "{overdue:?}");
    let more = look(folder.path(), &host, at(due + 3 * INTERVAL - 59));
    assert!(
        kinds(&more) == [AlarmKind::Overdue] && more[0].words.contains("2 ticks from 1 to 2"),
        "{more:?}"
    );
    log.reveal(0, due + 100);
    host.show(&log);
    assert_eq!(kinds(&look(folder.path(), &host, at(due + 122))), [AlarmKind::Late]);
}

#[test]
fn a_log_that_goes_back_or_forks_is_told_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let old = honest(4, 2);
    let log = honest(9, 2);
    let host = Host::of(&log);
    assert_eq!(look(folder.path(), &host, now(&log)), []);
    host.show(&old);
    assert_eq!(kinds(&look(folder.path(), &host, now(&log))), [AlarmKind::WentBack]);
    assert_eq!(look(folder.path(), &host, now(&log)), []);
    // A fork of the same size, and one that goes on.
    let mut fork = old.clone();
    grow(&mut fork, 8, 2);
    fork.tick(on(), 0);
    while fork.tree.size() < log.tree.size() {
        fork.note(7_000_000 + fork.tree.size());
    }
    for ticks in [9, 12] {
        grow(&mut fork, ticks, 2);
        host.show(&fork);
        let told = look(folder.path(), &host, now(&log));
        assert_eq!(kinds(&told), if ticks == 9 { vec![AlarmKind::Fork] } else { vec![] }, "{told:?}");
    }
    let kept = std::fs::read_dir(folder.path().join("evidence")).unwrap();
    let kept: Vec<String> = kept.map(|f| std::fs::read_to_string(f.unwrap().path()).unwrap()).collect();
    assert_eq!(kept.len(), 2);
    assert!(
        kept.iter().all(|piece| piece.contains(&log.tree.root().to_string())),
        "both know the first history"
    );
    // What was followed is the first history, and it goes on from there.
    let mut first = log;
    grow(&mut first, 10, 2);
    host.show(&first);
    assert_eq!(look(folder.path(), &host, now(&first)), []);
    assert_eq!(monitor(folder.path()).read_to(), first.tree.size());
}

/// Trouble with the files is told once while it lasts, nothing false is learnt, and the log is followed again afterwards.
fn after_trouble(kind: AlarmKind, trouble: impl Fn(&mut Files)) {
    let folder = tempfile::tempdir().unwrap();
    let mut log = honest(260, 1);
    let host = Host::of(&log);
    look(folder.path(), &host, now(&log));
    let read = monitor(folder.path()).read_to();
    grow(&mut log, 263, 1);
    let later = at(260 * INTERVAL);
    host.show(&log);
    host.change(&trouble);
    let told = look(folder.path(), &host, later);
    assert_eq!(kinds(&told), [kind], "{told:?}");
    assert_eq!(look(folder.path(), &host, later), []);
    assert_eq!(monitor(folder.path()).read_to(), read, "{kind:?}");
    host.show(&log);
    assert_eq!(look(folder.path(), &host, later), []);
    assert_eq!(monitor(folder.path()).read_to(), log.tree.size());
    grow(&mut log, 264, 1);
    host.show(&log);
    host.change(&trouble);
    assert_eq!(kinds(&look(folder.path(), &host, later)), [kind], "it is news again");
}

#[test]
fn a_source_that_lies_about_an_entry_is_told() {
    after_trouble(AlarmKind::Unfit, |files| {
        let (_, bundle) = files.iter_mut().rfind(|(path, _)| path.starts_with("tile/entries/")).unwrap();
        let at = bundle.len() - 40;
        bundle[at] ^= 1;
    });
}

#[test]
fn a_source_that_truncates_is_told() {
    after_trouble(AlarmKind::Unfit, |files| {
        let (_, bundle) = files.iter_mut().rfind(|(path, _)| path.starts_with("tile/entries/")).unwrap();
        bundle.truncate(bundle.len() / 2);
    });
    after_trouble(AlarmKind::Unreachable, |files| files.retain(|path, _| !path.starts_with("tile/1/")));
    after_trouble(AlarmKind::Unreachable, |files| files.retain(|path, _| path != "checkpoint"));
}

#[test]
fn a_checkpoint_without_its_signatures_is_told() {
    after_trouble(AlarmKind::Refused, |files| {
        let checkpoint = String::from_utf8(files["checkpoint"].clone()).unwrap();
        let without: Vec<&str> =
            checkpoint.lines().filter(|line| !line.contains("witness.example")).collect();
        files.insert("checkpoint".to_owned(), format!("{}\n", without.join("\n")).into_bytes());
    });
    after_trouble(AlarmKind::Refused, |files| {
        files.insert("checkpoint".to_owned(), b"<html>under maintenance</html>".to_vec());
    });
}

#[test]
fn a_source_that_stalls_costs_its_time_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Connections are taken by the system, and nobody ever answers.
    let source = HttpSource::new(url.parse().unwrap(), Duration::from_millis(50)).unwrap();
    let mut monitor = Monitor::open(folder.path(), policy(), settings()).unwrap();
    // A checkpoint may have 3 MiB, which adds to the time that it has; the test is over when the listener is gone.
    let gone = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        std::thread::park_timeout(Duration::from_millis(300));
        drop((stream, listener));
    });
    let told = monitor.look(&source, at(0)).unwrap().to_vec();
    gone.join().unwrap();
    assert_eq!(kinds(&told), [AlarmKind::Unreachable], "{told:?}");
}

#[test]
fn what_breaks_a_rule_is_told_with_its_entry_and_the_log_is_followed_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = honest(13, 0);
    log.reveal(1, 13 * INTERVAL - 30);
    let again = log.reveal(1, 13 * INTERVAL - 20);
    let nonsense = log.push_bytes(b"{\"type\":\"tick\"}".to_vec());
    grow(&mut log, 14, 2);
    let host = Host::of(&log);
    // The side file of a tick that is opened is another one.
    host.change(|files| {
        let (_, slots) = files.iter_mut().find(|(path, _)| path.starts_with("slots/")).unwrap();
        slots[3] ^= 1;
    });
    let told = look(folder.path(), &host, now(&log));
    let broken: Vec<_> =
        told.iter().filter(|a| a.kind == AlarmKind::Misbehaviour).map(|a| a.entry.unwrap()).collect();
    assert!(broken.contains(&again) && broken.contains(&nonsense), "{told:?}");
    assert_eq!(told.iter().filter(|a| a.kind == AlarmKind::Unfit).count(), 1, "{told:?}");
    assert_eq!(monitor(folder.path()).read_to(), log.tree.size());
}

#[test]
fn a_long_log_is_read_in_parts_that_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest(100, 8);
    let host = Host::of(&log);
    let mut told = Vec::new();
    let mut looks = 0;
    while looks == 0 || monitor(folder.path()).read_to() < log.tree.size() {
        let few = Settings { entries: 100, ..settings() };
        let mut monitor = Monitor::open(folder.path(), policy(), few).unwrap();
        let alarms = monitor.look(&host.source, at(0)).unwrap().to_vec();
        monitor.delivered(alarms.len()).unwrap();
        told.extend(alarms);
        looks += 1;
    }
    assert_eq!((looks, kinds(&told)), (10, vec![AlarmKind::CameraOn]));
}

#[test]
fn a_state_that_is_damaged_or_in_use_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest(5, 0);
    look(folder.path(), &Host::of(&log), now(&log));
    let one = monitor(folder.path());
    let second = Monitor::open(folder.path(), policy(), settings());
    assert!(matches!(second.err(), Some(MonitorError::InUse { .. })));
    drop(one);
    let state = folder.path().join("state.json");
    let good = std::fs::read(&state).unwrap();
    for bad in [&good[..good.len() / 2], b"{}", b"", b"null"] {
        std::fs::write(&state, bad).unwrap();
        let opened = Monitor::open(folder.path(), policy(), settings());
        assert!(matches!(opened.err(), Some(MonitorError::State { .. })));
    }
}
