//! A model from a package: folded, made dynamic, digested.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_vision::convert::{dequantise, digest, make_dynamic};

fuzz_target!(|model: &[u8]| {
    let _ = make_dynamic(model);
    let _ = digest(model);
    if let Ok(folded) = dequantise(model) {
        let again = dequantise(&folded).expect("what was folded can be read");
        assert_eq!(again, folded, "nothing is left to fold");
    }
});
