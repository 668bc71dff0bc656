//! Still pictures: JPEG, PNG, WebP, BMP, TIFF and GIF in, the same format out.
//!
//! Decoded in this process by memory-safe decoders, after the header has shown that the picture is of a sane size. The
//! result carries pixels and what tells color of the profile; of the metadata only what `-m` asks for and [`exif::scrub`] lets
//! through. Pictures of several frames or pages are refused: what is not looked at must not pass.

pub mod exif;
mod gif;
mod icc;
mod jpeg;
mod planar;
mod tiff;
mod turned;
mod write;

use std::fs::File;
use std::io::{self, Cursor, Read as _};
use std::path::Path;

use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use placet_core::Frame;

pub use write::{write_obscured_picture, write_picture};

/// The file formats that are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PictureFormat {
    /// ISO/IEC 10918-1.
    Jpeg,
    /// ISO/IEC 15948.
    Png,
    /// RFC 9649.
    WebP,
    /// Windows bitmap.
    Bmp,
    /// TIFF 6.0, one page.
    Tiff,
    /// GIF89a, one frame.
    Gif,
}

impl PictureFormat {
    /// Short name, as in file endings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
            Self::Gif => "gif",
        }
    }

    fn of(format: ImageFormat) -> Option<Self> {
        match format {
            ImageFormat::Jpeg => Some(Self::Jpeg),
            ImageFormat::Png => Some(Self::Png),
            ImageFormat::WebP => Some(Self::WebP),
            ImageFormat::Bmp => Some(Self::Bmp),
            ImageFormat::Tiff => Some(Self::Tiff),
            ImageFormat::Gif => Some(Self::Gif),
            _ => None,
        }
    }
}

/// How large a picture may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Columns and rows, each.
    pub side: u32,
    /// Pixels.
    pub pixels: u64,
}

impl Default for Limits {
    /// 32,768 a side and 200 million pixels; of a GIF 32 million, whatever is allowed.
    fn default() -> Self {
        Self { side: 32_768, pixels: 200_000_000 }
    }
}

/// Most pixels of a GIF: a few bytes can unpack to any number of them, and no camera makes one.
const GIF_PIXELS: u64 = 32_000_000;

impl Limits {
    fn of(self, format: PictureFormat) -> Self {
        match format {
            PictureFormat::Gif => Self { pixels: self.pixels.min(GIF_PIXELS), ..self },
            _ => self,
        }
    }

    fn check(self, width: u32, height: u32) -> Result<(), PictureError> {
        let pixels = u64::from(width) * u64::from(height);
        if width > self.side || height > self.side || pixels > self.pixels {
            return Err(PictureError::TooLarge { width, height, limits: self });
        }
        Ok(())
    }
}

/// A decoded picture, upright.
#[derive(Debug)]
pub struct Picture {
    /// The pixels: `Gray`, `Rgb` or `Rgba`.
    pub frame: Frame,
    /// What is needed to write it again.
    pub meta: PictureMeta,
    /// The file says in several ways how it is to be turned; the frame is turned as most viewers do.
    pub turn_in_doubt: bool,
}

/// What is kept of a picture file besides its pixels.
#[derive(Clone, Debug)]
pub struct PictureMeta {
    /// The file format.
    pub format: PictureFormat,
    /// What tells color of the ICC profile, where it fits the pixels; nothing else of it is ever written.
    pub icc: Option<Vec<u8>>,
    /// The Exif block as it was read; written only through [`exif::scrub`].
    pub exif: Option<Vec<u8>>,
    /// The file was compressed with loss, at about this quality (1 to 100).
    pub lossy: Option<u8>,
}

/// Why a picture was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// No known format.
    #[error("not a JPEG, PNG, WebP, BMP, TIFF or GIF picture")]
    Unknown,
    /// Its content is not of its kind.
    #[error("the {format} picture is damaged or cut short; nothing was written")]
    Damaged {
        /// Which format it claims.
        format: &'static str,
        /// The decoder's words.
        source: image::ImageError,
    },
    /// Part of its pixels is missing.
    #[error(
        "the {0} picture is cut short, as when a copy was interrupted; nothing was written. Copy it again, or save it anew with a program that shows it"
    )]
    Cut(&'static str),
    /// It unpacks to more than a picture of its size can need.
    #[error(
        "the {0} picture unpacks to more than its size can need, as if to fill the memory; nothing was written"
    )]
    Bomb(&'static str),
    /// More than one frame or page.
    #[error(
        "the {0} file holds several pictures; turn it into a video (ffmpeg -i FILE out.mp4) or split it first"
    )]
    Several(&'static str),
    /// Too large.
    #[error("the picture claims {width} x {height} pixels; at most {} x {} and {} million in all are read", limits.side, limits.side, limits.pixels / 1_000_000)]
    TooLarge {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// What is allowed.
        limits: Limits,
    },
    /// A property that cannot be kept.
    #[error("the {format} picture cannot be written again: {why}")]
    Write {
        /// Which format.
        format: &'static str,
        /// Why.
        why: String,
    },
}

/// Whether the file begins like one of the formats.
///
/// # Errors
/// Where it cannot be read.
pub fn is_picture(path: &Path) -> io::Result<bool> {
    Ok(format_of_file(path)?.is_some())
}

/// The format of a picture, by its first bytes; none for anything else.
pub(crate) fn format_of_file(path: &Path) -> io::Result<Option<PictureFormat>> {
    let mut head = Vec::new();
    File::open(path)?.take(64).read_to_end(&mut head)?;
    Ok(format_of(&head))
}

fn format_of(head: &[u8]) -> Option<PictureFormat> {
    image::guess_format(head).ok().and_then(PictureFormat::of)
}

/// Decodes a picture: orientation applied, 8 bits a sample.
///
/// # Errors
/// [`PictureError`].
pub fn read_picture(bytes: &[u8], limits: &Limits) -> Result<Picture, PictureError> {
    let format = format_of(bytes).ok_or(PictureError::Unknown)?;
    let damaged = |source| PictureError::of(format, source);
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| PictureError::Unknown)?;
    // What lies before the pixels, such as a color profile, is unpacked as soon as the decoder is made.
    let mut small = image::Limits::no_limits();
    small.max_alloc = Some(WORKING_ROOM);
    reader.limits(small.clone());
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let limits = limits.of(format);
    limits.check(width, height)?;
    // Eight bytes a pixel is 16-bit color with alpha, the most any of the formats holds.
    let mut large = small.clone();
    large.max_alloc = Some(pixels * 8 + WORKING_ROOM);
    decoder.set_limits(large.clone()).map_err(damaged)?;
    one_frame(bytes, format, large, &limits)?;
    let turned = turned::turned(bytes, format);
    let icc = match format {
        PictureFormat::Tiff => tiff::profile(bytes).map(<[u8]>::to_vec),
        _ => decoder.icc_profile().map_err(damaged)?,
    };
    let exif = decoder.exif_metadata().map_err(damaged)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    if !is_whole(bytes, format, &image) {
        return Err(PictureError::Cut(format.name()));
    }
    image.apply_orientation(turned.orientation);
    let frame = planar::frame_of(image);
    let icc = icc.and_then(|p| icc::rebuilt(&p, frame.layout()));
    let lossy = match format {
        PictureFormat::Jpeg => Some(jpeg::quality(bytes).unwrap_or(90)),
        PictureFormat::WebP if is_lossy_webp(bytes) => Some(90),
        _ => None,
    };
    let meta = PictureMeta { format, icc, exif, lossy };
    Ok(Picture { frame, meta, turn_in_doubt: turned.in_doubt })
}

impl PictureError {
    fn of(format: PictureFormat, source: image::ImageError) -> Self {
        match source {
            image::ImageError::Limits(_) => Self::Bomb(format.name()),
            source => Self::Damaged { format: format.name(), source },
        }
    }
}

/// Bytes a decoder may take besides those of the pixels.
const WORKING_ROOM: u64 = 64 << 20;

fn one_frame(
    bytes: &[u8],
    format: PictureFormat,
    room: image::Limits,
    limits: &Limits,
) -> Result<(), PictureError> {
    let damaged = |source| PictureError::of(format, source);
    let several = match format {
        PictureFormat::Gif => {
            // A frame may claim to be larger than the picture.
            let gif::Pictures { count, largest: (width, height), .. } = gif::pictures(bytes);
            limits.check(width, height)?;
            count > 1
        }
        PictureFormat::Png => {
            PngDecoder::with_limits(Cursor::new(bytes), room).map_err(damaged)?.is_apng().map_err(damaged)?
        }
        PictureFormat::WebP => WebPDecoder::new(Cursor::new(bytes)).map_err(damaged)?.has_animation(),
        PictureFormat::Tiff => tiff::has_more_pages(bytes),
        PictureFormat::Jpeg | PictureFormat::Bmp => false,
    };
    if several { Err(PictureError::Several(format.name())) } else { Ok(()) }
}

/// Whether all pixels are there: decoders fill up what is missing. A missing end mark alone is no matter.
fn is_whole(bytes: &[u8], format: PictureFormat, image: &DynamicImage) -> bool {
    match format {
        PictureFormat::Jpeg => match jpeg::end(bytes) {
            jpeg::End::Marked => true,
            jpeg::End::InScan => ends_with_its_scan(bytes, image),
            jpeg::End::Elsewhere => false,
        },
        PictureFormat::WebP => {
            let said = bytes.get(4..8).and_then(|b| b.first_chunk()).map(|b| u32::from_le_bytes(*b) as usize);
            said.is_some_and(|said| said <= bytes.len().saturating_sub(8) + said % 2)
        }
        PictureFormat::Gif => !gif::pictures(bytes).cut,
        // Their decoders want every byte.
        PictureFormat::Png | PictureFormat::Bmp | PictureFormat::Tiff => true,
    }
}

/// Whether a JPEG without an end mark has all its pixels: then more compressed data changes none of them.
fn ends_with_its_scan(bytes: &[u8], image: &DynamicImage) -> bool {
    let bytes = bytes.strip_suffix(b"\xff").unwrap_or(bytes);
    [0x00, 0x5a, 0xa5, 0x33, 0xfe].iter().all(|more| {
        let longer = [bytes, &[*more; 128], b"\xff\xd9"].concat();
        image::load_from_memory_with_format(&longer, ImageFormat::Jpeg).is_ok_and(|other| other == *image)
    })
}

/// A WebP whose picture is in a `VP8 ` chunk (RFC 9649, 2.5).
fn is_lossy_webp(bytes: &[u8]) -> bool {
    bytes.windows(4).take(1 << 16).any(|w| w == b"VP8 ")
}

#[cfg(test)]
mod tests {
    use placet_core::{Layout, Rect};
    use placet_redaction::{Coding, Fill, Region, Scratch, Shape, redact};

    use super::*;

    /// A picture with a red upper left quarter, encoded.
    fn picture(format: ImageFormat) -> Vec<u8> {
        let image = image::RgbImage::from_fn(64, 32, |x, y| {
            if x < 32 && y < 16 { [250, 10, 10] } else { [20, 60, 90] }.into()
        });
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    fn hide(picture: Picture) -> (placet_redaction::RedactedFrame, PictureMeta) {
        let region = Region { rect: Rect { x: 40.0, y: 16.0, w: 16.0, h: 16.0 }, shape: Shape::Box };
        (redact(picture.frame, &[region], &Fill::BLACK, Coding::default(), &mut Scratch::new()), picture.meta)
    }

    fn written(bytes: &[u8], keep: bool) -> Vec<u8> {
        let (frame, meta) = hide(read_picture(bytes, &Limits::default()).unwrap());
        let mut out = Vec::new();
        write_picture(&mut out, &frame, &meta, keep).unwrap();
        out
    }

    #[test]
    fn every_format_comes_back_as_itself_with_the_region_hidden() {
        use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
        for format in [Jpeg, Png, WebP, Bmp, Tiff, Gif] {
            let out = written(&picture(format), false);
            assert_eq!(image::guess_format(&out).unwrap(), format);
            let rgb = image::load_from_memory(&out).unwrap().to_rgb8();
            let near =
                |p: &image::Rgb<u8>, want: [u8; 3]| p.0.iter().zip(want).all(|(a, b)| a.abs_diff(b) < 24);
            assert!(near(rgb.get_pixel(8, 8), [250, 10, 10]), "{format:?} {:?}", rgb.get_pixel(8, 8));
            assert!(near(rgb.get_pixel(48, 24), [0, 0, 0]), "{format:?} {:?}", rgb.get_pixel(48, 24));
        }
    }

    #[test]
    fn lossy_webp_stays_lossy() {
        let rgb = [120u8; 64 * 64 * 3];
        let bytes = webp::Encoder::from_rgb(&rgb, 64, 64).encode(80.0);
        let out = written(&bytes, false);
        assert!(is_lossy_webp(&out) && !is_lossy_webp(&picture(ImageFormat::WebP)));
    }

    fn jpeg_with_exif(orientation: u8) -> Vec<u8> {
        let image = image::load_from_memory(&picture(ImageFormat::Png)).unwrap().to_rgb8();
        let mut out = Vec::new();
        let mut e = jpeg_encoder::Encoder::new(&mut out, 92);
        let mut block = b"Exif\0\0II*\0\x08\0\0\0\x02\0".to_vec();
        block.extend([0x10, 1, 2, 0, 4, 0, 0, 0, b'C', b'a', b'm', 0]);
        block.extend([0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
        block.extend([0; 4]);
        e.add_app_segment(1, block).unwrap();
        e.add_icc_profile(&icc::tests::marked(2)).unwrap();
        e.encode(image.as_raw(), 64, 32, jpeg_encoder::ColorType::Rgb).unwrap();
        out
    }

    #[test]
    fn all_eight_orientations_come_out_upright() {
        // Where the red corner is seen (CIPA DC-008, 4.6.5): upper left, upper right, lower right, lower left.
        let corners = [
            (1, (0, 0)),
            (2, (1, 0)),
            (3, (1, 1)),
            (4, (0, 1)),
            (5, (0, 0)),
            (6, (1, 0)),
            (7, (1, 1)),
            (8, (0, 1)),
        ];
        for (orientation, (right, low)) in corners {
            let p = read_picture(&jpeg_with_exif(orientation), &Limits::default()).unwrap();
            let s = p.frame.size();
            assert_eq!((s.width, s.height), if orientation < 5 { (64, 32) } else { (32, 64) });
            let red = p.frame.planes().next().unwrap();
            let at = |x: u32, y: u32| red.data[(y * s.width + x) as usize];
            let (x, y) = (if right == 1 { s.width - 5 } else { 4 }, if low == 1 { s.height - 5 } else { 4 });
            assert!(at(x, y) > 200, "orientation {orientation}");
            assert!(at(s.width - 1 - x, s.height - 1 - y) < 80, "orientation {orientation}");
        }
    }

    #[test]
    fn metadata_goes_unless_asked_for_and_the_profile_stays() {
        let bytes = jpeg_with_exif(6);
        let holds = |b: &[u8], what: &[u8]| b.windows(what.len()).any(|w| w == what);
        let stripped = written(&bytes, false);
        assert!(!holds(&stripped, b"Cam\0") && holds(&stripped, b"ICC_PROFILE"));
        let kept = written(&bytes, true);
        assert!(holds(&kept, b"Cam\0"));
        assert_eq!(
            read_picture(&kept, &Limits::default()).unwrap().frame.size().height,
            64,
            "not turned twice"
        );
    }

    #[test]
    fn a_profile_is_written_without_what_it_hides() {
        use ImageFormat::{Jpeg, Png, Tiff, WebP};
        let frame = image::load_from_memory(&picture(Png)).unwrap().into_rgb8();
        for format in [Jpeg, Png, Tiff, WebP] {
            let mut bytes = Cursor::new(Vec::new());
            let profile = icc::tests::marked(4);
            let (w, h, color) = (64, 32, image::ExtendedColorType::Rgb8);
            macro_rules! with_profile {
                ($encoder:expr) => {{
                    let mut encoder = $encoder;
                    image::ImageEncoder::set_icc_profile(&mut encoder, profile).unwrap();
                    image::ImageEncoder::write_image(encoder, frame.as_raw(), w, h, color).unwrap();
                }};
            }
            match format {
                Jpeg => with_profile!(image::codecs::jpeg::JpegEncoder::new(&mut bytes)),
                Png => with_profile!(image::codecs::png::PngEncoder::new(&mut bytes)),
                Tiff => with_profile!(image::codecs::tiff::TiffEncoder::new(&mut bytes)),
                _ => with_profile!(image::codecs::webp::WebPEncoder::new_lossless(&mut bytes)),
            }
            let input = read_picture(bytes.get_ref(), &Limits::default()).unwrap();
            let wanted = icc::rebuilt(&icc::tests::marked(4), Layout::Rgb);
            let same = |got: &Option<Vec<u8>>| *got == wanted;
            assert!(wanted.is_some() && same(&input.meta.icc), "{format:?}");
            // Neither is one written that came another way.
            let (frame, mut meta) = hide(input);
            meta.icc = Some(icc::tests::marked(4));
            for keep in [false, true] {
                let mut out = Vec::new();
                write_picture(&mut out, &frame, &meta, keep).unwrap();
                assert!(
                    !out.windows(icc::tests::MARKER.len()).any(|w| w == icc::tests::MARKER),
                    "{format:?}"
                );
                let again = read_picture(&out, &Limits::default()).unwrap();
                assert!(same(&again.meta.icc), "{format:?}");
            }
        }
    }

    #[test]
    fn bombs_and_fragments_are_refused_in_words() {
        // A PNG header that claims 100,000 x 100,000 pixels.
        let mut bomb = picture(ImageFormat::Png);
        bomb[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
        let crc = png_crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        let e = read_picture(&bomb, &Limits::default()).unwrap_err();
        assert!(
            matches!(e, PictureError::TooLarge { width: 100_000, .. } | PictureError::Damaged { .. }),
            "{e}"
        );
        assert!(matches!(read_picture(b"GIF8", &Limits::default()), Err(PictureError::Unknown)));
        assert!(matches!(read_picture(b"just text", &Limits::default()), Err(PictureError::Unknown)));
        let mut tried = 0;
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
            let bytes = picture(format);
            for cut in (8..bytes.len() / 2).step_by(7) {
                assert!(read_picture(&bytes[..cut], &Limits::default()).is_err(), "{format:?} cut at {cut}");
                tried += 1;
            }
        }
        println!("{tried} cut pictures tried, 0 read");
    }

    #[test]
    fn a_cut_picture_is_refused_unless_all_its_pixels_are_there() {
        use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
        let noise = image::RgbImage::from_fn(40, 40, |x, y| {
            let n = (x * 7 + y * 13).wrapping_mul(2_654_435_761) >> 16;
            [n as u8, (x * 6) as u8, (y * 6) as u8].into()
        });
        let encoded = |format| {
            let mut out = Cursor::new(Vec::new());
            noise.write_to(&mut out, format).unwrap();
            out.into_inner()
        };
        let mut progressive = Vec::new();
        let mut e = jpeg_encoder::Encoder::new(&mut progressive, 90);
        e.set_progressive(true);
        e.encode(noise.as_raw(), 40, 40, jpeg_encoder::ColorType::Rgb).unwrap();
        let mut files: Vec<(String, Vec<u8>)> =
            [Jpeg, Png, WebP, Gif, Bmp, Tiff].map(|f| (format!("{f:?}"), encoded(f))).into();
        files.push(("progressive".to_owned(), progressive));
        files.push(("lossy WebP".to_owned(), webp::Encoder::from_rgb(&noise, 40, 40).encode(80.0).to_vec()));
        for (name, bytes) in files {
            let whole = read_picture(&bytes, &Limits::default()).unwrap().frame;
            let mut read = 0;
            for cut in 8..bytes.len() {
                if let Ok(picture) = read_picture(&bytes[..cut], &Limits::default()) {
                    assert!(picture.frame.bytes() == whole.bytes(), "{name} of {} cut at {cut}", bytes.len());
                    read += 1;
                }
            }
            println!("{name}: {} cuts, {read} with all pixels", bytes.len());
        }
        // As some cameras and mail programs leave them.
        let jpeg = encoded(Jpeg);
        for without in [1, 2] {
            assert!(read_picture(&jpeg[..jpeg.len() - without], &Limits::default()).is_ok());
        }
        assert!(matches!(
            read_picture(&jpeg[..jpeg.len() * 3 / 4], &Limits::default()),
            Err(PictureError::Cut("jpeg"))
        ));
    }

    fn png_crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, &b| {
            (0..8).fold(crc ^ u32::from(b), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
        })
    }

    #[test]
    fn animations_are_refused() {
        let mut out = Vec::new();
        {
            let mut e = image::codecs::gif::GifEncoder::new(&mut out);
            for v in [0, 200] {
                let frame = image::Frame::new(image::RgbaImage::from_pixel(8, 8, [v, v, v, 255].into()));
                e.encode_frame(frame).unwrap();
            }
        }
        assert!(matches!(read_picture(&out, &Limits::default()), Err(PictureError::Several("gif"))));
    }

    #[test]
    fn a_gif_of_a_few_bytes_that_unpacks_to_gigabytes_is_refused_by_its_header() {
        let gif = |screen: (u16, u16), image: (u16, u16)| {
            let mut bytes = b"GIF89a".to_vec();
            bytes.extend([screen.0.to_le_bytes(), screen.1.to_le_bytes()].concat());
            bytes.extend([0, 0, 0, 0x2C, 0, 0, 0, 0]);
            bytes.extend([image.0.to_le_bytes(), image.1.to_le_bytes()].concat());
            bytes.extend([0, 2, 2, 0x4C, 1, 0, 0x3B]);
            bytes
        };
        for bytes in [gif((32_768, 6_100), (32_768, 6_100)), gif((16, 16), (32_768, 6_100))] {
            let refused = read_picture(&bytes, &Limits::default());
            assert!(matches!(
                refused,
                Err(PictureError::TooLarge { width: 32_768, limits: Limits { pixels: GIF_PIXELS, .. }, .. })
            ));
        }
    }

    #[test]
    fn the_frames_of_a_gif_are_counted_without_unpacking_them() {
        // Both frames' pixels are no LZW codes.
        let frame: &[u8] = &[0x2C, 0, 0, 0, 0, 8, 0, 8, 0, 0, 2, 3, 255, 255, 255, 0];
        let bytes = [b"GIF89a\x08\0\x08\0\0\0\0", frame, frame, b"\x3B"].concat();
        assert!(matches!(read_picture(&bytes, &Limits::default()), Err(PictureError::Several("gif"))));
    }

    #[test]
    fn transparency_and_grey_are_kept() {
        for (image, layout) in [
            (image::DynamicImage::new_rgba8(8, 8), Layout::Rgba),
            (image::DynamicImage::new_luma16(8, 8), Layout::Gray),
        ] {
            let mut out = Cursor::new(Vec::new());
            image.write_to(&mut out, ImageFormat::Png).unwrap();
            assert_eq!(read_picture(out.get_ref(), &Limits::default()).unwrap().frame.layout(), layout);
        }
    }
}
