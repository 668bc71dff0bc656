//! An Exif block out of a picture from anywhere: what is left of it is scrubbed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_ingest::picture::exif::scrub;

fuzz_target!(|block: &[u8]| {
    if let Ok(kept) = scrub(block) {
        assert_eq!(scrub(&kept).as_ref(), Ok(&kept), "nothing is left to scrub");
    }
});
