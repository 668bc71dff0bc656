//! One batch as it lies in a segment. Numbers are little-endian.
//!
//! | bytes | content |
//! | --- | --- |
//! | 4 | `PLF1` |
//! | 4 | length of the whole frame |
//! | 8 | index of its first entry |
//! | 4 | how many entries, at least 1 |
//! | 4 | how many blobs |
//! | 16 | checksum of the frame before it; zeros in the log's first |
//! | | entries, each its length in two bytes *big-endian* and itself: as bundles have them, so that a bundle is a slice |
//! | | blobs, each its channel in one byte, its length in four, and itself |
//! | 4 | length of the note |
//! | | the signed checkpoint that the batch makes |
//! | 16 | checksum: XXH3-128 of all that |

use xxhash_rust::xxh3::xxh3_128;

/// The longest frame, in bytes: a tick of 65,536 slots with room to spare.
pub const MAX_FRAME: usize = 16 << 20;

pub const MAGIC: [u8; 4] = *b"PLF1";
pub const HEADER: usize = 40;
pub const CHECKSUM: usize = 16;

/// XXH3-128 of a frame, which the next frame repeats.
pub type Checksum = [u8; CHECKSUM];

/// What is written in one go: entries for the tree, and bytes that belong beside them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// The entries, in order.
    pub entries: Vec<Vec<u8>>,
    /// Side files: each goes to the end of its channel's list.
    pub blobs: Vec<(u8, Vec<u8>)>,
}

impl Batch {
    /// A batch of one entry.
    pub fn of(entry: Vec<u8>) -> Self {
        Self { entries: vec![entry], blobs: Vec::new() }
    }

    /// How many bytes its frame takes, without the note.
    pub fn frame_bytes(&self) -> usize {
        let entries: usize = self.entries.iter().map(|e| e.len() + 2).sum();
        let blobs: usize = self.blobs.iter().map(|(_, b)| b.len() + 5).sum();
        HEADER + entries + blobs + 4 + CHECKSUM
    }

    /// The entries, each with the offset of its length within the frame, as [`read`] finds them.
    pub(crate) fn placed_entries(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.entries.iter().scan(HEADER, |at, entry| {
            let here = *at;
            *at += 2 + entry.len();
            Some((here, entry.as_slice()))
        })
    }

    /// The blobs, each with its channel and the offset of its first byte within the frame, as [`read`] finds them.
    pub(crate) fn placed_blobs(&self) -> impl Iterator<Item = (u8, usize, &[u8])> {
        let entries: usize = self.entries.iter().map(|e| 2 + e.len()).sum();
        self.blobs.iter().scan(HEADER + entries, |at, (channel, blob)| {
            let here = *at + 5;
            *at = here + blob.len();
            Some((*channel, here, blob.as_slice()))
        })
    }

    /// Puts `other` behind this one.
    pub fn join(&mut self, other: Self) {
        self.entries.extend(other.entries);
        self.blobs.extend(other.blobs);
    }
}

/// Writes a frame into `out`, which is emptied first, and gives its checksum.
pub fn write(out: &mut Vec<u8>, first: u64, batch: &Batch, before: Checksum, note: &str) -> Checksum {
    out.clear();
    let length = batch.frame_bytes() + note.len();
    out.reserve(length);
    out.extend(MAGIC);
    out.extend(count(length));
    out.extend(first.to_le_bytes());
    out.extend(count(batch.entries.len()));
    out.extend(count(batch.blobs.len()));
    out.extend(before);
    for entry in &batch.entries {
        out.extend(u16::try_from(entry.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend(entry);
    }
    for (channel, blob) in &batch.blobs {
        out.push(*channel);
        out.extend(count(blob.len()));
        out.extend(blob);
    }
    out.extend(count(note.len()));
    out.extend(note.as_bytes());
    let checksum = xxh3_128(out).to_le_bytes();
    out.extend(checksum);
    checksum
}

fn count(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes()
}

/// A frame as it was found: slices of the segment, with where they start in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'s> {
    /// Index of the first entry.
    pub first: u64,
    /// The checksum of the frame before.
    pub before: Checksum,
    /// The entries, each with the offset of its length within the frame.
    pub entries: Vec<(usize, &'s [u8])>,
    /// The blobs: channel, the offset of the first byte within the frame, bytes.
    pub blobs: Vec<(u8, usize, &'s [u8])>,
    /// The signed checkpoint.
    pub note: &'s str,
    /// Its own checksum.
    pub checksum: Checksum,
    /// How many bytes it has.
    pub length: usize,
}

/// The length that the frame at the start of `bytes` says it has, if it says one that a frame can have.
pub fn stated_length(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let length = usize::try_from(u32::from_le_bytes(*rest.first_chunk()?)).ok()?;
    (HEADER + CHECKSUM..=MAX_FRAME).contains(&length).then_some(length)
}

/// Reads the frame at the start of `bytes`. None if there is no whole, intact one.
pub fn read(bytes: &[u8]) -> Option<Frame<'_>> {
    let length = stated_length(bytes)?;
    let (body, checksum) = bytes.get(..length)?.split_last_chunk::<CHECKSUM>()?;
    if xxh3_128(body).to_le_bytes() != *checksum {
        return None;
    }
    let mut rest = Rest { bytes: body, at: 8 };
    let first = u64::from_le_bytes(*rest.take(8)?.first_chunk()?);
    let (n_entries, n_blobs) = (rest.count()?, rest.count()?);
    let before = *rest.take(CHECKSUM)?.first_chunk()?;
    let mut entries = Vec::with_capacity(n_entries.min(body.len() / 2));
    for _ in 0..n_entries {
        let at = rest.at;
        let length = u16::from_be_bytes(*rest.take(2)?.first_chunk()?);
        entries.push((at, rest.take(usize::from(length))?));
    }
    let mut blobs = Vec::with_capacity(n_blobs.min(body.len() / 5));
    for _ in 0..n_blobs {
        let channel = *rest.take(1)?.first()?;
        let length = rest.count()?;
        let at = rest.at;
        blobs.push((channel, at, rest.take(length)?));
    }
    let length_of_note = rest.count()?;
    let note = std::str::from_utf8(rest.take(length_of_note)?).ok()?;
    let whole = rest.at == body.len() && !entries.is_empty();
    whole.then_some(Frame { first, before, entries, blobs, note, checksum: *checksum, length })
}

struct Rest<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Rest<'b> {
    fn take(&mut self, n: usize) -> Option<&'b [u8]> {
        let end = self.at.checked_add(n)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(*self.take(4)?.first_chunk()?)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_batch() -> impl Strategy<Value = Batch> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..40);
        let entries = prop::collection::vec(bytes(), 1..6);
        let blobs = prop::collection::vec((any::<u8>(), bytes()), 0..4);
        (entries, blobs).prop_map(|(entries, blobs)| Batch { entries, blobs })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(batch in any_batch(), first: u64, before: [u8; 16], tail in "[a-z]{0,9}") {
            let mut out = Vec::new();
            let checksum = write(&mut out, first, &batch, before, "note\n");
            out.extend(tail.as_bytes());
            let frame = read(&out).unwrap();
            prop_assert_eq!((frame.first, frame.before, frame.checksum, frame.note), (first, before, checksum, "note\n"));
            prop_assert_eq!(frame.length, out.len() - tail.len());
            prop_assert_eq!(&frame.entries, &batch.placed_entries().collect::<Vec<_>>());
            prop_assert_eq!(&frame.blobs, &batch.placed_blobs().collect::<Vec<_>>());
            prop_assert_eq!(frame.entries.iter().map(|(_, e)| e.to_vec()).collect::<Vec<_>>(), batch.entries);
            for (channel, at, blob) in &frame.blobs {
                prop_assert_eq!(&out[*at..at + blob.len()], *blob, "channel {}", channel);
            }
            prop_assert_eq!(frame.blobs.iter().map(|(c, _, b)| (*c, b.to_vec())).collect::<Vec<_>>(), batch.blobs);
            for (at, entry) in &frame.entries {
                prop_assert_eq!(&out[at + 2..at + 2 + entry.len()], *entry);
            }
        }

        #[test]
        fn a_changed_frame_is_none(batch in any_batch(), at: prop::sample::Index, bit in 0..8u8) {
            let mut out = Vec::new();
            write(&mut out, 7, &batch, [0; 16], "note\n");
            let at = at.index(out.len());
            out[at] ^= 1 << bit;
            prop_assert_eq!(read(&out), None);
        }

        #[test]
        fn no_bytes_break_the_reader(bytes: Vec<u8>) {
            let framed = [MAGIC.as_slice(), &bytes].concat();
            prop_assert_eq!(read(&framed), None);
        }
    }
}
