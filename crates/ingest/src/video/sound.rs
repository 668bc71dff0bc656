//! What copied sound says in words. Its packets are passed on as they are, and so would be what stands in and between
//! them: the comments of a Vorbis header (Vorbis I, 5), spare bytes behind the headers that Matroska keeps of each codec,
//! the ID3 and APE tags that players of bare MP3 files know.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use super::ebml::{self, CODEC_ID, CODEC_PRIVATE, TRACK_ENTRY, children};
use super::probe::{INPUT_OPTIONS, input_args, url};
use super::{Container, MediaInfo, ProbeError};
use crate::Tools;
use crate::child::{Child, Job, Program};

const PATIENCE: Duration = Duration::from_secs(60);

/// The codec of a sound stream between whose frames tags stand, and their kind (`ID3`, `APE`); none where no stream has
/// any. Streams of codecs that know such tags are read through.
///
/// # Errors
/// Where the file cannot be read through.
pub fn tag_in_sound(tools: &Tools, info: &MediaInfo) -> Result<Option<(String, &'static str)>, ProbeError> {
    for stream in info.audio.iter().filter(|a| matches!(a.codec_name.as_str(), "mp3" | "mp2" | "mp1")) {
        let mut args = input_args(INPUT_OPTIONS);
        args.extend(["-nostdin".into(), "-i".into(), url(&info.path)]);
        args.extend(["-map".into(), format!("0:{}", stream.index).into()]);
        args.extend(["-c", "copy", "-f", "data", "pipe:1"].map(Into::into));
        let job = Job { program: Program::Ffmpeg, args, read: vec![info.path.clone()], ..Job::default() };
        let failed = |source| ProbeError::Child { path: info.path.clone(), source };
        let mut child = Child::spawn(tools, job).map_err(failed)?;
        let output = child.take_output(PATIENCE).map_err(failed)?;
        match tag_in(output) {
            Err(e) => return Err(failed(child.broken(e, PATIENCE))),
            Ok(Some(kind)) => return Ok(Some((stream.codec_name.clone(), kind))),
            // Where it broke off, encoding will say so.
            Ok(None) => drop(child),
        }
    }
    Ok(None)
}

/// The first tag in a stream of bytes.
fn tag_in(mut bytes: impl Read) -> io::Result<Option<&'static str>> {
    let mut held = Vec::new();
    let mut chunk = vec![0; 1 << 18];
    loop {
        let n = bytes.read(&mut chunk)?;
        held.extend_from_slice(chunk.get(..n).unwrap_or_default());
        if let Some(kind) = (0..held.len()).find_map(|at| tag_at(held.get(at..).unwrap_or_default())) {
            return Ok(Some(kind));
        }
        if n == 0 {
            return Ok(None);
        }
        // A tag's head may come in two pieces.
        held.drain(..held.len().saturating_sub(127));
    }
}

/// Heads that compressed sound does not happen to hold: each is told by 48 bits and more.
fn tag_at(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"APETAGEX") {
        return Some("APE");
    }
    let id3v2 = |b: &[u8]| {
        let [b'I', b'D', b'3', 2..=4, 0, flags, size @ .., f0, f1, f2] = b else { return false };
        let frame = [f0, f1, f2];
        flags & 0x0f == 0
            && size.iter().all(|s| s & 0x80 == 0)
            && (frame.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
                || flags & 0x40 != 0
                || frame == [&0; 3])
    };
    // ID3v1: a head of three letters, then fields of text filled up with zeros or spaces.
    let id3v1 = |b: &[u8]| {
        let text = |c: &u8| matches!(c, 0 | 0x20..=0x7e | 0xa0..);
        b.starts_with(b"TAG") && b.get(3..127).is_some_and(|fields| fields.iter().all(text))
    };
    (bytes.get(..13).is_some_and(id3v2) || id3v1(bytes)).then_some("ID3")
}

/// Takes out of a finished file's headers what the decoders of its sound do not need. Lengths stay, so nothing moves.
/// Only Matroska has room for such things.
pub(super) fn strip_headers(path: &Path, container: Container) -> io::Result<()> {
    if !matches!(container, Container::Mkv | Container::WebM) {
        return Ok(());
    }
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let (start, mut bytes) = ebml::tracks(&mut file)?.ok_or_else(malformed)?;
    strip_tracks(&mut bytes).ok_or_else(malformed)?;
    file.seek(SeekFrom::Start(start))?;
    file.write_all(&bytes)
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the written file's list of tracks is not understood")
}

fn strip_tracks(bytes: &mut [u8]) -> Option<()> {
    for (_, start, end) in children(bytes)?.into_iter().filter(|(id, ..)| *id == TRACK_ENTRY) {
        let track = bytes.get_mut(start..end)?;
        let parts = children(track)?;
        let part = |wanted| parts.iter().find(|(id, ..)| *id == wanted).map(|(_, start, end)| *start..*end);
        let (Some(codec), Some(private)) = (part(CODEC_ID), part(CODEC_PRIVATE)) else { continue };
        let codec = String::from_utf8_lossy(track.get(codec)?).into_owned();
        strip_private(codec.trim_end_matches('\0'), track.get_mut(private)?)?;
    }
    Some(())
}

/// Fills with zeros what is behind a codec's header, by Matroska's codec mappings.
fn strip_private(codec: &str, private: &mut [u8]) -> Option<()> {
    let needed = match codec {
        "A_VORBIS" => return strip_vorbis(private),
        "A_OPUS" => match private.get(9).zip(private.get(18))? {
            (_, 0) => 19,
            (channels, _) => 21 + usize::from(*channels),
        },
        "A_ALAC" if private.get(28..32) == Some(b"chan") => 48,
        "A_ALAC" => 24,
        _ if ["A_MPEG/", "A_AC3", "A_EAC3", "A_DTS", "A_TRUEHD", "A_PCM/"]
            .iter()
            .any(|c| codec.starts_with(c)) =>
        {
            0
        }
        _ => return Some(()),
    };
    private.get_mut(needed..).unwrap_or_default().fill(0);
    Some(())
}

/// Three headers behind a count and their lengths (Xiph lacing): the middle one holds the comments. It keeps its length:
/// no comment, and a vendor of spaces.
fn strip_vorbis(private: &mut [u8]) -> Option<()> {
    let mut at = 1;
    let mut lengths = [0usize; 2];
    for length in &mut lengths {
        loop {
            let byte = *private.get(at)?;
            at += 1;
            *length += usize::from(byte);
            if byte < 255 {
                break;
            }
        }
    }
    let [first, second] = lengths;
    let start = at.checked_add(first)?;
    let comments = private.get_mut(start..start.checked_add(second)?)?;
    if !comments.starts_with(b"\x03vorbis") {
        return None;
    }
    // Packet type and name, length of the vendor, number of comments, a bit that ends it all.
    let vendor = second.checked_sub(7 + 4 + 4 + 1)?;
    let (length, body) = comments.get_mut(7..)?.split_at_mut_checked(4)?;
    let (words, rest) = body.split_at_mut_checked(vendor)?;
    length.copy_from_slice(&u32::try_from(vendor).ok()?.to_le_bytes());
    words.fill(b' ');
    rest.copy_from_slice(&[0, 0, 0, 0, 1]);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &[u8] = b"Somebody's name";

    fn part(id: &[u8], content: &[u8]) -> Vec<u8> {
        [id, &[0x40 | (content.len() >> 8) as u8, content.len() as u8], content].concat()
    }

    fn track(codec: &str, private: &[u8]) -> Vec<u8> {
        let content = [part(&[0x86], codec.as_bytes()), part(&[0x63, 0xA2], private)].concat();
        part(&[0xAE], &content)
    }

    fn file(tracks: &[Vec<u8>]) -> Vec<u8> {
        let tracks = part(&[0x16, 0x54, 0xAE, 0x6B], &tracks.concat());
        let segment = [part(&[0xEC], b"void"), tracks].concat();
        [part(&[0x1A, 0x45, 0xDF, 0xA3], b""), part(&[0x18, 0x53, 0x80, 0x67], &segment)].concat()
    }

    fn vorbis() -> Vec<u8> {
        let id = [b"\x01vorbis".as_slice(), &[0; 23]].concat();
        let text = |t: &[u8]| [&(t.len() as u32).to_le_bytes(), t].concat();
        let long = [NAME, &[b'x'; 300]].concat();
        let comments =
            [b"\x03vorbis".as_slice(), &text(NAME), &2u32.to_le_bytes(), &text(NAME), &text(&long), b"\x01"]
                .concat();
        let mut lacing = vec![2, 30];
        lacing.extend(vec![255; comments.len() / 255]);
        lacing.push((comments.len() % 255) as u8);
        [lacing, id, comments, b"\x05vorbis-setup".to_vec()].concat()
    }

    fn stripped(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.mkv");
        std::fs::write(&path, bytes).unwrap();
        strip_headers(&path, Container::Mkv)?;
        Ok(std::fs::read(&path).unwrap())
    }

    fn holds(bytes: &[u8], what: &[u8]) -> bool {
        what.is_empty() || bytes.windows(what.len()).any(|w| w == what)
    }

    #[test]
    fn headers_keep_their_length_and_say_no_name() {
        let opus =
            |family: u8, len: usize| [&b"OpusHead\x01\x02"[..], &[0; 8], &[family], &vec![7; len]].concat();
        let rows: [(&str, Vec<u8>, usize); 8] = [
            ("A_OPUS", opus(0, 0), 19),
            ("A_OPUS", opus(1, 4), 23),
            ("A_ALAC", vec![1; 24], 24),
            ("A_ALAC", [&[1; 28][..], b"chan", &[2; 16]].concat(), 48),
            ("A_MPEG/L3", vec![], 0),
            ("A_AC3", vec![], 0),
            ("A_PCM/INT/LIT", vec![], 0),
            ("A_UNKNOWN", NAME.to_vec(), usize::MAX),
        ];
        for (codec, header, needed) in rows {
            let private = [&header, NAME].concat();
            let bytes = file(&[track(codec, &private)]);
            let out = stripped(&bytes).unwrap();
            assert_eq!(out.len(), bytes.len(), "{codec}");
            assert!(holds(&out, &header), "{codec}");
            assert_eq!(holds(&out, NAME), needed == usize::MAX, "{codec}");
        }
        let bytes = file(&[track("V_VP9", b"picture"), track("A_VORBIS", &vorbis())]);
        let out = stripped(&bytes).unwrap();
        assert!(holds(&bytes, NAME) && !holds(&out, NAME) && !holds(&out, b"xxxx"));
        assert!(holds(&out, b"vorbis-setup") && holds(&out, b"picture") && out.len() == bytes.len());
        assert!(holds(&out, b"    \0\0\0\0\x01\x05vorbis"));
        assert_eq!(stripped(&out).unwrap(), out, "nothing is left to take out");
    }

    #[test]
    fn what_is_no_matroska_is_an_error_and_never_a_panic() {
        let bytes = file(&[track("A_VORBIS", &vorbis())]);
        for cut in 0..bytes.len() {
            assert!(stripped(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let mut tried = 0;
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                let _ = stripped(&flipped);
                tried += 1;
            }
        }
        assert!(tried > 2_000);
    }

    #[test]
    fn tags_between_frames_are_found_wherever_they_are_cut() {
        let frame = [&[0xff, 0xfb, 0x90, 0x44][..], &[0x55; 410]].concat();
        let v2 = [&b"ID3\x03\0\0\0\0\x02\x01TPE1"[..], NAME].concat();
        let v1 = [&b"TAG"[..], NAME, &[0; 109], &[12]].concat();
        for (tag, kind) in [(&v2[..], "ID3"), (&v1[..], "ID3"), (b"APETAGEX", "APE")] {
            let bytes = [&frame, tag, &frame].concat();
            for piece in [1, 7, 1 << 18] {
                struct Pieces<'a>(&'a [u8], usize);
                impl Read for Pieces<'_> {
                    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                        let n = self.1.min(to.len());
                        (&mut self.0).take(n as u64).read(to)
                    }
                }
                assert_eq!(tag_in(Pieces(&bytes, piece)).unwrap(), Some(kind));
            }
        }
        for none in [&frame.repeat(40)[..], b"ID3", b"TAG\x01\x02", b""] {
            assert_eq!(tag_in(none).unwrap(), None);
        }
    }
}
