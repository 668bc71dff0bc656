//! Just enough of EBML (RFC 8794) and Matroska (RFC 9559) to reach the list of tracks.

use std::io::{self, Read, Seek, SeekFrom};

/// No list of tracks is longer.
const LONGEST_TRACKS: u64 = 16 << 20;
/// No file has more elements on one level before its frames.
const MOST_ELEMENTS: usize = 4096;

/// Element IDs, with their marker bits.
const SEGMENT: u64 = 0x1853_8067;
const TRACKS: u64 = 0x1654_AE6B;
const CLUSTER: u64 = 0x1F43_B675;
pub(super) const TRACK_ENTRY: u64 = 0xAE;
pub(super) const CODEC_ID: u64 = 0x86;
pub(super) const CODEC_PRIVATE: u64 = 0x63A2;

/// Place and content of the list of tracks; none where none comes before the first frame.
pub(super) fn tracks(file: &mut (impl Read + Seek)) -> io::Result<Option<(u64, Vec<u8>)>> {
    let len = file.seek(SeekFrom::End(0))?;
    let mut at = 0;
    for _ in 0..MOST_ELEMENTS {
        file.seek(SeekFrom::Start(at))?;
        let mut head = Vec::new();
        Read::by_ref(file).take(12).read_to_end(&mut head)?;
        let Some(Element { id, start, end }) = element(&head, len - at) else { return Ok(None) };
        match id {
            SEGMENT => at += start,
            TRACKS if end - start <= LONGEST_TRACKS => {
                file.seek(SeekFrom::Start(at + start))?;
                let mut content = Vec::new();
                Read::by_ref(file).take(end - start).read_to_end(&mut content)?;
                return Ok(Some((at + start, content)).filter(|(_, c)| c.len() as u64 == end - start));
            }
            TRACKS | CLUSTER => break,
            _ => at += end,
        }
    }
    Ok(None)
}

/// An element: its ID, and where its content is from the element's own start.
struct Element {
    id: u64,
    start: u64,
    end: u64,
}

/// The element at the head of `bytes`; `room` bytes are there in all. One of unknown size takes all of them.
fn element(bytes: &[u8], room: u64) -> Option<Element> {
    let (id, id_len) = number(bytes, true)?;
    let (size, size_len) = number(bytes.get(id_len..)?, false)?;
    let start = (id_len + size_len) as u64;
    let unknown = size == (1 << (7 * size_len)) - 1;
    let end = if unknown { room } else { start.checked_add(size)? };
    (start <= end && end <= room).then_some(Element { id, start, end })
}

/// A number of one to eight bytes, with or without its length marker.
fn number(bytes: &[u8], marked: bool) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let len = first.leading_zeros() as usize + 1;
    let value = bytes.get(..len).filter(|_| len <= 8)?.iter().fold(0u64, |v, b| v << 8 | u64::from(*b));
    Some((if marked { value } else { value & !(1 << (7 * len)) }, len))
}

/// Children of an element's content: ID, first byte, and the one behind the last.
pub(super) fn children(bytes: &[u8]) -> Option<Vec<(u64, usize, usize)>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let rest = bytes.get(at..)?;
        let Element { id, start, end } = element(rest, rest.len() as u64)?;
        found.push((id, at + start as usize, at + end as usize));
        at += end as usize;
    }
    Some(found)
}

/// The content of the first child of that kind.
pub(super) fn child(bytes: &[u8], wanted: u64) -> Option<&[u8]> {
    let (_, start, end) = children(bytes)?.into_iter().find(|(id, ..)| *id == wanted)?;
    bytes.get(start..end)
}

/// A child's whole number.
pub(super) fn unsigned(bytes: &[u8], wanted: u64) -> Option<u64> {
    let number = child(bytes, wanted).filter(|n| n.len() <= 8)?;
    Some(number.iter().fold(0, |v, b| v << 8 | u64::from(*b)))
}
