//! Coded frames of a file from anywhere, of which `--copy-clean` copies slices and parameter sets, nothing else.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_ingest::video::ParameterSets;

fuzz_target!(|bytes: &[u8]| {
    let mut sets = ParameterSets::default();
    // Two frames of one stream.
    let (first, second) = bytes.split_at(bytes.len() / 2);
    for frame in [first, second] {
        let Ok(picture) = sets.take(frame) else { continue };
        assert!(picture.data.len() <= 4 * frame.len() + 4, "more comes out than went in");
        let mut again = ParameterSets::default();
        let copy = again.take(&picture.data);
        assert_eq!(copy.as_ref(), Ok(&picture), "what is copied is slices, which stay as they are");
        assert_eq!(again, ParameterSets::default(), "what is copied holds no parameter set");
    }
    let _ = sets.free_id();
});
