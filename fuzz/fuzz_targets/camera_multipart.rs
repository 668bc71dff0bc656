//! What a camera sends as MJPEG. The first byte says how many come at once.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_camera::multipart::{MAX_PART, MultipartError, Parts};

fuzz_target!(|bytes: &[u8]| {
    let Some((piece, stream)) = bytes.split_first() else { return };
    let whole = read(stream, stream.len().max(1));
    assert_eq!(whole, read(stream, usize::from(*piece) + 1), "what comes out depends on how it came in");
    let total: usize = whole.0.iter().map(Vec::len).sum();
    assert!(total <= stream.len(), "more comes out than went in");
    assert!(whole.0.iter().all(|part| part.len() <= MAX_PART));
    if let Ok(text) = std::str::from_utf8(stream) {
        let _ = Parts::new(text);
    }
});

fn read(stream: &[u8], piece: usize) -> (Vec<Vec<u8>>, Option<MultipartError>) {
    let mut parts = Parts::new("multipart/x-mixed-replace; boundary=f").expect("a content type");
    let mut out = Vec::new();
    for piece in stream.chunks(piece) {
        parts.push(piece);
        loop {
            match parts.next_part() {
                Ok(Some(part)) => out.push(part),
                Ok(None) => break,
                Err(error) => return (out, Some(error)),
            }
        }
    }
    (out, None)
}
