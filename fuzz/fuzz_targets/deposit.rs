//! A deposit file that somebody hands to an oversight body, with the body's key at hand.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_deposit::{Deposit, OversightSecret};
use placet_record::entry::{Commitment, Event, EventId, EventKind, Moment};

fuzz_target!(|bytes: &[u8]| {
    let Ok(deposit) = Deposit::parse(bytes) else { return };
    assert_eq!(deposit.to_bytes(), bytes, "a deposit has one spelling");
    let event = Event {
        at: Moment::from_unix_seconds(1_795_326_000).expect("a second of 2026"),
        kind: EventKind::Opening,
        id: EventId([0; 16]),
        commitment: Commitment([0; 32]),
        about: None,
        deposit: Some(deposit.digest()),
        public: None,
    };
    let secret = OversightSecret::from_seed([7; 32]);
    let origin = "log.example/fuzzed".parse().expect("an origin");
    assert!(deposit.open(&secret, &origin, &event).is_err(), "nothing makes a commitment of zeros");
});
