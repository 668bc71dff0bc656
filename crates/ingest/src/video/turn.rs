//! Marks the picture of a finished MP4 or QuickTime file as turned: ffmpeg 5 marks only streams that it copies.
//!
//! Overwrites the nine numbers of the matrix in the video track's `tkhd` box (ISO/IEC 14496-12, 8.3.2); nothing moves.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use placet_core::{Rotation, Size};

/// No file we write has more boxes on one level.
const MOST_BOXES: usize = 4096;

/// A box's contents in the file.
#[derive(Clone, Copy)]
pub(super) struct Contents {
    pub(super) kind: [u8; 4],
    pub(super) start: u64,
    pub(super) end: u64,
}

/// Writes the matrix that turns a stored picture of `size` by `rotation`.
pub(super) fn turn(path: &Path, rotation: Rotation, size: Size) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let len = file.metadata()?.len();
    let moov = find(&boxes(&mut file, 0, len)?, b"moov").ok_or_else(|| malformed("moov"))?;
    for track in boxes(&mut file, moov.start, moov.end)?.iter().filter(|b| &b.kind == b"trak") {
        let parts = boxes(&mut file, track.start, track.end)?;
        if is_video(&mut file, &parts)? {
            let header = find(&parts, b"tkhd").ok_or_else(|| malformed("tkhd"))?;
            return write_matrix(&mut file, header, matrix(rotation, size));
        }
    }
    Err(malformed("video track"))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the written file has no usable `{what}`"))
}

fn find(boxes: &[Contents], kind: &[u8; 4]) -> Option<Contents> {
    boxes.iter().find(|b| &b.kind == kind).copied()
}

/// The boxes between two places of the file.
pub(super) fn boxes(file: &mut (impl Read + Seek), start: u64, end: u64) -> io::Result<Vec<Contents>> {
    let mut found = Vec::new();
    let mut at = start;
    while at + 8 <= end && found.len() < MOST_BOXES {
        file.seek(SeekFrom::Start(at))?;
        let (size, kind) = (u32_here(file)?, bytes_here::<4>(file)?);
        let (head, size) = match size {
            0 => (8, end - at),
            1 => (16, u64::from_be_bytes(bytes_here(file)?)),
            n => (8, n.into()),
        };
        let next = at
            .checked_add(size)
            .filter(|next| size >= head && *next <= end)
            .ok_or_else(|| malformed("box"))?;
        found.push(Contents { kind, start: at + head, end: next });
        at = next;
    }
    Ok(found)
}

fn is_video(file: &mut File, track: &[Contents]) -> io::Result<bool> {
    let Some(media) = find(track, b"mdia") else { return Ok(false) };
    let Some(handler) = find(&boxes(file, media.start, media.end)?, b"hdlr") else { return Ok(false) };
    // Version, flags and a reserved word come before the kind of media.
    file.seek(SeekFrom::Start(handler.start + 8))?;
    Ok(&bytes_here::<4>(file)? == b"vide")
}

fn write_matrix(file: &mut File, header: Contents, matrix: [i32; 9]) -> io::Result<()> {
    file.seek(SeekFrom::Start(header.start))?;
    // Times take four bytes in version 0 and eight in version 1.
    let at = match bytes_here::<1>(file)? {
        [0] => 40,
        [1] => 52,
        _ => return Err(malformed("tkhd")),
    };
    if header.start + at + 36 > header.end {
        return Err(malformed("tkhd"));
    }
    file.seek(SeekFrom::Start(header.start + at))?;
    let bytes: Vec<u8> = matrix.iter().flat_map(|n| n.to_be_bytes()).collect();
    file.write_all(&bytes)
}

/// Turned about the origin, then moved back into view. Fixed point, 16.16, the last column 2.30.
fn matrix(rotation: Rotation, size: Size) -> [i32; 9] {
    const ONE: i32 = 1 << 16;
    let (w, h) = (size.width as i32 * ONE, size.height as i32 * ONE);
    let (a, b, c, d, x, y) = match rotation {
        Rotation::None => (ONE, 0, 0, ONE, 0, 0),
        Rotation::Cw90 => (0, ONE, -ONE, 0, h, 0),
        Rotation::Half => (-ONE, 0, 0, -ONE, w, h),
        Rotation::Cw270 => (0, -ONE, ONE, 0, 0, w),
    };
    [a, b, 0, c, d, 0, x, y, 1 << 30]
}

fn bytes_here<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn u32_here(file: &mut impl Read) -> io::Result<u32> {
    bytes_here(file).map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_video_track_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.mp4");
        for (bytes, word) in [
            (&b""[..], "moov"),
            (b"\0\0\0\x08free", "moov"),
            (b"\0\0\0\x08moov", "video track"),
            (b"\0\0\0\x07moov", "box"),
            (b"\0\0\x01\0moov", "box"),
            (b"\0\0\0\x01moov\xff\xff\xff\xff\xff\xff\xff\xff", "box"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let error = turn(&path, Rotation::Half, Size { width: 2, height: 2 }).unwrap_err();
            assert!(error.to_string().contains(word), "{bytes:?}: {error}");
        }
    }
}
