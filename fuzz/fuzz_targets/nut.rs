//! What a decoder that has been taken over might write: a NUT stream as it comes, and one whose headers carry the right
//! checksums whatever they say.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_ingest::nut::Reader;

const LARGEST_FRAME: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    if let Some((main, rest)) = cut(bytes)
        && let Some((stream, frames)) = cut(rest)
    {
        let headers = [packet(0x4E4D_7A56_1F5F_04AD, main), packet(0x4E53_1140_5BF2_F9DB, stream)].concat();
        read(&[b"nut/multimedia container\0", headers.as_slice(), frames].concat());
    }
});

/// Reads to the end or the first error.
fn read(stream: &[u8]) {
    let Ok(mut reader) = Reader::open(stream, LARGEST_FRAME) else { return };
    let mut frame = vec![0; LARGEST_FRAME];
    let mut heads = 0;
    while let Ok(Some(head)) = reader.next_frame() {
        assert!(head.len <= LARGEST_FRAME, "a frame larger than allowed");
        heads += 1;
        assert!(heads <= stream.len(), "more frames than bytes");
        // Every other frame is skipped.
        if heads % 2 == 0 && reader.fill(&mut frame[..head.len]).is_err() {
            return;
        }
    }
}

/// A first byte that says how many follow, those, and the rest.
fn cut(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*len))
}

/// A packet with its length and checksum, as nut.txt has it.
fn packet(code: u64, body: &[u8]) -> Vec<u8> {
    let len = body.len() + 4;
    let len = [0x80 | (len >> 7) as u8, (len & 0x7f) as u8];
    [&code.to_be_bytes(), len.as_slice(), body, &crc(body).to_be_bytes()].concat()
}

/// CRC-32 with the polynomial 0x04C11DB7, not reflected, from zero.
fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 }
        })
    })
}
