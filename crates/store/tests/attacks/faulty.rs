//! A disk in memory that keeps only what it must: what was synced. Of the rest, a power cut leaves any 512-byte sectors of any
//! writes, and the first so-many changes of names. It can also refuse its n-th request, having done half of it.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use placet_store::{Disk, DiskFile};

/// Random numbers that a seed repeats: SplitMix64.
#[derive(Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

#[derive(Clone, Default)]
struct Content {
    durable: Vec<u8>,
    now: Vec<u8>,
    pending: Vec<(u64, Vec<u8>)>,
}

#[derive(Clone)]
enum NameChange {
    Create(String, usize),
    Rename(String, String),
    Remove(String),
}

type Names = BTreeMap<String, usize>;

fn apply(names: &mut Names, change: &NameChange) {
    match change {
        NameChange::Create(name, file) => drop(names.insert(name.clone(), *file)),
        NameChange::Rename(from, to) => {
            let file = names.remove(from).expect("renamed files are there");
            names.insert(to.clone(), file);
        }
        NameChange::Remove(name) => drop(names.remove(name)),
    }
}

#[derive(Default)]
struct Inner {
    files: Vec<Content>,
    durable_names: Names,
    names: Names,
    pending_names: Vec<NameChange>,
    requests: u64,
    /// The request that fails, and whether all after it do too.
    fails: Option<(u64, bool)>,
}

impl Inner {
    /// Counts a request that changes something, and fails it if it is its turn.
    fn request(&mut self) -> io::Result<()> {
        let this = self.requests;
        self.requests += 1;
        match self.fails {
            Some((at, after)) if this == at || after && this > at => {
                Err(io::Error::other(format!("injected at request {this}")))
            }
            _ => Ok(()),
        }
    }
}

/// The disk.
#[derive(Clone, Default)]
pub struct Faulty {
    inner: Arc<Mutex<Inner>>,
    locked: Arc<AtomicBool>,
}

impl Faulty {
    /// Fails the request number `at` from now on, and with `after` all that follow, as when the power goes.
    pub fn fail(&self, at: u64, after: bool) {
        let mut inner = self.inner.lock().unwrap();
        inner.requests = 0;
        inner.fails = Some((at, after));
    }

    /// Fails nothing any more.
    pub fn heal(&self) {
        self.inner.lock().unwrap().fails = None;
    }

    /// How many requests there were since the count was last set.
    pub fn requests(&self) -> u64 {
        self.inner.lock().unwrap().requests
    }

    /// What the disk holds when the power comes back.
    pub fn after_power_cut(&self, dice: &mut Dice) -> Self {
        let inner = self.inner.lock().unwrap();
        let files = inner.files.iter().map(|f| {
            let mut image = f.durable.clone();
            let mut order: Vec<usize> = (0..f.pending.len()).collect();
            for i in (1..order.len()).rev() {
                order.swap(i, usize::try_from(dice.below(i as u64 + 1)).unwrap());
            }
            // One time in four everything or nothing got through, otherwise sector by sector.
            let mood = dice.below(8);
            for (offset, bytes) in order.into_iter().map(|i| &f.pending[i]) {
                let mut at = 0;
                while at < bytes.len() {
                    let sector = 512 - usize::try_from((offset + at as u64) % 512).unwrap();
                    let end = (at + sector).min(bytes.len());
                    if mood == 0 || mood > 1 && dice.below(2) == 0 {
                        put(&mut image, offset + at as u64, &bytes[at..end]);
                    }
                    at = end;
                }
            }
            Content { durable: image.clone(), now: image, pending: Vec::new() }
        });
        let files = files.collect();
        let mut names = inner.durable_names.clone();
        let kept = dice.below(inner.pending_names.len() as u64 + 1);
        inner.pending_names.iter().take(usize::try_from(kept).unwrap()).for_each(|c| apply(&mut names, c));
        let inner = Inner { files, durable_names: names.clone(), names, ..Inner::default() };
        Self { inner: Arc::new(Mutex::new(inner)), locked: Arc::default() }
    }

    /// A copy of everything as it is now.
    pub fn copy(&self) -> Self {
        let inner = self.inner.lock().unwrap();
        let inner = Inner {
            files: inner
                .files
                .iter()
                .map(|f| Content { durable: f.now.clone(), now: f.now.clone(), pending: Vec::new() })
                .collect(),
            durable_names: inner.names.clone(),
            names: inner.names.clone(),
            ..Inner::default()
        };
        Self { inner: Arc::new(Mutex::new(inner)), locked: Arc::default() }
    }

    /// The bytes of a file.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let inner = self.inner.lock().unwrap();
        inner.files[inner.names[name]].now.clone()
    }

    /// Puts other bytes into a file.
    pub fn set(&self, name: &str, bytes: Vec<u8>) {
        let mut inner = self.inner.lock().unwrap();
        let file = inner.names[name];
        inner.files[file] = Content { durable: bytes.clone(), now: bytes, pending: Vec::new() };
    }

    /// Removes a file, durably.
    pub fn lose(&self, name: &str) {
        let mut inner = self.inner.lock().unwrap();
        inner.names.remove(name);
        inner.durable_names.remove(name);
    }
}

fn put(image: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let offset = usize::try_from(offset).unwrap();
    if image.len() < offset + bytes.len() {
        image.resize(offset + bytes.len(), 0);
    }
    image[offset..offset + bytes.len()].copy_from_slice(bytes);
}

impl Disk for Faulty {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.inner.lock().unwrap().names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let inner = self.inner.lock().unwrap();
        let file = *inner.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(FaultyFile { inner: Arc::clone(&self.inner), file }))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut inner = self.inner.lock().unwrap();
        inner.request()?;
        let file = inner.files.len();
        inner.files.push(Content::default());
        let change = NameChange::Create(name.to_owned(), file);
        apply(&mut inner.names, &change);
        inner.pending_names.push(change);
        Ok(Arc::new(FaultyFile { inner: Arc::clone(&self.inner), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        inner.request()?;
        let change = NameChange::Rename(from.to_owned(), to.to_owned());
        apply(&mut inner.names, &change);
        inner.pending_names.push(change);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        inner.request()?;
        let change = NameChange::Remove(name.to_owned());
        apply(&mut inner.names, &change);
        inner.pending_names.push(change);
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        inner.request()?;
        inner.durable_names = inner.names.clone();
        inner.pending_names.clear();
        Ok(())
    }

    fn lock(&self, _name: &str) -> io::Result<Option<Box<dyn Send + Sync>>> {
        struct Held(Arc<AtomicBool>);
        impl Drop for Held {
            fn drop(&mut self) {
                self.0.store(false, Ordering::SeqCst);
            }
        }
        let free = !self.locked.swap(true, Ordering::SeqCst);
        Ok(free.then(|| Box::new(Held(Arc::clone(&self.locked))) as Box<dyn Send + Sync>))
    }
}

struct FaultyFile {
    inner: Arc<Mutex<Inner>>,
    file: usize,
}

impl DiskFile for FaultyFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.inner.lock().unwrap().files[self.file].now.len() as u64)
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let inner = self.inner.lock().unwrap();
        let offset = usize::try_from(offset).unwrap();
        let bytes = inner.files[self.file].now.get(offset..offset + buffer.len());
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        let refused = inner.request();
        // A write that fails has done half of it.
        let done = if refused.is_err() { &bytes[..bytes.len() / 2] } else { bytes };
        let file = &mut inner.files[self.file];
        put(&mut file.now, offset, done);
        file.pending.push((offset, done.to_vec()));
        refused
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        inner.request()?;
        let file = &mut inner.files[self.file];
        file.durable = file.now.clone();
        file.pending.clear();
        Ok(())
    }
}
