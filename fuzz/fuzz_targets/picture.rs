//! A picture from anywhere: it is refused in words, or its frame has the size that was allowed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_ingest::picture::{Limits, read_picture};

const LIMITS: Limits = Limits { side: 512, pixels: 1 << 16 };

fuzz_target!(|bytes: &[u8]| {
    if let Ok(picture) = read_picture(bytes, &LIMITS) {
        let size = picture.frame.size();
        assert!(size.width <= LIMITS.side && size.height <= LIMITS.side && size.area() <= LIMITS.pixels);
    }
});
