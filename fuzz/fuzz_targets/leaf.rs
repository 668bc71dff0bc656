//! An entry of a log from anywhere, and a log of what its lines are.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_record::entry::{Leaf, MAX_LEAF, Sequence};

fuzz_target!(|bytes: &[u8]| {
    let mut log = Sequence::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(leaf) = Leaf::parse(line) else { continue };
        assert!(line.len() <= MAX_LEAF);
        assert_eq!(leaf.to_bytes().as_deref(), Ok(line), "an entry has one spelling");
        let before = log.leaves();
        let _ = log.push(&leaf);
        assert_eq!(log.leaves(), before + 1);
        if let Some(tick) = log.last_tick() {
            assert!(log.missing(tick.reveal_by).len() <= 2 + usize::try_from(before).unwrap_or(usize::MAX));
        }
    }
});
