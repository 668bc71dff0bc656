//! The segments of a JPEG (ISO/IEC 10918-1, B.1): how strongly it was compressed, its Exif blocks, its end.

/// The example luminance table of ISO/IEC 10918-1, K.1, in zigzag order; most encoders scale it.
const STANDARD: [u16; 64] = [
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40,
    58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103,
    104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
];

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With the mark of an end.
    Marked,
    /// In the middle of the last scan of a sequential picture, or behind it.
    InScan,
    /// Anywhere else.
    Elsewhere,
}

/// Segments up to the end of the first picture: marker and content. Compressed data between them is stepped over.
struct Segments<'a> {
    rest: &'a [u8],
    end: End,
    progressive: bool,
}

impl<'a> Segments<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes.get(2..).unwrap_or_default(), end: End::Elsewhere, progressive: false }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.rest {
                [0xff, 0xd9, ..] => {
                    self.end = End::Marked;
                    return None;
                }
                // Filling, and markers without content.
                [0xff, 0xff, ..] => self.rest = self.rest.get(1..)?,
                [0xff, 0x01 | 0xd0..=0xd8, rest @ ..] => self.rest = rest,
                [0xff, marker, rest @ ..] => {
                    let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
                    let content = rest.get(2..length)?;
                    self.rest = rest.get(length..)?;
                    self.progressive |= matches!(marker, 0xc2 | 0xc6 | 0xca | 0xce);
                    if *marker == 0xda {
                        self.end = if self.progressive { End::Elsewhere } else { End::InScan };
                        self.rest = behind_scan(self.rest);
                    }
                    return Some((*marker, content));
                }
                _ => return None,
            }
        }
    }
}

/// What follows a scan's compressed data: in it, 0xff is followed by 0 or a restart marker.
fn behind_scan(bytes: &[u8]) -> &[u8] {
    let marker =
        bytes.windows(2).position(|w| matches!(w, [0xff, m] if !matches!(m, 0 | 0xd0..=0xd7 | 0xff)));
    marker.and_then(|at| bytes.get(at..)).unwrap_or_default()
}

/// All Exif blocks, in their order.
pub(super) fn exif_blocks(bytes: &[u8]) -> Vec<&[u8]> {
    let blocks = Segments::of(bytes).filter(|(marker, _)| *marker == 0xe1);
    blocks.filter_map(|(_, content)| content.strip_prefix(b"Exif\0\0")).collect()
}

/// How the first picture of the file ends.
pub(super) fn end(bytes: &[u8]) -> End {
    let mut segments = Segments::of(bytes);
    while segments.next().is_some() {}
    segments.end
}

/// Quality on the usual scale, 50 to 96, from the file's first quantisation table; none where there is none.
pub(super) fn quality(bytes: &[u8]) -> Option<u8> {
    let mut rest = bytes.get(2..)?;
    loop {
        let (&marker, &[hi, lo]) = (rest.get(1)?, rest.get(2..4)?.first_chunk::<2>()?);
        if *rest.first()? != 0xff || marker == 0xda {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([hi, lo]));
        if marker == 0xdb {
            return table_quality(rest.get(4..2 + length)?);
        }
        rest = rest.get(2 + length..)?;
    }
}

fn table_quality(table: &[u8]) -> Option<u8> {
    let wide = table.first()? >> 4 == 1;
    let values = table.get(1..)?;
    let value = |i: usize| {
        if wide {
            values.get(2 * i..2 * i + 2)?.first_chunk::<2>().map(|b| u16::from_be_bytes(*b))
        } else {
            values.get(i).map(|&v| u16::from(v))
        }
    };
    let mut sum = 0.0;
    for (i, &standard) in STANDARD.iter().enumerate() {
        sum += f64::from(value(i)?) * 100.0 / f64::from(standard);
    }
    let scale = sum / 64.0;
    let quality = if scale <= 100.0 { (200.0 - scale) / 2.0 } else { 5000.0 / scale };
    Some(quality.round().clamp(50.0, 96.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quality_it_was_written_with_is_read_back() {
        for wanted in [55, 75, 90] {
            let mut bytes = Vec::new();
            let encoder = jpeg_encoder::Encoder::new(&mut bytes, wanted);
            encoder.encode(&[128; 16 * 16 * 3], 16, 16, jpeg_encoder::ColorType::Rgb).unwrap();
            let read = quality(&bytes).unwrap();
            assert!(read.abs_diff(wanted) <= 2, "{read} for {wanted}");
            for cut in 0..bytes.len() {
                let _ = quality(&bytes[..cut]);
            }
        }
    }
}
