//! What a monitor kept of a log, as whoever can write its file may have left it, and the entries that come after.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_record::entry::{Leaf, Sequence};

/// Between what was kept and the entries: no line of either starts so.
const MARK: &str = "\n--\n";

fuzz_target!(|text: &str| {
    let (kept, entries) = match text.split_once(MARK) {
        Some((kept, entries)) => (format!("{kept}\n"), entries),
        None => (text.to_owned(), ""),
    };
    let Ok(mut log) = Sequence::from_lines(&kept) else { return };
    let lines = log.to_lines();
    let mut again = Sequence::from_lines(&lines).expect("what was written can be read");
    assert_eq!(again.to_lines(), lines, "what is kept is kept again as it was");
    for leaf in entries.split('\n').filter_map(|line| Leaf::parse(line.as_bytes()).ok()) {
        let before = log.leaves();
        assert_eq!(log.push(&leaf), again.push(&leaf), "both go on alike");
        assert_eq!(log.leaves(), before + 1);
        if let Some(tick) = log.last_tick() {
            assert_eq!(log.missing(tick.reveal_by), again.missing(tick.reveal_by));
        }
    }
});
