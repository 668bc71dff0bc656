//! Tests that look into the store's files, or let its disk fail.

mod damage;
mod erasure;
mod failing;
mod model;
mod restore;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use placet_core::Digest;
use placet_record::entry::{CommittedRecord, EventId, EventKind, FieldValue, Moment, Record, RecordSecret};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::{Group, KeySource, Store};

/// A key that is there.
pub struct Known(pub [u8; 32]);

impl KeySource for Known {
    fn key(&self) -> io::Result<Zeroizing<[u8; 32]>> {
        Ok(Zeroizing::new(self.0))
    }
}

pub const KEY: Known = Known([7; 32]);

pub fn order(n: u8) -> Group {
    Group::Order(Digest([n; 32]))
}

pub fn event(n: u32) -> EventId {
    let mut id = [0xe5; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    EventId(id)
}

pub fn at(n: u32) -> Moment {
    Moment::from_unix_seconds(1_800_000_000 + u64::from(n)).unwrap()
}

/// A record that tells its event from all others.
pub fn committed(n: u32) -> CommittedRecord {
    let text = |text: String| FieldValue::Text(text);
    let fields = [
        ("officer", text(format!("CANARY officer {n} {}", "x".repeat(n as usize % 50)))),
        ("case_number", text(format!("CANARY case {n}"))),
        ("persons", FieldValue::Number(n.into())),
    ];
    CommittedRecord {
        kind: EventKind::Request,
        record: Record::new(fields.map(|(name, value)| (name.parse().unwrap(), value))).unwrap(),
        secret: RecordSecret::from_bytes(Digest::of(&n.to_be_bytes()).0),
    }
}

/// A store with a few records of three orders and one group apart, and two deposits.
pub fn filled() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut store = Store::create(&path, &KEY).unwrap();
    for n in 0..12_u8 {
        let group = if n % 4 == 3 { Group::Apart([9; 16]) } else { order(n % 4) };
        let deposit = (n < 2).then(|| deposit_bytes(n.into()));
        store.put(group, event(n.into()), at(n.into()), &committed(n.into()), deposit.as_deref()).unwrap();
    }
    (folder, path)
}

/// Bytes that stand for a deposit; what one really is does not matter to who keeps it.
pub fn deposit_bytes(n: u32) -> Vec<u8> {
    n.to_be_bytes().repeat(1_100)
}

/// Every file below a folder with its content.
pub fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

/// Puts files back as they were, and removes those that were not there.
pub fn put_back(folder: &Path, kept: &[(PathBuf, Vec<u8>)]) {
    for (path, _) in files(folder) {
        fs::remove_file(path).unwrap();
    }
    for (path, bytes) in kept {
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn what_is_kept_is_given_back_and_still_opens_the_logs_commitment() {
    let (_folder, path) = filled();
    let store = Store::open(&path, &KEY).unwrap();
    for n in 0..12 {
        let kept = store.get(event(n)).unwrap().unwrap();
        assert_eq!(kept, committed(n));
        let name = "case_number".parse().unwrap();
        let disclosure = store.disclose(event(n), std::slice::from_ref(&name)).unwrap();
        let shown = disclosure.verify(&committed(n).commitment().unwrap()).unwrap();
        assert_eq!(
            shown.into_iter().collect::<Vec<_>>(),
            [(name, FieldValue::Text(format!("CANARY case {n}")))]
        );
    }
    assert_eq!(store.get(event(12)).unwrap(), None);
    let events: Vec<EventId> = store.group(order(1)).unwrap().into_iter().map(|kept| kept.event).collect();
    assert_eq!(events, [event(1), event(5), event(9)]);
    let old: Vec<(Group, u64)> =
        store.older_than(at(10)).unwrap().into_iter().map(|held| (held.group, held.records)).collect();
    assert_eq!(old, [(order(0), 3), (order(1), 3)]);
    assert_eq!(store.check().unwrap(), 12);
}

#[test]
fn one_process_has_the_store_and_a_store_is_made_once() {
    let (_folder, path) = filled();
    let store = Store::open(&path, &KEY).unwrap();
    let message = |result: Result<Store, crate::Error>| result.unwrap_err().to_string();
    assert!(message(Store::open(&path, &KEY)).ends_with("is open in another process"));
    drop(store);
    assert!(message(Store::create(&path, &KEY)).contains("is there already"));
    assert!(message(Store::open(&path, &Known([8; 32]))).contains("does not open under this key"));
    assert!(message(Store::open(&path.join("no"), &KEY)).contains("is missing"));
}

#[test]
fn only_the_owner_may_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, path) = filled();
    for (file, _) in files(&path).into_iter().filter(|(file, _)| !file.ends_with("lock")) {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "{}", file.display());
    }
    let key = crate::KeyFile::create(&folder.path().join("key")).unwrap();
    assert!(key.key().is_ok() && crate::KeyFile::create(&folder.path().join("key")).is_err());
    fs::set_permissions(folder.path().join("key"), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(key.key().unwrap_err().to_string().contains("set its mode to 0600"));
}

#[test]
fn deposits_stay_until_they_are_erased_by_a_call_of_their_own() {
    use crate::{DepositEnd, Error};
    let (_folder, path) = filled();
    let mut store = Store::open(&path, &KEY).unwrap();
    let digests = [0, 1].map(|n| Digest::of(&deposit_bytes(n)));
    assert_eq!(store.erase(order(0)).unwrap().deposits_kept, digests[..1]);
    assert_eq!(store.deposit(&digests[0]).unwrap(), deposit_bytes(0));

    let refused = store.erase_deposit(&digests[0], DepositEnd::HandedOver);
    assert!(matches!(refused, Err(Error::NotHandedOver { .. })));
    store.deposit_handed_over(&digests[0], at(20)).unwrap();
    drop(store);
    let mut store = Store::open(&path, &KEY).unwrap();
    store.erase_deposit(&digests[0], DepositEnd::HandedOver).unwrap();
    store.erase_deposit(&digests[1], DepositEnd::PeriodOver).unwrap();
    assert!(matches!(store.deposit(&digests[0]), Err(Error::NoDeposit { .. })));
    assert!(files(&path.join("deposits")).is_empty());
}

#[test]
fn an_id_used_once_stays_used_when_all_about_it_is_erased() {
    use crate::{Error, Once, Use};
    let (_folder, path) = filled();
    let mut store = Store::open(&path, &KEY).unwrap();
    let once = Once::Order(Digest([1; 32]));
    assert_eq!((store.spend(once).unwrap(), store.spend(once).unwrap()), (Use::First, Use::Again));
    store.erase(order(1)).unwrap();
    drop(store);
    let mut store = Store::open(&path, &KEY).unwrap();
    assert_eq!(
        (store.spend(once).unwrap(), store.spend(Once::Event(event(1))).unwrap()),
        (Use::Again, Use::Again)
    );
    let again = store.put(order(2), event(1), at(1), &committed(1), None);
    assert!(matches!(again, Err(Error::EventUsed { .. })));
    let again = store.put(order(1), event(77), at(1), &committed(1), None);
    assert!(matches!(again, Err(Error::GroupErased)));
}
