//! The text files of a transparency log from anywhere: checkpoints, proofs, policies, requests to a witness. The first byte
//! chooses which.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_tlog::checkpoint::Checkpoint;
use placet_tlog::policy::Policy;
use placet_tlog::proof::Proof;
use placet_tlog::witness::{AddCheckpoint, judge, parse_answer};

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 5 {
        0 => {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            if let Ok(checkpoint) = text.parse::<Checkpoint>() {
                assert_eq!(checkpoint.to_string(), text, "a checkpoint has one spelling");
            }
        }
        1 => {
            if let Ok(proof) = Proof::parse(bytes) {
                assert_eq!(proof.to_string().as_bytes(), bytes, "a proof has one spelling");
            }
        }
        2 => {
            if let Ok(policy) = Policy::parse(bytes) {
                let all: Vec<_> = policy.witnesses().iter().map(|w| w.key.clone()).collect();
                assert!(policy.is_met_by(&all), "all witnesses are always enough");
                assert!(policy.asks_for_witnesses() != policy.is_met_by(&[]));
            }
        }
        3 => {
            if let Ok(request) = AddCheckpoint::parse(bytes) {
                assert_eq!(request.to_string().as_bytes(), bytes, "a request has one spelling");
                let status = judge(&request, &[], |_| None).unwrap_err().status();
                assert!([400, 403, 404].contains(&status), "no log is known, and {status} is answered");
            }
        }
        _ => drop(parse_answer(bytes)),
    }
});
