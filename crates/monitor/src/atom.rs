//! Alarms as an Atom feed ([RFC 4287](https://www.rfc-editor.org/rfc/rfc4287)), for any reader of news.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use placet_core::Digest;

use crate::alarm::Alarm;
use crate::files;

/// The feed of `alarms` about the log `origin`, newest first.
pub fn feed(origin: &str, alarms: &[Alarm]) -> String {
    let updated = alarms.iter().map(|a| a.at).max();
    // A feed without news has to say when it was last updated all the same.
    let updated = updated.map_or_else(|| "2000-01-01T00:00:00Z".to_owned(), |at| at.to_string());
    let hex = Digest::of(format!("placet/v1/alarms\n{origin}").as_bytes()).hex();
    let part = |range| hex.get(range).unwrap_or_default();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <id>urn:uuid:{}-{}-8{}-8{}-{}</id>\n<title>Alarms about {}</title>\n<updated>{updated}</updated>\n\
         <author><name>placet log monitor</name></author>\n",
        part(0..8),
        part(8..12),
        part(13..16),
        part(17..20),
        part(20..32),
        escaped(origin),
    );
    let mut newest: Vec<&Alarm> = alarms.iter().collect();
    newest.sort_by_key(|a| std::cmp::Reverse(a.at));
    for alarm in newest {
        let entry = alarm.entry.map(|index| format!(" (entry {index})")).unwrap_or_default();
        let words = escaped(&alarm.words);
        // Writing to a text cannot fail.
        let _ = write!(
            out,
            "<entry>\n<id>{}</id>\n<title>{words}</title>\n<updated>{}</updated>\n\
             <content type=\"text\">{words}{entry}</content>\n</entry>\n",
            escaped(&alarm.id),
            alarm.at,
        );
    }
    out.push_str("</feed>\n");
    out
}

/// Writes the feed to `path`, whole or not at all.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, origin: &str, alarms: &[Alarm]) -> io::Result<()> {
    files::replace(path, feed(origin, alarms).as_bytes())
}

/// Characters that XML 1.0 cannot hold are left out; foreign text may have any.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if placet_core::is_unseen(c) => {}
            c => out.push(c),
        }
    }
    out
}
