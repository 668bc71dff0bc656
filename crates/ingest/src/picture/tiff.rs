//! Just enough of TIFF 6.0 to see that a file has one page.

/// Whether a second image directory follows the first. What cannot be read counts as more.
pub(super) fn has_more_pages(bytes: &[u8]) -> bool {
    next_directory(bytes) != Some(0)
}

fn next_directory(bytes: &[u8]) -> Option<u32> {
    let big = match bytes.get(..4)? {
        b"II*\0" => false,
        b"MM\0*" => true,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let raw = *bytes.get(at..at.checked_add(2)?)?.first_chunk::<2>()?;
        Some(if big { u16::from_be_bytes(raw) } else { u16::from_le_bytes(raw) })
    };
    let u32_at = |at: usize| {
        let raw = *bytes.get(at..at.checked_add(4)?)?.first_chunk::<4>()?;
        Some(if big { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) })
    };
    let first = u32_at(4)? as usize;
    let entries = usize::from(u16_at(first)?);
    u32_at(first.checked_add(2)?.checked_add(entries.checked_mul(12)?)?)
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
