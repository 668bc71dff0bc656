//! A video file from anywhere, of which the crop of Matroska and the clean aperture of MPEG-4 are read.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let said = placet_ingest::video::edges(&mut Cursor::new(bytes));
    assert_eq!(said, placet_ingest::video::edges(&mut Cursor::new(bytes)));
});
