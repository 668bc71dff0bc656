//! Color profiles, rebuilt from what tells color.
//!
//! Follows ICC.1:2022: 7.2 (header), 7.3 (tag table), 8.3.3 and 8.4.3 (the tags a profile needs), 10 (tag types). Private
//! tags, texts, dates, makers and bytes between or behind the tags are left behind: any of them may hold a picture.

use placet_core::Layout;

/// Bytes of a header.
const HEADER: usize = 128;
/// Tags of three colors, each by its matrix column and its curve, and of grey.
const RGB_TAGS: [[u8; 4]; 7] = [*b"wtpt", *b"rXYZ", *b"gXYZ", *b"bXYZ", *b"rTRC", *b"gTRC", *b"bTRC"];
const GRAY_TAGS: [[u8; 4]; 2] = [*b"wtpt", *b"kTRC"];
/// Tags that may be there, whatever the colors.
const OPTIONAL_TAGS: [[u8; 4]; 3] = [*b"bkpt", *b"chad", *b"cicp"];
/// Numbers of a curve: with its head 4108 bytes.
const CURVE: usize = 2048;
/// D50 (7.2.16).
const ILLUMINANT: [u8; 12] = [0, 0, 0xF6, 0xD6, 0, 1, 0, 0, 0, 0, 0xD3, 0x2D];
/// The first of January 2000.
const DATE: [u8; 12] = [7, 208, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0];
const NAME: &str = "Color profile";
const COPYRIGHT: &str = "As in the original";

/// The profile without anything that is not color. None where it does not speak of the kind of color the pixels have (a
/// CMYK picture's does not any more once it is decoded), or not by a matrix and curves alone.
pub(super) fn rebuilt(profile: &[u8], layout: Layout) -> Option<Vec<u8>> {
    let head: &[u8; HEADER] = profile.first_chunk()?;
    let gray = layout == Layout::Gray;
    let head = header(head, if gray { *b"GRAY" } else { *b"RGB " })?;
    let needed: &[[u8; 4]] = if gray { &GRAY_TAGS } else { &RGB_TAGS };
    let [.., major, _, _, _] = *head.first_chunk::<12>()?;
    let mut tags = vec![(*b"desc", text(major, b"desc", NAME)), (*b"cprt", text(major, b"text", COPYRIGHT))];
    for name in needed {
        tags.push((*name, element(*name, tag(profile, *name)?)?));
    }
    for name in OPTIONAL_TAGS {
        tags.extend(tag(profile, name).and_then(|data| element(name, data)).map(|data| (name, data)));
    }
    Some(assembled(&head, &tags))
}

/// What a header says of color: version, class, color spaces and rendering intent.
fn header(old: &[u8; HEADER], space: [u8; 4]) -> Option<[u8; HEADER]> {
    let at = |at: usize| old.get(at..at + 4)?.first_chunk::<4>().copied();
    let [major, minor, ..] = at(8)?;
    let (class, pcs, intent) = (at(12)?, at(20)?, at(64)?);
    // A matrix leads to XYZ only.
    let connects = &pcs == b"XYZ " || (&pcs == b"Lab " && &space == b"GRAY");
    let known = matches!(major, 2 | 4)
        && [*b"scnr", *b"mntr", *b"prtr", *b"spac"].contains(&class)
        && at(16)? == space
        && &at(36)? == b"acsp";
    if !known || !connects {
        return None;
    }
    let intent = if u32::from_be_bytes(intent) < 4 { intent } else { [0; 4] };
    let mut new = [0; HEADER];
    let parts: [(usize, &[u8]); 8] = [
        (8, &[major, minor]),
        (12, &class),
        (16, &space),
        (20, &pcs),
        (24, &DATE),
        (36, b"acsp"),
        (64, &intent),
        (68, &ILLUMINANT),
    ];
    for (at, part) in parts {
        new.get_mut(at..at + part.len())?.copy_from_slice(part);
    }
    Some(new)
}

/// The first tag of a name, as far as the table says.
fn tag(profile: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    let count = number(profile, HEADER)?;
    let (entries, _) = profile.get(HEADER + 4..)?.as_chunks::<12>();
    let entry = entries.iter().take(count).find(|entry| entry.starts_with(&name))?;
    let start = number(entry, 4)?;
    profile.get(start..start.checked_add(number(entry, 8)?)?)
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?)).ok()
}

/// A tag's data, no longer than its type needs and without reserved bytes. None where its type is not the tag's.
fn element(name: [u8; 4], data: &[u8]) -> Option<Vec<u8>> {
    let kind = *data.first_chunk::<4>()?;
    let (reserved, len) = match (&name, &kind) {
        (b"wtpt" | b"bkpt" | b"rXYZ" | b"gXYZ" | b"bXYZ", b"XYZ ") => (4..8, 20),
        (b"rTRC" | b"gTRC" | b"bTRC" | b"kTRC", b"curv") => {
            (4..8, 12 + 2 * number(data, 8).filter(|n| *n <= CURVE)?)
        }
        (b"rTRC" | b"gTRC" | b"bTRC" | b"kTRC", b"para") => {
            // Table 68: so many parameters has each function.
            let parameters = [1, 3, 4, 5, 7].get(number(data, 8)? >> 16)?;
            data.get(10..12)?;
            (4..8, 12 + 4 * parameters)
        }
        (b"chad", b"sf32") => (4..8, 44),
        (b"cicp", b"cicp") => (4..8, 12),
        _ => return None,
    };
    let mut kept = data.get(..len)?.to_vec();
    kept.get_mut(reserved)?.fill(0);
    if &kind == b"para" {
        kept.get_mut(10..12)?.fill(0);
    }
    Some(kept)
}

/// A text of version 4 (10.15), or as version 2 has it under the type `old` (ICC.1:2001-04, 6.5.17 and 6.5.18).
fn text(major: u8, old: &[u8; 4], words: &str) -> Vec<u8> {
    let mut out = Vec::new();
    if major >= 4 {
        let utf16: Vec<u8> = words.encode_utf16().flat_map(u16::to_be_bytes).collect();
        out.extend(b"mluc\0\0\0\0\0\0\0\x01\0\0\0\x0CenUS");
        out.extend((utf16.len() as u32).to_be_bytes());
        out.extend(28u32.to_be_bytes());
        out.extend(utf16);
        return out;
    }
    out.extend(old);
    out.extend([0; 4]);
    if old == b"desc" {
        out.extend((words.len() as u32 + 1).to_be_bytes());
    }
    out.extend(words.as_bytes());
    out.push(0);
    if old == b"desc" {
        // No other language (8 bytes), no text of a Macintosh (3 and 67).
        out.extend([0; 78]);
    }
    out
}

/// Header, table and data; data that several tags share stands there once.
fn assembled(head: &[u8; HEADER], tags: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut table = (tags.len() as u32).to_be_bytes().to_vec();
    let mut data: Vec<u8> = Vec::new();
    let mut places: Vec<(&[u8], usize)> = Vec::new();
    let start = HEADER + 4 + 12 * tags.len();
    for (name, element) in tags {
        let known = places.iter().find(|(other, _)| other == element).map(|(_, at)| *at);
        let at = known.unwrap_or(start + data.len());
        if known.is_none() {
            places.push((element, at));
            data.extend(element);
            data.resize(data.len().next_multiple_of(4), 0);
        }
        table.extend(name);
        table.extend((at as u32).to_be_bytes());
        table.extend((element.len() as u32).to_be_bytes());
    }
    let size = (start + data.len()) as u32;
    let [_, _, _, _, rest @ ..] = head;
    [&size.to_be_bytes()[..], rest, &table, &data].concat()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) const MARKER: &[u8] = b"THUMBNAIL-OF-A-FACE";

    type Tags = Vec<([u8; 4], Vec<u8>)>;

    fn xyz(n: u8) -> Vec<u8> {
        [b"XYZ \0\0\0\0".as_slice(), &[0, 0, n, 1, 0, 0, n, 2, 0, 0, n, 3]].concat()
    }

    fn curve(values: &[u16]) -> Vec<u8> {
        let values: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
        [b"curv\0\0\0\0", &(values.len() as u32 / 2).to_be_bytes()[..], &values].concat()
    }

    fn head(space: &[u8; 4], pcs: &[u8; 4], major: u8) -> [u8; HEADER] {
        let mut head = [0; HEADER];
        head[8] = major;
        for (at, word) in [(12, b"mntr"), (16, space), (20, pcs), (36, b"acsp")] {
            head[at..at + 4].copy_from_slice(word);
        }
        head
    }

    fn rgb_tags() -> Tags {
        let names = [b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ"];
        let xyz = names.into_iter().zip(1..).map(|(name, n)| (*name, xyz(n)));
        xyz.chain([b"rTRC", b"gTRC", b"bTRC"].map(|name| (*name, curve(&[0, 300, 65_535])))).collect()
    }

    fn gray_tags() -> Tags {
        vec![(*b"wtpt", xyz(9)), (*b"kTRC", curve(&[563]))]
    }

    /// A profile with a marker wherever one fits.
    pub(in super::super) fn marked(version: u8) -> Vec<u8> {
        let mut head = head(b"RGB ", b"XYZ ", version);
        head[100..100 + MARKER.len()].copy_from_slice(MARKER);
        head[48..56].copy_from_slice(&MARKER[..8]);
        head[84..99].copy_from_slice(&MARKER[..15]);
        let mut tags = rgb_tags();
        // Behind a curve's end, where its table entry still counts it.
        tags[4].1.extend(MARKER);
        tags[5].1[4..8].copy_from_slice(&MARKER[..4]);
        let text = [b"desc\0\0\0\0\0\0\0\x14".as_slice(), MARKER, &[0; 79]].concat();
        tags.extend([(*b"priv", MARKER.to_vec()), (*b"desc", text)]);
        tags.push((*b"cprt", [b"text\0\0\0\0", MARKER, b"\0"].concat()));
        tags.push((*b"bkpt", [MARKER, MARKER].concat()));
        [assembled(&head, &tags), MARKER.to_vec()].concat()
    }

    /// Whether any four bytes of the marker are there.
    pub(in super::super) fn is_marked(bytes: &[u8]) -> bool {
        bytes.windows(4).any(|w| MARKER.windows(4).any(|m| m == w))
    }

    #[test]
    fn nothing_but_color_passes() {
        for version in [2, 4] {
            let old = marked(version);
            assert!(is_marked(&old));
            let new = rebuilt(&old, Layout::Rgb).unwrap();
            assert!(!is_marked(&new), "version {version}");
            assert_eq!(number(&new, 0), Some(new.len()));
            for (name, data) in rgb_tags() {
                assert_eq!(tag(&new, name), Some(&data[..]), "{}", name.escape_ascii());
            }
            assert_eq!(rebuilt(&new, Layout::Rgba).as_ref(), Some(&new), "nothing is left to leave out");
            assert!([*b"priv", *b"bkpt"].iter().all(|name| tag(&new, *name).is_none()));
            assert!(tag(&new, *b"desc").is_some() && tag(&new, *b"cprt").is_some());
        }
    }

    #[test]
    fn what_tells_color_stays() {
        let para = |function: u8, parameters: usize| {
            [b"para\0\0\0\0\0", &[function, 0, 0][..], &vec![7; 4 * parameters]].concat()
        };
        let rows: Tags = vec![
            (*b"bkpt", xyz(20)),
            (*b"chad", [b"sf32\0\0\0\0".as_slice(), &[5; 36]].concat()),
            (*b"cicp", b"cicp\0\0\0\0\x01\x0D\0\x01".to_vec()),
            (*b"rTRC", curve(&[])),
            (*b"gTRC", curve(&[1; CURVE])),
            (*b"bTRC", para(0, 1)),
            (*b"bTRC", para(4, 7)),
        ];
        for (name, data) in rows {
            let mut tags = rgb_tags();
            tags.retain(|(other, _)| *other != name);
            tags.push((name, data.clone()));
            let new = rebuilt(&assembled(&head(b"RGB ", b"XYZ ", 4), &tags), Layout::Rgb).unwrap();
            assert_eq!(tag(&new, name), Some(&data[..]), "{}", name.escape_ascii());
        }
        for pcs in [b"XYZ ", b"Lab "] {
            let new = rebuilt(&assembled(&head(b"GRAY", pcs, 2), &gray_tags()), Layout::Gray).unwrap();
            assert_eq!(tag(&new, *b"kTRC"), Some(&curve(&[563])[..]));
        }
    }

    #[test]
    fn a_profile_that_is_not_made_of_matrix_and_curves_is_dropped() {
        let whole = assembled(&head(b"RGB ", b"XYZ ", 4), &rgb_tags());
        for n in 0..rgb_tags().len() {
            let mut tags = rgb_tags();
            tags.remove(n);
            assert_eq!(rebuilt(&assembled(&head(b"RGB ", b"XYZ ", 4), &tags), Layout::Rgb), None, "tag {n}");
        }
        for n in 0..gray_tags().len() {
            let mut tags = gray_tags();
            tags.remove(n);
            assert_eq!(rebuilt(&assembled(&head(b"GRAY", b"XYZ ", 4), &tags), Layout::Gray), None, "tag {n}");
        }
        for data in [
            curve(&[1; CURVE + 1]),
            b"curv\0\0\0\0\xFF\xFF\xFF\xFF".to_vec(),
            b"para\0\0\0\0\0\x05\0\0".to_vec(),
        ] {
            let mut tags = rgb_tags();
            tags[6].1 = data;
            assert_eq!(rebuilt(&assembled(&head(b"RGB ", b"XYZ ", 4), &tags), Layout::Rgb), None);
        }
        for (at, word) in [(8, b"\x05\0\0\0"), (12, b"link"), (16, b"CMYK"), (20, b"Lab "), (36, b"none")] {
            let mut other = whole.clone();
            other[at..at + 4].copy_from_slice(word);
            assert_eq!(rebuilt(&other, Layout::Rgb), None, "byte {at}");
        }
        assert_eq!(rebuilt(&whole, Layout::Gray), None);
        // The last two bytes fill up.
        assert!((0..whole.len() - 2).all(|cut| rebuilt(&whole[..cut], Layout::Rgb).is_none()));
        assert!(rebuilt(&whole, Layout::Rgb).is_some());
    }
}
