//! Foreign text on a screen or a page.

/// Whether a character could move a cursor, forge a line, turn the direction of writing or hide: names of files, titles and
/// tags are foreign, and where they are shown such a character is shown as its number.
///
/// Control characters, line and paragraph separators, marks and overrides of direction (Unicode Standard Annex 9), and
/// characters without width save the two joiners that scripts need.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_seen_and_tricks_are_not() {
        assert!("Größe 顔 می\u{200c}خواهم 👩\u{200d}🚒\u{a0}ok".chars().all(|c| !is_unseen(c)));
        assert!("\u{1b}\n\u{7f}\u{85}\u{202e}\u{2066}\u{2028}\u{200b}\u{feff}".chars().all(is_unseen));
    }
}
