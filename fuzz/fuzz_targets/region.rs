//! `--region` from the command line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_redaction::ManualRegion;

fuzz_target!(|text: &str| {
    if let Ok(ManualRegion { rect, from_s, to_s }) = text.parse::<ManualRegion>() {
        assert!([rect.x, rect.y, rect.w, rect.h].into_iter().all(f32::is_finite), "{rect:?}");
        assert!(rect.w > 0.0 && rect.h > 0.0, "{rect:?}");
        assert!(from_s >= 0.0 && from_s <= to_s, "{from_s} to {to_s}");
    }
});
