//! What a camera says over RTSP, in one piece and byte by byte.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_camera::message::{Item, Items, MAX_BODY, MAX_HEAD, MAX_LINES, MessageError};

fuzz_target!(|bytes: &[u8]| {
    let (whole, end) = read(bytes, bytes.len().max(1));
    assert_eq!(
        (&whole, end),
        (&read(bytes, 1).0, read(bytes, 1).1),
        "what comes out depends on how it came in"
    );
    for item in whole {
        let Item::Message(message) = item else { continue };
        assert!(message.headers.len() <= MAX_LINES && message.body.len() <= MAX_BODY);
        let written = message.to_bytes();
        // Bytes that are no UTF-8 grow when they are replaced.
        if written.len() <= MAX_HEAD {
            assert_eq!(
                read(&written, written.len()),
                (vec![Item::Message(message)], None),
                "print then parse"
            );
        }
    }
});

fn read(bytes: &[u8], piece: usize) -> (Vec<Item>, Option<MessageError>) {
    let mut items = Items::default();
    let mut out = Vec::new();
    for piece in bytes.chunks(piece) {
        items.push(piece);
        loop {
            match items.next_item() {
                Ok(Some(item)) => out.push(item),
                Ok(None) => break,
                Err(error) => return (out, Some(error)),
            }
        }
    }
    (out, None)
}
