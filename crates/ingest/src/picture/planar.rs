//! Between the interleaved pixels of picture files and the planes of a [`Frame`].

use image::{ColorType, DynamicImage};
use placet_core::{Frame, Layout, Pts, Size};

/// The pixels in planes, 8 bits a sample.
pub(super) fn frame_of(image: DynamicImage) -> Frame {
    let size = Size { width: image.width(), height: image.height() };
    let (layout, pixels) = match image.color() {
        ColorType::L8 | ColorType::L16 => (Layout::Gray, image.into_luma8().into_raw()),
        c if c.has_alpha() => (Layout::Rgba, image.into_rgba8().into_raw()),
        _ => (Layout::Rgb, image.into_rgb8().into_raw()),
    };
    let channels = layout.planes();
    if channels == 1 {
        return Frame::from_bytes(size, layout, Pts(0), pixels).unwrap_or_else(|| Frame::new(size, layout));
    }
    let mut frame = Frame::new(size, layout);
    for (idx, plane) in frame.planes_mut().enumerate() {
        for (sample, pixel) in plane.data.iter_mut().zip(pixels.chunks_exact(channels)) {
            if let Some(&value) = pixel.get(idx) {
                *sample = value;
            }
        }
    }
    frame
}

/// The pixels interleaved, in the order of their planes.
pub(super) fn interleaved(frame: &Frame) -> Vec<u8> {
    let channels = frame.layout().planes();
    let mut pixels = vec![0; frame.bytes().len()];
    for (idx, plane) in frame.planes().enumerate() {
        for (pixel, &value) in pixels.chunks_exact_mut(channels).zip(plane.data) {
            if let Some(sample) = pixel.get_mut(idx) {
                *sample = value;
            }
        }
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_survive_the_way_there_and_back() {
        for image in
            [DynamicImage::new_luma8(3, 2), DynamicImage::new_rgb16(3, 2), DynamicImage::new_luma_a8(3, 2)]
        {
            let mut image = image;
            if let Some(p) = image.as_mut_luma8() {
                p.iter_mut().enumerate().for_each(|(i, v)| *v = i as u8);
            }
            let wanted = match frame_of(image.clone()).layout() {
                Layout::Gray => image.to_luma8().into_raw(),
                Layout::Rgb => image.to_rgb8().into_raw(),
                _ => image.to_rgba8().into_raw(),
            };
            assert_eq!(interleaved(&frame_of(image)), wanted);
        }
    }
}
