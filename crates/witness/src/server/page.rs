//! The page a witness shows: who it is, what it has seen, and what it holds against whom.

use std::fmt::Write as _;
use std::sync::PoisonError;

use placet_core::UtcTime;

use super::evidence::EvidenceKind;
use super::{Followed, Witness};

impl Witness {
    /// The page, in HTML.
    pub fn page(&self) -> String {
        let key = self.key();
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>Witness {name}</title>\n</head>\n<body>\n<h1>Witness {name}</h1>\n\
             <p>This witness follows the transparency logs below. It cosigns a log's checkpoint only if its tree extends the \
             last one it has cosigned (<a href=\"https://c2sp.org/tlog-witness\">C2SP tlog-witness</a>, at \
             <code>add-checkpoint</code>). A cosignature is a statement about what this witness has seen, and none about what the \
             log says.</p>\n<p>Key: <code>{key}</code></p>\n<h2>Logs</h2>\n",
            name = escaped(key.name().as_str()),
            key = escaped(&key.to_string()),
        );
        for (origin, followed) in &self.logs {
            let followed = followed.lock().unwrap_or_else(PoisonError::into_inner);
            // Writing to a text cannot fail.
            let _ = write!(page, "<h3>{}</h3>\n{}", escaped(origin.as_str()), log(&followed));
        }
        page.push_str("</body>\n</html>\n");
        page
    }

    /// A piece of evidence by its name, if it is one this witness keeps.
    pub fn evidence_file(&self, name: &str) -> Option<Vec<u8>> {
        let kept = self.logs.values().any(|followed| {
            let followed = followed.lock().unwrap_or_else(PoisonError::into_inner);
            EvidenceKind::ALL.into_iter().any(|kind| followed.evidence.of(kind).iter().any(|n| n == name))
        });
        let path = self.folder.join(super::evidence::FOLDER).join(name);
        if kept { self.disk.read(&path).ok().flatten() } else { None }
    }
}

fn log(followed: &Followed) -> String {
    let mut out = match &followed.last {
        None => "<p>No checkpoint has been cosigned yet.</p>\n".to_owned(),
        Some(last) => format!(
            "<p>Last cosigned: {} entries, at {}.</p>\n<pre>{}</pre>\n",
            last.checkpoint.size,
            UtcTime::from_unix_seconds(last.time)
                .map_or_else(|| last.time.to_string(), |time| time.to_string()),
            escaped(&last.note),
        ),
    };
    if let Some(trouble) = &followed.trouble {
        let _ = writeln!(out, "<p><strong>Not cosigning:</strong> {}.</p>", escaped(trouble));
    }
    if let Some(lost) = followed.evidence.last_lost() {
        let _ = writeln!(out, "<p><strong>Evidence could not be kept:</strong> {}.</p>", escaped(lost));
    }
    let kinds = EvidenceKind::ALL.into_iter().filter(|kind| followed.evidence.has(*kind));
    let mut any = false;
    for kind in kinds {
        any = true;
        let names = followed.evidence.of(kind);
        let _ = writeln!(out, "<p>Evidence: {}. Pieces kept: {}.</p>\n<ul>", kind.says(), names.len());
        for name in names {
            let _ = writeln!(out, "<li><a href=\"evidence/{name}\">{name}</a></li>");
        }
        out.push_str("</ul>\n");
    }
    if !any {
        out.push_str("<p>No evidence against it.</p>\n");
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
