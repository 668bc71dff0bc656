//! A disk that fails at every step it can fail at, one after the other.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::{KEY, at, committed, event, files, filled, order, put_back};
use crate::file::{Disk, RealDisk};
use crate::{Error, Store};

/// Does `left` more steps and then fails, at writes after half of the bytes.
struct Failing {
    left: Arc<AtomicI64>,
}

impl Failing {
    fn step(&self) -> io::Result<()> {
        if self.left.fetch_sub(1, Ordering::Relaxed) > 0 { Ok(()) } else { Err(io::Error::other("no more")) }
    }
}

impl Disk for Failing {
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        if self.step().is_err() {
            file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        RealDisk.write(file, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.step()?;
        RealDisk.sync(file)
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.exchange(one, other)
    }

    fn name(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.name(from, to)
    }

    fn sync_folder(&self, inside: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.sync_folder(inside)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.unlink(path)
    }
}

/// Lets `work` fail at each step in turn. `after` sees the store opened again after each failure, and what was said.
fn at_every_step<T>(
    work: impl Fn(&mut Store) -> Result<T, Error>,
    after: impl Fn(&Store, &Result<T, Error>),
) -> i64 {
    let (_folder, path) = filled();
    let kept = files(&path);
    for steps in 0.. {
        put_back(&path, &kept);
        let left = Arc::new(AtomicI64::new(i64::MAX));
        let disk = Failing { left: Arc::clone(&left) };
        let mut store = Store::open_on(Box::new(disk), &path, &path.join("mark"), &KEY).unwrap();
        left.store(steps, Ordering::Relaxed);
        let said = work(&mut store);
        if let Err(error) = &said {
            assert!(matches!(error, Error::Disk { .. }), "{error}");
            assert!(matches!(store.get(event(0)), Err(Error::Shut)), "a failed write shuts the store");
            assert!(matches!(work(&mut store), Err(Error::Shut)));
        }
        drop(store);
        let store = Store::open(&path, &KEY).unwrap();
        after(&store, &said);
        // Twice, since what was mended must not be in need of it again.
        drop(store);
        after(&Store::open(&path, &KEY).unwrap(), &said);
        if said.is_ok() {
            return steps;
        }
    }
    unreachable!("the work has an end")
}

#[test]
fn a_put_that_fails_anywhere_loses_nothing_else_and_one_that_succeeds_is_there() {
    let steps = at_every_step(
        |store| store.put(order(77), event(100), at(100), &committed(100), Some(&super::deposit_bytes(9))),
        |store, said| {
            let found = store.get(event(100)).unwrap();
            assert!(found.is_none_or(|found| found == committed(100)));
            assert!(said.is_err() || store.get(event(100)).unwrap().is_some());
            (0..12).for_each(|n| assert_eq!(store.get(event(n)).unwrap(), Some(committed(n))));
            let there = store.check().unwrap();
            assert!(there == 12 || there == 13);
        },
    );
    eprintln!("a put failed at each of {steps} steps");
    assert!(steps > 15);
}

#[test]
fn an_erasure_that_fails_anywhere_is_whole_or_has_not_begun() {
    let steps = at_every_step(
        |store| store.erase(order(1)),
        |store, said| {
            let left = store.group(order(1)).unwrap().len();
            assert!(left == 0 || (left == 3 && said.is_err()));
            assert_eq!(store.check().unwrap(), 9 + left as u64);
        },
    );
    eprintln!("an erasure failed at each of {steps} steps");
    assert!(steps > 10);
}

#[test]
fn a_deposit_whose_erasure_fails_is_whole_or_gone() {
    let digest = placet_core::Digest::of(&super::deposit_bytes(0));
    let steps = at_every_step(
        |store| store.erase_deposit(&digest, crate::DepositEnd::PeriodOver),
        |store, said| match store.deposit(&digest) {
            Ok(bytes) => assert!(said.is_err() && bytes == super::deposit_bytes(0)),
            Err(Error::NoDeposit { .. }) => {}
            Err(other) => panic!("{other}"),
        },
    );
    eprintln!("an erasure of a deposit failed at each of {steps} steps");
}
