//! The path of a request for a file of a log: whatever is read as one is spelt so and leads nowhere else.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_publish::LogPath;

fuzz_target!(|text: &str| {
    let Ok(path) = text.parse::<LogPath>() else { return };
    assert_eq!(path.to_string(), text, "a file has one path");
    assert!(text.split('/').all(|part| !part.is_empty() && part != "." && part != ".."), "no way out");
    assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"/.".contains(&b)));
});
