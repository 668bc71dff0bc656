//! Single byte ranges after [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-14.1.2), section 14.1.2.

/// What a `Range` header asks for, of a file of a given length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: no range, several, or one that cannot be read, which a server may pass over.
    All,
    /// From the first to the last byte, both included.
    Part { first: u64, last: u64 },
    /// Nothing that is there.
    Nothing,
}

pub(crate) fn wanted(header: Option<&str>, length: u64) -> Wanted {
    let range = header.and_then(|text| text.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else { return Wanted::All };
    let number = |text: &str| {
        let digits = (1..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if digits { text.parse::<u64>().ok() } else { None }
    };
    match (first, number(first), last, number(last)) {
        ("", _, _, Some(0)) => Wanted::Nothing,
        ("", _, _, Some(_)) if length == 0 => Wanted::Nothing,
        ("", _, _, Some(count)) => Wanted::Part { first: length.saturating_sub(count), last: length - 1 },
        (_, Some(first), _, Some(last)) if first > last => Wanted::All,
        (_, Some(first), "", _) | (_, Some(first), _, Some(_)) if first >= length => Wanted::Nothing,
        (_, Some(first), "", _) => Wanted::Part { first, last: length - 1 },
        (_, Some(first), _, Some(last)) => Wanted::Part { first, last: last.min(length - 1) },
        _ => Wanted::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_specification() {
        let part = |first, last| Wanted::Part { first, last };
        for (header, length, expected) in [
            ("bytes=0-0", 10, part(0, 0)),
            ("bytes=0-499", 10, part(0, 9)),
            ("bytes=9-", 10, part(9, 9)),
            ("bytes=-3", 10, part(7, 9)),
            ("bytes=-30", 10, part(0, 9)),
            ("bytes=10-", 10, Wanted::Nothing),
            ("bytes=10-20", 10, Wanted::Nothing),
            ("bytes=-0", 10, Wanted::Nothing),
            ("bytes=0-0", 0, Wanted::Nothing),
            ("bytes=-1", 0, Wanted::Nothing),
            ("bytes=5-4", 10, Wanted::All),
            ("bytes=0-1,3-4", 10, Wanted::All),
            ("bytes=a-b", 10, Wanted::All),
            ("bytes=-", 10, Wanted::All),
            ("bytes=", 10, Wanted::All),
            ("bytes=+1-2", 10, Wanted::All),
            ("bytes=0-99999999999999999999", 10, Wanted::All),
            ("lines=0-1", 10, Wanted::All),
        ] {
            assert_eq!(wanted(Some(header), length), expected, "{header} of {length}");
        }
        assert_eq!(wanted(None, 10), Wanted::All);
    }
}
