//! A file brought back from an older copy beside newer ones is noticed.

use std::fs;
use std::path::{Path, PathBuf};

use super::{KEY, at, committed, event, files, filled, order, put_back};
use crate::{Error, Once, Reason, Store};

/// What stands where, by name.
fn restored(path: &Path, names: &[&str], from: &[(PathBuf, Vec<u8>)]) {
    for (file, bytes) in from {
        if names.iter().any(|name| file.ends_with(name)) {
            fs::write(path.join(file.file_name().unwrap()), bytes).unwrap();
        }
    }
}

fn reason(path: &Path) -> Option<Reason> {
    match Store::open(path, &KEY) {
        Ok(_) => None,
        Err(Error::Refused { reason, .. }) => Some(reason),
        Err(other) => panic!("{other}"),
    }
}

/// Something done to a store, in words and as code.
type Change = (&'static str, fn(&mut Store));

#[test]
fn one_old_file_beside_new_ones_is_refused() {
    let changes: [Change; 3] = [
        ("a record was put", |store| store.put(order(50), event(50), at(50), &committed(50), None).unwrap()),
        ("an order was erased", |store| drop(store.erase(order(1)).unwrap())),
        ("a record was put and its order erased", |store| {
            store.put(order(50), event(50), at(50), &committed(50), None).unwrap();
            drop(store.erase(order(50)).unwrap());
        }),
    ];
    let mut tried = 0;
    for (what, change) in changes {
        let (_folder, path) = filled();
        let before = files(&path);
        change(&mut Store::open(&path, &KEY).unwrap());
        let after = files(&path);
        for (old, expected) in [
            (&["records.sqlite"][..], Some(Reason::Old)),
            (&["keys"], Some(Reason::Old)),
            (&["records.sqlite", "keys"], Some(Reason::Old)),
        ] {
            put_back(&path, &after);
            restored(&path, old, &before);
            assert_eq!(reason(&path), expected, "{old:?} from before {what}");
            tried += 1;
        }
        put_back(&path, &after);
        assert_eq!(reason(&path), None, "{what}");
    }
    eprintln!("{tried} mixtures of old and new files, all refused");
}

#[test]
fn an_old_mark_is_noticed_once_it_is_two_steps_behind() {
    let (_folder, path) = filled();
    let before = files(&path);
    let mut store = Store::open(&path, &KEY).unwrap();
    for n in 50..52 {
        let _ = store.spend(Once::Event(event(n))).unwrap();
    }
    drop(store);
    restored(&path, &["mark"], &before);
    // One step behind is what a crash leaves.
    assert_eq!(reason(&path), Some(Reason::OldMark));
}

#[test]
fn files_of_two_stores_do_not_mix() {
    let (_one, path) = filled();
    let (_other, theirs) = filled();
    let (kept, foreign) = (files(&path), files(&theirs));
    for (names, expected) in [
        (&["records.sqlite"][..], Reason::Seal),
        (&["keys"], Reason::Foreign),
        (&["mark"], Reason::Foreign),
        (&["keys", "mark"], Reason::Seal),
    ] {
        put_back(&path, &kept);
        restored(&path, names, &foreign);
        assert_eq!(reason(&path), Some(expected), "{names:?}");
    }
    for gone in ["keys", "records.sqlite", "mark", "deposits"] {
        put_back(&path, &kept);
        let gone = match gone {
            "deposits" => files(&path.join(gone)).remove(0).0,
            name => path.join(name),
        };
        fs::remove_file(&gone).unwrap();
        let refused = Store::open(&path, &KEY).unwrap_err();
        assert!(matches!(&refused, Error::Missing { path } if *path == gone), "{refused}");
    }
}

#[test]
fn a_mark_on_another_device_tells_that_the_whole_folder_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let (path, mark) = (folder.path().join("store"), folder.path().join("mark"));
    let mut store = Store::create_with_mark(&path, &mark, &KEY).unwrap();
    store.put(order(1), event(1), at(1), &committed(1), None).unwrap();
    drop(store);
    let before = files(&path);
    Store::open_with_mark(&path, &mark, &KEY).unwrap().erase(order(1)).unwrap();
    put_back(&path, &before);
    let refused = Store::open_with_mark(&path, &mark, &KEY).unwrap_err();
    assert!(matches!(refused, Error::Refused { reason: Reason::Old, .. }), "{refused}");
}
