//! Just enough of TIFF 6.0 to see that a file has one page, and to find its color profile.

/// Whether a second image directory follows the first. What cannot be read counts as more.
pub(super) fn has_more_pages(bytes: &[u8]) -> bool {
    next_directory(bytes) != Some(0)
}

/// The ICC profile of the first page, where it stands in the file. The decoder gives it only where the pixels take 32
/// times its length and more: it counts a profile's bytes, each in a value of its own, against the pixels' room.
pub(super) fn profile(bytes: &[u8]) -> Option<&[u8]> {
    const ICC_PROFILE: u16 = 34_675;
    const BYTE_OR_UNDEFINED: [u16; 2] = [1, 7];
    let file = Tiff::new(bytes)?;
    let (first, entries) = file.first_directory()?;
    let entry = (0..entries).map(|i| first + 2 + 12 * i).find(|at| file.u16(*at) == Some(ICC_PROFILE))?;
    let (len, at) = (file.u32(entry + 4)? as usize, file.u32(entry + 8)? as usize);
    let known = BYTE_OR_UNDEFINED.contains(&file.u16(entry + 2)?) && len > 4;
    bytes.get(at..at.checked_add(len)?).filter(|_| known)
}

fn next_directory(bytes: &[u8]) -> Option<u32> {
    let file = Tiff::new(bytes)?;
    let (first, entries) = file.first_directory()?;
    file.u32(first + 2 + 12 * entries)
}

#[derive(Clone, Copy)]
struct Tiff<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl<'a> Tiff<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let big_endian = match bytes.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        Some(Self { bytes, big_endian })
    }

    /// Its place, and how many entries it has.
    fn first_directory(self) -> Option<(usize, usize)> {
        let first = self.u32(4)? as usize;
        Some((first, self.u16(first)?.into()))
    }

    fn u16(self, at: usize) -> Option<u16> {
        let raw = *self.bytes.get(at..at.checked_add(2)?)?.first_chunk()?;
        Some(if self.big_endian { u16::from_be_bytes(raw) } else { u16::from_le_bytes(raw) })
    }

    fn u32(self, at: usize) -> Option<u32> {
        let raw = *self.bytes.get(at..at.checked_add(4)?)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_page() -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::DynamicImage::new_rgb8(4, 3).write_to(&mut bytes, image::ImageFormat::Tiff).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn one_page_is_one_page_and_anything_else_is_more() {
        let bytes = one_page();
        assert!(!has_more_pages(&bytes));
        let first = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
        let entries = usize::from(u16::from_le_bytes(bytes[first..first + 2].try_into().unwrap()));
        let mut two = bytes.clone();
        two[first + 2 + 12 * entries] = 8;
        assert!(has_more_pages(&two));
        assert!(has_more_pages(&bytes[..first]));
        assert!(has_more_pages(b"II+\0\x08\0\0\0"), "BigTIFF");
    }
}
