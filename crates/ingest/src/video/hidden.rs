//! What of the coded picture the file tells players not to show: ffmpeg of this generation shows it all the same.
//!
//! Matroska crops (RFC 9559, 5.1.4.1.28.8 to 11), QuickTime and MPEG-4 have a clean aperture (ISO/IEC 14496-12, 12.1.4).

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use super::ebml::{self, TRACK_ENTRY, child, children, unsigned};
use super::turn::{Contents, boxes};

const TRACK_TYPE: u64 = 0x83;
const VIDEO_TRACK: u64 = 1;
const VIDEO: u64 = 0xE0;
const CROPPINGS: [u64; 4] = [0x54CC, 0x54AA, 0x54DD, 0x54BB];
/// Bytes of a video sample entry before its boxes.
const SAMPLE_ENTRY: u64 = 78;

/// Whether a part of the stored picture is not to be shown, as far as the file says so in a way that is read here.
pub fn hides_edges(path: &Path) -> bool {
    File::open(path).is_ok_and(|mut file| edges(&mut file))
}

/// The same of any bytes, which are foreign.
pub fn edges(file: &mut (impl Read + Seek)) -> bool {
    let mut head = [0; 8];
    if file.rewind().and_then(|()| file.read_exact(&mut head)).is_err() {
        return false;
    }
    if head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) { cropped(file) } else { clean(file).unwrap_or(false) }
}

fn cropped(file: &mut (impl Read + Seek)) -> bool {
    let Ok(Some((_, tracks))) = ebml::tracks(file) else { return false };
    let entries = children(&tracks).unwrap_or_default();
    let videos = entries.into_iter().filter(|(id, ..)| *id == TRACK_ENTRY).filter_map(|(_, start, end)| {
        let track = tracks.get(start..end)?;
        (unsigned(track, TRACK_TYPE) == Some(VIDEO_TRACK)).then_some(())?;
        child(track, VIDEO)
    });
    // Of several the first is redacted, and the others are left out.
    videos.take(1).any(|video| CROPPINGS.iter().any(|side| unsigned(video, *side).is_some_and(|n| n > 0)))
}

/// The clean aperture of the first picture track that has one smaller than its picture.
fn clean(file: &mut (impl Read + Seek)) -> std::io::Result<bool> {
    let len = file.seek(std::io::SeekFrom::End(0))?;
    let mut level = boxes(file, 0, len)?;
    for kind in [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"] {
        level.retain(|b| &b.kind == kind);
        let parents = std::mem::take(&mut level);
        for Contents { start, end, .. } in parents {
            // Version, flags and a count come before a list of sample entries.
            let start = if kind == b"stsd" { start + 8 } else { start };
            level.extend(boxes(file, start, end)?);
        }
    }
    for entry in level {
        let parts = boxes(file, entry.start.saturating_add(SAMPLE_ENTRY), entry.end).unwrap_or_default();
        let Some(aperture) = parts.iter().find(|b| &b.kind == b"clap") else { continue };
        let mut sizes = [0; 4];
        file.seek(std::io::SeekFrom::Start(entry.start + 24))?;
        file.read_exact(&mut sizes)?;
        let mut clap = [0; 16];
        file.seek(std::io::SeekFrom::Start(aperture.start))?;
        file.read_exact(&mut clap)?;
        let (sizes, _) = sizes.as_chunks::<2>();
        let (clap, _) = clap.as_chunks::<4>();
        if let ([w, h], [wn, wd, hn, hd]) = (sizes, clap) {
            let less = |whole: &[u8; 2], n: &[u8; 4], d: &[u8; 4]| {
                let [whole, n, d] =
                    [u16::from_be_bytes(*whole).into(), u32::from_be_bytes(*n), u32::from_be_bytes(*d)];
                u64::from(n) < u64::from(whole) * u64::from(d)
            };
            return Ok(less(w, wn, wd) || less(h, hn, hd));
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn part(id: &[u8], content: &[u8]) -> Vec<u8> {
        [id, &[0x40 | (content.len() >> 8) as u8, content.len() as u8], content].concat()
    }

    fn matroska(video: &[u8]) -> Vec<u8> {
        let sound = part(&[0xAE], &part(&[0x83], &[2]));
        let track = part(&[0xAE], &[part(&[0x83], &[1]), part(&[0xE0], video)].concat());
        let other = part(&[0xAE], &[part(&[0x83], &[1]), part(&[0xE0], &part(&[0x54, 0xCC], &[9]))].concat());
        let tracks = part(&[0x16, 0x54, 0xAE, 0x6B], &[sound, track, other].concat());
        [part(&[0x1A, 0x45, 0xDF, 0xA3], b""), part(&[0x18, 0x53, 0x80, 0x67], &tracks)].concat()
    }

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
    }

    /// A picture of 320 by 240, its clean aperture in fractions.
    fn mp4(clap: Option<[u32; 4]>) -> Vec<u8> {
        let mut entry = vec![0; SAMPLE_ENTRY as usize];
        entry[24..28].copy_from_slice(&[1, 64, 0, 240]);
        entry.extend(boxed(b"avcC", b"settings"));
        if let Some(clap) = clap {
            let numbers: Vec<u8> = clap.iter().flat_map(|n| n.to_be_bytes()).chain([0; 16]).collect();
            entry.extend(boxed(b"clap", &numbers));
        }
        let list = [&[0, 0, 0, 0, 0, 0, 0, 1][..], &boxed(b"avc1", &entry)].concat();
        let media = [b"stsd", b"stbl", b"minf", b"mdia", b"trak"]
            .iter()
            .fold(list, |inner, kind| boxed(kind, &inner));
        [boxed(b"ftyp", b"isom"), boxed(b"moov", &media)].concat()
    }

    #[test]
    fn what_players_hide_is_noticed() {
        let size = part(&[0xB0], &[64]);
        let crop = |id: u8, n: &[u8]| matroska(&[size.clone(), part(&[0x54, id], n)].concat());
        for (name, bytes, hides) in [
            ("no crop", matroska(&size), false),
            ("crop of none", crop(0xAA, &[0]), false),
            ("bottom", crop(0xAA, &[8]), true),
            ("top", crop(0xBB, &[1, 0]), true),
            ("left", crop(0xCC, &[0, 2]), true),
            ("right", crop(0xDD, &[2]), true),
            ("no aperture", mp4(None), false),
            ("all of it", mp4(Some([320, 1, 240, 1])), false),
            ("columns", mp4(Some([300, 1, 240, 1])), true),
            ("rows, by a fraction", mp4(Some([320, 1, 479, 2])), true),
            ("no video", b"no video at all".to_vec(), false),
        ] {
            assert_eq!(edges(&mut Cursor::new(&bytes)), hides, "{name}");
            for cut in 0..bytes.len() {
                let _ = edges(&mut Cursor::new(&bytes[..cut]));
            }
        }
    }
}
