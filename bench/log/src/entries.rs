//! Entries as a log has them: ticks and events in canonical JSON, about 270 bytes each on average.

use placet_core::Digest;
use placet_record::entry::slot::Seed;
use placet_record::entry::{
    Commitment, Event, EventId, EventKind, Leaf, Moment, PublicPart, Purpose, Reveal, Tick,
};
use placet_store::Batch;
use placet_tlog::merkle::Hash;

use crate::Outcome;

/// Seconds from tick to tick.
pub const INTERVAL: u64 = 60;

/// 2026-11-22T00:00:00Z.
const START: u64 = 1_795_305_600;

/// 32 bytes that look random and hang on `n` and `what` alone: SplitMix64.
pub fn bytes(n: u64, what: u64) -> [u8; 32] {
    let mut state = n.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ what.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut out = [0; 32];
    for chunk in out.as_chunks_mut::<8>().0 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        *chunk = (z ^ (z >> 31)).to_le_bytes();
    }
    out
}

fn moment(seconds: u64) -> Outcome<Moment> {
    // Entries may outnumber the seconds of a calendar that ends in 2199.
    Ok(Moment::from_unix_seconds(START + seconds % (100 * 365 * 86_400)).ok_or("no such second")?)
}

/// Tick `n` with this root over its slots.
pub fn tick(n: u64, slots_root: Hash) -> Outcome<Vec<u8>> {
    let start = moment(n * INTERVAL)?;
    let reveal_by = moment((n + 1) * INTERVAL)?;
    Ok(Leaf::Tick(Tick { n, start, roster: digest(0, 1), slots_root, reveal_by }).to_bytes()?)
}

/// The reveal of tick `n`, given when its interval is over.
pub fn reveal(n: u64, seed: &Seed) -> Outcome<Vec<u8>> {
    let seed = Seed::from_bytes(*seed.as_bytes());
    Ok(Leaf::Reveal(Reveal { at: moment((n + 1) * INTERVAL)?, tick: n, seed }).to_bytes()?)
}

/// Entry `n` of the benches: of four, two ticks, an event with a deposit, an opening that everyone may read.
pub fn entry(n: u64) -> Outcome<Vec<u8>> {
    match n % 4 {
        0 | 1 => tick(n, Hash(bytes(n, 2))),
        2 => event(n, EventKind::Closing, None),
        _ => event(n, EventKind::Opening, Some(public(n)?)),
    }
}

/// A batch of `count` entries from `first` on.
pub fn batch(first: u64, count: u64) -> Outcome<Batch> {
    let entries = (first..first + count).map(entry).collect::<Outcome<_>>()?;
    Ok(Batch { entries, blobs: Vec::new() })
}

fn event(n: u64, kind: EventKind, public: Option<PublicPart>) -> Outcome<Vec<u8>> {
    let id = bytes(n, 3);
    let id = EventId(*id.first_chunk().ok_or("32 bytes have 16")?);
    let commitment = Commitment(bytes(n, 4));
    let (about, deposit) = (Some(n.saturating_sub(1)), Some(digest(n, 5)));
    let about = about.filter(|_| public.is_none());
    Ok(Leaf::Event(Event { at: moment(n)?, kind, id, commitment, about, deposit, public }).to_bytes()?)
}

fn public(n: u64) -> Outcome<PublicPart> {
    Ok(PublicPart {
        order: digest(n, 6),
        purpose: Purpose::MissingPerson.into(),
        authority: "Rechtbank Gent".parse()?,
        cameras: vec!["gate.2_b".parse()?, "hall-north".parse()?],
        from: moment(n)?,
        until: moment(n + 12 * 3600)?,
    })
}

fn digest(n: u64, what: u64) -> Digest {
    Digest(bytes(n, what))
}
