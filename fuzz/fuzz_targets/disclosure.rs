//! What reaches a reader beside the log: a disclosure, a record with its secret, a roster.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_record::entry::{CameraRoster, Commitment, CommittedRecord, Disclosure, FieldName};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(disclosure) = Disclosure::parse(bytes) {
        assert_eq!(disclosure.to_bytes().as_deref(), Ok(bytes), "a disclosure has one spelling");
        assert!(disclosure.verify(&Commitment([0; 32])).is_err(), "nothing makes a commitment of zeros");
    }
    if let Ok(committed) = CommittedRecord::parse(bytes) {
        assert_eq!(committed.to_bytes().expect("what was read can be written").as_slice(), bytes);
        let commitment = committed.commitment().expect("what was read can be committed to");
        let names: Vec<FieldName> = committed.record.fields().keys().cloned().collect();
        let shown = committed.disclose(&names).expect("its own fields").verify(&commitment);
        assert_eq!(shown.as_ref(), Ok(committed.record.fields()));
    }
    if let Ok(roster) = CameraRoster::parse(bytes) {
        assert_eq!(roster.to_bytes(), bytes, "a roster has one spelling");
    }
});
