//! Writing pictures: only what redaction has made.

use std::io::Cursor;

use image::codecs::bmp::BmpEncoder;
use image::codecs::gif::GifEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::tiff::TiffEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};
use img_parts::{Bytes, ImageEXIF as _, ImageICC as _};
use jpeg_encoder::{ColorType, Encoder};
use placet_core::{Frame, Layout};
use placet_redaction::{ObscuredFrame, RedactedFrame};

use super::planar::interleaved;
use super::{PictureError, PictureFormat, PictureMeta, exif, icc};

/// Encodes a redacted picture in its input's format.
///
/// # Errors
/// [`PictureError::Write`] where the format cannot hold it.
pub fn write_picture(
    out: &mut Vec<u8>,
    frame: &RedactedFrame,
    meta: &PictureMeta,
    keep_metadata: bool,
) -> Result<(), PictureError> {
    encode(out, frame.as_frame(), meta, keep_metadata)
}

/// Encodes a picture whose faces are obscured by a reversible style.
///
/// # Errors
/// [`PictureError::Write`] where the format cannot hold it.
pub fn write_obscured_picture(
    out: &mut Vec<u8>,
    frame: &ObscuredFrame,
    meta: &PictureMeta,
    keep_metadata: bool,
) -> Result<(), PictureError> {
    encode(out, frame.as_frame(), meta, keep_metadata)
}

fn encode(
    out: &mut Vec<u8>,
    frame: &Frame,
    meta: &PictureMeta,
    keep_metadata: bool,
) -> Result<(), PictureError> {
    let failed = |why: &dyn std::fmt::Display| PictureError::Write {
        format: meta.format.name(),
        why: why.to_string(),
    };
    let exif = match &meta.exif {
        // An Exif block that cannot be read safely is left out, which loses nothing of the picture.
        Some(block) if keep_metadata => exif::scrub(block).ok(),
        _ => None,
    };
    let icc = meta.icc.as_ref().and_then(|p| icc::rebuilt(p, frame.layout()));
    let pixels = interleaved(frame);
    let (w, h) = (frame.size().width, frame.size().height);
    match meta.format {
        PictureFormat::Jpeg => jpeg(out, frame, &pixels, meta.lossy.unwrap_or(90), icc, exif),
        PictureFormat::WebP if meta.lossy.is_some() => lossy_webp(out, frame, &pixels, icc, exif),
        PictureFormat::Png => through(PngEncoder::new(&mut *out), frame, &pixels, icc, exif),
        PictureFormat::WebP => through(WebPEncoder::new_lossless(&mut *out), frame, &pixels, icc, exif),
        PictureFormat::Bmp => through(BmpEncoder::new(&mut *out), frame, &pixels, None, None),
        PictureFormat::Tiff => {
            let mut cursor = Cursor::new(Vec::new());
            let done = through(TiffEncoder::new(&mut cursor), frame, &pixels, icc, None);
            *out = cursor.into_inner();
            done
        }
        PictureFormat::Gif => {
            // GIF holds color and no grey of its own.
            let rgba: Vec<u8> = match frame.layout() {
                Layout::Gray => pixels.iter().flat_map(|&v| [v, v, v, 255]).collect(),
                Layout::Rgba => pixels,
                _ => pixels.chunks_exact(3).flat_map(|p| p.iter().copied().chain([255])).collect(),
            };
            GifEncoder::new(&mut *out)
                .encode(&rgba, w, h, ExtendedColorType::Rgba8)
                .map_err(|e| failed(&e).to_string())
        }
    }
    .map_err(|why| failed(&why))
}

fn through(
    mut encoder: impl ImageEncoder,
    frame: &Frame,
    pixels: &[u8],
    icc: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
) -> Result<(), String> {
    // A format without room for them does without; neither changes a pixel.
    if let Some(icc) = icc {
        let _ = encoder.set_icc_profile(icc);
    }
    if let Some(exif) = exif {
        let _ = encoder.set_exif_metadata(exif);
    }
    let color = match frame.layout() {
        Layout::Gray => ExtendedColorType::L8,
        Layout::Rgba => ExtendedColorType::Rgba8,
        Layout::Rgb | Layout::Yuv420 => ExtendedColorType::Rgb8,
    };
    encoder.write_image(pixels, frame.size().width, frame.size().height, color).map_err(|e| e.to_string())
}

fn jpeg(
    out: &mut Vec<u8>,
    frame: &Frame,
    pixels: &[u8],
    quality: u8,
    icc: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
) -> Result<(), String> {
    let (w, h) = (u16::try_from(frame.size().width), u16::try_from(frame.size().height));
    let (Ok(w), Ok(h)) = (w, h) else { return Err("a side is longer than 65,535 pixels".to_owned()) };
    let mut encoder = Encoder::new(&mut *out, quality);
    if let Some(icc) = icc {
        encoder.add_icc_profile(&icc).map_err(|e| e.to_string())?;
    }
    if let Some(exif) = exif {
        encoder.add_app_segment(1, [b"Exif\0\0".as_slice(), &exif].concat()).map_err(|e| e.to_string())?;
    }
    let color = match frame.layout() {
        Layout::Gray => ColorType::Luma,
        Layout::Rgba => ColorType::Rgba,
        Layout::Rgb | Layout::Yuv420 => ColorType::Rgb,
    };
    encoder.encode(pixels, w, h, color).map_err(|e| e.to_string())
}

fn lossy_webp(
    out: &mut Vec<u8>,
    frame: &Frame,
    pixels: &[u8],
    icc: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
) -> Result<(), String> {
    let (w, h) = (frame.size().width, frame.size().height);
    let gray: Vec<u8>;
    let encoder = match frame.layout() {
        Layout::Rgba => webp::Encoder::from_rgba(pixels, w, h),
        Layout::Gray => {
            gray = pixels.iter().flat_map(|&v| [v; 3]).collect();
            webp::Encoder::from_rgb(&gray, w, h)
        }
        Layout::Rgb | Layout::Yuv420 => webp::Encoder::from_rgb(pixels, w, h),
    };
    let encoded = encoder.encode_simple(false, 90.0).map_err(|e| format!("{e:?}"))?;
    let mut container =
        img_parts::webp::WebP::from_bytes(Bytes::copy_from_slice(&encoded)).map_err(|e| e.to_string())?;
    container.set_icc_profile(icc.map(Bytes::from));
    container.set_exif(exif.map(Bytes::from));
    container.encoder().write_to(&mut *out).map_err(|e| e.to_string()).map(|_| ())
}
