//! What is erased is looked for in every byte of every file.

use std::path::{Path, PathBuf};

use placet_core::Digest;
use placet_deposit::{Deposit, OversightSecret};
use placet_record::entry::{Commitment, Event, EventKind};

use super::{KEY, at, committed, event, files, filled, order};
use crate::keys::Keys;
use crate::row::Row;
use crate::sealed::{Purpose, open};
use crate::{DepositEnd, Store};

fn finds(all: &[(PathBuf, Vec<u8>)], needle: &[u8]) -> bool {
    all.iter().any(|(_, bytes)| bytes.windows(needle.len()).any(|window| window == needle))
}

/// What the files hold, and what the file of keys holds when it is unsealed.
fn everything(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = files(path);
    let keys = all.iter().find(|(file, _)| file.ends_with("keys")).unwrap().1.clone();
    let sealed = keys.splitn(2, |byte| *byte == b'\n').nth(1).unwrap();
    all.push(("keys, unsealed".into(), open(&KEY.0, Purpose::Keys, b"", sealed).unwrap().to_vec()));
    all
}

/// The rows of an order as they stand in the database, and its data key.
fn seized(path: &Path, n: u8) -> (Vec<Row>, [u8; 32]) {
    let store = Store::open(path, &KEY).unwrap();
    let tag = store.keys.group_tag(order(n));
    (store.database.group(&tag).unwrap(), *store.keys.data_key(&tag).unwrap())
}

/// Tries every 32 bytes there are as the key of a row that somebody had copied before.
fn some_bytes_open(all: &[(PathBuf, Vec<u8>)], row: &Row) -> bool {
    let about = [&row.event[..], &row.group, &row.at.unix_seconds().to_be_bytes()].concat();
    let mut windows = all.iter().flat_map(|(_, bytes)| bytes.windows(32));
    windows.any(|key| open(key.try_into().unwrap(), Purpose::Record, &about, &row.sealed).is_some())
}

#[test]
fn nothing_in_the_folder_opens_what_was_erased() {
    let (_folder, path) = filled();
    let (rows, key) = seized(&path, 1);
    let plain = |n: u32| committed(n).to_bytes().unwrap();
    let before = everything(&path);
    // What is looked for below can be found: the rows, the key, and the rows by trying keys.
    assert!(rows.len() == 3 && rows.iter().all(|row| finds(&before, &row.sealed[24..56])));
    assert!(finds(&before, &key) && some_bytes_open(&before, &rows[0]));
    assert!(!finds(&before, b"CANARY") && !finds(&before, &plain(1)[..32]), "nothing is in clear");

    let mut store = Store::open(&path, &KEY).unwrap();
    let erased = store.erase(order(1)).unwrap();
    assert_eq!((erased.events, erased.unreadable), (vec![event(1), event(5), event(9)], 0));
    for (state, open_store) in [("open", Some(store)), ("closed", None)] {
        let after = everything(&path);
        let bytes: usize = after.iter().map(|(_, bytes)| bytes.len()).sum();
        for row in &rows {
            // Any 16 bytes of the old ciphertext, not only all of it: free pages, journals and slack are files' content too.
            assert!(row.sealed.chunks_exact(16).all(|part| !finds(&after, part)), "{state}");
            assert!(!some_bytes_open(&after, row), "{state}");
        }
        assert!(key.chunks_exact(8).all(|part| !finds(&after, part)), "{state}");
        let names: Vec<_> = after.iter().map(|(file, _)| file.file_name().unwrap().to_owned()).collect();
        eprintln!(
            "{state}: {bytes} bytes of {} files searched for {} rows and a key, none found: {names:?}",
            after.len(),
            rows.len()
        );
        drop(open_store);
    }
    let store = Store::open(&path, &KEY).unwrap();
    assert_eq!(store.check().unwrap(), 9);
    for n in 0..12 {
        assert_eq!(store.get(event(n)).unwrap(), (n % 4 != 1).then(|| committed(n)), "{n}");
    }
}

#[test]
fn many_erasures_leave_no_row_and_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut store = Store::create(&path, &KEY).unwrap();
    let mut gone = Vec::new();
    for round in 0..20_u8 {
        for n in 0..8 {
            let n = u32::from(round) * 8 + n;
            store.put(order(round), event(n), at(n), &committed(n), None).unwrap();
        }
        let tag = store.keys.group_tag(order(round));
        let key = *store.keys.data_key(&tag).unwrap();
        gone.extend(store.database.group(&tag).unwrap().iter().map(|row| row.sealed[40..56].to_vec()));
        gone.push(key[..16].to_vec());
        if round >= 3 {
            store.erase(order(round - 3)).unwrap();
        }
    }
    (17..20).for_each(|round| drop(store.erase(order(round)).unwrap()));
    let all = everything(&path);
    let bytes: usize = all.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(gone.iter().all(|part| !finds(&all, part)));
    eprintln!("{bytes} bytes searched for {} rows and keys, none found", gone.len());
    assert_eq!(store.check().unwrap(), 0);
}

#[test]
fn the_log_and_the_oversight_body_have_what_they_had_after_an_erasure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut store = Store::create(&path, &KEY).unwrap();
    let (body, origin) = (OversightSecret::from_seed([1; 32]), "log.example/placet".parse().unwrap());
    let what = committed(1);
    let deposit = Deposit::seal(&body.public_key(), &origin, event(1), &what, [4; 32]).unwrap();
    let logged = Event {
        at: at(1),
        kind: EventKind::Request,
        id: event(1),
        commitment: what.commitment().unwrap(),
        about: None,
        deposit: Some(deposit.digest()),
        public: None,
    };
    store.put(order(1), event(1), at(1), &what, Some(&deposit.to_bytes())).unwrap();
    let disclosed = store.disclose(event(1), &["persons".parse().unwrap()]).unwrap();
    let Commitment(c) = logged.commitment;

    let erased = store.erase(order(1)).unwrap();
    assert_eq!(erased.deposits_kept, [deposit.digest()]);
    // The entry is what it was: what was shown of it before still verifies, and the body can still open its deposit.
    assert!(disclosed.verify(&Commitment(c)).is_ok());
    let kept = Deposit::parse(&store.deposit(&deposit.digest()).unwrap()).unwrap();
    assert_eq!(kept.open(&body, &origin, &logged).unwrap().commitment().unwrap(), Commitment(c));
    // The store itself has nothing left that makes this commitment.
    assert!(store.get(event(1)).unwrap().is_none());

    store.erase_deposit(&deposit.digest(), DepositEnd::PeriodOver).unwrap();
    let all = everything(&path);
    assert!(deposit.to_bytes()[58..].chunks_exact(16).all(|part| !finds(&all, part)));
    assert_eq!(Digest::of(&deposit.to_bytes()), deposit.digest());
}

#[test]
fn a_key_file_that_a_crash_left_behind_is_overwritten_at_the_next_start() {
    let (_folder, path) = filled();
    let (rows, key) = seized(&path, 2);
    let before = std::fs::read(path.join("keys")).unwrap();
    Store::open(&path, &KEY).unwrap().erase(order(2)).unwrap();
    // As after a crash between the exchange of names and the overwriting.
    std::fs::write(path.join("keys.spare"), &before).unwrap();
    assert!(finds(&files(&path), &before[40..72]));
    let store = Store::open(&path, &KEY).unwrap();
    let after = everything(&path);
    assert!(!finds(&after, &before[40..72]) && !finds(&after, &key) && !some_bytes_open(&after, &rows[0]));
    assert!(Keys::read(&path.join("keys"), &KEY.0).unwrap().data_key(&rows[0].group).is_none());
    assert_eq!(store.group(order(2)).unwrap(), []);
}
