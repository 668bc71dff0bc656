//! A sealed segment that somebody hands to the custodian, whose key is at hand: as it is, and with its chunks sealed by
//! whoever knows the public key, which is everybody.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use placet_core::{AccessUnit, Codec, Pts};
use placet_sealed::{CustodySecret, HEADER, SegmentReader, SegmentWriter, read_header};

fuzz_target!(|bytes: &[u8]| {
    let custodian = CustodySecret::from_seed([7; 32]);
    let mut taken = 0;
    if let Ok(mut reader) = SegmentReader::open(bytes, &custodian) {
        while let Ok(Some(unit)) = reader.next_unit() {
            taken += unit.data().len();
        }
    }
    assert!(taken <= bytes.len(), "nothing comes out that did not go in");

    let Ok(header) = read_header(&mut &*bytes) else { return };
    let rest = bytes.get(HEADER..).unwrap_or_default();
    let Ok((mut writer, mut again)) = SegmentWriter::begin(&custodian.public_key(), &header.start, [3; 32])
    else {
        return;
    };
    let codec: Codec = header.start.codec;
    let mut sealed = 0;
    for data in rest.chunks(64) {
        let unit = AccessUnit { codec, data: Arc::from(data), pts: Pts(sealed), key: sealed % 3 == 0 };
        again.extend(writer.unit(&unit).expect("a unit of the segment's codec"));
        sealed += 1;
    }
    again.extend(writer.end().expect("an end"));
    let mut reader = SegmentReader::open(again.as_slice(), &custodian).expect("our own segment");
    assert_eq!(reader.header().start, header.start, "a header has one spelling");
    let mut opened = Vec::new();
    while let Ok(Some(unit)) = reader.next_unit() {
        opened.extend_from_slice(unit.data());
    }
    assert_eq!(opened, rest, "what was sealed opens");
});
