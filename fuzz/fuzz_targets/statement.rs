//! A statement proof from anywhere, read by a policy that trusts the log it may have come from.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use placet_audit::StatementProof;
use placet_record::entry::Moment;
use placet_tlog::policy::Policy;

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    Policy::parse(include_bytes!("../../vectors/logs/open.policy")).expect("the vectors' policy is one")
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(proof) = StatementProof::parse(bytes) else { return };
    assert_eq!(proof.to_bytes().as_deref(), Ok(bytes), "a proof has one spelling");
    let now = Moment::from_unix_seconds(1_795_400_000).expect("a second of 2026");
    match proof.verify(&POLICY, now) {
        // Nobody forges a signature by mutation: whatever is answered is answered about the log's own entries.
        Ok(statement) => {
            assert_eq!((&statement.camera, statement.at), (&proof.camera, proof.at));
            assert!(statement.to_string().ends_with(&format!("at {} entries.", statement.size)));
        }
        Err(error) => assert!(!error.part().is_empty()),
    }
});
