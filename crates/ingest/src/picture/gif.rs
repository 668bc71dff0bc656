//! The pictures of a GIF file, counted without unpacking them.
//!
//! Follows the Graphics Interchange Format, version 89a: 18 (screen), 20 (image), 23 to 26 (extensions).

/// What a GIF file says of the pictures in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pictures {
    pub(super) count: usize,
    /// The file ends in the middle of one.
    pub(super) cut: bool,
    /// Columns and rows of the largest.
    pub(super) largest: (u32, u32),
}

/// Walks the file's blocks, up to its end or to what is no block.
pub(super) fn pictures(bytes: &[u8]) -> Pictures {
    let mut found = Pictures::default();
    let mut rest = Rest(bytes);
    let _ = rest.walk(&mut found);
    found
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn walk(&mut self, found: &mut Pictures) -> Option<()> {
        let head = self.take(13)?;
        self.skip_colors(*head.get(10)?)?;
        loop {
            match self.byte()? {
                // An end of sub-blocks too many.
                0 => {}
                0x21 => {
                    self.byte()?;
                    self.skip_sub_blocks()?;
                }
                0x2C => {
                    found.cut = true;
                    let image = self.take(9)?;
                    let side = |at| Some(u32::from(u16::from_le_bytes(*image.get(at..)?.first_chunk()?)));
                    let size = (side(4)?, side(6)?);
                    let area = |(w, h)| u64::from(w) * u64::from(h);
                    found.count += 1;
                    found.largest = if area(size) > area(found.largest) { size } else { found.largest };
                    self.skip_colors(*image.get(8)?)?;
                    // The code size of the packed pixels.
                    self.byte()?;
                    self.skip_sub_blocks()?;
                    found.cut = false;
                }
                // The trailer, or nothing that is known.
                _ => return None,
            }
        }
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A color table, where the flags tell of one.
    fn skip_colors(&mut self, flags: u8) -> Option<()> {
        let len = if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
        self.take(len).map(|_| ())
    }

    fn skip_sub_blocks(&mut self) -> Option<()> {
        loop {
            match self.byte()? {
                0 => return Some(()),
                len => self.take(len.into())?,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: &[u8] = b"GIF89a\x02\0\x02\0\x80\0\0\x01\x02\x03\x04\x05\x06";
    const IMAGE: &[u8] = b"\x2C\0\0\0\0\x02\0\x01\0\0\x02\x02\x4C\x01\0";
    /// With colors of its own, its pixels in two sub-blocks.
    const COLORED: &[u8] = b"\x2C\0\0\0\0\x03\0\x04\0\x80\x2C\x2C\x2C\x2C\x2C\x2C\x02\x01\x2C\x02\x2C\x2C\0";
    /// A control, and a comment that looks like an image.
    const EXTENSIONS: &[u8] = b"\x21\xF9\x04\0\0\0\0\0\x21\xFE\x0A\x2C\0\0\0\0\x02\0\x01\0\0\0";

    #[test]
    fn blocks_are_counted_wherever_they_stand() {
        type Row<'a> = (&'a [&'a [u8]], usize, (u32, u32));
        let rows: &[Row<'_>] = &[
            (&[SCREEN, b"\x3B"], 0, (0, 0)),
            (&[SCREEN, IMAGE, b"\x3B"], 1, (2, 1)),
            (&[SCREEN, EXTENSIONS, IMAGE, EXTENSIONS, b"\x3B"], 1, (2, 1)),
            (&[SCREEN, COLORED, EXTENSIONS, b"\0", IMAGE, b"\x3B"], 2, (3, 4)),
            (&[SCREEN, IMAGE, b"\x3B", IMAGE], 1, (2, 1)),
            (&[SCREEN, IMAGE, b"\x77", IMAGE], 1, (2, 1)),
        ];
        for (blocks, count, largest) in rows {
            assert_eq!(
                pictures(&blocks.concat()),
                Pictures { count: *count, cut: false, largest: *largest },
                "{blocks:?}"
            );
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_walked_to_its_end() {
        let whole = [SCREEN, EXTENSIONS, IMAGE, COLORED, b"\x3B"].concat();
        assert!((0..whole.len()).all(|cut| pictures(&whole[..cut]).count <= 2));
        assert_eq!(pictures(&whole).count, 2);
        let inside = |at: usize, image: &[u8]| at..at + image.len();
        let first = SCREEN.len() + EXTENSIONS.len();
        for cut in 1..whole.len() {
            let in_image = [inside(first, IMAGE), inside(first + IMAGE.len(), COLORED)];
            let expected = in_image.iter().any(|i| cut > i.start && cut < i.end);
            // Of a descriptor's first byte nothing tells that it was one.
            assert_eq!(pictures(&whole[..cut]).cut, expected, "cut at {cut}");
        }
    }
}
