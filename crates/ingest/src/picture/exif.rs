//! Exif blocks (CIPA DC-008, TIFF 6.0 directories), rebuilt without what can show a face or turn the picture.
//!
//! [`scrub`] reads every directory it knows, leaves out thumbnails, previews, maker notes and image data, and writes a
//! new block from what is left. Nothing that was not read as a value is copied, so nothing can hide between values.

/// Deepest nesting and most entries of a block that is read.
const MAX_ENTRIES: usize = 512;
const MAX_BYTES: usize = 1 << 20;

/// Tag of the orientation, which has been applied to the pixels.
const ORIENTATION: u16 = 0x0112;
/// Pointers from the main directory to others.
const EXIF_DIRECTORY: u16 = 0x8769;
const GPS_DIRECTORY: u16 = 0x8825;

/// Tags that are left out: image data and places of it, previews, sub-directories, maker notes, XMP and other blocks
/// whose inside is not known here.
const LEFT_OUT: [u16; 17] = [
    0x0111, 0x0117, 0x0144, 0x0145, 0x014a, 0x0201, 0x0202, 0x02bc, 0x83bb, 0x8649, 0x8773, 0x927c, 0xa005,
    0xc4a5, 0xc634, 0xc6d2, 0xc6f3,
];

/// Why an Exif block was not rebuilt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExifError {
    /// It does not begin as TIFF does.
    #[error("the Exif block has no TIFF header")]
    Header,
    /// Something lies outside of it.
    #[error("the Exif block is cut short at byte {0}")]
    Short(usize),
    /// It is too large, or has too many values.
    #[error("the Exif block is larger than any camera writes")]
    TooLarge,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Value {
    tag: u16,
    kind: u16,
    count: u32,
    data: Vec<u8>,
}

/// The values of a directory that are kept, and its pointers: tag and place.
type Directory = (Vec<Value>, Vec<(u16, usize)>);

#[derive(Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, ExifError> {
        let big_endian = match bytes.get(..4) {
            Some(b"II*\0") => false,
            Some(b"MM\0*") => true,
            _ => return Err(ExifError::Header),
        };
        Ok(Self { bytes, big_endian })
    }

    fn slice(self, at: usize, len: usize) -> Result<&'a [u8], ExifError> {
        at.checked_add(len).and_then(|end| self.bytes.get(at..end)).ok_or(ExifError::Short(at))
    }

    fn u16(self, at: usize) -> Result<u16, ExifError> {
        let raw = *self.slice(at, 2)?.first_chunk().ok_or(ExifError::Short(at))?;
        Ok(if self.big_endian { u16::from_be_bytes(raw) } else { u16::from_le_bytes(raw) })
    }

    fn u32(self, at: usize) -> Result<u32, ExifError> {
        let raw = *self.slice(at, 4)?.first_chunk().ok_or(ExifError::Short(at))?;
        Ok(if self.big_endian { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) })
    }

    /// The values of the directory at `at` that are kept, and its pointers to Exif and GPS directories.
    fn directory(self, at: usize) -> Result<Directory, ExifError> {
        let count = usize::from(self.u16(at)?);
        if count > MAX_ENTRIES {
            return Err(ExifError::TooLarge);
        }
        let (mut values, mut pointers) = (Vec::new(), Vec::new());
        for i in 0..count {
            let entry = at + 2 + 12 * i;
            let (tag, kind, n) = (self.u16(entry)?, self.u16(entry + 2)?, self.u32(entry + 4)?);
            if tag == EXIF_DIRECTORY || tag == GPS_DIRECTORY {
                pointers.push((tag, self.u32(entry + 8)? as usize));
                continue;
            }
            let Some(width) = width(kind) else { continue };
            if LEFT_OUT.contains(&tag) {
                continue;
            }
            let len = width.checked_mul(n as usize).filter(|&l| l <= 65_536).ok_or(ExifError::TooLarge)?;
            let place = if len <= 4 { entry + 8 } else { self.u32(entry + 8)? as usize };
            let data = self.slice(place, len)?;
            if harmless(kind, data) {
                values.push(Value { tag, kind, count: n, data: data.to_vec() });
            }
        }
        Ok((values, pointers))
    }
}

/// Bytes of one value of a TIFF type.
fn width(kind: u16) -> Option<usize> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 => Some(4),
        5 | 10 | 12 => Some(8),
        _ => None,
    }
}

/// Whether a value can be what it claims and nothing more: a short text, or a few numbers. A picture is neither, wherever
/// a tag that is not known here, or one whose length was tampered with, may have put it.
fn harmless(kind: u16, data: &[u8]) -> bool {
    const TEXT: u16 = 2;
    if kind != TEXT {
        return data.len() <= 64;
    }
    let end = data.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    let text = data.get(..end).and_then(|t| std::str::from_utf8(t).ok());
    // A picture may be spelt in letters, but then without the spaces people put between words.
    let words = |t: &str| t.split_whitespace().all(|word| word.len() <= 200);
    data.len() <= 2048
        && text.is_some_and(|t| words(t) && t.chars().all(|c| !c.is_control() || c.is_whitespace()))
}

/// What a block says of how the picture is to be turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// 1 to 8; 1 where it says nothing in the standard's way.
    pub(super) value: u8,
    /// It says something in another way besides, or cannot be read.
    pub(super) odd: bool,
}

/// Reads the orientation in a block's main directory.
pub(super) fn turn(block: &[u8]) -> Turn {
    read_turn(block).unwrap_or(Turn { value: 1, odd: true })
}

fn read_turn(block: &[u8]) -> Result<Turn, ExifError> {
    const SHORT: u16 = 3;
    let reader = Reader::new(block)?;
    let at = reader.u32(4)? as usize;
    let count = usize::from(reader.u16(at)?);
    let mut said = Vec::new();
    for i in 0..count {
        let entry = at + 2 + 12 * i;
        if reader.u16(entry)? == ORIENTATION {
            let usual = reader.u16(entry + 2)? == SHORT && reader.u32(entry + 4)? == 1;
            let value = reader.u16(entry + 8)?;
            // Zero is how some cameras say nothing.
            said.push(u8::try_from(value).ok().filter(|v| usual && *v <= 8).map(|v| v.max(1)));
        }
    }
    let value = said.iter().flatten().next().copied().unwrap_or(1);
    Ok(Turn { value, odd: said.iter().any(|v| *v != Some(value)) })
}

/// The block rebuilt: thumbnails, previews, maker notes and image data gone, orientation set to upright.
///
/// # Errors
/// [`ExifError`] where it cannot be read whole; such a block is better left out.
pub fn scrub(block: &[u8]) -> Result<Vec<u8>, ExifError> {
    let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    if block.len() > MAX_BYTES {
        return Err(ExifError::TooLarge);
    }
    let reader = Reader::new(block)?;
    let big_endian = reader.big_endian;
    // The directory after the main one is the thumbnail's; it is not even read.
    let (mut main, pointers) = reader.directory(reader.u32(4)? as usize)?;
    let upright = if big_endian { vec![0, 1] } else { vec![1, 0] };
    for v in main.iter_mut().filter(|v| v.tag == ORIENTATION) {
        *v = Value { tag: ORIENTATION, kind: 3, count: 1, data: upright.clone() };
    }
    let mut inner = Vec::new();
    for tag in [EXIF_DIRECTORY, GPS_DIRECTORY] {
        if let Some((_, at)) = pointers.iter().find(|(t, _)| *t == tag) {
            inner.push((tag, reader.directory(*at)?.0));
        }
    }
    Ok(Writer { big_endian }.block(&main, &inner))
}

struct Writer {
    big_endian: bool,
}

impl Writer {
    fn u16(&self, out: &mut Vec<u8>, v: u16) {
        out.extend(if self.big_endian { v.to_be_bytes() } else { v.to_le_bytes() });
    }

    fn u32(&self, out: &mut Vec<u8>, v: u32) {
        out.extend(if self.big_endian { v.to_be_bytes() } else { v.to_le_bytes() });
    }

    fn block(&self, main: &[Value], inner: &[(u16, Vec<Value>)]) -> Vec<u8> {
        let mut out = if self.big_endian { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
        self.u32(&mut out, 8);
        let mut at = 8 + space(main, inner.len());
        let mut values = main.to_vec();
        for (tag, directory) in inner {
            let mut place = Vec::new();
            self.u32(&mut place, at as u32);
            values.push(Value { tag: *tag, kind: 4, count: 1, data: place });
            at += space(directory, 0);
        }
        self.directory(&mut out, values);
        for (_, directory) in inner {
            self.directory(&mut out, directory.clone());
        }
        out
    }

    /// A directory and, behind it, the values that do not fit into their entries.
    fn directory(&self, out: &mut Vec<u8>, mut values: Vec<Value>) {
        values.sort_by_key(|v| v.tag);
        self.u16(out, values.len() as u16);
        let mut place = out.len() + 12 * values.len() + 4;
        let mut behind = Vec::new();
        for v in &values {
            self.u16(out, v.tag);
            self.u16(out, v.kind);
            self.u32(out, v.count);
            if v.data.len() <= 4 {
                let mut four = v.data.clone();
                four.resize(4, 0);
                out.extend(four);
            } else {
                self.u32(out, place as u32);
                behind.extend_from_slice(&v.data);
                behind.resize(behind.len().next_multiple_of(2), 0);
                place += v.data.len().next_multiple_of(2);
            }
        }
        self.u32(out, 0);
        out.extend(behind);
    }
}

/// Bytes a directory takes with `pointers` more entries.
fn space(values: &[Value], pointers: usize) -> usize {
    let behind: usize =
        values.iter().filter(|v| v.data.len() > 4).map(|v| v.data.len().next_multiple_of(2)).sum();
    2 + 12 * (values.len() + pointers) + 4 + behind
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(tag: u16, kind: u16, data: &[u8]) -> Value {
        Value { tag, kind, count: (data.len() / width(kind).unwrap()) as u32, data: data.to_vec() }
    }

    /// A block with a camera name, orientation 6, a maker note, a place, and a thumbnail behind it all.
    fn camera_block(big_endian: bool) -> Vec<u8> {
        let w = Writer { big_endian };
        let six = if big_endian { [0, 6] } else { [6, 0] };
        let main = [value(0x0110, 2, b"Camera 7\0\0"), value(ORIENTATION, 3, &six)];
        let exif =
            vec![value(0x9003, 2, b"2026:01:01 10:00:00\0"), value(0x927c, 7, b"face in a maker note")];
        let gps = vec![value(0x0001, 2, b"N\0"), value(0x0002, 5, &[1; 24])];
        let mut block = w.block(&main, &[(EXIF_DIRECTORY, exif), (GPS_DIRECTORY, gps)]);
        let thumbnail_directory = block.len() as u32;
        block.extend_from_slice(&[0, 0]);
        block.extend(thumbnail());
        let next = 8 + 2 + 12 * 4;
        let raw =
            if big_endian { thumbnail_directory.to_be_bytes() } else { thumbnail_directory.to_le_bytes() };
        block[next..next + 4].copy_from_slice(&raw);
        block
    }

    /// 300 bytes that are no text, as compressed pictures are not.
    fn thumbnail() -> Vec<u8> {
        (0..300u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80).collect()
    }

    fn holds(block: &[u8], what: &[u8]) -> bool {
        block.windows(what.len()).any(|w| w == what)
    }

    #[test]
    fn faces_go_and_facts_stay() {
        for big_endian in [false, true] {
            let before = camera_block(big_endian);
            assert!(holds(&before, &thumbnail()) && holds(&before, b"face in a maker note"));
            let after = scrub(&before).unwrap();
            assert!(thumbnail().chunks(16).all(|c| !holds(&after, c)) && !holds(&after, b"maker note"));
            assert!(holds(&after, b"Camera 7") && holds(&after, b"2026:01:01 10:00:00"));
            let r = Reader { bytes: &after, big_endian };
            let (main, pointers) = r.directory(8).unwrap();
            let orientation = main.iter().find(|v| v.tag == ORIENTATION).unwrap();
            assert_eq!(orientation.data, if big_endian { [0, 1] } else { [1, 0] });
            let gps = pointers.iter().find(|(t, _)| *t == GPS_DIRECTORY).unwrap().1;
            assert_eq!(r.directory(gps).unwrap().0.len(), 2);
            assert_eq!(scrub(&after).unwrap(), after, "scrubbing twice changes nothing");
        }
    }

    #[test]
    fn cut_and_flipped_blocks_never_panic_and_never_keep_the_thumbnail() {
        let block = camera_block(false);
        let mut tried = 0;
        for cut in 0..block.len() {
            let _ = scrub(&block[..cut]);
            tried += 1;
        }
        for at in 0..block.len() {
            for bit in 0..8 {
                let mut flipped = block.clone();
                flipped[at] ^= 1 << bit;
                if let Ok(out) = scrub(&flipped) {
                    // A length or place that was tampered with may catch a few bytes of it, never a picture.
                    assert!(thumbnail().windows(65).all(|w| !holds(&out, w)), "byte {at}, bit {bit}");
                }
                tried += 1;
            }
        }
        println!("{tried} damaged blocks tried, 0 panics");
    }

    #[test]
    fn a_picture_spelt_in_letters_is_no_text() {
        let long = "A long day at the sea. ".repeat(40) + "\0";
        let letters = "iVBORw0KGgoAAAANSUhEUgAA".repeat(20) + "\0";
        let texts = [value(0x010e, 2, long.as_bytes()), value(0x013b, 2, letters.as_bytes())];
        let after = scrub(&Writer { big_endian: false }.block(&texts, &[])).unwrap();
        assert!(holds(&after, b"day at the sea") && !holds(&after, b"iVBORw0KGgo"));
    }

    #[test]
    fn what_is_no_exif_is_refused() {
        assert_eq!(scrub(b""), Err(ExifError::Header));
        assert_eq!(scrub(b"Exif\0\0GIF89a"), Err(ExifError::Header));
        assert_eq!(scrub(&vec![0; MAX_BYTES + 1]), Err(ExifError::TooLarge));
        assert!(matches!(scrub(b"II*\0\xff\xff\xff\x7f"), Err(ExifError::Short(_))));
    }
}
