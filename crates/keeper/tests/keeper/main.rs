//! A log kept over simulated days, started anew at any moment, and looked at by an observer.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed step of a test is a failed test")]

mod attack;
mod day;
mod days;
mod observer;

use std::path::Path;

use placet_core::Digest;
use placet_keeper::{Keeper, Settings};
use placet_record::entry::slot::{Counts, SearchSlot, SlotState};
use placet_record::entry::{CameraId, CameraRoster, Leaf, LogMode, Moment, Purpose};
use placet_tlog::note::SignerKey;

const ORIGIN: &str = "log.example/kept";

fn key(n: u8) -> SignerKey {
    SignerKey::generate(ORIGIN, [n; 32]).unwrap()
}

/// A second of the simulated day.
fn at(seconds: u64) -> Moment {
    Moment::from_unix_seconds(1_795_305_600 + seconds).unwrap()
}

fn camera(name: &str) -> CameraId {
    name.parse().unwrap()
}

fn cameras(names: &[&str]) -> CameraRoster {
    CameraRoster::new(names.iter().zip(0..).map(|(name, slot)| (camera(name), slot))).unwrap()
}

fn on(frames: u32) -> SlotState {
    let counts = Counts { frames_compared: frames, ..Counts::default() };
    SlotState::On(SearchSlot { order: Digest::of(b"order"), purpose: Purpose::MissingPerson, counts })
}

fn settings(mode: LogMode) -> Settings {
    let reveal_delay = if mode == LogMode::Open { 60 } else { 3_600 };
    Settings { interval: 60, mode, reveal_delay, slots: 4 }
}

fn create(home: &Path, mode: LogMode) -> Keeper {
    Keeper::create(home, key(1), settings(mode), &cameras(&["gate", "hall", "stairs"]), at(0)).unwrap()
}

/// All entries.
fn leaves(keeper: &Keeper) -> Vec<Leaf> {
    let published = keeper.published();
    let entries = published.reader().entries(0, u64::MAX).unwrap();
    entries.iter().map(|e| Leaf::parse(e).unwrap()).collect()
}
