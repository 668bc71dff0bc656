//! How a picture file says that it is to be turned, and whether it says so in one way only.
//!
//! Viewers differ: of two Exif blocks some follow the first and some the last, some take an orientation of any type and
//! some only the one of the standard (CIPA DC-008, 4.6.5), a few follow XMP. A face that lies in the picture we look at
//! stands upright in somebody's viewer, so where there is any doubt the picture is looked at from all sides.

use image::metadata::Orientation;

use super::exif::{self, Turn};
use super::{PictureFormat, jpeg};

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turned {
    /// As the first Exif block says in the standard's way.
    pub(super) orientation: Orientation,
    /// Other viewers may turn it otherwise.
    pub(super) in_doubt: bool,
}

/// Reads all that the file says.
pub(super) fn turned(bytes: &[u8], format: PictureFormat) -> Turned {
    let blocks: Vec<&[u8]> = match format {
        PictureFormat::Jpeg => jpeg::exif_blocks(bytes),
        PictureFormat::Png => chunks(bytes.get(8..), u32::from_be_bytes, *b"eXIf", true),
        PictureFormat::WebP => chunks(bytes.get(12..), u32::from_le_bytes, *b"EXIF", false),
        PictureFormat::Tiff => vec![bytes],
        PictureFormat::Bmp | PictureFormat::Gif => Vec::new(),
    };
    let said: Vec<Turn> = blocks.into_iter().map(exif::turn).collect();
    let first = said.first().map_or(1, |t| t.value);
    let in_doubt = said.iter().any(|t| t.odd || t.value != first)
        || in_xmp(bytes).iter().any(|v| *v != first)
        // Exif in a text of a PNG, as ImageMagick writes it, packed.
        || (format == PictureFormat::Png && finds(bytes, b"Raw profile type ").next().is_some());
    Turned { orientation: Orientation::from_exif(first).unwrap_or(Orientation::NoTransforms), in_doubt }
}

/// Contents of all chunks of a kind. PNG has the length before the kind and a checksum behind, RIFF the kind first and
/// fills up to even lengths.
fn chunks(mut rest: Option<&[u8]>, number: fn([u8; 4]) -> u32, wanted: [u8; 4], png: bool) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let Some((head, after)) = rest.and_then(|r| r.split_first_chunk::<8>()) {
        let [a, b, c, d, e, f, g, h] = *head;
        let (kind, len) = if png { ([e, f, g, h], [a, b, c, d]) } else { ([a, b, c, d], [e, f, g, h]) };
        let len = number(len) as usize;
        if kind == wanted {
            // One that is cut short is still read as far as it goes.
            found.push(after.get(..len).unwrap_or(after));
        }
        let next = if png { len.saturating_add(4) } else { len.saturating_add(len % 2) };
        rest = after.get(next..);
    }
    found
}

/// What XMP says, wherever in the file it stands unpacked: `tiff:Orientation="6"` or `<tiff:Orientation>6<`.
fn in_xmp(bytes: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"tiff:Orientation";
    finds(bytes, NAME)
        .filter(|at| bytes.get(at.wrapping_sub(2)..*at) != Some(b"</"))
        .map(|at| {
            let after = bytes.get(at + NAME.len()..).unwrap_or_default();
            let digit = after.iter().take(8).find(|b| b.is_ascii_alphanumeric());
            digit.filter(|d| d.is_ascii_digit()).map_or(0, |d| d - b'0')
        })
        .collect()
}

/// Where `what` stands.
fn finds<'a>(bytes: &'a [u8], what: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(what.len()).enumerate().filter(move |(_, w)| *w == what).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Exif block with orientations, each with its type.
    pub(crate) fn block(said: &[(u16, u32)]) -> Vec<u8> {
        let mut out = b"II*\0\x08\0\0\0".to_vec();
        out.extend((said.len() as u16).to_le_bytes());
        for (kind, value) in said {
            out.extend(0x0112u16.to_le_bytes());
            out.extend(kind.to_le_bytes());
            out.extend(1u32.to_le_bytes());
            out.extend(value.to_le_bytes());
        }
        out.extend([0; 4]);
        out
    }

    fn jpeg(blocks: &[Vec<u8>], xmp: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut e = jpeg_encoder::Encoder::new(&mut out, 90);
        for b in blocks {
            e.add_app_segment(1, [b"Exif\0\0", &b[..]].concat()).unwrap();
        }
        if !xmp.is_empty() {
            e.add_app_segment(1, [b"http://ns.adobe.com/xap/1.0/\0", xmp.as_bytes()].concat()).unwrap();
        }
        e.encode(&[90; 16 * 16 * 3], 16, 16, jpeg_encoder::ColorType::Rgb).unwrap();
        out
    }

    #[test]
    fn one_way_is_followed_and_several_are_doubted() {
        const SHORT: u16 = 3;
        let short = |v| block(&[(SHORT, v)]);
        let rows: [(&str, Vec<u8>, u8, bool); 13] = [
            ("nothing said", jpeg(&[], ""), 1, false),
            ("once", jpeg(&[short(6)], ""), 6, false),
            ("twice the same", jpeg(&[short(6), short(6)], ""), 6, false),
            ("zero is how some cameras say nothing", jpeg(&[short(0)], ""), 1, false),
            ("twice, not the same", jpeg(&[short(6), short(1)], ""), 6, true),
            ("only the second block says something", jpeg(&[block(&[]), short(8)], ""), 1, true),
            ("as a byte", jpeg(&[block(&[(1, 6)])], ""), 1, true),
            ("as a long", jpeg(&[block(&[(4, 8)])], ""), 1, true),
            ("twice in one block", jpeg(&[block(&[(SHORT, 3), (SHORT, 6)])], ""), 3, true),
            ("no such orientation", jpeg(&[short(9)], ""), 1, true),
            ("XMP agrees", jpeg(&[short(6)], "<a tiff:Orientation='6'/>"), 6, false),
            ("XMP alone", jpeg(&[], "<tiff:Orientation>8</tiff:Orientation>"), 1, true),
            ("a block cut short", jpeg(&[short(6)[..9].to_vec()], ""), 1, true),
        ];
        for (name, bytes, orientation, in_doubt) in rows {
            let got = turned(&bytes, PictureFormat::Jpeg);
            assert_eq!((got.orientation.to_exif(), got.in_doubt), (orientation, in_doubt), "{name}");
        }
    }

    #[test]
    fn every_chunk_of_png_and_webp_is_read() {
        let png = |chunks: &[(&[u8; 4], Vec<u8>)]| {
            let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
            for (kind, data) in chunks {
                out.extend([&(data.len() as u32).to_be_bytes()[..], *kind, data, b"crc."].concat());
            }
            out
        };
        let webp = |chunks: &[(&[u8; 4], Vec<u8>)]| {
            let mut out = b"RIFF\0\0\0\0WEBP".to_vec();
            for (kind, data) in chunks {
                out.extend([&kind[..], &(data.len() as u32).to_le_bytes(), data].concat());
                out.resize(out.len().next_multiple_of(2), 0);
            }
            out
        };
        let said = |values: &[u32]| -> Vec<Vec<u8>> { values.iter().map(|v| block(&[(3, *v)])).collect() };
        for (values, orientation, in_doubt) in [(&[8][..], 8, false), (&[8, 8], 8, false), (&[8, 3], 8, true)]
        {
            let blocks = said(values);
            let with = |kind| {
                let mut all = vec![(b"none", vec![0; 7])];
                all.extend(blocks.iter().map(|b| (kind, b.clone())));
                all
            };
            for (format, bytes) in
                [(PictureFormat::Png, png(&with(b"eXIf"))), (PictureFormat::WebP, webp(&with(b"EXIF")))]
            {
                let got = turned(&bytes, format);
                assert_eq!((got.orientation.to_exif(), got.in_doubt), (orientation, in_doubt), "{format:?}");
            }
        }
        let text = png(&[(b"zTXt", b"Raw profile type exif\0".to_vec())]);
        assert!(turned(&text, PictureFormat::Png).in_doubt);
        assert!(!turned(b"", PictureFormat::Png).in_doubt);
        assert!(turned(&block(&[(3, 6), (3, 1)]), PictureFormat::Tiff).in_doubt);
    }
}
